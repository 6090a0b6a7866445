from __future__ import annotations

import html
import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest
from markdown_it import MarkdownIt

from grader.model import CellFailure, Diagnosis, Override, RunReport
from grader.report.autograding.gradescope import gradescope_results
from grader.report.views.markdown import render_markdown
from grader.report.words import wording
from tests.report.builders import check, exercise, large_class, run, small_class, submission, ungraded, untouched


def test_render_markdown_one_student_is_feedback() -> None:
    wrong = exercise("lin_grad", {"w.g": "transposed"}, printed="a\n\nb", follows_from=("x",), flags=("loops",))
    shown = render_markdown(
        run(submission("ada", wrong, exercise("relu_grad"), failed_cells=(CellFailure(9, "NameError: x"),))),
        hints="nudge",
    )
    for words in (
        "## 4 / 6 · 67 %",
        "| ◐ | lin&#95;grad | 2 / 4 | partly right |",
        "#### ◐ lin&#95;grad · cell 5, line 3",
        "<details><summary>Hint</summary>",
        "<pre>a\n\nb</pre>",
        "- **cell 9** raised: NameError&#58; x",
        "⚑ loops",
    ):
        assert words in shown
    assert "#### ✓" not in shown
    assert wording.NOT_ASSIGNED not in shown


@pytest.mark.parametrize(
    "shown",
    [partial(render_markdown, hints="nudge"), lambda made: json.dumps(gradescope_results(made, hints="nudge"))],
    ids=["markdown", "plain text"],
)
def test_message_that_quotes_much_is_cut(shown: Callable[[RunReport], str]) -> None:
    quotes = check("w.g", 2.0, "zeros", diagnosis=Diagnosis("not_written", "q" * 5000, ""))
    made = run(submission("ada", exercise(checks=(quotes,), status="failed", score=0.0)))
    assert 1100 < shown(made).count("q") < 1300


def test_what_the_code_printed_is_no_markdown() -> None:
    printed = "\n\n![x](https://evil.example/t.png)\n\n# 14 / 14 passed\n\n</pre>\n\n# out"
    answer = replace(exercise("lin_grad", {"w.g": "transposed"}), printed=printed)
    shown = MarkdownIt("commonmark").render(render_markdown(run(submission("ada", answer)), hints="nudge"))
    assert "<img" not in shown
    assert "<h1" not in shown
    assert "# 14 / 14 passed" in shown


def test_render_markdown_class_is_an_overview() -> None:
    shown = render_markdown(small_class(), hints="nudge")
    assert shown.startswith("## 14 students · mean 7.82")
    assert shown.index("Needs a human's eye") < shown.index("What went wrong") < shown.index("### Scores")


def test_render_markdown_class_says_that_totals_are_of_unlike_notebooks() -> None:
    ada, alan = submission("ada", exercise("lin_grad"), exercise("relu_grad")), submission("alan", exercise("lin_grad"))
    assert "handed in, 4 to 6 points" in html.unescape(render_markdown(run(ada, alan), hints="nudge"))


def test_render_markdown_without_hints_has_none() -> None:
    shown = render_markdown(run(submission("ada", exercise("lin_grad", {"w.g": "transposed"}))), hints="none")
    assert "Hint" not in shown


def test_render_markdown_nothing_graded_says_so() -> None:
    assert "No submission was found" in render_markdown(run(), hints="nudge")


def test_render_markdown_ungraded_says_why() -> None:
    shown = render_markdown(run(ungraded("ada", "unreadable", "not *JSON*")), hints="nudge")
    assert "## – / 12" in shown
    assert "does not count as zero points. Not &#42;JSON&#42;" in shown


@pytest.mark.parametrize("limit", [500, 5_000, 100_000])
def test_render_markdown_is_within_the_limit_and_counts_the_rest(limit: int) -> None:
    wrong = [exercise("lin_grad", {"w.g": "zeros"}, id=f"e{i}", printed="é" * 5000) for i in range(60)]
    shown = render_markdown(run(submission("ada", *wrong)), limit, hints="nudge")
    assert len(shown.encode()) <= limit
    assert "more sections left out" in shown


def test_render_markdown_large_class_is_below_a_mebibyte() -> None:
    assert len(render_markdown(large_class(500, 40), hints="nudge").encode()) < 1024 * 1024


def test_render_markdown_untouched_exercise_stands_in_the_table_alone() -> None:
    shown = render_markdown(run(submission("ada", untouched("lin_grad"))), hints="nudge")
    assert "| ○ | lin&#95;grad | 0 / 4 | not started |" in shown
    assert "####" not in shown


def test_render_markdown_names_what_was_neither_assigned_nor_begun() -> None:
    begun = submission("ada", exercise("relu_grad"), notebook="04_layers.ipynb")
    idle = submission("ada", untouched("mse_grad"), notebook="06_optimizers.ipynb")
    shown = render_markdown(
        run(submission("ada", exercise("lin_grad")), begun, idle, assigned={"lin_grad": 4.0}), hints="nudge"
    )
    assert "### 04&#95;layers&#46;ipynb\n\nThis was not assigned: none of it counts.\n" in shown
    assert "Neither assigned nor begun&#58; 06&#95;optimizers&#46;ipynb" in shown
    assert "mse&#95;grad" not in shown


def test_render_markdown_names_who_handed_in_nothing() -> None:
    shown = render_markdown(run(submission("ada"), submission("alan"), absent=("Yan", "zoe")), hints="nudge")
    assert "2 students" in shown
    assert "Yan" in shown


def test_render_markdown_says_why_all_of_it_was_given_by_hand() -> None:
    ruled = exercise("lin_grad", checks=(), score=3.0, status="partial", override=Override(None, "sent as a PDF"))
    shown = render_markdown(run(submission("linus", ruled, reason="not JSON")), hints="nudge")
    assert "> ✎ Not JSON" in shown
    assert "sent as a PDF" in shown
