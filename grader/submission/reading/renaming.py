"""An answer that is nowhere, although a function or class in the notebook looks like it, under another name.

Where a cell is still tagged with the exercise, ``grader.submission.reading.location`` says what it defines instead. In
a notebook without tags the parameters tell: of one that is the only one with those of the stub, and which the course's
notebooks do not define themselves. It only ever becomes a flag.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from grader.model import Cell
from grader.submission.entry import Wanted
from grader.submission.reading.definitions import Definition, definitions_in
from grader.submission.reading.givens import released_cells

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable


def released_definitions(released: Traversable | Path) -> tuple[tuple[str | None, Definition], ...]:
    """What a course's notebooks define at top level, with the exercise that the cell is tagged with."""
    return tuple((cell.exercise, item) for _, cell in released_cells(released) for item in definitions_in(cell.source))


def renamed(
    wanted: Wanted, cells: Sequence[Cell], released: Sequence[tuple[str | None, Definition]]
) -> tuple[str, ...]:
    """A remark for each stub of an exercise that is nowhere in ``cells`` and perhaps has another name there."""
    stubs = [item for tag, item in released if tag == wanted.exercise and item.name in wanted.needs]
    known = {item.name for _, item in released}
    others = {_docstring(item.node) for tag, item in released if tag not in (None, wanted.exercise)} - {""}
    written = [
        (cell.index, item)
        for cell in cells
        if cell.exercise is None
        for item in definitions_in(cell.source)
        if item.written and item.name not in known and _docstring(item.node) not in others
    ]
    flags = []
    for stub in stubs:
        found = {item.name: index for index, item in written if _alike(item.node, stub.node)}
        if len(found) == 1:
            (name, index), *_ = found.items()
            flags.append(f"`{stub.name}` is not defined in any cell; cell {index} defines `{name}` with its parameters")
    return tuple(flags)


def _alike(one: ast.stmt | None, stub: ast.stmt | None) -> bool:
    """Whether both are functions, or classes, of the same parameters: of several, else with the same docstring too."""
    parameters = _parameters(stub)
    if type(one) is not type(stub) or _parameters(one) != parameters:
        return False
    several = sum(name != "self" for _, names in parameters for name in names) > 1
    return several or _docstring(one) == _docstring(stub) != ""


def _parameters(node: ast.stmt | None) -> list[tuple[str, tuple[str, ...]]]:
    """The names of a function's parameters; of a class those of each method, with its name."""
    if isinstance(node, ast.ClassDef):
        methods = (item for item in node.body if isinstance(item, ast.FunctionDef))
        return sorted((method.name, names) for method in methods for _, names in _parameters(method))
    if not isinstance(node, ast.FunctionDef):
        return []
    of = node.args
    every = (*of.posonlyargs, *of.args, *filter(None, [of.vararg]), *of.kwonlyargs, *filter(None, [of.kwarg]))
    return [("", tuple(one.arg for one in every))]


def _docstring(node: ast.stmt | None) -> str:
    return (ast.get_docstring(node) or "") if isinstance(node, (ast.FunctionDef, ast.ClassDef)) else ""
