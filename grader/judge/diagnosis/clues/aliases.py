"""A clue of two names for one tensor: what changes it under the one changes what is read under the other."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Collection, Iterator

import torch

from grader.judge.diagnosis.clues.expressions import Function, functions_of, is_size, line_of
from grader.judge.diagnosis.source import path_of, scope_of, written_into
from grader.judge.diagnosis.words import wording
from grader.model import Stub

#: Attributes of tensors that a node of a scalar engine has, too, where they are numbers.
_OF_NUMBERS = frozenset({"data", "grad"})


def also_changed(stub: Stub | None, path: str = "") -> str:
    """A sentence on a line that changes a tensor under a second name, where a later line reads it by the first.

    ``d = out.g; d *= gamma; gamma.g = (out.g * xh).sum(0)``; with a ``path``, only where the later line assigns to it.
    """
    for function in functions_of(stub):
        tensors = _tensors(function)
        names = _Names()
        changed: dict[str, tuple[ast.stmt, str]] = {}
        nodes = scope_of(function)
        elses = {id(node.orelse[0]): node.lineno for node in nodes if isinstance(node, ast.If) and node.orelse}
        for node in nodes:
            if begun := elses.get(id(node)):  # what comes behind it may do without what stands in the other branch
                changed = {first: change for first, change in changed.items() if change[0].lineno < begun}
            if not isinstance(node, ast.Assign | ast.AugAssign | ast.Return | ast.Expr):
                continue
            targets = [path_of(each) for each in _targets(node)]
            if not path or any(f".{each}".endswith(f".{path}") for each in targets):
                for first in _reads(node):
                    if first in changed and changed[first][0].lineno < node.lineno:
                        line, read = (line_of(stub, each) for each in (changed[first][0], node))
                        return wording.ALSO_CHANGED.format(line=line, name=first, other=changed[first][1], read=read)
            for target in targets:
                changed.pop(target, None)
            for second in _changed_by(node):
                if first := names.first_of(second):
                    changed.setdefault(first, (node, second))
            names.take(node, tensors)
    return ""


class _Names:
    """Second names of tensors, as far as they have been given; one whose first name has another value is none."""

    def __init__(self) -> None:
        self.firsts: dict[str, tuple[str, int]] = {}
        self.given: Counter[str] = Counter()

    def first_of(self, second: str) -> str:
        """The first name of what ``second`` is another name of; empty where it is none."""
        first, given = self.firsts.get(second, ("", 0))
        return first if self.given[first] == given else ""

    def take(self, node: ast.stmt, tensors: Collection[str]) -> None:
        """Keep what an assignment says of names."""
        targets = [path_of(each) for each in _targets(node)]
        self.given.update(targets)
        for target in targets:
            self.firsts.pop(target, None)
        if isinstance(node, ast.Assign) and len(targets) == 1 and targets[0]:
            first = path_of(_whole(node.value))
            if first in tensors and first != targets[0]:
                first = self.first_of(first) or first
                self.firsts[targets[0]] = first, self.given[first]


def _targets(node: ast.stmt) -> list[ast.expr]:
    """The names and attributes that a statement gives a value, and parts of tensors, each of a tuple."""
    targets = node.targets if isinstance(node, ast.Assign) else []
    return [each for target in targets for each in (target.elts if isinstance(target, ast.Tuple) else [target])]


def _reads(node: ast.Assign | ast.AugAssign | ast.Return | ast.Expr) -> list[str]:
    """The names and attributes that a statement computes something of."""
    if isinstance(node, ast.Expr) or node.value is None:
        return []
    found = (each for each in ast.walk(node.value) if isinstance(each, ast.Name | ast.Attribute))
    return [path_of(each) for each in found]


def _changed_by(node: ast.stmt) -> Iterator[str]:
    """The names and attributes whose tensors a statement changes in place."""
    match node:
        case ast.Assign():
            yield from (path_of(each.value) for each in _targets(node) if isinstance(each, ast.Subscript))
        case ast.AugAssign(target=target):
            yield path_of(written_into(target))
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=owner, attr=method))):
            if method.endswith("_") and hasattr(torch.Tensor, method):
                yield path_of(owner)


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
            case ast.Attribute(value=owner, attr="g"):
                found |= {path_of(owner), path_of(node)}
            case ast.Attribute(value=owner, attr=attr) if attr not in _OF_NUMBERS and hasattr(torch.Tensor, attr):
                found.add(path_of(owner))
            case ast.BinOp(left=left, op=ast.MatMult(), right=right):
                found |= {path_of(left), path_of(right)}
    for node in nodes:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if not is_size(value, ()):
                made = isinstance(value, ast.BinOp) or (isinstance(value, ast.Name) and value.id in found)
                if made and any(path_of(each) in found for each in _operands(value)):
                    found.add(name)
    return frozenset(found - {"", "torch", "self", "np", "F"})


def _operands(formula: ast.expr) -> Iterator[ast.expr]:
    """The operands of a formula, and not what stands in its calls and indices, which may make a number of a tensor."""
    left = [formula]
    while left:  # no recursion: a formula may be nested more deeply than Python calls
        match left.pop():
            case ast.BinOp(left=one, right=other):
                left += [one, other]
            case ast.UnaryOp(operand=operand):
                left.append(operand)
            case operand:
                yield operand
