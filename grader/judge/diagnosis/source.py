"""Questions about a stub's syntax tree, for where the values alone leave two readings."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator
from functools import lru_cache

from grader.cell_code import code_of, name_called, of_one_scope, parsed
from grader.model import Stub
from grader.recent import by_source

#: Functions and methods after which no entry is 0 that was not, but for those that are to be filled.
_CUTTING_NOTHING = frozenset(
    {"range", "len", "zeros", "zeros_like", "ones", "outer", "enumerate", "zip", "sum", "size"}
)
#: How the first place along an axis is written, and the last: ``0``, and ``-1``, ``n - 1`` or ``len(x) - 1``.
_ENDS = {0: "0", -1: r"(.* )?-\s?1"}


def reads_output(stub: Stub | None) -> bool:
    """Whether some line reads ``out``, or an attribute of that name, for more than its ``.g``.

    Where the source cannot be read, it may.
    """
    nodes = nodes_of(stub)
    owners = {id(node.value) for node in nodes if isinstance(node, ast.Attribute) and node.attr == "g"}
    read = (node for node in nodes if isinstance(getattr(node, "ctx", None), ast.Load) and id(node) not in owners)
    return not nodes or any(path_of(node).rpartition(".")[2] == "out" for node in read)


def may_cut(stub: Stub | None) -> bool:
    """Whether some line may put zeros in the place of some entries, as a ReLU does: by a comparison or a function.

    Where the source cannot be read, it may.
    """
    nodes = nodes_of(stub)
    called = {code_of(node.func).rpartition(".")[2] for node in nodes if isinstance(node, ast.Call)}
    return not nodes or bool(called - _CUTTING_NOTHING) or any(isinstance(node, ast.Compare) for node in nodes)


def path_of(node: ast.AST) -> str:
    """``self.w.g``: a name with its attributes; empty for anything else."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    return ".".join((node.id, *reversed(names))) if isinstance(node, ast.Name) else ""


def made_by_calling(stub: Stub | None, name: str) -> str | None:
    """What a call of the function ``name`` makes in place of running its lines: a generator or a coroutine."""
    for node in nodes_of(stub):
        if isinstance(node, ast.AsyncFunctionDef) and node.name == name:
            return "a coroutine"
        if isinstance(node, ast.FunctionDef) and node.name == name and any(map(_yields, node.body)):
            return "a generator"
    return None


def _yields(statement: ast.AST) -> bool:
    """Whether a statement yields, but for the functions and classes that are defined in it."""
    return any(isinstance(node, ast.Yield | ast.YieldFrom) for node in of_one_scope(statement))


@lru_cache(maxsize=64)  # those of the answer in hand, of which each failed check asks
def scope_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> tuple[ast.AST, ...]:
    """The nodes of a function's body, but for what stands in functions and classes that are defined in it, in order."""
    nodes = (node for statement in function.body for node in of_one_scope(statement))
    return tuple(sorted(nodes, key=lambda node: getattr(node, "lineno", 0)))


def assigns(stub: Stub | None, function: str, name: str) -> bool:
    """Whether some line of a function itself gives a new value to a name, ``inp = inp.squeeze()``, or to ``inp.g``."""
    found = (node for node in nodes_of(stub) if isinstance(node, ast.FunctionDef) and node.name == function)
    nodes = (node for each in found for statement in each.body for node in of_one_scope(statement))
    return name in (_name(node) for node in nodes if _is_stored(node))


