from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.model import Cell
from grader.submission.reading.suspicion import (
    autograd_suspected,
    lookup_suspected,
    loops_suspected,
    optimizer_suspected,
)

SUSPECTED = {
    "autograd_grad": ("g = torch.autograd.grad(out, w)", "`torch.autograd.grad` (line 1)"),
    "imported_as": ("import torch.autograd as ag\nag.grad(x, y)", "`torch.autograd` (line 1)"),
    "from_torch": ("from torch import autograd", "`torch.autograd` (line 1)"),
    "from_func": ("\nfrom torch.func import vjp", "`torch.func.vjp` (line 2)"),
    "torch_alias": ("import torch as T\nT.autograd.grad(x)", "`torch.autograd.grad` (line 2)"),
    "decompositions": ("torch._decomp.decomposition_table", "`torch._decomp.decomposition_table` (line 1)"),
    "vmap": ("torch.vmap(f)", "`torch.vmap` (line 1)"),
    "aten": ("torch.ops.aten.threshold_backward(a, b, 0)", "`torch.ops.aten.threshold_backward` (line 1)"),
    "native": ("torch.native_layer_norm_backward(a)", "`torch.native_layer_norm_backward` (line 1)"),
    "sum_backward": ("(out * out.g).sum().backward()", "`….backward()` (line 1)"),
    "named_sum": ("loss = (x * y).sum()\nloss.backward()", "`loss.backward()` (line 2)"),
    "result_of_a_function": ("loss = mse(out, targ)\nloss.backward()", "`loss.backward()` (line 2)"),
    "own_upstream": ("def f(inp, out):\n    out.backward(out.g)", "`out.backward()` (line 2)"),
    "own_upstream_of_an_attribute": ("self.out.backward(self.out.g)", "`….backward()` (line 1)"),
    "retain_graph": ("out.backward(retain_graph=True)", "`out.backward()` (line 1)"),
    "requires_grad_": ("w.requires_grad_()", "`requires_grad_()` (line 1)"),
    "requires_grad_kw": ("torch.zeros(3, requires_grad=True)", "`requires_grad=True` (line 1)"),
    "requires_grad_set": ("w.requires_grad = True", "`requires_grad = True` (line 1)"),
    "ctypes": ("import ctypes", "`ctypes` (line 1)"),
    "dunder_import": ("__import__('ctypes')", "`__import__('ctypes')` (line 1)"),
    "import_by_name": ("importlib.import_module('torch.autograd').grad(x)", "`torch.autograd.grad` (line 1)"),
    "getattr_of_an_alias": ("f = getattr(torch, 'func')\nf.grad(loss)", "`getattr: torch.func` (line 1)"),
    "getattr": ("getattr(torch, 'autograd')", "`getattr: torch.autograd` (line 1)"),
    "gc": ("import gc\ngc.get_objects()", "`gc.get_objects` (line 2)"),
    "settrace": ("sys.settrace(f)", "`sys.settrace` (line 1)"),
    "exec": ("exec(text)", "`exec(…)` (line 1)"),
    "jax": ("import jax.numpy as np", "`jax.numpy` (line 1)"),
    "syntax_error": ("def f(:\n  torch.autograd.grad(x)", "`torch.autograd` (line 2)"),
    "import_of_a_part": ("import torch.autograd", "`torch.autograd` (line 1)"),
    "imported_module": ("import threading\nthreading.settrace(f)", "`threading.settrace` (line 2)"),
    "module_by_another_name": ("from torch import nn as N\nN.grad.f(w)", "`torch.nn.grad.f` (line 2)"),
    "sum_of_two": ("loss = a + b\nloss.backward()", "`loss.backward()` (line 2)"),
    "method_by_its_name": ("getattr(loss, 'backward')()", "`getattr: .backward` (line 1)"),
    "beside_no_grad": ("with torch.autograd.no_grad():\n    torch.autograd.grad(x)", "`torch.autograd.grad` (line 2)"),
    "sum_beside_own": ("def backward(self): pass\nx.sum().backward()", "`….backward()` (line 2)"),
    "torch_beside_own": (
        "from torch.nn.functional import mse_loss\ndef backward(self): mse_loss(x, y).backward()",
        "`….backward()` (line 2)",
    ),
    "sympy": ("import sympy as sp\nsp.diff(f, x)", "`sympy` (line 1)"),
    "under_a_magic": ("%%time\ntorch.autograd.grad(x)", "`torch.autograd.grad` (line 2)"),
}
INNOCENT = {
    "loop_over_layers": "for layer in reversed(self.layers):\n    layer.backward()",
    "attribute": "self.loss.backward()",
    "model": "model.backward()",
    "constructed": "loss = Mse()\nloss(out, targ)\nloss.backward()",
    "constructed_on_the_spot": "Mse().backward()",
    "super": "super().backward()",
    "taken_out": "self.tape.pop(0).backward()\nnext(layers).backward()",
    "own_engine": "out._backward = _backward\nnode._backward()",
    "own_function": "def forward_and_backward(inp, targ):\n    pass",
    "own_gradient_argument": "layer.backward(grad)",
    "switched_off": "torch.zeros_like(p, requires_grad=False)\nw.requires_grad_(False)",
    "no_grad": "with torch.no_grad():\n    p.sub_(lr * p.g)",
    "own_module": "from layers import relu_backward\nrelu_backward(out)",
    "taken_from_the_left": "layer = todo.popleft()\nlayer.backward()",
    "taken_by_its_name": "loss = getattr(self, 'loss')\nloss.backward()",
    "no_grad_by_its_module": "@torch.autograd.no_grad()\ndef f(x):\n    torch.autograd.grad_mode.inference_mode()",
    "switched_off_by_its_module": "from torch.autograd import set_grad_enabled as s\nwith s(False):\n    pass",
    "measured": "with torch.autograd.profiler.profile() as p:\n    f(x)",
    "own_method_of_what_is_given": (
        "class Lin:\n    def backward(self): pass\nclass Model:\n    def backward(self):\n"
        "        self.layer(0).backward()\n        made('relu').backward()\n"
        "        last = self.last()\n        last.backward()"
    ),
    "own_option": "class Mse:\n    def backward(self, gradient=1.0): pass\nlayers[-1].backward(gradient=2.0)",
    "own_call_with_a_name": "show(torch, 'autograd')",
    "other_attribute": "getattr(torch, 'relu')(x)  # backward",
    "loop_over_what_was_made": "layer = make()\nfor layer in layers:\n    layer.backward()",
    "in_a_comment": "# torch.autograd\nx = 'torch.autograd'",
    "eval_mode": "model.eval()",
    "comment_in_broken_code": "def f(:  # torch.autograd",
    "nothing": "",
}


