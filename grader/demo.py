"""The sample class of ``grader demo``: thirteen submissions with the mistakes that a teacher knows.

Who hands in what stands in ``solutions/demo.toml``. Solutions are not part of what students install, so the demo runs
in a source checkout.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from grader.errors import UsageError

NOTEBOOK = "03_backprop.ipynb"


def write_class(folder: Path) -> tuple[Path, ...]:
    """Write ``folder/submissions/<student>/03_backprop.ipynb`` for each student; what stands there is replaced.

    Raises:
        UsageError: this is no source checkout, so there are no solutions to make the class of.
    """
    solutions = _solutions()
    solved = (solutions / NOTEBOOK).read_text(encoding="utf-8")
    untouched = (solutions.parent / "exercises" / NOTEBOOK).read_text(encoding="utf-8")
    with (solutions / "demo.toml").open("rb") as file:
        submissions = tomllib.load(file)["submission"]
    written = []
    for submission in submissions:
        path = folder / "submissions" / submission["student"] / NOTEBOOK
        path.parent.mkdir(parents=True, exist_ok=True)
        if submission.get("broken"):
            text = solved[: len(solved) // 2]
        elif submission.get("untouched"):
            text = untouched
        else:
            text = _answered(solved, submission.get("answers", {}))
        path.write_text(text, encoding="utf-8")
        written.append(path)
    return tuple(written)


def _answered(notebook: str, answers: Mapping[str, str]) -> str:
    """The solution notebook with some stub cells replaced by a student's answers."""
    content: dict[str, Any] = json.loads(notebook)
    for cell in content["cells"]:
        exercise = cell["metadata"].get("grader", {}).get("exercise")
        if exercise in answers:
            cell["source"] = answers[exercise].strip("\n").splitlines(keepends=True)
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


def _solutions() -> Path:
    folder = Path(__file__).parents[1] / "solutions"
    if not (folder / "demo.toml").is_file():
        raise UsageError(
            "the demo needs the solutions, which are not part of an installed grader",
            remedy="clone the repository, install it with `pip install -e .` and run `grader demo` there",
        )
    return folder
