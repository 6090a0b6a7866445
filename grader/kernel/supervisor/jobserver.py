"""The process that forks an init for each job (``jobinit``): what ``grader.kernel.host.sandbox`` starts.

In bwrap it is a small one, with the zygote beside it: a job's namespaces hold its init and its kernel together, so that
the two need not descend from one another, and an init that is no fork of the zygote costs a third. Elsewhere a kernel
has to descend from its init, which adopts whatever it leaves behind, and this process is the zygote itself.
It speaks ``grader.kernel.protocol.wire`` with the pool.
"""

from __future__ import annotations

import contextlib
import gc
import os
import select
import signal
import socket
import sys
import traceback
from typing import TYPE_CHECKING, cast

from grader.kernel.confinement import confine
from grader.kernel.protocol import wire
from grader.kernel.supervisor import jobinit, zygote

if TYPE_CHECKING:
    from grader.kernel.protocol.messages import JobSpec


class JobServer:
    """Forks an init for each message of the pool's. ``orders`` leads to the zygote, where that is another process."""

    def __init__(self, pool: socket.socket, orders: socket.socket | None = None) -> None:
        self.pool = pool
        self.orders = orders
        self.jobs: set[int] = set()

    def fork(self, job: JobSpec, fds: list[int]) -> None:
        """Fork the init of ``job``, whose socket to the grader is in ``fds``.

        Where the system has no room for it that job is lost, which its socket tells, and no other.
        """
        try:
            pid = jobinit.fork(job)
        except OSError:
            traceback.print_exc()
        else:
            if pid == 0:
                self._become_init(job, fds)
            self.jobs.add(pid)
        wire.close_all(fds)
        self._reap()

    def _become_init(self, job: JobSpec, fds: list[int]) -> None:
        """Turn a fresh fork into a job's init; never returns."""
        status = 1
        try:
            self.pool.close()
            jobinit.run(socket.socket(fileno=fds[0]), job, self.orders)
            status = 0
        except Exception:
            traceback.print_exc()  # into the log of the sandbox
        finally:
            os._exit(status)

    def _reap(self) -> None:
        """Collect those of the inits that have ended."""
        with contextlib.suppress(ChildProcessError):
            while pid := os.waitpid(-1, os.WNOHANG)[0]:
                self.jobs.discard(pid)

    def end(self) -> None:
        """End the inits that are left with all that they started, and wait for that."""
        self._reap()
        # In namespaces of its own, what an init started ends with it; elsewhere it does that itself.
        order = signal.SIGTERM if self.orders is None else signal.SIGKILL
        for pid in self.jobs:
            os.kill(pid, order)
        for pid in self.jobs:
            os.waitpid(pid, 0)


def serve_with_zygote(pool: socket.socket) -> None:
    """Serve until the pool closes its end or the zygote is gone; the PID namespace of the sandbox ends with this."""
    pid, ready, orders = _fork_zygote(pool)
    gc.freeze()
    server = JobServer(pool, orders)
    poll = select.poll()
    for sock in (pool, ready):
        poll.register(sock, select.POLLIN)
    with contextlib.suppress(wire.Closed):
        while True:
            awake = {fd for fd, _ in poll.poll()}
            if ready.fileno() in awake:
                wire.send(pool, wire.receive(ready)[0])
            if pool.fileno() in awake:
                job, fds, _ = wire.receive(pool)
                server.fork(cast("JobSpec", job), fds)
    server.end()
    orders.close()  # the last way to the zygote
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)


def _fork_zygote(pool: socket.socket) -> tuple[int, socket.socket, socket.socket]:
    """Fork the zygote: its process id, the socket on which it says that it is ready, and the one that takes orders."""
    home = _idle(pool)
    ready, theirs = wire.pair()
    orders, received = wire.pair()
    pid = os.fork()
    if pid == 0:
        try:
            for sock in (pool, ready, orders):
                sock.close()
            zygote.serve(theirs, received, jobinit.SPACES, home)
        except Exception:
            traceback.print_exc()
        finally:
            os._exit(1)
    for fd in (theirs.detach(), received.detach(), home):
        os.close(fd)
    return pid, ready, orders


def _idle(pool: socket.socket) -> int:
    """A descriptor of a process that does nothing in a PID namespace of its own, as long as this process lives."""
    ours, theirs = wire.pair()
    if confine.fork_apart(confine.CLONE_NEWPID) == 0:
        try:
            for sock in (pool, ours):
                sock.close()
            wire.send(theirs, {}, [os.pidfd_open(os.getpid())])
            theirs.close()
            while True:
                signal.pause()
        finally:
            os._exit(1)
    with ours:
        theirs.close()
        return wire.receive(ours)[1].pop()


def serve_as_zygote(pool: socket.socket) -> None:
    """Come up as the zygote, then serve until the pool closes its end."""
    zygote.warm()
    wire.send(pool, {"event": "ready"})
    server = JobServer(pool)
    preparation = zygote.Preparation()
    poll = select.poll()
    poll.register(pool, select.POLLIN)
    while True:
        preparation.settle(poll)
        try:
            message, fds, _ = wire.receive(pool)
        except wire.Closed:
            server.end()
            return
        job = cast("JobSpec", message)
        preparation.prepare(job)
        server.fork(job, fds)


def main() -> None:
    """``python -c BOOT … sandbox fd``: the last argument is the descriptor of the pool's socket."""
    sandbox, fd = sys.argv[-2:]
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(OSError):
        confine.die_with_parent(signal.SIGKILL)
    serve = serve_with_zygote if sandbox == "bwrap" else serve_as_zygote
    serve(socket.socket(fileno=int(fd)))
    os._exit(0)  # the interpreter's own way out takes a second with torch in it
