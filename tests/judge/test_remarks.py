from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from grader.judge.remarks import coarse_results, loops_flag, raised_late
from grader.judge.score import score_exercise
from grader.model import Capture, CaseRun, Stub, StudentError
from tests.judge.builders import course, evidence_of, linear, right_runs


def test_results_in_half_precision_are_remarked():
    right = torch.ones(2, 3)
    captures = {"w.g": Capture(right.half()), "b.g": Capture(right.float()), "x.g": Capture(absence="none")}
    runs = (CaseRun("one", "returned", captures), CaseRun("two", "returned", {"out": Capture(right.bfloat16())}))
    assert coarse_results(runs) == (
        "`w.g` came as float16, and was compared no finer than that",
        "`out` came as bfloat16, and was compared no finer than that",
    )


@pytest.mark.parametrize(
    ("ended", "line", "remarks"),
    [
        ("raised", "print(foo)", ("it earns all its points, and then raises NameError at `print(foo)`, line 3",)),
        ("raised", "", ("it earns all its points, and then raises NameError",)),
        ("returned", "", ()),
    ],
    ids=["with_its_line", "without", "none"],
)
def test_exception_behind_a_right_answer_is_remarked(ended, line, remarks):
    error = StudentError("NameError", "", ("NameError",), line=3, code=line) if ended == "raised" else None
    runs = [replace(run, ended=ended, error=error) for run in right_runs(linear)]
    score = score_exercise(evidence_of(linear, tuple(runs)))
    assert raised_late(score, runs) == remarks
    assert raised_late(replace(score, status="partial"), runs) == ()


def test_loops_are_flagged_where_asked():
    outer = course().exercises["outer_difference"]
    looping = Stub("outer_difference", 1, 1, "def f(a, b):\n    return [x - b for x in a]", "name")
    waiting = replace(looping, source="def f(a, b):\n    while True:\n        return a - b")
    plain = replace(looping, source="def f(a, b):\n    return a[:, None] - b")
    assert len(loops_flag(outer, looping)) == len(loops_flag(outer, waiting)) == 1
    assert loops_flag(outer, plain) == ()
    assert loops_flag(linear, looping) == ()
    assert loops_flag(outer, replace(looping, source="def f(:")) == ()
