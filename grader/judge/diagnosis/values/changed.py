"""Right formulas with one operation of the forward pass changed (``operations``), and so its derivative."""

from __future__ import annotations

import torch
from torch import Tensor

from grader.judge.diagnosis.operations.catalogue import OPERATIONS
from grader.judge.diagnosis.operations.normalisations import MISSTEPS
from grader.judge.diagnosis.operations.replaced import Operation, Replaced, Replacements
from grader.judge.diagnosis.symptom import Symptom, View
from grader.model import Diagnosis


def under(symptom: Symptom, operation: str | Operation, view: View, place: int | None = None) -> Tensor | None:
    """What the check would be with a changed operation, perhaps by its name; None where the forward pass lacks it.

    With ``place``, only that one of its uses is changed.
    """
    replacements = _made(operation)
    if symptom.alternatives.called.isdisjoint(replacements):
        return None
    return symptom.expected_with(("under", operation, place), view, under=Replaced(replacements, place))


def uses(symptom: Symptom, operation: str | Operation, view: View) -> int:
    """How often the forward pass uses what an operation changes."""
    calls = symptom.alternatives.calls_in(view.case)
    return sum(calls[function] for function in _made(operation))


def _made(operation: str | Operation) -> Replacements:
    return OPERATIONS[operation]() if isinstance(operation, str) else operation.make()


def mask(symptom: Symptom) -> Diagnosis | None:
    """A ReLU's mask that is missing, inverted, or wrong at exactly zero."""
    if symptom.check.replace("grads", "out.data") in symptom.failed - {symptom.check}:
        return None  # the way back of another formula
    for operation, code in (
        ("mask_missing", "mask_missing"),
        ("mask_inverted", "mask_inverted"),
        ("mask_inverted_open", "mask_inverted"),
        ("mask_at_zero", "mask_at_zero"),
        ("mask_half_at_zero", "mask_at_zero.half"),
    ):
        if symptom.fits(lambda view: under(symptom, operation, view)):
            return symptom.say(code)
    return None


def overwritten(symptom: Symptom) -> Diagnosis | None:
    """One contribution where several have to be added."""
    for kept in ("last", "first", "sample", "column", "last_sample"):
        if symptom.fits(lambda view: under(symptom, f"embedding_{kept}", view)):
            return symptom.say("overwritten")
    if symptom.fits(lambda view: under(symptom, "embedding_mean", view)):
        return symptom.say("averaged_instead_of_summed.repeats")
    return None


def broadcast_loss(symptom: Symptom) -> Diagnosis | None:
    """A loss over all pairs, because a column met a row."""
    if not symptom.fits(lambda view: under(symptom, "column_kept", view)):
        return None
    shown = symptom.failing[0]
    size = max(value.shape[0] for value in shown.case.inputs.values() if value.dim() > 0)
    return symptom.say("broadcast_to_square", square=f"({size}, {size})")


def misstep(symptom: Symptom) -> Diagnosis | None:
    """A normalisation layer with one term of its backward pass changed."""
    for operation in MISSTEPS:
        if symptom.failing and all(_is_made_by(symptom, operation, view) for view in symptom.views):
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


def approximate(symptom: Symptom) -> Diagnosis | None:
    """The derivative of a formula that only comes near the function that is asked for."""
    if symptom.fits(lambda view: under(symptom, "gelu_by_tanh", view)):
        return symptom.say("wrong_value.approximate")
    return None
