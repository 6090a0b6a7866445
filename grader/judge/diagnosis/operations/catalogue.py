"""All changed operations by name, each with a wrong derivative or in the place of the right one (``replaced``)."""

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
from grader.judge.diagnosis.operations.normalisations import MISSTEPS, normalisations
from grader.judge.diagnosis.operations.replaced import Replacements, applied


class _Embedding(torch.autograd.Function):
    """An embedding in whose backward pass one use of a row replaces the others, or all of them are averaged.

    With ``sample`` or ``column`` kept, one use replaces the others of its own sample or column alone, and with
    ``last_sample`` all of a sample those of the samples before. With ``turned``, index and gradient are read in
    different orders.
    """

    @staticmethod
    def forward(ctx: Any, index: Tensor, weight: Tensor, kept: str) -> Tensor:
        ctx.save_for_backward(index)
        ctx.rows, ctx.kept = weight.shape[0], kept
        return weight[index]

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> Any:
        (index,) = ctx.saved_tensors
        rows, values = index.flatten(), upstream.reshape(-1, upstream.shape[-1])
        gradient = values.new_zeros(ctx.rows, values.shape[-1])
        if ctx.kept == "mean":
            counts = torch.bincount(rows, minlength=ctx.rows).clamp(min=1)
            return None, gradient.index_add(0, rows, values) / counts[:, None], None
        if ctx.kept == "turned":
            return None, gradient.index_add(0, index.mT.flatten() if index.dim() == 2 else rows, values), None
        if ctx.kept == "last_sample":
            for each, arrived in zip(index, upstream, strict=True):
                gradient[each] = torch.zeros_like(gradient).index_add(0, each.flatten(), arrived.flatten(0, -2))[each]
            return None, gradient, None
        if ctx.kept in {"sample", "column"}:
            axis = 0 if ctx.kept == "sample" else 1
            for each, arrived in zip(index.unbind(axis), upstream.unbind(axis), strict=True):
                gradient[each] += arrived
            return None, gradient, None
        order = range(len(rows) - 1, -1, -1) if ctx.kept == "first" else range(len(rows))
        for at in order:
            gradient[rows[at]] = values[at]
        return None, gradient, None


class _Product(torch.autograd.Function):
    """A matrix product whose right factor's gradient uses another left factor."""

    @staticmethod
    def forward(ctx: Any, left: Tensor, right: Tensor, used: Tensor) -> Tensor:
        ctx.save_for_backward(used, right)
        return left @ right

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> Any:
        used, right = ctx.saved_tensors
        return upstream @ right.T, used.T @ upstream, None


def _relu(rule: Rule) -> Replacements:
    return with_rule(RELU, torch.relu, rule)


def _no_relu(rule: Rule) -> Replacements:
    return with_rule(RELU, torch.clone, rule)


def _in_place_of_difference(made: Callable[[Any, Any], Any]) -> Mapping[Any, Callable[..., Any]]:
    """Another operation where one tensor is taken from another."""

    def changed(first: Any, second: Any, *_: Any, **__: Any) -> Any:
        return made(first, second) if isinstance(first, Tensor) and isinstance(second, Tensor) else first - second

    return dict.fromkeys(substitutes.DIFFERENCES, changed)


def _column_kept(value: Tensor, index: Any) -> Tensor:
    """``out[:, 0]`` that forgets to drop its axis, so that a difference with ``(n,)`` becomes ``(n, n)``."""
    column = isinstance(index, tuple) and index == (slice(None), 0) and value.dim() == 2 and value.shape[1] == 1
    return value if column else value[index]


def _before_relu() -> Replacements:
    """Matrix products behind a ReLU that remember its input in place of its output."""
    inputs: dict[int, tuple[Tensor, Tensor]] = {}

    def relu(value: Tensor, *rest: Any, **more: Any) -> Tensor:
        out = torch.relu(value)
        inputs[id(out)] = (out, value)
        return out

    def product(left: Tensor, right: Tensor) -> Tensor:
        held = inputs.get(id(left))
        if held is None or right.dim() != 2:
            return left @ right
        return applied(_Product, left, right, held[1])

    products = dict.fromkeys((torch.matmul, Tensor.matmul, Tensor.__matmul__), product)
    return {**dict.fromkeys(RELU, relu), **products}


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
            return applied(_Product, value, weight.T, used.detach()) + (0 if bias is None else bias)

        return {functional.linear: linear}

    return made


def _embedding(kept: str) -> Replacements:
    return {functional.embedding: lambda index, weight, **_: applied(_Embedding, index, weight, kept)}


def _ones(value: Tensor, out: Tensor) -> Tensor:
    return torch.ones_like(value)


def _misstep(name: str) -> Callable[[], Replacements]:
    return lambda: normalisations(MISSTEPS[name])


