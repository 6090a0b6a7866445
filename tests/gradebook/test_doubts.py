"""A ruling that may not be right any more is named, with why, and with what is in its place."""

from __future__ import annotations

from dataclasses import replace

import pytest

from grader.gradebook.doubts import doubts_in, remarks_on
from grader.gradebook.overrides import Ruling, overridden, rulings_for
from grader.model import SubmissionReport
from tests.report.builders import exercise, run, submission, ungraded, untouched

#: Graded with 2 of 4 points for ``lin_grad``.
ADA = submission("ada", exercise("lin_grad", {"w.g": "transposed"}), exercise("relu_grad"), sha256="of ada", files="f")
RIGHT = replace(ADA, exercises=(exercise("lin_grad"), exercise("relu_grad")))
DEARER = replace(ADA, exercises=(exercise("lin_grad", {"w.g": "transposed"}, possible=8.0),))
FAILED = replace(ADA, exercises=(untouched("lin_grad", "grader_error"),))
LATE = submission("ada", exercise("lin_grad"), sha256="late", path="late/ada/03_backprop.ipynb")


def told(*now: SubmissionReport, score: float = 1.0, rulings: tuple[Ruling, ...] = ()) -> list[tuple[str, str]]:
    """The doubts on ``score`` points that were ruled on ``ADA``, and the ``rulings``, when ``now`` is what there is."""
    made = (*rulings_for([ADA], "ada", "lin_grad", score, "r"), *rulings)
    found = doubts_in(made, run(*(overridden(one, made) for one in now)))
    return [(one.kind, str(one)) for one in found]


@pytest.mark.parametrize(
    "now",
    [
        (ADA,),
        (replace(ADA, path="elsewhere", files=""),),
        (replace(ADA, exercises=(exercise("lin_grad", {"w.g": "transposed"}, score=2.004),)),),
        (ADA, replace(RIGHT, path="copy/03.ipynb")),
        (ADA, replace(LATE, exercises=(exercise("mse_grad"),))),
        (ADA, replace(LATE, exercises=(exercise("lin_grad", score=1.0),))),
        (ADA, submission("bob", exercise("lin_grad"), sha256="of ada")),
    ],
    ids=["as it was", "moved", "no point that is shown", "one of two copies", "other exercise", "no more", "copy"],
)
def test_ruling_is_not_doubted_where_nothing_about_its_answer_changed(now: tuple[SubmissionReport, ...]) -> None:
    assert told(*now) == []


@pytest.mark.parametrize(
    ("now", "changes"),
    [
        (RIGHT, "the grader gave 2 / 4, and gives 4 / 4 now"),
        (DEARER, "the grader gave 2 / 4, and gives 2 / 8 now"),
        (FAILED, "the grader gave 2 / 4, and gives – / 4 now"),
        (replace(ADA, files="g"), "the files beside the notebook are others"),
        (
            replace(RIGHT, files="g"),
            "the grader gave 2 / 4, and gives 4 / 4 now; the files beside the notebook are others",
        ),
    ],
    ids=["points", "maximum", "no points", "files", "both"],
)
def test_ruling_on_an_answer_that_is_graded_otherwise_now_is_doubted(now: SubmissionReport, changes: str) -> None:
    assert told(now) == [("changed", f"1 for lin_grad of ada ({changes})")]


def test_ruling_made_again_is_not_doubted() -> None:
    made = rulings_for([replace(RIGHT, files="g")], "ada", "lin_grad", 1.0, "r")
    assert doubts_in(made, run(overridden(replace(RIGHT, files="g"), made))) == ()


def test_ruling_that_another_notebook_of_the_student_outdoes_is_doubted_until_that_is_ruled_on() -> None:
    assert told(ADA, LATE) == [("outdone", "1 for lin_grad of ada (late/ada/03_backprop.ipynb has 4)")]
    assert told(ADA, LATE, rulings=rulings_for([LATE], "ada", "lin_grad", 0.0, "r")) == []
    assert told(RIGHT, LATE, score=4.0) == [
        ("changed", "4 for lin_grad of ada (the grader gave 2 / 4, and gives 4 / 4 now)")
    ]


@pytest.mark.parametrize(
    ("now", "kind"),
    [
        (replace(ADA, sha256="another"), "replaced"),
        (replace(ADA, exercises=(exercise("lin_grad", possible=0.5),)), "less"),
        (replace(ADA, exercises=(exercise("relu_grad"),)), "less"),
        (replace(ADA, exercises=(), status="not_assigned"), "waiting"),
    ],
    ids=["another notebook", "fewer points", "exercise gone", "not assigned"],
)
def test_ruling_that_does_not_count_is_doubted(now: SubmissionReport, kind: str) -> None:
    assert told(now) == [(kind, "1 for lin_grad of ada")]


def test_ruling_on_a_notebook_that_was_replaced_is_settled_by_one_on_the_new() -> None:
    new = replace(ADA, sha256="another")
    assert told(new, rulings=rulings_for([new], "ada", "lin_grad", 3.0, "r")) == []


@pytest.mark.parametrize(
    ("now", "whose"),
    [
        ("Ada_501", " (the same notebook is there, of Ada_501)"),
        ("Ada_501 bob", " (the same notebook is there, of Ada_501; bob)"),
        ("", ""),
    ],
)
def test_ruling_on_who_is_called_otherwise_now_names_who_has_the_notebook(now: str, whose: str) -> None:
    others = [replace(ADA, student=name) for name in now.split()]
    assert told(submission("cy"), *others) == [("nobody", f"1 for lin_grad of ada{whose}")]


def test_ruling_on_who_is_called_otherwise_now_is_settled_by_one_under_that_name() -> None:
    renamed = replace(ADA, student="Ada_501")
    again = rulings_for([renamed], "Ada_501", "lin_grad", 3.0, "r")
    elsewhere = rulings_for([renamed], "Ada_501", "relu_grad", 1.0, "r")
    assert told(renamed, rulings=again) == []
    assert [kind for kind, _ in told(renamed, rulings=elsewhere)] == ["nobody"]


def test_ruling_on_who_handed_in_nothing_has_no_notebook_that_another_could_have() -> None:
    missing = Ruling("zoe", "lin_grad", "", 3.0, "oral exam")
    unread = ungraded("linus", "unreadable", "not JSON", sha256="")
    assert [str(one) for one in doubts_in([missing], run(unread))] == ["3 for lin_grad of zoe"]


def test_comment_is_doubted_only_where_it_is_lost() -> None:
    comments = rulings_for([ADA], "ada", "lin_grad", None, "neat")
    held = overridden(replace(RIGHT, files="g"), comments)
    assert doubts_in(comments, run(held, LATE)) == ()
    assert [str(one) for one in doubts_in(comments, run(LATE))] == ["a comment for lin_grad of ada"]


def test_remarks_name_some_of_each_kind_and_what_to_do_and_leave_out_what_waits() -> None:
    rulings = [Ruling(f"s{number}", "lin_grad", "gone", 1.0, "r") for number in range(8)]
    waiting = submission("ada", sha256="of ada", status="not_assigned")
    doubts = doubts_in([*rulings, Ruling("ada", "lin_grad", "of ada", 1.0, "r")], run(replace(waiting, exercises=())))
    (remark,) = remarks_on(doubts)
    assert len(doubts) == 9
    assert remark.startswith("ruled, and nobody in this run handed in under that name: 1 for lin_grad of s0; ")
    assert "of s5 and 2 more; `grader override` rules under the name of now" in remark
