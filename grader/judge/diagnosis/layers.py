"""Convolution and softmax with one of the usual mistakes, in the place of torch's own.

Each is a table of changed operations, made anew for each reference, for some remember what they saw.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

Table = Mapping[Any, Callable[..., Any]]

#: The options with which a cross-entropy is the mean over rows.
_PLAIN = {"weight": None, "reduction": "mean", "label_smoothing": 0.0, "size_average": None, "reduce": None}
_SOFTMAX = (torch.softmax, Tensor.softmax, functional.softmax)
_DIVIDED = (Tensor.__truediv__, Tensor.div, Tensor.divide, torch.div, torch.divide, torch.true_divide)
_TIMES = (Tensor.__mul__, Tensor.__rmul__, Tensor.mul, Tensor.multiply, torch.mul, torch.multiply)


def unflipped() -> Table:
    """A convolution whose input's gradient is made with the kernel as it lies, not turned over."""

    def conv2d(value: Tensor, weight: Tensor, bias: Tensor | None = None, *rest: Any, **more: Any) -> Tensor:
        if rest or more:
            return functional.conv2d(value, weight, bias, *rest, **more)
        bias = weight.new_zeros(weight.shape[0]) if bias is None else bias
        return _Convolution.apply(value, weight, bias)  # type: ignore[no-any-return,no-untyped-call]

    return {functional.conv2d: conv2d}


class _Convolution(torch.autograd.Function):
    """The convolution of stride 1 without padding; only the gradient of its input is wrong."""

    @staticmethod
    def forward(ctx: Any, value: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        ctx.save_for_backward(value, weight)
        return functional.conv2d(value, weight, bias)

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> Any:
        value, weight = ctx.saved_tensors
        turned = functional.conv_transpose2d(upstream, weight.flip(2, 3))
        kernels = functional.conv2d(value.transpose(0, 1), upstream.transpose(0, 1)).transpose(0, 1)
        return turned, kernels, upstream.sum((0, 2, 3))


def softmax(*, weights: int = 0, derivative: int = 0) -> Callable[[], Table]:
    """A softmax along an axis so many before its own, in the weights and in the sum of its derivative."""

    def changed(value: Tensor, dim: int, *_: Any, **__: Any) -> Tensor:
        axes = [(dim - step) % value.dim() for step in (weights, derivative)]
        return _Softmax.apply(value, *axes)  # type: ignore[no-any-return,no-untyped-call]

    def cross_entropy(value: Tensor, targ: Tensor, **options: Any) -> Tensor:
        plain = all(options.get(name, usual) == usual for name, usual in _PLAIN.items())
        if not plain or value.dim() != 2 or targ.is_floating_point() or derivative != weights:
            return functional.cross_entropy(value, targ, **options)
        return _CrossEntropy.apply(value, targ)  # type: ignore[no-any-return,no-untyped-call]

    return lambda: {**dict.fromkeys(_SOFTMAX, changed), functional.cross_entropy: cross_entropy}


class _Softmax(torch.autograd.Function):
    """A softmax whose derivative may sum along another axis than the one that it is taken along."""

    @staticmethod
    def forward(ctx: Any, value: Tensor, axis: int, summed: int) -> Tensor:
        out = value.softmax(axis)
        ctx.save_for_backward(out)
        ctx.summed = summed
        return out

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> Any:
        (out,) = ctx.saved_tensors
        return out * (upstream - (out * upstream).sum(ctx.summed, keepdim=True)), None, None


class _CrossEntropy(torch.autograd.Function):
    """The mean cross-entropy of rows, with probabilities on the way back that add up to one in each column."""

    @staticmethod
    def forward(ctx: Any, value: Tensor, targ: Tensor) -> Tensor:
        ctx.save_for_backward(value.softmax(0) - functional.one_hot(targ, value.shape[1]))
        return functional.cross_entropy(value, targ)

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> Any:
        (difference,) = ctx.saved_tensors
        return upstream * difference / len(difference), None


def scores(power: int, *, kept_behind: bool = False) -> Callable[[], Table]:
    """A softmax of scores whose factor, a number just before it, is taken to a power: left out by 0, twice there by 2.

    With ``kept_behind`` the derivative still has the right factor.
    """

    def table() -> Table:
        made: dict[int, tuple[Tensor, Tensor, float]] = {}  # holds the results, so that their ids stay theirs

        def divide(left: Any, right: Any, **more: Any) -> Any:
            out = torch.div(left, right, **more)
            if isinstance(left, Tensor) and isinstance(right, int | float) and right and not more:
                made[id(out)] = (out, left, 1 / right)
            return out

        def multiply(left: Any, right: Any) -> Any:
            out = torch.mul(left, right)
            for value, factor in ((left, right), (right, left)):
                if isinstance(factor, int | float) and isinstance(value, Tensor):
                    made[id(out)] = (out, value, float(factor))
            return out

        def changed(value: Tensor, dim: int, *_: Any, **__: Any) -> Tensor:
            raw, factor = made.get(id(value), (value, value, 1.0))[1:]
            scaled = raw * factor**power
            if kept_behind:  # these values, with the derivative of those that are right
                scaled = scaled.detach() + (raw - raw.detach()) * factor
            return torch.softmax(scaled, dim)

        return {
            **dict.fromkeys(_DIVIDED, divide),
            **dict.fromkeys(_TIMES, multiply),
            **dict.fromkeys(_SOFTMAX, changed),
        }

    return table
