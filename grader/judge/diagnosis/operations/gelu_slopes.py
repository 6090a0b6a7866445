"""GELU with one of the usual mistakes in its derivative Φ(x) + x · φ(x), or in what that is made of."""

from __future__ import annotations

import math
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

from grader.judge.diagnosis.operations.activations import PARENTHESES, SLOPES, Rule, positive, slope
from grader.judge.diagnosis.operations.replaced import Operation

_gelu = partial(slope, (functional.gelu,), functional.gelu)


def _cdf(value: Tensor) -> Tensor:
    return 0.5 * (1 + torch.erf(value / math.sqrt(2)))


def _density(value: Tensor) -> Tensor:
    return torch.exp(-(value**2) / 2) / math.sqrt(2 * math.pi)


def _by_tanh(value: Tensor) -> Tensor:
    """The usual approximation of Φ."""
    return 0.5 * (1 + torch.tanh(_inner(value)))


def _inner(value: Tensor) -> Tensor:
    return math.sqrt(2 / math.pi) * (value + 0.044715 * value**3)


def _tanh_density(value: Tensor, cubed: float) -> Tensor:
    """The derivative of the approximation; ``cubed`` is what x² comes with in the derivative of its inner part."""
    return 0.5 * (1 - torch.tanh(_inner(value)) ** 2) * math.sqrt(2 / math.pi) * (1 + cubed * value**2)


def _swish(factor: float) -> Rule:
    """The derivative of x · σ(factor · x)."""

    def rule(value: Tensor, out: Tensor) -> Tensor:
        gate = torch.sigmoid(factor * value)
        return gate + value * factor * gate * (1 - gate)

    return rule


def _with_cdf(what: str, cdf: Rule) -> Operation:
    """Something else in the place of Φ(x)."""
    return _gelu(what, lambda x, y: cdf(x, y) + x * _density(x))


def _with_density(what: str, times: float) -> Operation:
    """Another multiple of x · φ(x) in the place of it."""
    return _gelu(what, lambda x, y: _cdf(x) + times * x * _density(x))


