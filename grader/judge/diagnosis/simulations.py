"""Optimizers and training loops with the usual mistakes (``slips``), written out in a few lines each.

They serve the exercises whose answer is a sequence of steps, known by their inputs' names: ``p_grads`` and ``options``
for an optimizer that is driven, ``x``, ``y``, weights, ``learning_rate`` and ``steps`` for a training loop. A
simulation without a mistake must give the expected tensors, or its mistakes are not considered.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from grader.judge.diagnosis.slips import RIGHT_BETAS, Slip
from grader.model import Case


def driven(case: Case, slip: Slip, *, averaged: bool) -> dict[str, Tensor]:
    """``p``, ``q``, ``r`` and ``both`` after the steps of an optimizer with SGD's or Adam's formula."""
    given, constants = _double(case), case.constants
    late = int(case.number("late", 0))
    options: Any = constants.get("options", ())
    params = [given[name].clone() for name in ("p", "q", "r")]
    grads = [given[f"{name}_grads"] for name in ("p", "q", "r")]
    states: list[dict[str, Any]] = [{}, {}, {}]
    if slip.has("shared"):
        states[2] = states[0]
    if slip.has("one_buffer"):
        states[1] = states[0]
    rates = [float(slip.has("lr") or case.number("lr"))] * 3
    step = _adam if averaged else _sgd
    for t in range(1 if slip.has("used_up") and constants.get("lazily") else len(grads[0])):
        for i, param in enumerate(params):
            if slip.has("ended") and late == len(grads[0]) and i < 2:
                continue  # the parameter that has no gradient at any step stands first, and ends every step
            if t >= (late if i == 1 else 0):
                state = {} if slip.has("lost") else states[i]
                state["rate"] = rates[i]
                update = step(param, grads[i][t], state, options, slip, i)
                if slip.has("decoupled") and not averaged:
                    update = update + _option(options, 2, 0.0) * param
                if slip.has("decay_unscaled") and not averaged:
                    update = update + _option(options, 2, 0.0) * param / rates[i]
                rate = 1.0 if slip.has("rate_inside") and state.get("holds_rate") else rates[i]
                param.sub_(rate * (-update if slip.has("ascent") else update))
        if t == 2 and not slip.has("constant_lr"):
            rates[:2] = [rate / 3 for rate in rates[:2]]
    p, q, r = params
    return {"p": p, "q": q, "r": r, "both": torch.cat((p.flatten(), q.flatten()))}


def _sgd(param: Tensor, grad: Tensor, state: dict[str, Any], options: Any, slip: Slip, index: int) -> Tensor:
    momentum, dampening, decay = (_option(options, i, 0.0) for i in range(3))
    nesterov = (bool(_option(options, 3, False)) or slip.has("always_nesterov")) and not slip.has("no_nesterov")
    pulled = slip.has("decay_of")(param) if slip.has("decay_of") else param
    pull = decay * pulled * (-1 if slip.has("decay_sign") else slip.has("decay_times") or 1)
    pull = state["rate"] * pull if slip.has("decay_by_rate") else pull
    inside = decay and not (slip.has("no_decay") or slip.has("decoupled") or slip.has("decay_unscaled"))
    update = grad + pull if inside else grad
    if slip.has("plain"):
        return update
    if momentum and slip.has("rate_inside"):
        update, state["holds_rate"] = state["rate"] * update, True
    if momentum:
        kept = 1 - (momentum if slip.has("average") else dampening)
        kept = 1 - kept if slip.has("damp_inverse") and dampening else 1.0 if slip.has("no_damp") else kept
        kept = dampening if slip.has("damp_itself") else kept
        if "buffer" in state:
            old, new = (kept, 1.0) if slip.has("damp_old") else (1.0, kept)
            old, new = (1.0, kept * momentum) if slip.has("gradient_weighed") else (old * momentum, new)
            state["buffer"] = old * state["buffer"] + new * update
        elif slip.has("empty_first"):
            state["buffer"] = torch.zeros_like(update)
        else:
            averaged = slip.has("average") and not slip.has("whole_first")
            state["buffer"] = update * (kept if slip.has("damp_first") or averaged else 1)
        ahead = state["buffer"] * (1 if slip.has("unscaled") else momentum)
        looking = 0 if slip.has("buffer_only") else grad if slip.has("undecayed") else update
        if slip.has("ahead_of_gradient"):
            looking, ahead = state["buffer"], momentum * update
        elif slip.has("ahead_of_buffer"):
            looking = state["buffer"]
        before, update = update, looking + ahead if nesterov else state["buffer"]
        if slip.has("last_alone"):
            state["buffer"] = before
        if slip.has("stored_ahead"):
            state["buffer"] = update
    return update


def _adam(param: Tensor, grad: Tensor, state: dict[str, Any], options: Any, slip: Slip, index: int) -> Tensor:
    betas = (0.9, 0.999) if slip.has("default_betas") else _option(options, 0, (0.9, 0.999))
    uses = [betas[place] for place in slip.switches.get("uses", RIGHT_BETAS)]
    first, second = (0.9, 0.999) if slip.has("default_correction") else (float(uses[4]), float(uses[5]))
    state["t"] = state.get("t", 0) + 1
    t = state["t"] * (2 if slip.has("by_two") else 1) + (1 if slip.has("ahead") else 0)
    if slip.has("counted"):
        t = state["t"] if index == 2 else 2 * state["t"] - 1 + index
    t = max(1, t - 1) if slip.has("behind") else t
    _average(grad, state, uses, slip)
    mean, square = _corrected(state, first, second, t, slip)
    if slip.has("stored"):
        state["mean"], state["square"] = mean, square
    eps = 0.0 if slip.has("no_eps") else float(_option(options, 1, 1e-8))
    mean = grad if slip.has("plain_gradient") else mean
    if "gradient_once_more" in slip.switches:
        ahead = 1 - first ** (t + slip.switches["gradient_once_more"])
        mean = uses[0] * state["mean"] / ahead + (1 - uses[1]) * grad / (1 - first**t)
    if slip.has("largest_gradient"):
        so_far: Tensor = torch.maximum(uses[2] * state.get("largest", torch.zeros_like(grad)), grad.abs())
        state["largest"] = so_far
        return mean / (so_far + eps)
    if slip.has("as_sgd"):
        return grad
    if slip.has("no_square"):
        return mean
    if slip.has("no_root"):
        return mean / (square + eps)
    if slip.has("eps_inside"):
        return mean / (square + eps).sqrt()
    if slip.has("eps_outside"):
        return mean / square.sqrt() + eps
    if slip.has("rootless"):  # lr · (1 − β₂ᵗ) / (1 − β₁ᵗ) · mean / (√square + eps), where the first has a root
        share = float(1 - second**t)
        root: Tensor = state["square"].sqrt()
        return share * mean / (root + eps)
    return mean / (square.sqrt() + eps / (math.sqrt(1 - second**t) if slip.has("eps_early") else 1))


def _average(grad: Tensor, state: dict[str, Any], uses: list[float], slip: Slip) -> None:
    """Take the gradient into the two averages, ``mean`` and ``square``, by the betas in their places."""
    kept = {} if slip.has("averages_lost") else state
    zero = torch.zeros_like(grad)
    exchanged, unweighted = slip.switches.get("weights", ()), slip.switches.get("unweighted", ())
    old, new = {"mean": uses[0], "square": uses[2]}, {"mean": 1 - uses[1], "square": 1 - uses[3]}
    for name in exchanged:
        old[name], new[name] = new[name], old[name]
    new.update(dict.fromkeys(unweighted, 1.0))
    state["mean"] = old["mean"] * kept.get("mean", zero) + new["mean"] * grad
    squared = state["mean"] if slip.has("of_mean") else grad - state["mean"] if slip.has("of_deviation") else grad
    squared = squared.abs() if slip.has("of_absolute") else grad if slip.has("of_gradient") else squared**2
    state["square"] = old["square"] * kept.get("square", zero) + new["square"] * squared
    if slip.has("first_whole") and state["t"] == 1:
        state["mean"], state["square"] = grad, squared


def _corrected(state: dict[str, Any], first: float, second: float, t: int, slip: Slip) -> tuple[Tensor, Tensor]:
    """The two averages without the share that is missing from them after ``t`` steps."""
    of_mean, of_square = (1 if name in slip.switches.get("stuck", ()) else t for name in ("mean", "square"))
    if slip.has("times"):
        return state["mean"] * (1 - first**t), state["square"] * (1 - second**t)
    square = _largest(state, state["square"]) if slip.has("largest") else state["square"]
    square = square / (1 if slip.has("raw_square") else 1 - second**of_square)
    square = _largest(state, square) if slip.has("largest_corrected") else square
    return state["mean"] / (1 if slip.has("raw_mean") else 1 - first**of_mean), square


def _largest(state: dict[str, Any], square: Tensor) -> Tensor:
    state["largest"] = torch.maximum(state.get("largest", square), square)
    largest: Tensor = state["largest"]
    return largest


def _option(options: Any, index: int, default: Any) -> Any:
    return options[index] if isinstance(options, tuple) and len(options) > index else default


def trained(case: Case, slip: Slip) -> dict[str, Tensor]:
    """The weights and losses (``result``) of a network with one hidden ReLU layer and the sum of squares as loss."""
    given, constants = _double(case), case.constants
    names = ("w1", "w2") if "w1" in given else ("first", "second", "bias")
    weights = [given[name].clone().requires_grad_() for name in names]
    rate = float(slip.has("lr") or case.number("learning_rate"))
    make = getattr(torch.optim, slip.has("kind") or str(constants.get("kind", "SGD")))
    optimizer = make(weights, lr=rate)
    if constants.get("used") and not (slip.has("kind") or slip.has("anew")):
        for weight in weights:
            weight.grad = torch.zeros_like(weight)
        optimizer.step()
    held = [torch.ones_like(weight) if slip.has("left") else torch.zeros_like(weight) for weight in weights]
    shares = {"half": 0.5, "all": 1 / given["y"].numel(), "rows": 1 / len(given["y"])}
    share = shares.get(slip.has("mean"), 1.0)
    kept: list[Tensor] = []
    losses = []
    with torch.enable_grad():
        for step in range(int(case.number("steps"))):
            if slip.has("behind"):
                for weight, before in zip(weights, held, strict=True):
                    weight.grad = before.clone()
                optimizer.step()
            out = _network(given["x"], weights)
            error = (torch.relu(out) if slip.has("relu_at_the_end") else out) - given["y"]
            loss = share * error.pow(2).sum()
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
                if place in (slip.has("unmoved") or ()):
                    weight.grad = None
            _clip(weights, slip.has("clipped"))
            if slip.has("falling"):
                optimizer.param_groups[0]["lr"] = rate * slip.has("falling")(step)
            if "in_turn" in slip.switches:
                _in_turn(given, weights, rate, slip.switches["in_turn"])
                continue
            for _ in range(0 if slip.has("behind") else 2 if slip.has("twice") else 1):
                optimizer.step()
    values = {name: weight.detach() for name, weight in zip(names, weights, strict=True)}
    return {**values, "result": torch.stack(losses)}


def _clip(weights: list[Tensor], how: str) -> None:
    """Cut the gradients: the ``norm`` of all to 1, all ``entries`` to 1, or each tensor to a ``unit``."""
    if how == "norm":
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
    elif how == "entries":
        torch.nn.utils.clip_grad_value_(weights, 1.0)
    elif how == "unit":
        for weight in weights:
            weight.grad = None if weight.grad is None else weight.grad / weight.grad.norm()


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


def _double(case: Case) -> dict[str, Tensor]:
    return {name: value.detach().to(torch.float64) for name, value in case.inputs.items()}
