"""Numbers and masks that a stub is given and uses wrongly: left out, inverted, in a wrong factor or on the wrong side.

Nothing here knows an exercise: its own forward pass tells what comes out with another number, or with another mask.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial

import torch
from torch import Tensor

from grader.judge.diagnosis.naming import is_mask
from grader.judge.diagnosis.symptom import Symptom, View
from grader.judge.diagnosis.values.factors import is_scaled
from grader.model import Diagnosis

#: What stands for a number that is left out of a sum, of a product, of a bound, or of an average of two.
_LEFT_OUT = ((0.0, "0"), (1.0, "1"), (math.inf, "∞"), (0.5, "1/2"))
#: Factors that are made of a number ``c``: in words, and the number.
_FACTORS: tuple[tuple[str, Callable[[float], float]], ...] = (
    ("{c}", lambda c: c),
    ("1/{c}", lambda c: 1 / c),
    ("(1 − {c})", lambda c: 1 - c),
    ("1/(1 − {c})", lambda c: 1 / (1 - c)),
    ("(1 − {c})/{c}", lambda c: (1 - c) / c),
    ("{c}/(1 − {c})", lambda c: c / (1 - c)),
    ("{c}²", lambda c: c**2),
    ("(1 − {c})²", lambda c: (1 - c) ** 2),
)


def mask(symptom: Symptom) -> Diagnosis | None:
    """An input of zeros and ones that is left out, as if it were ones alone, or is used the wrong way round."""
    for name in _masks(symptom):
        of_masks = is_mask(name) or _shuts(symptom, name)
        for key, value in (
            ("mask_missing.given" if of_masks else "wrong_value.ones", torch.ones_like),
            ("mask_inverted.given" if of_masks else "wrong_value.exchanged", lambda held: 1 - held),
        ):
            if symptom.fits(lambda view: _with_input(symptom, view, name, key, value)):
                return symptom.say(key, name=symptom.name_of(name))
    return None


def number(symptom: Symptom) -> Diagnosis | None:
    """A number that the result does not depend on, as if it were 0, 1, 1/2 or without a bound."""
    found = [
        (name, told)
        for name in plain_numbers(symptom)
        for value, told in _LEFT_OUT
        if symptom.fits(lambda view: with_number(symptom, view, name, value))
    ]
    if len(found) != 1:
        return None
    (name, told) = found[0]
    return symptom.say("wrong_value.number", name=symptom.name_of(name), value=told)


def complement(symptom: Symptom) -> Diagnosis | None:
    """The rest of a share in its place, so that two weights that add up to 1 change places.

    What is the right tensor times a factor is told as that, and what the rest is as good as 1 or 0 for, as a number.
    """
    if symptom.ratios is not None:
        return None
    found = [name for name in plain_numbers(symptom) if symptom.fits(partial(_with_rest, symptom, name))]
    if len(found) != 1 or number(symptom) is not None:
        return None
    return symptom.say("wrong_value.complement", name=symptom.name_of(found[0]))


def factor(symptom: Symptom) -> Diagnosis | None:
    """The right tensor times a factor that is made of a number which differs from case to case."""
    for name in plain_numbers(symptom):
        numbers = {view.case.constants[name] for view in symptom.views}
        if len(numbers) > 1 and not numbers & {0.0, 1.0}:
            for words, made in _FACTORS:
                if is_scaled(symptom, lambda view: made(view.case.number(name))):
                    return symptom.say("scaled", factor=words.format(c=symptom.name_of(name)))
    return None


def plain_numbers(symptom: Symptom) -> Iterator[str]:
    """The parameters of the forward pass that are plain floats in every case; few cases show nothing."""
    if not symptom.is_thin():
        for name in symptom.exercise.parameters:
            if all(type(view.case.constants.get(name)) is float for view in symptom.views):
                yield name


def _masks(symptom: Symptom) -> Iterator[str]:
    """The parameters of the forward pass that hold zeros and ones in every case, and both in the first that failed."""
    if not symptom.is_thin():
        for name in symptom.exercise.parameters:
            held = [view.case.inputs.get(name) for view in symptom.views]
            if all(each is not None and bool(((each == 0) | (each == 1)).all()) for each in held):
                first = symptom.failing[0].case.inputs[name]
                if first.numel() and bool(first.any()) and not bool(first.all()):
                    yield name


def _shuts(symptom: Symptom, name: str) -> bool:
    """Whether zeros in the place of an input leave nothing of the right answer, to this check or to another."""
    return any(
        all(each is not None and not bool(each.any()) for each in map(partial(_shut, one, name), one.views))
        for one in (symptom, *map(symptom.of, symptom.others()))
    )


def _shut(symptom: Symptom, name: str, view: View) -> Tensor | None:
    return _with_input(symptom, view, name, "shut", torch.zeros_like)


def _with_input(symptom: Symptom, view: View, name: str, key: str, value: Callable[[Tensor], Tensor]) -> Tensor | None:
    return symptom.expected_with(f"{name}: {key}", view, inputs={name: value(view.case.inputs[name])})


def _with_rest(symptom: Symptom, name: str, view: View) -> Tensor | None:
    return with_number(symptom, view, name, 1 - view.case.number(name))


def with_number(symptom: Symptom, view: View, name: str, value: float) -> Tensor | None:
    """What the check's tensor would be with another number for ``name``; None where nothing finite comes."""
    predicted = symptom.expected_with(f"{name} = {value}", view, constants={name: value})
    return predicted if predicted is not None and bool(predicted.isfinite().all()) else None
