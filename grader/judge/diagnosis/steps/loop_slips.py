"""The usual mistakes in a training loop: the key of each one's words, and the parts that it replaces."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import product

import torch
from torch import Tensor

from grader.judge.diagnosis.steps.extras import DECAYS, SCHEDULES
from grader.judge.diagnosis.steps.parts import Loop, Loss, Rows, Slip, squares
from grader.judge.diagnosis.steps.slips import ASCENT, FIXED_RATES, RATES
from grader.judge.diagnosis.words import clauses

#: Momenta that nobody asks for.
_MOMENTA = (0.9, 0.5, 0.99)
#: Lengths to which the gradients of a loop are cut, all together or each entry.
_LIMITS = (1.0, 5.0, 0.5, 10.0, 0.1)
#: Sizes of a batch.
_BATCHES = (2, 3, 4, 5)


def _all_batches(size: int, rows: int, step: int) -> list[slice]:
    return [slice(start, start + size) for start in range(0, rows, size)]


def _next_batch(size: int, rows: int, step: int) -> list[slice]:
    start = step * size % rows
    return [slice(start, start + size)]


#: What a step takes for the whole batch, in words: several batches, and one alone.
_ROUNDS: tuple[tuple[str, Rows], ...] = (
    (clauses.LOOPS["rows"], partial(_all_batches, 1)),
    *((clauses.LOOPS["batches"].format(size=size), partial(_all_batches, size)) for size in _BATCHES),
)
_ONE_BATCH: tuple[tuple[str, Rows], ...] = (
    (clauses.LOOPS["one_row"], partial(_next_batch, 1)),
    *((clauses.LOOPS["one_batch"].format(size=size), partial(_next_batch, size)) for size in _BATCHES),
    *((clauses.LOOPS["first_rows"], lambda rows, step, size=size: [slice(0, size)]) for size in (1, *_BATCHES)),
)


def _penalised(share: float) -> Loss:
    return lambda out, y, weights: sum((share * weight.pow(2).sum() for weight in weights), squares(out, y))


#: The weights, by their places, and those that are left out of an update together.
_WEIGHTS = ("the first weights", "the second weights", "the bias")
_LEFT_OUT = ((0,), (1,), (2,), (1, 2), (0, 2))
#: What is made of a gradient with the learning rate; None leaves the weights alone.
Update = Callable[[Tensor, float], Tensor | None]
#: What the update of one tensor of weights does that those of the others do not.
_ALONE: tuple[tuple[str, Update], ...] = (
    ("goes up the gradient", lambda grad, rate: -grad),
    ("leaves out the learning rate", lambda grad, rate: grad / rate),
)


def _loop(key: str, wrong: Loop, what: str = "") -> Slip:
    return Slip(key, what, loop=wrong)


def _added(name: str, wrong: Loop, limit: float = 1.0) -> Slip:
    return _loop("wrong_value.loop", wrong, clauses.LOOPS[name].format(limit=f"{limit:g}"))


def _at(places: tuple[int, ...], made: Update) -> Loop:
    return Loop(gradient=lambda grad, weight, place, rate: made(grad, rate) if place in places else grad)


def _unmoved(places: tuple[int, ...]) -> Slip:
    what = f"{' and '.join(_WEIGHTS[place] for place in places)} {'is' if places == (2,) else 'are'}"
    return _loop("wrong_value.unmoved", _at(places, lambda grad, rate: None), what)


def _of_sum(made: Callable[[Tensor, Tensor], Tensor]) -> Loop:
    """With a loss that is made of the sum of squares and ``y``."""
    return Loop(loss=lambda out, y, weights: made(squares(out, y), y))


_MEANS = (_of_sum(lambda total, y: total / y.numel()), _of_sum(lambda total, y: total / len(y)))
OF_LOOPS = (
    ASCENT,
    _loop("accumulated.steps", Loop(kept=1.0, is_left=True)),
    _loop("accumulated.steps", Loop(kept=1.0)),
    _loop("accumulated.left", Loop(is_left=True)),
    *(_loop("accumulated.one", Loop(kept=1.0, kept_at=place)) for place in (0, 1)),
    _loop("first_step.only", Loop(times=lambda step: int(step == 0))),
    *(_loop("averaged_instead_of_summed.loss", mean) for mean in _MEANS),
    *(_loop("averaged_instead_of_summed.steps", replace(mean, notes_sum=True)) for mean in _MEANS),
    _loop("stale.gradients", Loop(is_frozen=True)),
    # Where none are left from before, the weights are those after one step less, which is said of them.
    _loop("stale.behind", Loop(is_behind=True, is_left=True, times=lambda step: 0)),
    _loop("missing_factor_two.steps", Loop(gradient=lambda grad, weight, place, rate: grad / 2)),
    _loop("missing_factor_two.loss", _of_sum(lambda total, y: total / 2)),
    _loop("extra_factor_two.steps", Loop(gradient=lambda grad, weight, place, rate: 2 * grad)),
    _loop("wrong_value.steps_twice", Loop(times=lambda step: 2)),
    _loop("wrong_value.in_turn", Loop(in_turn=0), "first"),
    _loop("wrong_value.in_turn", Loop(in_turn=1, keeps_error=True), "last"),
    _loop("wrong_value.in_turn", Loop(in_turn=1), "last"),
    _loop("wrong_value.in_turn.loss", Loop(in_turn=0, notes_between=True), "first"),
    _loop("wrong_value.in_turn.loss", Loop(in_turn=1, notes_between=True), "last"),
    _loop("wrong_value.relu_at_the_end", Loop(loss=lambda out, y, weights: squares(torch.relu(out), y))),
    *RATES,
    *(
        _loop("wrong_value.one_weight", _at((place,), made), f"the update of {name} {what}")
        for place, name in enumerate(_WEIGHTS)
        for what, made in _ALONE
    ),
    _loop("wrong_value.idle", Loop(times=lambda step: int(step > 0))),
    _loop("wrong_value.loss", _of_sum(lambda total, y: total.sqrt()), "the root of the sum of squares is the loss"),
    _loop(
        "wrong_value.loss",
        Loop(loss=lambda out, y, weights: 2 * (out - y).sum()),
        "the loss is twice the sum of the differences, as by `* 2`, and not of their squares, as by `** 2`",
    ),
    _loop("averaged_instead_of_summed.loss", _of_sum(lambda total, y: total / y.shape[1])),
    *map(_unmoved, _LEFT_OUT),
    *(_added("momentum", Loop(kept=kept)) for kept in _MOMENTA),
    *(_added("average", Loop(kept=kept, taken=1 - kept)) for kept in _MOMENTA),
    *(Slip("wrong_value.loop", what, length=length) for what, length in SCHEDULES),
    *(_added("decay", Loop(gradient=lambda grad, weight, *_, share=share: grad + share * weight)) for share in DECAYS),
    *(_added("norm", Loop(cut=partial(torch.nn.utils.clip_grad_norm_, max_norm=limit)), limit) for limit in _LIMITS),
    *(
        _added("entries", Loop(cut=partial(torch.nn.utils.clip_grad_value_, clip_value=limit)), limit)
        for limit in _LIMITS
    ),
    _added("unit", Loop(gradient=lambda grad, *_: grad / grad.norm())),
    _added(
        "each", Loop(gradient=lambda grad, *_: grad * (1 / (grad.norm() + 1e-6)).clamp(max=1.0))
    ),  # as torch does it
    _added("signs", Loop(gradient=lambda grad, *_: grad.sign())),
    *(_added("penalty", Loop(loss=_penalised(share))) for share in DECAYS),
    *(_loop("wrong_value.batches", Loop(batches=rows), what) for what, rows in (*_ROUNDS, *_ONE_BATCH)),
    *(_loop("wrong_value.batches", Loop(batches=rows, notes_last=True), what) for what, rows in _ROUNDS),
    *(
        _loop("wrong_value.optimizer", Loop(optimizer=optimizer), f"`{name}`")
        for name, optimizer in (
            ("Adagrad", torch.optim.Adagrad),
            ("RMSprop", torch.optim.RMSprop),
            ("RMSprop", partial(torch.optim.RMSprop, alpha=0.9)),
        )
    ),
    _loop("state_lost.loop", Loop(is_lost=True, is_anew=True)),
    *(
        Slip(
            "wrong_value.optimizer",
            f"`{kind}` with a learning rate of {rate}" if rate else f"`{kind}`",
            rate=rate,
            loop=Loop(optimizer=getattr(torch.optim, kind)),
        )
        for kind, rate in product(("Adam", "SGD"), (None, *FIXED_RATES[1:]))  # None: the given one
    ),
    _loop("wrong_value.optimizer", Loop(is_anew=True), "a new optimizer of that kind, which knows of no step before"),
)
