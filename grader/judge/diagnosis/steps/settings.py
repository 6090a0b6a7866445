"""Momentum steps on given gradients, taken by an optimizer with one setting too many, or by another optimizer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch
from torch import Tensor

from grader.judge.diagnosis.naming import GRADIENTS, MOMENTUM, RATE, START, STEPS
from grader.judge.diagnosis.steps.extras import DECAYS, FALLING, SCHEDULES, Share
from grader.judge.diagnosis.symptom import Symptom, View
from grader.judge.diagnosis.words import clauses
from grader.model import Diagnosis

#: An optimizer of a parameter, from the learning rate and the momentum.
Make = Callable[[list[Tensor], float, float], torch.optim.Optimizer]
_INPUTS = frozenset({START, GRADIENTS, RATE, MOMENTUM, STEPS})


def other_settings(symptom: Symptom) -> Diagnosis | None:
    """The steps of an optimizer that got a setting too many, or of another optimizer."""
    if not symptom.failing or not set(symptom.exercise.inputs) >= _INPUTS:
        return None
    for key, what, make, share in _settings():
        if symptom.fits(lambda view: _after(symptom, view, key, make, share)):
            return symptom.say("wrong_value.settings", what=what)
    return None


def _settings() -> Iterator[tuple[str, str, Make, Share]]:
    """A name, what it is in words, the optimizer, and the share of the rate at each step."""
    words = clauses.SETTINGS
    yield "nesterov", words["nesterov"], partial(torch.optim.SGD, nesterov=True), _whole
    yield "dampening", words["dampening"], lambda p, lr, m: torch.optim.SGD(p, lr, m, dampening=m), _whole
    yield "Adam", words["Adam"], lambda p, lr, m: torch.optim.Adam(p, lr), _whole
    yield "twice", words["twice"], _Twice, _whole
    for decay in DECAYS:
        yield f"decay {decay}", words["decay"], partial(torch.optim.SGD, weight_decay=decay), _whole
    yield "sums", words["sums"], _OfSums, _whole
    for place, (what, share) in enumerate((*(("falling", share) for share in FALLING), *SCHEDULES)):
        yield f"falling {place}", clauses.LOOPS[what], torch.optim.SGD, share


class _Twice(torch.optim.SGD):
    """Two steps in the place of one, with the same gradients."""

    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Take both."""
        super().step()
        super().step()


class _OfSums(torch.optim.SGD):
    """Steps by the sum of all gradients so far."""

    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Take one."""
        (param,) = self.param_groups[0]["params"]
        self.total = getattr(self, "total", 0) + param.grad
        param.grad = self.total.clone()
        super().step()


def _whole(step: int, steps: int) -> float:
    return 1.0


def _after(symptom: Symptom, view: View, key: str, make: Make, share: Share) -> Tensor | None:
    """What the check reads after the steps: the exercise's own forward pass takes it from where they end."""
    case = view.case

    def stepped() -> Tensor:
        end = case.inputs[START].detach().to(torch.float64).clone().requires_grad_()
        rate, momentum, steps = map(case.number, (RATE, MOMENTUM, STEPS))
        optimizer = make([end], rate, momentum)
        for step in range(int(steps)):
            optimizer.param_groups[0]["lr"] = rate * share(step, int(steps))
            end.grad = case.inputs[GRADIENTS][step].to(torch.float64)
            optimizer.step()
        return end.detach()

    try:
        end = symptom.alternatives.once((other_settings, key, case.label), stepped)
    except (LookupError, ValueError):
        return None
    still = {START: end, GRADIENTS: torch.zeros_like(case.inputs[GRADIENTS])}
    return symptom.expected_with(f"settings {key}", view, inputs=still)
