"""``check()`` as a student meets it: in IPython's shell, in a notebook's kernel, and in plain Python."""

from __future__ import annotations

import atexit
import builtins
import gc
import os
import random
import re
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import nbformat
import numpy
import pytest
import torch

from grader import check
from grader.errors import CourseError
from grader.kernel.local import FORKS, default_device
from grader.notebook import checking
from grader.seeded_course import SeededCourse
from tests.samples import EXERCISES, SOLUTIONS

RIGHT = """\
def lin_grad(inp, out, w, b):
    inp.g = out.g @ w.T
    w.g = inp.T @ out.g
    b.g = out.g.sum(dim=0)
"""
UNTOUCHED = '''\
def lin_grad(inp, out, w, b):
    """Backward pass of a linear layer."""
    raise NotImplementedError
'''
RELU = """\
def relu_grad(inp, out):
    inp.g = out.g * (inp > 0)
"""
TRACE = """\
output_grad = torch.ones(1, 1)
fc2_b_grad, fc2_w_grad = output_grad[0], output_grad.T @ (X @ fc1_w.T + fc1_b)
fc1_b_grad: torch.Tensor = (output_grad @ fc2_w)[0]
fc1_w_grad = (output_grad @ fc2_w).T @ X
"""
HALF_OF_TRACE = "".join(TRACE.splitlines(keepends=True)[:2])
OTHER_HALF_OF_TRACE = TRACE.replace(TRACE.splitlines()[1], "")
TRACE_STUB = """\
# From X, fc1_w, fc1_b, fc2_w and fc2_b compute fc2_b_grad, fc2_w_grad, fc1_b_grad and fc1_w_grad.
raise NotImplementedError
"""
MODULE = """\
class Module:
    def __call__(self, *args):
        self.args = args
        self.out = self.forward(*args)
        return self.out
    def forward(self, *args):
        raise NotImplementedError
    def bwd(self, out, *args):
        raise NotImplementedError
    def backward(self):
        self.bwd(self.out, *self.args)
"""


def lin_grad(*lines: str) -> str:
    """The right answer with ``lines`` before it."""
    head, *rest = RIGHT.splitlines()
    return "\n".join([head, *(f"    {line}" for line in lines), *rest]) + "\n"


@dataclass(frozen=True)
class Place:
    """Somewhere to run cells: what was printed by ``run``, and the namespace that they share."""

    run: Callable[[str], str]
    space: dict[str, Any]


