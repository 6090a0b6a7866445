"""Every way to autograd that a student may take is named; hand-written gradients are not suspected."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from grader import torch_import
from grader.kernel.check import autograd_watch
from grader.model import Cell, Check, Job, Program
from tests.kernel.conftest import BEST, WORKING
from tests.kernel.laboratory import Laboratory, captured

_SETUP = """
import torch, threading, _thread
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes
saved_grad, saved_backward = torch.autograd.grad, torch.Tensor.backward
leaf = torch.arange(6.0).reshape(2, 3).requires_grad_()
saved_node = (leaf * leaf).grad_fn
def doubled(x):
    return 2 * torch.ops.aten.tanh_backward(x, torch.zeros_like(x))
class Behind(torch.Tensor):
    @classmethod
    def __torch_dispatch__(cls, function, types, args=(), kwargs=None):
        return doubled(args[0].as_subclass(torch.Tensor))
class Plain(torch.Tensor):
    pass
class Below(TorchDispatchMode):
    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        return doubled(args[0]) if 'neg' in str(function) else function(*args, **(kwargs or {}))
"""

#: Body of ``by_hand(x)`` → whether it uses autograd.
VARIANTS = {
    "formula": ("x.g = 2 * x", False),
    "many-operators": ("x.g = torch.einsum('ij->ij', 2 * x) + 0 * torch.softmax(x, 1) @ torch.ones(3, 3)", False),
    "printing": ("print(x, repr(x))\n    x.g = 2 * x", False),
    "thread-by-hand": (
        "def work():\n        x.g = 2 * x\n    t = threading.Thread(target=work); t.start(); t.join()", False),
    "no-grad": ("with torch.no_grad():\n        x.g = 2 * x", False),
    "requires-grad-alone": ("y = x.clone().requires_grad_(True)\n    x.g = (2 * y).detach()", False),
    "backward": ("y = x.clone().requires_grad_(True)\n    (y * y).sum().backward()\n    x.g = y.grad", True),
    "grad": ("y = x.clone().requires_grad_(True)\n    x.g = torch.autograd.grad((y * y).sum(), y)[0]", True),
    "saved-grad": ("y = x.clone().requires_grad_(True)\n    x.g = saved_grad((y * y).sum(), y)[0]", True),
    "saved-backward": ("y = x.clone().requires_grad_(True)\n    saved_backward((y * y).sum())\n    x.g = y.grad", True),
    "functional": ("x.g = torch.autograd.functional.jacobian(lambda v: (v * v).sum(), x)", True),
    "func-grad": ("x.g = torch.func.grad(lambda v: (v * v).sum())(x)", True),
    "func-vjp": ("x.g = torch.func.vjp(lambda v: (v * v).sum(), x)[1](torch.tensor(1.0))[0]", True),
    "func-jacrev": ("x.g = torch.func.jacrev(lambda v: (v * v).sum())(x)", True),
    "func-jacfwd": ("x.g = torch.func.jacfwd(lambda v: (v * v).sum())(x)", True),
    "forward-mode": (
        "import torch.autograd.forward_ad as f\n    with f.dual_level():\n"
        "        x.g = f.unpack_dual(f.make_dual(x, torch.ones_like(x)) ** 2).tangent", True),
    "vmap": ("x.g = torch.vmap(lambda v: 2 * v)(x)", True),
    "aten-backward": ("x.g = torch.ops.aten.threshold_backward(x, x, 0)", True),
    "nn-grad": ("x.g = torch.ops.aten._softmax_backward_data(x, x, 1, torch.float32)", True),
    "forward-mode-formula": ("x.g = torch.ops.aten.glu_jvp(x, x.repeat(1, 2), x.repeat(1, 2), -1)", True),
    "composite": ("x.g = torch.ops.aten.infinitely_differentiable_gelu_backward(2 * torch.ones_like(x), x)", True),
    "composite-saved": ("x.g = sparse(x, torch.arange(2), 2, -1, False).to_dense()", True),
    "composite-looked-up": (
        "operator = torch._C._jit_get_operation('aten::trace_backward')[0]\n"
        "    x.g = operator(torch.tensor(2.0), (2, 3)) * x", True),
    "composite-taken-apart": ("x.g = taken_apart(2 * torch.ones_like(x), x)", True),
    "composite-scripted": ("x.g = scripted(x, x)", True),
    "composite-without-inference": (
        "with torch.inference_mode():\n"
        "        x.g = torch.ops.aten.masked_select_backward(x, torch.zeros_like(x), x > -1)", True),
    "key-excluded": (
        "torch._C._dispatch_tls_set_dispatch_key_excluded(torch._C.DispatchKey.Python, True)\n    x.g = 2 * x", True),
    "modes-disabled": ("with _disable_current_modes():\n        x.g = torch.ops.aten.tanh_backward(x, x)", True),
    "thread": (
        "def work():\n        x.g = torch.ops.aten.threshold_backward(x, x, 0)\n"
        "    t = threading.Thread(target=work); t.start(); t.join()", True),
    "thread-by-another-name": (
        "over = threading.Event()\n    def work():\n"
        "        x.g = torch.ops.aten.threshold_backward(x, x, 0); over.set()\n"
        "    _thread.start_new(work, ()); over.wait()", True),
    "custom-function": (
        "class F(torch.autograd.Function):\n        @staticmethod\n        def forward(ctx, v): return v * v\n"
        "        @staticmethod\n        def backward(ctx, g): return 2 * x * g\n"
        "    y = x.clone().requires_grad_(True)\n    F.apply(y).sum().backward()\n    x.g = y.grad", True),
    "engine": (
        "from torch.autograd import Variable\n    y = x.clone().requires_grad_(True)\n"
        "    Variable._execution_engine.run_backward(((y * y).sum(),), (None,), False, False, (), True, True)\n"
        "    x.g = y.grad", True),
    "nodes": (
        "y = x.clone().requires_grad_(True)\n    node = (y * y).grad_fn\n    x.g = sum(node(torch.ones(2, 3)))", True),
    "saved-node": ("x.g = sum(saved_node(torch.ones(2, 3)))", True),
    "node-method": ("x.g = sum(saved_node.__call__(torch.ones(2, 3)))", True),
    "nodes-unused": ("y = x.clone().requires_grad_(True)\n    x.g = (y * 2 + (y * y).detach() * 0).detach()", False),
    "script": (
        "y = x.clone().requires_grad_(True)\n"
        "    torch.jit.trace(lambda v: (v * v).sum(), (x,))(y).backward()\n    x.g = y.grad", True),
    "data": ("y = torch.nn.Parameter(x)\n    x.g = 2 * y.data + 0 * x.view(torch.int32)", False),
    "plain-tensor-type": ("x.g = (2 * x.as_subclass(Plain).data).as_subclass(torch.Tensor)", False),
    "own-tensor-type": ("x.g = -torch.Tensor._make_subclass(Behind, x)", True),
    "mode-below": ("x.g = -x", True),
    "printing-its-own-class": ("global given\n    given = x\n    repr(torch.zeros(1).as_subclass(Shown))", True),
    "nn-grad-in-a-finalizer": (
        "held = torch.from_numpy(numpy.zeros(8).view(Held))\n"
        "    held.set_(torch.zeros(8, dtype=torch.float64))  # in the middle of which the array is freed\n"
        "    x.g = 2 * x", True),
    "node-of-a-script": (
        "y = x.clone().requires_grad_(True)\n    x.g = squared(y).grad_fn(torch.ones(2, 3), None)", True),
    "thread-before-the-watch": ("asked.put(x)\n    x.g = told.get()", True),
    "composite-differentiated": (  # one that torch's own formula of a second derivative is, here that of x³/3 summed
        "weight = x.clone().requires_grad_(True)\n    rows = torch.nn.functional.embedding(torch.arange(2), weight)\n"
        "    slope, = torch.autograd.grad((rows ** 3 / 3).sum(), weight, create_graph=True)\n"
        "    x.g, = torch.autograd.grad(slope.sum(), weight)", True),
}  # fmt: skip


#: What a cell does before, for those that need it.
_BEFORE = {
    "composite-saved": "sparse = getattr(torch, 'ops').aten.embedding_sparse_backward\n",
    "composite-taken-apart": (
        "taken_apart = getattr(torch, 'ops').aten.infinitely_differentiable_gelu_backward.default.decompose\n"
    ),
    "composite-scripted": """
