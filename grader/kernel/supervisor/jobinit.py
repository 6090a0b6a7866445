"""The init of a job: the trusted process above a submission's kernel, one for each submission.

Forked from the job server, it puts up the job folder, gets a kernel, counts what the job's processes use, stops them
all while a check runs, hands each check its inputs, and kills everything when the grader closes its end of the socket.
In bwrap it is process 1 of a PID namespace of the job's own, so nothing can outlive it, and the zygote forks the kernel
into that; elsewhere it is a fork of the zygote, and the kernel is one of it. It believes nothing that the kernel or a
check says beyond "I am done", and that only costs them.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
from pathlib import Path
from typing import TYPE_CHECKING, cast

from grader.kernel.confinement import confine
from grader.kernel.deaths import how_it_ended
from grader.kernel.protocol import wire
from grader.kernel.protocol.proof import new_secret
from grader.kernel.removal import empty, remove
from grader.kernel.supervisor import mounts, traps
from grader.kernel.supervisor import zygote as zygotes
from grader.kernel.supervisor.checkfork import LiveKernel
from grader.kernel.supervisor.checkrun import CheckRun
from grader.kernel.supervisor.jobwatch import TICK_S, Watch

if TYPE_CHECKING:
    from grader.kernel.protocol.messages import CheckSpec, FileOrder, JobSpec, Order

#: Seconds of a job's time for its kernel to fork once, which takes milliseconds.
_FORK_S = 5.0
#: The namespaces that a job has of its own in bwrap.
SPACES = confine.CLONE_NEWPID | confine.CLONE_NEWIPC | confine.CLONE_NEWNS | confine.CLONE_NEWNET


def run(sock: socket.socket, message: JobSpec, zygote: socket.socket | None) -> None:
    """Be the init of the job that ``message`` describes until ``sock`` closes; the caller ends the process.

    ``zygote`` leads to it, where this process is no fork of it.
    """
    if message["sandbox"] == "bwrap":
        mounts.put_private_files(message)
        mounts.cover(message["hidden"])
    else:
        confine.adopt_orphans()
        confine.die_with_parent(signal.SIGTERM)
    init = JobInit(sock, message, zygote)
    if message["sandbox"] == "bwrap":
        mounts.hide_processes()  # and no signal has a handler: what has none the job cannot send to process 1
    else:
        signal.signal(signal.SIGTERM, lambda *_: init.end())
    try:
        init.serve()
    except wire.Closed:
        pass
    finally:
        init.close()


def fork(message: JobSpec) -> int:
    """``os.fork()`` for the init of the job that ``message`` describes, in namespaces of its own where it may."""
    return confine.fork_apart(SPACES) if message["sandbox"] == "bwrap" else os.fork()


class JobInit:
    """One job: its socket to the grader, its folder, its kernel, and the check that runs, if any."""

    def __init__(self, sock: socket.socket, message: JobSpec, zygote: socket.socket | None) -> None:
        self.sock = sock
        self.message = message
        self.zygote = zygote
        self.folder = Path(message["folder"])
        self.watch = Watch(sock, message)
        self.processes = self.watch.processes
        self.kernel = 0
        self.end_of_kernel: socket.socket | None = None  # over which the zygote tells of it
        self.command: socket.socket | None = None
        self.secret = ""  # that the kernel's harness and this process share
        self.traps: tuple[int, ...] = ()  # where a check's are put, if this process may
        self.up = False
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    # ------------------------------------------------------------------------------------------- loop

    def serve(self) -> None:
        """Do what the grader asks and report what happens, until it closes the socket (``wire.Closed``)."""
        while True:
            socks = (self.sock, self.command, self.end_of_kernel)
            ready = self.watch.wait([sock for sock in socks if sock is not None], TICK_S)
            if self.command in ready:
                self._hear_kernel()
            self._reap()
            self._keep_limits()
            if self.sock in ready:
                message, fds, _ = wire.receive(self.sock)
                try:
                    self._obey(cast("Order", message), fds)
                finally:
                    wire.close_all(fds)

    def _keep_limits(self) -> None:
        """Kill the kernel when the job is over a limit."""
        if self.kernel and (over := self.watch.look()):
            self.watch.kill(over)

    @property
    def kernel_name(self) -> str:
        """The kernel's name in ``/proc``."""
        return next(iter(self.processes.kernel), str(self.kernel))

    def _hear_kernel(self) -> None:
        """A message from the kernel's harness: ready, or nothing worth believing."""
        assert self.command is not None
        try:
            message, fds, _ = wire.receive(self.command)
        except wire.Closed:
            self.command.close()
            self.command = None
            return
        if message.get("event") == "gate" and not self.up and len(fds) == 1:
            self.watch.open_gate(fds.pop())
        wire.close_all(fds)
        if message.get("event") in ("ready", "failed") and not self.up:
            self.up = True
            if not self.processes.has_open_memory(self.kernel_name):  # which no notebook can have closed yet
                self.traps = ()
            self.watch.tell({"event": message["event"], "text": str(message.get("text", ""))[:2000]})

    def _reap(self) -> None:
        """Collect the dead; report the kernel's death, having killed what it left behind."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if pid == 0:
                break
            if pid == self.kernel:
                self._kernel_died(status)
        if self.end_of_kernel is not None and self.watch.wait([self.end_of_kernel], 0):
            told = wire.receive(self.end_of_kernel)[0]
            self.end_of_kernel.close()
            self.end_of_kernel = None
            self._kernel_died(told["status"])

    def _kernel_died(self, status: int) -> None:
        self.kernel = 0
        self.processes.kernel = []
        self.watch.close_gate()
        self.processes.kill_all()  # who is left holds the other end, and could keep it full
        while self.command is not None and self.watch.wait([self.command], 0):
            self._hear_kernel()
        if self.command is not None:
            self.command.close()
            self.command = None
        self.watch.tell({"event": "died", "how": how_it_ended(status), "limit": self.watch.over})
        self.watch.over = None

    # ----------------------------------------------------------------------------------------- orders

    def _obey(self, order: Order, fds: list[int]) -> None:
        if order["do"] == "file":
            self._copy(order, fds[0])
        elif order["do"] == "kernel":
            self._make_kernel(fds)
        elif order["do"] == "interrupt":
            self._interrupt()
        elif order["do"] == "kill":
            self.watch.kill(order["why"])
        elif order["do"] == "empty":
            self._empty()
        elif order["do"] == "look":
            self._look_now()
            if not self._forks():
                self.watch.kill("hung")
            if self.kernel and self.watch.over is None:  # else its death was told, or will be
                self.watch.tell({"event": "looked"})
        elif order["do"] == "check":
            self._look_now()  # else the first check would pay for what the cells before it took
            self._check(order["checks"], fds)

    def _look_now(self) -> None:
        self.watch.hurry()
        self._keep_limits()

    def _forks(self) -> bool:
        """Whether the kernel forks, as for a check, which it may die of as well; the child finds nobody, and ends."""
        if self.command is None:
            return True
        ours, theirs = wire.pair()
        with ours, contextlib.suppress(wire.Closed):
            with theirs:
                wire.send(self.command, {"do": "fork"}, [theirs.fileno()])
            deadline = self.watch.clock.now() + _FORK_S
            while not self.watch.wait([ours], TICK_S):
                self._keep_limits()
                if self.watch.clock.now() > deadline:
                    return False
        return True

    def _empty(self) -> None:
        """Leave nothing of what a kernel wrote that is dead."""
        for folder in (str(self.folder), *mounts.SHARED * (self.watch.sandbox == "bwrap")):
            empty(folder)
        self.folder.mkdir(mode=0o700, exist_ok=True)

    def _copy(self, order: FileOrder, fd: int) -> None:
        """Copy one file into the job folder; its path was checked by the grader, which is told where that fails."""
        target = self.folder / order["path"]
        try:
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with open(fd, "rb", closefd=False) as source, open(target, "wb") as copy:
                shutil.copyfileobj(source, copy)
            target.chmod(0o700 if order["executable"] else 0o600)
        except OSError as error:
            self.watch.tell({"event": "uncopied", "path": order["path"], "errno": error.errno or 0})

    def _make_kernel(self, fds: list[int]) -> None:
        """Have a kernel that listens on the two sockets in ``fds`` (shell, iopub)."""
        ours, theirs = wire.pair()
        self.up = False
        self.secret = new_secret()
        wire.send(ours, {"secret": self.secret})
        with theirs:
            if self.zygote is None:
                self.traps = traps.places()
                self.kernel = self._fork_kernel(ours, theirs, fds)
            else:
                forked = zygotes.request_kernel(self.zygote, self.message, theirs, fds)
                self.end_of_kernel, self.traps = forked.end, forked.traps
                self.processes.kernel = [forked.name]
                self.kernel = self.processes.pid(forked.name)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self.command = ours
        self.watch.begin()

    def _fork_kernel(self, ours: socket.socket, command: socket.socket, fds: list[int]) -> int:
        """Fork a kernel from this process, which is a fork of the zygote."""
        pid = os.fork()
        if pid == 0:
            try:
                confine.die_with_parent(signal.SIGKILL)
                signal.signal(signal.SIGTERM, signal.SIG_DFL)
                ours.close()  # else the kernel would not see this process end
                self.sock.close()
                self.watch.close_gate()
                self.processes.close()
                zygotes.become_kernel(self.message, command, fds)
            finally:
                os._exit(1)
        return pid

    def _interrupt(self) -> None:
        if self.kernel:
            with contextlib.suppress(ProcessLookupError):  # the zygote may have collected it before it tells
                os.kill(self.kernel, signal.SIGINT)

    def _check(self, checks: list[CheckSpec], fds: list[int]) -> None:
        """Run checks; ``fds`` are the result file, and for each its cell's source and one memory file a program."""
        kernel = LiveKernel(self.kernel, self.kernel_name, self.command, self.secret, self.traps)
        run = CheckRun(self.watch, kernel, checks, fds[0], fds[1:])
        try:
            self.watch.tell({"event": "checked", "runs": run.run()})
            while wire.receive(self.sock)[0].get("do") != "thaw":
                pass
        finally:
            run.close()

    def end(self) -> None:
        """The job server ends or is gone: leave nothing and end, wherever this process is."""
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        try:
            self.close()
        finally:
            os._exit(1)

    def close(self) -> None:
        """Kill all that the job started and remove what it wrote."""
        with contextlib.suppress(OSError):
            self.processes.kill_all()
        if self.watch.sandbox != "bwrap":
            remove(self.folder)
