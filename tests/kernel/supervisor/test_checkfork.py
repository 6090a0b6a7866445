"""A fork for checks is heard alone, and what keeps it from coming is told apart."""

from __future__ import annotations

import os
import select
import socket
import threading
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from grader.kernel.clock import Clock
from grader.kernel.protocol import wire
from grader.kernel.supervisor import checkfork
from grader.kernel.supervisor.checkfork import CheckFork, LiveKernel
from grader.kernel.supervisor.processes import Stopped


@pytest.fixture
def forking() -> Iterator[tuple[CheckFork, socket.socket]]:
    """A fork for checks before it begins, and the kernel's end of the socket for orders."""
    ours, kernel = wire.pair()
    grader, _other = wire.pair()
    watch: Any = SimpleNamespace(
        sock=grader,
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
    fork = CheckFork(watch, LiveKernel(0, "0", ours, "", ()))
    fork.deadline = watch.clock.now() + 0.3
    yield fork, kernel
    fork.close()
    for sock in (ours, kernel, grader, _other):
        sock.close()


def ordered(kernel: socket.socket) -> socket.socket:
    """The socket of a fork that was ordered."""
    message, (fd,), _ = wire.receive(kernel)
    assert message == {"do": "fork"}
    return socket.socket(fileno=fd)


def test_a_fork_that_comes_too_late_finds_nobody(forking: tuple[CheckFork, socket.socket]) -> None:
    fork, kernel = forking
    assert fork.begin() == "timed_out"
    with ordered(kernel) as late:
        fork.deadline = time.monotonic() + 0.3
        assert fork.begin() == "timed_out"
        with pytest.raises(wire.Closed):
            wire.send(late, {"event": "forked"})
    ordered(kernel).close()


def refusing(kernel: socket.socket, times: int) -> threading.Thread:
    """A kernel that says so many times that it cannot fork."""

    def refuse() -> None:
        for _ in range(times):
            with ordered(kernel) as sock:
                wire.send(sock, {"event": "unable"})

    thread = threading.Thread(target=refuse)
    thread.start()
    return thread


def test_a_fork_that_the_system_has_no_room_for_is_no_fault_of_the_students(
    forking: tuple[CheckFork, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    fork, kernel = forking
    monkeypatch.setattr(checkfork, "_has_room", lambda: False)
    thread = refusing(kernel, 1)
    with pytest.raises(BlockingIOError):
        fork.begin()
    thread.join()


def test_a_fork_that_the_kernel_alone_has_no_room_for_is_its_own(forking: tuple[CheckFork, socket.socket]) -> None:
    fork, kernel = forking
    fork.deadline = time.monotonic() + 120
    thread = refusing(kernel, checkfork._TRIES + 1)
    assert fork.begin() == "crashed"
    thread.join()


def test_nobody_but_the_fork_is_listened_to(forking: tuple[CheckFork, socket.socket]) -> None:
    fork, kernel = forking
    fork.deadline = time.monotonic() + 120

    def forked() -> None:
        with ordered(kernel) as sock:
            wire.send(sock, {"event": "forked"})
            child = os.fork()
            if child == 0:
                wire.send(sock, {"event": "done", "at": 0, "length": 0})
                os._exit(0)
            os.waitpid(child, 0)

    thread = threading.Thread(target=forked)
    thread.start()
    assert fork.begin() is None
    assert fork.answer() == "crashed"
    thread.join()


def test_death_of_the_fork_is_seen_though_the_kernel_holds_its_socket(forking: tuple[CheckFork, socket.socket]) -> None:
    fork, kernel = forking
    fork.deadline = time.monotonic() + 120
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

    thread = threading.Thread(target=forked)
    thread.start()
    assert fork.begin() is None
    with pytest.raises(wire.Closed):
        fork.answer()
    over.set()
    thread.join()


@pytest.mark.parametrize("answers", [True, False], ids=["answer", "death"])
def test_what_came_in_time_wins_over_the_clock_however_late_it_is_looked_at(
    forking: tuple[CheckFork, socket.socket], answers: bool
) -> None:
    fork, kernel = forking
    fork.deadline = time.monotonic() + 120
    dead, over = threading.Event(), threading.Event()

    def forked() -> None:
        with ordered(kernel) as sock:
            child = os.fork()
            if child == 0:
                wire.send(sock, {"event": "forked"})
                if answers:
                    wire.send(sock, {"event": "done"})
                os._exit(0)
            os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
            dead.set()
            over.wait()
            os.waitpid(child, 0)

    thread = threading.Thread(target=forked)
    thread.start()
    assert fork.begin() is None
    dead.wait()
    fork.deadline = time.monotonic() - 1
    if answers:
        assert fork.answer() == {"event": "done"}
    with pytest.raises(wire.Closed):
        fork.answer()
    over.set()
    thread.join()
