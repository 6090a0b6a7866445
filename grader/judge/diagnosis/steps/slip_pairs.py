"""Two known mistakes at once in one optimizer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

import torch

from grader.judge.diagnosis.steps.optimizers import agrees, explaining, simulations_of
from grader.judge.diagnosis.steps.slips import AVERAGED, DRIVEN, FIRST_BETA, OTHER_BETAS
from grader.judge.diagnosis.steps.switches import Slip, Switch
from grader.judge.diagnosis.symptom import Symptom
from grader.judge.diagnosis.words import clauses
from grader.model import Diagnosis

#: Entries in the failing cases below which an agreement may be chance.
_ENTRIES = 6
Switches = Mapping[Switch, Any]
_ALWAYS: tuple[Mapping[str, Switches], ...] = ({"rate": {"lr": 1.0, "constant_lr": True}}, {"ascent": {"ascent": True}})
#: What can be wrong, in groups of which each gives one at most; by the name of its words.
_SGD: tuple[Mapping[str, Switches], ...] = (
    *_ALWAYS,
    {name: {name: True} for name in ("no_decay", "decoupled", "decay_sign", "decay_unscaled")},
    {
        "no_damp": {"no_damp": True},
        "damp_itself": {"damp_itself": True},
        "average": {"average": True, "whole_first": True},
    },
    {name: {name: True} for name in ("damp_first", "empty_first")},
    {name: {name: True} for name in ("no_nesterov", "always_nesterov", "buffer_only", "unscaled")},
    {"rate_inside": {"rate_inside": True}, "signs": {"update": torch.sign}},
)
_ADAM: tuple[Mapping[str, Switches], ...] = (
    *_ALWAYS,
    {
        "raw": {"raw_mean": True, "raw_square": True},
        "raw_mean": {"raw_mean": True},
        "raw_square": {"raw_square": True},
        **{name: {name: True} for name in ("counted", "ahead")},
        "times": {"times": ("mean", "square")},
        "stuck": {"stuck": ("mean", "square")},
        "first_beta": {"uses": FIRST_BETA},
    },
    {name: {name: True} for name in ("no_root", "eps_inside", "no_eps", "eps_outside", "no_square")},
    {
        **{name: {"uses": OTHER_BETAS[name]} for name in ("swapped", "one_beta")},
        "weights": {"weights": ("mean", "square")},
        "unweighted": {"unweighted": ("mean", "square")},
        "unweighted_mean": {"unweighted": ("mean",)},
        "unweighted_square": {"unweighted": ("square",)},
    },
    {name: {name: True} for name in ("of_gradient", "of_absolute", "of_mean")},
)


def _pairs(groups: tuple[Mapping[str, Switches], ...]) -> Iterator[Slip]:
    for first, second in combinations(groups, 2):
        for one, its in first.items():
            for other, others in second.items():
                what = f"{clauses.TOGETHER[one]}, and {clauses.TOGETHER[other]}"
                yield Slip("wrong_value.slips", what, {**its, **others})


#: By the single mistakes that the simulation makes.
_PAIRS: Mapping[tuple[Slip, ...], tuple[Slip, ...]] = {DRIVEN: tuple(_pairs(_SGD)), AVERAGED: tuple(_pairs(_ADAM))}


def two_slips(symptom: Symptom) -> Diagnosis | None:
    """An optimizer with two of the usual mistakes, by simulation."""
    if not symptom.failing or sum(view.expected.numel() for view in symptom.failing) < _ENTRIES:
        return None
    for simulation, slips in simulations_of(symptom):
        if not agrees(symptom, symptom.failing[0], simulation):
            continue
        for pair in explaining(symptom, simulation, _PAIRS.get(slips, ())):
            return symptom.say(pair.key, what=pair.what)
    return None
