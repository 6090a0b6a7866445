"""Which places of an installed course no graded notebook may read."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest

from grader.course.loading import load_course
from grader.course.privacy import private_places
from tests.course.courses import COURSE


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of packages, on the path."""
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def test_private_is_the_outermost_package(site: Path) -> None:
    (site / "pack_a/weeks").mkdir(parents=True)
    (site / "pack_a/__init__.py").write_text("raise SystemExit  # is not imported")
    assert private_places(["pack_a.weeks.one"]) == (site / "pack_a",)


def test_private_is_what_lies_below_a_name_space(site: Path) -> None:
    (site / "space_a/course").mkdir(parents=True)
    (site / "space_a/other").mkdir()
    (site / "space_a/course/__init__.py").touch()
    assert private_places(["space_a.course"]) == (site / "space_a/course",)


def test_private_is_a_module_with_what_was_compiled_of_it(site: Path) -> None:
    (site / "__pycache__").mkdir()
    for name in ("alone_a.py", "__pycache__/alone_a.cpython-311.pyc", "__pycache__/alone_ab.cpython-311.pyc"):
        (site / name).touch()
    assert private_places(["alone_a"]) == (site / "alone_a.py", site / "__pycache__/alone_a.cpython-311.pyc")


def test_private_is_also_where_links_lead(site: Path) -> None:
    (site / "elsewhere").mkdir()
    (site / "elsewhere/__init__.py").touch()
    (site / "linked_a").symlink_to("elsewhere")
    assert private_places(["linked_a"]) == (site / "linked_a", site / "elsewhere")


@pytest.mark.parametrize("module", ["grader.course.autograd", "sys", "not_there_a", "not_there_a.b", "no_file_a"])
def test_nothing_is_private_of_what_is_the_graders_or_nowhere(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "no_file_a", ModuleType("no_file_a"))  # as ``__main__`` is of a script
    assert private_places([module]) == ()


def test_nothing_is_private_of_a_module_that_says_no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "placeless_a", ModuleType("placeless_a"))
    assert private_places(["placeless_a"]) == ()


def test_private_of_a_course_are_its_own_places_and_those_of_the_installed_ones(site: Path) -> None:
    for name in ("asked_a", "other_a"):
        (site / f"{name}.py").write_text(COURSE)
    about = site / "other_a-0.1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: other_a\nVersion: 0.1\n")
    (about / "entry_points.txt").write_text("[grader.courses]\nother_a = other_a\n")
    course = load_course(str(site / "asked_a.py"))
    assert {place for place in course.private if place.suffix == ".py"} == {site / "asked_a.py", site / "other_a.py"}
