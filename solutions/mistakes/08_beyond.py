"""Wrong answers to 08_beyond, each with the diagnosis that it must get."""
# ruff: noqa - written as students write, and run in the namespace of the solved notebook

import math

import torch

from grader.course.specimens import mistake


@mistake("sigmoid_grad", "wrong_value")
def not_times_the_output(inp, out):
    inp.g = out.g * (1 - out)


@mistake("sigmoid_grad", "upstream_ignored")
def no_upstream(inp, out):
    inp.g = out * (1 - out)


@mistake("sigmoid_grad", "non_finite")
def overflows(inp, out):
    inp.g = out.g * torch.exp(-inp) / (1 + torch.exp(-inp)) ** 2


@mistake("sigmoid_grad", "wrong_operand")
def of_the_input(inp, out):
    inp.g = out.g * inp * (1 - inp)


@mistake("sigmoid_grad", "wrong_value")
def upside_down(inp, out):
    inp.g = out.g / (out * (1 - out))


@mistake("sigmoid_grad", "wrong_value")
def one_factor_alone_that_overflows(inp, out):
    inp.g = out.g * torch.exp(-inp) / (1 + torch.exp(-inp))


@mistake("tanh_grad", "wrong_value")
def doubled_not_squared(inp, out):
    inp.g = out.g * (1 - out * 2)


@mistake("tanh_grad", "wrong_value")
def not_squared(inp, out):
    inp.g = out.g * (1 - out)


@mistake("tanh_grad", "wrong_value")
def as_the_sigmoid(inp, out):
    inp.g = out.g * out * (1 - out)


@mistake("gelu_grad", "wrong_value")
def by_the_tanh_formula(inp, out):
    c = math.sqrt(2 / math.pi)
    t = torch.tanh(c * (inp + 0.044715 * inp**3))
    inp.g = out.g * (0.5 * (1 + t) + 0.5 * inp * (1 - t**2) * c * (1 + 3 * 0.044715 * inp**2))


@mistake("gelu_grad", "wrong_value")
def distribution_alone(inp, out):
    inp.g = out.g * 0.5 * (1 + torch.erf(inp / math.sqrt(2)))


@mistake("gelu_grad", "wrong_value")
def exponent_without_its_minus(inp, out):
    density = torch.exp((-inp) ** 2 / 2) / math.sqrt(2 * math.pi)
    inp.g = out.g * (0.5 * (1 + torch.erf(inp / math.sqrt(2))) + inp * density)


@mistake("gelu_grad", "non_finite")
def divides_by_the_input(inp, out):
    density = torch.exp(-0.5 * inp**2) / math.sqrt(2 * math.pi)
    inp.g = out.g * (out / inp + inp * density) + 0 * torch.exp(inp * inp)


@mistake("gelu_grad", "non_finite")
def output_over_input(inp, out):
    density = torch.exp(-0.5 * inp**2) / math.sqrt(2 * math.pi)
    inp.g = out.g * (out / inp + inp * density)


@mistake("cross_entropy_grad", "missing_mean")
def no_mean(logits, targ):
    p = torch.softmax(logits, 1)
    p[torch.arange(len(targ)), targ] -= 1
    logits.g = p


@mistake("cross_entropy_grad", "wrong_value")
def stops_at_the_probabilities(logits, targ):
    rows = torch.arange(len(targ))
    logits.g = torch.zeros_like(logits)
    logits.g[rows, targ] = -1 / (torch.softmax(logits, 1)[rows, targ] + 1e-8) / len(targ)


@mistake("cross_entropy_grad", "non_finite")
def overflowing_softmax(logits, targ):
    p = torch.exp(logits) / torch.exp(logits).sum(1, keepdim=True)
    p[torch.arange(len(targ)), targ] -= 1
    logits.g = p / len(targ)


@mistake("cross_entropy_grad", "wrong_value")
def one_not_subtracted(logits, targ):
    logits.g = torch.softmax(logits, 1) / len(targ)


