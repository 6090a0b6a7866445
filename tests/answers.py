"""The table of ``answers.toml``, loaded."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

_TABLE: dict[str, Any] = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Answer:
    """What a student wrote. ``lost`` maps each check that must fail, ``"lin_grad/w.g"``, to its diagnosis code."""

    id: str
    cells: dict[str, str] = field(default_factory=dict)
    lost: dict[str, str] = field(default_factory=dict)
    before: str = ""
    notebook: str = "03_backprop.ipynb"


def _together(rows: Iterable[dict[str, Any]]) -> tuple[Answer, ...]:
    """The rows in as few notebooks as can be: answers to different exercises stand in one, where nothing precedes."""
    notebooks: list[Answer] = []
    for row in (Answer(**row) for row in rows):
        for place, other in enumerate(notebooks):
            apart = row.cells.keys().isdisjoint(other.cells) and row.notebook == other.notebook
            if apart and not (row.before or other.before):
                cells, lost = {**other.cells, **row.cells}, {**other.lost, **row.lost}
                notebooks[place] = replace(other, id=f"{other.id}-{row.id}", cells=cells, lost=lost)
                break
        else:
            notebooks.append(row)
    return tuple(notebooks)


WHOLE = {"forward_and_backward": _TABLE["whole"]}
RIGHT = _together(_TABLE["right"])
WRONG = tuple(replace(one, cells={**WHOLE, **one.cells}) for one in _together(_TABLE["wrong"]))
#: Notebooks that try to get at the verdict by patching what a naive grader would use.
PATCHES: dict[str, str] = _TABLE["patches"]
