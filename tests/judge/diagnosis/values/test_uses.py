"""An input that a forward pass uses several times: a contribution that is missing is told, whatever the formula."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from grader.course import exercise, normal
from grader.judge.cases import Prepared
from tests.judge.builders import Change, diagnosed


@exercise(
    call="cell_back(x, h, w, u, out)",
    inputs={"x": normal("n", "d"), "h": normal("n", "m"), "w": normal("d", "m"), "u": normal("m", "m")},
    points={"x.g": 1, "h.g": 1},
    magnitudes=(),
    notebook="own",
)
def cell_back(x: Tensor, h: Tensor, w: Tensor, u: Tensor) -> Tensor:
    """A gated cell, which uses its state three times."""
    z = torch.sigmoid(x @ w + h @ u)
    return (1 - z) * torch.tanh(h) + z * h


def _contributions(*kept: int) -> Change:
    def change(given: Prepared, right: Tensor) -> Tensor:
        x, h, w, u = (given.case.inputs[name].double() for name in ("x", "h", "w", "u"))
        upstream = given.case.upstream
        assert upstream is not None
        z = torch.sigmoid(x @ w + h @ u)
        ways = (
            upstream * (h - torch.tanh(h)) * z * (1 - z) @ u.T,
            upstream * (1 - z) * (1 - torch.tanh(h) ** 2),
            upstream * z,
        )
        return sum((ways[place] for place in kept), torch.zeros_like(h))

    return change


@pytest.mark.parametrize(
    ("kept", "said"),
    [
        ((0, 1), "lacks one of"),
        ((0, 2), "lacks one of"),
        ((1, 2), "lacks one of"),
        ((2,), "all but one"),
        ((0,), "but one"),
    ],
)
def test_missing_contribution_is_told(kept: tuple[int, ...], said: str) -> None:
    found = diagnosed(cell_back, {"h.g": _contributions(*kept)})["h.g"]
    assert said in found.message
    assert "the forward pass uses `h` 3 times" in found.message


def test_all_contributions_are_right() -> None:
    assert diagnosed(cell_back, {"h.g": _contributions(0, 1, 2)}) == {}


def test_input_that_is_used_once_lacks_nothing() -> None:
    found = diagnosed(cell_back, {"x.g": lambda given, right: right + 1 + right**2})["x.g"]
    assert "contributions" not in found.message
