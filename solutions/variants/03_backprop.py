"""Other right answers to 03_backprop."""
# ruff: noqa - written as students write, and run in the namespace of the solved notebook

import numpy as np
import torch

from grader.course.specimens import variant


@variant("lin_grad")
def by_einsum(inp, out, w, b):
    inp.g = torch.einsum("no,io->ni", out.g, w)
    w.g = torch.einsum("ni,no->io", inp, out.g)
    b.g = torch.einsum("no->o", out.g)


@variant("lin_grad")
def by_unsqueeze_and_sum(inp, out, w, b):
    inp.g = out.g @ w.t()
    w.g = (inp.unsqueeze(-1) * out.g.unsqueeze(1)).sum(0)
    b.g = out.g.sum(0)


@variant("lin_grad")
def row_by_row(inp, out, w, b):
    inp.g = torch.stack([w @ g for g in out.g])
    w.g = torch.zeros_like(w)
    b.g = torch.zeros_like(b)
    for x, g in zip(inp, out.g, strict=True):
        w.g += x[:, None] * g
        b.g += g


@variant("lin_grad")
def by_numpy(inp, out, w, b):
    g = out.g.numpy()
    inp.g = torch.from_numpy(g @ w.numpy().T)
    w.g = torch.from_numpy(inp.numpy().T @ g)
    b.g = torch.from_numpy(np.ones(len(g), dtype=g.dtype) @ g)


@variant("lin_grad")
def in_float64(inp, out, w, b):
    g = out.g.double()
    inp.g = g @ w.double().T
    w.g = inp.double().T @ g
    b.g = g.sum(0)


@variant("lin_grad")
def bias_by_ones(inp, out, w, b):
    inp.g = torch.nn.functional.linear(out.g, w)
    w.g = torch.mm(out.g.T, inp).T
    b.g = (torch.ones(1, len(inp), dtype=inp.dtype) @ out.g).view(-1)


@variant("relu_grad")
def by_where(inp, out):
    inp.g = torch.where(inp > 0, out.g, torch.zeros_like(out.g))


@variant("relu_grad")
def uses_up_the_upstream(inp, out):
    out.g[inp <= 0] = 0
    inp.g = out.g


@variant("relu_grad")
def by_the_output(inp, out):
    inp.g = out.g * out.sign()


@variant("relu_grad")
def by_heaviside(inp, out):
    inp.g = torch.heaviside(inp, torch.zeros((), dtype=inp.dtype)) * out.g


@variant("mse_grad")
def by_unsqueeze(inp, targ):
    inp.g = 2.0 * (inp.squeeze(-1) - targ).unsqueeze(-1) / inp.shape[0]


@variant("mse_grad")
def by_numpy_round_trip(inp, targ):
    error = inp.numpy()[:, 0] - targ.numpy()
    inp.g = torch.from_numpy(2 * error / len(error)).reshape(-1, 1)


@variant("mse_grad")
def with_a_float32_share(inp, targ):
    share = torch.tensor(1 / len(targ))
    inp.g = (2 * share * (inp[:, 0] - targ))[:, None]


@variant("mse_grad")
def sample_by_sample(inp, targ):
    inp.g = torch.empty_like(inp)
    for i in range(len(inp)):
        inp.g[i] = (inp[i] - targ[i]) * 2 / len(inp)


@variant("forward_and_backward")
def all_in_one(inp, targ):
    l1 = inp @ w1 + b1
    a1 = l1.clamp_min(0.0)
    out = a1 @ w2 + b2
    error = out[:, 0] - targ
    out_g = (2 / len(targ)) * error[:, None]
    w2.g, b2.g = a1.T @ out_g, out_g.sum(0)
    l1_g = (out_g @ w2.T) * (l1 > 0)
    w1.g, b1.g, inp.g = inp.T @ l1_g, l1_g.sum(0), l1_g @ w1.T
    return (error**2).sum() / len(error)


@variant("forward_and_backward")
def by_einsum_throughout(inp, targ):
    l1 = torch.einsum("ni,ih->nh", inp, w1) + b1
    a1 = torch.where(l1 > 0, l1, torch.zeros_like(l1))
    error = torch.einsum("nh,h->n", a1, w2[:, 0]) + b2 - targ
    scaled = 2 * error / len(targ)
    w2.g = torch.einsum("nh,n->h", a1, scaled)[:, None]
    b2.g = scaled.sum()[None]
    l1_g = torch.einsum("n,h->nh", scaled, w2[:, 0]).masked_fill(l1 <= 0, 0.0)
    w1.g = torch.einsum("ni,nh->ih", inp, l1_g)
    b1.g = l1_g.sum(0)
    inp.g = torch.einsum("nh,ih->ni", l1_g, w1)
    return error.square().mean()


@variant("forward_and_backward")
def in_double_precision(inp, targ):
    x, y, a, b, c, d = (each.double() for each in (inp, targ, w1, b1, w2, b2))
    hidden = torch.relu(x @ a + b)
    error = (hidden @ c + d)[:, 0] - y
    g = 2 * error[:, None] / len(y)
    hidden_g = (g @ c.T) * (hidden > 0)
    w2.g, b2.g = (hidden.T @ g).to(w2.dtype), g.sum(0).to(b2.dtype)
    w1.g, b1.g, inp.g = (each.to(w1.dtype) for each in (x.T @ hidden_g, hidden_g.sum(0), hidden_g @ a.T))
    return error.pow(2).mean().to(inp.dtype)
