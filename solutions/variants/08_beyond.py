"""Other right answers to 08_beyond."""
# ruff: noqa - written as students write, and run in the namespace of the solved notebook

import math

import numpy as np
import torch
import torch.nn.functional as F

from grader.course.specimens import variant


@variant("sigmoid_grad")
def out_minus_its_square(inp, out):
    inp.g = (out - out**2) * out.g


@variant("sigmoid_grad")
def from_the_input(inp, out):
    s = 1 / (1 + torch.exp(-inp.abs()))
    inp.g = out.g * s * (1 - s)


@variant("sigmoid_grad")
def uses_up_the_upstream(inp, out):
    inp.g = out.g.mul_(out).mul_(1 - out)


@variant("tanh_grad")
def difference_of_squares(inp, out):
    inp.g = out.g * (1 - out) * (1 + out)


@variant("tanh_grad")
def by_cosh(inp, out):
    inp.g = out.g / torch.cosh(inp.clamp(-30, 30)) ** 2


@variant("tanh_grad")
def of_its_own_tanh(inp, out):
    inp.g = out.g - out.g * torch.tanh(inp).square()


@variant("gelu_grad")
def by_the_normal_distribution(inp, out):
    normal = torch.distributions.Normal(torch.zeros((), dtype=inp.dtype), 1.0, validate_args=False)
    inp.g = out.g * (normal.cdf(inp) + inp * normal.log_prob(inp).exp())


@variant("gelu_grad")
def by_erfc_in_float64(inp, out):
    x = inp.double()
    g = 0.5 * torch.erfc(-x * math.sqrt(0.5)) + x * torch.exp(-x * x / 2) / math.sqrt(2 * math.pi)
    inp.g = (out.g.double() * g).to(inp.dtype)


@variant("gelu_grad")
def with_float32_constants(inp, out):
    cdf = 0.5 * (1 + torch.erf(inp / torch.sqrt(torch.tensor(2.0))))
    pdf = torch.exp(-0.5 * inp**2) / torch.sqrt(torch.tensor(2 * math.pi))
    inp.g = out.g * (cdf + inp * pdf)


@variant("cross_entropy_grad")
def by_one_hot(logits, targ):
    logits.g = (torch.softmax(logits, -1) - F.one_hot(targ, logits.shape[1])) / len(targ)


@variant("cross_entropy_grad")
def by_log_softmax(logits, targ):
    g = torch.log_softmax(logits, 1).exp()
    for row, k in enumerate(targ.tolist()):
        g[row, k] -= 1
    logits.g = g.div_(len(targ))


@variant("cross_entropy_grad")
def by_scatter(logits, targ):
    p = torch.exp(logits - torch.logsumexp(logits, 1, keepdim=True))
    logits.g = p.scatter_add(1, targ[:, None], -torch.ones_like(p[:, :1])) / logits.shape[0]


@variant("layernorm_grad")
def by_the_closed_formula(inp, out, gamma, beta, eps):
    d = inp.shape[-1]
    x, g = inp.reshape(-1, d), out.g.reshape(-1, d)
    rstd = torch.rsqrt(x.var(-1, unbiased=False, keepdim=True) + eps)
    hat = (x - x.mean(-1, keepdim=True)) * rstd
    dx = g * gamma
    inp.g = ((d * dx - dx.sum(-1, keepdim=True) - hat * (dx * hat).sum(-1, keepdim=True)) * rstd / d).reshape(inp.shape)
    gamma.g = (g * hat).sum(0)
    beta.g = g.sum(0)


@variant("layernorm_grad")
def step_by_step(inp, out, gamma, beta, eps):
    d = inp.shape[-1]
    centred = inp - inp.mean(-1, keepdim=True)
    var = centred.square().mean(-1, keepdim=True)
    rstd = (var + eps) ** -0.5
    dhat = out.g * gamma
    dvar = (dhat * centred).sum(-1, keepdim=True) * -0.5 * rstd**3
    dcentred = dhat * rstd + dvar * 2 * centred / d
    inp.g = dcentred - dcentred.mean(-1, keepdim=True)
    gamma.g = torch.einsum("...d,...d->d", out.g, centred * rstd)
    beta.g = torch.einsum("...d->d", out.g)


