"""Validation of an exercise's declaration: each rule that it must keep, checked when its course is imported.

A broken one is refused with the exercise, the field and the remedy named. Later rules rely on earlier ones: types come
first.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import math
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from grader.cell_code import bound_among
from grader.model import Exercise, Sampler, Variant, can_differ

_PATH = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*|\[-?\d+\]|\['[^']*'\])*")
#: Names that ``call`` may use without an input of that name.
_IMPLIED = frozenset({"out", "upstream"})
#: Numbers in one input beyond which an exercise is refused: each answer meets several cases, and a proof thousands.
_MOST_NUMBERS = 2_000_000
#: Labels of the cases that are made for every exercise.
_STANDARD = ("random values", "float64", "batch of one", "not contiguous")


def _are_names(value: object) -> bool:
    """Whether it is a tuple of strings; a string in its place would be taken for its letters."""
    return isinstance(value, tuple | list) and all(isinstance(name, str) for name in value)


def _are_named(value: object) -> bool:
    return isinstance(value, Mapping) and _are_names([*value.values()])


def _is_positive(number: object) -> bool:
    return isinstance(number, int | float) and not isinstance(number, bool) and 0 < number < float("inf")


def _are_positive(numbers: object) -> bool:
    return isinstance(numbers, tuple | list) and all(map(_is_positive, numbers))


def _is(kind: type) -> Callable[[object], bool]:
    return lambda value: isinstance(value, kind)


def _or_none(rule: Callable[[object], bool]) -> Callable[[object], bool]:
    return lambda value: value is None or rule(value)


#: Fields of ``Exercise`` where a wrong type would go unnoticed or fail much later: the rule for their values, what the
#: error says beside the value, and the remedy.
_VALUES: dict[str, tuple[Callable[[object], bool], str, str]] = {
    **{
        field: (_are_names, ", not a tuple of names", f'write for instance {field}=("n",)')
        for field in ("needs", "follows", "globals", "in_place", "scalars", "registered", "answers_in")
    },
    "ones": (_or_none(_are_names), ", not a tuple of names", 'write for instance ones=("n",)'),
    "batch": (_or_none(_is(str)), "", "write a letter, or batch=None where there is none"),
    **dict.fromkeys(
        ("reads", "expects", "raises", "hints"),
        (_are_named, ", not a mapping of names", 'write for instance {"check": "name"}'),
    ),
    **dict.fromkeys(("autograd", "numpy", "rerun", "standard", "gradcheck"), (_is(bool), "", "write True or False")),
    "magnitudes": (_are_positive, "", "write a tuple of numbers above 0, such as (1e3, 1e-3)"),
    **dict.fromkeys(("tolerance", "time_limit"), (_or_none(_is_positive), "", "write a number above 0")),
    "measure": (_or_none(callable), "", "write a function of (actual, expected)"),
}


def refuse_broken(declared: Exercise) -> None:
    """Refuse a declaration that cannot work.

    Raises:
        CourseError: it breaks one of the rules below; the first is told.
    """
    for rule in _RULES:
        for message, field, remedy in rule(declared):
            raise declared.fault(message, field=field, remedy=remedy)


#: What is wrong with a declaration: in words, in which field, and the remedy.
Faults = Iterator[tuple[str, str, str]]


def _types(declared: Exercise) -> Faults:
    for field, (is_right, what, remedy) in _VALUES.items():
        value = getattr(declared, field)
        if not is_right(value):
            yield f"is {value!r}{what}", field, remedy


def _goal(declared: Exercise) -> Faults:
    if declared.measure is not None and not declared.goal:
        yield _undocumented("measure", "give it one: students read its first paragraph as the goal")


def _title(declared: Exercise) -> Faults:
    if not declared.title:
        yield _undocumented("title", "give the forward pass a docstring: its first line is the title")


def _undocumented(field: str, remedy: str) -> tuple[str, str, str]:
    if sys.flags.optimize > 1:
        return "has no docstring, as Python runs with -OO (PYTHONOPTIMIZE=2), which drops them", field, "run it without"
    return "has no docstring", field, remedy


def _variants(declared: Exercise) -> Faults:
    variants: Any = declared.variants
    if not isinstance(variants, tuple | list):
        yield f"is {type(variants).__name__}", "variants", "write a tuple, with a comma after a single one"
    labels = _standard_labels(declared) if declared.standard else set()
    for variant in variants:
        if not isinstance(variant, Variant):
            yield f"{variant!r} is not a Variant", "variants", 'write Variant("label", …)'
        if variant.label in labels:
            yield f"two cases are called {variant.label!r}", "variants", "rename the variant"
        labels.add(variant.label)
        for name in variant.inputs:
            if name not in declared.inputs:
                yield f"{name!r} is no input", f"variants[{variant.label}]", f"inputs are {', '.join(declared.inputs)}"
        yield from _variant_values(variant)


def _standard_labels(declared: Exercise) -> set[str]:
    """What the cases are called that are made of every exercise."""
    of_one = {f"{letter} of one" for sampler in declared.inputs.values() for letter in getattr(sampler, "letters", ())}
    return {*_STANDARD, *of_one, *(f"values around {magnitude:g}" for magnitude in declared.magnitudes)}


def _variant_values(variant: Variant) -> Faults:
    field = f"variants[{variant.label}]"
    if variant.dtype not in ("float32", "float64"):
        yield f"has the dtype {variant.dtype!r}", field, 'write "float32" or "float64"'
    if not _is_positive(variant.magnitude):
        yield f"has the magnitude {variant.magnitude!r}", field, "write a number above 0"
    for letter, size in variant.sizes.items():
        if type(size) is not int or size < 1:
            yield f"{letter!r} has the size {size!r}", field, "write a whole number above 0"


def _inputs(declared: Exercise) -> Faults:
    tables: dict[str, Mapping[str, Any]] = {"inputs": declared.inputs}
    tables |= {f"variants[{v.label}]": v.inputs for v in declared.variants}
    for where, (name, sampler) in ((where, item) for where, table in tables.items() for item in table.items()):
        if not isinstance(sampler, Sampler):
            remedy = 'write for instance normal("n", "i"), or fixed(value) for a constant'
            yield f"{name!r} is {type(sampler).__name__}, not a sampler", where, remedy
        for dim in sampler.dims:
            if not isinstance(dim, str) and not (type(dim) is int and dim >= 0):
                remedy = 'write letters and whole numbers, one by one: normal("n", 3)'
                yield f"{name!r} has an axis of size {dim!r}", where, remedy
        owner, dot, _ = name.partition(".")
        if dot and owner not in {*declared.inputs, *_IMPLIED}:
            yield f"{name!r} is an attribute of no input", where, f"declare the input {owner!r} as well"


def _forward(declared: Exercise) -> Faults:
    known = {name.replace(".", "_") for name in declared.inputs}
    for parameter in inspect.signature(declared.forward).parameters:
        if parameter not in known:
            remedy = f"add a sampler for {parameter!r}, or drop the parameter"
            yield f"the forward pass takes {parameter!r}, which is no input", "inputs", remedy


def _call(declared: Exercise) -> Faults:
    try:
        tree = ast.parse(declared.call)
    except SyntaxError as error:
        yield f"is not Python: {error.msg}, line {error.lineno}", "call", "fix the code"
        return
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    for name in declared.needs:
        if name not in used and not declared.rerun:
            yield f"never uses {name!r}", "call", "call the student's stub, or name what it needs in `needs`"
    for name in sorted(used - _given(declared, tree) - {*dir(builtins)}):
        remedy = f"add a sampler for {name!r} to `inputs`, or name it in `needs` if the notebook defines it"
        yield f"reads {name!r}, which nothing gives", "call", remedy


def _given(declared: Exercise, call: ast.AST) -> set[str]:
    """The names that stand for something after ``call``."""
    return {*declared.inputs, *declared.needs, *_IMPLIED, *bound_among(ast.walk(call))}


def _used(declared: Exercise) -> Faults:
    """An input that nothing uses is a slip of the pen, or a forward pass that forgets it."""
    if declared.rerun:
        return
    read = {node.id for node in ast.walk(ast.parse(declared.call)) if isinstance(node, ast.Name)}
    read |= {*inspect.signature(declared.forward).parameters, *declared.globals}
    read |= {declared.expected_name(check) for check in declared.checks}
    owners = {name.partition(".")[0] for name in declared.inputs if "." in name}
    for name in declared.inputs:
        if read.isdisjoint({name, name.replace(".", "_"), name.partition(".")[0]}) and name not in owners:
            remedy = f"use it, or leave it out; what only another sampler needs of {name!r} is drawn in that one"
            yield f"{name!r} is used neither by the forward pass nor by `call`", "inputs", remedy


def _points(declared: Exercise) -> Faults:
    checks = declared.checks
    if not checks:
        yield "no check earns a point", "points", 'write for instance points={"w.g": 2}'
    for name, points in checks.items():
        if not _is_positive(points):
            yield f"{name!r} earns {points!r}", "points", "points are numbers above 0"
    if declared.points and not declared.standard and all(variant.points is not None for variant in declared.variants):
        remedy = "drop standard=False, or add a variant without points of its own"
        yield "leaves no case in which `points` are checked", "standard", remedy


def _paths(declared: Exercise) -> Faults:
    """What is read for a check must be readable, and there."""
    code = ast.parse(declared.call)
    given = _given(declared, code)
    if code.body and isinstance(code.body[-1], ast.Expr):
        given.add("result")
    tables = (declared.points, *(variant.points or {} for variant in declared.variants))
    for name in (name for table in tables for name in table if name not in declared.raises):
        path = declared.reads.get(name, name)
        if not _PATH.fullmatch(path):
            remedy = "bind the value to a name in `call` and read that name"
            yield f"{path!r} cannot be read: only names, attributes and indices can", "points", remedy
        owner = re.split(r"[.\[]", path, maxsplit=1)[0]
        if declared.rerun or owner in given:
            continue
        if owner == "result":
            remedy = "end `call` with an expression, or name another value"
            yield "'result' is the value of the last line of `call`, which has none", "points", remedy
        elif name not in declared.reads:  # which may name what the notebook defines
            remedy = f"add a sampler for {owner!r} to `inputs`, or name a value that is there"
            yield f"nothing is expected of {name!r}: {owner!r} is neither an input nor made by `call`", "points", remedy


def _raises(declared: Exercise) -> Faults:
    for expression, name in declared.raises.items():
        try:
            ast.parse(expression, mode="eval")
        except SyntaxError:
            yield f"{expression!r} is not an expression", "raises", "fix the code"
        kind = getattr(builtins, name, None)
        if not (isinstance(kind, type) and issubclass(kind, Exception)):
            yield f"{name!r} is no builtin exception", "raises", "name one, such as 'ValueError'"


def _mentioned_names(declared: Exercise) -> Faults:
    """Every name that another field mentions must exist."""
    inputs, checks = set(declared.inputs), {*declared.points, *(n for v in declared.variants for n in v.points or {})}
    letters, usual = {*declared.letters}, Exercise.__dataclass_fields__["batch"].default
    batch = (declared.batch,) if declared.batch is not None and declared.batch != usual else ()
    tables: list[tuple[str, Iterable[str], set[str]]] = [
        *((field, getattr(declared, field), inputs) for field in ("globals", "in_place")),
        *(
            (field, getattr(declared, field), checks)
            for field in ("raises", "scalars", "registered", "reads", "expects", "hints")
        ),
        *(("sizes", declared.sizes, letters), ("ones", declared.ones or (), letters), ("batch", batch, letters)),
        *(
            (f"variants[{v.label}]", v.sizes, letters | {letter for s in v.inputs.values() for letter in s.letters})
            for v in declared.variants
        ),
    ]
    for field, names, known in tables:
        for name in names:
            if name not in known:
                yield f"{name!r} is not known here", field, f"known are {', '.join(sorted(known))}"


def _sizes(declared: Exercise) -> Faults:
    """Letters get different sizes in each case, so there must be enough of them."""
    for letter, given in declared.sizes.items():
        if not isinstance(given, tuple | list) or not given or not all(type(n) is int and n > 0 for n in given):
            yield f"{letter!r} has {given!r}", "sizes", f'write a tuple of sizes, such as {{"{letter}": (3, 5, 7)}}'
    for name, sampler in declared.inputs.items():
        largest = math.prod(max(declared.sizes_of(dim)) if isinstance(dim, str) else dim for dim in sampler.dims)
        if largest > _MOST_NUMBERS:
            remedy = "give its letters smaller sizes: a mistake shows in a few numbers as well as in millions"
            yield f"{name!r} may hold {largest:,} numbers, more than {_MOST_NUMBERS:,}", "sizes", remedy
    for variant in (Variant("plain"), *declared.variants):
        samplers = {**declared.inputs, **variant.inputs}.values()
        earlier: list[set[int]] = []
        for letter in dict.fromkeys(letter for sampler in samplers for letter in sampler.letters):
            if letter in variant.sizes:
                continue
            earlier.append({*declared.sizes_of(letter)} - {*variant.sizes.values()})
            if not can_differ(earlier):
                remedy = f"give {letter!r} more sizes of its own, or use fewer letters"
                yield f"{letter!r} may be left without a size: each letter gets another one", "sizes", remedy


def _in_place(declared: Exercise) -> Faults:
    """That an input is modified is seen where it is read, and nowhere else."""
    read = {declared.path_of(check) for check in declared.checks}
    for name in declared.in_place:
        if name not in read:
            remedy = f'write for instance points={{"{name}": 1}}, with the expected value of {name!r}'
            yield f"{name!r} is read by no check, so that nothing shows whether it was modified", "in_place", remedy


_RULES = (
    _types,
    _title,
    _goal,
    _variants,
    _inputs,
    _forward,
    _call,
    _points,
    _paths,
    _raises,
    _mentioned_names,
    _sizes,
    _used,
    _in_place,
)
