"""Right formulas with one operation of the forward pass changed (``operations``), and so its derivative."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from grader.judge.diagnosis import clues
from grader.judge.diagnosis.operations.catalogue import COLUMN_KEPT, EMBEDDINGS, GELU_BY_TANH, MASKS
from grader.judge.diagnosis.operations.normalisations import MISSTEPS, OF_RMS
from grader.judge.diagnosis.operations.products import OF_MATRICES
from grader.judge.diagnosis.operations.replaced import Operation, Replaced
from grader.judge.diagnosis.symptom import Symptom, View
from grader.model import Diagnosis


def under(symptom: Symptom, operation: Operation, view: View, place: int | None = None) -> Tensor | None:
    """What the check would be with a changed operation; None where the forward pass lacks it.

    With ``place``, only that one of its uses is changed.
    """
    replacements = operation.make()
    if symptom.alternatives.called.isdisjoint(replacements):
        return None
    return symptom.expected_with(("under", operation, place), view, under=Replaced(replacements, place))


def uses(symptom: Symptom, functions: Iterable[Any], view: View) -> int:
    """How often the forward pass calls ``functions``, such as those that an operation changes."""
    calls = symptom.alternatives.calls_in(view.case)
    return sum(calls[function] for function in functions)


def mask(symptom: Symptom) -> Diagnosis | None:
    """A ReLU's mask that is missing, inverted, or wrong at exactly zero."""
    if symptom.check.replace("grads", "out.data") in symptom.failed - {symptom.check}:
        return None  # the way back of another formula
    found = first_of(symptom, MASKS)
    if found is None or not _is_of_a_loss(symptom):
        return found
    return symptom.say(f"{found.code}.loss") if found.code in {"mask_missing", "mask_inverted"} else found


def _is_of_a_loss(symptom: Symptom) -> bool:
    """Whether nothing arrives from above, and no layers or names speak of a ReLU: a hinge loss is max(0, x)."""
    stub, given = symptom.evidence.stub, any(view.case.upstream is not None for view in symptom.views)
    layered = uses(symptom, (*OF_MATRICES, functional.linear), symptom.views[0]) > 1
    return not given and not layered and stub is not None and "relu" not in stub.source.lower()


def overwritten(symptom: Symptom) -> Diagnosis | None:
    """One contribution where several have to be added."""
    return first_of(symptom, EMBEDDINGS)


def first_of(symptom: Symptom, operations: Sequence[Operation]) -> Diagnosis | None:
    """The first changed operation that gives what came."""
    for operation in operations:
        if symptom.fits(lambda view: under(symptom, operation, view)):
            return symptom.say(operation.key, what=operation.what)
    return None


def broadcast_loss(symptom: Symptom) -> Diagnosis | None:
    """A loss over all pairs, because a column met a row."""
    if not symptom.fits(lambda view: under(symptom, COLUMN_KEPT, view)):
        return None
    shown = symptom.failing[0]
    size = max(value.shape[0] for value in shown.case.inputs.values() if value.dim() > 0)
    return symptom.say("broadcast_to_square", square=f"({size}, {size})")


def misstep(symptom: Symptom) -> Diagnosis | None:
    """A normalisation layer with one term of its backward pass changed."""
    for operation in (*MISSTEPS, *OF_RMS):
        if all(_is_made_by(symptom, operation, view) for view in symptom.views):
            return symptom.say("wrong_value.misstep", operation.code, what=operation.what)
    return None


def _is_made_by(symptom: Symptom, operation: Operation, view: View) -> bool:
    """Whether a misstep gives what came, in the entries that it leaves finite: one value alone has no spread."""
    predicted = under(symptom, operation, view)
    if predicted is None or predicted.shape != view.came.shape:
        return False
    finite = predicted.isfinite()
    if not torch.equal(finite, view.actual.isfinite()):
        return False
    return view.is_near(predicted.where(finite, 0.0), view.actual.where(finite, 0.0))


def read_too_late(symptom: Symptom) -> Diagnosis | None:
    """What the line that writes this gradient reads was changed before, under another name."""
    clue = clues.also_changed(symptom.evidence.stub, symptom.path)
    if not clue or not all(view.is_alike for view in symptom.failing):
        return None
    copy = "copy" if symptom.exercise.numpy else "clone"
    return symptom.say("wrong_value.read_too_late", clue=clue, copy=copy)


def approximate(symptom: Symptom) -> Diagnosis | None:
    """The derivative of a formula that only comes near the function that is asked for."""
    return first_of(symptom, (GELU_BY_TANH,))