@variant("batchnorm_grad")
def by_the_closed_formula_of_the_paper(inp, out, gamma, beta, eps):
    n = len(inp)
    rstd = torch.rsqrt(inp.var(0, correction=0) + eps)
    hat = (inp - inp.mean(0)) * rstd
    beta.g = out.g.sum(0)
    gamma.g = (out.g * hat).sum(0)
    inp.g = gamma * rstd / n * (n * out.g - beta.g - hat * gamma.g)


@variant("batchnorm_grad")
def through_mean_and_variance(inp, out, gamma, beta, eps):
    n = inp.shape[0]
    mu = inp.mean(0)
    centred = inp - mu
    var = (centred**2).sum(0) / n
    dhat = out.g * gamma
    dvar = (dhat * centred * -0.5 * (var + eps) ** -1.5).sum(0)
    dmu = (-dhat / (var + eps).sqrt()).sum(0) + dvar * (-2 * centred).mean(0)
    inp.g = dhat / (var + eps).sqrt() + dvar * 2 * centred / n + dmu / n
    gamma.g, beta.g = (out.g * centred / (var + eps).sqrt()).sum(0), out.g.sum(0)


@variant("embedding_grad")
def by_one_hot_matrix(index, out, weight):
    hot = F.one_hot(index.flatten(), len(weight)).to(out.g.dtype)
    weight.g = hot.T @ out.g.reshape(-1, weight.shape[1])


@variant("embedding_grad")
def by_index_put(index, out, weight):
    weight.g = torch.zeros_like(weight).index_put_((index,), out.g, accumulate=True)


@variant("embedding_grad")
def by_loops(index, out, weight):
    weight.g = torch.zeros_like(weight)
    for row, grads in zip(index.tolist(), out.g, strict=True):
        for i, g in zip(row, grads, strict=True):
            weight.g[i] += g


@variant("embedding_grad")
def by_numpy(index, out, weight):
    grad = np.zeros(tuple(weight.shape), dtype=np.float64)
    np.add.at(grad, index.numpy(), out.g.numpy())
    weight.g = torch.from_numpy(grad)


@variant("conv2d_grad")
def by_convolutions(inp, out, w, b):
    k, l = w.shape[2:]
    inp.g = F.conv2d(F.pad(out.g, (l - 1, l - 1, k - 1, k - 1)), w.flip(2, 3).transpose(0, 1))
    w.g = F.conv2d(inp.transpose(0, 1), out.g.transpose(0, 1)).transpose(0, 1)
    b.g = out.g.sum((0, 2, 3))


@variant("conv2d_grad")
def by_unfold(inp, out, w, b):
    k, l = w.shape[2:]
    columns = F.unfold(inp, (k, l))
    g = out.g.flatten(2)
    w.g = torch.einsum("nop,ncp->oc", g, columns).view_as(w)
    inp.g = F.fold(torch.einsum("oc,nop->ncp", w.reshape(len(w), -1), g), inp.shape[2:], (k, l))
    b.g = g.sum((0, 2))


@variant("conv2d_grad")
def by_transposed_convolution(inp, out, w, b):
    inp.g = F.conv_transpose2d(out.g, w)
    patches = inp.unfold(2, out.shape[2], 1).unfold(3, out.shape[3], 1)
    w.g = torch.einsum("nchwyx,noyx->ochw", patches, out.g)
    b.g = torch.einsum("noyx->o", out.g)


@variant("attention_grad")
def by_einsum(q, k, v, out):
    root = q.shape[2] ** 0.5
    p = torch.softmax(torch.einsum("nid,njd->nij", q, k) / root, dim=2)
    d = torch.einsum("nid,njd->nij", out.g, v)
    s = p * (d - torch.einsum("nij,nij->ni", p, d)[:, :, None])
    v.g = torch.einsum("nij,nid->njd", p, out.g)
    q.g = torch.einsum("nij,njd->nid", s, k) / root
    k.g = torch.einsum("nij,nid->njd", s, q) / root


