"""Wrong values of the right shape that no known mistake explains, and what can still be said of them."""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor

from grader.judge.diagnosis import clues, source
from grader.judge.diagnosis.naming import STEPS, question
from grader.judge.diagnosis.symptom import Symptom, View
from grader.judge.diagnosis.values.relations import right_entries
from grader.judge.diagnosis.words import wording
from grader.judge.evidence import Finding
from grader.model import Diagnosis

#: By which share of the largest entry what is nearly right may be off.
_NEAR = 0.01
#: How many entries are enough to tell that a part of them is right, and how large a part is no chance.
_ENTRIES, _PART = 20, 0.2
#: Classes enough to tell how many of them guesses get right, and how much more seldom is no chance.
_GUESSES, _SELDOM = 100, 4
#: Cases in which the other entries have to be right, where those at one end of an axis were never written.
_SEVERAL = 2


def wrong_value(symptom: Symptom) -> Diagnosis | None:
    """The right shape and other values, for no known reason."""
    first = symptom.first
    found = first.comparison
    exercise, tensor = symptom.exercise, first.actual.tensor
    if exercise.measure is not None and tensor is not None:
        key = f"wrong_value.measured{_of_classes(tensor, first.expected)}"
        share = f"{100 * exercise.share(tensor, first.expected):.0f} %"
        right = _agreeing(tensor, first.expected)
        apart = int((tensor < 0).sum())
        fields = {"share": share, "right": right, "goal": exercise.goal, "apart": apart, "total": tensor.numel()}
        return symptom.say(key, **fields)
    if found.max_abs_error is None or found.worst is None or found.worst_actual is None or found.worst_expected is None:
        return None
    if (what := _not_so(symptom, first)) is not None:
        said = symptom.say("wrong_value.flag", what=what)
    else:
        actual, expected = wording.numbers_apart(found.worst_actual, found.worst_expected)
        general = "wrong_value" if symptom.is_gradient else "wrong_value.value"
        begun = _right_losses(symptom)
        # In a loop, what is wrong begins small and grows.
        near = STEPS not in exercise.inputs and _is_nearly_right(symptom, first)
        general = "wrong_value.near" if near else general
        general = "wrong_value.start" if symptom.is_registered else general
        said = symptom.say(
            general if first.expected.is_floating_point() else "wrong_value.whole",
            error=wording.number(found.max_abs_error),
            actual=actual,
            expected=expected,
            place=str(list(found.worst)) if found.worst else "its only entry",
        )
        begun = begun or ("" if near else _right_in_part(symptom))
        if name := source.shared(symptom.evidence.stub):
            begun += wording.SHARED.format(name=name)
        further = begun + clues.unexplained(symptom.evidence.stub, symptom.exercise.globals)
        said = replace(said, message=said.message + further)
    return replace(said, hint=exercise.hints.get(exercise.base_name(symptom.check), said.hint))


def _is_nearly_right(symptom: Symptom, first: Finding) -> bool:
    """Whether the errors are small beside the largest entry, or of separate numbers, each beside its own."""
    if first.actual.tensor is None or not first.expected.is_floating_point():
        return False
    sizes = _asked(symptom, first).abs()
    apart = symptom.exercise.base_name(symptom.check) in symptom.exercise.scalars
    return bool(((first.actual.tensor - first.expected).abs() <= _NEAR * (sizes if apart else sizes.max())).all())


def never_written(symptom: Symptom) -> str:
    """Where the only entries stand that are wrong, if that is at one end of an axis in every case: ``[:, -1]``.

    An end that a line of the stub writes to is not meant: what stands there was computed.
    """
    views = symptom.failing
    if not all(view.is_alike and view.expected.dim() for view in views):
        return ""
    for axis in range(min((view.expected.dim() for view in views), default=0)):
        for end in (0, -1):
            if source.writes_end(symptom.evidence.stub, end):
                continue
            others = [_without(view, axis, end) for view in views]
            if sum(bool(right.numel()) for right in others) >= _SEVERAL and all(bool(right.all()) for right in others):
                return f"[{':, ' * axis}{end}]"
    return ""


def _without(view: View, axis: int, end: int) -> Tensor:
    """Whether each entry is right, but for those at one end of an axis."""
    right = (view.actual - view.expected).abs() <= view.tolerance(view.expected)
    return right.narrow(axis, end + 1, right.shape[axis] - 1)


def _asked(symptom: Symptom, first: Finding) -> Tensor:
    """What is expected; of what is to be changed in place, the change: a few steps leave most of it as it was."""
    before = first.case.inputs.get(symptom.path) if symptom.exercise.in_place else None
    return first.expected if before is None or before.shape != first.expected.shape else first.expected - before


def _right_losses(symptom: Symptom) -> str:
    """A sentence on the losses of the case that is shown, or on the weights, where a loop has no other explanation."""
    if STEPS not in symptom.exercise.inputs or symptom.exercise.measure is not None:
        return ""
    shown = symptom.failing[0].case
    view = next((view for view in symptom.of("result").views if view.case is shown), None)
    if view is None or view.came.shape != view.expected.shape or view.came.dim() != 1:
        return ""
    count = _right(view)
    if count == len(view.expected):
        return ""
    if count and {"result"} == symptom.failed:
        return wording.WEIGHTS_RIGHT
    return wording.LOSSES_RIGHT.format(count=count, next=count + 1) if count else wording.FIRST_LOSS


def _right_in_part(symptom: Symptom) -> str:
    """A sentence on how many entries are right, where that is a good part of them: one branch of several, perhaps."""
    right, total = right_entries(symptom)
    some = total >= _ENTRIES and right >= total * _PART and STEPS not in symptom.exercise.inputs
    return wording.RIGHT_IN_PART.format(right=right, total=total) if some else ""


def _right(view: View) -> int:
    """How many losses are right before the first that is not."""
    wrong = (view.actual - view.expected).abs() > view.tolerance(view.expected)
    return int(wrong.nonzero()[0]) if bool(wrong.any()) else len(view.expected)


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
