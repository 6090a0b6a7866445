"""Signs that a notebook gets round a check, in whatever source it has."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from grader.cell_code import MOST_CODE
from grader.model import Assets, Cell
from grader.submission.entry import Entry
from grader.submission.reading.meddling import meddling_flags, meddling_suspected
from grader.submission.reading.modules import sources_beside

#: Ways to the watch for autograd, or past it, from a helper's cell that no stub shows → the sign.
MEDDLING = {
    "modules_aliased": ("import sys\nloaded = sys.modules", "sys.modules"),
    "modules_imported": ("from sys import path, modules as loaded", "from sys import path, modules"),
    "modules_walked": ("for module in sys.modules.values():\n    pass", "sys.modules"),
    "modules_in_a_loop": ("for name in sys.modules['grader.' + 'kernel'].__dict__:\n    pass", "sys.modules"),
    "modules_listed": ("for name, module in sorted(sys.modules.items()):\n    pass", "sys.modules"),
    "module_by_name": ("sys.modules.get('grader.kernel')", "grader.kernel"),
    "modules_of_vars": ("vars(sys)['mod' + 'ules']", "vars(sys)"),
    "torch_of_vars": ("torch.__dict__['_' + 'C']", "torch.__dict__"),
    "fullwidth": ("sys.\uff4dodules['x' + 'y']", "sys.modules"),
    "fullwidth_import": ("importlib.\uff49mport_module('gra' + 'der')", "import_module("),
    "import_aliased": ("from importlib import import_module as load", "import_module as"),
    "subclasses": ("[c for c in object.__subclasses__() if c.__name__ == 'Watch']", "__subclasses__"),
    "frame_of_an_error": ("error.__traceback__.tb_frame", "tb_frame"),
    "frame_of_a_generator": ("running.gi_frame.f_back", "gi_frame"),
    "heap": ("import gc\ngc.get_objects()", "get_objects"),
    "referents": ("gc.get_referents(handle)", "get_referents"),
    "globals_of_the_harness": ("handle._callback.__globals__['_secret']", "__globals__"),
    "closures": ("inspect.getclosurevars(handle._callback).globals", "getclosurevars"),
    "first_in_a_fork": ("os.register_at_fork(after_in_child=serve)", "register_at_fork"),
    "operators": ("aten = torch.ops.aten", "torch.ops"),
    "operators_imported": ("from torch import nn, ops as o", "from torch import nn, ops"),
    "ctypes": ("import ctypes", "ctypes"),
    "monitoring": ("sys.monitoring.use_tool_id(3, 'x')", "sys.monitoring"),
    "computed_attribute": ("getattr(torch, '_de' + 'comp').decompositions", "getattr(torch,"),
    "decompositions": ("torch._decomp.decompositions.tanh_backward(g, out)", "torch._decomp"),
    "private_import": ("from torch import nn, _refs", "from torch import nn, _refs"),
    "private_import_of_many": ("from torch import (  # layers\n    nn,\n    _C as c,\n)", "from torch import ( nn, _C"),
    "private_import_continued": ("from torch import nn, \\\n    _C", "from torch import nn, \\ _C"),
    "private_alias": ("import torch as t\nt._C._functions", "_C"),
    "private_by_name": ("import torch as t\ngetattr(t, '_C')", "_C"),
    "module_by_loop": ("for name in ['gra' + 'der.kernel']:\n    importlib.import_module(name)", "import_module("),
    "module_by_changed_name": ("for name in ['numpy']:\n    name = name + 'x'\n    __import__(name)", "__import__("),
    "behind_a_comment_that_is_none": ("x = '#'; import ctypes", "ctypes"),
    "end_of_a_string": ("x = '''\n#'''; import ctypes", "ctypes"),
    "profile": ("sys.setprofile(late)", "setprofile"),
    "audit": ("from sys import addaudithook", "addaudithook"),
    "timer": ("signal.setitimer(signal.ITIMER_REAL, 1e-5)", "setitimer"),
    "collector": ("gc.callbacks.append(late)", "gc.callbacks"),
    "mode": ("from torch.utils._python_dispatch import TorchDispatchMode", "torch.utils._python_dispatch"),
    "tensor_type": ("def __torch_dispatch__(cls, function, types, args):\n    pass", "__torch_dispatch__"),
    "by_a_key": ("op._op_dk(key, g, out)", "_op_dk"),
    "below_python": ("op.redispatch(keys, g, out)", "redispatch"),
    "no_dispatch": ("from torch.utils._mode_utils import no_dispatch", "torch.utils._mode_utils"),
    "frames": ("inspect.stack()[1]", "inspect.stack"),
    "frames_by_name": ("from sys import _getframe as here", "_getframe"),
    "locals_of_frames": ("inspect.getargvalues(frame).locals", "getargvalues"),
    "dynamic_libraries": ("import _ctypes", "_ctypes"),
    "numpy_libraries": ("numpy.ctypeslib.load_library(name, '.')", "ctypeslib"),
    "resolved": ("pkgutil.resolve_name('gra' + 'der.kernel')", "resolve_name"),
    "located": ("pydoc.locate('gra' + 'der.kernel')", "pydoc.locate"),
    "unpickled": ("pickle.loads(b'cgra')", "pickle.loads(b'"),
    "result_forged": ("os.pwrite(fd, result, 0)", "os.pwrite"),
    "message_forged": ("from os import path, write", "from os import path, write"),
    "socket_taken": ("socket.socket(fileno=5).send(b'{}')", "socket(fileno"),
    "backward_compiled": ("from functorch.compile import aot_function", "functorch.compile"),
    "backward_kept": ("from torch.testing._internal.optests.aot_autograd import nop", "testing._internal"),
    "backward_of_a_module": ("from torch.distributed.tensor.debug._op_coverage import aot_module", "aot_module"),
    "backward_traced": ("from torch.fx.experimental import proxy_tensor", "torch.fx"),
    "backward_recorded": ("import torch as t\nmachine = t.jit.trace(grads, examples)", "jit.trace"),
    "backward_handed_on": (
        "from torch.utils.checkpoint import create_selective_checkpoint_contexts",
        "create_selective_checkpoint_contexts",
    ),
    "backward_counted": ("with FlopCounterMode(custom_mapping=kept):\n    pass", "custom_mapping"),
    "backward_debugged": ("from torch.utils._debug_mode import DebugMode", "torch.utils._debug_mode"),
    "backward_noted": ("from torch.distributed.tensor.debug import CommDebugMode as M", "CommDebugMode"),
    "mode_by_another": ("from torch.utils.flop_counter import TorchDispatchMode as M", "TorchDispatchMode"),
    "backward_scripted": ("unit = torch.jit.CompilationUnit(text)", "torch.jit"),
    "script_imported": ("from torch import nn, jit", "from torch import nn, jit"),
    "script_loaded": ("import torch.jit\ntorch.jit.load('notes.bin')", "torch.jit"),
    "gradient_compiled": ("f = torch.compile(torch.func.grad(loss))", "torch.compile"),
    "gradient_exported": ("torch.export.export(module, examples).module()", "torch.export"),
    "gradient_traced": (
        "import torch.fx.experimental.proxy_tensor as p\ng = getattr(p, 'make_' + 'fx')(f)",
        "torch.fx",
    ),
    "formulas_exported": ("from torch.export import default_decompositions", "torch.export"),
    "operators_by_name": ("o = getattr(torch, 'ops').aten", "getattr(torch, 'ops'"),
    "modules_by_name": ("getattr(sys, 'modules')['x']", "getattr(sys, 'modules'"),
    "operators_by_a_name": ("part = 'ops'\ngetattr(torch, part)", "getattr(torch,"),
    "name_of_two": ("part = 'relu'\npart = 'o' + 'ps'\ngetattr(torch, part)", "getattr(torch,"),
    "name_made_longer": ("part = 'op'\npart += 's'\ngetattr(torch, part)", "getattr(torch,"),
    "name_of_an_argument": ("def take(part='relu'):\n    return getattr(torch, part)", "getattr(torch,"),
    "name_of_itself": ("part = other\nother = part\ngetattr(torch, part)", "getattr(torch,"),
    "in_a_text_that_is_run": ("exec('import cty' 'pes')", "ctypes"),
    "in_a_text_that_is_run_later": ("text = 'import \\x63types'\nexec(text)", "ctypes"),
    "behind_a_bare_text": ("'''ctypes\n'''; import ctypes", "ctypes"),
    "in_a_bare_text_that_is_computed": ("f'{torch._C.x}'", "torch._C"),
    "in_a_bare_text_cut_by_a_magic": ("%time\n'''\n!'''; import ctypes; '''\n'''", "ctypes"),
    "hidden_module": ("SourceFileLoader('mine', 'notes.txt').load_module()", "SourceFileLoader"),
    "library": ("torch.library.Library('mine', 'DEF')", "torch.library"),
}
INNOCENT = {
    "source": "print(inspect.getsource(f), inspect.signature(f))",
    "own_file": "exec(open('helper.py').read())",
    "files": "pickle.loads(file.read())\nos.makedirs('x')\nfile.write('y')\nwith open('z', 'w') as f: f.write('os')",
    "version": "print(torch.__version__)",
    "colab": "if 'google.colab' in sys.modules: pass",
    "colab_by_keys": "IN_COLAB = 'google.colab' in sys.modules.keys()",
    "colab_by_get": "IN_COLAB = sys.modules.get('google.colab') is not None",
    "colab_in_a_list": "IN_COLAB = 'google.colab' in list(sys.modules)",
    "colab_in_the_shell": "IN_COLAB = 'google.colab' in str(get_ipython())",
    "modules_counted": "print(len(sys.modules), sorted(sys.modules)[:3])",
    "module_loaded_again": "if 'mine' in sys.modules:\n    del sys.modules['mine']\nsys.modules.pop('mine', None)",
    "own_module": "this = sys.modules[__name__]",
    "environment": "for name in ['torch', 'numpy']:\n    print(name, importlib.import_module(name).__version__)",
    "environment_by_list": "packages = ('torch',\n    'numpy',)\nfor name in packages:\n    __import__(name)",
    "environment_by_set": "for name in {'torch', 'numpy'}:\n    importlib.import_module(name)",
    "functions_by_name": "for name in ['relu', 'tanh']:\n    print(getattr(torch, name)(x))",
    "function_by_a_name": "act = 'relu'\ng = getattr(torch, act)",
    "function_by_one_of_two": "act = 'relu' if deep else 'tanh'\nact: str = 'sigmoid'\ng = getattr(torch, act)(x)",
    "functions_by_number": "for i, name in enumerate(['relu', 'tanh']):\n    g = getattr(torch, name)",
    "docstring": 'def f(x):\n    """By hand, é\n\n    never torch._C nor ctypes.\n    """\n    return x',
    "bare_texts": "'no ctypes here'; x = 1\n'''nor\nsys.modules['x']\n'''",
    "comments": "x = 1  # ctypes, torch._C\n# it's in sys.modules, which torch's loaded",
    "backward_function": "def f_back(grad):\n    return grad\nf_forward, f_back = f, f_back",
    "two_statements": "from torch import nn; library = 3; _x = nn",
    "own_capacity": "self._C = self._C + 1",
    "autoreload": "%load_ext autoreload\n%autoreload 2\n%matplotlib inline\nprint(inspect.getsource(f))",
    "comment": "from torch import nn, optim  # layers of the library\nfrom sys import path  # for modules",
    "own_private": "self._backward = lambda: None\nx._version",
    "attribute": "getattr(torch, 'relu')(x) + getattr(self, name)",
    "module": "import importlib\nimportlib.import_module('helper')",
    "compiled_patterns": "pattern = re.compile('x')\ncompile('1', 'x', 'eval')\n@numba.jit\ndef f(x): return x",
    "checkpoint": "from torch.utils.checkpoint import checkpoint\nout = checkpoint(layer, inp)",
    "flops": "from torch.utils.flop_counter import FlopCounterMode\nwith FlopCounterMode(display=False): f(x)",
    "private_by_habit": "torch.nn.init._calculate_fan_in_and_fan_out(w)\nfrom torch.nn.modules.utils import _pair",
    "many": "torch._foreach_add_(params, grads)\ntorch._assert(True, '')",
}


@pytest.mark.parametrize(("source", "sign"), MEDDLING.values(), ids=MEDDLING)
def test_meddling_suspected_names_its_sign(source: str, sign: str) -> None:
    assert meddling_suspected(source) == sign


@pytest.mark.parametrize("source", INNOCENT.values(), ids=INNOCENT)
def test_meddling_suspected_leaves_honest_code_alone(source: str) -> None:
    assert meddling_suspected(source) is None


@pytest.mark.parametrize(
    ("cells", "sign"),
    [
        (("import torch as t", "f = t.compile(g)"), "torch.compile"),
        (("import os, torch as t\nf = t.export.export(g)",), "torch.export"),
        (("def f():\n    import torch as t\n    return t.ops.aten",), "torch.ops"),
        (("T = torch\nT.library.Library('mine', 'DEF')",), "torch.library"),
        (("import grader as g\ng.kernel.harness",), "grader.kernel"),
        (("import sys as s\nfor module in s.modules.values(): pass",), "sys.modules"),
        (("import torch as t\ngetattr(t, '_de' + 'comp')",), "getattr(torch,"),
        (("import torch as t\nt.relu(x)\nx.t.compile()\nd['t'].export",), None),
        (("import sys as s\n'google.colab' in s.modules",), None),
        (("import re as t\nt.compile('x')", "import numpy as np"), None),
        (("act = 'relu'", "getattr(torch, act)"), None),
        (("act = 'o' + 'ps'\ndef act_of(act): pass", "act = 'relu'\ngetattr(torch, act)"), "getattr(torch,"),
        (("for name in names: pass", "for name in ['relu', 'tanh']: getattr(torch, name)"), None),
    ],
    ids=[
        "cell",
        "several",
        "inside",
        "assigned",
        "grader",
        "modules",
        "computed",
        "relu",
        "colab",
        "another",
        "words",
        "changed",
        "loops",
    ],
)
def test_meddling_is_seen_by_whatever_name_a_module_has(cells: tuple[str, ...], sign: str | None) -> None:
    flags = meddling_flags([Cell(index, source) for index, source in enumerate(cells)])
    expected = f"meddling with the check suspected: `{sign}` (cell {len(cells) - 1})"
    assert flags == (() if sign is None else (expected,))


@pytest.mark.parametrize(
    "piece",
    [
        *("from grader import ", "from torch import ", "getattr(torch . ", "from sys import ", "from torch import ("),
        *("sys.modules[ ", "for name in [", "'a' ", "#", "# it's", "f_"),
        *("torch as ", "torch ", "t = torch "),
    ],
)
def test_a_line_of_nothing_but_beginnings_takes_no_time(piece: str) -> None:
    began = time.process_time()
    source = "# " + piece * (500_000 // len(piece))
    assert meddling_flags([Cell(0, source)]) == ()
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    ("source", "signs"),
    [
        ("# a" + "\u0301\u0316" * 20 + "\nsys.\uff4dodules['a' + 'b']", {"sys.modules", "cell 0"}),
        ("# a" + "\u0f73\uff9e" * 20, {"cell 0"}),
        ("exec('#a" + "\\u0301" * 40 + "\\nsys.\uff4dodules[a]')", {"sys.modules"}),
        ("# a" + "\u0301\u0316" * 15, set()),
        ("x = f'" + "{a}" * 100_000 + "'", {"cell 0"}),
    ],
    ids=["marks", "other_marks", "marks_in_a_text", "few_marks", "fields"],
)
def test_code_that_the_parser_takes_too_long_for_is_named(source: str, signs: set[str]) -> None:
    flags = meddling_flags([Cell(0, source)])
    words = {
        "sys.modules": "meddling with the check suspected: `sys.modules` (cell 0)",
        "cell 0": "code that was not looked into: cell 0",
    }
    assert set(flags) == {words[sign] for sign in signs}


def test_modules_of_many_names_take_no_time() -> None:
    source = "".join(f"a{number} = torch\n" for number in range(30_000))
    began = time.process_time()
    assert meddling_flags([Cell(0, source)]) == ()
    assert time.process_time() - began < 5


def test_names_of_loops_are_looked_up_in_no_time() -> None:
    began = time.process_time()
    assert meddling_suspected("for name in ['a']:\n" + "    import_module(name)\n" * 20_000) is None
    assert time.process_time() - began < 5


def test_one_notebook_does_not_bury_the_remarks_on_all_others() -> None:
    cells = [Cell(index, f"from torch import ({'a, ' * 90}_C)") for index in range(2000)]
    flags = meddling_flags(cells)
    assert flags[-1] == "1995 more remarks like this"
    assert len(flags) == 6
    assert max(map(len, flags)) < 150


def test_modules_of_which_nobody_sees_the_source_are_named(tmp_path: Path) -> None:
    (tmp_path / "helper.py").write_text("x = 1")
    (tmp_path / "linked.py").symlink_to("helper.py")
    entry = Entry("ada", "03_backprop.ipynb", tmp_path / "03_backprop.ipynb", "03_backprop.ipynb", (Assets(tmp_path),))
    assert meddling_flags((), sources_beside(entry)) == ()

    (tmp_path / "helper.py").write_text("#" * MOST_CODE)
    (tmp_path / "late.py").write_text("import ctypes")
    assert meddling_flags((), sources_beside(entry)) == ("modules that were not looked into: late.py",)

    (tmp_path / "fast.cpython-311-x86_64-linux-gnu.so").touch()
    (tmp_path / "hidden.pyc").touch()
    name = "fast.cpython-311-x86_64-linux-gnu.so"
    assert meddling_flags((), sources_beside(entry)) == (f"modules that were not looked into: {name} and 2 more",)
