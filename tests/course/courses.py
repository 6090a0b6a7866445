"""A small course outside the package, for tests: its file, its solution notebook, and specimens."""

from __future__ import annotations

import json
from pathlib import Path

COURSE = '''
"""A course of one exercise."""

import torch

from grader.course import exercise, normal

COURSE = "small"
NOTEBOOK = "doubling"


@exercise(
    call="double_grad(inp, out)",
    inputs={"inp": normal("n", "d")},
    points={"inp.g": 2},
)
def double_grad(inp):
    """Backward pass of doubling."""
    return 2 * inp
'''
ANSWER = "    inp.g = 2 * out.g"
CELL = f"""def double_grad(inp, out):
    ### BEGIN SOLUTION
{ANSWER}
    ### END SOLUTION"""


def write_course(
    folder: Path,
    *,
    course: str = COURSE,
    cell: str = CELL,
    given: str = "import torch",
    mistakes: str = "",
    variants: str = "",
) -> Path:
    """Write course, solution and specimens under ``folder``; returns the course's file."""
    path = folder / "small.py"
    path.write_text(course)
    solutions = folder / "solutions"
    solutions.mkdir()
    (folder / "exercises").mkdir()
    cells = [
        {
            "cell_type": "code",
            "id": "a",
            "metadata": {},
            "source": given,
            "outputs": [],
            "execution_count": None,
        },
        {
            "cell_type": "code",
            "id": "b",
            "metadata": {"grader": {"exercise": "double_grad"}},
            "source": cell,
            "outputs": [],
            "execution_count": None,
        },
    ]
    notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (solutions / "doubling.ipynb").write_text(json.dumps(notebook))
    for kind, text in (("mistakes", mistakes), ("variants", variants)):
        if text:
            (solutions / kind).mkdir()
            (solutions / kind / "doubling.py").write_text(
                "from grader.course.specimens import mistake, variant\n\n\n" + text
            )
    return path
