"""05_two_layer_network: one hidden ReLU layer, sum-of-squares loss, no biases, four ways to train it.

The references of the training loops are the same loops by autograd, in float64. Learning rates are small enough that
no loop diverges (but in the variant that tests a rising loss), and large enough that the weights move by far more than
the tolerance.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from grader.course import Variant, exercise, fixed, normal, number

NOTEBOOK = "05_two_layer_network"

Answer = dict[str, Tensor]

DATA = {"x": normal("n", "d"), "y": normal("n", "o"), "w1": normal("d", "m"), "w2": normal("m", "o")}
#: A hidden unit whose weights are zero: ``h`` is exactly zero in every row, its gradient there 0.
DEAD_UNIT = Variant("a hidden unit at exactly zero", {"w1": normal("d", "m", zero_column=True)})
#: Weights as for training: the outputs start near the targets.
TRAINING = {
    "x": normal("n", "d"),
    "y": normal("n", "o"),
    "w1": normal("d", "m", scale=0.3),
    "w2": normal("m", "o", scale=0.3),
    "learning_rate": number(0.001, 0.003),
    "steps": fixed(5),
}
#: Steps that are too long: outputs that are small grow at once, and the loss with them.
RISING = Variant(
    "a loss that rises",
    {
        "y": normal("n", "o", scale=0.05),
        "w1": normal("d", "m"),
        "w2": normal("m", "o", scale=0.05),
        "learning_rate": number(0.15, 0.25),
        "steps": fixed(3),
    },
)
DEAD_UNIT_IN_TRAINING = Variant(DEAD_UNIT.label, {"w1": normal("d", "m", scale=0.3, zero_column=True)})
#: The same for a torch.nn network, with a bias behind the second layer; weights lie as ``nn.Linear`` stores them, in
#: memory of their own, too: torch's ``parameters_to_vector`` asks for that.
NETWORK = {
    "x": normal("n", "d"),
    "y": normal("n", "o"),
    "first": normal("m", "d", scale=0.3),
    "second": normal("o", "m", scale=0.3),
    "bias": normal("o"),
    "learning_rate": number(0.001, 0.003),
    "steps": fixed(5),
}
MODEL = """
    import torch

    model = torch.nn.Sequential(torch.nn.Linear(1, 1, bias=False), torch.nn.ReLU(), torch.nn.Linear(1, 1))
    model[0].weight = first = torch.nn.Parameter(first.contiguous())
    model[2].weight = second = torch.nn.Parameter(second.contiguous())
    model[2].bias = bias = torch.nn.Parameter(bias.contiguous())
    for left_over in (first, second, bias):
        left_over.grad = torch.ones_like(left_over)
