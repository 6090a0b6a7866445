"""Opening a file that a student controls: regular files only, no links, no waiting, no more than a limit."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from io import BufferedReader
from pathlib import Path

from grader.machine import CAREFULLY, remedy_of_reading


class Refused(Exception):
    """The file must not or cannot be read; the message is a reason for the report, free of the file's content."""


class TooLarge(Refused):
    """The file has more bytes than are read, the archive more than are unpacked."""


class Unavailable(Refused):
    """This user, or this machine now, cannot read the file, and another may; ``remedy`` is what helps."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.remedy = remedy


def kind_of(mode: int) -> str | None:
    """Why a file of this ``st_mode`` is refused, None for a regular file.

    >>> kind_of(stat.S_IFIFO)
    'a named pipe (FIFO), not a file'
    """
    if stat.S_ISREG(mode):
        return None
    for test, reason in (
        (stat.S_ISLNK, "a symbolic link, which is not followed"),
        (stat.S_ISDIR, "a folder, not a file"),
        (stat.S_ISFIFO, "a named pipe (FIFO), not a file"),
        (stat.S_ISSOCK, "a socket, not a file"),
        (stat.S_ISBLK, "a device, not a file"),
        (stat.S_ISCHR, "a device, not a file"),
    ):
        if test(mode):
            return reason
    return "not a regular file"


def reason_for(error: OSError) -> str:
    """In words why a file could not be opened or read, without its name.

    >>> reason_for(PermissionError(errno.EACCES, "…", "/secret"))
    'cannot be read: permission denied'
    """
    if error.errno in (errno.ELOOP, errno.EMLINK):
        return "a symbolic link, which is not followed"
    if error.errno == errno.ENOENT:
        return "has vanished since it was found"
    if error.errno == errno.ENXIO:
        return "a socket or device, not a file"
    text = os.strerror(error.errno) if error.errno else "input/output error"
    return f"cannot be read: {text[:1].lower()}{text[1:]}"


def refusal_for(error: OSError) -> Refused:
    """The refusal of a file that could not be opened or read."""
    remedy = remedy_of_reading(error)
    return Unavailable(reason_for(error), remedy) if remedy else Refused(reason_for(error))


def opened(path: Path, limit: int) -> BufferedReader:
    """Open a regular file of at most ``limit`` bytes for reading, never following a link nor blocking.

    Raises:
        Refused: it is a link, a folder, a pipe, a device or a socket; it is too large or gone.
        Unavailable: it is not permitted, or the machine cannot read it now.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | CAREFULLY)
    except OSError as error:
        raise refusal_for(error) from None
    except ValueError:  # a NUL in the name
        raise Refused("cannot be read: its name is not one that a file can have") from None
    try:
        status = os.fstat(descriptor)
        reason = kind_of(status.st_mode)
        if reason is not None:
            raise Refused(reason)
        if status.st_size > limit:
            raise TooLarge(too_large(status.st_size, limit))
        return os.fdopen(descriptor, "rb")
    except BaseException:
        with suppress(OSError):
            os.close(descriptor)
        raise


def content(path: Path, limit: int) -> bytes:
    """The bytes of a regular file of at most ``limit`` bytes.

    Raises:
        Refused: as ``opened``, and where the file grows past the limit or fails while it is read.
    """
    with opened(path, limit) as file:
        try:
            data = file.read(limit + 1)
        except OSError as error:
            raise refusal_for(error) from None
    if len(data) > limit:
        raise TooLarge(too_large(len(data), limit))
    return data


def too_large(size: int, limit: int) -> str:
    """The reason for a file over the limit.

    >>> too_large(30 * 1024**2, 25 * 1024**2)
    'too large: 30.0 MB, at most 25.0 MB are read'
    """
    return f"too large: {size / 1024**2:.1f} MB, at most {limit / 1024**2:.1f} MB are read"
