"""Another activation or loss than is asked for, a ReLU too many, and derivatives upside down: what each is told."""

from __future__ import annotations

import pytest

from tests.judge.answered import answered, assert_not_told, assert_told, whole

RELU = """
class ReluModule(Module):
    def forward(self, inp):
        return {value}

    def bwd(self, out, inp):
        inp.g = out.g * {slope}
"""
MSE = """
class MseModule(Module):
    def forward(self, inp, targ):
        d = inp[:, 0] - targ
        return {value}

    def bwd(self, out, inp, targ):
        n, d = len(targ), inp - targ[:, None]
        inp.g = {slope}
"""
MODEL = """
class Model:
    def __init__(self, w1, b1, w2, b2):
        lin, relu, last = LinModule(w1, b1), ReluModule(), LinModule(w2, b2)
        self.layers, self.loss = [{layers}], {loss}

    def __call__(self, x, targ):
        for layer in self.layers:
            x = layer(x)
        return self.loss(x, targ)

    def backward(self):
        for layer in [self.loss, *self.layers[::-1]]:
            layer.backward()
"""
HUBER = MSE.format(value="torch.nn.functional.huber_loss(inp[:, 0], targ)", slope="d.clamp(-1, 1) / n")
LAYER = """
class LinModule(Module):
    def __init__(self, w, b):
        self.w, self.b = w, b

    def forward(self, inp):
        return torch.relu(inp @ self.w + self.b)

    def bwd(self, out, inp):
        g = out.g * (out > 0)
        inp.g, self.w.g, self.b.g = g @ self.w.T, inp.T @ g, g.sum(0)
"""
ADDED_UP = """
class {name}(solution):
    total = 0

    def __call__(self, *args):
        self.total = self.total + super().__call__(*args)
        return self.total
"""


def relu(value: str, slope: str = "(inp > 0)") -> str:
    return RELU.format(value=value, slope=slope)


def mse(value: str, slope: str) -> str:
    return MSE.format(value=value, slope=slope)


def model(layers: str, loss: str = "MseModule()") -> str:
    return MODEL.format(layers=layers, loss=loss)


def grad(exercise: str, formula: str) -> str:
    return f"def {exercise}(inp, out):\n    inp.g = {formula}"