@torch.jit.script
def scripted(grad, x):
    return torch.ops.aten.infinitely_differentiable_gelu_backward(grad, x)
""",
    "mode-below": "Below().__enter__()\n",
    "printing-its-own-class": """
class Shown(torch.Tensor):
    def dim(self):
        given.g = torch.ops.aten.threshold_backward(2 * given, given + 1, 0)
        return 1
""",
    "nn-grad-in-a-finalizer": """
import numpy, torch.nn.grad
class Held(numpy.ndarray):
    def __del__(self):
        torch.nn.grad.conv1d_input((1, 1, 3), torch.ones(1, 1, 2), torch.ones(1, 1, 2))
""",
    "node-of-a-script": """
@torch.jit.script
def squared(x):
    return x * x * 1.0
for _ in range(4):
    squared(leaf)
""",
    "thread-before-the-watch": """
import os, queue, sys
asked, told = queue.Queue(), queue.Queue()
def serve():
    x = asked.get()
    told.put(torch.ops.aten.threshold_backward(2 * x, x + 1, 0))
def profile(frame, event, value):
    if event == 'return' and frame.f_code.co_name == 'receive':  # of what to check, when threads have been counted
        sys.setprofile(None)
        threading.Thread(target=serve, daemon=True).start()
os.register_at_fork(after_in_child=lambda: sys.setprofile(profile))
""",
}


def _job(name: str, allowed: bool) -> Job:
    body, _ = VARIANTS[name]
    program = Program("x", "by_hand(x)", {"x": torch.arange(6.0).reshape(2, 3)}, poison=("x.g",), reads=("x.g",))
    check = Check("by_hand", 1, ("by_hand",), (program,), autograd=allowed)
    return Job(name, (Cell(0, _SETUP + _BEFORE.get(name, "")), Cell(1, f"def by_hand(x):\n    {body}\n")), (check,))


#: Body of a stub whose answer comes by ``late``, when the call is over and the harness reads, if it comes at all.
LATE = {
    "profile": "sys.setprofile(late)",
    "trace": "sys.settrace(late)",
    "collector": "gc.callbacks.append(late)\n    gc.set_threshold(1, 1, 1)",
    "timer": "signal.signal(signal.SIGALRM, late)\n    signal.setitimer(signal.ITIMER_REAL, 5e-4, 2e-4)",
    "key": "del x.g\n    vars(x)[Key('a key like another')] = None\n    x.g = kept",
    "descriptor": "torch.Tensor.g = Held()\n    vars(x)['g'] = kept",
}
_LATE = """
import gc, signal, sys, torch
busy = False
def late(*args):
    global busy
    if busy or torch._C._is_torch_function_enabled():
        return
    busy = True
    kept.copy_(torch.ops.aten.threshold_backward(2 * given, given + 1, 0))
    busy = False
