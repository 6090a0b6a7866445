"""docs/authors.md, followed to the letter: its files are written, its commands run, its output compared.

A fence's first word is the language, the second the file. A notebook is written a cell at a time, with the cell's
exercise as a third word; ``diff`` changes a file that stands there (hunks end with ``@@``); ``sh`` is run, and ``text``
after it is what it printed, numbers and times aside, where ``…`` stands for what is left out.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from grader.course.loading import load_course
from grader.judge.diagnosis import naming

GUIDE = Path(__file__).parents[1] / "docs" / "authors.md"
FENCE = re.compile(r"^```(?P<kind>\w+)(?P<words>[^\n]*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    kind: str
    words: tuple[str, ...]
    body: str


@dataclass(frozen=True)
class Ran:
    """A command of the guide: how it ended, what it printed, and what the guide says it prints."""

    command: str
    status: int
    expected_status: int
    stdout: str
    stderr: str
    shown: str = ""


@dataclass
class Reader:
    """Someone who follows the guide in an empty folder."""

    folder: Path
    ran: list[Ran] = field(default_factory=list)

    def follow(self, block: Block) -> None:
        if block.kind == "sh":
            self._run(block)
        elif block.kind == "text":
            last = self.ran.pop()
            self.ran.append(Ran(last.command, last.status, last.expected_status, last.stdout, last.stderr, block.body))
        elif block.kind == "diff":
            self._change(block)
        elif block.words[0].endswith(".ipynb"):
            self._add_cell(block)
        else:
            self._write(block.words[0], block.body)

    def _write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        if name == "pyproject.toml":
            self._install(text)

    def _install(self, text: str) -> None:
        """What ``pip install -e .`` leaves behind, in a folder of its own on ``PYTHONPATH``."""
        project = tomllib.loads(text)["project"]
        about = self.folder / ".installed" / f"{project['name']}-{project['version']}.dist-info"
        about.mkdir(parents=True)
        (about / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
        )
        points = project["entry-points"]["grader.courses"]
        (about / "entry_points.txt").write_text(
            "[grader.courses]\n" + "".join(f"{name} = {module}\n" for name, module in points.items())
        )

    def _add_cell(self, block: Block) -> None:
        path = self.folder / block.words[0]
        path.parent.mkdir(parents=True, exist_ok=True)
        notebook: dict[str, Any] = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
        if path.exists():
            notebook = json.loads(path.read_text())
        metadata = {"grader": {"exercise": block.words[1]}} if block.words[1:] else {}
        cell: dict[str, Any] = {"cell_type": "code", "metadata": metadata, "outputs": [], "execution_count": None}
        cell |= {"id": f"cell-{len(notebook['cells'])}", "source": block.body.rstrip("\n").splitlines(keepends=True)}
        notebook["cells"].append(cell)
        path.write_text(json.dumps(notebook, indent=1))

    def _change(self, block: Block) -> None:
        path = self.folder / block.words[0]
        text = path.read_text()
        for hunk in block.body.split("@@\n"):
            lines = hunk.splitlines(keepends=True)
            old, new = ("".join(line[1:] for line in lines if line[0] == sign) for sign in "-+")
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        path.write_text(text)

    def _run(self, block: Block) -> None:
        tools = self.folder / ".tools"
        if not tools.exists():
            tools.mkdir()
            (tools / "grader").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m grader "$@"\n')
            (tools / "grader").chmod(0o755)
        installed = self.folder / ".installed"
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "GRADER_"))}
        environment |= {"PATH": f"{tools}:{os.environ['PATH']}", "COLUMNS": "100"}
        if installed.exists():
            environment["PYTHONPATH"] = f"{installed}:{self.folder}"
        done = subprocess.run(
            ["bash", "-e", "-c", block.body],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        status = int(block.words[1]) if block.words[:1] == ("exits",) else 0
        self.ran.append(Ran(block.body, done.returncode, status, done.stdout, done.stderr))


def blocks() -> list[Block]:
    found = FENCE.finditer(GUIDE.read_text(encoding="utf-8"))
    return [Block(match["kind"], tuple(match["words"].split()), match["body"]) for match in found]


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    """The guide, read to its end."""
    reader = Reader(tmp_path_factory.mktemp("logistic"))
    for block in blocks():
        reader.follow(block)
    return reader


def said(text: str) -> str:
    """What a command said, on one line: no frames, no widths, ``#`` for each number."""
    plain = re.sub(r"[^\w\s:./,=+-]", " ", text.replace("−", "-"))
    return " ".join(re.sub(r"-?[\d.]*\d(?:e[+-]?\d+)?", "#", plain).split())


