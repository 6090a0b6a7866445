"""What the processes of one job use: how many they are, their memory, their time, what they have written.

Nothing is asked of them: all is counted from outside, in ``/proc`` and in the job folder.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from grader.kernel.supervisor import backlog
from grader.kernel.supervisor.processes import Processes
from grader.kernel.supervisor.procfs import bytes_in

_TICKS = os.sysconf("SC_CLK_TCK")
#: Threads that a job may have, for each process that it may have.
_THREADS = 8
#: Files and folders that a job may make: those of a tmpfs of the default size.
MOST_FILES = 65_536
#: Files that a job may have removed and closed, and still have mapped.
_MOST_MAPPED = 2
#: Files that the process of a check has to open, or is handed, at a time.
_HANDED = 8
#: Bytes that a socket and a pipe take before its reader has to come, as systems are set up.
_BUFFER, _PIPE = 208 * 1024, 64 * 1024
#: Pipes, and files that may be some, that a job may have. The pages of pipes are counted for all that its user runs,
#: the grader too: beyond 1,024 pipes a user's new ones hold 8 KB each, and a program that relies on more hangs.
_MOST_PIPES = 256


class Usage:
    """What ``processes`` use beside their ``limits`` (the fields of ``model.Limits``)."""

    def __init__(self, processes: Processes, limits: dict[str, Any]) -> None:
        self.processes = processes
        self.proc = processes.proc
        self.limits = limits
        self.last_walk = 0.0
        self.made = 0  # processes and threads that the job has asked its init for
        self.forked = 0  # of them, processes

    def begin(self) -> None:
        """Count everything anew at the next look: there is another kernel."""
        self.last_walk = 0.0

    def has_room(self) -> bool:
        """Whether the job may have one more process or thread."""
        return self._are_within(self.processes.listed(self.limits["processes"]), one_more=1)

    def _are_within(self, names: list[str], one_more: int = 0) -> bool:
        """Whether processes and their threads are no more than the job may have."""
        most: int = self.limits["processes"]
        return len(names) + one_more <= most and self.proc.threads(names) + one_more <= _THREADS * most

    def over_limit(self, folder: Path | None) -> str | None:
        """The limit that the job is over, or None: of two of them the first that is named here."""
        names = self.processes.listed(self.limits["processes"])
        if not self._are_within(names):
            return "processes"
        places = [self._place_of_memory(name) for name in names]
        sockets, pipes, hidden = self._connections(names)
        if pipes + hidden > _MOST_PIPES:
            return "pipes and hidden files" if hidden else "pipes"
        most = self.limits["memory"] - (sockets + hidden) * _BUFFER - (pipes + hidden) * _PIPE
        if self._resident(places) > most and self._proportional(places) > most:
            return "memory"
        if folder is not None and self._folder_is_full(folder, names):
            return "bytes written"
        return None

    def used_and_waited(self) -> tuple[float, float, frozenset[str]]:
        """Seconds that this process and its descendants had a processor and that they waited for one, and who.

        Those of the dead are gone from both. Where the system does not count what is waited, that is 0.
        """
        ticks = waited = 0
        names = self.processes.me, *self.processes.listed(self.limits["processes"])
        for name in names:
            ticks += sum(map(int, self.proc.stat(name)[11:13]))
            counted = self.proc.read(f"{name}/schedstat").split()  # of the first thread
            waited += int(counted[1]) if len(counted) == 3 else 0
        return ticks / _TICKS, waited / 1e9, frozenset(names)

    def _place_of_memory(self, name: str) -> str:
        """Where ``/proc`` tells of the memory of process ``name``: at another thread where its first has ended."""
        fields = self.proc.stat(name)
        if len(fields) > 17 and fields[0] in "ZX" and fields[17] != "1":
            tasks = (f"{name}/task/{task}" for task in self.proc.tasks(name))
            return next((task for task in tasks if not self.proc.is_dead(task)), name)
        return name

    def _resident(self, names: list[str]) -> int:
        """Resident bytes of ``names`` and their page tables; what is shared counts for each: an upper bound, cheap."""
        total = 0
        for name in names:
            status = self.proc.read(f"{name}/status")
            total += bytes_in(status, "VmRSS") + bytes_in(status, "VmPTE")
        return total

    def _proportional(self, names: list[str]) -> int:
        """Bytes of ``names`` together, each shared page split among those that share it.

        Of a process that does not let itself be looked into all pages are counted.
        """
        total = 0
        for name in names:
            pages = self.proc.read(f"{name}/smaps_rollup")
            tables = bytes_in(self.proc.read(f"{name}/status"), "VmPTE")
            total += bytes_in(pages, "Pss") + tables if pages else self._resident([name])
        return total

    def _connections(self, names: list[str]) -> tuple[int, int, int]:
        """How many sockets, pipes, and files of which it is hidden what they are, ``names`` have open.

        What sockets and pipes hold is in no process's memory. With the sockets count connections that nobody has
        accepted: where the network is not the job's own none can be made. Since Linux 6.2 no process can hide how much
        it has open.
        """
        places = {self._connection(f"{name}/fd/{fd}") for name in names for fd in self._open_files(name)}
        sockets, pipes, hidden = (
            sum(place.startswith(kind) for place in places) for kind in ("socket:", "pipe:", "hidden:")
        )
        return sockets + (backlog.waiting() if self.processes.private else 0), pipes, hidden

    def has_all_files_open(self, name: str) -> bool:
        """Whether a process has so many files open that it cannot take the few that a check is handed."""
        most: int = self.limits["open_files"]
        return len(self._open_files(name)) > most - _HANDED

    def _open_files(self, name: str) -> list[str]:
        """The descriptors of a process by their numbers, which are made up where it hides them."""
        entries = self.proc.entries(f"{name}/fd")
        if not entries:
            with contextlib.suppress(OSError):
                entries = list(map(str, range(os.stat(f"{name}/fd", dir_fd=self.proc.fd).st_size)))
        return entries

    def _connection(self, place: str) -> str:
        """Which socket or pipe (``socket:[7]``) stands at ``place`` in ``/proc``; empty for anything else, or none."""
        try:
            link = os.readlink(place, dir_fd=self.proc.fd)
            if link.startswith("/") and not link.startswith("/dev/"):  # it may be a pipe with a name
                about = os.stat(place, dir_fd=self.proc.fd)
                return f"pipe: {about.st_ino} on {about.st_dev}" if stat.S_ISFIFO(about.st_mode) else ""
        except FileNotFoundError:  # closed since it was listed, or its process is gone
            return ""
        except OSError:
            return f"hidden: {place}"
        return link

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
            for fd in self.proc.entries(place):
                with contextlib.suppress(OSError):
                    about = os.stat(f"{place}/{fd}", dir_fd=self.proc.fd)
                    if about.st_dev == disk and not about.st_nlink:
                        found[about.st_ino] = about.st_blocks * 512
        alone = {inode for name in names for inode in self._mapped_alone(folder, name)} - found.keys()
        return sum(found.values()) + (self.limits["written"] + 1 if len(alone) > _MOST_MAPPED else 0)

    def _mapped_alone(self, folder: Path, name: str) -> list[int]:
        """The inodes of what process ``name`` has mapped of files that were in ``folder`` and are no more."""
        with contextlib.suppress(OSError):
            fd = self.proc.open(f"{name}/maps")
            with open(fd, encoding="utf-8", errors="replace") as maps:
                lines = [line for line in maps if f" {folder}/" in line and line.endswith(" (deleted)\n")]
                return [int(line.split(maxsplit=5)[4]) for line in lines]
        return []


def _is_over(folder: str, most_bytes: int) -> bool:
    """Whether more than ``most_bytes`` of disk, or more than ``MOST_FILES`` files, are under ``folder``.

    Also where that cannot be told, since student code closed a folder or made it deeper than a path can be long.
    """
    total = 0
    try:
        for count, size in enumerate(_sizes_under(folder), 1):
            total += size
            if total > most_bytes or count > MOST_FILES:
                return True
    except OSError:
        return True
    return total > most_bytes  # of which nothing may be left for an empty folder


def _sizes_under(folder: str) -> Iterator[int]:
    """Yield the bytes on the disk of each file and folder under ``folder``.

    Raises ``OSError`` where one may not be looked into, or lies deeper than a path can be long.
    """
    todo = [folder]
    while todo:
        try:
            with os.scandir(todo.pop()) as entries:
                for entry in entries:
                    size = 0
                    with contextlib.suppress(FileNotFoundError):
                        size = entry.stat(follow_symlinks=False).st_blocks * 512
                        if entry.is_dir(follow_symlinks=False):
                            todo.append(entry.path)
                    yield size
        except OSError as error:
            if error.errno in (errno.EACCES, errno.ENAMETOOLONG):
                raise
