"""Clues of names: those that get another value, are used by no line, come from outside or stand in another order."""

from __future__ import annotations

import ast
import builtins
import re
import sys
from collections.abc import Collection, Iterator
from functools import lru_cache

from grader.cell_code import bound_among, code_of
from grader.judge.diagnosis.clues.expressions import (
    Function,
    functions_of,
    is_converted,
    is_size,
    line_of,
    reads,
    shown,
)
from grader.judge.diagnosis.clues.lines import floored
from grader.judge.diagnosis.source import nodes_of, scope_of
from grader.judge.diagnosis.words import wording
from grader.model import Stub

#: What makes the same numbers of another kind of what is handed to it.
_KINDS = frozenset(
    {"list", "tuple", "float", "int", "array", "asarray", "ascontiguousarray", "tensor", "as_tensor", "from_numpy"}
)
#: What stands before or behind the name of a tensor in that of its gradient: ``dw``, ``w_grad``.
_GRADIENT_OF = r"(?:d|g|grad)?_?{name}_?(?:d|g|grad)?"
#: Names that stand for the same in every notebook.
_KNOWN = frozenset({*dir(builtins), *sys.stdlib_module_names, "torch", "np", "numpy", "nn", "F"})


def reordered(stub: Stub | None, call: str) -> str:
    """A sentence on a function or class that names its parameters as the check does, but in another order."""
    asked = {
        node.func.id: [
            shown(argument.orelse if isinstance(argument, ast.IfExp) else argument) for argument in node.args
        ]
        for node in ast.walk(ast.parse(call))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args
    }
    for name, function, names in _called(stub):
        wanted = asked.get(name, names)
        if any(each in wanted[place + 1 :] or each in wanted[:place] for place, each in enumerate(names)):
            return wording.REORDERED.format(
                line=line_of(stub, function), names=", ".join(names), asked=", ".join(wanted)
            )
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


def unexplained(stub: Stub | None, given: Collection[str] = ()) -> str:
    """A sentence on the first line that may be behind a value for which there is no other explanation.

    ``given`` are names of the notebook that the exercise goes by.
    """
    for function in functions_of(stub):
        renamed = (each for each in _renamed(function) if not _goes_on(function, *each[1:]))
        for words, line, name in (*renamed, *floored(function), *_unused(function)):
            return words.format(line=line_of(stub, line), name=name)
    return from_outside(stub, given)


def _goes_on(function: Function, statement: ast.Assign, name: str) -> bool:
    """Whether a line takes a value in, ``params = list(params)``, or works on what is returned by its name."""
    read = any(node.id == name for node in reads(ast.walk(statement.value)))
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
    return is_converted(value, name)


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
        return words.format(line=line_of(stub, line), name=name)
    return ""


def _unused(function: Function) -> Iterator[tuple[str, ast.stmt, str]]:
    """Lines that compute something under a name of their own that nothing reads."""
    nodes = list(ast.walk(function))
    kept = {node.id for node in reads(nodes)}
    kept |= {name for node in nodes if isinstance(node, ast.Global | ast.Nonlocal) for name in node.names}
    for statement in scope_of(function):
        if isinstance(statement, ast.Assign) and all(isinstance(target, ast.Name) for target in statement.targets):
            names = [target.id for target in statement.targets if isinstance(target, ast.Name)]
            computed = not isinstance(statement.value, ast.Constant) and not is_size(statement.value, ())
            if computed and kept.isdisjoint(names):
                yield wording.UNUSED, statement, names[0]


def from_outside(stub: Stub | None, given: Collection[str], line: int | None = None) -> str:
    """A sentence on the first line, or on ``line`` of the cell, that uses a value of the notebook's, not an argument.

    Functions that are called are none, nor are modules.
    """
    nodes = nodes_of(stub)
    called = {id(node.func) for node in nodes if isinstance(node, ast.Call)}
    own = bound_among(nodes) - {name for node in nodes if isinstance(node, ast.Global) for name in node.names}
    inside = {id(node) for function in functions_of(stub) for node in scope_of(function)}
    for node in sorted(reads(nodes), key=lambda node: (node.lineno, node.col_offset)):
        outside = id(node) in inside and id(node) not in called and node.id not in {*own, *given, *_KNOWN}
        if outside and line in (None, line_of(stub, node)):
            return wording.OUTSIDE.format(line=line_of(stub, node), name=node.id)
    return ""


def passed_over(stub: Stub | None, function: str, given: Collection[str]) -> str:
    """A sentence on the names that each check gives to new tensors, where the body of ``function`` reads none."""
    for each in functions_of(stub):
        nodes = (node for statement in each.body for node in ast.walk(statement))
        if given and each.name == function and not any(node.id in given for node in reads(nodes)):
            return wording.PASSED_OVER.format(names=", ".join(f"`{name}`" for name in given), function=function)
    return ""


def renamed_before(stub: Stub | None, name: str, line: int) -> str:
    """A sentence on a line before ``line`` of the cell that gives a parameter's ``name`` to something else."""
    for function in functions_of(stub):
        for words, statement, renamed in _renamed(function):
            if renamed == name and line_of(stub, statement) < line:
                return words.format(line=line_of(stub, statement), name=name)
    return ""


def _renamed(function: Function) -> Iterator[tuple[str, ast.Assign, str]]:
    """Lines that give a parameter's name another value, which further lines read; not those by which a loop goes on."""
    given, nodes = {argument.arg for argument in function.args.args}, scope_of(function)
    looped: set[int] = set()
    for loop in nodes:
        if isinstance(loop, ast.For | ast.While) and id(loop) not in looped:
            looped.update(map(id, ast.walk(loop)))
    last_read = {node.id: node.lineno for node in reads(nodes)}
    for statement in nodes:
        if isinstance(statement, ast.Assign):
            own = {node.id for node in reads(ast.walk(statement.value))} if id(statement) in looped else set()
            for name in (target.id for target in statement.targets if isinstance(target, ast.Name)):
                later = last_read.get(name, 0) > statement.lineno
                if name in given - own and later and not is_converted(statement.value, name):
                    yield wording.RENAMED, statement, name
