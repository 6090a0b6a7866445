"""A forward pass that an author writes out gets the diagnoses of the function of torch that it is."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from grader.course import exercise, integers, normal
from grader.judge.cases import Prepared
from grader.judge.diagnosis.equivalents import by_torch
from grader.model import Exercise
from tests.judge.builders import Change, cases, diagnosed

ROWS = {"x": normal("b", "f"), "scale": normal("f"), "shift": normal("f")}


@exercise(
    call="nll_back(scores, labels)",
    inputs={"scores": normal("b", "k"), "labels": integers("b", high="k")},
    points={"scores.g": 1},
    batch="b",
    notebook="own",
)
def nll_back(scores: Tensor, labels: Tensor) -> Tensor:
    """The mean negative log-likelihood, written out."""
    shifted = scores - scores.max(1, keepdim=True).values
    logarithms = shifted - shifted.exp().sum(1, keepdim=True).log()
    return -logarithms[torch.arange(len(labels)), labels].mean()


def _normed(x: Tensor, scale: Tensor, shift: Tensor, axis: int) -> Tensor:
    centred = x - x.mean(axis, keepdim=True)
    return centred / (centred.pow(2).mean(axis, keepdim=True) + 1e-3).sqrt() * scale + shift


@exercise(
    call="rows_back(x, out, scale, shift)", inputs=ROWS, points={"x.g": 1}, ones=("b",), batch="b", notebook="own"
)
def rows_back(x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """A normalisation of rows, written out."""
    return _normed(x, scale, shift, 1)


@exercise(call="columns_back(x, out, scale, shift)", inputs=ROWS, points={"x.g": 1}, ones=("f",), notebook="own")
def columns_back(x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """A normalisation of columns, written out."""
    return _normed(x, scale, shift, 0)


@exercise(call="other_back(x, out, scale, shift)", inputs=ROWS, points={"x.g": 1}, notebook="own")
def other_back(x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """No normalisation at all."""
    return x * scale + shift


@exercise(call="bend_back(x, out)", inputs={"x": normal("b", "f")}, points={"x.g": 1}, batch="b", notebook="own")
def bend_back(x: Tensor) -> Tensor:
    """A ReLU, written out."""
    return x * (x > 0)


@exercise(call="flat_back(x, out)", inputs={"x": normal("b", "f")}, points={"x.g": 1}, magnitudes=(), notebook="own")
def flat_back(x: Tensor) -> Tensor:
    """A sigmoid, written out."""
    return 1 / (1 + (-x).exp())


def _slope(rule: Callable[[Tensor, Tensor], Tensor]) -> Change:
    def change(given: Prepared, right: Tensor) -> Tensor:
        x, upstream = given.case.inputs["x"].double(), given.case.upstream
        assert upstream is not None
        return upstream * rule(x, x.sigmoid())

    return change


def _probabilities(axis: int = 1, by: float = 1.0, one: float = 1.0) -> Change:
    def change(given: Prepared, right: Tensor) -> Tensor:
        scores, labels = (given.case.inputs[name] for name in ("scores", "labels"))
        probabilities = (scores.double() / by).softmax(axis)
        return (probabilities - one * functional.one_hot(labels, scores.shape[1])) / len(labels)

    return change


def _constant_statistics(axis: int) -> Change:
    def change(given: Prepared, right: Tensor) -> Tensor:
        x, scale = (given.case.inputs[name].double() for name in ("x", "scale"))
        upstream = given.case.upstream
        assert upstream is not None
        return upstream * scale / (x.var(axis, unbiased=False, keepdim=True) + 1e-3).sqrt()

    return change


@pytest.mark.parametrize(
    ("declared", "changes", "said"),
    [
        (nll_back, {"scores.g": _probabilities(axis=0)}, "the softmax is taken over another axis"),
        (nll_back, {"scores.g": _probabilities(one=0.0)}, "the 1 is not subtracted"),
        (nll_back, {"scores.g": _probabilities(by=2.0)}, "divided by 2 before the softmax"),
        (rows_back, {"x.g": _constant_statistics(1)}, "mean and variance are taken for constants"),
        (columns_back, {"x.g": _constant_statistics(0)}, "mean and variance are taken for constants"),
        (bend_back, {"x.g": _slope(lambda x, y: torch.ones_like(x))}, "where the ReLU was shut"),
        (flat_back, {"x.g": _slope(lambda x, y: 1 - y)}, "the factor σ is missing"),
    ],
    ids=["other_axis", "no_target", "temperature", "rows", "columns", "relu", "sigmoid"],
)
def test_written_out_forward_pass_is_known(declared: Exercise, changes: dict[str, Change], said: str) -> None:
    (found,) = diagnosed(declared, changes).values()
    assert said in found.message


def test_forward_pass_that_is_no_such_function_stays_as_it_is() -> None:
    assert by_torch(other_back, cases(other_back)) is other_back
    assert by_torch(other_back, ()) is other_back
