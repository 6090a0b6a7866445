"""07_trace: one backward pass, number by number, through a linear network without activations."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import linear

from grader.course import Variant, exercise, normal, number

NOTEBOOK = "07_trace"


@exercise(
    call="",
    inputs={
        "X": normal(1, 3),
        "fc1_w": normal(3, 3),
        "fc1_b": normal(3),
        "fc2_w": normal(1, 3),
        "fc2_b": normal(1),
    },
    globals=("X", "fc1_w", "fc1_b", "fc2_w", "fc2_b"),
    points={"fc2_b_grad": 0.5, "fc2_w_grad": 2, "fc1_b_grad": 2, "fc1_w_grad": 2},
    expects={
        "fc2_b_grad": "fc2_b.g",
        "fc2_w_grad": "fc2_w.g",
        "fc1_b_grad": "fc1_b.g",
        "fc1_w_grad": "fc1_w.g",
    },
    rerun=True,
    standard=False,  # the cell is written for the notebook's float32 tensors of these very shapes
    variants=(
        Variant("other values"),
        Variant("yet other values"),
        Variant("values around 1000", magnitude=1e3),
        Variant("values around 0.001", magnitude=1e-3),
    ),
)
def trace(X: Tensor, fc1_w: Tensor, fc1_b: Tensor, fc2_w: Tensor, fc2_b: Tensor) -> Tensor:
    """A backward pass number by number."""
    return (linear(linear(X, fc1_w, fc1_b), fc2_w, fc2_b) - 1).sum()


@exercise(
    call="updated(param, grad, lr)",
    inputs={"param": normal("n", "d"), "grad": normal("n", "d"), "lr": number(0.05, 0.5)},
    points={"result": 1},
    variants=(Variant("one axis", {"param": normal("n"), "grad": normal("n")}),),
    batch=None,
)
def updated(param: Tensor, grad: Tensor, lr: float) -> Tensor:
    """A parameter after one step of descent."""
    return param - lr * grad
