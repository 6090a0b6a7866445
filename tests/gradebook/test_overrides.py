"""A human's points stand in place of the grader's, for the notebook that they were given for."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.errors import UsageError
from grader.gradebook.overrides import Ruling, answerable, overridden, rulings_for
from grader.model import Override, SubmissionStatus, Task, total
from tests.report.builders import CHECKS, exercise, submission, ungraded, untouched

ADA = submission("ada", exercise("lin_grad", {"w.g": "transposed"}), exercise("relu_grad"))


def ruling(score: float | None = 3.0, id_: str = "lin_grad", **fields: Any) -> Ruling:
    given: dict[str, Any] = {"student": "ada", "exercise": id_, "sha256": ADA.sha256, "score": score, "reason": "r"}
    return Ruling(**given | fields)


@pytest.mark.parametrize(("score", "status"), [(0.0, "failed"), (3.0, "partial"), (4.0, "passed")])
def test_ruling_sets_points_status_and_sum_and_keeps_what_was_found(score: float, status: str) -> None:
    ruled = overridden(ADA, [ruling(score)])

    first, second = ruled.exercises
    assert (first.score, first.status, first.override) == (score, status, Override(2.0, "r"))
    assert first.checks == ADA.exercises[0].checks
    assert second == ADA.exercises[1]
    assert (ruled.score, ruled.possible, ruled.status) == (score + 2.0, 6.0, "graded")


def test_comment_leaves_points_status_and_sum() -> None:
    comment = ruling(None, reason="neat")
    assert overridden(ADA, [comment]) == replace(
        ADA, exercises=(replace(ADA.exercises[0], comment="neat"), ADA.exercises[1])
    )


def test_comment_on_what_was_not_graded_is_refused() -> None:
    linus = answerable(ungraded("linus", "unreadable", "not JSON"), TASKS)
    with pytest.raises(UsageError, match="lin_grad of linus was not graded, so it needs points"):
        rulings_for([linus], "linus", "lin_grad", None, "where is it?")


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


@pytest.mark.parametrize(("score", "left"), [(4.0, ("relu_grad",)), (3.0, ("lin_grad", "relu_grad"))])
def test_nothing_follows_from_what_was_ruled_to_be_right(score: float, left: tuple[str, ...]) -> None:
    network = replace(exercise("forward_and_backward", {"w1.g": "transposed"}), follows_from=("lin_grad", "relu_grad"))
    whole = replace(ADA, exercises=(*ADA.exercises, network))
    assert overridden(whole, [ruling(score)]).exercises[-1].follows_from == left


def test_ruling_does_not_hide_that_a_kernel_crashed() -> None:
    crashed = replace(ADA, status="crashed", reason="its kernel died")
    assert overridden(crashed, [ruling()]).reason == "its kernel died"


@given(st.dictionaries(st.sampled_from(sorted(CHECKS)), st.floats(0, 6)))
def test_sum_is_always_that_of_the_exercises(scores: dict[str, float]) -> None:
    whole = submission("ada")
    ruled = overridden(whole, [ruling(score, id_) for id_, score in scores.items()])
    assert ruled.score == total(one.score for one in ruled.exercises) <= ruled.possible


def test_every_notebook_of_the_student_that_has_the_exercise_is_ruled_on() -> None:
    second = submission("ada", exercise("lin_grad"), sha256="second", notebook="again.ipynb", files="of hers")
    third = submission("ada", exercise("mse_grad"), sha256="third", notebook="other.ipynb")

    made = rulings_for([ADA, second, third, submission("alan")], "ada", "lin_grad", 0.0, "copied")

    assert made == (
        ruling(0.0, reason="copied", graded=2.0, possible=4.0),
        ruling(0.0, sha256="second", reason="copied", graded=4.0, possible=4.0, files="of hers"),
    )


def test_ruling_gives_up_to_what_every_notebook_has_for_it() -> None:
    fewer = submission("ada", exercise("lin_grad", possible=2.0), sha256="second")
    assert len(rulings_for([ADA, fewer], "ada", "lin_grad", 2.0, "r")) == 2
    with pytest.raises(UsageError, match="worth 2 points, not 3"):
        rulings_for([ADA, fewer], "ada", "lin_grad", 3.0, "r")


@pytest.mark.parametrize(
    ("student", "exercise_", "score", "said"),
    [
        ("Ada", "lin_grad", 1.0, "no student in the gradebook is called 'Ada' .perhaps 'ada'.*gradebook.csv"),
        ("Turing, Alan", "lin_grad", 1.0, "is called 'Turing, Alan' .perhaps 'alan turing'"),
        ("Bo Ek", "lin_grad", 1.0, "Bo Ek handed in with others, as 'Cy Oh & Bo Ek' rule on 'Cy Oh & Bo Ek', which is"),
        ("xyz", "lin_grad", 1.0, "is called 'xyz' write"),
        ("ada", "lingrad", 1.0, "ada has no exercise 'lingrad'.*lin_grad, relu_grad"),
        ("ada", "lin_grad", 4.5, "worth 4 points, not 4.5.*0 to 4 points; a bonus is"),
        ("ada", "lin_grad", -1.0, "worth 4 points, not -1"),
        ("linus", "lin_grad", 1.0, "linus has no exercise.*that can be read"),
    ],
)
def test_ruling_that_cannot_be_meant_is_refused(student: str, exercise_: str, score: float, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        rulings_for(
            [ADA, submission("alan turing"), submission("Cy Oh & Bo Ek"), ungraded("linus", "unreadable", "not JSON")],
            student,
            exercise_,
            score,
            "r",
        )
    assert re.search(said, f"{caught.value} {caught.value.remedy}")


TASKS = (
    Task("lin_grad", "Linear", "03_backprop", 4.0),
    Task("relu_grad", "ReLU", "03_backprop", 2.0),
    Task("Relu", "A layer", "04_layers", 2.0),
)


@pytest.mark.parametrize("status", ["unreadable", "no_exercises"])
@pytest.mark.parametrize("notebook", ["03_backprop.ipynb", "Copy of 03_Backprop (1).ipynb", "final.ipynb", ""])
def test_ruling_on_a_notebook_in_which_nothing_was_graded_makes_it_a_graded_one(
    status: SubmissionStatus, notebook: str
) -> None:
    linus = ungraded("linus", status, "not JSON", notebook=notebook, possible=0.0)

    made = rulings_for([answerable(linus, TASKS)], "linus", "lin_grad", 3.0, "sent as a PDF")
    ruled = overridden(linus, made, TASKS)

    assert (ruled.status, ruled.score, ruled.possible, ruled.reason) == ("graded", 3.0, 6.0, "not JSON")
    assert [(one.id, one.status, one.score) for one in ruled.exercises] == [
        ("lin_grad", "partial", 3.0), ("relu_grad", "missing", 0.0),
    ]  # fmt: skip
    assert ruled.exercises[0].override == Override(None, "sent as a PDF")
    assert ruled.by_hand


def test_ruling_asks_an_unread_notebook_for_what_the_course_asks_in_it() -> None:
    linus = ungraded("linus", "unreadable", "not JSON", notebook="04_layers.ipynb")
    with pytest.raises(UsageError, match="linus has no exercise 'lin_grad'") as caught:
        rulings_for([answerable(linus, TASKS)], "linus", "lin_grad", 3.0, "r")
    assert caught.value.remedy == "choose one of: Relu"


def test_ruling_is_on_a_notebook_that_was_graded_and_leaves_one_that_was_not() -> None:
    stray = ungraded("ada", "unreadable", "not JSON", notebook="scratch.ipynb", sha256="stray")
    made = rulings_for([ADA, answerable(stray, TASKS)], "ada", "lin_grad", 3.0, "r")
    assert [one.sha256 for one in made] == [ADA.sha256]
    assert overridden(stray, made, TASKS) is stray


def test_ruling_of_more_than_there_is_now_leaves_an_unread_notebook_ungraded() -> None:
    linus = ungraded("linus", "unreadable", "not JSON", notebook="03_backprop.ipynb")
    many = ruling(5.0, student="linus", sha256=linus.sha256)
    assert overridden(linus, [many], TASKS) == linus
