"""From the bytes of a notebook to its code cells, whatever wrote it and whatever happened to it since.

Only what grading needs is looked at: a broken output or an odd piece of metadata never makes a notebook unreadable.
Neither nbformat (import: 0.2 to 0.3 s; validation: many ms; error messages that quote the file) nor anything else is
imported. Formats: 3 (``worksheets``, ``input``) and 4.0 to 4.5 (``cells``, ``source``), see
https://nbformat.readthedocs.io/en/latest/format_description.html.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from grader.model import Cell
from grader.names.enumeration import few
from grader.submission.files.limits import CollectLimits

_CONFLICT = re.compile(r"^(?:<{7}|>{7})(?: |$)", re.MULTILINE)

#: Lists and objects that a file may hold: read, each takes twenty times the two bytes that it is written with.
_MOST_VALUES = 2_000_000
_AGAIN = "save it again in Jupyter and hand that in"
#: How files that are often handed in by mistake begin, what they are, and what to do.
_IMPOSTORS = (
    (b"version https://git-lfs", "a Git LFS pointer, not the notebook itself; `git lfs pull` gets that"),
    (b"<!doctype html", "a web page (HTML), not a notebook; hand in the .ipynb file itself"),
    (b"<html", "a web page (HTML), not a notebook; hand in the .ipynb file itself"),
    (b"pk\x03\x04", "a ZIP archive, not a notebook; hand in the .ipynb file itself"),
    (b"\x1f\x8b", "a gzip archive, not a notebook; hand in the .ipynb file itself"),
    (b"%pdf", "a PDF, not a notebook; hand in the .ipynb file itself"),
)


class Unreadable(Exception):
    """The bytes are no notebook; the message says what is wrong and where, and quotes nothing of them."""


@dataclass(frozen=True, slots=True)
class Contents:
    """The code cells of a notebook, how many cells of any type it has, and remarks for a human."""

    cells: tuple[Cell, ...]
    total: int
    flags: tuple[str, ...] = ()


def cells_of(data: bytes, limits: CollectLimits = CollectLimits()) -> Contents:  # noqa: B008 - frozen
    """What grading needs of a notebook; a tagged cell that is no code any more is remarked.

    Raises:
        Unreadable: empty, not text, not JSON, not a notebook, of an unknown format, or over the ``limits`` of cells or
            of characters of code.
    """
    raw = list(_raw_cells(_document(data)))
    if len(raw) > limits.cells:
        raise Unreadable(f"too many cells: {len(raw)}, at most {limits.cells} are read")
    cells, flags = [], []
    for index, cell in enumerate(raw):
        if not isinstance(cell, dict):
            raise Unreadable(f"not a notebook: cell {index} is {_named(cell)}, not an object")
        if not isinstance(cell.get("cell_type"), str):
            raise Unreadable(f"not a notebook: cell {index} has no cell type")
        if cell["cell_type"] == "code":
            cells.append(Cell(index, _source(cell, index), _exercise(cell.get("metadata"))))
        elif exercise := _exercise(cell.get("metadata")):
            kind = "Markdown" if cell["cell_type"] == "markdown" else "raw text"
            flags.append(f"cell {index}, tagged `{exercise}`, is {kind}, not code")
    code = sum(len(cell.source) for cell in cells)
    if code > limits.code:
        raise Unreadable(
            f"too much code: {code:,} characters in its code cells, of which at most {limits.code:,} are read; "
            "keep data in a file beside it"
        )
    return Contents(tuple(cells), len(raw), few(flags))


def _document(data: bytes) -> dict[str, Any]:
    if not data.strip(b"\0 \t\r\n\xef\xbb\xbf"):
        raise Unreadable(f"the file is empty; {_AGAIN}")
    start = data.lstrip()[:32].lower()
    for magic, reason in _IMPOSTORS:
        if start.startswith(magic):
            raise Unreadable(reason)
    text = _text(data)
    if text.count("{") + text.count("[") > _MOST_VALUES:
        raise Unreadable(f"not a notebook of a student's: more than {_MOST_VALUES:,} lists and objects")
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        conflict = " (Git conflict markers stand in the file)" if _CONFLICT.search(text) else ""
        raise Unreadable(f"not JSON: line {error.lineno} column {error.colno}{conflict}; {_AGAIN}") from None
    except RecursionError:
        raise Unreadable("not a notebook: nested too deeply") from None
    except ValueError:  # an integer of thousands of digits
        raise Unreadable("not a notebook: a number with too many digits") from None
    if not isinstance(document, dict):
        raise Unreadable(f"not a notebook: the whole is {_named(document)}, not an object")
    return document


def _text(data: bytes) -> str:
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise Unreadable(f"not text: byte {error.start} is not {encoding.removesuffix('-sig').upper()}") from None


def _raw_cells(document: dict[str, Any]) -> Iterator[Any]:
    version = document.get("nbformat", 4 if "cells" in document else None)
    if not isinstance(version, int) or isinstance(version, bool):
        raise Unreadable("not a notebook: no notebook format is named; hand in the .ipynb file itself")
    if version not in (3, 4):
        raise Unreadable(f"notebook format {_bounded(version)} is not supported: save it as format 4")
    if version == 4:
        yield from _list(document, "cells", "the notebook")
        return
    for number, sheet in enumerate(_list(document, "worksheets", "the notebook")):
        if not isinstance(sheet, dict):
            raise Unreadable(f"not a notebook: worksheet {number} is {_named(sheet)}, not an object")
        yield from _list(sheet, "cells", f"worksheet {number}")


def _list(owner: dict[str, Any], key: str, place: str) -> list[Any]:
    if key not in owner:
        raise Unreadable(f"not a notebook: {place} has no {key}")
    value = owner[key]
    if not isinstance(value, list):
        raise Unreadable(f"not a notebook: the {key} of {place} are {_named(value)}, not a list")
    return value


def _source(cell: dict[str, Any], index: int) -> str:
    source = cell.get("source", cell.get("input"))  # format 3 says "input"
    if source is None:
        raise Unreadable(f"not a notebook: cell {index} has no source")
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    if not isinstance(source, str):
        raise Unreadable(f"not a notebook: the source of cell {index} is {_named(source)}, not text")
    if "\r" in source:
        source = source.replace("\r\n", "\n").replace("\r", "\n")
    try:
        source.encode("utf-8")
    except UnicodeEncodeError:  # half a surrogate pair: no kernel could be sent it
        source = source.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return source


def _exercise(metadata: object) -> str | None:
    ours = metadata.get("grader") if isinstance(metadata, dict) else None
    exercise = ours.get("exercise") if isinstance(ours, dict) else None
    return exercise if isinstance(exercise, str) and exercise.isprintable() else None


def _bounded(version: int) -> str:
    return str(version) if abs(version) < 1_000 else "with a huge number"


def _named(value: object) -> str:
    """What a JSON value is, in words."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a truth value"
    if isinstance(value, (int, float)):
        return "a number"
    if isinstance(value, str):
        return "text"
    return "a list" if isinstance(value, list) else "an object"
