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
    given, constants = doubled(case), case.constants
    names = ("w1", "w2") if "w1" in given else ("first", "second", "bias")
    weights = [given[name].clone().requires_grad_() for name in names]
    rate = float(slip.has("lr") or case.number("learning_rate"))
    optimizer = _optimizer(constants, slip, weights, rate)
    held = [torch.ones_like(weight) if slip.has("left") else torch.zeros_like(weight) for weight in weights]
    rows, columns = given["y"].shape
    shares = {"half": 0.5, "all": 1 / given["y"].numel(), "rows": 1 / rows, "columns": 1 / columns}
    share = shares.get(slip.has("mean"), 1.0)
    kept: list[Tensor] = []
    losses = []
    with torch.enable_grad():
        for step in range(int(case.number("steps"))):
            if slip.has("batches"):
                losses.append(_by_batches(given, weights, optimizer, step, *slip.has("batches")))
                continue
            if slip.has("behind"):
                for weight, before in zip(weights, held, strict=True):
                    weight.grad = before.clone()
                optimizer.step()
            loss = _loss(given, weights, slip, share)
            losses.append(loss.detach() / (share if slip.has("sums_kept") else 1))
            if slip.has("once") and step > 0:
                continue
            if not kept or not slip.has("frozen"):
                kept = list(torch.autograd.grad(loss, weights))
            for place, (weight, before, grad) in enumerate(zip(weights, held, kept, strict=True)):
                keep = (slip.has("accumulate") and slip.switches.get("alone", place) == place) or (
                    slip.has("left") and not slip.has("behind") and step == 0
                )
                share_kept = 1.0 if keep else slip.has("kept")
                before.copy_(share_kept * before + (slip.has("taken") or 1.0) * grad)
                weight.grad = -before if slip.has("ascent") else before * (slip.has("factor") or 1.0)
                weight.grad += slip.has("decay") * weight.detach()
                _change_alone(weight, place, slip, rate)
            if slip.has("clipped"):
                _clip(weights, *slip.has("clipped"))
            if slip.has("falling"):
                optimizer.param_groups[0]["lr"] = rate * slip.has("falling")(step, int(case.number("steps")))
            if "in_turn" in slip.switches:
                _in_turn(given, weights, rate, slip.switches["in_turn"])
                continue
            idle = slip.has("behind") or (slip.has("idle_first") and step == 0)
            for _ in range(0 if idle else 2 if slip.has("twice") else 1):
                optimizer.step()
    values = {name: weight.detach() for name, weight in zip(names, weights, strict=True)}
    return {**values, "result": torch.stack(losses)}


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


def _loss(given: Mapping[str, Tensor], weights: list[Tensor], slip: Slip, share: float) -> Tensor:
    out = _network(given["x"], weights)
    error = (torch.relu(out) if slip.has("relu_at_the_end") else out) - given["y"]
    loss = share * error.pow(2).sum()
    loss = loss.sqrt() if slip.has("root") else loss
    for weight in weights if slip.has("penalty") else ():
        loss = loss + slip.has("penalty") * weight.pow(2).sum()
    return loss


def _change_alone(weight: Tensor, place: int, slip: Slip, rate: float) -> None:
    """Change the gradient of one tensor of weights, which is not updated as the others are."""
    assert weight.grad is not None
    if place == slip.switches.get("turned"):
        weight.grad = -weight.grad
    if place == slip.switches.get("whole"):
        weight.grad = weight.grad / rate
    if place in (slip.has("unmoved") or ()):
        weight.grad = None


def _by_batches(
    given: Mapping[str, Tensor],
    weights: list[Tensor],
    optimizer: torch.optim.Optimizer,
    step: int,
    rows: Any,
    kept: str,
) -> Tensor:
    """The steps of one round through batches of rows; returns the ``sum`` of their losses, or the ``last``."""
    losses = []
    for batch in rows(len(given["x"]), step):
        loss = (_network(given["x"][batch], weights) - given["y"][batch]).pow(2).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    return losses[-1] if kept == "last" else torch.stack(losses).sum()


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


def _in_turn(given: Mapping[str, Tensor], weights: list[Tensor], rate: float, first: int) -> None:
    """One step of plain descent that updates one matrix, and takes the gradient of the other behind that."""
    order = (first, 1 - first, *range(2, len(weights)))
    hidden = given["x"] @ (weights[0] if len(weights) == 2 else weights[0].T)
    held = [weight.detach().clone() for weight in weights]
    error = (_network(given["x"], held) - given["y"]).detach()
    for place in order:
        if first == 0:  # the gradients are computed anew, loss and all
            loss = (_network(given["x"], weights) - given["y"]).pow(2).sum()
            (grad,) = torch.autograd.grad(loss, weights[place])
        else:  # what is behind the last matrix stays, and goes back through the matrix as it is now
            back = torch.relu(hidden) @ (weights[1] if len(weights) == 2 else weights[1].T)
            (grad,) = torch.autograd.grad(back, weights[place], 2 * error, retain_graph=True)
        weights[place].data.sub_(rate * grad)


def _network(x: Tensor, weights: list[Tensor]) -> Tensor:
    if len(weights) == 2:
        return torch.relu(x @ weights[0]) @ weights[1]
    return torch.relu(x @ weights[0].T) @ weights[1].T + weights[2]
