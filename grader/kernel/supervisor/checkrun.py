"""Checks, driven from the job's init: one program at a time, in forks of the live kernel (``checkfork``).

A child is handed the inputs of one program at a time, and the init notes how far it came. A child that dies or runs out
of time costs the program it was at; the rest get a fresh fork, and so do the checks behind one that changed what they
would find. Inputs reach a child only when their program starts, so what an earlier fork has seen helps no later one. A
job gets each input once, for an earlier kernel of it may have noted what it saw: where a kernel is gone, the programs
that have not begun end as ``unasked``. A child writes into a file of its own; each result is copied for the grader as
it is told, if there is proof that the harness made it (``proof``), so nothing else can answer for it. A stopped process
that ran all the same (there are ways: a timer that sends SIGCONT, an orphaned process group) costs the whole check.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from grader.kernel.clock import ALLOWANCE
from grader.kernel.protocol import memfiles, wire
from grader.kernel.protocol.messages import HIDING, TAMPERING
from grader.kernel.protocol.proof import new_secret, proves
from grader.kernel.supervisor.checkfork import CheckFork, LiveKernel

if TYPE_CHECKING:
    from grader.kernel.protocol.messages import CheckSpec, Lost, ProgramEnd, ProgramLost
    from grader.kernel.supervisor.jobwatch import Watch

_RESUMED = "a process that was stopped for the check ran during it"


class CheckRun:
    """The run of checks that stand behind one cell.

    ``result_file`` is the grader's; ``fds`` are, for each check, its cell's source and its programs' inputs. Each child
    writes into a ``child_file`` of its own, from which results are copied to ``result_file``, at the same place.
    """

    def __init__(
        self, watch: Watch, kernel: LiveKernel, checks: list[CheckSpec], result_file: int, fds: list[int]
    ) -> None:
        self.watch = watch
        self.secret = kernel.secret
        self.fork = CheckFork(watch, kernel)
        self.checks = checks
        self.result_file = result_file
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
        self.capacity = os.fstat(result_file).st_size
        self.child_file = -1
        self.at = 0

    def run(self) -> list[ProgramEnd]:
        """How each program ended, in order."""
        runs: list[ProgramEnd] = []
        while left := len(self.programs) - len(runs):
            owner = self.owners[len(runs)]
            self._begin(owner)
            self._close_child_file()
            ended = self.fork.begin()
            if ended == "timed_out":  # the kernel may answer in time for the next check
                runs += [self._lost(ended)] * self.owners[len(runs) :].count(owner)
                continue
            if ended == "unasked":
                return runs + [{"ended": ended}] * left
            if ended is not None:
                return runs + [self._lost(ended)] * left
            done = len(runs)
            ended, how = self._drive(runs)
            if self.fork.others_ran():
                return runs[:done] + [self._lost("crashed", _RESUMED)] * left
            if ended is None and self.fork.lost_traps():
                runs[done:] = [self._lost("trapped", TAMPERING)] * (len(runs) - done)
            self.fork.kill()
            if ended is None:
                continue
            runs.append(self._lost(ended, how))
            if ended == "timed_out" and not self.late:
                self.late = True
                self._allow(self.checks[self.begun]["seconds"] * ALLOWANCE)
        return runs

    def _lost(self, ended: Lost, how: str = "") -> ProgramLost:
        """That a program ended so, and the limit that was met, if one was."""
        limit, self.fork.limit = self.fork.limit, None
        return {"ended": ended, "how": how} if limit is None else {"ended": ended, "how": how, "limit": limit}

    def _begin(self, check: int) -> None:
        """Give a check its time, when it is not the one in hand."""
        if check != self.begun:
            self.begun, self.late = check, False
            self._allow(self.checks[check]["seconds"])

    def _allow(self, seconds: float) -> None:
        """Let what a child does from now on take so long."""
        self.fork.deadline = self.watch.clock.now() + seconds

    def _drive(self, runs: list[ProgramEnd]) -> tuple[Lost | None, str]:
        """Feed the child programs; returns how the one that it did not finish ended, or (None, "") if there is none."""
        known = None
        try:
            if not (self.checks[self.owners[len(runs)]]["autograd"] or self.fork.forbid_autograd()):
                return "trapped", HIDING
            while len(runs) < len(self.programs):
                owner = self.owners[len(runs)]
                self._begin(owner)
                if owner != known:
                    self._send_check(owner, first=known is None)
                    if known is not None and self.fork.answer() != {"event": "clean"}:
                        return None, ""
                    known = owner
                order = {"do": "program", "at": self.at, "number": new_secret()}
                self.fork.send(order, [self.programs[len(runs)]])
                message = self.fork.answer()
                if isinstance(message, str):
                    return message, ""
                if self.fork.is_another():
                    return "trapped", TAMPERING
                length = self._copied(message, [self._told(owner), order])
                if length is None:
                    return ("output_exceeded" if message.get("event") == "too_large" else "crashed"), ""
                runs.append({"ended": "done", "at": self.at, "length": length})
                self.at += length
        except wire.Closed:
            return self.fork.death()
        return None, ""

    def _send_check(self, check: int, first: bool) -> None:
        """Tell the child of a check; to the first one in it belongs the file that it writes into."""
        if first:
            self.child_file = memfiles.writable(self.capacity)
        self.fork.send({"do": "check", "check": self._told(check)}, [self.sources[check], *[self.child_file] * first])

    def _told(self, check: int) -> dict[str, Any]:
        """What a child is told of a check."""
        about = {key: self.checks[check][key] for key in ("needs", "autograd", "printed", "cell")}
        return {"sandbox": self.watch.sandbox, **about}

    def _copied(self, message: dict[str, Any], order: list[Any]) -> int | None:
        """Copy the result that ``message`` tells of into the grader's file; its length, None where it is not right."""
        at, length = message.get("at"), message.get("length")
        if at != self.at or type(length) is not int or not 0 <= length <= self.capacity - self.at:
            return None
        data = os.pread(self.child_file, length, self.at)
        if not proves(message.get("proof"), self.secret, order, data):
            return None
        os.pwrite(self.result_file, data, self.at)
        return length

    def _close_child_file(self) -> None:
        if self.child_file >= 0:
            os.close(self.child_file)
            self.child_file = -1

    def close(self) -> None:
        """End the child, and let the rest of the job run on."""
        self.fork.close()
        self._close_child_file()