@pytest.mark.parametrize("name", SUSPECTED)
def test_autograd_suspected_names_sign_and_line(name: str) -> None:
    source, expected = SUSPECTED[name]
    assert autograd_suspected(source) == expected


@pytest.mark.parametrize("name", INNOCENT)
def test_autograd_suspected_leaves_own_code_alone(name: str) -> None:
    assert autograd_suspected(INNOCENT[name]) is None


@pytest.mark.parametrize(
    ("source", "cells", "sign"),
    [
        ("def f(x):\n    return t.func.vjp(g, x)", ["import torch as t"], "`torch.func.vjp` (line 2)"),
        ("def f(x):\n    return pull(g, x)", ["from torch.func import vjp as pull"], "`torch.func.vjp` (line 2)"),
        (
            "def f(x):\n    return N.grad.conv2d_input(x)",
            ["from torch import nn as N"],
            "`torch.nn.grad.conv2d_input` (line 2)",
        ),
        (
            "def f(x):\n    return ag.grad(x)",
            ["import torch as t", "ag = t.autograd"],
            "`torch.autograd.grad` (line 2)",
        ),
        ("T = torch\ndef f(x):\n    return T.func.vjp(x)", [], "`torch.func.vjp` (line 3)"),
        ("def f(x):\n    return jax.vjp(g, x)", ["import jax"], "`jax.vjp` (line 2)"),
        ("def f(grad):\n    return grad(1)", ["from torch.autograd import grad"], None),
        ("def f(x):\n    t = make()\n    return t.func.vjp(x)", ["import torch as t"], None),
        ("def f(x):\n    return grad(x)", ["def grad(x): return x"], None),
        ("def f(x):\n    return t.relu(x)", ["import torch as t"], None),
        (
            "def f(x):\n    return d(x)",
            ["import sympy as sp\nd = sp.lambdify(x, sp.diff(f))"],
            "`sympy.lambdify` (line 2 of cell 0)",
        ),
        ("def f(x):\n    return x", ["import sympy as sp\nd = sp.lambdify(x, sp.diff(f))"], None),
        (
            "def f(x):\n    return d(x)",
            ["from torch.utils._sympy.functions import sympy\nd = sympy.lambdify(x, sympy.diff(f))"],
            "`sympy.lambdify` (line 2 of cell 0)",
        ),
        (
            "def f(x):\n    return d(x)",
            ["import torch\nd = torch.utils._sympy.functions.sympy.diff(f)"],
            "`sympy.diff` (line 2 of cell 0)",
        ),
        ("def f(x):\n    return d(x)", ["from sympy import *\nd = diff(f)"], "`sympy.diff` (line 2 of cell 0)"),
        ("def f(x):\n    return x", ["from sympy import *\nd = diff(f)"], None),
        ("def f(x):\n    return diff * x", ["from sympy import *\nfor diff in range(3):\n    display(diff)"], None),
        ("def f(x):\n    return d(x)", ["import mpmath\nd = mpmath.diff(f)"], "`mpmath.diff` (line 2 of cell 0)"),
        (
            "def f(x):\n    return F.torch.func.vjp(g, x)",
            ["import torch.nn.functional as F"],
            "`torch.func.vjp` (line 2)",
        ),
        ("def f(x):\n    made(x).backward()", ["class Lin:\n    def backward(self): pass"], None),
        ("ls[-1].backward(gradient=1)", ["class Mse:\n    def backward(self, gradient): pass"], None),
        (
            "ls[-1].backward(gradient=1)",
            ["class Mse:\n    def backward(self): pass"],
            "`….backward()` (line 1)",
        ),
    ],
    ids=[
        *("module", "function", "part", "name", "own", "package", "parameter", "variable", "helper", "allowed"),
        *(
            "relied_on",
            "not_relied_on",
            "by_torch",
            "in_torch",
            "everything",
            "nothing",
            "loop",
            "numbers",
            "by_a_module",
        ),
        *("own_backward", "own_option", "no_option_of_its_own"),
    ],
)
def test_autograd_is_suspected_by_what_other_cells_import(source: str, cells: list[str], sign: str | None) -> None:
    assert autograd_suspected(source, [Cell(index, text) for index, text in enumerate(cells)]) == sign


