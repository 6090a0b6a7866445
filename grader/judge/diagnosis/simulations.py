"""Optimizers and training loops with the usual mistakes, written out in a few lines each.

They serve the exercises whose answer is a sequence of steps, known by their inputs' names: ``p_grads`` and ``options``
for an optimizer that is driven, ``x``, ``y``, weights, ``learning_rate`` and ``steps`` for a training loop. A
simulation without a mistake must give the expected tensors, or its mistakes are not considered.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor

from grader.judge.diagnosis import step_words
from grader.model import Case

#: What can be other than it should be, by the simulation that looks at it: any optimizer's steps, SGD's formula,
#: Adam's, a training loop. Each is on or off, but for ``lr``, ``factor`` and ``decay_times`` (numbers), ``mean`` (of
#: ``all``, of ``rows``, or ``half`` the sum), ``in_turn`` (the place of the matrix that is updated first), ``alone``
#: (the place of the only one whose gradient is never cleared), ``weights`` and ``unweighted`` (of Adam's averages,
#: which) and ``uses`` (which of the betas stands in which place).
Switch = (
    Literal["ascent", "constant_lr", "ended", "lost", "lr", "one_buffer", "rate_inside", "shared", "used_up"]
    | Literal["always_nesterov", "average", "buffer_only", "damp_first", "damp_inverse", "damp_itself", "damp_old"]
    | Literal[
        "decay_by_rate",
        "decay_sign",
        "decay_times",
        "decay_unscaled",
        "decoupled",
        "empty_first",
        "no_damp",
        "no_decay",
    ]
    | Literal["no_nesterov", "plain", "stored_ahead", "undecayed", "unscaled", "whole_first"]
    | Literal["ahead", "as_sgd", "averages_lost", "behind", "counted", "default_betas", "eps_early", "eps_inside"]
    | Literal["eps_outside", "first_whole", "no_eps", "no_square", "no_root", "of_absolute", "of_gradient", "of_mean"]
    | Literal["plain_gradient", "raw_mean", "raw_square", "stored", "stuck", "times", "unweighted", "uses", "weights"]
    | Literal["accumulate", "alone", "factor", "frozen", "in_turn", "left", "mean", "once", "relu_at_the_end"]
    | Literal["sums_kept", "twice"]
)


@dataclass(frozen=True, slots=True, eq=False)
class Slip:
    """A mistake in an optimizer: the key of its words, a word for the message, and the switches that make it."""

    key: str
    what: str
    switches: Mapping[Switch, Any] = field(default_factory=dict)

    def has(self, name: Switch) -> Any:
        """The switch ``name``, False where it is off."""
        return self.switches.get(name, False)


RIGHT = Slip("", "")
#: What students write in place of the rate that they are given.
FIXED_RATES = (1.0, 0.1, 0.01, 0.001, 0.0001)
RATES = tuple(
    Slip("learning_rate_ignored", step_words.LR_NEVER if rate == 1 else step_words.LR_FIXED, {"lr": rate})
    for rate in FIXED_RATES
)
#: The same where the rate is written into the step itself, which so does not fall with the optimizer's.
WRITTEN_RATES = tuple(Slip(rate.key, rate.what, {**rate.switches, "constant_lr": True}) for rate in RATES)
DRIVEN = (
    Slip("learning_rate_ignored", step_words.LR_ONCE, {"constant_lr": True}),
    Slip("ascent", "", {"ascent": True}),
    Slip("state_lost", "", {"lost": True}),
    Slip("state_shared", "", {"shared": True}),
    Slip("state_shared", "", {"one_buffer": True}),
    Slip("first_step", step_words.SLIPS["damp_first"], {"damp_first": True}),
    Slip("first_step", step_words.SLIPS["empty_first"], {"empty_first": True}),
    Slip("weight_decay", step_words.SLIPS["no_decay"], {"no_decay": True}),
    Slip("weight_decay", step_words.SLIPS["decoupled"], {"decoupled": True}),
    Slip("weight_decay", step_words.SLIPS["decay_sign"], {"decay_sign": True}),
    Slip("weight_decay", step_words.SLIPS["decay_unscaled"], {"decay_unscaled": True}),
    Slip("dampening", step_words.SLIPS["no_damp"], {"no_damp": True}),
    Slip("dampening", step_words.SLIPS["damp_inverse"], {"damp_inverse": True}),
    Slip("dampening", step_words.SLIPS["damp_itself"], {"damp_itself": True}),
    Slip("dampening", step_words.SLIPS["average"], {"average": True}),
    Slip("dampening", step_words.SLIPS["average"], {"average": True, "whole_first": True}),
    Slip("nesterov", step_words.SLIPS["no_nesterov"], {"no_nesterov": True}),
    Slip("nesterov", step_words.SLIPS["always_nesterov"], {"always_nesterov": True}),
    Slip("nesterov", step_words.SLIPS["buffer_only"], {"buffer_only": True}),
    Slip("nesterov", step_words.SLIPS["unscaled"], {"unscaled": True}),
    Slip("first_step.used_up", "", {"used_up": True}),
    Slip("weight_decay", step_words.SLIPS["decay_doubled"], {"decay_times": 2.0}),
    Slip("weight_decay", step_words.SLIPS["decay_halved"], {"decay_times": 0.5}),
    Slip("weight_decay", step_words.SLIPS["decay_by_rate"], {"decay_by_rate": True}),
    Slip("dampening", step_words.SLIPS["damp_old"], {"damp_old": True}),
    Slip("nesterov", step_words.SLIPS["stored_ahead"], {"stored_ahead": True}),
    Slip("nesterov", step_words.SLIPS["undecayed"], {"undecayed": True}),
    Slip("state_lost", "", {"plain": True}),
    Slip("wrong_value.rate_inside", "", {"rate_inside": True}),
    Slip("wrong_value.ended", "", {"ended": True}),
    *RATES,
    *WRITTEN_RATES,
)
#: Which betas are used in the place of the right ones: in the mean by the old one and by the gradient, in the square by
#: the old one and by the squared gradient, and in the correction of each.
OTHER_BETAS = {
    "swapped": (1, 1, 0, 0, 1, 0),
    "swapped_averages": (1, 1, 0, 0, 0, 1),
    "swapped_corrections": (0, 0, 1, 1, 1, 0),
    "one_beta": (0, 0, 0, 0, 0, 0),
    "second_beta": (1, 1, 1, 1, 1, 1),
    "mean_by_second": (1, 1, 1, 1, 0, 1),
    "square_by_first": (0, 0, 0, 0, 0, 1),
    "mean_corrected_by_second": (0, 0, 1, 1, 1, 1),
    "mean_keeps_by_second": (1, 0, 1, 1, 0, 1),
    "mean_takes_by_second": (0, 1, 1, 1, 0, 1),
    "square_keeps_by_first": (0, 0, 0, 1, 0, 1),
    "square_takes_by_first": (0, 0, 1, 0, 0, 1),
}
RIGHT_BETAS, FIRST_BETA = (0, 0, 1, 1, 0, 1), (0, 0, 1, 1, 0, 0)
AVERAGED = (
    *DRIVEN[:5],
    Slip("first_step.used_up", "", {"used_up": True}),
    Slip("state_lost", "", {"averages_lost": True}),
    Slip("bias_correction", step_words.SLIPS["raw"], {"raw_mean": True, "raw_square": True}),
    Slip("bias_correction", step_words.SLIPS["raw_mean"], {"raw_mean": True}),
    Slip("bias_correction", step_words.SLIPS["raw_square"], {"raw_square": True}),
    Slip("bias_correction", step_words.SLIPS["counted"], {"counted": True}),
    Slip("bias_correction", step_words.SLIPS["ahead"], {"ahead": True}),
    Slip("bias_correction", step_words.SLIPS["stuck"], {"stuck": True}),
    Slip("bias_correction", step_words.SLIPS["stored"], {"stored": True}),
    *(Slip("wrong_value.averages", step_words.SLIPS[name], {"uses": uses}) for name, uses in OTHER_BETAS.items()),
    Slip("wrong_value.averages", step_words.SLIPS["weights"], {"weights": ("mean", "square")}),
    Slip("wrong_value.averages", step_words.SLIPS["weights_mean"], {"weights": ("mean",)}),
    Slip("wrong_value.averages", step_words.SLIPS["weights_square"], {"weights": ("square",)}),
    Slip("wrong_value.averages", step_words.SLIPS["unweighted"], {"unweighted": ("mean", "square")}),
    Slip("wrong_value.averages", step_words.SLIPS["unweighted_mean"], {"unweighted": ("mean",)}),
    Slip("wrong_value.averages", step_words.SLIPS["unweighted_square"], {"unweighted": ("square",)}),
    Slip("bias_correction", step_words.SLIPS["times"], {"times": True}),
    Slip("wrong_value.formula", step_words.SLIPS["no_root"], {"no_root": True}),
    Slip("wrong_value.formula", step_words.SLIPS["eps_inside"], {"eps_inside": True}),
    Slip("wrong_value.formula", step_words.SLIPS["no_eps"], {"no_eps": True}),
    Slip("wrong_value.formula", step_words.SLIPS["eps_outside"], {"eps_outside": True}),
    Slip("wrong_value.formula", step_words.SLIPS["eps_early"], {"eps_early": True}),
    Slip("bias_correction", step_words.SLIPS["behind"], {"behind": True}),
    Slip("bias_correction", step_words.SLIPS["first_beta"], {"uses": FIRST_BETA}),
    Slip(
        "wrong_value.averages",
        step_words.SLIPS["first_whole"],
        {"first_whole": True, "raw_mean": True, "raw_square": True},
    ),
    Slip("wrong_value.averages", step_words.SLIPS["first_whole_corrected"], {"first_whole": True}),
    Slip("wrong_value.averages", step_words.SLIPS["of_mean"], {"of_mean": True}),
    Slip("wrong_value.averages", step_words.SLIPS["of_absolute"], {"of_absolute": True}),
    Slip("wrong_value.averages", step_words.SLIPS["of_gradient"], {"of_gradient": True}),
    Slip("wrong_value.averages", step_words.SLIPS["default_betas"], {"default_betas": True}),
    Slip("wrong_value.formula", step_words.SLIPS["plain_gradient"], {"plain_gradient": True}),
    Slip("wrong_value.formula", step_words.SLIPS["root_mean_square"], {"plain_gradient": True, "raw_square": True}),
    Slip("wrong_value.formula", step_words.SLIPS["no_square"], {"no_square": True}),
    Slip("wrong_value.as_sgd", "", {"as_sgd": True}),
    Slip("wrong_value.ended", "", {"ended": True}),
    *RATES,
    *WRITTEN_RATES,
)
TRAINED = (
    Slip("ascent", "", {"ascent": True}),
    Slip("accumulated.steps", "", {"accumulate": True, "left": True}),
    Slip("accumulated.steps", "", {"accumulate": True}),
    Slip("accumulated.steps", "", {"left": True}),
    *(Slip("accumulated.one", "", {"accumulate": True, "alone": place}) for place in (0, 1)),
    Slip("first_step.only", "", {"once": True}),
    Slip("averaged_instead_of_summed.loss", "", {"mean": "all"}),
    Slip("averaged_instead_of_summed.loss", "", {"mean": "rows"}),
    Slip("averaged_instead_of_summed.steps", "", {"mean": "all", "sums_kept": True}),
    Slip("averaged_instead_of_summed.steps", "", {"mean": "rows", "sums_kept": True}),
    Slip("stale.gradients", "", {"frozen": True}),
    # Where none are left from before, the weights are those after one step less, which is said of them.
    Slip("stale.behind", "", {"behind": True, "left": True}),
    Slip("missing_factor_two.steps", "", {"factor": 0.5}),
    Slip("missing_factor_two.loss", "", {"mean": "half"}),
    Slip("extra_factor_two.steps", "", {"factor": 2.0}),
    Slip("wrong_value.steps_twice", "", {"twice": True}),
    Slip("wrong_value.in_turn", "first", {"in_turn": 0}),
    Slip("wrong_value.in_turn", "last", {"in_turn": 1}),
    Slip("wrong_value.relu_at_the_end", "", {"relu_at_the_end": True}),
    *RATES,
)


#: The option of SGD without which a mistake shows nowhere: momentum, dampening, weight decay, Nesterov.
_NEEDS = {"state_lost": 0, "state_shared": 0, "first_step": 0, "dampening": 0, "nesterov": 0, "weight_decay": 2}


def is_possible(slip: Slip, case: Case) -> bool:
    """Whether a mistake can show in the case at all: with no momentum, no buffer is lost."""
    options = case.constants.get("options")
    index = _NEEDS.get(slip.key)
    if index is None or "betas" in case.constants or not isinstance(options, tuple):
        return True
    numbers = all(isinstance(option, int | float) for option in options)
    return not numbers or (len(options) > index and bool(options[index])) or (not options and slip in AVERAGED)


def driven(case: Case, slip: Slip, *, averaged: bool) -> dict[str, Tensor]:
    """``p``, ``q``, ``r`` and ``both`` after the steps of an optimizer with SGD's or Adam's formula."""
    given, constants = _double(case), case.constants
    late = int(constants.get("late", 0))  # type: ignore[arg-type]
    options: Any = constants.get("options", ())
    params = [given[name].clone() for name in ("p", "q", "r")]
    grads = [given[f"{name}_grads"] for name in ("p", "q", "r")]
    states: list[dict[str, Any]] = [{}, {}, {}]
    if slip.has("shared"):
        states[2] = states[0]
    if slip.has("one_buffer"):
        states[1] = states[0]
    rates = [float(slip.has("lr") or constants["lr"])] * 3  # type: ignore[arg-type]
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
    pull = decay * param * (-1 if slip.has("decay_sign") else slip.has("decay_times") or 1)
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
            state["buffer"] = old * momentum * state["buffer"] + new * update
        elif slip.has("empty_first"):
            state["buffer"] = torch.zeros_like(update)
        else:
            averaged = slip.has("average") and not slip.has("whole_first")
            state["buffer"] = update * (kept if slip.has("damp_first") or averaged else 1)
        ahead = state["buffer"] * (1 if slip.has("unscaled") else momentum)
        looking = 0 if slip.has("buffer_only") else grad if slip.has("undecayed") else update
        update = looking + ahead if nesterov else state["buffer"]
        if slip.has("stored_ahead"):
            state["buffer"] = update
    return update


def _adam(param: Tensor, grad: Tensor, state: dict[str, Any], options: Any, slip: Slip, index: int) -> Tensor:
    betas = (0.9, 0.999) if slip.has("default_betas") else _option(options, 0, (0.9, 0.999))
    uses = [betas[place] for place in slip.switches.get("uses", RIGHT_BETAS)]
    first, second = uses[4:]
    state["t"] = state.get("t", 0) + 1
    t = state["t"] + (1 if slip.has("ahead") else 0)
    if slip.has("counted"):
        t = state["t"] if index == 2 else 2 * state["t"] - 1 + index
    t = 1 if slip.has("stuck") else max(1, t - 1) if slip.has("behind") else t
    kept = {} if slip.has("averages_lost") else state
    zero = torch.zeros_like(grad)
    exchanged, unweighted = slip.switches.get("weights", ()), slip.switches.get("unweighted", ())
    old, new = {"mean": uses[0], "square": uses[2]}, {"mean": 1 - uses[1], "square": 1 - uses[3]}
    for name in exchanged:
        old[name], new[name] = new[name], old[name]
    new.update(dict.fromkeys(unweighted, 1.0))
    state["mean"] = old["mean"] * kept.get("mean", zero) + new["mean"] * grad
    squared = state["mean"] if slip.has("of_mean") else grad
    squared = squared.abs() if slip.has("of_absolute") else grad if slip.has("of_gradient") else squared**2
    state["square"] = old["square"] * kept.get("square", zero) + new["square"] * squared
    if slip.has("first_whole") and state["t"] == 1:
        state["mean"], state["square"] = grad, squared
    mean: Tensor = state["mean"] / (1 if slip.has("raw_mean") else 1 - first**t)
    square: Tensor = state["square"] / (1 if slip.has("raw_square") else 1 - second**t)
    if slip.has("times"):
        mean, square = state["mean"] * (1 - first**t), state["square"] * (1 - second**t)
    if slip.has("stored"):
        state["mean"], state["square"] = mean, square
    eps = 0.0 if slip.has("no_eps") else float(_option(options, 1, 1e-8))
    mean = grad if slip.has("plain_gradient") else mean
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
    return mean / (square.sqrt() + eps / (math.sqrt(1 - second**t) if slip.has("eps_early") else 1))


def _option(options: Any, index: int, default: Any) -> Any:
    return options[index] if isinstance(options, tuple) and len(options) > index else default


def trained(case: Case, slip: Slip) -> dict[str, Tensor]:
    """The weights and losses (``result``) of a network with one hidden ReLU layer and the sum of squares as loss."""
    given, constants = _double(case), case.constants
    names = ("w1", "w2") if "w1" in given else ("first", "second", "bias")
    weights = [given[name].clone().requires_grad_() for name in names]
    make = getattr(torch.optim, str(constants.get("kind", "SGD")))
    optimizer = make(weights, lr=float(slip.has("lr") or constants["learning_rate"]))  # type: ignore[arg-type]
    held = [torch.ones_like(weight) if slip.has("left") else torch.zeros_like(weight) for weight in weights]
    shares = {"half": 0.5, "all": 1 / given["y"].numel(), "rows": 1 / len(given["y"])}
    share = shares.get(slip.has("mean"), 1.0)
    kept: list[Tensor] = []
    losses = []
    with torch.enable_grad():
        for step in range(int(constants["steps"])):  # type: ignore[arg-type]
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
                before.copy_(before + grad if keep else grad)
                weight.grad = -before if slip.has("ascent") else before * (slip.has("factor") or 1.0)
            if "in_turn" in slip.switches:
                _in_turn(given, weights, float(constants["learning_rate"]), slip.switches["in_turn"])  # type: ignore[arg-type]
                continue
            for _ in range(0 if slip.has("behind") else 2 if slip.has("twice") else 1):
                optimizer.step()
    values = {name: weight.detach() for name, weight in zip(names, weights, strict=True)}
    return {**values, "result": torch.stack(losses)}


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
