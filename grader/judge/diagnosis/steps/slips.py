"""The usual mistakes in optimizers and training loops: the key of each one's words, and the switches that make it.

What a mistake comes to is worked out in ``simulations`` and ``loop_simulation``.
"""

from __future__ import annotations

from itertools import product

import torch

from grader.judge.diagnosis.steps.extras import ADAGRAD, DECAYS, EXTRA, FALLING, IN_LOOPS, MOMENTA, ORDERS, SCHEDULES
from grader.judge.diagnosis.steps.switches import Slip, Switch
from grader.judge.diagnosis.words import clauses
from grader.model import Case

#: What students write in place of the rate that they are given.
FIXED_RATES = (1.0, 0.1, 0.01, 0.001, 0.0001)
RATES = tuple(
    Slip("learning_rate_ignored", clauses.LR_NEVER if rate == 1 else clauses.LR_FIXED, {"lr": rate})
    for rate in FIXED_RATES
)
#: The same where the rate is written into the step itself, which so does not fall with the optimizer's.
WRITTEN_RATES = tuple(Slip(rate.key, rate.what, {**rate.switches, "constant_lr": True}) for rate in RATES)
#: What is one number for all entries of a parameter, and so no derivative of a penalty on each.
TOTALS = (
    lambda p: p.pow(2).sum(),
    lambda p: p.pow(2).sum() / 2,
    lambda p: p.pow(2).mean(),
    lambda p: p.sum(),
    lambda p: p.norm(),
)
#: Updates that are so many times too long.
TIMES = tuple(Slip("scaled.step", f"{times:g}", {"update_times": times}) for times in (2.0, 0.5))


def _slips(key: str, *names: Switch) -> tuple[Slip, ...]:
    """Mistakes that one switch each makes, for which their words are named."""
    return tuple(Slip(key, clauses.SLIPS[name], {name: True}) for name in names)


def _in_averages(key: str, switch: Switch) -> tuple[Slip, ...]:
    """A mistake in both of Adam's averages, and in each of them alone."""
    both = Slip(key, clauses.SLIPS[switch], {switch: ("mean", "square")})
    return both, *(Slip(key, clauses.SLIPS[f"{switch}_{name}"], {switch: (name,)}) for name in ("mean", "square"))


