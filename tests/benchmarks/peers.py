"""Beside its peers: ``python -m tests.benchmarks.peers --nbgrader VENV --otter VENV [--submissions 20] [--rounds 3]``.

A ``VENV`` is a virtual environment with one of them, either of which may be left out::

    python3 -m venv /tmp/nbgrader && /tmp/nbgrader/bin/pip install -c constraints.txt nbgrader ipykernel torch
    python3 -m venv /tmp/otter && /tmp/otter/bin/pip install -c constraints.txt otter-grader ipykernel torch

All grade the same class (see ``classroom``) from cold, in turn, round after round:

- **nbgrader** by ``autograde``, ``generate_feedback`` and ``export``. It grades one notebook at a time.
- **otter-grader** by ``otter run``, two notebooks at a time: what ``otter grade`` does in containers, without them.
- **ours** by ``grader score``, two at a time, sandbox, report and pages included.

An exercise has one test for the peers, which compares three random batches with autograd, and for ours the cases and
the diagnosis that it always has. Who earns full marks must be the same for all, or the command ends with an error.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import statistics
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.benchmarks.classroom import NOTEBOOK, cells_of, write_class
from tests.benchmarks.contestants import score_arguments
from tests.benchmarks.speed import JOBS, run_once
from tests.samples import code_cell, notebook_of

#: The names that an exercise's test uses, and its text.
TESTS = {
    "mse_grad": (
        "torch mse mse_grad",
        """
for n in (1, 5, 40):
    inp, targ = torch.randn(n, 1), torch.randn(n)
    leaf = inp.clone().requires_grad_()
    mse(leaf, targ).backward()
    mse_grad(inp, targ)
    assert torch.allclose(inp.g, leaf.grad, atol=1e-4)
""",
    ),
    "lin_grad": (
        "torch lin lin_grad",
        """
for n in (1, 5, 40):
    inp, w, b = torch.randn(n, 3), torch.randn(3, 2), torch.randn(2)
    leaves = [tensor.clone().requires_grad_() for tensor in (inp, w, b)]
    out = lin(*leaves)
    upstream = torch.randn_like(out)
    out.backward(upstream)
    out = out.detach()
    out.g = upstream
    lin_grad(inp, out, w, b)
    for mine, leaf in zip((inp, w, b), leaves):
        assert torch.allclose(mine.g, leaf.grad, atol=1e-4)
""",
    ),
    "relu_grad": (
        "torch relu relu_grad",
        """
for n in (1, 5, 40):
    inp = torch.randn(n, 3)
    leaf = inp.clone().requires_grad_()
    out = relu(leaf)
    upstream = torch.randn_like(out)
    out.backward(upstream)
    out = out.detach()
    out.g = upstream
    relu_grad(inp, out)
    assert torch.allclose(inp.g, leaf.grad, atol=1e-4)
""",
    ),
    "forward_and_backward": (
        "torch lin relu mse w1 b1 w2 b2 forward_and_backward",
        """
for n in (1, 5, 40):
    inp, targ = torch.randn(n, 9), torch.randn(n)
    leaves = [tensor.clone().requires_grad_() for tensor in (inp, w1, b1, w2, b2)]
    mse(lin(relu(lin(*leaves[:3])), *leaves[3:]), targ).backward()
    forward_and_backward(inp, targ)
    for mine, leaf in zip((inp, w1, b1, w2, b2), leaves):
        assert torch.allclose(mine.g, leaf.grad, atol=1e-4)
