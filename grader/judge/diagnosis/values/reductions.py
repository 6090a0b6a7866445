"""One entry, or the sum of all, where a sum along some axes is asked for."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import torch
from torch import Tensor

from grader.judge.diagnosis.symptom import Symptom, View
from grader.model import Diagnosis

Reduce = Callable[[Tensor, int], Tensor]
_SUM: Reduce = lambda value, axis: value.sum(axis, keepdim=True)  # noqa: E731
#: What stands in the place of a sum along an axis, which stays with size one.
_PICKS: dict[str, Reduce] = {
    "the first entry": lambda value, axis: value.narrow(axis, 0, 1),
    "the last entry": lambda value, axis: value.narrow(axis, value.shape[axis] - 1, 1),
    "the largest entry": lambda value, axis: value.amax(axis, keepdim=True),
    "the smallest entry": lambda value, axis: value.amin(axis, keepdim=True),
}
#: Entries in the failing cases below which an agreement may be chance.
_ENTRIES = 6


def picked(symptom: Symptom) -> Diagnosis | None:
    """One entry along the axes that have to be summed, or along those of them that go, or stay with size one."""
    if symptom.is_thin(entries=_ENTRIES) or any(view.came.shape != view.expected.shape for view in symptom.views):
        return None
    for name in symptom.failing[0].case.inputs:
        if not all(_is_sum_of(view, name) for view in symptom.views):
            continue
        if symptom.fits(lambda view: _regrouped(view, name, 0)) or symptom.fits(lambda view: _regrouped(view, name, 1)):
            return symptom.say("wrong_value.regrouped")
        for (what, pick), (gone, kept) in product(_PICKS.items(), ((True, True), (True, False), (False, True))):
            if symptom.fits(lambda view: _reduced(view, name, pick if gone else _SUM, pick if kept else _SUM)):
                return symptom.say("wrong_value.picked", what=what)
    return None


def _regrouped(view: View, name: str, axis: int) -> Tensor | None:
    """The sums of an input's entries in as many groups as the answer has entries, whatever its axes are."""
    value, count = view.case.inputs.get(name), view.expected.numel()
    if value is None or not count or value.numel() % count:
        return None
    groups = value.detach().to(torch.float64).reshape((-1, count) if axis == 0 else (count, -1))
    return groups.sum(axis).reshape(view.expected.shape)


def _is_sum_of(view: View, name: str) -> bool:
    """Whether the right answer is an input, summed."""
    right = _reduced(view, name, _SUM, _SUM)
    return right is not None and view.is_near(right, view.expected)


def _reduced(view: View, name: str, gone: Reduce, kept: Reduce) -> Tensor | None:
    """An input reduced to the answer's shape: along the axes that the answer lacks, and those that it has as one."""
    value, shape = view.case.inputs.get(name), view.expected.shape
    lacking = -1 if value is None else value.dim() - len(shape)
    if value is None or lacking < 0 or not value.is_floating_point():
        return None
    made = value.detach().to(torch.float64)
    for axis, size in enumerate((*(1 for _ in range(lacking)), *shape)):
        if made.shape[axis] != size:
            if size != 1:
                return None
            made = (gone if axis < lacking else kept)(made, axis)
    return made.reshape(shape)
