from __future__ import annotations

import io
import json

import jsonschema
import pytest
from rich.console import Console

from grader.report.autograding.gradescope import gradescope_results
from grader.report.views.markdown import render_markdown
from grader.report.views.terminal import render_submission
from tests.report.builders import check, exercise, large_class, run, small_class, submission, ungraded, untouched

VISIBILITY = {"enum": ["hidden", "after_due_date", "after_published", "visible"]}
FORMAT = {"enum": ["text", "html", "simple_format", "md", "ansi"]}
#: The documented fields of results.json.
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["tests"],
    "properties": {
        "score": {"type": "number"},
        "execution_time": {"type": "number"},
        "output": {"type": "string"},
        "output_format": FORMAT,
        "test_output_format": FORMAT,
        "test_name_format": FORMAT,
        "visibility": VISIBILITY,
        "stdout_visibility": VISIBILITY,
        "extra_data": {"type": "object"},
        "tests": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "score": {"type": "number"},
                    "max_score": {"type": "number"},
                    "status": {"enum": ["passed", "failed"]},
                    "name": {"type": "string"},
                    "name_format": FORMAT,
                    "number": {"type": "string"},
                    "output": {"type": "string"},
                    "output_format": FORMAT,
                    "tags": {"type": "array"},
                    "visibility": VISIBILITY,
                    "extra_data": {"type": "object"},
                },
            },
        },
        "leaderboard": {"type": "array"},
    },
}


@pytest.mark.parametrize("made", [run(), run(submission()), small_class(), large_class(3, 40)],
                         ids=["empty", "one", "small", "large"])  # fmt: skip
def test_gradescope_results_fits_the_documented_form(made) -> None:
    results = gradescope_results(made, hints="nudge")
    jsonschema.validate(results, SCHEMA)
    json.dumps(results, allow_nan=False)


def test_gradescope_results_score_is_that_of_the_tests() -> None:
    results = gradescope_results(
        run(submission("ada", exercise("lin_grad", {"w.g": "transposed"}), exercise("relu_grad"))), hints="nudge"
    )
    assert results["score"] == 4.0 == sum(test["score"] for test in results["tests"])
    first = results["tests"][0]
    assert (first["name"], first["status"], first["max_score"]) == ("lin_grad", "failed", 4.0)
    assert "Hint: Which of inp" in first["output"]
    assert results["stdout_visibility"] == "hidden"


def test_every_text_that_numbers_cells_says_from_where() -> None:
    made = run(submission("ada", exercise("lin_grad", cell=18, line=1)))
    drawn = io.StringIO()
    Console(file=drawn, width=100).print(render_submission(made.submissions[0], hints="nudge"))

    for text in (
        gradescope_results(made, hints="nudge")["output"],
        render_markdown(made, hints="nudge"),
        drawn.getvalue(),
    ):
        assert "Cells are counted from 0, text cells included." in text


def test_gradescope_results_hints_are_an_option() -> None:
    made = run(submission("ada", exercise("lin_grad", {"w.g": "transposed"})))
    results = gradescope_results(made, hints="none")
    assert "Hint" not in results["tests"][0]["output"]


@pytest.mark.parametrize(
    "report",
    [ungraded("ada", "grader_error", "fault"), submission("ada", untouched("lin_grad", "grader_error"))],
    ids=["everywhere", "in one exercise"],
)
def test_gradescope_results_fault_of_the_grader_has_no_score(report) -> None:
    results = gradescope_results(run(report), hints="nudge")
    assert "score" not in results
    assert not any("score" in test for test in results["tests"])


def test_gradescope_results_unreadable_says_why() -> None:
    results = gradescope_results(run(ungraded("ada", "unreadable", "not JSON")), hints="nudge")
    assert results["score"] == 0.0
    assert "could not be read: not JSON" in results["output"]


def test_gradescope_results_hold_nothing_against_what_an_unreadable_notebook_may_have() -> None:
    results = gradescope_results(
        run(ungraded("ada", "unreadable", "not JSON"), assigned={"lin_grad": 4.0}), hints="nudge"
    )
    assert (results["score"], results["tests"]) == (0.0, [])


def test_gradescope_results_hold_what_was_assigned_and_not_handed_in() -> None:
    results = gradescope_results(
        run(submission("ada", exercise("lin_grad")), assigned={"lin_grad": 4.0, "mse_grad": 2.0}), hints="nudge"
    )

    missing = results["tests"][1]
    assert (missing["name"], missing["score"], missing["max_score"]) == ("mse_grad", 0.0, 2.0)
    assert missing["output"] == "This was assigned, and was not handed in."
    assert results["output"].splitlines()[:2] == ["03_backprop.ipynb: 4 / 4", "Of all that was assigned: 4 / 6"]
    assert results["score"] == 4.0


def test_gradescope_results_score_is_that_of_the_gradebook() -> None:
    good = submission("ada", exercise("lin_grad"))
    spare = ungraded("ada", "unreadable", "not JSON", notebook="03_backprop (1).ipynb")
    other = ungraded("ada", "unreadable", "not JSON", notebook="04_layers.ipynb")

    assert gradescope_results(run(good, spare), hints="nudge")["score"] == 4.0
    assert "another attempt at it was graded" in gradescope_results(run(good, spare), hints="nudge")["output"]
    assert gradescope_results(run(good, other), hints="nudge")["score"] == 0.0


def test_gradescope_overview_names_what_was_not_assigned() -> None:
    begun = submission("ada", exercise("relu_grad"), notebook="04_layers.ipynb")
    idle = submission("ada", untouched("mse_grad"), notebook="06_optimizers.ipynb")
    made = run(submission("ada", exercise("lin_grad")), begun, idle, assigned={"lin_grad": 4.0})
    assert gradescope_results(made, hints="nudge")["output"].splitlines()[:4] == [
        "03_backprop.ipynb: 4 / 4",
        "04_layers.ipynb: 2 / 2",
        "  This was not assigned: none of it counts.",
        "Neither assigned nor begun: 06_optimizers.ipynb.",
    ]


def test_gradescope_overview_of_several_students_says_whose_each_notebook_is() -> None:
    spare = ungraded("ada", "no_exercises", "none", notebook="notes.ipynb")
    made = run(submission("ada", exercise("lin_grad")), spare, submission("bob", exercise("lin_grad")))
    assert gradescope_results(made, hints="nudge")["output"].splitlines()[:5] == [
        "ada:",
        "03_backprop.ipynb: 4 / 4",
        "notes.ipynb holds no exercise of this course; the student's other notebook counts.",
        "bob:",
        "03_backprop.ipynb: 4 / 4",
    ]


def test_gradescope_results_name_the_case_of_what_failed_alone() -> None:
    right, wrong = check("inp.g", case="the case of a right one"), check("w.g", code="transposed", case="a wrong one's")
    made = run(submission("ada", exercise("lin_grad", checks=(right, wrong), status="partial")))
    output = gradescope_results(made, hints="nudge")["tests"][0]["output"]
    assert "a wrong one's" in output
    assert "the case of a right one" not in output
