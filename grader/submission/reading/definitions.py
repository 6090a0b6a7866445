"""Which names a cell defines at top level, where, and whether the body has been written."""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal

from grader.cell_code import is_empty, parsed, statements_in, text_of
from grader.recent import by_source

Sort = Literal["definition", "assignment", "import"]

_ROUTINES = (ast.FunctionDef, ast.AsyncFunctionDef)
_LOOKS: tuple[tuple[Sort, re.Pattern[str]], ...] = (
    ("definition", re.compile(r"^[ \t]*(?:(?:async[ \t]+)?def|class)[ \t]+(?P<name>\w+)", re.MULTILINE)),
    ("assignment", re.compile(r"^(?P<name>[A-Za-z_]\w*)[ \t]*(?::[^=\n]+)?=(?!=)", re.MULTILINE)),
)


@dataclass(frozen=True, slots=True)
class Definition:
    """A name bound at the top level of a cell.

    ``written`` is False for a stub as it was handed out: its body (a class: that of every method) ``is_empty``.
    ``parses`` is False where the cell is no Python and the name was found by its looks. ``fingerprint`` is equal for
    definitions that differ in whitespace, comments and line breaks only; empty for anything but functions and classes.
    """

    name: str
    line: int
    source: str
    sort: Sort
    written: bool = True
    parses: bool = True
    node: ast.stmt | None = None
    module: str = ""

    @property
    def fingerprint(self) -> str:
        """The hash of a function or class without its layout."""
        return fingerprint(self.node) if isinstance(self.node, (*_ROUTINES, ast.ClassDef)) else ""

    def is_stub(self, handed_out: Collection[str]) -> bool:
        """Whether this is a function or class that nobody has written anything of.

        ``handed_out`` are the fingerprints of the stubs that the course gives, of which a part may be written. A class
        that inherits all of its methods is no stub.
        """
        if self.sort != "definition" or not self.parses:
            return False
        if self.written:
            return bool(handed_out) and self.fingerprint in handed_out
        return not (isinstance(self.node, ast.ClassDef) and self.node.bases and not _methods(self.node))


def fingerprint(node: ast.AST) -> str:
    """A hash of a piece of code that is blind to whitespace, comments and line breaks.

    >>> fingerprint(ast.parse("x = 1  # one")) == fingerprint(ast.parse("x=1"))
    True
    """
    return hashlib.sha256(ast.dump(node).encode("utf-8", "surrogatepass")).hexdigest()[:24]


def definitions_in(source: str, names: Collection[str] | None = None) -> tuple[Definition, ...]:
    """What a cell defines at top level, in order; of ``names`` only, where they are given. Never raises."""
    found = _definitions_in(source)
    return found if names is None else tuple(item for item in found if item.name in names)


@by_source  # each exercise asks for those of all cells
def _definitions_in(source: str) -> tuple[Definition, ...]:
    tree = parsed(source)
    return tuple(_by_looks(source) if tree is None else _bound(tree.body, source.split("\n")))


def _bound(body: list[ast.stmt], lines: list[str]) -> Iterator[Definition]:
    for node in statements_in(body):
        text = text_of(node, lines)
        if isinstance(node, (*_ROUTINES, ast.ClassDef)):
            yield Definition(node.name, node.lineno, text, "definition", written=_is_written(node), node=node)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                name, module = alias.asname or alias.name, (node.module or "").split(".")[0]
                yield Definition(name, node.lineno, text, "import", node=node, module=module)
        else:
            for name, value in _assigned(node):
                plain = isinstance(value, (ast.Constant, ast.List, ast.Dict, ast.Set, ast.JoinedStr))
                yield Definition(name, node.lineno, text, "assignment", written=not plain, node=node)


def _assigned(node: ast.stmt) -> Iterator[tuple[str, ast.expr | None]]:
    """The names that a statement assigns; the value where it is one name's alone."""
    if isinstance(node, ast.Assign):
        targets, value = node.targets, node.value
    elif isinstance(node, (ast.AnnAssign, ast.AugAssign)) and node.value is not None:
        targets, value = [node.target], node.value
    else:
        return
    for target in targets:
        if isinstance(target, ast.Name):
            yield target.id, value
            continue
        for part in ast.walk(target):
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                yield part.id, None


def _is_written(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> bool:
    if isinstance(node, ast.ClassDef):
        methods = _methods(node)
        return any(_is_written(method) for method in methods) if methods else not is_empty(node.body)
    return not is_empty(node.body)


def _methods(node: ast.ClassDef) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [item for item in node.body if isinstance(item, _ROUTINES)]


def _by_looks(source: str) -> Iterator[Definition]:
    """Find definitions in a cell with a syntax error, in order of their lines."""
    found: list[tuple[int, str, Sort]] = []
    for sort, pattern in _LOOKS:
        line, counted = 1, 0
        for match in pattern.finditer(source):
            line, counted = line + source.count("\n", counted, match.start("name")), match.start("name")
            found.append((line, match["name"], sort))
    for line, name, sort in sorted(found):
        yield Definition(name, line, source, sort, parses=False)
