"""What is read off a stub's source, and that no source makes it fail."""

from __future__ import annotations

import pytest

from grader.judge.diagnosis.source import (
    assigns,
    made_by_calling,
    parameter,
    shared,
    shared_container,
    takes_out_last,
    uninitialised,
)
from grader.model import Stub


def stub(source: str) -> Stub:
    return Stub("lin_grad", 4, 1, source, "metadata")


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("async def lin_grad(inp):\n    inp.g = 1", "a coroutine"),
        ("def lin_grad(inp):\n    for row in inp:\n        x = yield row", "a generator"),
        ("def lin_grad(inp):\n    yield from inp", "a generator"),
        ("def lin_grad(inp):\n    def rows():\n        yield inp\n    inp.g = sum(rows())", None),
        ("def rows(inp):\n    yield inp\ndef lin_grad(inp):\n    inp.g = sum(rows(inp))", None),
        ("lin_grad = lambda inp: (yield)", None),
        (f"def lin_grad(inp):\n    x = {' + '.join(['inp'] * 1200)}", None),
        ("def lin_grad(", None),
    ],
)
def test_source_tells_calls_that_run_no_line(source: str, kind: str | None) -> None:
    assert made_by_calling(stub(source), "lin_grad") == kind


@pytest.mark.parametrize(
    ("source", "last"),
    [
        ("class A:\n    def bwd(self, inp, out):\n        pass", True),
        ("class A:\n    def bwd(self, out, inp):\n        pass", False),
        ("class A:\n    def bwd(self, inp, targ):\n        pass", False),
        ("class A:\n    def backward(self):\n        self.bwd(*self.args, self.out)", True),
        ("class A:\n    def backward(self):\n        self.bwd(self.out, *self.args)", False),
        ("class A:\n    def backward(self):\n        self.bwd(*self.args)", False),
        ("class A(", False),
    ],
)
def test_source_tells_where_the_output_stands(source: str, last: bool) -> None:
    assert takes_out_last(stub(source)) == last


@pytest.mark.parametrize(
    ("line", "name", "given"),
    [
        ("inp = inp.squeeze()", "inp", True),
        ("inp, rest = inp[0], inp[1:]", "inp", True),
        ("inp.g = out.g", "inp", False),
        ("inp.g = out.g", "inp.g", True),
        ("out.g = inp.g", "inp.g", False),
        ("inp[0] = 1", "inp", False),
        ("def helper():\n        inp = 1", "inp", False),
        ("rest = [inp for inp in out]", "inp", False),
        (f"inp{'.T' * 1200}.g = 1", "inp.g", False),
        ("(", "inp", False),
    ],
)
def test_source_tells_what_is_given_a_new_value(line: str, name: str, given: bool) -> None:
    assert assigns(stub(f"def relu_grad(inp, out):\n    {line}"), "relu_grad", name) == given


@pytest.mark.parametrize(("place", "name"), [(0, "x"), (1, "y"), (2, None)])
def test_source_tells_what_an_argument_is_called(place: int, name: str | None) -> None:
    assert parameter(stub("def mse_grad(x, y):\n    pass"), "mse_grad", place) == name
    assert parameter(stub("mse_grad = None"), "mse_grad", place) is None


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("weight.g = torch.empty_like(weight)", "empty_like"),
        ("weight.g = weight.new_empty(3)", "new_empty"),
        ("out = empty(3)", "empty"),
        ("weight.g = torch.zeros_like(weight)  # not torch.empty_like(weight)", None),
    ],
)
def test_uninitialised_memory_is_found_by_its_call(source, name):
    assert uninitialised(Stub("f", 1, 1, source, "metadata")) == name


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("class SGD:\n    held = {}", "held"),
        ("class SGD:\n    held = [None] * 2\n    kept = []", "kept"),
        ("class SGD:\n    def __init__(self, params, held={}):\n        self.held = held", "held"),
        ("class SGD:\n    held = {}\n    def __init__(self, params):\n        self.held = {}", None),
        ("class SGD:\n    def __init__(self, params, betas=(0.9, 0.999)):\n        self.held = []", None),
        ("class SGD:\n    rate = 0.1", None),
        ("class SGD:\n    __slots__ = ['held']", None),
    ],
)
def test_container_of_the_class_is_shared_by_its_objects(source, name):
    assert shared_container(Stub("SGD", 1, 1, source, "metadata")) == name


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("class SGD:\n    held = {}", "held"),
        ("class SGD:\n    def step(self):\n        SGD.held += 1", "held"),
        ("class SGD:\n    def step(self):\n        type(self).held = 1", "held"),
        ("class SGD:\n    def step(self):\n        self.held = SGD.rate", None),
    ],
)
def test_what_is_assigned_to_the_class_is_shared_by_its_objects(source, name):
    assert shared(Stub("SGD", 1, 1, source, "metadata")) == name
