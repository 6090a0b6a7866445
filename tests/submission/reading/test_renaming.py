from __future__ import annotations

import pytest

from grader.course.loading import load_course
from grader.submission.entry import Wanted
from grader.submission.reading.definitions import definitions_in
from grader.submission.reading.renaming import released_definitions, renamed
from tests.samples import EXERCISES
from tests.submission.notebooks import cells

RELEASED = released_definitions(EXERCISES)
RENAMED = "def linear_grad(inp, out, w, b):\n    w.g = 1"
DOCUMENTED = 'def {}(inp):\n    """The same."""\n    return 1'
MODEL = """
class Network:
    def __init__(self, w1, b1, w2, b2):
        self.layers = []
    def __call__(self, x, targ):
        return 1
    def backward(self):
        self.loss.backward()
"""


def remarks(exercise: str, *sources: str | tuple[str, str]) -> tuple[str, ...]:
    """What is said where the cells of ``sources`` are all that there is of an exercise of the bundled course."""
    needs = load_course("autograd").exercises[exercise].needs
    return renamed(Wanted(exercise, needs), cells(*sources), RELEASED)


def test_function_with_the_parameters_of_a_stub_that_is_nowhere_is_named() -> None:
    told = "`lin_grad` is not defined in any cell; cell 1 defines `linear_grad` with its parameters"
    assert remarks("lin_grad", "x = 1", RENAMED, RENAMED.replace("_grad", "_given").replace(", b", "")) == (told,)


def test_class_with_the_methods_of_a_stub_that_is_nowhere_is_named() -> None:
    (told,) = remarks("Model", MODEL)
    assert told.endswith("cell 0 defines `Network` with its parameters")
    assert remarks("Model", MODEL.replace("b2", "b3")) == ()


@pytest.mark.parametrize(
    "sources",
    [
        pytest.param([RENAMED, RENAMED.replace("linear", "line")], id="two of them"),
        pytest.param([RENAMED.replace(", b)", ", bias)")], id="other parameters"),
        pytest.param([RENAMED.replace("w.g = 1", "raise NotImplementedError")], id="unwritten"),
        pytest.param([(RENAMED, "relu_grad")], id="in the cell of another exercise"),
        pytest.param([RENAMED.replace("linear_grad", "conv2d_grad")], id="another's stub"),
        pytest.param([f"class A:\n    {RENAMED}".replace("    w.g", "        w.g")], id="a method"),
        pytest.param([RENAMED + "\n  return"], id="no Python"),
    ],
)
def test_what_may_well_be_something_else_is_not_named(sources: list[str | tuple[str, str]]) -> None:
    assert remarks("lin_grad", *sources) == ()


def test_given_function_with_the_parameters_of_a_stub_is_not_named() -> None:
    assert remarks("mse_grad", "def mse(inp, targ):\n    return (inp - targ).pow(2).mean() / 1") == ()


@pytest.mark.parametrize(("docstring", "named"), [("The same.", True), ("Another.", False), ("", False)])
def test_function_with_one_parameter_is_named_by_its_docstring_alone(docstring: str, named: bool) -> None:
    released = [("double", item) for item in definitions_in(DOCUMENTED.format("double"))]
    source = DOCUMENTED.format("twice").replace("The same.", docstring)
    assert bool(renamed(Wanted("double", ("double",)), cells(source), released)) == named
