"""Wrong answers of a few lines: what each is told, and right answers in wordings that are seldom seen.

A table of its own beside ``test_written``: here each answer is short, and one sentence shows that its mistake was seen.
"""

from __future__ import annotations

import pytest

from tests.judge.answered import answered, assert_not_told, assert_told

LIN = "def lin_grad(inp, out, w, b):\n    inp.g, w.g, b.g = out.g @ w.T, inp.T @ out.g, out.g.sum(0)\n    {}"
LIN_BUT_W = "def lin_grad(inp, out, w, b):\n    inp.g, b.g = out.g @ w.T, out.g.sum(0)\n    "
EMBEDDING = "def embedding_grad(index, out, weight):\n    {}"
LOSS = """
def forward_and_backward(inp, targ):
    l1 = lin(inp, w1, b1); l2 = relu(l1); out = {out}
    err = {err}
    g = {g}
    w2.g, b2.g = l2.T @ g, g.sum(0)
    h = {h}
    w1.g, b1.g, inp.g = inp.T @ h, h.sum(0), {inp}
    return (err ** 2).mean()
"""
RIGHT_LOSS = {
    "out": "lin(l2, w2, b2)",
    "err": "out[:, 0] - targ",
    "g": "2 * err[:, None] / len(err)",
    "h": "g @ w2.T * (l1 > 0)",
    "inp": "h @ w1.T",
}
ENTROPY = """
def cross_entropy_grad(logits, targ):
    n, rows = len(targ), torch.arange(len(targ))
    p = torch.softmax(logits, 1)
    {}
"""
NORM = """
def layernorm_grad(inp, out, gamma, beta, eps):
    solution(inp, out, gamma, beta, eps)
    rows = tuple(range(inp.dim() - 1))
    c = inp - inp.mean(-1, keepdim=True)
    s = {s}
    x, g = c / s, out.g * gamma
    inp.g = {inp}
    gamma.g = {gamma}
"""
BATCH = """
def batchnorm_grad(inp, out, gamma, beta, eps):
    s = ({var} + {eps}).sqrt()
    x, g = {x}, out.g * gamma
    inp.g = (g {minus} g.mean(0) {minus} x * (g * x).mean(0)) / s
    gamma.g, beta.g = (out.g * x).sum(0), out.g.sum(0)
"""
RIGHT_NORM = {
    "s": "(c.pow(2).mean(-1, keepdim=True) + eps).sqrt()",
    "inp": "(g - g.mean(-1, keepdim=True) - x * (g * x).mean(-1, keepdim=True)) / s",
    "gamma": "(out.g * x).sum(rows)",
}
ATTENTION = """
def attention_grad(q, k, v, out):
    r = q.shape[-1] ** 0.5
    p, dp = torch.softmax(q @ k.mT / r, -1), out.g @ v.mT
    s = {} / r
    v.g, q.g, k.g = {}, s @ k, {} @ q
"""
OPERAND = "wrong_operand"
WAY_BACK = "p * (dp - (p * dp).sum(-1, keepdim=True))"
LOOP = """
def train_by_hand(x, y, w1, w2, learning_rate, steps):
    losses, total = [], 0
    for _ in range(steps):
        {}
    return {}
"""
STUB = "loss, g1, g2 = torch_grads(x, y, w1, w2)"
STEP = "w1 -= learning_rate * g1; w2 -= learning_rate * g2"
SGD = """
class SGD(solution):
    def __init__(self, *args):
        super().__init__(*args)
        self.held = {{}}

    def step(self):
        for i, p in enumerate(self.params):
            if p.g is None:
                {none}
            g, old = p.g + {pull} * p, self.held.get(i)
            if self.momentum:
                {buffer}
            else:
                p -= self.lr * g
"""
BUFFERED = (
    "self.held[i] = g if old is None else {}; {}"
    "p -= self.lr * (g + self.momentum * self.held[i] if {} else self.held[i])"
)
PLAIN_BUFFER = BUFFERED.format("self.momentum * old + (1 - self.dampening) * g", "", "self.nesterov")
RIGHT_SGD = {"none": "continue", "pull": "self.weight_decay", "buffer": PLAIN_BUFFER}
ADAM = """
class Adam(solution):
    def step(self):
        b1, b2 = self.betas
        for i, p in enumerate(self.params):
            if p.g is None:
                continue
            g, old_m, old_v = p.g, self.means[i], self.squares[i]
            self.steps[i] += 1
            t = {t}
            self.means[i] = m = {m}
            self.squares[i] = v = {v}
            m, v = {corrected}
            p -= self.lr * {top} / (v.sqrt() + self.eps)
"""
RIGHT_ADAM = {
    "t": "self.steps[i]",
    "m": "b1 * old_m + (1 - b1) * g",
    "v": "b2 * old_v + (1 - b2) * g**2",
    "corrected": "m / (1 - b1**t), v / (1 - b2**t)",
    "top": "m",
}


#: Right corrections, averages by the other beta, and corrections by the other beta.
RIGHT_BETAS = (
    RIGHT_ADAM["corrected"],
    "b2 * old_m + (1 - b2) * g",
    "b1 * old_v + (1 - b1) * g**2",
    "m / (1 - b2**t), v / (1 - b1**t)",
)
CONV = """
def conv2d_grad(inp, out, w, b):
    solution(inp, out, w, b)
    (h, x), (k, l) = out.shape[2:], w.shape[2:]
    dx, dw = torch.zeros_like(inp), torch.zeros_like(w)
    {}
    inp.g, w.g = dx, dw
"""
OFFSETS = """for i in range({rows}):
        for j in range(l):
            dw[:, :, i, j] = torch.einsum("noyx,ncyx->oc", out.g, inp[:, :, i : i + h, j : j + x])
            dx[:, :, i : i + h, j : j + x] {op} torch.einsum("noyx,oc->ncyx", out.g, w[:, :, {i}, j])"""
PLACES = """for y in range({rows}):
        for z in range(0, x, {step}):
            g = out.g[:, :, y, z]
            dx[:, :, y : y + k, z : z + l] {to_input} torch.einsum("no,ockl->nckl", g, w)
            dw {to_kernel} torch.einsum("no,nckl->ockl", g, inp[:, :, y : y + k, z : z + l])"""
_INNER = "(inp + 0.044715 * inp**3) * (2 / math.pi) ** 0.5"
TANH_CDF = f"0.5 * (1 + torch.tanh({_INNER}))"
TANH_SLOPE = f"0.5 * (1 - torch.tanh({_INNER})**2) * (2 / math.pi) ** 0.5 * (1 + {{}} * inp**2)"
CAUSAL = """
def attention_grad(q, k, v, out):
    n, t, d = q.shape
    earlier, root = torch.ones(t, t).tril().bool(), {root}
    s = q @ k.mT / root
    {before}
    p = {p}
    {behind}
    dp = out.g @ v.mT
    ds = p * (dp - {sum}) / root
    v.g, q.g, k.g = p.mT @ out.g, ds @ k, ds.mT @ q
"""
RIGHT_CAUSAL = {
    "root": "d**0.5",
    "before": "pass",
    "p": "torch.softmax(s, -1)",
    "behind": "pass",
    "sum": "(p * dp).sum(-1, keepdim=True)",
}


def offsets(rows: str = "k", op: str = "+=", i: str = "i") -> str:
    return CONV.format(OFFSETS.format(rows=rows, op=op, i=i))


def places(rows: str = "h", step: str = "1", to_input: str = "+=", to_kernel: str = "+=") -> str:
    return CONV.format(PLACES.format(rows=rows, step=step, to_input=to_input, to_kernel=to_kernel))


def causal(**changed: str) -> str:
    return CAUSAL.format(**{**RIGHT_CAUSAL, **changed})


def loss(**changed: str) -> str:
    return LOSS.format(**{**RIGHT_LOSS, **changed})


def norm(**changed: str) -> str:
    return NORM.format(**{**RIGHT_NORM, **changed})


def sgd(**changed: str) -> str:
    return SGD.format(**{**RIGHT_SGD, **changed})


def adam(**changed: str) -> str:
    return ADAM.format(**{**RIGHT_ADAM, **changed})


def short(exercise: str, arguments: str, body: str) -> str:
    return f"def {exercise}({arguments}):\n    {body}"


def attention(way_back: str = WAY_BACK, v: str = "p.mT @ out.g", turned: str = "s.mT") -> str:
    return ATTENTION.format(way_back, v, turned)


