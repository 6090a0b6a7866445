"""Both sums of ``autograding-grading-reporter@v1``, reimplemented, over what it may be given."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

import pytest

from grader.model import CheckScore, RunReport
from grader.report.autograding.classroom import github_error_output, github_output
from tests.report.builders import CHECKS, POSSIBLE, check, exercise, large_class, run, submission, ungraded, untouched

EXPECTED = {id_: sum(points for _, points in checks) for id_, checks in CHECKS.items()}
HOSTILE = "::error::x\r##[error]y\u2028::stop-commands::z </script>\x00" + "A" * 200_000


def read(output: str) -> dict[str, Any]:
    assert len(output.splitlines()) == 1
    result: dict[str, Any] = json.loads(base64.b64decode(output, validate=True), parse_constant=_refuse)
    assert set(result) == {"version", "status", "max_score", "tests"}
    assert result["version"] == 1
    assert result["status"] in ("pass", "fail", "error")
    assert result["tests"]
    for test in result["tests"]:
        assert list(test) == [
            "name", "status", "score", "message", "test_code", "filename", "line_no", "duration"
        ]  # fmt: skip
        assert isinstance(test["score"], int | float)
        assert isinstance(test["line_no"], int)
        assert test["status"] in ("pass", "fail", "error")
    return result


def _refuse(value: str) -> None:
    raise AssertionError(f"{value} in the result")


def notice(results: list[dict[str, Any]]) -> tuple[float, float]:
    """notify-classroom.js: the sum of the tests' scores, of results that have a maximum."""
    counted = [result for result in results if result["max_score"]]
    return sum(t["score"] for r in counted for t in r["tests"]), sum(r["max_score"] for r in counted)


def table(results: list[dict[str, Any]]) -> tuple[float, float]:
    """aggregate-results.js: passes ÷ tests × max_score of each result."""
    earned = 0.0
    for result in results:
        passes = sum(test["status"] == "pass" for test in result["tests"])
        earned += passes / len(result["tests"]) * (result["max_score"] or 0)
    return earned, sum(result["max_score"] for result in results)


def _forty(share: float) -> RunReport:
    checks = (CheckScore("w.g", "passed", 2.0, 2.0), CheckScore("b.g", "partial", 1.0 * share, 1.0))
    return run(
        submission(
            "ada",
            *(
                exercise("lin_grad", id=f"exercise_{i:02}", checks=checks, score=2.0 + share, possible=3.0)
                for i in range(40)
            ),
        )
    )


def _capstone(accuracy: float) -> RunReport:
    one = CheckScore("accuracy", "partial", 10 * accuracy, 10.0)
    return run(submission("ada", exercise("lin_grad", checks=(one,), score=10 * accuracy, possible=10.0)))


FULL = submission("ada")
RUNS = {
    "full marks": (run(FULL), 12.0, "pass"),
    "zero": (run(submission("ada", *(untouched(id_) for id_ in CHECKS))), 0.0, "fail"),
    "partial with unequal points": (
        run(submission("ada", exercise("lin_grad", {"w.g": "transposed"}), exercise("relu_grad"),
                       exercise("mse_grad", {"inp.g": "zeros"}), exercise("forward_and_backward"))), 8.0, "fail"),
    "half points": (_forty(0.5), 100.0, "fail"),
    "forty exercises": (_forty(1.0), 120.0, "pass"),
    "accuracy": (_capstone(0.87), 8.7, "fail"),
    "accuracy of no short fraction": (_capstone(0.86666666), 8.66666, "fail"),
    "crashed kernel": (
        run(submission("ada", exercise("lin_grad"), untouched("mse_grad", "missing"), status="crashed",
                       reason="the kernel died")), 4.0, "fail"),
    "unreadable notebook": (run(ungraded("ada", "unreadable", "not JSON")), 0.0, "error"),
    "no notebook": (run(), 0.0, "error"),
    "no exercises": (run(submission("ada", status="no_exercises", exercises=(), score=0.0)), 0.0, "error"),
    "grader error in one exercise": (
        run(submission("ada", exercise("lin_grad"), untouched("relu_grad", "grader_error"))), 4.0, "error"),
    "points that do not add up": (
        run(submission("ada", exercise("lin_grad", score=0.0, status="failed", flags=("autograd",)))), 0.0, "fail"),
    "hostile text": (
        run(submission(HOSTILE, exercise("lin_grad", {"w.g": "zeros"}, id=HOSTILE[:300], title=HOSTILE,
                                         printed=HOSTILE), notebook=HOSTILE, path=HOSTILE)), 2.0, "fail"),
    "a whole class": (large_class(40, 20), None, "fail"),
}  # fmt: skip


@pytest.mark.parametrize("name", RUNS)
def test_github_output_both_sums_of_the_reporter_agree(name: str) -> None:
    made, score, status = RUNS[name]
    outputs = {key: read(value) for key, value in github_output(made).items()}
    whole = outputs.pop("result")
    assert whole["status"] == status
    assert notice([whole])[0] == pytest.approx(table([whole])[0], abs=1e-3)
    if score is not None:
        assert notice([whole])[0] == pytest.approx(score, abs=0.06)
    for result in outputs.values():
        assert notice([result])[0] == pytest.approx(table([result])[0], abs=1e-3)
    if outputs and score is not None:
        assert notice(list(outputs.values()))[0] == pytest.approx(score, abs=0.06)
        assert table(list(outputs.values()))[0] == pytest.approx(score, abs=0.06)