"""


@exercise(
    call="numpy_grads(x, y, w1, w2)",
    inputs=DATA,
    points={"result[0]": 1, "result[1]": 2, "result[2]": 1},
    expects={"result[0]": "out", "result[1]": "w1.g", "result[2]": "w2.g"},
    scalars=("result[0]",),
    numpy=True,
    variants=(DEAD_UNIT,),
)
def numpy_grads(x: Tensor, y: Tensor, w1: Tensor, w2: Tensor) -> Tensor:
    """Loss and gradients in NumPy."""
    return _loss(x, y, w1, w2)


@exercise(
    call="torch_grads(x, y, w1, w2)",
    inputs=DATA,
    points={"result[0]": 1, "result[1]": 2, "result[2]": 1},
    expects={"result[0]": "out", "result[1]": "w1.g", "result[2]": "w2.g"},
    scalars=("result[0]",),
    variants=(DEAD_UNIT,),
)
def torch_grads(x: Tensor, y: Tensor, w1: Tensor, w2: Tensor) -> Tensor:
    """Loss and gradients in torch, by hand."""
    return _loss(x, y, w1, w2)


@exercise(
    call="train_by_hand(x, y, w1, w2, learning_rate, steps)",
    inputs=TRAINING,
    points={"result": 1, "w1": 1, "w2": 1},
    in_place=("w1", "w2"),
    scalars=("result",),
    magnitudes=(),
    follows=("torch_grads",),
    variants=(Variant("three steps", {"steps": fixed(3)}), DEAD_UNIT_IN_TRAINING, RISING),
)
def train_by_hand(x: Tensor, y: Tensor, w1: Tensor, w2: Tensor, learning_rate: float, steps: int) -> Answer:
    """Gradient descent by hand."""
    return _descended(x, y, w1, w2, learning_rate, steps)


@exercise(
    call="""
        w1.requires_grad_()
        w2.requires_grad_()
        train_with_autograd(x, y, w1, w2, learning_rate, steps)
    """,
    inputs=TRAINING,
    points={"result": 1, "w1": 1, "w2": 1},
    in_place=("w1", "w2"),
    scalars=("result",),
    magnitudes=(),
    autograd=True,
    variants=(Variant("three steps", {"steps": fixed(3)}), RISING),
)
def train_with_autograd(x: Tensor, y: Tensor, w1: Tensor, w2: Tensor, learning_rate: float, steps: int) -> Answer:
    """Gradient descent with autograd."""
    return _descended(x, y, w1, w2, learning_rate, steps)


@exercise(
    call=MODEL
    + """
    model = torch.nn.Sequential(model) if nested else model
    train_module(model, x, y, learning_rate, steps)
    """,
    inputs={**NETWORK, "nested": fixed(False)},
    points={"result": 1, "first": 0.5, "second": 0.5, "bias": 1},
    in_place=("first", "second", "bias"),
    scalars=("result",),
    magnitudes=(),
    autograd=True,
    variants=(
        Variant("three steps", {"steps": fixed(3)}),
        Variant("a network inside of another", {"nested": fixed(True)}),  # whose layers have other places
    ),
    answers_in=("torch.optim", "torch.distributed.optim"),  # the steps are to be taken by hand
)
def train_module(
    x: Tensor, y: Tensor, first: Tensor, second: Tensor, bias: Tensor, learning_rate: float, steps: int
) -> Answer:
    """Training an nn.Module by hand."""
    return _trained(x, y, (first, second, bias), lambda weights: torch.optim.SGD(weights, learning_rate), steps)


@exercise(
    call=MODEL
    + """
    optimizer = getattr(torch.optim, kind)(model.parameters(), lr=learning_rate)
    if used:  # on gradients of zero, by which no parameter moves
        for each in (first, second, bias):
            each.grad = torch.zeros_like(each)
        optimizer.step()
        for each in (first, second, bias):
            each.grad = torch.ones_like(each)
    train_with_optimizer(model, optimizer, x, y, steps)
    """,
    inputs={**NETWORK, "kind": fixed("SGD"), "used": fixed(False)},
    points={"result": 1, "first": 0.5, "second": 0.5, "bias": 1},
    in_place=("first", "second", "bias"),
    scalars=("result",),
    magnitudes=(),
    autograd=True,
    variants=(
        Variant("Adam", {"kind": fixed("Adam"), "learning_rate": number(0.02, 0.05)}),
        Variant("three steps", {"steps": fixed(3)}),
        Variant(
            "an Adam that has stepped before",  # whose state another one of the same kind does not have
            {"kind": fixed("Adam"), "learning_rate": number(0.02, 0.05), "used": fixed(True)},
        ),
    ),
)
def train_with_optimizer(
    x: Tensor,
    y: Tensor,
    first: Tensor,
    second: Tensor,
    bias: Tensor,
    learning_rate: float,
    steps: int,
    kind: str,
    used: bool,
) -> Answer:
    """Training with a torch optimizer."""

    def make(weights: list[Tensor]) -> torch.optim.Optimizer:
        optimizer: torch.optim.Optimizer = getattr(torch.optim, kind)(weights, lr=learning_rate)
        if used:
            for weight in weights:
                weight.grad = torch.zeros_like(weight)
            optimizer.step()
        return optimizer

    return _trained(x, y, (first, second, bias), make, steps)


def _loss(x: Tensor, y: Tensor, w1: Tensor, w2: Tensor) -> Tensor:
    return (torch.relu(x @ w1) @ w2 - y).pow(2).sum()


def _descended(x: Tensor, y: Tensor, w1: Tensor, w2: Tensor, learning_rate: float, steps: int) -> Answer:
    """What plain gradient descent leaves, and its losses."""
    weights = _leaves(w1, w2)
    losses = _train(lambda: torch.relu(x @ weights[0]) @ weights[1], y, torch.optim.SGD(weights, learning_rate), steps)
    return {"result": losses, "w1": weights[0].detach(), "w2": weights[1].detach()}


def _trained(
    x: Tensor,
    y: Tensor,
    start: tuple[Tensor, Tensor, Tensor],
    optimizer: Callable[[list[Tensor]], torch.optim.Optimizer],
    steps: int,
) -> Answer:
    weights = _leaves(*start)
    first, second, bias = weights
    losses = _train(lambda: torch.relu(x @ first.T) @ second.T + bias, y, optimizer(weights), steps)
    return {"result": losses, "first": first.detach(), "second": second.detach(), "bias": bias.detach()}


def _leaves(*tensors: Tensor) -> list[Tensor]:
    return [tensor.detach().clone().requires_grad_() for tensor in tensors]


def _train(predict: Callable[[], Tensor], y: Tensor, optimizer: torch.optim.Optimizer, steps: int) -> Tensor:
    """The losses of ``steps`` steps, each taken before its update."""
    losses = []
    with torch.enable_grad():
        for _ in range(steps):
            loss = (predict() - y).pow(2).sum()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.detach())
    return torch.stack(losses)