#: Exercise, source, check, what is said, and the code where it is not `wrong_value`.
SGD_LOST = """
class SGD:
    def __init__(self, params, lr, momentum=0, dampening=0, weight_decay=0, nesterov=False):
        self.params, self.options = list(params), (momentum, dampening, weight_decay, nesterov)
        self.lr, self.v = lr, [torch.zeros_like(p) for p in self.params]
    def step(self):
        momentum, dampening, weight_decay, nesterov = self.options
        for p, v in zip(self.params, self.v):
            if p.g is None: continue
            g = p.g + weight_decay * p
            v = momentum * v + (1 - dampening) * g
            p -= self.lr * (g + momentum * v if nesterov else v)
"""
WRONG: dict[str, tuple[str, ...]] = {
    # ------------------------------------------------------------------- relations to the right answer and the inputs
    "absolute": (
        "residual",
        short("residual", "out, targ", "return (out[:, 0] - targ).abs()"),
        "result",
        "but for the sign",
    ),
    "squared": (
        "residual",
        short("residual", "out, targ", "return (out[:, 0] - targ) ** 2"),
        "result",
        "is the square of",
    ),
    "mean": (
        "residual",
        short("residual", "out, targ", "return (out[:, 0] - targ).mean()"),
        "result",
        "averaged over axis 0",
        "summed_too_far",
    ),
    "root": (
        "Mse",
        "class Mse(solution):\n    def __call__(self, inp, targ):\n        return super().__call__(inp, targ).sqrt()",
        "out",
        "the root of the mean is taken",
    ),
    "cut": (
        "Lin",
        "class Lin(solution):\n    def __call__(self, inp):\n        self.out = super().__call__(inp).relu()\n"
        "        return self.out",
        "out",
        "0 where a negative number is right",
    ),
    "loop_that_returns": (
        "matvec_jacobian",
        "def matvec_jacobian(W, x):\n    J = torch.zeros(len(W), *W.shape)\n    for i in range(len(W)):\n"
        "        J[i, i] = x[:, 0]\n        return J",
        "result",
        "and 0 in all others",
    ),
    "rows_in_the_first_slice": (
        "matvec_jacobian",
        "def matvec_jacobian(W, x):\n    J = torch.zeros(len(W), *W.shape)\n    J[:, 0] = x[:, 0]\n    return J",
        "result",
        "in the wrong places",
    ),
    "copied": (
        "trace",
        "fc2_b_grad, fc2_w_grad = torch.ones(1), X\nfc1_b_grad, fc1_w_grad = fc2_w[0], fc2_w.T @ X",
        "fc2_w_grad",
        "the input of the layer before in place of its output",
        "wrong_operand",
    ),
    "hidden_for_input": (
        "trace",
        "fc2_b_grad, fc2_w_grad = torch.ones(1), X @ fc1_w.T + fc1_b\nfc1_b_grad = fc2_w[0]\n"
        "fc1_w_grad = torch.outer(fc1_b_grad, fc2_w_grad[0])",
        "fc1_w_grad",
        "the output of the layer in place of its input",
        "wrong_operand",
    ),
    "untransposed_square": (
        "trace",
        "fc2_b_grad, fc2_w_grad = torch.ones(1), X @ fc1_w + fc1_b\nfc1_b_grad, fc1_w_grad = fc2_w[0], fc2_w.T @ X",
        "fc2_w_grad",
        "the square matrix `fc1_w` is used without its transpose",
    ),
    "constant": ("lin_grad", LIN.format("b.g = torch.ones_like(b)"), "b.g", "is 1 in every entry"),
    "factor_too_many": ("lin_grad", LIN.format("b.g = (out.g * b).sum(0)"), "b.g", "times `b`, entry by entry"),
    "loss_as_upstream": (
        "MseModule",
        "class MseModule(solution):\n    def bwd(self, out, inp, targ):\n        super().bwd(out, inp, targ)\n"
        "        inp.g = inp.g * out",
        "inp.g",
        "times `out`, entry by entry",
    ),
    "power_too_low": (
        "polynomial_vjp",
        short("polynomial_vjp", "a, b, upstream", "return 9 * a * upstream, -2 * b * upstream"),
        "result[0]",
        "divided by `a`",
    ),
    "upstream_twice": (
        "polynomial_vjp",
        short("polynomial_vjp", "a, b, upstream", "return 9 * a**2 * upstream**2, -2 * b * upstream"),
        "result[0]",
        "times `upstream`",
    ),
    "on_top": (
        "embedding_grad",
        short(
            "embedding_grad",
            "index, out, weight",
            "weight.g = weight.clone().index_add_(0, index.flatten(), out.g.flatten(0, 1))",
        ),
        "weight.g",
        "plus `weight`",
    ),
    "taken_from_it": ("lin_grad", LIN.format("b.g = b.g - b"), "b.g", "or is a term that it lacks"),
    "times_the_rows": (
        "lin_grad",
        LIN.format("w.g = w.g * len(inp)"),
        "w.g",
        "It was multiplied by n once too often",
        "missing_mean",
    ),
    **{
        f"mean_over_axes_{said}": (
            "sum_to_shape",
            "def sum_to_shape(grad, shape):\n    while grad.dim() > len(shape):\n        grad = grad." + first + "(0)\n"
            "    for i, size in enumerate(shape):\n        if size == 1:\n            grad = grad."
            + second
            + "(i, keepdim=True)\n"
            "    return grad",
            "result",
            f"along the axes that the result {said}.",
            "averaged_instead_of_summed",
        )
        for first, second, said in (("mean", "sum", "does not have"), ("sum", "mean", "keeps with size 1"))
    },
    "every_slice": (
        "matvec_jacobian",
        short("matvec_jacobian", "W, x", "return x.T.expand(len(W), *W.shape)"),
        "result",
        "wrong among the others",
    ),
    "started_from_ones": (
        "embedding_grad",
        short(
            "embedding_grad",
            "index, out, weight",
            "weight.g = torch.ones_like(weight).index_add_(0, index.flatten(), out.g.flatten(0, 1))",
        ),
        "weight.g",
        "the right answer plus 1.",
    ),
    "centred_relu": (
        "ReluModule",
        "class ReluModule(solution):\n    def forward(self, inp):\n        return super().forward(inp) - 0.5",
        "out",
        "the right answer minus 0.5.",
    ),
    # ------------------------------------------------------------------------ a factor that reaches one term alone
    **{
        f"parentheses_{number}": (
            exercise,
            short(exercise, arguments, line),
            check,
            f"the part that `{name}` brings in times {factors[0]}, and the rest times {factors[1]}.",
        )
        for number, (exercise, arguments, line, check, name, *factors) in enumerate(
            (
                ("mse_grad", "inp, targ", "inp.g = 2 * inp - targ[:, None] / len(inp)", "inp.g", "inp", "n", "1/2"),
                ("mse_grad", "inp, targ", "inp.g = 2 * inp - targ[:, None]", "inp.g", "inp", "n", "n/2"),
                ("mse_grad", "inp, targ", "inp.g = (2 * inp - targ[:, None]) / len(inp)", "inp.g", "inp", "1", "1/2"),
                ("mse_grad", "inp, targ", "inp.g = 2 * (inp - targ[:, None] / len(inp))", "inp.g", "inp", "n", "1"),
                ("mse_vector_grad", "pred, y", "return 2 * pred - y / len(y)", "result", "pred", "m", "1/2"),
            )
        )
    },
    **{
        f"parentheses_before_{check}": (
            "forward_and_backward",
            loss(g="2 * out - targ[:, None] / len(err)"),
            check,
            "the part that `targ` brings in times 1/2, and the rest times n.",
        )
        for check in ("inp.g", "w1.g", "b1.g", "w2.g")
    },
    # ------------------------------------------------------------------------------- inputs that come in otherwise
    "plus_for_minus": (
        "mse_grad",
        short("mse_grad", "inp, targ", "inp.g = 2 * (inp + targ[:, None]) / len(inp)"),
        "inp.g",
        "opposite sign of `targ`",
    ),
    **{
        f"weights_{name}": ("attention_grad", causal(**changed), check, said)
        for name, changed, said in (
            ("masked", {"before": "s = s.masked_fill(~earlier, -torch.inf)"}, "hides the later keys"),
            ("masked_turned", {"before": "s = s.masked_fill(~earlier.T, -torch.inf)"}, "hides the earlier keys"),
            ("masked_by_zero", {"before": "s = s * earlier"}, "writes 0 over scores"),
            ("masked_behind", {"behind": "p = p * earlier"}, "after the softmax"),
            ("by_keys", {"root": "t**0.5"}, "root of the number of keys"),
            ("by_keys_alone", {"root": "t"}, "by the number of keys, in place"),
            ("by_samples", {"root": "n**0.5"}, "root of the number of samples"),
            ("multiplied", {"root": "d**-0.5"}, "are multiplied by the number"),
            ("unnormed", {"p": "s.exp()"}, "not divided by its sum"),
            ("of_sigmoids", {"p": "s.sigmoid()"}, "a sigmoid of each score"),
        )
        for check in ("q.g", "k.g", "v.g")
    },
    **{
        f"no_softmax_{check}": (
            "attention_grad",
            causal(p="s").replace("p * (dp - (p * dp).sum(-1, keepdim=True))", "dp"),
            check,
            "there is no softmax",
        )
        for check in ("q.g", "k.g", "v.g")
    },
    "attention_added": ("attention_grad", attention(WAY_BACK.replace("dp -", "dp +")), "q.g", "the sum is added"),
    "attention_sum_of_all": (
        "attention_grad",
        attention("p * (dp - (p * dp).sum())"),
        "k.g",
        "runs over all entries",
    ),
    "attention_of_scores": (
        "attention_grad",
        attention(v="(q @ k.mT / r).mT @ out.g"),
        "v.g",
        "the scores stand",
        "wrong_operand",
    ),
    "attention_of_itself": (
        "attention_grad",
        attention().replace("s @ k, s.mT @ q", "s @ q, s.mT @ k"),
        "q.g",
        "the gradient of q is made with q itself",
        "wrong_operand",
    ),
    "attention_of_keys_to_queries": (
        "attention_grad",
        attention(v="((k @ q.mT) / r).softmax(-1).mT @ out.g"),
        "v.g",
        "`q` and `k` change places",
        "wrong_operand",
    ),
    **{
        f"attention_scaled_behind_{name}": (
            "attention_grad",
            attention(way_back).replace("k.mT / r, -1)", "k.mT, -1) / r"),
            check,
            "divided by √d after the softmax",
        )
        for name, check, way_back in (
            ("as_softmax", "q.g", WAY_BACK),
            ("with_its_derivative", "v.g", "r * p * (dp - r * (p * dp).sum(-1, keepdim=True))"),
        )
    },
    **{
        f"convolution_{name}": ("conv2d_grad", source, check, said)
        for name, source, check, said in (
            ("written_by_offset", offsets(op="="), "inp.g", "is written over the one before"),
            ("written_by_place", places(to_input="="), "inp.g", "is written over the one before"),
            ("last_window", places(to_kernel="="), "w.g", "the last window alone"),
            (
                "shifted",
                CONV.format(
                    "dw = w.g; g = F.pad(out.g, (l, l, k, k)); H, W = inp.shape[2:]\n"
                    "    dx = F.conv2d(g, w.transpose(0, 1).flip(2, 3))[:, :, :H, :W]"
                ),
                "inp.g",
                "one place too far along axis (2, 3)",
            ),
            (
                "of_a_flipped_input",
                CONV.format(
                    "dx = inp.g\n"
                    "    dw = F.conv2d(inp.transpose(0, 1).flip(2, 3), out.g.transpose(0, 1)).transpose(0, 1)"
                ),
                "w.g",
                "which needs no flip",
            ),
            ("row_left_out", offsets(rows="k - 1"), "inp.g", "leaves out its last row"),
            ("row_left_out_in_front", offsets(rows="1, k"), "inp.g", "leaves out its first row"),
            ("one_axis_flipped", offsets(i="k - 1 - i"), "inp.g", "one of its two axes only"),
            ("place_left_out", places(rows="h - 1"), "inp.g", "along axis 2: all but the last"),
            ("place_left_out_kernel", places(rows="h - 1"), "w.g", "along axis 2: all but the last"),
            ("stride", places(step="2"), "w.g", "along axis 3: every second one alone"),
            (
                "padding",
                CONV.format(
                    "dw = w.g; pad = (2 * l - 2, 0, 2 * k - 2, 0)\n"
                    "    dx = F.conv2d(F.pad(out.g, pad), w.transpose(0, 1).flip(2, 3))"
                ),
                "inp.g",
                "lies on one side",
            ),
        )
    },
    **{
        f"embedding_{name}": ("embedding_grad", short("embedding_grad", "index, out, weight", lines), "weight.g", *said)
        for name, lines, *said in (
            (
                "without_last_column",
                "rows, g = index[:, :-1].flatten(), out.g[:, :-1].flatten(0, 1)\n"
                "    weight.g = torch.zeros_like(weight).index_add_(0, rows, g)",
                "along axis 1: all but the last",
            ),
            (
                "of_first_column",
                "weight.g = torch.zeros_like(weight).index_add_(0, index[:, 0], out.g[:, 0])",
                "along axis 1: the first alone",
            ),
            (
                "by_columns",
                "weight.g = torch.zeros_like(weight)\n    for j, g in zip(index.T, out.g.transpose(0, 1)):\n"
                "        weight.g[j] += g",
                "only one of several contributions",
                "overwritten",
            ),
            (
                "of_last_sample",
                "weight.g = torch.zeros_like(weight)\n    for row, g in zip(index, out.g):\n"
                "        for i in row.unique():\n            weight.g[i] = g[row == i].sum(0)",
                "only one of several contributions",
                "overwritten",
            ),
            (
                "read_in_two_orders",
                "weight.g = torch.zeros_like(weight).index_add_(0, index.T.flatten(), out.g.flatten(0, 1))",
                "read in different orders",
            ),
        )
    },
    **{
        f"norm_term_{name}": ("layernorm_grad", norm(**{at: line}), f"{at}.g", said)
        for name, at, line, said in (
            ("uncentred", "gamma", "(out.g * (inp / s)).sum(rows)", "the mean is not subtracted"),
            ("of_variance", "gamma", "(out.g * c / s**2).sum(rows)", "the variance stands in the place of its root"),
            (
                "mean_added",
                "inp",
                "(g + g.mean(-1, keepdim=True) - x * (g * x).mean(-1, keepdim=True)) / s",
                "the first of the two means is added",
            ),
            (
                "plain_mean",
                "inp",
                "(g - g.mean(-1, keepdim=True) - x * g.mean(-1, keepdim=True)) / s",
                "is missing inside of the last mean",
            ),
            (
                "first_sum",
                "inp",
                "(g - g.sum(-1, keepdim=True) - x * (g * x).mean(-1, keepdim=True)) / s",
                "a sum stands in the place of the first",
            ),
            (
                "last_sum",
                "inp",
                "(g - g.mean(-1, keepdim=True) - x * (g * x).sum(-1, keepdim=True)) / s",
                "a sum stands in the place of the last",
            ),
            (
                "halved",
                "inp",
                "(g - g.mean(-1, keepdim=True) - x * (g * x).mean(-1, keepdim=True) / 2) / s",
                "is halved",
            ),
            (
                "of_rows",
                "inp",
                "(g - (g.sum(-1, keepdim=True) + x * (g * x).sum(-1, keepdim=True)) / len(inp)) / s",
                "the size of the other axis",
            ),
        )
    },
    "norm_of_variance_throughout": (
        "layernorm_grad",
        norm(s="c.pow(2).mean(-1, keepdim=True) + eps"),
        "inp.g",
        "the variance stands in the place of its root",
    ),
    **{
        f"step_{number}": (exercise, short(exercise, arguments, line), check, f"is `{said}`, with p for the parameter")
        for number, (exercise, arguments, line, check, said) in enumerate(
            (
                ("updated", "param, grad, lr", "return (param - lr) * grad", "result", "(p - lr) * g"),
                ("updated", "param, grad, lr", "return lr * (param - grad)", "result", "lr * (p - g)"),
                ("updated", "param, grad, lr", "return param - grad / lr", "result", "p - g / lr"),
                ("updated", "param, grad, lr", "return -lr * grad", "result", "-lr * g"),
                ("sgd_step", "params, lr", "for p in params: p.copy_((p - lr) * p.g)", "q", "(p - lr) * g"),
                ("sgd_step", "params, lr", "for p in params: p *= 1 - lr * p.g", "p", "p * (1 - lr * g)"),
                ("sgd_step", "params, lr", "for p in params: p -= lr * p.g.sign()", "p", "p - lr * g.sign()"),
            )
        )
    },
    "chain_rule_by_sum": (
        "polynomial_vjp",
        short("polynomial_vjp", "a, b, upstream", "return 9 * a**2 + upstream, -2 * b + upstream"),
        "result[1]",
        "the derivative plus the upstream gradient",
    ),
    **{
        f"slope_{name}": (exercise, short(exercise, "inp, out", f"inp.g = out.g * {slope}"), "inp.g", said)
        for name, exercise, slope, said in (
            ("cosh", "tanh_grad", "torch.cosh(inp)**-1", "1 / cosh²(x)"),
            (
                "erf_half",
                "gelu_grad",
                "(0.5 * (1 + torch.erf(inp / 2)) + inp * torch.exp(-(inp**2) / 2) / (2 * math.pi) ** 0.5)",
                "erf(x / 2)",
            ),
            (
                "without_one",
                "gelu_grad",
                "(0.5 * torch.erf(inp / 2**0.5) + inp * torch.exp(-(inp**2) / 2) / (2 * math.pi) ** 0.5)",
                "the 1 is missing",
            ),
        )
    },
    **{
        f"entropy_{name}": ("cross_entropy_grad", ENTROPY.format(line), "logits.g", said)
        for name, line, said in (
            ("twice", "q = p.clone(); q[rows, targ] -= 1; logits.g = p * q / n", "multiplied by p once more"),
            ("logarithm", "logits.g = -torch.log_softmax(logits, 1) / n", "in the place of its derivative"),
            ("numbers", "logits.g = (p - targ[:, None]) / n", "the numbers of the classes"),
        )
    },
    **{
        f"arguments_reversed_{check}": (
            "Module",
            "class Module(solution):\n    def backward(self):\n        self.bwd(self.out, *self.args[::-1])",
            check,
            "change places",
            "wrong_operand",
        )
        for check in ("a.g", "b.g")
    },
    "adam_first_weights": ("Adam", adam(m="(1 - b1) * old_m + b1 * g"), "p", "β₁ weighs the new gradient"),
    "adam_second_weights": ("Adam", adam(v="(1 - b2) * old_v + b2 * g**2"), "p", "β₂ weighs the new square"),
    "half_of_the_loss": (
        "train_with_autograd",
        "def train_with_autograd(x, y, w1, w2, learning_rate, steps):\n    losses = []\n    for _ in range(steps):\n"
        "        w1.grad = w2.grad = None\n        loss = ((torch.relu(x @ w1) @ w2 - y) ** 2).sum() / 2\n"
        "        loss.backward()\n        losses.append(loss.item())\n        with torch.no_grad():\n"
        "            w1 -= learning_rate * w1.grad\n            w2 -= learning_rate * w2.grad\n    return losses",
        "result",
        "half of the sum of squares",
        "missing_factor_two",
    ),
    "scores_scaled_twice_and_doubled": (
        "attention_grad",
        causal(root="d").replace("ds @ k", "2 * ds @ k"),
        "q.g",
        "is twice what comes out when the scores are scaled twice before the softmax",
    ),
    "softmax_of_samples_and_doubled": (
        "attention_grad",
        causal(p="torch.softmax(s, 0)", sum="(p * dp).sum(0)").replace("ds @ k", "2 * ds @ k"),
        "q.g",
        "is twice what comes out when the softmax is taken over another axis",
    ),
    "power_kept": (
        "mse_vector_grad",
        short("mse_vector_grad", "pred, y", "return -2 * (y - pred) ** 2 / len(y)"),
        "result",
        "the exponent is not lowered",
    ),
    "power_as_it_is": (
        "mse_vector_grad",
        short("mse_vector_grad", "pred, y", "return (pred - y) ** 2 / len(y)"),
        "result",
        "but for the sign: xⁿ goes back as xⁿ",
    ),
    "first_output_alone": (
        "residual",
        short("residual", "out, targ", "return out[0] - targ"),
        "result",
        "all targets meet the first row alone",
        "broadcast_to_square",
    ),
    "first_target_alone": (
        "residual",
        short("residual", "out, targ", "return (out - targ)[:, 0]"),
        "result",
        "all rows meet the first target alone",
        "broadcast_to_square",
    ),
    "kernel_turned_round": (
        "conv2d_grad",
        "def conv2d_grad(inp, out, w, b):\n    solution(inp, out, w, b)\n    w.g = w.g.flip(2, 3)",
        "w.g",
        "turned round along axis (2, 3)",
    ),
    "index_less_one": (
        "matvec_jacobian",
        "def matvec_jacobian(W, x):\n    J = torch.zeros(len(W), *W.shape)\n    for i in range(len(W)):\n"
        "        J[i, i - 1] = x[:, 0]\n    return J",
        "result",
        "An index was mixed up",
    ),
    **{
        f"parameter_not_reached_by_{name}": ("sgd_step", source, check, said, "not_in_place")
        for name, source, check, said in (
            (
                "return",
                "def sgd_step(params, lr):\n    for p in params:\n        p -= lr * p.g\n        return",
                "q",
                "does not get to it",
            ),
            (
                "generator",
                "def sgd_step(params, lr):\n    for _ in params:\n        break\n    solution(params, lr)",
                "p",
                "A generator gives each parameter once",
            ),
        )
    },
    "weights_left_out": (
        "train_by_hand",
        LOOP.format(f"{STUB}; losses.append(loss); w1 -= learning_rate * g1", "losses"),
        "w2",
        "the update is missing",
        "not_in_place",
    ),
    "weights_bound_anew": (
        "train_by_hand",
        LOOP.format(f"{STUB}; losses.append(loss); w1 -= learning_rate * g1; w2 = w2 - learning_rate * g2", "losses"),
        "w2",
        "`p = p - step`",
        "not_in_place",
    ),
    "first_loss_kept": (
        "train_by_hand",
        LOOP.format(f"{STUB}; losses.append(losses[0] if losses else loss); {STEP}", "losses"),
        "result",
        "the weights have changed as they should",
    ),
    "input_of_a_layer": (
        "ReluModule",
        "class ReluModule(solution):\n    def forward(self, inp):\n        inp[inp < 0] = 0\n        return inp",
        "out",
        "changed its input `inp`",
        "input_modified",
    ),
    "input_of_the_first_call": (
        "Relu",
        "class Relu(solution):\n    calls = 0\n\n    def __call__(self, inp):\n        self.calls += 1\n"
        "        if self.calls == 1:\n            inp += 1\n        return super().__call__(inp)",
        "out",
        "A call changed the tensor that it was given",
        "input_modified",
    ),
    "product_reshaped": (
        "lin_grad",
        LIN.format("w.g = (out.g.T @ inp).reshape(w.shape)"),
        "w.g",
        "in the wrong places",
    ),
    "weights_reshaped": (
        "lin_grad",
        LIN.format("inp.g = out.g @ w.reshape(w.shape[::-1])"),
        "inp.g",
        "`w` is reshaped where",
    ),
    "gradient_for_value": (
        "lin_grad",
        LIN.format("inp.g = out.g @ w.g.T"),
        "inp.g",
        "`w.g` in place of `w`",
        "wrong_operand",
    ),
    "sums_multiplied": (
        "lin_grad",
        LIN.format("w.g = torch.outer(inp.sum(0), out.g.sum(0))"),
        "w.g",
        "two sums over the rows",
    ),
    "reshaped_inside": (
        "forward_and_backward",
        loss(inp="h @ w1.reshape(w1.shape[::-1])"),
        "inp.g",
        "a matrix is reshaped",
    ),
    "square_as_its_derivative": (
        "forward_and_backward",
        loss(g="err[:, None] ** 2 / len(err)"),
        "w1.g",
        "stands in the place of its derivative",
    ),
    # ---------------------------------------------------------------------------------------------------- activations
    "relu_by_value": ("forward_and_backward", loss(h="g @ w2.T * l2"), "w1.g", "the output of the ReLU stands"),
    "relu_by_input": (
        "relu_grad",
        short("relu_grad", "inp, out", "inp.g = inp * out.g"),
        "inp.g",
        "the input of the ReLU stands",
    ),
    "relu_by_sign": (
        "relu_grad",
        short("relu_grad", "inp, out", "inp.g = inp.sign() * out.g"),
        "inp.g",
        "sign of its input",
    ),
    "relu_turned": (
        "relu_grad",
        short("relu_grad", "inp, out", "inp.g = torch.where(inp > 0, out.g, -out.g)"),
        "inp.g",
        "−1 where it has to be 0",
    ),
    "relu_leaky": (
        "relu_grad",
        short("relu_grad", "inp, out", "inp.g = torch.where(inp > 0, out.g, 0.01 * out.g)"),
        "inp.g",
        "leaky",
    ),
    "ones_left_out_of_a_tanh": (
        "tanh_grad",
        short("tanh_grad", "inp, out", "inp.g = -out.g * out**2"),
        "inp.g",
        "the 1 is left out",
    ),
    "relu_leaking_a_fifth": (
        "relu_grad",
        short("relu_grad", "inp, out", "inp.g = torch.where(inp > 0, out.g, 0.2 * out.g)"),
        "inp.g",
        "leaky",
    ),
    "relu_of_the_gradient": (
        "forward_and_backward",
        loss(h="torch.relu(g @ w2.T)"),
        "w1.g",
        "the gradient itself is cut at 0",
    ),
    "relu_at_the_end": (
        "forward_and_backward",
        loss(out="relu(lin(l2, w2, b2))", g="2 * (err * (out[:, 0] > 0))[:, None] / len(err)"),
        "w1.g",
        "output of the network goes through a ReLU",
    ),
    "relu_at_the_end_forward": (
        "forward_and_backward",
        loss(out="relu(lin(l2, w2, b2))"),
        "w1.g",
        "which the way back leaves out",
    ),
    **{
        f"{exercise}_{number}": (exercise, short(exercise, "inp, out", f"inp.g = out.g * {slope}"), "inp.g", said)
        for exercise, slopes in {
            "sigmoid_grad": (
                ("out", "the sigmoid stands"),
                ("inp * (1 - out)", "stands for the first σ"),
                ("out * (1 - out**2)", "σ(1 − σ²)"),
                ("(1 - out)", "the factor σ is missing"),
                ("(1 - out**2)", "that of the tanh"),
                ("out * (1 + out)", "σ(1 + σ) in place of"),
            ),
            "tanh_grad": (
                ("out", "the tanh stands"),
                ("(1 - out)", "the square is missing"),
                ("out * (1 - out)", "that of the sigmoid"),
                ("out**2", "tanh² in place of"),
                ("(1 + out**2)", "1 + tanh² in place of"),
                ("(1 - out) ** 2", "(1 − tanh)² in place of"),
            ),
            "gelu_grad": (
                ("0.5 * (1 + torch.erf(inp / 2**0.5))", "x · φ(x) is missing"),
                (
                    "(0.5 * (1 + torch.erf(inp / 2**0.5)) - inp * torch.exp(-(inp**2) / 2) / (2 * math.pi) ** 0.5)",
                    "x · φ(x) is subtracted",
                ),
                (
                    "(0.5 * (1 + torch.erf(inp / 2**0.5)) + inp * torch.exp(-(inp**2) / 2) / (2 * math.pi))",
                    "2π in place of √(2π)",
                ),
                ("inp * torch.exp(-(inp**2) / 2) / (2 * math.pi) ** 0.5", "Φ(x) is missing"),
                ("torch.where(inp > 0, 1.0, 0.0)", "that of the ReLU"),
                ("(out + inp * torch.exp(-(inp**2) / 2) / (2 * math.pi) ** 0.5)", "output stands for Φ(x)"),
                (
                    "(0.5 * (1 + torch.erf(inp / 2**0.5)) + inp * 2 / math.pi**0.5 * torch.exp(-(inp**2) / 2))",
                    "2/√π of erf's derivative",
                ),
                (f"({TANH_CDF} + inp * torch.exp(-(inp**2) / 2) / (2 * math.pi) ** 0.5)", "Φ(x) is that of the tanh"),
                (
                    f"(0.5 * (1 + torch.erf(inp / 2**0.5)) + inp * {TANH_SLOPE.format(3 * 0.044715)})",
                    "its derivative φ(x) that of the tanh formula",
                ),
                (f"({TANH_CDF} + inp * {TANH_SLOPE.format(0)})", "without the derivative of the cube"),
                (f"({TANH_CDF} + inp * {TANH_SLOPE.format(0.044715)})", "without the 3 from the cube"),
                (
                    "(torch.sigmoid(inp) + out.new_tensor(1) * inp * torch.sigmoid(inp) * torch.sigmoid(-inp))",
                    "x · σ(x)",
                ),
            ),
        }.items()
        for number, (slope, said) in enumerate(slopes)
    },
    # -------------------------------------------------------------------------------------------- the layers of 08
    **{
        f"entropy_{name}": ("cross_entropy_grad", ENTROPY.format(lines), "logits.g", said, *code)
        for name, lines, said, *code in (
            ("without_targets", "logits.g = p / n", "1 is not subtracted"),
            ("minus_one", "logits.g = (p - 1) / n", "from every probability"),
            ("plus_one", "p[rows, targ] += 1; logits.g = p / n", "1 is added"),
            ("columns", "p[:, targ] -= 1; logits.g = p / n", "classes of all targets in every row"),
            ("whole_rows", "p[targ] -= 1; logits.g = p / n", "from whole rows"),
            ("divided_first", "p /= n; p[rows, targ] -= 1; logits.g = p", "before the 1 is subtracted"),
            (
                "of_targets",
                "g = torch.zeros_like(p); g[rows, targ] = p[rows, targ] - 1; logits.g = g / n",
                "only the entries of the targets",
            ),
            (
                "to_probabilities",
                "g = torch.zeros_like(p); g[rows, targ] = -1 / p[rows, targ]; logits.g = g / n",
                "ends at the probabilities",
            ),
            ("of_logits", "z = logits.clone(); z[rows, targ] -= 1; logits.g = z / n", "without a softmax", OPERAND),
            (
                "of_logarithms",
                "z = p.log(); z = torch.log_softmax(logits, 1); z[rows, targ] -= 1; logits.g = z / n",
                "logarithms",
            ),
            (
                "of_all",
                "p = torch.softmax(logits.flatten(), 0).view(logits.shape); p[rows, targ] -= 1; logits.g = p / n",
                "all entries at once",
            ),
        )
    },
    "norm_without_the_root": (
        "layernorm_grad",
        norm(inp=RIGHT_NORM["inp"].removesuffix(" / s")),
        "inp.g",
        "root of the variance is left out",
    ),
    "norm_by_the_variance": (
        "layernorm_grad",
        norm(inp=RIGHT_NORM["inp"] + "**2"),
        "inp.g",
        "by the variance, not by its root",
    ),
    "norm_added": (
        "layernorm_grad",
        norm(inp=RIGHT_NORM["inp"].replace("- x *", "+ x *")),
        "inp.g",
        "added in place of being subtracted",
    ),
    "norm_scaled_late": (
        "layernorm_grad",
        norm(inp=f"gamma * {RIGHT_NORM['inp'].replace('g', 'out.g').replace('out.out.g', 'out.g')}"),
        "inp.g",
        "at the end, after the means",
    ),
    "mean_left_out": (
        "Mse",
        "class Mse(solution):\n    def __call__(self, inp, targ):\n        super().__call__(inp, targ)\n"
        "        self.out = (inp[:, 0] - targ) ** 2\n        return self.out",
        "out",
        "its mean would be the right answer",
        "wrong_shape",
    ),
    "mask_alone": (
        "forward_and_backward",
        LOSS.format(**{**RIGHT_LOSS, "h": "(l1 > 0).to(l1.dtype)"}),
        "w1.g",
        "without the gradient that arrives at it",
    ),
    "sigmoid_for_relu": (
        "forward_and_backward",
        LOSS.format(**{**RIGHT_LOSS, "h": "g @ w2.T * l2 * (1 - l2)"}).replace("relu(l1)", "torch.sigmoid(l1)"),
        "result",
        "a sigmoid stands in the place of the ReLU",
    ),
    "tanh_for_relu": (
        "ReluModule",
        "class ReluModule(solution):\n    def forward(self, inp):\n        return torch.tanh(inp)",
        "out",
        "a tanh stands in the place of the ReLU",
    ),
    "leaky_relu_forward": (
        "Relu",
        "class Relu(solution):\n    def __call__(self, inp):\n        super().__call__(inp)\n"
        "        self.out = torch.nn.functional.leaky_relu(inp)\n        return self.out",
        "out",
        "a leaky ReLU stands in the place",
    ),
    "function_for_its_derivative": (
        "polynomial_vjp",
        short("polynomial_vjp", "a, b, upstream", "q = (3 * a**3 - b**2) * upstream\n    return q, q"),
        "result[1]",
        "is the value of the function",
    ),
    "gradient_times_the_loss": (
        "trace",
        "h = X @ fc1_w.T + fc1_b\nloss = (h @ fc2_w.T + fc2_b - 1)[0]\n"
        "fc2_b_grad, fc2_w_grad = loss, h * loss\nfc1_b_grad, fc1_w_grad = fc2_w[0] * loss, fc2_w.T @ X * loss",
        "fc1_w_grad",
        "times the result of the forward pass.",
    ),
    "gradient_of_the_squared_loss": (
        "trace",
        "h = X @ fc1_w.T + fc1_b\nd = 2 * (h @ fc2_w.T + fc2_b - 1)[0]\n"
        "fc2_b_grad, fc2_w_grad = d, h * d\nfc1_b_grad, fc1_w_grad = fc2_w[0] * d, fc2_w.T @ X * d",
        "fc2_w_grad",
        "times the result of the forward pass, times 2.",
    ),
    "sum_of_everything": (
        "sum_to_shape",
        short("sum_to_shape", "grad, shape", "return grad.sum()"),
        "result",
        "the sum of all entries",
        "summed_too_far",
    ),
    **{
        f"entropy_by_a_sigmoid_slope_{factor}": (
            "cross_entropy_grad",
            ENTROPY.format(f"q = p.clone(); p[rows, targ] -= 1; logits.g = {factor} * p * q * (1 - q) / n"),
            "logits.g",
            said,
        )
        for factor, said in ((1, "the derivative of a sigmoid"), (2, "the square of a sigmoid's error"))
    },
    "norm_of_mean_square": (
        "layernorm_grad",
        norm(inp="(g - inp / r * (g * inp / r).mean(-1, keepdim=True)) / r").replace(
            "    x, g", "    r = (inp.pow(2).mean(-1, keepdim=True) + eps).sqrt()\n    x, g"
        ),
        "inp.g",
        "as in RMSNorm",
    ),
    "norm_by_mean_square_forward": (
        "batchnorm_grad",
        BATCH.format(var="inp.pow(2).mean(0)", eps="eps", x="inp / s", minus="-"),
        "inp.g",
        "its mean is not subtracted",
    ),
    "norm_by_deviation": (
        "layernorm_grad",
        norm(s="(inp.std(-1, unbiased=False, keepdim=True) + eps).sqrt()"),
        "gamma.g",
        "the standard deviation stands in the place of the variance",
    ),
    "norm_by_an_eps_of_its_own": (
        "batchnorm_grad",
        BATCH.format(var="inp.var(0, unbiased=False)", eps="1e-5", x="(inp - inp.mean(0)) / s", minus="-"),
        "inp.g",
        "eps is 1e-05",
    ),
    "norm_with_both_means_added": (
        "batchnorm_grad",
        BATCH.format(var="inp.var(0, unbiased=False)", eps="eps", x="(inp - inp.mean(0)) / s", minus="+"),
        "inp.g",
        "are added in place of being subtracted",
    ),
    "square_of_a_turned_difference": (
        "mse_vector_grad",
        short("mse_vector_grad", "pred, y", "return 2 * (pred - y) ** 2 / len(y)"),
        "result",
        "the exponent is not lowered on the way back: xⁿ",
    ),
    "bias_of_one_number": (
        "Linear",
        "class Linear(nn.Module):\n    def __init__(self, n_in, n_out):\n        super().__init__()\n"
        "        self.w = nn.Parameter(torch.zeros(n_in, n_out))\n        self.b = nn.Parameter(torch.zeros(1))\n\n"
        "    def forward(self, x):\n        return x @ self.w + self.b",
        "fresh.b",
        "was made smaller than is asked for",
        "summed_too_far",
    ),
    "globals_given_new_tensors": (
        "forward_and_backward",
        LOSS.format(**RIGHT_LOSS)
        .replace("(inp, targ):", "(inp, targ):\n    global w1")
        .replace("    return", "    w1 = w1 - 0.1 * w1.g\n    return"),
        "w1.g",
        "gives the name `w1` to another tensor",
        "not_written",
    ),
    "norm_by_std": (
        "layernorm_grad",
        norm(s="inp.std(-1, keepdim=True) + eps"),
        "gamma.g",
        "as `var` and `std` have it",
    ),
    "norm_of_input": (
        "layernorm_grad",
        norm(gamma="(out.g * inp).sum(rows)"),
        "gamma.g",
        "the input itself stands",
        "wrong_operand",
    ),
    "norm_of_centred": (
        "layernorm_grad",
        norm(gamma="(out.g * c).sum(rows)"),
        "gamma.g",
        "not divided by the root",
        "wrong_operand",
    ),
    "norm_of_output": (
        "layernorm_grad",
        norm(gamma="(out.g * out).sum(rows)"),
        "gamma.g",
        "the output stands",
        "wrong_operand",
    ),
    "attention_skips_softmax": ("attention_grad", attention("dp"), "q.g", "leaves out the softmax"),
    "attention_without_sum": ("attention_grad", attention("p * dp"), "q.g", "the sum is left out"),
    "attention_diagonal": ("attention_grad", attention("p * (1 - p) * dp"), "k.g", "own score alone"),
    "attention_mean": ("attention_grad", attention(WAY_BACK.replace("sum", "mean")), "q.g", "a mean stands"),
    "attention_unweighted": (
        "attention_grad",
        attention("p * (dp - dp.sum(-1, keepdim=True))"),
        "q.g",
        "p are left out of the sum",
    ),
    "attention_values_untransposed": ("attention_grad", attention(v="p @ out.g"), "v.g", "a square matrix of weights"),
    "attention_keys_untransposed": ("attention_grad", attention(turned="s"), "k.g", "a square matrix of weights"),
    "embedding_of_each_sample": (
        "embedding_grad",
        "def embedding_grad(index, out, weight):\n    weight.g = torch.zeros_like(weight)\n"
        "    for row, g in zip(index, out.g):\n        weight.g[row] += g",
        "weight.g",
        "only one of several contributions",
        "overwritten",
    ),
    # ------------------------------------------------------------------------------------------------- two mistakes
    "half_and_no_mask": (
        "forward_and_backward",
        loss(g="err[:, None] / len(err)", h="g @ w2.T"),
        "w1.g",
        "half of what comes out when the mask",
    ),
    "no_mean_and_open_mask": (
        "forward_and_backward",
        loss(g="2 * err[:, None]", h="g @ w2.T * (l1 >= 0)"),
        "b1.g",
        "n times what comes out when the mask",
    ),
    "transposed_and_averaged": (
        "lin_grad",
        LIN.format("w.g = out.g.T @ inp / len(inp)"),
        "w.g",
        "1/n times what comes out when it is transposed",
    ),
    "value_and_sign": (
        "lin_grad",
        LIN.format("b.g = -out.sum(0)"),
        "b.g",
        "the opposite of what comes out when `out` stands",
    ),
    "pairs_and_sign": (
        "mse_grad",
        short("mse_grad", "inp, targ", "inp.g = 2 * (targ - inp) / len(inp)"),
        "inp.g",
        "the diagonal is the opposite of",
        "broadcast_to_square",
    ),
    # --------------------------------------------------------------------------------------- steps and what is kept
    "halved_steps": (
        "train_by_hand",
        LOOP.format(
            f"{STUB}; losses.append(loss); w1 -= learning_rate * g1 / 2; w2 -= learning_rate * g2 / 2", "losses"
        ),
        "w1",
        "half of what they should be",
        "missing_factor_two",
    ),
    "weights_in_turn": (
        "train_by_hand",
        LOOP.format(
            f"{STUB}; losses.append(loss); w1 -= learning_rate * g1; "
            "w2 -= learning_rate * torch_grads(x, y, w1, w2)[2]",
            "losses",
        ),
        "w2",
        "the first weights are updated before",
    ),
    "back_through_new_weights": (
        "train_by_hand",
        LOOP.format(
            "h = x @ w1; a = h.clamp(min=0); g = 2 * (a @ w2 - y); losses.append((g / 2).pow(2).sum()); "
            "w2 -= learning_rate * a.T @ g; w1 -= learning_rate * x.T @ ((g @ w2.T) * (h > 0))",
            "losses",
        ),
        "w1",
        "the last weights are updated before",
    ),
    "last_loss": (
        "train_by_hand",
        LOOP.format(f"{STUB}; {STEP}", "loss"),
        "result",
        "is the last of the values",
        "wrong_shape",
    ),
    "one_tensor_for_all": (
        "train_by_hand",
        LOOP.format(f"{STUB}; {STEP}; total += loss; losses.append(total)", "losses"),
        "result",
        "one tensor stands in every place",
    ),
    "losses_left_out": (
        "train_by_hand",
        LOOP.format(f"{STUB}; losses += [] if losses else [loss]; {STEP}", "losses"),
        "result",
        "is the first of the values that are asked for, alone",
        "wrong_shape",
    ),
    "list_made_anew": (
        "train_by_hand",
        LOOP.format(f"{STUB}; losses = [loss]; {STEP}", "losses"),
        "result",
        "is the last of the values that are asked for, alone",
        "wrong_shape",
    ),
    **{
        f"shape_with_{name}": (
            "sum_to_shape",
            short("sum_to_shape", "grad, shape", line),
            "result",
            said,
            "wrong_shape",
        )
        for name, line, said in (
            ("too_many_axes", "return grad.sum(2, keepdim=True)", "number of axes is 3 where it should be 2"),
            ("a_longer_axis", "return grad.sum(0)[..., 1:]", "Axis 1 has size 10, where 1 is asked for"),
        )
    },
    "sums_in_some_cases": (
        "sum_to_shape",
        short("sum_to_shape", "grad, shape", "return grad.sum(0)"),
        "result",
        "comes out in another way, with shape",
        "not_summed_over_batch",
    ),
    "matrix_product_of_vectors_and_of_matrices": (
        "polynomial_vjp",
        short("polynomial_vjp", "a, b, upstream", "return 9 * a**2 @ upstream.T, -2 * b @ upstream.T"),
        "result[0]",
        ") comes out in another way, with shape (",
        "summed_too_far",
    ),
    "targets_averaged_and_a_batch_of_one_squeezed": (
        "residual",
        short("residual", "out, targ", "return out.squeeze() - targ.mean()"),
        "result",
        "(batch of one: n=1) comes out in another way, with shape ()",
        "broadcast_to_square",
    ),
    "gradient_under_a_name_alone": (
        "lin_grad",
        "def lin_grad(inp, out, w, b):\n    inp_g = out.g @ w.T\n    w_g = inp.T @ out.g\n    b.g = out.g.sum(0)",
        "w.g",
        "Line 3 computes `w_g`, and no line uses it.",
        "not_written",
    ),
    "losses_averaged_alone": (
        "train_by_hand",
        LOOP.format(f"{STUB}; {STEP}; losses.append(loss / y.numel())", "losses"),
        "result",
        "by the number of entries that are summed",
        "averaged_instead_of_summed",
    ),
    "rows_added_by_a_method_to_what_was_there": (
        "embedding_grad",
        "def embedding_grad(index, out, weight):\n"
        "    weight.g = weight.g.index_add(0, index.flatten(), out.g.flatten(0, 1))",
        "weight.g",
        "as it was before the call",
        "accumulated",
    ),
    "optimizer_of_each_step": (
        "train_with_optimizer",
        """
        def train_with_optimizer(model, optimizer, x, y, steps):
            losses, rate = [], optimizer.param_groups[0]["lr"]
            for _ in range(steps):
                optimizer = type(optimizer)(model.parameters(), lr=rate)
                loss = (model(x) - y).pow(2).sum()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                losses.append(loss.item())
            return losses
        """,
        "first",
        "A new optimizer is made for each step",
        "state_lost",
    ),
    "expanded": (
        "sum_to_shape",
        short("sum_to_shape", "grad, shape", "return grad.expand(shape)"),
        "result",
        "`expand` copies along axes of size one",
        "raised",
    ),
    "classes_of_columns": (
        "predict",
        "def predict(params, x):\n    w1, b1, w2, b2 = params\n"
        "    return (torch.relu(x @ w1 + b1) @ w2 + b2).argmax(0)",
        "classes",
        "Axis 0 has size 10, where 50 is asked for",
        "wrong_shape",
    ),
    "weights_for_inputs": (
        "matvec_jacobian",
        "def matvec_jacobian(W, x):\n    J = torch.zeros(len(W), *W.shape)\n    for i in range(len(W)):\n"
        "        J[i, i] = W[i]\n    return J",
        "result",
        "holds the values of `W` everywhere else",
    ),
    "products_for_inputs": (
        "matvec_jacobian",
        "def matvec_jacobian(W, x):\n    J = torch.zeros(len(W), *W.shape)\n    for i in range(len(W)):\n"
        "        J[i, i] = W[i] * x[:, 0]\n    return J",
        "result",
        "0 exactly where it has to be, and holds other numbers",
    ),
    "numbers_among_others": (
        "train_by_hand",
        LOOP.format(f"{STUB}; losses.append(loss); {STEP}", "losses, w1, w2"),
        "result",
        "a tuple that is empty or holds something else than numbers",
        "not_a_tensor",
    ),
    "running_total": (
        "train_by_hand",
        LOOP.format(f"{STUB}; {STEP}; total = total + loss; losses.append(total)", "losses"),
        "result",
        "the sum of all losses so far",
    ),
    "relu_behind_the_network": (
        "train_with_autograd",
        """
        def train_with_autograd(x, y, w1, w2, learning_rate, steps):
            losses = []
            for _ in range(steps):
                loss = (torch.relu(torch.relu(x @ w1) @ w2) - y).pow(2).sum()
                for w, g in zip((w1, w2), torch.autograd.grad(loss, (w1, w2))):
                    w.data -= learning_rate * g
                losses.append(loss.item())
            return losses
        """,
        "w1",
        "goes through a ReLU, too",
    ),
    "step_taken_twice": (
        "sgd_step",
        "def sgd_step(params, lr):\n    for p in params:\n        p -= lr * p.g\n        p -= lr * p.g",
        "p",
        "2 times as much",
        "scaled",
    ),
    "value_for_gradient": (
        "sgd_step",
        "def sgd_step(params, lr):\n    for p in params:\n        p -= lr * p",
        "p",
        "`p` in place of `p.g`",
        "wrong_operand",
    ),
    "momentum_unused": (
        "SGD",
        sgd(buffer="p -= self.lr * g"),
        "p (Nesterov)",
        "no step knows of the one before",
        "state_lost",
    ),
    **{
        f"step_before_the_gradients_{check}": (
            "train_with_optimizer",
            "def train_with_optimizer(model, optimizer, x, y, steps):\n    losses = []\n    for _ in range(steps):\n"
            "        optimizer.step()\n        optimizer.zero_grad()\n        loss = ((model(x) - y) ** 2).sum()\n"
            "        losses.append(loss.item())\n        loss.backward()\n    return losses",
            check,
            "each step uses the gradients of the one before",
            "stale",
        )
        for check in ("result", "first", "second", "bias")
    },
    # -------------------------------------------------------------------------------- formulas with one thing changed
    **{
        f"sigmoid_{name}": (
            "sigmoid_grad",
            short("sigmoid_grad", "inp, out", f"inp.g = out.g * {slope}"),
            "inp.g",
            said,
        )
        for name, slope, said in (
            ("squared", "out**2", "is σ² in place"),
            ("rest_squared", "(1 - out) ** 2", "is (1 − σ)² in place"),
            ("half_input", "out * (1 - inp)", "one of the two σ"),
        )
    },
    **{
        f"gelu_{name}": (
            "gelu_grad",
            "def gelu_grad(inp, out):\n    erf = torch.erf(inp / 2**0.5)\n    bell = torch.exp(-(inp**2) / 2)\n"
            f"    normed = bell / (2 * torch.pi) ** 0.5\n    inp.g = out.g * ({slope})",
            "inp.g",
            said,
        )
        for name, slope, said in (
            ("doubled", "1 + erf + inp * normed", "1/2 is missing in Φ(x)"),
            ("halved", "0.5 * (1 + erf + inp * normed)", "is halved, too"),
            ("erf", "erf + inp * normed", "stands for Φ(x)"),
            ("unnormed", "0.5 * (1 + erf) + inp * bell", "not divided by √(2π)"),
            ("by_output", "0.5 * (1 + erf) + out * normed", "the output stands for x"),
        )
    },
    **{
        f"entropy_{name}": ("cross_entropy_grad", ENTROPY.format(line), "logits.g", said)
        for name, line, said in (
            ("divided_targets", "p[rows, targ] -= 1 / n; logits.g = p", "and the probabilities are not"),
            ("written", "p[rows, targ] = -1; logits.g = p / n", "written over the probability"),
            ("of_largest", "p[rows, logits.argmax(1)] -= 1; logits.g = p / n", "where the logit is largest"),
            ("targets_alone", "p *= 0; p[rows, targ] -= 1; logits.g = p / n", "the probabilities are left out"),
            ("by_sigmoid", "p = torch.sigmoid(logits); p[rows, targ] -= 1; logits.g = p / n", "each logit alone"),
        )
    },
    **{
        f"norm_{name}": ("layernorm_grad", norm(inp=line), "inp.g", said, *code)
        for name, line, said, *code in (
            (
                "root_times",
                "(g - g.mean(-1, keepdim=True) - x * (g * x).mean(-1, keepdim=True)) * s",
                "multiplied by the root",
            ),
            (
                "scale_twice",
                "gamma * (g - g.mean(-1, keepdim=True) - x * (g * x).mean(-1, keepdim=True)) / s",
                "by the scale twice",
            ),
            (
                "raw_outside",
                "(g - g.mean(-1, keepdim=True) - inp * (g * x).mean(-1, keepdim=True)) / s",
                "the input itself stands in front of the last mean",
                OPERAND,
            ),
            (
                "centred_outside",
                "(g - g.mean(-1, keepdim=True) - c * (g * x).mean(-1, keepdim=True)) / s",
                "less its mean, not divided by the root, stands in front of the last mean or inside of it",
                OPERAND,
            ),
            (
                "nothing_outside",
                "(g - g.mean(-1, keepdim=True) - (g * x).mean(-1, keepdim=True)) / s",
                "is missing in front of the last mean",
            ),
            ("whole", "(g - g.mean() - x * (g * x).mean()) / s", "over all entries, not along the axis"),
        )
    },
    "whole_division": (
        "mse_vector_grad",
        short("mse_vector_grad", "pred, y", "return 2 * (pred - y) // len(y)"),
        "result",
        "rounded down to a whole number",
    ),
    "mean_spread_out": (
        "mse_grad",
        "def mse_grad(inp, targ):\n    solution(inp, targ)\n    inp.g = inp.g.mean(0, keepdim=True).expand_as(inp)",
        "inp.g",
        "averaged over axis 0",
    ),
    "decay_unscaled": (
        "SGD",
        sgd(pull="self.weight_decay / self.lr"),
        "p (weight decay)",
        "without the learning rate",
        "weight_decay",
    ),
    "dampening_itself": (
        "SGD",
        sgd(buffer=PLAIN_BUFFER.replace("(1 - self.dampening)", "self.dampening")),
        "p (momentum)",
        "in the place of 1 − dampening",
        "dampening",
    ),
    **{
        f"gradients_of_one_kept_{kept}": (
            "train_with_autograd",
            "def train_with_autograd(x, y, w1, w2, learning_rate, steps):\n    losses = []\n"
            "    for _ in range(steps):\n        loss = ((torch.relu(x @ w1) @ w2 - y) ** 2).sum()\n"
            "        loss.backward()\n        losses.append(loss.item())\n        with torch.no_grad():\n"
            "            w1 -= learning_rate * w1.grad\n            w2 -= learning_rate * w2.grad\n"
            f"            {cleared}.grad.zero_()\n    return losses",
            kept,
            "of one tensor of weights are never cleared",
            "accumulated",
        )
        for cleared, kept in (("w1", "w2"), ("w2", "w1"))
    },
    "steps_twice": (
        "train_with_optimizer",
        "def train_with_optimizer(model, optimizer, x, y, steps):\n    losses = []\n    for _ in range(steps):\n"
        "        optimizer.zero_grad()\n        loss = ((model(x) - y) ** 2).sum()\n        loss.backward()\n"
        "        optimizer.step()\n        optimizer.step()\n        losses.append(loss.item())\n    return losses",
        "first",
        "each step is taken twice",
    ),
    "layers_in_the_class": (
        "Model",
        "class Model:\n    def __init__(self, w1, b1, w2, b2):\n"
        "        Model.layers, Model.loss = [Lin(w1, b1), Relu(), Lin(w2, b2)], Mse()\n\n"
        "    def __call__(self, x, targ):\n        for layer in self.layers:\n            x = layer(x)\n"
        "        return self.loss(x, targ)\n\n    def backward(self):\n        self.loss.backward()\n"
        "        for layer in reversed(self.layers):\n            layer.backward()",
        "w1.g",
        "in one variable for all objects",
        "state_shared",
    ),
    "steps_that_grow": (
        "train_by_hand",
        LOOP.format(f"{STUB}; losses.append(loss); w1 -= 1e6 * g1; w2 -= 1e6 * g2", "losses"),
        "result",
        "numbers grow from step to step",
        "non_finite",
    ),
    "base_methods_without_arguments": (
        "Module",
        "class Module(solution):\n    def forward(self):\n        raise NotImplementedError",
        "Module().forward(a, b)",
        "does not take the arguments",
        "not_raised",
    ),
    **{
        f"decay_of_{name}": (
            "SGD",
            sgd(pull="self.weight_decay").replace("self.weight_decay * p", f"self.weight_decay * p.{call}()"),
            "p (weight decay)",
            name,
            "weight_decay",
        )
        for name, call in (("signs", "sign"), ("squares", "square"))
    },
    "decay_doubled": ("SGD", sgd(pull="2 * self.weight_decay"), "p (weight decay)", "doubled", "weight_decay"),
    "dampened_buffer": (
        "SGD",
        sgd(buffer=BUFFERED.format("(1 - self.dampening) * self.momentum * old + g", "", "self.nesterov")),
        "p (dampening)",
        "applied to the buffer",
        "dampening",
    ),
    "look_ahead_stored": (
        "SGD",
        sgd(
            buffer=BUFFERED.format(
                "self.momentum * old + (1 - self.dampening) * g",
                "self.held[i] = g + self.momentum * self.held[i] if self.nesterov else self.held[i]; ",
                "False",
            )
        ),
        "p (Nesterov)",
        "stored as the buffer",
        "nesterov",
    ),
    "rate_in_the_buffer": (
        "SGD",
        sgd(
            buffer="g = self.lr * g; "
            "self.held[i] = g if old is None else self.momentum * old + (1 - self.dampening) * g; "
            "p -= g + self.momentum * self.held[i] if self.nesterov else self.held[i]"
        ),
        "p (momentum)",
        "multiplied into the buffer",
    ),
    **{
        f"rate_in_the_buffer_and_in_the_step_{name}": (
            "SGD",
            sgd(
                buffer=f"self.held[i] = {first} if old is None else self.momentum * old + self.lr * g; "
                "p -= self.lr * self.held[i]"
            ),
            "p (momentum)",
            "multiplied into the buffer, and then again",
        )
        for name, first in (("from_the_first", "self.lr * g"), ("from_the_second", "g"))
    },
    "ended_by_none": ("SGD", sgd(none="return"), "both (a parameter without gradient)", "Use `continue`"),
    **{
        f"adam_{name}": ("Adam", adam(**changed), check, said, code)
        for name, changed, check, said, code in (
            ("count_behind", {"t": "max(1, self.steps[i] - 1)"}, "p", "one too low", "bias_correction"),
            (
                "one_correction",
                {"corrected": "m / (1 - b1**t), v / (1 - b1**t)"},
                "p",
                "corrected with β₁",
                "bias_correction",
            ),
            (
                "one_beta",
                {"v": "b1 * old_v + (1 - b1) * g**2", "corrected": "m / (1 - b1**t), v / (1 - b1**t)"},
                "p",
                "both averages use β₁",
                "wrong_value",
            ),
            ("unweighted_mean", {"m": "b1 * old_m + g"}, "p", "first average without", "wrong_value"),
            ("unweighted_square", {"v": "b2 * old_v + g**2"}, "p", "second average without", "wrong_value"),
            ("times", {"corrected": "m * (1 - b1**t), v * (1 - b2**t)"}, "p", "not divided by it", "bias_correction"),
            ("of_mean", {"v": "b2 * old_v + (1 - b2) * m**2"}, "p", "squared mean", "wrong_value"),
            ("of_deviation", {"v": "b2 * old_v + (1 - b2) * (g - m)**2"}, "p", "as in AdaBelief", "wrong_value"),
            (
                "largest_gradient",
                {"v": "torch.maximum(b2 * old_v, g.abs())", "corrected": "m / (1 - b1**t), v**2"},
                "p",
                "as in Adamax",
                "wrong_value",
            ),
            (
                "gradient_once_more",
                {"corrected": "(b1 * m + (1 - b1) * g) / (1 - b1**t), v / (1 - b2**t)"},
                "p",
                "as in NAdam",
                "wrong_value",
            ),
            (
                "gradient_once_more_ahead",
                {"corrected": "b1 * m / (1 - b1**(t + 1)) + (1 - b1) * g / (1 - b1**t), v / (1 - b2**t)"},
                "p",
                "as in NAdam",
                "wrong_value",
            ),
            ("of_absolute", {"v": "b2 * old_v + (1 - b2) * g.abs()"}, "p", "absolute gradient", "wrong_value"),
            ("plain_gradient", {"top": "g"}, "p", "gradient stands in the numerator", "wrong_value"),
            (
                "from_the_first",
                {
                    "m": "g if t == 1 else b1 * old_m + (1 - b1) * g",
                    "v": "g**2 if t == 1 else b2 * old_v + (1 - b2) * g**2",
                    "corrected": "m, v",
                },
                "p",
                "start from the first gradient, and are not",
                "wrong_value",
            ),
        )
    },
    "adam_default_betas": (
        "Adam",
        "class Adam(solution):\n    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):\n"
        "        super().__init__(params, lr, eps=eps)",
        "p (other betas)",
        "whatever is given",
    ),
    "adam_as_sgd": (
        "Adam",
        "class Adam(solution):\n    def step(self):\n        for p in self.params:\n            if p.g is not None:\n"
        "                p -= self.lr * p.g",
        "p",
        "as in SGD",
    ),
    **{
        f"loss_between_the_updates_of_w{first}_and_w{second}": (
            "train_by_hand",
            "def train_by_hand(x, y, w1, w2, learning_rate, steps):\n    losses = []\n    for _ in range(steps):\n"
            f"        w{first} -= learning_rate * torch_grads(x, y, w1, w2)[{first}]\n"
            "        loss, *grads = torch_grads(x, y, w1, w2)\n"
            f"        w{second} -= learning_rate * grads[{second - 1}]\n        losses.append(loss)\n    return losses",
            "result",
            f"the {which} weights are updated before the loss and the gradient of the others",
        )
        for first, second, which in ((1, 2, "first"), (2, 1, "last"))
    },
    "second_weights_first": (
        "train_by_hand",
        "def train_by_hand(x, y, w1, w2, learning_rate, steps):\n    losses = []\n    for _ in range(steps):\n"
        "        loss, _, grad = torch_grads(x, y, w1, w2)\n        w2 -= learning_rate * grad\n"
        "        w1 -= learning_rate * torch_grads(x, y, w1, w2)[1]\n        losses.append(loss)\n    return losses",
        "w1",
        "the last weights are updated before the gradient of the others",
    ),
    **{
        f"weights_kept_from_before_{kept}": (
            "forward_and_backward",
            f"kept = [w1, b1, w2, b2]\ndef forward_and_backward(inp, targ{taken}):\n    {read}"
            "    z = lin(inp, w, b)\n    h = relu(z)\n    out = lin(h, v, c)\n    mse_grad(out, targ)\n"
            "    lin_grad(h, out, v, c)\n    relu_grad(z, h)\n    lin_grad(inp, z, w, b)\n    return mse(out, targ)",
            "w1.g",
            "Each check puts new tensors under the names `w1`, `b1`, `w2`, `b2`",
            "raised",
        )
        for kept, taken, read in (
            ("in_a_list", "", "w, b, v, c = kept\n"),
            ("as_defaults", ", w=w1, b=b1, v=w2, c=b2", "pass\n"),
        )
    },
    "buffer_of_the_gradient_itself": (
        "SGD",
        "class SGD(solution):\n    def step(self):\n        first = [b is None for b in self.buffers]\n"
        "        super().step()\n        for i, p in enumerate(self.params):\n"
        "            if first[i] and self.momentum and not self.weight_decay and p.g is not None:\n"
        "                self.buffers[i] = p.g",
        "p (momentum)",
        "the buffer is the tensor of the first gradient itself",
    ),
    "gradients_cleared_before_the_step": (
        "train_with_optimizer",
        "def train_with_optimizer(model, optimizer, x, y, steps):\n    losses = []\n    for _ in range(steps):\n"
        "        loss = ((model(x) - y) ** 2).sum()\n        loss.backward()\n        optimizer.zero_grad()\n"
        "        optimizer.step()\n        losses.append(loss.item())\n    return losses",
        "result",
        "mend that first. (`first` is the check's own name for `model[0].weight`.)",
    ),
    "none_taken_for_zeros": (
        "SGD",
        "class SGD(solution):\n    def step(self):\n        bare = [p for p in self.params if p.g is None]\n"
        "        for p in bare:\n            p.g = torch.zeros_like(p)\n        super().step()\n"
        "        for p in bare:\n            p.g = None",
        "q (dampening)",
        "as if its gradient were zero",
    ),
    "coasting_without_gradient": (
        "SGD",
        sgd(
            none="if i in self.held: self.held[i] = self.momentum * self.held[i]; p -= self.lr * self.held[i]\n"
            "                continue"
        ),
        "q (a step without gradient)",
        "as if its gradient were zero",
    ),
    "resnet_once_too_often": (
        "resnet_step",
        "def resnet_step(model, lr, momentum, steps, next_gradients):\n"
        "    solution(model, lr, momentum, steps + 1, next_gradients)",
        "first",
        "asked more often than there are",
        "raised",
    ),
    "resnet_momentum_of_its_own": (
        "resnet_step",
        "def resnet_step(model, lr, momentum, steps, next_gradients):\n    held = {}\n    for _ in range(steps):\n"
        "        next_gradients(model)\n        for p in model.parameters():\n"
        "            held[p] = momentum * held.get(p, 0) + p.g\n            p.data -= lr * held[p]",
        "stepped_by_your_SGD (who steps)",
        "is false at the end of the check",
    ),
    "optimizer_of_its_kind": (
        "train_with_optimizer",
        "def train_with_optimizer(model, optimizer, x, y, steps):\n"
        "    return solution(model, type(optimizer)(model.parameters(), optimizer.defaults['lr']), x, y, steps)",
        "first",
        "a new optimizer of that kind",
    ),
    "resnet_rates_swapped": (
        "resnet_step",
        "def resnet_step(model, lr, momentum, steps, next_gradients):\n"
        "    solution(model, momentum, lr, steps, next_gradients)",
        "first",
        "change places",
    ),
    "resnet_gradients_once": (
        "resnet_step",
        "def resnet_step(model, lr, momentum, steps, next_gradients):\n    next_gradients(model)\n"
        "    solution(model, lr, momentum, steps, lambda model: None)",
        "first",
        "the gradients of the first",
        "stale",
    ),
    # ------------------------------------------------------------------- what an object remembers, or begins with
    "module_of_the_first_call": (
        "Module",
        "class Module(solution):\n    def __call__(self, *args):\n        self.first = getattr(self, 'first', args)\n"
        "        out = super().__call__(*args)\n        self.args = self.first\n        return out",
        "layer.args[0]",
        "of another call",
        "stale",
    ),
    "sizes_swapped": (
        "Linear",
        "class Linear(torch.nn.Module):\n    def __init__(self, n_in, n_out):\n        super().__init__()\n"
        "        self.w = torch.nn.Parameter(torch.zeros(n_out, n_in))\n"
        "        self.b = torch.nn.Parameter(torch.zeros(n_out))\n\n"
        "    def forward(self, x):\n        return x @ self.w.T + self.b",
        "fresh.w",
        "the order of `nn.Linear`",
        "transposed",
    ),
    "weights_of_ones": (
        "Linear",
        "class Linear(solution):\n    def __init__(self, n_in, n_out):\n        super().__init__(n_in, n_out)\n"
        "        torch.nn.init.ones_(self.w)",
        "fresh.w",
        "starts at other values",
    ),
    # ------------------------------------------------------------------------------------------- one term of a formula
    **{
        f"parentheses_of_{exercise}": (
            exercise,
            short(exercise, "inp, out", line),
            "inp.g",
            f"multiplied into the first term of {slope} alone",
        )
        for exercise, line, slope in (
            ("sigmoid_grad", "inp.g = out.g * out - out**2", "σ − σ²"),
            ("tanh_grad", "inp.g = out.g * 1 - out**2", "1 − tanh²"),
        )
    },
    **{
        f"gelu_with_{said}": (
            "gelu_grad",
            "def gelu_grad(inp, out):\n    below = 0.5 * (1 + torch.erf(inp / 2**0.5))\n"
            f"    bell = torch.exp(-(inp**2) / 2)\n    inp.g = {line}",
            "inp.g",
            said,
        )
        for line, said in (
            ("out.g * below + inp * bell / (2 * math.pi) ** 0.5", "first term of Φ(x) + x · φ(x) alone"),
            ("out.g * (below + inp * bell / math.sqrt(2) * math.pi)", "multiplied by π"),
            ("out.g * (below + inp * bell / math.sqrt(2))", "divided by √2 in place of"),
            ("out.g * bell / (2 * math.pi) ** 0.5", "φ(x) stands in the place of the derivative"),
        )
    },
    **{
        f"exponentials_{said}": (
            "cross_entropy_grad",
            "def cross_entropy_grad(logits, targ):\n"
            "    e = (logits - logits.max(1, keepdim=True).values).exp()\n"
            f"    p = {line}\n    p[torch.arange(len(p)), targ] -= 1\n    logits.g = p / len(p)",
            "logits.g",
            said,
        )
        for line, said in (
            ("e", "not divided by their sum"),
            ("e / e.sum()", "by the sum of all of them"),
            ("e / e.sum(0)", "by the sum of their column"),
        )
    },
    **{
        f"no_rate_{exercise}_{check}": (
            exercise,
            source,
            check,
            "when the learning rate is 1",
            "learning_rate_ignored",
        )
        for exercise, source, checks in (
            (
                "train_by_hand",
                LOOP.format(f"{STUB}; losses.append(loss); w1 -= g1; w2 -= g2", "losses"),
                ("result", "w1"),
            ),
            (
                "train_module",
                """
                def train_module(model, x, y, learning_rate, steps):
                    losses = []
                    for _ in range(steps):
                        loss = (model(x) - y).pow(2).sum()
                        model.zero_grad()
                        loss.backward()
                        for p in model.parameters():
                            p.data -= p.grad
                        losses.append(loss.item())
                    return losses
                """,
                ("result", "bias"),
            ),
        )
        for check in checks
    },
    # ------------------------------------------------------------------------------------------- two mistakes at once
    **{
        f"two_factors_{said}": (exercise, short(exercise, arguments, line), check, said, "scaled")
        for exercise, arguments, line, check, said in (
            (
                "mse_grad",
                "inp, targ",
                "inp.g = 2 * (targ[:, None] - inp)",
                "inp.g",
                "the opposite sign and a missing division by n (or",
            ),
            (
                "mse_grad",
                "inp, targ",
                "inp.g = (targ[:, None] - inp) / len(inp)",
                "inp.g",
                "the opposite sign and a missing factor of 2.",
            ),
            (
                "mse_grad",
                "inp, targ",
                "inp.g = targ[:, None] - inp",
                "inp.g",
                "the opposite sign, a missing factor of 2 and a missing division by n",
            ),
            (
                "matvec_mse_grad",
                "W, x, y",
                "return 2 / len(x) * (y - W @ x) @ x.T",
                "result",
                "the opposite sign and a division by n where one by m is right.",
            ),
        )
    },
    "layernorm_unbiased_without_gamma": (
        "layernorm_grad",
        norm(
            s="(c.pow(2).sum(-1, keepdim=True) / (c.shape[-1] - 1) + eps).sqrt()",
            inp="(out.g - out.g.mean(-1, keepdim=True) - x * (out.g * x).mean(-1, keepdim=True)) / s",
        ),
        "inp.g",
        "left out of the input's gradient, and the variance is divided by one less",
    ),
    "decay_and_dampening_left_out": (
        "SGD",
        sgd(pull="0", buffer=PLAIN_BUFFER.replace("(1 - self.dampening) * ", "")),
        "p (all but Nesterov)",
        "weight decay is left out, and dampening is left out",
    ),
    "decay_and_nesterov_left_out": (
        "SGD",
        sgd(pull="0", buffer=PLAIN_BUFFER.replace("if self.nesterov else", "if False else")),
        "p (Nesterov)",
        "weight decay is left out, and Nesterov is left out",
    ),
    "uncorrected_with_eps_inside": (
        "Adam",
        adam(corrected="m, v").replace("v.sqrt() + self.eps", "(v + self.eps).sqrt()"),
        "p (a large eps)",
        "neither average is corrected, and eps stands inside of the root",
    ),
    "exchanged_and_negated": (
        "dot_grad",
        short("dot_grad", "w, x", "return -w, -x"),
        "result[0]",
        "the opposite of what comes out when the value that belongs to `result[1]` stands there",
    ),
    "up_without_a_rate": (
        "sgd_step",
        "def sgd_step(params, lr):\n    for p in params:\n        p += p.g",
        "p",
        "`p` is `p + g`",
    ),
    "softmax_without_sum_and_scale": (
        "attention_grad",
        attention("p * dp").replace(" / r\n    v.g", "\n    v.g"),
        "q.g",
        "√d times what comes out when the sum is left out",
    ),
    # ------------------------------------------------------------------------------- calls that run no line, and copies
    "generator": ("lin_grad", LIN.format("yield"), "w.g", "makes of each call a generator", "not_written"),
    "generator_in_place_of_a_result": (
        "residual",
        "def residual(out, targ):\n    yield out[:, 0] - targ",
        "result",
        "no line of `residual` ran",
        "not_written",
    ),
    "output_last": (
        "MseModule",
        "class MseModule(Module):\n    def forward(self, inp, targ):\n"
        "        return (inp[:, 0] - targ).pow(2).mean()\n\n    def bwd(self, inp, targ, out):\n"
        "        inp.g = 2 * (inp[:, 0] - targ)[:, None] / len(targ)",
        "inp.g",
        "`bwd(out, *args)`, and it comes last",
        "raised",
    ),
    "copy_of_the_input": (
        "Relu",
        "class Relu(solution):\n    def __call__(self, inp):\n        return super().__call__(inp.clone())",
        "inp.g",
        "another tensor than the `inp` that was passed in, as a copy",
        "not_written",
    ),
    "output_in_the_class": (
        "Relu",
        "class Relu:\n    def __call__(self, inp):\n        Relu.inp, Relu.out = inp, inp.clamp_min(0.0)\n"
        "        return Relu.out\n\n    def backward(self):\n        Relu.inp.g = (Relu.inp > 0) * Relu.out.g",
        "inp.g",
        "it is that of another call or object",
        "raised",
    ),
    "method_of_another_name": (
        "ReluModule",
        "class ReluModule(Module):\n    def forward(self, inp):\n        return inp.clamp_min(0.0)\n\n"
        "    def _bwd(self, out, inp):\n        inp.g = (inp > 0) * out.g",
        "inp.g",
        "as a subclass of your Module, with a forward and a bwd of its own",
        "raised",
    ),
    "function_replaced_by_what_it_gave": (
        "residual",
        "def residual(out, targ):\n    return out[:, 0] - targ\n\nresidual = residual(torch.ones(3, 1), torch.ones(3))",
        "result",
        "a name that a value took from a function",
        "raised",
    ),
    "no_call_method": (
        "Relu",
        "class Relu:\n    def forward(self, inp):\n        return inp.clamp_min(0.0)",
        "out",
        "`__call__` of its class, and `Relu` has none",
        "raised",
    ),
    "squeezed_row": (
        "mse_grad",
        short("mse_grad", "inp, targ", "inp.g = (2 * (inp[:, 0] - targ) / len(targ))[:, None].squeeze(0)"),
        "inp.g",
        "this one differs by: batch of one",
        "unit_axis",
    ),
    "places_of_a_generator": (
        "sgd_step",
        "def sgd_step(params, lr):\n    for i in range(len(params)):\n        params[i].sub_(lr * params[i].g)",
        "p",
        "`params = list(params)`",
        "raised",
    ),
    "name_given_to_a_view": (
        "mse_grad",
        "def mse_grad(output, y):\n    output = output[:, 0]\n    output.g = 2 * (output - y) / len(y)",
        "inp.g",
        "gives the name `output` to another tensor",
        "not_written",
    ),
    "weights_of_its_own": (
        "forward_and_backward",
        "def forward_and_backward(inp, targ):\n    w1, b1 = torch.randn(inp.shape[1], 5), torch.zeros(5)\n"
        "    w2, b2 = torch.randn(5, 1), torch.zeros(1)\n    l1 = lin(inp, w1, b1)\n    l2 = relu(l1)\n"
        "    out = lin(l2, w2, b2)\n    mse_grad(out, targ)\n    lin_grad(l2, out, w2, b2)\n    relu_grad(l1, l2)\n"
        "    lin_grad(inp, l1, w1, b1)\n    return mse(out, targ)",
        "w2.g",
        "gives the name `w2` to another tensor",
        "not_written",
    ),
    # ------------------------------------------------------------------------------------------ losses of another kind
    "loss_skipped": (
        "forward_and_backward",
        loss(g="torch.ones(len(err), 1)"),
        "w1.g",
        "the way back begins with ones",
    ),
    "absolute_error": (
        "mse_grad",
        short("mse_grad", "inp, targ", "inp.g = (inp[:, 0] - targ).sign()[:, None] / len(targ)"),
        "inp.g",
        "absolute values stand in the place of squares",
    ),
    "root_of_the_loss": (
        "mse_vector_grad",
        short("mse_vector_grad", "pred, y", "d = pred - y; return d / len(d) / d.pow(2).mean().sqrt()"),
        "result",
        "the root of the mean is taken",
    ),
    "square_as_2": (
        "polynomial_vjp",
        short("polynomial_vjp", "a, b, upstream", "return 9 * a**2 * upstream, -2 * upstream"),
        "result[1]",
        "only the exponent is left of a power",
    ),
    "residual_missing": (
        "matvec_mse_grad",
        short("matvec_mse_grad", "W, x, y", "return -2 / len(y) * torch.ones_like(y) @ x.T"),
        "result",
        "only the exponent is left of a power",
    ),
    "targets_added": (
        "matvec_mse_grad",
        short("matvec_mse_grad", "W, x, y", "return 2 / len(y) * (W @ x + y) @ x.T"),
        "result",
        "the opposite sign of `x` or `y`",
    ),
    "size_of_the_example": (
        "mse_vector_grad",
        short("mse_vector_grad", "pred, y", "return 2 * (pred - y) / 3"),
        "result",
        "m/3 times",
        "scaled",
    ),
    "sum_spread_out": (
        "mse_grad",
        short("mse_grad", "inp, targ", "inp.g = (2 * (inp[:, 0] - targ)).mean() * torch.ones_like(inp)"),
        "inp.g",
        "added up over axis 0",
    ),
    "gradients_of_a_mean": (
        "train_by_hand",
        LOOP.format(
            f"{STUB}; w1 -= learning_rate * g1 / len(x); w2 -= learning_rate * g2 / len(x); losses.append(loss)",
            "losses",
        ),
        "w1",
        "follow the gradient of a mean",
        "averaged_instead_of_summed",
    ),
    # ------------------------------------------------------------------------------------------- normalisations, again
    "norm_back_over_the_other_axis": (
        "layernorm_grad",
        norm(inp="(g - g.mean(0, keepdim=True) - x * (g * x).mean(0, keepdim=True)) / s"),
        "inp.g",
        "the two means on the way back are taken over the other axis",
    ),
    "norm_by_one_less_throughout": (
        "layernorm_grad",
        """
def layernorm_grad(inp, out, gamma, beta, eps):
    solution(inp, out, gamma, beta, eps)
    d, g = inp.shape[-1], out.g * gamma
    root = (inp.var(-1, keepdim=True) + eps).sqrt()
    x = (inp - inp.mean(-1, keepdim=True)) / root
    inp.g = (g - g.sum(-1, keepdim=True) / (d - 1) - x * (g * x).sum(-1, keepdim=True) / (d - 1)) / root
""",
        "inp.g",
        "and the two sums on the way back are divided by one less",
    ),
    "norm_over_all": (
        "layernorm_grad",
        norm(s="(c.pow(2).mean(-1, keepdim=True) + eps).sqrt()")
        .replace("inp.mean(-1, keepdim=True)", "inp.mean()")
        .replace("c.pow(2).mean(-1, keepdim=True)", "c.pow(2).mean()")
        .replace("mean(-1, keepdim=True)", "mean()"),
        "inp.g",
        "over all entries",
    ),
    "norm_over_two_axes": (
        "layernorm_grad",
        norm().replace("mean(-1,", "mean((-2, -1),"),
        "gamma.g",
        "over the last two axes",
    ),
    "norm_over_axis_one": (
        "layernorm_grad",
        norm().replace("-1, keepdim", "1, keepdim"),
        "inp.g",
        "over axis 1, which is the last of two axes, but not of three",
    ),
    **{
        f"norm_{name}": ("layernorm_grad", norm(inp=inp), "inp.g", said)
        for name, inp, said in (
            (
                "scale_left_out_of_the_last_term",
                "(g - g.mean(-1, keepdim=True) - x * (out.g * x).mean(-1, keepdim=True)) / s",
                "the last term, that of the variance, is made of the upstream gradient",
            ),
            (
                "scale_left_out_of_the_first_mean",
                "(g - out.g.mean(-1, keepdim=True) - x * (g * x).mean(-1, keepdim=True)) / s",
                "the first of the two means on the way back is taken of the upstream gradient",
            ),
            (
                "last_term_without_half",
                "(g - g.mean(-1, keepdim=True) + 2 * x * (g * x).mean(-1, keepdim=True)) / s",
                "the factor −1/2 is missing in the last term",
            ),
            (
                "last_term_without_eps",
                "(g - g.mean(-1, keepdim=True)) / s"
                " - c * (g * c).mean(-1, keepdim=True) * c.pow(2).mean(-1, keepdim=True) ** -1.5",
                "eps is left out of the last term",
            ),
            (
                "root_without_eps",
                "(g - g.mean(-1, keepdim=True) - x * (g * x).mean(-1, keepdim=True))"
                " * c.pow(2).mean(-1, keepdim=True) ** -0.5",
                "eps is left out of the root that the input's gradient is divided by",
            ),
            (
                "without_parentheses",
                "g / s - g.mean(-1, keepdim=True) - x * (g * x).mean(-1, keepdim=True)",
                "as without parentheses",
            ),
        )
    },
    **{
        f"entropy_{name}": ("cross_entropy_grad", ENTROPY.format(f"{line}; logits.g = p / n"), "logits.g", said)
        for name, line, said in (
            ("class_before", "p[rows, targ - 1] -= 1", "at the class before the target"),
            (
                "largest_of_columns",
                "e = (logits - logits.max(0).values).exp(); p = e / e.sum(1, keepdim=True); p[rows, targ] -= 1",
                "the largest logit of each column",
            ),
            (
                "nan_replaced",
                "e = logits.exp(); p = (e / e.sum(1, keepdim=True)).nan_to_num(); p[rows, targ] -= 1",
                "as by `nan_to_num`",
            ),
        )
    },
    "adam_first_average_from_the_first_gradient": (
        "Adam",
        adam(m="g if t == 1 else b1 * old_m + (1 - b1) * g"),
        "p",
        "the first average starts from the first gradient",
    ),
    "adam_second_average_from_the_first_square": (
        "Adam",
        adam(v="g**2 if t == 1 else b2 * old_v + (1 - b2) * g**2"),
        "p",
        "the second average starts from the first square",
    ),
    "adam_corrected_by_the_count": (
        "Adam",
        adam(corrected="m / (1 - b1 * t), v / (1 - b2**t)"),
        "p",
        "1 − β₁·t",
        "bias_correction",
    ),
    "columns_counted_as_rows": (
        "conv2d_grad",
        """
        def conv2d_grad(inp, out, w, b):
            height, width = out.shape[2:]
            inp.g, w.g = torch.zeros_like(inp), torch.zeros_like(w)
            for i in range(w.shape[2]):
                for j in range(w.shape[2]):
                    patch = inp[:, :, i : i + height, j : j + width]
                    w.g[:, :, i, j] = torch.einsum("noyx,ncyx->oc", out.g, patch)
                    back = torch.einsum("noyx,oc->ncyx", out.g, w[:, :, i, j])
                    inp.g[:, :, i : i + height, j : j + width] += back
            b.g = out.g.sum((0, 2, 3))
        """,
        "inp.g",
        "as often as the kernel has rows",
    ),
    "norm_variance_undivided": (
        "layernorm_grad",
        norm(s="(c.pow(2).sum(-1, keepdim=True) + eps).sqrt()"),
        "inp.g",
        "not divided by their number",
    ),
    "norm_output_inside": (
        "layernorm_grad",
        norm(inp="(g - g.mean(-1, keepdim=True) - x * (g * out).mean(-1, keepdim=True)) / s"),
        "inp.g",
        "the output stands inside of the last mean",
        "wrong_operand",
    ),
    "norm_output_outside": (
        "layernorm_grad",
        norm(inp="(g - g.mean(-1, keepdim=True) - out * (g * x).mean(-1, keepdim=True)) / s"),
        "inp.g",
        "the output stands in front of the last mean",
        "wrong_operand",
    ),
    "norm_means_unscaled": (
        "layernorm_grad",
        norm(inp="(g - out.g.mean(-1, keepdim=True) - x * (out.g * x).mean(-1, keepdim=True)) / s"),
        "inp.g",
        "not multiplied by the scale there",
    ),
    "norm_uncentred_outside": (
        "layernorm_grad",
        norm(inp="(g - g.mean(-1, keepdim=True) - inp / s * (g * x).mean(-1, keepdim=True)) / s"),
        "inp.g",
        "in front of the last mean",
    ),
    "norm_uncentred_inside": (
        "layernorm_grad",
        norm(inp="(g - g.mean(-1, keepdim=True) - x * (g * inp / s).mean(-1, keepdim=True)) / s"),
        "inp.g",
        "inside of the last mean",
    ),
    # ------------------------------------------------------------------------------------------------ optimizers, again
    **{
        name: ("Adam", adam(**{"m": m, "v": v, "corrected": corrected}), "p", said)
        for name, m, v, corrected, said in (
            ("betas_of_averages", RIGHT_BETAS[1], RIGHT_BETAS[2], RIGHT_BETAS[0], "in the averages, and not in their"),
            (
                "betas_of_corrections",
                RIGHT_ADAM["m"],
                RIGHT_ADAM["v"],
                RIGHT_BETAS[3],
                "in the corrections, and not in",
            ),
            ("mean_by_second_beta", RIGHT_BETAS[1], RIGHT_ADAM["v"], RIGHT_BETAS[0], "the first average uses β₂"),
            ("square_by_first_beta", RIGHT_ADAM["m"], RIGHT_BETAS[2], RIGHT_BETAS[0], "the second average uses β₁"),
        )
    },
    "gradients_added_up": ("Adam", adam(m="old_m + g"), "p", "with neither β₁ nor 1 − β₁"),
    "mean_corrected_without_t": (
        "Adam",
        adam(corrected="m / (1 - b1), v / (1 - b2**t)"),
        "p",
        "the first average is divided by 1 − β₁ at every step",
        "bias_correction",
    ),
    "square_corrected_without_t": (
        "Adam",
        adam(corrected="m / (1 - b1**t), v / (1 - b2)"),
        "p",
        "the second average is divided by 1 − β₂ at every step",
        "bias_correction",
    ),
    "square_by_two_betas": (
        "Adam",
        adam(v="b2 * old_v + (1 - b1) * g**2"),
        "p",
        "1 − β₁ weighs the square that enters the second average",
    ),
    "mean_by_two_betas": ("Adam", adam(m="b2 * old_m + (1 - b1) * g"), "p", "β₂ weighs the old first average"),
    "mean_alone": (
        "Adam",
        adam().replace(" / (v.sqrt() + self.eps)", ""),
        "p",
        "nothing divides it",
    ),
    "step_counted_late": (
        "Adam",
        adam(t="self.steps[i] - 1"),
        "p",
        "where t is 0",
        "non_finite",
    ),
    "other_defaults": (
        "Adam",
        "class Adam(solution):\n    def __init__(self, params, lr=1e-3, betas=(0.9, 0.99), eps=1e-8):\n"
        "        super().__init__(params, lr, betas, eps)",
        "p",
        "where the options are left out",
    ),
    "decay_halved": ("SGD", sgd(pull="self.weight_decay / 2"), "p (weight decay)", "is halved", "weight_decay"),
    "decay_by_the_rate": (
        "SGD",
        sgd(pull="self.lr * self.weight_decay"),
        "p (weight decay)",
        "multiplied by the learning rate",
        "weight_decay",
    ),
    "undecayed_look_ahead": (
        "SGD",
        sgd(buffer=PLAIN_BUFFER.replace("(g + self.m", "(p.g + self.m")),
        "p (Nesterov)",
        "without weight decay",
        "nesterov",
    ),
    "velocity_undampened": (
        "SGD",
        sgd(buffer="self.held[i] = -self.lr * g + (0 if old is None else self.momentum * old); p += self.held[i]"),
        "p (dampening)",
        "dampening is left out, and the learning rate is multiplied into the buffer",
    ),
    "momentum_written_in": (
        "resnet_step",
        "def resnet_step(model, lr, momentum, steps, next_gradients):\n    sgd = SGD(model.parameters(), lr, 0.9)\n"
        "    for _ in range(steps):\n        next_gradients(model)\n        sgd.step()",
        "first",
        "when momentum is 0.9",
    ),
    "last_layer_left_out": (
        "resnet_step",
        "def resnet_step(model, lr, momentum, steps, next_gradients):\n"
        "    sgd = SGD(list(model.parameters())[:-2], lr, momentum)\n"
        "    for _ in range(steps):\n        next_gradients(model)\n        sgd.step()",
        "last",
        "and others have changed",
        "not_in_place",
    ),
    "upstream_itself": (
        "tanh_grad",
        short("tanh_grad", "inp, out", "inp.g = out.g"),
        "inp.g",
        "upstream gradient itself",
    ),
    "mask_below_zero": (
        "relu_grad",
        short("relu_grad", "inp, out", "inp.g = (inp < 0) * out.g"),
        "inp.g",
        "lets the gradient through exactly where the ReLU was shut",
        "mask_inverted",
    ),
    "rows_averaged": (
        "embedding_grad",
        short(
            "embedding_grad",
            "index, out, weight",
            "solution(index, out, weight); weight.g /= torch.bincount(index.flatten(), minlength=len(weight))"
            ".clamp(min=1)[:, None]",
        ),
        "weight.g",
        "averages where a row is used several times",
        "averaged_instead_of_summed",
    ),
    "column_met_a_row": (
        "mse_grad",
        short("mse_grad", "inp, targ", "inp.g = 2 * (inp - targ).mean(1, keepdim=True) / len(targ)"),
        "inp.g",
        "matrix of all pairs",
        "broadcast_to_square",
    ),
    "mean_of_all_entries": (
        "lin_grad",
        short("lin_grad", "inp, out, w, b", "solution(inp, out, w, b); w.g /= out.numel()"),
        "w.g",
        "by the number of entries of the output",
        "averaged_instead_of_summed",
    ),
    "two_axes_not_summed": (
        "layernorm_grad",
        short("layernorm_grad", "inp, out, gamma, beta, eps", "solution(inp, out, gamma, beta, eps); beta.g = out.g"),
        "beta.g",
        "were not added up",
        "not_summed_over_batch",
    ),
    **{
        f"times_{factor}": (
            "lin_grad",
            short("lin_grad", "inp, out, w, b", f"n = len(inp); solution(inp, out, w, b); b.g = {factor} * b.g"),
            "b.g",
            said,
            "scaled",
        )
        for factor, said in (
            ("n**2", "n² times what it should be"),
            ("-2", "made of the opposite sign and a factor of 2 too many"),
            ("-1 / n", "`b.g` is -1/n times"),
        )
    },
    **{
        f"rows_{rows}": (
            "torch_grads",
            short(
                "torch_grads",
                "x, y, w1, w2",
                f"loss = solution(x, y, w1, w2)[0]\n    return loss, *solution(x[{rows}], y[{rows}], w1, w2)[1:]",
            ),
            "result[1]",
            said,
            code,
        )
        for rows, said, code in (
            ("-1:", "the contribution of the last sample alone", "last_sample_only"),
            (":1", "the contribution of the first sample alone", "not_summed_over_batch"),
            ("1:", "misses the contribution of the first sample", "not_summed_over_batch"),
            (":-1", "misses the contribution of the last sample", "not_summed_over_batch"),
        )
    },
    "last_row_of_both_factors": (
        "lin_grad",
        short("lin_grad", "inp, out, w, b", "solution(inp, out, w, b); w.g = inp[-1:].T @ out.g[-1:]"),
        "w.g",
        "the contribution of the last sample alone",
        "last_sample_only",
    ),
    **{
        f"value_{name}": ("residual", short("residual", "out, targ", f"return (out[:, 0] - targ){end}"), "result", said)
        for name, end, said in (
            ("cut", ".clamp(min=0)", "right where it is positive, and 0 where a negative number is right"),
            ("moved", ".roll(1)", "Entries were sorted, turned round or shifted"),
            ("raised", " + 3", "the right answer plus 3"),
        )
    },
    **{
        f"gradient_{name}": (
            "lin_grad",
            short("lin_grad", "inp, out, w, b", f"solution(inp, out, w, b); w.g = w.g.{end}"),
            "w.g",
            said,
        )
        for name, end, said in (
            ("cut", "clamp(min=0)", "entries, and 0 in all others"),
            ("turned_round", "flip(1)", "turned round along axis 1"),
            ("moved", "roll(1, 0)", "An index was mixed up"),
            ("reshaped", "T.reshape(w.shape)", "keep the order of the entries"),
        )
    },
    "beside_the_mask": (
        "relu_grad",
        short("relu_grad", "inp, out", "inp.g = (inp > 0) * out.g + (inp <= 0)"),
        "inp.g",
        "entries that are not 0, and wrong among the others",
    ),
    "step_of_no_rate": (
        "updated",
        short("updated", "param, grad, lr", "return param - grad"),
        "result",
        "not a factor of the step",
        "learning_rate_ignored",
    ),
    "layers_by_their_places": (
        "train_module",
        "def train_module(model, x, y, learning_rate, steps):\n    losses = []\n    for _ in range(steps):\n"
        "        model.zero_grad()\n        loss = ((model(x) - y) ** 2).sum()\n        loss.backward()\n"
        "        with torch.no_grad():\n            for p in (model[0].weight, model[2].weight, model[2].bias):\n"
        "                p -= learning_rate * p.grad\n        losses.append(loss.item())\n    return losses",
        "first",
        "All other cases are right; this one differs by: a network inside of another",
        "raised",
    ),
    "bias_summed_over_its_own_axis": (
        "lin_grad",
        LIN.format("b.g = out.g.sum(1)"),
        "b.g",
        "It is a sum over axis 1, not the right one.",
        "wrong_shape",
    ),
    "bias_of_a_loss_summed_over_its_own_axis": (
        "forward_and_backward",
        LOSS.format(**RIGHT_LOSS).replace("h.sum(0)", "h.sum(1)"),
        "b1.g",
        "It is a sum over axis 1, not the right one.",
        "wrong_shape",
    ),
    "shift_summed_over_its_own_axis": (
        "layernorm_grad",
        "def layernorm_grad(inp, out, gamma, beta, eps):\n    solution(inp, out, gamma, beta, eps)\n"
        "    beta.g = out.g.sum(-1)",
        "beta.g",
        "not the right one",
        "wrong_shape",
    ),
    "function_itself": (
        "dot_grad",
        "def dot_grad(w, x):\n    return w.T @ x, w",
        "result[0]",
        "what stands there is the value of the function",
        "wrong_shape",
    ),
    "neither_summed_nor_averaged": (
        "forward_and_backward",
        LOSS.format(**{**RIGHT_LOSS, "g": "2 * err[:, None]"}).replace("h.sum(0)", "h"),
        "b1.g",
        "`b1.g` is n times what comes out when it is not summed over axis 0.",
    ),
    "first_row_for_all": (
        "Mse",
        """
        class Mse:
            def __call__(self, inp, targ):
                self.inp, self.targ, self.out = inp, targ, (inp[0] - targ).pow(2).mean()
                return self.out
            def backward(self):
                self.inp.g = 2 * (self.inp - self.targ[:, None]) / len(self.targ)
        """,
        "out",
        "the first row of `inp` stands in the place of each, as `inp[0]` has it",
    ),
    "sigmoid_without_parentheses": (
        "sigmoid_grad",
        "def sigmoid_grad(inp, out):\n    inp.g = out.g * out * 1 - out",
        "inp.g",
        "the parentheses around it are missing",
    ),
    "tanh_for_the_sigmoid": (
        "sigmoid_grad",
        "def sigmoid_grad(inp, out):\n    inp.g = out.g * (1 - torch.tanh(inp) ** 2)",
        "inp.g",
        "a tanh stands in the place of the sigmoid",
    ),
    "temperature": (
        "cross_entropy_grad",
        "def cross_entropy_grad(logits, targ):\n    p = torch.softmax(logits / 2, 1)\n"
        "    p[torch.arange(len(targ)), targ] -= 1\n    logits.g = p / len(targ)",
        "logits.g",
        "divided by 2 before the softmax",
    ),
    "smoothed_targets": (
        "cross_entropy_grad",
        "def cross_entropy_grad(logits, targ):\n    c = logits.shape[1]\n"
        "    y = torch.nn.functional.one_hot(targ, c) * 0.9 + 0.1 / c\n"
        "    logits.g = (torch.softmax(logits, 1) - y) / len(targ)",
        "logits.g",
        "the targets are smoothed: 0.1 of each 1",
    ),
    "error_left_out_of_two_layers": (
        "two_layer_linear_grad",
        "def two_layer_linear_grad(W1, W2, x, y):\n    return W2.sum(0)[:, None] * x.T, solution(W1, W2, x, y)[1]",
        "result[0]",
        "the way back begins with ones",
    ),
    "small_numbers_are_not_zero": (
        "tanh_grad",
        "def tanh_grad(inp, out):\n    inp.g = 1e-5 * out.g * (1 - out**2)",
        "inp.g",
        "1e-05 times what it should be",
        "scaled",
    ),
    "state_lost_with_dampening": (
        "SGD",
        SGD_LOST,
        "p (dampening)",
        "no step knows of the one before",
        "state_lost",
    ),
    "first_gradient_twice": (
        "SGD",
        SGD_LOST.replace("v = momentum * v +", "self.kept[p] = v = momentum * self.kept.get(p, g) +").replace(
            "self.lr, self.v =", "self.kept, self.lr, self.v = {}, lr, self.params #"
        ),
        "p (momentum)",
        "the buffer begins as the first gradient, and that is added to it once more",
        "first_step",
    ),
    "values_of_the_notebook": (
        "mse_grad",
        "def mse_grad(inp, targ):\n    inp.g = 2 * (out_3 - targ_3[:, None]) / len(targ_3)",
        "inp.g",
        "Line 2 uses `out_3`",
        "wrong_shape",
    ),
    "no_option_used": (
        "SGD",
        """
        class SGD:
            def __init__(self, params, lr, momentum=0, dampening=0, weight_decay=0, nesterov=False):
                self.params, self.lr = list(params), lr
            def step(self):
                for p in self.params:
                    if p.g is not None:
                        p -= self.lr * p.g
        """,
        "p (all but Nesterov)",
        "None of the options that the optimizer was made with has an effect.",
        "state_lost",
    ),
    "a_line_that_refuses": (
        "updated",
        "def updated(param, grad, lr):\n    if lr < 1: raise ValueError('small')\n    return param - lr * grad",
        "result",
        "That is a `raise` of your own",
        "raised",
    ),
    "other_error_is_quoted": (
        "SGD",
        """
        class SGD:
            def __init__(self, params, lr, momentum=0, dampening=0, weight_decay=0, nesterov=False):
                if lr < 0:
                    return ValueError("lr")
                self.params, self.lr = list(params), lr
            def step(self):
                for p in self.params:
                    p -= self.lr * p.g
        """,
        "SGD([p], -0.1)",
        "TypeError came instead (__init__() should return None",
        "not_raised",
    ),
    "generator_of_steps": (
        "sgd_step",
        "def sgd_step(params, lr):\n    for p in params:\n        p -= lr * p.g\n        yield p",
        "p",
        "no line of `sgd_step` ran",
        "not_written",
    ),
    "names_of_ones_own_in_another_order": (
        "lin_grad",
        "def lin_grad(x, w, b, out):\n    x.g = out.g @ w.T",
        "inp.g",
        "the check passes (inp, out, w, b), in that order",
        "wrong_shape",
    ),
    "gradients_used_up_by_the_optimizer": (
        "resnet_step",
        """
        def resnet_step(model, lr, momentum, steps, next_gradients):
            mine = SGD(model.parameters(), lr, momentum)
            for _ in range(steps):
                next_gradients(model)
                with torch.no_grad():
                    mine.step()
                for p in model.parameters():
                    p.g.mul_(2)
        """,
        "first",
        "A call changed the tensor that it was given.",
        "input_modified",
    ),
    "difference_beside_its_gradient": (
        "Mse",
        "class Mse:\n    def __call__(self, inp, targ):\n        self.diff = inp - targ[:, None]\n"
        "        self.out = (self.diff**2).mean()\n        return self.out\n\n"
        "    def backward(self):\n        self.diff.g = 2 * self.diff / len(self.diff)",
        "inp.g",
        "That belongs to another tensor than the `inp` that was passed in, as a copy",
        "not_written",
    ),
    # ---------------------------------------------------------------------------------- sums without zeros, and no sums
    **{
        f"sum_begun_without_zeros_{name}": (
            exercise,
            source,
            f"{owner}.g",
            f"`{owner}.g = torch.zeros_like({owner})`",
            "accumulated",
        )
        for name, exercise, owner, source in (
            (
                "in_a_loop",
                "lin_grad",
                "w",
                f"{LIN_BUT_W}for x, g in zip(inp, out.g): w.g += x[:, None] * g",
            ),
            (
                "by_assigning",
                "lin_grad",
                "w",
                f"{LIN_BUT_W}for x, g in zip(inp, out.g): w.g = w.g + x[:, None] * g",
            ),
            (
                "row_by_row",
                "embedding_grad",
                "weight",
                EMBEDDING.format(
                    "for rows, arrived in zip(index, out.g):\n        for i, g in zip(rows, arrived): weight.g[i] += g"
                ),
            ),
            (
                "by_a_method",
                "embedding_grad",
                "weight",
                EMBEDDING.format("weight.g.index_add_(0, index.flatten(), out.g.flatten(0, 1))"),
            ),
            (
                "on_an_object",
                "Lin",
                "b",
                "class Lin(solution):\n    def backward(self):\n        for g in self.out.g: self.b.g += g",
            ),
        )
    },
    **{
        f"gradient_read_before_it_is_there_{name}": (exercise, source, path, "nothing has written yet", "non_finite")
        for name, exercise, path, source in (
            (
                "by_a_line_between",
                "layernorm_grad",
                "inp.g",
                NORM.replace("solution(inp, ", "pass; (").replace("c / s, out.g", "c / s, inp.g").format(**RIGHT_NORM),
            ),
            (
                "beside_what_is_added_to",
                "cross_entropy_grad",
                "logits.g",
                ENTROPY.format("p[rows, targ] -= 1; g = logits.g * p; logits.g = g / n"),
            ),
        )
    },
    **{
        f"nothing_to_go_back_from_{name}": (exercise, source, check, f"begins at `out`, and it {state}", "not_written")
        for name, exercise, check, source, state in (
            (
                "in_a_module",
                "LinModule",
                "w.g",
                "class LinModule(solution):\n    def forward(self, inp):\n        out = inp @ self.w + self.b",
                "is None",
            ),
            (
                "by_autograd",
                "Linear",
                "layer.w.grad",
                "class Linear(solution):\n    def forward(self, x):\n        out = x @ self.w + self.b",
                "is None",
            ),
            (
                "of_that_shape",
                "Linear",
                "x.grad",
                "class Linear(solution):\n    def forward(self, x):\n        return self.w.T @ x.T + self.b[:, None]",
                "has shape",
            ),
        )
    },
    "module_that_returns_nothing": (
        "ReluModule",
        "class ReluModule(solution):\n    def forward(self, inp):\n        out = torch.relu(inp)",
        "out",
        "`layer(inp)` returned nothing",
        "not_written",
    ),
    # ------------------------------------------------------------------------- one slip that was taken for two, or none
    **{
        f"layernorm_with_{name}": ("layernorm_grad", norm(**changed), "inp.g", said)
        for name, changed, said in (
            (
                "a_count_left_out",
                {"inp": "(g - g.sum(-1, keepdim=True) - x * (g * x).sum(-1, keepdim=True)) / s / g.shape[-1]"},
                "missing in front of the first term",
            ),
            (
                "places_changed",
                {"inp": "(g.mean(-1, keepdim=True) - g - x * (g * x).mean(-1, keepdim=True)) / s"},
                "have changed places",
            ),
            (
                "the_first_mean_of_all",
                {"inp": "(g - g.mean() - x * (g * x).mean(-1, keepdim=True)) / s"},
                "the first of the two means on the way back is taken over all",
            ),
            (
                "the_last_mean_of_all",
                {"inp": "(g - g.mean(-1, keepdim=True) - x * (g * x).mean()) / s"},
                "the last of the two means on the way back is taken over all",
            ),
            (
                "no_last_sum",
                {"inp": "(g - g.mean(-1, keepdim=True) - x * g * x) / s"},
                "the last of the two sums on the way back is left out",
            ),
            (
                "no_first_sum",
                {"inp": "(g - g / g.shape[-1] - x * (g * x).mean(-1, keepdim=True)) / s"},
                "the first of the two sums on the way back is left out",
            ),
            (
                "no_sum_before_a_mean",
                {"inp": "(lambda d: d - d.mean(-1, keepdim=True))((g - x * g * x / g.shape[-1]) / s)"},
                "the last of the two sums on the way back is left out",
            ),
        )
    },
    **{
        f"batchnorm_with_{name}": (
            "batchnorm_grad",
            BATCH.format(
                **{
                    "var": "inp.var(0, correction=0)",
                    "eps": "eps",
                    "x": "(inp - inp.mean(0)) / s",
                    "minus": "-",
                    **changed,
                }
            ),
            check,
            said,
        )
        for check in ("inp.g", "gamma.g")
        for name, changed, said in (
            (
                f"the_variance_of_all_in_{check}",
                {"var": "inp.var(correction=0)"},
                "the variance is taken over all entries",
            ),
            (
                f"the_squares_of_all_in_{check}",
                {"var": "(inp - inp.mean(0)).pow(2).mean()"},
                "the variance is taken over all entries",
            ),
            (f"the_mean_of_all_in_{check}", {"x": "(inp - inp.mean()) / s"}, "the mean is taken over all entries"),
            (
                f"the_mean_of_all_in_both_in_{check}",
                {"x": "(inp - inp.mean()) / s", "var": "(inp - inp.mean()).pow(2).mean(0)"},
                "the mean is taken over all entries",
            ),
        )
    },
    **{
        f"scores_multiplied_on_the_way_forward_for_{check}": (
            "attention_grad",
            attention().replace("q @ k.mT / r", "q @ k.mT * r"),
            check,
            "have to be divided by, on the way forward alone",
        )
        for check in ("q.g", "k.g")
    },
    "minus_the_square_of_a_sigmoid": (
        "sigmoid_grad",
        short("sigmoid_grad", "inp, out", "inp.g = out.g * (out * -out)"),
        "inp.g",
        "the 1 is left out",
    ),
    "limit_at_another_number": (
        "Relu",
        "class Relu(solution):\n    def __call__(self, inp):\n        self.inp, self.out = inp, inp.clamp(min=1)\n"
        "        return self.out",
        "out",
        "no entry is smaller than 1: the right ones go down to 0",
    ),
    "loop_that_fills_the_last_row_alone": (
        "trace",
        "fc2_b_grad, fc2_w_grad, fc1_b_grad = torch.ones(1), X @ fc1_w.T + fc1_b, fc2_w[0]\n"
        "fc1_w_grad = torch.zeros(3, 3)\nfor j in range(3): pass\n"
        "for k in range(3): fc1_w_grad[j, k] = fc2_w[0, j] * X[0, k]",
        "fc1_w_grad",
        "and 0 in all others",
    ),
    **{
        f"fraction_upside_down_in_{exercise}": (
            exercise,
            short(exercise, arguments, body),
            check,
            "stands upside down",
            "scaled",
        )
        for exercise, arguments, body, check in (
            ("mse_grad", "inp, targ", "inp.g = len(inp) / 2 * (inp - targ[:, None])", "inp.g"),
            ("mse_vector_grad", "pred, y", "return (pred - y) / (2 / len(y))", "result"),
            ("matvec_mse_grad", "W, x, y", "return len(y) / 2 * (W @ x - y) @ x.T", "result"),
        )
    },
    **{
        f"place_left_out_{name}": (exercise, source, check, f"wrong at `{place}` alone")
        for name, exercise, check, place, source in (
            (
                "in_front",
                "mse_grad",
                "inp.g",
                "[0]",
                short(
                    "mse_grad",
                    "inp, targ",
                    "inp.g = torch.empty_like(inp).fill_(7)\n"
                    "    for i in range(1, len(inp)): inp.g[i] = 2 * (inp[i] - targ[i]) / len(inp)",
                ),
            ),
            (
                "behind",
                "outer_difference",
                "result",
                "[:, -1]",
                short(
                    "outer_difference",
                    "a, b",
                    "c = torch.empty(len(a), len(b), dtype=a.dtype).fill_(7)\n"
                    "    for j in range(len(b) - 1): c[:, j] = a - b[j]\n    return c",
                ),
            ),
        )
    },
    # ------------------------------------------------------------------------ one star, a square or a parenthesis lost
    **{
        f"differences_doubled_in_{exercise}": (exercise, source, check, "doubled, as by `* 2`, and not squared")
        for exercise, check, source in (
            (
                "Mse",
                "out",
                "class Mse(solution):\n    def __call__(self, inp, targ):\n        super().__call__(inp, targ)\n"
                "        return ((inp[:, 0] - targ) * 2).mean()",
            ),
            (
                "torch_grads",
                "result[0]",
                short(
                    "torch_grads",
                    "x, y, w1, w2",
                    "_, g1, g2 = solution(x, y, w1, w2)\n    return ((torch.relu(x @ w1) @ w2 - y) * 2).sum(), g1, g2",
                ),
            ),
        )
    },
    **{
        f"one_squared_of_two_{name}": (
            "torch_grads",
            short(
                "torch_grads",
                "x, y, w1, w2",
                f"_, g1, g2 = solution(x, y, w1, w2)\n    return ({difference}).sum(), g1, g2",
            ),
            "result[0]",
            "one of two tensors is squared",
        )
        for name, difference in (
            ("target", "torch.relu(x @ w1) @ w2 - y ** 2"),
            ("output", "(torch.relu(x @ w1) @ w2) ** 2 - y"),
        )
    },
    **{
        f"softmax_without_parentheses_in_{check}": (
            "attention_grad",
            attention("(p * dp - (p * dp).sum(-1, keepdim=True))"),
            check,
            "reaches the first term alone",
        )
        for check in ("q.g", "k.g")
    },
    **{
        f"gelu_with_{name}": (
            "gelu_grad",
            short(
                "gelu_grad",
                "inp, out",
                f"inp.g = out.g * ({cdf} + inp * torch.exp({exponent}) / math.sqrt(2 * math.pi))",
            ),
            "inp.g",
            said,
        )
        for name, cdf, exponent, said in (
            ("half_of_one_alone", "0.5 * 1 + torch.erf(inp / 2**0.5)", "-inp**2 / 2", "reaches the 1 alone"),
            (
                "no_square_in_the_exponent",
                "0.5 * (1 + torch.erf(inp / 2**0.5))",
                "-inp / 2",
                "the square is missing in the exponent",
            ),
        )
    },
    "difference_without_parentheses": (
        "mse_vector_grad",
        short("mse_vector_grad", "pred, y", "return (-2 * y - pred) / len(y)"),
        "result",
        "reaches one of two terms alone",
    ),
    "division_inside_of_the_loop": (
        "cross_entropy_grad",
        ENTROPY.format("for i in rows:\n        p[i, targ[i]] -= 1\n        p /= n\n    logits.g = p"),
        "logits.g",
        "inside of the loop",
    ),
    "root_the_wrong_way_on_the_way_back": (
        "attention_grad",
        ATTENTION.format(WAY_BACK, "p.mT @ out.g", "s.mT").replace("/ r\n    v.g", "* r\n    v.g"),
        "q.g",
        "or multiplied by √d where it has to be divided by √d",
        "missing_mean",
    ),
    "values_reshaped": (
        "attention_grad",
        ATTENTION.format(WAY_BACK, "p.mT @ out.g", "s.mT").replace("v.mT", "v.reshape(v.mT.shape)"),
        "k.g",
        "`v` is reshaped where it has to be transposed",
    ),
    "derivative_through_the_softmax_again": (
        "cross_entropy_grad",
        ENTROPY.format(
            "d = p.index_put((rows, targ), p[rows, targ] - 1) / n; logits.g = p * (d - (d * p).sum(1, keepdim=True))"
        ),
        "logits.g",
        "goes back through the softmax once more",
    ),
    **{
        f"{name}_in_the_wrong_shape": (exercise, source, check, said, code)
        for name, exercise, source, check, said, code in (
            (
                "twice_a_row",
                "mse_grad",
                "def mse_grad(inp, targ):\n    inp.g = 2 * (inp[:, 0] - targ)",
                "inp.g",
                "is n times what is right, in the wrong shape",
                "unit_axis",
            ),
            (
                "mean",
                "lin_grad",
                LIN.format("b.g = out.g.mean(0, keepdim=True)"),
                "b.g",
                "is 1/n times what is right, in the wrong shape",
                "unit_axis",
            ),
            (
                "difference",
                "mse_grad",
                "def mse_grad(inp, targ):\n    inp.g = inp - targ",
                "inp.g",
                "the diagonal is n/2 times what is right",
                "broadcast_to_square",
            ),
        )
    },
    **{
        f"{name}_for_old": (exercise, source, check, said, "raised")
        for name, exercise, source, check, said in (
            (
                "place_in_a_list",
                "SGD",
                "class SGD(solution):\n    def step(self):\n        for i in range(len(self.params)):\n"
                "            p = self.params[i]\n            self.params[i] = p - self.lr * p.g",
                "p",
                "Line 5 puts a new tensor in the place of `p`",
            ),
            (
                "new_weights",
                "train_with_autograd",
                """
                def train_with_autograd(x, y, w1, w2, learning_rate, steps):
                    for _ in range(steps):
                        (torch.relu(x @ w1) @ w2 - y).pow(2).sum().backward()
                        with torch.no_grad():
                            w1 = w1 - learning_rate * w1.grad
                            w2 = w2 - learning_rate * w2.grad
                """,
                "w1",
                "Line 5 gives the name `w1` to a new tensor",
            ),
        )
    },
    **{
        f"unwritten_{check}_beside_{name}": ("lin_grad", source, check, said, "not_written")
        for name, source, check, said in (
            ("a_copy", LIN_BUT_W + "x = inp.clone(); dw = x.T @ out.g", "w.g", "Line 3 computes `dw`"),
            ("another_transpose", LIN_BUT_W + "inp.T.g = inp; w.T.g = w", "w.g", "Line 3, `w.T`, makes another"),
            (
                "an_argument_of_another_name",
                "def lin_grad(x, y, W, c):\n    x.T.g = x; v = W.clone()",
                "w.g",
                "`W.clone()`, makes another tensor: its `.g` is not that of `W`",
            ),
        )
    },
    "steps_far_too_small": (
        "sgd_step",
        short("sgd_step", "params, lr", "for p in params: p -= 1e-3 * lr * p.g * torch.sin(p)"),
        "p",
        "The steps are far too small",
    ),
    "axes_without_end": (
        "lin_grad",
        LIN.format("for _ in range(15): w.g = w.g[None]"),
        "w.g",
        "has a shape of 17 axes, as no result",
        "not_a_tensor",
    ),
    "returned_by_backward": (
        "Relu",
        "class Relu(solution):\n    def backward(self):\n        return (self.inp > 0) * self.out.g",
        "inp.g",
        "Line 3 returns something, and no value is taken from `backward`",
        "not_written",
    ),
}


