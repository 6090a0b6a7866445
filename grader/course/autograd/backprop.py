"""03_backprop: forward and backward pass of a two-layer network.

The gradient of ReLU at exactly 0 is 0, as ``torch.relu`` has it; ``clamp_min(0.)`` has 1 there and ``maximum`` 0.5.
"""

from __future__ import annotations

import torch
from torch import Tensor

from grader.course import Variant, exercise, normal

NOTEBOOK = "03_backprop"


@exercise(
    call="lin_grad(inp, out, w, b)",
    inputs={"inp": normal("n", "i"), "w": normal("i", "o"), "b": normal("o")},
    points={"inp.g": 1, "w.g": 2, "b.g": 1},
)
def lin_grad(inp: Tensor, w: Tensor, b: Tensor) -> Tensor:
    """Backward pass of a linear layer."""
    return inp @ w + b


@exercise(
    call="relu_grad(inp, out)",
    inputs={"inp": normal("n", "d")},
    points={"inp.g": 2},
    variants=(
        Variant("some inputs exactly zero", {"inp": normal("n", "d", zeros=0.3)}),
        Variant("three axes", {"inp": normal("n", "t", "d")}),
        Variant("inputs near zero", {"inp": normal("n", "d", scale=1e-7)}),  # no smaller than what some add to divide
    ),
)
def relu_grad(inp: Tensor) -> Tensor:
    """Backward pass of ReLU."""
    return torch.relu(inp)


@exercise(
    call="mse_grad(inp, targ)",
    inputs={"inp": normal("n", 1), "targ": normal("n")},
    points={"inp.g": 2},
)
def mse_grad(inp: Tensor, targ: Tensor) -> Tensor:
    """Gradient of the mean squared error."""
    return (inp[:, 0] - targ).pow(2).mean()


#: The two layers' parameters; ``h`` is the hidden width.
NETWORK = {"w1": normal("i", "h"), "b1": normal("h"), "w2": normal("h", 1), "b2": normal(1)}
#: With a row of zeros in the input, these make pre-activations that are exactly zero.
ZERO_BEFORE_RELU = {"b1": normal("h", zeros=0.5)}


def network_loss(inp: Tensor, targ: Tensor, w1: Tensor, b1: Tensor, w2: Tensor, b2: Tensor) -> Tensor:
    """The loss of lin, relu, lin, mse."""
    out = torch.relu(inp @ w1 + b1) @ w2 + b2
    return (out[:, 0] - targ).pow(2).mean()


@exercise(
    call="forward_and_backward(inp, targ)",
    inputs={"inp": normal("n", "i"), "targ": normal("n"), **NETWORK},
    globals=("w1", "b1", "w2", "b2"),
    points={"result": 1, "inp.g": 1, "w1.g": 1, "b1.g": 1, "w2.g": 1, "b2.g": 1},
    follows=("lin_grad", "relu_grad", "mse_grad"),
    variants=(Variant("zeros before the ReLU", {"inp": normal("n", "i", zero_row=True), **ZERO_BEFORE_RELU}),),
)
def forward_and_backward(inp: Tensor, targ: Tensor, w1: Tensor, b1: Tensor, w2: Tensor, b2: Tensor) -> Tensor:
    """The whole network, forward and backward."""
    return network_loss(inp, targ, w1, b1, w2, b2)
