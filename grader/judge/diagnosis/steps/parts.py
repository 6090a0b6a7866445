"""What optimizers and training loops are made of, right as it stands, and the mistakes that put other parts in.

A ``Slip`` names the parts that it replaces; two that replace different ones are ``joined`` to one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeVar

import torch
from torch import Tensor

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Made = Callable[[Tensor], Tensor]
#: Two shares, of what was there and of what is new, by two of the options.
Shares = Callable[[float, float], tuple[float, float]]
#: What a learning rate comes to at a step, counted from 0, of so many.
Length = Callable[[float, int, int], float]
#: The loss of a training loop, of its output, ``y`` and the weights.
Loss = Callable[[Tensor, Tensor, Sequence[Tensor]], Tensor]
#: What a loop makes of the gradient of the weights at a place, with the learning rate; None leaves them alone.
Gradient = Callable[[Tensor, Tensor, int, float], Tensor | None]
#: The rows of each update of a step, of so many rows and at a step counted from 0.
Rows = Callable[[int, int], list[slice]]


@dataclass(frozen=True)
class Steps:
    """The steps of any optimizer, whose parameters are known by their places."""

    takes_param: bool = False  # in the place of its gradient
    gradient: Made = lambda grad: grad  # what is made of it before anything else
    update: Made = lambda update: update  # what is made of it before it is taken
    more_decay: float = 0.0  # weight decay beside the given one
    pull: Callable[[Tensor, float], Tensor] = lambda param, rate: param  # of which weight decay is a share
    decay_in: Literal["gradient", "update", "parameter"] | None = None  # None: where the optimizer has it
    state_of: Callable[[int], int] = lambda place: place  # of which parameter the state is used
    is_state_lost: bool = False
    sees_rate_fall: bool = True
    ends_at_none: bool = False  # a parameter without gradient ends the step for those behind it
    none_is_zero: bool = False  # a parameter without gradient is updated as with one of zeros
    uses_up: bool = False  # a generator of parameters gives none at the second step


SGD_OPTIONS = ("momentum", "dampening", "weight_decay")


@dataclass(frozen=True)
class Sgd:
    """SGD's formula."""

    order: tuple[str, ...] = SGD_OPTIONS  # in which the first three options are taken
    is_plain: bool = False  # without momentum
    holds_rate: bool = False  # the learning rate, in its buffer
    #: What a gradient is multiplied by before it enters the buffer, by the learning rate and whether it is the first.
    entering: Callable[[float, bool], float] = lambda rate, is_first: 1.0
    shares: Shares = lambda momentum, dampening: (momentum, 1 - dampening)
    first: Callable[[float, float], float] = lambda kept, taken: 1.0  # the first gradient's share, by the other shares
    always_nesterov: bool = False
    #: Nesterov's update of the gradient without weight decay and with it, of the buffer and of momentum.
    ahead: Callable[[Tensor, Tensor, Tensor, float], Tensor] = lambda bare, grad, buffer, m: grad + m * buffer
    #: What is kept for the next step, of what was kept before, the gradient, the buffer and the update.
    stored: Callable[[Tensor | None, Tensor, Tensor, Tensor], Tensor] = lambda before, grad, buffer, update: buffer


#: Which β weighs the old average, which the new value, and which corrects: the average's own (0), that of the other
#: average (1), or the default of its own (2).
Betas = tuple[int, int, int]
#: An average corrected for its start, by the last value in it, its β and the number of steps.
Corrected = Callable[[Tensor, Tensor, float, int], Tensor]


@dataclass(frozen=True)
class Average:
    """One of Adam's averages."""

    betas: Betas = (0, 0, 0)
    shares: Shares = lambda kept, taken: (kept, 1 - taken)
    added: Callable[[Tensor, Tensor], Tensor] = torch.add
    start: float = 0.0
    starts_whole: bool = False  # as the first value
    corrected: Corrected = lambda raw, value, beta, t: raw / (1 - beta**t)
    is_stored_corrected: bool = False
    is_late: bool = False  # that of the step before is used
    largest: Literal["average", "corrected"] | None = None  # of which the largest so far is used


@dataclass(frozen=True)
class Averages:
    """What Adam makes a step of: its averages, the ``share`` that there is of the ``raw`` square, the rate."""

    grad: Tensor
    mean: Tensor
    square: Tensor
    raw: Tensor
    share: float
    eps: float
    rate: float


@dataclass(frozen=True)
class Adam:
    """Adam's formula."""

    count: Callable[[int, int], int] = lambda step, place: step  # from 1, for the parameter at a place
    mean: Average = Average()
    square: Average = Average()
    squared: Callable[[Tensor, Tensor], Tensor] = lambda grad, mean: grad**2  # what the square is an average of
    takes_gradient: bool = False  # in the place of the mean
    quotient: Callable[[Averages], Tensor] = lambda at: at.mean / (at.square.sqrt() + at.eps)


def squares(out: Tensor, y: Tensor, weights: Sequence[Tensor] = ()) -> Tensor:
    """The right loss: the sum of the squared errors."""
    return (out - y).pow(2).sum()


@dataclass(frozen=True)
class Loop:
    """A training loop."""

    loss: Loss = squares
    notes_sum: bool = False  # the sum of squares is noted, whatever the loss is
    gradient: Gradient = lambda grad, weight, place, rate: grad
    cut: Callable[[list[Tensor]], object] = lambda weights: None  # cuts the gradients of all
    is_left: bool = False  # gradients from before the loop are never cleared
    kept: float = 0.0  # the share of the gradient before that stays
    kept_at: int | None = None  # the place of the only weights of which it stays
    taken: float = 1.0  # the share of the new gradient
    is_frozen: bool = False  # the first gradients serve all steps
    is_behind: bool = False  # steps are by the gradients of the turn before
    times: Callable[[int], int] = lambda step: 1  # how often a step is taken
    in_turn: int | None = None  # the place of the matrix that is updated before the gradient of the other is taken
    keeps_error: bool = False  # with which that gradient is taken, and not with the one that there is then
    notes_between: bool = False  # the loss between the two updates
    batches: Rows | None = None
    notes_last: bool = False  # the loss of the last batch is noted, and not the sum
    optimizer: Callable[..., torch.optim.Optimizer] | None = None
    is_anew: bool = False  # the optimizer, which knows of no step before
    is_lost: bool = False  # the optimizer, which is made anew at each step


@dataclass(frozen=True, eq=False)
class Slip:
    """A mistake in an optimizer or a training loop: the key of its words, what is wrong in words, and its parts."""

    key: str
    what: str
    rate: float | None = None  # in place of the given one
    length: Length = lambda rate, step, steps: rate
    steps: Steps = Steps()
    sgd: Sgd = Sgd()
    adam: Adam = Adam()
    loop: Loop = Loop()


RIGHT = Slip("", "")
Parts = TypeVar("Parts", bound="DataclassInstance")


def joined(first: Parts, second: Parts) -> Parts:
    """``first`` with all that is not right in ``second``."""
    changed = {}
    for each in fields(second):
        value = getattr(second, each.name)
        if is_dataclass(value):
            changed[each.name] = joined(getattr(first, each.name), value)
        elif value != each.default:
            changed[each.name] = value
    return replace(first, **changed)
