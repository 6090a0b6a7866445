"""The usual mistakes in optimizers: the key of each one's words, and the parts that it replaces."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import permutations

import torch
from torch import Tensor

from grader.judge.diagnosis.naming import OPTIONS
from grader.judge.diagnosis.steps import parts
from grader.judge.diagnosis.steps.extras import DECAYS, EXTRA
from grader.judge.diagnosis.steps.parts import Made, Slip, joined
from grader.judge.diagnosis.words import clauses
from grader.model import Case

#: What students write in place of the rate that they are given.
FIXED_RATES = (1.0, 0.1, 0.01, 0.001, 0.0001)
RATES = tuple(
    Slip("learning_rate_ignored", clauses.LR_NEVER if rate == 1 else clauses.LR_FIXED, rate=rate)
    for rate in FIXED_RATES
)
#: The same where the rate is written into the step itself, which so does not fall with the optimizer's.
WRITTEN_RATES = tuple(replace(slip, steps=parts.Steps(sees_rate_fall=False)) for slip in RATES)
ASCENT = Slip("ascent", "", length=lambda rate, step, steps: -rate)
#: Updates that are so many times too long.
_TIMES = (
    Slip("scaled.step", "2", length=lambda rate, step, steps: 2 * rate),
    Slip("scaled.step", "0.5", length=lambda rate, step, steps: rate / 2),
)
_ENDED = Slip("wrong_value.ended", "", steps=parts.Steps(ends_at_none=True))
_USED_UP = Slip("first_step.used_up", "", steps=parts.Steps(uses_up=True))
#: What is wrong around the formula, whatever it is, and what comes after the mistakes in the formula itself.
_AROUND = (
    Slip("learning_rate_ignored", clauses.LR_ONCE, steps=parts.Steps(sees_rate_fall=False)),
    ASCENT,
    Slip("state_lost", "", steps=parts.Steps(is_state_lost=True)),
    Slip("state_shared", "", steps=parts.Steps(state_of=lambda place: place if place < 2 else 0)),
)
_AT_LAST = (*_TIMES, _ENDED, *RATES, *WRITTEN_RATES, *EXTRA)


def _steps(key: str, name: str, wrong: parts.Steps) -> Slip:
    return Slip(key, clauses.SLIPS[name], steps=wrong)


def _sgd(key: str, name: str, wrong: parts.Sgd) -> Slip:
    return Slip(key, clauses.SLIPS[name], sgd=wrong)


def _adam(key: str, name: str, wrong: parts.Adam) -> Slip:
    return Slip(key, clauses.SLIPS[name], adam=wrong)


def _pulled(pull: Made) -> parts.Steps:
    """Weight decay that is a share of something else than the parameter."""
    return parts.Steps(pull=lambda param, rate: pull(param))


#: What is one number for all entries of a parameter, and so no derivative of a penalty on each.
_TOTALS: tuple[Made, ...] = (
    lambda param: param.pow(2).sum(),
    lambda param: param.pow(2).sum() / 2,
    lambda param: param.pow(2).mean(),
    lambda param: param.sum(),
    lambda param: param.norm(),
)
_ORDERS = [order for order in permutations(parts.SGD_OPTIONS) if order != parts.SGD_OPTIONS]
AVERAGE = parts.Sgd(shares=lambda m, damp: (m, 1 - m))
_FIRST_TAKEN = parts.Sgd(first=lambda kept, taken: taken)
#: The first buffer is a gradient that is zeroed in place.
_ZEROED = parts.Sgd(stored=lambda before, grad, buffer, update: torch.zeros_like(buffer) if before is None else buffer)
OF_SGD = (
    *_AROUND,
    Slip("state_lost", "", steps=parts.Steps(is_state_lost=True), sgd=_FIRST_TAKEN),
    Slip("state_shared", "", steps=parts.Steps(state_of=lambda place: place if place != 1 else 0)),
    Slip("wrong_value.none_as_zero", "", steps=parts.Steps(none_is_zero=True)),
    _sgd("first_step", "damp_first", _FIRST_TAKEN),
    _sgd("first_step", "empty_first", parts.Sgd(first=lambda kept, taken: 0.0)),
    _sgd("first_step", "first_doubled", parts.Sgd(first=lambda kept, taken: kept + taken)),
    _steps("weight_decay", "no_decay", _pulled(torch.zeros_like)),
    _steps("weight_decay", "decoupled", parts.Steps(decay_in="update")),
    _steps("weight_decay", "decay_sign", _pulled(torch.neg)),
    _steps("weight_decay", "decay_unscaled", parts.Steps(decay_in="update", pull=lambda param, rate: param / rate)),
    _sgd("dampening", "no_damp", parts.Sgd(shares=lambda m, damp: (m, 1.0))),
    _sgd("dampening", "damp_inverse", parts.Sgd(shares=lambda m, damp: (m, damp or 1.0))),
    _sgd("dampening", "average", AVERAGE),
    _sgd("dampening", "damp_itself", parts.Sgd(shares=lambda m, damp: (m, damp))),
    _sgd("dampening", "average", joined(AVERAGE, _FIRST_TAKEN)),
    _sgd("nesterov", "no_nesterov", parts.Sgd(ahead=lambda bare, grad, buffer, m: buffer)),
    _sgd("nesterov", "always_nesterov", parts.Sgd(always_nesterov=True)),
    _sgd("nesterov", "buffer_only", parts.Sgd(ahead=lambda bare, grad, buffer, m: m * buffer)),
    _sgd("nesterov", "unscaled", parts.Sgd(ahead=lambda bare, grad, buffer, m: grad + buffer)),
    _USED_UP,
    _steps("weight_decay", "decay_itself", _pulled(torch.ones_like)),
    _steps("wrong_operand.steps", "of_param", parts.Steps(takes_param=True)),
    _sgd("nesterov", "ahead_negative", parts.Sgd(ahead=lambda bare, grad, buffer, m: grad - m * buffer)),
    _sgd("wrong_value.buffer", "kept_twice", parts.Sgd(shares=lambda m, damp: (1 + m, 1 - damp))),
    _steps("weight_decay", "decay_doubled", _pulled(lambda param: 2 * param)),
    _steps("weight_decay", "decay_halved", _pulled(lambda param: param / 2)),
    _steps("weight_decay", "decay_by_rate", parts.Steps(pull=lambda param, rate: rate * param)),
    _steps("weight_decay", "decay_of_signs", _pulled(torch.sign)),
    _steps("weight_decay", "decay_of_squares", _pulled(torch.square)),
    _sgd("dampening", "damp_old", parts.Sgd(shares=lambda m, damp: ((1 - damp) * m, 1.0))),
    _sgd("nesterov", "stored_ahead", parts.Sgd(stored=lambda before, grad, buffer, update: update)),
    _sgd("nesterov", "undecayed", parts.Sgd(ahead=lambda bare, grad, buffer, m: bare + m * buffer)),
    _sgd("nesterov", "ahead_of_gradient", parts.Sgd(ahead=lambda bare, grad, buffer, m: buffer + m * grad)),
    _sgd("nesterov", "ahead_of_buffer", parts.Sgd(ahead=lambda bare, grad, buffer, m: (1 + m) * buffer)),
    Slip("state_lost", "", sgd=parts.Sgd(is_plain=True)),
    Slip("state_lost.options", "", steps=_pulled(torch.zeros_like), sgd=parts.Sgd(is_plain=True)),
    _sgd("wrong_value.buffer", "gradient_weighed", parts.Sgd(shares=lambda m, damp: (1.0, (1 - damp) * m))),
    _sgd("wrong_value.buffer", "last_alone", parts.Sgd(stored=lambda before, grad, buffer, update: grad)),
    _sgd("wrong_value.buffer", "kept_whole", parts.Sgd(shares=lambda m, damp: (1.0, 1 - damp))),
    _sgd("wrong_value.buffer", "both_weighed", parts.Sgd(shares=lambda m, damp: (m, m * (1 - damp)))),
    _sgd("wrong_value.buffer", "kept_negative", parts.Sgd(shares=lambda m, damp: (-m, 1 - damp))),
    _sgd("wrong_value.buffer", "momentum_written", parts.Sgd(shares=lambda m, damp: (0.9, 1 - damp))),
    _sgd("wrong_value.buffer", "zeroed", _ZEROED),
    _steps("weight_decay", "decoupled", parts.Steps(decay_in="parameter")),
    _steps("weight_decay", "decay_of_half_squares", _pulled(lambda param: param**2 / 2)),
    *(_steps("weight_decay", "decay_of_total", _pulled(total)) for total in _TOTALS),
    _sgd("dampening", "damp_both", parts.Sgd(shares=lambda m, damp: ((1 - damp) * m, 1 - damp))),
    _sgd("dampening", "damp_added", parts.Sgd(shares=lambda m, damp: (m, 1 + damp))),
    Slip("wrong_value.rate_inside", "", sgd=parts.Sgd(holds_rate=True)),
    _sgd("wrong_value.buffer", "rate_twice", parts.Sgd(entering=lambda rate, is_first: rate)),
    _sgd("wrong_value.buffer", "rate_twice", parts.Sgd(entering=lambda rate, is_first: 1.0 if is_first else rate)),
    *_AT_LAST,
    *(Slip("wrong_value.order", ", ".join(order), sgd=parts.Sgd(order=order)) for order in _ORDERS),
)
#: What is made of weight decay, whatever the formula is.
DECAYED = tuple(slip for slip in OF_SGD if slip.key == "weight_decay")
#: Weight decay in the gradient, where it is asked for apart from it.
COUPLED = Slip("weight_decay.coupled", "", steps=parts.Steps(decay_in="gradient"))
_AVERAGES = "wrong_value.averages"


def _both(average: parts.Average) -> parts.Adam:
    return parts.Adam(mean=average, square=average)


def _in_averages(key: str, name: str, average: parts.Average) -> tuple[Slip, ...]:
    """A mistake in both of Adam's averages, and in each of them alone."""
    alone = {"mean": parts.Adam(mean=average), "square": parts.Adam(square=average)}
    return _adam(key, name, _both(average)), *(_adam(key, f"{name}_{of}", each) for of, each in alone.items())


