"""What a stub's own lines show beside a diagnosis: a line without effect, a name that changes its meaning.

Each clue is a fact of the source, whatever came of it, with the line that it is read off; none is a diagnosis.
"""

from __future__ import annotations

import ast
import builtins
import re
import sys
from collections.abc import Collection, Iterable, Iterator
from functools import lru_cache

import torch

from grader.cell_code import bound_among, code_of
from grader.judge.diagnosis.source import nodes_of, scope_of
from grader.judge.diagnosis.words import wording
from grader.model import Stub

Function = ast.FunctionDef | ast.AsyncFunctionDef
#: Methods that do something, and are no tensor's.
_METHODS = frozenset({"step", "zero_grad", "append", "extend", "parameters", "train", "eval"})
#: Methods of tensors that those of sets and arrays are called like, which change what they belong to.
_ALSO_OTHERS = frozenset({"add", "fill", "put", "resize"})
#: What gives something new back and leaves what it is given as it is, besides what has a twin that works in place.
_PURE = frozenset(
    {"sum", "mean", "maximum", "minimum", "where", "matmul", "mm", "einsum", "outer", "dot", "softmax", "stack", "cat"}
)
#: What leaves the values of a tensor as they are.
_CONVERSIONS = frozenset(
    {"clone", "contiguous", "detach", "double", "float", "to", "type", "type_as", "numpy", "copy", "astype", "cpu"}
    | {"squeeze", "unsqueeze", "view", "reshape", "flatten", "t"}
)
#: What makes the same numbers of another kind of what is handed to it.
_KINDS = frozenset(
    {"list", "tuple", "float", "int", "array", "asarray", "ascontiguousarray", "tensor", "as_tensor", "from_numpy"}
)
#: What stands before or behind the name of a tensor in that of its gradient: ``dw``, ``w_grad``.
_GRADIENT_OF = r"(?:d|g|grad)?_?{name}_?(?:d|g|grad)?"
#: Names that stand for the same in every notebook.
_KNOWN = frozenset({*dir(builtins), *sys.stdlib_module_names, "torch", "np", "numpy", "nn", "F"})
#: A gradient where exercises keep it, in a path or in a call.
_KEPT_IN_G = re.compile(r"\.g\b")
#: Conversions that may give back the very tensor.
_SAME = frozenset({"contiguous", "to", "type", "type_as", "cpu"})
#: What makes a new list or tensor, to be changed later.
_NEW = frozenset({"list", "dict", "defaultdict", "clone", "zeros", "zeros_like", "empty_like", "new_zeros", "copy"})
_LONGEST = 60


def reordered(stub: Stub | None, call: str) -> str:
    """A sentence on a function or class that names its parameters as the check does, but in another order."""
    asked = {
        node.func.id: [_shown(argument) for argument in node.args]
        for node in ast.walk(ast.parse(call))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args
    }
    for name, function, names in _called(stub):
        wanted = asked.get(name, names)
        if any(each in wanted[place + 1 :] or each in wanted[:place] for place, each in enumerate(names)):
            return wording.REORDERED.format(line=_line(stub, function), names=", ".join(names), asked=", ".join(wanted))
    return ""


def _called(stub: Stub | None) -> Iterator[tuple[str, Function, list[str]]]:
    """By what each function, or the ``__init__`` of each class, is called, and the names that it takes."""
    for node in nodes_of(stub):
        if isinstance(node, Function):
            yield node.name, node, [argument.arg for argument in node.args.args]
        elif isinstance(node, ast.ClassDef):
            for method in node.body:
                if isinstance(method, Function) and method.name == "__init__":
                    yield node.name, method, [argument.arg for argument in method.args.args[1:]]


def in_grad(stub: Stub | None, call: str, paths: Iterable[str]) -> str:
    """A sentence on the first line that goes by ``.grad``, where all that is asked for is kept in ``.g``."""
    if ".grad" in call or not any(_KEPT_IN_G.search(path) for path in paths):
        return ""
    lines = [node for node in nodes_of(stub) if isinstance(node, ast.Attribute) and node.attr == "grad"]
    return wording.IN_GRAD.format(line=_line(stub, min(lines, key=lambda node: node.lineno))) if lines else ""


