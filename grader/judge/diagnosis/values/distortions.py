"""The right answer with one more function applied to it: clipped, rounded, normalised, its signs alone."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from grader.judge.diagnosis.symptom import Symptom, View
from grader.judge.diagnosis.words import wording
from grader.model import Diagnosis

#: The decimals to which students round.
_DECIMALS = (0, 1, 2, 3, 4)
#: By how much of its last digit a rounded number may be off, that of the number itself included.
_HALF = 0.501
#: How many times finer than the last digit the tolerance has to be, in one case, to tell that there are no others.
_FINE = 8
#: Entries beyond a limit, and those within it, below which it may be chance; and those that show a proportion.
_ENOUGH = 3
#: Failing cases below which it may be chance, and the derivative below which its reciprocal is lost in rounding.
_CASES, _STEEP = 2, 0.05
_FUNCTIONS: tuple[tuple[str, Callable[[Tensor], Tensor]], ...] = (
    ("absolute", torch.abs),
    ("squared", torch.square),
    ("root", torch.sqrt),
    ("rounded", torch.floor),
    ("signs", torch.sign),
    ("unit", lambda value: value / value.norm()),
    ("reciprocal", torch.reciprocal),
)


def function(symptom: Symptom) -> Diagnosis | None:
    """A simple function of the right answer."""
    for name, made in _FUNCTIONS:
        if symptom.fits(lambda view: made(view.expected)):
            return symptom.say(f"wrong_value.{name}")
    return None


def inverted(symptom: Symptom) -> Diagnosis | None:
    """The upstream gradient divided by the derivative; told by the entries where that is neither near 0 nor near ±1."""
    if not symptom.is_gradient or not all(_is_quotient(view) for view in symptom.views):
        return None
    if sum(bool(_steep(view).any()) and not view.finding.passed for view in symptom.views) < _CASES:
        return None
    return symptom.say("wrong_value.inverted", upstream=f"`{symptom.name_of('upstream')}`")


def _steep(view: View) -> Tensor:
    """The entries in which the derivative can be told from the upstream gradient and what is expected."""
    upstream = view.case.upstream
    if upstream is None or upstream.shape != view.expected.shape:
        return torch.zeros_like(view.expected, dtype=torch.bool)
    return (upstream != 0) & (view.expected.abs() > _STEEP * upstream.abs())


def _is_quotient(view: View) -> bool:
    upstream, steep = view.case.upstream, _steep(view)
    if upstream is None or upstream.shape != view.expected.shape or view.came.shape != view.expected.shape:
        return False
    arrived = upstream.to(torch.float64)[steep]
    predicted, expected = arrived**2 / view.expected[steep], view.expected[steep]
    told = view.finding.passed or not steep.any() or not view.is_near(expected, predicted)
    return told and (view.finding.passed or view.is_near(predicted, view.actual[steep]))


def limited(symptom: Symptom) -> Diagnosis | None:
    """Cut to limits that are the same in every case: on both sides, or on one."""
    low = min(float(view.actual.min()) for view in symptom.failing)
    high = max(float(view.actual.max()) for view in symptom.failing)
    both = max(-low, high)
    for least, most, beyond in (
        (-both, both, f"larger than {wording.number(both)} or smaller than {wording.number(-both)}"),
        (low, math.inf, f"smaller than {wording.number(low)}"),
        (-math.inf, high, f"larger than {wording.number(high)}"),
    ):
        outside = sum(int(((view.expected < least) | (view.expected > most)).sum()) for view in symptom.failing)
        within = sum(int(((view.expected > least) & (view.expected < most)).sum()) for view in symptom.failing)
        cut = min(outside, within) >= _ENOUGH
        if cut and symptom.fits(lambda view: view.expected.clamp(least, most)):
            lowest = min(float(view.expected.min()) for view in symptom.failing)
            if least > 0 and lowest == 0:
                return symptom.say("wrong_value.limited.other", limit=wording.number(least))
            return symptom.say("wrong_value.limited", beyond=beyond)
    return None


def nearest(symptom: Symptom) -> Diagnosis | None:
    """Rounded to some decimals."""
    for decimals in _DECIMALS:
        digit = 10.0**-decimals
        fine = any(view.tolerance(view.expected) < digit / _FINE for view in symptom.failing)
        if fine and all(_is_rounded(view, decimals, digit) for view in symptom.failing):
            to = f"{decimals} decimals" if decimals > 1 else "1 decimal" if decimals else "whole numbers"
            return symptom.say("wrong_value.nearest", to=to)
    return None


def _is_rounded(view: View, decimals: int, digit: float) -> bool:
    """Whether each entry is the right one to so many decimals."""
    close = (view.actual - view.expected).abs() <= _HALF * digit + view.tolerance(view.expected)
    return view.is_near(view.actual.round(decimals=decimals)) and bool(close.all())


def varying(symptom: Symptom) -> Diagnosis | None:
    """The right answer times a number that differs from case to case, for no known reason."""
    if symptom.ratios is None or symptom.exercise.measure is not None:
        return None
    known = [
        (view, ratio)
        for view, ratio in zip(symptom.views, symptom.ratios, strict=True)
        if ratio is not None and not view.finding.passed and view.expected.numel() >= _ENOUGH
    ]
    if not known or not all(math.isfinite(ratio) and ratio for _, ratio in known):
        return None
    first, one = known[0]
    others = (pair for pair in known if wording.number(pair[1]) != wording.number(one))
    if (found := next(others, None)) is None:
        return None
    second, other = found
    return symptom.say(
        "wrong_value.varying",
        one=wording.number(one),
        first=first.case.describe(),
        other=wording.number(other),
        second=second.case.describe(),
    )