@mistake("cross_entropy_grad", "wrong_value")
def softmax_over_the_rows(logits, targ):
    p = torch.softmax(logits, 0)
    p[torch.arange(len(targ)), targ] -= 1
    logits.g = p / len(targ)


@mistake("cross_entropy_grad", "input_modified")
def in_the_logits(logits, targ):
    logits -= logits.max(1, keepdim=True).values
    p = torch.softmax(logits, 1)
    p[torch.arange(len(targ)), targ] -= 1
    logits.g = p / len(targ)


def _layernorm(inp, out, gamma, beta, eps, *, unbiased=False, axis=-1):
    mean, var = inp.mean(axis, keepdim=True), inp.var(axis, keepdim=True, unbiased=unbiased)
    std = (var + eps).sqrt()
    x = (inp - mean) / std
    g = out.g * gamma
    inp.g = (g - g.mean(axis, keepdim=True) - x * (g * x).mean(axis, keepdim=True)) / std
    rows = tuple(range(inp.dim() - 1))
    gamma.g, beta.g = (out.g * x).sum(rows), out.g.sum(rows)
    return x, std


@mistake("layernorm_grad", "wrong_value")
def unbiased_variance(inp, out, gamma, beta, eps):
    _layernorm(inp, out, gamma, beta, eps, unbiased=True)


@mistake("layernorm_grad", "wrong_value")
def constant_statistics(inp, out, gamma, beta, eps):
    _, std = _layernorm(inp, out, gamma, beta, eps)
    inp.g = out.g * gamma / std


@mistake("layernorm_grad", "wrong_value")
def eps_forgotten(inp, out, gamma, beta, eps):
    _layernorm(inp, out, gamma, beta, 0.0)


@mistake("layernorm_grad", "wrong_value")
def gamma_forgotten(inp, out, gamma, beta, eps):
    ones = torch.ones_like(gamma)
    _layernorm(inp, out, ones, beta, eps)
    gamma.g = ones.g


@mistake("layernorm_grad", "not_summed_over_batch")
def first_axis_only(inp, out, gamma, beta, eps):
    x, _ = _layernorm(inp, out, gamma, beta, eps)
    gamma.g, beta.g = (out.g * x).sum(0), out.g.sum(0)


@mistake("layernorm_grad", "not_summed_over_batch")
def beta_not_summed(inp, out, gamma, beta, eps):
    _layernorm(inp, out, gamma, beta, eps)
    beta.g = out.g


@mistake("batchnorm_grad", "wrong_value")
def unbiased_batch_variance(inp, out, gamma, beta, eps):
    mean, var = inp.mean(0), inp.var(0)
    std = (var + eps).sqrt()
    x = (inp - mean) / std
    g = out.g * gamma
    inp.g = (g - g.mean(0) - x * (g * x).mean(0)) / std
    gamma.g, beta.g = (out.g * x).sum(0), out.g.sum(0)


@mistake("batchnorm_grad", "wrong_value")
def evaluation_mode(inp, out, gamma, beta, eps):
    std = (inp.var(0, unbiased=False) + eps).sqrt()
    inp.g = out.g * gamma / std
    gamma.g, beta.g = (out.g * (inp - inp.mean(0)) / std).sum(0), out.g.sum(0)


@mistake("batchnorm_grad", "wrong_value")
def over_the_features(inp, out, gamma, beta, eps):
    _layernorm(inp, out, gamma, beta, eps)


@mistake("batchnorm_grad", "averaged_instead_of_summed")
def gamma_and_beta_averaged(inp, out, gamma, beta, eps):
    solution(inp, out, gamma, beta, eps)
    gamma.g, beta.g = gamma.g / len(inp), beta.g / len(inp)


@mistake("embedding_grad", "overwritten")
def last_one_wins(index, out, weight):
    weight.g = torch.zeros_like(weight)
    weight.g[index] = out.g


