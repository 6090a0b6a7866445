from __future__ import annotations

import io
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from grader.course.loading import load_course
from grader.course.validate import validate
from grader.course.validation import ExerciseProof, ValidationReport
from grader.course.validation_table import validation_view
from grader.errors import CourseError
from tests.course.courses import CELL, COURSE, write_course


def proved(folder: Path, **parts: str) -> ValidationReport:
    return validate(load_course(str(write_course(folder, **parts))), seeds=3)


def kinds(report: ValidationReport) -> set[str]:
    return {problem.kind for problem in report.problems}


def test_validate_of_a_right_course_is_ok(tmp_path: Path) -> None:
    report = proved(tmp_path)
    assert report.ok, report.problems
    (proof,) = report.exercises
    assert proof.gradcheck is True
    assert proof.mutants > 8
    assert proof.margins[0].correct < 0.1
    assert proof.margins[0].wrong > 10


BROKEN = {
    "solution": {"cell": CELL.replace("2 * out.g", "3 * out.g")},
    "stub": {"cell": "def double_grad(inp, out):\n    inp.g = 2 * out.g"},
    "gradcheck": {"course": COURSE.replace("return 2 * inp", "return 2 * inp + inp.detach()")},
    "survivor": {
        "mistakes": '@mistake("double_grad", "wrong_value")\ndef right(inp, out):\n    inp.g = out.g + out.g\n'
    },
    "diagnosis": {"mistakes": '@mistake("double_grad", "zeros")\ndef half(inp, out):\n    inp.g = out.g\n'},
    "variant": {"variants": '@variant("double_grad")\ndef half(inp, out):\n    inp.g = out.g\n'},
}


@pytest.mark.parametrize("kind", BROKEN)
def test_validate_names_what_is_broken(tmp_path: Path, kind: str) -> None:
    report = proved(tmp_path, **BROKEN[kind])
    assert kind in kinds(report)
    assert not report.ok


GIVEN = """
%matplotlib inline
import torch
import tools
FACTOR = 2.0
SHIFT = tools.shift()
trained = double_grad(FACTOR, missing)
assert False, "only what defines something runs"
"""


def test_validate_runs_a_notebook_as_it_stands_beside_its_files(tmp_path: Path) -> None:
    write_course(tmp_path, given=GIVEN, cell=CELL.replace("2 * out.g", "FACTOR * out.g + SHIFT + tools.shift()"))
    (tmp_path / "solutions/tools.py").write_text("def shift():\n    return float(open('data/shift.txt').read())\n")
    (tmp_path / "solutions/data").mkdir()
    (tmp_path / "solutions/data/shift.txt").write_text("0.0")
    before = Path.cwd(), list(sys.path)
    try:
        report = validate(load_course(str(tmp_path / "small.py")), seeds=2)
    finally:
        sys.modules.pop("tools", None)
    assert report.ok, report.problems
    assert (Path.cwd(), sys.path) == before


def test_validate_of_a_wrong_solution_says_so_alone(tmp_path: Path) -> None:
    assert kinds(proved(tmp_path, cell=CELL.replace("2 * out.g", "DELTA * out.g"))) == {"solution"}


def test_variant_that_is_right_is_counted_and_loses_nothing(tmp_path: Path) -> None:
    report = proved(tmp_path, variants='@variant("double_grad")\ndef added(inp, out):\n    inp.g = out.g + out.g\n')
    assert report.ok, report.problems
    assert report.exercises[0].variants == 1


def test_mistake_that_raises_by_accident_is_told_with_its_exception(tmp_path: Path) -> None:
    text = '@mistake("double_grad", "zeros")\ndef slip(inp, out):\n    inp.g = torchh.zeros(3)\n'
    (problem,) = proved(tmp_path, mistakes=text).problems
    assert problem.message.endswith("is called raised, not zeros: NameError: name 'torchh' is not defined")


def test_mistake_may_call_the_solution(tmp_path: Path) -> None:
    text = (
        '@mistake("double_grad", "sign_flipped")\ndef turned(inp, out):\n    solution(inp, out)\n    inp.g = -inp.g\n'
    )
    assert proved(tmp_path, mistakes=text).ok


def test_mistake_that_changes_its_input_is_told(tmp_path: Path) -> None:
    text = '@mistake("double_grad", "input_modified")\ndef changing(inp, out):\n    inp.g = 2 * out.g\n    inp += 1\n'
    assert proved(tmp_path, mistakes=text).ok


ENGINE = "    y = inp.clone().requires_grad_()\n    (2 * y).backward(out.g)\n    inp.g = y.grad\n"


def test_answer_that_uses_autograd_is_no_right_one(tmp_path: Path) -> None:
    variant = f'@variant("double_grad")\ndef engine(inp, out):\n{ENGINE}'
    (problem,) = proved(tmp_path, variants=variant).problems
    assert problem.message.startswith("the variant engine loses inp.g (uses_autograd")


def test_solution_that_uses_autograd_is_told(tmp_path: Path) -> None:
    report = proved(tmp_path, cell=CELL.replace("    inp.g = 2 * out.g", ENGINE.rstrip()))
    assert "uses_autograd" in report.problems[0].message


def test_mistake_may_be_to_use_autograd(tmp_path: Path) -> None:
    assert proved(tmp_path, mistakes=f'@mistake("double_grad", "uses_autograd")\ndef engine(inp, out):\n{ENGINE}').ok


SHORT = COURSE.replace('points={"inp.g": 2},', 'points={"inp.g": 2},\n    time_limit=0.3,')
ENDLESS = "def endless(inp, out):\n    while True:\n        pass\n"


