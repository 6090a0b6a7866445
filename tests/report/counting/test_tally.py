from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.model import Override
from grader.report.counting.concerns import remarks_on
from grader.report.counting.tally import tally
from grader.report.words import wording
from tests.report.builders import exercise, run, small_class, submission, ungraded, untouched


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
    assert [row.earned_in(entry) for entry in row.entries] == [(4.0, 4.0)] * 2
    assert remarks_on(row) == ("a.ipynb, b.ipynb answer the same exercises: for each the better answer counts",)
    assert [(concern.kind, concern.detail) for concern in counted.concerns] == [("flagged", remarks_on(row)[0])]


@given(st.lists(st.tuples(st.sampled_from([0.0, 1.0, 2.5, 4.0]), st.sampled_from([0.0, 2.0])), min_size=1, max_size=4))
def test_tally_of_attempts_in_any_order_the_best_of_each_exercise_counts(earned: list[tuple[float, float]]) -> None:
    attempts = [
        submission("ada", exercise("lin_grad", score=lin), exercise("relu_grad", score=relu), notebook=f"{n}.ipynb")
        for n, (lin, relu) in enumerate(earned)
    ]
    (row,) = tally(run(*attempts)).rows
    best = [max(scores) for scores in zip(*earned, strict=True)]
    assert [one.score for one in row.exercises.values()] == best
    assert (row.score, row.possible) == (sum(best), 6.0)
    first = {attempt.exercises[0].score: attempt for attempt in reversed(attempts)}[best[0]]
    assert row.exercises["lin_grad"] is first.exercises[0]


def test_tally_totals_of_unlike_notebooks_are_told_and_those_of_assigned_ones_are_not() -> None:
    ada = submission("ada", exercise("lin_grad"), exercise("relu_grad"))
    alan = submission("alan", exercise("lin_grad"))
    unread = ungraded("grace", "unreadable", "empty")
    assert tally(run(ada, alan, unread)).totals_of == (4.0, 6.0)
    assert tally(run(alan, unread)).totals_of is None
    assert tally(replace(run(ada, alan), assigned={"lin_grad": 4.0, "relu_grad": 2.0})).totals_of is None


def test_tally_of_what_was_assigned_counts_who_did_not_hand_it_in_as_zero_in_its_column_too() -> None:
    done = submission("ada", exercise("lin_grad"), exercise("relu_grad"))
    other = submission("alan", exercise("relu_grad"), notebook="b.ipynb")
    class_ = run(done, other, ungraded("grace", "unreadable", "empty", notebook="c.ipynb"))

    for assigned, figures in (({}, (1, 1, 1.0)), ({"lin_grad": 4.0, "relu_grad": 2.0}, (2, 1, 0.5))):
        lin, relu = tally(replace(class_, assigned=assigned)).columns
        assert (lin.graded, lin.attempted, lin.mean) == figures
        assert (relu.graded, relu.attempted, relu.mean) == (2, 2, 1.0)


@pytest.mark.parametrize(
    ("score", "checked", "attempted"),
    [(0.0, False, 0), (1.0, False, 1), (0.0, True, 1)],
    ids=["a zero for nothing", "points for what was not graded", "a zero where the grader failed"],
)
def test_tally_counts_a_zero_by_hand_as_tried_only_where_there_was_an_answer(
    score: float, checked: bool, attempted: int
) -> None:
    ruled = exercise("lin_grad", score=score, status="partial" if score else "failed", override=Override(None, "r"))
    (column,) = tally(run(submission("ada", ruled if checked else replace(ruled, checks=())))).columns
    assert (column.graded, column.attempted) == (1, attempted)


def test_tally_notebooks_that_nobody_began_are_told_where_others_were_begun_and_none_assigned() -> None:
    stubs = {
        student: submission(student, untouched("mse_grad"), untouched("relu_grad"), notebook="b.ipynb")
        for student in ("ada", "alan")
    }
    done = submission("ada", exercise("lin_grad"), notebook="a.ipynb")
    assert tally(run(done, *stubs.values())).unbegun == {"b": 4.0}
    assert tally(run(*stubs.values())).unbegun == {}
    assert tally(run(done, *stubs.values(), assigned={"lin_grad": 4.0, "mse_grad": 2.0})).unbegun == {}
    begun = submission("alan", untouched("mse_grad"), exercise("relu_grad"), notebook="b.ipynb")
    assert tally(run(done, stubs["ada"], begun)).unbegun == {}


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


def test_tally_what_was_not_assigned_is_counted_and_takes_nothing_away_and_needs_no_eye() -> None:
    others = [
        ungraded("ada", "not_assigned", "not run", notebook=f"{name}.ipynb") for name in ("04_layers", "01_tensors")
    ]

    counted = tally(run(submission("ada", exercise("lin_grad")), *others, assigned={"lin_grad": 4.0}))

    (row,) = counted.rows
    assert (row.score, row.possible, row.status) == (4.0, 4.0, "graded")
    assert counted.not_run == ("01_tensors.ipynb", "04_layers.ipynb")
    assert counted.concerns == ()


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
    assert counted.possible == tally(run(assigned=assigned)).possible == 6.0
    assert [column.id for column in counted.columns] == ["lin_grad"]


