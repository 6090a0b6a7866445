"""08_beyond: the layers that modern networks are made of, and a scalar autograd engine."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from grader.course import Variant, computed, exercise, fixed, integers, normal, number
from grader.model import Draw, Sampler

NOTEBOOK = "08_beyond"

#: Both tails, where an activation is flat.
SATURATED = Variant("saturated units", {"inp": normal("n", "d", scale=30.0)})


def _extreme(case: Draw) -> np.ndarray[Any, Any]:
    """Logits that are −1000, 0 or 1000: ``exp`` of them overflows."""
    return case.rng.choice((-1000.0, 0.0, 1000.0), case.shape(("n", "c")))


@exercise(
    call="sigmoid_grad(inp, out)",
    inputs={"inp": normal("n", "d")},
    points={"inp.g": 1},
    variants=(SATURATED,),
)
def sigmoid_grad(inp: Tensor) -> Tensor:
    """Backward pass of the sigmoid."""
    return torch.sigmoid(inp)


@exercise(
    call="tanh_grad(inp, out)",
    inputs={"inp": normal("n", "d")},
    points={"inp.g": 1},
    variants=(SATURATED,),
)
def tanh_grad(inp: Tensor) -> Tensor:
    """Backward pass of the hyperbolic tangent."""
    return torch.tanh(inp)


@exercise(
    call="gelu_grad(inp, out)",
    inputs={"inp": normal("n", "d")},
    points={"inp.g": 2},
    tolerance=0.1,  # the tanh formula is near
    variants=(SATURATED, Variant("around the bend", {"inp": normal("n", "d", scale=2.0, zeros=0.2)})),
)
def gelu_grad(inp: Tensor) -> Tensor:
    """Backward pass of the exact GELU."""
    return functional.gelu(inp)


@exercise(
    call="cross_entropy_grad(logits, targ)",
    inputs={"logits": normal("n", "c"), "targ": integers("n", high="c")},
    points={"logits.g": 4},
    tolerance=10.0,  # a logarithm of sums around 1000 is rounded to 3e-5, and that is the error of the probabilities
    variants=(Variant("logits of ±1000", {"logits": computed("float", "n", "c", by=_extreme)}),),
)
def cross_entropy_grad(logits: Tensor, targ: Tensor) -> Tensor:
    """Gradient of the mean cross-entropy."""
    return functional.cross_entropy(logits, targ)


@exercise(
    call="layernorm_grad(inp, out, gamma, beta, eps)",
    inputs={"inp": normal("n", "d"), "gamma": normal("d"), "beta": normal("d"), "eps": number(0.01, 0.1)},
    points={"inp.g": 3, "gamma.g": 1, "beta.g": 1},
    variants=(Variant("three axes", {"inp": normal("n", "t", "d")}),),
)
def layernorm_grad(inp: Tensor, gamma: Tensor, beta: Tensor, eps: float) -> Tensor:
    """Backward pass of layer normalisation."""
    return functional.layer_norm(inp, gamma.shape, gamma, beta, eps)


@exercise(
    call="batchnorm_grad(inp, out, gamma, beta, eps)",
    inputs={"inp": normal("n", "d"), "gamma": normal("d"), "beta": normal("d"), "eps": number(0.01, 0.1)},
    points={"inp.g": 3, "gamma.g": 1, "beta.g": 1},
    ones=("d",),
)
def batchnorm_grad(inp: Tensor, gamma: Tensor, beta: Tensor, eps: float) -> Tensor:
    """Backward pass of batch normalisation."""
    return functional.batch_norm(inp, None, None, gamma, beta, training=True, eps=eps)


@exercise(
    call="embedding_grad(index, out, weight)",
    inputs={"index": integers("n", "t", high="v"), "weight": normal("v", "d")},
    points={"weight.g": 3},
    sizes={"n": (7, 9), "t": (5, 6), "v": (3, 8, 10), "d": (11,)},
    variants=(Variant("one index everywhere", {"index": integers("n", "t", high=1)}),),
)
def embedding_grad(index: Tensor, weight: Tensor) -> Tensor:
    """Backward pass of an embedding."""
    return functional.embedding(index, weight)


@exercise(
    call="conv2d_grad(inp, out, w, b)",
    inputs={"inp": normal("n", "c", "h", "w"), "w": normal("o", "c", "k", "l"), "b": normal("o")},
    points={"inp.g": 3, "w.g": 3, "b.g": 1},
    # Those of the output, h − 2 and w − 4, are none of these either.
    sizes={"n": (6,), "c": (10,), "h": (9, 11), "w": (12,), "o": (13,), "k": (3,), "l": (5,)},
    ones=("n", "c", "o", "k", "l"),
    time_limit=30.0,  # for loops over samples, kernels and places, which many write first
)
def conv2d_grad(inp: Tensor, w: Tensor, b: Tensor) -> Tensor:
    """Backward pass of a convolution."""
    return functional.conv2d(inp, w, b)


@exercise(
    call="attention_grad(q, k, v, out)",
    inputs={"q": normal("n", "t", "d"), "k": normal("n", "t", "d"), "v": normal("n", "t", "d")},
    points={"q.g": 2, "k.g": 2, "v.g": 1},
    magnitudes=(1e-3,),  # at 1e3 the rounding of the scores alone decides between the keys
    variants=(
        Variant("large values", {"v": normal("n", "t", "d", scale=1e3)}),
        Variant("peaked attention", {"q": normal("n", "t", "d", scale=3.0)}),
    ),
)
def attention_grad(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Backward pass of attention."""
    return torch.softmax(q @ k.transpose(1, 2) / math.sqrt(q.shape[-1]), dim=-1) @ v


