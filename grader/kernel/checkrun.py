"""Checks, driven from the job's init: forks of the live kernel, one program at a time, everything else stopped.

The kernel forks a child, which reports over a socket that the init made for it. The init then stops every other process
of the job, listens to nobody but the child, hands it the inputs of one program at a time, and notes how far it came. A
child that dies or runs out of time costs the program it was at; the rest get a fresh fork, and so do the checks behind
one that changed what they would find. Inputs reach a child only when their program starts, so what an earlier fork has
seen helps no later one; and they reach a job once, since another kernel of it may know them: where a kernel is gone,
the programs that nobody was asked are told. A child writes into a file of its own; each result is copied for the grader
as it is told, if there is proof that the harness made it (``proof``), so nothing else can answer for it. A stopped
process that ran all the same (there are ways: a timer that sends SIGCONT, an orphaned process group) costs the whole
check. Where a check forbids autograd its child has ``traps``, and may not make a process, which could become a program
without them.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import socket
import time
from typing import IO, TYPE_CHECKING, Any, Literal

from grader.kernel import memfiles, traps, wire
from grader.kernel.clock import ALLOWANCE
from grader.kernel.deaths import how_it_ended
from grader.kernel.processes import Stopped
from grader.kernel.proof import new_secret, proves

if TYPE_CHECKING:
    from grader.kernel.jobinit import JobInit
    from grader.kernel.messages import CheckTold, Lost, ProgramLost, ProgramTold

#: What a kernel says that cannot fork, how often it is asked again while the init can, and seconds in between.
_UNABLE, _TRIES, _PAUSE_S = {"event": "unable"}, 10, 0.05
_RESUMED = "a process that was stopped for the check ran during it"


class CheckRun:
    """The run of checks that stand behind one cell.

    ``slate`` is the grader's result file; ``fds`` are, for each check, its cell's source and its programs' inputs. Each
    child writes into a ``child_slate`` of its own, from which results are copied to ``slate``, at the same place.
    """

    def __init__(self, init: JobInit, checks: list[CheckTold], slate: int, fds: list[int]) -> None:
        self.init = init
        self.checks = checks
        self.slate = slate
        self.sources: list[int] = []
        self.programs: list[int] = []
        self.owners: list[int] = []
        for number, check in enumerate(checks):
            self.sources.append(fds[0])
            self.programs += fds[1 : 1 + check["programs"]]
            self.owners += [number] * check["programs"]
            fds = fds[1 + check["programs"] :]
        self.begun = -1
        self.late = False
        self.deadline = 0.0
        self.capacity = os.fstat(slate).st_size
        self.child_slate = -1
        self.stopped = Stopped()
        self.child = 0
        self.name = ""  # of the child in ``/proc``
        self.traps: traps.Traps | None = None
        self.forked = 0  # processes that the job had made when the child was forked
        self.sock: socket.socket | None = None
        self.death: IO[bytes] | None = None  # readable once the child is dead: the stopped kernel may hold its socket
        self.at = 0
        self.limit: str | None = None  # that the job met, which ended what was asked for last

    def run(self) -> list[ProgramTold]:
        """How each program ended, in order."""
        runs: list[ProgramTold] = []
        while len(runs) < len(self.programs):
            owner = self.owners[len(runs)]
            self._begin(owner)
            ended = self._fork()
            if ended == "timed_out":  # the kernel may answer in time for the next check
                runs += [self._lost(ended)] * self.owners[len(runs) :].count(owner)
                continue
            if ended == "unasked":
                return runs + [{"ended": ended}] * (len(self.programs) - len(runs))
            if ended is not None:
                return runs + [self._lost(ended)] * (len(self.programs) - len(runs))
            done = len(runs)
            ended, how = self._drive(runs)
            if self.init.processes.ran(self.stopped):
                return runs[:done] + [self._lost("crashed", _RESUMED)] * (len(self.programs) - done)
            if ended is None and not (self.traps is None or self.traps.hold()):
                runs[done:] = [self._lost("trapped", traps.TAMPERING)] * (len(runs) - done)
            self._kill_child()
            if ended is None:
                continue
            runs.append(self._lost(ended, how))
            if ended == "timed_out" and not self.late:
                self.late = True
                self.deadline = self.init.clock.now() + self.checks[self.begun]["seconds"] * ALLOWANCE
        return runs

    def _lost(self, ended: Lost, how: str = "") -> ProgramLost:
        """That a program ended so, and the limit that was met, if one was."""
        limit, self.limit = self.limit, None
        return {"ended": ended, "how": how} if limit is None else {"ended": ended, "how": how, "limit": limit}

    def _begin(self, check: int) -> None:
        """Give a check its time, when it is not the one in hand."""
        if check != self.begun:
            self.begun, self.late = check, False
            self.deadline = self.init.clock.now() + self.checks[check]["seconds"]

    # --------------------------------------------------------------------------------------------- fork

    def _fork(self) -> Lost | Literal["unasked"] | None:
        """Have the kernel fork a child and stop everything else; the ending when that does not come about."""
        self._thaw()
        command = self.init.command
        if command is None:
            return "unasked"
        if self.init.clock.now() > self.deadline:
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
        if message != {"event": "forked"} or self.child == self.init.kernel:
            self.child = 0
            return "crashed"
        try:
            self.death = open(os.pidfd_open(self.child), "rb", buffering=0)  # noqa: SIM115 - as long as the child
        except OSError as error:
            if error.errno not in (errno.ESRCH, errno.EINVAL):  # it is gone, and its number perhaps a group's
                raise
            self.child = 0
            return "crashed"
        self.stopped = self.init.processes.stop_others(self.child)
        self.forked = self.init.usage.forked
        # A fork has one thread; another is of the notebook's, made as it was forked, before the watch for autograd.
        self.name = self.init.processes.name(self.child)
        return None if self.init.processes.is_alone(self.name) else "crashed"

    def _ask(self, command: socket.socket) -> dict[str, Any] | Lost | Literal["unasked"]:
        """Ask the kernel for a fork; its or the child's answer, or the ending where there is none."""
        if self.sock is not None:
            self.sock.close()  # of a fork that did not come in time, and finds nobody
        self.sock, theirs = wire.pair()
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        try:
            with theirs:
                wire.send(command, {"do": "fork"}, [theirs.fileno()])
            return self._hear()
        except wire.Closed:
            return "crashed" if self._is_full() else "unasked"

    def _is_full(self) -> bool:
        """Whether the kernel, and so each fork of it, has no room for the descriptors that a check is handed."""
        full = self.init.kernel != 0 and self.init.usage.has_all_files_open(self.init.kernel_name)
        self.limit = "open files" if full else self.limit
        return full

    def _drive(self, runs: list[ProgramTold]) -> tuple[Lost | None, str]:
        """Feed the child programs; returns how the one that it did not finish ended, or (None, "") if there is none."""
        assert self.sock is not None
        known = None
        try:
            if not self._set_traps(self.owners[len(runs)]):
                return "trapped", traps.HIDING
            while len(runs) < len(self.programs):
                owner = self.owners[len(runs)]
                self._begin(owner)
                if owner != known:
                    self._send_check(owner, first=known is None)
                    if known is not None and self._answer() != {"event": "clean"}:
                        return None, ""
                    known = owner
                order = {"do": "program", "at": self.at, "number": new_secret()}
                wire.send(self.sock, order, [self.programs[len(runs)]])
                message = self._answer()
                if isinstance(message, str):
                    return message, ""
                if self._is_another():
                    return "trapped", traps.TAMPERING
                length = self._copied(message, [self._told(owner), order])
                if length is None:
                    return ("output_exceeded" if message.get("event") == "too_large" else "crashed"), ""
                runs.append({"ended": "done", "at": self.at, "length": length})
                self.at += length
        except wire.Closed:
            return self._death()
        return None, ""

    def _set_traps(self, check: int) -> bool:
        """Put the traps into a child that may not use autograd; False where it does not let itself be looked into."""
        if self.checks[check]["autograd"] or not self.init.traps:
            return True
        try:
            self.traps = traps.Traps(self.init.processes.memory(self.name), self.init.traps)
            self.traps.set()
        except OSError:
            return False
        return True

    def _is_another(self) -> bool:
        """Whether the child has become another program, without traps, or made a process that can."""
        return self.traps is not None and not (self.traps.hold(1) and self.init.usage.forked == self.forked)

    def _send_check(self, check: int, first: bool) -> None:
        """Tell the child of a check; to the first one in it belongs the file that it writes into."""
        assert self.sock is not None
        if first:
            self.child_slate = memfiles.slate(self.capacity)
        fds = [self.sources[check], *[self.child_slate] * first]
        wire.send(self.sock, {"do": "check", "check": self._told(check)}, fds)

    def _told(self, check: int) -> dict[str, Any]:
        """What a child is told of a check."""
        about = {key: self.checks[check][key] for key in ("needs", "autograd", "printed", "cell")}
        return {"sandbox": self.init.sandbox, **about}

    def _copied(self, message: dict[str, Any], order: list[Any]) -> int | None:
        """Copy the result that ``message`` tells of into the grader's file; its length, None where it is not right."""
        at, length = message.get("at"), message.get("length")
        if at != self.at or type(length) is not int or not 0 <= length <= self.capacity - self.at:
            return None
        data = os.pread(self.child_slate, length, self.at)
        if not proves(message.get("proof"), self.init.secret, order, data):
            return None
        os.pwrite(self.slate, data, self.at)
        return length

    def _answer(self) -> dict[str, Any] | Lost:
        """The child's next message, or how the program ended without one."""
        return self._hear(self.child)

    def _hear(self, known: int = 0) -> dict[str, Any] | Lost:
        """The next message on the child's socket, or how the program ended without one.

        The first to speak is the child; from then on nobody else is listened to.
        """
        assert self.sock is not None
        while True:
            over = self.init.look()
            if over:
                self.limit = over
                return "memory_exceeded" if over == "memory" else "crashed"
            left = self.deadline - self.init.clock.now()
            if left <= 0:
                return "timed_out"
            ready = self.init.wait([self.sock, *([self.death] if self.death else [])], min(left, 0.1))
            if self.sock in ready:
                message, fds, sender = wire.receive(self.sock)
                wire.close_all(fds)
                if known and sender != known:
                    return "crashed"
                self.child = sender
                return message
            if ready:
                raise wire.Closed("the child is dead")
            if self.init.wait([self.init.sock], 0):  # the grader sends nothing while a check runs: it gave the job up
                raise SystemExit

    def _death(self) -> tuple[Lost, str]:
        """How the child died, as the system tells it."""
        for _ in range(200):
            status = self.init.processes.exit_status(self.name) if self.name else None
            if status is not None:
                break
            time.sleep(0.001)
        if self.traps is not None and status is not None and traps.ended(status):
            return "trapped", traps.ENGINE
        self._is_full()
        return "crashed", "" if status is None else how_it_ended(status)

    # ---------------------------------------------------------------------------------------------- end

    def _kill_child(self) -> None:
        """Kill the child and all that it started: everything that was not stopped."""
        for end in (self.sock, self.death, self.traps):
            if end is not None:
                end.close()
        self.sock = self.death = self.traps = None
        if self.child:
            self.init.processes.kill_others(frozenset(self.stopped.pids.values()))
            self.child = 0

    def _thaw(self) -> None:
        if self.child_slate >= 0:
            os.close(self.child_slate)
            self.child_slate = -1
        for pid in self.stopped.pids.values():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        self.stopped = Stopped()

    def close(self) -> None:
        """Let the rest of the job run on."""
        self._kill_child()
        self._thaw()


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
