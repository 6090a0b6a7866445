"""Right formulas with one operation of the forward pass changed (``operations``), and so its derivative."""

from __future__ import annotations

import torch
from torch import Tensor

from grader.judge.diagnosis.operations.catalogue import OPERATIONS
from grader.judge.diagnosis.operations.normalisations import MISSTEPS
from grader.judge.diagnosis.operations.replaced import Replaced
from grader.judge.diagnosis.symptom import Symptom, View
from grader.judge.diagnosis.words import wording
from grader.model import Diagnosis


def under(symptom: Symptom, operation: str, view: View) -> Tensor | None:
    """What the check would be with a changed operation; None where the forward pass does not use it."""
    replacements = OPERATIONS[operation]()
    if symptom.alternatives.called.isdisjoint(replacements):
        return None
    return symptom.expected_with(f"under {operation}", view, under=Replaced(replacements))


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
            return wording.say(code, path=symptom.path)
    return None


def overwritten(symptom: Symptom) -> Diagnosis | None:
    """One contribution where several have to be added."""
    for operation in (
        "embedding_last",
        "embedding_first",
        "embedding_sample",
        "embedding_column",
        "embedding_last_sample",
    ):
        if symptom.fits(lambda view: under(symptom, operation, view)):
            return wording.say("overwritten", path=symptom.path)
    if symptom.fits(lambda view: under(symptom, "embedding_mean", view)):
        return wording.say("averaged_instead_of_summed.repeats", path=symptom.path)
    return None


def broadcast_loss(symptom: Symptom) -> Diagnosis | None:
    """A loss over all pairs, because a column met a row."""
    if not symptom.fits(lambda view: under(symptom, "column_kept", view)):
        return None
    shown = symptom.failing[0]
    size = max(shown.case.inputs[name].shape[0] for name in _columns(shown))
    return wording.say("broadcast_to_square", path=symptom.path, square=f"({size}, {size})")


def _columns(view: View) -> list[str]:
    return [name for name, value in view.case.inputs.items() if value.dim() > 0]


def misstep(symptom: Symptom) -> Diagnosis | None:
    """A normalisation layer with one term of its backward pass changed."""
    for name, one in MISSTEPS.items():
        if symptom.failing and all(_is_made_by(symptom, name, view) for view in symptom.views):
            return wording.say("wrong_value.misstep", one.code, path=symptom.path, what=one.what)
    return None


def _is_made_by(symptom: Symptom, name: str, view: View) -> bool:
    """Whether a misstep gives what came, in the entries that it leaves finite: one value alone has no spread."""
    predicted = under(symptom, name, view)
    if predicted is None or predicted.shape != view.actual.shape:
        return False
    finite = predicted.isfinite()
    if not torch.equal(finite, view.actual.isfinite()):
        return False
    return view.is_near(predicted.where(finite, 0.0), view.actual.where(finite, 0.0))


def approximate(symptom: Symptom) -> Diagnosis | None:
    """The derivative of a formula that only comes near the function that is asked for."""
    if symptom.fits(lambda view: under(symptom, "gelu_by_tanh", view)):
        return wording.say("wrong_value.approximate", path=symptom.path)
    return None
