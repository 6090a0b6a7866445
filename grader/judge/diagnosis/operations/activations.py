"""Activations with one of the usual mistakes in their derivative.

Each rule gives, from the input and the output of the function, what a student takes for its derivative.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from grader.judge.diagnosis.operations.replaced import Operation, Replacements, with_backward

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

    def changed(value: Tensor, *_: Any, **__: Any) -> Tensor:
        return by_rule(value, function, rule, rest)

    return with_sigmoid(changed) if functions is SIGMOID else dict.fromkeys(functions, changed)


def with_sigmoid(sigmoid: Callable[..., Tensor]) -> Replacements:
    """Another sigmoid, also in what torch makes of one and a product, SiLU and GLU."""

    def glu(value: Tensor, dim: int = -1) -> Tensor:
        left, gate = value.chunk(2, dim)
        return left * sigmoid(gate)

    def silu(value: Tensor, *_: Any, **__: Any) -> Tensor:
        return value * sigmoid(value)

    return {**dict.fromkeys(SIGMOID, sigmoid), functional.glu: glu, functional.silu: silu}


def slope(
    functions: tuple[Any, ...], function: Callable[[Tensor], Tensor], what: str, rule: Rule, rest: Rule | None = None
) -> Operation:
    """What is taken for a derivative: of which function, in words, and by which rule.

    ``rest`` is a term that the upstream gradient is not multiplied into.
    """
    return Operation(what, lambda: with_rule(functions, function, rule, rest))


def positive(value: Tensor) -> Tensor:
    """1 where a value is positive, and 0 elsewhere."""
    return (value > 0).to(value.dtype)


def _bell(value: Tensor) -> Tensor:
    """The derivative of the sigmoid."""
    return value.sigmoid() * (1 - value.sigmoid())


_relu = partial(slope, RELU, torch.relu)
_sigmoid = partial(slope, SIGMOID, torch.sigmoid)
_tanh = partial(slope, TANH, torch.tanh)
_silu = partial(slope, (functional.silu,), functional.silu)
#: Activations that may stand for one another: each one's name, ways to call it, function and derivative.
_KINDS: tuple[tuple[str, tuple[Any, ...], Callable[[Tensor], Tensor], Rule], ...] = (
    ("ReLU", RELU, torch.relu, lambda x, y: positive(x)),
    ("sigmoid", SIGMOID, torch.sigmoid, lambda x, y: y * (1 - y)),
    ("tanh", TANH, torch.tanh, lambda x, y: 1 - y**2),
)
_OF_SILU = "σ + x · σ(1 − σ)"
PARENTHESES = (
    "what arrives is multiplied into the first term of {} alone, as where the parentheses around it are missing"
)


def _leaky(leak: float) -> Iterator[Operation]:
    """A leaky ReLU's derivative, behind a ReLU and behind one that leaks itself."""

    def rule(x: Tensor, y: Tensor) -> Tensor:
        return leak + (1 - leak) * positive(x)

    yield _relu(f"the derivative is that of a leaky ReLU, {leak} for 0", rule)
    leaking = partial(functional.leaky_relu, negative_slope=leak)
    yield slope(RELU, leaking, f"a leaky ReLU stands in the place of the ReLU, {leak} · x for 0", rule)


