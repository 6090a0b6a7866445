"""Courses by path, by module and by entry point, and each way in which one cannot be loaded."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from grader.course.loading import known_courses, load_course
from grader.errors import CourseError
from grader.model import Assets
from tests.course.courses import COURSE, write_course
from tests.samples import ROOT


@pytest.fixture(autouse=True)
def _modules_left_as_they_were(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    for name in ("small", "small_course", "lessons"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    before = set(sys.modules)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    for name in set(sys.modules) - before:
        file = str(getattr(sys.modules[name], "__file__", "") or "")
        if file.startswith(str(tmp_path)):
            del sys.modules[name]


def install(folder: Path, name: str, module: str) -> None:
    """An installed distribution with one entry point, in a folder that is on ``sys.path``."""
    about = folder / f"{name}-0.1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.1\n")
    (about / "entry_points.txt").write_text(f"[grader.courses]\n{name} = {module}\n")


def refused(name: str) -> CourseError:
    with pytest.raises(CourseError) as caught:
        load_course(name)
    return caught.value


def test_course_is_loaded_by_path_again_and_again(tmp_path: Path) -> None:
    path = write_course(tmp_path)
    course = load_course(str(path))
    assert (course.name, list(course.exercises), course.notebooks) == ("small", ["double_grad"], ("doubling",))
    assert course.exercises_dir == tmp_path / "exercises"
    assert load_course(str(path)) == course


def test_course_of_a_name_that_is_taken_is_loaded_beside_it(tmp_path: Path) -> None:
    (tmp_path / "json.py").write_text(COURSE)
    assert list(load_course(str(tmp_path / "json.py")).exercises) == ["double_grad"]
    assert "double_grad" not in vars(sys.modules["json"])
    assert load_course(str(tmp_path / "json.py")) == load_course(str(tmp_path / "json.py"))


def test_package_is_loaded_with_its_submodules_but_the_private_ones(tmp_path: Path) -> None:
    package = tmp_path / "lessons"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "first.py").write_text(COURSE)
    (package / "second.py").write_text(COURSE.replace("double_grad", "twice_grad").replace('"doubling"', '"again"'))
    (package / "__pycache__").mkdir()
    (package / "__pycache__" / "first.pyc").touch()
    (package / "_draft.py").write_text("1 / 0\n")
    course = load_course(str(package))
    assert (course.name, list(course.exercises)) == ("lessons", ["twice_grad", "double_grad"])  # by notebook
    assert course.exercises_dir is None
    assert [file.name for file in course.files] == ["__init__.py", "_draft.py", "first.py", "second.py"]


@pytest.mark.parametrize("value", ["small", "small:COURSE"])
def test_course_is_loaded_by_entry_point_and_by_module(tmp_path: Path, value: str) -> None:
    write_course(tmp_path)
    install(tmp_path, "lessons", value)
    assert "lessons" in known_courses()
    assert load_course("lessons").exercises == load_course("small").exercises


@pytest.mark.parametrize(("given", "found"), [('"released"', True), ('"nowhere"', False)])
def test_exercises_is_a_folder_seen_from_the_course(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str, *, found: bool
) -> None:
    path = write_course(tmp_path, course=f"{COURSE}\nEXERCISES = {given}\n")
    (tmp_path / "released").mkdir()
    monkeypatch.chdir("/")
    assert load_course(str(path)).exercises_dir == (tmp_path / "released" if found else None)


def test_what_is_released_with_the_notebooks_is_there_for_every_notebook(tmp_path: Path) -> None:
    path = write_course(tmp_path)
    released = tmp_path / "exercises"
    (released / "images").mkdir()
    for name in ("data.csv", "images/net.png", "doubling.ipynb", ".secret"):
        (released / name).write_text("1")
    (released / "link.csv").symlink_to(tmp_path / "small.py")
    names = {"data.csv": "data.csv", "images/net.png": "images/net.png"}
    assert load_course(str(path)).assets == (Assets(released, names=names),)


def test_course_that_lies_in_its_exercises_folder_gives_notebooks_nothing_of_it(tmp_path: Path) -> None:
    path = write_course(tmp_path, course=f"{COURSE}\nEXERCISES = '.'\n")
    (tmp_path / "solutions" / "secret.csv").write_text("1")
    assert load_course(str(path)).assets == ()


#: id → the course's file, words of the message, words of the remedy.
BROKEN = {
    "empty": ("COURSE = 'empty'\n", "holds no exercise", "docs/authors.md"),
    "syntax": ("x = 1\ny = (\n", "SyntaxError", "small.py, line 2"),
    "fault": ("x = 1\nnormall('n')\n", "NameError: name 'normall' is not defined", "small.py, line 2"),
    "fault in a library": (
        "import json\ndef data():\n    return json.loads('')\ndata()\n",
        "JSONDecodeError",
        "small.py, line 3",
    ),
    "call left out": (
        COURSE.replace('    call="double_grad(inp, out)",\n', ""),
        "argument: 'call'",
        "small.py, line 12",
    ),
    "not installed": ("import no_such_module\n", "No module named 'no_such_module'", "install what it needs"),
    "relative import in a file": ("from . import shapes\n", "no known parent package", "an __init__.py, and name the"),
    "broken declaration": (COURSE.replace('"inp.g": 2', ""), "exercise 'double_grad', field 'points'", "points={"),
    "follows nothing": (
        COURSE.replace("points=", 'follows=("treble",), points='),
        "exercise 'double_grad', field 'follows': 'treble' is no exercise",
        "double_grad",
    ),
    "follows itself": (
        COURSE.replace("points=", 'follows=("double_grad",), points='),
        "exercise 'double_grad', field 'follows': goes round in a circle: 'double_grad' follows 'double_grad'",
        "stub calls",
    ),
}


def _three(follows: Mapping[str, str]) -> str:
    one = COURSE.partition("@exercise")[2]
    parts = (
        "@exercise" + one.replace("double_grad", name).replace("points=", f'follows=("{other}",), points=')
        for name, other in follows.items()
    )
    return COURSE + "".join(f"\n\n{part}" for part in parts)


def test_exercises_that_follow_in_a_circle_are_refused_and_a_row_of_them_is_not(tmp_path: Path) -> None:
    (tmp_path / "row.py").write_text(_three({"b": "c", "c": "double_grad"}))
    assert set(load_course(str(tmp_path / "row.py")).exercises) == {"double_grad", "b", "c"}
    (tmp_path / "circle.py").write_text(_three({"a": "b", "b": "c", "c": "b"}))
    with pytest.raises(CourseError, match="'b' follows 'c' follows 'b'"):
        load_course(str(tmp_path / "circle.py"))


@pytest.mark.parametrize("case", BROKEN)
@pytest.mark.parametrize("by", ["path", "entry point"])
def test_course_that_cannot_be_loaded_says_what_and_where(tmp_path: Path, case: str, by: str) -> None:
    text, message, remedy = BROKEN[case]
    path = write_course(tmp_path, course=text)
    if by == "entry point":
        install(tmp_path, "lessons", "small")
    error = refused(str(path) if by == "path" else "lessons")
    assert message in str(error)
    assert remedy in error.remedy
    if by == "path" and case in ("fault", "broken declaration"):
        assert "small" not in sys.modules  # half of it, which would be taken for the course the next time


def test_exercise_declared_in_two_modules_is_refused(tmp_path: Path) -> None:
    package = tmp_path / "lessons"
    package.mkdir()
    for name in ("__init__", "first", "second"):
        (package / f"{name}.py").write_text("" if name == "__init__" else COURSE)
    error = refused(str(package))
    assert (error.exercise, error.field) == ("double_grad", "id")
    assert "declared twice" in str(error)
    assert "rename" in error.remedy


def test_broken_submodule_is_named(tmp_path: Path) -> None:
    package = tmp_path / "lessons"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "first.py").write_text("\n1 / 0\n")
    error = refused(str(package))
    assert "lessons.first" in str(error)
    assert error.remedy.endswith("first.py, line 2")


def test_entry_point_to_nowhere_says_that_the_installation_is_broken(tmp_path: Path) -> None:
    install(tmp_path, "lessons", "no_such_module")
    error = refused("lessons")
    assert "is installed, but its module 'no_such_module' is not there" in str(error)
    assert "install the course again" in error.remedy


@pytest.mark.parametrize("name", ["no_such_course", "no-such-course", "grader.no_such_part"])
def test_unknown_course_names_those_that_are_installed(name: str) -> None:
    error = refused(name)
    assert f"there is no course {name!r}" in str(error)
    assert "autograd" in error.remedy


@pytest.mark.parametrize("name", ["course.py", "./course", "no-such/course.py"])
def test_path_of_a_course_that_is_not_there_is_told_as_such(name: str) -> None:
    error = refused(name)
    assert f"there is no course {name!r}: no such file or folder" in str(error)
    assert "autograd" in error.remedy


@pytest.mark.parametrize("name", ["notes.txt", "folder"])
def test_path_that_is_no_course_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "notes.txt").write_text("")
    (tmp_path / "folder").mkdir()
    error = refused(str(tmp_path / name))
    assert "is no course" in str(error)
    assert "__init__.py" in error.remedy


def test_course_that_ends_the_process_is_broken(tmp_path: Path) -> None:
    (tmp_path / "ending.py").write_text("import sys\nsys.exit(0)\n")
    with pytest.raises(CourseError, match="SystemExit"):
        load_course(str(tmp_path / "ending.py"))


def test_two_forward_passes_of_one_name_are_refused(tmp_path: Path) -> None:
    declared = COURSE[COURSE.index("@exercise") :]
    file = tmp_path / "twice.py"
    file.write_text(text := COURSE + "\n\n" + declared)
    first, second = (number for number, line in enumerate(text.split("\n"), 1) if line.startswith("@exercise"))
    assert f"is declared twice, first in {file}, line {first} ({file}, line {second})" in str(refused(str(file)))


def instructors_python() -> list[str]:
    """The Python code in the instructors' guide: how to see the tensors of a case, and a course."""
    guide = (ROOT / "docs/instructors.md").read_text(encoding="utf-8")
    return re.findall(r"```python\n(.+?)```", guide, re.S)


def test_tensors_of_a_case_are_printed_as_the_instructors_guide_says(capsys: pytest.CaptureFixture[str]) -> None:
    source, _ = instructors_python()
    exec(compile(source, "docs/instructors.md", "exec"), {})
    assert capsys.readouterr().out.startswith("random values: n=")


def test_course_of_a_file_may_have_bundled_notebooks_beside_its_own(tmp_path: Path) -> None:
    _, source = instructors_python()
    (tmp_path / "ours_and_theirs.py").write_text(source, encoding="utf-8")
    course = load_course(str(tmp_path / "ours_and_theirs.py"))
    assert (course.name, course.notebooks) == ("ours", ("03_backprop", "10_softplus"))
    assert [*course.exercises] == ["lin_grad", "relu_grad", "mse_grad", "forward_and_backward", "softplus_grad"]
