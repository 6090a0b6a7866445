"""Checks in forks of this process, and in the process itself."""

from __future__ import annotations

import gc
import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import psutil
import pytest
import torch

from grader.kernel import local
from grader.model import CaseRun, Check, Limits, Program
from tests.kernel.laboratory import captured

Runner = Callable[..., tuple[CaseRun, ...]]


BOTH = pytest.mark.parametrize("run", [local.run_in_fork, local.run_in_process], ids=["fork", "process"])
SQUARE = "def f(x):\n    x.g = 2 * x * x.u\n"


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def program(case: str = "one", call: str = "f(x)", **fields: Any) -> Program:
    tensors = {"x": torch.arange(3.0), "x.u": torch.ones(3)}
    return Program(case=case, call=call, **{"tensors": tensors, "poison": ("x.g",), "reads": ("x.g",), **fields})


def check(*programs: Program, **fields: Any) -> Check:
    known = {"exercise": "f", "cell": 3, "needs": ("f",), "programs": programs or (program(),), "time_limit": 20.0}
    return Check(**{**known, **fields})


def space_of(source: str) -> dict[str, Any]:
    space: dict[str, Any] = {"torch": torch, "os": os, "random": random, "numpy": numpy, "time": time}
    exec(compile(source, "/tmp/ipykernel_812/33.py", "exec"), space)
    return space


@BOTH
def test_right_answer_comes_back(run: Runner) -> None:
    runs = run(check(program("a"), program("b")), space_of(SQUARE))
    assert [one.case for one in runs] == ["a", "b"]
    for one in runs:
        assert one.ended == "returned"
        assert torch.equal(captured(one, "x.g"), 2 * torch.arange(3.0))
        assert torch.equal(one.inputs["x"], torch.arange(3.0))


@BOTH
def test_nothing_written_is_untouched(run: Runner) -> None:
    (one,) = run(check(), space_of("def f(x): pass"))
    assert one.captures["x.g"].absence == "untouched"


@BOTH
def test_missing_name_is_not_defined(run: Runner) -> None:
    (one,) = run(check(), {})
    assert one.ended == "not_defined"


@BOTH
def test_exception_names_cell_and_line(run: Runner) -> None:
    (one,) = run(check(), space_of("def f(x):\n    y = 1\n    return x @ torch.ones(5)"))
    assert one.ended == "raised"
    assert one.error is not None
    assert (one.error.type, one.error.cell, one.error.line) == ("RuntimeError", 3, 3)


@BOTH
def test_process_is_left_as_it_was(run: Runner, capfd: pytest.CaptureFixture[str]) -> None:
    space = space_of(
        "t = torch.ones(2)\n"
        "def f(x):\n    global t, new\n    t = new = 5\n    torch.rand(3), random.random(), numpy.random.rand()\n"
        "    torch.set_default_dtype(torch.float64); torch.set_grad_enabled(False)\n    print('hello')\n    x.g = x\n"
    )
    names = dict(space)
    states = torch.get_rng_state(), random.getstate(), numpy.random.get_state(legacy=False)["state"]["key"].copy()
    given = program(globals=("fresh",), constants={"fresh": 3})
    before = given.tensors["x"].clone()
    (one,) = run(check(given), space)
    assert one.ended == "returned"
    assert one.printed == "hello\n"
    assert space == names
    assert torch.equal(torch.get_rng_state(), states[0])
    assert random.getstate() == states[1]
    assert (numpy.random.get_state(legacy=False)["state"]["key"] == states[2]).all()
    assert torch.get_default_dtype() is torch.float32
    assert torch.is_grad_enabled()
    assert torch.equal(given.tensors["x"], before)
    assert capfd.readouterr() == ("", "")


@BOTH
def test_cell_is_run_again(run: Runner) -> None:
    rerun = program(call="", rerun=True, tensors={"x": torch.ones(2)}, poison=(), reads=("y",))
    space = space_of("y = 7")
    (one,) = run(check(rerun, needs=(), source="y = x * 3"), space)
    assert torch.equal(captured(one, "y"), torch.full((2,), 3.0))
    assert space["y"] == 7


@BOTH
def test_strides_are_those_of_the_program(run: Runner) -> None:
    strided = program(tensors={"x": torch.rand(3, 4).T}, reads=("result",), poison=(), call="f(x)")
    (one,) = run(check(strided), space_of("def f(x): return x.is_contiguous()"))
    assert captured(one, "result").item() == 0


def test_autograd_is_seen_in_the_fork_only() -> None:
    space = space_of("def f(x):\n    y = x.clone().requires_grad_()\n    (y * y).sum().backward()\n    x.g = y.grad")
    (one,) = local.run_in_fork(check(), space)
    assert one.autograd == "Tensor.backward"
    (one,) = local.run_in_fork(check(autograd=True), space)
    assert (one.ended, one.autograd) == ("returned", None)
    assert local.run_in_process(check(), space)[0].autograd is None
    y = torch.ones(2, requires_grad=True)
    (y * y).sum().backward()
    assert y.grad is not None


