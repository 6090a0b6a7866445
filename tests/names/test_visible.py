"""Which files are there for a notebook, and under which names."""

from __future__ import annotations

from pathlib import Path

from grader.model import Assets
from grader.names.visible import files_of


def _made(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def test_file_of_the_first_wins_over_one_of_the_same_name(tmp_path: Path) -> None:
    own = _made(tmp_path / "own", "data.csv", "lib/a.py")
    released = _made(tmp_path / "released", "data.csv", "lib/a.py", "lib/b.py")

    assert list(files_of([Assets(own), Assets(released)])) == [
        ("data.csv", own / "data.csv"),
        ("lib/a.py", own / "lib/a.py"),
        ("lib/b.py", released / "lib/b.py"),
    ]


def test_file_and_folder_of_one_name_do_not_meet(tmp_path: Path) -> None:
    own = _made(tmp_path / "own", "data", "more/x.csv")
    released = _made(tmp_path / "released", "data/x.csv", "data/deep/x.csv", "more")

    assert [path for _, path in files_of([Assets(own), Assets(released)])] == [own / "data", own / "more/x.csv"]


def test_named_files_have_the_names_that_are_given(tmp_path: Path) -> None:
    assets = Assets(_made(tmp_path, "ada_1_2_helpers.py", "alan_1_3_x"), names={"helpers.py": "ada_1_2_helpers.py"})

    assert list(files_of([assets])) == [("helpers.py", tmp_path / "ada_1_2_helpers.py")]


def test_folder_whose_name_ends_with_a_line_keeps_no_file_away(tmp_path: Path) -> None:
    own = _made(tmp_path, "data", "data\n/x.csv")

    assert [path for _, path in files_of([Assets(own)])] == [own / "data", own / "data\n/x.csv"]
