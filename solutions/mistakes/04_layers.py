"""Wrong answers to 04_layers, each with the diagnosis that it must get."""
# ruff: noqa - written as students write, and run in the namespace of the solved notebook

import torch
from torch import nn

from grader.course.specimens import mistake


@mistake("Relu", "state_shared")
class RememberedByTheClass:
    def __call__(self, inp):
        RememberedByTheClass.inp = inp
        self.out = torch.relu(inp)
        return self.out

    def backward(self):
        self.inp.g = self.out.g * (self.inp > 0)


@mistake("Relu", "stale")
class RememberedOnce:
    def __call__(self, inp):
        if not hasattr(self, "inp"):
            self.inp = inp
        self.out = torch.relu(inp)
        return self.out

    def backward(self):
        self.inp.g = self.out.g * (self.inp > 0)


@mistake("Relu", "mask_at_zero")
class LetsZeroThrough(Relu):
    def backward(self):
        self.inp.g = self.out.g * (self.inp >= 0)


@mistake("Relu", "input_modified")
class ClampsInPlace:
    def __call__(self, inp):
        self.inp = inp
        self.out = inp.clamp_min_(0.0).clone()
        return self.out

    def backward(self):
        self.inp.g = self.out.g * (self.out > 0)


@mistake("Relu", "not_written")
class ReturnsNothing(Relu):
    def __call__(self, inp):
        super().__call__(inp)


@mistake("Relu", "raised")
class ReturnsAnotherTensor(Relu):
    def __call__(self, inp):
        super().__call__(inp)
        return torch.relu(inp)


@mistake("Lin", "transposed")
class WeightsTransposed(Lin):
    def backward(self):
        super().backward()
        self.w.g = self.out.g.T @ self.inp


@mistake("Lin", "state_shared")
class WeightsOfTheClass:
    def __init__(self, w, b):
        WeightsOfTheClass.w, WeightsOfTheClass.b = w, b

    def __call__(self, inp):
        self.inp = inp
        self.out = inp @ self.w + self.b
        return self.out

    def backward(self):
        self.inp.g = self.out.g @ self.w.T
        self.w.g = self.inp.T @ self.out.g
        self.b.g = self.out.g.sum(0)


@mistake("Lin", "not_written")
class GradientsOfItsOwn(Lin):
    def backward(self):
        self.inp.g = self.out.g @ self.w.T
        self.w_g = self.inp.T @ self.out.g
        self.b_g = self.out.g.sum(0)


@mistake("Lin", "wrong_value")
class BiasForgotten(Lin):
    def __call__(self, inp):
        self.inp = inp
        self.out = inp @ self.w
        return self.out


@mistake("Lin", "accumulated")
class AddsFromTheSecondTimeOn(Lin):
    done = False

    def backward(self):
        self.inp.g = self.out.g @ self.w.T
        w_g, b_g = self.inp.T @ self.out.g, self.out.g.sum(0)
        if self.done:
            self.w.g += w_g
            self.b.g += b_g
        else:
            self.w.g, self.b.g, self.done = w_g, b_g, True


@mistake("LinModule", "accumulated")
class SumsOfItsOwn(LinModule):
    def __init__(self, w, b):
        super().__init__(w, b)
        self.w_sum, self.b_sum = torch.zeros_like(w), torch.zeros_like(b)

    def bwd(self, out, inp):
        inp.g = out.g @ self.w.T
        self.w_sum += inp.T @ out.g
        self.b_sum += out.g.sum(0)
        self.w.g, self.b.g = self.w_sum, self.b_sum


@mistake("LinModule", "raised")
class NoModule(Lin):
    pass


@mistake("ReluModule", "raised")
class FormulasOfALayer(Relu, Module):
    pass


@mistake("MseModule", "raised")
class NoModuleMse(Mse):
    pass


@mistake("Model", "accumulated")
class SumOfAllSteps(Model):
    total = 0

    def backward(self):
        super().backward()
        self.total += self.layers[0].w.g
        self.layers[0].w.g = self.total


@mistake("Mse", "missing_mean")
class NoMean(Mse):
    def backward(self):
        self.inp.g = 2 * (self.inp - self.targ[:, None])


@mistake("Mse", "broadcast_to_square")
class BroadcastLoss(Mse):
    def __call__(self, inp, targ):
        super().__call__(inp, targ)
        self.out = (inp - targ).pow(2).mean()
        return self.out


