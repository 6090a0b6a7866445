from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from grader.judge.remarks import coarse_results, raised_late
from grader.judge.score import score_exercise
from grader.model import Capture, CaseRun, StudentError
from tests.judge.builders import evidence_of, linear, right_runs


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
