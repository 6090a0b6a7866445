"""What a stub's own lines show beside a diagnosis is true of them, and names the line."""

from __future__ import annotations

import time

import pytest

from grader.judge.diagnosis import clues
from grader.model import Stub
from tests.judge.answered import answered, assert_not_told, whole


def stub(*lines: str, given: str = "w1, g1, h, optimizer, losses", line: int = 4) -> Stub:
    source = "\n    ".join((f"def solve({given}):", *lines))
    return Stub("solve", 2, line, source, "metadata")


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["optimizer.step", "return w1"], "Line 5, `optimizer.step`, does nothing"),
        (["if h:", "    w1.backward", "return w1"], "Line 6, `w1.backward`, does nothing"),
        (["w1 - 0.1 * g1", "return w1"], "Line 5, `w1 - 0.1 * g1`, computes something that no line keeps."),
        (["w1 == w1 - g1", "return w1"], "Line 5, `w1 == w1 - g1`, compares, and assigns nothing"),
        (["w1.g == h.t() @ g1"], "Line 5, `w1.g == h.t() @ g1`, compares"),
        (["x = 1", "torch.relu(h)", "return h"], "Line 6, `torch.relu(h)`, computes"),
        (["w1.sub(0.1 * g1)", "return w1"], "Line 5, `w1.sub(0.1 * g1)`, computes"),
        (["w1.add(g1, alpha=-0.1)", "return w1"], "Line 5, `w1.add(g1, alpha=-0.1)`, computes"),
        (["for i in h:", "    h.sum(i)", "return h"], "Line 6, `h.sum(i)`, computes"),
        (["np.maximum(h, 0)", "return h"], "Line 5, `np.maximum(h, 0)`, computes"),
        (["h.T + " + " + ".join(["h"] * 40), "return h"], " …`, computes"),
    ],
)
def test_line_without_effect_is_named(lines: list[str], said: str) -> None:
    assert said in clues.without_effect(stub(*lines))


@pytest.mark.parametrize(
    "lines",
    [
        ["optimizer.step()", "return w1"],
        ["w1.sub_(0.1 * g1)", "return w1"],
        ["torch.sub(w1, g1, out=w1)", "return w1"],
        ["'A text.'", "...", "h.shape", "h", "return w1"],
        ["seen = set()", "seen.add(h)", "return seen"],
        ["losses.append(h)", "(h := w1) - g1", "h - print(g1)", "return losses"],
        ["def inner():", "    w1 - g1", "return w1"][::2],
    ],
)
def test_line_that_may_have_an_effect_is_not_named(lines: list[str]) -> None:
    assert clues.without_effect(stub(*lines)) == ""


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["w1 = w1 - g1", "return w1 @ h"], "Line 5 gives the name `w1` another value"),
        (["h = F.relu(h)", "return w1 @ h"], "Line 5 gives the name `h` another value"),
        (["h = torch.relu(h)", "return w1 @ h"], "Line 5 gives the name `h` another value"),
        (["w1 = w1 if h.dim() else g1", "return w1 @ h"], "Line 5 gives the name `w1` another value"),
        (["for i in h:", "    w1 = g1 + i", "    h += w1", "return h"], "Line 6 gives the name `w1`"),
        (["scale = 2 // len(h)", "return scale * h"], "Line 5 divides with `//`"),
        (["n, d = h.shape", "return (h * n) // 2"], "Line 6 divides with `//`"),
        (["mask = h > 0", "return w1 * g1"], "Line 5 computes `mask`, and no line uses it."),
    ],
)
def test_line_that_may_be_behind_an_unexplained_value_is_named(lines: list[str], said: str) -> None:
    assert said in clues.unexplained(stub(*lines))


