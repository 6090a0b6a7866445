"""What an answer relies on: the imports of its notebook's cells, and what they define of the names it uses.

So it is with the modules beside the notebook, of which an answer uses what it, or a cell, imports.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from types import MappingProxyType

from grader.cell_code import bound_among, name_called, of_one_scope, parsed, statements_in
from grader.model import Cell
from grader.recent import by_source
from grader.submission.reading.definitions import definitions_in

#: Modules that code is taken to have imported where that does not show.
THERE: Mapping[str, str] = {"torch": "torch", "gc": "gc", "sys": "sys"}

#: Where a module shows a package that it has imported: before ``torch`` in ``torch.nn.functional.torch``.
_WITHIN = re.compile(r"\.(?=(?:torch|sympy|mpmath|jax|tensorflow|sklearn|ctypes|gc|inspect|sys)(?:\.|$))")
#: Parts of a dotted name that are looked at, and characters of one that are kept: no module's has more.
_MOST_PARTS, _LONGEST = 20, 200
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


class _Scope:
    """Where a name is looked up: in the cells of a notebook, or in a module beside it, in its package."""

    def __init__(self, sources: Collection[tuple[str, str]], but: Collection[str], package: str = "") -> None:
        self.package = package
        self.imported = _imported((source for _, source in sources), package)
        self.stars = _stars(self.imported.values())
        found = [(item, place) for place, source in sources for item in definitions_in(source)]
        self.names = {item.name for item, _ in found}.union(*(_bound_in(source) for _, source in sources))
        self._left = {
            item.name: (item.node, place)
            for item, place in found
            if item.sort != "import" and item.node is not None and item.name not in but
        }

    def take(self, name: str) -> list[tuple[ast.AST, str, _Scope]]:
        """What defines ``name``, with its place, where it was not taken before."""
        return [(*self._left.pop(name), self)] if name in self._left else []


class _Beside:
    """The modules beside a notebook, told by their dotted names."""

    def __init__(self, modules: Mapping[str, str], but: Collection[str]) -> None:
        self._paths = {module_at(path): path for path in modules}
        self._sources, self._but = modules, but
        self._scopes: dict[str, _Scope] = {}

    def followed(self, dotted: str) -> tuple[str, _Scope | None, str]:
        """What ``dotted`` is where a module has imported it; the scope that defines it, and its name there."""
        for _ in range(_MOST_PARTS if self._paths else 0):
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
            dotted = _plain([found, *parts[end + 1 :]])
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
    todo: deque[tuple[ast.AST, str, _Scope]] = deque(
        [(tree, "", _Scope([(f"cell {cell.index}", cell.source) for cell in cells], but))]
    )
    while todo:
        code, place, scope = todo.popleft()
        nodes = list(ast.walk(code))
        used, own = _used(nodes), list(imports_in(nodes, scope.package))
        imported = _seen_in(nodes, scope.imported, scope.package)
        imported.update(beside.starred(used - imported.keys() - {*but}, scope, (dotted for _, _, dotted in own)))
        names = [(line, dotted, beside.followed(dotted)) for line, dotted in _named_in(nodes, imported)]
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
    return frozenset(name for piece in pieces(source, cells, but) for name in _used(list(ast.walk(piece.code))))


def imports_in(nodes: Iterable[ast.AST], package: str = "") -> Iterator[tuple[int, str, str]]:
    """Yield the line, the name and the dotted name of everything that ``nodes``, in a module of ``package``, import."""
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                package = alias.name.split(".")[0]
                yield node.lineno, alias.asname or package, alias.name if alias.asname else package
                if not alias.asname and "." in alias.name:
                    yield node.lineno, f"import {alias.name}", alias.name  # no name of its own, but a sign
        elif isinstance(node, ast.ImportFrom) and (module := _named_by(node, package)):
            for alias in node.names:
                name = f"from {module} import *" if alias.name == "*" else alias.asname or alias.name
                yield node.lineno, name, _plain([f"{module}.{alias.name}"])


def _named_by(node: ast.ImportFrom, package: str) -> str:
    """The dotted name of the module from which something is imported; empty above the outermost ``package``."""
    if not node.level:
        return node.module or ""
    parts = package.split(".") if package else []
    above = parts[: len(parts) - node.level + 1] if node.level <= len(parts) else []
    return ".".join([*above, *([node.module] if node.module else [])]) if above else ""


def seen_through(code: ast.AST, elsewhere: Mapping[str, str]) -> dict[str, str]:
    """The names by which ``code`` reaches what is imported, and the dotted names of that.

    What it imports itself counts anywhere in it, and so does another name that it gives to what is imported; of what is
    imported ``elsewhere`` (``imported_by``), the names that it uses and does not bind.
    """
    return _seen_in(list(ast.walk(code)), elsewhere)


def _seen_in(nodes: Sequence[ast.AST], elsewhere: Mapping[str, str], package: str = "") -> dict[str, str]:
    named = {node.id for node in nodes if isinstance(node, ast.Name)} - bound_among(nodes)
    imported = {name: elsewhere[name] for name in named if name in elsewhere}
    _note_imports(imported, nodes, package)
    return imported


def imported_by(cells: Sequence[Cell]) -> dict[str, str]:
    """The names that ``cells`` import at top level, or give to what is imported, and their dotted names.

    >>> imported_by([Cell(0, "import torch as t"), Cell(1, "ag = t.autograd")])["ag"]
    'torch.autograd'
    """
    return _imported(cell.source for cell in cells)


def dotted_name(node: ast.expr, imported: Mapping[str, str]) -> str:
    """The full dotted name of ``ag.grad`` after ``import torch.autograd as ag``; empty for anything else.

    Attributes and modules may be named by texts; a package that is found within another one has its own name.

    >>> dotted_name(ast.parse("getattr(t, 'optim').SGD", mode="eval").body, {"t": "torch"})
    'torch.optim.SGD'
    >>> dotted_name(ast.parse("importlib.import_module('torch').optim", mode="eval").body, {})
    'torch.optim'
    >>> dotted_name(ast.parse("F.torch.optim", mode="eval").body, {"F": "torch.nn.functional"})
    'torch.optim'
    """
    parts: list[str] = []
    while len(parts) < _MOST_PARTS:
        match node:
            case ast.Name(id=name) if name in imported:
                return _plain([imported[name], *reversed(parts)])
            case ast.Subscript(value=ast.Attribute(attr="modules") as owner, slice=ast.Constant(value=str(module))):
                return _plain([module, *reversed(parts)]) if dotted_name(owner, imported) == "sys.modules" else ""
            case ast.Call() if module := _module_of(node, imported):
                return _plain([module, *reversed(parts)])
        of, name = part_of(node)
        if of is None:
            return ""
        parts.append(name)
        node = of
    return ""


def part_of(node: ast.expr) -> tuple[ast.expr | None, str]:
    """What an attribute is taken of, and which; nothing for any other expression."""
    match node:
        case ast.Attribute(value=owner, attr=name):
            return owner, name
        case ast.Call(func=ast.Name(id="getattr"), args=[owner, ast.Constant(value=str(name)), *_]):
            return owner, name
        case ast.Call(func=ast.Attribute(value=owner, attr="__getattribute__"), args=[ast.Constant(value=str(name))]):
            return owner, name
        case ast.Call(func=ast.Call(args=[ast.Constant(value=str(name))]) as getter, args=[owner]):
            return (owner, name) if name_called(getter) == "attrgetter" else (None, "")
    return None, ""


def _plain(parts: Sequence[str]) -> str:
    """A dotted name, of which what comes before a package that stands within others is left out."""
    return _WITHIN.split(".".join(parts)[:_LONGEST])[-1]


def _named_in(nodes: Iterable[ast.AST], imported: Mapping[str, str]) -> Iterator[tuple[int, str]]:
    """Yield the line and the dotted name of each use of what is imported, whole: of ``a.b.c`` no ``a.b``.

    The nodes are in the order of ``ast.walk``.
    """
    within: set[ast.AST] = set()
    for node in nodes:
        if isinstance(node, (ast.Attribute, ast.Name, ast.Call, ast.Subscript)):
            dotted = dotted_name(node, imported)
            if not dotted:
                continue
            if node not in within:
                yield node.lineno, dotted
            owner = node.value if isinstance(node, ast.Subscript) else part_of(node)[0]
            if owner is not None:
                within.add(owner)


def _module_of(call: ast.Call, imported: Mapping[str, str]) -> str:
    """The module that a call gives which imports by a text, or takes it of those loaded; empty for any other call."""
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
        case "get" | "pop", _ if isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Attribute):
            return name if dotted_name(call.func.value, imported) == "sys.modules" else ""
    return ""


def _imported(sources: Iterable[str], package: str = "") -> dict[str, str]:
    imported = dict(THERE)
    for source in sources:
        _note_imports(imported, _naming_statements(source), package)
    return imported


def _note_imports(imported: dict[str, str], nodes: Iterable[ast.AST], package: str) -> None:
    for node in nodes:
        imported.update((name, dotted) for _, name, dotted in imports_in([node], package))
        if isinstance(node, ast.Assign) and (dotted := dotted_name(node.value, imported)):
            imported.update((target.id, dotted) for target in node.targets if isinstance(target, ast.Name))


@by_source
def _naming_statements(source: str) -> tuple[ast.stmt, ...]:
    """The statements of a cell, at its top level, by which a name may come to stand for what is imported."""
    tree = parsed(source)
    statements = () if tree is None else statements_in(tree.body)
    return tuple(one for one in statements if isinstance(one, (ast.Import, ast.ImportFrom, ast.Assign)))


@by_source
def _bound_in(source: str) -> frozenset[str]:
    """The names that a cell, or a module, binds at top level: by a loop, ``with`` or ``except`` too."""
    tree = parsed(source)
    return frozenset() if tree is None else frozenset(bound_among(of_one_scope(tree)))


def _used(nodes: Sequence[ast.AST]) -> set[str]:
    """The names that the nodes of a tree use and bind nowhere themselves."""
    read = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    return read - bound_among(nodes)
