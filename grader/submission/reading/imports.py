"""What code imports, and the dotted names of what stands for it: ``torch.autograd.grad`` for ``ag.grad``."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from grader.cell_code import bound_among, name_called, parsed, statements_in
from grader.recent import by_source

#: Modules that code is taken to have imported where that does not show.
THERE: Mapping[str, str] = {"torch": "torch", "gc": "gc", "sys": "sys"}

#: Where a module shows a package that it has imported: before ``torch`` in ``torch.nn.functional.torch``.
_WITHIN = re.compile(r"\.(?=(?:torch|sympy|mpmath|jax|tensorflow|sklearn|ctypes|gc|inspect|sys)(?:\.|$))")
#: Parts of a dotted name that are looked at, and characters of one that are kept: no module's has more.
MOST_PARTS, _LONGEST = 20, 200


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
                yield node.lineno, name, plain([f"{module}.{alias.name}"])


def _named_by(node: ast.ImportFrom, package: str) -> str:
    """The dotted name of the module from which something is imported; empty above the outermost ``package``."""
    if not node.level:
        return node.module or ""
    parts = package.split(".") if package else []
    above = parts[: len(parts) - node.level + 1] if node.level <= len(parts) else []
    return ".".join([*above, *([node.module] if node.module else [])]) if above else ""


def seen_in(nodes: Sequence[ast.AST], elsewhere: Mapping[str, str], package: str = "") -> dict[str, str]:
    """The names by which ``nodes``, in a module of ``package``, reach what is imported, and the dotted names of that.

    What they import themselves counts in all of them, and so does another name that they give to what is imported; of
    what is imported ``elsewhere`` (``imported_in``), the names that they use and do not bind.
    """
    named = {node.id for node in nodes if isinstance(node, ast.Name)} - bound_among(nodes)
    imported = {name: elsewhere[name] for name in named if name in elsewhere}
    _note_imports(imported, nodes, package)
    return imported


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
    while len(parts) < MOST_PARTS:
        match node:
            case ast.Name(id=name) if name in imported:
                return plain([imported[name], *reversed(parts)])
            case ast.Subscript(value=ast.Attribute(attr="modules") as owner, slice=ast.Constant(value=str(module))):
                return plain([module, *reversed(parts)]) if dotted_name(owner, imported) == "sys.modules" else ""
            case ast.Call() if module := _module_of(node, imported):
                return plain([module, *reversed(parts)])
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


def plain(parts: Sequence[str]) -> str:
    """A dotted name, of which what comes before a package that stands within others is left out."""
    return _WITHIN.split(".".join(parts)[:_LONGEST])[-1]


def named_in(nodes: Iterable[ast.AST], imported: Mapping[str, str]) -> Iterator[tuple[int, str]]:
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


def imported_in(sources: Iterable[str], package: str = "") -> dict[str, str]:
    """The names that ``sources`` import at top level, or give to what is imported, and their dotted names.

    >>> imported_in(["import torch as t", "ag = t.autograd"])["ag"]
    'torch.autograd'
    """
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
