"""Warms a zygote up: lazy imports and first runs inside torch, done once so that no notebook waits for them.

A first vector-Jacobian product imports sympy (0.6 s), a first optimizer torch's compiler (1.9 s). Notebooks that do
neither are not kept waiting for them: what a submission will need is guessed from its text, and a wrong guess costs
time only. But for one: an operator on the ``meta`` device that only Python has is missing where neither the device's
name nor an import of something unknown is in the text (``torch_import``).
"""

from __future__ import annotations

import gc
import re
import sys
import types
from collections.abc import Callable, Iterable
from typing import Any

from grader import torch_import

#: What has to be warmed up for a text beyond the basics.
_SIGNS = {
    "symbolic": re.compile(r"\.backward\(\s*[^\s)]|autograd\.grad|\bgrad\(|gradcheck|\btesting\b"),
    "testing": re.compile(r"\btesting\b"),
    "compiler": re.compile(r"\boptim\b|\bcompile\b|torch\.func|functorch|_dynamo"),
    "shapes": re.compile(r"\bmeta\b|_decomp\b|_refs\b|prims\b"),
}
_IMPORT = re.compile(r"^[ \t]*(?:import|from)[ \t]+(\w+)", re.MULTILINE)
#: Modules that reach the postponed shape functions only through imports of torch's own, which ``torch_import`` catches.
#: Any other module may need them at once.
_KNOWN = sys.stdlib_module_names | {"IPython", "grader", "matplotlib", "numpy", "pandas", "scipy", "torch"}

#: What this zygote has brought about so far, which is the whole process's, as its imports are.
_brought: set[str] = set()


def needed(texts: Iterable[str]) -> list[str]:
    """What a notebook with these cells needs, by name."""
    whole = "\n".join(texts)
    found = [name for name, sign in _SIGNS.items() if sign.search(whole)]
    if "shapes" not in found and not _KNOWN.issuperset(_IMPORT.findall(whole)):
        found.append("shapes")
    return found


def warm_up(names: Iterable[str]) -> bool:
    """In the zygote: import and run what is missing of ``names``, and freeze the heap; whether anything was missing."""
    missing = [name for name in names if name in _BRINGERS and name not in _brought]
    for name in missing:
        _BRINGERS[name]()
        _brought.add(name)
    if missing:
        _start_alike()
        gc.freeze()
    return bool(missing)


def _start_alike() -> None:
    """Every kernel starts at the same place in every random stream, so that a report is the same each time."""
    import random

    import numpy
    import torch

    random.seed(0)
    numpy.random.seed(0)
    torch.manual_seed(0)


def _basics() -> None:
    import numpy
    import torch
    import torch.nn.functional
    import torch.utils._python_dispatch

    torch.set_num_threads(1)
    torch.set_num_interop_threads(1)
    _note_no_stacks()
    layer = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.ReLU())
    torch.nn.functional.cross_entropy(layer(torch.ones(3, 3)), torch.tensor([0, 1, 0])).backward()
    repr(torch.from_numpy(numpy.ones(3)) @ torch.randn(3, dtype=torch.float64))
    torch.einsum("ij,jk->ik", torch.ones(2, 3), torch.ones(3, 2))
    torch.nn.functional.conv2d(torch.ones(1, 1, 5, 5), torch.ones(1, 1, 3, 3))
    torch.Generator().manual_seed(0)
    numpy.random.default_rng(0).random()
    _operators()


def _note_no_stacks() -> None:
    """Keep ``torch.manual_seed`` from formatting the stack three times: 3 ms in every notebook.

    It seeds each kind of device that is not initialised later, and keeps the stack for an error that would come then;
    no kernel has such a device.
    """
    import torch.cuda
    import torch.mtia
    import torch.xpu

    for device in (torch.cuda, torch.mtia, torch.xpu):
        device.traceback = types.SimpleNamespace(format_stack=list)  # type: ignore[attr-defined]


def _operators() -> None:
    """Run the usual operators once under a dispatch mode, as a check does: torch makes an object for each of them."""
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode

    class Through(TorchDispatchMode):
        @classmethod
        def _should_skip_dynamo(cls) -> bool:
            return False

        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            return func(*args, **(kwargs or {}))

    with Through():  # type: ignore[no-untyped-call]
        x, w, ids = torch.randn(4, 3), torch.randn(3, 2), torch.tensor([0, 2, 1])
        for code in _OPERATORS.split(";"):
            exec(code.strip(), {"torch": torch, "x": x.clone(), "w": w, "ids": ids})  # noqa: S102 - the text below


