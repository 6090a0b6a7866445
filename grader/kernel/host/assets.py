"""The files beside a notebook, of which its kernel gets copies: opened so that nothing else is ever read."""

from __future__ import annotations

import mmap
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from grader.machine import CAREFULLY
from grader.model import Assets
from grader.names.visible import files_of

MOST_ASSETS = 500
#: Folders in folders of which files are copied.
_DEEPEST = 9


@dataclass(frozen=True, slots=True)
class Asset:
    """A regular file: its path in the job folder, an open descriptor for the receiver to close, and whether it runs."""

    path: str
    fd: int
    executable: bool


def opened(assets: Iterable[Assets], most_bytes: int) -> Iterator[Asset | None]:
    """Each regular file of ``assets``, in order; None for each that is one too many, too deep, or too large.

    Links are not followed, and left out like whatever cannot be read, and like what is nobody's work
    (``grader.names.visible``): ``.git`` may hold a token, and a notebook could show it.
    """
    count = 0
    for name, path in files_of(assets):
        try:
            fd = os.open(path, os.O_RDONLY | CAREFULLY)
        except OSError:
            continue
        about = os.fstat(fd)
        if not stat.S_ISREG(about.st_mode):
            os.close(fd)
            continue
        taken = -(-about.st_size // mmap.PAGESIZE) * mmap.PAGESIZE  # in memory, where it is copied to
        if name.count("/") > _DEEPEST or count == MOST_ASSETS or taken > most_bytes:
            os.close(fd)
            yield None
            continue
        count, most_bytes = count + 1, most_bytes - taken
        yield Asset(name, fd, bool(about.st_mode & 0o100))


def flags_of(left_out: int) -> tuple[str, ...]:
    """The remark that so many were not there, where any were not."""
    if not left_out:
        return ()
    return (
        f"{left_out} of the files beside the notebook were not there when it ran: "
        f"more than {MOST_ASSETS}, ten folders deep, or more bytes than a submission may write",
    )
