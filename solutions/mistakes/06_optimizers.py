"""Wrong answers to 06_optimizers, each with the diagnosis that it must get."""
# ruff: noqa - written as students write, and run in the namespace of the solved notebook

import math

import torch

from grader.course.specimens import mistake


@mistake("sgd_step", "not_in_place")
def new_tensors(params, lr):
    for p in params:
        p = p - lr * p.g


@mistake("sgd_step", "ascent")
def uphill(params, lr):
    for p in params:
        p += lr * p.g


@mistake("sgd_step", "learning_rate_ignored")
def no_rate(params, lr):
    for p in params:
        p -= p.g


@mistake("sgd_step", "input_modified")
def scales_the_gradient(params, lr):
    for p in params:
        p -= p.g.mul_(lr)


@mistake("sgd_step", "not_in_place")
def first_parameter_only(params, lr):
    p = next(iter(params))
    p -= lr * p.g


@mistake("sgd_step", "raised")
def lists_only(params, lr):
    for i in range(len(params)):
        params[i] -= lr * params[i].g


@mistake("SGD", "learning_rate_ignored")
class RateKeptElsewhere(SGD):
    def __init__(self, params, lr, *options):
        super().__init__(params, lr, *options)
        self.first_rate = lr

    def step(self):
        current, self.lr = self.lr, self.first_rate
        super().step()
        self.lr = current


@mistake("SGD", "raised")
class RefusesARateOfZero(SGD):
    def __init__(self, params, lr, *options):
        if lr <= 0:
            raise ValueError("the learning rate must be positive")
        super().__init__(params, lr, *options)


@mistake("SGD", "raised")
class RefusesAMomentumOfOne(SGD):
    def __init__(self, params, lr, momentum=0, *options):
        if not 0 <= momentum < 1:
            raise ValueError("the momentum must be in [0, 1)")
        super().__init__(params, lr, momentum, *options)


@mistake("SGD", "state_lost")
class BuffersMadeAnew(SGD):
    def step(self):
        self.buffers = [None] * len(self.params)
        super().step()


@mistake("SGD", "state_shared")
class BuffersOfTheClass(SGD):
    shared = [None, None]

    def __init__(self, params, lr, *options):
        super().__init__(params, lr, *options)
        BuffersOfTheClass.shared = [None, None]

    def step(self):
        self.buffers = BuffersOfTheClass.shared
        super().step()


@mistake("SGD", "first_step")
class DampenedFromTheStart(SGD):
    def step(self):
        if self.momentum:
            self.buffers = [torch.zeros_like(p) if b is None else b for p, b in zip(self.params, self.buffers)]
        super().step()


@mistake("SGD", "first_step")
class FirstStepOfAllTogether(SGD):
    def step(self):
        if self.momentum and any(b is not None for b in self.buffers):
            self.buffers = [torch.zeros_like(p) if b is None else b for p, b in zip(self.params, self.buffers)]
        super().step()


@mistake("SGD", "dampening")
class DampeningIgnored(SGD):
    def __init__(self, params, lr, momentum=0, dampening=0, weight_decay=0, nesterov=False):
        super().__init__(params, lr, momentum, dampening, weight_decay, nesterov)
        self.dampening = 0


@mistake("SGD", "weight_decay")
class WeightDecayIgnored(SGD):
    def __init__(self, params, lr, momentum=0, dampening=0, weight_decay=0, nesterov=False):
        super().__init__(params, lr, momentum, dampening, weight_decay, nesterov)
        self.weight_decay = 0


@mistake("SGD", "weight_decay")
class WeightDecayDecoupled(SGD):
    def step(self):
        decay, self.weight_decay = self.weight_decay, 0
        for p in self.params:
            if p.g is not None:
                p -= self.lr * decay * p
        super().step()
        self.weight_decay = decay


@mistake("SGD", "nesterov")
class NesterovIgnored(SGD):
    def __init__(self, params, lr, momentum=0, dampening=0, weight_decay=0, nesterov=False):
        super().__init__(params, lr, momentum, dampening, weight_decay, nesterov)
        self.nesterov = False


