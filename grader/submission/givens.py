"""Telling the code that a course gives from what a student wrote.

A course's notebooks hold given definitions (a forward ``Relu`` in one, a finished ``lin_grad`` in the next) that must
not count as a student's answer where exercises are found by name. A definition is *given* when it equals, layout and
comments aside, one in an untagged cell of a course notebook **and** the notebook at hand shows another definition of
that same course notebook: a student who wrote, in an answer of their own, what the course shows elsewhere, keeps it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from grader.model import Cell
from grader.submission.definitions import Definition, definitions_in
from grader.submission.notebook import Unreadable, cells_of

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable


def givens_of(released: Traversable | Path) -> frozenset[str]:
    """Return the marks ``"stem:hash"`` of the definitions in the untagged code cells of a course's notebooks.

    ``released`` is the folder of released notebooks. Files in it that are no notebooks are passed over.
    """
    marks: set[str] = set()
    for file in released.iterdir():
        if file.name.endswith(".ipynb") and file.is_file():
            try:
                cells, _ = cells_of(file.read_bytes())
            except Unreadable:
                continue
            for cell in cells:
                if cell.exercise is None:
                    marks.update(f"{file.name[: -len('.ipynb')]}:{mark}" for mark in _marks(cell))
    return frozenset(marks)


def _marks(cell: Cell) -> Iterable[str]:
    return (mark for item in definitions_in(cell.source) if item.parses and (mark := item.fingerprint))


@dataclass(frozen=True)
class Givens:
    """The marks of a course beside one notebook."""

    homes: dict[str, set[str]]
    shown: Counter[str]

    @classmethod
    def beside(cls, marks: frozenset[str], cells: Iterable[Cell]) -> Givens:
        """Return the givens of ``marks`` as far as they stand in ``cells``."""
        homes: defaultdict[str, set[str]] = defaultdict(set)
        for mark in marks:
            stem, _, value = mark.rpartition(":")
            homes[value].add(stem)
        here = {mark for cell in cells if cell.exercise is None for mark in _marks(cell)} if marks else set()
        shown = Counter(next(iter(homes[mark])) for mark in here if len(homes.get(mark, ())) == 1)
        return cls(dict(homes), shown)

    def include(self, definition: Definition) -> bool:
        """Tell whether a definition is the course's and not the student's."""
        mark = definition.fingerprint if self.homes else ""
        stems = self.homes.get(mark, set())
        itself = 1 if len(stems) == 1 else 0
        return any(self.shown[stem] > itself for stem in stems)
