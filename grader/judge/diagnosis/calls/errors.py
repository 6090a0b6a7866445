"""Exceptions explained: the student's own line, the shapes that met there, and the usual cause.

All texts of an exception are the student's, and only their first 500 characters are looked at.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from grader.judge.diagnosis.calls.class_errors import cause_in_class
from grader.judge.diagnosis.calls.messages import Found, found_in
from grader.judge.diagnosis.words import causes, wording
from grader.judge.diagnosis.words.call_causes import Cause
from grader.model import Diagnosis, Stub, StudentError

_LONGEST = 500
#: A line that raises by itself, on a condition or not.
_RAISES = re.compile(r"(?:^|:)\s*raise ")
#: How much of a missing key is shown.
_KEY = 40


def explained(
    error: StudentError, stub: Stub | None = None, *, autograd: bool = False, given: Collection[str] = ()
) -> Diagnosis:
    """The diagnosis of an exception that a stub raised, or a line of another cell that it calls.

    With ``autograd``, it is autograd that computes the exercise's gradients. ``given`` is what the stub calls the
    inputs that the check passes in.
    """
    message = error.message[:_LONGEST].strip()
    key, fields = cause_in_class(message, stub) or _cause(error, message)
    key = "no_attribute.autograd" if autograd and key == "no_attribute.gradient" else key
    if key == "no_attribute" and fields["owner"] == "Tensor" and _stands_on(given, fields["name"], error.code):
        key = "no_attribute.handed_over"
    if key == "name" and stub is not None:
        for name, cell, failure in stub.lost:
            if name == fields["name"]:
                key, fields = "name.lost", {"name": name, "cell": cell, "failure": failure}
                break
    cause = causes.CAUSES[key]
    shown = f"{error.type}: {message.partition(chr(10))[0]}" if message else error.type
    return wording.say(
        "raised",
        error=shown,
        where=place(error, stub),
        why=cause.why.format_map(fields),
        question=_question(cause, error).format_map(fields),
        remedy=cause.remedy.format_map(fields),
    )


def place(error: StudentError, stub: Stub | None = None) -> str:
    """The line that raised, its cell where that is not the stub's, and the tensors that met on it."""
    where = ""
    if error.line is not None and error.code.strip():
        where = causes.LINE.format(code=error.code.strip()[:120], line=error.line)
        if stub is not None and error.cell not in {None, stub.cell}:
            where += causes.OF_CELL.format(cell=error.cell)
    if error.operands:
        where += causes.WITH.format(operands=", ".join(error.operands[:6]))
    return where


def _stands_on(names: Collection[str], attribute: object, code: str) -> bool:
    """Whether a line reads the attribute of one of these names."""
    return any(re.search(rf"(?<![\w.]){name}\.{attribute}\b", code) for name in names)


def _question(cause: Cause, error: StudentError) -> str:
    if cause.question:
        return cause.question
    if error.line is None:
        return causes.WHICH_SHAPES_COME if cause.shaped else causes.WHAT_IS_ASKED
    return causes.WHICH_SHAPES if cause.shaped else causes.WHAT_STANDS_THERE


def _cause(error: StudentError, message: str) -> Found:
    if found := found_in(message, error):
        return found
    if error.type == "AssertionError" and error.code.strip().startswith("assert "):
        return "asserted", {}
    if _RAISES.search(error.code):
        return "refused", {}
    if error.type == "KeyError":
        return "key", {"key": message[:_KEY]}
    kinds = {"RecursionError": "recursion", "StopIteration": "used_up", "BdbQuit": "debugger", "SystemExit": "exit"}
    return next((kinds[kind] for kind in (error.type, *error.bases) if kind in kinds), "other"), {}