def copied(stub: Stub | None) -> str:
    """A sentence on the first line that keeps or returns a tensor made of another, which has no ``.g`` of its own."""
    for node in sorted(nodes_of(stub), key=lambda node: getattr(node, "lineno", 0)):
        for kept in _kept(node):
            origin = _origin(kept) if _copies(kept) else kept
            gradient = isinstance(origin, ast.Attribute) and origin.attr == "g"
            if origin is not kept and isinstance(origin, ast.Name | ast.Attribute) and not gradient:
                return wording.COPIED.format(line=_line(stub, kept), code=_shown(kept), name=_shown(origin))
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
                return words.format(line=_line(stub, statement), code=_shown(statement.value))
    return ""


def _shown(value: ast.expr) -> str:
    code = code_of(value)
    return code if len(code) <= _LONGEST else f"{code[:_LONGEST]} …"


def _effect_of(value: ast.expr, given: set[str]) -> str:
    """The words for an expression that stands alone and has no effect; empty where it may have one."""
    match value:
        case ast.Attribute(attr=name):
            return wording.UNCALLED if name in _METHODS or callable(getattr(torch.Tensor, name, None)) else ""
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


def unexplained(stub: Stub | None, given: Collection[str] = ()) -> str:
    """A sentence on the first line that may be behind a value for which there is no other explanation.

    ``given`` are names of the notebook that the exercise goes by.
    """
    for function in functions_of(stub):
        renamed = (each for each in _renamed(function) if not _goes_on(function, *each[1:]))
        for words, line, name in (*renamed, *_floored(function), *_unused(function)):
            return words.format(line=_line(stub, line), name=name)
    return from_outside(stub, given)


def one_for_all(stub: Stub | None) -> str:
    """A sentence on the first line that gives one list, or one new tensor, two names: ``self.m = self.v = […]``.

    A name of a line's own beside what is kept, ``buffer = self.buffers[i] = …``, is meant so.
    """
    for node in sorted(nodes_of(stub), key=lambda node: getattr(node, "lineno", 0)):
        match node:
            case ast.Assign(targets=[ast.Attribute() as one, ast.Attribute() as other, *_], value=value) if _is_new(
                value
            ):
                names = f"`{_shown(one)}` and `{_shown(other)}`"
                return wording.ONE_FOR_ALL.format(line=_line(stub, node), names=names)
    return ""


def _is_new(value: ast.expr) -> bool:
    """Whether a value is an object that is made there and may be changed later."""
    match value:
        case ast.List() | ast.ListComp() | ast.Dict() | ast.DictComp():
            return True
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            return name in _NEW
    return False


def whole_numbers(stub: Stub | None) -> str:
    """A sentence on the first line whose change to a tensor drops what stands after the decimal point."""
    for function in functions_of(stub):
        for words, line, _ in _floored(function):
            return words.format(line=_line(stub, line))
        for statement in scope_of(function):
            if isinstance(statement, ast.AugAssign) and any(map(_is_cut_off, ast.walk(statement.value))):
                return wording.CUT_OFF.format(line=_line(stub, statement))
    return ""


