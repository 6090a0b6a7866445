"""All changed operations, each with a wrong derivative or in the place of the right one (``replaced``)."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from grader.judge.diagnosis.operations import (
    activations,
    attention,
    convolutions,
    powers,
    products,
    softmaxes,
    substitutes,
)
from grader.judge.diagnosis.operations.activations import RELU, SIGMOID, TANH, Rule, with_rule
from grader.judge.diagnosis.operations.gelu_slopes import ALL_SLOPES
from grader.judge.diagnosis.operations.replaced import Operation, Replacements, with_backward


def _embedded(kept: str, upstream: Tensor, index: Tensor, weight: Tensor) -> Tensor:
    """The gradient of an embedding where one use of a row replaces the others, or all of them are averaged.

    With ``sample`` or ``column`` kept, one use replaces the others of its own sample or column alone, and with
    ``last_sample`` all of a sample those of the samples before. With ``turned``, index and gradient are read in
    different orders.
    """
    rows, values = index.flatten(), upstream.reshape(-1, upstream.shape[-1])
    gradient = torch.zeros_like(weight)
    if kept == "mean":
        counts = torch.bincount(rows, minlength=len(weight)).clamp(min=1)
        return gradient.index_add(0, rows, values) / counts[:, None]
    if kept == "turned":
        return gradient.index_add(0, index.mT.flatten() if index.dim() == 2 else rows, values)
    if kept == "last_sample":
        for each, arrived in zip(index, upstream, strict=True):
            gradient[each] = torch.zeros_like(gradient).index_add(0, each.flatten(), arrived.flatten(0, -2))[each]
        return gradient
    if kept in {"sample", "column"}:
        axis = 0 if kept == "sample" else 1
        for each, arrived in zip(index.unbind(axis), upstream.unbind(axis), strict=True):
            gradient[each] += arrived
        return gradient
    order = range(len(rows))
    for at in reversed(order) if kept == "first" else order:
        gradient[rows[at]] = values[at]
    return gradient


def _relu(rule: Rule) -> Replacements:
    return with_rule(RELU, torch.relu, rule)


def _no_relu(rule: Rule) -> Replacements:
    return with_rule(RELU, torch.clone, rule)


def _column_kept(value: Tensor, index: Any) -> Tensor:
    """``out[:, 0]`` that forgets to drop its axis, so that a difference with ``(n,)`` becomes ``(n, n)``."""
    column = isinstance(index, tuple) and index == (slice(None), 0) and value.dim() == 2 and value.shape[1] == 1
    return value if column else value[index]


def _layers(*, behind: bool) -> Callable[[], Replacements]:
    """Linear layers that remember their output in place of their input, or with ``behind`` the input of the one before.

    Where that is of the same shape.
    """

    def made() -> Replacements:
        seen: list[Tensor] = []

        def linear(value: Tensor, weight: Tensor, bias: Any = None) -> Tensor:
            out = functional.linear(value, weight, bias)
            used = (seen or [value])[-1] if behind else out
            seen.append(value)
            if used.shape != value.shape:
                return out
            product = value @ weight.detach().T + used.detach() @ (weight - weight.detach()).T
            return product + (0 if bias is None else bias)

        return {functional.linear: linear}

    return made


def _embedding(kept: str) -> Replacements:
    def embedding(index: Tensor, weight: Tensor, **_: Any) -> Tensor:
        backward: Callable[..., Any] = lambda upstream, out, *given: (None, _embedded(kept, upstream, *given))  # noqa: E731
        return with_backward(lambda index, weight: weight[index], backward, index, weight)

    return {functional.embedding: embedding}


def _ones(value: Tensor, out: Tensor) -> Tensor:
    return torch.ones_like(value)


_ONES = "the way back begins with ones, without the derivative of the loss"
_SCALED_BEHIND = "the weights are divided by √d after the softmax, and not the scores before it"
_NOT_LOWERED = "the exponent is not lowered on the way back: x² goes back as 2x², and not as 2x"
#: Which use of a row of an embedding replaces the others, or that all are averaged.
_EMBEDDED = ("last", "first", "mean", "sample", "column", "last_sample")
#: Those that the words of ``wrong_value.pass`` are filled with.
PASSES: tuple[Operation, ...] = (
    *ALL_SLOPES,
    Operation(
        "the gradient itself is cut at 0, and not let through where the input of the ReLU is positive",
        activations.cut_by_upstream,
    ),
    Operation("the output of the network goes through a ReLU, too", substitutes.relu_at_the_end(torch.relu)),
    Operation(
        "the output of the network goes through a ReLU, too, which the way back leaves out",
        substitutes.relu_at_the_end(activations.relu_forward),
    ),
    Operation(
        "a ReLU stands after the first product, which the formula does not have",
        substitutes.relu_in_between(torch.relu),
    ),
    Operation(
        "a ReLU stands after the first product, which neither the formula nor the way back has",
        substitutes.relu_in_between(activations.relu_forward),
    ),
    Operation("the square is missing", powers.square_left_out),
    Operation("the square root is missing", powers.root_left_out),
    Operation("a number is missing that it is multiplied or divided by", powers.numbers_left_out),
    Operation(
        "the power itself stands in the place of its derivative: x² goes back as x², and not as 2x",
        powers.power_for_slope(),
    ),
    Operation(
        "the power itself stands in the place of its derivative, but for the sign: x² goes back as x², and not as 2x",
        powers.power_for_slope(turned=True),
    ),
    Operation(
        "only the exponent is left of a power on the way back: x² goes back as 2, and not as 2x",
        powers.power_for_constant,
    ),
    Operation(_ONES, powers.ones_for_loss),
    Operation(_ONES, partial(powers.ones_for_loss, -1.0)),
    Operation("absolute values stand in the place of squares", powers.absolute_squares),
    Operation("the root of the mean is taken", powers.root_of_mean),
    Operation(_NOT_LOWERED, powers.power_for_slope(factor=True)),
    # Of a squared difference, which is the same either way round: a student's may begin with the other term.
    Operation(_NOT_LOWERED, powers.power_for_slope(factor=True, turned=True)),
    *softmaxes.CROSS_ENTROPIES,
    *softmaxes.SOFTMAXES,
    *attention.WEIGHTS,
    *attention.FACTORS,
    Operation(_SCALED_BEHIND, attention.factored(attention.behind)),
    Operation(_SCALED_BEHIND, attention.factored(attention.behind_as_softmax)),
    *convolutions.CONVOLUTIONS,
    Operation(
        "index and gradient are read in different orders: row by row, and column by column",
        lambda: _embedding("turned"),
    ),
    Operation(
        "the scores stand in the place of the weights that the softmax makes of them",
        attention.before_softmax,
        "wrong_operand",
    ),
    Operation(
        "the gradient of q is made with q itself, and that of k with k, where the other belongs",
        products.factors_by_themselves,
        "wrong_operand",
    ),
    *products.PRODUCTS,
    *products.BY_GRADIENTS,
    *substitutes.SUBSTITUTES,
    Operation(
        "a square matrix of weights is used as it lies, where its transpose belongs", products.squares_untransposed
    ),
)
#: Those that have words of their own elsewhere, by name.
OPERATIONS: Mapping[str, Callable[[], Replacements]] = {
    **{f"embedding_{kept}": partial(_embedding, kept) for kept in _EMBEDDED},
    "mask_missing": lambda: _relu(_ones),
    "mask_inverted": lambda: _relu(lambda value, out: (value <= 0).to(value.dtype)),
    "mask_inverted_open": lambda: _relu(lambda value, out: (value < 0).to(value.dtype)),
    "mask_at_zero": lambda: _relu(lambda value, out: (value >= 0).to(value.dtype)),
    "mask_half_at_zero": lambda: _relu(lambda value, out: 0.5 * ((value > 0).to(value.dtype) + (value >= 0))),
    "column_kept": lambda: {Tensor.__getitem__: _column_kept},
    "before_relu": lambda: products.behind_inputs(RELU, lambda value, *_, **__: torch.relu(value)),
    "before_layer": _layers(behind=True),
    "behind_layer": _layers(behind=False),
    "kernel_unflipped": convolutions.UNFLIPPED.make,
    "softmax_of_other_axis": softmaxes.softmax(weights=1, derivative=1),
    "softmax_of_first_axis": softmaxes.softmax(weights=2, derivative=2),
    "softmax_weights_of_other_axis": softmaxes.softmax(weights=1),
    "softmax_weights_of_first_axis": softmaxes.softmax(weights=2),
    "softmax_sums_over_other_axis": softmaxes.softmax(derivative=1),
    "scores_unscaled": attention.scores(lambda raw, factor: 1.0),
    "scores_unscaled_forward": attention.scores(lambda raw, factor: 1.0, kept_behind=True),
    "scores_scaled_twice": attention.scores(lambda raw, factor: factor**2),
    "scores_scaled_twice_forward": attention.scores(lambda raw, factor: factor**2, kept_behind=True),
    "square_of_mean": substitutes.square_of_mean,
    "difference_of_squares": substitutes.difference_of_squares,
    "product_for_difference": lambda: substitutes.for_difference(operator.mul),
    "quotient_for_difference": lambda: substitutes.for_difference(operator.truediv),
    "mean_for_sum": powers.mean_for_sum,
    "relu_left_out": lambda: _no_relu(_ones),
    "relu_left_out_forward": lambda: _no_relu(lambda value, out: (value > 0).to(value.dtype)),
    "gelu_by_tanh": lambda: {functional.gelu: lambda value: functional.gelu(value, approximate="tanh")},
    "sigmoid_of_input": lambda: with_rule(SIGMOID, torch.sigmoid, lambda value, out: value * (1 - value)),
    "tanh_of_input": lambda: with_rule(TANH, torch.tanh, lambda value, out: 1 - value**2),
}
