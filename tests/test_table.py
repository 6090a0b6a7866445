"""CSV as people and their spreadsheets make it."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.errors import UsageError
from grader.table import read_table

WANTED = ("name", "points")
ANY = st.characters(codec="utf-8")


def saved(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "list.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8-sig"))
    return path


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_table_is_read_whatever_separates_its_columns(mark: str, tmp_path: Path) -> None:
    text = f' name {mark}"of, no; use"{mark}points\r\n"Ada,\nL"{mark}x{mark} 2 \r\nAlan\r\n{mark}{mark}{mark}beyond\r\n'
    table = read_table(saved(tmp_path, text), WANTED, remedy="r")
    assert table.mark == mark
    assert [(line, row["name"], row["points"]) for line, row in table.rows] == [
        (3, "Ada,\nL", "2"),
        (4, "Alan", ""),
        (5, "", ""),
    ]


def test_table_is_the_first_that_has_what_is_wanted_most(tmp_path: Path) -> None:
    path = saved(tmp_path, "id,name;points\n1,ada;2\n")
    assert read_table(path, ["points"], ["id"], remedy="r").mark == ";"
    assert read_table(path, ["nothing"], ["id"], remedy="r").mark == ","
    assert read_table(path, ["ID"], remedy="r", heading=str.upper).mark == ","


def test_table_without_a_column_says_which_and_how_it_begins(tmp_path: Path) -> None:
    path = saved(tmp_path, "name;Points;\n")
    with pytest.raises(UsageError, match=r"has no column 'points'; its first line is: name;Points;$") as caught:
        read_table(path, WANTED, remedy="write one")
    assert caught.value.remedy == "write one"
    with pytest.raises(UsageError, match=f"its first line is: {'x' * 80}$"):
        read_table(saved(tmp_path, "x" * 5000), WANTED, remedy="r")
    with pytest.raises(UsageError, match=r"has no columns 'name', 'points'$"):
        read_table(saved(tmp_path, ""), WANTED, remedy="r")


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "No such file"), (b"\xff\xfen\x00", "cannot be read as CSV"), (b"name,points\n" + b"x" * 200_000, "CSV")],
    ids=["absent", "UTF-16", "a field without end"],
)
def test_table_that_cannot_be_read_is_an_error_of_use(content: bytes | None, said: str, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=said):
        read_table(path, WANTED, remedy="r")


@given(st.lists(st.tuples(st.text(ANY), st.text(ANY)), max_size=5), st.sampled_from(",;\t"))
def test_table_that_was_written_as_csv_comes_back_without_the_blanks_around(
    rows: list[tuple[str, str]], mark: str
) -> None:
    text = io.StringIO()
    csv.writer(text, delimiter=mark).writerows([WANTED, *rows])
    with TemporaryDirectory() as folder:
        read = read_table(saved(Path(folder), text.getvalue()), WANTED, remedy="r")
    assert [tuple(row.values()) for _, row in read.rows] == [(name.strip(), points.strip()) for name, points in rows]
