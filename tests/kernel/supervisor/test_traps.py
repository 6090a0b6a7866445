"""Autograd in a notebook that has taken the watch apart, and the traps that end it all the same."""

from __future__ import annotations

import ctypes
import os
import platform
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from grader.kernel.confinement import syscalls
from grader.kernel.protocol.messages import ENGINE, HIDING, TAMPERING
from grader.kernel.supervisor import traps
from grader.model import CaseRun, Cell, Check, Job, Program
from tests.kernel.conftest import BEST, WORKING
from tests.kernel.laboratory import LIMITS, Laboratory

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux") or platform.machine() not in syscalls.MACHINES, reason="no traps here"
)

#: With this the watch is there, and notes nothing: no slot is written, no recorder remembers.
BLIND = """
import threading, torch
import torch.autograd.forward_ad as forward
import grader.kernel.check.autograd_watch as watch
watch._entries.clear()
watch.Watch.record = lambda self, name: None
early = torch.ones(2, 3, requires_grad=True)
node = (early * early).grad_fn
level = forward.enter_dual_level()
unit = torch.jit.CompilationUnit('''
def grad(x: Tensor):
    y = x.clone().requires_grad_(True)
    return torch.autograd.grad([(y * y).sum()], [y])[0]
''')
"""
#: Body of ``by_hand(x)`` → whether it uses autograd.
BODIES = {
    "formula": ("x.g = 2 * x", False),
    "graph": ("y = x.clone().requires_grad_(True)\n    z = y * y\n    x.g = 2 * y.detach()", False),
    "backward": ("y = x.clone().requires_grad_(True)\n    (y * y).sum().backward()\n    x.g = y.grad", True),
    "func": ("x.g = torch.func.grad(lambda v: (v * v).sum())(x)", True),
    "script": ("x.g = unit.grad(x)", True),
    "thread": (
        "def work():\n        y = x.clone().requires_grad_(True)\n        (y * y).sum().backward()\n"
        "        x.g = y.grad\n    t = threading.Thread(target=work); t.start(); t.join()",
        True,
    ),
    "node": ("x.g = x * sum(node(torch.ones(2, 3)))", True),
    "level": (
        "with forward.dual_level():\n        dual = forward.make_dual(x, torch.ones_like(x))\n"
        "        x.g = forward.unpack_dual(dual ** 2).tangent",
        True,
    ),
    "early-level": (
        "dual = forward.make_dual(x, torch.ones_like(x), level=level)\n"
        "    x.g = forward.unpack_dual(dual ** 2, level=level).tangent",
        True,
    ),
    "handlers": (
        "import signal\n    for number in set(signal.valid_signals()) - {signal.SIGKILL, signal.SIGSTOP}:\n"
        "        signal.signal(number, lambda *_: None)\n"
        "    try:\n        y = x.clone().requires_grad_(True)\n        (y * y).sum().backward()\n        x.g = y.grad\n"
        "    except BaseException:\n        x.g = 2 * x",
        True,
    ),
}
#: Writes over the traps as only machine code can: by a copy of the library's own text. Or has the system forget them.
_WITHOUT = """
import ctypes, grader.kernel.supervisor.traps as traps
libc = ctypes.CDLL(None)
held = {place: ctypes.string_at(place, 16) for place in traps.places()}
def write(texts):
    for place, text in texts.items():
        libc.mprotect(ctypes.c_void_p(place & ~4095), 8192, 7)
        ctypes.memmove(place, text, 16)
def forget():
    for place in held:
        libc.madvise(ctypes.c_void_p(place & ~4095), 8192, 4)
def by_hand(x):
    there = {place: ctypes.string_at(place, 16) for place in held}
    REMOVE
    y = x.clone().requires_grad_(True)
    (y * y).sum().backward()
    x.g = y.grad
    RESTORE
"""
#: Has calls go to another address: the table of those is made writable, and one of them written as it was.
_REDIRECTS = """
import ctypes, grader.kernel.supervisor.traps as traps
libc = ctypes.CDLL(None)
slot = ctypes.c_void_p.from_address(ADDRESS)
def by_hand(x):
    libc.mprotect(ctypes.c_void_p(ADDRESS & ~4095), 4096, 3)
    slot.value = slot.value
    x.g = 2 * x
""".replace("ADDRESS", "(traps.places()[{place}] + {distance})")
#: The harness does not give up making processes, and the stub makes one.
_MAKES_A_PROCESS = """
import os
import grader.kernel.guest.harness as harness
harness._confine_check = lambda: None
def by_hand(x):
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    x.g = 2 * x
"""


