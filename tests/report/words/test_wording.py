"""Every report says whose points those are, and how the code that earned them was confined."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from grader.model import Diagnosis, Hints, Override, RunReport
from grader.report.autograding.gradescope import gradescope_results
from grader.report.autograding.junit import junit_xml
from grader.report.counting.tally import tally
from grader.report.document import to_json
from grader.report.views.markdown import render_markdown
from grader.report.views.pages import class_page, student_page
from grader.report.views.spreadsheet import gradebook_csv
from grader.report.views.terminal import render_run, render_submission
from grader.report.words import wording
from tests.report.builders import exercise, run, submission
from tests.report.views.test_terminal import drawn

RENDERERS: dict[str, Callable[[RunReport], str]] = {
    "terminal": lambda made: drawn(render_submission(made.submissions[0], hints="nudge"), 200),
    "page": lambda made: re.sub("<[^>]*>", "", student_page(made, tally(made).rows[0], hints="nudge")),
    "Markdown": lambda made: html.unescape(render_markdown(made, hints="nudge")),
    "Gradescope": lambda made: json.dumps(gradescope_results(made, hints="nudge")),
    "CSV": gradebook_csv,
}


@pytest.mark.parametrize(
    ("hints", "help_"), [("none", ""), ("nudge", "Which?"), ("full", "Which? Turn it.")], ids=lambda one: one
)
def test_help_is_as_much_as_was_asked_for(hints: Hints, help_: str) -> None:
    said = Diagnosis("transposed", "Turned.", hint="Which?", explanation="Turn it.")
    assert wording.help_for(said, hints) == help_
    assert wording.help_for(replace(said, explanation=""), hints) == help_.removesuffix(" Turn it.")
    assert wording.help_for(None, hints) == ""


def test_place_is_as_much_as_is_known() -> None:
    assert [wording.place(*known) for known in ((None, None), (5, None), (5, 3))] == ["", "cell 5", "cell 5, line 3"]


def test_sentence_ends_once() -> None:
    assert [wording.sentence(text) for text in ("is it?", "it is (so)", "it is")] == ["Is it?", "It is (so)", "It is."]


@pytest.mark.parametrize("render", RENDERERS.values(), ids=RENDERERS)
@pytest.mark.parametrize("graded", [1.0, None], ids=["wrong", "failed"])
def test_points_that_a_human_gave_are_called_so_also_where_all_passed(
    render: Callable[[RunReport], str], graded: float | None
) -> None:
    made = run(submission("ada", exercise("lin_grad", override=Override(graded, "it is right")), exercise("relu_grad")))

    said = "the grader failed" if graded is None else "the grader gave 1"
    assert f"set by hand to 4 of 4 points ({said}): it is right" in render(made)
    assert "by hand" not in render(run(submission("ada")))


@pytest.mark.parametrize("render", RENDERERS.values(), ids=RENDERERS)
def test_comment_is_shown_beside_the_graders_points_also_where_all_passed(render: Callable[[RunReport], str]) -> None:
    made = run(submission("ada", exercise("lin_grad", comment="name your variables"), exercise("relu_grad")))

    assert "comment: name your variables" in render(made)
    assert "by hand" not in render(made)


@pytest.mark.parametrize("students", [("ada",), ("ada", "alan")], ids=["student", "class"])
@pytest.mark.parametrize(
    "render",
    [
        lambda made: drawn(render_run(made, "nudge"), 200),
        lambda made: html.unescape(class_page(made)),
        lambda made: html.unescape(student_page(made, tally(made).rows[0], "nudge")),
        lambda made: html.unescape(render_markdown(made, hints="nudge")),
        lambda made: gradescope_results(made, hints="nudge")["output"],
    ],
    ids=["terminal", "class page", "student page", "Markdown", "Gradescope"],
)
def test_weaker_sandbox_is_said(render: Callable[[RunReport], str], students: tuple[str, ...]) -> None:
    made = run(*map(submission, students))
    for weaker in ("none", "landlock"):
        assert render(replace(made, sandbox=weaker)).count(wording.SANDBOX_NOTE[weaker]) == 1
    assert "This run had" not in render(made)


@pytest.mark.parametrize(
    ("render", "said"),
    [
        (class_page, "· sandbox bwrap"),
        (lambda made: student_page(made, tally(made).rows[0], "nudge"), "· sandbox bwrap"),
        (lambda made: html.unescape(render_markdown(made, hints="nudge")), "· sandbox bwrap"),
        (lambda made: json.dumps(gradescope_results(made, hints="nudge")), '"sandbox": "bwrap"'),
        (lambda made: junit_xml(made, hints="nudge"), '<property name="sandbox" value="bwrap" />'),
        (to_json, '"sandbox": "bwrap"'),
    ],
    ids=["class page", "student page", "Markdown", "Gradescope", "JUnit", "report.json"],
)
def test_sandbox_is_named(render: Callable[[RunReport], str], said: str) -> None:
    for students in (["ada"], ["ada", "alan"]):
        assert said in render(run(*map(submission, students)))
