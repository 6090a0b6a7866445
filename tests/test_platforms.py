"""What a run tells GitHub, Gradescope and Classroom 50, and what they get where the grader itself failed."""

from __future__ import annotations

import base64
import html
import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

import grader.cli.scoring
from grader.cli import app
from grader.cli.outcome import exit_status
from grader.model import ExerciseScore, RunReport, SubmissionReport
from grader.platforms import Platforms
from tests.github.runner import outputs_in

VARIABLES = ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_ACTIONS")


def report(score: float | None = 3.0, **fields: Any) -> SubmissionReport:
    exercises = () if score is None else (ExerciseScore("lin_grad", "Linear", "partial", score, 4.0),)
    made = SubmissionReport("ada", "03_backprop.ipynb", "03_backprop.ipynb", "0", "graded", score, 4.0, 0.1)
    return replace(made, **{"exercises": exercises, **fields})


def run(*reports: SubmissionReport, assigned: dict[str, float] | None = None) -> RunReport:
    return RunReport("0.1.0", "autograd", 1, "2.13.0", "bwrap", reports, assigned=assigned or {})


@pytest.fixture(autouse=True)
def _no_github(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def step(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A step's files, as GitHub sets them; returns the one of the outputs."""
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "output"))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary"))
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    return tmp_path / "output"


def decoded(text: str) -> dict[str, Any]:
    result: dict[str, Any] = json.loads(base64.b64decode(text, validate=True))
    assert set(result) == {"version", "status", "max_score", "tests"}
    assert result["tests"]
    return result


# -------------------------------------------------------------------------------------------- GitHub


def test_step_outputs_are_appended_with_the_summary(step: Path) -> None:
    step.write_text("before=1\n")

    Platforms(github=True).write(run(report(), assigned={"lin_grad": 4.0, "mse_grad": 1.0}))

    outputs = outputs_in(step)
    assert list(outputs)[:4] == ["before", "total_score", "total_possible", "total_percentage"]
    assert (outputs["total_score"], outputs["total_possible"], outputs["total_percentage"]) == ("3", "5", "60")
    assert decoded(outputs["result"])["max_score"] == 5
    assert decoded(outputs["mse_grad"])["status"] == "fail"
    summary = (step.parent / "summary").read_text()
    assert summary.startswith("## 3 / 5 · 60 %")
    assert "found in no notebook: mse_grad (1)" in html.unescape(summary)


@pytest.mark.parametrize("variable", VARIABLES)
def test_annotations_are_printed_where_any_variable_of_a_runner_is_set(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str], variable: str
) -> None:
    monkeypatch.setenv(variable, str(tmp_path / "file"))

    Platforms(github=True).write(run(report(None, status="unreadable", reason="not JSON")))

    assert capsys.readouterr().out.startswith("::error file=03_backprop.ipynb,title=could not be read")


def test_step_outputs_without_githubs_variables_say_what_was_not_written(capsys: pytest.CaptureFixture[str]) -> None:
    Platforms(github=True).write(run(report(None, status="unreadable", reason="::error::x")))

    said = capsys.readouterr()
    assert said.out == ""
    assert "$GITHUB_OUTPUT is not set" in said.err
    assert "$GITHUB_STEP_SUMMARY is not set" in said.err
    assert "::" not in said.err


