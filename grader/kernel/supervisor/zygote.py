"""The zygote: one process a run that has imported everything a notebook needs, from which the kernels are forked.

It runs inside the sandbox, never runs student code, and stays single-threaded: a fork of it costs milliseconds where a
cold kernel costs seconds. Where a job has namespaces of its own, ``serve`` forks its kernels right into them, on the
order of the job's init (``jobinit``); elsewhere the init is a fork of this process, and forks its kernels itself.
"""

from __future__ import annotations

import contextlib
import gc
import itertools
import os
import select
import signal
import socket
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from grader import torch_import
from grader.kernel.confinement import confine
from grader.kernel.protocol import wire
from grader.kernel.supervisor import hugepages, traps

if TYPE_CHECKING:
    from grader.kernel.protocol.messages import JobSpec


def warm() -> None:
    """Import what every notebook uses, and run once what is slow the first time."""
    gc.disable()  # while importing, collections find nothing and take a tenth of the time
    sys.modules["debugpy"] = None  # type: ignore[assignment] # nobody debugs here, and loading it takes 0.1 s
    import ipykernel.debugger

    del sys.modules["debugpy"]
    torch_import.postpone_shapes()
    import encodings.ascii  # like the others, what an init or a kernel would import as it starts
    import faulthandler
    import resource

    import IPython.core.logger
    import torch
    import tornado.platform.asyncio

    from grader.kernel import warmth
    from grader.kernel.confinement import landlock, seccomp
    from grader.kernel.guest import guest, harness

    del harness, ipykernel, IPython, tornado, torch, encodings, faulthandler, resource
    landlock.prepare()
    seccomp.prepare()
    traps.seal()
    guest.prepare(os.environ["HOME"])
    warmth.warm_up(["basics"])
    gc.enable()


class Preparation:
    """Prepares this process for forking kernels: at once by what a job needs, by and by so that forks are cheap."""

    def __init__(self) -> None:
        self._settling = hugepages.collapsed()

    def settle(self, poll: select.poll) -> None:
        """Go on while nothing that ``poll`` looks at is ready."""
        while not poll.poll(0):
            if next(self._settling, "over") == "over":
                return

    def prepare(self, job: JobSpec) -> None:
        """Import what ``job`` needs beyond the basics, compile what its checks will run, note what is mapped then."""
        from grader.kernel import warmth
        from grader.kernel.check import program

        if warmth.warm_up(job["warm"]):
            self._settling = hugepages.collapsed()
        program.compile_ahead(job.pop("texts", []))
        job["mapped"] = confine.private_memory()


@dataclass(frozen=True, slots=True)
class ForkedKernel:
    """A kernel that the zygote forked for an init.

    ``name`` is its number in the zygote's ``/proc``; over ``end`` comes its wait status when it has ended; ``traps``
    are the places for them in its machine code (``traps.places``).
    """

    name: str
    end: socket.socket
    traps: tuple[int, ...]


def request_kernel(zygote: socket.socket, job: JobSpec, command: socket.socket, fds: list[int]) -> ForkedKernel:
    """In a job's init: have the ``zygote`` fork a kernel into this process's namespaces, on ``fds`` and ``command``.

    Raises ``OSError`` when the system has no room for it, ``wire.Closed`` when there is no zygote any more.
    """
    ours, theirs = wire.pair()
    me = os.pidfd_open(os.getpid())
    try:
        with theirs:
            wire.send(zygote, job, [me, theirs.fileno(), command.fileno(), *fds])
        answer = wire.receive(ours)[0]
    except BaseException:
        ours.close()
        raise
    finally:
        os.close(me)
    if "kernel" not in answer:
        ours.close()
        raise OSError(str(answer.get("failed")))
    return ForkedKernel(str(answer["kernel"]), ours, tuple(answer["traps"]))


class _Forks:
    """Forks kernels into the namespaces of inits, and tells each init of its kernel's end.

    What else this process may start is in the PID namespace of ``home``, a process descriptor.
    """

    def __init__(self, orders: socket.socket, spaces: int, home: int) -> None:
        self.orders = orders
        self.spaces = spaces
        self.home = home
        self.kernels: dict[int, tuple[int, socket.socket]] = {}  # by the descriptor that tells of the end
        self.preparation = Preparation()

    def serve(self) -> None:
        """Fork a kernel for each order, and tell of each that ends, until no init and no job server is left."""
        while True:
            poll = select.poll()
            for fd in (self.orders.fileno(), *self.kernels):
                poll.register(fd, select.POLLIN)
            self.preparation.settle(poll)
            ready = {fd for fd, _ in poll.poll()}
            for fd in ready & set(self.kernels):
                self._tell(fd)
            if self.orders.fileno() in ready:
                try:
                    job, fds, _ = wire.receive(self.orders)
                except wire.Closed:
                    return
                self._fork(cast("JobSpec", job), fds)

    def _tell(self, fd: int) -> None:
        """Collect the kernel that ended, and tell its init how."""
        pid, link = self.kernels.pop(fd)
        os.close(fd)
        status = os.waitpid(pid, 0)[1]
        with link, contextlib.suppress(wire.Closed):  # an init that is gone asks no more
            wire.send(link, {"status": status})

    def _fork(self, job: JobSpec, fds: list[int]) -> None:
        init, *fds = fds
        link = socket.socket(fileno=fds.pop(0))
        self.preparation.prepare(job)
        try:
            pid = confine.fork_into(init, self.spaces, self.home)
        except OSError as error:
            with link, contextlib.suppress(wire.Closed):
                wire.send(link, {"failed": str(error)})
        else:
            if pid == 0:
                try:
                    _close_all_but(fds)
                    become_kernel(job, socket.socket(fileno=fds[0]), fds[1:])
                finally:
                    os._exit(1)
            self.kernels[os.pidfd_open(pid)] = pid, link
            with contextlib.suppress(wire.Closed):
                wire.send(link, {"kernel": pid, "traps": traps.places()})
        for fd in (init, *fds):
            os.close(fd)


def _close_all_but(fds: list[int]) -> None:
    """Close every other descriptor but the standard streams: a kernel is to reach neither the zygote nor its inits."""
    kept = [2, *sorted(fds), os.sysconf("SC_OPEN_MAX")]
    for low, high in itertools.pairwise(kept):
        os.closerange(low + 1, high)


def become_kernel(job: JobSpec, command: socket.socket, fds: list[int]) -> None:
    """Be the kernel of a job in this fresh fork of the zygote, until it is killed; never returns."""
    status = 1
    try:
        from grader.kernel.guest import guest

        guest.run(job, command, fds)
        status = 0
    finally:
        os._exit(status)


def serve(ready: socket.socket, orders: socket.socket, spaces: int, home: int) -> None:
    """Be a zygote beside the job server: come up, say so over ``ready``, then fork kernels for the inits' ``orders``.

    ``spaces`` are the namespaces that a kernel shares with its init, ``home`` a process descriptor (``_Forks``).
    """
    with contextlib.suppress(OSError):
        confine.die_with_parent(signal.SIGKILL)
    warm()
    wire.send(ready, {"event": "ready"})
    _Forks(orders, spaces, home).serve()
