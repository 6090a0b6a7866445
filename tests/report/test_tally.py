from __future__ import annotations

from dataclasses import replace

import pytest

from grader.report.concerns import remarks_on
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
    assert remarks_on(row) == ("a.ipynb, b.ipynb answer the same exercises: for each the better answer counts",)
    assert [(concern.kind, concern.detail) for concern in counted.concerns] == [("flagged", remarks_on(row)[0])]


def test_tally_totals_of_unlike_notebooks_are_told_and_those_of_assigned_ones_are_not() -> None:
    ada = submission("ada", exercise("lin_grad"), exercise("relu_grad"))
    alan = submission("alan", exercise("lin_grad"))
    unread = ungraded("grace", "unreadable", "empty")
    assert tally(run(ada, alan, unread)).totals_of == (4.0, 6.0)
    assert tally(run(alan, unread)).totals_of is None
    assert tally(replace(run(ada, alan), assigned={"lin_grad": 4.0, "relu_grad": 2.0})).totals_of is None


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
def test_tally_something_ungraded_leaves_no_total(other) -> None:
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
def test_tally_a_spare_notebook_is_a_remark_and_takes_nothing_away(other) -> None:
    counted = tally(run(submission("ada", exercise("lin_grad")), other))

    (row,) = counted.rows
    assert (row.score, row.possible, row.status) == (4.0, 4.0, "graded")
    assert row.spare == (other,)
    assert other.notebook in remarks_on(row)[0]
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


def test_tally_order_of_submissions_does_not_matter() -> None:
    made = small_class()
    assert tally(run(*reversed(made.submissions))) == tally(made)


def test_tally_empty_run_has_no_mean() -> None:
    counted = tally(run())
    assert (counted.rows, counted.mean, counted.shares) == ((), None, ())