_ONES = "the way back begins with ones, without the derivative of the loss"
_SCALED_BEHIND = "the weights are divided by √d behind the softmax, and not the scores before it"
_NOT_LOWERED = "the exponent is not lowered on the way back: x² goes back as 2x², and not as 2x"
#: Which use of a row of an embedding replaces the others, or that all are averaged.
_EMBEDDED = ("last", "first", "mean", "sample", "column", "last_sample")
#: A changed operation: what is wrong in words, and what makes it, anew for each use, for some remember what they saw.
Changed = tuple[str, Callable[[], Replacements]]
#: Those that the words of ``wrong_value.pass`` are filled with.
_IN_WORDS: Mapping[str, Changed] = {
    **{name: (slope.what, slope.replacements) for name, slope in ALL_SLOPES.items()},
    "relu_by_upstream": (
        "the gradient itself is cut at 0, and not let through where the input of the ReLU is positive",
        activations.cut_by_upstream,
    ),
    "relu_at_the_end": (
        "the output of the network goes through a ReLU, too",
        substitutes.relu_at_the_end(torch.relu),
    ),
    "relu_at_the_end_forward": (
        "the output of the network goes through a ReLU, too, which the way back leaves out",
        substitutes.relu_at_the_end(activations.relu_forward),
    ),
    "relu_in_between": (
        "a ReLU stands behind the first product, which the formula does not have",
        substitutes.relu_in_between(torch.relu),
    ),
    "relu_in_between_forward": (
        "a ReLU stands behind the first product, which neither the formula nor the way back has",
        substitutes.relu_in_between(activations.relu_forward),
    ),
    "square_left_out": ("the square is missing", powers.square_left_out),
    "power_for_slope": (
        "the power itself stands in the place of its derivative: x² goes back as x², and not as 2x",
        powers.power_for_slope(),
    ),
    "power_for_slope_turned": (
        "the power itself stands in the place of its derivative, but for the sign: x² goes back as x², and not as 2x",
        powers.power_for_slope(turned=True),
    ),
    "power_for_constant": (
        "only the exponent is left of a power on the way back: x² goes back as 2, and not as 2x",
        powers.power_for_constant,
    ),
    "ones_for_loss": (_ONES, powers.ones_for_loss),
    "ones_for_loss_turned": (_ONES, partial(powers.ones_for_loss, -1.0)),
    "absolute_squares": ("absolute values stand in the place of squares", powers.absolute_squares),
    "root_of_mean": ("the root of the mean is taken", powers.root_of_mean),
    "power_not_lowered": (_NOT_LOWERED, powers.power_for_slope(factor=True)),
    # Of a squared difference, which is the same either way round: a student's may begin with the other term.
    "power_not_lowered_turned": (_NOT_LOWERED, powers.power_for_slope(factor=True, turned=True)),
    **{name: (what, softmaxes.cross_entropy(name)) for name, (what, _) in softmaxes.CROSS_ENTROPIES.items()},
    **{name: (what, softmaxes.softmax_slope(name)) for name, (what, _) in softmaxes.SOFTMAXES.items()},
    **{name: (what, attention.weights(name)) for name, (what, _) in attention.WEIGHTS.items()},
    **{name: (what, attention.scores(by)) for name, (what, by) in attention.FACTORS.items()},
    "scores_scaled_behind": (_SCALED_BEHIND, attention.factored(attention.behind)),
    "scores_scaled_behind_as_softmax": (_SCALED_BEHIND, attention.factored(attention.behind_as_softmax)),
    **{
        name: (what, convolutions.convolution(name))
        for name, (what, *_) in convolutions.CONVOLUTIONS.items()
        if name != "kernel_unflipped"
    },
    "embedding_turned": (
        "index and gradient are read in different orders: row by row, and column by column",
        lambda: _embedding("turned"),
    ),
    "before_softmax": (
        "the scores stand in the place of the weights that the softmax makes of them",
        attention.before_softmax,
    ),
    "factors_by_themselves": (
        "the gradient of q is made with q itself, and that of k with k, where the other belongs",
        products.factors_by_themselves,
    ),
    **{name: (what, partial(products.products, name)) for name, (what, *_) in products.PRODUCTS.items()},
    **{name: (what, partial(products.by_gradients, name)) for name, (what, *_) in products.BY_GRADIENTS.items()},
    **substitutes.SUBSTITUTES,
    "squares_untransposed": (
        "a square matrix of weights is used as it lies, where its transpose belongs",
        products.squares_untransposed,
    ),
}
#: Those of them that are nothing but another tensor in the place of the right one.
OTHER_TENSORS = frozenset({"before_softmax", "ce_of_logits", "factors_by_themselves", *products.BY_GRADIENTS})
PASSES: Mapping[str, str] = {name: what for name, (what, _) in _IN_WORDS.items()}
#: All changed operations, those with words of their own too.
OPERATIONS: Mapping[str, Callable[[], Replacements]] = {
    **{name: made for name, (_, made) in _IN_WORDS.items()},
    **{name: _misstep(name) for name in MISSTEPS},
    **{f"embedding_{kept}": partial(_embedding, kept) for kept in _EMBEDDED},
    "mask_missing": lambda: _relu(_ones),
    "mask_inverted": lambda: _relu(lambda value, out: (value <= 0).to(value.dtype)),
    "mask_inverted_open": lambda: _relu(lambda value, out: (value < 0).to(value.dtype)),
    "mask_at_zero": lambda: _relu(lambda value, out: (value >= 0).to(value.dtype)),
    "mask_half_at_zero": lambda: _relu(lambda value, out: 0.5 * ((value > 0).to(value.dtype) + (value >= 0))),
    "column_kept": lambda: {Tensor.__getitem__: _column_kept},
    "before_relu": _before_relu,
    "before_layer": _layers(behind=True),
    "behind_layer": _layers(behind=False),
    "kernel_unflipped": convolutions.convolution("kernel_unflipped"),
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
    "product_for_difference": lambda: _in_place_of_difference(operator.mul),
    "quotient_for_difference": lambda: _in_place_of_difference(operator.truediv),
    "mean_for_sum": powers.mean_for_sum,
    "relu_left_out": lambda: _no_relu(_ones),
    "relu_left_out_forward": lambda: _no_relu(lambda value, out: (value > 0).to(value.dtype)),
    "gelu_by_tanh": lambda: {functional.gelu: lambda value: functional.gelu(value, approximate="tanh")},
    "sigmoid_of_input": lambda: with_rule(SIGMOID, torch.sigmoid, lambda value, out: value * (1 - value)),
    "tanh_of_input": lambda: with_rule(TANH, torch.tanh, lambda value, out: 1 - value**2),
}
