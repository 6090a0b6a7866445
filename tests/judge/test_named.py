"""Mistakes that were recognised late: the name of each, and neighbours that must not get it."""

from __future__ import annotations

import pytest

from tests.judge.answered import answered, assert_not_told, assert_told, assert_unsaid, whole
from tests.judge.test_told import LOSS, OWN_GRADIENTS

STEP = "loss, g1, g2 = torch_grads({rows}, w1, w2); {step}"
PLAIN = "w1 -= learning_rate * {}; w2 -= learning_rate * {}"
SCALED = PLAIN.format("g1 / (s1.sqrt() + 1e-8)", "g2 / (s2.sqrt() + 1e-8)")
LOOP = """
def train_by_hand(x, y, w1, w2, learning_rate, steps):
    losses, s1, s2 = [], 0, 0
    for t in range(steps):
        {}
        losses.append(loss)
    return losses
"""
BY_ROWS = """
def train_by_hand(x, y, w1, w2, learning_rate, steps):
    losses = []
    for t in range(steps):
        total = 0
        for i in range(0, len(x), {size}):
            loss, g1, g2 = torch_grads(x[i : i + {size}], y[i : i + {size}], w1, w2)
            w1 -= learning_rate * g1
            w2 -= learning_rate * g2
            total += loss
        losses.append({kept})
    return losses
"""
ADAM = """
class Adam:
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        self.params, self.lr, self.betas, self.eps, self.t = list(params), lr, betas, eps, 0
        self.m = [torch.zeros_like(p) for p in self.params]
        self.v = [torch.zeros_like(p) for p in self.params]

    def step(self):
        self.t += 1
        b1, b2 = self.betas
        for i, p in enumerate(self.params):
            if p.g is None:
                continue
            g = {g}
            self.m[i] = b1 * self.m[i] + (1 - b1) * g
            self.v[i] = {v}
            m = {m}
            v = {corrected}
            p -= self.lr * {update}
"""
ADAM_PARTS = {
    "g": "p.g",
    "v": "b2 * self.v[i] + (1 - b2) * g**2",
    "m": "self.m[i] / (1 - b1**self.t)",
    "corrected": "self.v[i] / (1 - b2**self.t)",
    "update": "m / (v.sqrt() + self.eps)",
}
SGD = """
class SGD(solution):
    def step(self):
        before = [p.clone() for p in self.params]
        {}
"""
LINEAR = "def lin_grad(inp, out, w, b):\n    solution(inp, out, w, b)\n    w.g = {}"
SUMS = """
def sum_to_shape(grad, shape):
    while grad.dim() > len(shape):
        grad = {}
    for axis, size in enumerate(shape):
        if size == 1:
            grad = {}
    return grad
"""
ENTROPY = """
def cross_entropy_grad(logits, targ):
    n = len(targ)
    p = torch.softmax(logits, 1)
    y = torch.nn.functional.one_hot(targ, p.shape[1]).to(p.dtype)
    logits.g = {} / n
"""
NORM = """
def batchnorm_grad(inp, out, gamma, beta, eps):
    solution(inp, out, gamma, beta, eps)
    n, c = len(inp), inp - inp.mean(0)
    s = (c.pow(2).mean(0) + eps).sqrt()
    x, g = c / s, out.g * gamma
    {}
"""


def adam(**changed: str) -> str:
    return ADAM.format(**{**ADAM_PARTS, **changed})


def loop(step: str, rows: str = "x, y") -> str:
    return LOOP.format(STEP.format(rows=rows, step=step))


