"""CSV tables that people and their spreadsheets make: columns known by name, whatever separates them."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.errors import UsageError

#: What separates columns, the likeliest first: a spreadsheet writes semicolons where commas are in numbers.
_MARKS = ",;\t"
_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Table:
    """``rows`` are the cells by column, blanks around them gone, each with the line in which it ends."""

    rows: tuple[tuple[int, dict[str, str]], ...]
    mark: str


def read_table(path: Path, *wanted: Sequence[str], remedy: str, heading: Callable[[str], str] = str.strip) -> Table:
    """The table in ``path`` that has all columns of the first of ``wanted`` that any has.

    ``heading`` makes of what stands in the first line the name of a column; ``remedy`` says what to do where ``wanted``
    is not there.

    Raises:
        UsageError: the file cannot be read, is no CSV in UTF-8, or lacks the columns.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            text = file.read()
        readers = {mark: csv.DictReader(io.StringIO(text, newline=""), delimiter=mark) for mark in _MARKS}
        for reader in readers.values():
            reader.fieldnames = [heading(name) for name in reader.fieldnames or ()]
        for columns in wanted:
            for mark, reader in readers.items():
                if set(columns) <= set(reader.fieldnames or ()):
                    return Table(tuple((reader.line_num, _cells(row)) for row in reader), mark)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}", remedy="name a CSV file") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path} cannot be read as CSV: {error}", remedy="save it as CSV in UTF-8") from None
    lacking = min(
        ([name for name in wanted[0] if name not in (reader.fieldnames or ())] for reader in readers.values()), key=len
    )
    first = " ".join(text[:1000].partition("\n")[0].split())[:_SHOWN]
    begins = f"; its first line is: {first}" if first else ""
    what = f"column{'s' * (len(lacking) > 1)} {', '.join(map(repr, lacking))}"
    raise UsageError(f"{path} has no {what}{begins}", remedy=remedy)


def _cells(row: dict[str, str | None]) -> dict[str, str]:
    """The cells under a heading; those of a row that is too short are empty."""
    return {name: (cell or "").strip() for name, cell in row.items() if name}
