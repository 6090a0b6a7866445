"""What students add of their own to an optimizer or a training loop: clipping, decay, a falling learning rate."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch

from grader.judge.diagnosis.steps import parts
from grader.judge.diagnosis.steps.parts import Length, Made, Slip
from grader.judge.diagnosis.words import clauses

#: What is made of a gradient, or of the whole update, by its words.
_MADE: Mapping[str, Made] = {
    "entries": lambda value: value.clamp(-1.0, 1.0),
    "unit": lambda value: value / value.norm(),
    "norm_each": lambda value: value / max(1.0, float(value.norm())),
    "signs": torch.sign,
}
#: Weight decay that nobody asks for.
DECAYS = (0.1, 0.01, 0.05, 1e-3, 5e-4, 1e-4)
_LEFT = (0.99, 0.95, 0.9, 0.5)


def _power(left: float, more: int) -> Length:
    return lambda rate, step, steps: float(rate * left ** (step + more))


def _cosine(rate: float, step: float, steps: int) -> float:
    return rate * 0.5 * (1 + math.cos(math.pi * step / steps))


#: In words, how the learning rate changes from step to step.
SCHEDULES: tuple[tuple[str, Length], ...] = (
    (clauses.LOOPS["falling"], lambda rate, step, steps: rate / (step + 1)),
    *((clauses.LOOPS["falling"], _power(left, 0)) for left in _LEFT),
    (clauses.LOOPS["cosine"], _cosine),
    (clauses.LOOPS["cosine"], lambda rate, step, steps: _cosine(rate, step + 1, steps)),
    (clauses.LOOPS["cosine"], lambda rate, step, steps: _cosine(rate, step, max(1, steps - 1))),
    (clauses.LOOPS["linear"], lambda rate, step, steps: rate * (1 - step / steps)),
    (clauses.LOOPS["linear"], lambda rate, step, steps: rate * (1 - (step + 1) / steps)),
    (clauses.LOOPS["linear"], lambda rate, step, steps: rate * (1 - step / max(1, steps - 1))),
    (clauses.LOOPS["warm"], lambda rate, step, steps: rate * (step + 1) / steps),
    (clauses.LOOPS["warm"], lambda rate, step, steps: rate * step / steps),
)
#: In words, what else is made of it: it falls before the first step, or by a root, or is not the given one.
_LENGTHS: tuple[tuple[str, Length], ...] = (
    *((clauses.LOOPS["falling"], _power(left, 1)) for left in _LEFT),
    (clauses.LOOPS["falling"], lambda rate, step, steps: float(rate * (step + 1) ** -0.5)),
    (clauses.RATES["squared"], lambda rate, step, steps: rate**2),
    (clauses.RATES["rooted"], lambda rate, step, steps: math.sqrt(rate)),
    (clauses.RATES["divided"], lambda rate, step, steps: 1 / rate),
)


def _extra(what: str, wrong: parts.Steps) -> Slip:
    return Slip("wrong_value.extra", what, steps=wrong)


_TIMES: Mapping[str, Made] = {"doubled": lambda grad: 2 * grad, "halved": lambda grad: grad / 2}
#: Additions to any optimizer, whatever its formula.
EXTRA = (
    *(
        _extra(clauses.MADE[name].format(what="gradient"), parts.Steps(gradient=made))
        for name, made in {**_MADE, **_TIMES}.items()
    ),
    *(_extra(clauses.MADE[name].format(what="update"), parts.Steps(update=made)) for name, made in _MADE.items()),
    *(Slip("wrong_value.extra", what, length=length) for what, length in SCHEDULES + _LENGTHS),
    *(_extra(clauses.LOOPS["decay"], parts.Steps(more_decay=decay)) for decay in DECAYS),
)
