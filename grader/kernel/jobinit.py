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
import select
import shutil
import signal
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from grader.kernel import confine, mounts, seccomp, traps, wire
from grader.kernel import zygote as zygotes
from grader.kernel.clock import JobClock
from grader.kernel.deaths import how_it_ended
from grader.kernel.processes import Processes
from grader.kernel.proof import new_secret
from grader.kernel.removal import empty, remove
from grader.kernel.usage import Usage

if TYPE_CHECKING:
    from grader.kernel.messages import CheckTold, FileOrder, InitTold, JobTold, Order

#: Seconds between two looks at what the job uses.
_TICK = 0.1
#: The namespaces that a job has of its own in bwrap.
SPACES = confine.CLONE_NEWPID | confine.CLONE_NEWIPC | confine.CLONE_NEWNS | confine.CLONE_NEWNET


def run(sock: socket.socket, message: JobTold, zygote: socket.socket | None) -> None:
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


def fork(message: JobTold) -> int:
    """``os.fork()`` for the init of the job that ``message`` describes, in namespaces of its own where it may."""
    return confine.fork_apart(SPACES) if message["sandbox"] == "bwrap" else os.fork()


class JobInit:
    """One job: its socket to the grader, its folder, its kernel, and the check that runs, if any."""

    def __init__(self, sock: socket.socket, message: JobTold, zygote: socket.socket | None) -> None:
        self.sock = sock
        self.message = message
        self.zygote = zygote
        self.limits: dict[str, Any] = message["limits"]
        self.sandbox: str = message["sandbox"]
        self.folder = Path(message["folder"])
        self.private = self.sandbox == "bwrap"
        self.processes = Processes(self.private, self.limits["processes"])
        self.usage = Usage(self.processes, self.limits)
        self.clock: JobClock  # each kernel has its own
        self.kernel = 0
        self.end_of_kernel: socket.socket | None = None  # over which the zygote tells of it
        self.command: socket.socket | None = None
        self.secret = ""  # that the kernel's harness and this process share
        self.traps: tuple[int, ...] = ()  # where a check's are put, if this process may
        self.gate: int | None = None
        self.up = False
        self.next_tick = 0.0
        self.over: str | None = None
        self.untold = 0.0  # seconds that the job waited for a processor
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    @property
    def kernel_name(self) -> str:
        """The kernel's name in ``/proc``."""
        return next(iter(self.processes.kernel), str(self.kernel))

    def _tell(self, told: InitTold) -> None:
        """Tell the grader."""
        wire.send(self.sock, told)

    # ------------------------------------------------------------------------------------------- loop

    def serve(self) -> None:
        """Do what the grader asks and report what happens, until it closes the socket (``wire.Closed``)."""
        while True:
            socks = (self.sock, self.command, self.end_of_kernel)
            ready = self.wait([sock for sock in socks if sock is not None], _TICK)
            if self.command in ready and self.command is not None:
                self._hear_kernel()
            self._reap()
            self._watch()
            if self.sock in ready:
                message, fds, _ = wire.receive(self.sock)
                try:
                    self._obey(cast("Order", message), fds)
                finally:
                    wire.close_all(fds)

    def wait(self, socks: list[Any], seconds: float) -> list[Any]:
        """The sockets among ``socks`` that have something to read, after ``seconds`` at most.

        Lets new processes through meanwhile.
        """
        deadline = time.monotonic() + seconds
        by_fd = {sock.fileno(): sock for sock in socks}
        while True:
            poll = select.poll()
            for fd in (*by_fd, self.gate):
                if fd is not None:
                    poll.register(fd, select.POLLIN)
            ready = dict(poll.poll(max(0, int((deadline - time.monotonic()) * 1000))))
            if self.gate in ready:
                self._answer_gate(ready.pop(self.gate))
                if not ready and time.monotonic() < deadline:
                    continue
            return [by_fd[fd] for fd in ready]

    def _answer_gate(self, events: int) -> None:
        """A process of the job's wants to make another, or a thread, or the last one is gone."""
        assert self.gate is not None
        if not events & select.POLLIN:
            self._close_gate()
            return
        asking = seccomp.asked(self.gate)
        if asking is None:
            return
        self.usage.made += 1
        self.usage.forked += not asking.thread
        if self.usage.has_room():
            seccomp.let_through(self.gate, asking)
        else:
            self.over = "processes"
            self.processes.kill_all()  # before the gate closes, for who is refused goes on, and another cell is blamed
            self._close_gate()

    def _close_gate(self) -> None:
        if self.gate is not None:
            os.close(self.gate)
            self.gate = None

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
            self._close_gate()
            self.gate = fds.pop()
        wire.close_all(fds)
        if message.get("event") in ("ready", "failed") and not self.up:
            self.up = True
            if not self.processes.has_open_memory(self.kernel_name):  # which no notebook can have closed yet
                self.traps = ()
            self._tell({"event": message["event"], "text": str(message.get("text", ""))[:2000]})

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
        if self.end_of_kernel is not None and self.wait([self.end_of_kernel], 0):
            told = wire.receive(self.end_of_kernel)[0]
            self.end_of_kernel.close()
            self.end_of_kernel = None
            self._kernel_died(told["status"])

    def _kernel_died(self, status: int) -> None:
        self.kernel = 0
        self.processes.kernel = []
        self._close_gate()
        while self.command is not None and self.wait([self.command], 0):
            self._hear_kernel()
        if self.command is not None:
            self.command.close()
            self.command = None
        self.processes.kill_all()
        self._tell({"event": "died", "how": how_it_ended(status), "limit": self.over})
        self.over = None

    def _watch(self) -> None:
        """Look at what the job uses, once a tick; kill the kernel when it is over a limit."""
        if not self.kernel:
            return
        over = self.look()
        if over:
            self.over = over  # kept until the kernel is collected, which may take longer than a tick
            self.processes.kill_all()

    def _look_now(self) -> None:
        """As ``_watch``, but at once and at all that there is."""
        self.next_tick = 0.0
        self.usage.begin()
        self._watch()

    def look(self) -> str | None:
        """Once a tick, tell the grader what the job waited for a processor; returns the limit that it is over, or None.

        In a private view the folder is limited by its own file system.
        """
        now = time.monotonic()
        if now < self.next_tick:
            return None
        self.next_tick = now + _TICK
        self.untold += self.clock.look()
        if self.untold > _TICK and wire.takes_more(self.sock):  # a grader that is stopped hears it later
            self._tell({"event": "waited", "seconds": self.untold})
            self.untold = 0.0
        return self.usage.over_limit(None if self.private else self.folder)

    # ----------------------------------------------------------------------------------------- orders

    def _obey(self, order: Order, fds: list[int]) -> None:
        if order["do"] == "file":
            self._copy(order, fds[0])
        elif order["do"] == "kernel":
            self._make_kernel(fds)
        elif order["do"] == "interrupt":
            self._interrupt()
        elif order["do"] == "kill":
            self.over = order["why"]
            self.processes.kill_all()
        elif order["do"] == "empty":
            self._empty()
        elif order["do"] == "look":
            self._look_now()
            if self.over is None:
                self._tell({"event": "looked"})
        elif order["do"] == "check":
            self._look_now()  # else the first check would pay for what the cells before it took
            self._check(order["checks"], fds)

    def _empty(self) -> None:
        """Leave nothing of what a kernel wrote that is dead."""
        for folder in (str(self.folder), *mounts.SHARED * self.private):
            empty(folder)
        self.folder.mkdir(mode=0o700, exist_ok=True)

    def _copy(self, order: FileOrder, fd: int) -> None:
        """Copy one file into the job folder; its path was checked by the grader."""
        target = self.folder / order["path"]
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(fd, "rb", closefd=False) as source, open(target, "wb") as copy:
            shutil.copyfileobj(source, copy)
        target.chmod(0o700 if order["executable"] else 0o600)

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
                born = zygotes.ask(self.zygote, self.message, theirs, fds)
                self.end_of_kernel, self.traps = born.end, born.traps
                self.processes.kernel = [born.name]
                self.kernel = self.processes.pid(born.name)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self.command = ours
        self.usage.begin()
        self.clock = JobClock(self.usage)

    def _fork_kernel(self, ours: socket.socket, command: socket.socket, fds: list[int]) -> int:
        """Fork a kernel from this process, which is a fork of the zygote."""
        pid = os.fork()
        if pid == 0:
            try:
                confine.die_with_parent(signal.SIGKILL)
                signal.signal(signal.SIGTERM, signal.SIG_DFL)
                ours.close()  # else the kernel would not see this process end
                self.sock.close()
                self._close_gate()
                self.processes.close()
                zygotes.become_kernel(self.message, command, fds)
            finally:
                os._exit(1)
        return pid

    def _interrupt(self) -> None:
        if self.kernel:
            with contextlib.suppress(ProcessLookupError):  # the zygote may have collected it before it tells
                os.kill(self.kernel, signal.SIGINT)

    def _check(self, checks: list[CheckTold], fds: list[int]) -> None:
        """Run checks; ``fds`` are the result slate, and for each its cell's source and one memory file a program."""
        from grader.kernel.checkrun import CheckRun

        run = CheckRun(self, checks, fds[0], fds[1:])
        try:
            self._tell({"event": "checked", "runs": run.run()})
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
        if not self.private:
            remove(self.folder)
