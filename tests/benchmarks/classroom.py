"""A class to measure with: notebooks of ten code cells and four exercises, the answers a little different in each."""

from __future__ import annotations

from pathlib import Path

from tests.samples import BACKPROP as NOTEBOOK
from tests.samples import code_cell, hand_in, notebook_of

__all__ = ["NOTEBOOK", "cells_of", "write_class"]

_START = """
import torch

def lin(x, w, b):
    return x @ w + b

def relu(x):
    return x.clamp_min(0.)

def mse(out, targ):
    return (out[:, 0] - targ).pow(2).mean()
"""
_DATA = """
torch.manual_seed(3)
x_train, y_train = torch.randn(50, 9), torch.randn(50)
w1, b1 = torch.randn(9, 6) / 3, torch.randn(6) / 10
w2, b2 = torch.randn(6, 1) / 3, torch.randn(1) / 10
"""
_FORWARD = """
l1 = lin(x_train, w1, b1)
a1 = relu(l1)
out = lin(a1, w2, b2)
loss = mse(out, y_train)
for name, tensor in {"x": x_train, "l1": l1, "a1": a1, "out": out, "loss": loss}.items():
    print(f"{name:>4}  {tuple(tensor.shape)}")
"""
_MSE = (
    "inp.g = 2 * (inp - targ[:, None]) / inp.shape[0]",
    "inp.g = 2. * (inp.squeeze(1) - targ).unsqueeze(-1) / inp.shape[0]",
    "inp.g = 2 * (inp - targ[:, None])",
)
_LIN = (
    "inp.g, w.g, b.g = out.g @ w.t(), inp.t() @ out.g, out.g.sum(0)",
    "inp.g = out.g @ w.T\n    w.g = (inp.unsqueeze(-1) * out.g.unsqueeze(1)).sum(0)\n    b.g = out.g.sum(dim=0)",
    "inp.g, w.g, b.g = out.g @ w.t(), out.g.t() @ inp, out.g.sum(0)",
    "inp.g, w.g, b.g = out.g @ w.t(), inp.t() @ out.g, out.g.mean(0)",
    "raise NotImplementedError",
)
_RELU = ("inp.g = (inp > 0).float() * out.g", "inp.g = torch.where(inp > 0, out.g, 0.)", "inp.g = (inp > 0).float()")
_WHOLE = """
def forward_and_backward(inp, targ):
    l1 = lin(inp, w1, b1)
    a1 = relu(l1)
    out = lin(a1, w2, b2)
    mse_grad(out, targ)
    lin_grad(a1, out, w2, b2)
    relu_grad(l1, a1)
    lin_grad(inp, l1, w1, b1)
    return mse(out, targ)
"""
_COMPARED = """
theirs = [tensor.clone().requires_grad_() for tensor in (w1, b1, w2, b2)]
their_loss = mse(lin(relu(lin(x_train, *theirs[:2])), *theirs[2:]), y_train)
their_loss.backward()
print(f"loss {their_loss.item():.4f}")
"""
_CHECKED = """
forward_and_backward(x_train, y_train)
for mine, their in zip((w1, b1, w2, b2), theirs):
    print((mine.g - their.grad).abs().max().item())
"""


def cells_of(student: int) -> tuple[tuple[str | None, str], ...]:
    """The exercise (or None) and source of each code cell of one student's notebook."""
    mse, lin, relu = (answers[student % len(answers)] for answers in (_MSE, _LIN, _RELU))
    return (
        (None, _START),
        (None, _DATA),
        (None, _FORWARD),
        ("mse_grad", f"def mse_grad(inp, targ):\n    {mse}\n"),
        ("lin_grad", f"def lin_grad(inp, out, w, b):\n    {lin}\n"),
        ("relu_grad", f"def relu_grad(inp, out):\n    {relu}\n"),
        ("forward_and_backward", _WHOLE),
        (None, _COMPARED),
        (None, _CHECKED),
        (None, f"print('student {student}')"),
    )


def write_class(folder: Path, size: int) -> Path:
    """Write ``folder/<student>/03_backprop.ipynb`` for ``size`` students; returns the folder."""
    texts = {
        f"student-{number:04}": notebook_of(
            *(code_cell(f"cell-{at}", source.strip("\n"), name) for at, (name, source) in enumerate(cells_of(number)))
        )
        for number in range(size)
    }
    return hand_in(folder, texts, NOTEBOOK)