@given(st.text() | st.lists(st.sampled_from([v[0] for v in SUSPECTED.values()] + ["(", "\0"])).map("\n".join))
@settings(max_examples=200)
def test_suspicion_never_raises(source: str) -> None:
    autograd_suspected(source)


def test_suspicion_takes_a_time_that_grows_with_the_source_alone() -> None:
    began = time.process_time()
    assert autograd_suspected(f"[{'1,' * 40_000}].backward({'a.g,' * 40_000})") is None
    assert time.process_time() - began < 20


OPTIMIZERS = {
    "inside": (
        "class SGD:\n    def step(self):\n        torch.optim.SGD(self.params).step()",
        "`torch.optim.SGD` (line 3)",
    ),
    "imported": ("from torch import optim\noptim.Adam(params)", "`torch.optim.Adam` (line 2)"),
    "functional": ("from torch.optim.adam import adam\nadam(params)", "`torch.optim.adam.adam` (line 2)"),
    "fullwidth": ("torch.\uff4f\uff50\uff54\uff49\uff4d.SGD(params)", "`torch.optim.SGD` (line 1)"),
    "functional_class": (
        "from torch.distributed.optim import _FunctionalAdam as A\nA(params)",
        "`torch.distributed.optim._FunctionalAdam` (line 2)",
    ),
    "attribute": ("getattr(torch, 'optim').Adam(params)", "`torch.optim.Adam` (line 1)"),
    "attributes": ("o = getattr(torch, 'optim')\ngetattr(o, 'Adam')(params)", "`torch.optim.Adam` (line 2)"),
    "imported_by_name": ("__import__('torch.optim').optim.Adam(params)", "`torch.optim.Adam` (line 1)"),
    "imported_from": ("__import__('torch.optim', fromlist=['x']).Adam(params)", "`torch.optim.Adam` (line 1)"),
    "module_by_name": (
        "from importlib import import_module as i, import_module\nimport_module('torch.optim').Adam",
        "`torch.optim.Adam` (line 2)",
    ),
    "module_within": ("importlib.import_module('.optim', 'torch').Adam(params)", "`torch.optim.Adam` (line 1)"),
    "module_alone": ("getattr(torch, 'optim')", "`torch.optim` (line 1)"),
    "module_in_a_list": ("[torch.optim][0].Adam(params)", "`torch.optim` (line 1)"),
    "module_of_a_tuple": ("t, n = torch, torch.nn\nO = t.optim.SGD", "`….optim.SGD` (line 2)"),
    "module_named_on_the_way": ("(t := torch).optim.SGD(params)", "`….optim.SGD` (line 1)"),
    "module_of_a_class": ("class L:\n    t = torch\nO = getattr(L.t.optim, 'SGD')", "`….optim.SGD` (line 3)"),
    "base_class_of_a_thing": ("n.optim.Optimizer", None),
    "package_of_ones_own": ("import mine\nmine.optim.SGD(params)", None),
    "module_by_another": (
        "import torch.nn.functional as F\nF.torch.optim.Adam(params)",
        "`torch.optim.Adam` (line 2)",
    ),
    "module_from_another": (
        "from torch.optim.optimizer import torch as t\nt.optim.Adam(params)",
        "`torch.optim.Adam` (line 2)",
    ),
    "loaded": ("sys.modules['torch.optim'].Adam(params)", "`torch.optim.Adam` (line 1)"),
    "loaded_and_taken": ("sys.modules.get('torch.optim.adam').adam(params)", "`torch.optim.adam.adam` (line 1)"),
    "getter": ("operator.attrgetter('optim.Adam')(torch)(params)", "`torch.optim.Adam` (line 1)"),
    "dunder": ("torch.__getattribute__('optim').Adam(params)", "`torch.optim.Adam` (line 1)"),
    "base_class": ("class SGD(torch.optim.Optimizer):\n    def step(self): pass", None),
    "base_class_by_its_module": ("from torch.optim.optimizer import Optimizer\nclass SGD(Optimizer): pass", None),
    "base_class_of_none": (
        "class SGD(torch.optim.Optimizer):\n    def step(self): torch.optim.SGD([p]).step()",
        "`torch.optim.SGD` (line 2)",
    ),
    "own_attribute": ("getattr(self, 'optim').step(params)", None),
    "only_named": ("def step():\n    'the formula of torch.optim.SGD'", None),
    "own_optim": ("optim = SGD(params, lr)\noptim.step()", None),
    "no_python": ("torch.optim.SGD(", None),
}


