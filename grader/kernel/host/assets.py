"""The files beside a notebook, of which its kernel gets copies: opened so that nothing else is ever read."""

from __future__ import annotations

import mmap
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from grader.machine import CAREFULLY
from grader.names.visible import files_of_work

MOST_ASSETS = 500
#: Folders in folders of which files are copied.
_DEEPEST = 9


@dataclass(frozen=True, slots=True)
class Asset:
    """A regular file: its path below the folder, an open descriptor, which the receiver closes, and whether it runs."""

    path: str
    fd: int
    executable: bool


def opened(folder: Path | None, most_bytes: int, *, below: bool = True) -> Iterator[Asset | None]:
    """Each regular file of ``folder``, in order; None for each that is one too many, too deep, or too large.

    With ``below`` those in its folders as well. Links are not followed, and left out like whatever cannot be read, and
    like what is nobody's work (``grader.names.visible``): ``.git`` may hold a token, and a notebook could show it.
    """
    if folder is None:
        return
    count = 0
    for place, files in files_of_work(folder, below=below):
        relative = os.path.relpath(place, folder)
        too_deep = relative.count(os.sep) >= _DEEPEST
        for name in files:
            try:
                fd = os.open(os.path.join(place, name), os.O_RDONLY | CAREFULLY)
            except OSError:
                continue
            about = os.fstat(fd)
            if not stat.S_ISREG(about.st_mode):
                os.close(fd)
                continue
            taken = -(-about.st_size // mmap.PAGESIZE) * mmap.PAGESIZE  # in memory, where it is copied to
            if too_deep or count == MOST_ASSETS or taken > most_bytes:
                os.close(fd)
                yield None
                continue
            count, most_bytes = count + 1, most_bytes - taken
            yield Asset(os.path.normpath(os.path.join(relative, name)), fd, bool(about.st_mode & 0o100))
