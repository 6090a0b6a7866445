"""Forward passes that are computed in another way: a layer with a mistake in it, or without one of its inputs."""

from __future__ import annotations

from itertools import combinations

import torch
from torch import Tensor

from grader.judge.diagnosis import wording
from grader.judge.diagnosis.absent import path
from grader.judge.diagnosis.naming import given_as
from grader.judge.diagnosis.symptom import Symptom, View
from grader.judge.diagnosis.values import under
from grader.model import Diagnosis

#: Failing cases below which an agreement may be chance: slopes of a ReLU are whole numbers.
_CASES = 2
#: What is said of each changed operation of a layer.
_LAYERS: tuple[tuple[str, str], ...] = (
    ("kernel_unflipped", "wrong_value.kernel"),
    ("scores_unscaled", "wrong_value.unscaled"),
    ("scores_unscaled_forward", "wrong_value.unscaled"),
    ("scores_scaled_twice", "wrong_value.scaled_twice"),
    ("scores_scaled_twice_forward", "wrong_value.scaled_twice"),
    ("softmax_of_other_axis", "wrong_value.softmax"),
    ("softmax_of_first_axis", "wrong_value.softmax"),
    ("softmax_weights_of_other_axis", "wrong_value.softmax"),
    ("softmax_sums_over_other_axis", "wrong_value.softmax_sum"),
    ("relu_left_out", "wrong_value.no_relu"),
    ("relu_left_out_forward", "wrong_value.no_relu"),
)


def layer(symptom: Symptom) -> Diagnosis | None:
    """A convolution, a softmax or an activation that is computed in another way, or not at all."""
    if len(symptom.failing) < _CASES:
        return None
    found = {
        key
        for operation, key in _LAYERS
        if symptom.fits(lambda view: under(symptom, operation, view))  # noqa: B023
    }
    return wording.say(found.pop(), path=path(symptom)) if len(found) == 1 else None


def left_out(symptom: Symptom) -> Diagnosis | None:
    """One or two inputs that the result does not depend on, as if they were zero: a bias, a target."""
    if symptom.evidence.exercise.measure is not None or len(symptom.failing) < _CASES:
        return None
    names = [
        name
        for name in symptom.alternatives.parameters
        if all(name in view.case.inputs and view.case.inputs[name].is_floating_point() for view in symptom.views)
    ]
    for count in (1, 2):
        found = [
            chosen
            for chosen in combinations(names, count)
            if symptom.fits(lambda view: _without(symptom, view, chosen))  # noqa: B023
        ]
        if len(found) == 1:
            given = (f"`{given_as(symptom.evidence.exercise.call, name)}`" for name in found[0])
            return wording.say("wrong_value.left_out", path=path(symptom), names=" and ".join(given))
        if found:  # a product of both, which either makes zero
            return None
    return None


def _without(symptom: Symptom, view: View, names: tuple[str, ...]) -> Tensor | None:
    zeros = {name: torch.zeros_like(view.case.inputs[name]) for name in names}
    made = symptom.alternatives.reference(f"without {' and '.join(names)}", view.case, inputs=zeros)
    return None if made is None else made.get(symptom.check)