@pytest.mark.parametrize(
    ("source", "ended", "how"),
    [
        ("def f(x): os._exit(3)", "crashed", "exit code 3"),
        ("def f(x): os.kill(os.getpid(), 11)", "crashed", "signal 11"),
        ("def f(x): os.abort()", "crashed", "signal 6"),
        ("def f(x):\n    while True: pass", "timed_out", None),
        (
            "def f(x):\n    while True:\n        try: time.sleep(9)\n        except BaseException: pass",
            "timed_out",
            None,
        ),
        ("def f(x):\n    os.fork()\n    time.sleep(60)", "timed_out", None),
        ("def f(x): return torch.zeros(10**6)", "output_exceeded", None),
        ("def f(x): print('x' * 10**6)", "output_exceeded", None),
    ],
)
def test_accident_in_a_fork_costs_its_case_alone(
    source: str, ended: str, how: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "ALLOWANCE", 20)  # the last case is late only where it hangs
    once = source.replace("def f(x):", "def f(x):\n    if x[0] == 0:\n        x.g = x; return\n   ", 1)
    bad = program("bad", tensors={"x": torch.ones(3)}, reads=("x.g", "result"))
    monkeypatch.setattr(local, "_LIMITS", Limits(result=10**6, printed=10**5))
    fds = open_files()
    children = psutil.Process().children()
    limited = check(program("a"), bad, program("c"), time_limit=1.5 if ended == "timed_out" else 60.0)
    runs = local.run_in_fork(limited, space_of(once))
    assert [one.ended for one in runs] == ["returned", ended, "returned"]
    if how is not None:
        assert runs[1].error is not None
        assert how in runs[1].error.message
    assert open_files() == fds
    assert psutil.Process().children() == children


def test_seconds_bound_the_whole_check() -> None:
    began = time.monotonic()
    endless = [program(str(n)) for n in range(12)]
    runs = local.run_in_fork(check(*endless, time_limit=2.0), space_of("def f(x): time.sleep(60)"))
    assert {one.ended for one in runs} == {"timed_out"}
    assert time.monotonic() - began < 12 * 2.0  # what it would take if each had all of it


def test_interrupt_of_the_user_ends_the_wait() -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    children = psutil.Process().children()
    held = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.5)
    try:
        with pytest.raises(KeyboardInterrupt):
            local.run_in_fork(check(), space_of("def f(x):\n    while True: pass"))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, held)
    assert psutil.Process().children() == children


@pytest.mark.parametrize(
    ("source", "raises"),
    [
        ("def f(x): raise KeyboardInterrupt", ()),
        ("def f(x): x.g = x\ndef g(): raise KeyboardInterrupt", ("g()",)),
    ],
    ids=["call", "expression"],
)
def test_interrupt_in_process_is_not_the_students(source: str, raises: tuple[str, ...]) -> None:
    with pytest.raises(KeyboardInterrupt):
        local.run_in_process(check(program(raises=raises)), space_of(source))


@pytest.mark.parametrize(
    "source", ["def f(x): time.sleep(60)", "def f(x): x.g = torch.zeros(3)"], ids=["waits", "sends"]
)
def test_fork_does_not_outlive_a_parent_that_is_killed(source: str) -> None:
    # Made before the first fork, in which torch's threads are not, and would be waited for.
    many = check(*[program(str(n), tensors={"x": torch.zeros(99_999)}) for n in range(20)])
    space = space_of(source)
    parent = os.fork()
    if parent == 0:
        try:
            with local._Fork(many, many.programs, space, None, 60):
                time.sleep(60)  # and reads nothing
        finally:
            os._exit(0)
    try:
        began = time.monotonic()
        while not (forks := psutil.Process(parent).children()) and time.monotonic() < began + 120:
            time.sleep(0.01)
        time.sleep(1)  # in which it comes to a full pipe
    finally:
        os.kill(parent, signal.SIGKILL)
        os.waitpid(parent, 0)
    assert forks
    assert not psutil.wait_procs(forks, timeout=120)[1]


def test_threads_of_torch_do_not_hang_the_fork() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    torch.rand(600, 600) @ torch.rand(600, 600)
    source = "def f(x):\n    y = torch.rand(600, 600) @ torch.rand(600, 600)\n    x.g = y.sum(0)[:3]"
    (one,) = local.run_in_fork(check(), space_of(source))
    kept = torch.get_num_threads()
    torch.set_num_threads(before)
    assert (one.ended, kept) == ("returned", 2)


def test_process_shows_nothing_of_a_thousand_checks() -> None:
    space = space_of(SQUARE)
    local.run_in_process(check(), space)
    gc.collect()
    count = len(gc.get_objects())
    for _ in range(100):
        local.run_in_process(check(), space)
    gc.collect()
    assert len(gc.get_objects()) - count < 200
