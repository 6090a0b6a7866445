"""Right answers in any wording earn everything; wrong ones lose exactly what is wrong, for the right reason."""

from __future__ import annotations

import pytest

from grader.model import RunReport, SubmissionReport
from tests.answers import PATCHES, RIGHT, WRONG, Answer


def of(run: RunReport, student: str) -> SubmissionReport:
    (found,) = (one for one in run.submissions if one.student == student)
    return found


def lost_checks(report: SubmissionReport) -> dict[str, str]:
    return {
        f"{exercise.id}/{check.name}": check.diagnosis.code if check.diagnosis else check.status
        for exercise in report.exercises
        for check in exercise.checks
        if check.status != "passed"
    }


@pytest.mark.parametrize("answer", RIGHT, ids=lambda answer: answer.id)
def test_answers_right_in_any_wording_earn_everything(graded_answers: RunReport, answer: Answer) -> None:
    report = of(graded_answers, f"right-{answer.id}")

    assert lost_checks(report) == {}
    assert report.status == "graded"
    assert report.score == report.possible


@pytest.mark.parametrize("answer", WRONG, ids=lambda answer: answer.id)
def test_answers_wrong_lose_exactly_what_is_wrong(graded_answers: RunReport, answer: Answer) -> None:
    report = of(graded_answers, f"wrong-{answer.id}")

    assert lost_checks(report) == answer.lost


@pytest.mark.parametrize("name", PATCHES)
def test_answers_beside_patched_libraries_gain_nothing(graded_answers: RunReport, name: str) -> None:
    report = of(graded_answers, f"patch-{name}")

    (lin_grad,) = (exercise for exercise in report.exercises if exercise.id == "lin_grad")
    assert lin_grad.score == 0
