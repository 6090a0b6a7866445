"""Which files belong to a notebook: those of its student's folder, and those that a download has beside it."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from grader.model import Assets
from grader.names import downloads
from grader.names.notebooks import stem_of
from grader.names.visible import is_work
from grader.submission.collecting.draft import Draft, naming_for
from grader.submission.collecting.listing import Listing
from grader.submission.files.finding import is_notebook

#: What Canvas puts into the name of a file that was handed in again: ``helpers-1.py``.
_AGAIN = re.compile(r"-\d+(?=\.[^.]*$)")
#: What is the same in the names that a download has for all files of one submission.
_Mark = tuple[str, str, str]


class Belongings:
    """What belongs to each of the ``drafts`` of one listing."""

    def __init__(self, drafts: Sequence[Draft], listing: Listing) -> None:
        self._people: defaultdict[tuple[str, ...], set[str]] = defaultdict(set)
        for draft in drafts:
            for depth in range(len(draft.found.parts) or 1):
                self._people[draft.found.parts[:depth]].add(draft.name.student)
        naming = naming_for(listing)
        for name in listing.siblings:
            self._people[()].add(naming.name((name,)).student)
        self._below = not listing.siblings  # a notebook given alone may lie in anything, a home folder for one
        named = {draft.found.path.parent for draft in drafts if _mark_of(draft) is not None}
        self._downloaded = {folder: _by_submission(folder) for folder in named}

    def of(self, draft: Draft) -> tuple[Assets, ...]:
        """The files that were handed in with a notebook, and nothing of anybody else's."""
        if draft.found.refused is not None:
            return ()
        folder, mark = draft.found.path.parent, _mark_of(draft)
        own: tuple[Assets, ...] = ()
        shared = len(self._people[draft.found.parts[:-1]]) > 1
        if mark is not None:
            downloaded = self._downloaded[folder]
            own = (Assets(folder, names=downloaded[mark]),) if mark in downloaded else ()
            shared = shared or bool(downloaded.keys() - {mark})
        return own if shared else (*own, Assets(folder, below=self._below))


def _mark_of(draft: Draft) -> _Mark | None:
    """What marks a notebook's submission in its name, None where no download called it so."""
    told = downloads.read(stem_of(draft.found.path.name))
    return None if told is None else _mark(told)


def _mark(told: downloads.DownloadName) -> _Mark:
    return told.student, told.number, told.attempt


def _by_submission(folder: Path) -> Mapping[_Mark, Mapping[str, str]]:
    """The files of each submission in a download without folders: what the student called each, and what it is called.

    Not the notebooks, which are graded by themselves, nor what is nobody's work.
    """
    found: defaultdict[_Mark, dict[str, str]] = defaultdict(dict)
    for file in _files_in(folder):
        told = downloads.read(file)
        if told is not None and not is_notebook(file) and told.notebook and is_work(told.notebook):
            found[_mark(told)][told.notebook] = file
    for files in found.values():
        for name, file in [*files.items()]:
            files.setdefault(_AGAIN.sub("", name), file)
    return found


def _files_in(folder: Path) -> Iterable[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries if entry.is_file(follow_symlinks=False))
    except OSError:
        return ()
