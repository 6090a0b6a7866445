"""The students' pages as one archive, to give back: named as Moodle's upload of feedback files knows them."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from shlex import quote

from grader import atomic
from grader.errors import UsageError
from grader.model import RunReport
from grader.report.counting.tally import tally
from grader.report.document import to_json
from grader.report.gradebooks.download import moodle_folder
from grader.report.views.pages import page_name

_EPOCH = (1980, 1, 1, 0, 0, 0)


def write_feedback(run: RunReport, out: Path, archive: Path) -> tuple[str, ...]:
    """Put the pages under ``out`` into a zip at ``archive``; return the students whose folder at Moodle is not known.

    A page is ``Ada Lovelace_501_assignsubmission_file_/feedback.html`` where the submission came by a download of
    Moodle, and nobody else's from the same folder; else it has the name that it has under ``out``. The same pages give
    the same bytes.

    Raises:
        UsageError: a student's page is not there, or the pages tell what was before, an override for one.
        OSError: the archive cannot be written.
    """
    if _content(out / "report.json") != to_json(run).encode("utf-8", "replace"):
        raise UsageError(f"the pages under {out} are older than the grades", remedy=_remedy(out))
    rows = tally(run).rows
    folders = [next(filter(None, (moodle_folder(one.path, row.student) for one in row.entries)), None) for row in rows]
    buffer = io.BytesIO()
    unknown = []
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as zipped:
        for row, folder in zip(rows, folders, strict=True):
            page = out / "students" / page_name(row.student)
            content = _content(page)
            if content is None:
                raise UsageError(f"there is no page {page}", remedy=_remedy(out))
            name = f"{folder}/feedback.html"
            if folder is None or folders.count(folder) > 1:
                unknown.append(row.student)
                name = page.name
            info = zipfile.ZipInfo(name, _EPOCH)
            info.external_attr = 0o644 << 16
            zipped.writestr(info, content, zipfile.ZIP_DEFLATED)
    atomic.write(archive, buffer.getvalue())
    return tuple(unknown)


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _remedy(out: Path) -> str:
    return f"write them again: grader report {quote(str(out))}"
