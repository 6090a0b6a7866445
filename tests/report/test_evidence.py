from __future__ import annotations

import pytest

from grader.model import CheckScore
from grader.report.evidence import evidence

from .builders import check

WORST = "worst element [4, 1]: expected 1, got −2"


@pytest.mark.parametrize(
    ("fields", "lines"),
    [
        pytest.param({"worst_expected": 1.0, "worst_actual": -2.0}, [WORST], id="value"),
        pytest.param({"worst": None, "actual_shape": (3, 7)}, ["expected shape (7, 3), got (3, 7)"], id="shape"),
        pytest.param({"worst": None, "actual_shape": ()}, ["expected shape (7, 3), got ()"], id="scalar"),
        pytest.param({"worst": None, "actual_shape": None}, [], id="no tensor"),
    ],
)
def test_evidence_tells_what_differs(fields: dict[str, object], lines: list[str]) -> None:
    assert evidence(check("w.g", 2.0, "wrong_value", **fields)) == lines


def test_evidence_passed_check_has_none() -> None:
    assert evidence(CheckScore("w.g", "passed", 2.0, 2.0)) == []