@mistake("SGD", "wrong_value")
class RateInsideTheBuffer:
    def __init__(self, params, lr, momentum=0, dampening=0, weight_decay=0, nesterov=False):
        checked = solution(list(params), lr, momentum, dampening, weight_decay, nesterov)
        self.__dict__.update(vars(checked))

    def step(self):
        for i, p in enumerate(self.params):
            if p.g is None:
                continue
            d = self.lr * (p.g + self.weight_decay * p)
            b = d if self.buffers[i] is None else self.momentum * self.buffers[i] + (1 - self.dampening) * d
            self.buffers[i] = b
            p -= d + self.momentum * b if self.nesterov else b

    def zero_grad(self):
        for p in self.params:
            p.g = None


@mistake("SGD", "raised")
class RateWithAComma(SGD):
    def __init__(self, params, lr, *options):
        super().__init__(params, lr, *options)
        self.lr = (lr,)


@mistake("SGD", "raised")
class MissingGradientUnexpected(SGD):
    def step(self):
        for p in self.params:
            p.g.shape
        super().step()


@mistake("SGD", "wrong_value")
class CoastsWithoutGradient(SGD):
    def step(self):
        super().step()
        for i, p in enumerate(self.params):
            if p.g is None and self.buffers[i] is not None:
                self.buffers[i] = self.momentum * self.buffers[i]
                p -= self.lr * self.buffers[i]


@mistake("SGD", "wrong_value")
class ForgetsWithoutGradient(SGD):
    def step(self):
        super().step()
        self.buffers = [None if p.g is None else b for p, b in zip(self.params, self.buffers)]


@mistake("SGD", "not_raised")
class NothingRefused(SGD):
    def __init__(self, params, lr, momentum=0, dampening=0, weight_decay=0, nesterov=False):
        super().__init__(params, abs(lr), 0.5)
        self.lr, self.momentum, self.dampening = lr, momentum, dampening
        self.weight_decay, self.nesterov = weight_decay, nesterov


@mistake("SGD", "wrong_value")
class GradientsNotCleared(SGD):
    def zero_grad(self):
        pass


@mistake("SGD", "not_in_place")
class GeneratorUsedUp(SGD):
    def __init__(self, params, lr, *options):
        each = (p for p in params)
        super().__init__(each, lr, *options)
        self.params = list(each) if not isinstance(params, list) else self.params


@mistake("SGD", "input_modified")
class BufferIsTheGradient(SGD):
    def step(self):
        for i, p in enumerate(self.params):
            if p.g is None:
                continue
            d = p.g
            if self.weight_decay:
                d += self.weight_decay * p
            if self.momentum:
                if self.buffers[i] is None:
                    self.buffers[i] = d
                else:
                    self.buffers[i].mul_(self.momentum).add_(d, alpha=1 - self.dampening)
                d = d + self.momentum * self.buffers[i] if self.nesterov else self.buffers[i]
            p.sub_(self.lr * d)


@mistake("Adam", "bias_correction")
class NoBiasCorrection(Adam):
    def step(self):
        self.steps = [10**9] * len(self.params)
        super().step()


@mistake("Adam", "bias_correction")
class CountsFromZero:
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        self.inner = solution(params, lr, betas, eps)
        self.lr = lr

    def step(self):
        self.inner.lr = self.lr
        self.inner.steps = [max(t, 1) for t in self.inner.steps]
        self.inner.step()


@mistake("Adam", "wrong_value")
class EpsInsideTheRoot:
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        self.__dict__.update(vars(solution(params, lr, betas, eps)))

    def step(self):
        beta1, beta2 = self.betas
        for i, p in enumerate(self.params):
            if p.g is None:
                continue
            self.steps[i] += 1
            self.means[i] = beta1 * self.means[i] + (1 - beta1) * p.g
            self.squares[i] = beta2 * self.squares[i] + (1 - beta2) * p.g**2
            mean = self.means[i] / (1 - beta1 ** self.steps[i])
            p -= self.lr * mean / (self.squares[i] / (1 - beta2 ** self.steps[i]) + self.eps).sqrt()


