"""Sentences that have to be true of answers which are easily taken for others."""

from __future__ import annotations

import pytest

from tests.judge.answered import answered, whole
from tests.judge.test_written import Row

OWN_GRADIENTS = """
def train_with_autograd(x, y, w1, w2, learning_rate, steps):
    losses = []
    {before}
    for _ in range(steps):
        {loss}
        loss.backward({options})
        with torch.no_grad():
            w1 -= learning_rate * w1.grad
            w2 -= learning_rate * w2.grad
        w1.grad = w2.grad = None
        losses.append(loss.item())
    return losses
"""
LOSS = "loss = (torch.relu(x @ w1) @ w2 - y).pow(2).sum()"

ROWS = (
    Row(
        "loss_computed_once_though_the_weights_change",
        "train_with_autograd",
        OWN_GRADIENTS.format(
            before=LOSS.replace("w1", "w1.clone()").replace("w2", "w2.clone()"),
            loss="pass",
            options="retain_graph=True",
        ),
        "result",
        "wrong_value",
        ("though the weights change",),
        ("did not change",),
    ),
    Row(
        "gradients_cleared_behind_the_step",
        "train_with_optimizer",
        """
        def train_with_optimizer(model, optimizer, x, y, steps):
            losses = []
            for _ in range(steps):
                loss = ((model(x) - y) ** 2).sum()
                loss.backward()
                optimizer.step()
                optimizer.zero_grad()
                losses.append(loss.item())
            return losses
        """,
        "first",
        "accumulated",
        ("too late for the first",),
        ("nothing cleared it",),
    ),
    Row(
        "loop_that_ends_before_its_first_step",
        "train_by_hand",
        """
        def train_by_hand(x, y, w1, w2, learning_rate, steps):
            return []
        """,
        "result",
        "not_a_tensor",
        ("is empty or",),
    ),
    Row(
        "eps_of_its_own",
        "Adam",
        """
        class Adam(solution):
            def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
                super().__init__(params, lr, betas)
        """,
        "p (a large eps)",
        "wrong_value",
        ("or is far smaller than the one that is given",),
    ),
    Row(
        "weights_in_one_variable_for_all",
        "Lin",
        """
        class Lin(solution):
            def __init__(self, w, b):
                super().__init__(w, b)
                Lin.weights = w

            def __call__(self, inp):
                self.inp, self.out = inp, inp @ Lin.weights + self.b
                return self.out
        """,
        "out",
        "state_shared",
        ("two objects of one class",),
        ("other_w",),
    ),
    Row(
        "parameters_that_start_at_random",
        "Linear",
        """
        class Linear(nn.Module):
            def __init__(self, n_in, n_out):
                super().__init__()
                self.inner = nn.Linear(n_in, n_out)
                self.w, self.b = self.inner.weight.T, self.inner.bias

            def forward(self, x):
                return self.inner(x)
        """,
        "fresh.w",
        "wrong_value",
        ("starts at other values",),
        ("forward pass is wrong already",),
    ),
    Row(
        "abstract_methods",
        "Module",
        """
        import abc

        class Module(abc.ABC):
            def __call__(self, *args):
                self.args = args
                self.out = self.forward(*args)
                return self.out

            @abc.abstractmethod
            def forward(self, *args):
                raise NotImplementedError

            @abc.abstractmethod
            def bwd(self, out, *args):
                raise NotImplementedError

            def backward(self):
                self.bwd(self.out, *self.args)
        """,
        "Module().bwd(out, a, b)",
        "not_raised",
        ("its methods are abstract",),
    ),
    Row(
        "one_of_two_gradients_cleared",
        "SGD",
        """
        class SGD(solution):
            def zero_grad(self):
                self.params[0].g = None
        """,
        "cleared (zero_grad)",
        "wrong_value",
        ("`q.g is None` is false",),
    ),
    Row(
        "no_axis_for_one_image",
        "predict",
        """
        def predict(params, x):
            return solution(params, x).squeeze()
        """,
        "classes",
        "raised",
        ("predict gives (), not (1,)",),
        ("own name",),
    ),
    Row(
        "nothing_predicted",
        "predict",
        """
        def predict(params, x):
            solution(params, x)
        """,
        "classes",
        "not_written",
        ("`predict(params, some)` returned nothing",),
    ),
)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_sentence_is_true_of_the_answer(row: Row) -> None:
    found = answered(row.exercise, row.source)[row.check]

    assert found.code == row.code
    assert [words for words in row.said if words not in whole(found)] == []
    assert [words for words in row.unsaid if words in whole(found)] == []


def test_step_too_few_is_taken_by_the_own_optimizer_all_the_same() -> None:
    source = """
    def resnet_step(model, lr, momentum, steps, next_gradients):
        solution(model, lr, momentum, steps - 1, next_gradients)
    """

    assert set(answered("resnet_step", source)) == {"first", "middle", "last"}