class Key(str):
    __hash__ = lambda self: hash('g')
    __eq__ = late
class Held:
    def __get__(self, tensor, kind):
        return vars(tensor)['g']
    def __set__(self, tensor, value):
        global given, kept
        given, kept = tensor, torch.zeros(2, 3)
        late()
        vars(tensor)['g'] = value
def by_hand(x):
    global given, kept
    if isinstance(vars(torch.Tensor).get('g'), Held):
        vars(x)['g'] = kept
        return
    given = x
    x.g = kept = torch.zeros(2, 3)
    {body}
"""
#: What a notebook may replace of Python's own, so that the harness is told or tells something else.
_PATCHES = {
    "orders": """
import json
before = json.JSONDecoder.decode
def decode(self, text, *more, **named):
    found = before(self, text, *more, **named)
    return {**found, 'autograd': True} if type(found) is dict and 'autograd' in found else found
json.JSONDecoder.decode = decode
json.loads = lambda data, **named: decode(json.JSONDecoder(), data if type(data) is str else data.decode())
""",
    "receiving": """
import socket
before = socket.socket.recvmsg
def recvmsg(self, *given):
    data, *more = before(self, *given)
    return data.replace(b'"autograd":false', b'"autograd":true '), *more
socket.socket.recvmsg = recvmsg
""",
    "types": """