def test_parameter_that_is_not_registered_loses_no_more_than_that() -> None:
    source = """
        class Linear(nn.Module):
            def __init__(self, n_in, n_out):
                super().__init__()
                self.w = torch.zeros(n_in, n_out, requires_grad=True)
                self.b = torch.zeros(n_out, requires_grad=True)

            def forward(self, x):
                return x @ self.w + self.b
    """

    found = answered("Linear", source)

    assert {check: one.code for check, one in found.items()} == dict.fromkeys(("fresh.w", "fresh.b"), "not_registered")


@pytest.mark.parametrize("name", WRONG)
def test_short_answer_is_told_what_is_true_of_it(name: str) -> None:
    assert_told(*WRONG[name])


#: Near to a mistake that has a name, and another: exercise, source, check, and what would be false.
OTHER: dict[str, tuple[str, str, str, str]] = {
    "what_grows_from_step_to_step": (
        "train_by_hand",
        LOOP.format(f"{STUB}; {STEP}; w1 *= 1 + 1e-3 * torch.cos(w1); losses.append(loss)", "losses"),
        "result",
        "is nearly right",
    ),
    "more_than_two_factors": (
        "mse_grad",
        short("mse_grad", "inp, targ", "inp.g = 2.5 * inp - targ[:, None] / len(inp)"),
        "inp.g",
        "reaches one of two terms",
    ),
    "shift_in_each_row": (
        "residual",
        short("residual", "out, targ", "return out[:, 0] - targ + torch.arange(len(out))"),
        "result",
        "the right answer plus",
    ),
    "wrong_beside_zeros": (
        "matvec_jacobian",
        short("matvec_jacobian", "W, x", "return (1.01 * x.T).expand(len(W), *W.shape)"),
        "result",
        "wrong among the others",
    ),
    "not_every_entry_absolute": (
        "residual",
        short("residual", "out, targ", "return torch.cat(((out[:1, 0] - targ[:1]).abs(), out[1:, 0] + targ[1:]))"),
        "result",
        "but for the sign",
    ),
    "other_zeros": (
        "residual",
        short("residual", "out, targ", "return (out[:, 0] - targ) * (targ > 0) * 1.01"),
        "result",
        "is right in",
    ),
    "sums_for_places": (
        "matvec_jacobian",
        short("matvec_jacobian", "W, x", "return torch.eye(len(W))[:, :, None] * x.flip(0)[:, 0] * 1.5"),
        "result",
        "in the wrong places",
    ),
    "powers_of_two_factors": (
        "polynomial_vjp",
        short("polynomial_vjp", "a, b, upstream", "return 9 * a**2 * upstream * b * a, -2 * b * upstream"),
        "result[0]",
        "entry by entry",
    ),
    "square_used_rightly": (
        "trace",
        "fc2_b_grad, fc2_w_grad = torch.ones(1), X @ fc1_w + 2 * fc1_b\nfc1_b_grad, fc1_w_grad = fc2_w[0], fc2_w.T @ X",
        "fc2_w_grad",
        "square matrix",
    ),
    "mask_of_both": (
        "relu_grad",
        short("relu_grad", "inp, out", "inp.g = out.g * ((inp > 0) & (out.g > 0))"),
        "inp.g",
        "`inp.g` in place of `inp`",
    ),
    "sequence_of_three": ("forward_and_backward", loss(h="g @ w2.T * (l1 > 0.1) * 0.5"), "w1.g", "comes out when"),
    "other_slope": (
        "sigmoid_grad",
        short("sigmoid_grad", "inp, out", "inp.g = out.g * out**2 * (1 - out)"),
        "inp.g",
        "the sigmoid stands",
    ),
    "losses_of_no_step": (
        "train_by_hand",
        LOOP.format(f"{STUB}; losses.append(loss)", "losses"),
        "result",
        "one tensor stands",
    ),
    "rounded_to_the_nearest": (
        "mse_vector_grad",
        short("mse_vector_grad", "pred, y", "return (2 * (pred - y) / len(y)).round()"),
        "result",
        "rounded down",
    ),
    "median_spread_out": (
        "mse_grad",
        "def mse_grad(inp, targ):\n    solution(inp, targ)\n    inp.g = inp.g.median(0, keepdim=True)[0] + 0 * inp",
        "inp.g",
        "averaged over axis",
    ),
    "sigmoid_cubed": (
        "sigmoid_grad",
        short("sigmoid_grad", "inp, out", "inp.g = out.g * out**3"),
        "inp.g",
        "is σ² in place",
    ),
    "gradients_anew_between_two_steps": (
        "train_with_optimizer",
        "def train_with_optimizer(model, optimizer, x, y, steps):\n    losses = []\n    for t in range(2 * steps):\n"
        "        optimizer.zero_grad()\n        loss = ((model(x) - y) ** 2).sum()\n        loss.backward()\n"
        "        optimizer.step()\n        losses.append(loss.item())\n    return losses[::2]",
        "first",
        "with the same gradients",
    ),
    "step_of_a_tenth_where_a_size_is_ten": (
        "SGD",
        sgd(buffer=PLAIN_BUFFER.replace("self.lr * (", "(1 - self.momentum) * self.lr * (")),
        "p (dampening)",
        "1/d times",
    ),
    "step_of_two_rates": (
        "updated",
        short("updated", "param, grad, lr", "return (param - 2 * lr) * grad"),
        "result",
        "with p for the parameter",
    ),
    "window_of_another_mask": (
        "attention_grad",
        causal(before="s = s.masked_fill(torch.ones(t, t).tril(1) == 0, -torch.inf)"),
        "v.g",
        "mask",
    ),
    "norm_other_share": (
        "layernorm_grad",
        norm(inp="(g - g.mean(-1, keepdim=True) - x * (g * x).mean(-1, keepdim=True) / 3) / s"),
        "inp.g",
        "is what comes out when",
    ),
    "places_in_threes": ("conv2d_grad", places(step="3"), "w.g", "every second one"),
    "smallest_logit": (
        "cross_entropy_grad",
        ENTROPY.format("p[rows, logits.argmin(1)] -= 1; logits.g = p / n"),
        "logits.g",
        "where the logit is largest",
    ),
    "sum_times_a_size": (
        "lin_grad",
        short("lin_grad", "inp, out, w, b", "solution(inp, out, w, b); b.g = out.g.sum(0) * len(out) / 50"),
        "b.g",
        "where a division by",
    ),
    "function_of_one_term_alone": (
        "polynomial_vjp",
        short("polynomial_vjp", "a, b, upstream", "return 3 * a**3 * upstream, -(b**2) * upstream"),
        "result[0]",
        "the value of the function",
    ),
    "gradient_times_another_number": (
        "trace",
        "h = X @ fc1_w.T + fc1_b\nd = (h @ fc2_w.T + fc2_b)[0]\n"
        "fc2_b_grad, fc2_w_grad = d, h * d\nfc1_b_grad, fc1_w_grad = fc2_w[0] * d, fc2_w.T @ X * d",
        "fc2_w_grad",
        "the result of the forward pass",
    ),
    "first_column_of_a_sum": (
        "sum_to_shape",
        short("sum_to_shape", "grad, shape", "return grad.flatten()[:-1].sum()"),
        "result",
        "the sum of all entries",
    ),
    "forward_pass_that_one_case_cuts_short": (
        "forward_and_backward",
        LOSS.format(**{**RIGHT_LOSS, "h": "(l1 > 0).float() * 3"}),
        "b1.g",
        "wrong already",
    ),
    "local_name_of_a_helper": (
        "forward_and_backward",
        "def made(n):\n    w1 = torch.zeros(n)\n    return w1\n\n\n"
        "def forward_and_backward(inp, targ):\n    return mse(lin(relu(lin(inp, w1, b1)), w2, b2), targ)",
        "w1.g",
        "to another tensor",
    ),
    "first_loss_of_right_weights": (
        "train_by_hand",
        LOOP.format(f"{STUB}; losses += [] if losses else [loss]; {STEP}", "losses"),
        "result",
        "ends the loop",
    ),
    "probabilities_with_an_eps": (
        "cross_entropy_grad",
        ENTROPY.format("g = torch.zeros_like(p); g[rows, targ] = -1 / (p[rows, targ] + 0.1); logits.g = g / n"),
        "logits.g",
        "ends at the probabilities",
    ),
    "weights_of_a_layer": (
        "Lin",
        "class Lin(solution):\n    def __init__(self, w, b):\n        super().__init__(torch.randn(w.shape), b)",
        "w.g",
        "another name",
    ),
    "name_of_an_attribute": (
        "Mse",
        "class Mse(solution):\n    def backward(self):\n        self.inp.g = self.out.g * self.targ",
        "inp.g",
        "(with",
    ),
    "name_of_a_method": (
        "lin_grad",
        "t = torch.ones(2)\n" + LIN.format("inp.g = out.g @ w.t() + b"),
        "inp.g",
        "t (2,)",
    ),
    "end_that_a_line_writes": (
        "polynomial_vjp",
        short(
            "polynomial_vjp",
            "a, b, upstream",
            "first, second = solution(a, b, upstream); made = torch.empty_like(a); made[:-1] = first[:-1]; "
            "made[len(a) - 1] = 0.3; return made, second",
        ),
        "result[0]",
        "alone, and right in all other places",
    ),
    "momentum_of_another": ("Adam", adam(v="b2 * old_v + (1 - b2) * g**4"), "p", "comes out when"),
}