@mistake("Mse", "state_shared")
class InputsOfTheClass:
    def __call__(self, inp, targ):
        InputsOfTheClass.inp, InputsOfTheClass.targ = inp, targ
        self.out = (inp[:, 0] - targ).pow(2).mean()
        return self.out

    def backward(self):
        self.inp.g = 2 * (self.inp - self.targ[:, None]) / len(self.targ)


@mistake("Mse", "state_shared")
class TargetsOfTheClass(Mse):
    def __call__(self, inp, targ):
        TargetsOfTheClass.last = targ
        self.given = inp
        return super().__call__(inp, targ)

    def backward(self):
        self.given.g = 2 * (self.given - self.last[:, None]) / len(self.last)


@mistake("Mse", "not_a_tensor")
class PlainNumber(Mse):
    def __call__(self, inp, targ):
        return super().__call__(inp, targ).item()


@mistake("Model", "not_written")
class StopsAtTheLastLayer(Model):
    def backward(self):
        self.loss.backward()
        self.layers[-1].backward()


@mistake("Model", "state_shared")
class TargetsOfTheClassModel(Model):
    def __call__(self, x, targ):
        TargetsOfTheClassModel.last = targ
        loss = super().__call__(x, targ)
        self.loss = TargetsOfTheClass()
        self.loss.given = self.layers[-1].out
        return loss

    def backward(self):
        self.loss.last = TargetsOfTheClassModel.last
        self.loss.backward()
        for layer in reversed(self.layers):
            layer.backward()


@mistake("Model", "raised")
class LayersOfTheClass:
    layers = []

    def __init__(self, w1, b1, w2, b2):
        self.layers[:] = [Lin(w1, b1), Relu(), Lin(w2, b2)]
        self.loss = Mse()

    def __call__(self, x, targ):
        for layer in self.layers:
            x = layer(x)
        return self.loss(x, targ)

    def backward(self):
        self.loss.backward()
        for layer in reversed(self.layers):
            layer.backward()


@mistake("Model", "mask_missing")
class NoRelu(Model):
    def backward(self):
        self.loss.backward()
        self.layers[2].backward()
        self.layers[0].out.g = self.layers[1].out.g
        self.layers[0].backward()


@mistake("Model", "wrong_value")
class ReluAtTheInput(Model):
    def __init__(self, w1, b1, w2, b2):
        super().__init__(w1, b1, w2, b2)
        self.layers.insert(0, Relu())


class _Huber(Mse):
    def __call__(self, inp, targ):
        super().__call__(inp, targ)
        return torch.nn.functional.smooth_l1_loss(inp[:, 0], targ)

    def backward(self):
        self.inp.g = (self.inp - self.targ[:, None]).clamp(-1, 1) / len(self.targ)


@mistake("Model", "wrong_value")
class HuberForSquares(Model):
    def __init__(self, w1, b1, w2, b2):
        super().__init__(w1, b1, w2, b2)
        self.loss = _Huber()


@mistake("Lin", "accumulated")
class ZeroesWhatItAddsToWhenMade(Lin):
    def __init__(self, w, b):
        super().__init__(w, b)
        w.g, b.g = torch.zeros_like(w), torch.zeros_like(b)

    def backward(self):
        before = self.w.g, self.b.g
        super().backward()
        self.w.g, self.b.g = before[0] + self.w.g, before[1] + self.b.g


@mistake("Model", "accumulated")
class LossesAddedUp(Model):
    total = 0

    def __call__(self, x, targ):
        self.total = self.total + super().__call__(x, targ)
        return self.total


@mistake("Module", "not_written")
class ForgetsToReturn(Module):
    def __call__(self, *args):
        super().__call__(*args)


@mistake("Module", "state_shared")
class ArgumentsOfTheClass(Module):
    def __call__(self, *args):
        ArgumentsOfTheClass.shared = args
        return super().__call__(*args)

    def backward(self):
        self.bwd(self.out, *ArgumentsOfTheClass.shared)


@mistake("Module", "state_shared")
class SecondArgumentOfTheClass(Module):
    def __call__(self, *args):
        SecondArgumentOfTheClass.rest = args[1:]
        return super().__call__(*args)

    def backward(self):
        self.bwd(self.out, self.args[0], *self.rest)


@mistake("Module", "raised")
class ReturnsAnotherOutput(Module):
    def __call__(self, *args):
        super().__call__(*args)
        return self.forward(*args)


