from __future__ import annotations

from dataclasses import replace

import pytest

from grader.model import CellFailure, Override, SubmissionReport
from grader.report import student_page
from grader.report.tally import tally

from .builders import exercise, run, small_class, submission, ungraded, untouched


def test_tally_two_notebooks_of_a_student_are_one_row() -> None:
    first = submission("ada", exercise("lin_grad"))
    second = replace(submission("ada", exercise("relu_grad")), notebook="04_layers.ipynb")
    (row,) = tally(run(second, first)).rows
    assert (row.score, row.possible) == (6.0, 6.0)
    assert list(row.exercises) == ["lin_grad", "relu_grad"]


def test_tally_exercise_in_two_notebooks_counts_once_and_the_better() -> None:
    worse = submission("ada", exercise("lin_grad", {"w.g": "transposed"}), notebook="a.ipynb")
    better = submission("ada", exercise("lin_grad"), notebook="b.ipynb")
    counted = tally(run(worse, better))
    (row,) = counted.rows
    assert (row.score, row.possible) == (4.0, 4.0)
    assert row.flags == ("a.ipynb, b.ipynb answer the same exercises: for each the better answer counts",)
    assert [(concern.kind, concern.detail) for concern in counted.concerns] == [("flagged", row.flags[0])]


@pytest.mark.parametrize(
    "other",
    [
        submission("ada", exercise("lin_grad"), notebook="03_backprop (1).ipynb"),
        submission("ada", untouched("lin_grad"), exercise("relu_grad"), notebook="b.ipynb"),
    ],
    ids=["of_one_kind", "untouched"],
)
def test_tally_notebooks_that_are_no_other_attempt_are_not_flagged(other: SubmissionReport) -> None:
    (row,) = tally(run(submission("ada", exercise("lin_grad")), other)).rows
    assert row.flags == ()


def test_tally_totals_of_unlike_notebooks_are_told_and_those_of_assigned_ones_are_not() -> None:
    ada = submission("ada", exercise("lin_grad"), exercise("relu_grad"))
    alan = submission("alan", exercise("lin_grad"))
    unread = ungraded("grace", "unreadable", "empty")
    assert tally(run(ada, alan, unread)).totals_of == (4.0, 6.0)
    assert tally(run(alan, unread)).totals_of is None
    assert tally(replace(run(ada, alan), assigned={"lin_grad": 4.0, "relu_grad": 2.0})).totals_of is None


def test_tally_a_file_of_several_students_is_one_concern_of_the_class_and_on_no_page() -> None:
    made = run(*(submission(name, exercise("lin_grad"), sha256="5a") for name in ("ada", "alan", "grace")),
               submission("ada", exercise("lin_grad"), notebook="copy.ipynb", sha256="5a"))  # fmt: skip
    counted = tally(made)
    found = [(one.kind, one.student, one.detail) for one in counted.concerns if "same file" in one.detail]
    assert found == [("flagged", "ada", "the same file, to the byte, as that of alan; grace")]
    assert not any("alan" in student_page(made, row) for row in counted.rows if row.student != "alan")


def test_tally_names_that_are_almost_alike_are_one_concern_of_the_class() -> None:
    names = ("Zoë B", "zoe b", "Zoe_B", "B, Zoe", "Zoe C", "--", "++", "李", "李小", "1-1", "11")
    counted = tally(run(*(submission(name, exercise("lin_grad")) for name in names)))
    (found,) = counted.concerns
    assert (found.kind, found.student) == ("flagged", "B, Zoe")
    assert found.detail.startswith("called almost like Zoë B; zoe b; Zoe_B: ")
    assert all(row.flags == () for row in counted.rows)


def test_tally_a_notebook_without_any_of_its_exercises_is_a_concern_until_a_human_decides() -> None:
    gone = [replace(untouched(id_), status="missing") for id_ in ("lin_grad", "relu_grad")]
    (found,) = tally(run(submission("ada", *gone), submission("alan", gone[0], untouched("relu_grad")))).concerns
    assert (found.kind, found.student, found.notebook) == ("flagged", "ada", "03_backprop.ipynb")
    seen = replace(gone[0], override=Override(graded=0.0, reason="on paper"))
    assert tally(run(submission("ada", seen, gone[1]))).concerns == ()


def test_tally_a_module_that_is_missing_is_one_concern_where_points_were_lost() -> None:
    failed = (
        CellFailure(1, "ModuleNotFoundError: No module named 'matplotlib.pyplot'"),
        CellFailure(2, "NameError: x"),
    )
    poor = [submission(name, untouched("lin_grad"), failed_cells=failed) for name in ("ada", "alan")]
    full = submission("grace", exercise("lin_grad"), failed_cells=failed)
    (found,) = tally(run(*poor, full)).concerns
    assert (found.kind, found.student) == ("flagged", "ada")
    assert "no module `matplotlib`" in found.detail
    assert found.detail.endswith(": ada; alan")