DRIVEN = (
    Slip("learning_rate_ignored", clauses.LR_ONCE, {"constant_lr": True}),
    Slip("ascent", "", {"ascent": True}),
    Slip("state_lost", "", {"lost": True}),
    Slip("state_lost", "", {"lost": True, "damp_first": True}),
    Slip("state_shared", "", {"shared": True}),
    Slip("state_shared", "", {"one_buffer": True}),
    Slip("wrong_value.none_as_zero", "", {"none_as_zero": True}),
    *_slips("first_step", "damp_first", "empty_first", "first_doubled"),
    *_slips("weight_decay", "no_decay", "decoupled", "decay_sign", "decay_unscaled"),
    *_slips("dampening", "no_damp", "damp_inverse", "damp_itself", "average"),
    Slip("dampening", clauses.SLIPS["average"], {"average": True, "whole_first": True}),
    *_slips("nesterov", "no_nesterov", "always_nesterov", "buffer_only", "unscaled"),
    Slip("first_step.used_up", "", {"used_up": True}),
    Slip("weight_decay", clauses.SLIPS["decay_doubled"], {"decay_times": 2.0}),
    Slip("weight_decay", clauses.SLIPS["decay_halved"], {"decay_times": 0.5}),
    *_slips("weight_decay", "decay_by_rate"),
    Slip("weight_decay", clauses.SLIPS["decay_of_signs"], {"decay_of": torch.sign}),
    Slip("weight_decay", clauses.SLIPS["decay_of_squares"], {"decay_of": torch.square}),
    *_slips("dampening", "damp_old"),
    *_slips("nesterov", "stored_ahead", "undecayed", "ahead_of_gradient", "ahead_of_buffer"),
    Slip("state_lost", "", {"plain": True}),
    Slip("state_lost.options", "", {"plain": True, "no_decay": True}),
    *_slips("wrong_value.buffer", "gradient_weighed", "last_alone", "kept_whole", "zeroed"),
    Slip("weight_decay", clauses.SLIPS["decoupled"], {"decoupled_after": True}),
    Slip("weight_decay", clauses.SLIPS["decay_of_half_squares"], {"decay_of": lambda p: p**2 / 2}),
    *(Slip("weight_decay", clauses.SLIPS["decay_of_total"], {"decay_of": made}) for made in TOTALS),
    *_slips("dampening", "damp_both", "damp_added"),
    Slip("wrong_value.rate_inside", "", {"rate_inside": True}),
    *TIMES,
    Slip("wrong_value.ended", "", {"ended": True}),
    *RATES,
    *WRITTEN_RATES,
    *EXTRA,
    *(Slip("wrong_value.order", order, {"order": places}) for order, places in ORDERS.items()),
)
#: Weight decay in the gradient, where it is asked for apart from it.
COUPLED = Slip("weight_decay.coupled", "", {"decoupled": False})
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
    Slip("bias_correction", clauses.SLIPS["raw"], {"raw_mean": True, "raw_square": True}),
    *_slips("bias_correction", "raw_mean", "raw_square", "counted", "by_two", "ahead"),
    *_in_averages("bias_correction", "stuck"),
    *_in_averages("bias_correction", "stored"),
    *(Slip("wrong_value.averages", clauses.SLIPS[name], {"uses": uses}) for name, uses in OTHER_BETAS.items()),
    *_in_averages("wrong_value.averages", "weights"),
    *_in_averages("wrong_value.averages", "unweighted"),
    *_in_averages("bias_correction", "times"),
    *_slips("wrong_value.formula", "no_root", "eps_inside", "no_eps", "eps_outside", "eps_early"),
    *_slips("bias_correction", "behind", "rootless", "default_correction"),
    Slip("bias_correction", clauses.SLIPS["rootless"], {"rootless": "but for eps"}),
    *_slips("wrong_value.averages", "largest", "largest_corrected"),
    Slip("bias_correction", clauses.SLIPS["first_beta"], {"uses": FIRST_BETA}),
    Slip(
        "wrong_value.averages",
        clauses.SLIPS["first_whole"],
        {"first_whole": True, "raw_mean": True, "raw_square": True},
    ),
    Slip("wrong_value.averages", clauses.SLIPS["first_whole_corrected"], {"first_whole": True}),
    *_slips("wrong_value.averages", "of_mean", "of_absolute", "of_deviation", "largest_gradient"),
    Slip("wrong_value.averages", clauses.SLIPS["gradient_once_more"], {"gradient_once_more": 0}),
    Slip("wrong_value.averages", clauses.SLIPS["gradient_once_more"], {"gradient_once_more": 1}),
    *_slips("wrong_value.averages", "of_gradient", "default_betas"),
    *_slips("wrong_value.formula", "plain_gradient"),
    Slip("wrong_value.formula", clauses.SLIPS["root_mean_square"], {"plain_gradient": True, "raw_square": True}),
    *_slips("wrong_value.formula", "no_square"),
    *_slips("wrong_value.averages", "square_still"),
    Slip("wrong_value.averages", clauses.SLIPS["square_late"], {"late": ("square",)}),
    Slip("wrong_value.averages", clauses.SLIPS["mean_late"], {"late": ("mean",)}),
    Slip("wrong_value.averages", clauses.SLIPS["ones"], {"ones": ("mean", "square")}),
    Slip("wrong_value.averages", clauses.SLIPS["square_of_ones"], {"ones": ("square",)}),
    Slip("wrong_value.as_sgd", "", {"as_sgd": True}),
    *TIMES,
    Slip("wrong_value.ended", "", {"ended": True}),
    *RATES,
    *WRITTEN_RATES,
    *EXTRA,
    *ADAGRAD,
)
#: The weights that are left out of the update: by their places, in the order of the forward pass.
UNMOVED = {
    "the first weights are": (0,),
    "the second weights are": (1,),
    "the bias is": (2,),
    "the second weights and the bias are": (1, 2),
    "the first weights and the bias are": (0, 2),
}
#: What the update of one tensor of weights does that those of the others do not.
_ALONE: tuple[tuple[Switch, str], ...] = (("turned", "goes up the gradient"), ("whole", "leaves out the learning rate"))
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
    Slip("wrong_value.in_turn", "last", {"in_turn": 1, "anew": True}),
    *(
        Slip("wrong_value.in_turn.loss", what, {"in_turn": first, "anew": True, "late": True})
        for first, what in enumerate(("first", "last"))
    ),
    Slip("wrong_value.relu_at_the_end", "", {"relu_at_the_end": True}),
    *RATES,
    *(
        Slip("wrong_value.one_weight", f"the update of {name} {what}", {switch: place})
        for place, name in enumerate(("the first weights", "the second weights", "the bias"))
        for switch, what in _ALONE
    ),
    Slip("wrong_value.idle", "", {"idle_first": True}),
    Slip("wrong_value.loss", "the root of the sum of squares is the loss", {"root": True}),
    Slip("averaged_instead_of_summed.loss", "", {"mean": "columns"}),
    *(Slip("wrong_value.unmoved", what, {"unmoved": places}) for what, places in UNMOVED.items()),
    *(Slip("wrong_value.loop", clauses.LOOPS["momentum"], {"kept": kept}) for kept in MOMENTA),
    *(Slip("wrong_value.loop", clauses.LOOPS["average"], {"kept": kept, "taken": 1 - kept}) for kept in MOMENTA),
    *(Slip("wrong_value.loop", clauses.LOOPS["falling"], {"falling": share}) for share in FALLING),
    *(Slip("wrong_value.loop", clauses.LOOPS[name], {"falling": share}) for name, share in SCHEDULES),
    *(Slip("wrong_value.loop", clauses.LOOPS["decay"], {"decay": decay}) for decay in DECAYS),
    *IN_LOOPS,
    Slip("state_lost.loop", "", {"lost": True, "anew": True}),
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
