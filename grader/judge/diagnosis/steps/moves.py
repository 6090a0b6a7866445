"""Parameters that did not move as they should: not at all, hardly, in part, or by a share of the right move."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from grader.judge.diagnosis.calls.absent import not_run
from grader.judge.diagnosis.naming import BARE, LAZILY, RATE, STEPS, is_gradient, is_loop
from grader.judge.diagnosis.symptom import Symptom, View, multiple_of
from grader.judge.diagnosis.values.factors import by_size, constantly, letters
from grader.judge.diagnosis.words import wording
from grader.model import Capture, Diagnosis, Exercise

#: The share of a move that is hardly one.
_TINY = 0.01


def not_in_place(symptom: Symptom) -> Diagnosis | None:
    """The parameter that was passed in is as it was."""
    name = symptom.path
    if name not in symptom.exercise.in_place:
        return None
    unchanged = all(
        (before := view.case.inputs.get(name)) is not None and torch.equal(view.actual, before.to(torch.float64))
        for view in symptom.failing
    )
    if not unchanged:
        return None
    if generator := not_run(symptom):
        return generator
    if all(view.case.constants.get(LAZILY) for view in symptom.failing):
        return symptom.say("not_in_place.used_up")
    if any(_is_replaced(symptom, view) for view in symptom.failing):
        return symptom.say("not_in_place.replaced")
    found = [extra for extra in symptom.failing[0].finding.run.extras if _holds(symptom, extra)]
    if found:
        return symptom.say("not_in_place.elsewhere", found=found[0])
    if _stands_still(symptom):
        return symptom.say("not_in_place.no_step")
    return symptom.say("not_in_place.left_out" if _is_left_out(symptom) else "not_in_place")


def _is_replaced(symptom: Symptom, view: View) -> bool:
    """Whether another tensor stands where the one was that was given, and that is judged."""
    stands = view.finding.run.captures.get(symptom.path, Capture()).tensor
    return stands is not None and not torch.equal(stands, view.came)


def hardly_moved(symptom: Symptom) -> Diagnosis | None:
    """Steps that are far too small, for whatever reason; the losses of such a loop show it, too."""
    exercise = symptom.exercise
    moving = sorted(check for check in symptom.failed if exercise.path_of(check) in exercise.in_place)
    checks = moving if is_loop(exercise.inputs) and symptom.check not in moving else [symptom.check]
    ones = [symptom.of(check) for check in checks]
    losses = symptom.of("result").views if is_loop(exercise.inputs) and "result" in symptom.failed else ()
    if any(view.came.shape != view.expected.shape for view in losses):
        return None  # it took fewer steps than it was asked for
    if not ones or not all(one.failing and all(_hardly_moved(one, view) for view in one.failing) for one in ones):
        return None
    return ones[0].say("wrong_value.tiny")


def _hardly_moved(symptom: Symptom, view: View) -> bool:
    before = view.case.inputs.get(symptom.path)
    if before is None or before.shape != view.came.shape:
        return False
    return 0 < float((view.actual - before).norm()) < _TINY * float((view.expected - before).norm())


def _is_left_out(symptom: Symptom) -> bool:
    """Whether the other parameters show that this one is left out of the update, not replaced by a new tensor.

    Parameters that are given their gradients do not show in one another, so right ones say that a loop does not get to
    this one. (An average, which has no gradient of its own, is none of them.) In a training loop, other weights are
    right where only the place of an update is wrong.
    """
    exercise = symptom.exercise
    others = {check for check in symptom.others() if exercise.path_of(check) in exercise.in_place}
    right = others - symptom.failed
    if STEPS not in exercise.inputs:
        return _has_gradient(exercise, symptom.check) and any(_has_gradient(exercise, other) for other in right)
    moved = any(has_moved(symptom, check) for check in others & symptom.failed)
    return moved and not right


def _has_gradient(exercise: Exercise, check: str) -> bool:
    """Whether what a check reads is handed over with a gradient of its own, or is one."""
    path = exercise.path_of(check)
    gradients = filter(is_gradient, exercise.inputs)
    return any(name == path or name.startswith((f"{path}.", f"{path}_")) for name in gradients)


def has_moved(symptom: Symptom, check: str) -> bool:
    """Whether the parameter of another check, which is wrong, is not as it was before the call."""
    other = symptom.of(check)
    return any(
        (before := view.case.inputs.get(other.path)) is not None and not view.is_near(before) for view in other.failing
    )


def _stands_still(symptom: Symptom) -> bool:
    """Whether the losses of a training loop are the same at every step: then not even another tensor was updated."""
    losses = [view.finding.run.captures.get("result", Capture()).tensor for view in symptom.failing]
    return all(each is not None and each.numel() > 1 and bool((each == each.flatten()[0]).all()) for each in losses)


def _holds(symptom: Symptom, name: str) -> bool:
    found = [(view, view.finding.run.extras.get(name)) for view in symptom.failing]
    return all(extra is not None and view.is_near(view.expected, extra.to(torch.float64)) for view, extra in found)


def default_rate(symptom: Symptom) -> Diagnosis | None:
    """Steps with another learning rate wherever none is given, and nowhere else: a wrong default.

    Adam's steps do not depend on the parameters, so that they grow with the rate alone.
    """
    bare = all(view.case.constants.get(BARE) for view in symptom.failing)
    if not bare or set(symptom.failed) != {symptom.check}:
        return None
    name = symptom.path
    factor = _same_factor(symptom, name)
    if factor is None or factor <= 0:
        return None
    if not symptom.fits(lambda view: _further(view, name, factor) if view.case.constants.get(BARE) else None):
        return None
    rate = factor * symptom.failing[0].case.number(RATE)
    return symptom.say("learning_rate_ignored.default", used=wording.number(float(f"{rate:.2g}")))


def moved_in_part(symptom: Symptom) -> Diagnosis | None:
    """Some entries as they should be after the steps, and all others as before."""
    if not symptom.fits(lambda view: _moved_in_part(symptom, view)):
        return None
    first = symptom.failing[0]
    right = int(((first.actual - first.expected).abs() <= first.tolerance(first.expected)).sum())
    if right in (0, first.expected.numel()):
        return None
    return symptom.say("wrong_value.moved_in_part", right=right, total=first.expected.numel())


def _moved_in_part(symptom: Symptom, view: View) -> Tensor | None:
    name = symptom.path
    in_place = name in symptom.exercise.in_place
    before = view.case.inputs.get(name) if in_place else _at_first(symptom, view)
    if before is None or before.shape != view.expected.shape or before.shape != view.came.shape:
        return None
    moved = (view.actual - before).abs() > (view.actual - view.expected).abs()
    return view.expected.where(moved, before.to(torch.float64))


def _at_first(symptom: Symptom, view: View) -> Tensor | None:
    """What the check reads before any step, where the exercise says how many there are."""
    if STEPS not in view.case.constants:
        return None
    return symptom.expected_with("no steps", view, constants={STEPS: 0})


def longer_step(symptom: Symptom) -> Diagnosis | None:
    """A change by a multiple of the right one, of parameters whose gradients are given."""
    name = symptom.path
    if name not in symptom.exercise.in_place or not any(map(is_gradient, symptom.exercise.inputs)):
        return None
    factors = [(wording.number(value), constantly(value)) for value in (2.0, 0.5)]
    for letter in letters(symptom):
        if len({view.case.sizes[letter] for view in symptom.failing}) < 2:  # any number may be a size of one case
            continue
        factors.append((f"1/{letter}", by_size(letter, power=-1)))
    if (found := _same_factor(symptom, name)) is not None:
        factors.append((wording.number(found), constantly(found)))
    for words, factor in factors:
        if symptom.fits(lambda view: _further(view, name, factor(view))):
            return symptom.say("ascent" if words == "-1" else "scaled.step", factor=words)
    return None


def _same_factor(symptom: Symptom, name: str) -> float | None:
    """By how much the first failing case moved, as a share of the right move, if two digits say it."""
    view = symptom.failing[0]
    before = view.case.inputs.get(name)
    if before is None or before.shape != view.came.shape:
        return None
    factor = multiple_of(view.actual - before, view.expected - before)
    return None if factor is None or not math.isfinite(factor) else float(f"{factor:.2g}")


def _further(view: View, name: str, factor: float) -> Tensor | None:
    before = view.case.inputs.get(name)
    return None if before is None else before + factor * (view.expected - before)