def _apart_from_zero(case: Draw, factors: tuple[float, ...] = (-1.0, 1.0)) -> np.ndarray[Any, Any]:
    """A number of either sign that is not small: around 0, a wrong derivative may come near the right one."""
    return np.asarray(case.rng.choice(factors) * case.rng.uniform(0.4, 2.0))


_NEGATIVE = computed("float", by=lambda case: _apart_from_zero(case, (-1.0,)))
_UP_TO_ONE = computed("float", by=lambda case: _apart_from_zero(case, (0.5,)))


def _formula(label: str, formula: str, **inputs: Sampler) -> Variant:
    """A case of ``a``, ``b`` and the number ``x``, which is ``a``'s value.

    In the formula of an operation, one node is the same operand of two of its nodes, to which the same gradient
    arrives: what writes over the one of them is caught in whichever order an engine visits them, and gives the same.
    No two operations have an operand in common, but for one to which both pass on 0.
    """
    return Variant(label, {**inputs, "formula": fixed(formula)}, points={"out.data": 0.25, "grads": 0.5})


@exercise(
    call="""
        from types import SimpleNamespace

        x, a, b = a.item(), Value(a.item()), Value(b.item())
        if inside:
            a, b = a * 1, b * 1
        out = eval(formula, {"a": a, "b": b, "x": x})
        other = a * b
        out.backward()
        if again:
            (a * b).backward()  # which adds to what is there
        if inside and not out.grad:
            a = b = out  # which has a gradient of its own
        grads = [a.grad, b.grad]
        if isinstance(getattr(type(out), "data", None), property):  # which is read here alone
            out = SimpleNamespace(data=out.data)
    """,
    inputs={
        "a": computed("float", by=_apart_from_zero),
        "b": computed("float", by=_apart_from_zero),
        "formula": fixed(""),
        "inside": fixed(False),
        "again": fixed(False),
    },
    points={},
    expects={"out.data": "out", "grads": "both"},
    scalars=("out.data", "grads"),
    standard=False,
    variants=(
        _formula("+", "1.5 + (a + b) + (a + b) + 3"),
        _formula("*", "3 * (a * b) * (a * b) * 1.5"),
        _formula("-", "3 - (a - b) - (a - b) - 1.5"),
        _formula("/", "3 / (a / b) / (a / b) / 1.5"),
        _formula("negation", "-a * -a * -b"),
        _formula("**", "a ** 3 * a ** 3 + (3 ** b * 3 ** b + 1) ** -0.5 * 9", a=_NEGATIVE),
        _formula("** of two nodes", "(a * a + 1) ** b * (a * a + 1) ** b * 3"),
        _formula("relu", "b.relu() * b.relu() * 3 + (a - x).relu() + (a - x - 1).relu() * 5", b=_UP_TO_ONE),
        _formula("tanh", "(b * b).tanh() * 3 + a.tanh() * a.tanh() * 2"),
        _formula("exp", "(b * -0.5).exp() * 3 + a.exp() * a.exp() * 2"),
        _formula("a node used twice", "a * a + b * b * b + a", again=fixed(True)),
        # Nodes inside of a graph have their gradients, too, not its leaves alone.
        _formula("a diamond", "(lambda c: c * 12 + c * 2 * 2 * 3)(a * b)", inside=fixed(True)),
    ),
)
def Value(a: Tensor, b: Tensor, formula: str, again: bool) -> dict[str, Tensor]:  # noqa: N802
    """A scalar autograd engine."""
    with torch.enable_grad():
        leaves = [each.detach().clone().requires_grad_() for each in (a, b)]
        out = eval(formula, {"a": leaves[0], "b": leaves[1], "x": a.item()})  # noqa: S307 - the formulas above
        grads = torch.autograd.grad(out + leaves[0] * leaves[1] if again else out, leaves)
    return {"out": out.detach(), "both": torch.stack(grads)}