@mistake("embedding_grad", "overwritten")
def plus_equals(index, out, weight):
    weight.g = torch.zeros_like(weight)
    weight.g[index] += out.g


@mistake("embedding_grad", "accumulated")
def into_what_was_there(index, out, weight):
    weight.g.index_put_((index,), out.g, accumulate=True)


@mistake("embedding_grad", "averaged_instead_of_summed")
def averaged_over_repeats(index, out, weight):
    solution(index, out, weight)
    weight.g = weight.g / torch.bincount(index.flatten(), minlength=len(weight)).clamp(min=1)[:, None]


@mistake("embedding_grad", "raised")
def as_many_rows_as_indices(index, out, weight):
    weight.g = torch.zeros(index.max(), weight.shape[1], dtype=weight.dtype)
    weight.g.index_add_(0, index.flatten(), out.g.flatten(0, 1))


@mistake("conv2d_grad", "wrong_value")
def kernel_not_flipped(inp, out, w, b):
    solution(inp, out, w, b)
    k, l = w.shape[2:]
    padded = torch.nn.functional.pad(out.g, (l - 1, l - 1, k - 1, k - 1))
    inp.g = torch.nn.functional.conv2d(padded, w.transpose(0, 1))


@mistake("conv2d_grad", "wrong_value")
def square_kernels_only(inp, out, w, b):
    solution(inp, out, w, b)
    k = w.shape[2]
    h, v = out.shape[2:]
    w.g = torch.zeros_like(w)
    for i in range(k):
        for j in range(min(k, w.shape[3])):
            w.g[:, :, i, j] = torch.einsum("noyx,ncyx->oc", out.g, inp[:, :, i : i + h, j : j + v])


@mistake("conv2d_grad", "not_summed_over_batch")
def bias_keeps_positions(inp, out, w, b):
    solution(inp, out, w, b)
    b.g = out.g.sum(0).sum(-1)


@mistake("conv2d_grad", "last_sample_only")
def samples_overwrite(inp, out, w, b):
    solution(inp, out, w, b)
    last = inp[-1:].clone()
    last_out = out[-1:].clone()
    last_out.g = out.g[-1:]
    solution(last, last_out, w, b)


@mistake("attention_grad", "scaled")
def scale_forgotten(q, k, v, out):
    root = math.sqrt(q.shape[-1])
    solution(q, k, v, out)
    q.g, k.g = q.g * root, k.g * root


@mistake("attention_grad", "wrong_value")
def softmax_taken_for_diagonal(q, k, v, out):
    root = math.sqrt(q.shape[-1])
    p = torch.softmax(q @ k.transpose(1, 2) / root, -1)
    s = p * (1 - p) * (out.g @ v.transpose(1, 2)) / root
    v.g, q.g, k.g = p.transpose(1, 2) @ out.g, s @ k, s.transpose(1, 2) @ q


@mistake("attention_grad", "wrong_value")
def softmax_over_the_queries(q, k, v, out):
    root = math.sqrt(q.shape[-1])
    p = torch.softmax(q @ k.transpose(1, 2) / root, -2)
    d = out.g @ v.transpose(1, 2)
    s = p * (d - (p * d).sum(-2, keepdim=True)) / root
    v.g, q.g, k.g = p.transpose(1, 2) @ out.g, s @ k, s.transpose(1, 2) @ q


@mistake("attention_grad", "wrong_value")
def scores_not_scaled(q, k, v, out):
    p = torch.softmax(q @ k.transpose(1, 2), -1)
    d = out.g @ v.transpose(1, 2)
    s = p * (d - (p * d).sum(-1, keepdim=True))
    v.g, q.g, k.g = p.transpose(1, 2) @ out.g, s @ k, s.transpose(1, 2) @ q