import builtins
before = isinstance
def isinstance(value, kinds):
    if type(value) is dict and 'autograd' in value:
        value['autograd'] = None if value['autograd'] else True
    return before(value, kinds)
builtins.isinstance = isinstance
""",
    "counting": """
import builtins, os, queue, threading, types
asked, told, before = queue.Queue(), queue.Queue(), super
def late():  # called first where the fork seeds its random numbers
    builtins.super = before
    threading.Thread(target=lambda: told.put(unit.grad(asked.get())), daemon=True).start()
    return types.SimpleNamespace(seed=print)
os.register_at_fork(after_in_child=lambda: setattr(builtins, 'super', late))
builtins.len = lambda value, length=len: min(length(value), 1) if type(value) is dict else length(value)
elsewhere = True
""",
    "results": """
import json
before = json.JSONEncoder.encode
def encode(self, value):
    return before(self, {**value, 'autograd': None} if type(value) is dict and 'autograd' in value else value)
json.JSONEncoder.encode = encode
json.dumps = lambda value, **named: encode(json.JSONEncoder(), value)
""",
    "contexts": """
import contextlib
contextlib._GeneratorContextManager.__enter__ = contextlib._GeneratorContextManager.__exit__ = lambda *given: None
""",
}
#: A pair of value and tangent from a cell: the value is put into it behind autograd's back.
_LEFT_OPEN = """
import torch
import torch.autograd.forward_ad as forward_ad
forward_ad.enter_dual_level()
held = forward_ad.make_dual(torch.zeros(2, 3), torch.ones(2, 3))
def by_hand(x):
    held.data.copy_(x)
    x.g = forward_ad.unpack_dual(held * held).tangent
"""
_SCRIPTED = """
import torch
unit = torch.jit.CompilationUnit('''
def grad(x: Tensor):
    y = x.clone().requires_grad_(True)
    return torch.autograd.grad([(y * y).sum()], [y])[0]
''')
def by_hand(x):
    if 'elsewhere' in globals():
        asked.put(x)
        x.g = told.get()
    else:
        x.g = unit.grad(x)
