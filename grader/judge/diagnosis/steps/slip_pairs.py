"""Two known mistakes at once in one optimizer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import combinations, product

import torch

from grader.judge.diagnosis.steps import parts
from grader.judge.diagnosis.steps.parts import Slip, joined
from grader.judge.diagnosis.steps.simulations import agrees, explaining, simulations_of
from grader.judge.diagnosis.steps.slips import ASCENT, OF_ADAM, OF_SGD, WRITTEN_RATES
from grader.judge.diagnosis.symptom import Symptom
from grader.judge.diagnosis.words import clauses
from grader.model import Diagnosis

#: Entries in the failing cases below which an agreement may be chance.
_ENTRIES = 6
Groups = tuple[tuple[Slip, ...], ...]


def _of(slips: Iterable[Slip], *names: str) -> tuple[Slip, ...]:
    """Single mistakes, by the names of their words."""
    first = {slip.what: slip for slip in reversed([*slips])}
    return tuple(first[clauses.SLIPS[name]] for name in names)


_ALWAYS = (
    (replace(WRITTEN_RATES[0], what=clauses.TOGETHER["rate"]),),
    (replace(ASCENT, what=clauses.TOGETHER["ascent"]),),
)
#: What can be wrong, in groups of which each gives one at most.
_SGD: Groups = (
    *_ALWAYS,
    _of(OF_SGD, "no_decay", "decoupled", "decay_sign", "decay_unscaled"),
    _of(OF_SGD, "no_damp", "damp_itself", "average"),
    _of(OF_SGD, "damp_first", "empty_first"),
    _of(OF_SGD, "no_nesterov", "always_nesterov", "buffer_only", "unscaled"),
    (
        Slip("", clauses.TOGETHER["rate_inside"], sgd=parts.Sgd(holds_rate=True)),
        Slip("", clauses.TOGETHER["signs"], steps=parts.Steps(update=torch.sign)),
    ),
)
_ADAM: Groups = (
    *_ALWAYS,
    _of(OF_ADAM, "raw", "raw_mean", "raw_square", "counted", "ahead", "times", "stuck", "first_beta"),
    _of(OF_ADAM, "no_root", "eps_inside", "no_eps", "eps_outside", "no_square"),
    _of(OF_ADAM, "swapped", "one_beta", "weights", "unweighted", "unweighted_mean", "unweighted_square"),
    _of(OF_ADAM, "of_gradient", "of_absolute", "of_mean"),
)


def _pairs(groups: Groups) -> Iterator[Slip]:
    for first, second in combinations(groups, 2):
        for one, other in product(first, second):
            yield replace(joined(one, other), key="wrong_value.slips", what=f"{one.what}, and {other.what}")


#: By the single mistakes that the simulation makes.
_PAIRS: Mapping[tuple[Slip, ...], tuple[Slip, ...]] = {OF_SGD: tuple(_pairs(_SGD)), OF_ADAM: tuple(_pairs(_ADAM))}


def two_slips(symptom: Symptom) -> Diagnosis | None:
    """An optimizer with two of the usual mistakes, by simulation."""
    if sum(view.expected.numel() for view in symptom.failing) < _ENTRIES:
        return None
    for simulation, slips in simulations_of(symptom):
        if not agrees(symptom, symptom.failing[0], simulation):
            continue
        for pair in explaining(symptom, simulation, _PAIRS.get(slips, ())):
            return symptom.say(pair.key, what=pair.what)
    return None