#: On ``x`` (4, 3), ``w`` (3, 2) and ``ids`` (3).
_OPERATORS = """
(x @ w + torch.zeros(2)).relu(); x - 1.0; 2 * x; x / 3.0; -x; 1 - x; 1 / x; x**2; x * x; x - x; x + 1; x // 2
x.clamp(min=0.0); x.clamp(0.0, 1.0); x.clamp_min(0.0); torch.maximum(x, x); x.abs(); x.sign(); x.square()
x.sum(); x.sum(0); x.sum(-1, keepdim=True); x.mean(); x.mean(0); x.var(0); x.std(); x.cumsum(0); x.max(); x.max(1)
x.min(); x.argmax(1); x.amax(1, keepdim=True); x.all(); x.any(); x.norm(); x.exp(); x.log(); x.log1p(); x.sqrt()
x.rsqrt(); x.tanh(); x.sigmoid(); x.softmax(1); x.log_softmax(1); x.logsumexp(1); x.isnan(); x.isfinite()
x.t() @ x; x.T; x.mT; x.view(2, 6); x.reshape(-1); x.unsqueeze(1) * x.unsqueeze(-1); x.squeeze(); x.transpose(0, 1)
x.permute(1, 0).contiguous(); x.expand(2, 4, 3); x.flatten(); x.clone(); x.detach(); x.double().float().long()
x[0]; x[:, 1]; x[ids]; x[..., None]; x[x > 0]; x[0, 0].item(); x.tolist(); x >= 0; x < 0; x <= 0; x == 0; x != 0
(x > 0).float(); x.where(x > 0, x); torch.where(x > 0, x, 0.0); torch.where(x > 0, 1.0, 0.0); x.masked_fill(x > 0, 0.0)
torch.einsum("ij,jk->ik", x, w); torch.einsum("bi,bj->ij", x, x); torch.outer(x[0], x[0]); torch.dot(x[0], x[0])
x @ x[0]; x.unsqueeze(0) @ w; torch.cat([x, x]); torch.stack([x, x]); torch.ones_like(x); torch.zeros_like(x)
torch.full((2,), 1.0); torch.arange(3); torch.eye(3); x.tril(); torch.tensor(1.0); torch.tensor([[1.0]]); torch.randn(2)
x.add_(x); x.sub_(x); x.mul_(2); x.div_(2); x.zero_(); x.copy_(x.clone()); x.fill_(1.0); x.clamp_(0.0, 1.0)
x[0] = 0.0; x[x > 0] = 1.0; x[:, 0] -= x[:, 1]; x[torch.arange(3), ids] -= 1.0; x.index_add_(0, ids, x.clone()[:3])
x.scatter_add_(0, ids[None], x.clone()[:1]); torch.allclose(x, x); torch.equal(x, x); x.squeeze(-1); x.repeat(2, 1)
torch.ones(2); torch.empty(2); x.unbind(); x.split(1); x.neg_(); x.pow_(2); x.erf(); x.sin(); x.cos(); x.mean((0, 1))
x.std(1); x.lerp_(x, 0.5); x.addcmul_(x, x); x.addcdiv_(x, x); x.uniform_(); x.normal_(); x.clamp_min_(0.0)
torch.nn.functional.linear(x, w.t(), torch.zeros(2)); torch.nn.functional.mse_loss(x, x)
""".strip().replace("\n", ";")


def _symbolic() -> None:
    import torch

    leaf = torch.ones(2, requires_grad=True)
    (leaf * 2).backward(torch.ones(2))


def _testing() -> None:
    import torch

    torch.testing.assert_close(torch.ones(2), torch.ones(2))


def _compiler() -> None:
    import torch
    import torch.func
    import torch.optim

    for make in (torch.optim.SGD, torch.optim.Adam):
        weight = torch.ones(2, requires_grad=True)
        optimizer = make([weight], lr=0.1)
        weight.sum().backward()
        optimizer.step()
        optimizer.zero_grad()
    torch.func.grad(lambda x: (x * x).sum())(torch.ones(2))


_BRINGERS: dict[str, Callable[[], None]] = {
    "basics": _basics,
    "symbolic": _symbolic,
    "testing": _testing,
    "compiler": _compiler,
    "shapes": torch_import.register_shapes,
}
