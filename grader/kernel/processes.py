"""The processes of one job: found through ``/proc``, counted, stopped and killed.

Everything here sees only what descends from the calling process, the job's init, which adopts all orphans, and from the
job's kernel, where that is no child of the init.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from grader.kernel import backlog

_TICKS = os.sysconf("SC_CLK_TCK")
#: Seconds for stopped processes to come to rest, for which each needs a processor once more.
_STOP_S = 10.0
#: The same once a job's have not: a process can be made such that it never does.
_STOP_AGAIN_S = 0.1
#: Seconds after which those that have not are told so again.
_AGAIN_S = 0.05
#: Seconds for killed processes to be gone.
_KILL_S = 5.0
#: Threads that a job may have, for each process that it may have.
_THREADS = 8
#: Files and folders that a job may make: those of a tmpfs of the default size.
MOST_FILES = 65_536
#: Files that a job may have removed and closed, and still have mapped.
_MOST_MAPPED = 2
#: Bytes that a socket takes before its reader has to come, as systems are set up.
_BUFFER = 208 * 1024
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
    """The descendants of this process. ``private``: it is process 1 of a PID namespace that holds the job alone."""

    def __init__(self, private: bool, limits: dict[str, Any]) -> None:
        if private and os.getpid() != 1:
            raise RuntimeError("only process 1 of a PID namespace may signal everybody in it")
        self.private = private
        self.limits = limits
        # In a PID namespace, /proc is still that of the sandbox: descendants have other numbers there than here.
        self.proc = os.open("/proc", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self.me = os.readlink("self", dir_fd=self.proc)
        self.kernel: list[str] = []
        self.last_walk = 0.0
        self.patience = _STOP_S
        self.made = 0  # processes and threads that the job has asked its init for

    def close(self) -> None:
        """Let go of ``/proc``, in a child that is to see nothing of it."""
        os.close(self.proc)

    def kernel_forked(self, *kernel: str) -> None:
        """Have the next look count everything anew; ``kernel`` is its ``/proc`` name where it is no child of this."""
        self.kernel = list(kernel)
        self.last_walk = 0.0

    def listed(self, most: int = 10**9) -> list[str]:
        """The ``/proc`` names of all descendants, or of a few more than ``most``: enough to know of a fork bomb."""
        found = [name for name in self.kernel if self._stat(name)]
        todo = [self.me, *found]
        while todo and len(found) <= most:
            children = self._children(todo.pop())
            found += children
            todo += children
        return found

    def _children(self, name: str) -> list[str]:
        children: list[str] = []
        for task in self._tasks(name):
            children += self._read(f"{name}/task/{task}/children").split()
        return children

    def _tasks(self, name: str) -> list[str]:
        return self._entries(f"{name}/task")

    def _entries(self, place: str) -> list[str]:
        with contextlib.suppress(OSError):
            fd = os.open(place, os.O_RDONLY | os.O_DIRECTORY, dir_fd=self.proc)
            try:
                return os.listdir(fd)
            finally:
                os.close(fd)
        return []

    def _read(self, path: str) -> str:
        try:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC, dir_fd=self.proc)
        except OSError:
            return ""
        try:
            return os.read(fd, 65536).decode("ascii", "replace")
        except OSError:
            return ""
        finally:
            os.close(fd)

    def pid(self, name: str) -> int:
        """The process id, as this process may signal it, of the ``/proc`` entry ``name``; 0 when it is gone."""
        if not self.private:
            return int(name)
        pids = _field(self._read(f"{name}/status"), "NSpid").split()
        return int(pids[-1]) if pids else 0

    def is_alone(self, pid: int) -> bool:
        """Whether a descendant has no other thread than its first."""
        return self._threads([self.name(pid)]) == 1

    def name(self, pid: int) -> str:
        """The ``/proc`` name of a descendant's process id; empty when there is none."""
        if not self.private:
            return str(pid)
        return next((name for name in self.listed() if self.pid(name) == pid), "")

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
            return self._read(f"{task}/wchan") != "0" or self._hides(task)
        return mark[:1] in "ZX"

    def _hides(self, name: str) -> bool:
        """Whether a process took the right to look into it away, as each may (``PR_SET_DUMPABLE`` in ``prctl(2)``)."""
        return not self._read(f"{name}/auxv")

    def marks(self, stopped: Stopped) -> dict[str, str]:
        """State and number of context switches of each thread of ``stopped``: the same again if none has run since."""
        marks: dict[str, str] = {}
        for name in stopped.pids:
            for task in self._tasks(name):
                status = self._read(f"{name}/task/{task}/status")
                switches = (_field(status, "voluntary_ctxt_switches"), _field(status, "nonvoluntary_ctxt_switches"))
                marks[f"{name}/task/{task}"] = " ".join((_field(status, "State")[:1] or "X", *switches))
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
        over, pause = (self._runs_no_more, _LOOK_S) if spare else (self._is_dead, 5 * _LOOK_S)
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
            groups = {os.getpgid(int(name)) for name in self.listed(self.limits["processes"])}
            for group in groups - {os.getpgid(0)}:
                os.killpg(group, signal.SIGKILL)

    def _is_dead(self, name: str) -> bool:
        """Whether ``/proc`` entry ``name`` is dead or gone."""
        return (self._stat(name) or ["X"])[0] in "ZX"

    def _runs_no_more(self, name: str) -> bool:
        """Whether ``/proc`` entry ``name`` is dead or gone, or does nothing more than give its memory back."""
        fields = self._stat(name) or ["X"]
        return fields[0] in "ZX" or (int(fields[6]) & _EXITING > 0 and fields[17] == "1")

    def exit_status(self, name: str) -> int | None:
        """The wait status of a dead descendant that nobody has collected yet; None when it is not dead."""
        fields = self._stat(name)
        return int(fields[-1]) if fields and fields[0] == "Z" else None

    def _stat(self, name: str) -> list[str]:
        """The fields of ``stat`` from the state on (proc(5) counts it as the third); none when the process is gone."""
        return self._read(f"{name}/stat").rpartition(")")[2].split()

    # ------------------------------------------------------------------------------------------- limits

    def has_room(self) -> bool:
        """Whether the job may have one more process or thread."""
        return self._are_within(self.listed(self.limits["processes"]), one_more=1)

    def _are_within(self, names: list[str], one_more: int = 0) -> bool:
        """Whether processes and their threads are no more than the job may have."""
        most: int = self.limits["processes"]
        return len(names) + one_more <= most and self._threads(names) + one_more <= _THREADS * most

    def _threads(self, names: list[str]) -> int:
        """The threads of ``names`` together."""
        return sum(int(fields[17]) for fields in map(self._stat, names) if len(fields) > 17)

    def over_limit(self, folder: Path | None) -> str | None:
        """The name of the limit (``processes``, ``memory``, ``written``) that the job is over, or None."""
        names = self.listed(self.limits["processes"])
        if not self._are_within(names):
            return "processes"
        places = [self._place_of_memory(name) for name in names]
        most = self.limits["memory"] - self._buffered(names)
        if self._resident(places) > most and self._proportional(places) > most:
            return "memory"
        if folder is not None and self._folder_is_full(folder, names):
            return "written"
        return None

    def used_and_waited(self) -> tuple[float, float, frozenset[str]]:
        """Seconds that this process and its descendants had a processor and that they waited for one, and who.

        Those of the dead are gone from both. Where the system does not count what is waited, that is 0.
        """
        ticks = waited = 0
        names = self.me, *self.listed(self.limits["processes"])
        for name in names:
            ticks += sum(map(int, self._stat(name)[11:13]))
            counted = self._read(f"{name}/schedstat").split()  # of the first thread
            waited += int(counted[1]) if len(counted) == 3 else 0
        return ticks / _TICKS, waited / 1e9, frozenset(names)

    def _place_of_memory(self, name: str) -> str:
        """Where ``/proc`` tells of the memory of process ``name``: at another thread where its first has ended."""
        fields = self._stat(name)
        if len(fields) > 17 and fields[0] in "ZX" and fields[17] != "1":
            tasks = (f"{name}/task/{task}" for task in self._tasks(name))
            return next((task for task in tasks if not self._is_dead(task)), name)
        return name

    def _resident(self, names: list[str]) -> int:
        """Resident bytes of ``names`` and their page tables; what is shared counts for each: an upper bound, cheap."""
        total = 0
        for name in names:
            status = self._read(f"{name}/status")
            total += _bytes(status, "VmRSS") + _bytes(status, "VmPTE")
        return total

    def _proportional(self, names: list[str]) -> int:
        """Bytes of ``names`` together, each shared page split among those that share it.

        Of a process that does not let itself be looked into all pages are counted.
        """
        total = 0
        for name in names:
            pages = self._read(f"{name}/smaps_rollup")
            tables = _bytes(self._read(f"{name}/status"), "VmPTE")
            total += _bytes(pages, "Pss") + tables if pages else self._resident([name])
        return total

    def _buffered(self, names: list[str]) -> int:
        """Bytes that sockets of ``names`` may hold, which are in no process's memory.

        With them count connections that nobody has accepted: where the network is not the job's own none can be made.
        What a process hides that it has open is taken for sockets; since Linux 6.2 it cannot hide how much.
        """
        found: set[str] = set()
        for name in names:
            entries = self._entries(f"{name}/fd")
            if not entries:
                with contextlib.suppress(OSError):
                    entries = list(map(str, range(os.stat(f"{name}/fd", dir_fd=self.proc).st_size)))
            for fd in entries:
                try:
                    found.add(os.readlink(f"{name}/fd/{fd}", dir_fd=self.proc))
                except OSError:
                    found.add(f"socket: {name} {fd}")
        sockets = sum(link.startswith("socket:") for link in found)
        return (sockets + (backlog.waiting() if self.private else 0)) * _BUFFER

    def _folder_is_full(self, folder: Path, names: list[str]) -> bool:
        """Whether the job folder and what ``names`` have unlinked hold more than they may; looked at now and then."""
        now = time.monotonic()
        if now < self.last_walk + 0.25:
            return False
        self.last_walk = now
        return _is_over(str(folder), self.limits["written"] - self._unlinked(folder, names))

    def _unlinked(self, folder: Path, names: list[str]) -> int:
        """Bytes of files on the disk of ``folder`` that no folder has any more, but ``names`` hold open or mapped.

        How large one is that is mapped alone cannot be told. A few count for nothing, as arrays on a disk of which an
        honest notebook removed the folder; more count as all that may be written.
        """
        found: dict[int, int] = {}
        try:
            disk = os.stat(folder).st_dev
        except OSError:  # removed, where nothing confines
            return 0
        for place in (f"{name}/fd" for name in names):
            for fd in self._entries(place):
                with contextlib.suppress(OSError):
                    about = os.stat(f"{place}/{fd}", dir_fd=self.proc)
                    if about.st_dev == disk and not about.st_nlink:
                        found[about.st_ino] = about.st_blocks * 512
        alone = {inode for name in names for inode in self._mapped_alone(folder, name)} - found.keys()
        return sum(found.values()) + (self.limits["written"] + 1 if len(alone) > _MOST_MAPPED else 0)

    def _mapped_alone(self, folder: Path, name: str) -> list[int]:
        """The inodes of what process ``name`` has mapped of files that were in ``folder`` and are no more."""
        with contextlib.suppress(OSError):
            fd = os.open(f"{name}/maps", os.O_RDONLY | os.O_CLOEXEC, dir_fd=self.proc)
            with open(fd, encoding="utf-8", errors="replace") as maps:
                lines = [line for line in maps if f" {folder}/" in line and line.endswith(" (deleted)\n")]
                return [int(line.split(maxsplit=5)[4]) for line in lines]
        return []


