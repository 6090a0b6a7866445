"""What an answer relies on: the imports of its notebook's cells, and what they define of the names it uses.

So it is with the modules beside the notebook, of which an answer uses what it, or a cell, imports.
"""

from __future__ import annotations

import ast
import builtins
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from types import MappingProxyType
from typing import Self

from grader.cell_code import bound_among, of_one_scope, parsed
from grader.model import Cell
from grader.recent import SOURCE_KEPT, Recent, by_source
from grader.submission.reading.definitions import definitions_in
from grader.submission.reading.imports import MOST_PARTS, imported_in, imports_in, named_in, plain, seen_in

#: Imports of everything that are looked through for a name, the last ones.
_MOST_STARS = 100
#: The names that Python and IPython know without an import.
_PYTHONS = frozenset({*dir(builtins), "display", "get_ipython"})


@dataclass(frozen=True, slots=True)
class Piece:
    """Code that an answer consists of or relies on, and the line and dotted name of everything imported that it uses.

    ``place`` is where it stands, from which its lines are counted (``"cell 2"``, ``"helper.py"``); empty for the answer
    itself.
    """

    code: ast.AST
    names: tuple[tuple[int, str], ...]
    place: str = ""


@dataclass(frozen=True, slots=True)
class _Named:
    """What sources name at their top level: what they import, of which modules everything, and what they define."""

    imported: Mapping[str, str]
    stars: Sequence[str]
    names: Set[str]
    defined: Mapping[str, tuple[ast.AST, str]]


#: By the sources, with their places, and the package: each exercise asks about the cells of its notebook anew.
_NAMED: Recent[tuple[tuple[tuple[str, str], ...], str], _Named] = Recent(SOURCE_KEPT)


def _named(sources: Iterable[tuple[str, str]], package: str) -> _Named:
    key = (*sources,), package
    named = _NAMED.get(key)
    if named is None:
        imported = imported_in((source for _, source in key[0]), package)
        found = [(item, place) for place, source in key[0] for item in definitions_in(source)]
        names = frozenset({item.name for item, _ in found}.union(*(_bound_in(source) for _, source in key[0])))
        defined = {item.name: (item.node, place) for item, place in found if item.sort != "import" and item.node}
        named = _Named(imported, _stars(imported.values()), names, defined)
        _NAMED.keep(key, named, sum(len(source) for _, source in key[0]))
    return named


class _Scope:
    """Where a name is looked up: in the cells of a notebook, or in a module beside it, in its package."""

    def __init__(self, sources: Iterable[tuple[str, str]], but: Collection[str], package: str = "") -> None:
        self.package = package
        named = _named(sources, package)
        self.imported, self.stars, self.names = named.imported, named.stars, named.names
        self._defined, self._taken = named.defined, {*but}

    @classmethod
    def of_cells(cls, cells: Sequence[Cell], but: Collection[str]) -> Self:
        """The top level of a notebook."""
        return cls(((f"cell {cell.index}", cell.source) for cell in cells), but)

    def take(self, name: str) -> list[tuple[ast.AST, str, _Scope]]:
        """What defines ``name``, with its place, where it was not taken before."""
        if name in self._taken or name not in self._defined:
            return []
        self._taken.add(name)
        return [(*self._defined[name], self)]


