"""Right steps with another rate, momentum or number of steps than is given, and the losses of such a loop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from grader.judge.diagnosis.naming import GRADIENTS, MOMENTUM, OPTIONS, STEPS, is_gradient
from grader.judge.diagnosis.steps.descent import rate_of
from grader.judge.diagnosis.steps.moves import has_moved
from grader.judge.diagnosis.steps.simulations import simulations_of
from grader.judge.diagnosis.steps.slips import FIXED_RATES
from grader.judge.diagnosis.symptom import Symptom, View
from grader.judge.diagnosis.words import clauses, wording
from grader.model import Diagnosis

#: What students write in place of the momentum that they are given.
_FIXED_MOMENTA = (0.9, 0.5, 0.99, 1.0)
#: Losses that tell whether they stand still, or in another place.
_FEWEST_LOSSES = 3


def defaults(symptom: Symptom) -> Diagnosis | None:
    """Right wherever options are given, and wrong in no case but those that leave them out."""
    findings = [finding for each in symptom.evidence.findings.values() for finding in each]
    given = [finding for finding in findings if finding.case.constants.get(OPTIONS)]
    wrong = {finding.case.label for finding in findings if not finding.passed}
    numbers = all(
        view.came.shape == view.expected.shape and bool(view.actual.isfinite().all()) for view in symptom.views
    )
    if len(wrong) < 2 or not numbers or not given or not all(each.passed for each in given):
        return None
    return symptom.say("wrong_value.defaults")


def other_than_given(symptom: Symptom) -> Diagnosis | None:
    """Other hyper-parameters than the given ones: another rate, the other direction, no momentum, fewer steps."""
    if (rate := rate_of(symptom)) is None:
        return None
    found = None if simulations_of(symptom) else _other_rate(symptom, rate)
    return found or _other_steps(symptom)


def _other_rate(symptom: Symptom, rate: str) -> Diagnosis | None:
    for fixed in FIXED_RATES:
        if symptom.fits(lambda view: _with(symptom, view, {rate: fixed})):
            why = clauses.LR_NEVER if fixed == 1 else clauses.LR_FIXED
            return symptom.say("learning_rate_ignored", used=wording.number(fixed), what=why)
    if symptom.fits(lambda view: _opposite(symptom, view)):
        return symptom.say("ascent")
    if symptom.fits(lambda view: _with(symptom, view, {MOMENTUM: 0.0})):
        return symptom.say("state_lost.momentum")
    for fixed in _FIXED_MOMENTA:
        if symptom.fits(lambda view: _with(symptom, view, {MOMENTUM: fixed})):
            return symptom.say("wrong_value.momentum", used=wording.number(fixed))
    if symptom.fits(lambda view: _swapped_rates(symptom, view, rate)):
        return symptom.say("wrong_value.swapped_rates")
    return symptom.say("stale.gradients") if symptom.fits(lambda view: _first_gradients(symptom, view)) else None


def _other_steps(symptom: Symptom) -> Diagnosis | None:
    if symptom.exercise.in_place and symptom.failed.isdisjoint(symptom.exercise.in_place):
        return _losses(symptom)  # as many steps as are asked for led to what is there
    if symptom.fits(lambda view: _with(symptom, view, {STEPS: 0})):
        right = (symptom.of(check) for check in symptom.others() if check not in symptom.failed)
        moved = any(map(_hangs_on_steps, right))
        return symptom.say(f"not_in_place.{'left_out' if moved else 'no_gradients'}")
    if symptom.fits(lambda view: _with(symptom, view, {STEPS: 1})):
        return symptom.say("first_step.only")
    if symptom.fits(lambda view: _with(symptom, view, {STEPS: _steps(view) - 1}) if _steps(view) > 1 else None):
        return symptom.say("stale.steps")
    if symptom.fits(lambda view: _with(symptom, view, {STEPS: _steps(view) + 1})):
        return symptom.say("wrong_value.more_steps")
    return _losses(symptom)


def _hangs_on_steps(symptom: Symptom) -> bool:
    """Whether a check expects something else where no step is taken."""
    still = ((view, _with(symptom, view, {STEPS: 0})) for view in symptom.views)
    return any(value is None or not view.is_near(value, view.expected) for view, value in still)


def _losses(symptom: Symptom) -> Diagnosis | None:
    """The losses of a training loop, each taken after its update, or of weights that never change."""
    if not symptom.exercise.in_place or any(view.expected.dim() != 1 for view in symptom.views):
        return None
    pairs = [(view, view.actual) for view in symptom.views if view.came.shape == view.expected.shape]
    if len(pairs) < len(symptom.views) or any(len(actual) < _FEWEST_LOSSES for _, actual in pairs):
        return None
    if all(view.is_near(actual[:1].expand_as(actual)) for view, actual in pairs):
        still = all(view.is_near(view.expected[:1].expand_as(actual)) for view, actual in pairs)
        moved = symptom.failed.isdisjoint(symptom.exercise.in_place)
        of_first = "wrong_value.first_loss" if moved else "wrong_value.standing"
        if not moved and any(has_moved(symptom, name) for name in symptom.exercise.in_place):
            of_first = "wrong_value.first_loss.moved"
        key = of_first if still else "wrong_value.one_value"
        return symptom.say(key, actual=wording.number(float(pairs[0][1][0])))
    if all(view.is_near(view.expected.cumsum(0)) for view, _ in pairs):
        return symptom.say("wrong_value.running")
    if all(view.is_near(view.expected[1:], actual[:-1]) for view, actual in pairs):
        return symptom.say("wrong_value.late")
    return None


def _with(symptom: Symptom, view: View, changed: Mapping[str, Any]) -> Tensor | None:
    if not set(changed) <= set(view.case.constants):
        return None
    return symptom.expected_with(f"constants {changed}", view, constants=changed)


def _steps(view: View) -> int:
    steps = view.case.constants.get(STEPS)
    return steps if isinstance(steps, int) else 0


def _swapped_rates(symptom: Symptom, view: View, rate: str) -> Tensor | None:
    constants = view.case.constants
    if MOMENTUM not in constants:
        return None
    return _with(symptom, view, {rate: constants[MOMENTUM], MOMENTUM: constants[rate]})


def _first_gradients(symptom: Symptom, view: View) -> Tensor | None:
    """The answer where every step finds the gradients of the first, row by row of ``gradients``."""
    gradients = view.case.inputs.get(GRADIENTS)
    if gradients is None or STEPS not in view.case.constants:
        return None
    changed = {GRADIENTS: gradients[:1].expand_as(gradients)}
    return symptom.expected_with("first gradients", view, inputs=changed)


def _opposite(symptom: Symptom, view: View) -> Tensor | None:
    """The answer for gradients of the opposite sign."""
    turned = {name: -value for name, value in view.case.inputs.items() if is_gradient(name)}
    if not turned:
        return None
    return symptom.expected_with("opposite gradients", view, inputs=turned)