SLOPES: tuple[Operation, ...] = (
    _relu("the output of the ReLU stands in the place of its derivative, which is 1 or 0", lambda x, y: y),
    _relu("the input of the ReLU stands in the place of its derivative, which is 1 or 0", lambda x, y: x),
    _relu("the sign of its input is taken for the derivative of the ReLU", lambda x, y: x.sign()),
    _relu("the derivative of the ReLU is −1 where it has to be 0", lambda x, y: 2 * positive(x) - 1),
    *(one for leak in (0.01, 0.1, 0.2) for one in _leaky(leak)),
    slope(
        SIGMOID,
        lambda x: 1 - x.sigmoid(),
        "σ stands in the place of 1 − σ, and 1 − σ in that of σ",
        lambda x, y: y * (y - 1),
    ),
    _relu(
        "the mask of the ReLU goes back alone, without the gradient that arrives at it",
        lambda x, y: torch.zeros_like(x),
        lambda x, y: positive(x),
    ),
    _sigmoid("the derivative σ(1 − σ) of the sigmoid is left out", lambda x, y: torch.ones_like(y)),
    _sigmoid("the sigmoid stands in the place of its derivative σ(1 − σ)", lambda x, y: y),
    _sigmoid("the factor σ is missing in the derivative σ(1 − σ)", lambda x, y: 1 - y),
    _sigmoid("the derivative is −σ(1 − σ) in place of σ(1 − σ)", lambda x, y: y * (y - 1)),
    _sigmoid("the derivative 1 − σ² is used, which is that of the tanh", lambda x, y: 1 - y**2),
    _sigmoid("the derivative is σ(1 + σ) in place of σ(1 − σ)", lambda x, y: y * (1 + y)),
    _sigmoid("the derivative is σ² in place of σ(1 − σ)", lambda x, y: y**2),
    _sigmoid("the derivative is −σ² in place of σ(1 − σ): the 1 is left out", lambda x, y: -(y**2)),
    _sigmoid("the derivative is (1 − σ)² in place of σ(1 − σ)", lambda x, y: (1 - y) ** 2),
    _sigmoid("the input stands for one of the two σ in the derivative σ(1 − σ)", lambda x, y: y * (1 - x)),
    _sigmoid("the input stands for the first σ in the derivative σ(1 − σ)", lambda x, y: x * (1 - y)),
    _sigmoid("the derivative is σ(1 − σ²), with a square as that of the tanh has", lambda x, y: y * (1 - y**2)),
    _sigmoid("the derivative σ(1 − σ) is squared as a whole", lambda x, y: (y * (1 - y)) ** 2),
    _sigmoid("the derivative is that of the ReLU", lambda x, y: positive(x)),
    _sigmoid("the derivative is that of x · σ(x)", lambda x, y: y + x * y * (1 - y)),
    _tanh("2 · tanh stands in the place of tanh² in the derivative 1 − tanh²", lambda x, y: 1 - 2 * y),
    _tanh("tanh³ stands in the place of tanh² in the derivative 1 − tanh²", lambda x, y: 1 - y**3),
    _tanh("the derivative is that of the ReLU", lambda x, y: positive(x)),
    _tanh("the derivative 1 − tanh² is left out", lambda x, y: torch.ones_like(y)),
    _tanh("the tanh stands in the place of its derivative 1 − tanh²", lambda x, y: y),
    _tanh("the square is missing in the derivative 1 − tanh²", lambda x, y: 1 - y),
    _tanh("the derivative is that of the sigmoid, out · (1 − out)", lambda x, y: y * (1 - y)),
    _tanh("the derivative is 1 / cosh(x) in place of its square, 1 / cosh²(x)", lambda x, y: (1 - y**2).sqrt()),
    _tanh("the derivative is tanh² in place of 1 − tanh²", lambda x, y: y**2),
    _tanh("the derivative is −tanh² in place of 1 − tanh²: the 1 is left out", lambda x, y: -(y**2)),
    _tanh("the derivative is 1 + tanh² in place of 1 − tanh²", lambda x, y: 1 + y**2),
    _tanh("the derivative is (1 − tanh)² in place of 1 − tanh²", lambda x, y: (1 - y) ** 2),
    _sigmoid(PARENTHESES.format("σ − σ²"), lambda x, y: y, lambda x, y: -(y**2)),
    _sigmoid(PARENTHESES.format("σ · 1 − σ"), lambda x, y: y, lambda x, y: -y),
    _tanh(PARENTHESES.format("1 − tanh²"), lambda x, y: torch.ones_like(y), lambda x, y: -(y**2)),
    _silu(f"σ(1 − σ), the derivative of the sigmoid, stands in the place of {_OF_SILU}", lambda x, y: _bell(x)),
    _silu(f"the term σ is missing in the derivative {_OF_SILU}", lambda x, y: x * _bell(x)),
    _silu(f"the term x · σ(1 − σ) is missing in the derivative {_OF_SILU}", lambda x, y: x.sigmoid()),
    _silu(f"x · σ(1 − σ) is subtracted in the derivative {_OF_SILU}", lambda x, y: x.sigmoid() - x * _bell(x)),
    _silu(f"the factor x is missing in the derivative {_OF_SILU}", lambda x, y: x.sigmoid() + _bell(x)),
    _silu(f"the factor x stands with the first σ in the derivative {_OF_SILU}", lambda x, y: y + _bell(x)),
    _silu("the factor σ in front is missing in the derivative σ · (1 + x · (1 − σ))", lambda x, y: 1 + x - y),
    _silu(f"the output x · σ stands for σ in the second term of {_OF_SILU}", lambda x, y: x.sigmoid() + y * (1 - y)),
    _silu("the output x · σ stands for σ in the derivative σ(1 − σ) of a sigmoid", lambda x, y: y * (1 - y)),
    _silu(f"the input stands in the place of the derivative {_OF_SILU}", lambda x, y: x),
    _silu("the derivative is that of the ReLU", lambda x, y: positive(x)),
    _silu(PARENTHESES.format(_OF_SILU), lambda x, y: x.sigmoid(), lambda x, y: x * _bell(x)),
    *(
        slope(functions, stands, f"a {other} stands in the place of the {name}", rule)
        for (name, functions, right, _), (other, _, stands, rule) in product(_KINDS, repeat=2)
        if right is not stands
    ),
    *(
        slope(functions, torch.clone, f"the {name} is left out", lambda x, y: torch.ones_like(y))
        for name, functions, *_ in _KINDS[1:]
    ),
)


def cut_by_upstream() -> Replacements:
    """A ReLU in whose backward pass the gradient itself is cut at 0, not where the input is."""

    def relu(value: Tensor, *_: Any, **__: Any) -> Tensor:
        return with_backward(torch.relu, lambda upstream, *_: upstream.clamp(min=0.0), value)

    return dict.fromkeys(RELU, relu)


def relu_forward(value: Tensor) -> Tensor:
    """A ReLU that lets every gradient through."""
    return value + (torch.relu(value) - value).detach()
