"""Activations with one of the usual mistakes in their derivative.

Each rule gives, from the input and the output of the function, what a student takes for its derivative.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from grader.judge.diagnosis.operations.replaced import Replacements, with_backward

Rule = Callable[[Tensor, Tensor], Tensor]

RELU = (torch.relu, Tensor.relu, functional.relu)
SIGMOID = (torch.sigmoid, Tensor.sigmoid, functional.sigmoid)
TANH = (torch.tanh, Tensor.tanh, functional.tanh)


def by_rule(value: Tensor, function: Callable[[Tensor], Tensor], rule: Rule, rest: Rule | None = None) -> Tensor:
    """``function`` of a value, elementwise, with ``rule`` for its derivative.

    ``rest`` is another rule, for a term that the upstream gradient is not multiplied into.
    """

    def backward(upstream: Tensor, out: Tensor, value: Tensor) -> Tensor:
        grad = upstream * rule(value, out)
        return grad if rest is None else grad + rest(value, out)

    return with_backward(function, backward, value)


def with_rule(
    functions: tuple[Any, ...], function: Callable[[Tensor], Tensor], rule: Rule, rest: Rule | None = None
) -> Replacements:
    """Each of ``functions`` computes ``function``, and has ``rule``, with ``rest``, for a derivative."""
    return dict.fromkeys(functions, lambda value, *_, **__: by_rule(value, function, rule, rest))


@dataclass(frozen=True, slots=True)
class Slope:
    """What is taken for a derivative: of which function, by which rule, and what that is in words.

    ``rest`` is a term that the upstream gradient is not multiplied into.
    """

    functions: tuple[Any, ...]
    function: Callable[[Tensor], Tensor]
    rule: Rule
    what: str
    rest: Rule | None = None

    def replacements(self) -> Replacements:
        """The changed functions."""
        return with_rule(self.functions, self.function, self.rule, self.rest)


def positive(value: Tensor) -> Tensor:
    """1 where a value is positive, and 0 elsewhere."""
    return (value > 0).to(value.dtype)


def _relu(rule: Rule, what: str) -> Slope:
    return Slope(RELU, torch.relu, rule, what)


def _sigmoid(rule: Rule, what: str) -> Slope:
    return Slope(SIGMOID, torch.sigmoid, rule, what)


def _tanh(rule: Rule, what: str) -> Slope:
    return Slope(TANH, torch.tanh, rule, what)


#: Activations that may stand for one another: each one's name, ways to call it, function and derivative.
_KINDS: tuple[tuple[str, tuple[Any, ...], Callable[[Tensor], Tensor], Rule], ...] = (
    ("ReLU", RELU, torch.relu, lambda x, y: positive(x)),
    ("sigmoid", SIGMOID, torch.sigmoid, lambda x, y: y * (1 - y)),
    ("tanh", TANH, torch.tanh, lambda x, y: 1 - y**2),
)
PARENTHESES = (
    "what arrives is multiplied into the first term of {} alone, as where the parentheses around it are missing"
)
SLOPES: Mapping[str, Slope] = {
    "relu_by_value": _relu(
        lambda x, y: y, "the output of the ReLU stands in the place of its derivative, which is 1 or 0"
    ),
    "relu_by_input": _relu(
        lambda x, y: x, "the input of the ReLU stands in the place of its derivative, which is 1 or 0"
    ),
    "relu_by_sign": _relu(lambda x, y: x.sign(), "the sign of its input is taken for the derivative of the ReLU"),
    "relu_turned": _relu(lambda x, y: 2 * positive(x) - 1, "the derivative of the ReLU is −1 where it has to be 0"),
    "relu_leaky": _relu(
        lambda x, y: torch.where(x > 0, 1.0, 0.01), "the derivative is that of a leaky ReLU, 0.01 for 0"
    ),
    "relu_leaky_forward": Slope(
        RELU,
        functional.leaky_relu,
        lambda x, y: torch.where(x > 0, 1.0, 0.01),
        "a leaky ReLU stands in the place of the ReLU, 0.01 · x for 0",
    ),
    "sigmoid_turned": Slope(
        SIGMOID,
        lambda x: 1 - x.sigmoid(),
        lambda x, y: y * (y - 1),
        "σ stands in the place of 1 − σ, and 1 − σ in that of σ",
    ),
    "relu_alone": Slope(
        RELU,
        torch.relu,
        lambda x, y: torch.zeros_like(x),
        "the mask of the ReLU goes back alone, without the gradient that arrives at it",
        rest=lambda x, y: positive(x),
    ),
    "sigmoid_left_out": _sigmoid(lambda x, y: torch.ones_like(y), "the derivative σ(1 − σ) of the sigmoid is left out"),
    "sigmoid_by_value": _sigmoid(lambda x, y: y, "the sigmoid stands in the place of its derivative σ(1 − σ)"),
    "sigmoid_rest": _sigmoid(lambda x, y: 1 - y, "the factor σ is missing in the derivative σ(1 − σ)"),
    "sigmoid_as_tanh": _sigmoid(lambda x, y: 1 - y**2, "the derivative 1 − σ² is used, which is that of the tanh"),
    "sigmoid_plus": _sigmoid(lambda x, y: y * (1 + y), "the derivative is σ(1 + σ) in place of σ(1 − σ)"),
    "sigmoid_squared": _sigmoid(lambda x, y: y**2, "the derivative is σ² in place of σ(1 − σ)"),
    "sigmoid_rest_squared": _sigmoid(lambda x, y: (1 - y) ** 2, "the derivative is (1 − σ)² in place of σ(1 − σ)"),
    "sigmoid_half_input": _sigmoid(
        lambda x, y: y * (1 - x), "the input stands for one of the two σ in the derivative σ(1 − σ)"
    ),
    "sigmoid_input_first": _sigmoid(
        lambda x, y: x * (1 - y), "the input stands for the first σ in the derivative σ(1 − σ)"
    ),
    "sigmoid_cubed": _sigmoid(
        lambda x, y: y * (1 - y**2), "the derivative is σ(1 − σ²), with a square as that of the tanh has"
    ),
    "sigmoid_whole_squared": _sigmoid(lambda x, y: (y * (1 - y)) ** 2, "the derivative σ(1 − σ) is squared as a whole"),
    "sigmoid_as_relu": _sigmoid(lambda x, y: positive(x), "the derivative is that of the ReLU"),
    "sigmoid_as_silu": _sigmoid(lambda x, y: y + x * y * (1 - y), "the derivative is that of x · σ(x)"),
    "tanh_doubled": _tanh(lambda x, y: 1 - 2 * y, "2 · tanh stands in the place of tanh² in the derivative 1 − tanh²"),
    "tanh_cubed": _tanh(lambda x, y: 1 - y**3, "tanh³ stands in the place of tanh² in the derivative 1 − tanh²"),
    "tanh_as_relu": _tanh(lambda x, y: positive(x), "the derivative is that of the ReLU"),
    "tanh_left_out": _tanh(lambda x, y: torch.ones_like(y), "the derivative 1 − tanh² is left out"),
    "tanh_by_value": _tanh(lambda x, y: y, "the tanh stands in the place of its derivative 1 − tanh²"),
    "tanh_unsquared": _tanh(lambda x, y: 1 - y, "the square is missing in the derivative 1 − tanh²"),
    "tanh_as_sigmoid": _tanh(lambda x, y: y * (1 - y), "the derivative is that of the sigmoid, out · (1 − out)"),
    "tanh_root": _tanh(
        lambda x, y: (1 - y**2).sqrt(), "the derivative is 1 / cosh(x) in place of its square, 1 / cosh²(x)"
    ),
    "tanh_squared": _tanh(lambda x, y: y**2, "the derivative is tanh² in place of 1 − tanh²"),
    "tanh_plus": _tanh(lambda x, y: 1 + y**2, "the derivative is 1 + tanh² in place of 1 − tanh²"),
    "tanh_difference": _tanh(lambda x, y: (1 - y) ** 2, "the derivative is (1 − tanh)² in place of 1 − tanh²"),
    "sigmoid_parentheses": Slope(
        SIGMOID, torch.sigmoid, lambda x, y: y, PARENTHESES.format("σ − σ²"), lambda x, y: -(y**2)
    ),
    "sigmoid_parentheses_of_rest": Slope(
        SIGMOID, torch.sigmoid, lambda x, y: y, PARENTHESES.format("σ · 1 − σ"), lambda x, y: -y
    ),
    "tanh_parentheses": Slope(
        TANH, torch.tanh, lambda x, y: torch.ones_like(y), PARENTHESES.format("1 − tanh²"), lambda x, y: -(y**2)
    ),
    **{
        f"{name}_to_{other}": Slope(functions, stands, rule, f"a {other} stands in the place of the {name}")
        for (name, functions, right, _), (other, _, stands, rule) in product(_KINDS, repeat=2)
        if right is not stands
    },
    **{
        f"{name}_skipped": Slope(functions, torch.clone, lambda x, y: torch.ones_like(y), f"the {name} is left out")
        for name, functions, *_ in _KINDS[1:]
    },
}


def cut_by_upstream() -> Replacements:
    """A ReLU in whose backward pass the gradient itself is cut at 0, not where the input is."""

    def relu(value: Tensor, *_: Any, **__: Any) -> Tensor:
        return with_backward(torch.relu, lambda upstream, *_: upstream.clamp(min=0.0), value)

    return dict.fromkeys(RELU, relu)


def relu_forward(value: Tensor) -> Tensor:
    """A ReLU that lets every gradient through."""
    return value + (torch.relu(value) - value).detach()