@pytest.mark.parametrize(("source", "sign"), OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_optimizer_of_torch_is_seen_where_it_is_used(source, sign):
    assert optimizer_suspected(source) == sign


@pytest.mark.parametrize(
    ("source", "cells", "sign"),
    [
        ("def train(x, y):\n    from data.digits import load\n    return load()", [], "`data.digits.load` (line 3)"),
        ("def train(x, y):\n    return load()[1]", ["from data.digits import load"], "`data.digits.load` (line 2)"),
        (
            "def train(x, y):\n    return known",
            ["from data import digits", "x, known = digits.load()"],
            "`data.digits.load` (line 1 of cell 1)",
        ),
        ("def train(x, y):\n    return __import__('data.digits').digits.load()", [], "`data.digits.load` (line 2)"),
        ("def train(x, y):\n    return open('/data/digits.csv.gz').read()", [], "`digits.csv` (line 2)"),
        ("def train(x, y):\n    return y", ["from data.digits import load\nx, y = load()"], None),
        ("def train(x, y):\n    'As good as on digits.csv.'\n    return y", [], None),
    ],
    ids=["inside", "imported", "variable", "by_name", "file", "parameters", "docstring"],
)
def test_answer_that_may_be_looked_up_is_seen(source, cells, sign):
    cells = [Cell(index, text) for index, text in enumerate(cells)]
    assert lookup_suspected(("data.digits", "digits.csv"), source, cells) == sign


@pytest.mark.parametrize(
    ("source", "cells", "sign"),
    [
        ("def step(p):\n    optim.SGD(p).step()", ["import torch.optim as optim"], "`torch.optim.SGD` (line 2)"),
        ("class SGD(Base): pass", ["from torch.optim import SGD as Base"], "`torch.optim.SGD` (line 1)"),
        (
            "def step(p):\n    moved(p)",
            ["import torch as t", "def moved(p):\n    t.optim.SGD(p).step()"],
            "`torch.optim.SGD` (line 2 of cell 1)",
        ),
        ("step = lambda p: kind(p)", ["kind = torch.optim.Adam"], "`torch.optim.Adam` (line 1)"),
        ("def step(p): p -= p.g", ["def compare(p):\n    torch.optim.SGD(p).step()"], None),
        ("def step(p):\n    optim = SGD(p)\n    optim.step()", ["from torch import optim", "class SGD: pass"], None),
        ("def step(optim):\n    optim.step()", ["from torch import optim"], None),
    ],
    ids=["module", "base", "helper", "name", "comparison", "own", "parameter"],
)
def test_optimizer_of_torch_is_seen_through_other_cells(source, cells, sign):
    assert optimizer_suspected(source, [Cell(index, text) for index, text in enumerate(cells)]) == sign


@pytest.mark.parametrize(
    ("source", "cells", "place"),
    [
        ("def f(a, b):\n    return [x - b for x in a]", [], "line 2"),
        ("def f(a, b):\n    while True:\n        return a - b", [], "line 2"),
        ("def f(a, b):\n    return torch.stack(list(map(lambda x: x - b, a)))", [], "line 2"),
        ("f = np.vectorize(minus)", [], "line 1"),
        ("    def f(a, b):\n        for x in a: pass", [], "line 2"),
        ("def f(a, b):\n    return h(a, b)", ["", "def h(a, b):\n    for x in a:\n        pass"], "line 2 of cell 1"),
        ("def f(a, b):\n    return a[:, None] - b", ["for x in a: pass", "def h(a):\n    while True: pass"], None),
        ("def f(a, b):\n    return other(a, b)", ["def other(a, b):\n    for x in a: pass"], None),
        ("def f(:", [], None),
    ],
    ids=["comprehension", "while", "map", "vectorized", "indented", "helper", "unused", "other exercise", "no Python"],
)
def test_loops_are_seen_in_what_an_answer_relies_on(source, cells, place):
    cells = [Cell(index, text) for index, text in enumerate(cells)]
    assert loops_suspected(source, cells, {"other"}) == place


def test_what_an_answer_relies_on_in_a_module_beside_is_seen() -> None:
    cells = [Cell(0, "import helper")]
    beside = {"helper.py": "import sympy, torch\ndef made(p): return torch.optim.SGD(p)\nd = sympy.diff"}
    sign = "`torch.optim.SGD` (line 2 of helper.py)"
    assert optimizer_suspected("def f(p): helper.made(p)", cells, (), beside) == sign
    assert optimizer_suspected("def f(p): helper.d(p)", cells, (), beside) is None
    assert autograd_suspected("def f(p): helper.d(p)", cells, (), beside) == "`sympy.diff` (line 1)"
    assert autograd_suspected("def f(p): helper.made(p)", cells, (), beside) is None

    cells, beside = [Cell(0, "from tools.data import *")], {"tools/data.py": "from digits import load"}
    sign = "`digits.load` (line 1)"
    assert lookup_suspected(("digits",), "def train(x): return load()", cells, (), beside) == sign
