"""The rules that foundation50/classroom50 checks before it takes a result, reimplemented."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from grader.model import CheckScore, RunReport
from grader.report.autograding.classroom50 import classroom50_result
from tests.report.builders import CHECKS, exercise, large_class, run, submission, ungraded, untouched

ENVIRONMENT = {
    "CLASSROOM": "cs-principles",
    "ASSIGNMENT": "backprop",
    "SUBMISSION_TAG": "submit/2026-09-01T10-00-00Z-a1b2c3d",
    "COMMIT_URL": "https://github.com/x/y/commit/1",
    "RELEASE_URL": "https://github.com/x/y/releases/tag/1",
    "REVIEW_URL": "https://github.com/x/y/compare/0...1",
}


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def accepted(result: dict[str, Any]) -> None:
    assert result["schema"] == "classroom50/result/v1"
    for field in ("classroom", "assignment", "submission", "commit", "release", "review", "datetime"):
        assert isinstance(result[field], str)
        assert result[field]
    assert result["submission"].startswith("submit/")
    assert _whole(result["score"])
    assert _whole(result["max-score"])
    assert result["score"] <= result["max-score"]
    for test in result["tests"]:
        assert test["test-name"]
        assert isinstance(test["passed"], bool)
        assert _whole(test["score"])
        assert _whole(test["max-score"])
        assert test["score"] <= test["max-score"]
    assert result["score"] == sum(test["score"] for test in result["tests"])
    assert result["max-score"] == sum(test["max-score"] for test in result["tests"])


def _scored(score: float, possible: float) -> RunReport:
    one = CheckScore("accuracy", "partial", score, possible)
    return run(
        submission("ada", exercise("lin_grad", checks=(one,), score=score, possible=possible), exercise("mse_grad"))
    )


@pytest.mark.parametrize("environment", [None, ENVIRONMENT], ids=["bare", "runner"])
@pytest.mark.parametrize(
    "made",
    [run(), run(submission()), run(submission("ada", *(untouched(id_) for id_ in CHECKS))), _scored(8.6666, 10),
     run(ungraded("ada", "unreadable", "no JSON")), large_class(1, 40)],
    ids=["no notebook", "full", "zero", "fraction", "unreadable", "forty"],
)  # fmt: skip
def test_classroom50_result_any_run_is_accepted(made: RunReport, environment: dict[str, str] | None) -> None:
    accepted(classroom50_result(made, environment))


@pytest.mark.parametrize(
    ("score", "possible", "scaled"),
    [
        (4.0, 4.0, (6, 6)),
        (2.5, 4.0, (9, 12)),
        (8.7, 10.0, (107, 120)),
        (0.25, 1.0, (9, 12)),
        (8.67, 10.0, (1067, 1200)),
    ],
)
def test_classroom50_result_partial_credit_stays_exact(score: float, possible: float, scaled: tuple[int, int]) -> None:
    result = classroom50_result(_scored(score, possible), ENVIRONMENT)
    assert (result["score"], result["max-score"]) == scaled
    assert result["score"] / result["max-score"] == pytest.approx((score + 2) / (possible + 2))


def test_classroom50_result_identity_is_the_runners() -> None:
    result = classroom50_result(run(submission()), ENVIRONMENT)
    assert result["classroom"] == "cs-principles"
    assert result["review"] == ENVIRONMENT["REVIEW_URL"]
    assert datetime.fromisoformat(result["datetime"]).tzinfo == UTC


def test_classroom50_result_expected_exercises_count_when_not_found() -> None:
    result = classroom50_result(
        run(submission("ada", exercise("lin_grad")), assigned={"lin_grad": 4.0, "other": 3.0}), ENVIRONMENT
    )
    assert (result["score"], result["max-score"]) == (4, 7)


def test_classroom50_result_without_a_url_of_the_commit_names_it_by_its_hash() -> None:
    runner = {"GITHUB_REPOSITORY": "x/y", "GITHUB_SHA": "1a2b"}
    assert classroom50_result(run(submission()), runner)["commit"] == "https://github.com/x/y/commit/1a2b"
    runner = {"GITHUB_REPOSITORY": "x/y"}
    assert classroom50_result(run(submission()), runner)["commit"] == "https://github.com/x/y/commit/HEAD"
