"""What any solution can be made to get wrong: each habit goes wrong where it is said to, and only counts if it can."""

from __future__ import annotations

import pytest
import torch

from grader.course import exercise, normal
from grader.course.proving import mutants
from grader.course.proving.answers import Answers
from grader.course.proving.habits import habits
from grader.course.proving.ledger import Ledger
from grader.course.proving.rehearsal import Rehearsal
from grader.course.proving.trial import Trial
from grader.judge.evidence import protected_inputs
from tests.judge.builders import cases, linear


def solution(inp, out, w, b):
    inp.g, w.g, b.g = out.g @ w.t(), inp.t() @ out.g, out.g.sum(0)


def named(name, right=solution):
    return next(habit for habit in habits(linear, right) if habit.name == name)


def called(answer, scale=1.0, w=None):
    inp, w, b = torch.ones(2, 3) * scale, torch.ones(3, 2) if w is None else w, torch.ones(2)
    out = inp @ w + b
    out.g = torch.ones(2, 2)
    answer(inp, out, w, b)
    return inp, w


def test_each_argument_and_the_layout_of_all():
    names = [habit.name for habit in habits(linear, solution)]
    assert names == [*(f"{name}_of_the_first_call" for name in ("inp", "out", "w", "b")), "contiguous_only"]


def test_argument_of_the_first_call_is_right_once():
    habit = named("w_of_the_first_call")
    called(habit.answer)
    assert habit.met == 0
    inp, w = called(habit.answer, w=torch.zeros(3, 2))
    assert habit.met == 1
    assert torch.equal(inp.g, torch.full((2, 3), 2.0))
    assert not hasattr(w, "g")


def test_strides_are_refused_and_counted():
    habit = named("contiguous_only")
    called(habit.answer)
    assert habit.met == 4
    with pytest.raises(RuntimeError, match="stride"):
        called(habit.answer, w=torch.ones(2, 3).t())


def test_instances_share_what_they_hold():
    class Counter:
        def __init__(self, start):
            self.count = start

    habit = named("state_of_all_instances", Counter)
    first = habit.answer(1)
    assert (first.count, habit.met) == (1, 0)
    second = habit.answer(5)
    assert (first.count, second.count, habit.met) == (5, 5, 1)


def test_cell_that_is_run_again_has_no_habits():
    @exercise(call="", inputs={"x": normal("n")}, points={"y": 1}, notebook="small", rerun=True)
    def y(x):
        """A cell."""
        return {"y": x * 2}

    assert not list(habits(y, solution))


def test_habit_that_never_had_a_chance_is_no_survivor(monkeypatch):
    kept = Ledger(linear)
    monkeypatch.setattr(mutants, "habits", lambda *_: [proof_habit(met=0)])
    judge(kept, mutants._habitual)
    assert (kept.problems, kept.mutants) == ({}, {})
    monkeypatch.setattr(mutants, "habits", lambda *_: [proof_habit(met=1)])
    judge(kept, mutants._habitual)
    assert [problem.message for problem in kept.problems.values()] == ["the mistake harmless loses nothing: try"]


def proof_habit(met):
    habit = named("contiguous_only")
    habit.name, habit.answer, habit.met, habit.shown_by = "harmless", solution, met, "try"
    return habit


def judge(kept, mistakes):
    for mutant in mistakes(kept, trial(), trial().solution()):
        mutants._judge(kept, mutant, seed=0)


def trial():
    answers = Answers({"linear": solution}, {}, "", "")
    return Trial(Rehearsal(linear, cases(linear)), answers)


def test_no_input_may_be_changed_but_the_upstream_gradient():
    assert {name for one in cases(linear) for name in protected_inputs(linear, one.case)} == {"inp", "w", "b", "out"}
    kept = Ledger(linear)
    judge(kept, mutants._modified)
    assert kept.problems == {}
    assert kept.mutants == {"inp.g": {"inp_modified", "w_modified", "b_modified", "out_modified"}}
