"""The files beside a notebook, of which its kernel gets copies: opened so that nothing else is ever read."""

from __future__ import annotations

import errno
import mmap
import os
import re
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from grader.errors import KernelError
from grader.machine import CAREFULLY, remedy_of_reading
from grader.model import Assets, Cell
from grader.names.enumeration import few
from grader.names.visible import files_of

MOST_ASSETS = 500
#: Folders in folders of which files are copied.
_DEEPEST = 9
#: A file that the user who grades may not read.
_CLOSED = (errno.EACCES, errno.EPERM)


@dataclass(frozen=True, slots=True)
class Asset:
    """A regular file: its path in the job folder, an open descriptor for the receiver to close, and whether it runs."""

    path: str
    fd: int
    executable: bool


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A file that the kernel gets no copy of: one too many, too deep or too large, or else ``closed`` to this user."""

    path: str
    closed: OSError | None = None


def opened(assets: Iterable[Assets], most_bytes: int) -> Iterator[Asset | LeftOut]:
    """Each regular file of ``assets``, in order, and what is left out of them.

    Links are not followed: they are passed over in silence, like what is no file, and like what is nobody's work
    (``grader.names.visible``): ``.git`` may hold a token, and a notebook could show it.

    Raises:
        KernelError: this machine cannot read a file now.
    """
    count = 0
    for name, path in files_of(assets):
        try:
            fd = os.open(path, os.O_RDONLY | CAREFULLY)
        except OSError as error:
            if error.errno in _CLOSED:
                yield LeftOut(name, error)
            elif remedy_of_reading(error):
                raise unreadable(name, error) from error
            continue
        about = os.fstat(fd)
        if not stat.S_ISREG(about.st_mode):
            os.close(fd)
            if stat.S_ISDIR(about.st_mode):  # it can be looked into again
                yield LeftOut(name, OSError(errno.EBUSY, name))
            continue
        taken = -(-about.st_size // mmap.PAGESIZE) * mmap.PAGESIZE  # in memory, where it is copied to
        if name.count("/") > _DEEPEST or count == MOST_ASSETS or taken > most_bytes:
            os.close(fd)
            yield LeftOut(name)
            continue
        count, most_bytes = count + 1, most_bytes - taken
        yield Asset(name, fd, bool(about.st_mode & 0o100))


def flags_of(left_out: Sequence[LeftOut], cells: Sequence[Cell]) -> tuple[str, ...]:
    """Remarks on what was not there for ``cells``, if anything.

    Raises:
        KernelError: a cell names a file that this user may not read, or its folder. What it does without it tells
            nothing of the student's work.
    """
    remarks = []
    closed = [(one.path, one.closed) for one in left_out if one.closed is not None]
    for path, error in closed:
        name = re.compile(rf"(?<!\w){re.escape(path.partition('/')[0].removesuffix('.py'))}(?!\w)")
        if any(name.search(cell.source) for cell in cells):
            raise unreadable(path, error) from error
        remarks.append(str(unreadable(path, error)))
    if not (too_many := len(left_out) - len(closed)):
        return few(remarks)
    return (
        *few(remarks),
        f"{too_many} of the files beside the notebook were not there when it ran: "
        f"more than {MOST_ASSETS}, ten folders deep, or more bytes than a submission may write",
    )


def unreadable(path: str, error: OSError, what: str = "read") -> KernelError:
    """The fault that what lies beside the notebook at ``path`` cannot be read, or copied."""
    shown = os.fsencode(path).decode("utf-8", "replace")
    reason = os.strerror(error.errno or errno.EIO).lower()
    return KernelError(f"{shown}, beside the notebook, cannot be {what}: {reason}", remedy=remedy_of_reading(error))