@mistake("Module", "not_raised")
class PassesSilently(Module):
    def forward(self, *args):
        pass

    def bwd(self, out, *args):
        pass


@mistake("Module", "raised")
class OneArgumentOnly(Module):
    def backward(self):
        self.bwd(self.out, self.args[0])


@mistake("ReluModule", "mask_at_zero")
class LetsZeroThroughModule(ReluModule):
    def bwd(self, out, inp):
        inp.g = out.g * (inp >= 0)


@mistake("ReluModule", "raised")
class CallWithoutSelf(ReluModule):
    def __call__(inp):
        return torch.relu(inp)


@mistake("ReluModule", "wrong_value")
class MinimumForMaximum(ReluModule):
    def forward(self, inp):
        return torch.clamp(inp, max=0)


@mistake("ReluModule", "mask_missing")
class NoMaskModule(ReluModule):
    def bwd(self, out, inp):
        inp.g = out.g.clone()


@mistake("LinModule", "transposed")
class WeightsTransposedModule(LinModule):
    def bwd(self, out, inp):
        super().bwd(out, inp)
        self.w.g = out.g.T @ inp


@mistake("LinModule", "unit_axis")
class BiasKeepsTheRowsAxisModule(LinModule):
    def bwd(self, out, inp):
        super().bwd(out, inp)
        self.b.g = out.g.sum(0, keepdim=True)


@mistake("LinModule", "state_shared")
class WeightsOfTheClassModule(LinModule):
    def __init__(self, w, b):
        WeightsOfTheClassModule.w, WeightsOfTheClassModule.b = w, b


@mistake("MseModule", "missing_factor_two")
class NoTwoModule(MseModule):
    def bwd(self, out, inp, targ):
        inp.g = (inp - targ[:, None]) / len(inp)


@mistake("MseModule", "wrong_value")
class SquareOfTheMean(MseModule):
    def forward(self, inp, targ):
        return (inp[:, 0] - targ).mean() ** 2


@mistake("Mse", "stale")
class DifferenceOfTheFirstCall(Mse):
    def __call__(self, inp, targ):
        if not hasattr(self, "difference"):
            self.difference = inp[:, 0] - targ
        self.inp = inp
        self.out = self.difference.pow(2).mean()
        return self.out

    def backward(self):
        self.inp.g = 2 * self.difference[:, None] / len(self.difference)


@mistake("MseModule", "broadcast_to_square")
class BroadcastModule(MseModule):
    def bwd(self, out, inp, targ):
        inp.g = 2 * (inp - targ) / len(inp)


@mistake("Linear", "not_registered")
class PlainTensors(nn.Module):
    def __init__(self, n_in, n_out):
        super().__init__()
        self.w = torch.zeros(n_in, n_out, requires_grad=True)
        self.b = torch.zeros(n_out, requires_grad=True)

    def forward(self, x):
        return x @ self.w + self.b


@mistake("Linear", "wrong_value")
class StartsAtRandom(Linear):
    def __init__(self, n_in, n_out):
        super().__init__(n_in, n_out)
        self.w.data.normal_()


@mistake("Linear", "transposed")
class WeightsLieAsInTorch(nn.Module):
    def __init__(self, n_in, n_out):
        super().__init__()
        self.w = nn.Parameter(torch.zeros(n_out, n_in))
        self.b = nn.Parameter(torch.zeros(n_out))

    def forward(self, x):
        return x @ self.w.T + self.b


@mistake("Linear", "not_written")
class CutOffFromAutograd(Linear):
    def forward(self, x):
        return x @ self.w.detach() + self.b


@mistake("Linear", "not_written")
class CutsOffItsInput(Linear):
    def forward(self, x):
        return super().forward(x.detach())


@mistake("Linear", "state_shared")
class ParametersOfTheClass(nn.Module):
    made = {}

    def __init__(self, n_in, n_out):
        super().__init__()
        shapes = (n_in, n_out)
        if shapes not in self.made:
            self.made[shapes] = nn.Parameter(torch.zeros(n_in, n_out)), nn.Parameter(torch.zeros(n_out))
        self.w, self.b = self.made[shapes]
        self.w.data, self.b.data = torch.zeros(n_in, n_out), torch.zeros(n_out)
        self.w.grad = self.b.grad = None

    def forward(self, x):
        return x @ self.w + self.b