@mistake("Adam", "wrong_value")
class EpsBeforeTheCorrection:
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        self.__dict__.update(vars(solution(params, lr, betas, eps)))

    def step(self):
        beta1, beta2 = self.betas
        for i, p in enumerate(self.params):
            if p.g is None:
                continue
            self.steps[i] += 1
            t = self.steps[i]
            self.means[i] = beta1 * self.means[i] + (1 - beta1) * p.g
            self.squares[i] = beta2 * self.squares[i] + (1 - beta2) * p.g**2
            p -= self.lr * (1 - beta2**t) ** 0.5 / (1 - beta1**t) * self.means[i] / (self.squares[i].sqrt() + self.eps)


@mistake("Adam", "wrong_value")
class BetasIgnored(Adam):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, lr, eps=eps)


@mistake("Adam", "learning_rate_ignored")
class RateOfTheFirstStep(Adam):
    def __init__(self, params, lr=1e-3, *options):
        super().__init__(params, lr, *options)
        self.first_rate = lr

    def step(self):
        current, self.lr = self.lr, self.first_rate
        super().step()
        self.lr = current


@mistake("Adam", "state_lost")
class AveragesMadeAnew(Adam):
    def step(self):
        self.__init__(self.params, self.lr, self.betas, self.eps)
        super().step()


@mistake("Adam", "state_shared")
class AveragesOfTheClass(Adam):
    held = {}

    def __init__(self, params, *options):
        super().__init__(params, *options)
        AveragesOfTheClass.held = {}

    def step(self):
        used = [i for i, p in enumerate(self.params) if p.g is not None]
        for i in used:
            fresh = self.means[i], self.squares[i], self.steps[i]
            self.means[i], self.squares[i], self.steps[i] = AveragesOfTheClass.held.get(i, fresh)
        super().step()
        for i in used:
            AveragesOfTheClass.held[i] = self.means[i], self.squares[i], self.steps[i]


@mistake("Adam", "raised")
class MissingGradientUnexpectedInAdam(Adam):
    def step(self):
        for p in self.params:
            p.g.shape
        super().step()


@mistake("resnet_step", "state_lost")
def optimizer_made_anew(model, lr, momentum, steps, next_gradients):
    for _ in range(steps):
        next_gradients(model)
        SGD(model.parameters(), lr, momentum).step()


@mistake("resnet_step", "state_lost")
def momentum_forgotten(model, lr, momentum, steps, next_gradients):
    optimizer = SGD(model.parameters(), lr)
    for _ in range(steps):
        next_gradients(model)
        optimizer.step()


@mistake("resnet_step", "not_in_place")
def steps_of_a_copy(model, lr, momentum, steps, next_gradients):
    import copy

    copied = copy.deepcopy(model)
    optimizer = SGD(copied.parameters(), lr, momentum)
    for _ in range(steps):
        next_gradients(copied)
        optimizer.step()


@mistake("resnet_step", "stale")
def same_gradients_throughout(model, lr, momentum, steps, next_gradients):
    optimizer = SGD(model.parameters(), lr, momentum)
    next_gradients(model)
    for _ in range(steps):
        optimizer.step()


@mistake("resnet_step", "wrong_value")
def momentum_of_its_own(model, lr, momentum, steps, next_gradients):
    buffers = {}
    for _ in range(steps):
        next_gradients(model)
        for p in model.parameters():
            buffers[p] = momentum * buffers.get(p, 0) + p.g
            p.data -= lr * buffers[p]


@mistake("resnet_step", "wrong_value")
@torch.no_grad()
def momentum_of_its_own_decorated(model, lr, momentum, steps, next_gradients):
    momentum_of_its_own(model, lr, momentum, steps, next_gradients)


@mistake("resnet_step", "wrong_value")
def by_the_optimizer_of_torch(model, lr, momentum, steps, next_gradients):
    optimizer = torch.optim.SGD(model.parameters(), lr, momentum)
    for _ in range(steps):
        next_gradients(model)
        for p in model.parameters():
            p.grad = p.g
        optimizer.step()