#: The exercise, an answer, its check, and words of the name that its mistake has; the code is that of wrong values.
NAMED: dict[str, tuple[str, str, str, str]] = {
    "product": (
        "outer_difference",
        "def outer_difference(a, b):\n    return torch.outer(a, b)",
        "result",
        "multiplied",
    ),
    "quotient": ("residual", "def residual(out, targ):\n    return out[:, 0] / targ", "result", "divided by the other"),
    "first": ("sum_to_shape", SUMS.format("grad[0]", "grad.narrow(axis, 0, 1)"), "result", "the first entry"),
    "largest_in_front": (
        "sum_to_shape",
        SUMS.format("grad.amax(0)", "grad.sum(axis, keepdim=True)"),
        "result",
        "the largest entry",
    ),
    "total": (
        "sum_to_shape",
        "def sum_to_shape(grad, shape):\n    return grad.sum().expand(shape)",
        "result",
        "in every place",
    ),
    "clamped": ("lin_grad", LINEAR.format("w.g.clamp(-2, 2)"), "w.g", "larger than 2 or smaller than -2"),
    "clamped_below": ("lin_grad", LINEAR.format("w.g.clamp(min=-1)"), "w.g", "no entry is smaller than -1"),
    "three_decimals": (
        "residual",
        "def residual(out, targ):\n    return (out[:, 0] - targ).round(decimals=3)",
        "result",
        "3 decimals",
    ),
    "signs": ("lin_grad", LINEAR.format("w.g.sign()"), "w.g", "only the signs"),
    "normalised": ("lin_grad", LINEAR.format("w.g / w.g.norm()"), "w.g", "divided by its own length"),
    "rounded": ("lin_grad", LINEAR.format("w.g.round(decimals=2)"), "w.g", "rounded to 2 decimals"),
    "decayed": ("lin_grad", LINEAR.format("w.g + 0.02 * w"), "w.g", "plus 0.02 · `w`"),
    "upstream_squared": ("lin_grad", LINEAR.format("inp.T @ out.g**2"), "w.g", "`out.g` is squared"),
    "upstream_summed": (
        "polynomial_vjp",
        "def polynomial_vjp(a, b, upstream):\n    return solution(a, b, upstream.sum() + 0 * upstream)",
        "result[1]",
        "the sum of all entries of `upstream`",
    ),
    "behind_a_relu": ("lin_grad", LINEAR.format("inp.T @ (out.g * (out > 0))"), "w.g", "as after a ReLU"),
    "probabilities_with_eps": ("cross_entropy_grad", ENTROPY.format("-y / (p + 1e-8)"), "logits.g", "ends at the prob"),
    **{
        f"softmax_by_its_diagonal_{name}": (
            "cross_entropy_grad",
            ENTROPY.format(f"-y / {floored} * p * (1 - p)"),
            "logits.g",
            "as where the softmax goes back as p · (1 − p) alone",
        )
        for name, floored in (("", "p"), ("with_eps", "(p + 1e-12)"), ("clamped", "p.clamp(min=1e-30)"))
    },
    "softmax_with_eps": (
        "cross_entropy_grad",
        ENTROPY.format("(p * (y * p / (p + 1e-12)).sum(1, keepdim=True) - p * y / (p + 1e-12))"),
        "logits.g",
        "a small number keeps from 0 the p that is divided by",
    ),
    "quotient_of_zeros": ("cross_entropy_grad", ENTROPY.format("-y / p"), "logits.g", "−y/p"),
    "softmax_twice": ("cross_entropy_grad", ENTROPY.format("(p.softmax(1) - y)"), "logits.g", "softmax is taken twice"),
    "last_sum_one_less": (
        "batchnorm_grad",
        NORM.format("inp.g = (g - g.mean(0) - x * (g * x).sum(0) / (n - 1)) / s"),
        "inp.g",
        "the last of the two sums",
    ),
    "first_sum_one_less": (
        "batchnorm_grad",
        NORM.format("inp.g = (g - g.sum(0) / (n - 1) - x * (g * x).mean(0)) / s"),
        "inp.g",
        "the first of the two sums",
    ),
    "row_by_row": ("train_by_hand", BY_ROWS.format(size=1, kept="total"), "w1", "one by one"),
    "batches": ("train_by_hand", BY_ROWS.format(size=3, kept="loss"), "result", "batches of 3 rows"),
    "one_row": ("train_by_hand", loop(PLAIN.format("g1", "g2"), "x[[t % len(x)]], y[[t % len(x)]]"), "w2", "one row"),
    "first_rows": ("train_by_hand", loop(PLAIN.format("g1", "g2"), "x[:3], y[:3]"), "result", "the first rows alone"),
    "signs_of_gradients": ("train_by_hand", loop(PLAIN.format("g1.sign()", "g2.sign()")), "w1", "only the signs"),
    "clipped_at_five": ("train_by_hand", loop(PLAIN.format("g1.clamp(-5, 5)", "g2.clamp(-5, 5)")), "w1", "at most 5"),
    "adagrad": (
        "train_by_hand",
        loop("s1 = s1 + g1**2; s2 = s2 + g2**2; " + SCALED),
        "w2",
        "those of `Adagrad`",
    ),
    "rmsprop": (
        "train_by_hand",
        loop("s1 = 0.9 * s1 + 0.1 * g1**2; s2 = 0.9 * s2 + 0.1 * g2**2; " + SCALED),
        "w1",
        "those of `RMSprop`",
    ),
    "penalty": (
        "train_with_autograd",
        OWN_GRADIENTS.format(before="", loss=LOSS + " + 0.01 * (w1.pow(2).sum() + w2.pow(2).sum())", options=""),
        "result",
        "as a penalty",
    ),
    "adam_clipped": ("Adam", adam(g="p.g.clamp(-1, 1)"), "p", "each entry of the gradient"),
    "adam_decayed": ("Adam", adam(g="p.g + 0.01 * p"), "q", "as weight decay is"),
    "adam_w": ("Adam", adam(update="(m / (v.sqrt() + self.eps) + 0.01 * p)"), "p", "as in AdamW"),
    "adam_of_signs": ("Adam", adam(update="m.sign()"), "p", "only the signs of the update"),
    "adam_sums": ("Adam", adam(v="self.v[i] + g**2", corrected="self.v[i]"), "p", "as in Adagrad"),
    "adam_as_adagrad": ("Adam", adam(v="self.v[i] + g**2", corrected="self.v[i]", m="g"), "p", "stands above"),
    "sgd_shrinking_rate": (
        "SGD",
        SGD.format("self.lr *= 0.9; super().step()"),
        "p (momentum)",
        "the learning rate falls",
    ),
    "sgd_signs": (
        "SGD",
        SGD.format(
            "super().step()\n        for p, old in zip(self.params, before):\n"
            "            p.copy_(old + self.lr * (p - old).sign())"
        ),
        "p (Nesterov)",
        "only the signs of the update",
    ),
    "step_clipped": (
        "sgd_step",
        "def sgd_step(params, lr):\n    for p in params:\n        p -= lr * p.g.clamp(-1, 1)",
        "p",
        "g.clamp(-1, 1)",
    ),
    "step_decayed": (
        "updated",
        "def updated(param, grad, lr):\n    return param - lr * (grad + 0.1 * param)",
        "result",
        "(g + 0.1 * p)",
    ),
    "second_loop": (
        "sgd_step",
        "def sgd_step(params, lr):\n    for _ in range(2):\n        for p in params:\n            p -= lr * p.g",
        "q",
        "each step is taken twice",
    ),
    "resnet_twice": (
        "resnet_step",
        "def resnet_step(model, lr, momentum, steps, next_gradients):\n"
        "    optimizer = SGD(model.parameters(), lr, momentum)\n"
        "    for _ in range(steps):\n        next_gradients(model)\n        optimizer.step()\n        optimizer.step()",
        "last",
        "each step is taken twice",
    ),
    "options_in_another_order": (
        "SGD",
        "class SGD(solution):\n"
        "    def __init__(self, params, lr, momentum=0, weight_decay=0, dampening=0, nesterov=False):\n"
        "        super().__init__(params, lr, momentum, dampening, weight_decay, nesterov)",
        "p (dampening)",
        "in the order momentum, weight_decay, dampening",
    ),
    "input_summed": (
        "residual",
        "def residual(out, targ):\n    return out.sum() - targ",
        "result",
        "sum of all entries of `out`",
    ),
    "rows_backwards": (
        "matvec_mse_grad",
        "def matvec_mse_grad(W, x, y):\n    return solution(W, x, y.flip(0))",
        "result",
        "the rows of `y` come in the opposite order",
    ),
    "regrouped": (
        "sum_to_shape",
        "def sum_to_shape(grad, shape):\n    return grad.reshape(-1, torch.Size(shape).numel()).sum(0).reshape(shape)",
        "result",
        "into groups as they follow one another",
    ),
    "regrouped_by_rows": (
        "sum_to_shape",
        "def sum_to_shape(grad, shape):\n    return grad.reshape(torch.Size(shape).numel(), -1).sum(1).reshape(shape)",
        "result",
        "into groups as they follow one another",
    ),
    "factor_of_a_product_missing": (
        "matvec_mse_grad",
        "def matvec_mse_grad(W, x, y):\n    return mse_vector_grad(W @ x, y).expand_as(W)",
        "result",
        "without its factor `x`",
    ),
    "other_factor_of_a_product_missing": (
        "trace",
        "fc2_b_grad, fc2_w_grad = torch.ones(1), X @ fc1_w.T + fc1_b\n"
        "fc1_b_grad, fc1_w_grad = fc2_w[0], X.expand(3, 3)",
        "fc1_w_grad",
        "ones in the place of `fc2_w`",
    ),
    "step_for_gradient": (
        "matvec_mse_grad",
        "def matvec_mse_grad(W, x, y):\n    return W - solution(W, x, y)",
        "result",
        "`W` minus the right answer",
    ),
    "short_step_for_gradient": (
        "torch_grads",
        "def torch_grads(x, y, w1, w2):\n    loss, g1, g2 = solution(x, y, w1, w2)\n"
        "    return loss, g1, w2 - 0.01 * g2",
        "result[2]",
        "`w2` minus 0.01 times the right answer",
    ),
    "first_row_as_it_was": (
        "updated",
        "def updated(param, grad, lr):\n    new = param.clone()\n    new[1:] -= lr * grad[1:]\n    return new",
        "result",
        "holds `param` as it was given",
    ),
    "relu_between": (
        "two_layer_linear_grad",
        "def two_layer_linear_grad(W1, W2, x, y):\n    h = torch.relu(W1 @ x)\n    e = 2 / len(y) * (W2 @ h - y)\n"
        "    return (W2.T @ e * (h > 0)) @ x.T, e @ h.T",
        "result[0]",
        "a ReLU stands after the first product",
    ),
    "relu_between_on_the_way_forward": (
        "trace",
        "fc2_b_grad, fc2_w_grad = torch.ones(1), torch.relu(X @ fc1_w.T + fc1_b)\n"
        "fc1_b_grad, fc1_w_grad = fc2_w[0], fc2_w.T @ X",
        "fc2_w_grad",
        "neither the formula nor the way back",
    ),
    "square_left_out": (
        "numpy_grads",
        "def numpy_grads(x, y, w1, w2):\n    loss, g1, g2 = solution(x, y, w1, w2)\n"
        "    return float((np.maximum(x @ w1, 0) @ w2 - y).sum()), g1, g2",
        "result[0]",
        "the square is missing",
    ),
    "by_small_differences": (
        "trace",
        "fc2_b_grad, fc2_w_grad = torch.ones(1), X @ fc1_w.T + fc1_b\nfc1_b_grad = torch.zeros(3)\n"
        "for j in range(3):\n    up = fc1_b.clone()\n    up[j] += 1e-3\n"
        "    moved = forward(X, fc1_w, up, fc2_w, fc2_b) - forward(X, fc1_w, fc1_b, fc2_w, fc2_b)\n"
        "    fc1_b_grad[j] = moved / 1e-3\nfc1_w_grad = fc2_w.T @ X",
        "fc1_b_grad",
        "is nearly right",
    ),
    "one_update_goes_up": (
        "train_by_hand",
        loop("w1 -= learning_rate * g1; w2 += learning_rate * g2"),
        "w1",
        "the update of the second weights goes up",
    ),
    "one_update_without_the_rate": (
        "train_by_hand",
        loop("w1 -= g1; w2 -= learning_rate * g2"),
        "w2",
        "the update of the first weights leaves out the learning rate",
    ),
    "first_step_idle": (
        "train_by_hand",
        loop("w1 -= learning_rate * g1 * (t > 0); w2 -= learning_rate * g2 * (t > 0)"),
        "result",
        "the first step changes nothing",
    ),
    "loss_with_a_root": (
        "train_with_autograd",
        OWN_GRADIENTS.format(before="", loss=f"{LOSS}.sqrt()", options=""),
        "w1",
        "the root of the sum of squares is the loss",
    ),
    "zeros_for_an_input_and_a_sign": (
        "matvec_mse_grad",
        "def matvec_mse_grad(W, x, y):\n    return 2 / len(y) * y @ x.T",
        "result",
        "the opposite of what comes out when zeros stand in the place of `W`",
    ),
    "half_a_step": (
        "updated",
        "def updated(param, grad, lr):\n    return param - lr * grad / 2",
        "result",
        "`p - lr * g / 2`",
    ),
    "another_factor_in_each_case": (
        "lin_grad",
        LINEAR.format("w.g * inp.abs().sum()"),
        "w.g",
        "a number that is not always the same",
    ),
}
#: The same for mistakes with codes of their own.
CODED: dict[str, tuple[str, str, str, str, str]] = {
    **{
        f"gradient_for_weights_in_{exercise}": (
            exercise,
            f"def {exercise}(x, y, w1, w2):\n    h = x @ w1\n    a = h * (h > 0)\n    g = 2 * (a @ w2 - y)\n"
            "    return float((g**2).sum() / 4), x.T @ (g @ (a.T @ g).T * (h > 0)), a.T @ g",
            "result[1]",
            "the gradient of a matrix of weights stands in the place of the matrix",
            "wrong_operand",
        )
        for exercise in ("numpy_grads", "torch_grads")
    },
    "gradient_for_weights_of_columns": (
        "two_layer_linear_grad",
        "def two_layer_linear_grad(W1, W2, x, y):\n    e = 2 / len(y) * (W2 @ W1 @ x - y)\n    grad = e @ (W1 @ x).T\n"
        "    return grad.T @ e @ x.T, grad",
        "result[0]",
        "the gradient of a matrix of weights stands in the place of the matrix",
        "wrong_operand",
    ),
    "kept_on_the_class": (
        "Module",
        "class Module(solution):\n    def __call__(self, *args):\n        type(self).args = args\n"
        "        self.out = self.forward(*args)\n        return self.out",
        "layer.args[1]",
        "keeps `args` on the class",
        "state_shared",
    ),
    "averaged_by_one_less": (
        "batchnorm_grad",
        NORM.format("gamma.g = (out.g * x).sum(0) / (n - 1)"),
        "gamma.g",
        "n − 1 times in every case",
        "averaged_instead_of_summed",
    ),
    "first_average_multiplied": (
        "Adam",
        adam(m="self.m[i] * (1 - b1**self.t)"),
        "p",
        "first average is multi",
        "bias_correction",
    ),
    "loss_by_columns": (
        "train_with_autograd",
        OWN_GRADIENTS.format(before="", loss=LOSS.replace(".sum()", ".sum(0).mean()"), options=""),
        "result",
        "the loss is a mean",
        "averaged_instead_of_summed",
    ),
    "multiplied_for_divided": (
        "mse_grad",
        "def mse_grad(inp, targ):\n    inp.g = 2 * (inp - targ[:, None]) * len(inp)",
        "inp.g",
        "a factor n where a division by n is right",
        "scaled",
    ),
    "last_row_alone": (
        "matvec_mse_grad",
        "def matvec_mse_grad(W, x, y):\n    for g in mse_vector_grad(W @ x, y):\n        grad = g * x.T\n"
        "    return grad",
        "result",
        "is the last row of the right answer alone",
        "wrong_shape",
    ),
    "rows_that_are_named_alone": (
        "embedding_grad",
        "def embedding_grad(index, out, weight):\n"
        "    weight.g = torch.stack([out.g[index == row].sum(0) for row in index.unique()])",
        "weight.g",
        "holds the rows alone that `index` names",
        "wrong_shape",
    ),
    "first_row_alone": (
        "lin_grad",
        "def lin_grad(inp, out, w, b):\n    inp.g, w.g, b.g = w @ out.g[0], inp.T @ out.g, out.g.sum(0)",
        "inp.g",
        "is the first row of the right answer alone",
        "wrong_shape",
    ),
    "list_of_rows": (
        "outer_difference",
        "def outer_difference(a, b):\n    return [each - b for each in a]",
        "result",
        "torch.stack",
        "not_a_tensor",
    ),
    "column_for_a_bias": (
        "trace",
        "h = X @ fc1_w.T + fc1_b\nfc2_b_grad, fc2_w_grad = torch.ones(1), fc2_w\n"
        "fc1_b_grad, fc1_w_grad = h[0], fc2_w.T @ X",
        "fc1_b_grad",
        "belongs to `fc2_w_grad`",
        "wrong_operand",
    ),
    "second_average_stored": (
        "Adam",
        adam(corrected="self.v[i].div_(1 - b2**self.t)"),
        "p",
        "corrected second average is stored",
        "bias_correction",
    ),
}
#: Neighbours of these mistakes, and words that would be false of them.
NEIGHBOURS: dict[str, tuple[str, str, str, str]] = {
    "limits_of_their_own": ("lin_grad", LINEAR.format("w.g.clamp(-2, 1)"), "w.g", "cut to the limit"),
    "another_limit_in_each_case": (
        "lin_grad",
        LINEAR.format("w.g.clamp(-w.g.max() / 2, w.g.max() / 2)"),
        "w.g",
        "cut to the limit",
    ),
    "share_of_squares": ("lin_grad", LINEAR.format("w.g + 0.02 * w**2"), "w.g", "· `w`"),
    "median": (
        "sum_to_shape",
        SUMS.format("grad.median(0).values", "grad.sum(axis, keepdim=True)"),
        "result",
        "entry along",
    ),
    "rows_in_another_order": (
        "train_by_hand",
        loop(PLAIN.format("g1", "g2"), "x[[-1 - t % len(x)]], y[[-1 - t % len(x)]]"),
        "w1",
        "one row alone",
    ),
    "attribute_of_the_object_too": (
        "Module",
        "class Module(solution):\n    def __call__(self, *args):\n        Module.args = args\n        self.args = ()\n"
        "        return super().__call__(*args[:1])",
        "layer.args[1]",
        "on the class",
    ),
    "one_step_less": ("train_by_hand", loop(PLAIN.format("g1 * (t < 4)", "g2 * (t < 4)")), "w1", "first step changes"),
    "some_other_step": (
        "matvec_mse_grad",
        "def matvec_mse_grad(W, x, y):\n    return W - solution(W, x, y) / x.norm()",
        "result",
        "minus",
    ),
    "term_that_is_not_small": (
        "matvec_mse_grad",
        "def matvec_mse_grad(W, x, y):\n    return solution(W, x, y) + 0.1 * W**2",
        "result",
        "nearly right",
    ),
    "first_and_last_row_swapped": (
        "matvec_mse_grad",
        "def matvec_mse_grad(W, x, y):\n    return solution(W, x, torch.cat((y[-1:], y[1:-1], y[:1])))",
        "result",
        "opposite order",
    ),
    "both_updates_go_up": (
        "train_by_hand",
        loop("w1 += learning_rate * g1; w2 += learning_rate * g2"),
        "w1",
        "second weights",
    ),
    "product_by_a_norm": (
        "matvec_mse_grad",
        "def matvec_mse_grad(W, x, y):\n    return solution(W, x, y) / x.norm()",
        "result",
        "without its factor",
    ),
    "sums_of_roots": ("Adam", adam(v="self.v[i] + g.abs()", corrected="self.v[i]"), "p", "Adagrad"),
}


