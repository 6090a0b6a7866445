"""Reading one entry: its bytes, its cells and where its answers stand. A notebook that cannot be read is data too."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from grader.model import Cell, Submission
from grader.submission.cell_code import MOST_CODE
from grader.submission.entry import CollectLimits, Entry, Wanted
from grader.submission.location import locate
from grader.submission.naming import stems_in
from grader.submission.notebook import Unreadable, cells_of
from grader.submission.regular_file import Refused, content
from grader.submission.suspicion import meddling_suspected
from grader.visible import files_of_work


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
    """
    if entry.refused is not None:
        return _unreadable(entry, "", entry.refused)
    try:
        data = content(entry.path, limits.notebook_bytes)
    except Refused as refusal:
        return _unreadable(entry, "", str(refusal))
    digest = hashlib.sha256(data).hexdigest()
    try:
        contents = cells_of(data, limits.cells, limits.code)
    except Unreadable as problem:
        return _unreadable(entry, digest, str(problem))
    cells = contents.cells
    tags = {cell.exercise for cell in cells}
    stubs = locate(cells, _asked_for(wanted, entry.notebook, tags), givens, _modules_in(entry.assets))
    return Submission(
        student=entry.student,
        notebook=entry.notebook,
        path=entry.path,
        shown_path=entry.shown_path,
        sha256=digest,
        cells=cells,
        total_cells=contents.total,
        stubs=stubs,
        assets=entry.assets,
        assets_below=entry.assets_below,
        flags=(*entry.flags, *contents.flags, *_meddling(entry, cells)),
    )


def _unreadable(entry: Entry, digest: str, reason: str) -> Submission:
    return Submission(
        student=entry.student,
        notebook=entry.notebook,
        path=entry.path,
        shown_path=entry.shown_path,
        sha256=digest,
        unreadable=reason,
        flags=entry.flags,
    )


def _asked_for(wanted: Sequence[Wanted], notebook: str, tags: set[str | None]) -> list[Wanted]:
    stems = stems_in(notebook, {item.notebook for item in wanted})
    if not stems:
        return list(wanted)
    return [item for item in wanted if item.notebook in ("", *stems) or item.exercise in tags]


def _meddling(entry: Entry, cells: Sequence[Cell]) -> tuple[str, ...]:
    """A remark for each cell, and each module beside the notebook, that seems to get round a check."""
    sources = [*((f"cell {cell.index}", cell.source) for cell in cells), *_sources_beside(entry)]
    found = ((place, meddling_suspected(source)) for place, source in sources)
    return tuple(f"meddling with the check suspected: `{sign}` ({place})" for place, sign in found if sign)


def _sources_beside(entry: Entry) -> Iterator[tuple[str, str]]:
    """Path and text of the Python files that the notebook can import."""
    if entry.assets is None:
        return
    left = MOST_CODE
    for place, files in files_of_work(entry.assets, below=entry.assets_below):
        for name in files:
            if name.endswith(".py") and left > 0:
                path = Path(place, name)
                with suppress(Refused):
                    text = content(path, left).decode("utf-8", "replace")
                    left -= len(text)
                    yield str(path.relative_to(entry.assets)), text


def _modules_in(folder: Path | None) -> frozenset[str]:
    """Return the names of the Python modules in a folder."""
    if folder is None:
        return frozenset()
    try:
        with os.scandir(folder) as entries:
            return frozenset(
                entry.name.removesuffix(".py")
                for entry in entries
                if entry.name.endswith(".py") or entry.is_dir(follow_symlinks=False)
            )
    except OSError:
        return frozenset()
