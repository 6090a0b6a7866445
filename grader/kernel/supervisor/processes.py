"""The processes of one job: found through ``/proc``, stopped and killed.

Everything here sees only what descends from the calling process, the job's init, which adopts all orphans, and from the
job's kernel, where that is no child of the init.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from grader.kernel.supervisor.procfs import Proc, value_in

#: Seconds for stopped processes to come to rest, for which each needs a processor once more.
_STOP_S = 10.0
#: The same once some process of the job did not stop in time: one can be built that never stops.
_STOP_AGAIN_S = 0.1
#: Seconds after which those that have not are told so again.
_AGAIN_S = 0.05
#: Seconds for killed processes to be gone.
_KILL_S = 5.0
#: In the flags of ``/proc/…/stat``: the process is giving up what it had, and runs nothing of its own any more.
_EXITING = 4
#: Seconds between two looks at processes that were told to stop or to end.
_LOOK_S = 0.0002


@dataclass(frozen=True, slots=True)
class Stopped:
    """Processes that were stopped, ``/proc`` name → process id, and what ``Processes.marks`` said of them then."""

    pids: Mapping[str, int] = field(default_factory=dict)
    marks: Mapping[str, str] = field(default_factory=dict)


class Processes:
    """The descendants of this process, which may be ``most``, and of the job's ``kernel`` where that is none of them.

    ``private``: it is process 1 of a PID namespace that holds the job alone.
    """

    def __init__(self, private: bool, most: int) -> None:
        if private and os.getpid() != 1:
            raise RuntimeError("only process 1 of a PID namespace may signal everybody in it")
        self.private = private
        self.most = most
        # In a PID namespace, /proc is still that of the sandbox: descendants have other numbers there than here.
        self.proc = Proc()
        self.me = os.readlink("self", dir_fd=self.proc.fd)
        self.kernel: list[str] = []  # its ``/proc`` name, where it is no child of this process
        self.patience = _STOP_S

    def close(self) -> None:
        """Close ``/proc``, in a child that is to see nothing of it."""
        self.proc.close()

    def listed(self, most: int = 10**9) -> list[str]:
        """The ``/proc`` names of all descendants, or of a few more than ``most``: enough to know of a fork bomb."""
        found = [name for name in self.kernel if self.proc.stat(name)]
        todo = [self.me, *found]
        while todo and len(found) <= most:
            children = self.proc.children(todo.pop())
            found += children
            todo += children
        return found

    def pid(self, name: str) -> int:
        """The process id, as this process may signal it, of the ``/proc`` entry ``name``; 0 when it is gone."""
        if not self.private:
            return int(name)
        pids = value_in(self.proc.read(f"{name}/status"), "NSpid").split()
        return int(pids[-1]) if pids else 0

    def is_alone(self, name: str) -> bool:
        """Whether a descendant has no other thread than its first."""
        return self.proc.threads([name]) == 1

    def name(self, pid: int) -> str:
        """The ``/proc`` name of a descendant's process id; empty when there is none."""
        if not self.private:
            return str(pid)
        return next((name for name in self.listed() if self.pid(name) == pid), "")

    def memory(self, name: str) -> int:
        """A descriptor of a descendant's memory, to read and write. Raises ``OSError`` where the system refuses."""
        return self.proc.open(f"{name}/mem", os.O_RDWR)

    def has_open_memory(self, name: str) -> bool:
        """Whether this process may read and write a descendant's memory."""
        try:
            os.close(self.memory(name))
        except OSError:
            return False
        return True

    # ------------------------------------------------------------------------------------------ signals

    def signal_others(self, signal_number: int, spare: frozenset[int] = frozenset()) -> set[int]:
        """Send a signal to every descendant but those in ``spare``, until no new one appears; returns whom."""
        reached: set[int] = set()
        while True:
            pids = {self.pid(name) for name in self.listed()} - spare - reached - {0}
            if not pids:
                return reached
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal_number)
            reached |= pids

    def stop_others(self, spare: int) -> Stopped:
        """Stop every descendant but ``spare`` and wait until they stand still.

        Those that have not after a while are told again: when the death of a process orphans a process group, the
        system itself continues what is stopped in it.
        """
        deadline = time.monotonic() + self.patience
        while True:
            if self.private:
                for pid, order in ((-1, signal.SIGSTOP), (spare, signal.SIGCONT)):
                    with contextlib.suppress(ProcessLookupError):  # a dead one may have been collected
                        os.kill(pid, order)
            else:
                self.signal_others(signal.SIGSTOP, frozenset({spare}))
            pids = {name: self.pid(name) for name in self.listed()}
            stopped = Stopped({name: pid for name, pid in pids.items() if pid not in (spare, 0)})
            again = time.monotonic() + _AGAIN_S
            while time.monotonic() < again:
                if all(self._stands_still(task, mark) for task, mark in self.marks(stopped).items()):
                    return Stopped(stopped.pids, self.marks(stopped))
                time.sleep(_LOOK_S)
            if time.monotonic() > deadline:
                self.patience = _STOP_AGAIN_S
                return Stopped(stopped.pids, self.marks(stopped))

    def _stands_still(self, task: str, mark: str) -> bool:
        """Whether a thread is dead, or stopped and off its processor.

        It is called stopped a moment before it leaves, which counts as one more switch; till then ``wchan`` is 0, and
        always where the process hides it (see ``_hides``).
        """
        if mark[:1] in "Tt":
            return self.proc.read(f"{task}/wchan") != "0" or self._hides(task)
        return mark[:1] in "ZX"

    def _hides(self, name: str) -> bool:
        """Whether a process took the right to look into it away, as each may (``PR_SET_DUMPABLE`` in ``prctl(2)``)."""
        return not self.proc.read(f"{name}/auxv")

    def marks(self, stopped: Stopped) -> dict[str, str]:
        """State and number of context switches of each thread of ``stopped``: the same again if none has run since."""
        marks: dict[str, str] = {}
        for name in stopped.pids:
            for task in self.proc.tasks(name):
                status = self.proc.read(f"{name}/task/{task}/status")
                switches = (value_in(status, "voluntary_ctxt_switches"), value_in(status, "nonvoluntary_ctxt_switches"))
                marks[f"{name}/task/{task}"] = " ".join((value_in(status, "State")[:1] or "X", *switches))
        return marks

    def ran(self, stopped: Stopped) -> bool:
        """Whether a process of ``stopped`` has run since, by whatever trick it was continued; the dead may vanish."""
        dead = {task for task, mark in stopped.marks.items() if mark[:1] in "ZX"}
        now = {task: mark for task, mark in self.marks(stopped).items() if task not in dead}
        return now != {task: mark for task, mark in stopped.marks.items() if task not in dead}

    def kill_all(self) -> None:
        """Kill every descendant; on return all are dead."""
        self.kill_others(frozenset())

    def kill_others(self, spare: frozenset[int]) -> None:
        """Kill every descendant but those in ``spare``, which are stopped; on return none of them is running.

        All are stopped first, in one call where they are alone in a PID namespace: a fork bomb stands still then.
        """
        # Nobody waits for the end of all, and what a process used is counted for those that collect it when dead.
        over, pause = (self._runs_no_more, _LOOK_S) if spare else (self.proc.is_dead, 5 * _LOOK_S)
        deadline = time.monotonic() + _KILL_S
        while time.monotonic() < deadline:
            if self.private:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(-1, signal.SIGSTOP if spare else signal.SIGKILL)
            elif not spare:
                self._kill_groups()
            if spare or not self.private:
                self.signal_others(signal.SIGKILL, spare)
            if all(over(name) or self.pid(name) in spare for name in self.listed()):
                return
            time.sleep(pause)

    def _kill_groups(self) -> None:
        """Kill whole process groups, which a fork bomb rarely leaves, but this process's own."""
        with contextlib.suppress(ProcessLookupError):
            groups = {os.getpgid(int(name)) for name in self.listed(self.most)}
            for group in groups - {os.getpgid(0)}:
                os.killpg(group, signal.SIGKILL)

    def _runs_no_more(self, name: str) -> bool:
        """Whether ``/proc`` entry ``name`` is dead or gone, or does nothing more than give its memory back."""
        fields = self.proc.stat(name) or ["X"]
        return fields[0] in "ZX" or (int(fields[6]) & _EXITING > 0 and fields[17] == "1")

    def exit_status(self, name: str) -> int | None:
        """The wait status of a dead descendant that nobody has collected yet; None when it is not dead."""
        fields = self.proc.stat(name)
        return int(fields[-1]) if fields and fields[0] == "Z" else None
