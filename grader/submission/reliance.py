"""What an answer relies on in other cells of its notebook: their imports, and what they define of the names it uses."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from grader.cell_code import parsed, statements_in
from grader.model import Cell
from grader.submission.definitions import definitions_in


@dataclass(frozen=True, slots=True)
class Piece:
    """Code that an answer consists of or relies on, and the dotted names of what is imported there.

    ``cell`` is that whose statement it is, from which its lines are counted; None for the answer itself.
    """

    code: ast.AST
    imported: Mapping[str, str]
    cell: int | None = None


def pieces(source: str, cells: Sequence[Cell] = (), but: Collection[str] = ()) -> Iterator[Piece]:
    """The answer ``source``, then what it relies on in ``cells``, directly or through other pieces. Never raises.

    The names in ``but`` are passed over: what other exercises ask for. A name that a piece binds itself is its own, and
    of several definitions of a name the last one counts, as at the end of the notebook.
    """
    tree = parsed(source)
    if tree is None:
        return
    imported = {name: dotted for cell in cells for _, name, dotted in imports_in(_statements(cell))}
    defined = {
        item.name: (item.node, cell.index)
        for cell in cells
        for item in definitions_in(cell.source)
        if item.sort != "import" and item.node is not None and item.name not in but
    }
    todo: list[tuple[ast.AST, int | None]] = [(tree, None)]
    while todo:
        code, place = todo.pop(0)
        bound, used = _names(code)
        free = {name: dotted for name, dotted in imported.items() if name not in bound}
        own = {name: dotted for _, name, dotted in imports_in(ast.walk(code))}
        yield Piece(code, {**free, **own}, place)
        todo += [defined.pop(name) for name in sorted(used - bound) if name in defined]


def names_used(source: str, cells: Sequence[Cell] = (), but: Collection[str] = ()) -> frozenset[str]:
    """The names that the answer ``source`` uses, itself or in what it relies on in ``cells``, as ``pieces`` has it."""
    return frozenset(name for piece in pieces(source, cells, but) for name in _names(piece.code)[1])


def imports_in(nodes: Iterable[ast.AST]) -> Iterator[tuple[int, str, str]]:
    """Yield the line, the name and the dotted name of everything that ``nodes`` import."""
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                package = alias.name.split(".")[0]
                yield node.lineno, alias.asname or package, alias.name if alias.asname else package
                if not alias.asname and "." in alias.name:
                    yield node.lineno, f"import {alias.name}", alias.name  # no name of its own, but a sign
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for alias in node.names:
                yield node.lineno, alias.asname or alias.name, f"{node.module}.{alias.name}"


def _statements(cell: Cell) -> Iterator[ast.stmt]:
    tree = parsed(cell.source)
    with suppress(RecursionError):
        yield from () if tree is None else statements_in(tree.body)


def _names(code: ast.AST) -> tuple[set[str], set[str]]:
    """The names that ``code`` binds, anywhere in it, and those that it uses."""
    bound: set[str] = set()
    used: set[str] = set()
    for node in ast.walk(code):
        if isinstance(node, ast.Name):
            (used if isinstance(node.ctx, ast.Load) else bound).add(node.id)
        elif isinstance(node, ast.arg):
            bound.add(node.arg)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            bound.add(node.name)
    return bound, used
