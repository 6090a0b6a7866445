"""A sum or a difference of two terms that are scaled differently, as where parentheses are missing."""

from __future__ import annotations

import torch
from torch import Tensor

from grader.judge.diagnosis.symptom import Symptom, View
from grader.judge.diagnosis.values.factors import Factor, named_factors
from grader.judge.diagnosis.values.given import plain_numbers, with_number
from grader.judge.diagnosis.values.passes import without
from grader.model import Diagnosis

#: Entries in the failing cases below which two factors that fit may be chance.
_ENTRIES = 12
#: The square of the sine between two terms below which nothing tells them apart.
_ALIKE = 1e-6
#: Factors that the terms of a mean square can get.
_CONSTANTS = (("1", 1.0), ("2", 2.0), ("1/2", 0.5), ("−1", -1.0), ("−1/2", -0.5))
_SIZES = (("{}", 1.0, 1.0), ("{}/2", 1.0, 0.5), ("2·{}", 1.0, 2.0), ("1/{}", -1.0, 1.0))


def scaled_unevenly(symptom: Symptom) -> Diagnosis | None:
    """The two terms times two different factors, each a number or a size of the case."""
    if symptom.is_thin(entries=_ENTRIES) or symptom.takes_steps or not all(view.is_alike for view in symptom.views):
        return None
    for key, names in (
        ("wrong_value.uneven", symptom.float_parameters),
        ("wrong_value.uneven.number", plain_numbers(symptom)),
    ):
        for name in names:
            found = _two_factors(symptom, name)
            if found is not None:
                return symptom.say(key, name=f"`{symptom.name_of(name)}`", part=found[0], rest=found[1])
    return None


def _two_factors(symptom: Symptom, name: str) -> tuple[str, str] | None:
    """In words, the factors of the part that ``name`` brings in and of the rest, where they explain every case."""
    told = [(_apart(parts), view) for view in symptom.failing if (parts := _parts(symptom, view, name)) is not None]
    most, view = max(told, key=lambda one: one[0], default=(0.0, symptom.failing[0]))
    parts = _parts(symptom, view, name)
    if most == 0 or parts is None or not bool(view.actual.isfinite().all()):
        return None
    near = torch.linalg.solve(parts @ parts.T, parts @ view.actual.flatten())
    factors = named_factors(symptom, _CONSTANTS, _SIZES)
    of_part, of_rest = (
        [(words, by) for words, by in factors if abs(by(view) - one) <= 1e-2 * abs(by(view))] for one in near.tolist()
    )
    for part, by_part in of_part:
        for rest, by_rest in of_rest:
            if part != rest and symptom.fits(lambda view: _uneven(symptom, view, name, by_part, by_rest)):
                return (part, rest) if _is_affine(symptom, view, name) else None
    return None


def _apart(parts: Tensor) -> float:
    """How well two terms can be told from one another: 0 not at all, 1/4 where they are as large and independent."""
    square = parts @ parts.T
    apart, squares = torch.linalg.det(square), square.diagonal()
    return float(apart / squares.sum() ** 2) if bool(apart > _ALIKE * squares.prod()) else 0.0


def _parts(symptom: Symptom, view: View, name: str) -> Tensor | None:
    """The right answer in two rows: what ``name`` adds to it, and what it is without."""
    is_tensor = name in view.case.inputs
    rest = without(symptom, view, (name,)) if is_tensor else with_number(symptom, view, name, 0.0)
    if rest is None or rest.shape != view.expected.shape:
        return None
    rest = rest.detach().to(torch.float64)
    return torch.stack(((view.expected - rest).flatten(), rest.flatten()))


def _uneven(symptom: Symptom, view: View, name: str, part: Factor, rest: Factor) -> Tensor | None:
    parts = _parts(symptom, view, name)
    return None if parts is None else (part(view) * parts[0] + rest(view) * parts[1]).reshape(view.expected.shape)


def _is_affine(symptom: Symptom, view: View, name: str) -> bool:
    """Whether the right answer is a term in proportion to ``name``, and another without it."""
    parts = _parts(symptom, view, name)
    value = view.case.inputs.get(name)
    doubled = (
        with_number(symptom, view, name, 2 * view.case.number(name))
        if value is None
        else symptom.expected_with(f"twice {name}", view, inputs={name: 2 * value})
    )
    if parts is None or doubled is None:
        return False
    return view.is_near((2 * parts[0] + parts[1]).reshape(view.expected.shape), doubled.detach().to(torch.float64))
