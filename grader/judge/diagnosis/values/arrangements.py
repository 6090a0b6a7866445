"""The right answer's own numbers, some of them or elsewhere: cut, one for all, repeated, moved, in another order.

Nothing else of the case is looked at; what came together with something given is found by ``relations``.
"""

from __future__ import annotations

from itertools import combinations, permutations, product

import torch
from torch import Tensor

from grader.judge.diagnosis.symptom import Symptom, View
from grader.judge.diagnosis.words import wording
from grader.model import Diagnosis

#: Failing cases, and entries in them, below which an agreement may be chance.
_CASES, _ENTRIES = 2, 4


def constant(symptom: Symptom) -> Diagnosis | None:
    """One number, in every entry of every case."""
    number = symptom.failing[0].actual.flatten()[0]
    if all(torch.equal(view.actual, number.expand_as(view.actual)) for view in symptom.views):
        return symptom.say("wrong_value.constant", number=wording.number(float(number)))
    return None


def in_part(symptom: Symptom) -> Diagnosis | None:
    """Some entries right, and zeros in the place of the others."""
    if not symptom.fits(lambda view: view.expected.where(view.actual != 0, 0.0)):
        return None
    partly = [view for view in symptom.failing if bool(view.actual.any())]  # in a small case, all may be cut
    if len(partly) < _CASES:
        return None
    first = partly[0]
    right = int(((first.actual != 0) | (first.expected == 0)).sum())
    cut = all(view.is_near(view.expected.clamp(min=0.0)) for view in symptom.views)
    key = "wrong_value.cut" if cut and not symptom.is_gradient else "wrong_value.in_part"
    return symptom.say(key, right=right, total=first.expected.numel())


def beside_zeros(symptom: Symptom) -> Diagnosis | None:
    """All entries right but those that have to be 0."""
    if not symptom.fits(lambda view: view.expected.where(view.expected != 0, view.actual)):
        return None
    first = symptom.failing[0]
    right = int((first.expected != 0).sum())
    if sum(int((view.expected != 0).sum()) for view in symptom.failing) < _ENTRIES or not right:
        return None
    return symptom.say("wrong_value.beside_zeros", right=right, total=first.expected.numel())


def complement(symptom: Symptom) -> Diagnosis | None:
    """0 in just those entries that must not be 0, and in no other: what a mask lets through, the wrong way round."""
    entries = [view for view in symptom.failing if bool((view.expected == 0).any()) and bool(view.expected.any())]
    inverted = all(torch.equal(view.actual == 0, view.expected != 0) for view in symptom.failing)
    return symptom.say("mask_inverted.zeros") if len(entries) >= _CASES and inverted else None


def moved(symptom: Symptom) -> Diagnosis | None:
    """The right numbers shifted by one place along one axis or several, but for those that come in at the edge."""
    for axes in _choices(symptom):
        if any(view.expected.shape[axis] <= _CASES for view in symptom.failing for axis in axes):
            continue
        for places in product((1, -1), repeat=len(axes)):
            if all(view.is_near(*_overlap(view, axes, places)) for view in symptom.views):
                return symptom.say("wrong_value.moved", axes=wording.axes(axes))
    return None


def _overlap(view: View, axes: tuple[int, ...], places: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """What is expected, and what came so many places further; a case that passed is as it is expected."""
    expected, actual = view.expected, view.expected if view.finding.passed else view.actual
    if view.finding.passed:
        return expected, actual
    for axis, place in zip(axes, places, strict=True):
        count = expected.shape[axis] - 1
        expected, actual = expected.narrow(axis, int(place < 0), count), actual.narrow(axis, int(place > 0), count)
    return expected, actual


def repeated(symptom: Symptom) -> Diagnosis | None:
    """The mean along one axis, or the sum, in every place of it."""
    for axis in range(min(view.expected.dim() for view in symptom.failing)):
        if sum(view.expected.shape[axis] > _CASES for view in symptom.failing) < _CASES:
            continue
        for key, reduced in (("wrong_value.repeated", torch.mean), ("wrong_value.repeated.sum", torch.sum)):
            if symptom.fits(lambda view: reduced(view.expected, axis, keepdim=True).expand_as(view.expected)):
                return symptom.say(key, axis=axis)
    if symptom.fits(lambda view: view.expected.sum().expand_as(view.expected)):
        return symptom.say("wrong_value.repeated.total")
    return None


def rearranged(symptom: Symptom) -> Diagnosis | None:
    """The right numbers in other places."""
    same = all(
        view.is_near(view.expected.flatten().sort().values, view.actual.flatten().sort().values)
        for view in symptom.views
    )
    if not same:
        return None
    if all(max(view.expected.shape, default=1) == view.expected.numel() for view in symptom.failing):
        return symptom.say("wrong_value.rearranged.row")
    for axes in _choices(symptom):
        if symptom.fits(lambda view: view.expected.flip(axes)):
            return symptom.say("wrong_value.flipped", axes=wording.axes(axes))
    reshaped = any(
        symptom.fits(lambda view: view.expected.permute(order).reshape(view.expected.shape))
        for order in permutations(range(symptom.failing[0].expected.dim()))
        if all(view.expected.dim() == len(order) for view in symptom.views)
    )
    return symptom.say("wrong_value.rearranged" if reshaped else "wrong_value.rearranged.index")


def _choices(symptom: Symptom) -> list[tuple[int, ...]]:
    """The axes that all cases have, one by one and together."""
    axes = range(min(view.expected.dim() for view in symptom.views))
    return [chosen for count in range(1, len(axes) + 1) for chosen in combinations(axes, count)]
