"""Normalisation layers whose backward pass makes one of the usual mistakes.

All of them change one term of the closed formula, ``r · (d − mean(d) − x̂ · mean(d · x̂))`` for the input and ``Σ g · x̂``
for the scale, with ``x̂ = (x − mean) · r``, ``r = 1/√(var + eps)`` and ``d = γ · g``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from itertools import product
from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn import functional

from grader.judge.diagnosis.operations.replaced import Operation, with_backward

#: What may stand for the normalised input; along which other axes a mean is taken; the two means on the way back.
Stand = Literal["", "normal", "raw", "centred", "output", "ones", "uncentred", "square"]
Along = Literal["", "other", "second", "all", "last two"]
Mean = Literal["mean", "spread"]
Statistic = Literal["centre", "variance", "squares"]


@dataclass(frozen=True, slots=True)
class Misstep:
    """One changed term, ``what`` it is in words, and how the formula goes with it."""

    what: str
    correction: int = 0
    eps: Literal["inside", "outside", "none", "fixed"] = "inside"
    mean: bool = True
    spread: bool = True
    scale: bool = True
    root: int = 1
    scale_late: bool = False
    added: bool = False
    normal: Stand = "normal"
    outer: Stand = ""
    scale_twice: bool = False
    inner: Stand = ""
    times_mean: float = 1
    times_spread: float = 1
    sums: tuple[Mean, ...] = ()
    of_variance: bool = False
    undivided: bool = False
    of_deviation: bool = False
    about_zero: bool = False
    counted: Literal["", "less", "other", "right"] = ""
    counted_in: tuple[Mean, ...] = ("mean", "spread")
    along: Along = ""
    back_along: Along = ""
    over_all: tuple[Mean | Statistic, ...] = ()
    about_centre: bool = False
    unsummed: tuple[Mean, ...] = ()
    recentred: bool = False
    scale_in: tuple[Mean, ...] = ("mean", "spread")
    spread_without_eps: bool = False
    root_without_eps: bool = False
    root_of_first: bool = False
    first: Literal["", "negative", "over count"] = ""

    @property
    def changed(self) -> dict[str, Any]:
        """The terms that are not right, by name."""
        terms = fields(self)[1:]  # all but the words
        return {each.name: getattr(self, each.name) for each in terms if getattr(self, each.name) != each.default}

    @property
    def code(self) -> str:
        """The code of a misstep that is nothing but another tensor in the place of the normalised input."""
        used = {self.normal, self.outer, self.inner} & {"raw", "centred", "output"}
        return "wrong_operand" if used and len(self.changed) == 1 else ""


_OF_ALL = "{} taken over all entries, not along the axis"
#: Which of the two sums on the way back is left out, whether it is divided all the same, and whether what a mean is
#: taken of afterwards holds it, too.
_UNSUMMED: tuple[tuple[str, Mean, Literal["", "right"], bool], ...] = (
    *(("first", "mean", counted, False) for counted in ("", "right")),
    *(("last", "spread", counted, recentred) for counted in ("", "right") for recentred in (False, True)),
)
_ALONE: Mapping[str, Misstep] = {
    "unbiased": Misstep(
        "the variance is divided by one less than the number of values (unbiased, as `var` and `std` have it)",
        correction=1,
    ),
    "eps_outside": Misstep("eps is added to the root of the variance, not to the variance", eps="outside"),
    "no_eps": Misstep("eps is left out", eps="none"),
    "other_eps": Misstep("eps is 1e-05, whatever is given", eps="fixed"),
    "other_axis": Misstep("mean and variance are taken over the other axis", along="other"),
    "second_axis": Misstep(
        "mean and variance are taken over axis 1, which is the last of two axes, but not of three", along="second"
    ),
    "all_entries": Misstep("mean and variance are taken over all entries, not along the axis", along="all"),
    "centre_of_all": Misstep(_OF_ALL.format("the mean is"), over_all=("centre",)),
    "centre_of_all_in_both": Misstep(
        f"{_OF_ALL.format('the mean is')}, in the variance, too", over_all=("centre",), about_centre=True
    ),
    "variance_of_all": Misstep(_OF_ALL.format("the variance is"), over_all=("variance",)),
    "squares_of_all": Misstep(
        f"{_OF_ALL.format('the variance is')}, of the differences from each mean", over_all=("squares",)
    ),
    "first_of_all": Misstep(_OF_ALL.format("the first of the two means on the way back is"), over_all=("mean",)),
    "last_of_all": Misstep(_OF_ALL.format("the last of the two means on the way back is"), over_all=("spread",)),
    **{
        f"{name}_unsummed_{counted}_{recentred}": Misstep(
            f"the {name} of the two sums on the way back is left out, so that each entry stands in its place"
            f"{', divided by their number' if counted else ''}{', also where a mean is taken after it' * recentred}",
            unsummed=(mean,),
            counted=counted,
            recentred=recentred,
        )
        for name, mean, counted, recentred in _UNSUMMED
    },
    "last_two": Misstep(
        "mean and variance are taken over the last two axes, not over the last alone", along="last two"
    ),
    "back_other_axis": Misstep("the two means on the way back are taken over the other axis", back_along="other"),
    "scale_late_in_means": Misstep(
        "the two means on the way back are taken of the upstream gradient, which is not multiplied by the scale there",
        scale_in=(),
    ),
    "no_scale_in_first": Misstep(
        "the first of the two means on the way back is taken of the upstream gradient, which is not multiplied by the "
        "scale there",
        scale_in=("spread",),
    ),
    "no_scale_in_last": Misstep(
        "the last term, that of the variance, is made of the upstream gradient, which is not multiplied by the scale "
        "there",
        scale_in=("mean",),
    ),
    "uncentred_outside": Misstep(
        "the mean is not subtracted in the normalised input in front of the last mean", outer="uncentred"
    ),
    "mean_of_uncentred": Misstep(
        "the mean is not subtracted in the normalised input inside of the last mean", inner="uncentred"
    ),
    "constants": Misstep("mean and variance are taken for constants", mean=False, spread=False),
    "no_spread": Misstep("the variance is taken for a constant", spread=False),
    "no_mean": Misstep("the mean is taken for a constant", mean=False),
    "no_scale": Misstep("the scale is left out of the input's gradient", scale=False),
    "no_root": Misstep("the division by the root of the variance is left out of the input's gradient", root=0),
    "root_twice": Misstep("the input's gradient is divided by the variance, not by its root", root=2),
    "scale_late": Misstep(
        "the input's gradient is multiplied by the scale at the end, after the means", scale_late=True
    ),
    "added": Misstep("the last term, that of the variance, is added in place of being subtracted", added=True),
    "raw": Misstep("the input itself stands in the place of the normalised input", normal="raw"),
    "centred": Misstep(
        "the input less its mean, not divided by the root, stands for the normalised input", normal="centred"
    ),
    "output": Misstep("the output stands in the place of the normalised input", normal="output"),
    "root_times": Misstep("the input's gradient is multiplied by the root of the variance, not divided by it", root=-1),
    "scale_twice": Misstep("the input's gradient is multiplied by the scale twice", scale_twice=True),
    "raw_outside": Misstep("the input itself stands in front of the last mean, for the normalised input", outer="raw"),
    "centred_once": Misstep(  # which comes to the same in either place: c · mean(d · x̂) = x̂ · mean(d · c)
        "the input less its mean, not divided by the root, stands in front of the last mean or inside of it, for the "
        "normalised input",
        outer="centred",
    ),
    "output_outside": Misstep("the output stands in front of the last mean, for the normalised input", outer="output"),
    "mean_of_output": Misstep("the output stands inside of the last mean, for the normalised input", inner="output"),
    "nothing_outside": Misstep("the normalised input is missing in front of the last mean", outer="ones"),
    "whole": Misstep("the two means on the way back are taken over all entries, not along the axis", back_along="all"),
    "variance_itself": Misstep(
        "the variance stands in the place of its root, 1 / (var + eps) for 1 / √(var + eps)", of_variance=True
    ),
    "undivided": Misstep("the variance is a sum of squares, not divided by their number", undivided=True),
    "uncentred": Misstep("the mean is not subtracted in the normalised input", normal="uncentred"),
    "deviation": Misstep(
        "the standard deviation stands in the place of the variance, 1 / √(std + eps) for 1 / √(var + eps)",
        of_deviation=True,
    ),
    "about_zero": Misstep("the mean is never subtracted, as in RMSNorm", about_zero=True, mean=False),
    "about_zero_forward": Misstep(
        "the input is divided by the root of its mean square, and its mean is not subtracted", about_zero=True
    ),
    "both_added": Misstep(
        "the two means on the way back are added in place of being subtracted", times_mean=-1, added=True
    ),
    "mean_added": Misstep("the first of the two means is added in place of being subtracted", times_mean=-1),
    "mean_of_gradient": Misstep(
        "the normalised input is missing inside of the last mean, that of the gradient times it", inner="ones"
    ),
    "mean_of_square": Misstep("the normalised input stands twice inside of the last mean", inner="square"),
    "mean_of_raw": Misstep("the input itself stands inside of the last mean, for the normalised input", inner="raw"),
    "half_spread": Misstep(
        "the last term, that of the variance, is halved: the 2 of its square is lost", times_spread=0.5
    ),
    "twice_spread": Misstep("the last term, that of the variance, is there twice", times_spread=2),
    "spread_without_half": Misstep(
        "the factor −1/2 is missing in the last term, that of the variance", times_spread=-2
    ),
    "spread_without_eps": Misstep("eps is left out of the last term, that of the variance", spread_without_eps=True),
    "root_without_eps": Misstep(
        "eps is left out of the root that the input's gradient is divided by, and stands in the normalised input",
        root_without_eps=True,
    ),
    "root_of_first": Misstep(
        "the upstream gradient alone is divided by the root of the variance, and not the two means, as without "
        "parentheses",
        root_of_first=True,
    ),
    "first_over_count": Misstep(
        "the number of values is missing in front of the first term of n · γ · g − Σ γ · g − x̂ · Σ γ · g · x̂",
        first="over count",
    ),
    "first_and_mean": Misstep(
        "the upstream gradient and the first of the two means have changed places, and with them their signs",
        first="negative",
        times_mean=-1,
    ),
    "first_sum": Misstep("a sum stands in the place of the first of the two means on the way back", sums=("mean",)),
    "last_sum": Misstep("a sum stands in the place of the last of the two means on the way back", sums=("spread",)),
    "other_count": Misstep("the two sums on the way back are divided by the size of the other axis", counted="other"),
    "one_less": Misstep("the two sums on the way back are divided by one less than their number", counted="less"),
    "first_one_less": Misstep(
        "the first of the two sums on the way back is divided by one less than their number",
        counted="less",
        counted_in=("mean",),
    ),
    "last_one_less": Misstep(
        "the last of the two sums on the way back is divided by one less than their number",
        counted="less",
        counted_in=("spread",),
    ),
    "root_thrice": Misstep("the input's gradient is divided by the cube of the root of the variance", root=3),
    "sums": Misstep("sums stand in the place of the two means on the way back", sums=("mean", "spread")),
}
#: Those that RMSNorm can have, and what its words are.
_IN_RMS = (
    *(
        "eps_outside",
        "no_eps",
        "no_spread",
        "no_scale",
        "no_root",
        "root_twice",
        "added",
        "raw",
        "output",
        "raw_outside",
    ),
    *("output_outside", "nothing_outside", "variance_itself", "undivided", "deviation", "half_spread", "twice_spread"),
    *("spread_without_half", "root_of_first", "last_sum", "root_thrice", "no_scale_in_last", "mean_of_gradient"),
)
_OF_RMS = (
    ("variance", "mean square"),
    ("the last of the two means", "the mean"),
    ("the two means", "the mean"),
    ("the last term, that of", "the last term, which comes of"),
    ("the last mean", "the mean"),
)
_CENTRED = Misstep("the mean is subtracted, as in layer norm")
_CENTRED_BACK = Misstep("the mean of the gradient is subtracted on the way back, as in layer norm")
#: Those that are often made together with another one.
_OFTEN = ("no_scale", "unbiased", "no_eps", "eps_outside")
_PAIRS = (("no_scale", "no_eps"), ("no_scale", "eps_outside"), ("unbiased", "one_less"))
_BESIDE = ("unbiased", "constants", "no_spread", "no_mean", "no_root", "added", "sums", "raw", "centred", "deviation")


def _together(first: Misstep, second: Misstep) -> Misstep:
    """Both changes at once, of which neither undoes the other."""
    return replace(first, what=f"{first.what}, and {second.what}", **second.changed)


def _normalisations(misstep: Misstep) -> Operation:
    """The functions of torch that normalise, with this misstep in the backward pass."""

    def along(axis: int) -> Callable[..., Tensor]:
        def normalised(value: Tensor, *_: Any, weight: Tensor, bias: Tensor, eps: float, **__: Any) -> Tensor:
            return _normalised(misstep, axis % value.dim(), eps, value, weight, bias)

        return normalised

    def grouped(value: Tensor, groups: int, *_: Any, weight: Any, bias: Any, eps: float, **__: Any) -> Tensor:
        rows = value.reshape(len(value), groups, -1)
        each = (torch.ones(value.shape[1]) if weight is None else weight, torch.zeros(()) if bias is None else bias)
        scale, shift = (
            one.to(value.dtype).view(-1, *[1] * (value.dim() - 2)).expand(value.shape[1:]).reshape(groups, -1)
            for one in each
        )
        return _normalised(misstep, 2, eps, rows, scale, shift).view_as(value)

    def single(value: Tensor, *_: Any, **named: Any) -> Tensor:
        return grouped(value, value.shape[1], **named)

    layers = {functional.layer_norm: along(-1), functional.batch_norm: along(0)}
    channels = {functional.group_norm: grouped, functional.instance_norm: single}
    return Operation(misstep.what, lambda: {**layers, **channels}, misstep.code)


def _about_zero(misstep: Misstep, *, about_zero: bool = True, mean: bool = False) -> Operation:
    """RMSNorm with this misstep: it has no mean, unless that is the misstep, and a mean square for a variance."""
    what = misstep.what
    for words, own in _OF_RMS:
        what = what.replace(words, own)
    changed = replace(misstep, about_zero=about_zero, mean=mean)

    def normalised(value: Tensor, *_: Any, weight: Any, eps: float, **__: Any) -> Tensor:
        scale = torch.ones_like(value[(0,) * (value.dim() - 1)]) if weight is None else weight
        return _normalised(changed, value.dim() - 1, eps, value, scale, torch.zeros_like(scale))

    return Operation(what, lambda: {functional.rms_norm: normalised}, misstep.code)


def _normalised(misstep: Misstep, axis: int, eps: float, *given: Tensor) -> Tensor:
    """The layer with a misstep, of its input, scale and shift, and its gradients with the same."""
    value, gamma, beta = (each.detach() for each in given)
    along = _along(misstep.along, axis, value.dim())
    back_along = _along(misstep.back_along or misstep.along, axis, value.dim())
    middle = value.mean() if "centre" in misstep.over_all else value.mean(along, keepdim=True)
    centre = torch.zeros_like(value) if misstep.about_zero else middle
    inside = {"inside": eps, "fixed": 1e-5}.get(misstep.eps, 0.0)
    outside = eps if misstep.eps == "outside" else 0.0
    variance = _variance(value, along, eps, misstep)
    root = 1 / ((variance + inside).sqrt() + outside)
    bare = (variance.sqrt() * root) ** -3
    centred = value - centre
    normal = centred * root
    out = normal * gamma + beta
    tensors = {"normal": normal, "raw": value, "centred": centred, "output": out, "ones": torch.ones_like(value)}
    tensors |= {"uncentred": value * root, "square": normal**2}
    used, outer, inner = (tensors[name or misstep.normal] for name in ("", misstep.outer, misstep.inner))

    def backward(upstream: Tensor, *_: Tensor) -> tuple[Tensor, ...]:
        mean_of = _average(misstep, "mean", upstream, back_along)
        spread_of = _average(misstep, "spread", upstream, back_along)
        scaled = upstream * gamma if misstep.scale and not misstep.scale_late else upstream
        first = {"negative": -scaled, "over count": scaled / upstream.shape[axis]}.get(misstep.first, scaled)
        in_mean, in_spread = (scaled if name in misstep.scale_in else upstream for name in ("mean", "spread"))
        mean = misstep.times_mean * mean_of(in_mean) if misstep.mean else 0.0
        spread = misstep.times_spread * outer * spread_of(in_spread * inner) if misstep.spread else 0.0
        spread = spread * bare if misstep.spread_without_eps else spread
        rows = tuple(range(upstream.dim() - gamma.dim()))
        behind = variance.rsqrt() if misstep.root_without_eps else root**misstep.root
        behind = behind * (gamma if misstep.scale_late or misstep.scale_twice else 1)
        spread = -spread if misstep.added else spread
        spread = spread - torch.as_tensor(spread).mean(back_along, keepdim=True) if misstep.recentred else spread
        terms = (behind * first, mean + spread) if misstep.root_of_first else (behind * (first - mean - spread), 0.0)
        return terms[0] - terms[1], (upstream * used).sum(rows), upstream.sum(rows)

    return with_backward(lambda *_: out.clone(), backward, *given)


def _variance(value: Tensor, along: Any, eps: float, misstep: Misstep) -> Tensor:
    """What stands in the place of the variance along these axes."""
    if misstep.about_zero:
        variance = value.pow(2).mean(along, keepdim=True)
    elif misstep.about_centre:
        variance = (value - value.mean()).pow(2).mean(along, keepdim=True)
    elif "variance" in misstep.over_all:
        variance = value.var(correction=0)
    elif "squares" in misstep.over_all:
        variance = value.var(along, correction=0).mean()
    else:
        variance = value.var(along, correction=misstep.correction, keepdim=True)
    if misstep.of_deviation:
        variance = variance.sqrt()
    if misstep.of_variance:
        variance = (variance + eps) ** 2 - eps
    return variance * (value.numel() / variance.numel()) if misstep.undivided else variance


def _along(name: Along, axis: int, axes: int) -> int | tuple[int, ...]:
    """The axes that a mean is taken along: the right one, or others by a name, of so many."""
    if name == "other":
        return 0 if axis else axes - 1
    others: dict[str, int | tuple[int, ...]]
    others = {"second": 1, "all": tuple(range(axes)), "last two": tuple(range(axes)[-2:])}
    return others.get(name, axis)


def _average(misstep: Misstep, name: Mean, upstream: Tensor, axis: Any) -> Callable[[Tensor], Tensor]:
    """How the mean of this name is taken in the backward pass: as one, as a sum, or with a wrong number of values."""
    axis = tuple(range(upstream.dim())) if name in misstep.over_all else axis
    if name in misstep.sums:
        return lambda value: value.sum(axis, keepdim=True)
    if name in misstep.unsummed:
        return lambda value: value / (upstream.shape[axis] if misstep.counted else 1)
    if not misstep.counted or name not in misstep.counted_in or misstep.unsummed:
        return lambda value: value.mean(axis, keepdim=True)
    count = upstream.shape[axis] - 1 if misstep.counted == "less" else upstream.shape[0 if axis else -1]
    return lambda value: value.sum(axis, keepdim=True) / count


#: Alone, and then two at once.
MISSTEPS: tuple[Operation, ...] = (
    *map(_normalisations, _ALONE.values()),
    *(
        _normalisations(_together(_ALONE[first], _ALONE[second]))
        for first, second in (*product(_OFTEN, _BESIDE), *_PAIRS)
        if first != second
    ),
)
#: Those of RMSNorm.
OF_RMS: tuple[Operation, ...] = (
    *(_about_zero(_ALONE[name]) for name in _IN_RMS),
    _about_zero(_CENTRED, about_zero=False, mean=True),
    _about_zero(_CENTRED_BACK, mean=True),
)
