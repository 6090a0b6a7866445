"""What one student handed in once and is found twice is one attempt, and what only looks so is two."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.submission.archives import collect, zip_of

HELPED = {"hw.ipynb": "from helper import x", "helper.py": "x = 1"}
OPENS = {"hw.ipynb": "%run 01.ipynb", "01.ipynb": "x = 1"}


def written(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_two_downloads_of_one_assignment_flag_who_handed_in_another_notebook_alone(tmp_path: Path) -> None:
    people = {f"{name}_{number}_assignsubmission_file_": number for number, name in enumerate(("Ada L", "Alan T"), 501)}
    for download, ada in (("a", "early"), ("b", "late")):
        files = {f"{folder}/hw.ipynb": ada if number == 501 else "same" for folder, number in people.items()}
        zip_of(tmp_path / f"{download}.zip", {name: text.encode() for name, text in files.items()})

    found = collect([tmp_path / "a.zip", tmp_path / "b.zip"])
    assert [(one.student, one.shown_path.partition("!")[0], len(one.flags)) for one in found] == [
        ("Ada L", "a.zip", 1), ("Ada L", "b.zip", 1), ("Alan T", "a.zip", 0),
    ]  # fmt: skip
    assert found.remarks == (
        "1 notebook is passed over, for its student has another that is equal, with equal files beside it: "
        "b.zip!Alan T_502_assignsubmission_file_/hw.ipynb",
    )


@pytest.mark.parametrize(
    ("first", "second", "count"),
    [
        (HELPED, {}, 1),
        (HELPED, {"helper.py": "x = 2"}, 2),
        (HELPED, {"other.py": ""}, 2),
        (HELPED, {"hw.ipynb": "from helper import y"}, 2),
        (HELPED, {"02.ipynb": "on the way"}, 1),
        (OPENS, {}, 1),
        (OPENS, {"01.ipynb": "x = 2"}, 2),
    ],
    ids=["same", "other_helper", "helper_more", "other_notebook", "notebook_more", "opens_same", "opens_other"],
)
def test_equal_notebooks_are_one_attempt_with_equal_files_beside_them(
    first: Mapping[str, str], second: Mapping[str, str], count: int, tmp_path: Path
) -> None:
    written(tmp_path / "submissions/ada", first)
    written(tmp_path / "late/ada", {**first, **second})
    found = collect([tmp_path / "submissions", tmp_path / "late"])
    shown = [entry.shown_path for entry in found if entry.notebook == "hw.ipynb"]
    assert shown == ["late/ada/hw.ipynb", "submissions/ada/hw.ipynb"][2 - count :]  # of equal ones, the first named


def test_equal_notebooks_under_other_names_are_two(tmp_path: Path) -> None:
    copies = ["01_tensors-Copy1.ipynb", "01_tensors.ipynb", "02_gradients.ipynb"]  # the last one was mixed up
    written(tmp_path, {f"{student}/{name}": "same" for student in ("ada", "bob") for name in copies})
    found = collect([tmp_path])
    assert [(one.student, one.notebook) for one in found] == [
        (student, name) for student in ("ada", "bob") for name in copies[1:]
    ]


def test_equal_notebooks_of_a_class_taken_for_one_student_are_told(tmp_path: Path) -> None:
    written(tmp_path, {f"hw3/{student}/hw.ipynb": "untouched" for student in ("ada", "alan", "grace")})
    found = collect([tmp_path], student_pattern="(?P<student>hw3)")
    assert len(found) == 1
    assert "hw3 may be no student: the same notebook lies in the folders ada, alan, grace" in found.remarks[-1]
