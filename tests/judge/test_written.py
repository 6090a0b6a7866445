"""Answers as students write them: the sentence that each must get, and sentences that would be false of it."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from grader.model import Diagnosis
from tests.judge.answered import answered


@dataclass(frozen=True)
class Row:
    """A wrong answer to an exercise, what its check is called, and words that are said of it, or must not be."""

    id: str
    exercise: str
    source: str
    check: str
    code: str
    said: tuple[str, ...] = ()
    unsaid: tuple[str, ...] = ()


ROWS = (
    # ------------------------------------------------------------------- a call that was cut short
    Row(
        "arguments_passed_as_one",
        "Module",
        """
        class Module:
            def __call__(self, *args):
                self.args = args
                self.out = self.forward(args)
                return self.out

            def forward(self, *args):
                raise NotImplementedError

            def bwd(self, out, *args):
                raise NotImplementedError

            def backward(self):
                self.bwd(self.out, *self.args)
        """,
        "layer.args[0]",
        "raised",
        ("self.forward(args)",),
    ),
    Row(
        "patch_of_the_wrong_width",
        "conv2d_grad",
        """
        def conv2d_grad(inp, out, w, b):
            k, l = w.shape[2:]
            inp.g, w.g, b.g = torch.zeros_like(inp), torch.zeros_like(w), out.g.sum((0, 2, 3))
            for i in range(out.shape[2]):
                for j in range(out.shape[3]):
                    g = out.g[:, :, i, j]
                    w.g += torch.einsum("no,nckl->ockl", g, inp[:, :, i : i + k, j : j + k])
                    inp.g[:, :, i : i + k, j : j + l] += torch.einsum("no,ockl->nckl", g, w)
        """,
        "inp.g",
        "raised",
    ),
    Row(
        "loss_outside_of_the_loop",
        "train_with_autograd",
        """
        def train_with_autograd(x, y, w1, w2, learning_rate, steps):
            loss = (torch.relu(x @ w1) @ w2 - y).pow(2).sum()
            for _ in range(steps):
                loss.backward()
                with torch.no_grad():
                    w1 -= learning_rate * w1.grad
                    w2 -= learning_rate * w2.grad
                    w1.grad = w2.grad = None
        """,
        "w1",
        "raised",
        ("twice",),
    ),
    # ----------------------------------------------------------------- where a mistake begins
    Row(
        "siblings",
        "polynomial_vjp",
        """
        def polynomial_vjp(a, b, upstream):
            return 3 * a**2 * upstream, -2 * b * upstream
        """,
        "result[0]",
        "scaled",
        unsaid=("came out right",),
    ),
    Row(
        "query_for_key",
        "attention_grad",
        """
        def attention_grad(q, k, v, out):
            d = q.shape[-1] ** 0.5
            p = (q @ k.transpose(1, 2) / d).softmax(-1)
            dp = out.g @ v.transpose(1, 2)
            ds = p * (dp - (dp * p).sum(-1, keepdim=True))
            v.g, q.g, k.g = p.transpose(1, 2) @ out.g, ds @ k / d, ds @ q / d
        """,
        "k.g",
        "wrong_value",
        unsaid=("`q.g` came out right",),
    ),
    Row(
        "scores_not_scaled",
        "attention_grad",
        """
        def attention_grad(q, k, v, out):
            d = q.shape[-1] ** 0.5
            p = (q @ k.transpose(1, 2) / d).softmax(-1)
            dp = out.g @ v.transpose(1, 2)
            ds = p * dp
            v.g, q.g, k.g = p.transpose(1, 2) @ out.g, ds @ k / d, ds.transpose(1, 2) @ q / d
        """,
        "q.g",
        "wrong_value",
        ("`v.g` came out right", "in the step before `q.g`"),
    ),
    Row(
        "forward_pass_with_the_weights_untransposed",
        "trace",
        """
        fc1 = X @ fc1_w + fc1_b
        fc2_b_grad = torch.ones(1)
        fc2_w_grad = fc1
        fc1_b_grad = fc2_w[0]
        fc1_w_grad = fc2_w.T @ X
        """,
        "fc2_w_grad",
        "wrong_value",
        unsaid=("came out right",),
    ),
    # --------------------------------------------------------------------------- wrong operands
    Row(
        "factor_missing",
        "layernorm_grad",
        """
        def layernorm_grad(inp, out, gamma, beta, eps):
            solution(inp, out, gamma, beta, eps)
            gamma.g = out.g.sum(tuple(range(inp.dim() - 1)))
        """,
        "gamma.g",
        "wrong_operand",
        ("belongs to `beta.g`", "A factor is missing"),
        ("swapped",),
    ),
    Row(
        "results_swapped",
        "polynomial_vjp",
        """
        def polynomial_vjp(a, b, upstream):
            return solution(a, b, upstream)[::-1]
        """,
        "result[0]",
        "wrong_operand",
        ("`result[1]`, and the other way round", "swapped"),
    ),
)


def whole(diagnosis: Diagnosis) -> str:
    return " ".join((diagnosis.message, diagnosis.hint, diagnosis.explanation))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_answer_gets_what_is_true_of_it(row: Row) -> None:
    found = answered(row.exercise, row.source)[row.check]

    assert found.code == row.code
    assert [words for words in row.said if words not in whole(found)] == []
    assert [words for words in row.unsaid if words in whole(found)] == []
