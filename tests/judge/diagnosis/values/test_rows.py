"""Gradients of a part of the output: of some places of an axis, or of some of several outputs."""

from __future__ import annotations

import torch
from torch import Tensor

from grader.course import exercise, normal
from grader.judge.cases import Prepared
from tests.judge.builders import diagnosed


@exercise(
    call="h, c = out; h.g, c.g = upstream; state_grad(f, o, h, c)",
    inputs={"f": normal("n", "h"), "o": normal("n", "h")},
    points={"f.g": 1, "o.g": 1},
    notebook="own",
)
def state_grad(f: Tensor, o: Tensor) -> Tensor:
    """A gated state, and what is let out of it."""
    c = torch.sigmoid(f) * 2
    return torch.stack((torch.sigmoid(o) * torch.tanh(c), c))


def _without_c(given: Prepared, right: Tensor) -> Tensor:
    f, o = (given.case.inputs[name].double() for name in ("f", "o"))
    upstream = given.case.upstream
    assert upstream is not None
    slope = 2 * torch.sigmoid(f) * (1 - torch.sigmoid(f))
    return upstream[0] * torch.sigmoid(o) * (1 - torch.tanh(2 * torch.sigmoid(f)) ** 2) * slope


def test_gradient_of_one_output_that_is_not_used_is_told_by_its_name() -> None:
    (found,) = diagnosed(state_grad, {"f.g": _without_c}).values()
    assert found.message.startswith("`f.g` is what comes out where `c.g` is 0.")
    assert "loop" not in found.message + found.hint + found.explanation
