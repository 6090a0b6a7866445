"""Every declaration that cannot work is refused, with the exercise, the field and the remedy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest.mock import Mock

import pytest

from grader.course import Variant, constant_tensor, exercise, fixed, normal
from grader.errors import CourseError
from grader.model import Exercise

N, D = normal("n", "d"), normal("d")


def declared(forward: Callable[..., Any] | None = None, **changed: Any) -> Exercise:
    """A right declaration, with some of its fields changed."""

    def scaled(x: Any, w: Any) -> Any:
        """Rows scaled."""
        return x * w

    fields = {"call": "scaled(x, w)", "inputs": {"x": N, "w": D}, "points": {"w.g": 1}, **changed}
    return exercise(**fields)(forward or scaled)


def test_declaration_takes_id_title_and_notebook_from_the_function() -> None:
    one = declared()
    assert (one.id, one.title, one.notebook, one.needs) == ("scaled", "Rows scaled.", "test_exercise", ("scaled",))
    assert declared(notebook="other").notebook == "other"


def test_parameters_are_inputs_with_attributes_spelt_out() -> None:
    def scaled(x: Any, x_g: Any) -> Any:
        """A step."""

    one = declared(scaled, call="scaled(x)", inputs={"x": N, "x.g": N}, points={"x": 1})
    assert one.parameters == ("x", "x.g")


def untitled(x: Any, w: Any) -> Any:
    return x * w


def greedy(x: Any, w: Any, bias: Any) -> Any:
    """Takes what is no input."""


MANY = {name: normal(name) for name in "abcdefghi"}
EDGE = Variant("edge", {"w": constant_tensor("d", value=0.0)})

#: id → fields changed, the field named, words of the message, words of the remedy.
REFUSED: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "unknown field": ({"colour": 1}, "colour", "no such field", "grader.model.Exercise"),
    "misspelt field": ({"tolerence": 2.0}, "tolerence", "no such field", "did you mean 'tolerance'?"),
    "inputs no mapping": ({"inputs": N}, "inputs", "Sampler, not a mapping", 'inputs={"w"'),
    "points no mapping": ({"points": 3}, "points", "int, not a mapping", 'points={"w"'),
    "call no code": ({"call": 3}, "call", "int, not code", 'call="scaled('),
    "no docstring": ({"forward": untitled, "title": ""}, "title", "has no docstring", "first line is the title"),
    "names as text": ({"in_place": "w"}, "in_place", "not a tuple of names", "in_place=("),
    "names no names": ({"follows": (3,)}, "follows", "not a tuple of names", "follows=("),
    "reads no mapping": ({"reads": ("w.g",)}, "reads", "not a mapping of names", '{"check": "name"}'),
    "hints no text": ({"hints": {"w.g": 3}}, "hints", "not a mapping of names", '{"check": "name"}'),
    "expects no name": ({"expects": {"w.g": 3}}, "expects", "not a mapping of names", '{"check": "name"}'),
    "raises no name": ({"raises": {"w.g": ValueError}}, "raises", "not a mapping of names", "write"),
    "tolerance zero": ({"tolerance": 0}, "tolerance", "is 0", "above 0"),
    "time limit text": ({"time_limit": "3"}, "time_limit", "is '3'", "above 0"),
    "no sampler": ({"inputs": {"x": N, "w": 3}}, "inputs", "'w' is int, not a sampler", "fixed(value)"),
    "attribute of nothing": ({"inputs": {"x": N, "w": D, "q.g": D}}, "inputs", "attribute of no input", "'q'"),
    "variant without comma": ({"variants": EDGE}, "variants", "is Variant", "comma"),
    "variant no variant": ({"variants": ("edge",)}, "variants", "'edge' is not a Variant", 'Variant("label"'),
    "variants of one name": ({"variants": (EDGE, EDGE)}, "variants", "two cases are called 'edge'", "rename"),
    "variant with a standard name": ({"variants": (Variant("float64"),)}, "variants", "'float64'", "rename"),
    "variant of one": ({"variants": (Variant("d of one"),)}, "variants", "two cases are called 'd of one'", "rename"),
    "variant of the magnitude": ({"variants": (Variant("values around 1000"),)}, "variants", "two cases", "rename"),
    "variant of a dtype": ({"variants": (Variant("v", dtype="float16"),)}, "variants[v]", "'float16'", "float64"),  # type: ignore[arg-type]
    "variant below zero": ({"variants": (Variant("v", magnitude=-1.0),)}, "variants[v]", "magnitude -1.0", "above 0"),
    "variant of no size": ({"variants": (Variant("v", sizes={"n": 0}),)}, "variants[v]", "the size 0", "above 0"),
    "variant misspelt": ({"variants": (Variant("v", {"ww": D}),)}, "variants[v]", "'ww' is no input", "x, w"),
    "variant no sampler": ({"variants": (Variant("v", {"w": 0}),)}, "variants[v]", "not a sampler", "fixed(value)"),  # type: ignore[dict-item]
    "variant unknown letter": (
        {"variants": (Variant("v", sizes={"k": 3}),)},
        "variants[v]",
        "'k' is not known",
        "d, n",
    ),
    "parameter no input": (
        {"forward": greedy},
        "inputs",
        "takes 'bias', which is no input",
        "add a sampler for 'bias'",
    ),
    "autograd a word": ({"autograd": "no"}, "autograd", "is 'no'", "True or False"),
    "magnitudes a number": ({"magnitudes": 5}, "magnitudes", "is 5", "tuple of numbers above 0"),
    "measure without a goal": ({"measure": lambda a, e: 1}, "measure", "no docstring", "paragraph as the goal"),
    "measure no function": ({"measure": 1}, "measure", "is 1", "function of (actual, expected)"),
    "no case at all": ({"standard": False}, "standard", "no case in which `points`", "drop standard=False"),
    "no case for points": (
        {"standard": False, "variants": (Variant("v", points={"x.g": 1}),)},
        "standard",
        "no case in which `points`",
        "a variant without points",
    ),
    "call no Python": ({"call": "scaled(x"}, "call", "is not Python", "fix"),
    "stub never used": ({"call": "result = x * w"}, "call", "never uses 'scaled'", "call the student's stub"),
    "call reads nothing": ({"call": "scaled(x, v)"}, "call", "reads 'v', which nothing gives", "add a sampler for 'v'"),
    "no points": ({"points": {}}, "points", "no check earns a point", "points={"),
    "points below zero": ({"points": {"w.g": -1}}, "points", "earns -1", "above 0"),
    "points a truth": ({"points": {"w.g": True}}, "points", "earns True", "above 0"),
    "points infinite": ({"points": {"w.g": float("inf")}}, "points", "earns inf", "above 0"),
    "check cannot be read": ({"points": {"w.g + 1": 1}}, "points", "'w.g + 1' cannot be read", "bind the value"),
    "result of nothing": (
        {"points": {"result": 1}, "call": "y = scaled(x, w)"},
        "points",
        "last line of `call`, which has none",
        "end `call` with an expression",
    ),
    "result of a name that nothing gives": (
        {"points": {"w.g": 1, "v.g": 1}},
        "points",
        "nothing is expected of 'v.g': 'v' is neither an input nor made",
        "add a sampler for 'v'",
    ),
    "raises no expression": ({"raises": {"f(": "ValueError"}}, "raises", "not an expression", "fix"),
    "raises no exception": ({"raises": {"f(1)": "Wrong"}}, "raises", "no builtin exception", "ValueError"),
    "raises without points": ({"raises": {"f(1)": "ValueError"}}, "raises", "'f(1)' is not known", "w.g"),
    "global unknown": ({"globals": ("v",)}, "globals", "'v' is not known", "w, x"),
    "in place unknown": ({"in_place": ("v",)}, "in_place", "'v' is not known", "w, x"),
    "in place unread": ({"in_place": ("w",)}, "in_place", "'w' is read by no check", 'points={"w": 1}'),
    "scalar unknown": ({"scalars": ("v",)}, "scalars", "'v' is not known", "w.g"),
    "registered unknown": ({"registered": ("v",)}, "registered", "'v' is not known", "w.g"),
    "reads unknown": ({"reads": {"v": "w.g"}}, "reads", "'v' is not known", "w.g"),
    "hints unknown": ({"hints": {"v.g": "Why?"}}, "hints", "'v.g' is not known", "w.g"),
    "expects unknown": ({"expects": {"v": "w.g"}}, "expects", "'v' is not known", "w.g"),
    "letter without size": ({"sizes": {"k": (3,)}}, "sizes", "'k' is not known", "d, n"),
    "letter of one unknown": ({"ones": ("k",)}, "ones", "'k' is not known", "d, n"),
    "sizes a number": ({"sizes": {"d": 3}}, "sizes", "'d' has 3", '{"d": (3, 5, 7)}'),
    "sizes of zero": ({"sizes": {"d": (0, 3)}}, "sizes", "'d' has (0, 3)", "tuple of sizes"),
    "axis of a half": ({"inputs": {"x": N, "w": normal(2.5)}}, "inputs", "an axis of size 2.5", "whole numbers"),  # type: ignore[arg-type]
    "axes in a tuple": ({"inputs": {"x": N, "w": normal(("n", "d"))}}, "inputs", "an axis of size ('n'", "one by one"),  # type: ignore[arg-type]
    "batch unknown": ({"batch": "k"}, "batch", "'k' is not known", "d, n"),
    "vast": ({"sizes": {"n": (4000,), "d": (5000,)}}, "sizes", "'x' may hold 20,000,000 numbers", "smaller sizes"),
    "input unused": ({"inputs": {"x": N, "w": D, "v": D}}, "inputs", "'v' is used neither by", "leave it out"),
    "variant without size": (
        {"sizes": {"d": (3,)}, "variants": (Variant("v", sizes={"n": 3}),)},
        "sizes",
        "'d' may be left without a size",
        "more sizes",
    ),
    "too few sizes": ({"sizes": {"n": (3,), "d": (3,)}}, "sizes", "'d' may be left without a size", "more sizes"),
    "too many letters": ({"inputs": {"x": N, "w": D, **MANY}}, "sizes", "without a size", "fewer letters"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_broken_declaration_is_refused_with_field_and_remedy(case: str) -> None:
    changed, field, message, remedy = REFUSED[case]
    with pytest.raises(CourseError) as caught:
        declared(**changed)
    error = caught.value
    assert (error.exercise, error.field) == (getattr(changed.get("forward"), "__name__", "scaled"), field)
    assert message in str(error)
    assert remedy in error.remedy


@pytest.mark.parametrize("case", ["no docstring", "measure without a goal"])
def test_docstring_that_python_dropped_is_not_asked_for(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grader.course.declaration.sys", Mock(flags=Mock(optimize=2)))
    with pytest.raises(CourseError, match="PYTHONOPTIMIZE=2") as caught:
        declared(**REFUSED[case][0])
    assert caught.value.remedy == "run it without"


@pytest.mark.parametrize(
    "sizes", [{"d": (3,)}, {"n": (3, 5), "d": (3,)}, {"n": (3, 5), "d": (5, 3)}], ids=["one", "the other", "either"]
)
def test_narrow_sizes_are_accepted_where_every_letter_can_have_one(sizes: dict[str, tuple[int, ...]]) -> None:
    assert declared(sizes=sizes).sizes == sizes


@pytest.mark.parametrize(
    ("letters", "given", "batch"),
    [("nd", {}, "n"), ("mn", {}, "n"), ("sd", {}, "s"), ("sd", {"batch": None}, None), ("sd", {"batch": "d"}, "d")],
)
def test_samples_are_counted_by_n_or_the_first_letter(letters: str, given: dict[str, Any], batch: str | None) -> None:
    inputs = {"x": normal(*letters), "w": normal(letters[1])}
    assert declared(inputs=inputs, **given).batch == batch


#: What a call may use without declaring it.
ACCEPTED = {
    "names it binds": "y = x\nscaled(y, w)",
    "imports": "import torch.nn.functional as F\nscaled(F.relu(x), w)",
    "dotted import": "import torch.nn\nscaled(torch.relu(x), w)",
    "comprehension": "[scaled(x, each) for each in (w,)]",
    "lambda": "scaled(x, (lambda v: v)(w))",
    "function": "def one(v):\n    return v\nscaled(x, one(w))",
    "exception": "try:\n    scaled(x, w)\nexcept ValueError as error:\n    str(error)",
    "builtins": "scaled(x, w)\nlen(x)",
    "implied": "scaled(x, w)\nout, upstream",
}


@pytest.mark.parametrize("case", ACCEPTED)
def test_call_may_use_what_it_binds(case: str) -> None:
    assert declared(call=ACCEPTED[case]).call == ACCEPTED[case]


def test_call_may_use_a_name_of_the_notebook_that_is_needed() -> None:
    assert declared(call="scaled(x, helper(w))", needs=("scaled", "helper")).needs == ("scaled", "helper")


def test_sizes_that_are_apart_are_enough_however_few() -> None:
    assert declared(
        sizes={"n": (3,), "d": (5,)}, inputs={"x": N, "w": D, "k": fixed(1)}, call="scaled(x, w * k)"
    ).sizes["n"] == (3,)


def test_list_of_names_is_as_good_as_a_tuple() -> None:
    assert declared(needs=["scaled"]).needs == ("scaled",)
