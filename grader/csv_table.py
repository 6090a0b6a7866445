"""CSV tables that people and their spreadsheets make: columns known by name, whatever separates them."""

from __future__ import annotations

import csv
import io
import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.errors import UsageError

#: What separates columns, the likeliest first: a spreadsheet writes semicolons where commas are in numbers.
_MARKS = ",;\t"
#: What may stand above the headings: which of them it is, for Excel.
_FOR_EXCEL = re.compile(r"sep=.\r?\n", re.IGNORECASE)
_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Table:
    """``rows`` are the cells by column, blanks around them gone, each with the line in which it ends."""

    columns: tuple[str, ...]
    rows: tuple[tuple[int, dict[str, str]], ...]
    mark: str


@dataclass(frozen=True, slots=True)
class TableFile:
    """A file as the tables that it is by each mark that may separate its columns, the likeliest first."""

    path: Path
    tables: tuple[Table, ...]
    begins: str

    def having(self, *wanted: Sequence[str]) -> Table | None:
        """The table that has all columns of the first of ``wanted`` that any has; None where none has."""
        found = (one for columns in wanted for one in self.tables if set(columns) <= set(one.columns))
        return next(found, None)

    def lacking(self, wanted: Sequence[str], remedy: str) -> UsageError:
        """The error that not all columns in ``wanted`` are there."""
        if not any(one.columns for one in self.tables):
            return UsageError(f"{self.path} is empty", remedy=remedy)
        missing = min(([name for name in wanted if name not in one.columns] for one in self.tables), key=len)
        what = f"column{'s' * (len(missing) > 1)} {', '.join(map(repr, missing))}"
        begins = f"; its first line is: {self.begins}" if self.begins else ""
        return UsageError(f"{self.path} has no {what}{begins}", remedy=remedy)


def read_tables(path: Path, heading: Callable[[str], str] = str.strip) -> TableFile:
    """Read a file; ``heading`` makes of what stands in its first line the name of a column.

    Raises:
        UsageError: the file cannot be read, or is no CSV in UTF-8 or, with its mark, UTF-16 (Excel's *Unicode text*).
    """
    try:
        content = path.read_bytes()
        text = content.decode("utf-16" if content.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) else "utf-8-sig")
        above = _FOR_EXCEL.match(text)
        text = text[above.end() :] if above else text
        tables = _tables(text, heading, 1 if above else 0)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}", remedy="name a CSV file") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise UsageError(
            f"{path} cannot be read as CSV: {error}", remedy="save it as CSV in UTF-8 (Excel: *CSV UTF-8*)"
        ) from None
    return TableFile(path, tables, " ".join(text[:1000].partition("\n")[0].split())[:_SHOWN])


def _tables(text: str, heading: Callable[[str], str], above: int) -> tuple[Table, ...]:
    """The tables by the marks with which ``text``, below so many lines, is CSV; ``csv.Error`` where it is with none."""
    tables, error = [], csv.Error()
    for mark in _MARKS:
        try:
            tables.append(_table(text, mark, heading, above))
        except csv.Error as trouble:
            error = trouble
    if not tables:
        raise error
    return tuple(tables)


def _table(text: str, mark: str, heading: Callable[[str], str], above: int) -> Table:
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=mark)
    reader.fieldnames = columns = [heading(name) for name in reader.fieldnames or ()]
    return Table(tuple(columns), tuple((above + reader.line_num, _cells(row)) for row in reader), mark)


def _cells(row: dict[str, str | None]) -> dict[str, str]:
    """The cells under a heading; those of a row that is too short are empty."""
    return {name: (cell or "").strip() for name, cell in row.items() if name}
