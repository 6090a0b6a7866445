"""What was graded is graded again when anything of the course has changed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from grader.course.loading import load_course
from grader.fingerprint import course_digest, files_digest, fingerprint
from grader.gradebook.run_head import RunSettings
from grader.model import Assets, Cell, Limits, Submission
from tests.course.courses import COURSE, write_course


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A course that is a package, with data, a helper and released notebooks."""
    folder = tmp_path / "packaged"
    (folder / "exercises").mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    (folder / "small.py").write_text(COURSE)
    (folder / "_helper.py").write_text("FACTOR = 2\n")
    (folder / "data.csv").write_text("1,2\n")
    (folder / "exercises" / "doubling.ipynb").write_text("{}")
    return folder


@pytest.mark.parametrize("name", ["small.py", "_helper.py", "data.csv", "exercises/doubling.ipynb"])
def test_digest_changes_with_any_file_of_a_package(package: Path, name: str) -> None:
    course = load_course(str(package))
    before = course_digest(course)
    with (package / name).open("a") as file:
        file.write("\n")

    assert course_digest(course) != before


def test_digest_ignores_what_python_compiled_and_what_lies_beside_a_single_file(package: Path) -> None:
    alone = load_course(str(package / "small.py"))
    whole = load_course(str(package))
    before = course_digest(alone), course_digest(whole)
    (package / "__pycache__").mkdir(exist_ok=True)
    (package / "__pycache__" / "x.pyc").write_text("")
    assert course_digest(whole) == before[1]
    (package / "_helper.py").write_text("FACTOR = 3\n")

    assert course_digest(alone) == before[0]


def test_digest_changes_with_data_that_a_course_in_a_file_releases(tmp_path: Path) -> None:
    path = write_course(tmp_path)
    (tmp_path / "exercises" / "data.csv").write_text("1\n")
    before = course_digest(load_course(str(path)))
    (tmp_path / "exercises" / "data.csv").write_text("2\n")

    assert course_digest(load_course(str(path))) != before


def _mark(folder: Path, *, notebook: str = "nb.ipynb", code: str = "", written: int = 10**6) -> str:
    submission = Submission(
        "ada",
        notebook,
        folder / notebook,
        f"ada/{notebook}",
        sha256="",
        cells=(Cell(0, code, None),),
        assets=(Assets(folder),),
    )
    limits = Limits(written=written)
    return fingerprint(submission, RunSettings("1", "c", 1, "2", "none"), limits, "", files_digest(submission, limits))


def test_fingerprint_changes_with_the_notebook_s_name(tmp_path: Path) -> None:
    assert _mark(tmp_path) != _mark(tmp_path, notebook="hw.ipynb")


def test_fingerprint_changes_with_a_file_behind_one_that_is_too_large(tmp_path: Path) -> None:
    (tmp_path / "data.bin").write_bytes(bytes(100_000))
    (tmp_path / "helper.py").write_text("A = 1\n")
    before = _mark(tmp_path, written=10_000)
    (tmp_path / "helper.py").write_text("A = 2\n")

    assert _mark(tmp_path, written=10_000) != before


@pytest.mark.parametrize(("code", "changes"), [("%run other.ipynb", True), ("import numpy", False)])
def test_fingerprint_changes_with_another_notebook_that_may_be_run(code: str, changes: bool, tmp_path: Path) -> None:
    (tmp_path / "other.ipynb").write_text("{}")
    before = _mark(tmp_path, code=code)
    (tmp_path / "other.ipynb").write_text("[]")

    assert (_mark(tmp_path, code=code) != before) is changes


def test_fingerprint_gets_through_a_folder_of_any_depth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for _ in range(1_500):
        Path("x").mkdir()
        monkeypatch.chdir("x")

    assert _mark(tmp_path)

    monkeypatch.chdir(tmp_path)
    os.removedirs("x/" * 1_500)
