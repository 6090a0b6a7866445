from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.submission.files.finding import Found, found_below, hidden_with_notebooks
from tests.submission.collecting.test_collection import made


def paths(found: list[Found]) -> list[str]:
    return ["/".join(item.parts) for item in found if not item.obstacle]


def obstacles(found: list[Found]) -> dict[str, str]:
    return {"/".join(item.parts): item.refused or "" for item in found if item.obstacle}


@pytest.mark.parametrize("odd", ["alan", "zoe"], ids=["before the others", "behind the others"])
def test_found_below_passes_over_what_is_nobodys_work_and_goes_on(odd: str, tmp_path: Path) -> None:
    files = [f"{odd}/{name}" for name in ("lib/pyvenv.cfg", "lib/lib/x.ipynb", "old/x.ipynb", "pkg/x.ipynb")]
    made(tmp_path, "pyvenv.cfg", "bin/x.ipynb", "grace/x.ipynb", *files)
    found, folders = found_below(tmp_path, skip=tmp_path / odd / "old")
    assert sorted(paths(found)) == sorted(["grace/x.ipynb", f"{odd}/pkg/x.ipynb"])
    assert (sorted(folders), obstacles(found)) == (sorted(["grace", odd]), {})
    assert paths(found_below(tmp_path, skip=tmp_path / odd)[0]) == ["grace/x.ipynb"]


@pytest.mark.parametrize("odd", ["alan", "zoe"], ids=["before the others", "behind the others"])
@pytest.mark.parametrize("above", [(), ("class.zip",)], ids=["a folder", "an archive"])
def test_found_below_looks_at_so_many_files_of_each_student(above: tuple[str, ...], odd: str, tmp_path: Path) -> None:
    many = [f"{odd}/{folder}/{n}.ipynb" for folder in ("a", "b") for n in range(4)]
    made(tmp_path, "grace/x.ipynb", "grace/y.ipynb", *many)
    found, _ = found_below(tmp_path, above, most=6)
    place = "/".join((*above, ""))
    assert {path for path in paths(found) if "grace" in path} == {f"{place}grace/x.ipynb", f"{place}grace/y.ipynb"}
    assert obstacles(found) == {f"{place}{odd}/a": "too many or too deeply nested files to look through"}


def test_hidden_with_notebooks_names_folders_that_may_be_a_students(tmp_path: Path) -> None:
    theirs = [".ada/x.ipynb", ".bob/hw/x.ipynb"]
    others = [".git/x.ipynb", ".ipynb_checkpoints/x.ipynb", ".cyd/notes.txt", "dan/x.ipynb", ".x.ipynb"]
    made(tmp_path, *theirs, *others)
    (tmp_path / ".link").symlink_to(tmp_path / "dan")
    assert hidden_with_notebooks(tmp_path) == [".ada", ".bob"]
    assert hidden_with_notebooks(tmp_path / "nowhere") == []


def test_found_below_looks_into_no_folder_that_is_too_deep(tmp_path: Path) -> None:
    deep = [f"{'d/' * depth}x.ipynb" for depth in (40, 41)]
    found, _ = found_below(made(tmp_path, *deep))
    assert paths(found) == [deep[0]]
    assert obstacles(found) == {"/".join("d" * 41): "too many or too deeply nested files to look through"}


def test_found_below_follows_no_link_and_names_those_that_hide_a_notebook(tmp_path: Path) -> None:
    made(tmp_path, "ada/x.ipynb")
    for name, target in {"data": "ada/x.ipynb", "none": "nowhere", "long": "x" * 300, "work": "ada"}.items():
        (tmp_path / name).symlink_to(target)
    (tmp_path / "a.zip").symlink_to("ada/x.ipynb")
    (tmp_path / "b.ipynb").symlink_to("ada/x.ipynb")
    found, folders = found_below(tmp_path)
    assert (paths(found), folders) == (["ada/x.ipynb", "b.ipynb"], ["ada"])
    assert obstacles(found) == {
        "a.zip": "a symbolic link, which is not followed",
        "work": "a symbolic link to a folder, which is not followed",
    }


def test_found_below_tells_of_a_link_to_nowhere_that_may_be_a_students_folder(tmp_path: Path) -> None:
    made(tmp_path, "ada/x.ipynb")
    for name in ("cleo", "ada/data"):
        (tmp_path / name).symlink_to("/nowhere/at/all")
    (tmp_path / "readme").symlink_to("ada/x.ipynb")
    told = "a symbolic link, and what it leads to cannot be looked at: no such file or directory"
    assert obstacles(found_below(tmp_path)[0]) == {"cleo": told}
    made(tmp_path, "y.ipynb")  # by files of their own, or in the folder of one of them
    assert obstacles(found_below(tmp_path)[0]) == {}


def test_found_below_goes_on_where_a_folder_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scandir = os.scandir

    def refusing(path: Path) -> object:
        if path.name == "closed":
            raise PermissionError(errno.EACCES, "secret")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    found, _ = found_below(made(tmp_path, "ada/x.ipynb", "zoe/closed/", "zoe/x.ipynb"))
    assert paths(found) == ["ada/x.ipynb", "zoe/x.ipynb"]
    assert obstacles(found) == {"zoe/closed": "the folder cannot be read: permission denied"}


def test_found_below_leaves_what_cannot_be_looked_at_to_whoever_opens_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(tmp_path, "ada/x.ipynb", "ada/x.py", "ada/x.zip")
    scandir = os.scandir

    class Locked:
        """An entry of a folder that may be listed and not entered."""

        def __init__(self, entry: os.DirEntry[str]) -> None:
            self.name, self.path = entry.name, entry.path

        def is_dir(self, *, follow_symlinks: bool = True) -> bool:
            return False

        def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), self.path)

    @contextlib.contextmanager
    def listed(folder: Path) -> Iterator[list[os.DirEntry[str] | Locked]]:
        with scandir(folder) as entries:
            yield [Locked(one) if one.name.startswith("x.") else one for one in entries]

    monkeypatch.setattr(os, "scandir", listed)
    found, _ = found_below(tmp_path)
    refused = {item.parts[-1]: item.refused for item in found}
    assert refused == dict.fromkeys(["x.ipynb", "x.zip"])