@pytest.mark.parametrize("name", NAMED)
def test_mistake_is_named(name: str) -> None:
    exercise, source, check, said = NAMED[name]

    assert_told(exercise, source, check, said)


def test_what_a_class_keeps_is_pointed_out_where_nothing_explains_its_steps() -> None:
    source = ADAM.format(**ADAM_PARTS)
    counting = source.replace("self.t += 1", "Adam.T = getattr(Adam, 'T', 0) + 1; self.t = Adam.T")

    found = answered("Adam", counting)

    assert all("`T` is shared by all objects of the class" in whole(each) for each in found.values())
    # A few steps leave most of a parameter as it was: it says little that the rest is right.
    assert_unsaid(found["p (all options left out)"], "is nearly right")


@pytest.mark.parametrize("name", CODED)
def test_mistake_with_a_code_of_its_own_is_named(name: str) -> None:
    exercise, source, check, said, code = CODED[name]

    assert_told(exercise, source, check, said, code)


@pytest.mark.parametrize("name", NEIGHBOURS)
def test_neighbour_of_a_mistake_is_not_called_by_its_name(name: str) -> None:
    assert_not_told(*NEIGHBOURS[name])


@pytest.mark.parametrize(
    ("predicted", "said"),
    [
        ("scores.argmax(1) * 0 + 3", "all values are the same"),
        ("scores.argmin(1)", "fewer than by guessing"),
    ],
)
def test_classes_that_are_all_one_or_beaten_by_guesses_are_told(predicted: str, said: str) -> None:
    source = f"""
    def train(*given):
        return solution(*given[:4], 20, given[5])


    def predict(params, x):
        w1, b1, w2, b2 = params
        scores = torch.relu(x @ w1 + b1) @ w2 + b2
        return {predicted}
    """

    assert said in whole(answered("train", source)["result"])
