"""The zygote: one process a run that has imported everything a notebook needs and forks a job on request.

It runs inside the sandbox, never runs student code, and stays single-threaded: a fork of it costs milliseconds where a
cold kernel costs seconds. Started by ``grader.kernel.sandbox``; speaks ``grader.kernel.wire`` with the pool.
"""

from __future__ import annotations

import contextlib
import gc
import os
import select
import signal
import socket
import sys
from collections.abc import Iterator
from typing import Any

from grader.kernel import confine, hugepages, jobinit, warmth, wire


def serve(fd: int) -> None:
    """Import, warm, report ready, then fork a job for each message until the pool closes its end."""
    sock = socket.socket(fileno=fd)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(OSError):
        confine.die_with_parent(signal.SIGKILL)
    gc.disable()  # while importing, collections find nothing and take a tenth of the time
    warm()
    gc.enable()
    import torch

    from grader.kernel import program

    wire.send(sock, {"event": "ready", "torch": torch.__version__, "python": sys.version.split()[0]})
    settling = hugepages.collapsed()
    jobs: set[int] = set()
    while True:
        _settle(settling, sock)
        try:
            message, fds, _ = wire.receive(sock)
        except wire.Closed:
            _end(jobs)
            return
        if warmth.bring(message["warm"]):
            settling = hugepages.collapsed()
        program.compile_ahead(message.pop("texts"))
        job = jobinit.fork(message)
        if job == 0:
            sock.close()
            _become_job(message, fds)
        jobs.add(job)
        for received in fds:
            os.close(received)
        _reap(jobs)


def _settle(steps: Iterator[None], sock: socket.socket) -> None:
    """Take ``steps`` while nobody wants anything."""
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    while not poll.poll(0):
        if next(steps, "over") == "over":
            return


def _reap(jobs: set[int]) -> None:
    """Collect those of ``jobs`` that have ended."""
    with contextlib.suppress(ChildProcessError):
        while pid := os.waitpid(-1, os.WNOHANG)[0]:
            jobs.discard(pid)


def _end(jobs: set[int]) -> None:
    """Have the ``jobs`` that still run kill all that they started, and wait for that."""
    _reap(jobs)
    for pid in jobs:
        os.kill(pid, signal.SIGTERM)
    for pid in jobs:
        os.waitpid(pid, 0)


def _become_job(message: dict[str, Any], fds: list[int]) -> None:
    """Turn a fresh fork into a job's init; never returns."""
    status = 1
    try:
        jobinit.run(socket.socket(fileno=fds[0]), message)
        status = 0
    finally:
        os._exit(status)


def warm() -> None:
    """Import what every notebook uses and run once what is slow the first time."""
    sys.modules["debugpy"] = None  # type: ignore[assignment] # nobody debugs here, and loading it takes 0.1 s
    import ipykernel.debugger

    del sys.modules["debugpy"]
    import encodings.ascii  # like the others, what an init or a kernel would import as it starts
    import faulthandler
    import resource

    import IPython.core.logger
    import tornado.platform.asyncio

    from grader.kernel import checkrun, guest, harness, landlock, seccomp

    del checkrun, harness, landlock, ipykernel, IPython, tornado, encodings, faulthandler, resource
    seccomp.prepare()
    guest.prepare(os.environ["HOME"])
    warmth.bring(["basics"])


def main() -> None:
    """``python -I -c BOOT fd``: the last argument is the descriptor of the pool's socket."""
    serve(int(sys.argv[-1]))
    os._exit(0)  # the interpreter's own way out takes a second with torch in it
