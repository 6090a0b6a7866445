"""A sum or a difference of two terms that are scaled differently, as where parentheses are missing."""

from __future__ import annotations

import torch
from torch import Tensor

from grader.judge.diagnosis.symptom import Symptom, View
from grader.judge.diagnosis.values.factors import Factor, named_factors
from grader.judge.diagnosis.values.passes import without
from grader.model import Diagnosis

#: Entries in the failing cases below which two factors that fit may be chance.
_ENTRIES = 12
#: Factors that the terms of a mean square can get.
_CONSTANTS = (("1", 1.0), ("2", 2.0), ("1/2", 0.5))
_SIZES = (("{}", 1.0, 1.0), ("{}/2", 1.0, 0.5), ("2·{}", 1.0, 2.0), ("1/{}", -1.0, 1.0))


def scaled_unevenly(symptom: Symptom) -> Diagnosis | None:
    """The two terms times two different factors, each a number or a size of the case."""
    if symptom.is_thin(entries=_ENTRIES) or symptom.takes_steps or not all(view.is_alike for view in symptom.views):
        return None
    widest = max(symptom.failing, key=lambda view: view.expected.numel())
    for name in symptom.float_parameters:
        found = _two_factors(symptom, widest, name)
        if found is not None and _is_affine(symptom, widest, name):
            given = f"`{symptom.name_of(name)}`"
            return symptom.say("wrong_value.uneven", name=given, part=found[0], rest=found[1])
    return None


def _two_factors(symptom: Symptom, widest: View, name: str) -> tuple[str, str] | None:
    """In words, the factors of the part that ``name`` brings in and of the rest, where they explain every case."""
    parts = _parts(symptom, widest, name)
    if parts is None or not bool(parts.isfinite().all()) or not bool(widest.actual.isfinite().all()):
        return None
    square = parts @ parts.T
    if float(torch.linalg.det(square)) <= 1e-6 * float(square.diagonal().prod()):  # nothing tells the two apart
        return None
    near = torch.linalg.solve(square, parts @ widest.actual.flatten())
    factors = named_factors(symptom, _CONSTANTS, _SIZES)
    of_part, of_rest = (
        [(words, by) for words, by in factors if abs(by(widest) - one) <= 1e-2 * abs(by(widest))]
        for one in near.tolist()
    )
    for part, by_part in of_part:
        for rest, by_rest in of_rest:
            if part != rest and symptom.fits(lambda view: _uneven(symptom, view, name, by_part, by_rest)):
                return part, rest
    return None


def _parts(symptom: Symptom, view: View, name: str) -> Tensor | None:
    """The right answer in two rows: what ``name`` adds to it, and what it is without."""
    rest = without(symptom, view, (name,))
    if rest is None or rest.shape != view.expected.shape:
        return None
    rest = rest.detach().to(torch.float64)
    return torch.stack((view.expected - rest, rest)).flatten(1)


def _uneven(symptom: Symptom, view: View, name: str, part: Factor, rest: Factor) -> Tensor | None:
    parts = _parts(symptom, view, name)
    return None if parts is None else (part(view) * parts[0] + rest(view) * parts[1]).reshape(view.expected.shape)


def _is_affine(symptom: Symptom, view: View, name: str) -> bool:
    """Whether the right answer is a term in proportion to ``name``, and another without it."""
    parts = _parts(symptom, view, name)
    twice = {name: 2 * view.case.inputs[name]}
    doubled = symptom.expected_with(f"twice {name}", view, inputs=twice)
    if parts is None or doubled is None:
        return False
    return view.is_near((2 * parts[0] + parts[1]).reshape(view.expected.shape), doubled.detach().to(torch.float64))
