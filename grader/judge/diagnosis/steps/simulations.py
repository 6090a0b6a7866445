"""An optimizer with one of the usual mistakes (``slips``) in its formula (``updates``), driven through its steps.

They serve the exercises whose answer is what an optimizer leaves that is driven, by the ``roles`` of their inputs. A
simulation without a mistake must give the expected tensors, or its mistakes are not considered.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from grader.judge.diagnosis.steps.roles import Named, Roles
from grader.judge.diagnosis.steps.switches import Slip
from grader.judge.diagnosis.steps.updates import Adam, Formula, Sgd, State, option
from grader.model import Case

#: The step behind which the learning rate of the first two falls, counted from 0.
_FALLS_AFTER = 2


def driven(case: Case, slip: Slip, name: str, roles: Roles) -> Tensor:
    """The parameter ``name`` after the steps of an optimizer with SGD's or Adam's formula; ``both`` is the first two.

    Only a state that they share makes one depend on another, so that the others are not worked out without need.

    Raises:
        ValueError: there is no such parameter.
    """
    if name == "both":
        return torch.cat([driven(case, slip, each, roles).flatten() for each in roles.params[:2]])
    place = roles.params.index(name)
    shared = slip.has("shared") or slip.has("one_buffer")
    return _Run(case, roles.with_kind(slip, case), roles).end(range(len(roles.params)) if shared else (place,))[place]


class _Run:
    """The run of an optimizer with the mistake ``slip`` over the steps of a case."""

    def __init__(self, case: Case, slip: Slip, roles: Roles) -> None:
        given, constants = doubled(case), case.constants
        options: Any = roles.options_in(case)
        if slip.has("order"):
            options = (*(option(options, place, 0.0) for place in slip.has("order")), *options[3:])
        self.slip = slip
        self.averaged = roles.averaged
        self.formula: Formula = Adam(slip, options) if self.averaged else Sgd(slip, options)
        self.params = [given[name].clone() for name in roles.params]
        self.grads = [given[name] for name in roles.grads]
        self.states: list[State] = [{} for _ in roles.params]
        if slip.has("shared"):
            self.states[2:] = self.states[:1] * len(self.states[2:])
        if slip.has("one_buffer"):
            self.states[1:2] = self.states[:1] * len(self.states[1:2])
        self.rates = [float(slip.has("lr") or case.number(roles.rate))] * len(roles.params)
        self.falls = isinstance(roles, Named) and not slip.has("constant_lr")
        self.late = int(case.number("late", 0))
        self.used_up = bool(slip.has("used_up") and constants.get("lazily"))

    def end(self, places: Iterable[int]) -> list[Tensor]:
        """All parameters, those at ``places`` after the steps."""
        for t in range(1 if self.used_up else len(self.grads[0])):
            for place in places:
                if self._is_updated(t, place):
                    self._update(t, place)
            if t == _FALLS_AFTER and self.falls:
                self.rates[:2] = [rate / 3 for rate in self.rates[:2]]
        return self.params

    def _is_updated(self, t: int, place: int) -> bool:
        """Whether step ``t`` updates a parameter: the second one gets its first gradient late."""
        if self.slip.has("ended") and self.late == len(self.grads[0]) and place < 2:
            return False  # the parameter that has no gradient at any step stands first, and ends every step
        return bool(self.slip.has("none_as_zero")) or self._has_gradient(t, place)

    def _has_gradient(self, t: int, place: int) -> bool:
        return t >= (self.late if place == 1 else 0)

    def _update(self, t: int, place: int) -> None:
        slip, param, rate = self.slip, self.params[place], self.rates[place]
        state: State = {} if slip.has("lost") else self.states[place]
        state["rate"] = rate
        grad = self.grads[place][t] * self._has_gradient(t, place)
        grad = grad + slip.has("decay") * (0.0 if slip.has("decoupled") else param)
        update = self.formula.update(param, (slip.has("gradient") or _same)(grad), state, place)
        update = self._decayed((slip.has("update") or _same)(update), param, rate)
        length = self._rate(t, rate, inside=state.get("holds_rate", False))
        param.sub_(length * (-update if slip.has("ascent") else update))
        if slip.has("decoupled_after"):
            param.sub_(rate * self.formula.weight_decay * param)

    def _decayed(self, update: Tensor, param: Tensor, rate: float) -> Tensor:
        """An update with the weight decay that is no part of its gradient."""
        slip = self.slip
        if self.averaged:
            return update + slip.has("decay") * param if slip.has("decoupled") else update
        update = update + self.formula.weight_decay * param if slip.has("decoupled") else update
        return update + self.formula.weight_decay * param / rate if slip.has("decay_unscaled") else update

    def _rate(self, t: int, rate: float, *, inside: bool) -> float:
        """What an update is multiplied by in step ``t``; ``inside``: the rate is in it already."""
        slip = self.slip
        rate = 1.0 if slip.has("rate_inside") and inside else rate
        rate = rate * slip.has("falling")(t, len(self.grads[0])) if slip.has("falling") else rate
        return float(slip.has("rate_of")(rate) if slip.has("rate_of") else rate * (slip.has("update_times") or 1))


def _same(value: Tensor) -> Tensor:
    return value


def doubled(case: Case) -> dict[str, Tensor]:
    """The inputs of a case in float64."""
    return {name: value.detach().to(torch.float64) for name, value in case.inputs.items()}