@mistake("resnet_step", "wrong_value")
def momentum_of_its_own_behind_one_step(model, lr, momentum, steps, next_gradients):
    other = torch.zeros(1)
    other.g = torch.zeros(1)
    SGD([other], lr).step()
    momentum_of_its_own(model, lr, momentum, steps, next_gradients)


@mistake("resnet_step", "wrong_value")
def weights_only(model, lr, momentum, steps, next_gradients):
    optimizer = SGD([p for p in model.parameters() if p.dim() > 1], lr, momentum)
    for _ in range(steps):
        next_gradients(model)
        optimizer.step()


@mistake("resnet_step", "wrong_value")
def five_steps_always(model, lr, momentum, steps, next_gradients):
    optimizer = SGD(model.parameters(), lr, momentum)
    for _ in range(min(steps, 3)):
        next_gradients(model)
        optimizer.step()


@mistake("SGD", "wrong_value")
class DeletesTheGradients(SGD):
    def zero_grad(self):
        for p in self.params:
            del p.g


@mistake("SGD", "wrong_value")
class BufferOfTheGradientItself(SGD):
    def step(self):
        for i, p in enumerate(self.params):
            if p.g is None:
                continue
            d = p.g + self.weight_decay * p if self.weight_decay else p.g
            if self.momentum:
                b = self.buffers[i]
                b = d if b is None else self.momentum * b + (1 - self.dampening) * d
                self.buffers[i] = b
                d = d + self.momentum * b if self.nesterov else b
            p.data -= self.lr * d


@mistake("SGD", "wrong_value")
class TakesNoneForZeros(SGD):
    def step(self):
        missing = [p for p in self.params if p.g is None]
        for p in missing:
            p.g = torch.zeros_like(p)
        super().step()
        for p in missing:
            p.g = None


@mistake("SGD", "wrong_value")
class EndsAtAParameterWithoutGradient(SGD):
    def step(self):
        missing = [i for i, p in enumerate(self.params) if p.g is None]
        params, buffers = self.params, self.buffers
        if missing:
            self.params, self.buffers = params[: missing[0]], buffers[: missing[0]]
        super().step()
        self.params = params
        self.buffers = self.buffers + buffers[len(self.buffers) :]


@mistake("SGD", "wrong_value")
class ZeroesTheGradients(SGD):
    def zero_grad(self):
        for p in self.params:
            if p.g is not None:
                p.g.zero_()


@mistake("Adam", "wrong_value")
class AdamEndsAtAParameterWithoutGradient(Adam):
    def step(self):
        missing = [i for i, p in enumerate(self.params) if p.g is None]
        everything, self.params = self.params, self.params[: missing[0]] if missing else self.params
        super().step()
        self.params = everything


@mistake("SGD", "state_shared")
class BuffersByShape(SGD):
    def step(self):
        held = self.__dict__.setdefault("by_shape", {})
        everything = self.params
        for i, p in enumerate(everything):
            self.params, self.buffers = [p], [held.get(p.shape)]
            super().step()
            held[p.shape] = self.buffers[0]
        self.params = everything


@mistake("Adam", "wrong_value")
class AveragesByShape(Adam):
    def step(self):
        held = self.__dict__.setdefault("by_shape", {})
        for i, p in enumerate(self.params):
            self.means[i], self.squares[i] = held.get(p.shape, (self.means[i], self.squares[i]))
            gradients = [other.g for other in self.params]
            for other in self.params:
                other.g = other.g if other is p else None
            super().step()
            for other, g in zip(self.params, gradients):
                other.g = g
            held[p.shape] = self.means[i], self.squares[i]


@mistake("SGD", "learning_rate_ignored")
class RateMissing(SGD):
    def step(self):
        current, self.lr = self.lr, 1
        super().step()
        self.lr = current


@mistake("SGD", "learning_rate_ignored")
class RateWrittenIn(SGD):
    def step(self):
        current, self.lr = self.lr, 0.1
        super().step()
        self.lr = current


