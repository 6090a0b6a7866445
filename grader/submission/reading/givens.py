"""Telling the code that a course gives from what a student wrote.

A course's notebooks hold given definitions (a forward ``Relu`` in one, a finished ``lin_grad`` in the next) that must
not count as a student's answer where exercises are found by name. A definition is *given* when it equals, layout and
comments aside, one in an untagged cell of a course notebook **and** the notebook at hand shows another definition of
that same course notebook: a student who wrote, in an answer of their own, what the course shows elsewhere, keeps it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from grader.model import Cell
from grader.names.notebooks import ENDING, stem_of
from grader.submission.reading.definitions import Definition, definitions_in
from grader.submission.reading.notebook import Unreadable, cells_of

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable


def givens_of(released: Traversable | Path) -> frozenset[str]:
    """The marks ``"stem:hash"`` of the definitions in the untagged code cells of a course's notebooks.

    ``released`` is the folder of released notebooks. Files in it that are no notebooks are passed over.
    """
    untagged = ((stem, cell) for stem, cell in released_cells(released) if cell.exercise is None)
    return frozenset(f"{stem}:{mark}" for stem, cell in untagged for mark in _marks(cell))


def released_cells(released: Traversable | Path) -> Iterator[tuple[str, Cell]]:
    """The code cells of a course's notebooks in the folder ``released``, each with its notebook's stem."""
    for file in released.iterdir():
        if file.name.endswith(ENDING) and file.is_file():
            try:
                cells = cells_of(file.read_bytes()).cells
            except Unreadable:
                continue
            yield from ((stem_of(file.name), cell) for cell in cells)


def _marks(cell: Cell) -> Iterable[str]:
    return (mark for item in definitions_in(cell.source) if (mark := item.fingerprint))


class Givens:
    """The marks of a course beside one notebook's cells. Nothing is parsed before a definition is asked about."""

    def __init__(self, marks: frozenset[str], cells: Sequence[Cell]) -> None:
        self._cells = cells
        self._homes: defaultdict[str, set[str]] = defaultdict(set)
        for mark in marks:
            stem, _, value = mark.rpartition(":")
            self._homes[value].add(stem)

    @cached_property
    def _shown(self) -> Counter[str]:
        """How many definitions that only one course notebook gives stand here, by that notebook's stem."""
        here = {mark for cell in self._cells if cell.exercise is None for mark in _marks(cell)}
        return Counter(next(iter(self._homes[mark])) for mark in here if len(self._homes.get(mark, ())) == 1)

    def include(self, definition: Definition) -> bool:
        """Whether a definition is the course's and not the student's."""
        stems = self._homes.get(definition.fingerprint, set()) if self._homes else set()
        itself = 1 if len(stems) == 1 else 0
        return any(self._shown[stem] > itself for stem in stems)
