"""Sentences that have to be true of answers which are easily taken for others."""

from __future__ import annotations

from dataclasses import replace

import pytest

from grader.judge.diagnosis.table import diagnose
from tests.judge.answered import answered, evidence
from tests.judge.test_written import Row, assert_row

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
STEPPING = """
class Lin(solution):
    def backward(self):
        super().backward()
        self.w -= 0.1 * self.w.g
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
        "layer_that_takes_steps",
        "Lin",
        STEPPING,
        "inp.g",
        "input_modified",
        ("Line 4 takes a step",),
        ("The result was added to what stood there",),
    ),
    Row(
        "forward_value_of_a_layer_that_takes_steps",
        "Lin",
        STEPPING,
        "out",
        "input_modified",
        ("Line 4 takes a step",),
        ("A division by zero",),
    ),
    Row(
        "weights_changed_by_no_step",
        "lin_grad",
        """
        def lin_grad(inp, out, w, b):
            inp.g, w.g, b.g = out.g @ w.T, inp.T @ out.g, out.g.sum(0)
            w -= w.mean()
        """,
        "w.g",
        "input_modified",
        ("changed its input `w`",),
        ("takes a step",),
    ),
    Row(
        "squares_that_go_back_as_they_are",
        "forward_and_backward",
        """
        def forward_and_backward(inp, targ):
            l1 = inp @ w1 + b1
            l2 = torch.relu(l1)
            out = l2 @ w2 + b2
            diff = out[:, 0] - targ
            d = diff.pow(2)[:, None] / len(diff)
            b2.g, w2.g = d.sum(0), l2.T @ d
            dl = d @ w2.T * (l1 > 0)
            b1.g, w1.g, inp.g = dl.sum(0), inp.T @ dl, dl @ w1.T
            return diff.pow(2).mean()
        """,
        "b2.g",
        "wrong_value",
        ("xⁿ goes back as xⁿ",),
        ("A factor is missing here",),
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
    Row(
        "mean_of_the_targets",
        "residual",
        """
        def residual(out, targ):
            return out[:, 0] - targ.mean()
        """,
        "result",
        "broadcast_to_square",
        ("or one of the two was averaged",),
    ),
    Row(
        "contributions_added_m_times",
        "matvec_jacobian",
        """
        def matvec_jacobian(W, x):
            m, n = W.shape
            J = torch.zeros(m, m, n)
            for i in range(m):
                for j in range(m):
                    J[i, i] += x[:, 0]
            return J
        """,
        "result",
        "missing_mean",
        ("It was multiplied by m",),
        ("was left out.", "use `mean`"),
    ),
    Row(
        "gradients_of_a_sum_times_the_rows",
        "torch_grads",
        """
        def torch_grads(x, y, w1, w2):
            loss, g1, g2 = solution(x, y, w1, w2)
            return loss, len(x) * g1, len(x) * g2
        """,
        "result[1]",
        "missing_mean",
        ("It was multiplied by n",),
        ("the derivative of a mean",),
    ),
    Row(
        "divided_by_the_number_of_entries",
        "polynomial_vjp",
        """
        def polynomial_vjp(a, b, upstream):
            return 9 * a**2 * upstream / a.numel(), -2 * b * upstream
        """,
        "result[0]",
        "mean_twice",
        ("by the number of its entries",),
        ("summed",),
    ),
    Row(
        "divided_by_three",
        "trace",
        """
        fc2_b_grad = torch.ones(1)
        fc2_w_grad = (X @ fc1_w.T + fc1_b) / 3
        fc1_b_grad = fc2_w[0] / 3
        fc1_w_grad = fc2_w.T @ X / 3
        """,
        "fc2_w_grad",
        "scaled",
        ("1/3 times",),
        ("averaged",),
    ),
    Row(
        "outer_product_of_vectors",
        "polynomial_vjp",
        """
        def polynomial_vjp(a, b, upstream):
            return torch.outer(upstream, 9 * a**2), -2 * b * upstream
        """,
        "result[0]",
        "broadcast_to_square",
        (", so does `outer`",),
        ("your difference",),
    ),
    Row(
        "row_for_a_column",
        "mse_grad",
        """
        def mse_grad(inp, targ):
            inp.g = 2 * (inp.squeeze(1) - targ).unsqueeze(0) / len(targ)
        """,
        "inp.g",
        "transposed",
        ("a new axis (`[:, None]`) stands in the wrong place",),
    ),
    Row(
        "mask_of_the_hidden_layer",
        "forward_and_backward",
        """
        def forward_and_backward(inp, targ):
            l1 = lin(inp, w1, b1)
            a1 = relu(l1)
            out = lin(a1, w2, b2)
            mse_grad(out, targ)
            lin_grad(a1, out, w2, b2)
            lin_grad(inp, a1, w1, b1)
            return mse(out, targ)
        """,
        "w1.g",
        "mask_missing",
        ("what goes into the ReLU",),
        ("`(inp > 0)`",),
    ),
    Row(
        "gradients_added_up_by_hand",
        "train_by_hand",
        """
        def train_by_hand(x, y, w1, w2, learning_rate, steps):
            losses, sum1, sum2 = [], 0, 0
            for _ in range(steps):
                loss, g1, g2 = torch_grads(x, y, w1, w2)
                sum1, sum2 = sum1 + g1, sum2 + g2
                w1 -= learning_rate * sum1
                w2 -= learning_rate * sum2
                losses.append(loss)
            return losses
        """,
        "w1",
        "accumulated",
        ("adds them up from step to step",),
        ("backward()",),
    ),
    Row(
        "mask_of_a_layer_in_numpy",
        "numpy_grads",
        """
        def numpy_grads(x, y, w1, w2):
            a = np.maximum(x @ w1, 0)
            upstream = 2 * (a @ w2 - y)
            return ((a @ w2 - y) ** 2).sum(), x.T @ (upstream @ w2.T), a.T @ upstream
        """,
        "result[1]",
        "mask_missing",
        ("where the ReLU was shut",),
        ("max(0, x)",),
    ),
    Row(
        "targets_of_numpy_used_up",
        "numpy_grads",
        """
        def numpy_grads(x, y, w1, w2):
            y -= np.maximum(x @ w1, 0) @ w2
            return float((y**2).sum()), None, None
        """,
        "result[0]",
        "input_modified",
        ("`y.copy()`",),
        ("clone",),
    ),
    Row(
        "difference_of_equal_tensors",
        "two_layer_linear_grad",
        """
        def two_layer_linear_grad(W1, W2, x, y):
            h = W1 @ x
            return matvec_mse_grad(W1, x, h), matvec_mse_grad(W2, h, y)
        """,
        "result[0]",
        "zeros",
        ("the difference of two equal tensors",),
    ),
    Row(
        "losses_in_front",
        "train_by_hand",
        """
        def train_by_hand(x, y, w1, w2, learning_rate, steps):
            return solution(x, y, w1, w2, learning_rate, steps)[::-1]
        """,
        "result",
        "wrong_value",
        ("of the rows or steps",),
    ),
    Row(
        "difference_in_place_of_the_wrong_shape",
        "outer_difference",
        """
        def outer_difference(a, b):
            a = a[:, None]
            a -= b
            return a
        """,
        "result",
        "raised",
        ("make a new tensor",),
    ),
)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_sentence_is_true_of_the_answer(row: Row) -> None:
    assert_row(row)


def test_step_too_few_is_taken_by_the_own_optimizer_all_the_same() -> None:
    source = """
    def resnet_step(model, lr, momentum, steps, next_gradients):
        solution(model, lr, momentum, steps - 1, next_gradients)
    """

    assert set(answered("resnet_step", source)) == {"first", "middle", "last"}


def test_name_that_another_cell_assigns_is_looked_for_there() -> None:
    found = evidence("trace", "fc2_b_grad = torch.ones(1)\nfc2_w_grad = X @ fc1_w.T + fc1_b")
    assert found.stub is not None
    told = diagnose(replace(found, stub=replace(found.stub, elsewhere=(("fc1_b_grad", 10),))))
    assert "Cell 10 assigns it, and the cell of this exercise alone is run again" in told["fc1_b_grad"].message
    assert "The cell of this exercise ended without assigning to it" in told["fc1_w_grad"].message
