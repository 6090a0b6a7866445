"""The formulas of SGD and Adam, into which single mistakes can be built."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from grader.judge.diagnosis.steps.slips import RIGHT_BETAS
from grader.judge.diagnosis.steps.switches import Slip, Switch

#: What an optimizer keeps for one parameter from step to step.
State = dict[str, Any]


@dataclass(frozen=True)
class Formula:
    """How an optimizer with the mistake ``slip`` makes an update of a gradient; ``options`` as its class takes them."""

    slip: Slip
    options: Any

    @property
    def weight_decay(self) -> float:
        """The third of SGD's options."""
        return float(option(self.options, 2, 0.0))

    def update(self, param: Tensor, grad: Tensor, state: State, place: int) -> Tensor:
        """What is subtracted from the parameter at ``place``, but for the learning rate."""
        raise NotImplementedError


#: Switches by which weight decay is no part of the gradient.
_OUTSIDE: tuple[Switch, ...] = ("no_decay", "decoupled", "decoupled_after", "decay_unscaled")


class Sgd(Formula):
    """SGD's formula: momentum, dampening, weight decay, Nesterov."""

    def update(self, param: Tensor, grad: Tensor, state: State, place: int) -> Tensor:
        """The gradient with its weight decay, or what momentum makes of it."""
        slip, momentum = self.slip, option(self.options, 0, 0.0)
        update = grad
        if self.weight_decay and not any(slip.has(name) for name in _OUTSIDE):
            update = grad + self._pull(param, state["rate"])
        if slip.has("plain") or not momentum:
            return update
        if slip.has("rate_inside"):
            update, state["holds_rate"] = state["rate"] * update, True
        is_first = "buffer" not in state
        state["buffer"] = self._buffer(state.get("buffer"), update, momentum)
        nesterov = bool(option(self.options, 3, False)) or slip.has("always_nesterov")
        ahead = nesterov and not slip.has("no_nesterov")
        result = self._ahead(grad, update, state["buffer"], momentum) if ahead else state["buffer"]
        if slip.has("last_alone"):
            state["buffer"] = update
        if slip.has("stored_ahead"):
            state["buffer"] = result
        if slip.has("zeroed") and is_first:
            state["buffer"] = torch.zeros_like(update)
        return result

    def _pull(self, param: Tensor, rate: float) -> Tensor:
        """What weight decay adds to the gradient."""
        slip = self.slip
        pulled = slip.has("decay_of")(param) if slip.has("decay_of") else param
        pull: Tensor = self.weight_decay * pulled * (-1 if slip.has("decay_sign") else slip.has("decay_times") or 1)
        return rate * pull if slip.has("decay_by_rate") else pull

    def _buffer(self, buffer: Tensor | None, update: Tensor, momentum: float) -> Tensor:
        """The momentum buffer after a step; before the first one there is none."""
        slip, taken = self.slip, self._share_taken(momentum)
        if buffer is None and slip.has("empty_first"):
            return torch.zeros_like(update)
        if buffer is None and slip.has("first_doubled"):
            return update * (momentum + taken)
        if buffer is None:
            averaged = slip.has("average") and not slip.has("whole_first")
            return update * (taken if slip.has("damp_first") or averaged else 1)
        old, new = (taken, 1.0) if slip.has("damp_old") else (1.0, taken)
        old = taken if slip.has("damp_both") else old
        old, new = (1.0, taken * momentum) if slip.has("gradient_weighed") else (old * momentum, new)
        return (1.0 if slip.has("kept_whole") else old) * buffer + new * update

    def _share_taken(self, momentum: float) -> float:
        """The share of a gradient that goes into the buffer: all but the dampening."""
        slip, dampening = self.slip, float(option(self.options, 1, 0.0))
        if slip.has("damp_added"):
            return 1 + dampening
        if slip.has("damp_itself"):
            return dampening
        share = 1 - (momentum if slip.has("average") else dampening)
        return 1 - share if slip.has("damp_inverse") and dampening else 1.0 if slip.has("no_damp") else share

    def _ahead(self, grad: Tensor, update: Tensor, buffer: Tensor, momentum: float) -> Tensor:
        """Nesterov's update: the gradient, and the buffer once more."""
        slip = self.slip
        if slip.has("ahead_of_gradient"):
            return buffer + momentum * update
        ahead = buffer * (1 if slip.has("unscaled") else momentum)
        if slip.has("ahead_of_buffer"):
            return buffer + ahead
        return (0 if slip.has("buffer_only") else grad if slip.has("undecayed") else update) + ahead