def _seals() -> bool:
    """Whether this system can keep pages as they are; asked in a process of its own."""
    asks = "import sys; from grader.kernel.supervisor import traps; sys.exit(not traps.seal())"
    return subprocess.run([sys.executable, "-c", asks], check=False).returncode == 0


#: Of a process that hides all pages are counted, those too that it shares.
_ROOMY = replace(LIMITS, memory=2 * LIMITS.memory)


def _program() -> Program:
    return Program("x", "by_hand(x)", {"x": torch.arange(6.0).reshape(2, 3)}, poison=("x.g",), reads=("x.g",))


def _job(name: str, before: str, source: str, autograd: bool = False) -> Job:
    check = Check("by_hand", 1, ("by_hand",), (_program(), _program()), autograd=autograd)
    return Job(name, (Cell(0, before), Cell(1, source)), (check,))


def _stub(name: str) -> str:
    return f"def by_hand(x):\n    {BODIES[name][0]}\n"


def _is_right(run: CaseRun) -> bool:
    captured = run.captures["x.g"].tensor if run.captures else None
    return captured is not None and torch.equal(captured, 2 * _program().tensors["x"])


@pytest.mark.parametrize("sandbox", WORKING)
def test_whoever_blinds_the_watch_runs_into_a_trap(laboratory: Laboratory, sandbox: str) -> None:
    names = [*BODIES] if sandbox == BEST else ["formula", "backward"]  # the places are the same in each
    executions = laboratory.run(sandbox, *(_job(name, BLIND, _stub(name)) for name in names))
    for name, execution in zip(names, executions, strict=True):
        for run in execution.checks["by_hand"]:
            if BODIES[name][1]:
                assert (run.autograd, _is_right(run)) == (ENGINE, False), (name, run)
            else:
                assert run.autograd is None, (name, run)
                assert _is_right(run), (name, run)


def test_no_check_that_allows_autograd_has_traps(laboratory: Laboratory) -> None:
    names = ["backward", "func", "script", "thread", "node", "early-level"]
    for execution in laboratory.run(BEST, *(_job(name, BLIND, _stub(name), autograd=True) for name in names)):
        assert all(_is_right(run) for run in execution.checks["by_hand"])


def _without(remove: str, restore: str) -> str:
    return _WITHOUT.replace("REMOVE", remove).replace("RESTORE", restore)


@pytest.mark.parametrize("sandbox", WORKING)
def test_whoever_gets_rid_of_the_traps_gets_nothing(laboratory: Laboratory, sandbox: str) -> None:
    (execution,) = laboratory.run(sandbox, _job("writes over", BLIND, _without("write(held)", "pass")))
    for run in execution.checks["by_hand"]:
        assert run.ended == "crashed" or run.autograd == TAMPERING
        assert not _is_right(run)


@pytest.mark.skipif(not _seals(), reason="Linux is older than 6.10")
@pytest.mark.parametrize("sandbox", WORKING)
def test_whoever_takes_the_traps_out_cannot_put_them_back_for_they_are_still_there(
    laboratory: Laboratory, sandbox: str
) -> None:
    ways = (_without("write(held)", "write(there)"), _without("forget()", "write(there)"))
    executions = laboratory.run(sandbox, *(_job("puts back", BLIND, way) for way in ways))
    for execution in executions:
        for run in execution.checks["by_hand"]:
            assert run.ended == "crashed" or run.autograd == ENGINE
            assert not _is_right(run)


