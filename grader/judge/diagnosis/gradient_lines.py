"""What a stub's lines do to gradients: which they add to or write in part, and which they read."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Collection, Iterable

from grader.cell_code import code_of
from grader.judge.diagnosis.source import nodes_of, path_of, written_into
from grader.model import Stub

#: Functions and methods that add to what they are given.
_SUMS = frozenset({"add", "addcmul", "index_add", "scatter_add", "sub"})
#: Methods in place that add to parts of a tensor.
_BY_INDEX = frozenset({"index_add_", "index_put_", "scatter_add_"})


def writes_in_part(stub: Stub | None) -> bool:
    """Whether some line assigns to a part of a ``.g``: ``inp.g[inp > 0] = …``."""
    return any(
        isinstance(target, ast.Subscript) and _is_gradient(target.value)
        for node in nodes_of(stub)
        if isinstance(node, ast.Assign)
        for target in node.targets
    )


def may_add(stub: Stub | None) -> bool:
    """Whether some line may add to what stood in a gradient: ``+=``, a method in place, ``t.g = t.g + …``.

    ``+=`` to what the stub has computed itself does not, unless it has that from before, when it was made. Where the
    source cannot be read, it may.
    """
    nodes = nodes_of(stub)
    made = [node for node in nodes if isinstance(node, ast.FunctionDef) and node.name == "__init__"]
    before = {id(each) for node in made for each in ast.walk(node)}
    computed = _computed(node for node in nodes if id(node) not in before)
    return not nodes or any(
        (isinstance(node, ast.AugAssign) and path_of(written_into(node.target)) not in computed)
        or (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr.endswith("_"))
        or _sets_from_itself(node)
        for node in nodes
    )


def _computed(nodes: Iterable[ast.AST]) -> set[str]:
    """The names of nothing but numbers and results of operators and functions, no second names of a gradient."""
    computed: set[str] = set()
    others: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Assign):
            match node.value:
                case ast.BinOp() | ast.UnaryOp() | ast.Constant() | ast.Call(func=ast.Attribute(ast.Name("torch"))):
                    computed |= set(map(path_of, node.targets))
                case _:
                    others |= set(map(path_of, node.targets))
    return computed - others


def adds_up(stub: Stub | None, path: str) -> bool:
    """Whether some line adds one contribution of several to the gradient ``path``: in a loop, or by an index."""
    nodes = nodes_of(stub)
    inside = {id(each) for node in nodes if isinstance(node, ast.For | ast.While) for each in ast.walk(node)}
    return any(
        _is_end_of(path_of(written_into(target)), path) and (in_part or id(node) in inside)
        for node in nodes
        for target, in_part in _added_to(node)
    )


def _added_to(node: ast.AST) -> list[tuple[ast.expr, bool]]:
    """What a node adds to, or changes by a method in place, and whether that is a part of a tensor."""
    match node:
        case ast.AugAssign(target=target):
            return [(target, isinstance(target, ast.Subscript))]
        case ast.Assign(targets=targets) if _sets_from_itself(node):
            return [(target, isinstance(target, ast.Subscript)) for target in targets]
        case ast.Call(func=ast.Attribute(value=owner, attr=method), args=[_, *_]) if method.endswith("_"):
            return [(owner, method in _BY_INDEX)]
    return []


def _sets_from_itself(node: ast.AST) -> bool:
    """Whether a line sets an attribute, or a part of it, from what it was: ``t.g = t.g + …``, ``self.sum = …``."""
    match node:
        case ast.Assign(targets=targets, value=value):
            written = {path_of(written_into(target)) for target in targets}
        case ast.Call(func=ast.Name(id="setattr"), args=[owner, ast.Constant("g"), value]):
            written = {f"{path_of(owner)}.g"}
        case _:
            return False
    return not (written - {""}).isdisjoint(map(_path_read, ast.walk(value)))


def kept_sum(stub: Stub | None, path: str) -> str | None:
    """What a stub adds to on ``self`` and puts into a gradient: ``self.sum`` of ``self.sum += …; self.w.g = self.sum``.

    ``path`` is the gradient, by its last two names; what is added to it itself is no such sum.
    """
    summed: set[str] = set()
    sources: set[str] = set()
    for node in nodes_of(stub):
        match node:
            case ast.AugAssign(target=target, op=ast.Add()):
                summed.add(path_of(target))
            case ast.Assign(targets=[target], value=value):
                if _sets_from_itself(node):
                    summed.add(path_of(target))
                pairs: list[tuple[ast.expr, ast.expr]] = [(target, value)]
                if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
                    pairs = list(zip(target.elts, value.elts, strict=False))
                sources |= {path_of(made) for place, made in pairs if _is_end_of(path_of(place), path)}
    if any(_is_end_of(each, path) for each in summed):
        return None
    kept = sorted(each for each in summed & sources if each.startswith("self.") and not each.endswith(".g"))
    return kept[0] if kept else None


def _is_end_of(path: str, other: str) -> bool:
    """Whether two paths have the same last two names."""
    return path.split(".")[-2:] == other.split(".")[-2:]


def _path_read(node: ast.AST) -> str:
    """The attribute that a node reads, itself or by ``getattr``; empty for any other node."""
    match node:
        case ast.Attribute(ctx=ast.Load()):
            return path_of(node)
        case ast.Call(func=ast.Name(id="getattr"), args=[owner, ast.Constant("g"), *_]):
            return f"{path_of(owner)}.g"
    return ""


def may_read_gradient(stub: Stub | None, given: Collection[str] = ()) -> bool:
    """Whether some line reads a ``.g`` but that of ``out`` and those ``given``, or calls a function that may do so.

    Of a function that stands in the same source each line is looked at.
    """
    nodes = nodes_of(stub)
    read = _but_given((path for path in map(_path_read, nodes) if path.endswith(".g")), given)
    called = {node.func.id for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    own = {node.name for node in nodes if isinstance(node, ast.FunctionDef)}
    named = [node for node in nodes if isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda)]
    own |= {path_of(target) for node in named for target in node.targets}
    return bool(read or called.difference(dir(builtins), own))


def _but_given(paths: Iterable[str], given: Collection[str]) -> set[str]:
    """The paths of gradients that do not hold numbers from the beginning, as that of an ``out`` does."""
    return {path for path in paths if path not in given and not f".{path}".endswith(".out.g")}


def reads_gradient(stub: Stub | None, path: str, given: Collection[str] = ()) -> bool:
    """Whether ``path``, such as ``b.g``, is assigned from some ``.g``, and no line adds to what stood in one.

    Lines that add are ``b.g += …``, ``b.g.add_(…)``, ``b.g = b.g + …`` and ``b.g = b.g.index_add(…)``. Those ``given``,
    such as ``out.g``, hold numbers from the beginning, and do not count.
    """
    assigned = False
    for node in nodes_of(stub):
        if isinstance(node, ast.AugAssign) and _is_gradient(written_into(node.target)):
            return False
        if isinstance(node, ast.Attribute) and node.attr.endswith("_") and _is_gradient(node.value):
            return False
        if isinstance(node, ast.Assign):
            targets = {code_of(target) for target in node.targets}
            read = _but_given((code_of(each) for each in ast.walk(node.value) if _is_gradient(each)), given)
            if any(_adds(each, targets) for each in ast.walk(node.value)):
                return False
            assigned |= bool(read) and any(f".{target}".endswith(f".{path}") for target in targets)
    return assigned


def _is_gradient(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "g"


def _adds(node: ast.AST, targets: set[str]) -> bool:
    """Whether an expression is a sum, written out or by a method, of which one term is what is assigned to."""
    match node:
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub(), right=right):
            terms = [left, right]
        case ast.Call(func=ast.Attribute(value=owner, attr=name), args=given) if name in _SUMS:
            terms = [owner, *given]
        case _:
            return False
    return not targets.isdisjoint(code_of(term) for term in terms if _is_gradient(term))
