from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.submission.attribution.file_names import FileNames, is_version, stems_in

KNOWN = ["03_backprop", "04_layers"]
#: What a student may be called in a file's name, and no version of a notebook is.
STUDENTS = st.from_regex(r"[b-z]{3,10}[0-9]{0,2}", fullmatch=True).filter(lambda name: not is_version(name))


def _divided(stems: list[str], *, guessing: bool = True) -> list[tuple[str, str]]:
    names = FileNames([f"{stem}.ipynb" for stem in stems], KNOWN, guessing=guessing)
    return [names.divided(stem) for stem in stems]


@given(st.lists(STUDENTS, min_size=1, max_size=5, unique=True), st.sampled_from("_-"))
def test_students_before_a_known_notebook(students: list[str], between: str) -> None:
    stems = [f"{student}{between}03_backprop" for student in students]
    assert _divided(stems) == [(student, "03_backprop") for student in students]


@given(st.lists(STUDENTS, min_size=2, max_size=5, unique=True), st.sampled_from(["03_backprop", "backprop"]))
def test_several_students_behind_a_known_notebook(students: list[str], notebook: str) -> None:
    stems = [f"{notebook}_{student}" for student in students]
    assert _divided(stems) == [(student, notebook) for student in students]


@given(st.lists(STUDENTS, min_size=2, max_size=5, unique=True))
def test_files_called_after_their_students(students: list[str]) -> None:
    assert _divided(students) == [(student, "") for student in students]


@pytest.mark.parametrize("stem", ["03_backprop", "03_backprop-Copy1", "backprop", "homework", "HW3"])
def test_notebooks_name_alone_is_nobodys(stem: str) -> None:
    (student, _), *_ = _divided([stem])
    assert student == ""


def test_versions_of_one_notebook_are_no_students() -> None:
    assert [student for student, _ in _divided(["03_backprop_final", "03_backprop_v2", "03_backprop"])] == ["", "", ""]


def test_version_behind_a_student_who_is_there_is_none_where_it_may_be_a_name() -> None:
    behind = ["smith", "smith_v", "smith_v2", "le", "le_my", "le_final"]
    students = [student for student, _ in _divided([f"03_backprop_{name}" for name in behind])]
    assert students == ["smith", "smith_v", "smith", "le", "le_my", "le"]


def test_what_stands_before_the_first_underscore_is_a_guess() -> None:
    assert _divided(["ada_mywork"]) == [("ada", "mywork")]
    assert _divided(["ada_mywork"], guessing=False) == [("", "ada_mywork")]


@pytest.mark.parametrize(
    ("folder", "student"),
    [("HW3_ada", "ada"), ("alan HW3", "alan"), ("backprop-zoe", "zoe"), ("HW3", ""), ("ada", ""), ("HW3_final", "")],
)
def test_student_beside_a_sheets_or_a_notebooks_name_in_a_folders(folder: str, student: str) -> None:
    assert FileNames([], KNOWN).beside_sheet(folder) == student


def test_stems_in_a_notebooks_name_of_another_case_are_found() -> None:
    assert stems_in("Ada 03_BackProp (1).ipynb", KNOWN) == {"03_backprop"}
