"""The command line as a user types it, in a process of its own where kernels run."""

from __future__ import annotations

import asyncio
import contextlib
import csv
import io
import json
import os
import pty
import shlex
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import unicodedata
import zipfile
from dataclasses import astuple, replace
from pathlib import Path
from typing import Any

import jsonschema
import psutil
import pytest
import typer
from typer.core import TyperGroup
from typer.main import get_command
from typer.testing import CliRunner, Result

from grader._version import __version__
from grader.batch import ScoreOptions
from grader.cli import app
from grader.cli.outcome import BELOW, GRADED, TO_DO, UNGRADED, USAGE, errors_told
from grader.cli.values import size
from grader.errors import GradebookBusy, UsageError
from grader.gradebook.book import FILE_NAME, Gradebook
from grader.gradebook.overrides import Ruling
from grader.gradebook.run_head import RunHead, RunSettings
from grader.kernel.host.doctor import Finding
from grader.model import Hints, RunReport, SubmissionStatus
from grader.platforms import Platforms
from grader.report import load_schema
from tests.fakes import InProcessPool
from tests.report.builders import exercise, submission
from tests.samples import BACKPROP, EXERCISES, ROOT, SOLUTIONS, answered, hand_in

runner = CliRunner()


def run_cli(*arguments: object, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """``grader …`` in another process, outside the repository."""
    command = [sys.executable, "-m", "grader", *map(str, arguments)]
    clean = {key: value for key, value in os.environ.items() if not key.startswith("GITHUB_")}
    return subprocess.run(
        command, cwd=cwd, env={**clean, **environment}, capture_output=True, text=True, timeout=240, check=False
    )


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    folder = tmp_path_factory.mktemp("demo")
    return folder, run_cli("demo", "--dir", folder / "class", cwd=folder)


def test_demo_writes_a_class_grades_it_and_names_the_report(
    demo: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    folder, done = demo
    assert done.returncode == GRADED, done.stderr
    assert "13 submissions by 13 students" in done.stdout
    assert f"wrote {folder / 'class/grades/index.html'}" in done.stdout
    assert (folder / "class/grades/index.html").is_file()
    assert len(list((folder / "class/grades/students").glob("*.html"))) == 13


def test_report_json_keeps_to_its_schema_and_its_sums(demo: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    folder, _ = demo
    report = json.loads((folder / "class/grades/report.json").read_text())

    jsonschema.validate(report, load_schema())
    by_student = {one["student"]: one for one in report["submissions"]}
    assert by_student["ada"]["score"] == by_student["ada"]["possible"] == 14.0
    assert by_student["linus"]["status"] == "unreadable"
    assert by_student["linus"]["score"] is None
    assert {one["status"] for one in by_student["katherine"]["exercises"]} == {"not_implemented"}
    for one in by_student.values():
        assert sum(exercise["score"] for exercise in one["exercises"]) == (one["score"] or 0)


def test_gradebook_csv_has_a_row_for_every_student(demo: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    folder, _ = demo
    with (folder / "class/grades/gradebook.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))

    assert len(rows) == 13


def test_score_again_grades_nothing_and_changes_nothing(
    demo: tuple[Path, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, _ = demo
    grades = folder / "class/grades"
    before = (grades / "report.json").read_bytes()
    monkeypatch.setattr("grader.batch.KernelPool", InProcessPool)
    command = ["score", str(folder / "class/submissions"), "--out", str(grades), "--check-seconds", "2", "--no-github"]

    done = runner.invoke(app, command)

    assert done.exit_code == UNGRADED, done.output
    assert InProcessPool.ran == []
    assert (grades / "report.json").read_bytes() == before


def test_report_and_export_need_no_kernel(demo: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    folder, _ = demo
    again = runner.invoke(app, ["report", str(folder / "class/grades")])
    exported = runner.invoke(app, ["export", str(folder / "class/grades"), "--to", "moodle"])

    assert again.exit_code == GRADED, again.output
    assert exported.exit_code == GRADED, exported.output
    assert exported.stdout.startswith("ID number,03_backprop,03_backprop (feedback)\nada,14,")  # each week a column


def test_report_gives_the_hints_that_the_pages_had(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grader.batch.KernelPool", InProcessPool)
    monkeypatch.chdir(tmp_path)
    hand_in(tmp_path, {"ada": answered({"lin_grad": "def lin_grad(inp, out, w, b): inp.g = w.g = b.g = 0"})})
    runner.invoke(app, ["score", "ada", "--sandbox", "none", "--no-github", "--hints", "none"])
    (page,) = Path("grades/students").iterdir()

    def hinted(*options: str) -> bool:
        done = runner.invoke(app, ["report", *options])
        assert done.exit_code == GRADED, done.output
        return 'class="hint"' in page.read_text("utf-8")

    assert 'class="hint"' not in page.read_text("utf-8")
    assert [hinted(), hinted("--hints", "nudge"), hinted(), hinted("--hints", "none"), hinted()] == [
        False, True, True, False, False,
    ]  # fmt: skip


def test_check_tells_a_student_what_passes_and_what_does_not(tmp_path: Path) -> None:
    wrong = {
        "lin_grad": "def lin_grad(inp, out, w, b):\n    inp.g = out.g @ w.t()\n    w.g = out.g.t() @ inp\n    b.g = 0\n"
    }
    hand_in(tmp_path, {"ada": answered(wrong)})

    done = runner.invoke(app, ["check", str(tmp_path / "ada/03_backprop.ipynb")])

    assert done.exit_code == GRADED, done.output
    assert "lin_grad  1 / 4" in done.stdout
    assert "relu_grad  2 / 2" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["score", "nowhere"], USAGE, "does not exist"),
        (["score", ".", "--course", "no_such_course"], USAGE, "no course"),
        (["score", ".", "--memory", "lots"], USAGE, "--memory: 'lots' is not a size in bytes"),
        (["score", ".", "--printed", "1"], USAGE, "--printed: '1' is less than a notebook needs"),
        (["score", ".", "--cell-seconds", "nan"], USAGE, "Invalid value for '--cell-seconds'"),
        (["score", ".", "--fail-under", "nan"], USAGE, "Invalid value for '--fail-under'"),
        (["score", ".", "--sandbox", "glass"], USAGE, "glass"),
        (["score", ".", "--seed", "-1"], USAGE, "--seed"),
        (["score", ".", "--processes", "3"], USAGE, "--processes"),
        (["score", ".", "--seed", "abc"], USAGE, "this is not a seed"),
        (["score", ""], USAGE, "it is empty"),
        (["score", ".", "--out", ""], USAGE, "it is empty"),
        (["init", ""], USAGE, "it is empty"),
        (["score", ".", "--who"], USAGE, "no notebook found"),
        (["score", ".", "--who", "--assigned", "3_backprop"], USAGE, "no notebook '3_backprop'"),
        (["score", ".", "--assigned", "03_backprop", "04_layers"], USAGE, "with commas between them"),
        (["score", ".", "--student-pattern", "("], USAGE, "regular expression"),
        (["report", "nowhere"], USAGE, "no gradebook"),
        (["export", "nowhere"], USAGE, "no gradebook"),
        (["override", "--out", "nowhere"], USAGE, "no gradebook"),
        (["check", "nowhere.ipynb"], USAGE, "does not exist"),
        (["check", "."], USAGE, "is no notebook"),
        (["release", "nowhere", "elsewhere"], USAGE, "nowhere"),
        (["frobnicate"], USAGE, "frobnicate"),
    ],
    ids=lambda value: "-".join(value[:3]) if isinstance(value, list) else None,
)
def test_cli_given_what_cannot_be_meant_says_so_and_ends_with_usage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], status: int, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)

    done = runner.invoke(app, arguments)

    assert done.exit_code == status, done.output
    assert said in done.output


def test_score_hands_on_every_limit_that_is_an_option(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[ScoreOptions] = []

    def score_class(options: ScoreOptions, _: object) -> None:
        asked.append(options)
        raise UsageError("so far")

    monkeypatch.setattr("grader.batch.score_class", score_class)
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    given = [option for option in group.commands["score"].params if getattr(option, "rich_help_panel", "") == "Limits"]
    numbers = {option.opts[0]: 2**28 + number for number, option in enumerate(given)}
    arguments = [text for name, number in numbers.items() for text in (name, str(number))]
    runner.invoke(app, ["score", str(tmp_path), "--out", str(tmp_path / "out"), *arguments])

    read = replace(asked[0].reading, code=0, files=0, notebooks=0)  # which are no options
    assert [*astuple(asked[0].limits), *filter(None, astuple(read))] == [*numbers.values()]


def test_help_breaks_no_sentence_where_the_source_does() -> None:
    """Of what follows the first paragraph of a help, each line of the source begins one."""
    commands = get_command(app)
    assert isinstance(commands, TyperGroup)
    for name, command in commands.commands.items():
        for paragraph in (command.help or "").split("\n\n")[1:]:
            assert all(line.endswith(".") for line in paragraph.strip().splitlines()), name


def test_help_lists_first_what_is_used_most() -> None:
    said = runner.invoke(app, ["--help"]).output

    places = [said.index(f" {name} ") for name in ("score", "check", "report", "release")]
    assert places == sorted(places)


@pytest.mark.parametrize(
    "command", ["score", "check", "report", "override", "export", "release", "validate", "init", "demo"]
)
def test_help_names_every_option_in_full_at_80_columns(command: str) -> None:
    said = runner.invoke(app, [command, "--help"], env={"COLUMNS": "80"}).output

    group = get_command(app)
    assert isinstance(group, TyperGroup)
    options = [name for option in group.commands[command].params for name in option.opts]
    assert max(map(len, said.splitlines())) <= 80
    assert [name for name in options if name.startswith("--") and f" {name} " not in said] == []


def test_export_compares_the_class_with_the_roster(demo: tuple[Path, object], tmp_path: Path) -> None:
    roster = tmp_path / "roster.csv"
    roster.write_text('student;ID\nada;1\n"Came, Never";2\n', encoding="utf-8")
    grades = str(demo[0] / "class/grades")

    done = runner.invoke(app, ["export", grades, "--to", "canvas", "--roster", str(roster), "-f", str(tmp_path / "x")])

    assert done.exit_code == GRADED, done.output
    assert "note: no submission, or only under another name: Came, Never" in done.stderr
    assert "note: not in the roster with its 'ID' or 'SIS User ID' or 'SIS Login ID', so exported by" in done.stderr


@pytest.mark.parametrize("to", ["canvas", "moodle", "gradescope", "brightspace", "csv"])
def test_export_tells_that_a_roster_is_of_another_platform(to: str, demo: tuple[Path, object], tmp_path: Path) -> None:
    own = {"canvas": "SIS User ID", "moodle": "ID number", "gradescope": "Email", "brightspace": "OrgDefinedId"}
    for heading, cell, told in (("Matrikel", "7", to != "csv"), (own.get(to, "x"), "7", False)):
        (tmp_path / "list.csv").write_text(f"student,ID number,{heading}\nada,,{cell}\n")
        command = ["export", str(demo[0] / "class/grades"), "--to", to, "--roster", str(tmp_path / "list.csv")]
        done = runner.invoke(app, command)
        assert done.exit_code == GRADED, done.output
        assert (f"by which {to.capitalize()} knows a student, so all are exported by" in done.stderr) is told


def test_export_shows_what_a_roster_quotes_as_text_only(demo: tuple[Path, object], tmp_path: Path) -> None:
    grades, hostile = str(demo[0] / "class/grades"), "a\x1b[2Jb\n\nnote: all fine"
    roster = tmp_path / "roster.csv"
    for heading, cell, said in (
        ("student,ID", f'"{hostile}",1', "note: no submission, or only under another name: ab note: all fine"),
        (f'"{hostile}",ID', "x,1", "error: "),
    ):
        roster.write_text(f"{heading}\n{cell}\n", encoding="utf-8")
        done = run_cli("export", grades, "--to", "canvas", "--roster", str(roster), cwd=tmp_path)
        assert said in done.stderr
        assert "\x1b" not in done.stderr
        assert "\nnote: all" not in done.stderr


@pytest.mark.parametrize(("name", "told"), [("", True), ("HW3 (1234)", False), ("HW3", False), ("HW4", True)])
def test_export_tells_that_canvas_would_make_an_assignment(
    name: str, told: bool, demo: tuple[Path, object], tmp_path: Path
) -> None:
    roster = tmp_path / "roster.csv"
    roster.write_text("student,ID,HW3 (1234),Current Score\nada,1,,\n", encoding="utf-8")
    grades = str(demo[0] / "class/grades")

    done = runner.invoke(
        app, ["export", grades, "--to", "canvas", "--roster", str(roster), *(["--assignment", name] if name else [])]
    )

    assert done.exit_code == GRADED, done.output
    assert ("and will make one; --assignment names one of: HW3 (1234)" in done.stderr) is told


@pytest.mark.parametrize(("worth", "told"), [([], True), (["--out-of", "100"], False)])
def test_export_tells_where_full_marks_are_others_there(
    worth: list[str], told: bool, demo: tuple[Path, object], tmp_path: Path
) -> None:
    roster = tmp_path / "roster.csv"
    roster.write_text("student,Student,ID,HW3 (1234)\n,Points Possible,,100\nada,Ada,1,\n", encoding="utf-8")
    command = ["export", str(demo[0] / "class/grades"), "--to", "canvas", "--roster", str(roster), *worth]

    done = runner.invoke(app, [*command, "--assignment", "HW3 (1234)"])

    assert done.exit_code == GRADED, done.output
    said = "full marks are 100 points there (HW3 (1234)), and 14 in this file: --out-of 100 makes them the same"
    assert (said in done.stderr) is told


def test_override_counts_in_what_is_written_next_and_can_be_withdrawn(
    demo: tuple[Path, object], tmp_path: Path
) -> None:
    grades = shutil.copytree(demo[0] / "class/grades", tmp_path / "grades")

    def say(*arguments: str) -> Result:
        return runner.invoke(app, ["override", "--out", str(grades), *arguments])

    done = say("claude", "lin_grad", "3", "--reason", "the sheet had it wrong")
    assert done.exit_code == GRADED, done.output
    assert "note: claude, 03_backprop.ipynb: 11 of 14 points" in done.stderr
    assert say().stdout == (
        "claude 03_backprop.ipynb lin_grad set by hand to 3 of 4 points (the grader gave 2): the sheet had it wrong\n"
    )
    exported = runner.invoke(app, ["export", str(grades)])
    assert "claude,3,2,2,4,11,14," in exported.stdout

    right = say("claude", "lin_grad", "4", "--reason", "all of it")
    assert "lin_grad 4 / 4 by your ruling; forward_and_backward failed because of it" in right.stderr
    assert say("claude", "lin_grad", "--withdraw").exit_code == GRADED
    commented = say("claude", "lin_grad", "-m", "name your variables")
    assert "10 of 14 points in all, lin_grad 2 / 4 as graded, with your comment" in commented.stderr
    assert say().stdout == "claude 03_backprop.ipynb lin_grad comment: name your variables\n"
    assert say("claude", "lin_grad", "--withdraw").exit_code == GRADED
    emptied = say()
    assert (emptied.stdout, emptied.stderr) == ("", f"note: nothing was ruled in {grades}\n")
    assert "claude,2,2,2,4,10,14," in runner.invoke(app, ["export", str(grades)]).stdout


def test_override_tells_what_takes_whose_place(demo: tuple[Path, object], tmp_path: Path) -> None:
    grades = shutil.copytree(demo[0] / "class/grades", tmp_path / "grades")

    def told(*arguments: str) -> list[str]:
        done = runner.invoke(app, ["override", "claude", "lin_grad", *arguments, "--out", str(grades)])
        return [line for line in done.stderr.splitlines() if "in place of what was ruled before" in line]

    place = "note: in place of what was ruled before: "
    assert told("-m", "nice") == []
    assert told("3", "-m", "late") == [f"{place}a comment for lin_grad of claude (nice)"]
    assert told("3", "-m", "late") == told("-m", "late") == []
    assert told("-m", "clear") == [f"{place}the reason of 3 for lin_grad of claude (late)"]
    assert told("1", "-m", "clear") == [f"{place}3 for lin_grad of claude (clear)"]


def test_override_from_a_file_takes_all_of_it_or_nothing(demo: tuple[Path, object], tmp_path: Path) -> None:
    grades = shutil.copytree(demo[0] / "class/grades", tmp_path / "grades")
    file = tmp_path / "rulings.csv"
    head = "student,exercise,points,reason\nclaude,lin_grad,3,r\nada,relu_grad,0,r\n"

    def say() -> Result:
        return runner.invoke(app, ["override", "--out", str(grades), "--from", str(file)])

    file.write_text(head + "Ada,lin_grad,1,r\n")
    assert (done := say()).exit_code == USAGE
    assert "line 4: no student in the gradebook is called 'Ada'" in done.output
    assert runner.invoke(app, ["override", "--out", str(grades)]).stdout == ""

    file.write_text(head)
    assert (done := say()).exit_code == GRADED, done.output
    assert "note: ruled on 2 answers of 2 students" in done.stderr
    assert runner.invoke(app, ["override", "--out", str(grades)]).stdout.count("set by hand") == 2
    assert runner.invoke(app, ["override", "ada", "--out", str(grades), "--from", str(file)]).exit_code == USAGE


def test_override_of_another_gradebook_comes_home_and_tells_what_it_replaces(
    demo: tuple[Path, object], tmp_path: Path
) -> None:
    here, there = (shutil.copytree(demo[0] / "class/grades", tmp_path / name) for name in ("here", "there"))

    def say(grades: Path, *arguments: str) -> Result:
        return runner.invoke(app, ["override", "--out", str(grades), *arguments])

    say(here, "claude", "lin_grad", "1", "-m", "seen in haste")
    say(there, "claude", "lin_grad", "3", "-m", "half an idea")
    say(there, "ada", "lin_grad", "-m", "neat")
    with Gradebook(there / FILE_NAME) as book:
        book.rule(Ruling("claude", "relu_grad", "of an earlier notebook", 0.0, "r"))
    listed = say(there, "--csv")
    (tmp_path / "r.csv").write_text(listed.stdout)
    (tmp_path / "before.csv").write_text(listed.stdout.replace(",2,4", ",0,4"))

    assert listed.stdout.splitlines()[0] == "student,exercise,points,reason,sha256,graded,possible,made"
    assert "not counted, being on no notebook of the last run: 0 for relu_grad of claude" in listed.stderr
    home = say(here, "--from", str(tmp_path / "r.csv"))
    assert "ruled on 2 answers of 2 students" in home.stderr
    assert "1 answer without points: a comment" in home.stderr
    assert "in place of what was ruled before: 1 for lin_grad of claude (seen in haste)" in home.stderr
    assert "in place" not in say(here, "--from", str(tmp_path / "r.csv")).stderr
    assert say(here, "--csv").stdout == listed.stdout
    mended = say(here, "--from", str(tmp_path / "before.csv")).stderr
    assert "graded otherwise since: 3 for lin_grad of claude (the grader gave 0 / 4, and gives 2 / 4 now)" in mended


@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["points first", "comment first"])
def test_points_and_a_later_comment_come_home_together_in_either_order(
    order: tuple[int, int], demo: tuple[Path, object], tmp_path: Path
) -> None:
    home = demo[0] / "class/grades"
    copies = [shutil.copytree(home, tmp_path / name) for name in ("points", "comment", "home")]
    for copy, said in zip(copies, (["3", "-m", "by half"], ["-m", "well tried"]), strict=False):
        runner.invoke(app, ["override", "claude", "lin_grad", *said, "--out", str(copy)])
        listed = runner.invoke(app, ["override", "--csv", "--out", str(copy)])
        (copy / "mine.csv").write_text(listed.stdout)

    for place in order:
        done = runner.invoke(app, ["override", "--from", str(copies[place] / "mine.csv"), "--out", str(copies[2])])
        assert "not taken" not in done.stderr

    (decided,) = runner.invoke(app, ["override", "--csv", "--out", str(copies[2])]).stdout.splitlines()[1:]
    assert decided.split(",")[:4] == ["claude", "lin_grad", "3", "well tried"]


def test_override_of_several_copies_comes_home_so_that_of_each_answer_the_last_decision_holds(
    demo: tuple[Path, object], tmp_path: Path
) -> None:
    def say(grades: Path, *arguments: str) -> Result:
        done = runner.invoke(app, ["override", "--out", str(grades), *arguments])
        assert done.exit_code == GRADED, done.output
        return done

    home = shutil.copytree(demo[0] / "class/grades", tmp_path / "home")
    for exercise_, reason in (("lin_grad", "base"), ("relu_grad", "mistaken"), ("mse_grad", "hasty")):
        say(home, "claude", exercise_, "1", "-m", reason)
    one, other = (shutil.copytree(home, tmp_path / name) for name in ("one", "other"))
    say(one, "claude", "lin_grad", "4", "-m", "right after all")
    say(one, "claude", "mse_grad", "--withdraw")
    say(home, "claude", "relu_grad", "--withdraw")
    say(other, "ada", "lin_grad", "0", "-m", "copied")
    for copy in (one, other):
        (tmp_path / f"{copy.name}.csv").write_text(say(copy, "--csv").stdout)

    first, second = (say(home, "--from", str(tmp_path / f"{copy.name}.csv")).stderr for copy in (one, other))

    assert "in place of what was ruled before: 1 for lin_grad of claude (base); 1 for mse_grad of claude" in first
    assert "not taken, something else having been decided here later: 1 for relu_grad of claude\n" in first
    for lost in ("1 for lin_grad of claude", "1 for mse_grad of claude", "1 for relu_grad of claude"):
        assert lost in second.partition("not taken, something else having been decided here later: ")[2]
    assert "ruled on 1 answer of 1 student;" in second
    assert [line.split(",")[:4] for line in say(home, "--csv").stdout.splitlines()[1:]] == [
        ["ada", "lin_grad", "0", "copied"],
        ["claude", "lin_grad", "4", "right after all"],
        ["claude", "mse_grad", "withdrawn", ""],
        ["claude", "relu_grad", "withdrawn", ""],
    ]
    changed = (tmp_path / "one.csv").read_text().replace("4,right after all", "3,by half")
    (tmp_path / "one.csv").write_text(changed)  # in a spreadsheet, with the time of before
    assert "4 for lin_grad of claude" in say(home, "--from", str(tmp_path / "one.csv")).stderr
    assert "3,by half" in say(home, "--csv").stdout


def test_override_from_a_file_takes_the_names_that_the_platform_has(demo: tuple[Path, object], tmp_path: Path) -> None:
    grades = shutil.copytree(demo[0] / "class/grades", tmp_path / "grades")
    (tmp_path / "roster.csv").write_text("student,Login,Section\nclaude,cl7,A\nada,ada1,A\n")
    rulings = tmp_path / "r.csv"

    def say() -> Result:
        names = ["--from", str(rulings), "--roster", str(tmp_path / "roster.csv")]
        return runner.invoke(app, ["override", "--out", str(grades), *names])

    rulings.write_text("student,exercise,points,reason\ncl7,lin_grad,3,r\nA,lin_grad,3,r\n")
    assert (done := say()).exit_code == USAGE
    assert "line 3: no student in the gradebook is called 'A'" in done.output
    assert "line 2" not in done.output
    rulings.write_text("student,exercise,points,reason\ncl7,lin_grad,3,r\n")
    assert say().exit_code == GRADED
    assert runner.invoke(app, ["override", "--out", str(grades)]).stdout.startswith("claude 03_backprop.ipynb lin_grad")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--roster", "list.csv"], "--roster is for the names in a file"),
        (["claude", "--csv"], "--csv prints all that was ruled"),
        (["--from", "r.csv", "--csv"], "either in a file or on the command line"),
        (["claude"], "an override is a student, an exercise and points"),
        (["--withdraw"], "an override is a student, an exercise and points"),
        (["--reason", "r"], "an override is a student, an exercise and points"),
        (["", "lin_grad", "3", "--reason", "r"], "an override is a student, an exercise and points"),
        (["claude", "lin_grad", "-0.5", "--reason", "r"], "lin_grad is worth 4 points, not -0.5"),
        (["claude", "lin_grad", "3", "--reasn", "r"], "No such option"),
        (["claude", "lin_grad"], "or is withdrawn"),
        (["claude", "lin_grad", "--reason", " "], "a reason alone is a comment"),
        (["claude", "lin_grad", "3", "--withdraw"], "or is withdrawn"),
        (["claude", "lin_grad", "3"], "a ruling needs a reason"),
        (["claude", "lin_grad", "3", "--reason", " "], "a ruling needs a reason"),
        (["claude", "lin_grad", "nan", "--reason", "r"], "nan is not a number"),
        (["claude", "lin_grad", "5", "--reason", "r"], "worth 4 points"),
        (["claude", "lin_grad", "--withdraw"], "nothing was ruled"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_override_that_cannot_be_meant_says_so(demo: tuple[Path, object], arguments: list[str], said: str) -> None:
    done = runner.invoke(app, ["override", "--out", str(demo[0] / "class/grades"), *arguments])
    assert done.exit_code == USAGE, done.output
    assert said in done.output


def test_override_where_no_gradebook_is_says_which_option_names_one(demo: tuple[Path, object], tmp_path: Path) -> None:
    """``report`` and ``export`` take the folder as an argument, which here is the student."""
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(tmp_path)
        done = runner.invoke(app, ["override", str(demo[0] / "class/grades")])
    assert done.exit_code == USAGE
    assert "there is no gradebook in grades" in done.stderr
    assert done.stderr.endswith(", here too: --out\n")


def test_override_knows_a_name_whose_letters_and_marks_are_apart(tmp_path: Path) -> None:
    with Gradebook(tmp_path / FILE_NAME) as book:
        book.begin(RunHead(RunSettings("0.1.0", "autograd", 7, "2.13.0", "bwrap"), 1))
        book.store("zoe", "f", submission("Zoë", exercise("lin_grad")))
    apart = unicodedata.normalize("NFD", "Zoë")
    done = runner.invoke(app, ["override", apart, "lin_grad", "3", "--reason", "x", "--out", str(tmp_path)])
    assert done.exit_code == GRADED, done.output


def test_run_that_was_interrupted_hides_no_ruling_and_takes_the_place_of_no_report(tmp_path: Path) -> None:
    head = RunHead(RunSettings("0.1.0", "autograd", 7, "2.13.0", "bwrap"), 2)
    with Gradebook(tmp_path / FILE_NAME) as book:
        book.begin(head)
        for student in ("ada", "bob"):
            book.store(student, "f", submission(student, exercise("lin_grad")))
    assert runner.invoke(app, ["report", str(tmp_path)]).exit_code == GRADED
    with Gradebook(tmp_path / FILE_NAME) as book:
        book.begin(head)
        book.store("ada", "g", submission("ada", exercise("lin_grad")))
    sheet = (tmp_path / "gradebook.csv").read_text()

    said = "the last run was interrupted: 1 of 2 submissions are graded"
    ruled = runner.invoke(app, ["override", "bob", "lin_grad", "3", "-m", "x", "--out", str(tmp_path)])
    assert (ruled.exit_code, ruled.stderr.count(f"note: {said}; the others stand here")) == (GRADED, 1)
    assert "grader report" not in ruled.stderr
    listed = runner.invoke(app, ["override", "--csv", "--out", str(tmp_path)])
    assert "bob,lin_grad,3,x," in listed.stdout
    assert "not counted" not in listed.stderr
    for command in ("report", "export"):
        refused = runner.invoke(app, [command, str(tmp_path)])
        assert (refused.exit_code, refused.stdout) == (USAGE, "")
        assert f"error: {said}\n" in refused.stderr
    assert (tmp_path / "gradebook.csv").read_text() == sheet


def test_report_of_a_first_run_that_was_interrupted_holds_what_is_graded_and_says_that_more_is_to_come(
    tmp_path: Path,
) -> None:
    with Gradebook(tmp_path / FILE_NAME) as book:
        book.begin(RunHead(RunSettings("0.1.0", "autograd", 7, "2.13.0", "bwrap"), 2))
        book.store("ada", "f", submission("ada", exercise("lin_grad")))
    done = runner.invoke(app, ["report", str(tmp_path)])
    assert done.exit_code == GRADED
    assert "the last run was interrupted: 1 of 2 submissions are graded; `grader score` again goes on" in done.stderr
    assert "ada" in (tmp_path / "gradebook.csv").read_text()


@pytest.mark.parametrize(
    ("ruling", "status", "why"),
    [
        (Ruling("ada", "lin_grad", "the digest of an earlier one", 1.0, "r"), "graded", "no notebook of the last run"),
        (Ruling("ada", "lin_grad", "of hers", 9.0, "r"), "graded", "an exercise that is worth less now, or gone"),
        (Ruling("ada", "gone", "of hers", 1.0, "r"), "graded", "an exercise that is worth less now, or gone"),
        (Ruling("ada", "lin_grad", "of hers", 1.0, "r"), "not_assigned", "a notebook that is not assigned now"),
    ],
)
def test_override_lists_why_what_was_ruled_counts_no_more(
    ruling: Ruling, status: SubmissionStatus, why: str, tmp_path: Path
) -> None:
    answers = () if status == "not_assigned" else (exercise("lin_grad"),)
    with Gradebook(tmp_path / FILE_NAME) as book:
        book.begin(RunHead(RunSettings("0.1.0", "autograd", 7, "2.13.0", "bwrap"), 1))
        book.store("ada", "f", replace(submission("ada"), exercises=answers, sha256="of hers", status=status))
        book.rule(ruling)

    done = runner.invoke(app, ["override", "--out", str(tmp_path)])

    assert (done.exit_code, done.stdout) == (GRADED, "")
    assert done.stderr == f"note: not counted, being on {why}: {ruling.score:g} for {ruling.exercise} of ada\n"


@pytest.mark.parametrize("worth", ["inf", "nan", "0"])
def test_export_refuses_full_marks_that_are_no_number_of_points(worth: str) -> None:
    refused = CliRunner().invoke(app, ["export", "--to", "canvas", "--out-of", worth])
    assert refused.exit_code == USAGE
    assert "--out-of" in refused.output


def test_validate_refuses_a_number_of_seeds_where_quick_has_its_own() -> None:
    refused = runner.invoke(app, ["validate", "--quick", "--seeds", "5"])
    assert (refused.exit_code, refused.stdout) == (USAGE, "")
    assert "--quick has its own number of seeds" in refused.stderr


def test_export_gives_the_students_pages_back(demo: tuple[Path, object], tmp_path: Path) -> None:
    archive = tmp_path / "feedback.zip"
    done = runner.invoke(app, ["export", str(demo[0] / "class/grades"), "--feedback", str(archive)])

    assert done.exit_code == GRADED, done.output
    assert "nothing came from a download of Moodle" in done.stderr
    with zipfile.ZipFile(archive) as zipped:
        assert len(zipped.namelist()) == 13


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--file", "grades/gradebook.db"], "--file names a file to write, and grades/gradebook.db belongs to"),
        (["--feedback", "grades/students/x.zip"], "grades/students/x.zip belongs to the grades in grades"),
        (["--file", "x.csv", "--feedback", "./x.csv"], "--feedback names a file to write, and x.csv is that of --file"),
        (["--roster", "x.csv", "--file", "x.csv"], "x.csv is read by the same command"),
        (["--file", "x.ipynb"], "x.ipynb has the name of what is handed in"),
        (["--file", "x.zip"], "x.zip has the name of what is handed in"),
    ],
    ids=["gradebook", "page", "twice", "roster", "notebook", "archive"],
)
def test_export_writes_over_nothing_else(
    demo: tuple[Path, object], options: list[str], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(demo[0] / "class")
    before = Path("grades/gradebook.db").read_bytes()
    done = runner.invoke(app, ["export", "grades", *options])
    assert (done.exit_code, done.stdout) == (USAGE, "")
    assert told in " ".join(done.stderr.split())
    assert Path("grades/gradebook.db").read_bytes() == before
    assert not Path("x.zip").exists()


def test_cli_who_lists_everyone_and_grades_nothing(tmp_path: Path) -> None:
    hand_in(tmp_path / "class", {"ada": "{}", "alan": "{}"})

    done = runner.invoke(app, ["score", str(tmp_path / "class"), "--out", str(tmp_path / "grades"), "--who"])

    assert done.exit_code == GRADED, done.output
    assert "2 submissions by 2 students" in done.output
    assert "more" not in done.output
    assert not (tmp_path / "grades").exists()


def test_cli_who_tells_of_whom_there_is_nothing(tmp_path: Path) -> None:
    hand_in(tmp_path / "class", {"ada": "{}", "alan": "{}"})
    (tmp_path / "list.csv").write_text("student\nada\nzoe\n", encoding="utf-8")

    done = runner.invoke(app, ["score", str(tmp_path / "class"), "--who", "--roster", str(tmp_path / "list.csv")])

    assert done.exit_code == GRADED, done.output
    assert done.stderr.splitlines() == [
        "note: Handed in nothing, or only under another name: 1 student (zoe).",
        "note: Not on the class list, or there under another name: 1 student (alan).",
    ]


def test_score_below_fail_under_ends_with_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grader.batch.KernelPool", InProcessPool)
    monkeypatch.chdir(tmp_path)
    # What is untouched is not right, and can yet be graded: 8 of 14 points.
    hand_in(tmp_path, {"ada": answered({"forward_and_backward": "raise NotImplementedError"})})
    command = ["score", "ada", "--sandbox", "none", "--no-github", "--fail-under"]

    ended = {under: runner.invoke(app, [*command, under]).exit_code for under in ("100", "58", "57", "0")}

    assert ended == {"100": BELOW, "58": BELOW, "57": GRADED, "0": GRADED}


def test_release_check_of_the_course_finds_nothing_to_write() -> None:
    done = runner.invoke(app, ["release", str(SOLUTIONS), str(EXERCISES), "--check"])

    assert done.exit_code == GRADED, done.output


def test_release_check_of_changed_exercises_ends_with_one(tmp_path: Path) -> None:
    done = runner.invoke(app, ["release", str(SOLUTIONS), str(tmp_path / "exercises"), "--check"])

    assert done.exit_code == TO_DO
    assert "differing" in done.output


#: The command line without kernels, for what runs nothing.
WITHOUT_KERNELS = """
import sys
sys.path.insert(0, sys.argv.pop(1))
import grader.batch
from grader.cli import main
from tests.fakes import InProcessPool
grader.batch.KernelPool = InProcessPool
main()
"""


@pytest.fixture
def graded(demo: tuple[Path, object], tmp_path: Path) -> list[str]:
    """A command that grades the demo's class once more, which runs nothing, into a folder whose reports are gone."""
    grades = shutil.copytree(demo[0] / "class/grades", tmp_path / "grades")
    (grades / "report.json").unlink()
    command = [sys.executable, "-c", WITHOUT_KERNELS, str(ROOT), "score", str(demo[0] / "class/submissions")]
    return [*command, "--out", str(grades), "--check-seconds", "2", "--no-github"]


def test_a_run_whose_output_nobody_reads_writes_its_reports(graded: list[str], tmp_path: Path) -> None:
    command = graded
    grader = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert grader.stdout is not None
    grader.stdout.close()
    _, complaints = grader.communicate(timeout=240)

    assert grader.returncode == UNGRADED, complaints
    assert not complaints
    assert (tmp_path / "grades/report.json").is_file()


def test_a_run_whose_output_finds_no_room_says_so_and_writes_its_reports(graded: list[str], tmp_path: Path) -> None:
    command = graded
    trouble = "standard output cannot be written: No space left on device"
    with Path("/dev/full").open("w") as full:
        how: dict[str, Any] = {"cwd": tmp_path, "stdout": full, "stderr": subprocess.PIPE, "text": True, "timeout": 240}
        grader = subprocess.run(command, check=False, **how)
        others = [[*command, "--who"], [*command[:4], "export", str(tmp_path / "grades")]]
        printed = [subprocess.run(other, check=False, **how) for other in others]

    assert grader.returncode == UNGRADED, grader.stderr
    assert grader.stderr.splitlines() == [f"note: {trouble}; the run goes on, and writes its reports"]
    assert (tmp_path / "grades/report.json").is_file()
    for done in printed:
        assert done.returncode == USAGE
        assert done.stderr.splitlines() == [f"error: {trouble}", "  send it where there is room"]


def test_a_command_whose_remarks_find_no_room_or_reader_ends_as_it_would(graded: list[str], tmp_path: Path) -> None:
    nobody, theirs = os.pipe()
    os.close(nobody)
    how: dict[str, Any] = {"cwd": tmp_path, "timeout": 240}
    with Path("/dev/full").open("w") as full:
        run = subprocess.run([*graded, "--fail-under", "100"], check=False, stdout=full, stderr=full, **how)
    refused = subprocess.run([*graded, "--nonsense"], check=False, stderr=theirs, **how)
    os.close(theirs)
    assert (run.returncode, refused.returncode) == (UNGRADED, USAGE)
    assert (tmp_path / "grades/report.json").is_file()


@pytest.mark.parametrize(
    ("before", "ended"),
    [
        pytest.param("default_int_handler", (130, "", "\ninterrupted\n"), id="at a terminal"),
        pytest.param("SIG_IGN", (0, f"grader {__version__}\n", ""), id="in the background"),
    ],
)
def test_interrupted_while_all_is_imported_says_so_in_a_line(before: str, ended: tuple[int, str, str]) -> None:
    code = (
        f"import signal, sys\nsignal.signal(signal.SIGINT, signal.{before})\nfrom grader.__main__ import main\n"
        "class Finder:\n"
        "    def find_spec(name, path=None, target=None):\n"
        "        if name == 'grader.cli.scoring': signal.raise_signal(signal.SIGINT)\n"
        "sys.meta_path.insert(0, Finder)\n"
        "sys.argv = ['grader', '--version']\nmain()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == ended


def test_file_in_place_of_the_folder_for_the_grades_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.ipynb").write_text("{}")
    done = runner.invoke(app, ["score", str(tmp_path / "x.ipynb"), "--out", str(tmp_path / "x.ipynb")])
    assert done.exit_code == USAGE
    assert f"error: {tmp_path}/x.ipynb: a file, where a folder is needed" in done.stderr


@pytest.mark.parametrize("command", ["check x.ipynb", "score x.ipynb", "score x.ipynb --who", "init new", "validate"])
def test_python_without_torch_is_told_in_a_line(command: str, tmp_path: Path) -> None:
    (tmp_path / "x.ipynb").write_text("{}")
    code = (
        "import sys; sys.modules['torch'] = None\nfrom grader.__main__ import main\n"
        f"sys.argv = {['grader', *command.split()]}\nmain()"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == USAGE, done.stderr
    told, remedy = done.stderr.splitlines()
    assert told.startswith(f"error: the grader needs torch, which {sys.executable} cannot import: ")
    assert f"({shlex.quote(sys.executable)} -m pip install torch)" in remedy


def test_library_that_does_not_load_is_told_by_its_file(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as ended, errors_told():
        raise ImportError("failed to map segment from shared object", name="_C", path="/site-packages/torch/_C.so")
    told, remedy = capsys.readouterr().err.splitlines()
    assert ended.value.exit_code == USAGE
    assert told == "error: /site-packages/torch/_C.so cannot be loaded: failed to map segment from shared object"
    assert "pip install" not in remedy


def test_working_folder_that_is_gone_is_told_and_told_the_platforms(tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    junit, outputs, summary = (tmp_path / name for name in ("j.xml", "outputs", "summary"))
    code = "import os; os.rmdir(os.getcwd())\nfrom grader.__main__ import main\nmain()"
    command = [sys.executable, "-c", code, "score", str(tmp_path), "--exit-zero", "--github", "--junit", str(junit)]
    environment = {**os.environ, "GITHUB_OUTPUT": str(outputs), "GITHUB_STEP_SUMMARY": str(summary)}
    how: dict[str, Any] = {"cwd": tmp_path / "gone", "env": environment, "capture_output": True, "text": True}
    done = subprocess.run(command, check=False, **how)
    assert done.stderr.splitlines() == ["error: the working folder is gone", "  change to one that exists (cd)"]
    assert done.returncode == GRADED
    assert all("the working folder is gone" in path.read_text(encoding="utf-8") for path in (junit, summary))
    assert outputs.is_file()


def test_grammar_that_jupyterlab_brings_is_not_loaded(tmp_path: Path) -> None:
    (tmp_path / "rfc3987_syntax.py").write_text("raise AssertionError('loaded, which takes a second')")
    code = (
        "import sys; sys.argv = ['grader', '--version']\n"
        "from grader.cli import main\ntry: main()\nfinally: import jsonschema"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_python_m_grader_in_a_hostile_folder_imports_nothing_of_it(tmp_path: Path) -> None:
    # A grader.py here would be taken for the package itself: CI uses the command, or `python -I -m grader`.
    for name in ("json", "torch", "typer", "rich", "sitecustomize"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('imported from the working directory')\n")

    done = run_cli("--version", cwd=tmp_path)

    assert done.returncode == GRADED, done.stderr
    assert done.stdout.startswith("grader ")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("7", 7), ("2K", 2048), ("1.5m", 1572864), ("4G", 4 * 1024**3), ("4GB", 4 * 1024**3), ("1 KiB", 1024), ("9B", 9)],
)
def test_size_reads_bytes_with_a_suffix(text: str, expected: int) -> None:
    assert size(text) == expected


@pytest.mark.parametrize("text", ["", "0", "-1", "K", "many", "1T", "nan", "1e999"])
def test_size_refuses_what_is_none(text: str) -> None:
    with pytest.raises(UsageError):
        size(text)


def test_size_below_what_a_notebook_needs_is_refused() -> None:
    with pytest.raises(UsageError, match="less than a notebook needs"):
        size("4", "256M")
    assert size("256M", "256M") == 256 * 1024**2


@pytest.mark.parametrize(
    "arguments",
    [
        ["export", "class/grades", "--file", "no/such/folder/x.csv"],
        ["export", "class/grades", "--file", "/dev/full"],
        ["score", "class/submissions", "--out", "class/grades/report.json"],
        ["demo", "--dir", "class/grades/report.json"],
        ["init", "class/grades/report.json"],
    ],
    ids=["export", "full disk", "score", "demo", "init"],
)
def test_place_that_cannot_be_written_is_an_error_of_use_and_no_traceback(
    demo: tuple[Path, object], arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(demo[0])
    done = runner.invoke(app, arguments)

    assert done.exit_code == USAGE, done.output
    assert f"error: {arguments[-1]}: " in done.stderr
    assert ("a file, where a folder is needed" in done.stderr) is arguments[-1].endswith(".json")


def test_pipe_in_place_of_a_report_is_not_called_a_file(demo: tuple[Path, object], tmp_path: Path) -> None:
    grades = shutil.copytree(demo[0] / "class/grades", tmp_path / "grades")
    (grades / "report.json").unlink()
    os.mkfifo(grades / "report.json")
    done = runner.invoke(app, ["report", str(grades)])
    assert done.exit_code == USAGE, done.output
    assert f"error: {grades / 'report.json'}: no regular file, which is not replaced" in done.stderr


def test_log_that_cannot_be_opened_is_told_once_and_ends_no_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(InProcessPool):
        broken = frozenset({f"ada/{BACKPROP}", f"bob/{BACKPROP}"})

    monkeypatch.setattr("grader.batch.KernelPool", Broken)
    hand_in(tmp_path / "class", dict.fromkeys(("ada", "bob", "cyd"), answered({})))
    (tmp_path / "grades/grader.log").mkdir(parents=True)
    done = runner.invoke(app, ["score", str(tmp_path / "class"), "--out", str(tmp_path / "grades"), "--no-github"])

    assert done.exit_code == UNGRADED, done.output
    assert done.stderr.count(f"note: {tmp_path}/grades/grader.log cannot be written: Is a directory; ") == 1
    report = json.loads((tmp_path / "grades/report.json").read_text())
    assert [one["status"] for one in report["submissions"]] == ["grader_error", "grader_error", "graded"]


def test_reports_are_written_while_the_gradebook_is_locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Path] = []

    def write(run: RunReport, out: Path, *, hints: Hints) -> tuple[Path, ...]:
        with pytest.raises(GradebookBusy):
            Gradebook(out / FILE_NAME)
        seen.append(out)
        return ()

    monkeypatch.setattr("grader.batch.KernelPool", InProcessPool)
    monkeypatch.setattr("grader.report.files.write_reports", write)
    grades = tmp_path / "grades"
    hand_in(tmp_path / "class", {"ada": answered({})})
    for command in (["score", str(tmp_path / "class"), "--out", str(grades), "--no-github"], ["report", str(grades)]):
        done = runner.invoke(app, command)
        assert done.exit_code == GRADED, done.output
    assert seen == [grades, grades]


@pytest.mark.parametrize("there", [False, True])
def test_score_of_nothing_leaves_no_folder_of_grades_that_was_not_there(
    there: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grader.batch.KernelPool", InProcessPool)
    (tmp_path / "empty").mkdir()
    if there:
        (tmp_path / "grades").mkdir()
    done = runner.invoke(app, ["score", str(tmp_path / "empty"), "--out", str(tmp_path / "grades"), "--no-github"])
    assert done.exit_code == USAGE, done.output
    assert "no notebook found" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", *["grades"] * there]


def test_error_that_no_terminal_reads_is_one_line_and_so_is_its_remedy(tmp_path: Path) -> None:
    command = ["score", str(EXERCISES), "--assigned", "99", "--out", str(tmp_path / "grades")]
    done = runner.invoke(app, command, env={"COLUMNS": "40"})
    error, remedy = done.stderr.splitlines()
    assert error == "error: the course 'autograd' has no notebook '99'"
    assert remedy.startswith("  its notebooks are 01_tensors, ")
    assert remedy.endswith(", 09_capstone")


def test_path_that_no_terminal_shows_is_in_one_line(demo: tuple[Path, object], tmp_path: Path) -> None:
    file = tmp_path / "a folder" / ("long " * 30) / "x.csv"
    file.parent.mkdir(parents=True)
    done = runner.invoke(app, ["export", str(demo[0] / "class/grades"), "--file", str(file)])
    assert done.stdout == f"wrote {file}\n"


def test_doctor_shows_brackets_of_a_path_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    findings = [Finding("warn", "no bwrap in /opt/[bold]/x[/red]", "install it in [bold]")]
    monkeypatch.setattr("grader.kernel.host.doctor.doctor", lambda: findings)
    done = runner.invoke(app, ["doctor"])
    assert done.output.splitlines() == ["! no bwrap in /opt/[bold]/x[/red]", "    install it in [bold]"]


@pytest.mark.parametrize("columns", ["", "wide", "0"])
def test_width_that_is_no_number_is_as_if_there_were_none(demo: tuple[Path, object], columns: str) -> None:
    grades = str(demo[0] / "class/grades")
    told = [runner.invoke(app, ["report", grades], env={"COLUMNS": width}) for width in (columns, "120")]
    assert told[0].exit_code == GRADED
    assert told[0].stdout == told[1].stdout


def test_damaged_row_of_a_gradebook_is_told(
    demo: tuple[Path, subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    folder, _ = demo
    shutil.copytree(folder / "class/grades", tmp_path / "grades")
    with contextlib.closing(sqlite3.connect(tmp_path / "grades/gradebook.db")) as database:
        database.execute("UPDATE submission SET report = '{' WHERE rowid = (SELECT MIN(rowid) FROM submission)")
        database.commit()

    done = runner.invoke(app, ["report", str(tmp_path / "grades")])

    assert done.exit_code == USAGE
    assert "is damaged" in done.output


def test_who_as_csv_has_whole_names_and_the_platforms_number(tmp_path: Path) -> None:
    name = "lovelace" * 8
    (tmp_path / f"{name}_4711_99001_03_backprop.ipynb").write_text("{}")
    (tmp_path / "hopper_4712_99002_03_backprop.ipynb").write_text("{}")

    done = runner.invoke(app, ["score", str(tmp_path), "--who-csv"])

    rows = list(csv.DictReader(io.StringIO(done.output)))
    assert [(row["student"], row["number"], row["notebook"]) for row in rows] == [
        ("hopper", "4712", "03_backprop.ipynb"),
        (name, "4711", "03_backprop.ipynb"),
    ]


def test_who_leaves_the_grades_out_as_score_does(tmp_path: Path) -> None:
    hand_in(tmp_path, {"ada": answered({}), "bob": answered({})})
    (tmp_path / "grades" / "students").mkdir(parents=True)
    (tmp_path / "grades" / "x.ipynb").write_text("{}")

    done = runner.invoke(app, ["score", str(tmp_path), "--who", "--out", str(tmp_path / "grades")])

    assert done.exit_code == GRADED, done.output
    assert "2 submissions by 2 students" in done.output


def test_command_goes_on_where_hangups_are_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with errors_told():
            signal.raise_signal(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_request_to_end_that_comes_with_the_last_step_of_a_run_is_heard(capsys: pytest.CaptureFixture[str]) -> None:
    async def last_step() -> None:
        other = asyncio.create_task(asyncio.sleep(60))
        await asyncio.sleep(0)
        other.cancel()
        for _ in range(2):  # what is put away then is not interrupted
            signal.raise_signal(signal.SIGTERM)

    with pytest.raises(typer.Exit) as ended, errors_told(resumes="go on"):
        asyncio.run(last_step())
    assert ended.value.exit_code == 128 + signal.SIGTERM
    assert capsys.readouterr().err.split() == ["asked", "to", "end;", "go", "on"]
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_request_to_end_is_heard_within_a_step_that_no_other_task_waits_for() -> None:
    went_on = []

    async def collecting() -> None:
        signal.raise_signal(signal.SIGTERM)
        went_on.append("to the next archive")

    with pytest.raises(typer.Exit) as ended, errors_told():
        asyncio.run(collecting())
    assert ended.value.exit_code == 128 + signal.SIGTERM
    assert not went_on


def test_archives_that_a_killed_run_unpacked_go_with_the_next(tmp_path: Path) -> None:
    (tmp_path / "class").mkdir()
    with zipfile.ZipFile(tmp_path / "class/all.zip", "w") as archive:
        archive.writestr(f"ada/{BACKPROP}", (EXERCISES / BACKPROP).read_text(encoding="utf-8"))
    (tmp_path / "temporary").mkdir()
    environment = {**os.environ, "TMPDIR": str(tmp_path / "temporary")}
    command = [sys.executable, "-m", "grader", "score", "class"]
    process = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 240
    while not list((tmp_path / "temporary").rglob(BACKPROP)):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.001)
    process.kill()
    process.wait()
    assert list((tmp_path / "temporary").iterdir())
    subprocess.run([*command, "--who"], cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL, check=True)
    assert not list((tmp_path / "temporary").iterdir())


def test_request_to_end_while_a_text_is_executed_has_its_own_status(tmp_path: Path) -> None:
    (tmp_path / "asked.py").write_text("""if True:
        import signal, sys
        from grader.cli import outcome
        for _ in range(2):  # the first time much is imported after it
            try:
                with outcome.errors_told():
                    exec("signal.raise_signal(signal.SIGTERM)")
            except outcome.typer.Exit as end:
                status = end.exit_code
        sys.exit(status)
    """)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [str(tmp_path), os.getenv("PYTHONPATH")]))}
    done = subprocess.run([sys.executable, "-m", "asked"], env=environment, check=False)
    assert done.returncode == 128 + signal.SIGTERM


@pytest.mark.parametrize(
    ("end", "word"),
    [(signal.SIGINT, "interrupted"), (signal.SIGTERM, "asked to end"), (signal.SIGHUP, "asked to end")],
)
def test_command_that_is_stopped_says_how_to_go_on(
    end: signal.Signals, word: str, capfd: pytest.CaptureFixture[str]
) -> None:
    heard: list[str] = []

    class Impatient(Platforms):
        def fail(self, message: str) -> None:
            signal.raise_signal(end)  # once more, while it is told
            heard.append(message)

    before = signal.signal(end, lambda *_: heard.append("handler"))  # which is not to be the one that is asked
    try:
        with pytest.raises(typer.Exit) as ended, errors_told(Impatient(), resumes="go on"):
            signal.raise_signal(end)
        signal.raise_signal(end)
    finally:
        signal.signal(end, before)
    assert ended.value.exit_code == 128 + end
    assert capfd.readouterr().err == f"\n{word}; go on\n"
    assert heard == [f"the run was {word}", "handler"]


@pytest.mark.parametrize(
    ("end", "word", "interrupts"),
    [
        pytest.param(signal.SIGINT, "interrupted", "default", id="ctrl_c"),
        pytest.param(signal.SIGHUP, "", "default", id="terminal_closed"),  # where nobody reads what is said
        # As a script has it for what it runs in the background.
        pytest.param(signal.SIGTERM, "asked to end", "ignore", id="kill_in_background"),
    ],
)
def test_score_that_is_stopped_puts_all_away_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: signal.Signals, word: str, interrupts: str
) -> None:
    text = (SOLUTIONS / BACKPROP).read_text(encoding="utf-8")
    slow = text.replace("import torch", "import time, torch; time.sleep(60)", 1)
    hand_in(tmp_path / "class", {"ada": text, "zoe": slow})
    # a hangup may be ignored where the tests run (nohup)
    signals = ["env", "--default-signal=HUP", f"--{interrupts}-signal=INT"]
    command = [*signals, sys.executable, "-m", "grader", "score", "class", "--jobs", "2"]
    terminal, theirs = pty.openpty()
    out, err = (subprocess.DEVNULL, subprocess.PIPE) if word else (theirs, theirs)
    process = psutil.Popen(command, cwd=tmp_path, stdout=out, stderr=err)
    os.close(theirs)
    deadline = time.monotonic() + 240
    while len(started := process.children(recursive=True)) < 6:  # until a kernel is up
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(1)  # in which it comes to a cell
    started += process.children(recursive=True)
    place = Path(f"/proc/{started[0].pid}/fd/1").readlink().parent
    assert place.name.startswith("grader-")
    os.close(terminal)
    process.send_signal(end)
    _, said = process.communicate(timeout=240)
    _, left = psutil.wait_procs(started, timeout=240)

    assert process.returncode == 128 + end
    assert not word or said.decode().split() == f"{word}; run the same command again to go on".split()
    assert not left
    assert not place.exists()
    if end == signal.SIGINT:  # what is left on disk is the same after each
        (tmp_path / "class/zoe" / BACKPROP).write_text(text, encoding="utf-8")
        monkeypatch.chdir(tmp_path)
        assert "graded 2 of 2" in runner.invoke(app, ["score", "class"]).stdout
