"""A human's points stand in place of the grader's, for the notebook that they were given for."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.errors import UsageError
from grader.model import Override
from grader.overrides import Ruling, overridden, rulings_for
from tests.report.builders import CHECKS, exercise, submission, ungraded, untouched

ADA = submission("ada", exercise("lin_grad", {"w.g": "transposed"}), exercise("relu_grad"))


def ruling(score: float = 3.0, id_: str = "lin_grad", **fields: str) -> Ruling:
    return Ruling(**{"student": "ada", "exercise": id_, "sha256": ADA.sha256, "score": score, "reason": "r"} | fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(("score", "status"), [(0.0, "failed"), (3.0, "partial"), (4.0, "passed")])
def test_ruling_sets_points_status_and_sum_and_keeps_what_was_found(score: float, status: str) -> None:
    ruled = overridden(ADA, [ruling(score)])

    first, second = ruled.exercises
    assert (first.score, first.status, first.override) == (score, status, Override(2.0, "r"))
    assert first.checks == ADA.exercises[0].checks
    assert second == ADA.exercises[1]
    assert (ruled.score, ruled.possible, ruled.status) == (score + 2.0, 6.0, "graded")


@pytest.mark.parametrize(
    "other",
    [ruling(student="alan"), ruling(sha256="of another notebook"), ruling(id_="mse_grad"), ruling(score=4.5)],
    ids=["student", "notebook", "exercise", "more than there are points"],
)
def test_ruling_on_something_else_changes_nothing(other: Ruling) -> None:
    assert overridden(ADA, [other]) is ADA


def test_ruling_on_each_exercise_that_the_grader_failed_in_makes_it_graded() -> None:
    failed = submission("ada", untouched("lin_grad", "grader_error"), untouched("relu_grad", "grader_error"))
    failed = replace(failed, status="grader_error", score=None, reason="the grader failed in lin_grad, relu_grad")

    half = overridden(failed, [ruling(4.0)])
    whole = overridden(failed, [ruling(4.0), ruling(1.0, "relu_grad")])

    assert (half.status, half.score, half.reason) == ("grader_error", None, failed.reason)
    assert (whole.status, whole.score, whole.reason) == ("graded", 5.0, "")
    assert whole.exercises[0].override == Override(None, "r")


def test_ruling_does_not_hide_that_a_kernel_crashed() -> None:
    crashed = replace(ADA, status="crashed", reason="its kernel died")
    assert overridden(crashed, [ruling()]).reason == "its kernel died"


@given(st.dictionaries(st.sampled_from(sorted(CHECKS)), st.floats(0, 6)))
def test_sum_is_always_that_of_the_exercises(scores: dict[str, float]) -> None:
    whole = submission("ada")
    ruled = overridden(whole, [ruling(score, id_) for id_, score in scores.items()])
    assert ruled.score == sum(one.score for one in ruled.exercises) <= ruled.possible


def test_every_notebook_of_the_student_that_has_the_exercise_is_ruled_on() -> None:
    second = submission("ada", exercise("lin_grad"), sha256="second", notebook="again.ipynb")
    third = submission("ada", exercise("mse_grad"), sha256="third", notebook="other.ipynb")

    made = rulings_for([ADA, second, third, submission("alan")], "ada", "lin_grad", 0.0, "copied")

    assert made == (ruling(0.0, reason="copied"), ruling(0.0, sha256="second", reason="copied"))


@pytest.mark.parametrize(
    ("student", "exercise_", "score", "said"),
    [
        ("Ada", "lin_grad", 1.0, "no student in the gradebook is called 'Ada'.*gradebook.csv"),
        ("ada", "lingrad", 1.0, "ada has no exercise 'lingrad'.*lin_grad, relu_grad"),
        ("ada", "lin_grad", 4.5, "worth 4 points, not 4.5.*0 to 4"),
        ("ada", "lin_grad", -1.0, "worth 4 points, not -1"),
        ("linus", "lin_grad", 1.0, "linus has no exercise.*that can be read"),
    ],
)
def test_ruling_that_cannot_be_meant_is_refused(student: str, exercise_: str, score: float, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        rulings_for([ADA, ungraded("linus", "unreadable", "not JSON")], student, exercise_, score, "r")
    assert re.search(said, f"{caught.value} {caught.value.remedy}")
