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
    pools,
    powers,
    products,
    softmaxes,
    substitutes,
)
from grader.judge.diagnosis.operations.activations import RELU, SIGMOID, TANH, Rule, with_rule
from grader.judge.diagnosis.operations.gates import GATES
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


def _relu(what: str, key: str, rule: Rule, function: Callable[[Tensor], Tensor] = torch.relu) -> Operation:
    return Operation(what, partial(with_rule, RELU, function, rule), key=key)


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

    def bags(index: Tensor, weight: Tensor, *rest: Any, **more: Any) -> Tensor:
        rows = embedding(index.flatten(), weight)
        return functional.embedding_bag(torch.arange(len(rows)).view_as(index), rows, *rest, **more)

    return {functional.embedding: embedding, functional.embedding_bag: bags}


def _ones(value: Tensor, out: Tensor) -> Tensor:
    return torch.ones_like(value)


_INVERTED = "the mask of the ReLU is inverted"
_ONES = "the way back begins with ones, without the derivative of the loss"
_SCALED_BEHIND = "the weights are divided by √d after the softmax, and not the scores before it"
_NOT_LOWERED = "the exponent is not lowered on the way back: xⁿ goes back as n · xⁿ, and not as n · xⁿ⁻¹"
#: Those that the words of ``wrong_value.pass`` are filled with.
PASSES: tuple[Operation, ...] = (
    *ALL_SLOPES,
    *GATES,
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
    Operation("the smallest entry is taken, and not the largest", pools.smallest),
    Operation("the square is missing", powers.square_left_out),
    Operation("the square root is missing", lambda: dict.fromkeys((torch.sqrt, Tensor.sqrt), lambda value: value * 1)),
    Operation("a number is missing that it is multiplied or divided by", powers.numbers_left_out),
    Operation(
        "the power itself stands in the place of its derivative: xⁿ goes back as xⁿ, and not as n · xⁿ⁻¹",
        powers.power_for_slope(),
    ),
    Operation(
        "the power itself stands in the place of its derivative, but for the sign: xⁿ goes back as xⁿ, and not as "
        "n · xⁿ⁻¹",
        powers.power_for_slope(turned=True),
    ),
    Operation(
        "only the exponent is left of a power on the way back: x² goes back as 2, and not as 2x",
        powers.power_for_constant,
    ),
    Operation(_ONES, powers.ones_for_loss),
    Operation(_ONES, partial(powers.ones_for_loss, -1.0)),
    Operation("absolute values stand in the place of squares", partial(powers.for_square, torch.abs)),
    Operation(
        "the root of the mean is taken",
        lambda: dict.fromkeys(powers.MEANS, lambda value, *rest, **more: value.mean(*rest, **more).sqrt()),
    ),
    Operation(_NOT_LOWERED, powers.power_for_slope(factor=True)),
    # Of a squared difference, which is the same either way round: a student's may begin with the other term.
    Operation(_NOT_LOWERED, powers.power_for_slope(factor=True, turned=True)),
    *softmaxes.CROSS_ENTROPIES,
    *softmaxes.SOFTMAXES,
    *softmaxes.LOG_SOFTMAXES,
    *attention.SHUT_OUT,
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
        lambda: products.behind_inputs(softmaxes.SOFTMAX, lambda value, dim, *_, **__: value.softmax(dim)),
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
#: A ReLU with another mask.
MASKS = (
    _relu("the mask of the ReLU is missing", "mask_missing", _ones),
    _relu(_INVERTED, "mask_inverted", lambda value, out: (value <= 0).to(value.dtype)),
    _relu(_INVERTED, "mask_inverted", lambda value, out: (value < 0).to(value.dtype)),
    _relu(
        "the mask of the ReLU lets through what is exactly 0",
        "mask_at_zero",
        lambda value, out: (value >= 0).to(value.dtype),
    ),
    _relu(
        "the mask of the ReLU lets half of the gradient through where its input is exactly 0",
        "mask_at_zero.half",
        lambda value, out: 0.5 * ((value > 0).to(value.dtype) + (value >= 0)),
    ),
)
_OPERANDS: Mapping[tuple[str, str], Callable[[], Replacements]] = {
    ("the input of the ReLU", "its output"): lambda: products.behind_inputs(RELU, lambda x, *_, **__: torch.relu(x)),
    ("the input of the layer before", "its output"): _layers(behind=True),
    ("the output of the layer", "its input"): _layers(behind=False),
    ("the input of the sigmoid", "its output"): partial(with_rule, SIGMOID, torch.sigmoid, lambda x, y: x * (1 - x)),
    ("the input of the hyperbolic tangent", "its output"): partial(with_rule, TANH, torch.tanh, lambda x, y: 1 - x**2),
}
#: What is used, and what belongs there.
OPERANDS = {
    (used, right): Operation(f"{used} stands in the place of {right}", make)
    for (used, right), make in _OPERANDS.items()
}
#: An embedding whose rows are used more than once, and pooling with windows that overlap.
EMBEDDINGS = (
    *(
        Operation(
            "one use of a row replaces the others, where they have to be added",
            partial(_embedding, kept),
            key="overwritten",
        )
        for kept in ("last", "first", "sample", "column", "last_sample")
    ),
    Operation(
        "the uses of a row are averaged, where they have to be added",
        partial(_embedding, "mean"),
        key="averaged_instead_of_summed.repeats",
    ),
    *(
        Operation(
            "one window replaces another where they overlap, and their parts have to be added",
            partial(pools.written_over, whole=whole),
            key="overwritten",
        )
        for whole in (True, False)
    ),
)
COLUMN_KEPT = Operation(
    "a column meets a row in the loss, which makes all pairs of them", lambda: {Tensor.__getitem__: _column_kept}
)
#: Layers with words of their own.
LAYERS = (
    convolutions.UNFLIPPED,
    *attention.SCALES,
    *(
        Operation(
            "the softmax is taken over another axis",
            softmaxes.softmax(weights=weights, derivative=derivative),
            key="wrong_value.softmax",
        )
        for weights, derivative in ((1, 1), (2, 2), (1, 0), (2, 0))
    ),
    Operation(
        "the sum in the derivative of the softmax runs over another axis",
        softmaxes.softmax(derivative=1),
        key="wrong_value.softmax_sum",
    ),
    _relu("there is no ReLU", "wrong_value.no_relu", _ones, torch.clone),
    _relu(
        "there is no ReLU but for its mask on the way back",
        "wrong_value.no_relu",
        lambda value, out: activations.positive(value),
        torch.clone,
    ),
)
GELU_BY_TANH = Operation(
    "the GELU is approximated by `tanh`",
    lambda: {functional.gelu: partial(functional.gelu, approximate="tanh")},
    key="wrong_value.approximate",
)
#: All that may be made in one place of several, or beside another mistake.
OPERATIONS = (*MASKS, *OPERANDS.values(), *LAYERS, *EMBEDDINGS, COLUMN_KEPT, GELU_BY_TANH, *PASSES)
_ONE_SQUARED = "one of two tensors is squared before one is taken from the other, as without parentheses"
#: What stands in the place of a difference or of the mean of squares, where a value is asked for.
DIFFERENCES = (
    *(
        Operation(what, make, key="wrong_value.operation")
        for what, make in (
            ("two tensors are multiplied", partial(substitutes.for_difference, operator.mul)),
            ("one tensor is divided by the other", partial(substitutes.for_difference, operator.truediv)),
            ("two tensors are squared before one is taken from the other", substitutes.difference_of_squares),
            (_ONE_SQUARED, partial(substitutes.difference_of_squares, left=False)),
            (_ONE_SQUARED, partial(substitutes.difference_of_squares, right=False)),
        )
    ),
    Operation(
        "the differences are doubled, as by `* 2`, and not squared, as by `** 2`",
        partial(powers.for_square, lambda value: 2 * value),
    ),
    Operation(
        "the mean of the differences is squared, where their squares have to be averaged", substitutes.square_of_mean
    ),
)
MEAN_FOR_SUM = Operation(
    "a mean stands in the place of a sum",
    lambda: dict.fromkeys((torch.sum, Tensor.sum), lambda value, *rest, **more: value.mean(*rest, **more)),
)