def test_tally_files_in_which_nothing_is_done_are_no_concern() -> None:
    same = [submission(name, untouched("lin_grad"), sha256="5a") for name in ("ada", "alan")]
    unread = [ungraded(name, "unreadable", "empty", sha256="") for name in ("grace", "linus")]
    assert [one.kind for one in tally(run(*same, *unread)).concerns] == ["unreadable", "unreadable"]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(ungraded("ada", "unreadable", "no JSON", notebook="b.ipynb"), id="unreadable"),
        pytest.param(ungraded("ada", "grader_error", "fault"), id="grader error in another attempt"),
        pytest.param(ungraded("ada", "grader_error", "fault", notebook="b.ipynb"), id="grader error"),
        pytest.param(
            submission("ada", untouched("relu_grad", "grader_error"), notebook="b.ipynb"), id="in an exercise"
        ),
    ],
)
def test_tally_something_ungraded_leaves_no_total(other) -> None:  # type: ignore[no-untyped-def]
    (row,) = tally(run(submission("ada", exercise("lin_grad")), other)).rows
    assert row.score is None
    assert row.status != "graded"
    assert row.possible > 4


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(
            ungraded("ada", "unreadable", "not JSON", notebook="03_backprop (1).ipynb"), id="an attempt that is cut off"
        ),
        pytest.param(ungraded("ada", "no_exercises", "none", notebook="scratch.ipynb"), id="a notebook of their own"),
    ],
)
def test_tally_a_spare_notebook_is_a_remark_and_takes_nothing_away(other) -> None:  # type: ignore[no-untyped-def]
    counted = tally(run(submission("ada", exercise("lin_grad")), other))

    (row,) = counted.rows
    assert (row.score, row.possible, row.status) == (4.0, 4.0, "graded")
    assert row.spare == (other,)
    assert other.notebook in row.flags[0]
    assert [(concern.kind, concern.notebook) for concern in counted.concerns] == [("flagged", other.notebook)]


def test_tally_without_a_notebook_that_counts_nothing_is_spare() -> None:
    both = [ungraded("ada", status, "…", notebook=f"{status}.ipynb") for status in ("no_exercises", "unreadable")]

    (row,) = tally(run(*both)).rows

    assert (row.score, row.status, row.spare) == (None, "unreadable", ())


def test_tally_of_what_was_assigned_counts_that_and_nothing_else() -> None:
    both = submission("ada", exercise("lin_grad"), exercise("relu_grad"))
    assigned = {"lin_grad": 4.0, "mse_grad": 2.0}
    counted = tally(run(both, ungraded("linus", "unreadable", "not JSON"), assigned=assigned))

    ada, linus = counted.rows
    assert (ada.score, ada.possible, ada.absent) == (4.0, 6.0, {"mse_grad": 2.0})
    assert (linus.score, linus.possible, linus.absent) == (None, 6.0, assigned)
    assert counted.possible == 6.0
    assert [column.id for column in counted.columns] == ["lin_grad"]


def test_tally_columns_count_who_tried_and_who_solved() -> None:
    by_id = {column.id: column for column in tally(small_class()).columns}
    assert list(by_id) == ["lin_grad", "relu_grad", "mse_grad", "forward_and_backward"]
    lin, mse = by_id["lin_grad"], by_id["mse_grad"]
    assert (lin.graded, lin.attempted, lin.passed) == (12, 11, 8)
    assert (mse.graded, mse.attempted, mse.passed) == (11, 9, 6)


def test_tally_mistakes_name_who_made_them_most_frequent_first() -> None:
    mistakes = tally(small_class()).mistakes
    sizes = [len(mistake.students) for mistake in mistakes if mistake.code != "not_implemented"]
    assert sizes == sorted(sizes, reverse=True)
    (transposed,) = [m for m in mistakes if (m.exercise, m.code) == ("lin_grad", "transposed")]
    assert transposed.students == ("alan", "barbara")
    assert transposed.checks == ("w.g",)


def test_tally_stubs_that_nobody_touched_come_after_the_mistakes() -> None:
    idle = [submission(name, untouched("lin_grad")) for name in ("alan", "grace", "zoe")]
    mistakes = tally(run(submission("ada", exercise("relu_grad", {"inp.g": "mask_at_zero"})), *idle)).mistakes
    assert [mistake.code for mistake in mistakes] == ["mask_at_zero", "not_implemented"]


def test_tally_concerns_most_urgent_first() -> None:
    found = [(concern.kind, concern.student) for concern in tally(small_class()).concerns]
    assert found == [
        ("grader_error", "radia"),
        ("grader_error", "tim"),
        ("unreadable", "linus"),
        ("crashed", "dennis"),
        ("flagged", "tim"),
        ("flagged", "Zoë Ångström"),
    ]


def test_tally_flag_of_both_of_two_attempts_needs_an_eye_once() -> None:
    attempts = [
        submission("ada", exercise("lin_grad"), path=path, flags=("2 of one kind",)) for path in ("a", "late/a")
    ]
    assert [concern.detail for concern in tally(run(*attempts)).concerns] == ["2 of one kind"]


def test_tally_flag_that_a_human_ruled_on_needs_no_eye_any_more() -> None:
    ruled = exercise("lin_grad", flags=("autograd suspected",), override=Override(0.0, "spoke with her"))
    counted = tally(run(submission("ada", ruled)))
    assert counted.concerns == ()
    assert counted.rows[0].flags == (
        "lin_grad: autograd suspected",
        "lin_grad: set by hand to 4 of 4 points (the grader gave 0): spoke with her",
    )


def test_tally_order_of_submissions_does_not_matter() -> None:
    made = small_class()
    assert tally(run(*reversed(made.submissions))) == tally(made)


def test_tally_empty_run_has_no_mean() -> None:
    counted = tally(run())
    assert (counted.rows, counted.mean, counted.shares) == ((), None, ())
