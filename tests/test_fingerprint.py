"""What was graded is graded again when anything of the course has changed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from grader.course.loading import load_course
from grader.fingerprint import course_digest, fingerprint
from grader.gradebook import RunSettings
from grader.model import Limits, Submission
from tests.course.courses import COURSE


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


def test_fingerprint_gets_through_a_folder_of_any_depth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for _ in range(1_500):
        Path("x").mkdir()
        monkeypatch.chdir("x")
    submission = Submission("ada", "nb.ipynb", tmp_path / "nb.ipynb", "ada/nb.ipynb", sha256="", assets=tmp_path)

    assert fingerprint(submission, RunSettings("1", "c", 1, "2", "none"), Limits(), "")

    monkeypatch.chdir(tmp_path)
    os.removedirs("x/" * 1_500)
