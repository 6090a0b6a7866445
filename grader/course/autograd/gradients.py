"""02_gradients: vectors, Jacobians, the chain rule. Vectors are columns, ``(n, 1)``."""

from __future__ import annotations

import torch
from torch import Tensor

from grader.course import Variant, exercise, normal

NOTEBOOK = "02_gradients"


@exercise(
    call="dot_grad(w, x)",
    inputs={"w": normal("n", 1), "x": normal("n", 1)},
    points={"result[0]": 1, "result[1]": 1},
    expects={"result[0]": "w.g", "result[1]": "x.g"},
    batch=None,
)
def dot_grad(w: Tensor, x: Tensor) -> Tensor:
    """Gradients of a dot product."""
    return (w.T @ x).sum()


@exercise(
    call="polynomial_vjp(a, b, upstream)",
    inputs={"a": normal("n"), "b": normal("n")},
    points={"result[0]": 1, "result[1]": 1},
    expects={"result[0]": "a.g", "result[1]": "b.g"},
    variants=(Variant("two axes", {"a": normal("n", "m"), "b": normal("n", "m")}),),
    batch=None,
)
def polynomial_vjp(a: Tensor, b: Tensor) -> Tensor:
    """Vector-Jacobian products of a polynomial."""
    return 3 * a**3 - b**2


@exercise(
    call="matvec_jacobian(W, x)",
    inputs={"W": normal("m", "n"), "x": normal("n", 1)},
    points={"result": 3},
    batch=None,
)
def matvec_jacobian(W: Tensor, x: Tensor) -> dict[str, Tensor]:
    """The Jacobian of a matrix-vector product."""
    return {"result": torch.autograd.functional.jacobian(lambda matrix: (matrix @ x)[:, 0], W)}


@exercise(
    call="mse_vector_grad(pred, y)",
    inputs={"pred": normal("m", 1), "y": normal("m", 1)},
    points={"result": 2},
    expects={"result": "pred.g"},
    batch=None,
)
def mse_vector_grad(pred: Tensor, y: Tensor) -> Tensor:
    """Gradient of the mean squared error of a vector."""
    return ((y - pred) ** 2).mean()


@exercise(
    call="matvec_mse_grad(W, x, y)",
    inputs={"W": normal("m", "n"), "x": normal("n", 1), "y": normal("m", 1)},
    points={"result": 3},
    expects={"result": "W.g"},
    batch=None,
)
def matvec_mse_grad(W: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Gradient of the mean squared error with respect to a matrix."""
    return ((y - W @ x) ** 2).mean()


@exercise(
    call="two_layer_linear_grad(W1, W2, x, y)",
    inputs={"W1": normal("k", "n"), "W2": normal("m", "k"), "x": normal("n", 1), "y": normal("m", 1)},
    points={"result[0]": 2, "result[1]": 2},
    expects={"result[0]": "W1.g", "result[1]": "W2.g"},
    batch=None,
)
def two_layer_linear_grad(W1: Tensor, W2: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Gradients of two linear layers in a row."""
    return ((y - W2 @ (W1 @ x)) ** 2).mean()