@pytest.mark.parametrize(
    "lines",
    [
        ["w1 = w1.double().clone()", "return w1 @ h"],
        ["w1 -= g1", "return w1"],
        ["h = h[:, None]", "h = h.T.reshape(1, -1)", "return h"],
        ["while h.dim():", "    h = h.sum(0)", "return h"],
        ["other = h > 0", "return other * w1"],
        ["global kept", "kept = h.sum()", "return w1"],
        ["step = 0", "return w1"],
        ["n, d = h.shape", "half = (n - 1) // 2", "return h[:half] @ w1[: len(h) // 2, : h.shape[1] // d]"],
        ["w1 = w1 - g1"],
        ["w1 = list(w1)", "return w1[0] @ h"],
        ["w1 = w1 if isinstance(w1, Value) else Value(w1)", "return w1 * h"],
        ["w1 = self.lift(w1)", "h = Value.of(h)", "g1 = type(self)(g1)", "return w1 * h * g1"],
        ["w1 = np.asarray(w1, dtype=np.float64)", "return w1 @ h"],
        ["w1 = w1.sum(0)", "if h.dim():", "    w1 = w1.sum(0, keepdim=True)", "return w1"],
        ["n = h.shape[0]", "return w1"],
    ],
)
def test_line_that_changes_no_meaning_is_not_named(lines: list[str]) -> None:
    assert clues.unexplained(stub(*lines, given="self, Value, w1, g1, h")) == ""


@pytest.mark.parametrize(
    ("lines", "path", "name"),
    [
        (["dh = g1 @ w1.T", "dw1 = h.T @ g1"], "w1.g", "dw1"),
        (["dh = g1 @ w1.T", "gw1 = h.T @ g1"], "w1.g", "gw1"),
        (["dh = g1 @ w1.T", "grad_w1 = h.T @ g1"], "self.w1.g", "grad_w1"),
        (["dh = g1 @ w1.T", "w1_grad = h.T @ g1"], "w1.g", "w1_grad"),
        (["dh = g1 @ w1.T", "db = h.T @ g1"], "w1.g", ""),
        (["dx = g1 @ w1.T"], "h.g", "dx"),
        (["n = h.shape[0]"], "h.g", ""),
        (["n = len(h)", "dx = g1 @ w1.T"], "h.g", "dx"),
    ],
)
def test_result_that_is_not_kept_is_told_where_it_belongs(lines: list[str], path: str, name: str) -> None:
    found = clues.unused(stub(*lines), path)

    assert f"`{name}`" in found if name else found == ""


@pytest.mark.parametrize(
    ("line", "stepping"),
    [
        ("self.w -= 0.1 * self.w.g", True),
        ("self.w.data -= 0.1 * self.w.g", True),
        ("for p in (w1, h): p -= p.g", True),
        ("w1 -= g1.g.mean()", False),
        ("w1 -= 0.1 * g1", False),
        ("w1 += w1.g", False),
        ("w1.g -= 0.1 * w1.g", False),
    ],
)
def test_step_of_what_takes_none_is_told(line: str, *, stepping: bool) -> None:
    assert ("Line 5 takes a step" in clues.steps(stub(line))) == stepping


@pytest.mark.parametrize(
    ("source", "call", "said"),
    [
        (
            "def f(x, w, b, out): pass",
            "f(inp, out, w, b)",
            "Line 4 takes (x, w, b, out), and the check passes (inp, out",
        ),
        ("class L:\n    def __init__(self, b, w): pass", "layer = L(w, b)", "Line 5 takes (b, w), and"),
        ("def f(lr, params): pass", "f([p, q], lr)", "the check passes ([p, q], lr)"),
        ("def f(lr, params): pass", "f((p for p in ps) if lazily else [p, q], lr)", "the check passes ([p, q], lr)"),
        ("def f(x, y): pass", "f(inp, out)", ""),
        ("def f(inp, out, more=1): pass", "f(inp, out)", ""),
        ("def f(*args): pass", "f(inp, out)", ""),
        ("class L:\n    def __call__(self, out): pass", "layer = L(w); layer(inp, out)", ""),
    ],
)
def test_name_of_an_argument_at_another_place_is_told(source: str, call: str, said: str) -> None:
    found = clues.reordered(Stub("f", 2, 4, source, "name"), call)
    assert said in found
    assert bool(said) == bool(found)


