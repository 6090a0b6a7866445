"""Folders that student code filled are gone, whatever it did to them."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from grader.kernel.removal import empty, remove


def test_folder_deeper_than_a_path_can_be_long_is_removed(tmp_path: Path) -> None:
    (tmp_path / "job").mkdir()
    here = os.open(tmp_path / "job", os.O_RDONLY)
    for _ in range(2000):
        os.mkdir("deeper", dir_fd=here)
        os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=here))
        below = os.open("deeper", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    remove(tmp_path / "job")
    assert list(tmp_path.iterdir()) == []


def test_folder_is_empty_and_still_there(tmp_path: Path) -> None:
    (tmp_path / "job" / "a" / "b").mkdir(parents=True)
    (tmp_path / "job" / "a" / "file").touch()
    empty(tmp_path / "job")
    assert list((tmp_path / "job").iterdir()) == []


def test_folders_without_permissions_are_removed(tmp_path: Path) -> None:
    inner = tmp_path / "job" / "a" / "b"
    inner.mkdir(parents=True)
    (inner / "file").touch()
    for place in (inner, inner.parent, tmp_path / "job"):
        place.chmod(0)
    remove(tmp_path / "job")
    assert list(tmp_path.iterdir()) == []


def test_links_are_removed_and_what_they_lead_to_is_as_it_was(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir(mode=0o500)
    (tmp_path / "job").mkdir()
    (tmp_path / "job" / "link").symlink_to(other)
    (tmp_path / "job" / "nowhere").symlink_to(tmp_path / "nowhere")
    remove(tmp_path / "job")
    assert list(tmp_path.iterdir()) == [other]
    assert stat.S_IMODE(other.stat().st_mode) == 0o500


@pytest.mark.parametrize("kind", ["absent", "file"])
def test_what_is_no_folder_raises_nothing(kind: str, tmp_path: Path) -> None:
    if kind == "file":
        (tmp_path / "job").touch()
    remove(tmp_path / "job")
