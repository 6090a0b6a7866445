"""What the cases of an exercise never show, and what is no fault of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from grader.course import computed, constant_tensor, exercise, fixed, integers, normal, number, uniform
from grader.course.proving.relevance import never_shown
from grader.judge.cases import prepare
from grader.judge.diagnosis.alternatives import Alternatives
from grader.model import Sampler

ALL_KEPT = computed("int", "n", "d", by=lambda draw: np.ones(draw.shape(("n", "d"))))
IN_ORDER = computed("int", "n", by=lambda draw: np.arange(draw.sizes["n"]))
BACKWARDS = computed("int", "n", by=lambda draw: np.arange(draw.sizes["n"])[::-1].copy())

FORWARD: dict[str, Callable[..., Any]] = {
    "dropout": lambda inp, keep, rate: inp * keep / (1 - rate),
    "huber": lambda inp, targ, delta: functional.huber_loss(inp, targ, delta=delta),
    "hinge": lambda inp, targ: torch.relu(1 - (2 * targ - 1) * inp).mean(),
    "lookup": lambda index, inp: inp[index],
    "scale": lambda inp, gamma, eps: inp / (inp.pow(2).mean(-1, keepdim=True) + eps).sqrt() * gamma,
    "decay": lambda inp, slope, decay: {"inp": inp - 0.1 * (slope + decay * inp)},
    "hidden": lambda inp, w: torch.relu(inp.pow(2) @ w).sum(),
    "output": lambda inp: {"out": torch.relu(inp)},
    "stopped": lambda inp, w: (torch.relu(w).detach() * inp).sum(),
    "rows": lambda index, inp: {"out": inp[index]},
    "unit": lambda inp, eps: functional.normalize(inp, eps=eps),
    "likelihood": lambda inp, eps: torch.sigmoid(inp).clamp(eps, 1 - eps).log(),
    "hidden state": lambda inp, h, w: (inp + h @ w).tanh(),
    "lin": lambda inp, w, b: inp @ w + b,
}
N, N_D = normal("n"), normal("n", "d")
OTHER = uniform("n", low=-0.5, high=0.5)

#: What is asked of which forward pass, its inputs, and the mistakes that no case shows.
ASKED: dict[str, tuple[str, dict[str, Sampler], set[str]]] = {
    "a mask of ones": ("dropout", {"inp": N_D, "keep": ALL_KEPT, "rate": number(0.1, 0.5)}, {"keep_left_out"}),
    "a mask": ("dropout", {"inp": N_D, "keep": integers("n", "d", high=2), "rate": number(0.1, 0.5)}, set()),
    "a bound out of reach": ("huber", {"inp": OTHER, "targ": OTHER, "delta": number(1.5, 2.0)}, {"delta_left_out"}),
    "a bound": ("huber", {"inp": N, "targ": N, "delta": number(0.2, 0.8)}, set()),
    "a margin never met": (
        "hinge",
        {"inp": OTHER, "targ": integers("n", high=2)},
        {"inp_left_out", "relu_mask_missing"},
    ),
    "a margin": ("hinge", {"inp": normal("n", scale=3), "targ": integers("n", high=2)}, set()),
    "rows once": ("lookup", {"index": IN_ORDER, "inp": normal(30, "d")}, {"rows_overwritten"}),
    "rows again": ("lookup", {"index": integers("n", high=3), "inp": normal(3, "d")}, set()),
    "weights of one": (
        "scale",
        {"inp": N_D, "gamma": constant_tensor("d", value=1.0), "eps": fixed(1e-5)},
        {"gamma_left_out"},
    ),
    "a small addend": ("scale", {"inp": N_D, "gamma": normal("d"), "eps": fixed(1e-8)}, set()),
    "a ReLU of which no gradient is asked": ("output", {"inp": uniform("n", "d")}, set()),
    "a ReLU behind which gradients stop": ("stopped", {"inp": N_D, "w": uniform("n", "d")}, set()),
    "rows of which no gradient is asked": ("rows", {"index": IN_ORDER, "inp": normal(30, "d")}, set()),
    "rows in another order": ("lookup", {"index": BACKWARDS, "inp": N_D}, set()),
    "a guard against zeros": ("unit", {"inp": N_D, "eps": fixed(1e-12)}, set()),
    "a guard at both ends": ("likelihood", {"inp": N_D, "eps": fixed(1e-7)}, set()),
    "a state that begins with zeros": (
        "hidden state",
        {"inp": N_D, "h": constant_tensor("n", "d", value=0.0), "w": normal("d", "d")},
        set(),
    ),
    "a decay of nothing": ("decay", {"inp": N, "slope": N, "decay": fixed(0.0)}, {"decay_left_out"}),
    "a ReLU of what is positive": ("hidden", {"inp": N_D, "w": uniform("d", "o")}, {"relu_mask_missing"}),
    "a bias, on which no gradient hangs": ("lin", {"inp": N_D, "w": normal("d", "o"), "b": normal("o")}, set()),
}


@pytest.mark.parametrize("name", ASKED)
def test_what_no_case_shows_is_named_and_nothing_else(name: str) -> None:
    about, inputs, mistakes = ASKED[name]
    check = {"decay": "inp", "output": "out", "rows": "out"}.get(about, "inp.g")
    declare = exercise(
        call=f"asked({', '.join(inputs)})", inputs=inputs, points={check: 1}, needs=("asked",), title=name
    )
    declared = declare(FORWARD[about])
    assert {mistake for mistake, _ in never_shown(Alternatives(declared, prepare(declared, 0)))} == mistakes
