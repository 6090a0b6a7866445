"""Another function in the place of a network's ReLU or of its squared error, forward and back; or a ReLU too many.

torch differentiates what stands there, so that each shows in the value and in all gradients alike.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from grader.judge.diagnosis.operations.activations import RELU
from grader.judge.diagnosis.operations.powers import MEANS, for_square, square_left_out
from grader.judge.diagnosis.operations.products import OF_MATRICES
from grader.judge.diagnosis.operations.replaced import Operation, Replacements

#: Each way to take one tensor from another.
_DIFFERENCES = (torch.sub, Tensor.sub, Tensor.__sub__)


def _activation(what: str, function: Callable[[Tensor], Tensor]) -> Operation:
    return Operation(what, lambda: dict.fromkeys(RELU, lambda value, *_, **__: function(value)))


def _loss(what: str, function: Callable[[Tensor], Tensor]) -> Operation:
    return Operation(what, partial(for_square, function))


#: What stands for the ReLU: in words, and the function.
_ACTIVATIONS: tuple[Operation, ...] = (
    _activation("the smaller one of the value and 0 is taken, and not the larger one", partial(torch.clamp, max=0)),
    _activation("absolute values stand in the place of the ReLU", torch.abs),
    _activation("an ELU stands in the place of the ReLU", functional.elu),
    _activation("a softplus, log(1 + eˣ), stands in the place of the ReLU", functional.softplus),
    _activation("a SiLU, x · σ(x), stands in the place of the ReLU", functional.silu),
    _activation("a GELU stands in the place of the ReLU", functional.gelu),
    _activation("values are cut at 6, too, as by a ReLU6", functional.relu6),
    _activation("the mask stands in the place of the value: 1 for each positive entry", lambda x: (x > 0).to(x.dtype)),
)


def _log_cosh(difference: Tensor) -> Tensor:
    return difference.abs() + functional.softplus(-2 * difference.abs()) - math.log(2)  # which does not overflow


#: What stands for the square of a difference: in words, and the function.
_LOSSES: tuple[Operation, ...] = (
    _loss(
        "the loss is that of Huber (smooth L1): beyond a difference of 1 it grows evenly",
        lambda x: functional.huber_loss(x, torch.zeros_like(x), reduction="none"),
    ),
    _loss("the loss is log(cosh(…)) of the differences, and not their squares", _log_cosh),
    _loss("the third power of the differences stands in the place of the second", lambda x: x**3),
    _loss("the fourth power of the differences stands in the place of the second", lambda x: x**4),
)


def square_of_mean() -> Replacements:
    """The mean of differences is squared, where the squares are averaged."""
    return {**square_left_out(), **dict.fromkeys(MEANS, lambda value, *rest, **more: value.mean(*rest, **more) ** 2)}


def for_difference(made: Callable[[Any, Any], Any]) -> Replacements:
    """Another operation where one tensor is taken from another."""

    def changed(left: Any, right: Any, *_: Any, **__: Any) -> Any:
        return made(left, right) if isinstance(left, Tensor) and isinstance(right, Tensor) else left - right

    return dict.fromkeys(_DIFFERENCES, changed)


def difference_of_squares(*, left: bool = True, right: bool = True) -> Replacements:
    """Each of two terms is squared, or one of them, where their difference has to be."""
    powers = 1 + left, 1 + right
    return {**square_left_out(), **for_difference(lambda one, other: one ** powers[0] - other ** powers[1])}


def relu_at_the_start(*, moved: bool = False) -> Replacements:
    """A network whose input goes through a ReLU, too; with ``moved``, in place of the one behind the first product."""

    def product(left: Tensor, right: Tensor) -> Tensor:
        return (torch.relu(left) if left.grad_fn is None else left) @ right

    relu = dict.fromkeys(RELU, lambda value, *_, **__: value.clone()) if moved else {}
    return {**relu, **dict.fromkeys(OF_MATRICES, product)}


def relu_in_between(relu: Callable[[Tensor], Tensor]) -> Callable[[], Replacements]:
    """A network whose first product goes through a ReLU."""

    def made() -> Replacements:
        seen: list[bool] = []

        def behind(product: Callable[..., Tensor]) -> Callable[..., Tensor]:
            def changed(*factors: Any, **more: Any) -> Tensor:
                first = not seen
                seen.append(True)
                return relu(product(*factors, **more)) if first else product(*factors, **more)

            return changed

        products = dict.fromkeys(OF_MATRICES, behind(torch.matmul))
        return {**products, functional.linear: behind(functional.linear)}

    return made


def relu_at_the_end(relu: Callable[[Tensor], Tensor]) -> Callable[[], Replacements]:
    """A network whose output goes through a ReLU, too: what is compared with targets, as a column or as a whole."""

    def column(value: Tensor, index: Any) -> Tensor:
        taken = value[index]
        if isinstance(index, tuple) and index == (slice(None), 0) and value.grad_fn is not None:
            return relu(taken)
        return taken

    def less(left: Any, right: Any) -> Any:
        tensors = isinstance(left, Tensor) and isinstance(right, Tensor)
        whole = tensors and left.dim() == right.dim() == 2 and left.grad_fn is not None and right.grad_fn is None
        return torch.sub(relu(left) if whole else left, right)

    return lambda: {Tensor.__getitem__: column, **dict.fromkeys(_DIFFERENCES, less)}


#: All of them.
SUBSTITUTES: tuple[Operation, ...] = (
    *_ACTIVATIONS,
    *_LOSSES,
    Operation("the input goes through a ReLU, too", relu_at_the_start),
    Operation("the ReLU stands before the first product, and not after it", partial(relu_at_the_start, moved=True)),
)
