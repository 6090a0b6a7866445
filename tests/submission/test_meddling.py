"""Signs that a notebook gets round a check, in whatever source it has."""

from __future__ import annotations

import time

import pytest

from grader.submission.meddling import meddling_suspected

#: Ways to the watch for autograd, or past it, from a helper's cell that no stub shows → the sign.
MEDDLING = {
    "modules_aliased": ("import sys\nloaded = sys.modules", "sys.modules"),
    "modules_imported": ("from sys import path, modules as loaded", "from sys import path, modules"),
    "modules_walked": ("for module in sys.modules.values():\n    pass", "sys.modules"),
    "modules_in_a_loop": ("for name in sys.modules['grader.kernel'].__dict__:\n    pass", "sys.modules"),
    "modules_of_vars": ("vars(sys)['mod' + 'ules']", "vars(sys"),
    "fullwidth": ("sys.\uff4dodules['x']", "sys.modules"),
    "fullwidth_import": ("importlib.\uff49mport_module('gra' + 'der')", "import_module("),
    "import_aliased": ("from importlib import import_module as load", "import_module as"),
    "subclasses": ("[c for c in object.__subclasses__() if c.__name__ == 'Watch']", "__subclasses__"),
    "frame_of_an_error": ("error.__traceback__.tb_frame", "tb_frame"),
    "frame_of_a_generator": ("running.gi_frame.f_back", "gi_frame"),
    "heap": ("import gc\ngc.get_objects()", "get_objects"),
    "ctypes": ("import ctypes", "ctypes"),
    "monitoring": ("sys.monitoring.use_tool_id(3, 'x')", "sys.monitoring"),
    "computed_attribute": ("getattr(torch, '_de' + 'comp').decompositions", "getattr(torch,"),
    "decompositions": ("torch._decomp.decompositions.tanh_backward(g, out)", "torch._decomp"),
    "private_import": ("from torch import nn, _refs", "from torch import nn, _refs"),
    "below_python": ("op.redispatch(keys, g, out)", "redispatch"),
    "no_dispatch": ("from torch.utils._mode_utils import no_dispatch", "no_dispatch"),
    "library": ("torch.library.Library('mine', 'DEF')", "torch.library"),
}
INNOCENT = {
    "version": "print(torch.__version__)",
    "colab": "if 'google.colab' in sys.modules: pass",
    "colab_by_keys": "IN_COLAB = 'google.colab' in sys.modules.keys()",
    "comment": "from torch import nn, optim  # layers of the library\nfrom sys import path  # for modules",
    "own_private": "self._backward = lambda: None\nx._version",
    "attribute": "getattr(torch, 'relu')(x) + getattr(self, name)",
    "module": "import importlib\nimportlib.import_module('helper')",
    "many": "torch._foreach_add_(params, grads)\ntorch._assert(True, '')",
}


@pytest.mark.parametrize(("source", "sign"), MEDDLING.values(), ids=MEDDLING)
def test_meddling_suspected_names_its_sign(source: str, sign: str) -> None:
    assert meddling_suspected(source) == sign


@pytest.mark.parametrize("source", INNOCENT.values(), ids=INNOCENT)
def test_meddling_suspected_leaves_honest_code_alone(source: str) -> None:
    assert meddling_suspected(source) is None


@pytest.mark.parametrize("piece", ["from grader import ", "from torch import ", "getattr(torch . ", "from sys import "])
def test_a_line_of_nothing_but_beginnings_takes_no_time(piece: str) -> None:
    began = time.process_time()
    assert meddling_suspected("# " + piece * (500_000 // len(piece))) is None
    assert time.process_time() - began < 5
