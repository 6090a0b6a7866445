from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.cells import cell_len
from rich.console import Console, RenderableType

from grader.model import Override
from grader.report.autograding.gradescope import gradescope_results
from grader.report.views.terminal import render_class, render_run, render_submission
from grader.report.words import wording
from tests.report.builders import CHECKS, exercise, large_class, run, small_class, submission, ungraded


def drawn(content: RenderableType, width: int = 100, *, terminal: bool = False) -> str:
    console = Console(
        file=io.StringIO(), width=width, force_terminal=terminal, color_system="standard" if terminal else None
    )
    console.print(content)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [40, 60, 80, 100, 200])
@pytest.mark.parametrize(
    "made", [run(), small_class(), large_class(12, 40), large_class(1, 40), run(submission("x" * 300))],
    ids=["empty", "small", "wide", "one student", "long name"],
)  # fmt: skip
def test_render_class_any_width_fits_and_is_plain(made, width: int) -> None:
    shown = drawn(render_class(made), width)
    assert "\x1b" not in shown
    assert max(cell_len(line) for line in shown.splitlines()) <= width


@pytest.mark.parametrize("width", [80, 120, 200])
def test_render_class_no_score_is_lost_in_folding(width: int) -> None:
    made = large_class(6, 40)
    shown = drawn(render_class(made), width)
    marks = sum(shown.count(mark) for mark in "✓◐○✗")
    assert marks == 6 * 40
    assert "…" not in shown


@pytest.mark.parametrize(("width", "tables"), [(36, 4), (40, 4), (50, 2)])
def test_render_class_cuts_long_names_before_scores(width: int, tables: int) -> None:
    rows = [line for line in drawn(render_class(small_class()), width).splitlines() if line.startswith(" Johanna M")]
    assert [row.count("…") for row in rows] == [1] * tables  # the name's
    assert {row[-12:] for row in rows} == {"   3    25% "}


@pytest.mark.parametrize("width", range(60, 90))
def test_render_class_names_of_wide_letters_leave_room_for_scores(width: int) -> None:
    made = run(*(submission(name) for name in ("歐陽飛燕李小龍", "司馬相如李小龍", "ada", "alan")))
    assert "…" not in drawn(render_class(made), width)


@pytest.mark.parametrize("width", range(40, 110))
@pytest.mark.parametrize("score", [4.0, 12.25])
def test_render_class_short_names_and_long_scores_leave_room_for_all(width: int, score: float) -> None:
    names = ("lin_grad", "Lin", "mse_grad", "forward_and_backward")
    exercises = [replace(exercise(), id=name, score=score, possible=2 * score) for name in names]
    made = run(*(submission(f"s{number}", *exercises) for number in range(5)))
    assert "…" not in drawn(render_class(made), width)


def test_render_class_mean_is_100_percent_only_where_all_is_right() -> None:
    wrong = submission("alan", exercise("lin_grad", {"b.g": "not_summed_over_batch"}))
    right = [submission(f"ada {number}", exercise("lin_grad")) for number in range(99)]
    shown = drawn(render_class(run(wrong, *right)))
    assert "mean 3.99 (99%)" in shown
    assert "100%" not in shown.splitlines()[-3]


def test_render_class_names_the_mean_and_who_needs_an_eye() -> None:
    shown = drawn(render_class(small_class()), 120)
    assert "14 students · mean 7.82 (65%) · 3 without a score" in shown
    assert "the kernel died three times in cell 9" in shown
    assert shown.index("radia 03_backprop") < shown.index("linus 03_backprop") < shown.index("dennis 03_backprop")


@pytest.mark.parametrize("width", [50, 60, 80, 120])
def test_render_class_cuts_nothing_of_what_needs_an_eye(width: int) -> None:
    made = run(
        submission("katherine johnson", exercise(flags=("`" + "a_long_name." * 4 + "`",))),
        ungraded("linus", "unreadable", "not JSON"),
    )
    _, concerns = drawn(render_class(made), width).split("human's eye")
    assert "…" not in concerns
    assert max(cell_len(line) for line in concerns.splitlines()) <= width
    assert wording.SUBMISSION["unreadable"] in concerns


def test_render_class_says_nothing_of_what_did_not_happen() -> None:
    last = drawn(render_class(run(submission("ada")))).rstrip().splitlines()[-1]
    assert last == "1 student · mean 12 (100%)"


