"""What loses points: scoring rests on which checks are in the answer of ``diagnose``."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
import torch

from grader.course import exercise, normal
from grader.judge.diagnosis.table import diagnose
from grader.judge.evidence import gather
from grader.judge.score import score_exercise
from grader.model import Capture, CaseRun, Stub, StudentError
from tests.judge.builders import (
    cases,
    changed_runs,
    codes,
    diagnosed,
    every_run,
    evidence_of,
    linear,
    noise,
    not_implemented,
    right_runs,
)

STUB = Stub("linear", 4, 1, "def linear(inp, out, w, b):\n    'Doc.'\n    raise NotImplementedError", "metadata")


@exercise(
    call="square(x)",
    inputs={"x": normal("n")},
    points={"result": 1, "square(None)": 1},
    raises={"square(None)": "ValueError"},
    notebook="small",
)
def square(x):
    """Squares."""
    return x**2


def signs(actual, expected):
    """As many signs as possible are right."""
    return (actual.sign() == expected.sign()).double().mean()


@exercise(
    call="guess(x)",
    inputs={"x": normal("n")},
    points={"result": 2},
    measure=signs,
    notebook="small",
)
def guess(x):
    """Signs."""
    return x


def test_exceptions_are_enough_where_nothing_else_is_asked_for():
    declared = replace(linear, points={"linear()": 1}, raises={"linear()": "NotImplementedError"})
    came = StudentError("NotImplementedError", "", bases=("NotImplementedError",))
    assert diagnose(evidence_of(declared, every_run(declared, ended="returned", errors={"linear()": came}))) == {}


def test_right_answer_passes_every_check():
    evidence = evidence_of(linear, right_runs(linear))
    assert diagnose(evidence) == {}
    assert score_exercise(evidence).status == "passed"


def test_one_wrong_case_fails_its_check_alone():
    runs = list(changed_runs(linear, {"w.g": noise}))
    runs[1:] = right_runs(linear)[1:]
    found = diagnose(evidence_of(linear, tuple(runs)))
    assert codes(found) == {"w.g": "wrong_value"}
    assert "All other cases are right" in found["w.g"].message


@pytest.mark.parametrize("line", ["    x = x\n", "    x.g = x.g\n", "    y = lambda: x\n"])
def test_no_answer_is_too_long_to_be_judged(line):
    source = "def linear(x):\n" + line * (500_000 // len(line))
    began = time.process_time()
    evidence = replace(
        evidence_of(linear, changed_runs(linear, {"w.g": noise})), stub=Stub("linear", 4, 1, source, "name")
    )
    assert codes(diagnose(evidence)) == {"w.g": "wrong_value"}
    assert time.process_time() - began < 5


def test_no_tensor_is_too_large_to_be_judged():
    vast = torch.ones((1_000_000, *cases(linear)[0].expected["w.g"].shape), dtype=torch.int8)
    began = time.process_time()
    found = diagnose(evidence_of(linear, changed_runs(linear, {"w.g": lambda *_: vast})))
    assert codes(found) == {"w.g": "wrong_shape"}
    assert time.process_time() - began < 5


def test_autograd_fails_everything():
    runs = tuple(replace(run, autograd="Tensor.backward") for run in right_runs(linear))
    assert codes(diagnose(evidence_of(linear, runs))) == dict.fromkeys(linear.checks, "uses_autograd")
    unseen = tuple(replace(run, autograd="unseen: a thread runs") for run in right_runs(linear))
    told = diagnose(evidence_of(linear, unseen))
    assert codes(told) == dict.fromkeys(linear.checks, "uses_autograd")
    assert told["w.g"].message.startswith("The check could not see whether the call used autograd: a thread runs.")
    allowed = replace(linear, autograd=True)
    assert diagnose(gather(allowed, cases(linear), runs)) == {}


def test_changed_input_fails_the_check_of_that_input():
    runs = tuple(replace(run, inputs={**run.inputs, "w": run.inputs["w"] + 1}) for run in right_runs(linear))
    assert codes(diagnose(evidence_of(linear, runs))) == {"w.g": "input_modified"}


def test_changed_input_without_check_fails_everything():
    runs = tuple(replace(run, inputs={**run.inputs, "out": run.inputs["out"] + 1}) for run in right_runs(linear))
    found = diagnose(evidence_of(linear, runs))
    assert codes(found) == dict.fromkeys(linear.checks, "input_modified")
    assert score_exercise(evidence_of(linear, runs)).score == 0


def test_changed_input_costs_no_exception_that_came():
    runs = tuple(replace(run, inputs={"x": run.inputs["x"] + 1}) for run in right_runs(square))
    assert codes(diagnose(evidence_of(square, runs))) == {"result": "input_modified"}


def test_upstream_may_be_used_up():
    runs = tuple(replace(run, inputs={**run.inputs, "out.g": run.inputs["out.g"] * 0}) for run in right_runs(linear))
    assert diagnose(evidence_of(linear, runs)) == {}


def test_exception_that_did_not_come_fails_its_check():
    runs = tuple(replace(run, errors={"square(None)": None}) for run in right_runs(square))
    assert codes(diagnose(evidence_of(square, runs))) == {"square(None)": "not_raised"}


def test_exception_of_another_kind_is_named():
    other = StudentError("TypeError", "no", ("TypeError", "Exception"))
    runs = tuple(replace(run, errors={"square(None)": other}) for run in right_runs(square))
    assert "TypeError came instead" in diagnose(evidence_of(square, runs))["square(None)"].message


def test_exception_counts_beside_a_wrong_result():
    assert set(diagnosed(square, {"result": noise})) == {"result"}


def test_exception_counts_where_the_call_raises_another():
    other = StudentError("TypeError", "no", ("TypeError", "Exception"))
    runs = [replace(run, ended="raised", error=other, captures={}) for run in right_runs(square)]
    assert set(diagnose(evidence_of(square, tuple(runs)))) == {"result"}


def test_exception_that_the_call_itself_ends_in_earns_nothing_alone():
    same = StudentError("ValueError", "no", ("ValueError", "Exception"))
    runs = [replace(run, ended="raised", error=same, captures={}) for run in right_runs(square)]
    assert set(diagnose(evidence_of(square, tuple(runs)))) == {"result", "square(None)"}

    own = replace(same, type="NoNumber", bases=("NoNumber", "ValueError", "Exception"))  # a subclass of the student's
    runs = [replace(run, error=own) for run in runs]
    assert set(diagnose(evidence_of(square, tuple(runs)))) == {"result", "square(None)"}


def test_untouched_stubs_own_exception_earns_nothing_beside_a_wrong_result():
    base = replace(square, raises={"square(None)": "NotImplementedError"})
    assert set(diagnosed(base, {"result": noise})) == {"result", "square(None)"}


def test_untouched_stub_gives_one_code_for_all_checks():
    runs = every_run(square, ended="raised", error=not_implemented(4, 3))
    evidence = evidence_of(square, runs, STUB)
    assert codes(diagnose(evidence)) == dict.fromkeys(square.checks, "not_implemented")
    assert score_exercise(evidence).status == "not_implemented"


def test_missing_exception_check_is_no_pass():
    """A check that no case asked for earns nothing: absence of evidence is not a pass."""
    evidence = replace(evidence_of(square, right_runs(square)), raising={})
    assert codes(diagnose(evidence)) == {"square(None)": "not_raised"}


def test_measured_check_passes_by_its_share():
    doubled = {"result": lambda one, right: right * 2}
    assert diagnosed(guess, doubled) == {}
    turned = changed_runs(guess, {"result": lambda one, right: torch.cat((-right[:1], right[1:]))})
    evidence = evidence_of(guess, turned)
    assert set(diagnose(evidence)) == {"result"}
    assert 0 < score_exercise(evidence).score < 2


def test_gradients_written_before_an_exception_count():
    error = StudentError("ValueError", "too late", ("ValueError", "Exception"), 4, 3, "raise ValueError('too late')")
    runs = tuple(
        replace(
            run,
            ended="raised",
            error=error,
            captures={**run.captures, "b.g": Capture(absence="untouched")},
        )
        for run in right_runs(linear)
    )
    assert codes(diagnose(evidence_of(linear, runs))) == {"b.g": "raised"}


def test_no_captures_at_all_fails_everything():
    runs = tuple(CaseRun(one.case.label, "returned") for one in cases(linear))
    assert codes(diagnose(evidence_of(linear, runs))) == dict.fromkeys(linear.checks, "not_written")
