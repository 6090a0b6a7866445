from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from grader.submission.files.zip_names import meant_by
from tests.submission.archives import UnmarkedInfo, whose, zip_of

WEST = ("Jürgen Weißmann", "José Peña", "François Noël", "Zoë Ångström")


@pytest.mark.parametrize(
    ("code", "name"),
    [
        *((code, name) for code in ("utf-8", "cp437", "cp1252", "cp850") for name in WEST),
        *((code, name) for code in ("utf-8", "cp1252", "cp850") for name in ("Øystein Æbelø", "João Núñez")),
        *((code, "Miloš Žižek") for code in ("utf-8", "cp1252")),
        ("utf-8", "王小明"),
    ],
)
def test_name_is_read_as_it_was_written(code: str, name: str) -> None:
    assert meant_by(name.encode(code)) == name


def test_name_in_no_alphabet_of_the_west_stays_as_dos_had_it() -> None:
    raw = "Иван".encode("cp866")
    assert meant_by(raw) == raw.decode("cp437")


@pytest.mark.parametrize("code", ["utf-8", "cp1252"])
def test_students_of_an_archive_without_marks_are_called_by_their_names(code: str, tmp_path: Path) -> None:
    students = [unicodedata.normalize("NFD", "Zoë") if code == "utf-8" else "Zoë", "Jürgen"]
    archive = zip_of(tmp_path / "class.zip", [(UnmarkedInfo(f"{name}/nb.ipynb", code), b"{}") for name in students])
    assert {*whose([archive])} == {"Zoë", "Jürgen"}
