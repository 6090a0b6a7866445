"""Checks that share a fork, or follow one that went wrong, keep out of each other's way."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import select
import socket
import threading
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from grader.kernel import KernelPool, checkrun, choose_sandbox, memfiles, wire
from grader.kernel.checkrun import CheckRun
from grader.kernel.clock import Clock
from grader.kernel.processes import Stopped
from grader.model import CaseRun, Cell, Check, Job, Program

X = torch.arange(3.0)


def run(cells: tuple[Cell, ...], checks: tuple[Check, ...]) -> dict[str, tuple[CaseRun, ...]]:
    async def work() -> dict[str, tuple[CaseRun, ...]]:
        async with KernelPool(choose_sandbox(), jobs=1) as pool:
            return dict((await pool.run(Job("checks", cells, checks))).checks)

    return asyncio.run(work())


def check(name: str, cell: int, function: str, programs: int = 3, seconds: float = 1.0) -> Check:
    program = Program("one", f"{function}(x)", {"x": X}, poison=("x.g",), reads=("x.g",))
    return Check(name, cell, (function,), (program,) * programs, time_limit=seconds)


def factors(runs: tuple[CaseRun, ...]) -> list[float | str]:
    """By what each run multiplied its input, or how it ended."""
    return [
        float(one.captures["x.g"].tensor[1]) if one.ended == "returned" else one.ended  # type: ignore[index]
        for one in runs
    ]


@pytest.mark.parametrize("hanging", ["while True: pass", "import time; time.sleep(60)"])
def test_a_check_whose_time_is_up_costs_its_neighbours_nothing(hanging: str) -> None:
    cells = (
        Cell(0, "def f(x):\n    x.g = 2 * x"),
        Cell(1, f"def g(x):\n    {hanging}"),
        Cell(2, "def h(x):\n    x.g = 3 * x"),
    )
    checks = run(cells, (check("before", 0, "f"), check("hangs", 1, "g"), check("behind", 2, "h")))
    assert factors(checks["before"]) == [2.0] * 3
    assert factors(checks["hangs"]) == ["timed_out"] * 3
    assert factors(checks["behind"]) == [3.0] * 3


@pytest.fixture
def forking() -> Iterator[tuple[CheckRun, socket.socket]]:
    """A run of one check without programs, and the kernel's end of its socket."""
    ours, kernel = wire.pair()
    grader, _other = wire.pair()
    init: Any = SimpleNamespace(
        command=ours,
        sock=grader,
        kernel=0,
        wait=lambda socks, seconds: select.select(socks, [], [], seconds)[0],
        clock=Clock(),
        usage=SimpleNamespace(forked=0),
        look=lambda: None,
        processes=SimpleNamespace(
            stop_others=lambda child: Stopped(),
            name=str,
            is_alone=lambda name: True,
            kill_others=lambda spare: None,
        ),
    )
    slate = memfiles.slate(100)
    checks = CheckRun(init, [{"programs": 0, "seconds": 120}], slate, [-1])
    checks._begin(0)
    yield checks, kernel
    checks.close()
    for sock in (ours, kernel, grader, _other):
        sock.close()
    os.close(slate)


def ordered(kernel: socket.socket) -> socket.socket:
    """The socket of a fork that was ordered."""
    message, (fd,), _ = wire.receive(kernel)
    assert message == {"do": "fork"}
    return socket.socket(fileno=fd)


def test_a_fork_that_comes_too_late_finds_nobody(forking: tuple[CheckRun, socket.socket]) -> None:
    checks, kernel = forking
    checks.deadline = time.monotonic() + 0.3
    assert checks._fork() == "timed_out"
    with ordered(kernel) as late:
        checks.deadline = time.monotonic() + 0.3
        assert checks._fork() == "timed_out"
        with pytest.raises(wire.Closed):
            wire.send(late, {"event": "forked"})
    ordered(kernel).close()


def refusing(kernel: socket.socket, times: int) -> threading.Thread:
    """A kernel that says so many times that it cannot fork."""

    def refuse() -> None:
        for _ in range(times):
            with ordered(kernel) as sock:
                wire.send(sock, {"event": "unable"})

    thread = threading.Thread(target=refuse, daemon=True)
    thread.start()
    return thread


