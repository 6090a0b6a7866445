"""GELU with one of the usual mistakes in its derivative Φ(x) + x · φ(x), or in what that is made of."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional

from grader.judge.diagnosis.operations.activations import PARENTHESES, SLOPES, Rule, Slope, positive

_GELU = (functional.gelu,)


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


def _gelu(rule: Rule, what: str) -> Slope:
    return Slope(_GELU, functional.gelu, rule, what)


_GELU_SLOPES: Mapping[str, Slope] = {
    "gelu_parentheses": Slope(
        _GELU,
        functional.gelu,
        lambda x, y: _cdf(x),
        PARENTHESES.format("Φ(x) + x · φ(x)"),
        lambda x, y: x * _density(x),
    ),
    "gelu_minus": _gelu(
        lambda x, y: _cdf(x) - x * _density(x), "x · φ(x) is subtracted in the derivative Φ(x) + x · φ(x)"
    ),
    "gelu_no_root": _gelu(
        lambda x, y: _cdf(x) + x * _density(x) / math.sqrt(2 * math.pi), "φ(x) is divided by 2π in place of √(2π)"
    ),
    "gelu_cdf": _gelu(lambda x, y: _cdf(x), "the term x · φ(x) is missing in the derivative Φ(x) + x · φ(x)"),
    "gelu_density": _gelu(lambda x, y: x * _density(x), "the term Φ(x) is missing in the derivative Φ(x) + x · φ(x)"),
    "gelu_no_x": _gelu(lambda x, y: _cdf(x) + _density(x), "the factor x is missing in the derivative Φ(x) + x · φ(x)"),
    "gelu_root": _gelu(
        lambda x, y: 0.5 * (1 + torch.erf(x)) + x * _density(x), "Φ(x) is made with erf(x) in place of erf(x / √2)"
    ),
    "gelu_erf_half": _gelu(
        lambda x, y: 0.5 * (1 + torch.erf(x / 2)) + x * _density(x),
        "Φ(x) is made with erf(x / 2) in place of erf(x / √2)",
    ),
    "gelu_without_one": _gelu(
        lambda x, y: 0.5 * torch.erf(x / math.sqrt(2)) + x * _density(x),
        "the 1 is missing in Φ(x) = (1 + erf(x / √2)) / 2",
    ),
    "gelu_half": _gelu(
        lambda x, y: _cdf(x) + x * torch.exp(-(x**2)) / math.sqrt(2 * math.pi),
        "φ(x) is made with exp(−x²) in place of exp(−x² / 2)",
    ),
    "gelu_norm": _gelu(
        lambda x, y: _cdf(x) + x * _density(x) * math.sqrt(2), "φ(x) is divided by √π in place of √(2π)"
    ),
    "gelu_doubled": _gelu(lambda x, y: 2 * _cdf(x) + x * _density(x), "the factor 1/2 is missing in Φ(x)"),
    "gelu_halved": _gelu(
        lambda x, y: _cdf(x) + x * _density(x) / 2,
        "x · φ(x) is halved, too, where the factor 1/2 belongs to Φ(x) alone",
    ),
    "gelu_erf": _gelu(
        lambda x, y: torch.erf(x / math.sqrt(2)) + x * _density(x),
        "erf(x / √2) stands for Φ(x) = (1 + erf(x / √2)) / 2",
    ),
    "gelu_times_pi": _gelu(
        lambda x, y: _cdf(x) + x * _density(x) * math.pi**1.5,
        "φ(x) is multiplied by π, as `/ sqrt(2) * pi` does, and not divided by √(2π)",
    ),
    "gelu_without_pi": _gelu(
        lambda x, y: _cdf(x) + x * _density(x) * math.sqrt(math.pi), "φ(x) is divided by √2 in place of √(2π)"
    ),
    "gelu_density_alone": _gelu(lambda x, y: _density(x), "φ(x) stands in the place of the derivative Φ(x) + x · φ(x)"),
    "gelu_unnormed": _gelu(lambda x, y: _cdf(x) + x * torch.exp(-(x**2) / 2), "φ(x) is not divided by √(2π)"),
    "gelu_by_output": _gelu(
        lambda x, y: _cdf(x) + y * _density(x), "the output stands for x in the derivative Φ(x) + x · φ(x)"
    ),
    "gelu_tanh_for_cdf": _gelu(
        lambda x, y: _by_tanh(x) + x * _density(x), "Φ(x) is that of the tanh formula, and φ(x) the exact one"
    ),
    "gelu_tanh_for_density": _gelu(
        lambda x, y: _cdf(x) + x * _tanh_density(x, 3 * 0.044715),
        "Φ(x) is the exact one, and its derivative φ(x) that of the tanh formula",
    ),
    "gelu_tanh_inner": _gelu(
        lambda x, y: _by_tanh(x) + x * _tanh_density(x, 0.0),
        "the tanh formula is used, without the derivative of the cube inside of it; the exact GELU has erf",
    ),
    "gelu_tanh_cube": _gelu(
        lambda x, y: _by_tanh(x) + x * _tanh_density(x, 0.044715),
        "the tanh formula is used, without the 3 from the cube inside of it; the exact GELU has erf",
    ),
    "gelu_erf_slope": _gelu(
        lambda x, y: _cdf(x) + x * _density(x) * 2 * math.sqrt(2),
        "φ(x) is made with the factor 2/√π of erf's derivative, in place of 1/√(2π)",
    ),
    "gelu_output_for_cdf": _gelu(
        lambda x, y: y + x * _density(x), "the output stands for Φ(x) in the derivative Φ(x) + x · φ(x)"
    ),
    "gelu_by_sigmoid": _gelu(_swish(1.702), "the derivative is that of the approximation x · σ(1.702 x)"),
    "gelu_as_swish": _gelu(_swish(1.0), "the derivative is that of x · σ(x), which is another activation"),
    "gelu_x_at_cdf": _gelu(lambda x, y: x * _cdf(x) + _density(x), "the factor x stands with Φ(x), and not with φ(x)"),
    "gelu_grows": _gelu(
        lambda x, y: _cdf(x) + x * torch.exp(x**2 / 2) / math.sqrt(2 * math.pi),
        "the minus sign is missing in the exponent of φ(x)",
    ),
    "gelu_erf_times": _gelu(
        lambda x, y: 0.5 * (1 + torch.erf(x * math.sqrt(2))) + x * _density(x),
        "Φ(x) is made with erf(x · √2) in place of erf(x / √2)",
    ),
    "gelu_other_side": _gelu(
        lambda x, y: 1 - _cdf(x) + x * _density(x),
        "1 − Φ(x) stands in the place of Φ(x), as `1 - erf` or `erfc` gives it",
    ),
    "gelu_x_squared": _gelu(lambda x, y: _cdf(x) + x**2 * _density(x), "φ(x) is multiplied by x², and not by x"),
    "gelu_density_doubled": _gelu(lambda x, y: _cdf(x) + 2 * x * _density(x), "x · φ(x) is taken twice"),
    "gelu_log_density": _gelu(
        lambda x, y: _cdf(x) + x * (-(x**2) / 2 - math.log(2 * math.pi) / 2),
        "the logarithm of φ(x) stands in the place of φ(x), as `log_prob` gives it",
    ),
    "gelu_by_sigmoid_inner": _gelu(
        lambda x, y: torch.sigmoid(1.702 * x) * (1 + x * (1 - torch.sigmoid(1.702 * x))),
        "the approximation x · σ(1.702 x) is used, without the inner derivative 1.702",
    ),
    "gelu_as_relu": _gelu(lambda x, y: positive(x), "the derivative is that of the ReLU"),
}
#: The same of all activations.
ALL_SLOPES: Mapping[str, Slope] = {**SLOPES, **_GELU_SLOPES}
