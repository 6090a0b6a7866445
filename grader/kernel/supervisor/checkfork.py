"""One fork of the live kernel for checks, from the side of the job's init, and everything else of the job stopped.

The kernel forks a child, which reports over a socket that the init made for it. The init then stops every other process
of the job and listens to nobody but the child. Where a check forbids autograd its child has ``traps``, and may not make
a process, which could become a program without them.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import socket
import time
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Literal

from grader.kernel.deaths import ending_at, how_it_ended
from grader.kernel.protocol import wire
from grader.kernel.protocol.messages import ENGINE
from grader.kernel.supervisor import traps
from grader.kernel.supervisor.processes import Stopped

if TYPE_CHECKING:
    from grader.kernel.protocol.messages import Lost
    from grader.kernel.supervisor.jobwatch import Watch

#: What a kernel says that cannot fork, how often it is asked again while the init can, and seconds in between.
_UNABLE, _TRIES, _PAUSE_S = {"event": "unable"}, 10, 0.05


@dataclass(frozen=True, slots=True)
class LiveKernel:
    """The kernel that is forked for checks: its process id, its name in ``/proc``, and what it shares with the init.

    That is the socket for orders (None when the kernel has closed it), a secret, and the places for ``traps``.
    """

    pid: int
    name: str
    command: socket.socket | None
    secret: str
    traps: tuple[int, ...]


class CheckFork:
    """The child that ``kernel`` forked last.

    ``deadline`` is until when it is waited for, by the clock of ``watch``; ``limit`` the one that the job met, which
    ended what was asked for last, if one did.
    """

    def __init__(self, watch: Watch, kernel: LiveKernel) -> None:
        self.deadline = 0.0
        self.limit: str | None = None
        self._watch = watch
        self._processes = watch.processes
        self._kernel = kernel
        self._stopped = Stopped()
        self._child = 0
        self._name = ""  # of the child in ``/proc``
        self._traps: traps.Traps | None = None
        self._forked = 0  # processes that the job had made when the child was forked
        self._sock: socket.socket | None = None
        self._death: IO[bytes] | None = None  # readable once the child is dead: the stopped kernel may hold its socket

    # ------------------------------------------------------------------------------------------- begin

    def begin(self) -> Lost | Literal["unasked"] | None:
        """Have the kernel fork a child and stop everything else; the ending when that does not come about."""
        self._thaw()
        command = self._kernel.command
        if command is None:
            return "unasked"
        if self._watch.clock.now() > self.deadline:
            return "timed_out"
        message = self._ask(command)
        for _ in range(_TRIES):
            if message != _UNABLE:
                break
            if not _has_room():  # no fault of the student's: the job is lost
                raise OSError(errno.EAGAIN, "the system has no room for the fork of a check")
            time.sleep(_PAUSE_S)
            message = self._ask(command)
        if isinstance(message, str):
            return message
        if message != {"event": "forked"} or self._child == self._kernel.pid:
            self._child = 0
            return "crashed"
        try:
            self._death = open(os.pidfd_open(self._child), "rb", buffering=0)  # noqa: SIM115 - as long as the child
        except OSError as error:
            if error.errno not in (errno.ESRCH, errno.EINVAL):  # it is gone, and its number perhaps a group's
                raise
            self._child = 0
            return "crashed"
        self._stopped = self._processes.stop_others(self._child)
        self._watch.refused = self._refuse
        self._forked = self._watch.usage.forked
        # A fork has one thread; another is of the notebook's, made as it was forked, before the watch for autograd.
        self._name = self._processes.name(self._child)
        return None if self._processes.is_alone(self._name) else "crashed"

    def _ask(self, command: socket.socket) -> dict[str, Any] | Lost | Literal["unasked"]:
        """Ask the kernel for a fork; its or the child's answer, or the ending where there is none."""
        if self._sock is not None:
            self._sock.close()  # of a fork that did not come in time, and finds nobody
        self._sock, theirs = wire.pair()
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        try:
            with theirs:
                wire.send(command, {"do": "fork"}, [theirs.fileno()])
            return self._hear()
        except wire.Closed:
            return "crashed" if self._is_full() else "unasked"

    def _is_full(self) -> bool:
        """Whether the kernel, and so each fork of it, has no room for the descriptors that a check is handed."""
        full = self._kernel.pid != 0 and self._watch.usage.has_all_files_open(self._kernel.name)
        self.limit = "open files" if full else self.limit
        return full

    def _refuse(self) -> None:
        """End the child, which wants a thread more than the job may have; the notebook is not to blame, and stays."""
        self.limit = "processes"
        self._processes.kill_others(frozenset(self._stopped.pids.values()))

    def forbid_autograd(self) -> bool:
        """Put the traps into the child; False where it does not let itself be looked into."""
        if not self._kernel.traps:
            return True
        try:
            self._traps = traps.Traps(self._processes.memory(self._name), self._kernel.traps)
            self._traps.set()
        except OSError:
            return False
        return True

    # -------------------------------------------------------------------------------------------- talk

    def send(self, message: dict[str, Any], fds: list[int]) -> None:
        """Send the child a message, with descriptors. Raises ``wire.Closed`` when it is dead."""
        assert self._sock is not None
        wire.send(self._sock, message, fds)

    def answer(self) -> dict[str, Any] | Lost:
        """The child's next message, or how the program ended without one. Raises ``wire.Closed`` when it is dead."""
        return self._hear(self._child)

    def _hear(self, known: int = 0) -> dict[str, Any] | Lost:
        """The next message on the child's socket, or how the program ended without one.

        The first to speak is the child; from then on nobody else is listened to.
        """
        assert self._sock is not None
        while True:
            over = self._watch.look()
            if over:
                self.limit = over
                return ending_at(over)
            left = self.deadline - self._watch.clock.now()
            # What has come by now, an answer or a death, is so however late this process came to look.
            ready = self._watch.wait([self._sock, *([self._death] if self._death else [])], max(0, min(left, 0.1)))
            if self._sock in ready:
                message, fds, sender = wire.receive(self._sock)
                wire.close_all(fds)
                if known and sender != known:
                    return "crashed"
                self._child = sender
                return message
            if ready:
                raise wire.Closed("the child is dead")
            if left <= 0:
                return "timed_out"
            if self._watch.wait([self._watch.sock], 0):  # the grader sends nothing meanwhile: it gave the job up
                raise SystemExit

    # --------------------------------------------------------------------------------------- look at it

    def is_another(self) -> bool:
        """Whether the child has become another program, without traps, or made a process that can."""
        return self._traps is not None and not (self._traps.hold(1) and self._watch.usage.forked == self._forked)

    def lost_traps(self) -> bool:
        """Whether the child had traps and has not all of them any more."""
        return self._traps is not None and not self._traps.hold()

    def others_ran(self) -> bool:
        """Whether a process that was stopped for the child ran all the same."""
        return self._processes.ran(self._stopped)

    def death(self) -> tuple[Lost, str]:
        """How the child died, as the system tells it."""
        for _ in range(200):
            status = self._processes.exit_status(self._name) if self._name else None
            if status is not None:
                break
            time.sleep(0.001)
        if self._traps is not None and status is not None and traps.ended(status):
            return "trapped", ENGINE
        self._is_full()
        return "crashed", "" if status is None else how_it_ended(status)

    # --------------------------------------------------------------------------------------------- end

    def kill(self) -> None:
        """Kill the child and all that it started: everything that was not stopped."""
        for end in (self._sock, self._death, self._traps):
            if end is not None:
                end.close()
        self._sock = self._death = self._traps = None
        if self._child:
            self._processes.kill_others(frozenset(self._stopped.pids.values()))
            self._child = 0

    def close(self) -> None:
        """Kill the child, and let the rest of the job run on."""
        self.kill()
        self._thaw()

    def _thaw(self) -> None:
        self._watch.refused = None
        for pid in self._stopped.pids.values():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        self._stopped = Stopped()


def _has_room() -> bool:
    """Whether the system has room for one more process: a kernel that denies it may have itself to blame."""
    try:
        pid = os.fork()
    except OSError:
        return False
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    return True
