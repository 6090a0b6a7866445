"""A clue of two names for one tensor: what changes it under the one changes what is read under the other."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import torch

from grader.cell_code import code_of
from grader.judge.diagnosis.clues.expressions import Function, functions_of, is_size, line_of
from grader.judge.diagnosis.source import scope_of
from grader.judge.diagnosis.words import wording
from grader.model import Stub


def also_changed(stub: Stub | None, path: str = "") -> str:
    """A sentence on a line that changes a tensor under a second name, where a later line reads it by the first.

    ``d = out.g; d *= gamma; gamma.g = (out.g * xh).sum(0)``; with a ``path``, only where the later line assigns to it.
    """
    for function in functions_of(stub):
        tensors = _tensors(function)
        for changing, first, second in _changes(function, tensors):
            for node in scope_of(function):
                if not isinstance(node, ast.Assign | ast.Return | ast.AugAssign) or node.lineno <= changing.lineno:
                    continue
                if path and not any(f".{code_of(each)}".endswith(f".{path}") for each in _targets(node)):
                    continue
                if node.value is not None and first in map(_read, ast.walk(node.value)):
                    return wording.ALSO_CHANGED.format(
                        line=line_of(stub, changing), name=first, other=second, read=line_of(stub, node)
                    )
                if any(code_of(each) == first for each in _targets(node)):
                    break
    return ""


def _targets(node: ast.AST) -> list[ast.expr]:
    """What a statement assigns to, each of a tuple."""
    targets = node.targets if isinstance(node, ast.Assign) else []
    return [each for target in targets for each in (target.elts if isinstance(target, ast.Tuple) else [target])]


def _read(node: ast.AST) -> str:
    """The code of a name or an attribute that is read; empty for anything else."""
    return code_of(node) if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load) else ""


def _changes(function: Function, tensors: frozenset[str]) -> Iterator[tuple[ast.stmt, str, str]]:
    """Statements that change a tensor in place, its first name, and the second by which it is changed."""
    names: dict[str, str] = {}
    for node in scope_of(function):
        match node:
            case ast.Assign(targets=[ast.Name() | ast.Attribute() as target], value=value):
                second = code_of(target)
                names = {one: first for one, first in names.items() if second not in (one, first)}
                first = code_of(_whole(value))
                if first in tensors and first != second:
                    names[second] = names.get(first, first)
            case ast.Assign():
                for each in _targets(node):
                    if isinstance(each, ast.Subscript) and code_of(each.value) in names:
                        yield node, names[code_of(each.value)], code_of(each.value)
                    names.pop(code_of(each), None)
            case ast.AugAssign(target=target):
                second = code_of(target.value if isinstance(target, ast.Subscript) else target)
                if second in names:
                    yield node, names[second], second
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=owner, attr=method))):
                if code_of(owner) in names and method.endswith("_") and hasattr(torch.Tensor, method):
                    yield node, names[code_of(owner)], code_of(owner)


def _whole(value: ast.expr) -> ast.expr:
    """The tensor of which a value is a part that shares its memory: by numbers and slices, not by a mask."""
    while isinstance(value, ast.Subscript) and _is_basic(value.slice):
        value = value.value
    return value


def _is_basic(index: ast.expr) -> bool:
    """Whether an index is made of numbers that are written down, and of slices."""
    indices = index.elts if isinstance(index, ast.Tuple) else [index]
    return all(isinstance(each, ast.Constant | ast.Slice) for each in indices)


def _tensors(function: Function) -> frozenset[str]:
    """Names and attributes that hold tensors, as far as it shows: by what is done with them, or what they come of."""
    nodes = scope_of(function)
    found: set[str] = set()
    for node in nodes:
        match node:
            case ast.Attribute(value=owner, attr=attr) if hasattr(torch.Tensor, attr) or attr == "g":
                found |= {code_of(owner)} | ({code_of(node)} if attr in {"g", "grad"} else set())
            case ast.BinOp(left=left, op=ast.MatMult(), right=right):
                found |= {code_of(left), code_of(right)}
    for node in nodes:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if not is_size(value, ()):
                made = isinstance(value, ast.BinOp) or (isinstance(value, ast.Name) and value.id in found)
                if made and any(_read(each) in found for each in _numbers_of(value)):
                    found.add(name)
    return frozenset(found - {"torch", "self", "np", "F"})


def _numbers_of(value: ast.expr) -> Iterator[ast.expr]:
    """The operands of a formula, and not what stands in its calls and indices, which may make a number of a tensor."""
    match value:
        case ast.BinOp(left=left, right=right):
            yield from _numbers_of(left)
            yield from _numbers_of(right)
        case ast.UnaryOp(operand=operand):
            yield from _numbers_of(operand)
        case _:
            yield value