@mistake("Adam", "learning_rate_ignored")
class RateOfTheDefault(Adam):
    def step(self):
        current, self.lr = self.lr, 1e-3
        super().step()
        self.lr = current


@mistake("SGD", "wrong_value")
class OptionsInAnotherOrder(SGD):
    def __init__(self, params, lr, momentum=0, weight_decay=0, dampening=0, nesterov=False):
        super().__init__(params, lr, momentum, dampening, weight_decay, nesterov)


@mistake("SGD", "wrong_value")
class RateFallsByItself(SGD):
    def step(self):
        super().step()
        self.lr *= 0.9


@mistake("SGD", "wrong_value")
class RateAlongACosine(SGD):
    taken = 0

    def step(self):
        current = self.lr
        self.lr = current * (1 + math.cos(math.pi * self.taken / 5)) / 2
        super().step()
        self.lr, self.taken = current, self.taken + 1


@mistake("SGD", "weight_decay")
class DecaysByOneNumber(SGD):
    def step(self):
        decay, self.weight_decay = self.weight_decay, 0
        gradients = [p.g for p in self.params]
        for p in self.params:
            p.g = None if p.g is None else p.g + decay * (p**2).sum()
        super().step()
        for p, g in zip(self.params, gradients):
            p.g = g
        self.weight_decay = decay


@mistake("SGD", "wrong_value")
class AverageAndSigns(SGD):
    def step(self):
        for i, p in enumerate(self.params):
            if p.g is not None:
                g, old = p.g + self.weight_decay * p, self.buffers[i]
                if self.momentum:
                    self.buffers[i] = g if old is None else self.momentum * old + (1 - self.momentum) * g
                    g = self.buffers[i]
                p -= self.lr * g.sign()


@mistake("SGD", "scaled")
class TwoStepsForOne(SGD):
    def step(self):
        self.lr *= 2
        super().step()
        self.lr /= 2


@mistake("Adam", "wrong_value")
class SquareOfTheStepBefore(Adam):
    def step(self):
        beta1, beta2 = self.betas
        for i, p in enumerate(self.params):
            if p.g is not None:
                self.steps[i] += 1
                square = self.squares[i] / (1 - beta2 ** self.steps[i])
                self.means[i] = beta1 * self.means[i] + (1 - beta1) * p.g
                self.squares[i] = beta2 * self.squares[i] + (1 - beta2) * p.g**2
                p -= self.lr * self.means[i] / (1 - beta1 ** self.steps[i]) / (square.sqrt() + self.eps)


@mistake("Adam", "wrong_value")
class DecaysTheParameters(Adam):
    def step(self):
        for p in self.params:
            if p.g is not None:
                p -= self.lr * 0.01 * p
        super().step()


@mistake("Adam", "learning_rate_ignored")
class AnotherDefault(Adam):
    def __init__(self, params, lr=0.1, *options):
        super().__init__(params, lr, *options)


@mistake("Adam", "state_lost")
class AveragesAsLocalNames:
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        self.__dict__.update(vars(solution(params, lr, betas, eps)))

    def step(self):
        beta1, beta2 = self.betas
        for i, (p, mean, square) in enumerate(zip(self.params, self.means, self.squares)):
            if p.g is None:
                continue
            self.steps[i] += 1
            mean = beta1 * mean + (1 - beta1) * p.g
            square = beta2 * square + (1 - beta2) * p.g**2
            mean, square = mean / (1 - beta1 ** self.steps[i]), square / (1 - beta2 ** self.steps[i])
            p -= self.lr * mean / (square.sqrt() + self.eps)


@mistake("SGD", "weight_decay")
class NoDecayOfVectors(SGD):
    def step(self):
        decay, self.weight_decay = self.weight_decay, 0
        given = [p.g for p in self.params]
        for p in self.params:
            if p.g is not None and p.ndim > 1:
                p.g = p.g + decay * p
        super().step()
        self.weight_decay = decay
        for p, g in zip(self.params, given):
            p.g = g
