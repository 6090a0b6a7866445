"""Reading one entry: its bytes, its cells and where its answers stand. A notebook that cannot be read is data too."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from grader.errors import GraderError
from grader.model import Assets, Submission
from grader.names.visible import files_of
from grader.submission.attribution.file_names import stems_in
from grader.submission.entry import Entry, Wanted
from grader.submission.files.limits import CollectLimits
from grader.submission.files.regular_file import Refused, TooLarge, Unavailable, content
from grader.submission.reading.location import as_run, locate
from grader.submission.reading.meddling import meddling_flags
from grader.submission.reading.notebook import Unreadable, cells_of


def read(
    entry: Entry,
    wanted: Sequence[Wanted],
    givens: frozenset[str] = frozenset(),
    *,
    limits: CollectLimits = CollectLimits(),  # noqa: B008 - frozen
) -> Submission:
    """Read a notebook and locate the answers to the exercises wanted. Never raises for what is in the file.

    In a notebook named as one of the course, exercises of the course's other notebooks count only where a cell is
    tagged with them: it may well hold definitions of the same names as those.

    Raises:
        GraderError: this user, or this machine now, cannot read it.
    """
    unread = Submission(entry.student, entry.notebook, entry.path, entry.shown_path, sha256="", flags=entry.flags)
    if entry.refused is not None:
        return replace(unread, unreadable=entry.refused)
    try:
        data = content(entry.path, limits.notebook_bytes)
    except TooLarge as refusal:  # by its outputs: nobody types megabytes
        return replace(unread, unreadable=f"{refusal}; clear the outputs of all cells, save it and hand that in")
    except Unavailable as refusal:
        raise GraderError(f"{entry.shown_path} {refusal}", remedy=refusal.remedy) from None
    except Refused as refusal:
        return replace(unread, unreadable=str(refusal))
    digest = hashlib.sha256(data).hexdigest()
    try:
        contents = cells_of(data, limits)
    except Unreadable as problem:
        return replace(unread, sha256=digest, unreadable=str(problem))
    cells = contents.cells
    tags = {cell.exercise for cell in cells}
    stubs = locate(cells, _asked_for(wanted, entry.notebook, tags), givens, _modules_in(entry.assets))
    return replace(
        unread,
        sha256=digest,
        cells=as_run(cells, stubs.values()),
        total_cells=contents.total,
        stubs=stubs,
        assets=entry.assets,
        flags=(*entry.flags, *contents.flags, *meddling_flags(entry, cells)),
    )


def _asked_for(wanted: Sequence[Wanted], notebook: str, tags: set[str | None]) -> list[Wanted]:
    stems = stems_in(notebook, {item.notebook for item in wanted})
    if not stems:
        return list(wanted)
    return [item for item in wanted if item.notebook in ("", *stems) or item.exercise in tags]


def _modules_in(assets: Sequence[Assets]) -> frozenset[str]:
    """The names of the Python modules beside a notebook, packages and name spaces among them."""
    tops = (name.partition("/") for name, _ in files_of(assets))
    return frozenset(top.removesuffix(".py") for top, folder, _ in tops if folder or top.endswith(".py"))
