"""Powers and means, of which a loss is made, with one of the usual mistakes in their derivative, or others for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from grader.judge.diagnosis.operations.activations import Rule, by_rule
from grader.judge.diagnosis.operations.replaced import Replacements

_SQUARE = 2
MEANS = (torch.mean, Tensor.mean)


def power_for_slope(*, factor: bool = False, turned: bool = False) -> Callable[[], Replacements]:
    """Powers whose derivative is taken to be themselves, or themselves times the exponent.

    With ``turned``, the base of an even power is that of the opposite sign, which the power does not show.
    """

    def rule(exponent: float) -> Rule:
        times = (exponent if factor else 1) * (-1 if turned and exponent % 2 == 0 else 1)
        return lambda x, y: times * y

    return lambda: _powers_with(rule)


def power_for_constant() -> Replacements:
    """Powers in whose backward pass only the exponent is left."""
    return _powers_with(lambda exponent: lambda x, y: torch.full_like(x, exponent))


def ones_for_loss(one: float = 1.0) -> Replacements:
    """A mean of squares whose backward pass begins with ones, as if what is squared, or its opposite, were summed."""
    squares = _powers_with(lambda _: lambda x, y: torch.full_like(x, one))

    def mean(value: Tensor, *_: Any, **__: Any) -> Tensor:
        return value.mean().detach() + value.sum() - value.sum().detach()

    return {**squares, **dict.fromkeys(MEANS, mean)}


def for_square(function: Callable[[Tensor], Tensor]) -> Replacements:
    """Another function in the place of each square, forward and backward."""
    return _powers(lambda value, exponent: function(value) if exponent == _SQUARE else value**exponent)


def square_left_out() -> Replacements:
    """What is to be squared as it is, forward and backward."""
    return for_square(lambda value: value * 1)


def numbers_left_out() -> Replacements:
    """Tensors that are to be multiplied or divided by a number as they are, forward and backward."""

    def without(function: Callable[..., Any]) -> Callable[..., Any]:
        return lambda value, by, **more: value if isinstance(by, int | float) else function(value, by, **more)

    return {function: without(function) for function in (torch.mul, Tensor.mul, torch.div, Tensor.div)}


def _powers_with(rule: Callable[[float], Rule]) -> Replacements:
    """Powers whose derivative is what ``rule`` makes of the exponent."""
    return _powers(lambda value, exponent: by_rule(value, lambda x: x**exponent, rule(exponent)))


def _powers(power: Callable[[Tensor, float], Any]) -> Replacements:
    """Each way to raise a tensor to the power of a number."""

    def changed(value: Any, exponent: Any = _SQUARE, **_: Any) -> Any:
        if not isinstance(value, Tensor) or not isinstance(exponent, int | float):
            return torch.pow(value, exponent)
        return power(value, exponent)

    return dict.fromkeys((torch.pow, Tensor.pow, Tensor.__pow__, torch.square, Tensor.square), changed)
