"""The entries of Classroom 50 and Gradescope, run as their runners do: always a valid result, always status 0."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from grader.starter import start_repository
from tests.github.hostile import commands_in, hostile_checkout
from tests.github.runner import outputs_in
from tests.samples import BACKPROP, SOLUTIONS

RUNNER = {
    "CLASSROOM": "cs",
    "ASSIGNMENT": "backprop",
    "SUBMISSION_TAG": "submit/2026-11-25T20-00-00Z-abc1234",
    "COMMIT_URL": "https://github.com/o/r/commit/abc",
    "RELEASE_URL": "https://github.com/o/r/releases/tag/x",
    "REVIEW_URL": "https://github.com/o/r/compare/a...b",
    "GITHUB_ACTIONS": "true",
    "GITHUB_REPOSITORY": "o/r",
}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The autograders of a repository in which only one notebook is assigned."""
    folder = tmp_path_factory.mktemp("bundle")
    list(start_repository(folder, "autograd", classroom50=True, gradescope=True))
    entry = folder / "classroom50/autograder.py"
    lines = entry.read_text().splitlines(keepends=True)
    entry.write_text("".join(line for line in lines if not line.startswith('    "0') or "03_backprop" in line))
    run = folder / "autograder/run_autograder"
    lines = run.read_text().splitlines(keepends=True)
    run.write_text("".join("    --assigned 03_backprop\n" if "--assigned" in line else line for line in lines))
    return folder


def valid_result(path: Path) -> dict[str, Any]:
    """The object of ``result.json``, held to what Classroom 50's runner and collector check."""
    result: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    assert result["schema"] == "classroom50/result/v1"
    assert (result["classroom"], result["assignment"]) == ("cs", "backprop")
    assert result["submission"].startswith("submit/")
    assert all(isinstance(result[name], str) and result[name] for name in ("commit", "release", "review", "datetime"))
    for one in (result, *result["tests"]):
        assert type(one["score"]) is int
        assert type(one["max-score"]) is int
        assert 0 <= one["score"] <= one["max-score"]
    assert all(one["test-name"] and type(one["passed"]) is bool for one in result["tests"])
    assert sum(one["score"] for one in result["tests"]) == result["score"]
    return result