@pytest.mark.parametrize("name", RUNS)
def test_github_output_any_run_is_within_the_limits(name: str) -> None:
    outputs = github_output(replace(RUNS[name][0], assigned=EXPECTED))
    assert len(outputs.pop("result")) < 90_000
    assert all(len(value) < 20_000 for value in outputs.values())


@pytest.mark.parametrize("name", RUNS)
def test_github_output_text_is_no_workflow_command(name: str) -> None:
    """The reporter prints names and messages to the log of the job."""
    for output in github_output(RUNS[name][0]).values():
        for test in read(output)["tests"]:
            for key in ("name", "message", "test_code", "filename"):
                assert "::" not in test[key]
                assert "##[" not in test[key]
                assert len(test[key].splitlines()) <= 1


def test_github_output_equal_whole_points_are_exact_to_the_float() -> None:
    for name in ("full marks", "partial with unequal points", "half points", "forty exercises", "accuracy"):
        made, score, _ = RUNS[name]
        whole = read(github_output(made)["result"])
        assert whole["max_score"] == sum(report.possible for report in made.submissions)
        assert round(notice([whole])[0], 9) == round(table([whole])[0], 9) == score


def test_github_output_failed_check_says_why_once() -> None:
    made = run(submission("ada", exercise("lin_grad", {"w.g": "transposed"})))
    tests = read(github_output(made)["lin_grad"])["tests"]
    assert [(t["name"], t["status"], t["score"]) for t in tests] == [
        ("lin_grad: inp.g", "pass", 1),
        ("lin_grad: w.g (1/2)", "fail", 0),
        ("lin_grad: w.g (2/2)", "fail", 0),
        ("lin_grad: b.g", "pass", 1),
    ]
    assert [bool(t["message"]) for t in tests] == [False, True, False, False]
    assert tests[1]["line_no"] == 3


@pytest.mark.parametrize("name", ["unreadable notebook", "no notebook", "no exercises"])
def test_github_output_expected_exercises_have_an_output_all_the_same(name: str) -> None:
    outputs = {key: read(value) for key, value in github_output(replace(RUNS[name][0], assigned=EXPECTED)).items()}
    assert set(outputs) == {"result", *EXPECTED}
    assert {result["status"] for result in outputs.values()} == {"error"}
    assert outputs["result"]["max_score"] == POSSIBLE
    assert table(list(outputs.values()))[0] == notice(list(outputs.values()))[0] == 0


def test_github_output_of_what_belongs_to_no_exercise_is_the_result_alone() -> None:
    assert list(github_output(run(ungraded("ada", "unreadable", "is no notebook")))) == ["result"]


def test_github_output_exercise_that_was_not_found_fails() -> None:
    outputs = github_output(run(submission("ada", exercise("lin_grad")), assigned=EXPECTED))
    result = read(outputs["mse_grad"])
    assert (result["status"], result["max_score"]) == ("fail", 2)


@pytest.mark.parametrize(
    ("id_", "key"), [("result", "exercise_result"), ("1st", "exercise_1st"), ("a b=c\nd", "a_b_c_d")]
)
def test_github_output_odd_exercise_name_is_a_valid_output_name(id_: str, key: str) -> None:
    assert set(github_output(run(submission("ada", exercise("lin_grad", id=id_))))) == {"result", key}


@pytest.mark.parametrize("expected", [None, EXPECTED], ids=["unknown course", "known course"])
def test_github_error_output_is_a_valid_error(expected: dict[str, float] | None) -> None:
    outputs = {key: read(value) for key, value in github_error_output(HOSTILE, expected).items()}
    assert set(outputs) == {"result", *(expected or {})}
    for result in outputs.values():
        assert result["status"] == "error"
        assert notice([result])[0] == table([result])[0] == 0


def test_github_output_several_students_are_told_apart() -> None:
    made = run(FULL, replace(FULL, student="alan", exercises=(exercise("lin_grad", {"w.g": "zeros"}),)))
    names = {test["name"] for test in read(github_output(made)["lin_grad"])["tests"]}
    assert "ada: lin_grad: inp.g" in names
    assert "alan: lin_grad: w.g (1/2)" in names


def test_github_output_better_of_two_attempts_is_shown_with_its_own_file() -> None:
    better = submission("ada", exercise("relu_grad"), path="ada/03_backprop.ipynb")
    worse = submission("ada", exercise("relu_grad", {"inp.g": "mask_missing"}), path="ada/old/03_backprop.ipynb")
    (test,) = read(github_output(run(better, worse))["relu_grad"])["tests"]
    assert (test["status"], test["filename"]) == ("pass", "ada/03_backprop.ipynb")


def test_github_output_names_the_notebook_that_an_exercise_is_in() -> None:
    first = submission("ada", exercise("lin_grad"))
    second = submission("ada", exercise("mse_grad"), notebook="04_layers.ipynb", path="ada/04_layers.ipynb")
    (test,) = read(github_output(run(first, second))["mse_grad"])["tests"]
    assert test["filename"] == "ada/04_layers.ipynb"


def test_github_output_many_checks_with_long_messages_still_fit() -> None:
    wrong = tuple(check(f"check number {i}", 1.0, "zeros") for i in range(400))
    made = run(submission("ada", exercise("lin_grad", checks=wrong, score=0.0, possible=400.0, status="failed")))
    outputs = github_output(made)
    assert len(outputs["result"]) < 90_000
    assert len(outputs["lin_grad"]) < 20_000
    assert read(outputs["lin_grad"])["max_score"] == 400
