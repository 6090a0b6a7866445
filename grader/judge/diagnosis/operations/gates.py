"""Gates, σ or 1 − σ, that are forgotten or turned round in the gradient of what they are multiplied by.

The value stays as it is, and so does the gradient of the gate itself: a student's forward pass is right, and so is each
line of the way back but the one that takes the gate.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

from grader.judge.diagnosis.operations.activations import with_sigmoid
from grader.judge.diagnosis.operations.replaced import Operation, Replacements

#: What a gate is taken for, made of it.
Taken = Callable[[Tensor], Tensor]
_PRODUCTS = (torch.mul, Tensor.mul, Tensor.__mul__, Tensor.__rmul__)
_COMPLEMENTS = (torch.rsub, Tensor.__rsub__)
#: What leaves a gate one, in another shape.
_SHAPES = (Tensor.__getitem__, Tensor.unsqueeze, torch.unsqueeze, Tensor.reshape, torch.reshape, Tensor.view)


class _Gate(Tensor):
    """What comes of a sigmoid, and 1 − that: ``taken`` for something else by the products that it goes into.

    ``left`` is what its complement is taken for. All else that is made of it is made as of any tensor.
    """

    taken: Taken | None
    left: Taken | None

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Call ``func``, or what stands in its place."""
        with torch._C.DisableTorchFunctionSubclass():
            made = func(*args, **(kwargs or {}))
            if func in _PRODUCTS and all(isinstance(each, Tensor) for each in args):
                return _product(made, *args)
            gate = args[0] if args and isinstance(args[0], cls) else None
            if gate is not None and func in _SHAPES:
                return _gate(made, gate.taken, gate.left)
            if gate is not None and func in _COMPLEMENTS and args[1:] == (1,):
                return _gate(made, gate.left, None)
            return made


def _gate(value: Tensor, taken: Taken | None, left: Taken | None) -> Tensor:
    gate = value.as_subclass(_Gate)
    gate.taken, gate.left = taken, left
    return gate


def _product(made: Tensor, one: Tensor, other: Tensor) -> Tensor:
    """A product, in the gradients of whose factors each gate is what it is taken for."""
    return made.detach() + (one - one.detach()) * _seen(other) + (other - other.detach()) * _seen(one)


def _seen(factor: Tensor) -> Tensor:
    """What a factor is in the gradient of the other."""
    taken = factor.taken if isinstance(factor, _Gate) else None
    return factor.detach() if taken is None else taken(factor.detach())


def _gated(taken: Taken | None, left: Taken | None) -> Replacements:
    return with_sigmoid(lambda value, *_, **__: _gate(torch.sigmoid(value), taken, left))


def _turned(gate: Tensor) -> Tensor:
    return 1 - gate


#: What is wrong in words, and what the gate and its complement are taken for.
GATES: tuple[Operation, ...] = tuple(
    Operation(f"{what} in the gradient of what it is multiplied by", partial(_gated, taken, left))
    for what, taken, left in (
        ("1 stands in the place of the gate σ", torch.ones_like, None),
        ("1 stands in the place of the gate 1 − σ", None, torch.ones_like),
        ("1 − σ stands in the place of the gate σ", _turned, None),
        ("σ stands in the place of the gate 1 − σ", None, _turned),
    )
)
