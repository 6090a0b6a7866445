"""What students add of their own to an optimizer or a training loop: clipping, decay, a falling learning rate."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial

import torch
from torch import Tensor

from grader.judge.diagnosis.steps.switches import Slip, Switch
from grader.judge.diagnosis.words import clauses


def _cosine(step: float, steps: int) -> float:
    return 0.5 * (1 + math.cos(math.pi * step / steps))


#: What is made of a gradient, or of the whole update, by its words.
MADE: Mapping[str, Callable[[Tensor], Tensor]] = {
    "entries": lambda value: value.clamp(-1.0, 1.0),
    "unit": lambda value: value / value.norm(),
    "norm_each": lambda value: value / max(1.0, float(value.norm())),
    "signs": torch.sign,
}
#: Where it is made, and what that is called.
_WHERE: tuple[tuple[Switch, str], ...] = (("gradient", "gradient"), ("update", "update"))
#: What students give a training loop or an optimizer of their own that is not asked for.
MOMENTA, DECAYS = (0.9, 0.5, 0.99), (0.1, 0.01, 0.05, 1e-3, 5e-4, 1e-4)
#: The share of the learning rate that a step has, counted from 0, of so many steps.
Share = Callable[[int, int], float]
_LEFT = (0.99, 0.95, 0.9, 0.5)


def _power(left: float, more: int) -> Share:
    return lambda step, steps: float(left ** (step + more))


#: Where the learning rate falls from step to step.
FALLING: tuple[Share, ...] = (lambda step, steps: 1 / (step + 1), *(_power(left, 0) for left in _LEFT))
#: The same where it falls before the first step, or by a root.
FALLING_AT_ONCE: tuple[Share, ...] = (
    *(_power(left, 1) for left in _LEFT),
    lambda step, steps: float((step + 1) ** -0.5),
)
#: The same where it goes by the number of steps: each with the name of its words.
SCHEDULES: tuple[tuple[str, Share], ...] = (
    ("cosine", _cosine),
    ("cosine", lambda step, steps: _cosine(step + 1, steps)),
    ("cosine", lambda step, steps: _cosine(step, max(1, steps - 1))),
    ("linear", lambda step, steps: 1 - step / steps),
    ("linear", lambda step, steps: 1 - (step + 1) / steps),
    ("linear", lambda step, steps: 1 - step / max(1, steps - 1)),
    ("warm", lambda step, steps: (step + 1) / steps),
    ("warm", lambda step, steps: step / steps),
)
#: Learning rates of which something else is made, by their words.
RATES_MADE: Mapping[str, Callable[[float], float]] = {
    "squared": lambda rate: rate**2,
    "rooted": math.sqrt,
    "divided": lambda rate: 1 / rate,
}
#: Options in another order, by the places from which they are taken.
ORDERS: Mapping[str, tuple[int, int, int]] = {
    "momentum, weight_decay, dampening": (0, 2, 1),
    "dampening, momentum, weight_decay": (1, 0, 2),
    "weight_decay, momentum, dampening": (1, 2, 0),
    "dampening, weight_decay, momentum": (2, 0, 1),
    "weight_decay, dampening, momentum": (2, 1, 0),
}
#: Additions to any optimizer, whatever its formula.
EXTRA = (
    *(
        Slip("wrong_value.extra", clauses.MADE[name].format(what=words), {where: made})
        for name, made in MADE.items()
        for where, words in _WHERE
    ),
    *(Slip("wrong_value.extra", clauses.LOOPS["falling"], {"falling": share}) for share in FALLING + FALLING_AT_ONCE),
    *(Slip("wrong_value.extra", clauses.LOOPS[name], {"falling": share}) for name, share in SCHEDULES),
    *(Slip("wrong_value.extra", clauses.RATES[name], {"rate_of": made}) for name, made in RATES_MADE.items()),
    *(
        Slip("wrong_value.extra", clauses.MADE[name].format(what="gradient"), {"gradient": partial(torch.mul, times)})
        for name, times in (("doubled", torch.tensor(2.0)), ("halved", torch.tensor(0.5)))
    ),
    *(Slip("wrong_value.extra", clauses.LOOPS["decay"], {"decay": decay}) for decay in DECAYS),
)
#: Of Adam alone: decay of the parameter itself, and the sums of squares of Adagrad.
ADAGRAD = (
    *(
        Slip("wrong_value.extra", clauses.LOOPS["decay_itself"], {"decay": decay, "decoupled": True})
        for decay in DECAYS
    ),
    Slip("wrong_value.extra", clauses.SLIPS["signs_alone"], {"as_sgd": True, "update": torch.sign}),
    Slip("wrong_value.averages", clauses.SLIPS["summed_squares"], {"summed_squares": True, "raw_square": True}),
    Slip(
        "wrong_value.averages",
        clauses.SLIPS["as_adagrad"],
        {"summed_squares": True, "raw_square": True, "plain_gradient": True},
    ),
)
#: Lengths to which the gradients of a loop are cut, all together or each entry.
_LIMITS = (1.0, 5.0, 0.5, 10.0, 0.1)
#: Sizes of a batch.
_BATCHES = (2, 3, 4, 5)
#: The rows of each update of a step, of so many rows and at a step counted from 0.
Rows = Callable[[int, int], list[slice]]


def _in_batches(size: int, rows: int, step: int) -> list[slice]:
    return [slice(start, start + size) for start in range(0, rows, size)]


def _in_turn(size: int, rows: int, step: int) -> list[slice]:
    start = step * size % rows
    return [slice(start, start + size)]


#: What a step takes for the whole batch, in words.
_ROWS: tuple[tuple[str, Rows], ...] = (
    (clauses.LOOPS["rows"], partial(_in_batches, 1)),
    *((clauses.LOOPS["batches"].format(size=size), partial(_in_batches, size)) for size in _BATCHES),
    (clauses.LOOPS["one_row"], partial(_in_turn, 1)),
    *((clauses.LOOPS["one_batch"].format(size=size), partial(_in_turn, size)) for size in _BATCHES),
    *((clauses.LOOPS["first_rows"], lambda rows, step, size=size: [slice(0, size)]) for size in (1, *_BATCHES)),
)
IN_LOOPS = (
    *(
        Slip("wrong_value.loop", clauses.LOOPS[name].format(limit=f"{limit:g}"), {"clipped": (name, limit)})
        for name in ("norm", "entries")
        for limit in _LIMITS
    ),
    *(Slip("wrong_value.loop", clauses.LOOPS[name], {"clipped": (name, 1.0)}) for name in ("unit", "each", "signs")),
    *(Slip("wrong_value.loop", clauses.LOOPS["penalty"], {"penalty": share}) for share in DECAYS),
    *(Slip("wrong_value.batches", what, {"batches": (rows, kept)}) for what, rows in _ROWS for kept in ("sum", "last")),
    *(
        Slip("wrong_value.optimizer", f"`{name}`", {"kind": kind})
        for name, kind in (
            ("Adagrad", torch.optim.Adagrad),
            ("RMSprop", torch.optim.RMSprop),
            ("RMSprop", partial(torch.optim.RMSprop, alpha=0.9)),
        )
    ),
)
