"""What the cases of an exercise never show: an input that could as well be left out, a step that never does anything.

An input that the expected values hang on, but drawn so that 0, 1 or infinity in its place gives the very same ones in
every case, is none that a right answer needs: a mask of ones, a bound that nothing reaches, a weight decay of 0. What
they never hang on (a bias, of a linear layer's gradients) is none of these, nor is what makes a small difference or
guards against what never comes, such as an ``eps``, nor a state that begins with zeros. A step is asked about where a
gradient goes back through it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from grader.judge.diagnosis.alternatives import Alternatives, Changed
from grader.judge.diagnosis.operations.catalogue import EMBEDDINGS, MASKS
from grader.judge.diagnosis.operations.replaced import Operation, Replaced, Replacements
from grader.model import Case

Change = Callable[[Any], Any]

#: What stands for an input that is left out: of a product, of a sum or as a bound.
_OF_TENSORS: Mapping[str, Change] = {"a tensor of ones": torch.ones_like, "a tensor of zeros": torch.zeros_like}
_OF_NUMBERS: Mapping[str, Change] = {"1": lambda _: 1.0, "0": lambda _: 0.0, "∞": lambda _: math.inf}
#: Other values, by which it shows whether anything hangs on an input at all.
_OTHERS: Mapping[str, Change] = {
    "negated": lambda value: -value,
    "the rest": lambda value: 1 - value,
    "a third": lambda value: (value / 3).to(value.dtype) if isinstance(value, Tensor) else value / 3,
}
#: Steps of a forward pass, the mistake that nobody sees where one does nothing, and why.
_STEPS: tuple[tuple[Operation, str, str], ...] = (
    (MASKS[0], "relu_mask_missing", "the ReLU lets all of it through in every case; draw values that it shuts out"),
    (EMBEDDINGS[0], "rows_overwritten", "no index names a row twice in any case; draw one that does"),
)
#: Up to which size a number that is not 0 is a guard, such as an ``eps``.
_GUARD = 1e-2
#: Up to which share of the largest entry values are the very same, and from which on they are others for certain.
_SAME, _OTHER = 1e-12, 1e-6


def never_shown(alternatives: Alternatives) -> Iterator[tuple[str, str]]:
    """The mistakes that no case shows: the name of each, and why."""
    for name in alternatives.exercise.parameters:
        told = _idle(alternatives, name)
        if told is not None:
            yield f"{name}_left_out", f"{told} in the place of `{name}` changes nothing in any case; draw it otherwise"
    for operation, mistake, why in _STEPS:
        if _hidden(alternatives, operation, mistake):
            yield mistake, why


def _idle(alternatives: Alternatives, name: str) -> str | None:
    """What may stand in the place of an input, in words; None where nothing may, or nothing hangs on it at all."""
    values = [one.case.inputs.get(name, one.case.constants.get(name)) for one in alternatives.prepared]
    if all(isinstance(value, Tensor) for value in values):
        table = _OF_TENSORS
        if not any(torch.any(value) for value in values if isinstance(value, Tensor)):
            return None
    elif all(type(value) is float and not 0 < abs(value) <= _GUARD for value in values):
        table = _OF_NUMBERS
    else:
        return None
    effects = {
        told: _effect(alternatives, f"{name}: {told}", partial(_with, name, change))
        for told, change in (*table.items(), *_OTHERS.items())
    }
    matters = any(_OTHER < effect < math.inf for effect in effects.values())
    return next((told for told in table if effects[told] <= _SAME), None) if matters else None


def _hidden(alternatives: Alternatives, operation: Operation, mistake: str) -> bool:
    """Whether a gradient goes back through the step that is changed, and none becomes another one by the change."""
    steps = operation.make()
    if alternatives.called.isdisjoint(steps):
        return False
    cut = {step: _cut(step) for step in steps}
    asked = _effect(alternatives, f"{mistake}: cut", partial(_under, cut)) > _SAME
    return asked and _effect(alternatives, mistake, partial(_under, steps)) <= _SAME


def _under(replacements: Replacements, case: Case) -> Changed:
    return {"under": Replaced(replacements)}


def _cut(step: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """``step`` with no way back; rows that are only put in another order keep theirs, for none comes twice."""

    def cut(*args: Any, **options: Any) -> Tensor:
        out = step(*args, **options)
        return out if step is functional.embedding and out.shape == args[1].shape else out.detach()

    return cut


def _with(name: str, change: Change, case: Case) -> Changed:
    if name in case.inputs:
        return {"inputs": {name: change(case.inputs[name])}}
    return {"constants": {name: change(case.constants[name])}}


def _effect(alternatives: Alternatives, key: str, changed: Callable[[Case], Changed]) -> float:
    """By which share of their largest entry expected values change: that of the first case to tell, or the largest.

    It is infinite where the forward pass does not work on what is changed, or gives what is no number.
    """
    largest = 0.0
    for one in alternatives.prepared:
        other = alternatives.reference(key, one.case, **changed(one.case))
        right = alternatives.reference("unchanged", one.case)
        if other is None or right is None:
            return math.inf
        for check in set(one.case.checks) & set(right):
            largest = max(largest, _share(other[check], right[check]))
        if not largest <= _OTHER:
            break
    return largest


def _share(other: Tensor, right: Tensor) -> float:
    if other.shape != right.shape or not bool(other.isfinite().all()):
        return math.inf
    if torch.equal(other, right):
        return 0.0
    difference = (other.to(torch.float64) - right.to(torch.float64)).abs().max()
    return float(difference) / max(float(right.abs().max()), float(other.abs().max()))