_GELU_SLOPES: tuple[Operation, ...] = (
    _gelu(PARENTHESES.format("Φ(x) + x · φ(x)"), lambda x, y: _cdf(x), lambda x, y: x * _density(x)),
    _with_density("x · φ(x) is subtracted in the derivative Φ(x) + x · φ(x)", -1.0),
    _with_density("φ(x) is divided by 2π in place of √(2π)", (2 * math.pi) ** -0.5),
    _with_density("the term x · φ(x) is missing in the derivative Φ(x) + x · φ(x)", 0.0),
    _with_density("φ(x) is divided by √π in place of √(2π)", 2**0.5),
    _with_density("x · φ(x) is halved, too, where the factor 1/2 belongs to Φ(x) alone", 0.5),
    _with_density("φ(x) is multiplied by π, as `/ sqrt(2) * pi` does, and not divided by √(2π)", math.pi**1.5),
    _with_density("φ(x) is divided by √2 in place of √(2π)", math.pi**0.5),
    _with_density("φ(x) is not divided by √(2π)", (2 * math.pi) ** 0.5),
    _with_density("φ(x) is made with the factor 2/√π of erf's derivative, in place of 1/√(2π)", 8**0.5),
    _with_density("x · φ(x) is taken twice", 2.0),
    _gelu("the term Φ(x) is missing in the derivative Φ(x) + x · φ(x)", lambda x, y: x * _density(x)),
    _gelu("the factor x is missing in the derivative Φ(x) + x · φ(x)", lambda x, y: _cdf(x) + _density(x)),
    _with_cdf("Φ(x) is made with erf(x) in place of erf(x / √2)", lambda x, y: 0.5 * (1 + torch.erf(x))),
    _with_cdf("Φ(x) is made with erf(x / 2) in place of erf(x / √2)", lambda x, y: 0.5 * (1 + torch.erf(x / 2))),
    _with_cdf("the 1 is missing in Φ(x) = (1 + erf(x / √2)) / 2", lambda x, y: 0.5 * torch.erf(x / math.sqrt(2))),
    _gelu(
        "φ(x) is made with exp(−x²) in place of exp(−x² / 2)",
        lambda x, y: _cdf(x) + x * torch.exp(-(x**2)) / math.sqrt(2 * math.pi),
    ),
    _with_cdf(
        "the factor 1/2 reaches the 1 alone in Φ(x) = (1 + erf(x / √2)) / 2, as without parentheses",
        lambda x, y: 0.5 + torch.erf(x / math.sqrt(2)),
    ),
    _gelu(
        "the square is missing in the exponent of φ(x): exp(−x / 2) for exp(−x² / 2)",
        lambda x, y: _cdf(x) + x * torch.exp(-x / 2) / math.sqrt(2 * math.pi),
    ),
    _with_cdf("the factor 1/2 is missing in Φ(x)", lambda x, y: 2 * _cdf(x)),
    _with_cdf("erf(x / √2) stands for Φ(x) = (1 + erf(x / √2)) / 2", lambda x, y: torch.erf(x / math.sqrt(2))),
    _gelu("φ(x) stands in the place of the derivative Φ(x) + x · φ(x)", lambda x, y: _density(x)),
    _gelu("the output stands for x in the derivative Φ(x) + x · φ(x)", lambda x, y: _cdf(x) + y * _density(x)),
    _with_cdf("Φ(x) is that of the tanh formula, and φ(x) the exact one", lambda x, y: _by_tanh(x)),
    _gelu(
        "Φ(x) is the exact one, and its derivative φ(x) that of the tanh formula",
        lambda x, y: _cdf(x) + x * _tanh_density(x, 3 * 0.044715),
    ),
    _gelu(
        "the tanh formula is used, without the derivative of the cube inside of it; the exact GELU has erf",
        lambda x, y: _by_tanh(x) + x * _tanh_density(x, 0.0),
    ),
    _gelu(
        "the tanh formula is used, without the 3 from the cube inside of it; the exact GELU has erf",
        lambda x, y: _by_tanh(x) + x * _tanh_density(x, 0.044715),
    ),
    _with_cdf("the output stands for Φ(x) in the derivative Φ(x) + x · φ(x)", lambda x, y: y),
    _gelu("the derivative is that of the approximation x · σ(1.702 x)", _swish(1.702)),
    _gelu("the derivative is that of x · σ(x), which is another activation", _swish(1.0)),
    _gelu("the factor x stands with Φ(x), and not with φ(x)", lambda x, y: x * _cdf(x) + _density(x)),
    _gelu(
        "the minus sign is missing in the exponent of φ(x)",
        lambda x, y: _cdf(x) + x * torch.exp(x**2 / 2) / math.sqrt(2 * math.pi),
    ),
    _with_cdf(
        "Φ(x) is made with erf(x · √2) in place of erf(x / √2)", lambda x, y: 0.5 * (1 + torch.erf(x * math.sqrt(2)))
    ),
    _with_cdf("1 − Φ(x) stands in the place of Φ(x), as `1 - erf` or `erfc` gives it", lambda x, y: 1 - _cdf(x)),
    _gelu("φ(x) is multiplied by x², and not by x", lambda x, y: _cdf(x) + x**2 * _density(x)),
    _gelu(
        "the logarithm of φ(x) stands in the place of φ(x), as `log_prob` gives it",
        lambda x, y: _cdf(x) + x * (-(x**2) / 2 - math.log(2 * math.pi) / 2),
    ),
    _gelu(
        "the approximation x · σ(1.702 x) is used, without the inner derivative 1.702",
        lambda x, y: torch.sigmoid(1.702 * x) * (1 + x * (1 - torch.sigmoid(1.702 * x))),
    ),
    _gelu("the derivative is that of the ReLU", lambda x, y: positive(x)),
)
#: The same of all activations.
ALL_SLOPES = (*SLOPES, *_GELU_SLOPES)