def _quotient(name: str, quotient: Callable[[parts.Averages], Tensor], key: str = "wrong_value.formula") -> Slip:
    return _adam(key, name, parts.Adam(quotient=quotient))


def _by_betas(name: str, mean: parts.Betas = (0, 0, 0), square: parts.Betas = (0, 0, 0), key: str = _AVERAGES) -> Slip:
    return _adam(key, name, parts.Adam(mean=parts.Average(betas=mean), square=parts.Average(betas=square)))


def _once_more(ahead: int) -> parts.Adam:
    """The mean as NAdam takes it, corrected for as many steps ahead."""

    def corrected(mean: Tensor, grad: Tensor, beta: float, t: int) -> Tensor:
        return beta * mean / (1 - beta ** (t + ahead)) + (1 - beta) * grad / (1 - beta**t)

    return parts.Adam(mean=parts.Average(corrected=corrected))


_RAW = parts.Average(corrected=lambda raw, *_: raw)
_ADDED_UP = parts.Average(shares=lambda *_: (1.0, 1.0))
#: As in Adagrad.
_SUMS = replace(_RAW, shares=_ADDED_UP.shares)
_AS_SGD = Slip("wrong_value.as_sgd", "", adam=parts.Adam(quotient=lambda at: at.grad))
#: The largest gradient so far, in the place of the second average.
_LARGEST = parts.Adam(
    squared=lambda grad, mean: grad.abs(),
    square=parts.Average(shares=lambda kept, taken: (kept, 1.0), added=torch.maximum),
    quotient=lambda at: at.mean / (at.raw + at.eps),
)
OF_ADAM = (
    *_AROUND,
    _USED_UP,
    Slip("state_lost", "", adam=_both(parts.Average(shares=lambda kept, taken: (0.0, 1 - taken)))),
    _adam("bias_correction", "raw", _both(_RAW)),
    _adam("bias_correction", "raw_mean", parts.Adam(mean=_RAW)),
    _adam("bias_correction", "raw_square", parts.Adam(square=_RAW)),
    _adam("bias_correction", "counted", parts.Adam(count=lambda t, place: t if place == 2 else 2 * t - 1 + place)),
    _adam("bias_correction", "by_two", parts.Adam(count=lambda t, place: 2 * t)),
    _adam("bias_correction", "ahead", parts.Adam(count=lambda t, place: t + 1)),
    *_in_averages("bias_correction", "stuck", parts.Average(corrected=lambda raw, _, beta, t: raw / (1 - beta))),
    *_in_averages("bias_correction", "stored", parts.Average(is_stored_corrected=True)),
    _by_betas("swapped", mean=(1, 1, 1), square=(1, 1, 1)),
    _by_betas("swapped_averages", mean=(1, 1, 0), square=(1, 1, 0)),
    _by_betas("swapped_corrections", mean=(0, 0, 1), square=(0, 0, 1)),
    _by_betas("one_beta", square=(1, 1, 1)),
    _by_betas("second_beta", mean=(1, 1, 1)),
    _by_betas("mean_by_second", mean=(1, 1, 0)),
    _by_betas("square_by_first", square=(1, 1, 0)),
    _by_betas("mean_corrected_by_second", mean=(0, 0, 1)),
    _by_betas("mean_keeps_by_second", mean=(1, 0, 0)),
    _by_betas("mean_takes_by_second", mean=(0, 1, 0)),
    _by_betas("square_keeps_by_first", square=(1, 0, 0)),
    _by_betas("square_takes_by_first", square=(0, 1, 0)),
    *_in_averages(_AVERAGES, "weights", parts.Average(shares=lambda kept, taken: (1 - taken, kept))),
    *_in_averages(_AVERAGES, "unweighted", parts.Average(shares=lambda kept, taken: (kept, 1.0))),
    _adam(_AVERAGES, "summed_squares", parts.Adam(square=_ADDED_UP)),
    _adam(_AVERAGES, "added_up_mean", parts.Adam(mean=_ADDED_UP)),
    _adam(_AVERAGES, "added_up", _both(_ADDED_UP)),
    *_in_averages(_AVERAGES, "old_whole", parts.Average(shares=lambda kept, taken: (1.0, 1 - taken))),
    *_in_averages("bias_correction", "times", parts.Average(corrected=lambda raw, _, beta, t: raw * (1 - beta**t))),
    _quotient("no_root", lambda at: at.mean / (at.square + at.eps)),
    _quotient("eps_inside", lambda at: at.mean / (at.square + at.eps).sqrt()),
    _quotient("no_eps", lambda at: at.mean / at.square.sqrt()),
    _quotient("eps_outside", lambda at: at.mean / at.square.sqrt() + at.eps),
    _quotient("eps_behind", lambda at: at.mean / at.square.sqrt() + at.eps / at.rate),
    _quotient("eps_inside_early", lambda at: at.mean / (at.square + at.eps / at.share).sqrt()),
    _quotient("eps_early", lambda at: at.mean / (at.square.sqrt() + at.eps / at.share**0.5)),
    _adam("bias_correction", "behind", parts.Adam(count=lambda t, place: max(1, t - 1))),
    _quotient("rootless", lambda at: at.mean / ((at.raw.sqrt() + at.eps) / at.share), "bias_correction"),
    _by_betas("default_correction", mean=(0, 0, 2), square=(0, 0, 2), key="bias_correction"),
    _quotient("rootless", lambda at: at.mean / (at.raw.sqrt() / at.share + at.eps), "bias_correction"),
    _adam(_AVERAGES, "largest", parts.Adam(square=parts.Average(largest="average"))),
    _adam(_AVERAGES, "largest_corrected", parts.Adam(square=parts.Average(largest="corrected"))),
    _by_betas("first_beta", square=(0, 0, 1), key="bias_correction"),
    _adam(_AVERAGES, "first_whole", _both(replace(_RAW, starts_whole=True))),
    _adam(_AVERAGES, "first_whole_corrected", _both(parts.Average(starts_whole=True))),
    _adam(_AVERAGES, "first_whole_mean", parts.Adam(mean=parts.Average(starts_whole=True))),
    _adam(_AVERAGES, "first_whole_square", parts.Adam(square=parts.Average(starts_whole=True))),
    *_in_averages("bias_correction", "by_count", parts.Average(corrected=lambda raw, _, beta, t: raw / (1 - beta * t))),
    *_in_averages(
        "bias_correction", "power_of_rest", parts.Average(corrected=lambda raw, _, beta, t: raw / (1 - beta) ** t)
    ),
    *_in_averages("bias_correction", "power", parts.Average(corrected=lambda raw, _, beta, t: raw / beta**t)),
    *_in_averages("bias_correction", "plus", parts.Average(corrected=lambda raw, _, beta, t: raw / (1 + beta**t))),
    *_in_averages(_AVERAGES, "kept_twice", parts.Average(shares=lambda kept, taken: (1 + kept, 1 - taken))),
    _adam(
        _AVERAGES,
        "weight_squared",
        parts.Adam(square=parts.Average(shares=lambda kept, taken: (kept, (1 - taken) ** 2))),
    ),
    _adam(_AVERAGES, "of_mean", parts.Adam(squared=lambda grad, mean: mean**2)),
    _adam(_AVERAGES, "of_absolute", parts.Adam(squared=lambda grad, mean: grad.abs())),
    _adam(_AVERAGES, "of_deviation", parts.Adam(squared=lambda grad, mean: (grad - mean) ** 2)),
    _adam(_AVERAGES, "largest_gradient", _LARGEST),
    *(_adam(_AVERAGES, "gradient_once_more", _once_more(ahead)) for ahead in (0, 1)),
    _adam(_AVERAGES, "of_gradient", parts.Adam(squared=lambda grad, mean: grad)),
    _by_betas("default_betas", mean=(2, 2, 2), square=(2, 2, 2)),
    _adam("wrong_value.formula", "plain_gradient", parts.Adam(takes_gradient=True)),
    _adam("wrong_value.formula", "root_mean_square", parts.Adam(takes_gradient=True, square=_RAW)),
    _quotient("no_square", lambda at: at.mean),
    _adam(_AVERAGES, "square_still", parts.Adam(square=parts.Average(shares=lambda *_: (0.0, 0.0)))),
    _adam(_AVERAGES, "square_late", parts.Adam(square=parts.Average(is_late=True))),
    _adam(_AVERAGES, "mean_late", parts.Adam(mean=parts.Average(is_late=True))),
    _adam(_AVERAGES, "ones", _both(parts.Average(start=1.0))),
    _adam(_AVERAGES, "square_of_ones", parts.Adam(square=parts.Average(start=1.0))),
    _AS_SGD,
    *_AT_LAST,
    *(
        Slip("wrong_value.extra", clauses.LOOPS["decay_itself"], steps=parts.Steps(more_decay=decay, decay_in="update"))
        for decay in DECAYS
    ),
    replace(_AS_SGD, key="wrong_value.extra", what=clauses.SLIPS["signs_alone"], steps=parts.Steps(update=torch.sign)),
    _adam(_AVERAGES, "summed_squares", parts.Adam(square=_SUMS)),
    _adam(_AVERAGES, "as_adagrad", parts.Adam(square=_SUMS, takes_gradient=True)),
)


#: The option of SGD without which a mistake shows nowhere: momentum, dampening, weight decay, Nesterov.
_NEEDS = {"state_lost": 0, "state_shared": 0, "first_step": 0, "dampening": 0, "nesterov": 0, "weight_decay": 2}


def is_possible(slip: Slip, case: Case) -> bool:
    """Whether a mistake can show in the case at all: with no momentum, no buffer is lost."""
    options = case.constants.get(OPTIONS)
    index = _NEEDS.get(slip.key)
    if index is None or "betas" in case.constants or not isinstance(options, tuple):
        return True
    numbers = all(isinstance(option, int | float) for option in options)
    return not numbers or (len(options) > index and bool(options[index])) or (not options and slip in OF_ADAM)
