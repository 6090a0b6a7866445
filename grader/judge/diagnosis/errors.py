"""Exceptions explained: the student's own line, the shapes that met there, and the usual cause.

All texts of an exception are the student's, so they are matched with patterns that cannot run away (no nested
repetition) and only on their first 500 characters.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from grader.judge.diagnosis import wording
from grader.model import Diagnosis, StudentError

Fields = dict[str, object]
_LONGEST = 500


def explained(error: StudentError) -> Diagnosis:
    """The diagnosis of an exception that a stub raised."""
    message = error.message[:_LONGEST].strip()
    key, fields = _cause(error, message)
    why, remedy = (part.format_map(fields) for part in wording.CAUSES[key])
    shown = f"{error.type}: {message.partition(chr(10))[0]}" if message else error.type
    question = wording.WHICH_SHAPES if key in wording.SHAPED else wording.WHAT_STANDS_THERE
    return wording.say("raised", error=shown, where=place(error), why=why, question=question, remedy=remedy)


def place(error: StudentError) -> str:
    """The line that raised and the tensors that met on it, as far as they are known."""
    where = ""
    if error.line is not None and error.code.strip():
        where = wording.LINE.format(code=error.code.strip()[:120], line=error.line)
    if error.operands:
        where += wording.WITH.format(operands=", ".join(error.operands[:6]))
    return where


def _cause(error: StudentError, message: str) -> tuple[str, Fields]:
    for pattern, find in _PATTERNS:
        if match := pattern.search(message):
            return find(match, error)
    for base, key in _BASES.items():
        if base in error.bases or base == error.type:
            return key, {}
    return "other", {}


def _matmul(match: re.Match[str], error: StudentError) -> tuple[str, Fields]:
    """``7x5 and 3x5``: which transpose would fit."""
    left, right = (tuple(map(int, match[i].split("x"))) for i in (1, 2))
    fields: Fields = {"left": wording.shape(left), "right": wording.shape(right)}
    fits = [
        f"{wording.shape(a)}{mark_a} @ {wording.shape(b)}{mark_b}"
        for a, mark_a in ((left, ""), (left[::-1], " transposed"))
        for b, mark_b in ((right, ""), (right[::-1], " transposed"))
        if a[1] == b[0] and (mark_a == "" or mark_b == "")
    ]
    return ("matmul.fits", {**fields, "fits": " or ".join(fits)}) if fits else ("matmul", fields)


def _numpy_matmul(match: re.Match[str], error: StudentError) -> tuple[str, Fields]:
    shapes = [shape for shape in _SHAPES.findall(" ".join(error.operands)) if shape.count(",") == 1]
    if len(shapes) < 2:
        return "matmul", {"left": f"(…, {match[2]})", "right": f"({match[1]}, …)"}
    numbers = [tuple(int(part) for part in shape.split(",") if part.strip()) for shape in shapes[:2]]
    if any(len(one) != 2 for one in numbers):
        return "matmul", {"left": f"(…, {match[2]})", "right": f"({match[1]}, …)"}
    text = " and ".join("x".join(map(str, one)) for one in numbers)
    found = _MATMUL.search(text)
    return _matmul(found, error) if found else ("other", {})


def _broadcast(match: re.Match[str], error: StudentError) -> tuple[str, Fields]:
    shapes = [f"({shape.strip()})" for shape in _SHAPES.findall(" ".join(error.operands))]
    left, right = shapes[:2] if len(shapes) == 2 else (f"a size of {match[1]}", f"one of {match[2]}")
    return "broadcast", {"left": left, "right": right, "axis": match[3]}


def _plain(key: str, *names: str) -> Callable[[re.Match[str], StudentError], tuple[str, Fields]]:
    return lambda match, error: (key, {name: match[i + 1] for i, name in enumerate(names)})


def _dtypes(match: re.Match[str], error: StudentError) -> tuple[str, Fields]:
    return "dtype", {"names": " and ".join(group for group in match.groups() if group)}


_SHAPES = re.compile(r"\(([\d, ]*)\)")
_MATMUL = re.compile(r"(\d+x\d+) and (\d+x\d+)")
_PATTERNS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], StudentError], tuple[str, Fields]]], ...] = (
    (re.compile(r"shapes cannot be multiplied \((\d+x\d+) and (\d+x\d+)\)"), _matmul),
    (re.compile(r"mismatch in its core dimension 0.{0,120}\(size (\d+) is different from (\d+)\)"), _numpy_matmul),
    (
        re.compile(r"size of tensor a \((\d+)\) must match .{0,30}\((\d+)\) at non-singleton dimension (\d+)"),
        _broadcast,
    ),
    (re.compile(r"'NoneType' object has no attribute '(\w+)'"), _plain("none", "name")),
    (re.compile(r"'(\w+)' object has no attribute '(\w+)'"), _plain("no_attribute", "owner", "name")),
    (re.compile(r"leaf Variable that requires grad"), _plain("leaf")),
    (re.compile(r"Can't call numpy\(\) on Tensor that requires grad"), _plain("numpy_grad")),
    (re.compile(r"backward through the graph a second time"), _plain("graph_freed")),
    (re.compile(r"does not require grad and does not have a grad_fn"), _plain("no_grad_fn")),
    (re.compile(r"expected m1 and m2 to have the same dtype, but got: (\w+) != (\w+)"), _dtypes),
    (re.compile(r"expected scalar type (\w+) but found (\w+)"), _dtypes),
    (re.compile(r"result type (\w+) can't be cast to .{0,30}?(\w+)$"), _dtypes),
    (re.compile(r"view size is not compatible"), _plain("view")),
    (re.compile(r"(?:more than one|only one element|multiple) .{0,40}(?:ambiguous|scalar|single)"), _plain("scalar")),
    (re.compile(r"cannot be converted to Scalar"), _plain("scalar")),
    (re.compile(r"values to unpack"), _plain("unpack")),
    (re.compile(r"positional argument|unexpected keyword argument"), _plain("arguments")),
    (re.compile(r"name '(\w+)' is not defined"), _plain("name", "name")),
    (re.compile(r"cannot access local variable '(\w+)'"), _plain("name", "name")),
)
_BASES = {
    "NotImplementedError": "unfilled",
    "RecursionError": "recursion",
    "IndexError": "index",
}