""",
    ),
}
#: (student, exercise) for each full mark.
Marks = set[tuple[str, str]]


def ours(_: Path, place: Path, size: int) -> tuple[float, Marks]:
    """Seconds and full marks of ``grader score`` on a class of ``size``."""
    folder = write_class(place / "class", size)
    command = [sys.executable, "-P", "-m", "grader", *score_arguments(folder, JOBS, place / "grades")]
    seconds, _cpu = run_once(command)
    report = json.loads((place / "grades" / "report.json").read_text(encoding="utf-8"))
    marks = {
        (Path(one["path"]).parent.name, exercise["id"])
        for one in report["submissions"]
        for exercise in one["exercises"]
        if exercise["status"] == "passed"
    }
    return seconds, marks


def _activated(venv: Path) -> list[str]:
    """What stands before a command that runs in a virtual environment: nbgrader looks for its tools on the path."""
    return ["env", f"PATH={venv / 'bin'}{os.pathsep}{os.environ['PATH']}"]


def nbgrader(venv: Path, place: Path, size: int) -> tuple[float, Marks]:
    """Seconds and full marks of nbgrader, whose assignment is made before the clock starts."""
    (place / "nbgrader_config.py").write_text("c = get_config()\nc.CourseDirectory.course_id = 'course'\n")
    for folder, student in [
        (place / "source", 0),
        *((place / "submitted" / f"student-{number:04}", number) for number in range(size)),
    ]:
        path = folder / "backprop" / NOTEBOOK
        path.parent.mkdir(parents=True)
        path.write_text(_nbgrader_notebook(student), encoding="utf-8")
    command = [*_activated(venv), "nbgrader"]
    run_once([*command, "generate_assignment", "backprop"], place)
    steps = (["autograde", "backprop"], ["generate_feedback", "backprop"], ["export"])
    seconds = sum(run_once([*command, *step], place)[0] for step in steps)
    return seconds, _nbgrader_marks(venv, place)


def _nbgrader_notebook(student: int) -> str:
    cells = []
    for at, (name, source) in enumerate(cells_of(student)):
        cells.append(_nbgrader_cell(f"cell-{at}", source, solution=True) if name else code_cell(f"cell-{at}", source))
        if name:
            test = TESTS[name][1]
            cells.append(_nbgrader_cell(f"test-{name}", test.strip("\n"), grade=True, locked=True, points=1))
    content = json.loads(notebook_of(*cells))
    content["metadata"]["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return json.dumps(content)


def _nbgrader_cell(identity: str, source: str, **about: bool | int) -> dict[str, Any]:
    plain = {"grade": False, "solution": False, "locked": False, "task": False}
    metadata = {"nbgrader": {"schema_version": 3, "grade_id": identity, **plain, **about}}
    return {**code_cell(identity, source), "metadata": metadata}


#: Run in nbgrader's environment: its export has a sum for each student only.
_NBGRADER_GRADES = """
import csv, sys
from nbgrader.api import Gradebook
with Gradebook("sqlite:///gradebook.db") as book:
    for submission in book.assignment_submissions("backprop"):
        for notebook in submission.notebooks:
            for grade in notebook.grades:
                csv.writer(sys.stdout).writerow([submission.student.id, grade.name, grade.score])
"""


def _nbgrader_marks(venv: Path, place: Path) -> Marks:
    with (place / "marks.csv").open("w+", encoding="utf-8") as file:
        run_once([*_activated(venv), "python", "-c", _NBGRADER_GRADES], place, file)
        file.seek(0)
        return {(student, name.removeprefix("test-")) for student, name, score in csv.reader(file) if float(score) == 1}


def otter(venv: Path, place: Path, size: int) -> tuple[float, Marks]:
    """Seconds and full marks of otter-grader, whose ``autograder.zip`` is made before the clock starts."""
    folder = write_class(place / "class", size)
    (place / "tests").mkdir()
    for name, (needs, test) in TESTS.items():
        head = f"from otter.test_files import test_case\n\nOK_FORMAT = False\nname = {name!r}\npoints = 1\n\n"
        body = f"@test_case()\ndef test_gradients({', '.join(needs.split())}):\n{textwrap.indent(test, '    ')}"
        (place / "tests" / f"{name}.py").write_text(head + body, encoding="utf-8")
    command = [*_activated(venv), "otter"]
    run_once([*command, "generate", "-t", "tests", "-o", "autograder.zip", "--no-environment"], place)

    def grade(student: Path) -> None:
        out = place / "results" / student.name
        out.mkdir(parents=True)
        run_once([*command, "run", "-a", "autograder.zip", "-o", str(out), str(student / NOTEBOOK)], place)

    began = time.perf_counter()
    with ThreadPoolExecutor(JOBS) as threads:
        list(threads.map(grade, sorted(folder.iterdir())))
    seconds = time.perf_counter() - began
    marks = set()
    for path in (place / "results").glob("*/results.json"):
        told = json.loads(path.read_text(encoding="utf-8"))["tests"]
        marks |= {(path.parent.name, test["name"]) for test in told if test.get("score") == 1}
    return seconds, marks


def main() -> int:
    """Measure, print; raises ``SystemExit`` when the graders disagree."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nbgrader", type=Path, help="a virtual environment with nbgrader")
    parser.add_argument("--otter", type=Path, help="a virtual environment with otter-grader")
    parser.add_argument("--submissions", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    contestants: dict[str, tuple[Callable[[Path, Path, int], tuple[float, Marks]], Path]] = {"ours": (ours, Path())}
    for name, contestant in (("nbgrader", nbgrader), ("otter", otter)):
        if venv := getattr(options, name):
            contestants[name] = contestant, venv.absolute()
    spent: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(options.rounds):
        marks: dict[str, Marks] = {}
        for name, (graded_by, venv) in contestants.items():
            with tempfile.TemporaryDirectory() as place:
                seconds, marks[name] = graded_by(venv, Path(place), options.submissions)
            spent[name].append(seconds)
        for name, found in marks.items():
            if found != marks["ours"]:
                raise SystemExit(f"{name} gives full marks to others: {sorted(found ^ marks['ours'])[:10]}")
    print(f"{options.submissions} notebooks, full marks alike for {len(marks['ours'])} answers")
    print(f"{'':<10}{'wall s':>10}{'s each':>10}{'times ours':>12}")
    for name, taken in spent.items():
        wall = statistics.median(taken)
        times = statistics.median(one / own for one, own in zip(taken, spent["ours"], strict=True))
        print(f"{name:<10}{wall:>10.1f}{wall / options.submissions:>10.2f}{times:>12.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
