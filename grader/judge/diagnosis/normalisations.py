"""Normalisation layers whose backward pass makes one of the usual mistakes.

All of them change one term of the closed formula, ``r · (d − mean(d) − x̂ · mean(d · x̂))`` for the input and ``Σ g · x̂``
for the scale, with ``x̂ = (x − mean) · r``, ``r = 1/√(var + eps)`` and ``d = γ · g``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True, slots=True)
class Misstep:
    """One changed term, ``what`` it is in words, and how the formula goes with it."""

    what: str
    correction: int = 0
    eps: str = "inside"
    other_axis: bool = False
    mean: bool = True
    spread: bool = True
    scale: bool = True
    summed: bool = False


MISSTEPS: Mapping[str, Misstep] = {
    "unbiased": Misstep("the variance is divided by one less than the number of values (unbiased)", correction=1),
    "eps_outside": Misstep("eps is added to the root of the variance, not to the variance", eps="outside"),
    "no_eps": Misstep("eps is left out", eps="none"),
    "other_axis": Misstep("mean and variance are taken over the other axis", other_axis=True),
    "constants": Misstep("mean and variance are taken for constants", mean=False, spread=False),
    "no_spread": Misstep("the variance is taken for a constant", spread=False),
    "no_mean": Misstep("the mean is taken for a constant", mean=False),
    "no_scale": Misstep("the scale `gamma` is left out of the input's gradient", scale=False),
    "sums": Misstep("sums stand in the place of the two means on the way back", summed=True),
}


def normalisations(misstep: Misstep) -> Mapping[Any, Callable[..., Tensor]]:
    """The functions of torch that normalise, with this misstep on the way back."""

    def layer_norm(value: Tensor, *_: Any, weight: Tensor, bias: Tensor, eps: float, **__: Any) -> Tensor:
        return _applied(value, weight, bias, eps, 0 if misstep.other_axis else value.dim() - 1, misstep)

    def batch_norm(value: Tensor, *_: Any, weight: Tensor, bias: Tensor, eps: float, **__: Any) -> Tensor:
        return _applied(value, weight, bias, eps, 1 if misstep.other_axis else 0, misstep)

    return {functional.layer_norm: layer_norm, functional.batch_norm: batch_norm}


def _applied(value: Tensor, gamma: Tensor, beta: Tensor, eps: float, axis: int, misstep: Misstep) -> Tensor:
    return _Normalised.apply(value, gamma, beta, eps, axis, misstep)  # type: ignore[no-any-return,no-untyped-call]


class _Normalised(torch.autograd.Function):
    """The layer with a misstep, and its gradients with the same."""

    @staticmethod
    def forward(
        ctx: Any, value: Tensor, gamma: Tensor, beta: Tensor, eps: float, axis: int, misstep: Misstep
    ) -> Tensor:
        variance = value.var(axis, correction=misstep.correction, keepdim=True)
        inside = eps if misstep.eps == "inside" else 0.0
        outside = eps if misstep.eps == "outside" else 0.0
        root = 1 / ((variance + inside).sqrt() + outside)
        normal = (value - value.mean(axis, keepdim=True)) * root
        ctx.save_for_backward(normal, root, gamma)
        ctx.axis, ctx.misstep = axis, misstep
        return normal * gamma + beta

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> Any:
        normal, root, gamma = ctx.saved_tensors
        axis, misstep = ctx.axis, ctx.misstep
        average = torch.sum if misstep.summed else torch.mean
        scaled = upstream * gamma if misstep.scale else upstream
        mean = average(scaled, axis, keepdim=True) if misstep.mean else 0.0
        spread = normal * average(scaled * normal, axis, keepdim=True) if misstep.spread else 0.0
        rows = tuple(range(upstream.dim() - 1))
        return root * (scaled - mean - spread), (upstream * normal).sum(rows), upstream.sum(rows), None, None, None
