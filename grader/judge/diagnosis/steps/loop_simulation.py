"""A training loop with the usual mistakes (``slips``), written out in a few lines.

It serves the exercises that are known by their inputs: ``x``, ``y``, weights, ``learning_rate`` and ``steps``. The
loop without a mistake must give the expected tensors, or its mistakes are not considered.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from grader.judge.diagnosis.steps.simulations import doubled
from grader.judge.diagnosis.steps.switches import Slip
from grader.model import Case


def trained(case: Case, slip: Slip) -> dict[str, Tensor]:
    """The weights and losses (``result``) of a network with one hidden ReLU layer and the sum of squares as loss."""
    loop = _Loop(case, slip)
    with torch.enable_grad():
        losses = [loop.turn(step) for step in range(loop.steps)]
    return {**{name: weight.detach() for name, weight in loop.weights.items()}, "result": torch.stack(losses)}


class _Loop:
    """A training loop with the mistake ``slip`` on the inputs of a case."""

    def __init__(self, case: Case, slip: Slip) -> None:
        self.slip = slip
        self.given = doubled(case)
        names = ("w1", "w2") if "w1" in self.given else ("first", "second", "bias")
        self.weights = {name: self.given[name].clone().requires_grad_() for name in names}
        self.tensors = list(self.weights.values())
        self.rate = float(slip.has("lr") or case.number("learning_rate"))
        self.steps = int(case.number("steps"))
        self.constants = case.constants
        self.optimizer = _optimizer(self.constants, slip, self.tensors, self.rate)
        self.left = [torch.full_like(each, float(bool(slip.has("left")))) for each in self.tensors]
        self.grads: list[Tensor] = []  # of the loss, as they were computed last
        rows, columns = self.given["y"].shape
        shares = {"half": 0.5, "all": 1 / self.given["y"].numel(), "rows": 1 / rows, "columns": 1 / columns}
        self.share = shares.get(slip.has("mean"), 1.0)

    def turn(self, step: int) -> Tensor:
        """The loss that is noted in one turn of the loop, which updates the weights."""
        slip = self.slip
        if slip.has("batches"):
            return self._by_batches(step, *slip.has("batches"))
        if slip.has("behind"):
            for weight, before in zip(self.tensors, self.left, strict=True):
                weight.grad = before.clone()
            self.optimizer.step()
        loss = self._loss()
        if not (slip.has("once") and step > 0):
            between = self._update(loss, step)
            loss = loss if between is None or not slip.has("late") else between
        return loss.detach() / (self.share if slip.has("sums_kept") else 1)

    def _loss(self) -> Tensor:
        slip, out = self.slip, _network(self.given["x"], self.tensors)
        error = (torch.relu(out) if slip.has("relu_at_the_end") else out) - self.given["y"]
        loss = self.share * error.pow(2).sum()
        loss = loss.sqrt() if slip.has("root") else loss
        for weight in self.tensors if slip.has("penalty") else ():
            loss = loss + slip.has("penalty") * weight.pow(2).sum()
        return loss

    def _update(self, loss: Tensor, step: int) -> Tensor | None:
        """Update the weights; returns the loss between the updates of the two matrices, where it is computed anew."""
        slip = self.slip
        if slip.has("lost"):
            self.optimizer = _optimizer(self.constants, slip, self.tensors, self.rate)
        if not self.grads or not slip.has("frozen"):
            self.grads = list(torch.autograd.grad(loss, self.tensors))
        self._set_gradients(step)
        if slip.has("clipped"):
            _clip(self.tensors, *slip.has("clipped"))
        if slip.has("falling"):
            self.optimizer.param_groups[0]["lr"] = self.rate * slip.has("falling")(step, self.steps)
        if "in_turn" in slip.switches:
            anew = slip.has("anew") or slip.switches["in_turn"] == 0
            return _in_turn(self.given, self.tensors, self.rate, slip.switches["in_turn"], anew=anew)
        idle = slip.has("behind") or (slip.has("idle_first") and step == 0)
        for _ in range(0 if idle else 2 if slip.has("twice") else 1):
            self.optimizer.step()
        return None

    def _set_gradients(self, step: int) -> None:
        """Give each weight the gradient that the optimizer takes, with what is left of those before."""
        slip = self.slip
        for place, (weight, before, grad) in enumerate(zip(self.tensors, self.left, self.grads, strict=True)):
            share_kept = 1.0 if self._keeps(place, step) else slip.has("kept")
            before.copy_(share_kept * before + (slip.has("taken") or 1.0) * grad)
            weight.grad = -before if slip.has("ascent") else before * (slip.has("factor") or 1.0)
            weight.grad += slip.has("decay") * weight.detach()
            if place == slip.switches.get("turned"):
                weight.grad = -weight.grad
            if place == slip.switches.get("whole"):
                weight.grad = weight.grad / self.rate
            if place in (slip.has("unmoved") or ()):
                weight.grad = None

    def _keeps(self, place: int, step: int) -> bool:
        """Whether a gradient is added to the one before, which nothing has cleared."""
        slip = self.slip
        if slip.has("accumulate") and slip.switches.get("alone", place) == place:
            return True
        return bool(slip.has("left")) and not slip.has("behind") and step == 0

    def _by_batches(self, step: int, rows: Any, kept: str) -> Tensor:
        """The steps of one round through batches of rows; returns the ``sum`` of their losses, or the ``last``."""
        losses = []
        for batch in rows(len(self.given["x"]), step):
            loss = (_network(self.given["x"][batch], self.tensors) - self.given["y"][batch]).pow(2).sum()
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            losses.append(loss.detach())
        return losses[-1] if kept == "last" else torch.stack(losses).sum()


def _optimizer(constants: Mapping[str, Any], slip: Slip, weights: list[Tensor], rate: float) -> torch.optim.Optimizer:
    """What takes the steps, as it is when the loop begins."""
    kind = slip.has("kind") or str(constants.get("kind", "SGD"))
    make = getattr(torch.optim, kind) if isinstance(kind, str) else kind
    optimizer: torch.optim.Optimizer = make(weights, lr=rate)
    if constants.get("used") and not (slip.has("kind") or slip.has("anew")):
        for weight in weights:
            weight.grad = torch.zeros_like(weight)
        optimizer.step()
    return optimizer


def _clip(weights: list[Tensor], how: str, limit: float) -> None:
    """Cut the gradients: the ``norm`` of all, that of ``each`` or all ``entries`` to a limit, or to a ``unit``."""
    if how == "norm":
        torch.nn.utils.clip_grad_norm_(weights, limit)
    elif how == "entries":
        torch.nn.utils.clip_grad_value_(weights, limit)
    for weight in weights:
        if weight.grad is None:
            continue
        if how == "unit":
            weight.grad = weight.grad / weight.grad.norm()
        elif how == "signs":
            weight.grad = weight.grad.sign()
        elif how == "each":
            torch.nn.utils.clip_grad_norm_([weight], limit)


def _in_turn(
    given: Mapping[str, Tensor], weights: list[Tensor], rate: float, first: int, *, anew: bool
) -> Tensor | None:
    """One step of plain descent that updates one matrix, and takes the gradient of the other behind that.

    Computed ``anew``, loss and all, or going back from the error that there was through the matrix as it is then.
    Returns the loss that was computed between the two updates.
    """
    between: Tensor | None = None
    order = (first, 1 - first, *range(2, len(weights)))
    hidden = given["x"] @ (weights[0] if len(weights) == 2 else weights[0].T)
    held = [weight.detach().clone() for weight in weights]
    error = (_network(given["x"], held) - given["y"]).detach()
    for place in order:
        if anew:
            loss = (_network(given["x"], weights) - given["y"]).pow(2).sum()
            (grad,) = torch.autograd.grad(loss, weights[place])
            between = loss if place == 1 - first else between
        else:
            back = torch.relu(hidden) @ (weights[1] if len(weights) == 2 else weights[1].T)
            (grad,) = torch.autograd.grad(back, weights[place], 2 * error, retain_graph=True)
        weights[place].data.sub_(rate * grad)
    return between


def _network(x: Tensor, weights: list[Tensor]) -> Tensor:
    if len(weights) == 2:
        return torch.relu(x @ weights[0]) @ weights[1]
    return torch.relu(x @ weights[0].T) @ weights[1].T + weights[2]
