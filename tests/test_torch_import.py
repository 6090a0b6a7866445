"""The import of torch that leaves the shapes for later: what is left, what brings it, and what does not miss it."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from grader import torch_import
from tests.samples import ROOT

_BEFORE = """
import inspect, sys
from grader import torch_import
torch_import.postpone_shapes()
import torch
assert "torch._prims" not in sys.modules, "it was not left for later"
torch.Generator().manual_seed(0)
weight = torch.ones(2, requires_grad=True)
(weight * torch.randn(2)).sum().backward()
inspect.getmodule(inspect.currentframe())
assert "torch._prims" not in sys.modules, "something ordinary brought it"
"""
_AFTER = """
assert torch.linalg.lu_factor(torch.ones(3, 3, device="meta"))[0].shape == (3, 3)
assert torch.ops.prims.sin.default and torch._refs.sin and torch._decomp.decomposition_table
torch.Generator().manual_seed(0)
assert not any(type(finder).__module__ == "grader.torch_import" for finder in sys.meta_path)
"""


def run(*parts: str) -> None:
    """Run the parts as a program of its own, whose torch nobody has imported before."""
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(parts)], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(not torch.__version__.startswith(torch_import.TESTED), reason="imported as it asks")
@pytest.mark.parametrize(
    "bringing",
    [
        "torch_import.register_shapes()",
        "import torch._decomp",
        "from torch._meta_registrations import activate_meta",
        "torch.func.vmap(torch.sin)(torch.ones(2))",
        "from torch._subclasses import FakeTensorMode\nwith FakeTensorMode(): torch.linalg.eigh(torch.ones(3, 3))",
        "optimizer = torch.optim.Adam([weight])\noptimizer.step()",
    ],
    ids=lambda bringing: bringing.partition("\n")[0].partition("(")[0],
)
def test_shapes_left_for_later_come_with_what_needs_them(bringing: str) -> None:
    run(_BEFORE, bringing, _AFTER)


def test_another_release_of_torch_is_imported_as_it_asks() -> None:
    run(
        "import sys; from grader import torch_import; torch_import.TESTED = ('0.0',); torch_import.postpone_shapes()",
        "import torch; assert 'torch._prims' in sys.modules",
    )


def test_torch_that_is_imported_is_left_alone() -> None:
    finders = list(sys.meta_path)

    torch_import.postpone_shapes()
    torch_import.register_shapes()

    assert sys.meta_path == finders
