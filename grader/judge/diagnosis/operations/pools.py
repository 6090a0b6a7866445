"""The largest entry of a window or of an axis: the smallest in its place, and windows that write over one another."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from grader.judge.diagnosis.operations.replaced import Replacements, with_backward

_OF_LINES, _OF_PLANES, _OF_SPACES = functional.max_pool1d, functional.max_pool2d, functional.max_pool3d
#: What takes the largest, and what the smallest.
_OPPOSITES: Replacements = {
    **dict.fromkeys((torch.argmax, Tensor.argmax), torch.argmin),
    **{torch.amax: torch.amin, Tensor.amax: Tensor.amin, torch.max: torch.min, Tensor.max: Tensor.min},
    **{topk: partial(topk, largest=False) for topk in (torch.topk, Tensor.topk)},
}


def smallest() -> Replacements:
    """The smallest entry in the place of the largest."""

    def pooled(pool: Any, value: Tensor, *given: Any, **named: Any) -> Tensor:
        least: Tensor = -pool(-value, *given, **named)
        return least

    return {**_OPPOSITES, **{pool: partial(pooled, pool) for pool in (_OF_LINES, _OF_PLANES, _OF_SPACES)}}


def written_over(*, whole: bool) -> Replacements:
    """Max pooling that goes back window by window and writes, without adding, over what those before have left.

    The ``whole`` window is written, with zeros beside its largest entry, or else only this one.
    """

    def pooled(pool: Any, value: Tensor, size: Any, stride: Any = None, **named: Any) -> Tensor:
        if named.get("padding") or named.get("ceil_mode") or named.get("dilation", 1) != 1:
            raise ValueError("windows that reach over the edge, or have gaps")
        axes = 1 if pool is _OF_LINES else 2
        sizes, strides = ((1, each) if axes == 1 else each for each in (size, stride or size))
        places = torch.arange(value[(0,) * (value.dim() - axes)].numel()).view(1, 1, -1, value.shape[-1])
        windows = functional.unfold(places.to(value.dtype), sizes, stride=strides)[0].long().T

        def backward(upstream: Tensor, out: Tensor, value: Tensor) -> Tensor:
            _, largest = pool(value, size, stride, return_indices=True)
            gradient = torch.zeros_like(value).flatten(-axes).reshape(-1, places.numel())
            arrived, found = (each.reshape(len(gradient), -1) for each in (upstream, largest))
            for at, window in enumerate(windows):
                if whole:
                    gradient[:, window] = 0
                gradient.scatter_(1, found[:, at : at + 1], arrived[:, at : at + 1])
            return gradient.view_as(value)

        return with_backward(lambda value: pool(value, size, stride), backward, value)

    return {pool: partial(pooled, pool) for pool in (_OF_LINES, _OF_PLANES)}