def test_tally_passes_over_what_was_not_assigned_wherever_it_stands() -> None:
    both = submission("ada", exercise("lin_grad"), exercise("relu_grad"))
    (row,) = tally(run(both, assigned={"relu_grad": 2.0})).rows
    assert (row.score, row.possible, list(row.exercises)) == (2.0, 2.0, ["relu_grad"])
    again = submission("ada", exercise("lin_grad"), notebook="b.ipynb")
    assert tally(run(both, again, assigned={"relu_grad": 2.0})).concerns == ()


def test_tally_without_an_assignment_is_of_all_that_anybody_handed_in() -> None:
    ada, alan = submission("ada", exercise("lin_grad")), submission("alan", exercise("relu_grad"))
    assert tally(run(ada, alan)).possible == 6.0
    assert tally(run(ada, ungraded("alan", "unreadable", "empty"))).possible == 12.0
    assert tally(run()).possible == 0


def test_tally_means_are_of_those_who_have_a_score() -> None:
    half = exercise("lin_grad", {"w.g": "transposed"})
    nothing = exercise("lin_grad", id="bonus", score=0.0, possible=0.0)
    counted = tally(
        run(
            submission("ada", half, nothing),
            submission("alan", exercise("lin_grad")),
            ungraded("joan", "crashed", ""),
            submission("kay", nothing),
        )
    )
    assert (counted.scores, counted.mean, counted.shares) == ((2.0, 4.0, 0.0), 2.0, (0.5, 1.0))
    assert [(column.id, column.mean) for column in counted.columns] == [("lin_grad", 0.75), ("bonus", None)]


def test_tally_row_calls_an_entry_by_its_notebook_where_that_is_one_and_by_its_path_else() -> None:
    first, second, third, none = (
        submission("ada", exercise("lin_grad"), notebook=notebook, path=path)
        for notebook, path in (("a.ipynb", "a"), ("a.ipynb", "late/a"), ("b.ipynb", "b"), ("", "ada"))
    )
    (row,) = tally(run(first, second, third, none)).rows
    assert [row.heading(one) for one in (first, second, third, none)] == ["a", "late/a", "b.ipynb", "ada"]


def test_tally_flags_of_a_notebook_are_the_rows() -> None:
    (row,) = tally(run(submission("ada", exercise("lin_grad", flags=("odd",)), flags=("late",)))).rows
    assert remarks_on(row) == ("late", "lin_grad: odd")


def test_tally_failure_of_the_grader_is_one_concern() -> None:
    broken = submission("ada", untouched("lin_grad", "grader_error"), status="grader_error", score=None)
    (found,) = tally(run(broken)).concerns
    assert (found.kind, found.student) == ("grader_error", "ada")


@pytest.mark.parametrize("reason", ["not JSON", ""])
def test_tally_concern_gives_the_reason_or_what_its_kind_means(reason: str) -> None:
    (found,) = tally(run(ungraded("ada", "unreadable", reason))).concerns
    assert found.detail == (reason or wording.SUBMISSION_DETAIL["unreadable"])


def test_tally_columns_count_who_tried_and_who_solved() -> None:
    by_id = {column.id: column for column in tally(small_class()).columns}
    assert list(by_id) == ["lin_grad", "relu_grad", "mse_grad", "forward_and_backward"]
    lin, mse = by_id["lin_grad"], by_id["mse_grad"]
    assert (lin.graded, lin.attempted, lin.passed) == (12, 11, 8)
    assert (mse.graded, mse.attempted, mse.passed) == (11, 9, 6)


def test_tally_mistakes_name_who_made_them_most_frequent_first() -> None:
    mistakes = tally(small_class()).mistakes
    sizes = [len(mistake.students) for mistake in mistakes]
    assert sizes == sorted(sizes, reverse=True)
    (transposed,) = [m for m in mistakes if (m.exercise, m.code) == ("lin_grad", "transposed")]
    assert transposed.students == ("alan", "barbara")
    assert transposed.checks == ("w.g",)


def test_tally_counts_as_a_mistake_no_untouched_stub_no_consequence_and_nothing_that_a_human_let_pass() -> None:
    idle = [submission(name, untouched("lin_grad")) for name in ("alan", "grace", "zoe")]
    wrong = exercise("relu_grad", {"inp.g": "mask_at_zero"})
    follows = exercise("forward_and_backward", {"w1.g": "transposed"}, follows_from=("relu_grad",))
    ruled = replace(
        exercise("lin_grad", {"w.g": "transposed"}), score=4.0, status="passed", override=Override(2.0, "r")
    )
    mistakes = tally(run(submission("ada", wrong, follows), submission("bob", ruled), *idle)).mistakes
    assert [(mistake.exercise, mistake.code) for mistake in mistakes] == [("relu_grad", "mask_at_zero")]


@pytest.mark.parametrize(
    ("notebooks", "name"), [(("03.ipynb", "03.ipynb"), "03.ipynb"), (("03.ipynb", "04.ipynb"), ""), ((), "")]
)
def test_tally_names_the_notebook_where_it_is_one(notebooks: tuple[str, ...], name: str) -> None:
    answers = [submission(f"student {i}", exercise("lin_grad"), notebook=one) for i, one in enumerate(notebooks)]
    strays = ungraded("linus", "unreadable", "not JSON")
    assert tally(run(*answers, strays)).notebook == name


def test_tally_order_of_submissions_does_not_matter() -> None:
    made = small_class()
    assert tally(run(*reversed(made.submissions))) == tally(made)


def test_tally_empty_run_has_no_mean() -> None:
    counted = tally(run())
    assert (counted.rows, counted.mean, counted.shares) == ((), None, ())