def _is_cut_off(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "int"


def _goes_on(function: Function, statement: ast.Assign, name: str) -> bool:
    """Whether a line takes a value in, ``params = list(params)``, or works on what is returned by its name."""
    read = any(node.id == name for node in _read(ast.walk(statement.value)))
    return _is_taken_in(statement.value, name) or (read and name in _returned(function))


@lru_cache(maxsize=64)  # as those of ``scope_of``
def _returned(function: Function) -> frozenset[str]:
    """The code of what a function returns."""
    returns = (node.value for node in scope_of(function) if isinstance(node, ast.Return))
    return frozenset(code_of(value) for value in returns if value is not None)


def _is_taken_in(value: ast.expr, name: str) -> bool:
    """Whether a value is the one of that name, or an object made of it alone: ``x if … else Value(x)``."""
    match value:
        case ast.IfExp(body=body, orelse=orelse):
            return _is_taken_in(body, name) and _is_taken_in(orelse, name)
        case ast.Call(func=function, args=[argument]) if _takes_in(function):
            return _is_taken_in(argument, name)
    return _is_converted(value, name)


def _takes_in(function: ast.expr) -> bool:
    """Whether what is called makes an object of what it is given: a class, a method of one's own, or a conversion."""
    match function:
        case ast.Name(id=called):
            return called in _KINDS or _is_class(called)
        case ast.Attribute(value=ast.Name(id=owner), attr=called):
            return called in _KINDS or owner == "self" or _is_class(owner)
        case ast.Call(func=ast.Name(id="type")):
            return True
    return False


def _is_class(name: str) -> bool:
    return name[:1].isupper() and not name.isupper()  # as ``F`` is, of whose functions none is a class


def unused(stub: Stub | None, path: str) -> str:
    """A sentence on a line that computes something which no line uses, as ``w_g`` for ``w.g``, or as the only one.

    >>> unused(None, "w.g")
    ''
    """
    found = [each for function in functions_of(stub) for each in _unused(function)]
    tensor = path.removesuffix(".g").rpartition(".")[2]
    own = re.compile(_GRADIENT_OF.format(name=re.escape(tensor)))
    named = [each for each in found if own.fullmatch(each[2]) or tensor in each[2].split("_")]
    for words, line, name in named or (found if len(found) == 1 else ()):
        return words.format(line=_line(stub, line), name=name)
    return ""


def from_outside(stub: Stub | None, given: Collection[str], line: int | None = None) -> str:
    """A sentence on the first line, or on ``line`` of the cell, that uses a value of the notebook's, not an argument.

    Functions that are called are none, nor are modules.
    """
    nodes = nodes_of(stub)
    called = {id(node.func) for node in nodes if isinstance(node, ast.Call)}
    own = bound_among(nodes) - {name for node in nodes if isinstance(node, ast.Global) for name in node.names}
    inside = {id(node) for function in functions_of(stub) for node in scope_of(function)}
    for node in sorted(_read(nodes), key=lambda node: (node.lineno, node.col_offset)):
        outside = id(node) in inside and id(node) not in called and node.id not in {*own, *given, *_KNOWN}
        if outside and line in (None, _line(stub, node)):
            return wording.OUTSIDE.format(line=_line(stub, node), name=node.id)
    return ""


def steps(stub: Stub | None) -> str:
    """A sentence on the first line that takes a step, ``w -= rate * w.g``, for an answer that is to take none."""
    for node in sorted(nodes_of(stub), key=lambda node: getattr(node, "lineno", 0)):
        match node:
            case ast.AugAssign(target=target, op=ast.Sub(), value=value):
                gradient = f"{code_of(target).removesuffix('.data')}.g"
                if any(isinstance(each, ast.Attribute) and code_of(each) == gradient for each in ast.walk(value)):
                    return wording.STEPS.format(line=_line(stub, node))
    return ""


def passed_over(stub: Stub | None, function: str, given: Collection[str]) -> str:
    """A sentence on the names that each check gives to new tensors, where the body of ``function`` reads none."""
    for each in functions_of(stub):
        nodes = (node for statement in each.body for node in ast.walk(statement))
        if given and each.name == function and not any(node.id in given for node in _read(nodes)):
            return wording.PASSED_OVER.format(names=", ".join(f"`{name}`" for name in given), function=function)
    return ""


def renamed_before(stub: Stub | None, name: str, line: int) -> str:
    """A sentence on a line before ``line`` of the cell that gives a parameter's ``name`` to something else."""
    for function in functions_of(stub):
        for words, statement, renamed in _renamed(function):
            if renamed == name and _line(stub, statement) < line:
                return words.format(line=_line(stub, statement), name=name)
    return ""


def _renamed(function: Function) -> Iterator[tuple[str, ast.Assign, str]]:
    """Lines that give a parameter's name another value, which further lines read; not those by which a loop goes on."""
    given, nodes = {argument.arg for argument in function.args.args}, scope_of(function)
    looped: set[int] = set()
    for loop in nodes:
        if isinstance(loop, ast.For | ast.While) and id(loop) not in looped:
            looped.update(map(id, ast.walk(loop)))
    last_read = {node.id: node.lineno for node in _read(nodes)}
    for statement in nodes:
        if isinstance(statement, ast.Assign):
            own = {node.id for node in _read(ast.walk(statement.value))} if id(statement) in looped else set()
            for name in (target.id for target in statement.targets if isinstance(target, ast.Name)):
                later = last_read.get(name, 0) > statement.lineno
                if name in given - own and later and not _is_converted(statement.value, name):
                    yield wording.RENAMED, statement, name


def _read(nodes: Iterable[ast.AST]) -> list[ast.Name]:
    """Where a name is read among ``nodes``."""
    return [node for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)]


