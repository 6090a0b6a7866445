"""Other right answers to 04_layers."""
# ruff: noqa - written as students write, and run in the namespace of the solved notebook

import torch
from torch import nn

from grader.course.specimens import variant


@variant("Relu")
class ByWhere:
    def __call__(self, inp):
        self.mask = inp > 0
        self.inp = inp
        self.out = torch.where(self.mask, inp, torch.zeros_like(inp))
        return self.out

    def backward(self):
        self.inp.g = torch.where(self.mask, self.out.g, torch.zeros_like(self.out))


@variant("Relu")
class ByClampAndUsedUpstream:
    def __call__(self, inp):
        self.inp, self.out = inp, inp.clamp(min=0)
        return self.out

    def backward(self):
        g = self.out.g
        g[self.out == 0] = 0
        self.inp.g = g


@variant("Lin")
class ByEinsum:
    def __init__(self, w, b):
        self.w, self.b = w, b

    def __call__(self, inp):
        self.inp = inp
        self.out = torch.einsum("ni,io->no", inp, self.w) + self.b
        return self.out

    def backward(self):
        g = self.out.g
        self.inp.g = torch.einsum("no,io->ni", g, self.w)
        self.w.g = torch.einsum("ni,no->io", self.inp, g)
        self.b.g = g.sum(0)


@variant("Lin")
class ByAddmm:
    def __init__(self, weights, bias):
        self.parameters = (weights, bias)

    def __call__(self, x):
        weights, bias = self.parameters
        self.seen = x
        self.out = torch.addmm(bias, x, weights)
        return self.out

    def backward(self):
        weights, bias = self.parameters
        self.seen.g = self.out.g.mm(weights.t())
        weights.g = (self.seen.unsqueeze(-1) * self.out.g.unsqueeze(1)).sum(0)
        bias.g = self.out.g.sum(0)


@variant("Mse")
class BySquareAndSum:
    def __call__(self, inp, targ):
        self.inp, self.error = inp, inp.squeeze(-1) - targ
        self.out = self.error.square().sum() / len(targ)
        return self.out

    def backward(self):
        self.inp.g = (2 * self.error / len(self.error)).unsqueeze(-1)


@variant("Mse")
class ByDot:
    def __call__(self, inp, targ):
        self.inp, self.error = inp, inp[:, 0] - targ
        return self.error @ self.error / self.error.numel()

    def backward(self):
        self.inp.g = self.error[:, None] * (2 / self.error.numel())


@variant("Model")
class OfModules:
    def __init__(self, w1, b1, w2, b2):
        self.layers = (LinModule(w1, b1), ReluModule(), LinModule(w2, b2))
        self.loss = MseModule()

    def __call__(self, x, targ):
        for layer in self.layers:
            x = layer(x)
        return self.loss(x, targ)

    def backward(self):
        self.loss.backward()
        for layer in self.layers[::-1]:
            layer.backward()


@variant("Model")
class WrittenOut:
    def __init__(self, w1, b1, w2, b2):
        self.weights = w1, b1, w2, b2

    def __call__(self, x, targ):
        w1, b1, w2, b2 = self.weights
        self.x, self.hidden = x, torch.relu(x @ w1 + b1)
        self.error = (self.hidden @ w2 + b2)[:, 0] - targ
        return self.error.pow(2).mean()

    def backward(self):
        w1, b1, w2, b2 = self.weights
        g = 2 * self.error[:, None] / len(self.error)
        w2.g, b2.g = self.hidden.T @ g, g.sum(0)
        g = g @ w2.T * (self.hidden > 0)
        w1.g, b1.g, self.x.g = self.x.T @ g, g.sum(0), g @ w1.T


@variant("Module")
class WithListOfArguments:
    def __init__(self):
        self.args, self.out = (), None

    def __call__(self, *inputs):
        self.args = list(inputs)
        self.out = result = self.forward(*inputs)
        return result

    def forward(self, *inputs):
        raise NotImplementedError

    def bwd(self, out, *inputs):
        raise NotImplementedError

    def backward(self):
        return self.bwd(self.out, *self.args)


@variant("ReluModule")
class ByMaximum(Module):
    def forward(self, inp):
        return torch.maximum(inp, torch.zeros_like(inp))

    def bwd(self, out, inp):
        inp.g = out.g * (out > 0)


@variant("LinModule")
class ByMatmul(Module):
    def __init__(self, w, b):
        super().__init__()
        self.w, self.b = w, b

    def forward(self, inp):
        return torch.matmul(inp, self.w).add_(self.b)

    def bwd(self, out, inp):
        inp.g = torch.matmul(out.g, self.w.T)
        self.w.g = torch.matmul(out.g.T, inp).T
        self.b.g = out.g.sum(0)


@variant("MseModule")
class ByFlatten(Module):
    def forward(self, inp, targ):
        return ((inp.flatten() - targ) ** 2).mean()

    def bwd(self, out, inp, targ):
        inp.g = ((inp.flatten() - targ) * 2 / targ.numel()).reshape(-1, 1)


@variant("Linear")
class ByFunctional(nn.Module):
    def __init__(self, n_in, n_out):
        super().__init__()
        self.register_parameter("w", nn.Parameter(torch.empty(n_in, n_out)))
        self.register_parameter("b", nn.Parameter(torch.empty(n_out)))
        nn.init.zeros_(self.w)
        nn.init.zeros_(self.b)

    def forward(self, x):
        return nn.functional.linear(x, self.w.T, self.b)


@variant("Linear")
class ByAddmmModule(nn.Module):
    def __init__(self, n_in, n_out):
        super().__init__()
        self.b = nn.Parameter(torch.zeros(n_out))
        self.w = nn.Parameter(torch.zeros((n_in, n_out)))

    def forward(self, x):
        return torch.addmm(self.b, x, self.w)


class Elementwise(Module):
    def forward(self, inp):
        return self.f(inp)

    def bwd(self, out, inp):
        inp.g = out.g * self.slope(inp)


@variant("ReluModule")
class OfAFunctionAndItsSlope(Elementwise):
    def f(self, x):
        return torch.relu(x)

    def slope(self, x):
        return x > 0
