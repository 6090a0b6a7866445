"""Convolutions, of stride 1 and without padding, with one of the usual mistakes in their backward pass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from grader.judge.diagnosis.operations.replaced import Operation, with_backward

#: The gradient of the input, or of the kernel, from the input, the kernel, and the upstream gradient.
Rule = Callable[[Tensor, Tensor, Tensor], Tensor]


def of_input(value: Tensor, kernel: Tensor, arrived: Tensor) -> Tensor:
    """The right gradient of the input."""
    return functional.conv_transpose2d(arrived, kernel)


def of_kernel(value: Tensor, kernel: Tensor, arrived: Tensor) -> Tensor:
    """The right gradient of the kernel."""
    return functional.conv2d(value.transpose(0, 1), arrived.transpose(0, 1)).transpose(0, 1)


def _last_offset(value: Tensor, kernel: Tensor, arrived: Tensor) -> Tensor:
    made = torch.zeros_like(value)
    height, width = arrived.shape[2:]
    for i in range(kernel.shape[2]):
        for j in range(kernel.shape[3]):
            made[:, :, i : i + height, j : j + width] = torch.einsum("noyx,oc->ncyx", arrived, kernel[:, :, i, j])
    return made


def _last_window(value: Tensor, kernel: Tensor, arrived: Tensor) -> Tensor:
    made = torch.zeros_like(value)
    height, width = kernel.shape[2:]
    for y in range(arrived.shape[2]):
        for x in range(arrived.shape[3]):
            window = torch.einsum("no,ockl->nckl", arrived[:, :, y, x], kernel)
            made[:, :, y : y + height, x : x + width] = window
    return made


def _of_one_window(value: Tensor, kernel: Tensor, arrived: Tensor) -> Tensor:
    height, width = kernel.shape[2:]
    return torch.einsum("no,nckl->ockl", arrived[:, :, -1, -1], value[:, :, -height:, -width:])


def _turned(*axes: int) -> Rule:
    return lambda value, kernel, arrived: of_input(value, kernel.flip(axes), arrived)


def _without(axis: int, at: int) -> Rule:
    """The gradient of the input where a loop leaves out one row or column of the kernel."""

    def rule(value: Tensor, kernel: Tensor, arrived: Tensor) -> Tensor:
        kept = kernel.clone()
        kept.select(axis, at).zero_()
        return of_input(value, kept, arrived)

    return rule


def _as_many_columns_as_rows(value: Tensor, kernel: Tensor, arrived: Tensor) -> Tensor:
    """The gradient of the input where both loops over the kernel count its rows; beyond the last column, they raise."""
    kept, rows = torch.zeros_like(kernel), kernel.shape[2]
    reached = (slice(None), slice(None), slice(None) if rows <= kernel.shape[3] else slice(1), slice(rows))
    kept[reached] = kernel[reached]
    return of_input(value, kept, arrived)


def _slid(*, before: bool) -> Rule:
    """The flipped kernel slid over the upstream gradient, all of whose padding lies on one side."""

    def rule(value: Tensor, kernel: Tensor, arrived: Tensor) -> Tensor:
        rows, columns = (2 * (size - 1) for size in kernel.shape[2:])
        padding = (columns, 0, rows, 0) if before else (0, columns, 0, rows)
        return functional.conv2d(functional.pad(arrived, padding), kernel.transpose(0, 1).flip(2, 3))

    return rule


def _convolution(what: str, to_input: Rule, to_kernel: Rule = of_kernel) -> Operation:
    """A convolution with these rules, where it has stride 1 and no padding; the gradient of the bias is right."""

    def backward(upstream: Tensor, out: Tensor, value: Tensor, kernel: Tensor, bias: Tensor) -> tuple[Tensor, ...]:
        return to_input(value, kernel, upstream), to_kernel(value, kernel, upstream), upstream.sum((0, 2, 3))

    def conv2d(value: Tensor, weight: Tensor, bias: Tensor | None = None, *rest: Any, **more: Any) -> Tensor:
        if rest or more:
            return functional.conv2d(value, weight, bias, *rest, **more)
        bias = weight.new_zeros(weight.shape[0]) if bias is None else bias
        return with_backward(functional.conv2d, backward, value, weight, bias)

    def conv1d(value: Tensor, weight: Tensor, bias: Tensor | None = None, *rest: Any, **more: Any) -> Tensor:
        if rest or more:
            return functional.conv1d(value, weight, bias, *rest, **more)
        return conv2d(value[:, :, None], weight[:, :, None], bias)[:, :, 0]

    return Operation(what, lambda: {functional.conv1d: conv1d, functional.conv2d: conv2d})


_WINDOWS = "each window of the input's gradient is written over the one before, where windows overlap and add up"
_LEFT_OUT = "the loop over the kernel leaves out its {} {}"
_SIDE = "all of the padding around the output's gradient lies on one side, in place of k − 1 on each"
#: This one has words of its own.
UNFLIPPED = replace(_convolution("the kernel is not flipped on the way back", _turned(2, 3)), key="wrong_value.kernel")
#: What is wrong in words, and the rules for the input and for the kernel.
CONVOLUTIONS: tuple[Operation, ...] = (
    *(
        _convolution("the kernel is flipped along one of its two axes only, where it takes both or none", _turned(axis))
        for axis in (2, 3)
    ),
    _convolution(_WINDOWS, _last_offset),
    _convolution(_WINDOWS, _last_window),
    _convolution(
        "the input, or the output's gradient, is flipped where the kernel's gradient is made, which needs no flip",
        of_input,
        lambda value, kernel, arrived: of_kernel(value.flip(2, 3), kernel, arrived),
    ),
    _convolution(
        "the kernel's gradient holds the last window alone, where the windows add up", of_input, _of_one_window
    ),
    *(
        _convolution(_LEFT_OUT.format(which, what), _without(axis, at))
        for axis, what in ((2, "row"), (3, "column"))
        for at, which in ((-1, "last"), (0, "first"))
    ),
    _convolution(
        "the loop over the kernel's columns runs as often as the kernel has rows, `w.shape[2]` times",
        _as_many_columns_as_rows,
    ),
    _convolution(_SIDE, _slid(before=True)),
    _convolution(_SIDE, _slid(before=False)),
)