@pytest.mark.parametrize(
    ("source", "call", "paths", "said"),
    [
        ("def f(a):\n    a.grad = 1", "f(a)", ["a.g"], "Line 5 uses `.grad`"),
        ("def f(p):\n    p -= p.grad", "p.g = g; f(p)", ["p", "p.g"], "Line 5 uses `.grad`"),
        ("def f(p):\n    p -= p.grad", "", ["p", "p.g, q.g = g; f(p)"], "Line 5 uses `.grad`"),
        ("def f(a):\n    a.grad = 1", "f(a).grad", ["a.g"], ""),
        ("def f(a):\n    a.grad = 1", "f(a)", ["a.gain"], ""),
        ("def f(a):\n    a.grad = 1", "f(a)", ["result"], ""),
        ("def f(a):\n    a.g = 1", "f(a)", ["a.g"], ""),
    ],
)
def test_grad_is_told_where_gradients_are_kept_in_g(source: str, call: str, paths: list[str], said: str) -> None:
    found = clues.in_grad(Stub("f", 2, 4, source, "name"), call, paths)
    assert said in found
    assert bool(said) == bool(found)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("kept = h.clone()", "h.clone()"),
        ("self.h = h.detach().double()", "h.detach().double()"),
        ("self.w1 = nn.Parameter(w1)", "nn.Parameter(w1)"),
        ("params = [p.detach() for p in losses]", "p.detach()"),
        ("h.data.g = g1", "h.data"),
        ("return h.clone()", "h.clone()"),
    ],
)
def test_tensor_made_of_another_is_told(line: str, code: str) -> None:
    assert f"Line 5, `{code}`, makes another tensor" in clues.copied(stub(line))


@pytest.mark.parametrize(
    "line",
    ["g = h.g.clone()", "kept = h", "last = losses[-1]", "h.g = g1", "x = h.to(w1.dtype)", "n = len(h)", "return"],
)
def test_the_very_tensor_is_no_other_one(line: str) -> None:
    assert clues.copied(stub(line)) == ""


@pytest.mark.parametrize(
    ("lines", "name"),
    [
        (["return h / n"], "n"),
        (["global count", "count += 1", "return h * count"], "count"),
        (["return h @ other.T"], "other"),
    ],
)
def test_value_of_the_notebook_is_told(lines: list[str], name: str) -> None:
    assert f"uses `{name}`, which is no argument" in clues.from_outside(stub(*lines), ())


@pytest.mark.parametrize(
    "lines",
    [
        ["return torch.relu(h) / math.pi"],
        ["return helper(h)"],
        ["return h @ known"],
        ["import scipy.special", "return scipy.special.erf(h)"],
        ["try:", "    return h", "except ValueError as error:", "    return error"],
        ["return [each for each in h if isinstance(each, float)]"],
        ["def inner(x):", "    return x", "return inner(h)"],
    ],
)
def test_modules_calls_and_what_is_given_are_not_told(lines: list[str]) -> None:
    assert clues.from_outside(stub(*lines), {"known"}) == ""


def test_value_of_the_notebook_is_told_of_one_line_alone() -> None:
    assert clues.from_outside(stub("x = h / n", "return x"), (), 6) == ""
    assert "Line 5 uses `n`" in clues.from_outside(stub("x = h / n", "return x"), (), 5)


