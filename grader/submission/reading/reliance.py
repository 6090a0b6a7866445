"""What an answer relies on in other cells of its notebook: their imports, and what they define of the names it uses."""

from __future__ import annotations

import ast
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from grader.cell_code import bound_among, name_called, parsed, statements_in
from grader.model import Cell
from grader.recent import by_source
from grader.submission.reading.definitions import definitions_in

#: Modules that code is taken to have imported where that does not show.
THERE: Mapping[str, str] = {"torch": "torch", "gc": "gc", "sys": "sys"}


#: Parts of a dotted name that are looked at, and characters of one that are kept: no module's has more.
_MOST_PARTS, _LONGEST = 20, 200


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
    imported = imported_by(cells)
    defined = {
        item.name: (item.node, cell.index)
        for cell in cells
        for item in definitions_in(cell.source)
        if item.sort != "import" and item.node is not None and item.name not in but
    }
    todo: deque[tuple[ast.AST, int | None]] = deque([(tree, None)])
    while todo:
        code, place = todo.popleft()
        yield Piece(code, seen_through(code, imported), place)
        todo += [defined.pop(name) for name in sorted(_used(code)) if name in defined]


def names_used(source: str, cells: Sequence[Cell] = (), but: Collection[str] = ()) -> frozenset[str]:
    """The names that the answer ``source`` uses, or what it relies on in ``cells`` (``pieces``); none of their own."""
    return frozenset(name for piece in pieces(source, cells, but) for name in _used(piece.code))


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


def seen_through(code: ast.AST, elsewhere: Mapping[str, str]) -> dict[str, str]:
    """The names by which ``code`` reaches what is imported, and the dotted names of that.

    What it imports itself counts anywhere in it, and so does another name that it gives to what is imported; of what is
    imported ``elsewhere`` (``imported_by``), the names that it uses and does not bind.
    """
    nodes = list(ast.walk(code))
    named = {node.id for node in nodes if isinstance(node, ast.Name)} - bound_among(nodes)
    imported = {name: elsewhere[name] for name in named if name in elsewhere}
    _note_imports(imported, nodes)
    return imported


def imported_by(cells: Sequence[Cell]) -> dict[str, str]:
    """The names that ``cells`` import at top level, or give to what is imported, and their dotted names.

    >>> imported_by([Cell(0, "import torch as t"), Cell(1, "ag = t.autograd")])["ag"]
    'torch.autograd'
    """
    imported = dict(THERE)
    for cell in cells:
        _note_imports(imported, _naming_statements(cell.source))
    return imported


def dotted_name(node: ast.expr, imported: Mapping[str, str]) -> str:
    """The full dotted name of ``ag.grad`` after ``import torch.autograd as ag``; empty for anything else.

    Attributes and modules may be named by texts.

    >>> dotted_name(ast.parse("getattr(t, 'optim').SGD", mode="eval").body, {"t": "torch"})
    'torch.optim.SGD'
    >>> dotted_name(ast.parse("importlib.import_module('torch').optim", mode="eval").body, {})
    'torch.optim'
    """
    parts: list[str] = []
    while len(parts) < _MOST_PARTS:
        match node:
            case ast.Attribute(value=owner, attr=name):
                pass
            case ast.Call(func=ast.Name(id="getattr"), args=[owner, ast.Constant(value=str(name)), *_]):
                pass
            case ast.Name(id=name) if name in imported:
                return ".".join([imported[name], *reversed(parts)])[:_LONGEST]
            case ast.Call():
                module = _module_of(node)
                return ".".join([module, *reversed(parts)])[:_LONGEST] if module else ""
            case _:
                return ""
        parts.append(name)
        node = owner
    return ""


def _module_of(call: ast.Call) -> str:
    """The module that a call gives which imports by a text; empty for any other call."""
    match call.args:
        case [ast.Constant(value=str(name)), *more]:
            pass
        case _:
            return ""
    match name_called(call), more:
        case "import_module", [ast.Constant(value=str(package)), *_] if name.startswith("."):
            return package + name
        case "import_module", _:
            return name
        case "__import__", _:
            return name if len(more) > 2 or call.keywords else name.partition(".")[0]
    return ""


def _note_imports(imported: dict[str, str], nodes: Iterable[ast.AST]) -> None:
    for node in nodes:
        imported.update((name, dotted) for _, name, dotted in imports_in([node]))
        if isinstance(node, ast.Assign) and (dotted := dotted_name(node.value, imported)):
            imported.update((target.id, dotted) for target in node.targets if isinstance(target, ast.Name))


@by_source
def _naming_statements(source: str) -> tuple[ast.stmt, ...]:
    """The statements of a cell, at its top level, by which a name may come to stand for what is imported."""
    tree = parsed(source)
    statements = () if tree is None else statements_in(tree.body)
    return tuple(one for one in statements if isinstance(one, (ast.Import, ast.ImportFrom, ast.Assign)))


def _used(code: ast.AST) -> set[str]:
    """The names that ``code`` uses and binds nowhere itself."""
    read = {node.id for node in ast.walk(code) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    return read - bound_among(ast.walk(code))