@variant("attention_grad")
def with_the_output(q, k, v, out):
    root = math.sqrt(q.shape[-1])
    p = torch.softmax((q / root) @ k.mT, -1)
    delta = (out.g * out).sum(-1, keepdim=True)
    s = p * (out.g @ v.mT - delta)
    q.g, k.g, v.g = s @ k / root, s.mT @ (q / root), p.mT @ out.g


@variant("attention_grad")
def by_the_softmax_jacobian(q, k, v, out):
    root = math.sqrt(q.shape[-1])
    p = torch.softmax(torch.bmm(q, k.transpose(1, 2)) / root, -1)
    jacobian = torch.diag_embed(p) - p[..., :, None] * p[..., None, :]
    s = torch.einsum("nijk,nik->nij", jacobian, out.g @ v.transpose(1, 2)) / root
    v.g, q.g, k.g = p.transpose(1, 2) @ out.g, s @ k, s.transpose(1, 2) @ q


@variant("attention_grad")
def with_a_float32_scale(q, k, v, out):
    scale = 1 / torch.sqrt(torch.tensor(float(q.shape[-1])))
    p = torch.softmax(q @ k.transpose(-2, -1) * scale, dim=-1)
    dp = out.g @ v.transpose(-2, -1)
    ds = p * (dp - (p * dp).sum(-1, keepdim=True)) * scale
    q.g, k.g, v.g = ds @ k, ds.transpose(-2, -1) @ q, p.transpose(-2, -1) @ out.g


@variant("attention_grad")
def with_weights_in_float32(q, k, v, out):
    root = math.sqrt(q.shape[-1])
    p = torch.softmax((q @ k.mT / root).float(), -1).to(q.dtype)
    dp = out.g @ v.mT
    ds = p * (dp - (p * dp).sum(-1, keepdim=True)) / root
    q.g, k.g, v.g = ds @ k, ds.mT @ q, p.mT @ out.g


@variant("Value")
class WithClosures:
    """As micrograd has it."""

    def __init__(self, data, children=()):
        self.data, self.grad = data, 0
        self._backward = lambda: None
        self._prev = set(children)

    def __add__(self, other):
        other = other if isinstance(other, WithClosures) else WithClosures(other)
        out = WithClosures(self.data + other.data, (self, other))

        def _backward():
            self.grad += out.grad
            other.grad += out.grad

        out._backward = _backward
        return out

    def __mul__(self, other):
        other = other if isinstance(other, WithClosures) else WithClosures(other)
        out = WithClosures(self.data * other.data, (self, other))

        def _backward():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad

        out._backward = _backward
        return out

    def __pow__(self, other):
        if isinstance(other, WithClosures):
            return (other * self.log()).exp()
        out = WithClosures(self.data**other, (self,))

        def _backward():
            self.grad += other * self.data ** (other - 1) * out.grad

        out._backward = _backward
        return out

    def __rpow__(self, base):
        return (self * math.log(base)).exp()

    def _unary(self, value, slope):
        out = WithClosures(value, (self,))

        def _backward():
            self.grad += slope * out.grad

        out._backward = _backward
        return out

    def relu(self):
        return self._unary(0 if self.data < 0 else self.data, self.data > 0)

    def tanh(self):
        t = (math.exp(2 * self.data) - 1) / (math.exp(2 * self.data) + 1)
        return self._unary(t, 1 - t**2)

    def exp(self):
        e = math.exp(self.data)
        return self._unary(e, e)

    def log(self):
        return self._unary(math.log(self.data), 1 / self.data)

    def backward(self):
        order, visited = [], set()

        def build(v):
            if v not in visited:
                visited.add(v)
                for child in v._prev:
                    build(child)
                order.append(v)

        build(self)
        self.grad = 1
        for v in reversed(order):
            v._backward()

    def __neg__(self):
        return self * -1

    def __radd__(self, other):
        return self + other

    def __sub__(self, other):
        return self + (-other)

    def __rsub__(self, other):
        return other + (-self)

    def __rmul__(self, other):
        return self * other

    def __truediv__(self, other):
        return self * other**-1

    def __rtruediv__(self, other):
        return other * self**-1