@pytest.fixture
def shell(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """IPython's own shell in this process, gone without a trace afterwards; nothing of it is in the home folder."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    monkeypatch.setenv("IPYTHONDIR", str(tmp_path_factory.mktemp("ipython")))
    hook, main = sys.displayhook, sys.modules["__main__"]
    made = InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}))
    yield made
    atexit.unregister(made.atexit_operations)
    made.atexit_operations()
    made.restore_sys_module_state()
    InteractiveShell.clear_instance()
    sys.displayhook, sys.modules["__main__"] = hook, main
    vars(builtins).pop("get_ipython", None)


@pytest.fixture
def ipython(shell: Any, capsys: pytest.CaptureFixture[str]) -> Place:
    def run(cell: str) -> str:
        shell.run_cell(cell, store_history=True)
        return capsys.readouterr().out

    run("import os, random, numpy, torch\nfrom grader import check")
    return Place(run, shell.user_ns)


@pytest.fixture
def python(capsys: pytest.CaptureFixture[str]) -> Place:
    space: dict[str, Any] = {"__name__": "student", "check": check, "torch": torch, "random": random, "numpy": numpy}

    def run(source: str) -> str:
        exec(compile(source, "<stdin>", "exec"), space)
        return capsys.readouterr().out

    run("import os")
    return Place(run, space)


@pytest.fixture(params=["ipython", "python"])
def place(request: pytest.FixtureRequest) -> Place:
    found: Place = request.getfixturevalue(request.param)
    return found


@pytest.fixture(params=["fork", "process"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Where forks work, and where they do not."""
    monkeypatch.setattr(checking, "FORKS", request.param == "fork")
    return str(request.param)


# --------------------------------------------------------------------------------------------- what is said

SITUATIONS = {
    "right": (RIGHT, "lin_grad", ["✓ lin_grad  4 / 4  passed", "✓ w.g  2 / 2"]),
    "untouched": (UNTOUCHED, "lin_grad", ["○ lin_grad  0 / 4  not started", "still raises NotImplementedError"]),
    "partly right": (RIGHT.replace("sum", "mean"), "lin_grad", ["◐ lin_grad  3 / 4", "✗ b.g  0 / 1", "averaged"]),
    "wrong": ("def relu_grad(inp, out):\n    inp.g = out.g", "relu_grad", ["✗ relu_grad  0 / 2", "worst element"]),
    "nothing written": ("def relu_grad(inp, out):\n    pass", "relu_grad", ["✗ inp.g  0 / 2"]),
    "raised": (RIGHT.replace("w.T", "w"), "lin_grad", ["RuntimeError", "3x10 and 6x10"]),
    "raised behind the last answer": (
        f"{RIGHT}    raise NotImplementedError",
        "lin_grad",
        ["✓ lin_grad  4 / 4", "⚑ it earns all its points, and then raises NotImplementedError"],
    ),
    "class": (MODULE, "Module", ["✓ Module  5 / 5"]),
    "class, untouched in part": (
        MODULE.replace("self.bwd(self.out, *self.args)", "raise NotImplementedError"),
        "Module",
        ["◐ Module  3 / 5", "This part is not written yet"],
    ),
    "subclass": (
        MODULE + "class ReluModule(Module):\n"
        "    def forward(self, inp):\n        return torch.relu(inp)\n"
        "    def bwd(self, out, inp):\n        inp.g = out.g * (inp > 0)\n",
        "ReluModule",
        ["✓ ReluModule  1 / 1"],
    ),
    "printing": (lin_grad("print('shapes', inp.shape)"), "lin_grad", ["✓ lin_grad  4 / 4"]),
    "asking for input": (lin_grad("input('name? ')"), "lin_grad", ["EOFError", "nobody can answer input()"]),
    "warning": (lin_grad("import warnings", "warnings.warn('hm')"), "lin_grad", ["✓ lin_grad  4 / 4"]),
    "calling check": (lin_grad("check('lin_grad')", "check()"), "lin_grad", ["✓ lin_grad  4 / 4"]),
    "leaving by SystemExit": (lin_grad("raise SystemExit"), "lin_grad", ["✗ lin_grad  0 / 4"]),
}


def test_check_tells_of_loops_where_none_are_asked_for(ipython: Place) -> None:
    ipython.run("import torch\ndef outer_difference(a, b):\n    return torch.stack([x - b for x in a])")
    out = ipython.run("check('outer_difference')")
    assert "✓ outer_difference  2 / 2" in out
    assert "⚑ loops in Python where tensor operations are asked for: line 2" in out

    ipython.run("def rows(a, b):\n    return [x - b for x in a]")
    ipython.run("def outer_difference(a, b):\n    return torch.stack(rows(a, b))")
    out = ipython.run("check('outer_difference')")
    assert re.search(r"⚑ loops in Python where tensor operations are asked for: line 2 of In \[\d+\]", out)


@pytest.mark.parametrize(("source", "name", "said"), SITUATIONS.values(), ids=SITUATIONS)
def test_check_says_what_it_saw(place: Place, way: str, source: str, name: str, said: list[str]) -> None:
    place.run(source)
    out = place.run(f"check({name!r})")
    for words in said:
        assert words in out
    assert "\x1b" not in out


def test_exception_shows_the_students_own_line(ipython: Place, way: str) -> None:
    ipython.run("# the line is counted in the cell\n\n" + RIGHT.replace("w.T", "w"))
    assert "at `inp.g = out.g @ w`, line 4" in " ".join(ipython.run("check('lin_grad')").split())


@pytest.mark.parametrize("leave", ["exit", "quit"])
def test_exit_in_a_stub_ends_no_kernel_and_is_named(
    ipython: Place, way: str, leave: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell, asked = ipython.space["get_ipython"](), []
    monkeypatch.setattr(type(shell), "ask_exit", lambda self: asked.append(leave), raising=False)
    ipython.run(f"def relu_grad(inp, out):\n    {leave}()")
    assert "The call raised SystemExit: exit() ended the cell" in " ".join(ipython.run("check('relu_grad')").split())
    assert not asked
    ipython.run(f"{leave}()")
    assert asked == [leave]


def test_exception_in_plain_python_needs_no_source(python: Place) -> None:
    python.run(RIGHT.replace("w.T", "w"))
    assert "The call raised RuntimeError" in python.run("check('lin_grad')")


def test_untouched_class_is_known_by_its_methods(ipython: Place) -> None:
    """``inspect.getsource`` has no source for a class of a notebook."""
    body = "def __call__(self, inp):\n        'Doc.'\n        raise NotImplementedError"
    ipython.run(f"class Relu:\n    {body}\n    def backward(self):\n        raise NotImplementedError\n")
    assert "○ Relu  0 / 2  not started" in ipython.run("check('Relu')")


def test_stub_that_calls_an_untouched_one_is_no_stub_itself(ipython: Place) -> None:
    ipython.run(UNTOUCHED)
    ipython.run("w1 = b1 = w2 = b2 = None\ndef forward_and_backward(inp, targ):\n    return lin_grad(1, 2, 3, 4)")
    out = ipython.run("check('forward_and_backward')")
    assert "not started" not in out
    assert "lin_grad" in out


def test_crash_and_loop_end_the_fork_alone(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    exercises = checking._seeded("autograd").course.exercises
    object.__setattr__(exercises["relu_grad"], "time_limit", 0.5)
    try:
        place.run("def relu_grad(inp, out):\n    while True: pass")
        assert "did not end in time" in place.run("check('relu_grad')")
    finally:
        object.__setattr__(exercises["relu_grad"], "time_limit", None)
    place.run(lin_grad("os._exit(3)"))
    assert "The Python process died" in " ".join(place.run("check('lin_grad')").split())
    assert "✓ relu_grad  2 / 2" in place.run(RELU + "check('relu_grad')")


@pytest.fixture
def _interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The user interrupts each check."""

    def interrupted(*about: Any, **more: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(checking, "run_in_fork", interrupted)
    monkeypatch.setattr(checking, "run_in_process", interrupted)


@pytest.mark.usefixtures("_interrupted")
def test_interrupt_is_told_and_ends_the_cell(python: Place) -> None:
    said = python.run(
        RIGHT + "try:\n    check('lin_grad')\nexcept KeyboardInterrupt as error:\n"
        "    print('depth', error.__traceback__.tb_next.tb_next is None)"
    )
    assert "The check was interrupted" in said
    assert "depth True" in said


# ---------------------------------------------------------------------------------------- what is asked for


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("'lin_gard'", "There is no exercise 'lin_gard' in the course 'autograd'. Did you mean lin_grad"),
        ("'xyzzy'", "There is no exercise 'xyzzy' in the course 'autograd'. There are outer_difference, "),
        ("3", "There is no exercise '3'"),
        (
            "'03_backprop.ipynb'",
            "03_backprop is a notebook of the exercises lin_grad, relu_grad, mse_grad, forward_and_",
        ),
        ("'lin_grad', course='nope'", "there is no course 'nope': name a .py file, a package, or an installed course"),
        ("'lin_grad', hints='lots'", "There are no hints 'lots': say 'none', 'nudge', 'full'."),
        ("['lin_grad']", "Did you mean lin_grad"),
        ("__import__('torch')", "There is no exercise 'torch'"),
        ("'lin_grad'", "lin_grad is not defined yet: run the cell that defines it, then check again."),
        ("'Module'", "Module is not defined yet"),
        ("'trace'", "No cell that you have run assigns fc2_b_grad, fc2_w_grad, fc1_b_grad, fc1_w_grad yet"),
        ("", "No exercise is defined here yet: run the cell of a stub first."),
    ],
)
def test_check_of_what_is_not_there_helps(place: Place, asked: str, said: str) -> None:
    assert said in place.run(f"check({asked})")


def test_check_takes_the_function_itself(place: Place) -> None:
    assert "✓ lin_grad  4 / 4" in place.run(RIGHT + "check(lin_grad)")


def test_check_in_a_script_prints_where_the_encoding_has_no_marks(tmp_path: Path) -> None:
    script = f"from grader import check\n{RELU}check('relu_grad')\n"
    environment = {**os.environ, "PYTHONIOENCODING": "cp1252"}
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=environment, capture_output=True, check=True, timeout=240
    )
    assert ran.stdout.decode("cp1252").startswith("? relu_grad  2 / 2  passed")


def test_check_takes_several_exercises(place: Place) -> None:
    place.run(RIGHT + RELU)
    printed = place.run('check("lin_grad", relu_grad, "gelu_grat")')

    assert [name for name in ("✓ lin_grad", "✓ relu_grad", "Did you mean gelu_grad") if name not in printed] == []


def test_name_imported_from_elsewhere_is_not_the_students(place: Place) -> None:
    assert "Module is not defined yet" in place.run("from torch.nn import Module\ncheck('Module')")


@pytest.mark.usefixtures("_students_folder")
def test_answer_in_a_module_beside_the_notebook_is_checked_as_it_is_graded(place: Place, way: str) -> None:
    Path("my_own_layers.py").write_text(RIGHT.replace("sum", "mean"))
    try:
        place.run("import sys\nsys.path.insert(0, '')\nfrom my_own_layers import lin_grad")
        out = place.run("check('lin_grad')")
    finally:
        sys.path.remove("")
        sys.modules.pop("my_own_layers", None)
    assert "◐ lin_grad  3 / 4" in out
    assert "⚑ `lin_grad` is imported from `my_own_layers`, a file beside the notebook" in out


def test_answer_made_by_partial_is_the_students(place: Place, way: str) -> None:
    place.run("from functools import partial\n" + RIGHT.replace("lin_grad", "mine") + "lin_grad = partial(mine)")
    assert "✓ lin_grad  4 / 4" in place.run("check('lin_grad')")


@pytest.mark.parametrize(
    ("later", "why"),
    [
        (RIGHT.replace("dim=0)", "dim=0"), "has a syntax error"),
        (f"not_defined\n{RIGHT}", "ended in an error"),
    ],
    ids=["syntax_error", "error_before"],
)
def test_cell_that_did_not_define_what_it_should_is_told(ipython: Place, later: str, why: str) -> None:
    ipython.run(UNTOUCHED)
    ipython.run(later)

    assert why in ipython.run('check("lin_grad")')
    assert why in ipython.run("check()")


@pytest.mark.parametrize(
    "cells",
    [
        [UNTOUCHED, RIGHT],
        [UNTOUCHED, f"{RIGHT}\nnot_defined"],
        [UNTOUCHED, "earlier = lin_grad", RIGHT, "lin_grad = earlier"],
        [f"%%capture\n{UNTOUCHED}", RELU],
        [f"{UNTOUCHED}\nif True:\n    lin_grad"],
    ],
    ids=["redefined", "error_behind", "assigned", "magic", "other_cell"],
)
def test_cell_that_defined_it_is_not_said_to_have_failed(ipython: Place, cells: list[str]) -> None:
    for cell in cells:
        ipython.run(cell)

    assert "The last cell" not in ipython.run('check("lin_grad")')
    assert "The last cell" not in ipython.run(f'check("lin_grad")\n{RIGHT}')


WRONG = RIGHT.replace("sum", "mean")
SEVERAL, ITS_STUB, GRADED = "define lin_grad in more than one form", "is the untouched stub", "the grade takes the"


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        pytest.param([("a", WRONG), ("b", RIGHT)], SEVERAL, id="in_two_cells"),
        pytest.param([("a", RIGHT), ("b", WRONG)], SEVERAL, id="wrong_in_the_last"),
        pytest.param([("a", WRONG), ("a", RIGHT)], "", id="a_second_try"),
        pytest.param([("a", UNTOUCHED), ("b", RIGHT)], "", id="beside_the_stub"),
        pytest.param([("a", RIGHT), ("b", f"# again\n{RIGHT}")], "", id="alike"),
        pytest.param([("a", RIGHT), ("b", UNTOUCHED)], ITS_STUB, id="above_the_stub"),
        pytest.param([("a", RIGHT), ("a", UNTOUCHED)], "", id="put_back"),
        pytest.param([("a", RIGHT), ("b", "lin_grad = (lambda f: f)(lin_grad)")], "", id="given_another_value"),
        pytest.param([(None, WRONG), (None, RIGHT)], "You have run lin_grad in more than one form", id="passes"),
        pytest.param([(None, RIGHT), (None, WRONG)], "", id="does_not_pass"),
        pytest.param([(None, "class lin_grad: ..."), (None, "class lin_grad(lin_grad): ...")], "", id="goes_on"),
        pytest.param([(None, RIGHT), (None, UNTOUCHED)], ITS_STUB, id="above_the_stub_in_an_unknown_cell"),
    ],
)
def test_answer_that_is_graded_in_the_place_of_the_one_checked_is_told(
    ipython: Place, shell: Any, cells: list[tuple[str | None, str]], said: str
) -> None:
    for cell_id, cell in cells:
        shell.run_cell(cell, store_history=True, cell_id=cell_id)

    for check_cell in ('check("lin_grad")', "check()"):
        out = ipython.run(check_cell)
        assert said in out
        assert (GRADED in out) == bool(said)


def test_stub_that_was_handed_out_with_a_part_written_is_known_below_its_answer(ipython: Place) -> None:
    (stub,) = (cell for cell in code_of(EXERCISES / "08_beyond.ipynb") if cell.startswith("class Value"))
    ipython.run(stub.replace("raise NotImplementedError", "return self"))
    ipython.run(stub)
    assert "The Value that you ran last is the untouched stub" in ipython.run('check("Value")')


@pytest.mark.parametrize("stub", [UNTOUCHED, ""], ids=["untouched", "missing"])
def test_slip_of_the_pen_in_a_name_is_asked_about(place: Place, stub: str) -> None:
    place.run(stub + RIGHT.replace("lin_grad", "lin_gard"))

    assert "You have defined lin_gard: is that meant to be lin_grad?" in place.run('check("lin_grad")')


def test_names_of_other_exercises_are_no_slips(place: Place) -> None:
    place.run(MODULE.replace("class Module", "class ReluModule") + "class LinModule:\n    pass\n")

    assert "is that meant" not in place.run('check("MseModule")')


def test_check_of_everything_goes_through_what_is_defined(place: Place, way: str) -> None:
    out = place.run(RIGHT + RELU.replace(">", ">=") + "check()")
    assert [line.split()[:2] for line in out.splitlines() if re.match(r"\S", line)] == [
        ["4", "/"],
        ["✓", "lin_grad"],
        ["✗", "relu_grad"],
    ]


def test_check_names_what_an_exercise_follows_from(ipython: Place) -> None:
    ipython.run("class Module:\n    def __call__(self, *args):\n        raise NotImplementedError")
    ipython.run("class ReluModule(Module):\n    def forward(self, inp):\n        return inp")
    for asked in ("check()", "check('ReluModule')"):
        assert "This one calls what is not right yet: Module" in ipython.run(asked)
    ipython.run(MODULE)
    assert "This one calls" not in ipython.run("check('ReluModule')")


@pytest.mark.parametrize(
    ("hints", "given"), [("none", False), ("nudge", True), ("full", True)], ids=["none", "nudge", "full"]
)
def test_hints_can_be_left_out(python: Place, hints: str, given: bool) -> None:
    out = python.run(RIGHT.replace("sum", "mean") + f"check('lin_grad', hints={hints!r})")
    assert ("hint: " in out) == given


@pytest.mark.parametrize(("where", "step"), [(SeededCourse, "prepared"), (checking, "score_exercise")])
def test_exercise_that_cannot_be_judged_is_no_zero(
    python: Place, where: Any, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*about: object) -> None:
        raise CourseError("a sampler or a measure is broken")

    monkeypatch.setattr(where, step, broken)
    out = python.run(RIGHT + "check('lin_grad')")
    assert "could not be graded" in out
    assert "This does not count as zero points" in out


# ---------------------------------------------------------------------------------- a cell that is run again


@pytest.mark.parametrize(
    "cells",
    [
        pytest.param([TRACE], id="tuple and annotation"),
        pytest.param(["%time 1\n" + TRACE], id="with a magic"),
        pytest.param([TRACE_STUB, TRACE], id="after the stub"),
        pytest.param([TRACE, "print(fc2_b_grad, fc2_w_grad, fc1_b_grad, fc1_w_grad)"], id="printed later"),
        pytest.param([TRACE, "# fc2_b_grad = fc2_w_grad = fc1_b_grad = fc1_w_grad = 1"], id="in a comment later"),
        pytest.param([TRACE.replace("[0]", "[0].clone()"), TRACE_STUB], id="before the stub"),
        pytest.param([TRACE + "check('trace')\ncheck()"], id="with its own check"),
    ],
)
def test_trace_is_found_among_the_cells_run(ipython: Place, cells: list[str]) -> None:
    ipython.run("X, fc1_w, fc1_b, fc2_w, fc2_b = (torch.ones(1, 3), torch.ones(3, 3), *torch.ones(3, 1, 3))")
    for cell in cells:
        ipython.run(cell)
    assert "✓ trace" in ipython.run("check('trace')")


@pytest.mark.parametrize(
    ("cells", "said", "scattered"),
    [
        (
            [TRACE, TRACE.replace("fc1_w_grad", "fc1_w_gradient")],
            "◐ trace  4.5 / 6.5",
            "does not assign fc1_w_grad, as",
        ),
        ([TRACE_STUB, HALF_OF_TRACE], "◐ trace  2.5 / 6.5", ""),
        ([HALF_OF_TRACE + "raise NotImplementedError"], "◐ trace  2.5 / 6.5", ""),
        ([HALF_OF_TRACE, OTHER_HALF_OF_TRACE], "◐ trace  4 / 6.5", "does not assign fc2_b_grad, fc2_w_grad, as"),
    ],
    ids=["misspelt_later", "half_behind_the_stub", "half_above_the_raise", "in_two_cells"],
)
def test_last_cell_that_assigns_a_part_of_trace_is_the_one_checked(
    ipython: Place, cells: list[str], said: str, scattered: str
) -> None:
    ipython.run("X, fc1_w, fc1_b, fc2_w, fc2_b = (torch.ones(1, 3), torch.ones(3, 3), *torch.ones(3, 1, 3))")
    for cell in cells:
        ipython.run(cell)
    out = ipython.run("check('trace')")
    assert said in out
    assert scattered in out
    assert ("all belong in one cell" in out) == bool(scattered)


def test_numbers_copied_from_a_printout_do_not_pass(ipython: Place) -> None:
    ipython.run("fc2_b_grad, fc2_w_grad, fc1_b_grad, fc1_w_grad = map(torch.ones, (1, (1, 3), 3, (3, 3)))")
    assert "✗ fc1_w_grad" in ipython.run("check('trace')")


@pytest.mark.parametrize("above", ["", "import torch\n"], ids=["as released", "with an import"])
def test_stub_of_a_cell_is_untouched(ipython: Place, above: str) -> None:
    ipython.run("try:\n    1 / 0\nexcept ZeroDivisionError:\n    pass")
    ipython.run(above + TRACE_STUB)
    assert "○ trace  0 / " in ipython.run("check('trace')")


# ------------------------------------------------------------------------------------------------ harmless

MISCHIEF = lin_grad(
    "global weight, fresh",
    "weight.add_(1); weight, fresh = 1, 2",
    "inp.mul_(1); mine.append(1)",
    "torch.manual_seed(1); torch.randn(3); random.random(); numpy.random.rand()",
    "torch.set_default_dtype(torch.float64); torch.set_grad_enabled(False)",
    "os.environ['MISCHIEF'] = '1'; os.chdir('/')",
)


def children() -> set[str]:
    return {pid for path in Path("/proc/self/task").glob("*/children") for pid in path.read_text().split()}


@dataclass(frozen=True)
class Found:
    """All that a check must leave as it was."""

    names: dict[str, int]
    versions: dict[str, int]
    streams: tuple[Any, ...]
    modes: tuple[Any, ...]
    process: tuple[Any, ...] = field(default=())


def found(space: dict[str, Any], *, whole: bool) -> Found:
    tensors = {name: value._version for name, value in space.items() if isinstance(value, torch.Tensor)}
    numbers = numpy.random.get_state(legacy=False)["state"]["key"].tolist()
    streams = torch.get_rng_state().tolist(), random.getstate(), numbers
    modes = torch.is_grad_enabled(), torch.get_default_dtype(), builtins.input, sys.stdout, warnings.filters[:]
    gc.collect()
    files = {link.name for link in Path("/proc/self/fd").iterdir()}
    process = (dict(os.environ), str(Path.cwd()), len(files), children()) if whole else ()
    names = {name: id(value) for name, value in space.items() if not re.match(r"_|In$|Out$", name)}
    return Found(names, tensors if whole else {}, streams, modes, process)


@pytest.mark.parametrize("source", [RIGHT, UNTOUCHED, MISCHIEF], ids=["right", "untouched", "mischief"])
def test_check_changes_nothing(place: Place, way: str, source: str) -> None:
    place.run("weight, mine = torch.ones(3), []\n" + source)
    place.run("check('lin_grad')")
    place.run("pass")
    before = found(place.space, whole=way == "fork")
    place.run("check('lin_grad')\ncheck('lin_gard')\ncheck()")
    assert found(place.space, whole=way == "fork") == before
    if way == "fork":
        assert place.space["mine"] == []


def test_checks_in_two_threads_leave_the_session_as_it_was(python: Place, way: str) -> None:
    python.run(RELU.replace("inp.g", "time.sleep(0.05); inp.g") + "import threading, time")
    python.run("def sigmoid_grad(inp, out):\n    time.sleep(0.1)\n    inp.g = out.g * out * (1 - out)\ncheck()")
    before = builtins.input, warnings.filters[:]
    python.run(
        "threads = [threading.Thread(target=lambda name=name: check(name)) for name in ('relu_grad', 'sigmoid_grad')]\n"
        "for thread in threads: thread.start(); time.sleep(0.1)\n"
        "for thread in threads: thread.join()"
    )
    assert (builtins.input, warnings.filters[:]) == before


SETTINGS = {
    "no gradients": "torch.set_grad_enabled(False)",
    "another device": "torch.set_default_device('meta')",
    "another dtype": "torch.set_default_dtype(torch.float16)",
}


@pytest.fixture
def _settings_put_back() -> Iterator[None]:
    yield
    torch.set_grad_enabled(True)
    torch.set_default_device(None)
    torch.set_default_dtype(torch.float32)


@pytest.mark.usefixtures("_settings_put_back")
@pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS)
def test_check_is_right_whatever_torch_was_set_to_and_leaves_it_so(python: Place, way: str, setting: str) -> None:
    checking._seeded.cache_clear()
    python.run(f"{RELU}{setting}")

    def settings() -> tuple[Any, ...]:
        return torch.is_grad_enabled(), default_device(), torch.get_default_dtype()

    before = settings()
    assert "✓ relu_grad  2 / 2" in python.run("check('relu_grad')")
    assert settings() == before
    python.run(RELU.replace("(inp > 0)", "2"))
    assert "✗ relu_grad  0 / 2" in python.run("check('relu_grad')")


# ---------------------------------------------------------------------------------------------------- HTML

HOSTILE = """\
class Evil(Exception):
    pass
Evil.__name__ = "</style><script>alert(1)</script>"
def lin_grad(inp, out, w, b):
    print("</pre></style><img src=x onerror=alert(1)>")
    b.g = out.g.sum(0)
    raise Evil("<script>alert(2)</script>")
"""
TAGS = {"div", "style", "section", "header", "p", "span", "b", "small", "code", "ul", "li", "pre"}
TAGS |= {"table", "caption", "thead", "tbody", "tr", "th", "td", "details", "summary", "progress"}


class Page(HTMLParser):
    """The tags and attributes of a page, and its text outside the style sheet."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.open: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.open.append(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += "" if self.open[-1:] == ["style"] else data


@pytest.fixture
def shown(shell: Any) -> Callable[[str], list[dict[str, str]]]:
    """Run a cell where HTML is shown; every bundle that was displayed."""
    from IPython.utils.capture import capture_output

    shell.kernel = object()
    shell.run_cell("import os, torch\nfrom grader import check", store_history=True)

    def run(cell: str) -> list[dict[str, str]]:
        with capture_output() as captured:
            shell.run_cell(cell, store_history=True)
        assert captured.stdout == captured.stderr == ""
        return [output.data for output in captured.outputs]

    return run


def test_notebook_is_shown_html_with_text_beside_it(shown: Callable[[str], list[dict[str, str]]]) -> None:
    (data,) = shown(RIGHT.replace("sum", "mean") + "check('lin_grad')")
    page = Page(data["text/html"])
    assert not page.open
    assert page.tags.count("table") == 2  # expected and actual
    assert re.search(r"−[\d.]+ to [\d.]+\n", page.text)  # where a notebook is not trusted, nothing but text is left
    assert re.search(r"0 / 1 in the case \w", page.text)
    assert not re.search(r"\drem\b", data["text/html"])  # letters of 10 px are some pages' rem
    assert data["text/html"].count("&amp;") == 0
    assert "partly right" in page.text
    assert "◐ lin_grad  3 / 4" in data["text/plain"]
    assert not re.search(r" $", data["text/plain"], re.M)


def test_what_a_student_wrote_does_nothing(shown: Callable[[str], list[dict[str, str]]]) -> None:
    (data,) = shown(HOSTILE + "check('lin_grad')")
    page = Page(data["text/html"])
    assert set(page.tags) <= TAGS
    assert page.tags.count("style") == 1
    assert not {name for name in page.attributes if name.startswith("on")}
    assert "<script>alert(2)</script>" in page.text
    assert "<img src=x onerror=alert(1)>" in page.text


def test_sentences_are_escaped(shown: Callable[[str], list[dict[str, str]]]) -> None:
    (data,) = shown("check('<img src=x onerror=alert(1)>')")
    assert set(Page(data["text/html"]).tags) == {"p"}


def test_check_of_everything_shows_a_bar_and_the_sum(shown: Callable[[str], list[dict[str, str]]]) -> None:
    found = shown(RIGHT + RELU + "check()")
    assert [data["text/plain"] for data in found[:-1]] == ["", "checking lin_grad", "checking relu_grad", ""]
    bundles = [data["text/html"] for data in found]
    bars = [re.search(r'<progress max="2" value="(\d)">.*checking (\w+)', html) for html in bundles]
    assert [bar.groups() for bar in bars if bar] == [("0", "lin_grad"), ("1", "relu_grad")]
    assert bundles[-2] == ""
    page = Page(bundles[-1])
    assert page.text.split()[:3] == ["6", "/", "6"]
    assert found[-1]["text/plain"].startswith("6 / 6  100%\n✓ lin_grad")
    assert page.tags.count("ul") == 0  # what passed takes a line, not a list


@pytest.mark.usefixtures("_interrupted")
def test_bar_of_an_interrupted_check_is_gone(shown: Callable[[str], list[dict[str, str]]]) -> None:
    found = shown(RIGHT + "try:\n    check()\nexcept KeyboardInterrupt as error:\n    kept = error")
    assert [data["text/plain"] for data in found[:-1]] == ["", "checking lin_grad", ""]
    assert "The check was interrupted" in found[-1]["text/plain"]


@pytest.mark.skipif(not FORKS, reason="checks run in the process here")
def test_debugger_of_the_front_end_takes_no_points(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from jupyter_client.manager import start_new_kernel

    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    manager, client = start_new_kernel(kernel_name="python3", cwd=str(tmp_path))

    def debug(command: str, **arguments: Any) -> None:
        request = {"type": "request", "seq": 1, "command": command, "arguments": arguments}
        client.control_channel.send(client.session.msg("debug_request", request))
        assert client.get_control_msg(timeout=60)["content"]["success"]

    def run(code: str) -> str:
        told: list[dict[str, Any]] = []
        client.execute_interactive(code, output_hook=told.append, timeout=60)
        outputs = [message["content"] for message in told if message["msg_type"] in ("stream", "display_data")]
        return "".join(output.get("text") or output["data"]["text/plain"] for output in outputs)

    try:
        run("import torch\nfrom grader import check\n" + RELU)
        debug("initialize", clientID="test", adapterID="python", pathFormat="path")
        debug("attach")
        attached = run("check('relu_grad')")
        debug("disconnect", restart=False, terminateDebuggee=False)
        detached = run("check('relu_grad')")
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    assert attached == detached == "✓ relu_grad  2 / 2  passed\n  ✓ inp.g  2 / 2"


# ------------------------------------------------------------------------------------------- the solutions


def assert_full_marks(cells: list[str], shown: list[list[dict[str, Any]]]) -> None:
    """Each ``check("…")`` of the cells showed, and first of all that the exercise earned everything."""
    for source, bundles in zip(cells, shown, strict=True):
        assert len(bundles) == source.count('check("'), source
        for bundle in bundles:
            first = bundle["text/plain"].splitlines()[0]
            assert re.fullmatch(r"✓ \w+  (\S+) / \1  passed", first), first


def code_of(path: Path) -> list[str]:
    content = nbformat.read(path, as_version=4)
    return [cell.source for cell in content.cells if cell.cell_type == "code"]


@pytest.fixture
def _students_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    monkeypatch.delenv("GRADER_SCORING", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("_students_folder")
@pytest.mark.parametrize("path", sorted(SOLUTIONS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_solution_runs_top_to_bottom_with_full_marks(path: Path, shell: Any) -> None:
    from IPython.utils.capture import capture_output

    shell.kernel = object()  # where HTML is shown
    checked: list[str] = []
    shown: list[list[dict[str, Any]]] = []
    for source in code_of(path):
        with capture_output() as captured:
            ran = shell.run_cell(source, store_history=True)
        ran.raise_error()
        if "check(" in source:
            checked.append(source)
            shown.append([output.data for output in captured.outputs])

    assert checked
    assert_full_marks(checked, shown)


@pytest.mark.usefixtures("_students_folder")
def test_check_shows_in_a_kernel_what_it_shows_in_the_shell(tmp_path: Path) -> None:
    from nbclient import NotebookClient

    cells = ["from grader import check", RIGHT, 'check("lin_grad")']
    content = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
    *_, checked = NotebookClient(content, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute().cells

    shown = [output.data for output in checked.outputs if output.output_type == "display_data"]
    assert_full_marks(cells[-1:], [shown])