"""


@pytest.mark.parametrize("sandbox", WORKING[:1])
def test_nothing_of_the_notebooks_runs_while_results_are_read(laboratory: Laboratory, sandbox: str) -> None:
    programs = tuple(
        Program(
            str(number), "by_hand(x)", {"x": torch.arange(6.0).reshape(2, 3) + number}, poison=("x.g",), reads=("x.g",)
        )
        for number in range(20)
    )
    check = Check("by_hand", 0, ("by_hand",), programs)
    jobs = [Job(name, (Cell(0, _LATE.format(body=body)),), (check,)) for name, body in LATE.items()]
    found = {}
    for job, execution in zip(jobs, laboratory.run(sandbox, *jobs), strict=True):
        runs = execution.checks["by_hand"]
        assert all(run.ended == "returned" for run in runs), (job.name, runs)
        found[job.name] = [run.case for run in runs if bool(captured(run, "x.g").any()) and run.autograd is None]
    assert found == {name: [] for name in LATE}


@pytest.mark.parametrize("sandbox", WORKING[:1])
def test_forward_mode_that_a_cell_left_open_gives_nothing(laboratory: Laboratory, sandbox: str) -> None:
    program = Program("x", "by_hand(x)", {"x": torch.arange(6.0).reshape(2, 3)}, poison=("x.g",), reads=("x.g",))
    job = Job("left-open", (Cell(0, _LEFT_OPEN),), (Check("by_hand", 0, ("by_hand",), (program,)),))
    (execution,) = laboratory.run(sandbox, job)
    assert not execution.failures
    assert execution.checks["by_hand"][0].captures["x.g"].absence == "none"


@pytest.mark.parametrize("sandbox", sorted({BEST, "none"}))
def test_autograd_is_noticed_whatever_of_pythons_own_is_replaced(laboratory: Laboratory, sandbox: str) -> None:
    program = Program("x", "by_hand(x)", {"x": torch.arange(6.0).reshape(2, 3)}, poison=("x.g",), reads=("x.g",))
    check = Check("by_hand", 1, ("by_hand",), (program,))
    jobs = [Job(name, (Cell(0, patch), Cell(1, _SCRIPTED)), (check,)) for name, patch in _PATCHES.items()]
    found = {
        job.name: execution.checks["by_hand"][0].autograd
        for job, execution in zip(jobs, laboratory.run(sandbox, *jobs), strict=True)
    }
    assert found == dict.fromkeys(_PATCHES, "the autograd engine")


@pytest.mark.parametrize("sandbox", WORKING[:1])
def test_autograd_is_noticed_where_it_is_forbidden(laboratory: Laboratory, sandbox: str) -> None:
    executions = laboratory.run(sandbox, *(_job(name, False) for name in VARIANTS))
    found = {name: run.checks["by_hand"][0].autograd for name, run in zip(VARIANTS, executions, strict=True)}

    assert {name: seen is not None for name, seen in found.items()} == {
        name: uses for name, (_, uses) in VARIANTS.items()
    }


@pytest.mark.parametrize("sandbox", WORKING[:1])
def test_autograd_is_free_where_it_is_allowed(laboratory: Laboratory, sandbox: str) -> None:
    names = ("backward", "func-grad", "forward-mode", "composite-differentiated", "formula")
    for name, execution in zip(names, laboratory.run(sandbox, *(_job(name, True) for name in names)), strict=True):
        run = execution.checks["by_hand"][0]
        assert torch.equal(captured(run, "x.g"), 2 * torch.arange(6.0).reshape(2, 3)), name
        assert run.autograd is None


def test_no_backward_formula_is_taken_apart_before_a_mode_sees_it() -> None:
    assert autograd_watch._composite is not None
    kinds = ("AutogradCPU", "AutogradMeta", "AutogradOther", "AutogradNestedTensor")
    seen = 0
    for name in torch._C._dispatch_get_all_op_names():
        if "_backward" in name:
            lines = torch._C._dispatch_dump_table(name).splitlines()
            assert not [line for line in lines if line.startswith(kinds) and "math kernel" in line], name
            seen += any("math kernel" in line for line in lines)
    assert seen > 20


def test_composite_formulas_compute_what_they_did() -> None:
    assert autograd_watch._composite is not None
    upstream, x = (torch.linspace(-2, 2, 12, dtype=torch.float64).reshape(3, 4).requires_grad_() for _ in range(2))
    operator = torch.ops.aten.infinitely_differentiable_gelu_backward
    (slope,) = torch.autograd.grad(torch.nn.functional.gelu(x), x, upstream)
    assert torch.allclose(operator(upstream, x), slope)
    assert torch.autograd.gradcheck(operator, (upstream, x))  # through the operators that it is made of, as ever


@pytest.mark.skipif(not torch.__version__.startswith(torch_import.TESTED), reason="registered as it is imported")
def test_seeing_composite_formulas_makes_torch_register_no_shapes() -> None:
    asks = (
        "import sys\nfrom grader import torch_import\ntorch_import.postpone_shapes()\n"
        "import grader.kernel.check.autograd_watch\nsys.exit('torch._decomp' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", asks], check=False).returncode == 0
