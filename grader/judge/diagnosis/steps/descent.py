"""One step of descent, p − lr · g, with its parts put together in another way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from itertools import permutations

import torch
from torch import Tensor

from grader.judge.diagnosis.naming import LAZILY, LEARNING_RATE, RATE, is_gradient
from grader.judge.diagnosis.steps.extras import DECAYS
from grader.judge.diagnosis.symptom import Symptom, View
from grader.model import Diagnosis

Formula = Callable[[Tensor, Tensor, float], Tensor]


def rate_of(symptom: Symptom) -> str | None:
    """The number by which steps go: by name, or that without which what they lead to is as it was before.

    The share of an average is such a number, too, so that one without a name counts only where something is modified in
    place, or where a gradient is given.
    """
    if (
        known := next((name for name in (RATE, LEARNING_RATE) if name in symptom.exercise.inputs), None)
    ) or not symptom.views:
        return known
    view = symptom.views[0]
    if symptom.path not in view.case.inputs and not any(map(is_gradient, view.case.inputs)):
        return None
    for name, value in view.case.constants.items():
        if type(value) is float:
            still = symptom.expected_with(f"{name} = 0", view, constants={name: 0.0})
            before = [view.case.inputs[symptom.path]] if symptom.path in view.case.inputs else view.case.inputs.values()
            if still is not None and any(view.is_near(still, each.to(torch.float64)) for each in before):
                return name
    return None


#: What students write, by the way they write it.
_FORMULAS: Mapping[str, Formula] = {
    "p + g": lambda p, g, lr: p + g,
    "(p - lr) * g": lambda p, g, lr: (p - lr) * g,
    "lr * (p - g)": lambda p, g, lr: lr * (p - g),
    "p - g / lr": lambda p, g, lr: p - g / lr,
    "p - lr**2 * g": lambda p, g, lr: p - lr**2 * g,
    "p - (lr + g)": lambda p, g, lr: p - (lr + g),
    "p - lr - g": lambda p, g, lr: p - lr - g,
    "p * lr * g": lambda p, g, lr: p * lr * g,
    "p * (1 - lr * g)": lambda p, g, lr: p * (1 - lr * g),
    "lr * g": lambda p, g, lr: lr * g,
    "-lr * g": lambda p, g, lr: -lr * g,
    "g - lr * p": lambda p, g, lr: g - lr * p,
    "lr * p - g": lambda p, g, lr: lr * p - g,
    "(1 - lr) * p - lr * g": lambda p, g, lr: (1 - lr) * p - lr * g,
    "(1 - lr) * p + lr * g": lambda p, g, lr: (1 - lr) * p + lr * g,
    "(1 - lr) * p - g": lambda p, g, lr: (1 - lr) * p - g,
    "p - lr * g.sign()": lambda p, g, lr: p - lr * g.sign(),
    "p - lr * g.abs()": lambda p, g, lr: p - lr * g.abs(),
    "p - lr * g**2": lambda p, g, lr: p - lr * g**2,
    "p - lr * g.mean()": lambda p, g, lr: p - lr * g.mean(),
    "p - lr * g.sum()": lambda p, g, lr: p - lr * g.sum(),
    "p - lr * g.clamp(-1, 1)": lambda p, g, lr: p - lr * g.clamp(-1, 1),
    **{f"p - lr * (g + {share:g} * p)": partial(lambda s, p, g, lr: p - lr * (g + s * p), share) for share in DECAYS},
    "p - lr * g / g.norm()": lambda p, g, lr: p - lr * g / g.norm(),
    "g": lambda p, g, lr: g,
}


#: The same where a new tensor is asked for; one that has moved in place is told by how far it has.
_OF_A_NEW_TENSOR: Mapping[str, Formula] = {
    "p - 2 * lr * g": lambda p, g, lr: p - 2 * lr * g,
    "p - lr * g / 2": lambda p, g, lr: p - lr * g / 2,
}


def other_step(symptom: Symptom) -> Diagnosis | None:
    """A step by a formula close to the right one, where a single step is asked for."""
    if not all(_is_step(symptom, view) for view in symptom.views):
        return None
    in_place = symptom.path in symptom.failing[0].case.inputs
    for words, formula in (_FORMULAS if in_place else {**_FORMULAS, **_OF_A_NEW_TENSOR}).items():
        if symptom.fits(lambda view: _by(formula, symptom, view)):
            return symptom.say("wrong_value.step", formula=words)
    if any(map(_is_used_up, symptom.views)) and symptom.fits(lambda view: _twice(symptom, view)):
        return symptom.say("wrong_value.steps_twice")
    return None


def _is_used_up(view: View) -> bool:
    return view.finding.passed and bool(view.case.constants.get(LAZILY))


def _twice(symptom: Symptom, view: View) -> Tensor | None:
    """A step that is taken twice, by a second loop over parameters that a generator gives but once."""
    return None if _is_used_up(view) else _by(lambda p, g, lr: p - 2 * lr * g, symptom, view)


def _is_step(symptom: Symptom, view: View) -> bool:
    right = _by(lambda p, g, lr: p - lr * g, symptom, view)
    return right is not None and view.is_near(right, view.expected)


def _by(formula: Formula, symptom: Symptom, view: View) -> Tensor | None:
    """What a formula gives of the parameter of this check, its gradient and the rate; None where they are not given."""
    given = {name: value.to(torch.float64) for name, value in view.case.inputs.items() if value.is_floating_point()}
    name, rate = symptom.path, view.case.constants.get(rate_of(symptom) or "")
    if not isinstance(rate, int | float):
        return None
    pairs = ((p, g) for p, g in permutations(given.values(), 2) if p.shape == g.shape == view.expected.shape)
    for param, grad in [(given[name], given[f"{name}.g"])] if {name, f"{name}.g"} <= given.keys() else pairs:
        if view.is_near(param - rate * grad, view.expected):
            return formula(param, grad, float(rate))
    return None
