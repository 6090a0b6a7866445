"""A score that is remembered is the score that would be worked out."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

import pytest
import torch

from grader.judge import verdicts
from grader.judge.evidence import gather
from grader.judge.score import score_exercise
from grader.judge.verdicts import Verdicts
from grader.model import Capture, Stub, StudentError
from tests.judge.builders import cases, changed_runs, linear, noise, right_runs

STUB = Stub("linear", 4, 2, "def linear(): pass", "metadata", ())
ELSEWHERE = Stub("linear", 9, 1, "def linear():\n    for i in x: pass", "name", ("defined twice",))


def anew(runs, stub):
    return score_exercise(gather(linear, cases(linear), runs, stub))


@pytest.fixture
def judged(monkeypatch):
    """The stubs that were judged, not remembered."""
    calls = []

    def gathered(*given):
        calls.append(given[3])
        return gather(*given)

    monkeypatch.setattr(verdicts, "gather", gathered)
    return calls


@pytest.mark.parametrize(
    ("wrong", "count"), [((), 1), (("w.g",), 2), (("inp.g", "w.g", "b.g"), 2)], ids=["right", "one wrong", "all wrong"]
)
def test_same_runs_score_the_same_wherever_the_stub_stands(wrong, count, judged):
    runs = changed_runs(linear, dict.fromkeys(wrong, noise))
    known = Verdicts()
    for stub in (STUB, ELSEWHERE, STUB, ELSEWHERE):
        assert known.score(linear, cases(linear), runs, stub) == anew(runs, stub)
    assert judged == [STUB, ELSEWHERE][:count]


def test_runs_of_a_score_that_is_remembered_are_kept_for_their_identities_would_be_given_to_others():
    runs = changed_runs(linear, {})
    known = Verdicts()
    held = sys.getrefcount(runs)
    known.score(linear, cases(linear), runs, STUB)
    assert sys.getrefcount(runs) == held + 1


def test_equal_wrong_values_are_told_what_each_stubs_own_lines_show():
    source = "def linear(inp, out, w, b):\n    {}\n    w.g = inp.T @ out"
    runs = changed_runs(linear, {"w.g": noise})
    known = Verdicts()
    for line, said in (("inp = inp - 1", "`inp`"), ("out = out * 2", "`out`")):
        (check,) = (
            check
            for check in known.score(linear, cases(linear), runs, replace(STUB, source=source.format(line))).checks
            if check.name == "w.g"
        )
        assert check.diagnosis is not None
        assert f"Line 3 gives the name {said} another value" in check.diagnosis.message


def test_equal_runs_that_are_others_are_judged(judged):
    known = Verdicts()
    for runs in (right_runs(linear), right_runs(linear)):
        known.score(linear, cases(linear), runs, STUB)
    assert judged == [STUB, STUB]


@pytest.mark.parametrize(
    "how",
    [
        {"ended": "raised", "error": StudentError("NotImplementedError", "", cell=4, line=3)},
        {"errors": {"one": None, "other": StudentError("TypeError", "", cell=4, line=3)}},
    ],
    ids=["of the call", "of an expression"],
)
def test_an_exception_is_judged_for_each_stub(how, judged):
    first, *rest = right_runs(linear)
    runs = (replace(first, **how), *rest)
    known = Verdicts()
    for stub in (STUB, ELSEWHERE, replace(STUB), ELSEWHERE):
        assert known.score(linear, cases(linear), runs, stub) == anew(runs, stub)
    assert judged == [STUB, ELSEWHERE]


def test_the_oldest_goes_first(monkeypatch, judged):
    monkeypatch.setattr(verdicts, "_MOST", 2)
    known = Verdicts()
    every = [right_runs(linear) for _ in range(3)]
    for runs in (*every, every[2], every[0]):
        known.score(linear, cases(linear), runs, STUB)
    assert len(judged) == 4


@pytest.mark.parametrize("place", ["captures", "inputs", "extras"])
def test_what_holds_much_is_not_kept(place, judged):
    first, *rest = right_runs(linear)
    large = torch.zeros(3000)
    held = {"none": Capture(absence="missing"), "large": Capture(large)} if place == "captures" else {"large": large}
    changed: dict[str, Any] = {place: held}
    runs = (replace(first, **changed), *rest)
    known = Verdicts()
    for _ in range(2):
        assert known.score(linear, cases(linear), runs, STUB) == anew(runs, STUB)
    assert judged == [STUB, STUB]
    assert len(known._known) == 0
