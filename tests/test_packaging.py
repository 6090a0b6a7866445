"""What is released: all that the grader needs, no answer, and one version wherever one is written."""

from __future__ import annotations

import re
import tarfile
import zipfile
from pathlib import Path

import pytest
from hatchling.build import build_sdist, build_wheel

from grader._version import __version__
from tests.samples import ROOT

#: How documents and workflows name a release.
_RELEASE = re.compile(r"autograd-grader==([\w.]+)|/grade@v([\w.]+)")
_EXERCISES = "grader/course/autograd/exercises"


def files_below(folder: Path, shown: str) -> set[str]:
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return {f"{shown}/{path.as_posix()}" for path in found if "__pycache__" not in path.parts}


def test_wheel_holds_the_package_and_the_exercises_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    with zipfile.ZipFile(tmp_path / build_wheel(str(tmp_path))) as wheel:
        assert wheel.testzip() is None
        found = {name for name in wheel.namelist() if ".dist-info/" not in name}
        released = {path.name: path.read_bytes() for path in (ROOT / "exercises").iterdir()}
        assert {name: wheel.read(f"{_EXERCISES}/{name}") for name in released} == released
    assert found == files_below(ROOT / "grader", "grader") | {f"{_EXERCISES}/{name}" for name in released}


def test_source_distribution_holds_no_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    with tarfile.open(tmp_path / build_sdist(str(tmp_path))) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "README.md", "docs/instructors.md", "exercises/03_backprop.ipynb"} <= names
    assert not [name for name in names if name.startswith(("solutions", "tests"))]


def test_linter_before_a_commit_is_that_of_ci() -> None:
    (pinned,) = re.findall(r"^ruff==(.+)$", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.MULTILINE)
    assert f"rev: v{pinned}\n" in (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")


def test_version_is_the_same_wherever_a_release_is_named() -> None:
    files = [ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *(ROOT / ".github").rglob("*.yml")]
    texts = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in files}
    named = {name: {a or b for a, b in _RELEASE.findall(text)} for name, text in texts.items()}
    assert sum(map(bool, named.values())) >= 3
    assert {name: found for name, found in named.items() if found - {__version__}} == {}