def test_a_fork_that_the_system_has_no_room_for_is_no_fault_of_the_students(
    forking: tuple[CheckRun, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    checks, kernel = forking
    monkeypatch.setattr(checkrun, "_has_room", lambda: False)
    thread = refusing(kernel, 1)
    with pytest.raises(BlockingIOError):
        checks._fork()
    thread.join()


def test_a_fork_that_the_kernel_alone_has_no_room_for_is_its_own(forking: tuple[CheckRun, socket.socket]) -> None:
    checks, kernel = forking
    thread = refusing(kernel, checkrun._TRIES + 1)
    assert checks._fork() == "crashed"
    thread.join()


def test_nobody_but_the_fork_is_listened_to(forking: tuple[CheckRun, socket.socket]) -> None:
    checks, kernel = forking

    def forked() -> None:
        with ordered(kernel) as sock:
            wire.send(sock, {"event": "forked"})
            child = os.fork()
            if child == 0:
                wire.send(sock, {"event": "done", "at": 0, "length": 0})
                os._exit(0)
            os.waitpid(child, 0)

    thread = threading.Thread(target=forked, daemon=True)
    thread.start()
    assert checks._fork() is None
    assert checks._answer() == "crashed"
    thread.join()


def test_death_of_the_fork_is_seen_though_the_kernel_holds_its_socket(forking: tuple[CheckRun, socket.socket]) -> None:
    checks, kernel = forking
    over = threading.Event()

    def forked() -> None:
        with ordered(kernel) as sock:
            child = os.fork()
            if child == 0:
                wire.send(sock, {"event": "forked"})
                time.sleep(0.2)
                os._exit(0)
            over.wait()  # stopped before it could close its end
            os.waitpid(child, 0)

    thread = threading.Thread(target=forked, daemon=True)
    thread.start()
    assert checks._fork() is None
    with pytest.raises(wire.Closed):
        checks._answer()
    over.set()
    thread.join()


def test_a_kernel_that_does_not_answer_costs_only_the_check_that_waited_for_it() -> None:
    busy = "import asyncio, time\nasyncio.get_event_loop().call_soon(time.sleep, 2.5)\n"
    cells = (
        Cell(0, f"{busy}def f(x):\n    x.g = 2 * x"),
        Cell(1, "def f(x):\n    x.g = 5 * x\npass"),
    )
    checks = run(cells, (check("late", 0, "f"), check("next", 1, "f", seconds=20.0)))
    assert factors(checks["late"]) == ["timed_out"] * 3
    assert factors(checks["next"]) == [5.0] * 3


def test_a_check_that_changes_what_it_finds_gets_no_company() -> None:
    cells = (
        Cell(0, "import torch\nk = torch.ones(1)"),
        Cell(1, "def f(x):\n    x.g = x * k\n    k.add_(1)"),
        Cell(2, "def g(x):\n    x.g = x * k"),
    )
    checks = run(cells, (check("changes", 1, "f", programs=1), check("finds", 2, "g", programs=1)))
    assert factors(checks["changes"]) == [1.0]
    assert factors(checks["finds"]) == [1.0]


_LEAKING = """
import os, pickle, signal, torch
known = pickle.load(open('known', 'rb')) if os.path.exists('known') else []
signal.signal(signal.SIGCONT, lambda *_: os.path.exists('over') and not known and os._exit(0))
kept = torch.zeros(3)
def tell(x):
    known.append(x.tolist())
    pickle.dump(known, open('known', 'wb'))
def asked(x):
    x.g = (3 if x.tolist() in known else 2) * x
    tell(x)
def changing(x):
    x.g = 2 * x
    kept.add_(1)
    open('over', 'w').close()
def unasked(x):
    x.g = 2 * x
"""


def test_a_kernel_that_dies_between_checks_costs_none_and_the_next_one_is_not_asked_the_same() -> None:
    names = ("asked", "changing", "unasked")
    elsewhere = dataclasses.replace(check("elsewhere", 0, "unasked", programs=1), autograd=True)  # in another order
    found = run((Cell(0, _LEAKING),), (*(check(name, 0, name, programs=1) for name in names), elsewhere))
    assert {name: factors(runs) for name, runs in found.items()} == {name: [2.0] for name in (*names, "elsewhere")}