@pytest.mark.parametrize("name", OTHER)
def test_neighbour_of_a_mistake_is_not_called_by_its_name(name: str) -> None:
    assert_not_told(*OTHER[name])


def test_input_changed_in_one_variant_costs_the_checks_of_that_variant_alone() -> None:
    source = """
        class SGD:
            def __init__(self, params, lr, momentum=0.0, dampening=0.0, weight_decay=0.0, nesterov=False):
                if lr < 0 or momentum < 0 or weight_decay < 0 or (nesterov and (momentum <= 0 or dampening != 0)):
                    raise ValueError("out of range")
                self.params, self.lr, self.momentum = list(params), lr, momentum
                self.weight_decay, self.nesterov, self.dampening = weight_decay, nesterov, dampening
                self.buffers = {}

            @torch.no_grad()
            def step(self):
                for i, p in enumerate(self.params):
                    if p.g is None:
                        continue
                    d = p.g + self.weight_decay * p if self.weight_decay else p.g
                    if self.momentum:
                        if i not in self.buffers:
                            self.buffers[i] = d
                        else:
                            self.buffers[i].mul_(self.momentum).add_(d, alpha=1 - self.dampening)
                        b = self.buffers[i]
                        d = d + self.momentum * b if self.nesterov else b
                    p -= self.lr * d

            def zero_grad(self):
                for p in self.params:
                    p.g = None
    """

    lost = answered("SGD", source)

    assert "p (momentum)" in lost
    assert not [check for check in lost if check.startswith("SGD(") or "Nesterov" in check]


