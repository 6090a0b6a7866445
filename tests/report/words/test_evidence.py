from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from grader.model import CheckScore, Diagnosis, SubmissionReport
from grader.report.autograding.gradescope import gradescope_results
from grader.report.views.markdown import render_markdown
from grader.report.views.terminal import render_submission
from grader.report.words.evidence import evidence, with_leads
from tests.report.builders import check, exercise, run, submission

WORST = "worst element [4, 1]: expected 1, got −2"


@pytest.mark.parametrize(
    ("fields", "lines"),
    [
        pytest.param({"worst_expected": 1.0, "worst_actual": -2.0}, [WORST], id="value"),
        pytest.param({"worst": None, "actual_shape": (3, 7)}, ["expected shape (7, 3), got (3, 7)"], id="shape"),
        pytest.param({"worst": None, "actual_shape": ()}, ["expected shape (7, 3), got ()"], id="scalar"),
        pytest.param({"worst": None, "actual_shape": None}, [], id="no tensor"),
    ],
)
def test_evidence_tells_what_differs(fields: dict[str, object], lines: list[str]) -> None:
    assert evidence(check("w.g", 2.0, "wrong_value", **fields)) == lines


def test_evidence_passed_check_has_none() -> None:
    assert evidence(CheckScore("w.g", "passed", 2.0, 2.0)) == []


SAID = Diagnosis("raised", "The call raised NameError.", "")
RAISED = {"diagnosis": SAID, "worst": None, "actual_shape": None, "sample": None}


@pytest.mark.parametrize(
    ("checks", "leads"),
    [
        pytest.param([], [], id="none"),
        pytest.param([check("a", 1.0, "raised", **RAISED)] * 3, [True, True, False], id="one exception"),
        pytest.param([check("a", 1.0, "raised", diagnosis=SAID)] * 2, [False, False], id="values of their own"),
        pytest.param([check("a", 1.0, "raised", **RAISED), check("b", 1.0)], [False, False], id="then passed"),
    ],
)
def test_check_leads_to_the_next_where_that_says_the_same(checks: list[CheckScore], leads: list[bool]) -> None:
    assert [lead for _, lead in with_leads(checks)] == leads


def in_terminal(report: SubmissionReport) -> str:
    drawn = io.StringIO()
    Console(file=drawn, width=100).print(render_submission(report, hints="nudge"))
    return drawn.getvalue()


RENDERERS = {
    "terminal": in_terminal,
    "markdown": lambda report: render_markdown(run(report), hints="nudge").replace("&#46;", "."),
    "gradescope": lambda report: str(gradescope_results(run(report), hints="nudge")),
}


@pytest.mark.parametrize("renderer", RENDERERS)
def test_exception_that_ends_all_checks_is_said_once(renderer: str) -> None:
    checks = tuple(check(name, 1.0, "raised", **RAISED) for name in ("w.g", "b.g", "inp.g"))
    shown = RENDERERS[renderer](submission("ada", replace(exercise("lin_grad"), checks=checks, status="failed")))
    assert shown.count(SAID.message) == 1
    assert all(name in shown for name in ("w.g", "b.g", "inp.g"))
