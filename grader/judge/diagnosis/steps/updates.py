"""SGD and Adam, by formulas that are made of ``parts``, of which some may be wrong."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from grader.judge.diagnosis.steps import parts


@dataclass
class State:
    """What an optimizer keeps for one parameter from step to step."""

    steps: int = 0
    tensors: dict[str, Tensor] = field(default_factory=dict)


class SgdOptimizer:
    """SGD with the options that its class takes; the learning rate is in its updates if it ``holds_rate``."""

    def __init__(
        self,
        formula: parts.Sgd,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
    ) -> None:
        given = dict(zip(formula.order, map(float, (momentum, dampening, weight_decay)), strict=True))
        self.momentum, self.dampening, self.weight_decay = (given[name] for name in parts.SGD_OPTIONS)
        self.formula = formula
        self.is_plain = formula.is_plain or not self.momentum
        self.is_ahead = nesterov or formula.always_nesterov
        self.holds_rate = formula.holds_rate and not self.is_plain

    def update(self, bare: Tensor, grad: Tensor, rate: float, state: State, place: int) -> Tensor:
        """The gradient with its weight decay, or what momentum makes of it; ``bare`` is the one without."""
        if self.is_plain:
            return grad
        formula = self.formula
        grad = rate * grad if self.holds_rate else grad
        kept, taken = formula.shares(self.momentum, self.dampening)
        before = state.tensors.get("buffer")
        new = formula.entering(rate, before is None) * grad
        buffer = formula.first(kept, taken) * new if before is None else kept * before + taken * new
        update = formula.ahead(bare, grad, buffer, self.momentum) if self.is_ahead else buffer
        state.tensors["buffer"] = formula.stored(before, grad, buffer, update)
        return update


#: Adam's betas where none are given.
_BETAS = (0.9, 0.999)


class AdamOptimizer:
    """Adam: averages of the gradients and of their squares, each corrected for its beginning at zero."""

    holds_rate = False

    def __init__(
        self, formula: parts.Adam, betas: tuple[float, float] = _BETAS, eps: float = 1e-8, weight_decay: float = 0
    ) -> None:
        self.formula, self.eps, self.weight_decay = formula, eps, weight_decay
        self.mean = _Average("mean", formula.mean, (*betas, _BETAS[0]))
        self.square = _Average("square", formula.square, (*betas[::-1], _BETAS[1]))

    def update(self, bare: Tensor, grad: Tensor, rate: float, state: State, place: int) -> Tensor:
        """The corrected mean over the root of the corrected square."""
        formula = self.formula
        state.steps += 1
        t = formula.count(state.steps, place)
        raw_mean, mean = self.mean.after(grad, state, t)
        raw, square = self.square.after(formula.squared(grad, raw_mean), state, t)
        top, share = grad if formula.takes_gradient else mean, 1 - self.square.correcting**t
        return formula.quotient(parts.Averages(grad, top, square, raw, share, self.eps, rate))


class _Average:
    """One of Adam's averages, which is kept by its name; ``betas`` are its own, the other one and its default."""

    def __init__(self, name: str, formula: parts.Average, betas: tuple[float, ...]) -> None:
        self.name, self.formula = name, formula
        keeping, taking, self.correcting = (float(betas[place]) for place in formula.betas)
        self.shares = formula.shares(keeping, taking)

    def after(self, value: Tensor, state: State, t: int) -> tuple[Tensor, Tensor]:
        """The average with a new value, as it is and corrected for ``t`` steps."""
        formula, (kept, taken) = self.formula, self.shares
        before = state.tensors.get(self.name, torch.full_like(value, formula.start))
        raw = formula.added(kept * before, taken * value)
        if formula.starts_whole and state.steps == 1:
            raw = value
        average = before if formula.is_late else raw
        average = _largest(average, state) if formula.largest == "average" else average
        corrected = formula.corrected(average, value, self.correcting, t)
        corrected = _largest(corrected, state) if formula.largest == "corrected" else corrected
        state.tensors[self.name] = corrected if formula.is_stored_corrected else raw
        return raw, corrected


def _largest(value: Tensor, state: State) -> Tensor:
    """The largest value so far."""
    largest = state.tensors["largest"] = torch.maximum(state.tensors.get("largest", value), value)
    return largest