@mistake("attention_grad", "wrong_value")
def keys_not_transposed(q, k, v, out):
    solution(q, k, v, out)
    root = math.sqrt(q.shape[-1])
    p = torch.softmax(q @ k.transpose(1, 2) / root, -1)
    d = out.g @ v.transpose(1, 2)
    k.g = p * (d - (p * d).sum(-1, keepdim=True)) @ q / root


@mistake("Value", "overwritten")
class Overwrites(Value):
    def backward(self):
        super().backward()
        self._overwrite(1.0)

    def _overwrite(self, arrived):
        self.grad = arrived
        for parent, local in self.parents:
            Overwrites._overwrite(parent, arrived * local)


class _Engine:
    """A small engine whose ``backward`` visits nodes as they come."""

    def __init__(self, data, parents=()):
        self.data, self.grad, self.parents = data, 0.0, parents

    @classmethod
    def lift(cls, other):
        return other if isinstance(other, _Engine) else cls(other)

    def __add__(self, other):
        other = self.lift(other)
        return type(self)(self.data + other.data, ((self, 1.0), (other, 1.0)))

    def __mul__(self, other):
        other = self.lift(other)
        return type(self)(self.data * other.data, ((self, other.data), (other, self.data)))

    def __pow__(self, n):
        if isinstance(n, _Engine):
            r = self.data**n.data
            return type(self)(r, ((self, n.data * self.data ** (n.data - 1)), (n, r * math.log(self.data))))
        return type(self)(self.data**n, ((self, n * self.data ** (n - 1)),))

    def __rpow__(self, base):
        return self.lift(base) ** self

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + -self.lift(other)

    def __rsub__(self, other):
        return self.lift(other) - self

    def __truediv__(self, other):
        return self * self.lift(other) ** -1

    def __rtruediv__(self, other):
        return self.lift(other) / self

    __radd__, __rmul__ = __add__, __mul__

    def relu(self):
        return type(self)(max(self.data, 0.0), ((self, float(self.data > 0)),))

    def tanh(self):
        t = math.tanh(self.data)
        return type(self)(t, ((self, 1 - t * t),))

    def exp(self):
        e = math.exp(self.data)
        return type(self)(e, ((self, e),))

    def order(self):
        found, seen = [], set()

        def visit(node):
            if id(node) not in seen:
                seen.add(id(node))
                for parent, _ in node.parents:
                    visit(parent)
                found.append(node)

        visit(self)
        return found[::-1]

    def backward(self):
        self.grad = 1.0
        for node in self.order():
            for parent, local in node.parents:
                self.pass_on(node, parent, local)

    def pass_on(self, node, parent, local):
        parent.grad += local * node.grad


@mistake("Value", "wrong_value")
class VisitsInBreadthFirstOrder(_Engine):
    def order(self):
        found = [self]
        for node in found:
            found += [parent for parent, _ in node.parents if parent not in found]
        return found


@mistake("Value", "wrong_value")
class VisitsEveryPath(_Engine):
    def order(self):
        found = [self]
        for node in found:
            found += [parent for parent, _ in node.parents]
        return found


@mistake("Value", "raised")
class NoNumbersOnTheLeft(_Engine):
    __radd__ = __rmul__ = __rsub__ = __rtruediv__ = __rpow__ = None


@mistake("Value", "raised")
class NumbersAloneAsExponents(_Engine):
    def __pow__(self, n):
        assert isinstance(n, (int, float))
        return type(self)(self.data**n, ((self, n * self.data ** (n - 1)),))

    def __truediv__(self, other):
        return self * self.lift(other) ** -1

    def __rpow__(self, base):
        return type(self)(base**self.data, ((self, base**self.data * math.log(base)),))


@mistake("Value", "wrong_value")
class ExponentsTakenForNumbers(_Engine):
    def __pow__(self, n):
        n = n.data if isinstance(n, _Engine) else n
        return type(self)(self.data**n, ((self, n * self.data ** (n - 1)),))

    def __rpow__(self, base):
        return type(self)(base**self.data, ((self, base**self.data * math.log(base)),))