#: Exercise, source, check, what is said, and the code where it is not `wrong_value`.
WRONG: dict[str, tuple[str, ...]] = {
    "minimum": ("ReluModule", relu("torch.clamp(inp, max=0)"), "out", "the smaller one of the value and 0"),
    "absolute": (
        "ReluModule",
        relu("inp.abs()", "inp.sign()"),
        "out",
        "absolute values stand in the place of the ReLU",
    ),
    "absolute_back": ("ReluModule", relu("inp.abs()", "inp.sign()"), "inp.g", "absolute values stand"),
    "sign_back_alone": ("ReluModule", relu("torch.relu(inp)", "inp.sign()"), "inp.g", "the sign of its input is taken"),
    "elu": ("ReluModule", relu("torch.nn.functional.elu(inp)"), "out", "an ELU stands"),
    "softplus_that_overflows": ("ReluModule", relu("torch.log(1 + torch.exp(inp))"), "out", "a softplus"),
    "overflow_besides": ("ReluModule", relu("inp.exp().log1p()"), "out", "are NaN or infinite entries as well"),
    "mask": ("ReluModule", relu("(inp > 0).to(inp.dtype)"), "out", "or a mask given in the place of the values"),
    "huber": ("MseModule", HUBER, "out", "the loss is that of Huber"),
    "huber_back": ("MseModule", HUBER, "inp.g", "the loss is that of Huber"),
    "log_cosh": (
        "MseModule",
        mse("(d.abs() + torch.log1p(torch.exp(-2 * d.abs())) - 0.6931471805599453).mean()", "torch.tanh(d) / n"),
        "inp.g",
        "log(cosh(…))",
    ),
    "third_power": ("MseModule", mse("d.pow(3).mean()", "3 * d**2 / n"), "inp.g", "the third power"),
    "fourth_power": ("MseModule", mse("d.pow(4).mean()", "4 * d**3 / n"), "out", "the fourth power"),
    "not_squared": (
        "MseModule",
        mse("d.mean()", "torch.ones_like(d) / n"),
        "out",
        "the square is missing",
    ),
    "square_of_mean": (
        "MseModule",
        mse("d.mean() ** 2", "2 * d.mean().expand_as(d) / n"),
        "out",
        "mean of the differences",
    ),
    "squares_subtracted": (
        "MseModule",
        mse("(inp[:, 0] ** 2 - targ**2).mean()", "2 * inp / n"),
        "out",
        "two tensors are squared before",
    ),
    "relu_at_the_input": (
        "Model",
        model("ReluModule(), lin, relu, last"),
        "w1.g",
        "the input goes through a ReLU, too",
    ),
    "relu_before_the_first": ("Model", model("relu, lin, last"), "loss", "the ReLU stands before the first product"),
    "huber_in_a_network": (
        "Model",
        HUBER.replace("MseModule", "Huber") + model("lin, relu, last", "Huber()"),
        "x.g",
        "Huber",
    ),
    "relu_behind_a_layer": ("LinModule", LAYER, "w.g", "`layer.out.g` is cut where the output is negative"),
    "loss_added_up": (
        "MseModule",
        ADDED_UP.format(name="MseModule"),
        "out",
        "plus that of an earlier call",
        "accumulated",
    ),
    "difference_kept_of_the_first_call": (
        "Mse",
        """
        class Mse:
            def __call__(self, inp, targ):
                self.inp = inp
                self.d = getattr(self, "d", inp[:, 0] - targ)
                self.out = self.d.pow(2).mean()
                return self.out

            def backward(self):
                self.inp.g = 2 * self.d[:, None] / len(self.d)
        """,
        "inp.g",
        "that of another call",
        "stale",
    ),
    "sigmoid_upside_down": (
        "sigmoid_grad",
        grad("sigmoid_grad", "out.g / (out * (1 - out))"),
        "inp.g",
        "divided by the derivative",
    ),
    "tanh_upside_down": (
        "tanh_grad",
        grad("tanh_grad", "out.g * torch.cosh(inp) ** 2"),
        "inp.g",
        "divided by the derivative",
    ),
    "sigmoid_squared": (
        "sigmoid_grad",
        grad("sigmoid_grad", "out.g * (out * (1 - out)) ** 2"),
        "inp.g",
        "squared as a whole",
    ),
    "sigmoid_as_relu": ("sigmoid_grad", grad("sigmoid_grad", "out.g * (inp > 0)"), "inp.g", "that of the ReLU"),
    "sigmoid_as_silu": (
        "sigmoid_grad",
        grad("sigmoid_grad", "out.g * (out + inp * out * (1 - out))"),
        "inp.g",
        "that of x · σ(x)",
    ),
    "sigmoid_rest_that_overflows": (
        "sigmoid_grad",
        grad("sigmoid_grad", "out.g * torch.exp(-inp) / (1 + torch.exp(-inp))"),
        "inp.g",
        "the factor σ is missing",
    ),
    "tanh_doubled": ("tanh_grad", grad("tanh_grad", "out.g * (1 - out * 2)"), "inp.g", "2 · tanh stands"),
    "diagonal_of_the_softmax": (
        "cross_entropy_grad",
        "def cross_entropy_grad(logits, targ):\n    p = logits.softmax(1)\n    logits.g = p * (1 - p) / len(targ)",
        "logits.g",
        "p · (1 − p) is taken for the derivative",
    ),
    "tanh_cubed": ("tanh_grad", grad("tanh_grad", "out.g * (1 - out**3)"), "inp.g", "tanh³ stands"),
}
_CDF, _DENSITY = "0.5 * (1 + torch.erf(inp / math.sqrt(2)))", "torch.exp(-inp**2 / 2) / math.sqrt(2 * math.pi)"
#: The derivative of GELU as it is written, and what is said of it.
GELUS: dict[str, tuple[str, str]] = {
    "x_at_the_other_term": (f"(inp * {_CDF} + {_DENSITY})", "the factor x stands with Φ(x)"),
    "exponent_that_grows": (
        f"({_CDF} + inp * {_DENSITY.replace('-inp**2', '(-inp)**2')})",
        "the minus sign is missing",
    ),
    "times_the_root": (f"({_CDF.replace('/ math', '* math')} + inp * {_DENSITY})", "erf(x · √2)"),
    "other_side": (f"({_CDF.replace('1 + ', '1 - ')} + inp * {_DENSITY})", "1 − Φ(x) stands"),
    "x_squared": (f"({_CDF} + inp**2 * {_DENSITY})", "multiplied by x²"),
    "density_twice": (f"({_CDF} + 2 * inp * {_DENSITY})", "is taken twice"),
    "log_prob": (f"({_CDF} + inp * torch.distributions.Normal(0, 1).log_prob(inp))", "the logarithm of φ(x)"),
    "inner_derivative": (
        "torch.sigmoid(1.702 * inp) * (1 + inp * (1 - torch.sigmoid(1.702 * inp)))",
        "without the inner derivative",
    ),
}
#: Exercise, source, check, and what would be false of it.
OTHER: dict[str, tuple[str, str, str, str]] = {
    "smoother_loss_is_not_huber": (
        "MseModule",
        mse("torch.sqrt(1 + d**2).mean() - 1", "d / torch.sqrt(1 + d**2) / n"),
        "out",
        "Huber",
    ),
    "huber_of_another_limit": (
        "MseModule",
        mse("torch.nn.functional.huber_loss(inp[:, 0], targ, delta=0.5)", "d.clamp(-0.5, 0.5) / n"),
        "inp.g",
        "beyond a difference of 1",
    ),
    "relu_of_the_weights_is_none_of_the_input": (
        "LinModule",
        LAYER.replace("torch.relu(inp @ self.w + self.b)", "inp @ torch.relu(self.w) + self.b"),
        "out",
        "the input goes through a ReLU",
    ),
    "difference_of_calls_is_no_sum": (
        "MseModule",
        ADDED_UP.format(name="MseModule").replace("self.total + super", "self.total - super"),
        "out",
        "plus that of an earlier call",
    ),
    "square_of_the_upstream_is_no_quotient": (
        "sigmoid_grad",
        grad("sigmoid_grad", "out.g**2 / (out * (1 - out))"),
        "inp.g",
        "divided by the derivative",
    ),
    "quotient_of_half_is_no_reciprocal": (
        "tanh_grad",
        grad("tanh_grad", "0.5 * out.g * torch.cosh(inp) ** 2"),
        "inp.g",
        "divided by the derivative",
    ),
    "overflow_alone": (
        "sigmoid_grad",
        grad("sigmoid_grad", "out.g * torch.exp(-inp) / (1 + torch.exp(-inp)) ** 2"),
        "inp.g",
        "There are NaN or infinite entries as well",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_substitute_is_told_what_it_is(name: str) -> None:
    assert_told(*WRONG[name])


@pytest.mark.parametrize("name", GELUS)
def test_wrong_derivative_of_gelu_is_told_what_it_is(name: str) -> None:
    formula, said = GELUS[name]

    assert_told("gelu_grad", grad("gelu_grad", f"out.g * {formula}"), "inp.g", said)


@pytest.mark.parametrize("name", OTHER)
def test_neighbour_of_a_substitute_is_not_called_by_its_name(name: str) -> None:
    assert_not_told(*OTHER[name])


def test_gradient_of_a_layer_is_called_as_a_student_knows_it() -> None:
    found = answered("ReluModule", relu("torch.relu(inp)", "(inp > 0).float()").replace("out.g *", ""))["inp.g"]

    assert found.code == "upstream_ignored"
    assert "`layer.out.g`" in whole(found)
    assert "`upstream`" not in whole(found)


def test_answers_of_batch_and_row_that_differ_are_said_to_and_not_to_be_wrong() -> None:
    found = answered("predict", "def predict(params, x):\n    return solution(params, x - x.mean(0))")["classes"]

    assert "of 50 places the answers do not agree" in found.message
    assert "values are right" not in found.message


def test_memory_that_was_never_filled_is_told_where_nothing_else_explains_it() -> None:
    source = """
    def embedding_grad(index, out, weight):
        weight.g = torch.empty_like(weight).normal_()
        weight.g.index_add_(0, index.flatten(), out.g.flatten(0, 1))
    """
    assert "`empty_like` holds whatever was in memory" in answered("embedding_grad", source)["weight.g"].message