def _is_converted(value: ast.expr, name: str) -> bool:
    """Whether a value is the one of that name, of another kind or shape: ``x.double()``, ``x[:, None]``."""
    origin = _origin(value)
    return isinstance(origin, ast.Name) and origin.id == name


def _origin(value: ast.expr) -> ast.expr:
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


def _floored(function: Function) -> Iterator[tuple[str, ast.stmt, str]]:
    """Lines that divide with ``//``, but for what halves a size: a name that a shape gave, or the shape's own entry."""
    sizes: set[str] = set()
    for statement in scope_of(function):
        if not isinstance(statement, ast.Assign | ast.AugAssign | ast.Return):
            continue
        if isinstance(statement, ast.Assign) and _is_size(statement.value, sizes):
            sizes |= {
                node.id for target in statement.targets for node in ast.walk(target) if isinstance(node, ast.Name)
            }
        divisions = [node for node in ast.walk(statement) if isinstance(getattr(node, "op", None), ast.FloorDiv)]
        if any(not isinstance(node, ast.BinOp) or not _is_size(node.left, sizes) for node in divisions):
            yield wording.FLOORED, statement, ""


def _is_size(value: ast.expr, sizes: Collection[str]) -> bool:
    """Whether a value comes of a shape, a length, or one of the names of ``sizes``, by arithmetic at most."""
    match value:
        case ast.Name(id=name):
            return name in sizes
        case ast.BinOp(left=left, right=right):
            sides = [_is_size(side, sizes) for side in (left, right) if not isinstance(side, ast.Constant)]
            return bool(sides) and all(sides)
        case ast.Subscript(value=owner):
            return _is_size(owner, sizes)
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) | ast.Attribute(attr=name):
            return name in {"shape", "size", "len", "numel"}
    return False


def _unused(function: Function) -> Iterator[tuple[str, ast.stmt, str]]:
    """Lines that compute something under a name of their own that nothing reads."""
    nodes = list(ast.walk(function))
    kept = {node.id for node in _read(nodes)}
    kept |= {name for node in nodes if isinstance(node, ast.Global | ast.Nonlocal) for name in node.names}
    for statement in scope_of(function):
        if isinstance(statement, ast.Assign) and all(isinstance(target, ast.Name) for target in statement.targets):
            names = [target.id for target in statement.targets if isinstance(target, ast.Name)]
            computed = not isinstance(statement.value, ast.Constant) and not _is_size(statement.value, ())
            if computed and kept.isdisjoint(names):
                yield wording.UNUSED, statement, names[0]


def functions_of(stub: Stub | None) -> list[Function]:
    """The functions and methods of a stub in order; none where its source is no Python."""
    return sorted((node for node in nodes_of(stub) if isinstance(node, Function)), key=lambda node: node.lineno)


def _copies(value: ast.expr) -> bool:
    """Whether the last step of an expression gives another tensor in any case, and not the same one where it fits."""
    match value:
        case ast.Call(func=ast.Attribute(attr=method)) if method in _CONVERSIONS:
            return method not in _SAME
    return isinstance(value, ast.Call | ast.Attribute)


def _line(stub: Stub | None, node: ast.stmt | ast.expr) -> int:
    """The line of the cell in which a statement or an expression begins."""
    return node.lineno + (stub.line if stub is not None else 1) - 1
