"""Numbers and masks that an answer does not go by, told from the forward pass of any exercise."""

from __future__ import annotations

import pytest
import torch

from grader.course import exercise, integers, normal, number
from tests.judge.builders import cases, diagnosed


@exercise(
    call="dropout(inp, mask, p, out)",
    inputs={"inp": normal("n", "d"), "mask": integers("n", "d", high=2), "p": number(0.1, 0.6)},
    points={"inp.g": 1},
    notebook="small",
)
def dropout(inp, mask, p):
    """Inverted dropout."""
    return inp * mask / (1 - p)


@exercise(
    call="step(x, label, limit, eps)",
    inputs={
        "x": normal("n", "d"),
        "label": integers("n", high=2),
        "limit": number(0.2, 0.9),
        "eps": number(0.1, 0.5),
    },
    points={"x.g": 1},
    magnitudes=(),
    notebook="small",
)
def step(x, label, limit, eps):
    """A bounded loss of two classes."""
    rows = torch.where(label == 1, (x**2).sum(1), (x**4).sum(1) / 3)
    return (rows.clamp(max=100 * limit) + eps).log().sum()


def gradient(declared, one, **changed):
    """What the forward pass gives with other inputs or numbers in the place of the case's own."""
    case = one.case
    values = {**case.constants, **{name: value.double() for name, value in case.inputs.items()}, **changed}
    first = next(iter(declared.inputs))
    leaf = values[first].clone().requires_grad_()
    values[first] = leaf
    out = declared.forward(**{name: values[name] for name in declared.inputs})
    (out if case.upstream is None else (out * case.upstream).sum()).backward()
    return leaf.grad


GIVEN = {
    "mask left out": (
        dropout,
        lambda one, right: gradient(dropout, one, mask=torch.ones(())),
        "mask_missing",
        "`mask`",
    ),
    "mask turned": (
        dropout,
        lambda one, right: gradient(dropout, one, mask=1 - one.case.inputs["mask"]),
        "mask_inverted",
        "0 and 1 change places in `mask`",
    ),
    "labels turned": (
        step,
        lambda one, right: gradient(step, one, label=1 - one.case.inputs["label"]),
        "wrong_value",
        "0 and 1 change places in `label`",
    ),
    "one class alone": (
        step,
        lambda one, right: gradient(step, one, label=torch.ones_like(one.case.inputs["label"])),
        "wrong_value",
        "ones in the place of `label`",
    ),
    "number left out": (
        step,
        lambda one, right: gradient(step, one, eps=0.0),
        "wrong_value",
        "0 in the place of `eps`",
    ),
    "not scaled": (dropout, lambda one, right: right * (1 - one.case.constants["p"]), "scaled", "(1 − p) times"),
    "by the share dropped": (
        dropout,
        lambda one, right: right * (1 - one.case.constants["p"]) / one.case.constants["p"],
        "scaled",
        "(1 − p)/p times",
    ),
    "a plain factor": (dropout, lambda one, right: right * 1.7, "scaled", "1.7 times"),
}


@pytest.mark.parametrize("name", GIVEN)
def test_what_is_given_and_not_gone_by_is_named(name):
    declared, change, code, words = GIVEN[name]
    (check,) = declared.points
    found = diagnosed(declared, {check: change})[check]
    assert found.code == code
    assert words in found.message


def test_mask_that_no_case_shows_to_be_one_is_not_named():
    def of_other_numbers(one, right):
        return right + torch.rand(right.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)

    found = diagnosed(dropout, {"inp.g": of_other_numbers})["inp.g"]
    assert "`mask`" not in found.message
    assert len(cases(dropout)) > 2
