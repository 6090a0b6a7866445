"""Clues of single lines: what has no effect, and what makes, writes or steps another way than is meant."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

import torch

from grader.cell_code import code_of
from grader.judge.diagnosis.clues.expressions import Function, copies, functions_of, is_size, line_of, origin, shown
from grader.judge.diagnosis.source import nodes_of, scope_of
from grader.judge.diagnosis.words import wording
from grader.model import Stub

#: Methods that do something, and are no tensor's.
_METHODS = frozenset({"step", "zero_grad", "append", "extend", "parameters", "train", "eval"})
#: Methods of tensors that those of sets and arrays are called like, which change what they belong to.
_ALSO_OTHERS = frozenset({"add", "fill", "put", "resize"})
#: What gives something new back and leaves what it is given as it is, besides what has a twin that works in place.
_PURE = frozenset(
    {"sum", "mean", "maximum", "minimum", "where", "matmul", "mm", "einsum", "outer", "dot", "softmax", "stack", "cat"}
)
#: Methods whose value the course takes for nothing: they write gradients.
_BACKWARD = frozenset({"backward", "bwd"})
#: A gradient where exercises keep it, in a path or in a call.
_KEPT_IN_G = re.compile(r"\.g\b")
#: What makes a new list or tensor, to be changed later.
_NEW = frozenset({"list", "dict", "defaultdict", "clone", "zeros", "zeros_like", "empty_like", "new_zeros", "copy"})


def in_grad(stub: Stub | None, call: str, paths: Iterable[str]) -> str:
    """A sentence on the first line that goes by ``.grad``, where all that is asked for is kept in ``.g``."""
    if ".grad" in call or not any(_KEPT_IN_G.search(path) for path in paths):
        return ""
    lines = [node for node in nodes_of(stub) if isinstance(node, ast.Attribute) and node.attr == "grad"]
    return wording.IN_GRAD.format(line=line_of(stub, min(lines, key=lambda node: node.lineno))) if lines else ""


def copied(stub: Stub | None, owner: str = "") -> str:
    """A sentence on the first line that keeps or returns a tensor made of another, which has no ``.g`` of its own.

    Of the tensor that is called ``owner``, where one is named.
    """
    for node in sorted(nodes_of(stub), key=lambda node: getattr(node, "lineno", 0)):
        for kept in _kept(node):
            made_of = origin(kept) if copies(kept) else kept
            gradient = isinstance(made_of, ast.Attribute) and made_of.attr == "g"
            if made_of is not kept and not gradient and _is_called(made_of, owner):
                return wording.COPIED.format(line=line_of(stub, kept), code=shown(kept), name=shown(made_of))
    return ""


def _is_called(value: ast.expr, name: str) -> bool:
    """Whether a value goes by that name, or as an attribute of it; by any, where none is given."""
    match value:
        case ast.Name(id=own) | ast.Attribute(attr=own):
            return name in {"", own}
    return False


def returned(stub: Stub | None, path: str) -> str:
    """A sentence on the first line of a backward pass that returns something else than a ``.g`` that it has written."""
    for function in functions_of(stub):
        for node in scope_of(function) if function.name in _BACKWARD else ():
            if isinstance(node, ast.Return) and node.value is not None:
                values = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
                if not all(isinstance(value, ast.Constant | ast.Attribute) for value in values):
                    return wording.RETURNED.format(line=line_of(stub, node), function=function.name, path=path)
    return ""


def _kept(node: ast.AST) -> Iterator[ast.expr]:
    """What a line keeps under a name, gives back, or sets a ``.g`` of; of several, each."""
    match node:
        case ast.Assign(value=value) | ast.Return(value=ast.expr() as value):
            for each in value.elts if isinstance(value, ast.Tuple) else (value,):
                yield each.elt if isinstance(each, ast.ListComp | ast.GeneratorExp) else each
        case ast.Attribute(value=owner, attr="g", ctx=ast.Store()):
            yield owner


def without_effect(stub: Stub | None) -> str:
    """A sentence on the first line that does nothing: a method that is not called, or a result that nothing keeps."""
    for function in functions_of(stub):
        given = {argument.arg for argument in function.args.args}
        for statement in scope_of(function):
            if isinstance(statement, ast.Expr) and (words := _effect_of(statement.value, given)):
                return words.format(line=line_of(stub, statement), code=shown(statement.value))
    return ""


def _effect_of(value: ast.expr, given: set[str]) -> str:
    """The words for an expression that stands alone and has no effect; empty where it may have one."""
    match value:
        case ast.Attribute(attr=name):
            return wording.UNCALLED if name in _METHODS or callable(getattr(torch.Tensor, name, None)) else ""
        case ast.Compare(left=ast.Name() | ast.Attribute() | ast.Subscript(), ops=[ast.Eq()]):
            return wording.COMPARED
        case ast.BinOp() | ast.Compare():
            return wording.DROPPED if not _calls(value) else ""
        case ast.Call(func=ast.Attribute(value=owner, attr=name), keywords=keywords):
            own = name not in _ALSO_OTHERS or (isinstance(owner, ast.Name) and owner.id in given)
            made = ((own and _has_twin(name)) or name in _PURE) and all(keyword.arg != "out" for keyword in keywords)
            return wording.DROPPED if made else ""
    return ""


def _calls(value: ast.expr) -> bool:
    """Whether an expression calls something that may change what it is given."""
    return any(isinstance(node, ast.Call | ast.Await | ast.NamedExpr) for node in ast.walk(value))


def _has_twin(name: str) -> bool:
    """Whether a tensor has a method of that name, and another with ``_`` behind it that works in place."""
    return hasattr(torch.Tensor, name) and hasattr(torch.Tensor, f"{name}_")


def one_for_all(stub: Stub | None) -> str:
    """A sentence on the first line that gives one list, or one new tensor, two names: ``self.m = self.v = […]``.

    A name of a line's own beside what is kept, ``buffer = self.buffers[i] = …``, is meant so.
    """
    for node in sorted(nodes_of(stub), key=lambda node: getattr(node, "lineno", 0)):
        match node:
            case ast.Assign(targets=[ast.Attribute() as one, ast.Attribute() as other, *_], value=value) if _is_new(
                value
            ):
                names = f"`{shown(one)}` and `{shown(other)}`"
                return wording.ONE_FOR_ALL.format(line=line_of(stub, node), names=names)
    return ""


def _is_new(value: ast.expr) -> bool:
    """Whether a value is an object that is made there and may be changed later."""
    match value:
        case ast.List() | ast.ListComp() | ast.Dict() | ast.DictComp():
            return True
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            return name in _NEW
    return False


def new_for_old(stub: Stub | None) -> str:
    """A sentence on the first line that steps to a new tensor, ``p = p - rate * p.grad``, where ``p`` was handed over.

    What is handed over is an argument, what a loop goes through, or a place in a list: ``self.params[i]``.
    """
    for function in functions_of(stub):
        nodes = scope_of(function)
        given = {argument.arg for argument in function.args.args}
        for node in nodes:
            match node:
                case ast.For(target=target) | ast.Assign(targets=[ast.Name() as target], value=ast.Subscript()):
                    given |= {each.id for each in ast.walk(target) if isinstance(each, ast.Name)}
        for node in nodes:
            match node:
                case ast.Assign(targets=[target], value=ast.BinOp(left=left, op=ast.Sub())):
                    old = code_of(left).removesuffix(".data")
                    if words := _replacing(target, old, node.value, given):
                        return words.format(line=line_of(stub, node), name=old)
    return ""


def _replacing(target: ast.expr, old: str, value: ast.expr, given: set[str]) -> str:
    """The words for a line that puts a new ``value`` where ``old`` was; empty where it changes what is there."""
    match target:
        case ast.Name(id=name):
            return wording.NEW_FOR_OLD if name == old and name in given else ""
        case ast.Subscript(value=container):
            stepped = code_of(target) == old and f"{old}.g" in code_of(value)  # of a gradient, as only tensors have
            return wording.NEW_IN_PLACE if stepped or (old in given and code_of(container) != old) else ""
    return ""


def whole_numbers(stub: Stub | None) -> str:
    """A sentence on the first line whose change to a tensor drops what stands after the decimal point."""
    for function in functions_of(stub):
        for words, line, _ in floored(function):
            return words.format(line=line_of(stub, line))
        for statement in scope_of(function):
            if isinstance(statement, ast.AugAssign) and any(map(_is_cut_off, ast.walk(statement.value))):
                return wording.CUT_OFF.format(line=line_of(stub, statement))
    return ""


def _is_cut_off(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "int"


def floored(function: Function) -> Iterator[tuple[str, ast.stmt, str]]:
    """Lines that divide with ``//``, but for what halves a size: a name that a shape gave, or the shape's own entry."""
    sizes: set[str] = set()
    for statement in scope_of(function):
        if not isinstance(statement, ast.Assign | ast.AugAssign | ast.Return):
            continue
        if isinstance(statement, ast.Assign) and is_size(statement.value, sizes):
            sizes |= {
                node.id for target in statement.targets for node in ast.walk(target) if isinstance(node, ast.Name)
            }
        divisions = [node for node in ast.walk(statement) if isinstance(getattr(node, "op", None), ast.FloorDiv)]
        if any(not isinstance(node, ast.BinOp) or not is_size(node.left, sizes) for node in divisions):
            yield wording.FLOORED, statement, ""


def steps(stub: Stub | None) -> str:
    """A sentence on the first line that takes a step, ``w -= rate * w.g``, for an answer that is to take none."""
    for node in sorted(nodes_of(stub), key=lambda node: getattr(node, "lineno", 0)):
        match node:
            case ast.AugAssign(target=target, op=ast.Sub(), value=value):
                gradient = f"{code_of(target).removesuffix('.data')}.g"
                if any(isinstance(each, ast.Attribute) and code_of(each) == gradient for each in ast.walk(value)):
                    return wording.STEPS.format(line=line_of(stub, node))
    return ""
