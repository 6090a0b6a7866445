"""One step of descent, p − lr · g, with its parts put together in another way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import torch
from torch import Tensor

from grader.judge.diagnosis.steps.extras import DECAYS
from grader.judge.diagnosis.symptom import Symptom, View
from grader.model import Diagnosis

Formula = Callable[[Tensor, Tensor, float], Tensor]

#: What a learning rate is called.
RATE_NAMES = ("lr", "learning_rate")


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
    if not symptom.failing or not all(_is_step(symptom, view) for view in symptom.views):
        return None
    in_place = symptom.path in symptom.failing[0].case.inputs
    for words, formula in (_FORMULAS if in_place else {**_FORMULAS, **_OF_A_NEW_TENSOR}).items():
        if symptom.fits(lambda view: _by(formula, symptom, view)):
            return symptom.say("wrong_value.step", formula=words)
    if any(map(_is_used_up, symptom.views)) and symptom.fits(lambda view: _twice(symptom, view)):
        return symptom.say("wrong_value.steps_twice")
    return None


def _is_used_up(view: View) -> bool:
    return view.finding.passed and bool(view.case.constants.get("lazily"))


def _twice(symptom: Symptom, view: View) -> Tensor | None:
    """A step that is taken twice, by a second loop over parameters that a generator gives but once."""
    return None if _is_used_up(view) else _by(lambda p, g, lr: p - 2 * lr * g, symptom, view)


def _is_step(symptom: Symptom, view: View) -> bool:
    right = _by(lambda p, g, lr: p - lr * g, symptom, view)
    return right is not None and view.is_near(right, view.expected)


def _by(formula: Formula, symptom: Symptom, view: View) -> Tensor | None:
    """What a formula gives of the parameter of this check, its gradient and the rate; None where they are not given."""
    inputs, name = view.case.inputs, symptom.path
    param, grad = (name, f"{name}.g") if name in inputs else ("param", "grad")
    rate = next((view.case.constants[each] for each in RATE_NAMES if each in view.case.constants), None)
    if param not in inputs or grad not in inputs or not isinstance(rate, int | float):
        return None
    return formula(inputs[param].to(torch.float64), inputs[grad].to(torch.float64), float(rate))