def test_render_class_says_that_totals_are_of_unlike_notebooks() -> None:
    ada, alan = submission("ada", exercise("lin_grad"), exercise("relu_grad")), submission("alan", exercise("lin_grad"))
    assert "of what that student handed in, 4 to 6 points" in drawn(render_class(run(ada, alan)), 200)
    assert "handed in" not in drawn(render_class(run(alan)), 200)


def test_render_submission_failed_check_tells_what_and_where() -> None:
    wrong = exercise("lin_grad", {"w.g": "transposed"}, follows_from=("relu_grad",), printed="one\ntwo")
    shown = drawn(render_submission(submission("ada", wrong), hints="nudge"))
    for words in (
        "ada · 03_backprop.ipynb  2 / 4  50%",
        "◐ lin_grad  2 / 4  partly right  cell 5, line 3",
        "✗ w.g  0 / 2  plain: n=7, i=5, o=3",
        "w.g has shape (3, 5), the transpose",
        "worst element [4, 1]: expected",
        "hint: Which of inp",
        "This one calls what is not right yet: relu_grad",
        "│ two",
    ):
        assert words in shown


def test_render_submission_without_hints_gives_none() -> None:
    wrong = submission("ada", exercise("lin_grad", {"w.g": "transposed"}))
    assert "hint:" not in drawn(render_submission(wrong, "none"))


def test_render_submission_ungraded_says_why_and_no_zero() -> None:
    shown = drawn(render_submission(ungraded("linus", "unreadable", "not JSON"), hints="nudge"))
    assert "– / 12  could not be read" in shown
    assert "not JSON" in shown


def test_render_submission_on_a_terminal_is_coloured() -> None:
    assert "\x1b[" in drawn(render_submission(submission(), hints="nudge"), terminal=True)


def test_render_submission_passed_prints_no_output() -> None:
    done = submission("ada", exercise(next(iter(CHECKS)), printed="noise"))
    assert "noise" not in drawn(render_submission(done, hints="nudge"))


def test_render_submission_long_output_is_cut() -> None:
    wrong = exercise("lin_grad", {"w.g": "transposed"}, printed="\n".join(f"line {i}" for i in range(100)))
    assert "… 88 more lines" in drawn(render_submission(submission("ada", wrong), hints="nudge"))


def test_render_run_of_one_submission_names_what_was_assigned_and_is_not_there() -> None:
    one = run(submission("ada", exercise("lin_grad")), assigned={"lin_grad": 4.0, "Relu": 2.0, "Mse": 1.5})
    shown = drawn(render_run(replace(one, sandbox="landlock"), hints="nudge"))
    assert "Assigned, and found in no notebook: Relu (2), Mse (1.5)." in shown
    assert "Of all that was assigned: 4 / 7.5  53%" in shown
    assert "This run had the weaker sandbox" in shown


def test_render_run_of_one_whole_submission_adds_nothing() -> None:
    one = submission("ada", exercise("lin_grad"))
    assert drawn(render_run(run(one, assigned={"lin_grad": 4.0}), hints="nudge")) == drawn(
        render_submission(one, hints="nudge")
    )


def test_render_run_of_several_is_the_class() -> None:
    several = run(submission("ada", exercise("lin_grad")), submission("alan", exercise("lin_grad")))
    assert drawn(render_run(several, hints="nudge")) == drawn(render_class(several))


def test_render_submission_says_first_what_to_mend_first() -> None:
    wrong = exercise("forward_and_backward", {"w1.g": "transposed"}, follows_from=("lin_grad",))
    shown = drawn(render_submission(submission("ada", wrong), hints="nudge"))
    assert shown.index("forward_and_backward") < shown.index("Mend that first") < shown.index("transpose of")
    told = gradescope_results(run(submission("ada", wrong)), hints="nudge")["tests"][0]["output"]
    assert told.index("Mend that first") < told.index("transpose of")


def test_render_class_names_who_handed_in_nothing() -> None:
    shown = " ".join(drawn(render_class(run(submission("ada"), absent=("Yan", "zoe")))).split())
    assert "1 student · mean" in shown
    assert "Handed in nothing, or only under another name: 2 students (Yan; zoe)." in shown


def test_render_submission_that_a_human_ruled_on_says_why() -> None:
    ruled = exercise("lin_grad", checks=(), score=3.0, status="partial", override=Override(None, "sent as a PDF"))
    shown = " ".join(drawn(render_submission(submission("linus", ruled, reason="not JSON"), hints="nudge")).split())
    assert "Not JSON. The points below were given by hand." in shown
    assert "(there was nothing to grade): sent as a PDF" in shown