class _Beside:
    """The modules beside a notebook, told by their dotted names."""

    def __init__(self, modules: Mapping[str, str], but: Collection[str]) -> None:
        self._paths = {module_at(path): path for path in modules}
        self._sources, self._but = modules, but
        self._scopes: dict[str, _Scope] = {}

    def followed(self, dotted: str) -> tuple[str, _Scope | None, str]:
        """What ``dotted`` is where a module has imported it; the scope that defines it, and its name there."""
        for _ in range(MOST_PARTS if self._paths else 0):
            parts = dotted.split(".")
            ends = (end for end in range(len(parts) - 1, 0, -1) if ".".join(parts[:end]) in self._paths)
            end = next(ends, 0)
            if not end:
                break
            scope, name = self._scope(".".join(parts[:end])), parts[end]
            known = name in scope.imported and scope.imported[name] != dotted
            found = scope.imported[name] if known else "" if name in scope.names else self._starred(scope.stars, name)
            if not found:
                return dotted, scope, name
            dotted = plain([found, *parts[end + 1 :]])
        return dotted, None, ""

    def starred(self, names: Set[str], scope: _Scope, own: Iterable[str]) -> dict[str, str]:
        """The dotted names of those that only an import of everything, of the scope or in ``own``, can have given."""
        stars = [*scope.stars, *_stars(own)]
        found = {name: self._starred(stars, name) for name in (names - scope.names - _PYTHONS if stars else ())}
        return {name: dotted for name, dotted in found.items() if dotted}

    def _starred(self, stars: Sequence[str], name: str) -> str:
        """The dotted name of ``name`` by the last of ``stars`` that may have it; empty where none has."""
        for star in reversed(stars):
            scope = self._scope(star) if star in self._paths else None
            if scope is None or name in scope.names or name in scope.imported or scope.stars:
                return f"{star}.{name}"
        return ""

    def _scope(self, module: str) -> _Scope:
        if module not in self._scopes:
            path = self._paths[module]
            package = module_at(path.rpartition("/")[0])
            self._scopes[module] = _Scope([(path, self._sources[path])], self._but, package)
        return self._scopes[module]


def _stars(imported: Iterable[str]) -> list[str]:
    """The modules of which everything is imported, each once."""
    return [*dict.fromkeys(dotted.removesuffix(".*") for dotted in imported if dotted.endswith(".*"))][-_MOST_STARS:]


def module_at(path: str) -> str:
    """The dotted name of the module in the file at ``path``.

    >>> module_at("helper.py"), module_at("tools/__init__.py"), module_at("tools/made.py")
    ('helper', 'tools', 'tools.made')
    """
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def pieces(
    source: str,
    cells: Sequence[Cell] = (),
    but: Collection[str] = (),
    modules: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Piece]:
    """The answer ``source``, then what it relies on in ``cells``, directly or through other pieces. Never raises.

    ``modules`` are those beside the notebook, from path to source. The names in ``but`` are passed over: what other
    exercises ask for. A name that a piece binds itself is its own, and of several definitions of a name the last one
    counts, as at the end of the notebook.
    """
    tree = parsed(source)
    if tree is None:
        return
    beside = _Beside(modules, but)
    todo: deque[tuple[ast.AST, str, _Scope]] = deque([(tree, "", _Scope.of_cells(cells, but))])
    while todo:
        code, place, scope = todo.popleft()
        nodes = list(ast.walk(code))
        used, own = _used(nodes), list(imports_in(nodes, scope.package))
        imported = seen_in(nodes, scope.imported, scope.package)
        imported.update(beside.starred(used - imported.keys() - {*but}, scope, (dotted for _, _, dotted in own)))
        names = [(line, dotted, beside.followed(dotted)) for line, dotted in named_in(nodes, imported)]
        of_imports = [(line, dotted, beside.followed(dotted)) for line, _, dotted in own]
        found = [(line, whole) for line, _, (whole, _, _) in names]
        found += [(line, whole) for line, dotted, (whole, _, _) in of_imports if whole != dotted]
        yield Piece(code, tuple(found), place)
        for name in sorted(used):
            todo += scope.take(name)
        for _, _, (_, defining, name) in (*names, *of_imports):
            todo += defining.take(name) if defining is not None else []


def names_used(source: str, cells: Sequence[Cell] = (), but: Collection[str] = ()) -> frozenset[str]:
    """The names that the answer ``source`` uses, or what it relies on in ``cells`` (``pieces``); none of their own."""
    tree = parsed(source)
    scope = _Scope.of_cells(cells, but)
    todo: list[ast.AST] = [] if tree is None else [tree]
    names: set[str] = set()
    while todo:
        used = _used(list(ast.walk(todo.pop())))
        names |= used
        todo += (code for name in used for code, _, _ in scope.take(name))
    return frozenset(names)


@by_source
def _bound_in(source: str) -> frozenset[str]:
    """The names that a cell, or a module, binds at top level: by a loop, ``with`` or ``except`` too."""
    tree = parsed(source)
    return frozenset() if tree is None else frozenset(bound_among(of_one_scope(tree)))


def _used(nodes: Sequence[ast.AST]) -> set[str]:
    """The names that the nodes of a tree use and bind nowhere themselves."""
    read = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    return read - bound_among(nodes)