def _name(node: ast.AST) -> str:
    """The name that a node is, or the attribute of a name; empty for anything else."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=ast.Name(id=owner), attr=name):
            return f"{owner}.{name}"
    return ""


def is_kept_on_class(stub: Stub | None, attribute: str) -> bool:
    """Whether ``attribute`` is assigned to a class of the stub, and nowhere to ``self``.

    ``Module.args = …``, ``type(self).args = …``, ``self.__class__.args = …``, ``cls.args = …``.
    """
    kept = [on_class for name, on_class in _assigned(stub) if name == attribute]
    return bool(kept) and all(kept)


def _assigned(stub: Stub | None) -> Iterator[tuple[str, bool]]:
    """Each attribute that some line gives a value, and whether it is that of a class."""
    nodes = nodes_of(stub)
    classes = {node.name for node in nodes if isinstance(node, ast.ClassDef)} | {"cls"}
    for node in nodes:
        if isinstance(node, ast.Attribute) and _is_stored(node):
            yield node.attr, _is_class(node.value, classes)


def _is_class(owner: ast.expr, classes: set[str]) -> bool:
    match owner:
        case ast.Name(id=name):
            return name in classes
        case ast.Attribute(attr="__class__") | ast.Call(func=ast.Name(id="type"), args=[_]):
            return True
    return False


def parameter(stub: Stub | None, function: str, place: int) -> str | None:
    """What a function calls its argument at a place; None where there is no such function or argument."""
    for node in nodes_of(stub):
        if isinstance(node, ast.FunctionDef) and node.name == function and len(node.args.args) > place:
            return node.args.args[place].arg
    return None


_CONTAINERS = ast.List | ast.Dict | ast.Set | ast.ListComp | ast.DictComp


def shared(stub: Stub | None) -> str | None:
    """What all objects of a class share: a container, or what a method assigns to the class."""
    return shared_container(stub) or next((name for name, on_class in _assigned(stub) if on_class), None)


def shared_container(stub: Stub | None) -> str | None:
    """A list or dictionary that all objects of a class share: made in its body, or as a default of its ``__init__``.

    One that ``__init__`` makes anew on ``self`` is shared by none.
    """
    for node in nodes_of(stub):
        if isinstance(node, ast.ClassDef):
            begin = next(
                (each for each in node.body if isinstance(each, ast.FunctionDef) and each.name == "__init__"), None
            )
            own = set() if begin is None else {_name(each) for each in ast.walk(begin) if _is_stored(each)}
            for name in (*_in_body(node), *_in_defaults(begin)):
                if f"self.{name}" not in own or name in _in_defaults(begin):
                    return name
    return None


def _is_stored(node: ast.AST) -> bool:
    return isinstance(getattr(node, "ctx", None), ast.Store)


def _in_body(owner: ast.ClassDef) -> list[str]:
    assigned = (each for each in owner.body if isinstance(each, ast.Assign) and isinstance(each.value, _CONTAINERS))
    names = (_name(target) for each in assigned for target in each.targets)
    return [name for name in names if not name.startswith("__")]  # of which Python makes something else


def _in_defaults(begin: ast.FunctionDef | None) -> list[str]:
    if begin is None or not begin.args.defaults:
        return []
    named = zip(begin.args.args[-len(begin.args.defaults) :], begin.args.defaults, strict=True)
    return [argument.arg for argument, default in named if isinstance(default, _CONTAINERS)]


def uninitialised(stub: Stub | None) -> str | None:
    """The function by which a stub makes a tensor or an array that holds whatever was in memory, if it calls one."""
    for node in nodes_of(stub):
        if isinstance(node, ast.Call) and (name := name_called(node)) in {"empty", "empty_like", "new_empty"}:
            return name
    return None


def writes_end(stub: Stub | None, end: int) -> bool:
    """Whether a line assigns to the first entry (0) or the last (−1) of an axis: ``y[0] = …``, ``y[:, n - 1] = …``."""
    for node in nodes_of(stub):
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
            places = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
            if any(re.fullmatch(_ENDS[end], code_of(place)) for place in places):
                return True
    return False


def takes_out_last(stub: Stub | None) -> bool:
    """Whether a ``bwd`` is written or called with its arguments before the output: ``def bwd(self, inp, out)``."""
    return any(map(_puts_out_last, nodes_of(stub)))


def _puts_out_last(node: ast.AST) -> bool:
    if isinstance(node, ast.FunctionDef) and node.name == "bwd":
        return "out" in [argument.arg for argument in node.args.args][2:]
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or node.func.attr != "bwd":
        return False
    return len(node.args) > 1 and isinstance(node.args[0], ast.Starred)


def defined_in(stub: Stub | None) -> list[str]:
    """The functions and classes that a stub's source defines at its top, in order."""
    tree = None if stub is None else parsed(textwrap.dedent(stub.source))
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    return [] if tree is None else [node.name for node in tree.body if isinstance(node, kinds)]


def nodes_of(stub: Stub | None) -> tuple[ast.AST, ...]:
    """All nodes of a stub's source; none where it is no Python."""
    return () if stub is None else _nodes_in(textwrap.dedent(stub.source))


@by_source
def _nodes_in(source: str) -> tuple[ast.AST, ...]:
    tree = parsed(source)
    return () if tree is None else tuple(ast.walk(tree))


def written_into(target: ast.expr) -> ast.expr:
    """What an assignment writes into: ``w.g`` for ``w.g[0]`` or ``w.g[0][1]``."""
    while isinstance(target, ast.Subscript):
        target = target.value
    return target
