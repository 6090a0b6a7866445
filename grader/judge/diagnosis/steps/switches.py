"""A mistake in an optimizer or a training loop, as the switches that make it in a simulation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

#: What can be other than it should be, by the simulation that looks at it: any optimizer's steps, SGD's formula,
#: Adam's, a training loop. Each is on or off, but for ``lr``, ``factor``, ``decay``, ``decay_times``, ``kept`` and
#: ``taken`` (numbers: the last two say how much of the old gradients and of the new one there is in a step), ``mean``
#: (of ``all``, of ``rows``, of ``columns``, or ``half`` the sum), ``in_turn`` (the place of the matrix that is updated
#: first), ``alone`` (the place of the only one whose gradient is never cleared), ``unmoved`` (the places of those that
#: are not updated), ``turned`` and ``whole`` (the place of the one whose update goes up, or leaves out the rate),
#: ``falling`` (the share of the rate by the step and their number), ``rate_of`` (what is made of the rate),
#: ``update_times`` (a number), ``kind`` (an optimizer of torch's), ``stuck``, ``weights``, ``unweighted``, ``late`` and
#: ``ones`` (of Adam's averages, which), ``uses`` (which of the betas stands in which place), ``decay_of`` (what is made
#: of the parameter first), ``gradient_once_more`` (by how many steps the mean's correction is ahead), ``gradient`` and
#: ``update`` (what is made of the one before anything else, and of the other before it is taken) and ``order`` (the
#: places from which the options are taken), ``batches`` (of rows, and which loss is kept), ``clipped`` (how, and to
#: which length), ``penalty`` (the share of the squared weights in the loss), ``stored`` and ``times``.
Switch = (
    Literal["ascent", "constant_lr", "ended", "lost", "lr", "one_buffer", "rate_inside", "shared", "used_up"]
    | Literal["always_nesterov", "average", "buffer_only", "damp_first", "damp_inverse", "damp_itself", "damp_old"]
    | Literal["decay_by_rate", "decay_of", "decay_sign", "decay_times", "decay_unscaled", "decoupled", "empty_first"]
    | Literal["first_doubled", "none_as_zero", "zeroed"]
    | Literal["no_damp", "no_decay", "no_nesterov", "plain", "stored_ahead", "undecayed", "unscaled", "whole_first"]
    | Literal["ahead", "as_sgd", "averages_lost", "behind", "counted", "default_betas", "eps_early", "eps_inside"]
    | Literal["eps_outside", "first_whole", "no_eps", "no_square", "no_root", "of_absolute", "of_gradient", "of_mean"]
    | Literal["plain_gradient", "raw_mean", "raw_square", "stored", "stuck", "times", "unweighted", "uses", "weights"]
    | Literal["by_two", "default_correction", "gradient_once_more", "largest", "largest_corrected", "largest_gradient"]
    | Literal["anew", "of_deviation", "rootless"]
    | Literal["ahead_of_gradient", "ahead_of_buffer", "gradient_weighed", "last_alone"]
    | Literal["accumulate", "alone", "clipped", "decay", "factor", "falling", "frozen", "in_turn", "kept", "kind"]
    | Literal["left", "mean", "once", "relu_at_the_end", "sums_kept", "taken", "twice", "unmoved"]
    | Literal["idle_first", "root", "turned", "whole"]
    | Literal["damp_added", "damp_both", "decoupled_after", "kept_whole", "late", "ones", "rate_of"]
    | Literal["square_still", "update_times"]
    | Literal["batches", "gradient", "order", "penalty", "summed_squares", "update"]
)


@dataclass(frozen=True, slots=True, eq=False)
class Slip:
    """A mistake in an optimizer: the key of its words, what is wrong in words, and the switches that make it."""

    key: str
    what: str
    switches: Mapping[Switch, Any] = field(default_factory=dict)

    def has(self, name: Switch) -> Any:
        """The switch ``name``, False where it is off."""
        return self.switches.get(name, False)


RIGHT = Slip("", "")