def report_of(reader: Reader, out: str) -> dict[str, dict[str, dict[str, Any]]]:
    """Student → exercise → its score."""
    report = json.loads((reader.folder / out / "report.json").read_text())
    return {one["student"]: {each["id"]: each for each in one["exercises"]} for one in report["submissions"]}


def test_every_command_of_the_guide_ends_as_it_says(reader: Reader) -> None:
    assert [one.status for one in reader.ran] == [one.expected_status for one in reader.ran], reader.ran


def test_every_output_in_the_guide_is_real(reader: Reader) -> None:
    assert sum(bool(one.shown) for one in reader.ran) == len(reader.ran) == 5
    for one in reader.ran:
        pieces = [said(piece) for piece in one.shown.split("…\n")]
        assert all(piece in said(one.stdout) for piece in pieces), one.stdout + one.stderr
        assert len(pieces) > 1 or pieces == [said(one.stdout)], one.stdout


def test_first_proof_names_the_survivor_and_the_second_holds(reader: Reader) -> None:
    first, second = (one.stdout for one in reader.ran if "validate" in one.command)
    assert "the mistake overflows loses nothing" in first
    assert second.rstrip().endswith("proved")


def test_solutions_earn_full_marks_and_released_stubs_are_not_implemented(reader: Reader) -> None:
    report = report_of(reader, "grades")
    assert {name: one["score"] for name, one in report["ada"].items()} == {"predict_proba": 2.0, "logistic_grad": 3.0}
    assert {one["status"] for one in report["alan"].values()} == {"not_implemented"}


@pytest.mark.parametrize(("out", "student"), [("grades", "barbara"), ("grades-of-barbara", "barbara")])
def test_mistake_gets_its_code_by_path_and_by_entry_point(reader: Reader, out: str, student: str) -> None:
    scores = report_of(reader, out)[student]
    assert scores["predict_proba"]["status"] == "passed"
    codes = {check["diagnosis"]["code"] for check in scores["logistic_grad"]["checks"]}
    assert codes == {"missing_mean"}


def test_released_notebook_holds_no_answer(reader: Reader) -> None:
    text = (reader.folder / "exercises" / "logistic.ipynb").read_text()
    assert text.count("raise NotImplementedError") == 2
    assert "torch.sigmoid" not in text


def test_kinds_of_exercises_are_shown_by_the_bundled_course() -> None:
    bundled = load_course("grader.course.autograd").exercises
    rows = re.findall(r"^\| .+ \| (.+) \| `(\w+)` \|$", GUIDE.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(rows) == 11
    for how, name in rows:
        for keyword in re.findall(r"`(\w+)=", how):
            field = "variants" if keyword == "points" else keyword
            assert getattr(bundled[name], field), (name, field)


def test_names_that_the_diagnosis_knows_are_told() -> None:
    names = {
        *(naming.STEPS, naming.RATE, naming.LEARNING_RATE, naming.MOMENTUM, naming.OPTIONS, naming.LAZILY, naming.BARE),
        *(naming.START, naming.GRADIENTS, *naming.LOOP, *naming.DRIVEN, *naming.OF_GRADIENTS),
        *(pattern.format("w") for pattern in naming.USED_BEFORE),
    }
    text = GUIDE.read_text(encoding="utf-8")
    assert {name for name in names if f"`{name}`" not in text} == set()
    assert naming.is_mask("mask")
    assert "`mask`" in text


def test_guide_is_short_and_its_links_lead_somewhere() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    assert len(text.splitlines()) < 300
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (GUIDE.parent / target).exists(), target
    for path in re.findall(r"`(grader/[\w/]+\.py)`", text):
        assert (GUIDE.parents[1] / path).is_file(), path