def test_endless_variant_is_told_and_ends(tmp_path: Path) -> None:
    (problem,) = proved(tmp_path, course=SHORT, variants=f'@variant("double_grad")\n{ENDLESS}').problems
    assert "the variant endless loses inp.g (timed_out" in problem.message


def test_endless_solution_is_told_and_ends(tmp_path: Path) -> None:
    (problem,) = proved(tmp_path, course=SHORT, cell=CELL.replace("inp.g = 2 * out.g", "while True: pass")).problems
    assert "the solution loses inp.g (timed_out" in problem.message


def test_mistake_may_be_endless(tmp_path: Path) -> None:
    assert proved(tmp_path, course=SHORT, mistakes=f'@mistake("double_grad", "timed_out")\n{ENDLESS}').ok


def test_validate_in_two_processes_gives_the_same() -> None:
    course = load_course("grader.course.autograd")
    few = replace(course, exercises={name: e for name, e in course.exercises.items() if e.notebook == "07_trace"})
    alone, together = (validate(few, quick=True, jobs=jobs) for jobs in (1, 2))
    assert [proof.margins for proof in alone.exercises] == [proof.margins for proof in together.exercises]


def test_progress_is_told_each_exercise(tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []

    def progress(proof: ExerciseProof, done: int, total: int) -> None:
        told.append((proof.exercise, done, total))

    validate(load_course(str(write_course(tmp_path))), quick=True, progress=progress)
    assert told == [("double_grad", 1, 1)]


def test_validate_without_solutions_says_what_to_do(tmp_path: Path) -> None:
    path = write_course(tmp_path)
    (tmp_path / "solutions" / "doubling.ipynb").unlink()
    with pytest.raises(CourseError) as caught:
        validate(load_course(str(path)))
    assert "--solutions" in caught.value.remedy
    (tmp_path / "solutions").rmdir()
    with pytest.raises(CourseError, match="has no solutions"):
        validate(load_course(str(path)))


def test_validate_refuses_a_cell_that_is_not_there(tmp_path: Path) -> None:
    path = write_course(tmp_path)
    notebook = tmp_path / "solutions" / "doubling.ipynb"
    notebook.write_text(notebook.read_text().replace('"exercise": "double_grad"', '"exercise": "other"'))
    with pytest.raises(CourseError, match="has no cell") as caught:
        validate(load_course(str(path)))
    assert '"exercise": "double_grad"' in caught.value.remedy


def test_specimen_of_an_unknown_exercise_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match="no exercise"):
        proved(tmp_path, variants='@variant("treble_grad")\ndef f(inp, out):\n    pass\n')


def test_specimen_file_that_does_not_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match="cannot be run: ZeroDivisionError"):
        proved(tmp_path, variants="1 / 0\n")


def test_view_names_margins_problems_and_verdict(tmp_path: Path) -> None:
    report = proved(tmp_path, **BROKEN["variant"])
    console = Console(width=160, record=True, file=io.StringIO())
    console.print(validation_view(report))
    text = console.export_text()
    assert "double_grad" in text
    assert "the variant half loses inp.g" in text
    assert "1 exercise," in text


@pytest.mark.slow
def test_bundled_course_is_proved_quickly() -> None:
    report = validate(load_course("grader.course.autograd"), quick=True, jobs=2)
    assert report.ok, [f"{problem.exercise}: {problem.message}" for problem in report.problems]


TWICE = '@mistake("double_grad", "wrong_value")\ndef same(inp, out):\n    inp.g = 3 * out.g\n'
RIGHT = '@variant("double_grad")\ndef same(inp, out):\n    inp.g = out.g * 2\n'


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"mistakes": TWICE + TWICE}, "another same is there already"),
        ({"mistakes": TWICE.replace("same", "torch")}, "another torch is there already"),
        ({"mistakes": TWICE, "variants": RIGHT}, "another same is there already"),
        ({"mistakes": RIGHT}, "same is a variant"),
        ({"variants": TWICE}, "same is a mistake"),
    ],
    ids=["twice", "the notebook's", "in both files", "variant among mistakes", "mistake among variants"],
)
def test_specimen_that_would_hide_another_or_lies_in_the_wrong_file_is_refused(
    tmp_path: Path, parts: dict[str, str], message: str
) -> None:
    with pytest.raises(CourseError, match=message):
        proved(tmp_path, **parts)


def test_file_of_specimens_for_no_notebook_is_refused(tmp_path: Path) -> None:
    path = write_course(tmp_path, mistakes=TWICE)
    (tmp_path / "solutions/mistakes/_shared.py").write_text("")
    assert validate(load_course(str(path)), quick=True)
    (tmp_path / "solutions/mistakes/doublings.py").write_text("")
    with pytest.raises(CourseError, match="belongs to no notebook"):
        validate(load_course(str(path)))


def test_metadata_of_another_form_are_told(tmp_path: Path) -> None:
    path = write_course(tmp_path)
    notebook = tmp_path / "solutions" / "doubling.ipynb"
    notebook.write_text(
        notebook.read_text().replace('{"grader": {"exercise": "double_grad"}}', '{"grader": "double_grad"}')
    )
    with pytest.raises(CourseError, match="metadata say 'grader': 'double_grad'"):
        validate(load_course(str(path)))


def test_solution_of_another_format_is_told(tmp_path: Path) -> None:
    path = write_course(tmp_path)
    (tmp_path / "solutions" / "doubling.ipynb").write_text('{"nbformat": 4, "nbformat_minor": 5, "cells": [{}]}')
    with pytest.raises(CourseError, match="is no notebook of format 4"):
        validate(load_course(str(path)))
