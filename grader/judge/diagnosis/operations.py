"""All changed operations by name, each with a wrong derivative or in the place of the right one (``replaced``)."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from grader.judge.diagnosis import activations, attention, convolutions, powers, products, softmaxes, substitutes
from grader.judge.diagnosis.activations import RELU, SIGMOID, SLOPES, TANH, Rule, with_rule
from grader.judge.diagnosis.gelu_slopes import GELU_SLOPES
from grader.judge.diagnosis.normalisations import MISSTEPS, normalisations
from grader.judge.diagnosis.replaced import Replacements, applied


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


def _embedding(kept: str) -> Replacements:
    return {functional.embedding: lambda index, weight, **_: applied(_Embedding, index, weight, kept)}


def _ones(value: Tensor, out: Tensor) -> Tensor:
    return torch.ones_like(value)


def _misstep(name: str) -> Callable[[], Replacements]:
    return lambda: normalisations(MISSTEPS[name])


#: What makes each of them, anew for each use, for some remember what they saw.
OPERATIONS: Mapping[str, Callable[[], Replacements]] = {
    "mask_missing": lambda: _relu(_ones),
    "mask_inverted": lambda: _relu(lambda value, out: (value <= 0).to(value.dtype)),
    "mask_inverted_open": lambda: _relu(lambda value, out: (value < 0).to(value.dtype)),
    "mask_at_zero": lambda: _relu(lambda value, out: (value >= 0).to(value.dtype)),
    "mask_half_at_zero": lambda: _relu(lambda value, out: 0.5 * ((value > 0).to(value.dtype) + (value >= 0))),
    "embedding_last": lambda: _embedding("last"),
    "embedding_first": lambda: _embedding("first"),
    "embedding_mean": lambda: _embedding("mean"),
    "embedding_sample": lambda: _embedding("sample"),
    "embedding_column": lambda: _embedding("column"),
    "embedding_last_sample": lambda: _embedding("last_sample"),
    "embedding_turned": lambda: _embedding("turned"),
    "column_kept": lambda: {Tensor.__getitem__: _column_kept},
    "before_relu": _before_relu,
    **{name: _misstep(name) for name in MISSTEPS},
    **{name: convolutions.convolution(name) for name in convolutions.CONVOLUTIONS},
    "softmax_of_other_axis": softmaxes.softmax(weights=1, derivative=1),
    "softmax_of_first_axis": softmaxes.softmax(weights=2, derivative=2),
    "softmax_weights_of_other_axis": softmaxes.softmax(weights=1),
    "softmax_weights_of_first_axis": softmaxes.softmax(weights=2),
    "softmax_sums_over_other_axis": softmaxes.softmax(derivative=1),
    "scores_unscaled": attention.scores(lambda raw, factor: 1.0),
    "scores_unscaled_forward": attention.scores(lambda raw, factor: 1.0, kept_behind=True),
    "scores_scaled_twice": attention.scores(lambda raw, factor: factor**2),
    "scores_scaled_twice_forward": attention.scores(lambda raw, factor: factor**2, kept_behind=True),
    **{name: attention.scores(by) for name, (_, by) in attention.FACTORS.items()},
    **{name: attention.weights(name) for name in attention.WEIGHTS},
    "before_softmax": attention.before_softmax,
    "factors_by_themselves": products.factors_by_themselves,
    **{name: softmaxes.softmax_slope(name) for name in softmaxes.SOFTMAXES},
    **{name: softmaxes.cross_entropy(name) for name in softmaxes.CROSS_ENTROPIES},
    **{name: partial(products.products, name) for name in products.PRODUCTS},
    **{name: partial(products.by_gradients, name) for name in products.BY_GRADIENTS},
    "square_of_mean": substitutes.square_of_mean,
    "difference_of_squares": substitutes.difference_of_squares,
    "product_for_difference": lambda: _in_place_of_difference(operator.mul),
    "quotient_for_difference": lambda: _in_place_of_difference(operator.truediv),
    "squares_untransposed": products.squares_untransposed,
    "relu_left_out": lambda: _no_relu(_ones),
    "relu_left_out_forward": lambda: _no_relu(lambda value, out: (value > 0).to(value.dtype)),
    "gelu_by_tanh": lambda: {functional.gelu: lambda value: functional.gelu(value, approximate="tanh")},
    "sigmoid_of_input": lambda: with_rule(SIGMOID, torch.sigmoid, lambda value, out: value * (1 - value)),
    "tanh_of_input": lambda: with_rule(TANH, torch.tanh, lambda value, out: 1 - value**2),
    **{name: slope.replacements for name, slope in {**SLOPES, **GELU_SLOPES}.items()},
    **{name: made for name, (_, made) in substitutes.SUBSTITUTES.items()},
    "relu_by_upstream": activations.cut_by_upstream,
    "relu_at_the_end": substitutes.relu_at_the_end(torch.relu),
    "relu_at_the_end_forward": substitutes.relu_at_the_end(activations.relu_forward),
    "relu_in_between": substitutes.relu_in_between(torch.relu),
    "relu_in_between_forward": substitutes.relu_in_between(activations.relu_forward),
    "power_for_slope": powers.power_for_slope(),
    "power_for_slope_turned": powers.power_for_slope(turned=True),
    "power_for_constant": powers.power_for_constant,
    "ones_for_loss": powers.ones_for_loss,
    "ones_for_loss_turned": partial(powers.ones_for_loss, -1.0),
    "absolute_squares": powers.absolute_squares,
    "root_of_mean": powers.root_of_mean,
    "square_left_out": powers.square_left_out,
    "mean_for_sum": powers.mean_for_sum,
    "power_not_lowered": powers.power_for_slope(factor=True),
    "power_not_lowered_turned": powers.power_for_slope(factor=True, turned=True),
}
