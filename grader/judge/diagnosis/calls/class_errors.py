"""Exceptions from classes with a missing ``self`` or a misspelt ``__init__``, explained by the stub's own source."""

from __future__ import annotations

import ast
import re
from difflib import get_close_matches

from grader.judge.diagnosis.source import nodes_of
from grader.model import Stub

_TAKES = re.compile(r"(\w+)\.(\w+)\(\) takes \d+ positional arguments? but \d+ (?:was|were) given")
_TAKES_NONE = re.compile(r"^(\w+)\(\) takes no arguments")
_OF_OBJECT = re.compile(r"object\.__init__\(\) takes exactly one argument")
#: Of `__init__` and what is written for it.
_NEAR = 0.6


def cause_in_class(message: str, stub: Stub | None) -> tuple[str, dict[str, object]] | None:
    """The key of the cause and its fields: a lost ``self``, or an ``__init__`` that is missing or misspelt."""
    if (match := _TAKES.search(message)) and lacks_self(stub, match[1], match[2]):
        return "no_self", {"name": match[2]}
    if match := _TAKES_NONE.search(message):
        near = nearly_init(stub, match[1])
        return ("init.misspelt", {"name": near}) if near else ("init.missing", {"owner": match[1]})
    return ("init.of_object", {}) if _OF_OBJECT.search(message) else None


def lacks_self(stub: Stub | None, owner: str, method: str) -> bool:
    """Whether the first parameter of a method of the stub's class is not ``self``."""
    for function in _methods(stub, owner):
        if function.name == method and not function.decorator_list:
            names = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
            return function.args.vararg is None and names[:1] != ["self"]
    return False


def nearly_init(stub: Stub | None, owner: str) -> str | None:
    """The method that was meant to be ``__init__``: ``_init_``, ``__int__``, ``init``."""
    names = [function.name for function in _methods(stub, owner)]
    return next(iter(get_close_matches("__init__", names, 1, _NEAR)), None)


def _methods(stub: Stub | None, owner: str) -> list[ast.FunctionDef]:
    return [
        statement
        for node in nodes_of(stub)
        if isinstance(node, ast.ClassDef) and node.name == owner
        for statement in node.body
        if isinstance(statement, ast.FunctionDef)
    ]