def _field(status: str, name: str) -> str:
    """The value of a line of a ``status`` file; empty where it has none."""
    return status.partition(f"\n{name}:\t")[2].partition("\n")[0]


def _bytes(text: str, name: str) -> int:
    """What a line ``name: … kB`` of ``text`` says in bytes; 0 where there is none."""
    value = text.partition(f"\n{name}:")[2].partition("\n")[0].split()
    return int(value[0]) * 1024 if value else 0


def _is_over(folder: str, most_bytes: int) -> bool:
    """Whether more than ``most_bytes`` of disk, or more than ``MOST_FILES`` files, are under ``folder``.

    Also where that cannot be told, since student code closed a folder or made it deeper than a path can be long.
    """
    total = count = 0
    todo = [folder]
    while todo:
        try:
            with os.scandir(todo.pop()) as entries:
                for entry in entries:
                    count += 1
                    if total > most_bytes or count > MOST_FILES:
                        return True
                    with contextlib.suppress(FileNotFoundError):
                        total += entry.stat(follow_symlinks=False).st_blocks * 512
                        if entry.is_dir(follow_symlinks=False):
                            todo.append(entry.path)
        except OSError as error:
            if error.errno in (errno.EACCES, errno.ENAMETOOLONG):
                return True
    return total > most_bytes
