"""A training loop with one of the usual mistakes (``loop_slips``), written out in a few lines.

It serves the exercises that are known by their inputs: ``x``, ``y``, weights, ``learning_rate`` and ``steps``. The
loop without a mistake must give the expected tensors, or its mistakes are not considered.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from grader.judge.diagnosis.naming import LEARNING_RATE, STEPS
from grader.judge.diagnosis.steps.optimizer_simulation import doubled
from grader.judge.diagnosis.steps.parts import Rows, Slip, squares
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
        self.slip, self.parts = slip, slip.loop
        self.given = doubled(case)
        names = ("w1", "w2") if "w1" in self.given else ("first", "second", "bias")
        self.weights = {name: self.given[name].clone().requires_grad_() for name in names}
        self.tensors = list(self.weights.values())
        self.rate = slip.rate or case.number(LEARNING_RATE)
        self.steps = int(case.number(STEPS))
        self.constants = case.constants
        self.optimizer = self._made_optimizer()
        self.left = [torch.full_like(each, float(self.parts.is_left)) for each in self.tensors]
        self.grads: list[Tensor] = []  # of the loss, as they were computed last

    def turn(self, step: int) -> Tensor:
        """The loss that is noted in one turn of the loop, which updates the weights."""
        if self.parts.batches:
            return self._by_batches(self.parts.batches, step)
        if self.parts.is_behind:
            for weight, before in zip(self.tensors, self.left, strict=True):
                weight.grad = before.clone()
            self.optimizer.step()
        out = _network(self.given["x"], self.tensors)
        loss = self.parts.loss(out, self.given["y"], self.tensors)
        between = self._update(loss, step)
        loss = loss if between is None or not self.parts.notes_between else between
        return (squares(out, self.given["y"]) if self.parts.notes_sum else loss).detach()

    def _update(self, loss: Tensor, step: int) -> Tensor | None:
        """Update the weights; returns the loss between the updates of the two matrices, where it is computed anew."""
        parts = self.parts
        if parts.is_lost:
            self.optimizer = self._made_optimizer()
        if not self.grads or not parts.is_frozen:
            self.grads = list(torch.autograd.grad(loss, self.tensors))
        if parts.in_turn is not None:
            return _in_turn(self.given, self.tensors, self.rate, parts.in_turn, anew=not parts.keeps_error)
        self._set_gradients(step)
        parts.cut(self.tensors)
        self.optimizer.param_groups[0]["lr"] = self.slip.length(self.rate, step, self.steps)
        for _ in range(parts.times(step)):
            self.optimizer.step()
        return None

    def _set_gradients(self, step: int) -> None:
        """Give each weight the gradient that the optimizer takes, with what is left of those before."""
        parts = self.parts
        for place, (weight, before, grad) in enumerate(zip(self.tensors, self.left, self.grads, strict=True)):
            kept = parts.kept if parts.kept_at in (None, place) else 0.0
            kept = 1.0 if parts.is_left and not parts.is_behind and step == 0 else kept
            before.copy_(kept * before + parts.taken * grad)
            weight.grad = parts.gradient(before.clone(), weight.detach(), place, self.rate)

    def _by_batches(self, batches: Rows, step: int) -> Tensor:
        """The steps of one round through batches of rows; returns the sum of their losses, or the last."""
        losses = []
        for rows in batches(len(self.given["x"]), step):
            loss = squares(_network(self.given["x"][rows], self.tensors), self.given["y"][rows])
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            losses.append(loss.detach())
        return losses[-1] if self.parts.notes_last else torch.stack(losses).sum()

    def _made_optimizer(self) -> torch.optim.Optimizer:
        """What takes the steps, as it is when the loop begins."""
        make = self.parts.optimizer or getattr(torch.optim, str(self.constants.get("kind", "SGD")))
        optimizer: torch.optim.Optimizer = make(self.tensors, lr=self.rate)
        if self.constants.get("used") and not (self.parts.optimizer or self.parts.is_anew):
            for weight in self.tensors:
                weight.grad = torch.zeros_like(weight)
            optimizer.step()
        return optimizer


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
