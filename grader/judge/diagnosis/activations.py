"""Activations with one of the usual mistakes in their derivative.

Each rule gives, from the input and the output of the function, what a student takes for its derivative.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from grader.judge.diagnosis.replaced import Replacements, applied

Rule = Callable[[Tensor, Tensor], Tensor]

RELU = (torch.relu, Tensor.relu, functional.relu)
SIGMOID = (torch.sigmoid, Tensor.sigmoid, functional.sigmoid)
TANH = (torch.tanh, Tensor.tanh, functional.tanh)
GELU = (functional.gelu,)


class _ByRule(torch.autograd.Function):
    """An elementwise function whose derivative is a given rule of (input, output)."""

    @staticmethod
    def forward(
        ctx: Any, value: Tensor, function: Callable[[Tensor], Tensor], rule: Rule, rest: Rule | None = None
    ) -> Tensor:
        out = function(value)
        ctx.save_for_backward(value, out)
        ctx.rule, ctx.rest = rule, rest
        return out

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> Any:
        value, out = ctx.saved_tensors
        grad = upstream * ctx.rule(value, out)
        return grad if ctx.rest is None else grad + ctx.rest(value, out), None, None, None


class _ByUpstream(torch.autograd.Function):
    """A ReLU on whose way back the gradient itself is cut, not where the input is."""

    @staticmethod
    def forward(ctx: Any, value: Tensor) -> Tensor:
        return torch.relu(value)

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> Any:
        return upstream.clamp(min=0.0)


def by_rule(value: Tensor, function: Callable[[Tensor], Tensor], rule: Rule, rest: Rule | None = None) -> Tensor:
    """``function`` of a value, elementwise, with ``rule`` for its derivative.

    ``rest`` is another rule, for a term that what arrives is not multiplied into.
    """
    return applied(_ByRule, value, function, rule, rest)


def with_rule(
    functions: tuple[Any, ...], function: Callable[[Tensor], Tensor], rule: Rule, rest: Rule | None = None
) -> Replacements:
    """Each of ``functions`` computes ``function``, and has ``rule``, with ``rest``, for a derivative."""
    return dict.fromkeys(functions, lambda value, *_, **__: by_rule(value, function, rule, rest))


@dataclass(frozen=True, slots=True)
class Slope:
    """What is taken for a derivative: of which function, by which rule, and what that is in words.

    ``rest`` is a term that what arrives is not multiplied into.
    """

    functions: tuple[Any, ...]
    function: Callable[[Tensor], Tensor]
    rule: Rule
    what: str
    rest: Rule | None = None

    def replacements(self) -> Replacements:
        """The changed functions."""
        return with_rule(self.functions, self.function, self.rule, self.rest)


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


def _positive(value: Tensor) -> Tensor:
    return (value > 0).to(value.dtype)


def _swish(factor: float) -> Rule:
    """The derivative of x · σ(factor · x)."""

    def rule(value: Tensor, out: Tensor) -> Tensor:
        gate = torch.sigmoid(factor * value)
        return gate + value * factor * gate * (1 - gate)

    return rule


def _relu(rule: Rule, what: str) -> Slope:
    return Slope(RELU, torch.relu, rule, what)


def _sigmoid(rule: Rule, what: str) -> Slope:
    return Slope(SIGMOID, torch.sigmoid, rule, what)


def _tanh(rule: Rule, what: str) -> Slope:
    return Slope(TANH, torch.tanh, rule, what)


def _gelu(rule: Rule, what: str) -> Slope:
    return Slope(GELU, functional.gelu, rule, what)


_PARENTHESES = "`out.g` is multiplied into the first term of {} alone, as where the parentheses around it are missing"
SLOPES: Mapping[str, Slope] = {
    "relu_by_value": _relu(
        lambda x, y: y, "the output of the ReLU stands in the place of its derivative, which is 1 or 0"
    ),
    "relu_by_input": _relu(
        lambda x, y: x, "the input of the ReLU stands in the place of its derivative, which is 1 or 0"
    ),
    "relu_by_sign": _relu(lambda x, y: x.sign(), "the sign of its input is taken for the derivative of the ReLU"),
    "relu_turned": _relu(lambda x, y: 2 * _positive(x) - 1, "the derivative of the ReLU is −1 where it has to be 0"),
    "relu_leaky": _relu(
        lambda x, y: torch.where(x > 0, 1.0, 0.01), "the derivative is that of a leaky ReLU, 0.01 for 0"
    ),
    "relu_leaky_forward": Slope(
        RELU,
        functional.leaky_relu,
        lambda x, y: torch.where(x > 0, 1.0, 0.01),
        "a leaky ReLU stands in the place of the ReLU, 0.01 · x for 0",
    ),
    "relu_to_sigmoid": Slope(
        RELU, torch.sigmoid, lambda x, y: y * (1 - y), "a sigmoid stands in the place of the ReLU"
    ),
    "relu_to_tanh": Slope(RELU, torch.tanh, lambda x, y: 1 - y**2, "a tanh stands in the place of the ReLU"),
    "relu_alone": Slope(
        RELU,
        torch.relu,
        lambda x, y: torch.zeros_like(x),
        "the mask of the ReLU goes back alone, without the gradient that arrives at it",
        rest=lambda x, y: _positive(x),
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
        SIGMOID, torch.sigmoid, lambda x, y: y, _PARENTHESES.format("σ − σ²"), lambda x, y: -(y**2)
    ),
    "tanh_parentheses": Slope(
        TANH, torch.tanh, lambda x, y: torch.ones_like(y), _PARENTHESES.format("1 − tanh²"), lambda x, y: -(y**2)
    ),
    "gelu_parentheses": Slope(
        GELU,
        functional.gelu,
        lambda x, y: _cdf(x),
        _PARENTHESES.format("Φ(x) + x · φ(x)"),
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
    "gelu_as_relu": _gelu(lambda x, y: _positive(x), "the derivative is that of the ReLU"),
}


def cut_by_upstream() -> Replacements:
    """A ReLU on the way back in place of its derivative."""
    return dict.fromkeys(RELU, lambda value, *_, **__: applied(_ByUpstream, value))


def relu_forward(value: Tensor) -> Tensor:
    """A ReLU that lets every gradient through."""
    return value + (torch.relu(value) - value).detach()


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

        products = dict.fromkeys((torch.matmul, Tensor.matmul, Tensor.__matmul__), behind(torch.matmul))
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

    return lambda: {Tensor.__getitem__: column, **dict.fromkeys((torch.sub, Tensor.sub, Tensor.__sub__), less)}