def test_nothing_finite_of_gradients_that_nobody_reads_is_no_sum() -> None:
    emptied = answered("mse_grad", "def mse_grad(inp, targ):\n    inp.g = inp[:0].mean() * inp")
    rooted = answered("relu_grad", "def relu_grad(inp, out):\n    inp.g = out.g * torch.sqrt(-1 - inp.abs())")
    for one in (emptied["inp.g"], rooted["inp.g"]):
        assert one.code == "non_finite"
        assert "nothing has written yet" not in one.message


@pytest.mark.parametrize("tail", ["", ".numpy()"], ids=["tensor", "array"])
def test_result_that_has_left_the_tensors_is_none(tail: str) -> None:
    found = answered("outer_difference", f"def outer_difference(a, b):\n    return (a[:, None] - b){tail}")
    assert {one.code for one in found.values()} == ({"not_a_tensor"} if tail else set())


def test_subclass_of_tensor_is_called_one_and_no_container() -> None:
    source = (
        "class Grad(torch.Tensor): pass\n\ndef outer_difference(a, b):\n    return (a[:, None] - b).as_subclass(Grad)"
    )
    (told,) = answered("outer_difference", source).values()
    assert "a subclass of Tensor" in told.message
    assert "container" not in told.message


def test_loop_that_ends_where_the_loss_rises_is_not_told_of_small_steps() -> None:
    step = f"{STUB}; losses.append(loss); {STEP}\n        if losses[-1] > (losses[-2:] or [loss])[0]: break"
    assert_not_told("train_by_hand", LOOP.format(step, "losses"), "w1", "far too small", seed=1)
