"""Exceptions of classes that Python cannot call as they are written, and of single objects where several belong."""

from __future__ import annotations

import pytest

from grader.judge.diagnosis.calls.class_errors import lacks_self, nearly_init
from grader.model import Stub
from tests.judge.answered import answered, assert_told, assert_unsaid, whole

LAYER = """
class LinModule(Module):
    def {init}(self, w, b):
        {super}
        self.w, self.b = w, b

    def forward(self, inp):
        return inp @ self.w + self.b

    def bwd(self, out, inp):
        inp.g, self.w.g, self.b.g = out.g @ self.w.T, inp.T @ out.g, out.g.sum(0)
"""
RELU = """
class Relu:
    def __call__({self}inp):
        self.inp, self.out = inp, torch.relu(inp)
        return {out}

    def backward({of_backward}):
        self.inp.g = self.out.g * (self.inp > 0)
"""
OPTIMIZER = """
class {name}(solution):
    def {method}:
        {body}
"""


def optimizer(name: str, method: str, body: str) -> str:
    return OPTIMIZER.format(name=name, method=method, body=body)


#: Exercise, source, check, and what is said of the exception.
WRONG: dict[str, tuple[str, str, str, str]] = {
    "call_without_self": (
        "Relu",
        RELU.format(self="", out="torch.relu(inp)", of_backward="self"),
        "out",
        "`__call__` has no `self`",
    ),
    "backward_without_self": (
        "Relu",
        RELU.format(self="self, ", out="self.out", of_backward=""),
        "inp.g",
        "`def backward(self, …)`",
    ),
    "init_with_one_underscore": (
        "LinModule",
        LAYER.format(init="_init_", super="pass"),
        "out",
        "`_init_` is another name",
    ),
    "init_with_letters_swapped": (
        "LinModule",
        LAYER.format(init="__int__", super="pass"),
        "out",
        "`__int__` is another name",
    ),
    "no_init": (
        "LinModule",
        "class LinModule(Module):\n    def forward(self, inp):\n        return inp @ self.w + self.b",
        "out",
        "has no method `__init__`",
    ),
    "arguments_for_the_base": (
        "LinModule",
        LAYER.format(init="__init__", super="super().__init__(w, b)"),
        "out",
        "has no `__init__` of its own",
    ),
    "comma_makes_a_tuple": (
        "SGD",
        optimizer(
            "SGD", "__init__(self, params, lr, *options)", "super().__init__(params, lr, *options); self.lr = lr,"
        ),
        "p",
        "a comma at the end of a line",
    ),
    "dictionary_without_first_values": (
        "SGD",
        optimizer("SGD", "step(self)", "held = {}\n        for p in self.params:\n            held[id(p)] += p"),
        "p",
        "nothing under",
    ),
    "zero_refused": (
        "SGD",
        optimizer(
            "SGD",
            "__init__(self, params, lr, momentum=0, *options)",
            "super().__init__(params, lr, momentum, *options)\n        if not momentum:\n            raise ValueError",
        ),
        "p",
        "a `raise` of your own",
    ),
    "number_with_an_index": (
        "Adam",
        optimizer("Adam", "step(self)", "self.lr[0]; super().step()"),
        "p",
        "an object of type `float` is a single one",
    ),
    "number_unpacked": (
        "Adam",
        optimizer(
            "Adam", "__init__(self, params, lr=1e-3, eps=1e-8, betas=0.9)", "super().__init__(params, lr, betas)"
        ),
        "p (a large eps)",
        "several values are given names",
    ),
    "parameters_not_called": (
        "resnet_step",
        "def resnet_step(model, lr, momentum, steps, next_gradients):\n    SGD(model.parameters, lr, momentum)",
        "first",
        "without parentheses",
    ),
    "number_gone_through": (
        "resnet_step",
        "def resnet_step(model, lr, momentum, steps, next_gradients):\n    for _ in steps: pass",
        "first",
        "`range(n)` for a number",
    ),
    "model_for_its_parameters": (
        "resnet_step",
        "def resnet_step(model, lr, momentum, steps, next_gradients):\n    SGD(model, lr).step()",
        "first",
        "a model's are its `parameters()`",
    ),
    "parameters_in_a_list": (
        "Linear",
        "class Linear(nn.Module):\n    def __init__(self, n_in, n_out):\n        super().__init__()\n"
        "        self.w, self.b = [torch.zeros(n_in, n_out)], [torch.zeros(n_out)]",
        "out",
        "`list` stands there, and it has no `.data`",
    ),
    "parameters_of_whole_numbers": (
        "Linear",
        "class Linear(nn.Module):\n    def __init__(self, n_in, n_out):\n        super().__init__()\n"
        "        self.w = nn.Parameter(torch.zeros(n_in, n_out, dtype=torch.int64))",
        "out",
        "Only floating-point numbers can have gradients",
    ),
    "index_of_another_axis": (
        "cross_entropy_grad",
        "def cross_entropy_grad(logits, targ):\n    torch.zeros_like(logits).scatter_(0, targ[None], 1.0)",
        "logits.g",
        "`targ[:, None]` along axis 1",
    ),
    "letter_of_two_sizes": (
        "attention_grad",
        "def attention_grad(q, k, v, out):\n    torch.einsum('ntd,ndt->nt', q, k)",
        "q.g",
        "stands for axes of two sizes",
    ),
    "letters_too_few": (
        "attention_grad",
        "def attention_grad(q, k, v, out):\n    torch.einsum('td,ntd->n', q, k)",
        "q.g",
        "Axes of one operand: 3; letters that stand for them: 2",
    ),
    "kernel_not_turned": (
        "conv2d_grad",
        "def conv2d_grad(inp, out, w, b):\n    torch.nn.functional.conv2d(out.g, w, padding=9)",
        "inp.g",
        "`w.transpose(0, 1)`",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_exception_is_explained(name: str) -> None:
    assert_told(*WRONG[name], code="raised")


def test_list_of_tensors_is_not_said_to_hold_numbers() -> None:
    found = answered(*WRONG["parameters_in_a_list"][:2])["fresh.w"]

    assert found.code == "not_a_tensor"
    assert_unsaid(found, "functions of NumPy")


def test_buffers_of_all_objects_are_told_where_their_sizes_clash() -> None:
    source = """
    class SGD(solution):
        held = {}

        def step(self):
            for i, p in enumerate(self.params):
                if p.g is not None:
                    self.held[i] = self.momentum * self.held.get(i, 0) + p.g
                    p -= self.lr * self.held[i]
    """
    found = [each.message for each in answered("SGD", source).values() if each.code == "raised"]

    assert found
    assert all("`held` is shared by all objects of the class" in message for message in found)


def test_input_without_a_gradient_is_not_to_become_a_parameter() -> None:
    source = (
        "class Linear(solution):\n    @torch.no_grad()\n    def forward(self, x):\n        return super().forward(x)"
    )
    found = answered("Linear", source)

    assert "Make `layer.w` an `nn.Parameter`" in whole(found["layer.w.grad"])
    assert_unsaid(found["x.grad"], "nn.Parameter")


@pytest.mark.parametrize(
    ("method", "lacks"),
    [
        ("def f(inp): pass", True),
        ("def f(): pass", True),
        ("def f(self, inp): pass", False),
        ("def f(*args): pass", False),
        ("@staticmethod\n    def f(inp): pass", False),
        ("def g(inp): pass", False),
    ],
)
def test_method_lacks_self_only_where_it_takes_the_object_by_another_name(method: str, lacks: bool) -> None:
    assert lacks_self(_stub(f"class A:\n    {method}"), "A", "f") is lacks


def test_init_is_found_by_its_near_names_alone() -> None:
    assert nearly_init(_stub("class A:\n    def init(self): pass"), "A") == "init"
    assert nearly_init(_stub("class A:\n    def forward(self): pass"), "A") is None
    assert nearly_init(None, "A") is None


def _stub(source: str) -> Stub:
    return Stub("A", 1, 1, source, "metadata")
