"""What a name in a notebook is bound to, as far as its source shows: by it is told which texts a call can be given."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Literal, NamedTuple

from grader.cell_code import names_bound_by, parsed
from grader.recent import by_source

#: Bindings of one name that are looked at, or elements of a list, and names that stand for one another: for no text are
#: there more; and those that are looked at for all cells of a notebook together.
_MOST, _DEEPEST, _MOST_IN_ALL = 200, 20, 200_000
#: Calls that give what they are given, or its elements, in whatever order.
_SAME = ("list", "reversed", "set", "sorted", "tuple")


class Bound(NamedTuple):
    """One binding: the value, None where it cannot be known, and by what: a loop, an assignment, an argument.

    A value of a loop is one of those in it, which is told by a star (``*["relu", "tanh"]``).
    """

    value: ast.expr | None
    by: Literal["loop", "assignment", "argument"]


class Assignments:
    """What the cells of a notebook assign, each to its name for all cells; a module beside it is one by itself."""

    def __init__(self, sources: Sequence[str]) -> None:
        self._sources = sources
        self._left = _MOST_IN_ALL

    @cached_property
    def values(self) -> Mapping[str, Sequence[ast.expr | None]]:
        """By name, as far as is looked at."""
        found: defaultdict[str, list[ast.expr | None]] = defaultdict(list)
        for name, bounds in (item for source in self._sources for item in _bound_in(source).items()):
            if len(found[name]) <= _MOST:
                found[name] += [bound.value for bound in bounds if bound.by == "assignment"]
        return found

    def may_look_at(self, values: Sequence[ast.expr | None]) -> bool:
        """Whether these are few enough to be looked at, beside all that were before."""
        self._left -= len(values)
        return len(values) <= _MOST and self._left >= 0


class Bindings:
    """The bindings of names for one ``source``, among them the ``assignments`` of the notebook whose cell it is."""

    def __init__(self, source: str, assignments: Assignments | None = None) -> None:
        self._source = source
        self._assignments = assignments or Assignments((source,))
        self._values: dict[str, Sequence[ast.expr | None]] = {}
        self._texts: dict[tuple[str, bool], frozenset[str] | None] = {}
        self._depth = 0
        self.may_look_at = self._assignments.may_look_at

    def values(self, name: str) -> Sequence[ast.expr | None]:
        """All that ``name`` is ever bound to: by the loops of the source, else also by what other cells assign."""
        if name not in self._values:
            self._values[name] = self._found(name)
        return self._values[name]

    def texts(self, node: ast.expr | None) -> frozenset[str] | None:
        r"""The texts that ``node`` can be, each as it is written; None where it may be another, or no text.

        >>> names = Bindings("name = 'relu'\nfor package in ('torch', 'numpy'): pass\nname += sign")
        >>> sorted(names.texts(ast.Name("package"))), names.texts(ast.Name("name"))
        (['numpy', 'torch'], None)
        """
        if isinstance(node, ast.Constant):
            return frozenset({node.value}) if isinstance(node.value, str) else None
        if isinstance(node, ast.IfExp):
            return self._all_of((node.body, node.orelse))
        if isinstance(node, ast.Name):
            return self._of_name(node.id, in_it=False)
        return self._in(node.value) if isinstance(node, ast.Starred) else None

    def _in(self, node: ast.expr) -> frozenset[str] | None:
        """The texts that are elements of ``node``."""
        if isinstance(node, ast.List | ast.Tuple | ast.Set):
            return self._all_of(node.elts)
        if isinstance(node, ast.Call) and _called(node) in _SAME and len(node.args) == 1:
            return self._in(node.args[0])
        return self._of_name(node.id, in_it=True) if isinstance(node, ast.Name) else None

    def _of_name(self, name: str, *, in_it: bool) -> frozenset[str] | None:
        if (name, in_it) not in self._texts and self._depth < _DEEPEST:
            self._texts[name, in_it] = None  # while it is found out: what is bound to itself is not known
            self._depth += 1
            values = self.values(name)
            self._texts[name, in_it] = self._all_of(
                [ast.Starred(value) if in_it and value is not None else value for value in values]
            )
            self._depth -= 1
        return self._texts.get((name, in_it))

    def _all_of(self, nodes: Sequence[ast.expr | None]) -> frozenset[str] | None:
        found: set[str] = set()
        for node in nodes if self.may_look_at(nodes) else (None,):
            texts = self.texts(node)
            if texts is None:
                return None
            found |= texts
        return frozenset(found) if found else None

    def _found(self, name: str) -> Sequence[ast.expr | None]:
        own = _bound_in(self._source).get(name, ())
        values = [bound.value for bound in own if bound.by != "assignment"]
        if not own or any(bound.by != "loop" for bound in own):
            values += self._assignments.values.get(name, ())
        return values if len(values) <= _MOST else (None,)


def _called(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else ""


@by_source
def _bound_in(source: str) -> Mapping[str, Sequence[Bound]]:
    """Every name that a source binds anywhere, functions and classes included."""
    found: defaultdict[str, list[Bound]] = defaultdict(list)
    tree = parsed(source)
    told: set[int] = set()  # targets, and the methods of classes, which are no names
    for node in ast.walk(tree) if tree is not None else ():
        if isinstance(node, ast.ClassDef):
            told.update(map(id, node.body))
        for target, bound in _targets(node):
            told.add(id(target))
            found[target.id].append(bound)
        for name in names_bound_by(node) if id(node) not in told else ():
            found[name].append(Bound(None, "argument" if isinstance(node, ast.arg) else "assignment"))
    return found


def _targets(node: ast.AST) -> Iterator[tuple[ast.Name, Bound]]:
    """Yield each name to which a statement or expression binds a value that is seen."""
    if isinstance(node, ast.Assign | ast.AnnAssign | ast.NamedExpr):
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            if isinstance(target, ast.Name):
                yield target, Bound(node.value, "assignment")
    elif isinstance(node, ast.For | ast.AsyncFor | ast.comprehension):
        yield from _looped(node.target, node.iter)
    elif isinstance(node, ast.withitem) and isinstance(node.optional_vars, ast.Name):
        yield node.optional_vars, Bound(node.context_expr, "loop")


def _looped(target: ast.expr, over: ast.expr) -> Iterator[tuple[ast.Name, Bound]]:
    """Yield the names of a loop's ``target``; of ``enumerate`` and ``zip`` each with what runs through it."""
    if isinstance(target, ast.Name):
        yield target, Bound(ast.Starred(over), "loop")
    elif isinstance(target, ast.Tuple):
        called = _called(over) if isinstance(over, ast.Call) else ""
        parts: list[ast.expr] = over.args if isinstance(over, ast.Call) and called in ("enumerate", "zip") else []
        if called == "enumerate":
            parts = [ast.Call(ast.Name("range"), [], []), *parts]
        for number, part in enumerate(target.elts):
            if isinstance(part, ast.Name):
                yield part, Bound(ast.Starred(parts[number]) if number < len(parts) else None, "loop")
