"""Other right answers to 06_optimizers."""
# ruff: noqa - written as students write, and run in the namespace of the solved notebook

import math

import torch

from grader.course.specimens import variant


@variant("sgd_step")
def by_data(params, lr):
    for p in params:
        p.data = p.data - lr * p.g


@variant("sgd_step")
def by_add(params, lr):
    for p in params:
        p.add_(p.g, alpha=-lr)


@variant("sgd_step")
def by_copy(params, lr):
    for p in list(params):
        p.copy_((p.double() - lr * p.g.double()).to(p.dtype))


@variant("SGD")
class ClearsAfterTheStep(SGD):
    def step(self):
        super().step()
        self.zero_grad()


@variant("SGD")
class AsTorchHasIt:
    def __init__(self, params, lr, momentum=0, dampening=0, weight_decay=0, nesterov=False):
        if min(lr, momentum, weight_decay) < 0 or (nesterov and (momentum <= 0 or dampening != 0)):
            raise ValueError("no such options")
        self.params, self.lr, self.state = [*params], lr, {}
        self.options = momentum, dampening, weight_decay, nesterov

    @torch.no_grad()
    def step(self):
        momentum, dampening, weight_decay, nesterov = self.options
        for p in self.params:
            if p.g is None:
                continue
            d = p.g.add(p, alpha=weight_decay)
            if momentum:
                if p not in self.state:
                    self.state[p] = d.clone()
                else:
                    self.state[p].mul_(momentum).add_(d, alpha=1 - dampening)
                d = d.add(self.state[p], alpha=momentum) if nesterov else self.state[p]
            p.add_(d, alpha=-self.lr)

    def zero_grad(self):
        for p in self.params:
            p.g = None


@variant("SGD")
class WithVelocitiesInFloat64:
    def __init__(self, parameters, rate, mu=0, tau=0, decay=0, nesterov=False):
        for value in (rate, mu, decay):
            if value < 0:
                raise ValueError(value)
        if nesterov and not (mu > 0 and tau == 0):
            raise ValueError("nesterov")
        self.parameters = tuple(parameters)
        self.lr, self.mu, self.tau, self.decay, self.nesterov = rate, mu, tau, decay, nesterov
        self.velocities = {}

    def step(self):
        for i, p in enumerate(self.parameters):
            if p.g is not None:
                d = p.g.double() + self.decay * p.detach().double()
                v = self.mu * self.velocities[i] + (1 - self.tau) * d if i in self.velocities else d
                self.velocities[i] = v
                d = d + self.mu * v if self.nesterov else v
                p.data = p.data - (self.lr * d).to(p.dtype)

    def zero_grad(self):
        for p in self.parameters:
            p.g = None


@variant("Adam")
class AsTorchComputesIt:
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        self.params, self.lr, self.betas, self.eps, self.state = list(params), lr, betas, eps, {}

    @torch.no_grad()
    def step(self):
        beta1, beta2 = self.betas
        for p in self.params:
            if p.g is None:
                continue
            t, m, v = self.state.get(p, (0, torch.zeros_like(p), torch.zeros_like(p)))
            t += 1
            m.lerp_(p.g, 1 - beta1)
            v.mul_(beta2).addcmul_(p.g, p.g, value=1 - beta2)
            self.state[p] = t, m, v
            root = v.sqrt() / math.sqrt(1 - beta2**t)
            p.addcdiv_(m, root.add_(self.eps), value=-self.lr / (1 - beta1**t))


@variant("Adam")
class WithOneCounter:
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        self.params, self.lr, (self.b1, self.b2), self.eps, self.t = list(params), lr, betas, eps, 0
        self.m, self.v = [0.0] * len(self.params), [0.0] * len(self.params)

    def step(self):
        self.t += 1
        for i, p in enumerate(self.params):
            if p.g is not None:
                self.m[i] = self.m[i] * self.b1 + p.g * (1 - self.b1)
                self.v[i] = self.v[i] * self.b2 + p.g.square() * (1 - self.b2)
                m, v = self.m[i] / (1 - self.b1**self.t), self.v[i] / (1 - self.b2**self.t)
                p.data -= self.lr * m / (torch.sqrt(v) + self.eps)


@variant("resnet_step")
@torch.no_grad()
def decorated(model, lr, momentum, steps, next_gradients):
    solution(model, lr, momentum, steps, next_gradients)


@variant("resnet_step")
def one_list(model, lr, momentum, steps, next_gradients):
    params = [p for _, p in model.named_parameters()]
    optimizer = SGD(params, lr, momentum, 0, 0, False)
    for _ in range(steps):
        optimizer.zero_grad()
        next_gradients(model)
        optimizer.step()
