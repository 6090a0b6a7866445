"""What expressions of a stub are: the same numbers as another tensor's, a size; how they are shown, and where."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable

from grader.cell_code import code_of
from grader.judge.diagnosis.source import nodes_of
from grader.model import Stub

Function = ast.FunctionDef | ast.AsyncFunctionDef
#: What leaves the values of a tensor as they are.
_CONVERSIONS = frozenset(
    {"clone", "contiguous", "detach", "double", "float", "to", "type", "type_as", "numpy", "copy", "astype", "cpu"}
    | {"squeeze", "unsqueeze", "view", "reshape", "flatten", "t"}
)
#: Conversions that may give back the very tensor.
_SAME = frozenset({"contiguous", "to", "type", "type_as", "cpu"})
_LONGEST = 60


def functions_of(stub: Stub | None) -> list[Function]:
    """The functions and methods of a stub in order; none where its source is no Python."""
    return sorted((node for node in nodes_of(stub) if isinstance(node, Function)), key=lambda node: node.lineno)


def line_of(stub: Stub | None, node: ast.stmt | ast.expr) -> int:
    """The line of the cell in which a statement or an expression begins."""
    return node.lineno + (stub.line if stub is not None else 1) - 1


def shown(value: ast.expr) -> str:
    """The code of an expression, as much of it as fits into a sentence."""
    code = code_of(value)
    return code if len(code) <= _LONGEST else f"{code[:_LONGEST]} …"


def reads(nodes: Iterable[ast.AST]) -> list[ast.Name]:
    """Where a name is read among ``nodes``."""
    return [node for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)]


def origin(value: ast.expr) -> ast.expr:
    """The tensor of which an expression makes another with the same numbers: ``x`` of ``x.double()[:, None]``."""
    while True:
        match value:
            case ast.Call(func=ast.Attribute(value=owner, attr=method)) if method in _CONVERSIONS:
                value = owner
            case ast.Call(func=ast.Name(id="Parameter") | ast.Attribute(attr="Parameter"), args=[owner, *_]):
                value = owner
            case ast.Subscript(value=owner) | ast.Attribute(value=owner, attr="T" | "mT" | "data"):
                value = owner
            case _:
                return value


def is_converted(value: ast.expr, name: str) -> bool:
    """Whether a value is the one of that name, of another kind or shape: ``x.double()``, ``x[:, None]``."""
    first = origin(value)
    return isinstance(first, ast.Name) and first.id == name


def copies(value: ast.expr) -> bool:
    """Whether the last step of an expression gives another tensor in any case, and not the same one where it fits."""
    match value:
        case ast.Call(func=ast.Attribute(attr=method)) if method in _CONVERSIONS:
            return method not in _SAME
    return isinstance(value, ast.Call | ast.Attribute)


def is_size(value: ast.expr, sizes: Collection[str]) -> bool:
    """Whether a value comes of a shape, a length, or one of the names of ``sizes``, by arithmetic at most."""
    match value:
        case ast.Name(id=name):
            return name in sizes
        case ast.BinOp(left=left, right=right):
            sides = [is_size(side, sizes) for side in (left, right) if not isinstance(side, ast.Constant)]
            return bool(sides) and all(sides)
        case ast.Subscript(value=owner):
            return is_size(owner, sizes)
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) | ast.Attribute(attr=name):
            return name in {"shape", "size", "len", "numel"}
    return False
