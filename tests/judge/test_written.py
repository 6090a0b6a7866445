"""Answers as students write them: the sentence that each must get, and sentences that would be false of it."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.judge.answered import answered, assert_unsaid, whole


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


def assert_row(row: Row) -> None:
    """The answer of a row gets what the row says of it."""
    found = answered(row.exercise, row.source)[row.check]

    assert found.code == row.code
    assert [words for words in row.said if words not in whole(found)] == []
    assert_unsaid(found, *row.unsaid)


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
        said=("is 1/3 ",),
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
    # -------------------------------------------------------------------------------------- what was returned
    Row(
        "one_of_two_returned",
        "dot_grad",
        """
        def dot_grad(w, x):
            return x
        """,
        "result[0]",
        "not_written",
        ("`dot_grad(w, x)` returned one tensor, of shape (11, 1), where 2 values", "the right one for this place"),
        ("`result",),
    ),
    Row(
        "two_stacked_into_one",
        "dot_grad",
        """
        def dot_grad(w, x):
            return torch.stack((x, w))
        """,
        "result[0]",
        "not_written",
        ("one tensor, of shape (2, 11, 1), where 2 values are asked for",),
        ("returned nothing",),
    ),
    Row(
        "second_is_none",
        "dot_grad",
        """
        def dot_grad(w, x):
            return x, None
        """,
        "result[1]",
        "not_written",
        ("Value 2 of 2 that `dot_grad(w, x)` returned is None",),
    ),
    Row(
        "loss_not_returned",
        "numpy_grads",
        """
        def numpy_grads(x, y, w1, w2):
            return solution(x, y, w1, w2)[1:]
        """,
        "result[2]",
        "not_written",
        ("did not return 3 values",),
        ("returned nothing",),
    ),
    Row(
        "loss_returned_last",
        "numpy_grads",
        """
        def numpy_grads(x, y, w1, w2):
            loss, grad_w1, grad_w2 = solution(x, y, w1, w2)
            return grad_w1, grad_w2, loss
        """,
        "result[1]",
        "wrong_operand",
        ("in another order",),
        ("A factor", "forward pass"),
    ),
    Row(
        "gradients_returned",
        "lin_grad",
        """
        def lin_grad(inp, out, w, b):
            return out.g @ w.T, inp.T @ out.g, out.g.sum(0)
        """,
        "w.g",
        "not_written",
        ("`w.g` was not written; the right tensor was returned instead",),
        ("result[",),
    ),
    Row(
        "nothing_returned_by_one_value",
        "updated",
        """
        def updated(param, grad, lr):
            param - lr * grad
        """,
        "result",
        "not_written",
        ("`updated(param, grad, lr)` returned nothing",),
        ("several values stand after one",),
    ),
    Row(
        "layer_without_return",
        "Relu",
        """
        class Relu:
            def __call__(self, inp):
                self.inp, self.out = inp, inp.clamp(min=0.0)

            def backward(self):
                self.inp.g = (self.inp > 0) * self.out.g
        """,
        "out",
        "not_written",
        ("`layer(inp)` returned nothing", "`layer.out` holds the right tensor"),
        ("instead of `layer.out`",),
    ),
    Row(
        "arguments_under_another_name",
        "Module",
        """
        class Module:
            def __call__(self, *args):
                self.inputs = args
                self.out = self.forward(*args)
                return self.out

            def forward(self, *args):
                raise NotImplementedError

            def bwd(self, out, *args):
                raise NotImplementedError

            def backward(self):
                self.bwd(self.out, *self.inputs)
        """,
        "layer.args[0]",
        "not_written",
        ("does not exist",),
        ("`layer.out`",),
    ),
    Row(
        "weights_hidden_from_autograd",
        "Linear",
        """
        class Linear(torch.nn.Module):
            def __init__(self, n_in, n_out):
                super().__init__()
                self.w = torch.nn.Parameter(torch.zeros(n_in, n_out))
                self.b = torch.nn.Parameter(torch.zeros(n_out))

            def forward(self, x):
                return x @ self.w.data + self.b
        """,
        "layer.w.grad",
        "not_written",
        ("autograd found no way from the output back to `layer.w`",),
        ("Assign",),
    ),
    # ----------------------------------------------------------------------------- gradients and other values
    Row(
        "shape_of_a_value",
        "outer_difference",
        """
        def outer_difference(a, b):
            return torch.cat((a, b))
        """,
        "result",
        "wrong_shape",
        unsaid=("A gradient",),
    ),
    Row(
        "mean_of_a_value",
        "Mse",
        """
        class Mse:
            def __call__(self, inp, targ):
                self.inp, self.targ = inp, targ
                self.out = (inp[:, 0] - targ).pow(2).sum()
                return self.out

            def backward(self):
                self.inp.g = (2 * (self.inp[:, 0] - self.targ) / len(self.targ))[:, None]
        """,
        "out",
        "missing_mean",
        ("`mean` in place of `sum`",),
        ("on the way back",),
    ),
    Row(
        "half_of_a_value",
        "torch_grads",
        """
        def torch_grads(x, y, w1, w2):
            loss, *gradients = solution(x, y, w1, w2)
            return loss / 2, *gradients
        """,
        "result[0]",
        "missing_factor_two",
        unsaid=("derivative",),
    ),
    Row(
        "divided_by_all_entries",
        "cross_entropy_grad",
        """
        def cross_entropy_grad(logits, targ):
            solution(logits, targ)
            logits.g = logits.g * len(logits) / logits.numel()
        """,
        "logits.g",
        "mean_twice",
        ("divided by c once too often",),
    ),
    Row(
        "divided_by_another_size",
        "matvec_mse_grad",
        """
        def matvec_mse_grad(W, x, y):
            return -2 * (y - W @ x) @ x.T / len(x)
        """,
        "result",
        "scaled",
        ("m/n times", "divided by the size n, where a division by m is right"),
    ),
    Row(
        "wrong_loss_and_gradient",
        "forward_and_backward",
        """
        def forward_and_backward(inp, targ):
            l1 = inp @ w1 + b1
            a1 = l1.clamp_min(0.0)
            out = a1 @ w2 + b2
            mse_grad(out, targ)
            lin_grad(a1, out, w2, b2)
            l1.g = a1.g * (a1 > 0.3)
            lin_grad(inp, l1, w1, b1)
            return mse(out, targ)
        """,
        "w1.g",
        "wrong_value",
        ("`w2.g` came out right",),
    ),
    # ------------------------------------------------------------------------------ steps
    *(
        Row(
            name,
            "train_with_optimizer",
            f"""
            def train_with_optimizer(model, optimizer, x, y, steps):
                losses = []
                for _ in range(steps):
                    loss = (model(x) - y).pow(2).sum()
                    optimizer.zero_grad()
                    {lines}
                    losses.append(loss.item())
                return losses
            """,
            "first",
            "not_in_place",
            ("No step was taken",),
            ("-= step",),
        )
        for name, lines in (
            ("step_forgotten", "loss.backward()"),
            ("step_before_backward", "optimizer.step(); loss.backward()"),
            ("cleared_before_step", "loss.backward(); optimizer.zero_grad(); optimizer.step()"),
        )
    ),
    Row(
        "gradients_zeroed_before_the_update",
        "train_with_autograd",
        """
        def train_with_autograd(x, y, w1, w2, learning_rate, steps):
            losses = []
            for _ in range(steps):
                loss = (torch.relu(x @ w1) @ w2 - y).pow(2).sum()
                loss.backward()
                with torch.no_grad():
                    for w in (w1, w2):
                        w.grad.zero_()
                        w -= learning_rate * w.grad
                losses.append(loss.item())
            return losses
        """,
        "w1",
        "not_in_place",
        ("No step was taken",),
    ),
    Row(
        "update_of_another_tensor",
        "train_by_hand",
        """
        def train_by_hand(x, y, w1, w2, learning_rate, steps):
            losses = []
            for _ in range(steps):
                loss, grad_w1, grad_w2 = torch_grads(x, y, w1, w2)
                w1, w2 = w1 - learning_rate * grad_w1, w2 - learning_rate * grad_w2
                losses.append(loss)
            return losses
        """,
        "w1",
        "not_in_place",
        ("-= step",),
        ("No step was taken",),
    ),
    # --------------------------------------------------------------------------------------------- optimizers
    *(
        Row(
            f"rate_{rate}_in_{optimizer}",
            optimizer,
            f"""
            class {optimizer}(solution):
                def step(self):
                    current, self.lr = self.lr, {rate}
                    super().step()
                    self.lr = current
            """,
            "p",
            "learning_rate_ignored",
            (f"the learning rate is {rate}.", why),
        )
        for optimizer, rate, why in (
            ("SGD", "1", "not a factor"),
            ("SGD", "0.1", "A number was written"),
            ("Adam", "1", "not a factor"),
            ("Adam", "0.001", "A number was written"),
        )
    ),
    *(
        Row(
            f"adam_with_{name}",
            "Adam",
            f"""
            class Adam(solution):
                def step(self):
                    beta1, beta2 = self.betas
                    for i, p in enumerate(self.params):
                        if p.g is None:
                            continue
                        self.steps[i] += 1
                        self.means[i] = beta1 * self.means[i] + (1 - beta1) * p.g
                        self.squares[i] = beta2 * self.squares[i] + (1 - beta2) * p.g**2
                        m = self.means[i] / (1 - beta1 ** self.steps[i])
                        v = self.squares[i] / (1 - beta2 ** self.steps[i])
                        p -= self.lr * {fraction}
            """,
            "p (a large eps)",
            "wrong_value",
            (said,),
            ("None of the usual",),
        )
        for name, fraction, said in (
            ("eps_inside_the_root", "m / (v + self.eps).sqrt()", "inside of the root"),
            ("eps_beside_the_fraction", "(m / v.sqrt() + self.eps)", "to the fraction"),
            ("no_eps", "m / v.sqrt()", "no part of the denominator"),
        )
    ),
    *(
        Row(
            f"loop_over_{name}",
            "train_by_hand",
            f"""
            def train_by_hand(x, y, w1, w2, learning_rate, steps):
                losses = []
                for _ in {loop}:
                    loss, grad_w1, grad_w2 = torch_grads(x, y, w1, w2)
                    w1 -= learning_rate * grad_w1
                    w2 -= learning_rate * grad_w2
                    losses.append(loss)
                return losses
            """,
            "w1",
            code,
            (said,),
            ("kept and used again",),
        )
        for name, loop, code, said in (
            ("a_step_too_few", "range(1, steps)", "stale", "one step less"),
            ("a_step_too_many", "range(steps + 1)", "wrong_value", "one step more"),
            ("one_step_alone", "range(1)", "first_step", "only the first step"),
        )
    ),
    Row(
        "losses_after_the_update",
        "train_by_hand",
        """
        def train_by_hand(x, y, w1, w2, learning_rate, steps):
            losses = []
            for _ in range(steps):
                loss, grad_w1, grad_w2 = torch_grads(x, y, w1, w2)
                w1 -= learning_rate * grad_w1
                w2 -= learning_rate * grad_w2
                losses.append(torch_grads(x, y, w1, w2)[0])
            return losses
        """,
        "result",
        "wrong_value",
        ("the loss after the first update",),
    ),
    Row(
        "losses_of_steps_not_taken",
        "train_by_hand",
        """
        def train_by_hand(x, y, w1, w2, learning_rate, steps):
            return [torch_grads(x, y, w1, w2)[0] for _ in range(steps)]
        """,
        "result",
        "wrong_value",
        ("at every step",),
    ),
    Row(
        "losses_of_an_ascent",
        "train_by_hand",
        """
        def train_by_hand(x, y, w1, w2, learning_rate, steps):
            return solution(x, y, w1, w2, -learning_rate, steps)
        """,
        "result",
        "ascent",
        ("each step goes the opposite way",),
        ("moved by",),
    ),
    Row(
        "ones_for_a_gradient",
        "trace",
        """
        fc1 = X @ fc1_w.T + fc1_b
        fc2_b_grad = torch.ones(1)
        fc2_w_grad = fc1
        fc1_b_grad = torch.ones(3)
        fc1_w_grad = fc2_w.T @ X
        """,
        "fc1_b_grad",
        "stale",
        ("numbers were written down",),
    ),
    # ----------------------------------------------------------------------------- what the values leave open
    Row(
        "some_entries_written",
        "relu_grad",
        """
        def relu_grad(inp, out):
            inp.g[inp > 0] = out.g[inp > 0]
        """,
        "inp.g",
        "non_finite",
        ("50 of its 88 entries were never written",),
        ("division",),
    ),
    Row(
        "root_of_a_negative_number",
        "relu_grad",
        """
        def relu_grad(inp, out):
            inp.g = inp.sqrt() * out.g
        """,
        "inp.g",
        "non_finite",
        ("root of a negative number",),
    ),
    Row(
        "gradient_of_a_gradient_not_written",
        "lin_grad",
        """
        def lin_grad(inp, out, w, b):
            b.g = w.g.sum(0)
            inp.g, w.g = out.g @ w.T, inp.T @ out.g
        """,
        "b.g",
        "non_finite",
        ("a gradient that nothing has written yet",),
        ("+=",),
    ),
    Row(
        "added_to_itself",
        "lin_grad",
        """
        def lin_grad(inp, out, w, b):
            inp.g, w.g = out.g @ w.T, inp.T @ out.g
            b.g = b.g + out.g.sum(0)
        """,
        "b.g",
        "accumulated",
    ),
    Row(
        "added_to_what_the_object_keeps",
        "Lin",
        """
        class Lin(solution):
            def __call__(self, inp):
                self.sum, self.inp, self.out = getattr(self, "sum", 0), inp, inp @ self.w + self.b
                return self.out
            def backward(self):
                self.sum += self.inp.T @ self.out.g
                self.inp.g = self.out.g @ self.w.T
                self.w.g, self.b.g = self.sum, self.out.g.sum(0)
        """,
        "w.g",
        "accumulated",
        ("adds to `self.sum` and puts that into `w.g`",),
        ("`w.g +=",),
    ),
    Row(
        "output_by_another_formula_for_the_upstream_gradient",
        "embedding_grad",
        """
        def embedding_grad(index, out, weight):
            weight.g = torch.bincount(index.flatten(), minlength=len(weight))[:, None] * weight
        """,
        "weight.g",
        "upstream_ignored",
        ("the values of the output",),
        ("Use `out.g` where",),
    ),
    Row(
        "rows_up_to_the_largest_index",
        "embedding_grad",
        """
        def embedding_grad(index, out, weight):
            weight.g = torch.zeros(int(index.max()) + 1, weight.shape[1], dtype=weight.dtype)
            weight.g.index_add_(0, index.flatten(), out.g.flatten(0, 1))
        """,
        "weight.g",
        "wrong_shape",
    ),
    Row(
        "transposed_square",
        "trace",
        """
        fc1 = X @ fc1_w.T + fc1_b
        fc2_b_grad = torch.ones(1)
        fc2_w_grad = fc1
        fc1_b_grad = fc2_w[0]
        fc1_w_grad = X.T @ fc2_w
        """,
        "fc1_w_grad",
        "transposed",
        unsaid=("it has shape",),
    ),
    Row(
        "half_at_zero",
        "relu_grad",
        """
        def relu_grad(inp, out):
            inp.g = out.g * ((inp > 0).to(out.dtype) + (inp >= 0)) / 2
        """,
        "inp.g",
        "mask_at_zero",
        ("Half of the gradient",),
        ("as positive",),
    ),
    # ------------------------------------------------------------------- names and kinds
    Row(
        "upstream_by_its_name",
        "polynomial_vjp",
        """
        def polynomial_vjp(a, b, upstream):
            return 9 * a**2, -2 * b
        """,
        "result[0]",
        "upstream_ignored",
        ("(`upstream`)",),
        ("out.g",),
    ),
    Row(
        "gradients_zeroed_not_removed",
        "SGD",
        """
        class SGD(solution):
            def zero_grad(self):
                for p in self.params:
                    p.g.zero_()
        """,
        "cleared (zero_grad)",
        "wrong_value",
        ("`p.g is None` is false", "should be true"),
        ("off by", "usual mistakes"),
    ),
    Row(
        "first_parameter_by_its_place",
        "resnet_step",
        """
        def resnet_step(model, lr, momentum, steps, next_gradients):
            solution(model, lr, momentum, min(steps, 4), next_gradients)
        """,
        "first",
        "wrong_value",
        ("`params[0].detach()`",),
    ),
    Row(
        "gradient_scaled_in_place",
        "SGD",
        """
        class SGD(solution):
            def step(self):
                for p in self.params:
                    if p.g is not None:
                        p -= p.g.mul_(self.lr)
        """,
        "cleared (zero_grad)",
        "input_modified",
        ("its input `p.g`",),
        ("did not raise", "p_grads"),
    ),
    Row(
        "comma_at_the_end",
        "lin_grad",
        """
        def lin_grad(inp, out, w, b):
            inp.g = (out.g @ w.T,)
            w.g = (inp.T @ out.g).to(torch.complex64)
        """,
        "inp.g",
        "not_a_tensor",
        ("of type tuple", "a comma at the end"),
        (".item()",),
    ),
    Row(
        "complex_numbers",
        "lin_grad",
        """
        def lin_grad(inp, out, w, b):
            w.g = (inp.T @ out.g).to(torch.complex64)
        """,
        "w.g",
        "not_a_tensor",
        ("holds numbers of type complex64",),
        ("not a tensor",),
    ),
    *(
        Row(
            f"text_and_list_{place}",
            "numpy_grads",
            """
            def numpy_grads(x, y, w1, w2):
                loss, grad_w1, grad_w2 = solution(x, y, w1, w2)
                return f"{loss:.3f}", grad_w1.tolist(), grad_w2
            """,
            f"result[{place}]",
            "not_a_tensor",
            (said,),
            ("Keep the result a tensor",),
        )
        for place, said in enumerate(("not a number", "not an array"))
    ),
    Row(
        "weights_of_the_class",
        "Lin",
        """
        class Lin:
            kept = {}

            def __init__(self, w, b):
                Lin.kept["w"], Lin.kept["b"] = w, b

            def __call__(self, inp):
                self.inp, self.out = inp, inp @ Lin.kept["w"] + Lin.kept["b"]
                return self.out

            def backward(self):
                self.inp.g = self.out.g @ Lin.kept["w"].T
        """,
        "out",
        "state_shared",
        ("two objects of one class",),
        ("optimizers", "buffers"),
    ),
    # ----------------------------------------------------------------------------- measured
    Row(
        "digits_all_the_same",
        "train",
        """
        def train(x, y, hidden, learning_rate, epochs, seed):
            return None

        def predict(params, x):
            return torch.zeros(len(x), dtype=torch.int64)
        """,
        "result",
        "wrong_value",
        ("earns 0 % of its points", " of 400 values are right", "95 %"),
    ),
    Row(
        "digits_one_at_a_time",
        "predict",
        """
        def train(x, y, hidden, learning_rate, epochs, seed):
            return None

        def predict(params, x):
            return torch.arange(len(x)) % 10
        """,
        "classes",
        "wrong_value",
        ("one at a time",),
    ),
    Row(
        "parameters_in_variables_of_the_notebook",
        "predict",
        """
        solved = train

        def train(*arguments):
            global kept
            kept = solved(*arguments)
            return kept

        def predict(params, x):
            return solution(kept, x)
        """,
        "classes",
        "wrong_value",
        ("after another training",),
    ),
    Row(
        "input_cut_off_from_autograd",
        "Linear",
        """
        class Linear(solution):
            def forward(self, x):
                return super().forward(x.detach())
        """,
        "x.grad",
        "not_written",
        ("no way from the output back to `x`", "`.detach()`"),
    ),
    Row(
        "targets_of_the_class",
        "Mse",
        """
        class Mse(solution):
            def __call__(self, inp, targ):
                self.given, Mse.last = inp, targ
                return super().__call__(inp, targ)

            def backward(self):
                self.given.g = 2 * (self.given - self.last[:, None]) / len(self.last)
        """,
        "inp.g",
        "state_shared",
    ),
    Row(
        "default_learning_rate_of_its_own",
        "Adam",
        """
        class Adam(solution):
            def __init__(self, params, lr=0.1, *options):
                super().__init__(params, lr, *options)
        """,
        "p (all options left out)",
        "learning_rate_ignored",
        ("0.1",),
    ),
    Row(
        "default_learning_rate_times_ten",
        "Adam",
        """
        class Adam(solution):
            def __init__(self, params, lr=1e-2, *options):
                super().__init__(params, lr, *options)
        """,
        "p (all options left out)",
        "learning_rate_ignored",
        ("0.01",),
        ("first average",),
    ),
    Row(
        "targets_of_the_first_call",
        "Mse",
        """
        class Mse(solution):
            first = None

            def __call__(self, inp, targ):
                self.given = inp
                self.first = targ if self.first is None else self.first
                return super().__call__(inp, targ)

            def backward(self):
                self.given.g = 2 * (self.given - self.first[:, None]) / len(self.first)
        """,
        "inp.g",
        "stale",
        unsaid=("earlier_targ",),
    ),
    Row(
        "second_argument_of_the_first_call",
        "Module",
        """
        class Module(solution):
            def __call__(self, *args):
                self.rest = getattr(self, "rest", args[1:])
                return super().__call__(*args)

            def backward(self):
                self.bwd(self.out, self.args[0], *self.rest)
        """,
        "b.g",
        "stale",
        unsaid=("another name",),
    ),
    # ------------------------------------------------------------------------------------------- further ones
    Row(
        "averages_as_local_names",
        "Adam",
        """
        class Adam(solution):
            def step(self):
                beta1, beta2 = self.betas
                for i, (p, m, v) in enumerate(zip(self.params, self.means, self.squares, strict=True)):
                    if p.g is None:
                        continue
                    self.steps[i] += 1
                    m = beta1 * m + (1 - beta1) * p.g
                    v = beta2 * v + (1 - beta2) * p.g**2
                    m, v = m / (1 - beta1 ** self.steps[i]), v / (1 - beta2 ** self.steps[i])
                    p -= self.lr * m / (v.sqrt() + self.eps)
        """,
        "p",
        "state_lost",
    ),
    Row(
        "classes_as_floats",
        "predict",
        """
        def train(x, y, hidden, learning_rate, epochs, seed):
            return None

        def predict(params, x):
            return torch.zeros(len(x))
        """,
        "classes",
        "wrong_dtype",
        ("float32; whole numbers are asked for", "without naming its dtype"),
        ("bools",),
    ),
    # --------------------------------------------------------------------------------------- names of weights
    Row(
        "mean_as_the_loss",
        "train_module",
        """
        def train_module(model, x, y, learning_rate, steps):
            losses = []
            for _ in range(steps):
                loss = torch.nn.MSELoss()(model(x), y)
                model.zero_grad()
                loss.backward()
                for p in model.parameters():
                    p.data -= learning_rate * p.grad
                losses.append(loss.item())
            return losses
        """,
        "first",
        "averaged_instead_of_summed",
        ("name for `model[0].weight`",),
        ("Parameter(",),
    ),
    # ---------------------------------------------------------------------------------- a gradient of its own
    Row(
        "own_gradient_for_the_upstream_one",
        "relu_grad",
        """
        def relu_grad(inp, out):
            inp.g = (inp > 0) * inp.g
        """,
        "inp.g",
        "non_finite",
        ("a gradient that nothing has written yet",),
        ("+=",),
    ),
    # ------------------------------------------------- only names that a student was shown, and what they stand for
    Row(
        "bias_left_out_of_a_registered_layer",
        "Linear",
        """
        class Linear(solution):
            def forward(self, x):
                return x @ self.w
        """,
        "out",
        "wrong_value",
        unsaid=("zero_b",),
    ),
    Row(
        "nothing_returned_by_a_registered_layer",
        "Linear",
        """
        class Linear(solution):
            def forward(self, x):
                x @ self.w + self.b
        """,
        "out",
        "not_written",
        ("`layer(x)` returned nothing",),
    ),
    Row(
        "output_of_a_layer_for_its_gradient",
        "LinModule",
        """
        class LinModule(solution):
            def bwd(self, out, inp):
                inp.g, self.w.g, self.b.g = out @ self.w.T, inp.T @ out, out.sum(0)
        """,
        "b.g",
        "wrong_operand",
        ("`out` in place of `out.g`",),
    ),
    Row(
        "relu_of_the_upstream_gradient",
        "Relu",
        """
        class Relu(solution):
            def backward(self):
                self.inp.g = torch.relu(self.out.g)
        """,
        "inp.g",
        "wrong_operand",
        ("`layer.out.g` in place of `inp`",),
        ("`upstream`",),
    ),
    Row(
        "copies_of_the_weights",
        "Lin",
        """
        class Lin(solution):
            def __init__(self, w, b):
                super().__init__(w.clone(), b.clone())
        """,
        "w.g",
        "not_written",
        ("but `layer.w.g` was", "a copy"),
        ("another name",),
    ),
    Row(
        "output_behind_the_arguments",
        "Module",
        """
        class Module(solution):
            def backward(self):
                self.bwd(*self.args, self.out)
        """,
        "b.g",
        "non_finite",
        ("a gradient that nothing has written yet", "the output first"),
        ("+=",),
    ),
    Row(
        "base_class_that_passes",
        "Module",
        """
        class Module(solution):
            def forward(self, *args):
                pass
        """,
        "Module().forward(a, b)",
        "not_raised",
        ("forgot to bring its own method",),
        ("arguments",),
    ),
    Row(
        "model_in_place_of_losses",
        "train_with_optimizer",
        """
        def train_with_optimizer(model, optimizer, x, y, steps):
            solution(model, optimizer, x, y, steps)
            return model
        """,
        "result",
        "not_a_tensor",
        ("Sequential; numbers are asked for",),
        (".item()",),
    ),
    Row(
        "function_in_place_of_its_value",
        "relu_grad",
        """
        def relu_grad(inp, out):
            inp.g = (out.g * (inp > 0)).clone
        """,
        "inp.g",
        "not_a_tensor",
        ("a function that was not called",),
        (".item()",),
    ),
    Row(
        "loss_of_each_entry",
        "numpy_grads",
        """
        def numpy_grads(x, y, w1, w2):
            return (np.maximum(x @ w1, 0) @ w2 - y) ** 2, *solution(x, y, w1, w2)[1:]
        """,
        "result[0]",
        "not_summed_over_batch",
        ("How many numbers are asked for",),
        ("gradients",),
    ),
    Row(
        "transposed_and_of_the_other_sign",
        "outer_difference",
        """
        def outer_difference(a, b):
            return b[:, None] - a[None, :] + 1
        """,
        "result",
        "wrong_shape",
        ("stand in another order",),
    ),
    Row(
        "upstream_of_another_shape",
        "embedding_grad",
        """
        def embedding_grad(index, out, weight):
            weight.g = out.g
        """,
        "weight.g",
        "wrong_shape",
    ),
    Row(
        "mask_that_is_always_true",
        "relu_grad",
        """
        def relu_grad(inp, out):
            inp.g = out.g * (out >= 0)
        """,
        "inp.g",
        "mask_missing",
        ("true everywhere",),
    ),
    # ------------------------------------------------------------------------------------------- further exceptions
    Row(
        "column_written_into_a_row",
        "matvec_jacobian",
        """
        def matvec_jacobian(W, x):
            J = torch.zeros(len(W), *W.shape, dtype=W.dtype)
            for i in range(len(W)):
                J[i, i] = x
            return J
        """,
        "result",
        "raised",
        ("does not fit into the place", "Which shapes meet"),
    ),
    Row(
        "weights_and_bias_swapped",
        "Lin",
        """
        class Lin(solution):
            def __init__(self, b, w):
                super().__init__(w, b)
        """,
        "out",
        "raised",
        ("as many entries as the matrix has columns",),
    ),
    Row(
        "backward_of_many_losses",
        "train_with_autograd",
        """
        def train_with_autograd(x, y, w1, w2, learning_rate, steps):
            (torch.relu(x @ w1) @ w2 - y).pow(2).backward()
        """,
        "w1",
        "raised",
        ("starts from a single number",),
    ),
    Row(
        "one_loss_for_all_steps",
        "train_with_optimizer",
        """
        def train_with_optimizer(model, optimizer, x, y, steps):
            loss = (model(x) - y).pow(2).sum()
            for _ in range(steps):
                loss.backward(retain_graph=True)
                optimizer.step()
        """,
        "bias",
        "raised",
        ("Compute the loss anew",),
    ),
    # ------------------------------------------------------------------------------- steps, averages and samples
    *(
        Row(
            f"adam_whose_{name}",
            "Adam",
            f"""
            class Adam:
                def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
                    self.params, self.lr, self.betas, self.eps, self.t = list(params), lr, betas, eps, 0
                    self.m, self.v = [0.0] * len(self.params), [0.0] * len(self.params)

                def step(self):
                    self.t += 1
                    b1, b2 = self.betas
                    for i, p in enumerate(self.params):
                        if p.g is None:
                            continue
                        {lines}
                        m, v = self.m[i] / (1 - b1**self.t), self.v[i] / (1 - b2**self.t)
                        p -= self.lr * m / ({root} + self.eps)
                        {after}
            """,
            "p (other betas)",
            code,
            (said,),
            ("None of the usual",),
        )
        for name, lines, root, after, code, said in (
            (
                "betas_change_places",
                "b2, b1 = self.betas; self.m[i] = b1 * self.m[i] + (1 - b1) * p.g; "
                "self.v[i] = b2 * self.v[i] + (1 - b2) * p.g**2",
                "v.sqrt()",
                "b1, b2 = self.betas",
                "wrong_value",
                "two betas change places",
            ),
            (
                "weights_change_places",
                "self.m[i] = (1 - b1) * self.m[i] + b1 * p.g; self.v[i] = (1 - b2) * self.v[i] + b2 * p.g**2",
                "v.sqrt()",
                "pass",
                "wrong_value",
                "β weighs the new gradient",
            ),
            (
                "new_gradient_has_no_weight",
                "self.m[i] = b1 * self.m[i] + p.g; self.v[i] = b2 * self.v[i] + p.g**2",
                "v.sqrt()",
                "pass",
                "wrong_value",
                "without the weight 1 − β",
            ),
            (
                "root_is_left_out",
                "self.m[i] = b1 * self.m[i] + (1 - b1) * p.g; self.v[i] = b2 * self.v[i] + (1 - b2) * p.g**2",
                "v",
                "pass",
                "wrong_value",
                "root of the second average is left out",
            ),
            (
                "correction_is_stored",
                "self.m[i] = b1 * self.m[i] + (1 - b1) * p.g; self.v[i] = b2 * self.v[i] + (1 - b2) * p.g**2",
                "v.sqrt()",
                "self.m[i], self.v[i] = m, v",
                "bias_correction",
                "corrected again",
            ),
        )
    ),
    *(
        Row(
            f"sgd_with_{name}",
            "SGD",
            f"""
            class SGD(solution):
                def __init__(self, params, lr, momentum=0, dampening=0, weight_decay=0, nesterov=False):
                    params = params if {lazily} else list(params)
                    super().__init__([], lr, momentum, dampening, weight_decay, nesterov)
                    self.params, self.held = params, {{}}

                def step(self):
                    for i, p in enumerate(self.params):
                        if p.g is None:
                            continue
                        g, key = p.g + self.weight_decay * p, {key}
                        if self.momentum:
                            old = self.held.get(key)
                            self.held[key] = g if old is None else self.momentum * old + {weight} * g
                            g = g + {ahead} * self.held[key] if self.nesterov else self.held[key]
                        p -= self.lr * g
            """,
            check,
            code,
            (said,),
            ("None of the usual",),
        )
        for name, lazily, key, weight, ahead, check, code, said in (
            ("an_average", "0", "i", "(1 - self.momentum)", "self.momentum", "p (momentum)", "dampening", "an average"),
            (
                "half_a_look_ahead",
                "0",
                "i",
                "(1 - self.dampening)",
                "1",
                "p (Nesterov)",
                "nesterov",
                "does not multiply",
            ),
            ("one_buffer", "0", "p.shape", "(1 - self.dampening)", "self.momentum", "q", "state_shared", "share"),
            ("a_generator", "1", "i", "(1 - self.dampening)", "self.momentum", "p", "first_step", "as a generator"),
        )
    ),
    *(
        Row(
            f"resnet_with_{name}",
            "resnet_step",
            f"""
            def resnet_step(model, lr, momentum, steps, next_gradients):
                parameters = {parameters}
                optimizer = SGD(parameters, lr, momentum)
                for _ in range(steps):
                    next_gradients(model)
                    {clear}
                    optimizer.step()
            """,
            "first",
            "not_in_place",
            ("No step came to it",),
            ("None of the usual",),
        )
        for name, parameters, clear in (
            ("gradients_cleared_too_early", "list(model.parameters())", "optimizer.zero_grad()"),
            ("no_parameters_left", "filter(None, [])", "pass"),
        )
    ),
    *(
        Row(
            f"training_with_{name}",
            "train_by_hand",
            f"""
            def train_by_hand(x, y, w1, w2, learning_rate, steps):
                losses, first = [], torch_grads(x, y, w1, w2)
                for _ in range(steps):
                    loss, *grads = torch_grads(x, y, w1, w2)
                    losses.append(loss / {mean})
                    {keep}
                    w1 -= learning_rate * grads[0] / {share}
                    w2 -= learning_rate * grads[1] / {share}
                return losses
            """,
            check,
            code,
            (said,),
            ("None of the usual",),
        )
        for name, mean, share, keep, check, code, said in (
            ("a_mean_of_rows", "len(x)", "len(x)", "pass", "result", "averaged_instead_of_summed", "loss is a mean"),
            ("steps_of_a_mean", "1", "len(x)", "pass", "result", "averaged_instead_of_summed", "steps follow"),
            ("stale_gradients", "1", "1", "grads = first[1:]", "w2", "stale", "gradients of the first"),
        )
    ),
    Row(
        "first_weights_left_out",
        "train_by_hand",
        """
        def train_by_hand(x, y, w1, w2, learning_rate, steps):
            return solution(x, y, w1.clone(), w2, learning_rate, steps) and [
                torch_grads(x, y, w1, w2)[0] for _ in range(steps) if w2.sub_(torch_grads(x, y, w1, w2)[2]) is w2
            ]
        """,
        "w2",
        "wrong_value",
        ("`w1` does not change at all",),
    ),
    Row(
        "weights_updated_on_the_way",
        "lin_grad",
        """
        def lin_grad(inp, out, w, b):
            w.g, b.g = inp.T @ out.g, out.g.sum(0)
            w -= 0.1 * w.g
            inp.g = out.g @ w.T
        """,
        "inp.g",
        "wrong_value",
        ("changes one of its inputs, too",),
    ),
    *(
        Row(
            f"sum_over_{name}",
            "lin_grad",
            f"""
            def lin_grad(inp, out, w, b):
                inp.g, w.g = out.g @ w.T, inp[{rows}].T @ out.g[{rows}]
                b.g = out.g[{rows}].sum(0)
            """,
            "w.g",
            "not_summed_over_batch",
            (said,),
        )
        for name, rows, said in (
            ("the_first_row", ":1", "of the first sample alone"),
            ("all_rows_but_the_first", "1:", "misses the contribution of the first sample"),
            ("all_rows_but_the_last", ":-1", "misses the contribution of the last sample"),
        )
    ),
    *(
        Row(
            f"all_pairs_{name}",
            exercise,
            f"""
            def {exercise}(first, targ):
                {target} (first - targ){taken}
            """,
            check,
            "broadcast_to_square",
            ("matrix of all pairs",),
        )
        for name, exercise, target, taken, check in (
            ("first_column", "residual", "return", "[:, 0]", "result"),
            ("first_row", "residual", "return", "[0]", "result"),
            ("summed", "residual", "return", ".sum(1)", "result"),
            ("averaged", "residual", "return", ".mean(0)", "result"),
            ("column_kept", "mse_grad", "first.g = 2 / len(targ) *", "[:, :1]", "inp.g"),
            ("summed_into_a_column", "mse_grad", "first.g = 2 / len(targ) *", ".sum(1, keepdim=True)", "inp.g"),
        )
    ),
    Row(
        "scores_scaled_only_on_the_way_forward",
        "attention_grad",
        """
        def attention_grad(q, k, v, out):
            solution(q, k, v, out)
            q.g, k.g = q.g * q.shape[-1] ** 0.5, k.g * q.shape[-1] ** 0.5
        """,
        "q.g",
        "scaled",
        ("√d times",),
    ),
    Row(
        "approximate_gelu",
        "gelu_grad",
        """
        def gelu_grad(inp, out):
            c = math.sqrt(2 / math.pi)
            t = torch.tanh(c * (inp + 0.044715 * inp**3))
            inp.g = out.g * (0.5 * (1 + t) + 0.5 * inp * (1 - t**2) * c * (1 + 3 * 0.044715 * inp**2))
        """,
        "inp.g",
        "wrong_value",
        ("approximation by `tanh`",),
        ("None of the usual",),
    ),
    *(
        Row(
            f"{exercise}_{name}",
            exercise,
            f"""
            def {exercise}(inp, out, gamma, beta, eps):
                axis, rows = {axis}, tuple(range(inp.dim() - 1))
                x = inp - inp.mean(axis, keepdim=True)
                r = {root}
                d, n = out.g * gamma, x * r
                gamma.g, beta.g = (out.g * n).sum(rows), out.g.sum(rows)
                inp.g = r * (d - {mean} - n * {spread})
            """,
            check,
            "wrong_value",
            (said,),
            ("None of the usual",),
        )
        for exercise, axes in (("layernorm_grad", (-1, 0)), ("batchnorm_grad", (0, 1)))
        for name, axis, root, mean, spread, check, said in (
            (
                "with_the_unbiased_variance",
                axes[0],
                "(inp.var(axis, keepdim=True) + eps).rsqrt()",
                "d.mean(axis, keepdim=True)",
                "(d * n).mean(axis, keepdim=True)",
                "gamma.g",
                "unbiased",
            ),
            (
                "with_eps_outside_of_the_root",
                axes[0],
                "1 / ((x**2).mean(axis, keepdim=True).sqrt() + eps)",
                "d.mean(axis, keepdim=True)",
                "(d * n).mean(axis, keepdim=True)",
                "inp.g",
                "added to the root",
            ),
            (
                "without_eps",
                axes[0],
                "(x**2).mean(axis, keepdim=True).rsqrt()",
                "d.mean(axis, keepdim=True)",
                "(d * n).mean(axis, keepdim=True)",
                "inp.g",
                "eps is left out",
            ),
            (
                "over_the_other_axis",
                axes[1],
                "((x**2).mean(axis, keepdim=True) + eps).rsqrt()",
                "d.mean(axis, keepdim=True)",
                "(d * n).mean(axis, keepdim=True)",
                "inp.g",
                "the other axis",
            ),
            (
                "with_constant_statistics",
                axes[0],
                "((x**2).mean(axis, keepdim=True) + eps).rsqrt()",
                "0",
                "0",
                "inp.g",
                "mean and variance are taken for constants",
            ),
            (
                "with_a_constant_variance",
                axes[0],
                "((x**2).mean(axis, keepdim=True) + eps).rsqrt()",
                "d.mean(axis, keepdim=True)",
                "0",
                "inp.g",
                "the variance is taken for a constant",
            ),
        )
    ),
    # ------------------------------------------------------------------------- layers, and what is left out of them
    *(
        Row(
            f"kernel_{name}",
            "conv2d_grad",
            f"""
            def conv2d_grad(inp, out, w, b):
                solution(inp, out, w, b)
                k, l = w.shape[2:]
                padded = torch.nn.functional.pad(out.g, (l - 1, l - 1, k - 1, k - 1))
                inp.g = torch.nn.functional.conv2d(padded, w{flip}.transpose(0, 1))
            """,
            "inp.g",
            "wrong_value",
            (said,),
            (unsaid,),
        )
        for name, flip, said, unsaid in (
            ("not_flipped", "", "the kernel is not flipped", "None of the usual"),
            ("flipped_along_one_axis", ".flip(2)", "along one of its two axes only", "is not flipped"),
        )
    ),
    *(
        Row(
            f"attention_{name}",
            "attention_grad",
            f"""
            def attention_grad(q, k, v, out):
                root = q.shape[-1] ** 0.5
                p = torch.softmax(q @ k.transpose(1, 2) {scale}, {axis})
                d = out.g @ v.transpose(1, 2)
                s = p * (d - (p * d).sum({summed}, keepdim=True)) {behind}
                v.g, q.g, k.g = p.transpose(1, 2) @ out.g, s @ k, s.transpose(1, 2) @ q
            """,
            check,
            code,
            (said,),
            ("None of the usual",),
        )
        for name, scale, axis, summed, behind, check, code, said in (
            ("over_the_queries", "/ root", 1, 1, "/ root", "q.g", "wrong_value", "taken over another axis"),
            ("over_the_batch", "/ root", 0, 0, "/ root", "v.g", "wrong_value", "taken over another axis"),
            ("over_the_queries_forward", "/ root", 1, 2, "/ root", "k.g", "wrong_value", "taken over another axis"),
            ("over_the_queries_backward", "/ root", 2, 1, "/ root", "q.g", "wrong_value", "sum in the derivative"),
            ("not_scaled", "", 2, 2, "", "q.g", "wrong_value", "scores that are not scaled"),
            ("not_scaled_as_to_values", "", 2, 2, "", "v.g", "wrong_value", "scores that are not scaled"),
            ("not_scaled_forward", "", 2, 2, "/ root", "k.g", "wrong_value", "scores that are not scaled"),
            ("not_scaled_backward", "/ root", 2, 2, "", "k.g", "scaled", "√d times"),
            ("scaled_without_a_root", "/ root**2", 2, 2, "/ root**2", "q.g", "wrong_value", "scaled twice"),
            ("scaled_without_a_root_forward", "/ root**2", 2, 2, "/ root", "k.g", "wrong_value", "scaled twice"),
        )
    ),
    Row(
        "attention_scaled_by_something_else",
        "attention_grad",
        """
        def attention_grad(q, k, v, out):
            p = torch.softmax(q @ k.transpose(1, 2) / 3, 2)
            d = out.g @ v.transpose(1, 2)
            s = p * (d - (p * d).sum(2, keepdim=True)) / 3
            v.g, q.g, k.g = p.transpose(1, 2) @ out.g, s @ k, s.transpose(1, 2) @ q
        """,
        "q.g",
        "wrong_value",
        ("None of the usual",),
    ),
    Row(
        "cross_entropy_over_the_rows",
        "cross_entropy_grad",
        """
        def cross_entropy_grad(logits, targ):
            p = torch.softmax(logits, 0)
            p[torch.arange(len(targ)), targ] -= 1
            logits.g = p / len(targ)
        """,
        "logits.g",
        "wrong_value",
        ("taken over another axis",),
        ("None of the usual",),
    ),
    *(
        Row(
            f"{exercise}_with_{name}",
            exercise,
            f"def {exercise}({arguments}):\n    {body.format(count)}",
            check,
            code,
            (said,),
            unsaid,
        )
        for exercise, arguments, body, check, letter in (
            ("mse_grad", "inp, targ", "inp.g = 2 * (inp - targ[:, None]) / (len(inp) {})", "inp.g", "n"),
            ("mse_vector_grad", "pred, y", "return 2 * (pred - y) / (len(y) {})", "result", "m"),
            ("mse_vector_grad", "pred, y", "return 2 / (len(y) {}) * (pred - y)", "result", "m"),
            ("matvec_mse_grad", "W, x, y", "return -2 * (y - W @ x) @ x.T / (len(y) {})", "result", "m"),
        )
        for name, count, code, said, unsaid in (
            ("one_row_less", "- 1", "scaled", f"divided by {letter} − 1", ("None of the usual",)),
            ("one_row_more", "+ 1", "wrong_value", "not always the same", ("− 1",)),
        )
    ),
    *(
        Row(
            f"forward_pass_without_{name}",
            "forward_and_backward",
            f"""
            def forward_and_backward(inp, targ):
                l1 = {first}
                a1 = {activated}
                out = {second}
                mse_grad(out, targ)
                lin_grad(a1, out, w2, b2)
                l1.g = a1.g{mask}
                lin_grad(inp, l1, w1, b1)
                return mse(out, targ)
            """,
            check,
            "wrong_value",
            (said,),
            ("None of the usual",),
        )
        for check in ("result", "w1.g", "w2.g")
        for name, first, activated, second, mask, said in (
            ("first_bias", "inp @ w1", "relu(l1)", "lin(a1, w2, b2)", " * (l1 > 0)", "in the place of `b1`."),
            ("second_bias", "lin(inp, w1, b1)", "relu(l1)", "a1 @ w2", " * (l1 > 0)", "in the place of `b2`."),
            ("biases", "inp @ w1", "relu(l1)", "a1 @ w2", " * (l1 > 0)", "in the place of `b1` and `b2`."),
            ("relu", "lin(inp, w1, b1)", "l1", "lin(l1, w2, b2)", "", "there is no ReLU"),
            ("relu_forward", "lin(inp, w1, b1)", "l1 + 0", "lin(a1, w2, b2)", " * (l1 > 0)", "there is no ReLU"),
        )
    ),
    Row(
        "layer_without_bias",
        "Lin",
        """
        class Lin:
            def __init__(self, w, b):
                self.w, self.b = w, b

            def __call__(self, inp):
                self.inp, self.out = inp, inp @ self.w
                return self.out

            def backward(self):
                self.inp.g = self.out.g @ self.w.T
                self.w.g, self.b.g = self.inp.T @ self.out.g, self.out.g.sum(0)
        """,
        "out",
        "wrong_value",
        ("in the place of `b`.",),
        ("None of the usual",),
    ),
    Row(
        "targets_left_out",
        "mse_grad",
        """
        def mse_grad(inp, targ):
            inp.g = 2 * inp / len(inp)
        """,
        "inp.g",
        "wrong_value",
        ("in the place of `targ`.",),
        ("None of the usual",),
    ),
)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_answer_gets_what_is_true_of_it(row: Row) -> None:
    assert_row(row)
