"""01_tensors: shapes and broadcasting."""

from __future__ import annotations

from torch import Tensor

from grader.course import Variant, exercise, fixed, normal, sizes

NOTEBOOK = "01_tensors"


@exercise(
    call="outer_difference(a, b)",
    inputs={"a": normal("n"), "b": normal("m")},
    points={"result": 2},
    loops_flagged=True,
    batch=None,
)
def outer_difference(a: Tensor, b: Tensor) -> Tensor:
    """All differences of two vectors."""
    return a[:, None] - b[None, :]


@exercise(
    call="residual(out, targ)",
    inputs={"out": normal("n", 1), "targ": normal("n")},
    points={"result": 2},
)
def residual(out: Tensor, targ: Tensor) -> Tensor:
    """Predictions minus targets, sample by sample."""
    return out[:, 0] - targ


@exercise(
    call="sum_to_shape(grad, shape)",
    inputs={"grad": normal("n", "m", "k"), "shape": sizes("m", 1)},
    points={"result": 4},
    variants=(
        Variant("the gradient's own shape", {"shape": sizes("n", "m", "k")}),
        Variant("the leading axis missing", {"shape": sizes("m", "k")}),
        Variant("two leading axes missing", {"shape": sizes("k")}),
        Variant("axes of one in front", {"shape": sizes(1, 1, "k")}),
        Variant("an axis of one in the middle", {"shape": sizes("n", 1, "k")}),
        Variant("axes of one only", {"shape": sizes(1, 1, 1)}),
        Variant("no axes", {"shape": fixed(())}),
        # Which axis of two alike is meant is told by its place, not by its size.
        Variant("a square gradient", {"grad": normal("n", "n"), "shape": sizes("n", 1)}),
        Variant("an axis of a square missing", {"grad": normal("n", "n"), "shape": sizes("n")}),
    ),
    batch=None,
)
def sum_to_shape(grad: Tensor, shape: tuple[int, ...]) -> Tensor:
    """The gradient of a broadcast tensor."""
    return grad.sum_to_size(shape)
