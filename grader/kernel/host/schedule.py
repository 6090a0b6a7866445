"""When each check of a notebook runs, decided from the cells' text alone.

A check belongs right after the cell that defines its stub. Where only function definitions stand between it and the
next check, and none of them gives a name that a cell up to there mentions, the two give the same result in one fork
behind the later cell, at half the price; so the earlier one waits for the later.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from types import CodeType
from typing import Literal

from grader.cell_code import (
    CHECK,
    SCOPES,
    UNPARSABLE,
    names_bound_by,
    of_one_scope,
    origin_of_check,
    parsed,
    parses_quickly,
)
from grader.model import Cell, Check
from grader.recent import by_source

#: Stands for a call of what does nothing while a notebook is scored (see ``grader.check``).
_CALLS_CHECK = "check(…)"
#: A cell that mentions one of these may give and use names that its text does not show.
_DYNAMIC = {"globals", "vars", "exec", "eval", "get_ipython", "locals", "__import__"}


def scheduled(cells: Sequence[Cell], checks: Iterable[Check]) -> dict[int, tuple[Check, ...]]:
    """The checks that run after each position in ``cells``, in the order of the cells that they belong to."""
    positions = {cell.index: position for position, cell in enumerate(cells)}
    origins = [(positions.get(check.cell, len(cells) - 1), check) for check in checks]
    places = sorted({origin for origin, _ in origins})
    plan: dict[int, tuple[Check, ...]] = {}
    for origin, check in sorted(origins, key=lambda one: one[0]):
        place = origin
        for later in places[places.index(origin) + 1 :]:
            if not _may_wait(cells, origin, later, check):
                break
            place = later
        plan[place] = (*plan.get(place, ()), check)
    return plan


def _may_wait(cells: Sequence[Cell], origin: int, later: int, check: Check) -> bool:
    """Whether the check of the cell at ``origin`` gives the same after the cell at ``later``."""
    if check.source is not None:  # the cell itself is run again
        return False
    between = [_given(cell.source) for cell in cells[origin + 1 : later + 1]]
    given = {name for names in between if names is not None for name in names}
    if None in between or given & set(check.needs):
        return False
    if _CALLS_CHECK in given and not _check_is_ours(tuple(cell.source for cell in cells)):
        return False
    for cell in cells[: origin + 1]:
        names = _mentioned(cell.source)
        if names is None or names & given:
            return False
    return True


def _check_is_ours(sources: tuple[str, ...]) -> bool:
    """Whether nothing but ``from grader import check`` gives the name ``check``."""
    imported = False
    for source in sources:
        if CHECK not in source and "*" not in source and source.isascii():
            continue
        origin = _origin_of_check(source)
        if origin == "elsewhere":
            return False
        imported = imported or origin == "grader"
    return imported


@by_source
def _tree(source: str) -> ast.Module | None:
    """The syntax tree of a cell that is Python as it stands; None for any other."""
    if not parses_quickly(source):
        return None
    try:
        return ast.parse(source)
    except UNPARSABLE:
        return None


@by_source
def _origin_of_check(source: str) -> Literal["grader", "elsewhere"] | None:
    """Where a cell takes the name ``check`` from; what cannot be parsed may bind it."""
    tree = _tree(source)
    return "elsewhere" if tree is None else origin_of_check(tree)


@by_source
def _mentioned(source: str) -> frozenset[str] | None:
    """Every name in a cell, attributes among them; None where that cannot be told."""
    if not parses_quickly(source):
        return None
    try:
        todo = [compile(source, "<cell>", "exec", dont_inherit=True)]
    except UNPARSABLE:
        return None
    names: set[str] = set()
    while todo:
        code = todo.pop()
        names.update(code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
        for constant in code.co_consts:
            if isinstance(constant, CodeType):
                todo.append(constant)
            elif isinstance(constant, tuple) and "*" in constant:  # from … import *
                return None
    return None if names & _DYNAMIC else frozenset(names)


@by_source
def _given(source: str) -> frozenset[str] | None:
    """The names of the functions in a cell that does nothing but define functions; None for any other cell.

    ``_CALLS_CHECK`` stands for a call of ``check``.
    """
    tree = _tree(source)
    if tree is None:
        return None
    names: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and _is_plain(node):
            names.add(node.name)
        elif isinstance(node, ast.Expr) and _is_check(node.value):
            names.add(_CALLS_CHECK)
        elif not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            return None
    return frozenset(names)


def _is_plain(function: ast.FunctionDef) -> bool:
    """Whether defining it runs no code: no decorators, only constants as defaults, no annotations but names."""
    arguments = function.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    notes = [function.returns, *(one.annotation for one in every if one is not None)]
    defaults = [*arguments.defaults, *(one for one in arguments.kw_defaults if one is not None)]
    return (
        not function.decorator_list
        and all(isinstance(default, ast.Constant) for default in defaults)
        and all(note is None or isinstance(note, ast.Constant) for note in notes)
    )


def _is_check(value: ast.expr) -> bool:
    return (
        isinstance(value, ast.Call)
        and isinstance(value.func, ast.Name)
        and value.func.id == CHECK
        and all(isinstance(argument, ast.Constant) for argument in value.args)
        and not value.keywords
    )


def global_names_in(cells: Iterable[Cell]) -> set[str]:
    """The global names that ``cells`` assign, import or define, as far as they parse."""
    names: set[str] = set()
    for tree in filter(None, (parsed(cell.source) for cell in cells)):
        for node in of_one_scope(tree):
            names.update(names_bound_by(node))
            if isinstance(node, SCOPES):
                names.update(*(inner.names for inner in ast.walk(node) if isinstance(inner, ast.Global)))
    return names
