"""Right formulas that do something else with the upstream gradient than multiply by it."""

from __future__ import annotations

import torch
from torch import Tensor

from grader.judge.diagnosis.symptom import Symptom, View
from grader.model import Diagnosis


def upstream_ignored(symptom: Symptom) -> Diagnosis | None:
    """An upstream gradient of ones."""
    if not symptom.fits(lambda view: of_ones(symptom, view)):
        return None
    return symptom.say("upstream_ignored", upstream=symptom.name_of("upstream"))


def of_ones(symptom: Symptom, view: View) -> Tensor | None:
    """What the check would be with an upstream gradient of ones."""
    if view.case.upstream is None:
        return None
    ones = torch.ones_like(view.case.upstream)
    return symptom.expected_with("upstream of ones", view, upstream=ones)


def upstream_itself(symptom: Symptom) -> Diagnosis | None:
    """The upstream gradient, passed on as it came: the derivative of the function is missing."""
    if (
        symptom.fits(lambda view: view.case.upstream)
        and symptom.failing[0].came.shape == symptom.failing[0].expected.shape
    ):
        return symptom.say("wrong_value.upstream")
    return None


def upstream_added(symptom: Symptom) -> Diagnosis | None:
    """The upstream gradient added to a derivative that it has to be multiplied by."""
    if symptom.fits(lambda view: _sum_with_upstream(symptom, view)):
        return symptom.say("wrong_value.upstream_added")
    return None


def _sum_with_upstream(symptom: Symptom, view: View) -> Tensor | None:
    slope, upstream = of_ones(symptom, view), view.case.upstream
    return None if slope is None or upstream is None or slope.shape != upstream.shape else slope + upstream