@pytest.mark.parametrize("line", ["h = g1; g1 = h", "h = h + 1", "w1.g = g1.g", "d = h.g; d *= h"])
def test_answer_of_many_lines_has_its_clues_in_time(line: str) -> None:
    answer = stub(*[line] * (30_000 // len(line)))
    began = time.process_time()
    clues.unexplained(answer)
    clues.renamed_before(answer, "w1", 10_000)
    clues.also_changed(answer, "w1.g")
    assert time.process_time() - began < 3  # it would take ten times as long


@pytest.mark.parametrize(
    "lines",
    [
        ["d = h.g", "d = 2 * d", "d *= 3", "return h.g"],
        ["d = h.g.clone()", "d *= 3", "return h.g"],
        ["d = h.g", "d *= 3", "return d"],
        ["d = h.g", "h.g = 2 * h.g", "d *= 3", "return h.g"],
        ["d = h.g", "e = h.g + 1", "d += e", "h.g = d", "return h.g"],
        ["d = h.g[h.g > 0]", "d *= 3", "return h.g"],
        ["n = losses", "n += 1", "return losses"],
        ["g = h.grad", "g *= h.data", "return h.grad"],
        ["if w1:", "    d = h.g", "    d *= 3", "else:", "    w1.g = h.g"],
        ["n = h.shape[0]", "m = n", "m += 1", "return h.sum() / n"],
    ],
)
def test_tensor_that_is_changed_under_one_name_and_read_under_no_other_is_not_told(lines: list[str]) -> None:
    assert clues.also_changed(stub(*lines)) == ""


@pytest.mark.parametrize(
    ("lines", "line"),
    [
        (["d = h.g", "d[h > 0] = 0", "return h.g"], 6),
        (["d = h.g", "d[0] *= 2", "w1.g = h.g"], 6),
        (["d = h.g[0, :]", "d.mul_(2)", "w1.g = h.g"], 6),
    ],
)
def test_change_of_a_tensor_that_has_another_name_is_told(lines: list[str], line: int) -> None:
    assert f"Line {line} changes `h.g`, too" in clues.also_changed(stub(*lines))


@pytest.mark.parametrize("line", ["step = w1 - h", "w1 = w1.clone() - h", "w1 -= h", "h = w1 - h", "w1 = w1 - h"])
def test_new_tensor_is_told_of_what_was_handed_over(line: str) -> None:
    assert bool(clues.new_for_old(stub(line, "return w1"))) == (line == "w1 = w1 - h")


@pytest.mark.parametrize("line", ["return", "return None", "return h.g", "return h.g, w1.g"])
def test_gradient_that_is_written_may_be_returned_too(line: str) -> None:
    assert clues.returned(Stub("Relu", 2, 4, f"def backward(self):\n    {line}", "name"), "w.g") == ""
    assert clues.returned(stub("return h @ w1"), "h.g") == ""


def test_source_that_is_no_python_has_no_clues() -> None:
    broken = Stub("solve", 2, 1, "def solve(:", "name")

    assert clues.without_effect(broken) == clues.unexplained(broken) == clues.without_effect(None) == ""
    assert clues.copied(broken) == clues.in_grad(broken, "solve(a)", ["a.g"]) == clues.reordered(None, "f(a)") == ""


def test_line_nested_as_deeply_as_no_formula_is_named() -> None:
    assert "Line 5, `" in clues.without_effect(stub("+".join(["h"] * 1500), "return h"))


def test_answer_with_a_line_nested_too_deeply_is_diagnosed_all_the_same() -> None:
    size = "inp.shape[0]" + " + 0" * 700
    source = f"def lin_grad(inp, out, w, b):\n    n = {size}\n    solution(inp, out, w, b)\n    w.g = w.g * n // n + 1"

    assert answered("lin_grad", source)["w.g"].code == "wrong_value"


#: The exercise, an answer, its check, and the clue in what is said of it.
TOLD = {
    "one_list_for_both_averages": (
        "Adam",
        "class Adam(solution):\n    def __init__(self, params, *options):\n        super().__init__(params, *options)\n"
        "        self.means = self.squares = [torch.zeros_like(p) for p in self.params]",
        "p",
        "Line 4 makes one object for `self.means` and `self.squares`",
    ),
    "grad_in_place_of_g": (
        "lin_grad",
        "def lin_grad(inp, out, w, b):\n    inp.g = out.grad @ w.T",
        "inp.g",
        "Line 2 uses `.grad`",
    ),
    "grad_in_a_line_that_is_quoted": (
        "sgd_step",
        "def sgd_step(params, lr):\n    for p in params:\n        p -= lr * p.grad",
        "p",
        "Line 3 uses `.grad`",
    ),
    "grad_in_an_optimizer": (
        "Adam",
        """
        class Adam:
            def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
                self.params, self.lr = list(params), lr
            def step(self):
                for p in self.params:
                    if p.grad is not None:
                        p -= self.lr * p.grad
        """,
        "p",
        "uses `.grad`",
    ),
    "copies_of_the_parameters": (
        "Adam",
        """
        class Adam:
            def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
                self.params, self.lr = [p.detach() for p in params], lr
            def step(self):
                for p in self.params:
                    p -= self.lr * p.g
        """,
        "p",
        "Line 3",
    ),
    "global_of_the_notebook": (
        "relu_grad",
        "def relu_grad(inp, out):\n    inp.g = out.g * (x_train > 0)",
        "inp.g",
        "Line 2 uses `x_train`",
    ),
    "step_not_called": (
        "train_with_optimizer",
        """
        def train_with_optimizer(model, optimizer, x, y, steps):
            losses = []
            for _ in range(steps):
                loss = ((model(x) - y) ** 2).sum()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step
                losses.append(loss.item())
            return losses
        """,
        "first",
        "Line 7, `optimizer.step`, does nothing",
    ),
    "underscore_forgotten": (
        "updated",
        "def updated(param, grad, lr):\n    new = param.clone()\n    new.sub(lr * grad)\n    return new",
        "result",
        "Line 3, `new.sub(lr * grad)`, computes",
    ),
    "name_used_again": (
        "polynomial_vjp",
        "def polynomial_vjp(a, b, upstream):\n    a = 9 * a**2\n    return a * upstream, (3 * a - 2 * b) * upstream",
        "result[1]",
        "Line 2 gives the name `a` another value",
    ),
    "output_computed_again": (
        "lin_grad",
        "def lin_grad(inp, out, w, b):\n    out = inp @ w + b\n    inp.g = out.g @ w.T",
        "inp.g",
        "Line 2 gives the name `out` another value",
    ),
    "weights_made_anew": (
        "train_with_autograd",
        """
        def train_with_autograd(x, y, w1, w2, learning_rate, steps):
            for _ in range(steps):
                loss = (torch.relu(x @ w1) @ w2 - y).pow(2).sum()
                loss.backward()
                w1 = w1 - learning_rate * w1.grad
                w2 = w2 - learning_rate * w2.grad
        """,
        "w1",
        "is None there",
    ),
    "new_tensor_for_each_parameter": (
        "train_module",
        """
        def train_module(model, x, y, learning_rate, steps):
            losses = []
            for _ in range(steps):
                loss = ((model(x) - y) ** 2).sum()
                model.zero_grad()
                loss.backward()
                with torch.no_grad():
                    for p in model.parameters():
                        p = p - learning_rate * p.grad
                losses.append(loss.item())
            return losses
        """,
        "first",
        "Line 9 gives the name `p` to a new tensor",
    ),
    "changed_under_another_name": (
        "lin_grad",
        """
        def lin_grad(inp, out, w, b):
            b.g = out.g[0]
            for i in range(1, len(out.g)):
                b.g += out.g[i]
            inp.g, w.g = out.g @ w.T, inp.T @ out.g
        """,
        "w.g",
        "Line 4 changes `out.g`, too, for `b.g` is another name of it or of a part, and line 5 reads it.",
    ),
    "changed_under_another_name_and_read_by_a_name_of_its_own": (
        "layernorm_grad",
        """
        def layernorm_grad(inp, out, gamma, beta, eps):
            s = (inp.var(-1, unbiased=False, keepdim=True) + eps).sqrt()
            xh = (inp - inp.mean(-1, keepdim=True)) / s
            rows = tuple(range(inp.dim() - 1))
            gamma.g, beta.g = (out.g * xh).sum(rows), out.g.sum(rows)
            d = out.g * gamma
            t = xh
            t *= (d * xh).mean(-1, keepdim=True)
            both = d.mean(-1, keepdim=True) + xh * (d * xh).mean(-1, keepdim=True)
            inp.g = (d - both) / s
        """,
        "inp.g",
        "Line 8 changes `xh`, too, for `t` is another name of it or of a part, and line 9 reads it.",
    ),
}


@pytest.mark.parametrize("name", TOLD)
def test_clue_is_told(name: str) -> None:
    exercise, source, check, said = TOLD[name]

    assert said in whole(answered(exercise, source)[check])


@pytest.mark.parametrize("exercise", ["mse_grad", "lin_grad"])
def test_arguments_in_another_order_are_told_whatever_comes_of_them(exercise: str) -> None:
    names = {"mse_grad": "targ, inp", "lin_grad": "b, inp, out, w"}[exercise]
    found = answered(exercise, f"def {exercise}({names}):\n    inp.g = inp.sum(0)")["inp.g"]

    assert f"Line 1 takes ({names}), and the check passes (inp, " in found.message


def test_arguments_with_names_of_their_own_have_no_order_to_be_told() -> None:
    source = "def mse_grad(prediction, target):\n    prediction.g = prediction"

    assert_not_told("mse_grad", source, "inp.g", "the check passes")


def test_buffer_with_a_name_of_the_line_is_not_told_to_be_one_for_two() -> None:
    source = (
        "class SGD(solution):\n    def zero_grad(self):\n        kept = self.last = torch.zeros(3)\n        kept += 1"
    )

    assert_not_told("SGD", source, "cleared (zero_grad)", "makes one object for")


def test_line_without_effect_is_not_told_of_a_call_that_raised() -> None:
    source = "def updated(param, grad, lr):\n    param - lr * grad\n    return param - lr * gradient"

    assert_not_told("updated", source, "result", "no line keeps")


@pytest.mark.parametrize(
    ("step", "loss", "said"),
    [
        (
            "w1 -= learning_rate * g1.sin(); w2 -= learning_rate * g2",
            "loss",
            "before loss 2 are right: look at what step 1",
        ),
        ("w1 -= learning_rate * (g1 if t < 2 else g1.sin()); w2 -= learning_rate * g2", "loss", "look at what step 3"),
        ("w1 -= learning_rate * g1; w2 -= learning_rate * g2.sin()", "loss.sin()", "The first loss is wrong already"),
    ],
)
def test_losses_that_are_right_tell_where_an_unexplained_loop_goes_wrong(step: str, loss: str, said: str) -> None:
    source = f"""
    def train_by_hand(x, y, w1, w2, learning_rate, steps):
        losses = []
        for t in range(steps):
            loss, g1, g2 = torch_grads(x, y, w1, w2)
            {step}
            losses.append({loss})
        return losses
    """
    found = answered("train_by_hand", source)

    assert all(said in found[check].message for check in ("result", "w1", "w2"))


def test_no_losses_are_spoken_of_where_they_are_right_or_none_came() -> None:
    source = "def train_by_hand(x, y, w1, w2, learning_rate, steps):\n    {}\n    w1.mul_(1 + w1.sin())\n    {}"
    right = source.format("losses = solution(x, y, w1, w2, learning_rate, steps)", "return losses")
    none = source.format("solution(x, y, w1, w2, learning_rate, steps)", "return None")

    for each in (right, none):
        assert "loss" not in answered("train_by_hand", each)["w1"].message.lower()
