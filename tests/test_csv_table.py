"""CSV as people and their spreadsheets make it."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.csv_table import Table, read_tables
from grader.errors import UsageError

WANTED = ("name", "points")
ANY = st.characters(codec="utf-8")


def table_in(path: Path, *wanted: Sequence[str]) -> Table:
    """The table that is wanted, which is there."""
    found = read_tables(path).having(*wanted)
    assert found is not None
    return found


def saved(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "list.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8-sig"))
    return path


def test_table_may_say_above_for_excel_what_separates_its_columns(tmp_path: Path) -> None:
    table = table_in(saved(tmp_path, "sep=;\r\nname;points\r\nAda;1,5\r\n"), WANTED)
    assert table.rows == ((3, {"name": "Ada", "points": "1,5"}),)


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_table_is_read_whatever_separates_its_columns(mark: str, tmp_path: Path) -> None:
    text = f' name {mark}"of, no; use"{mark}points\r\n"Ada,\nL"{mark}x{mark} 2 \r\nAlan\r\n{mark}{mark}{mark}beyond\r\n'
    table = table_in(saved(tmp_path, text), WANTED)
    assert table.mark == mark
    assert [(line, row["name"], row["points"]) for line, row in table.rows] == [
        (3, "Ada,\nL", "2"),
        (4, "Alan", ""),
        (5, "", ""),
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be"])
def test_table_is_read_in_the_encodings_of_spreadsheets(encoding: str, tmp_path: Path) -> None:
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    path = saved(tmp_path, f"{mark}name\tpoints\r\nZoë\t2\r\n".encode(encoding))
    assert table_in(path, WANTED).rows == ((2, {"name": "Zoë", "points": "2"}),)


def test_table_is_the_first_that_has_what_is_wanted_most(tmp_path: Path) -> None:
    path = saved(tmp_path, "id,name;points\n1,ada;2\n")
    assert table_in(path, ["points"], ["id"]).mark == ";"
    assert table_in(path, ["nothing"], ["id"]).mark == ","
    assert read_tables(path).having(["nothing"]) is None
    assert read_tables(path, heading=str.upper).having(["ID"]) is not None


def test_table_without_a_column_says_which_and_how_it_begins(tmp_path: Path) -> None:
    error = read_tables(saved(tmp_path, "name;Points;\n")).lacking(WANTED, remedy="write one")
    assert str(error).endswith("list.csv has no column 'points'; its first line is: name;Points;")
    assert error.remedy == "write one"
    error = read_tables(saved(tmp_path, "x" * 5000)).lacking(WANTED, remedy="r")
    assert str(error).endswith(f"its first line is: {'x' * 80}")
    error = read_tables(saved(tmp_path, "")).lacking(WANTED, remedy="r")
    assert str(error).endswith("list.csv is empty")


def test_table_that_is_csv_by_one_mark_alone_is_read_by_that(tmp_path: Path) -> None:
    text = 'name,points\n1;"' + "x,1\n" * 50_000  # a quote that is never closed, where semicolons separate
    assert len(table_in(saved(tmp_path, text), WANTED).rows) == 50_000


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "No such file"),
        (b"\xff\xfen\x00,", "cannot be read as CSV"),
        ("name,Zoë".encode("cp1252"), "cannot be read as CSV"),
        (b"name,points\n" + b"x" * 200_000, "cannot be read as CSV: field larger than"),
    ],
    ids=["absent", "UTF-16 cut off", "Windows' own", "a field without end"],
)
def test_table_that_cannot_be_read_is_an_error_of_use(content: bytes | None, said: str, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=said):
        read_tables(path)


@given(st.lists(st.tuples(st.text(ANY), st.text(ANY)), max_size=5), st.sampled_from(",;\t"))
def test_table_that_was_written_as_csv_comes_back_without_the_blanks_around(
    rows: list[tuple[str, str]], mark: str
) -> None:
    text = io.StringIO()
    csv.writer(text, delimiter=mark).writerows([WANTED, *rows])
    with TemporaryDirectory() as folder:
        read = table_in(saved(Path(folder), text.getvalue()), WANTED)
    assert [tuple(row.values()) for _, row in read.rows] == [(name.strip(), points.strip()) for name, points in rows]