@pytest.mark.skipif(not _seals(), reason="Linux is older than 6.10")
@pytest.mark.parametrize("sandbox", WORKING)
def test_whoever_has_calls_go_round_the_traps_is_stopped(laboratory: Laboratory, sandbox: str) -> None:
    slots = _slots().items()
    ways = [_REDIRECTS.format(place=traps.places().index(place), distance=slot - place) for place, slot in slots]
    assert ways
    for execution in laboratory.run(sandbox, *(_job("redirects", "", way) for way in ways)):
        assert [run.ended for run in execution.checks["by_hand"]] == ["crashed"] * 2


def _slots() -> dict[int, int]:
    """Each place that torch's own library calls by an address in a table, and where that address is."""
    start, end = traps.jumps(traps._library("libtorch_cpu.so"))
    table = list((ctypes.c_uint64 * ((end - start) // 8)).from_address(start))
    return {place: start + 8 * table.index(place) for place in traps.places() if place in table}


@pytest.mark.parametrize("sandbox", WORKING)
def test_a_check_that_may_not_be_looked_into_is_not_believed(laboratory: Laboratory, sandbox: str) -> None:
    hides = "import ctypes\nctypes.CDLL(None).prctl(4, 0, 0, 0, 0)  # PR_SET_DUMPABLE"
    (execution,) = laboratory.run(sandbox, _job("hides", hides, _stub("formula")), limits=_ROOMY)
    for run in execution.checks["by_hand"]:
        if os.geteuid() == 0:  # who may look into everything
            assert _is_right(run)
        else:
            assert (run.autograd, _is_right(run)) == (HIDING, False)


@pytest.mark.parametrize("sandbox", [name for name in WORKING if name != "none"])
def test_a_check_that_makes_a_process_is_noticed(laboratory: Laboratory, sandbox: str) -> None:
    (execution,) = laboratory.run(sandbox, _job("makes one", "", _MAKES_A_PROCESS))
    assert [run.autograd for run in execution.checks["by_hand"]] == [TAMPERING] * 2


#: A process that waits for traps at a function of libc, then calls it.
_CALLS = """
import ctypes
libc = ctypes.CDLL(None)
print(ctypes.cast(libc.getppid, ctypes.c_void_p).value, flush=True)
input()
libc.getppid()
print("came back")
"""


def test_a_trap_ends_the_process_with_its_status() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _CALLS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        place = int(child.stdout.readline())
        trap = traps.Traps(os.open(f"/proc/{child.pid}/mem", os.O_RDWR), (place,))
        assert not trap.hold()
        trap.set()
        assert trap.hold()
        printed, _ = child.communicate("\n", timeout=240)
        assert (child.returncode, printed) == (traps.STATUS, "")
        assert not trap.hold()  # there is no such memory any more
        trap.close()


def test_this_torch_has_every_place() -> None:
    assert len(traps.places()) >= len(traps._SYMBOLS) + 1
    assert {_library(place) for place in traps.places()} == {"libtorch_cpu.so", "libtorch_python.so"}


def _library(place: int) -> str:
    for line in Path("/proc/self/maps").read_text().splitlines():
        span, access, *_, path = line.split(maxsplit=5)
        low, high = (int(end, 16) for end in span.split("-"))
        if low <= place < high:
            assert "x" in access
            return Path(path).name
    raise AssertionError(place)


@pytest.mark.parametrize(
    ("machine", "text"),
    [
        ("x86_64", "b8e7000000bf6d0000000f05"),
        ("aarch64", "c80b8052a00d8052010000d4"),
        ("riscv64", ""),
    ],
)
def test_the_code_for_each_machine(machine: str, text: str) -> None:
    assert traps.code(machine).hex() == text


def test_only_the_status_of_a_trap_is_one() -> None:
    assert traps.ended(traps.STATUS << 8)
    assert not any(traps.ended(status) for status in (0, traps.STATUS, 1 << 8, 9))
