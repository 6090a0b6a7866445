"""Functions of torch replaced by changed ones while a reference is made, so that autograd makes a student's mistake.

A ``TorchFunctionMode`` calls the changed function in place of each call of the right one. So a mask that is missing in
the middle of a network shows in all gradients behind it, with no knowledge of the exercise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

#: A function of torch → what is called in its place.
Replacements = Mapping[Any, Callable[..., Any]]


@dataclass(frozen=True, eq=False)
class Operation:
    """What is wrong, in words, and what makes it anew for each use, for some remember what they saw.

    ``code`` is that of a diagnosis, where it is another one than of other changed operations: of one that is nothing
    but another tensor in the place of the right one. ``key`` is that of its words, where it is made alone.
    """

    what: str
    make: Callable[[], Replacements]
    code: str = ""
    key: str = "wrong_value.pass"


class Replaced(TorchFunctionMode):
    """While it is entered, each function in ``replacements`` is replaced.

    With ``place``, counted from 0, only that one of the calls goes to a replacement.
    """

    def __init__(self, replacements: Replacements, place: int | None = None) -> None:
        super().__init__()
        self.replacements, self.place = replacements, place
        self._calls = 0

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Call the replacement of ``func``, or ``func`` itself."""
        if func in self.replacements:
            self._calls += 1
            if self.place in {None, self._calls - 1}:
                func = self.replacements[func]
        return func(*args, **(kwargs or {}))


class _WithBackward(torch.autograd.Function):
    """What ``compute`` gives of some tensors, and whatever ``backward`` takes for their gradients."""

    @staticmethod
    def forward(ctx: Any, compute: Callable[..., Tensor], backward: Callable[..., Any], *tensors: Tensor) -> Tensor:
        out = compute(*tensors)
        ctx.save_for_backward(out, *tensors)
        ctx.made = backward
        return out

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> Any:
        made = ctx.made(upstream, *ctx.saved_tensors)
        return None, None, *(made if isinstance(made, tuple) else (made,))


def with_backward(compute: Callable[..., Tensor], backward: Callable[..., Any], *tensors: Tensor) -> Tensor:
    """``compute`` of some tensors, with a backward pass of its own.

    ``backward`` gets the upstream gradient, the result and the tensors; it gives the gradient of each of these.
    """
    value: Tensor = _WithBackward.apply(compute, backward, *tensors)  # type: ignore[no-untyped-call]
    return value
