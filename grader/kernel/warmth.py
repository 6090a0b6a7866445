"""What a zygote has done once so that no notebook waits for it: the lazy imports and first runs inside torch.

A first vector-Jacobian product imports sympy (0.6 s), a first optimizer torch's compiler (1.9 s). Notebooks that do
neither are not kept waiting for them: what a submission will need is guessed from its text, and a wrong guess costs
time only. Afterwards the memory is settled for forking (see ``hugepages``).
"""

from __future__ import annotations

import gc
import re
from collections.abc import Callable, Iterable

from grader.kernel import hugepages

#: The warmth that a text needs beyond the basics.
_SIGNS = {
    "symbolic": re.compile(r"\.backward\(\s*[^\s)]|autograd\.grad|\bgrad\(|gradcheck|\btesting\b"),
    "testing": re.compile(r"\btesting\b"),
    "compiler": re.compile(r"\boptim\b|\bcompile\b|torch\.func|functorch|_dynamo"),
}

_brought: set[str] = set()


def needed(texts: Iterable[str]) -> list[str]:
    """What a notebook with these cells needs, by name."""
    whole = "\n".join(texts)
    return [name for name, sign in _SIGNS.items() if sign.search(whole)]


def bring(names: Iterable[str]) -> None:
    """In the zygote: bring about what is missing of ``names``, and settle the memory."""
    missing = [name for name in names if name in _BRINGERS and name not in _brought]
    for name in missing:
        _BRINGERS[name]()
        _brought.add(name)
    if missing:
        _start_alike()
        gc.collect()
        gc.freeze()
        hugepages.collapse()


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
    layer = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.ReLU())
    torch.nn.functional.cross_entropy(layer(torch.ones(3, 3)), torch.tensor([0, 1, 0])).backward()
    repr(torch.from_numpy(numpy.ones(3)) @ torch.randn(3, dtype=torch.float64))
    torch.einsum("ij,jk->ik", torch.ones(2, 3), torch.ones(3, 2))
    torch.nn.functional.conv2d(torch.ones(1, 1, 5, 5), torch.ones(1, 1, 3, 3))
    torch.Generator().manual_seed(0)
    numpy.random.default_rng(0).random()


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
}
