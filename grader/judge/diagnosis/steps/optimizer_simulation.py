"""An optimizer with one of the usual mistakes (``slips``) in its formula (``updates``), driven through its steps.

They serve the exercises whose answer is what an optimizer leaves that is driven, by the ``roles`` of their inputs. A
simulation without a mistake must give the expected tensors, or its mistakes are not considered.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import torch
from torch import Tensor

from grader.judge.diagnosis.naming import LAZILY
from grader.judge.diagnosis.steps.parts import RIGHT, Slip, joined
from grader.judge.diagnosis.steps.roles import Roles
from grader.judge.diagnosis.steps.updates import AdamOptimizer, SgdOptimizer, State
from grader.model import Case, Constant

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
    slip = slip if roles.kind is RIGHT else joined(roles.kind, slip)
    place, state_of = roles.params.index(name), slip.steps.state_of
    sharing = [other for other in range(len(roles.params)) if state_of(other) == state_of(place)]
    return _Run(case, slip, roles).end(sharing)[place]


class _Run:
    """The run of an optimizer with the mistake ``slip`` over the steps of a case."""

    def __init__(self, case: Case, slip: Slip, roles: Roles) -> None:
        given, options = doubled(case), roles.options_in(case)
        self.slip, self.parts = slip, slip.steps
        self.optimizer = AdamOptimizer(slip.adam, *options) if roles.is_adam else SgdOptimizer(slip.sgd, *options)
        self.decay = self.optimizer.weight_decay + self.parts.more_decay
        self.decay_in = (self.parts.decay_in or "gradient") if self.decay else None
        self.params = [given[name].clone() for name in roles.params]
        self.grads = [given[name] for name in roles.grads]
        self.states = [State() for _ in roles.params]
        self.rates = [slip.rate or case.number(roles.rate)] * len(roles.params)
        self.falls = roles.options is None and self.parts.sees_rate_fall
        self.without = steps_without(case)
        self.steps = 1 if self.parts.uses_up and case.constants.get(LAZILY) else len(self.grads[0])

    def end(self, places: Sequence[int]) -> list[Tensor]:
        """All parameters, those at ``places`` after the steps."""
        for t in range(self.steps):
            for place in places:
                if self._is_updated(t, place):
                    self._update(t, place)
            if t == _FALLS_AFTER and self.falls:
                self.rates[:2] = [rate / 3 for rate in self.rates[:2]]
        return self.params

    def _is_updated(self, t: int, place: int) -> bool:
        """Whether step ``t`` updates a parameter."""
        if self.parts.ends_at_none and len(self.without) == len(self.grads[0]) and place < 2:
            return False  # the parameter that has no gradient at any step stands first, and ends every step
        return self.parts.none_is_zero or self._has_gradient(t, place)

    def _has_gradient(self, t: int, place: int) -> bool:
        """Whether a parameter has a gradient at step ``t``: the second one may have none at some."""
        return place != 1 or t not in self.without

    def _update(self, t: int, place: int) -> None:
        parts, param, rate = self.parts, self.params[place], self.rates[place]
        state = State() if parts.is_state_lost else self.states[parts.state_of(place)]
        taken = param.clone() if parts.takes_param else self.grads[place][t] * self._has_gradient(t, place)
        bare = parts.gradient(taken)
        grad = bare + self._pull(param, rate) if self.decay_in == "gradient" else bare
        update = parts.update(self.optimizer.update(bare, grad, rate, state, place))
        update = update + self._pull(param, rate) if self.decay_in == "update" else update
        param.sub_(self.slip.length(1.0 if self.optimizer.holds_rate else rate, t, len(self.grads[0])) * update)
        if self.decay_in == "parameter":
            param.sub_(rate * self._pull(param, rate))

    def _pull(self, param: Tensor, rate: float) -> Tensor:
        """What weight decay takes of a parameter, but for the rate."""
        return self.decay * self.parts.pull(param, rate)


def steps_without(case: Case) -> Collection[Constant]:
    """The steps of a case at which the second parameter has no gradient."""
    without = case.constants.get("without")
    return without if isinstance(without, tuple) else ()


def doubled(case: Case) -> dict[str, Tensor]:
    """The inputs of a case in float64."""
    return {name: value.detach().to(torch.float64) for name, value in case.inputs.items()}
