"""``/proc`` read through a descriptor, which a process keeps when it covers its own view of it."""

from __future__ import annotations

import contextlib
import os


class Proc:
    """The processes in ``/proc``, each by its name there. What cannot be read, as of one that is gone, is empty."""

    def __init__(self, place: str = "/proc") -> None:
        self.fd = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def close(self) -> None:
        """Close the descriptor."""
        os.close(self.fd)

    def open(self, path: str, flags: int = os.O_RDONLY) -> int:
        """A descriptor of a file. Raises ``OSError``."""
        return os.open(path, flags | os.O_CLOEXEC, dir_fd=self.fd)

    def read(self, path: str) -> str:
        """The beginning of a file, as much as those of a process hold."""
        try:
            fd = self.open(path)
        except OSError:
            return ""
        try:
            return os.read(fd, 65536).decode("ascii", "replace")
        except OSError:
            return ""
        finally:
            os.close(fd)

    def entries(self, place: str) -> list[str]:
        """The names in a folder."""
        with contextlib.suppress(OSError):
            fd = self.open(place, os.O_RDONLY | os.O_DIRECTORY)
            try:
                return os.listdir(fd)
            finally:
                os.close(fd)
        return []

    def tasks(self, name: str) -> list[str]:
        """The threads of a process."""
        return self.entries(f"{name}/task")

    def children(self, name: str) -> list[str]:
        """The processes that a process has made, or was given as orphans."""
        return [child for task in self.tasks(name) for child in self.read(f"{name}/task/{task}/children").split()]

    def stat(self, name: str) -> list[str]:
        """The fields of ``stat`` from the state on (proc(5) counts it as the third)."""
        return self.read(f"{name}/stat").rpartition(")")[2].split()

    def is_dead(self, name: str) -> bool:
        """Whether a process or thread is dead or gone."""
        return (self.stat(name) or ["X"])[0] in "ZX"

    def threads(self, names: list[str]) -> int:
        """The threads of processes together."""
        return sum(int(fields[17]) for fields in map(self.stat, names) if len(fields) > 17)


def value_in(status: str, name: str) -> str:
    """The value of a line of a ``status`` file; empty where it has none."""
    return status.partition(f"\n{name}:\t")[2].partition("\n")[0]


def bytes_in(text: str, name: str) -> int:
    """What a line ``name: … kB`` of ``text`` says in bytes; 0 where there is none."""
    value = text.partition(f"\n{name}:")[2].partition("\n")[0].split()
    return int(value[0]) * 1024 if value else 0
