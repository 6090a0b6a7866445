"""How far the losses of a training loop are right, which tells in what part of a step a mistake lies."""

from __future__ import annotations

from grader.judge.diagnosis.symptom import Symptom, View
from grader.judge.diagnosis.words import wording

_LOSSES = "result"


def begun(symptom: Symptom) -> str:
    """A sentence on the losses of the case that is shown, where a loop has no other explanation."""
    if "steps" not in symptom.exercise.inputs or not symptom.failing or symptom.exercise.measure is not None:
        return ""
    shown = symptom.failing[0].case
    view = next((view for view in symptom.of(_LOSSES).views if view.case is shown), None)
    if view is None or view.actual.shape != view.expected.shape or view.actual.dim() != 1:
        return ""
    count = _right(view)
    if count == len(view.expected):
        return ""
    return wording.LOSSES_RIGHT.format(count=count, next=count + 1) if count else wording.FIRST_LOSS


def _right(view: View) -> int:
    """How many losses are right before the first that is not."""
    wrong = (view.actual - view.expected).abs() > view.tolerance(view.expected)
    return int(wrong.nonzero()[0]) if bool(wrong.any()) else len(view.expected)
