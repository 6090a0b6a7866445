"""The report files under ``--out``: written whole or not at all, and only ours replaced."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

from grader import atomic
from grader.model import Hints, RunReport
from grader.report.counting.tally import tally
from grader.report.document import to_json
from grader.report.views.pages import GENERATOR, class_page, page_name, student_page
from grader.report.views.spreadsheet import gradebook_csv

_OUR_NAME = re.compile(r".+-[0-9a-f]{8}(?:[0-9a-f]{8})?\.html")  # an older grader wrote eight digits


def write_reports(run: RunReport, out: Path, *, hints: Hints) -> tuple[Path, ...]:
    """Write ``report.json``, ``gradebook.csv``, ``index.html`` and ``students/*.html`` under ``out``; return the paths.

    Each file is written beside its place and moved over it, so that a reader never sees half of one. Pages of
    students who are no longer in the run are removed if this function wrote them; anything else is left alone.

    Raises:
        OSError: ``out`` cannot be written.
    """
    students = out / "students"
    students.mkdir(parents=True, exist_ok=True)
    written = [
        _write(out / "report.json", to_json(run)),
        _write(out / "gradebook.csv", gradebook_csv(run)),
        _write(out / "index.html", class_page(run)),
    ]
    pages = [_write(students / page_name(row.student), student_page(run, row, hints)) for row in tally(run).rows]
    _remove_stale(students, {page.name for page in pages})
    return (*written, *pages)


def _write(path: Path, text: str) -> Path:
    atomic.write(path, text.encode("utf-8", "replace"))
    return path


def _remove_stale(folder: Path, current: set[str]) -> None:
    mark = f'<meta name="generator" content="{GENERATOR}">'
    for path in folder.iterdir():
        name = unicodedata.normalize("NFC", path.name)  # some file systems take letters apart
        if name in current or not _OUR_NAME.fullmatch(name) or path.is_symlink() or not path.is_file():
            continue
        with path.open("rb") as file:
            ours = mark.encode() in file.read(1000)
        if ours:
            path.unlink()