@mistake("Value", "wrong_value")
class BasesTakenForNumbers(_Engine):
    def __pow__(self, n):
        return (n * math.log(self.data)).exp() if isinstance(n, _Engine) else super().__pow__(n)


@mistake("Value", "raised")
class LogarithmOfEachBase(_Engine):
    def __pow__(self, n):
        slope = math.log(self.data)  # for the exponent, be it a node or not
        return super().__pow__(n) if slope else super().__pow__(n)


@mistake("Value", "mask_at_zero")
class LetsZeroThrough(_Engine):
    def relu(self):
        return type(self)(max(self.data, 0.0), ((self, float(self.data >= 0)),))


@mistake("Value", "wrong_value")
class SubtractsTheWrongWay(_Engine):
    def __rsub__(self, other):
        return self - other


@mistake("Value", "wrong_value")
class TanhNotSquared(_Engine):
    def tanh(self):
        t = math.tanh(self.data)
        return type(self)(t, ((self, 1 - t),))


@mistake("Value", "zeros")
class SeedOfZero(_Engine):
    def backward(self):
        for node in self.order():
            for parent, local in node.parents:
                parent.grad += local * node.grad


@mistake("Value", "wrong_value")
class NodesOfAllGraphs(_Engine):
    made = []

    def __init__(self, data, parents=()):
        super().__init__(data, parents)
        NodesOfAllGraphs.made.append(self)

    def backward(self):
        nodes, NodesOfAllGraphs.made[:] = list(self.made), []
        nodes[-1].grad = 1.0
        for node in nodes[::-1]:
            for parent, local in node.parents:
                parent.grad += local * node.grad


class _Marked(_Engine):
    """An engine that does something else at the nodes of the function called ``WHERE``."""

    WHERE = ""
    odd = False

    def _marked(self, name):
        node = getattr(_Engine, name)(self)
        node.odd = name == self.WHERE
        return node

    def relu(self):
        return self._marked("relu")

    def tanh(self):
        return self._marked("tanh")

    def exp(self):
        return self._marked("exp")


class _Unweighted(_Marked):
    def pass_on(self, node, parent, local):
        parent.grad += local * (1.0 if node.odd else node.grad)


class _Overwriting(_Marked):
    def pass_on(self, node, parent, local):
        parent.grad = local * node.grad + (0.0 if node.odd else parent.grad)


@mistake("Value", "wrong_value")
class ForgetsWhatArrivesAtRelu(_Unweighted):
    WHERE = "relu"


@mistake("Value", "wrong_value")
class ForgetsWhatArrivesAtTanh(_Unweighted):
    WHERE = "tanh"


@mistake("Value", "wrong_value")
class ForgetsWhatArrivesAtExp(_Unweighted):
    WHERE = "exp"


@mistake("Value", "overwritten")
class OverwritesBelowTanh(_Overwriting):
    WHERE = "tanh"


@mistake("Value", "overwritten")
class OverwritesBelowExp(_Overwriting):
    WHERE = "exp"


@mistake("Value", "wrong_value")
class TakesOneFromThePower(_Engine):
    def __pow__(self, n):
        if isinstance(n, _Engine):
            return super().__pow__(n)
        return type(self)(self.data**n, ((self, n * self.data**n - 1),))


@mistake("Value", "overwritten")
class ClearsBeforeEachBackward(_Engine):
    def backward(self):
        for node in self.order():
            node.grad = 0.0
        super().backward()


@mistake("Value", "zeros")
class ClearsNodesInside(_Engine):
    def backward(self):
        super().backward()
        for node in self.order():
            node.grad = 0.0 if node.parents else node.grad


@mistake("Value", "zeros")
class GivesTheResultNone(_Engine):
    def backward(self):
        super().backward()
        self.grad = 0.0
