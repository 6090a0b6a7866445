"""The usual mistakes in optimizers and training loops: the key of each one's words, and the switches that make it.

What a mistake comes to is worked out in ``simulations``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import product
from typing import Any, Literal

import torch

from grader.judge.diagnosis import step_words
from grader.model import Case

#: What can be other than it should be, by the simulation that looks at it: any optimizer's steps, SGD's formula,
#: Adam's, a training loop. Each is on or off, but for ``lr``, ``factor``, ``decay``, ``decay_times``, ``kept`` and
#: ``taken`` (numbers: the last two say how much of the old gradients and of the new one there is in a step), ``mean``
#: (of ``all``, of ``rows``, or ``half`` the sum), ``in_turn`` (the place of the matrix that is updated first),
#: ``alone`` (the place of the only one whose gradient is never cleared), ``unmoved`` (the places of those that are not
#: updated), ``falling`` (the share of the rate by the step), ``kind`` (an optimizer of torch's), ``stuck``, ``weights``
#: and ``unweighted`` (of Adam's averages, which), ``uses`` (which of the betas stands in which place), ``decay_of``
#: (what is made of the parameter first) and ``gradient_once_more`` (by how many steps the mean's correction is ahead).
Switch = (
    Literal["ascent", "constant_lr", "ended", "lost", "lr", "one_buffer", "rate_inside", "shared", "used_up"]
    | Literal["always_nesterov", "average", "buffer_only", "damp_first", "damp_inverse", "damp_itself", "damp_old"]
    | Literal["decay_by_rate", "decay_of", "decay_sign", "decay_times", "decay_unscaled", "decoupled", "empty_first"]
    | Literal["no_damp", "no_decay", "no_nesterov", "plain", "stored_ahead", "undecayed", "unscaled", "whole_first"]
    | Literal["ahead", "as_sgd", "averages_lost", "behind", "counted", "default_betas", "eps_early", "eps_inside"]
    | Literal["eps_outside", "first_whole", "no_eps", "no_square", "no_root", "of_absolute", "of_gradient", "of_mean"]
    | Literal["plain_gradient", "raw_mean", "raw_square", "stored", "stuck", "times", "unweighted", "uses", "weights"]
    | Literal["by_two", "default_correction", "gradient_once_more", "largest", "largest_corrected", "largest_gradient"]
    | Literal["anew", "of_deviation", "rootless"]
    | Literal["ahead_of_gradient", "ahead_of_buffer", "gradient_weighed", "last_alone"]
    | Literal["accumulate", "alone", "clipped", "decay", "factor", "falling", "frozen", "in_turn", "kept", "kind"]
    | Literal["left", "mean", "once", "relu_at_the_end", "sums_kept", "taken", "twice", "unmoved"]
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
    Slip("weight_decay", step_words.SLIPS["decay_of_signs"], {"decay_of": torch.sign}),
    Slip("weight_decay", step_words.SLIPS["decay_of_squares"], {"decay_of": torch.square}),
    Slip("dampening", step_words.SLIPS["damp_old"], {"damp_old": True}),
    Slip("nesterov", step_words.SLIPS["stored_ahead"], {"stored_ahead": True}),
    Slip("nesterov", step_words.SLIPS["undecayed"], {"undecayed": True}),
    Slip("nesterov", step_words.SLIPS["ahead_of_gradient"], {"ahead_of_gradient": True}),
    Slip("nesterov", step_words.SLIPS["ahead_of_buffer"], {"ahead_of_buffer": True}),
    Slip("state_lost", "", {"plain": True}),
    Slip("wrong_value.buffer", step_words.SLIPS["gradient_weighed"], {"gradient_weighed": True}),
    Slip("wrong_value.buffer", step_words.SLIPS["last_alone"], {"last_alone": True}),
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
    Slip("bias_correction", step_words.SLIPS["by_two"], {"by_two": True}),
    Slip("bias_correction", step_words.SLIPS["ahead"], {"ahead": True}),
    Slip("bias_correction", step_words.SLIPS["stuck"], {"stuck": ("mean", "square")}),
    Slip("bias_correction", step_words.SLIPS["stuck_mean"], {"stuck": ("mean",)}),
    Slip("bias_correction", step_words.SLIPS["stuck_square"], {"stuck": ("square",)}),
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
    Slip("bias_correction", step_words.SLIPS["rootless"], {"rootless": True}),
    Slip("bias_correction", step_words.SLIPS["default_correction"], {"default_correction": True}),
    Slip("wrong_value.averages", step_words.SLIPS["largest"], {"largest": True}),
    Slip("wrong_value.averages", step_words.SLIPS["largest_corrected"], {"largest_corrected": True}),
    Slip("bias_correction", step_words.SLIPS["first_beta"], {"uses": FIRST_BETA}),
    Slip(
        "wrong_value.averages",
        step_words.SLIPS["first_whole"],
        {"first_whole": True, "raw_mean": True, "raw_square": True},
    ),
    Slip("wrong_value.averages", step_words.SLIPS["first_whole_corrected"], {"first_whole": True}),
    Slip("wrong_value.averages", step_words.SLIPS["of_mean"], {"of_mean": True}),
    Slip("wrong_value.averages", step_words.SLIPS["of_absolute"], {"of_absolute": True}),
    Slip("wrong_value.averages", step_words.SLIPS["of_deviation"], {"of_deviation": True}),
    Slip("wrong_value.averages", step_words.SLIPS["largest_gradient"], {"largest_gradient": True}),
    Slip("wrong_value.averages", step_words.SLIPS["gradient_once_more"], {"gradient_once_more": 0}),
    Slip("wrong_value.averages", step_words.SLIPS["gradient_once_more"], {"gradient_once_more": 1}),
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
#: What students give a training loop of their own that plain descent has not.
MOMENTA, DECAYS = (0.9, 0.5, 0.99), (0.1, 0.01, 0.05, 1e-3, 5e-4, 1e-4)
#: The share of the learning rate that is left at a step, counted from 0.
FALLING: tuple[Callable[[int], float], ...] = (
    lambda step: 1 / (step + 1),
    *(partial(pow, left) for left in (0.99, 0.95, 0.9, 0.5)),
)
#: The weights that are left out of the update: by their places, in the order of the forward pass.
UNMOVED = {
    "the first weights are": (0,),
    "the second weights are": (1,),
    "the bias is": (2,),
    "the second weights and the bias are": (1, 2),
    "the first weights and the bias are": (0, 2),
}
#: The rates of an optimizer that is not the given one; 0 for the given rate.
OWN_RATES = (0.0, *FIXED_RATES[1:])
TRAINED = (
    Slip("ascent", "", {"ascent": True}),
    Slip("accumulated.steps", "", {"accumulate": True, "left": True}),
    Slip("accumulated.steps", "", {"accumulate": True}),
    Slip("accumulated.left", "", {"left": True}),
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
    *(Slip("wrong_value.unmoved", what, {"unmoved": places}) for what, places in UNMOVED.items()),
    *(Slip("wrong_value.loop", step_words.LOOPS["momentum"], {"kept": kept}) for kept in MOMENTA),
    *(Slip("wrong_value.loop", step_words.LOOPS["average"], {"kept": kept, "taken": 1 - kept}) for kept in MOMENTA),
    *(Slip("wrong_value.loop", step_words.LOOPS["falling"], {"falling": share}) for share in FALLING),
    *(Slip("wrong_value.loop", step_words.LOOPS["decay"], {"decay": decay}) for decay in DECAYS),
    *(Slip("wrong_value.loop", step_words.LOOPS[name], {"clipped": name}) for name in ("norm", "unit", "entries")),
    *(
        Slip(
            "wrong_value.optimizer",
            f"`{kind}` with a learning rate of {rate}" if rate else f"`{kind}`",
            {"kind": kind, "lr": rate},
        )
        for kind, rate in product(("Adam", "SGD"), OWN_RATES)
    ),
    Slip("wrong_value.optimizer", "a new optimizer of that kind, which knows of no step before", {"anew": True}),
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
