"""Optimizers with the usual mistakes (``slips``), written out in a few lines each.

They serve the exercises whose answer is what an optimizer leaves that is driven, known by their inputs' names:
``p_grads`` and ``options``. A simulation without a mistake must give the expected tensors, or its mistakes are not
considered.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from grader.judge.diagnosis.slips import RIGHT_BETAS
from grader.judge.diagnosis.switches import Slip, Switch
from grader.model import Case

#: The parameters of a run, by their places; ``both`` is the first two.
_PARAMETERS = ("p", "q", "r")


def driven(case: Case, slip: Slip, name: str, *, averaged: bool) -> Tensor:
    """The parameter ``name`` after the steps of an optimizer with SGD's or Adam's formula; of ``both``, two of them.

    Only a state that they share makes one depend on another, so that the others are not worked out without need.

    Raises:
        ValueError: there is no such parameter.
    """
    if name == "both":
        return torch.cat([driven(case, slip, each, averaged=averaged).flatten() for each in _PARAMETERS[:2]])
    place = _PARAMETERS.index(name)
    shared = slip.has("shared") or slip.has("one_buffer")
    return _driven(case, slip, range(len(_PARAMETERS)) if shared else (place,), averaged=averaged)[place]


def _driven(case: Case, slip: Slip, places: Iterable[int], *, averaged: bool) -> list[Tensor]:
    """All parameters, those at ``places`` after the steps."""
    given, constants = doubled(case), case.constants
    late = int(case.number("late", 0))
    options: Any = constants.get("options", ())
    if slip.has("order"):
        options = (*(_option(options, place, 0.0) for place in slip.has("order")), *options[3:])
    params = [given[name].clone() for name in _PARAMETERS]
    grads = [given[f"{name}_grads"] for name in _PARAMETERS]
    states: list[dict[str, Any]] = [{}, {}, {}]
    if slip.has("shared"):
        states[2] = states[0]
    if slip.has("one_buffer"):
        states[1] = states[0]
    rates = [float(slip.has("lr") or case.number("lr"))] * 3
    step = _adam if averaged else _sgd
    for t in range(1 if slip.has("used_up") and constants.get("lazily") else len(grads[0])):
        for i, param in ((place, params[place]) for place in places):
            if slip.has("ended") and late == len(grads[0]) and i < 2:
                continue  # the parameter that has no gradient at any step stands first, and ends every step
            if t >= (late if i == 1 else 0):
                state = {} if slip.has("lost") else states[i]
                state["rate"] = rates[i]
                grad = grads[i][t] + slip.has("decay") * (0.0 if slip.has("decoupled") else param)
                update = step(param, (slip.has("gradient") or _same)(grad), state, options, slip, i)
                update = (slip.has("update") or _same)(update)
                update = update + slip.has("decay") * param if slip.has("decoupled") and averaged else update
                if slip.has("decoupled") and not averaged:
                    update = update + _option(options, 2, 0.0) * param
                if slip.has("decay_unscaled") and not averaged:
                    update = update + _option(options, 2, 0.0) * param / rates[i]
                rate = 1.0 if slip.has("rate_inside") and state.get("holds_rate") else rates[i]
                rate = rate * slip.has("falling")(t, len(grads[0])) if slip.has("falling") else rate
                rate = slip.has("rate_of")(rate) if slip.has("rate_of") else rate * (slip.has("update_times") or 1)
                param.sub_(rate * (-update if slip.has("ascent") else update))
                if slip.has("decoupled_after"):
                    param.sub_(rates[i] * _option(options, 2, 0.0) * param)
        if t == 2 and not slip.has("constant_lr"):
            rates[:2] = [rate / 3 for rate in rates[:2]]
    return params


#: Switches by which weight decay is no part of the gradient.
_OUTSIDE: tuple[Switch, ...] = ("no_decay", "decoupled", "decoupled_after", "decay_unscaled")


def _same(value: Tensor) -> Tensor:
    return value


def _sgd(param: Tensor, grad: Tensor, state: dict[str, Any], options: Any, slip: Slip, index: int) -> Tensor:
    momentum, dampening, decay = (_option(options, i, 0.0) for i in range(3))
    nesterov = (bool(_option(options, 3, False)) or slip.has("always_nesterov")) and not slip.has("no_nesterov")
    pulled = slip.has("decay_of")(param) if slip.has("decay_of") else param
    pull = decay * pulled * (-1 if slip.has("decay_sign") else slip.has("decay_times") or 1)
    pull = state["rate"] * pull if slip.has("decay_by_rate") else pull
    inside = decay and not any(slip.has(name) for name in _OUTSIDE)
    update = grad + pull if inside else grad
    if slip.has("plain"):
        return update
    if momentum and slip.has("rate_inside"):
        update, state["holds_rate"] = state["rate"] * update, True
    if momentum:
        kept = 1 - (momentum if slip.has("average") else dampening)
        kept = 1 - kept if slip.has("damp_inverse") and dampening else 1.0 if slip.has("no_damp") else kept
        kept = dampening if slip.has("damp_itself") else kept
        kept = 1 + dampening if slip.has("damp_added") else kept
        if "buffer" in state:
            old, new = (kept, 1.0) if slip.has("damp_old") else (1.0, kept)
            old = kept if slip.has("damp_both") else old
            old, new = (1.0, kept * momentum) if slip.has("gradient_weighed") else (old * momentum, new)
            state["buffer"] = (1.0 if slip.has("kept_whole") else old) * state["buffer"] + new * update
        elif slip.has("empty_first"):
            state["buffer"] = torch.zeros_like(update)
        elif slip.has("first_doubled"):
            state["buffer"] = update * (momentum + kept)
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
    late = {name: state.get(name, torch.zeros_like(grad)) for name in _places(slip, "late")}
    _average(grad, state, uses, slip)
    mean, square = _corrected({**state, **late} if late else state, first, second, t, slip)
    state.update(
        {name: value for name, value in (("mean", mean), ("square", square)) if name in _places(slip, "stored")}
    )
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
    zero, ones = torch.zeros_like(grad), _places(slip, "ones")
    exchanged, unweighted = slip.switches.get("weights", ()), slip.switches.get("unweighted", ())
    old, new = {"mean": uses[0], "square": uses[2]}, {"mean": 1 - uses[1], "square": 1 - uses[3]}
    for name in exchanged:
        old[name], new[name] = new[name], old[name]
    new.update(dict.fromkeys(unweighted, 1.0))
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


def _corrected(state: dict[str, Any], first: float, second: float, t: int, slip: Slip) -> tuple[Tensor, Tensor]:
    """The two averages without the share that is missing from them after ``t`` steps."""
    of_mean, of_square = (1 if name in slip.switches.get("stuck", ()) else t for name in ("mean", "square"))
    square = _largest(state, state["square"]) if slip.has("largest") else state["square"]
    square = square / (1 if slip.has("raw_square") else 1 - second**of_square)
    square = _largest(state, square) if slip.has("largest_corrected") else square
    mean = state["mean"] / (1 if slip.has("raw_mean") else 1 - first**of_mean)
    times = _places(slip, "times")
    mean = state["mean"] * (1 - first**t) if "mean" in times else mean
    return mean, state["square"] * (1 - second**t) if "square" in times else square


def _places(slip: Slip, switch: Switch) -> tuple[str, ...]:
    """Which of the two averages a mistake is made in."""
    found: tuple[str, ...] = slip.switches.get(switch, ())
    return found


def _largest(state: dict[str, Any], square: Tensor) -> Tensor:
    state["largest"] = torch.maximum(state.get("largest", square), square)
    largest: Tensor = state["largest"]
    return largest


def _option(options: Any, index: int, default: Any) -> Any:
    return options[index] if isinstance(options, tuple) and len(options) > index else default


def doubled(case: Case) -> dict[str, Tensor]:
    """The inputs of a case in float64."""
    return {name: value.detach().to(torch.float64) for name, value in case.inputs.items()}