def test_step_outputs_that_cannot_be_written_are_told_and_grading_goes_on(
    step: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_OUTPUT", str(step.parent))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(step.parent / "no" / "folder"))

    Platforms(github=True).write(run(report()))

    said = capsys.readouterr().err
    assert "the step's outputs not written" in said
    assert "the job's summary not written" in said


def test_step_of_a_spare_notebook_beside_a_graded_one_is_no_error(
    step: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spare = report(None, status="no_exercises", notebook="scratch.ipynb", possible=0.0)

    Platforms(github=True).write(run(report(), spare, assigned={"lin_grad": 4.0, "mse_grad": 1.0}))

    outputs = outputs_in(step)
    assert outputs["total_score"] == "3"
    assert decoded(outputs["mse_grad"])["status"] == "fail"
    assert "scratch" not in capsys.readouterr().out
    assert "scratch" in (step.parent / "summary").read_text()
    assert exit_status(run(report(), spare), None) == 0


# --------------------------------------------------------------------------- Gradescope, Classroom 50


def test_results_are_written_whole_into_folders_that_are_made(tmp_path: Path) -> None:
    Platforms(gradescope=tmp_path / "a/b/results.json").write(run(report()))
    Platforms(classroom50=tmp_path / "c/result.json").write(run(report(), assigned={"lin_grad": 4.0, "mse_grad": 1.0}))

    assert json.loads((tmp_path / "a/b/results.json").read_text())["score"] == 3
    Platforms(junit=tmp_path / "d/grades.xml").write(run(report()))
    assert ElementTree.parse(tmp_path / "d/grades.xml").getroot().get("errors") == "0"
    result = json.loads((tmp_path / "c/result.json").read_text())
    assert (result["score"], result["max-score"]) == (3, 5)
    assert [path.name for path in (tmp_path / "c").iterdir()] == ["result.json"]
    (tmp_path / "other").touch()
    assert (tmp_path / "c/result.json").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_results_replace_a_link_and_do_not_follow_it(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("untouched")
    (tmp_path / "result.json").symlink_to(target)

    Platforms(classroom50=tmp_path / "result.json").write(run(report()))

    assert target.read_text() == "untouched"
    assert not (tmp_path / "result.json").is_symlink()


@pytest.mark.parametrize("place", ["file/results.json", "folder"])
def test_results_to_a_bad_path_are_a_usage_error(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()

    (error,) = Platforms(gradescope=tmp_path / place).write(run(report()))

    assert "cannot be written" in str(error)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


@pytest.mark.parametrize(
    "reports",
    [
        [report(None, status="unreadable", reason="is no notebook\n::error::x")],
        [report(None, status="grader_error", reason="the grader failed here")],
        [report(exercises=(ExerciseScore("lin_grad", "Linear", "grader_error", 0.0, 4.0),))],
        [],
    ],
    ids=["unreadable", "grader failed", "grader failed in one", "nothing"],
)
def test_classroom50_takes_what_was_not_graded_for_an_error_not_for_a_pass(
    step: Path, reports: list[SubmissionReport]
) -> None:
    Platforms(classroom50=step.parent / "result.json").write(run(*reports))

    result = json.loads((step.parent / "result.json").read_text())
    assert (result["score"], result["max-score"], result["tests"]) == (0, 0, [])
    outputs = outputs_in(step)
    assert outputs["status"] == "error"
    assert outputs["summary"].startswith("not graded: ")


# ------------------------------------------------------------------------------------------ failures


def test_failure_gives_every_platform_a_valid_result(step: Path) -> None:
    folder = step.parent
    Platforms(
        github=True,
        gradescope=folder / "g/results.json",
        junit=folder / "j/grades.xml",
        classroom50=folder / "c/result.json",
        course="autograd",
        assigned=("03_backprop",),
    ).fail("disk full\n::error::x")

    outputs = outputs_in(step)
    assert outputs["status"] == "error"
    assert {name for name in outputs if not name.startswith("total_")} == {
        "result", "lin_grad", "relu_grad", "mse_grad", "forward_and_backward", "status", "summary",
    }  # fmt: skip
    result = decoded(outputs["result"])
    assert (result["status"], result["max_score"]) == ("error", 14)
    assert {test["status"] for test in result["tests"]} == {"error"}
    assert decoded(outputs["lin_grad"])["max_score"] == 4
    gradescope = json.loads((folder / "g/results.json").read_text())
    assert "score" not in gradescope
    assert gradescope["tests"] == []
    assert json.loads((folder / "c/result.json").read_text())["tests"] == []
    assert ElementTree.parse(folder / "j/grades.xml").getroot().get("errors") == "1"
    assert "does not count as zero points" in (folder / "summary").read_text()


def test_failure_without_assigned_notebooks_blames_no_total_on_the_student(step: Path) -> None:
    Platforms(github=True, course="autograd").fail("no such path")

    outputs = outputs_in(step)
    assert decoded(outputs["result"])["max_score"] == 0
    assert decoded(outputs["lin_grad"])["status"] == "error"


def test_failure_of_the_course_itself_still_gives_a_result(step: Path) -> None:
    Platforms(github=True, course="no such course", assigned=("x",)).fail("there is no course")

    assert decoded(outputs_in(step)["result"])["status"] == "error"


def test_failure_to_a_bad_path_is_told_and_the_others_are_served(
    step: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Platforms(github=True, gradescope=step.parent, classroom50=step.parent / "result.json").fail("x")

    assert (step.parent / "result.json").is_file()
    assert "cannot be written" in capsys.readouterr().err
    assert "result" in outputs_in(step)


def test_score_with_one_file_that_cannot_be_written_tells_the_other_platforms_what_was_graded(
    step: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grader.cli.scoring, "_score", lambda *_: run(report()))
    monkeypatch.chdir(step.parent)
    Path("folder").mkdir()

    ran = CliRunner().invoke(app, ["score", ".", "--junit", "folder", "--gradescope", "results.json"])

    assert ran.exit_code == 2
    assert "folder cannot be written" in ran.stderr
    assert decoded(outputs_in(step)["result"])["status"] != "error"
    assert json.loads(Path("results.json").read_text())["tests"]


def test_score_that_is_interrupted_tells_the_platforms(step: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(grader.cli.scoring, "_score", interrupt)
    monkeypatch.chdir(step.parent)

    ran = CliRunner().invoke(app, ["score", ".", "--junit", "grades.xml"])

    assert ran.exit_code == 130
    assert decoded(outputs_in(step)["result"])["status"] == "error"
    assert "interrupted" in Path("grades.xml").read_text()


@pytest.mark.parametrize("exit_zero", [True, False])
@pytest.mark.parametrize(
    ("paths", "status"), [(["/nowhere/at/all"], 2), (["."], 4)], ids=["bad path", "a crash of the grader"]
)
def test_score_that_fails_tells_the_platforms(
    step: Path, monkeypatch: pytest.MonkeyPatch, paths: list[str], status: int, exit_zero: bool
) -> None:
    def crash(*_: object) -> None:
        raise ZeroDivisionError("inside\n::error::x")

    monkeypatch.setattr(grader.cli.scoring, "_score", crash)
    monkeypatch.chdir(step.parent)
    files = ["--gradescope", "results.json", "--classroom50", "result.json", "--junit", "grades.xml"]

    ran = CliRunner().invoke(app, ["score", *paths, *files, *(["--exit-zero"] if exit_zero else [])])

    assert ran.exit_code == (0 if exit_zero else status)
    assert decoded(outputs_in(step)["result"])["status"] == "error"
    assert json.loads(Path("results.json").read_text())["tests"] == []
    assert json.loads(Path("result.json").read_text())["tests"] == []
    assert "inside" in Path("grades.xml").read_text() or paths != ["."]


@pytest.mark.parametrize(
    ("options", "environment"),
    [
        (["--jobs", "0"], {}),
        (["--sandbox", "glass"], {}),
        (["--fail-under", "200"], {}),
        (["--no-such-option"], {}),
        ([], {"GRADER_SEED": "a passphrase"}),
    ],
    ids=["number", "choice", "range", "unknown option", "seed of the environment"],
)
@pytest.mark.parametrize("exit_zero", [True, False])
def test_score_whose_command_line_is_refused_tells_the_platforms(
    step: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], environment: dict[str, str], exit_zero: bool
) -> None:
    monkeypatch.chdir(step.parent)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    files = ["--gradescope", "results.json", "--classroom50", "result.json", "--junit", "grades.xml"]

    command = ["score", *options, ".", *files, "--assigned", "03_backprop", *(["--exit-zero"] if exit_zero else [])]
    ran = CliRunner().invoke(app, command)

    assert ran.exit_code == (0 if exit_zero else 2)
    assert "rror" in ran.stderr
    assert decoded(outputs_in(step)["result"])["status"] == "error"
    assert decoded(outputs_in(step)["result"])["max_score"] == decoded(outputs_in(step)["lin_grad"])["max_score"] + 10
    assert json.loads(Path("results.json").read_text())["tests"] == []
    assert json.loads(Path("result.json").read_text())["tests"] == []
    assert ElementTree.parse("grades.xml").getroot().get("errors") == "1"
    assert "a passphrase" not in Path("results.json").read_text()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--junit", "ada.ipynb"], "--junit names a file to write, and ada.ipynb has the name of what is handed in"),
        (["--gradescope", "x/class.zip"], "x/class.zip has the name of what is handed in"),
        (["--course", "./mine.py", "--junit", "mine.py"], "mine.py has the name of what is handed in, or is code"),
        (["--classroom50", "hw"], "hw is read by the same command"),
        (["--roster", "list.csv", "--junit", "./list.csv"], "is read by the same command"),
        (["--junit", "grades/gradebook.db"], "grades/gradebook.db belongs to the grades in grades"),
        (["--out", "x", "--gradescope", "x/report.json"], "x/report.json belongs to the grades in x"),
        (["--junit", "grades/students/ada.html"], "belongs to the grades in grades"),
        (["--gradescope", "x.json", "--junit", "./x.json"], "--junit names a file to write, and x.json is that of"),
        (["--junit", "ada.ipynb", "--jobs", "0"], "Invalid value"),
    ],
    ids=[
        "notebook",
        "archive",
        "course",
        "path",
        "roster",
        "gradebook",
        "report",
        "page",
        "twice",
        "refused otherwise",
    ],
)
def test_score_writes_no_results_over_something_else(
    step: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], told: str
) -> None:
    monkeypatch.setattr(grader.cli.scoring, "_score", lambda *_: run(report()))
    monkeypatch.chdir(step.parent)
    for name in ("ada.ipynb", "hw", "x/class.zip", "x/report.json", "x.json", "list.csv", "grades/gradebook.db"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text("kept")
    ran = CliRunner().invoke(app, ["score", ".", "hw", *options])

    assert ran.exit_code == 2
    assert told in " ".join(ran.stderr.split())
    written = {path.name for path in Path().rglob("*") if path.is_file() and path.read_text() != "kept"}
    assert written == {"output", "summary"}
    assert decoded(outputs_in(step)["result"])["status"] == "error"


def test_score_without_anything_to_grade_is_refused_and_told_where_only_github_asks(
    step: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS")

    assert CliRunner().invoke(app, ["score"]).exit_code == 2
    assert not step.exists()
    assert CliRunner().invoke(app, ["score", "--github"]).exit_code == 2
    assert decoded(outputs_in(step)["result"])["status"] == "error"


def test_seed_comes_from_the_environment_and_an_absent_secret_is_none(
    step: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int | None] = []

    def note(options: Any) -> RunReport:
        seen.append(options.seed)
        return run(report())

    monkeypatch.setattr(grader.cli.scoring, "_score", note)
    for value in ("8430125519", ""):
        monkeypatch.setenv("GRADER_SEED", value)
        assert CliRunner().invoke(app, ["score", str(step.parent), "--no-github"]).exit_code == 0

    assert seen == [8430125519, None]
