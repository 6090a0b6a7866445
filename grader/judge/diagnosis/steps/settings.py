"""Momentum steps on given gradients, taken by an optimizer with one setting too many, or by another optimizer."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from grader.judge.diagnosis.naming import GRADIENTS, MOMENTUM, RATE, START, STEPS
from grader.judge.diagnosis.steps import parts
from grader.judge.diagnosis.steps.extras import DECAYS, SCHEDULES
from grader.judge.diagnosis.steps.optimizer_simulation import driven
from grader.judge.diagnosis.steps.parts import Made, Slip
from grader.judge.diagnosis.steps.roles import Roles
from grader.judge.diagnosis.steps.slips import AVERAGE
from grader.judge.diagnosis.symptom import Symptom, View
from grader.judge.diagnosis.words import clauses
from grader.model import Diagnosis

_INPUTS = frozenset({START, GRADIENTS, RATE, MOMENTUM, STEPS})
_BY_SGD = Roles(False, (START,), (GRADIENTS,), RATE, (("momentum", MOMENTUM),))
_BY_ADAM = Roles(True, (START,), (GRADIENTS,), RATE, ())
_KEY, _WORDS = "wrong_value.settings", clauses.SETTINGS


def _given(gradients: Tensor) -> Tensor:
    return gradients


#: What is wrong with the optimizer, what the inputs are to it, and what is made of the gradients of all steps.
_SETTINGS: tuple[tuple[Slip, Roles, Made], ...] = (
    (Slip(_KEY, _WORDS["nesterov"], sgd=parts.Sgd(always_nesterov=True)), _BY_SGD, _given),
    (Slip(_KEY, _WORDS["dampening"], sgd=AVERAGE), _BY_SGD, _given),
    (Slip(_KEY, _WORDS["Adam"]), _BY_ADAM, _given),
    (Slip(_KEY, _WORDS["twice"]), _BY_SGD, lambda gradients: gradients.repeat_interleave(2, 0)),
    *((Slip(_KEY, _WORDS["decay"], steps=parts.Steps(more_decay=decay)), _BY_SGD, _given) for decay in DECAYS),
    (Slip(f"{_KEY}.once", _WORDS["once"]), _BY_SGD, lambda gradients: gradients[-1:]),
    (Slip(_KEY, _WORDS["sums"]), _BY_SGD, lambda gradients: gradients.cumsum(0)),
    *((Slip(_KEY, what, length=length), _BY_SGD, _given) for what, length in SCHEDULES),
)


def other_settings(symptom: Symptom) -> Diagnosis | None:
    """The steps of an optimizer that got a setting too many, or of another optimizer."""
    if not set(symptom.exercise.inputs) >= _INPUTS:
        return None
    for slip, roles, made in _SETTINGS:
        if symptom.fits(lambda view: _after(symptom, view, slip, roles, made)):
            return symptom.say(slip.key, what=slip.what)
    return None


def _after(symptom: Symptom, view: View, slip: Slip, roles: Roles, made: Made) -> Tensor | None:
    """What the check reads after the steps: the exercise's own forward pass takes it from where they end."""
    case = view.case

    def stepped() -> Tensor:
        gradients = made(case.inputs[GRADIENTS][: int(case.number(STEPS))].to(torch.float64))
        return driven(replace(case, inputs={**case.inputs, GRADIENTS: gradients}), slip, START, roles)

    try:
        end = symptom.alternatives.once(("settings", slip, case.label), stepped)
    except (LookupError, ValueError):
        return None
    still = {START: end, GRADIENTS: torch.zeros_like(case.inputs[GRADIENTS])}
    return symptom.expected_with(slip, view, inputs=still)
