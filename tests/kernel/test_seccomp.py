"""The filter of system calls: its numbers, and what a process under it can still do."""

from __future__ import annotations

import os
import re
import select
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from grader.kernel import seccomp

HEADERS = {
    "x86_64": (Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"), 0),
    "aarch64": (Path("/usr/include/asm-generic/unistd.h"), 1),
}


@pytest.mark.parametrize("machine", HEADERS)
def test_numbers_are_those_of_the_headers(machine: str) -> None:
    header, column = HEADERS[machine]
    if not header.exists():
        pytest.skip(f"{header} is not installed")
    known = {name: int(number) for name, number in re.findall(r"#define __NR_(\w+)\s+(\d+)", header.read_text())}
    for name, numbers in seccomp.NUMBERS.items():
        if name in known:  # the newest calls are missing from older headers
            assert numbers[column] == known[name], name


_PROGRAM = """
import os, socket, sys, threading
from grader.kernel import confine, seccomp
confine.drop_privileges()
gate = seccomp.install({processes!r})
if gate is not None:
    socket.send_fds(socket.socket(fileno={fd}), [b"gate"], [gate])
def ok(do):
    try:
        do()
        return "ok"
    except OSError as error:
        return str(error.errno)
def fork():
    if os.fork() == 0:
        os._exit(0)
    os.wait()
def thread():
    t = threading.Thread(target=int); t.start(); t.join()
print(ok(fork), ok(thread), ok(lambda: os.posix_spawn("/bin/true", ["true"], {{}})),
      ok(lambda: socket.socketpair()), ok(lambda: socket.socket()), ok(lambda: os.memfd_create("x")))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux only")
@pytest.mark.parametrize(("processes", "expected"), [("asked", "ok ok ok ok 97 1"), ("refused", "1 ok 1 ok 97 1")])
def test_filter_refuses_what_it_names_and_lets_through_what_is_answered(processes: str, expected: str) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        code = _PROGRAM.format(processes=processes, fd=theirs.fileno())
        child = subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, pass_fds=[theirs.fileno()]
        )
        if processes == "asked":
            (gate,) = socket.recv_fds(ours, 4, 1)[1]
            while child.poll() is None:
                if select.select([gate], [], [], 0.05)[0]:
                    seccomp.let_through(gate)
            os.close(gate)
        printed, _ = child.communicate(timeout=60)
    assert printed.split() == expected.split()
