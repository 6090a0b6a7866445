"""Finding the answer to each exercise in a notebook, whatever has happened to its cells.

Which definition is graded, where there are several — what an instructor would expect who reads the notebook:

1. one that is written wins over a stub that is not: a student who left the stub and wrote the answer in a cell of
   their own is graded by that answer, and where the stub stands below it the notebook runs without the stub, which
   would else take the answer's place in all that calls it;
2. of those, one in a cell tagged with the exercise wins over an untagged one, and the last over earlier ones,
   as the notebook itself would have it;
3. one in a cell that is no Python counts only where no other is written: such a cell defines nothing when it runs;
4. a definition that the course gives is no answer (``grader.submission.reading.givens``), unless its cell is tagged;
5. a class is complete behind the last cell that adds to it (``grader.submission.reading.patches``).

A tagged cell that defines none of the names any more is checked all the same where the names are found nowhere: what
it does (``exec``, ``%run``, ``from mine import *``) shows when it runs. Everything unusual leaves a flag.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from grader.cell_code import is_stub, lines_of, parsed, without_lines
from grader.model import Cell, Stub
from grader.names.enumeration import first_of
from grader.submission.entry import Wanted
from grader.submission.reading.definitions import Definition, definitions_in
from grader.submission.reading.givens import Givens
from grader.submission.reading.patches import patches_in


@dataclass(frozen=True, slots=True)
class _Candidate:
    cell: Cell
    definition: Definition
    tagged: bool
    stub: bool

    @property
    def rank(self) -> tuple[bool, bool, bool, int, int]:
        written = self.definition.written and not self.stub
        return (written and self.definition.parses, written, self.tagged, *self.place)

    @property
    def place(self) -> tuple[int, int]:
        return self.cell.index, self.definition.line


@dataclass(frozen=True)
class _Notebook:
    """The cells, what they define of the names looked for, and what of it is given."""

    cells: Sequence[Cell]
    names: frozenset[str]
    marks: frozenset[str]
    local_modules: Collection[str]

    @cached_property
    def definitions(self) -> dict[str, list[tuple[Cell, Definition]]]:
        found: dict[str, list[tuple[Cell, Definition]]] = {name: [] for name in self.names}
        mentions = re.compile(r"\b(?:" + "|".join(map(re.escape, sorted(self.names))) + r")\b")
        for cell in self.cells:
            if mentions.search(cell.source):
                for item in definitions_in(cell.source, self.names):
                    found[item.name].append((cell, item))
        return found

    @cached_property
    def givens(self) -> Givens:
        return Givens(self.marks, self.cells)

    def candidates(self, name: str, wanted: Wanted) -> list[_Candidate]:
        """Every definition that may be the answer, in the order of the notebook."""
        return [
            _Candidate(cell, item, cell.exercise == wanted.exercise, item.is_stub(wanted.handed_out))
            for cell, item in self.definitions[name]
            if (item.sort != "import" or item.module in self.local_modules)
            and (item.sort != "assignment" or item.written)
            and (cell.exercise == wanted.exercise or not self.givens.include(item))
        ]


def locate(
    cells: Sequence[Cell],
    wanted: Sequence[Wanted],
    givens: frozenset[str] = frozenset(),
    local_modules: Collection[str] = (),
) -> Mapping[str, Stub]:
    """Where each exercise's answer stands; an exercise that is nowhere is absent. Never raises.

    ``as_run`` gives the cells without the stubs that stand below their answers.

    ``local_modules`` are the names of modules beside the notebook: importing an answer from one of them counts as
    defining it. The rules stand at the top of this module.
    """
    names = frozenset(name for item in wanted for name in (*item.needs, *item.cell_assigns))
    notebook = _Notebook(cells, names, givens, local_modules)
    stubs = {}
    for item in wanted:
        tagged = [cell for cell in cells if cell.exercise == item.exercise]
        stub = _assigning_cell(notebook, item, tagged) if item.cell_assigns else _defining_cell(notebook, item, tagged)
        if stub is not None:
            stubs[item.exercise] = stub
    return stubs


def as_run(cells: Sequence[Cell], stubs: Iterable[Stub]) -> tuple[Cell, ...]:
    """The cells with nothing in the place of each stub that is left out; every other line keeps its number."""
    left_out: dict[int, set[tuple[int, int]]] = {}
    for stub in stubs:
        for index, first, last in stub.left_out:
            left_out.setdefault(index, set()).add((first, last))
    return tuple(
        replace(cell, source=without_lines(cell.source, left_out[cell.index])) if cell.index in left_out else cell
        for cell in cells
    )


def _defining_cell(notebook: _Notebook, wanted: Wanted, tagged: list[Cell]) -> Stub | None:
    chosen: list[_Candidate] = []
    left_out: list[tuple[int, int, int]] = []
    flags: list[str] = []
    for name in wanted.needs:
        candidates = notebook.candidates(name, wanted)
        if candidates:
            best = max(candidates, key=lambda candidate: candidate.rank)
            chosen.append(best)
            below = _stubs_below(best, candidates)
            left_out += [(one.cell.index, *lines_of(node)) for one in below if (node := one.definition.node)]
            flags += _remarks(name, best, candidates, below)
        else:
            flags.append(f"`{name}` is not defined in any cell{_instead(wanted, tagged)}")
    if not chosen:
        if not tagged:
            return None
        cell = tagged[-1]
        flags = [] if is_stub(cell.source) else flags  # nobody has begun
        return Stub(wanted.exercise, cell.index, 1, cell.source, "metadata", tuple(flags))
    is_tagged = any(candidate.tagged for candidate in chosen)
    if tagged and not is_tagged:
        flags.append(_not_graded(wanted, tagged))
    elif len(tagged) > 1:
        flags.append(f"{len(tagged)} cells are tagged `{wanted.exercise}` ({_numbers(tagged)})")
    patches = _patches(notebook, chosen)
    flags += [f"`{name}` is added to in cell {index}, after its definition" for name, index in patches]
    pieces = sorted(
        {(item.cell.index, item.definition.line, item.definition.source) for item in chosen}
        | {(index, line, text) for (_, index), found in patches.items() for line, text in found}
    )
    at, line, _ = pieces[-1]
    source = "\n\n".join(dict.fromkeys(text for _, _, text in pieces))
    found_by: Literal["metadata", "name"] = "metadata" if is_tagged else "name"
    return Stub(wanted.exercise, at, line, source, found_by, tuple(flags), tuple(left_out))


def _stubs_below(best: _Candidate, candidates: list[_Candidate]) -> list[_Candidate]:
    """The stubs behind a written answer, each of which would give its name to nothing."""
    if best.stub or not (best.definition.written and best.definition.parses):
        return []
    return [one for one in candidates if one.stub and one.place > best.place]


def _patches(notebook: _Notebook, chosen: Sequence[_Candidate]) -> dict[tuple[str, int], tuple[tuple[int, str], ...]]:
    """What cells behind a chosen class add to it, by its name and their number."""
    return {
        (item.definition.name, cell.index): found
        for item in chosen
        if isinstance(item.definition.node, ast.ClassDef)
        for cell in notebook.cells
        if cell.index > item.cell.index and (found := patches_in(cell.source, item.definition.name))
    }


def _remarks(name: str, best: _Candidate, candidates: list[_Candidate], below: list[_Candidate]) -> list[str]:
    remarks = []
    if len(candidates) > 1:
        remark = f"`{name}` is defined {len(candidates)} times; graded: cell {best.cell.index}"
        if below:
            where = _numbers(list(dict.fromkeys(one.cell for one in below)))
            remark += f", and run without the untouched stub below it ({where})"
        remarks.append(remark)
    if not best.definition.parses:
        remarks.append(f"cell {best.cell.index}, which defines `{name}`, is not valid Python")
    if best.definition.sort == "import":
        remarks.append(f"`{name}` is imported from `{best.definition.module}`, a file beside the notebook")
    return remarks


def _assigning_cell(notebook: _Notebook, wanted: Wanted, tagged: list[Cell]) -> Stub | None:
    """Find the one cell that assigns variables: a tagged one that is written, else by what is assigned, else a tag."""
    names = wanted.cell_assigns
    lines = _assignments(notebook, names)
    complete = [index for index, found in lines.items() if len(found) == len(names)]
    last = [index for index, found in lines.items() if names[-1] in found]
    written = [cell.index for cell in tagged if not is_stub(cell.source)]
    choice = written or complete or last or [cell.index for cell in tagged]
    if not choice:
        return None
    graded = max(choice)
    cell = next(cell for cell in notebook.cells if cell.index == graded)
    assigned = lines.get(cell.index, {})
    lacking = [name for name in names if name not in assigned]
    flags = (*_choice_remarks(wanted, cell, tagged, complete), *_assignment_remarks(cell, lacking))
    others = {name: [index for index, found in lines.items() if name in found] for name in lacking}
    return Stub(
        wanted.exercise,
        cell.index,
        min(assigned.values(), default=1),
        cell.source,
        "metadata" if cell in tagged else "name",
        flags,
        elsewhere=tuple((name, max(found)) for name, found in others.items() if found),
    )


def _assignments(notebook: _Notebook, names: Sequence[str]) -> dict[int, dict[str, int]]:
    """By cell, which of ``names`` it assigns and in which of its lines, the last one where there are several."""
    lines: dict[int, dict[str, int]] = {}
    for name in names:
        for cell, item in notebook.definitions[name]:
            if item.sort == "assignment":
                lines.setdefault(cell.index, {})[name] = item.line
    return lines


def _choice_remarks(wanted: Wanted, cell: Cell, tagged: list[Cell], complete: list[int]) -> Iterator[str]:
    """What a human should know of how ``cell`` was chosen; ``complete`` are the cells that assign all the names."""
    if len(tagged) > 1:
        yield f"{len(tagged)} cells are tagged `{wanted.exercise}` ({_numbers(tagged)}); graded: {cell.index}"
    elif tagged and cell is not tagged[0]:
        yield _not_graded(wanted, tagged)
    if not tagged and len(complete) > 1:
        yield f"{len(complete)} cells assign the names of `{wanted.exercise}`; graded: cell {cell.index}"


def _assignment_remarks(cell: Cell, missing: list[str]) -> Iterator[str]:
    if missing and not is_stub(cell.source):
        yield f"cell {cell.index} does not assign {', '.join(f'`{name}`' for name in missing)}"
    if parsed(cell.source) is None:
        yield f"cell {cell.index} is not valid Python"


def _not_graded(wanted: Wanted, tagged: list[Cell]) -> str:
    return f"the cell tagged `{wanted.exercise}` ({_numbers(tagged)}) is not the one that is graded"


def _instead(wanted: Wanted, tagged: list[Cell]) -> str:
    """What the cell of an exercise defines beside what is asked for: perhaps the answer, under a misspelt name."""
    defined = [item.name for cell in tagged[-1:] for item in definitions_in(cell.source) if item.sort == "definition"]
    own = [f"`{name}`" for name in dict.fromkeys(defined) if name not in wanted.needs]
    return f"; cell {tagged[-1].index} defines {first_of(own)}" if own else ""


def _numbers(cells: Sequence[Cell]) -> str:
    numbers = [str(cell.index) for cell in cells]
    return ("cell " if len(numbers) == 1 else "cells ") + ", ".join(numbers)
