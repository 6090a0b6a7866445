"""Submissions for tests: the solution notebooks with some answers replaced."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
SOLUTIONS = ROOT / "solutions"
EXERCISES = ROOT / "exercises"
BACKPROP = "03_backprop.ipynb"


def answered(answers: Mapping[str, str], notebook: str = BACKPROP, *, before: str = "", after: str = "") -> str:
    """The text of a solution notebook with stub cells replaced, and untagged cells put before and after all others."""
    content: dict[str, Any] = json.loads((SOLUTIONS / notebook).read_text(encoding="utf-8"))
    for cell in content["cells"]:
        exercise = cell["metadata"].get("grader", {}).get("exercise")
        if exercise in answers:
            cell["source"] = answers[exercise].strip("\n").splitlines(keepends=True)
    if before:
        content["cells"].insert(0, code_cell("test-before", before))
    if after:
        content["cells"].append(code_cell("test-after", after))
    return json.dumps(content)


def code_cell(identity: str, source: str, exercise: str | None = None) -> dict[str, Any]:
    """A code cell as it stands in a notebook file."""
    return {
        "cell_type": "code",
        "id": identity,
        "metadata": {"grader": {"exercise": exercise}} if exercise else {},
        "execution_count": None,
        "outputs": [],
        "source": source.splitlines(keepends=True),
    }


def notebook_of(*cells: dict[str, Any]) -> str:
    """The text of a notebook with these cells."""
    return json.dumps({"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def hand_in(folder: Path, texts: Mapping[str, str], notebook: str = BACKPROP) -> Path:
    """Write ``folder/<student>/<notebook>`` for each student; returns the folder."""
    for student, text in texts.items():
        path = folder / student / notebook
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder
