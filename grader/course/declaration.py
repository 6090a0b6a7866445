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
from collections.abc import Callable, Iterable, Iterator, Mapping

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
        for field in ("needs", "follows", "globals", "in_place", "scalars", "registered")
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
        rule(declared)


def _types(declared: Exercise) -> None:
    for field, (is_right, what, remedy) in _VALUES.items():
        value = getattr(declared, field)
        if not is_right(value):
            raise declared.fault(f"is {value!r}{what}", field=field, remedy=remedy)


def _title(declared: Exercise) -> None:
    if not declared.title:
        raise declared.fault(
            "has no docstring", field="title", remedy="give the forward pass a docstring: its first line is the title"
        )


def _variants(declared: Exercise) -> None:
    if not isinstance(declared.variants, tuple | list):
        raise declared.fault(
            f"is {type(declared.variants).__name__}",
            field="variants",
            remedy="write a tuple, with a comma after a single one",
        )
    labels = set(_STANDARD) if declared.standard else set()
    for variant in declared.variants:
        if not isinstance(variant, Variant):
            raise declared.fault(f"{variant!r} is not a Variant", field="variants", remedy='write Variant("label", …)')
        if variant.label in labels:
            raise declared.fault(
                f"two cases are called {variant.label!r}", field="variants", remedy="rename the variant"
            )
        labels.add(variant.label)
        for name in variant.inputs:
            if name not in declared.inputs:
                known = ", ".join(declared.inputs)
                raise declared.fault(
                    f"{name!r} is no input", field=f"variants[{variant.label}]", remedy=f"inputs are {known}"
                )


def _inputs(declared: Exercise) -> None:
    for where, mapping in (
        ("inputs", declared.inputs),
        *((f"variants[{v.label}]", v.inputs) for v in declared.variants),
    ):
        for name, sampler in mapping.items():
            if not isinstance(sampler, Sampler):
                raise declared.fault(
                    f"{name!r} is {type(sampler).__name__}, not a sampler",
                    field=where,
                    remedy='write for instance normal("n", "i"), or fixed(value) for a constant',
                )
            for dim in sampler.dims:
                if not isinstance(dim, str) and not (type(dim) is int and dim >= 0):
                    raise declared.fault(
                        f"{name!r} has an axis of size {dim!r}",
                        field=where,
                        remedy='write letters and whole numbers, one by one: normal("n", 3)',
                    )
            owner, dot, _ = name.partition(".")
            if dot and owner not in {*declared.inputs, *_IMPLIED}:
                raise declared.fault(
                    f"{name!r} is an attribute of no input", field=where, remedy=f"declare the input {owner!r} as well"
                )


def _forward(declared: Exercise) -> None:
    known = {name.replace(".", "_") for name in declared.inputs}
    for parameter in inspect.signature(declared.forward).parameters:
        if parameter not in known:
            raise declared.fault(
                f"the forward pass takes {parameter!r}, which is no input",
                field="inputs",
                remedy=f"add a sampler for {parameter!r}, or drop the parameter",
            )


def _call(declared: Exercise) -> None:
    try:
        tree = ast.parse(declared.call)
    except SyntaxError as error:
        raise declared.fault(
            f"is not Python: {error.msg}, line {error.lineno}", field="call", remedy="fix the code"
        ) from None
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    missing = [name for name in declared.needs if name not in used]
    if missing and not declared.rerun:
        raise declared.fault(
            f"never uses {missing[0]!r}",
            field="call",
            remedy="call the student's stub, or name what it needs in `needs`",
        )
    known = {*declared.inputs, *declared.needs, *_IMPLIED, *dir(builtins), *_bound(tree)}
    for name in sorted(used - known):
        raise declared.fault(
            f"reads {name!r}, which nothing gives",
            field="call",
            remedy=f"add a sampler for {name!r} to `inputs`, or name it in `needs` if the notebook defines it",
        )


def _used(declared: Exercise) -> None:
    """An input that nothing uses is a slip of the pen, or a forward pass that forgets it."""
    if declared.rerun:
        return
    read = {node.id for node in ast.walk(ast.parse(declared.call)) if isinstance(node, ast.Name)}
    read |= {*inspect.signature(declared.forward).parameters, *declared.globals}
    read |= {declared.expected_name(check) for check in declared.checks}
    owners = {name.partition(".")[0] for name in declared.inputs if "." in name}
    for name in declared.inputs:
        if read.isdisjoint({name, name.replace(".", "_"), name.partition(".")[0]}) and name not in owners:
            raise declared.fault(
                f"{name!r} is used neither by the forward pass nor by `call`",
                field="inputs",
                remedy=f"use it, or leave it out; what only another sampler needs of {name!r} is drawn in that one",
            )


def _bound(tree: ast.AST) -> Iterator[str]:
    """The names that code binds itself: by assignment, import, definition or as a parameter."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.alias):
            yield (node.asname or node.name).partition(".")[0]
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.ExceptHandler) and node.name:
            yield node.name


def _points(declared: Exercise) -> None:
    checks = declared.checks
    if not checks:
        raise declared.fault("no check earns a point", field="points", remedy='write for instance points={"w.g": 2}')
    for name, points in checks.items():
        if not _is_positive(points):
            raise declared.fault(f"{name!r} earns {points!r}", field="points", remedy="points are numbers above 0")
    if declared.points and not declared.standard and all(variant.points is not None for variant in declared.variants):
        raise declared.fault(
            "leaves no case in which `points` are checked",
            field="standard",
            remedy="drop standard=False, or add a variant without points of its own",
        )


def _paths(declared: Exercise) -> None:
    """What is read for a check must be readable, and there."""
    code = ast.parse(declared.call)
    has_result = "result" in _bound(code) or (bool(code.body) and isinstance(code.body[-1], ast.Expr))
    tables = (declared.points, *(variant.points or {} for variant in declared.variants))
    for name in (name for table in tables for name in table if name not in declared.raises):
        path = declared.reads.get(name, name)
        if not _PATH.fullmatch(path):
            raise declared.fault(
                f"{path!r} cannot be read: only names, attributes and indices can",
                field="points",
                remedy="bind the value to a name in `call` and read that name",
            )
        if re.split(r"[.\[]", path, maxsplit=1)[0] == "result" and not (declared.rerun or has_result):
            raise declared.fault(
                "'result' is the value of the last line of `call`, which has none",
                field="points",
                remedy="end `call` with an expression, or name another value",
            )


def _raises(declared: Exercise) -> None:
    for expression, name in declared.raises.items():
        try:
            ast.parse(expression, mode="eval")
        except SyntaxError:
            raise declared.fault(
                f"{expression!r} is not an expression", field="raises", remedy="fix the code"
            ) from None
        kind = getattr(builtins, name, None)
        if not (isinstance(kind, type) and issubclass(kind, Exception)):
            raise declared.fault(
                f"{name!r} is no builtin exception", field="raises", remedy="name one, such as 'ValueError'"
            )


def _mentioned_names(declared: Exercise) -> None:
    """Every name that another field mentions must exist."""
    checks = {*declared.points, *(name for variant in declared.variants for name in variant.points or {})}
    letters, usual = {*declared.letters}, Exercise.__dataclass_fields__["batch"].default
    tables: tuple[tuple[str, Iterable[str], set[str]], ...] = (
        ("globals", declared.globals, set(declared.inputs)),
        ("in_place", declared.in_place, set(declared.inputs)),
        ("raises", declared.raises, checks),
        ("scalars", declared.scalars, checks),
        ("registered", declared.registered, checks),
        ("reads", declared.reads, checks),
        ("expects", declared.expects, checks),
        ("hints", declared.hints, checks),
        ("sizes", declared.sizes, letters),
        ("ones", declared.ones or (), letters),
        ("batch", (declared.batch,) if declared.batch not in {None, usual} else (), letters),
        *(
            (f"variants[{v.label}]", v.sizes, letters | {letter for s in v.inputs.values() for letter in s.letters})
            for v in declared.variants
        ),
    )
    for field, names, known in tables:
        for name in names:
            if name not in known:
                raise declared.fault(
                    f"{name!r} is not known here", field=field, remedy=f"known are {', '.join(sorted(known))}"
                )


def _sizes(declared: Exercise) -> None:
    """Letters get different sizes in each case, so there must be enough of them."""
    for letter, given in declared.sizes.items():
        if not isinstance(given, tuple | list) or not given or not all(type(n) is int and n > 0 for n in given):
            raise declared.fault(
                f"{letter!r} has {given!r}",
                field="sizes",
                remedy=f'write a tuple of sizes, such as {{"{letter}": (3, 5, 7)}}',
            )
    for name, sampler in declared.inputs.items():
        largest = math.prod(max(declared.sizes_of(dim)) if isinstance(dim, str) else dim for dim in sampler.dims)
        if largest > _MOST_NUMBERS:
            raise declared.fault(
                f"{name!r} may hold {largest:,} numbers, more than {_MOST_NUMBERS:,}",
                field="sizes",
                remedy="give its letters smaller sizes: a mistake shows in a few numbers as well as in millions",
            )
    for variant in (Variant("plain"), *declared.variants):
        samplers = {**declared.inputs, **variant.inputs}.values()
        earlier: list[set[int]] = []
        for letter in dict.fromkeys(letter for sampler in samplers for letter in sampler.letters):
            if letter in variant.sizes:
                continue
            earlier.append({*declared.sizes_of(letter)} - {*variant.sizes.values()})
            if not can_differ(earlier):
                raise declared.fault(
                    f"{letter!r} may be left without a size: each letter gets another one",
                    field="sizes",
                    remedy=f"give {letter!r} more sizes of its own, or use fewer letters",
                )


_RULES = (
    _types,
    _title,
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
)
