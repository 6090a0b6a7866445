"""Memory files: what is sealed stays as it is, and what is writable stays as large as it is."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from unittest.mock import Mock

import psutil
import pytest

from grader.kernel.protocol import memfiles


def test_contents_are_all_bytes_wherever_the_offset_stands() -> None:
    fd = memfiles.sealed(b"seven " * 100_000)
    os.lseek(fd, 5, os.SEEK_SET)

    assert memfiles.contents(fd) == b"seven " * 100_000
    os.close(fd)


@pytest.mark.parametrize(
    "change",
    [lambda fd: os.pwrite(fd, b"x", 0), lambda fd: os.ftruncate(fd, 1), lambda fd: os.ftruncate(fd, 100)],
    ids=["written", "shrunk", "grown"],
)
def test_sealed_file_cannot_be_changed(change: Callable[[int], object]) -> None:
    fd = memfiles.sealed(b"abc")
    with pytest.raises(PermissionError):
        change(fd)

    assert memfiles.contents(fd) == b"abc"
    os.close(fd)


@pytest.mark.parametrize(
    "make", [lambda: memfiles.sealed(b"abc"), lambda: memfiles.writable(4)], ids=["sealed", "writable"]
)
def test_file_that_cannot_be_filled_is_closed(make: Callable[[], int], monkeypatch: pytest.MonkeyPatch) -> None:
    before = psutil.Process().num_fds()
    monkeypatch.setattr(memfiles, "_seal", Mock(side_effect=OSError(errno.ENOMEM, "no room")))
    with pytest.raises(OSError, match="no room"):
        make()
    assert psutil.Process().num_fds() == before


def test_writable_file_takes_writing_and_keeps_its_size() -> None:
    fd = memfiles.writable(4)
    os.pwrite(fd, b"ab", 1)
    for size in (3, 5):
        with pytest.raises(PermissionError):
            os.ftruncate(fd, size)

    assert memfiles.contents(fd) == b"\0ab\0"
    os.close(fd)