def run_entry(bundle: Path, checkout: Path, temp: Path, python: str) -> subprocess.CompletedProcess[bytes]:
    """``autograder.py`` as the runner starts it: by path, in the student's checkout."""
    temp.mkdir(parents=True, exist_ok=True)
    return subprocess.run(
        [sys.executable, str(bundle / "classroom50/autograder.py")],
        cwd=checkout,
        env={
            "PATH": os.environ["PATH"],
            **RUNNER,
            "GITHUB_OUTPUT": str(temp / "output"),
            "RUNNER_TEMP": str(temp),
            "GRADER_PYTHON": python,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=240,
        check=False,
    )


def test_classroom50_entry_grades_a_hostile_checkout_and_obeys_nothing_of_it(bundle: Path, tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    checkout = hostile_checkout(tmp_path / "r", marks)

    ran = run_entry(bundle, checkout, tmp_path / "temp", sys.executable)

    assert ran.returncode == 0, ran.stdout
    result = valid_result(checkout / "result.json")
    assert (result["score"], result["max-score"], len(result["tests"])) == (14, 14, 4), ran.stdout
    assert not (checkout / "result.json").is_symlink()
    assert (checkout / "release-body.md").read_text().startswith("## 14 / 14")
    assert not list(marks.iterdir())
    lines = ran.stdout.decode("utf-8", "replace").replace("\r", "\n").splitlines()
    commands = commands_in(lines)
    assert commands
    assert all(command.startswith("::error file=") for command in commands), commands
    assert "status" not in outputs_in(tmp_path / "temp/output")


@pytest.mark.parametrize("python", ["/nowhere/python", "/bin/false", "/bin/true"])
def test_classroom50_entry_without_a_grader_says_error_and_not_zero(bundle: Path, tmp_path: Path, python: str) -> None:
    checkout = tmp_path / "r"
    checkout.mkdir()

    ran = run_entry(bundle, checkout, tmp_path / "temp", python)

    assert ran.returncode == 0
    result = valid_result(checkout / "result.json")
    assert (result["score"], result["max-score"], result["tests"]) == (0, 0, [])
    outputs = outputs_in(tmp_path / "temp/output")
    assert outputs["status"] == "error"
    assert outputs["summary"].startswith("not graded: ")


#: Stands for an interpreter: grades without looking, in the many words that were asked for.
GRADES = """#!/bin/sh
while [ "$1" != --classroom50 ]; do shift; done
echo '{{"schema": "classroom50/result/v1", "score": 0, "max-score": 1, "tests": []}}' >"$2"
{{ echo '## 0 / 1'; yes 'é is wrong

' | head -n {lines}; }} >"$GITHUB_STEP_SUMMARY"
"""


@pytest.mark.parametrize("names", [("result.json",), ("release-body.md",), ("result.json", "release-body.md")])
@pytest.mark.parametrize("lines", [10, 40_000], ids=["short", "long"])
def test_classroom50_entry_leaves_no_result_and_no_text_that_was_pushed(
    bundle: Path, tmp_path: Path, names: tuple[str, ...], lines: int
) -> None:
    python = tmp_path / "python"
    python.write_text(GRADES.format(lines=lines))
    python.chmod(0o755)
    checkout = tmp_path / "r"
    for name in names:  # deeper than Python calls itself
        subprocess.run(["mkdir", "-p", f"{checkout / name}{'/a' * 1500}"], check=True)

    ran = run_entry(bundle, checkout, tmp_path / "temp", str(python))

    assert ran.returncode == 0, ran.stdout
    assert json.loads((checkout / "result.json").read_text())["max-score"] == 1
    text = (checkout / "release-body.md").read_text()
    assert text.startswith("## 0 / 1")
    assert ("left out" in text) == (lines > 10)
    assert len(text) < 125_000
    assert sorted(path.name for path in checkout.iterdir()) == ["release-body.md", "result.json"]


def test_classroom50_entry_without_a_grader_leaves_no_text_that_was_pushed(bundle: Path, tmp_path: Path) -> None:
    checkout = tmp_path / "r"
    (checkout / "result.json/x").mkdir(parents=True)
    (checkout / "release-body.md").write_text("## 14 / 14")

    ran = run_entry(bundle, checkout, tmp_path / "temp", "/bin/false")

    assert ran.returncode == 0, ran.stdout
    assert valid_result(checkout / "result.json")["tests"] == []
    assert [path.name for path in checkout.iterdir()] == ["result.json"]


def run_gradescope(bundle: Path, root: Path, python: str) -> dict[str, Any]:
    ran = subprocess.run(
        [str(bundle / "autograder/run_autograder")],
        env={"PATH": os.environ["PATH"], "AUTOGRADER_ROOT": str(root), "GRADER_PYTHON": python},
        cwd="/",
        capture_output=True,
        timeout=240,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    results: dict[str, Any] = json.loads((root / "results/results.json").read_text())
    assert set(results) >= {"output", "tests", "visibility", "stdout_visibility"}
    return results


def test_gradescope_entry_takes_everything_uploaded_as_one_students(bundle: Path, tmp_path: Path) -> None:
    submission = tmp_path / "submission"
    (submission / "work").mkdir(parents=True)
    shutil.copy(SOLUTIONS / BACKPROP, submission / "work" / BACKPROP)
    (submission / "json.py").write_text("raise SystemExit('imported')\n")

    results = run_gradescope(bundle, tmp_path, sys.executable)

    assert results["score"] == 14
    assert [test["name"] for test in results["tests"]] == ["lin_grad", "relu_grad", "mse_grad", "forward_and_backward"]


def test_gradescope_entry_without_a_grader_leaves_a_result_without_a_score(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "submission").mkdir()

    results = run_gradescope(bundle, tmp_path, "/bin/false")

    assert "score" not in results
    assert results["tests"] == []
