"""A file is written whole or stays as it was."""

from __future__ import annotations

import errno
import os
import resource
from pathlib import Path
from unittest.mock import Mock

import pytest

from grader import atomic


def test_write_makes_the_folder_and_replaces_a_link(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "file").symlink_to(tmp_path / "mine")

    for name in ("deep/file", "new/file"):
        atomic.write(tmp_path / name, b"text")

    assert (tmp_path / "mine").read_text() == "mine"
    assert {path.read_text() for path in tmp_path.glob("*/file")} == {"text"}


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600)])
def test_write_lets_those_read_whom_the_umask_lets(umask: int, mode: int, tmp_path: Path) -> None:
    before = os.umask(umask)
    try:
        atomic.write(tmp_path / "file", b"text")
    finally:
        os.umask(before)

    assert (tmp_path / "file").stat().st_mode & 0o777 == mode


@pytest.mark.parametrize("name", ["pipe", "link"])
def test_write_replaces_no_pipe_or_device_nor_a_link_to_one(name: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")

    with pytest.raises(FileExistsError, match="no regular file") as raised:
        atomic.write(tmp_path / name, b"text")

    assert raised.value.filename == str(tmp_path / name)
    assert (tmp_path / "pipe").is_fifo()
    assert (tmp_path / "link").is_symlink()


def test_write_to_a_disk_that_is_read_only_names_the_file_asked_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    read_only = OSError(errno.EROFS, "Read-only file system", "unfinished")
    monkeypatch.setattr(Path, "open", Mock(side_effect=read_only))
    monkeypatch.setattr(Path, "unlink", Mock(side_effect=read_only))

    with pytest.raises(OSError, match="Read-only") as raised:
        atomic.write(tmp_path / "file", b"text")

    assert raised.value.filename == str(tmp_path / "file")


def test_write_that_fails_leaves_what_was_there_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "file").mkdir()

    with pytest.raises(IsADirectoryError) as raised:
        atomic.write(tmp_path / "file", b"text")

    assert raised.value.filename == str(tmp_path / "file")

    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_write_that_is_interrupted_leaves_what_was_there_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    written: list[str] = []

    def interrupted(unfinished: Path, _: Path) -> None:
        written.append(unfinished.name)
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupted)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            atomic.write(tmp_path / "file", b"text")

    assert list(tmp_path.iterdir()) == []
    assert len(set(written)) == 2  # for another process may write the same file


def test_write_that_ends_halfway_leaves_what_was_there_and_says_which_file_it_is(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("old")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        with pytest.raises(OSError, match="File too large") as raised:
            atomic.write(tmp_path / "file", bytes(200_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    assert raised.value.filename == str(tmp_path / "file")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("file", "old")]