class Adam(Formula):
    """Adam's formula: the averages of gradients and of their squares, each corrected for its beginning at zero."""

    def update(self, param: Tensor, grad: Tensor, state: State, place: int) -> Tensor:
        """The corrected mean over the root of the corrected square."""
        slip = self.slip
        betas = (0.9, 0.999) if slip.has("default_betas") else option(self.options, 0, (0.9, 0.999))
        uses = [float(betas[at]) for at in slip.switches.get("uses", RIGHT_BETAS)]
        first, second = (0.9, 0.999) if slip.has("default_correction") else uses[4:]
        state["t"] = state.get("t", 0) + 1
        t = self._count(state["t"], place)
        late = {name: state.get(name, torch.zeros_like(grad)) for name in self._averages("late")}
        self._average(grad, state, uses)
        mean, square = self._corrected({**state, **late} if late else state, first, second, t)
        stored = self._averages("stored")
        state.update({name: value for name, value in (("mean", mean), ("square", square)) if name in stored})
        mean = grad if slip.has("plain_gradient") else mean
        if "gradient_once_more" in slip.switches:
            ahead = 1 - first ** (t + slip.switches["gradient_once_more"])
            mean = uses[0] * state["mean"] / ahead + (1 - uses[1]) * grad / (1 - first**t)
        if slip.has("largest_gradient"):
            largest = torch.maximum(uses[2] * state.get("largest", torch.zeros_like(grad)), grad.abs())
            state["largest"] = largest
            return mean / (largest + self._eps)
        if slip.has("as_sgd"):
            return grad
        if slip.has("rootless"):  # mean / (√square / (1 − β₂ᵗ) + eps), or eps is divided by 1 − β₂ᵗ, too
            root: Tensor = state["square"].sqrt()
            eps = self._eps * (1 - second**t if slip.has("rootless") == "but for eps" else 1)
            return float(1 - second**t) * mean / (root + eps)
        return self._quotient(mean, square, 1 - second**t)

    @property
    def _eps(self) -> float:
        return 0.0 if self.slip.has("no_eps") else float(option(self.options, 1, 1e-8))

    def _count(self, step: int, place: int) -> int:
        """The step's number in the corrections."""
        slip = self.slip
        t = step * (2 if slip.has("by_two") else 1) + (1 if slip.has("ahead") else 0)
        if slip.has("counted"):
            t = step if place == 2 else 2 * step - 1 + place
        return max(1, t - 1) if slip.has("behind") else t

    def _averages(self, switch: Switch) -> tuple[str, ...]:
        """Which of the two averages a mistake is made in."""
        found: tuple[str, ...] = self.slip.switches.get(switch, ())
        return found

    def _average(self, grad: Tensor, state: State, uses: list[float]) -> None:
        """Take the gradient into the two averages, ``mean`` and ``square``, by the betas in their places."""
        slip = self.slip
        kept = {} if slip.has("averages_lost") else state
        zero, ones = torch.zeros_like(grad), self._averages("ones")
        old, new = {"mean": uses[0], "square": uses[2]}, {"mean": 1 - uses[1], "square": 1 - uses[3]}
        for name in self._averages("weights"):
            old[name], new[name] = new[name], old[name]
        new.update(dict.fromkeys(self._averages("unweighted"), 1.0))
        state["mean"] = old["mean"] * kept.get("mean", zero + ("mean" in ones)) + new["mean"] * grad
        squared = state["mean"] if slip.has("of_mean") else grad - state["mean"] if slip.has("of_deviation") else grad
        squared = squared.abs() if slip.has("of_absolute") else grad if slip.has("of_gradient") else squared**2
        if slip.has("summed_squares"):
            old["square"] = new["square"] = 1.0
        state["square"] = old["square"] * kept.get("square", zero + ("square" in ones)) + new["square"] * squared
        if slip.has("square_still"):
            state["square"] = zero
        if slip.has("first_whole") and state["t"] == 1:
            state["mean"], state["square"] = grad, squared

    def _corrected(self, state: State, first: float, second: float, t: int) -> tuple[Tensor, Tensor]:
        """The two averages without the share that is missing from them after ``t`` steps."""
        slip, times = self.slip, self._averages("times")
        of_mean, of_square = (1 if name in self._averages("stuck") else t for name in ("mean", "square"))
        square = _largest(state, state["square"]) if slip.has("largest") else state["square"]
        square = square / (1 if slip.has("raw_square") else 1 - second**of_square)
        square = _largest(state, square) if slip.has("largest_corrected") else square
        mean = state["mean"] / (1 if slip.has("raw_mean") else 1 - first**of_mean)
        mean = state["mean"] * (1 - first**t) if "mean" in times else mean
        return mean, state["square"] * (1 - second**t) if "square" in times else square

    def _quotient(self, mean: Tensor, square: Tensor, share: float) -> Tensor:
        """The mean over the root of the square, which lacks nothing of its ``share`` any more."""
        slip, eps = self.slip, self._eps
        if slip.has("no_square"):
            return mean
        if slip.has("no_root"):
            return mean / (square + eps)
        if slip.has("eps_inside"):
            return mean / (square + eps).sqrt()
        if slip.has("eps_outside"):
            return mean / square.sqrt() + eps
        return mean / (square.sqrt() + eps / (math.sqrt(share) if slip.has("eps_early") else 1))


def _largest(state: State, square: Tensor) -> Tensor:
    state["largest"] = torch.maximum(state.get("largest", square), square)
    largest: Tensor = state["largest"]
    return largest


def option(options: Any, index: int, default: Any) -> Any:
    """An option by its place, ``default`` where it is left out."""
    return options[index] if isinstance(options, tuple) and len(options) > index else default
