"""Wrong values of the right shape, explained by a changed operation or another upstream gradient; or by nothing."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from grader.judge.diagnosis import clues
from grader.judge.diagnosis.naming import question
from grader.judge.diagnosis.operations.catalogue import OPERATIONS
from grader.judge.diagnosis.operations.normalisations import MISSTEPS
from grader.judge.diagnosis.operations.replaced import Replaced
from grader.judge.diagnosis.symptom import Symptom, View
from grader.judge.diagnosis.values import losses
from grader.judge.diagnosis.words import wording
from grader.judge.evidence import Finding
from grader.model import Diagnosis

#: By which share of the largest entry what is nearly right may be off.
_NEAR = 0.01
#: Classes enough to tell how many of them guesses get right, and how much more seldom is no chance.
_GUESSES, _SELDOM = 100, 4


def under(symptom: Symptom, operation: str, view: View) -> Tensor | None:
    """What the check would be with a changed operation; None where the forward pass does not use it."""
    replacements = OPERATIONS[operation]()
    if symptom.alternatives.called.isdisjoint(replacements):
        return None
    return symptom.expected_with(f"under {operation}", view, under=Replaced(replacements))


def upstream_ignored(symptom: Symptom) -> Diagnosis | None:
    """An upstream gradient of ones."""
    if not symptom.fits(lambda view: of_ones(symptom, view)):
        return None
    return wording.say("upstream_ignored", path=symptom.path, upstream=symptom.name_of("upstream"))


def of_ones(symptom: Symptom, view: View) -> Tensor | None:
    """What the check would be with an upstream gradient of ones."""
    if view.case.upstream is None:
        return None
    ones = torch.ones_like(view.case.upstream)
    return symptom.expected_with("upstream of ones", view, upstream=ones)


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
            return wording.say("wrong_value.misstep", path=symptom.path, what=one.what)
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


def upstream_itself(symptom: Symptom) -> Diagnosis | None:
    """The upstream gradient, passed on as it came: the derivative of the function is missing."""
    if (
        symptom.fits(lambda view: view.case.upstream)
        and symptom.failing[0].actual.shape == symptom.failing[0].expected.shape
    ):
        return wording.say("wrong_value.upstream", path=symptom.path)
    return None


def upstream_added(symptom: Symptom) -> Diagnosis | None:
    """The upstream gradient added to a derivative that it has to be multiplied by."""
    if symptom.fits(lambda view: _sum_with_upstream(symptom, view)):
        return wording.say("wrong_value.upstream_added", path=symptom.path)
    return None


def _sum_with_upstream(symptom: Symptom, view: View) -> Tensor | None:
    slope, upstream = of_ones(symptom, view), view.case.upstream
    return None if slope is None or upstream is None or slope.shape != upstream.shape else slope + upstream


def wrong_value(symptom: Symptom) -> Diagnosis | None:
    """The right shape and other values, for no known reason."""
    first = symptom.first
    if first is None:
        return None
    found = first.comparison
    measure, tensor = symptom.exercise.measure, first.actual.tensor
    if measure is not None and tensor is not None:
        key = f"wrong_value.measured{_of_classes(tensor, first.expected)}"
        share = f"{100 * min(1.0, max(0.0, measure(tensor, first.expected))):.0f} %"
        right = _agreeing(tensor, first.expected)
        apart = int((tensor < 0).sum())
        fields = {"share": share, "right": right, "goal": _goal(measure), "apart": apart, "total": tensor.numel()}
        return wording.say(key, path=symptom.path, **fields)
    if found.max_abs_error is None or found.worst is None or found.worst_actual is None or found.worst_expected is None:
        return None
    if (what := _not_so(symptom, first)) is not None:
        said = wording.say("wrong_value.flag", path=symptom.path, what=what)
    else:
        actual, expected = wording.numbers_apart(found.worst_actual, found.worst_expected)
        general = "wrong_value" if symptom.is_gradient else "wrong_value.value"
        largest = float(first.expected.abs().max()) if first.expected.is_floating_point() else 0.0
        general = "wrong_value.near" if found.max_abs_error <= _NEAR * largest else general
        general = "wrong_value.start" if symptom.is_registered else general
        said = wording.say(
            general if first.expected.is_floating_point() else "wrong_value.whole",
            path=symptom.path,
            error=wording.number(found.max_abs_error),
            actual=actual,
            expected=expected,
            place=str(list(found.worst)) if found.worst else "its only entry",
        )
        further = losses.begun(symptom) + clues.unexplained(symptom.evidence.stub, symptom.exercise.globals)
        said = replace(said, message=said.message + further)
    exercise = symptom.exercise
    return replace(said, hint=exercise.hints.get(exercise.base_name(symptom.check), said.hint))


def _not_so(symptom: Symptom, first: Finding) -> str | None:
    """What does not hold and should, where the check's own code asks questions: 1 for yes and 0 for no."""
    worst, name = first.comparison.worst, symptom.path
    is_scalar = symptom.exercise.base_name(symptom.check) in symptom.exercise.scalars
    if not is_scalar or first.expected.is_floating_point() or not bool((first.expected == 1).all()) or worst is None:
        return None
    if first.comparison.worst_actual != 0:
        return None
    return question(symptom.exercise.call, name, worst[0] if worst else 0)


def _agreeing(actual: Tensor, expected: Tensor) -> str:
    """How many of some classes are the right ones, in words; nothing where the tensor is no list of classes."""
    if expected.is_floating_point() or expected.dim() != 1 or actual.shape != expected.shape:
        return ""
    return f": {int((actual == expected).sum())} of {len(expected)} values are right"


def _of_classes(actual: Tensor, expected: Tensor) -> str:
    """The end of the key where classes are all one and the same, or right more seldom than guesses are.

    No class is negative: so the check's own code marks where two ways to ask for one give different answers.
    """
    if not expected.is_floating_point() and bool((expected >= 0).all()) and bool((actual < 0).any()):
        return ".apart"
    if (
        expected.is_floating_point()
        or expected.dim() != 1
        or actual.shape != expected.shape
        or len(expected) < _GUESSES
    ):
        return ""
    if bool((actual == actual[0]).all()):
        return ".same"
    guessed = len(expected) / len(expected.unique())
    right = int((actual == expected).sum())
    return ".below" if right < guessed / _SELDOM else ""


def _goal(measure: Callable[..., float]) -> str:
    """The first sentence of what the author says of the measure."""
    text = inspect.getdoc(measure) if inspect.isfunction(measure) else None
    return (text or "").partition("\n\n")[0].replace("\n", " ")
