"""What a student handed in once and is found again, as in a newer download beside an older one: it is one attempt."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

from grader.names.notebooks import kind_of_notebook
from grader.names.visible import files_of
from grader.submission.entry import Entry
from grader.submission.files.finding import is_notebook
from grader.submission.files.limits import CollectLimits
from grader.submission.files.regular_file import Refused, content, opened


def repeats_in(entries: Sequence[Entry], limits: CollectLimits) -> list[Entry]:
    """The entries that are equal to another one, which stays: to the byte, and so are the files beside them.

    They are of one student and one kind, and the same is remarked on both. The one with the shortest name stays, of
    several the first. Other notebooks beside them need not be equal, unless the code speaks of such.
    """
    of_kind: defaultdict[tuple[object, ...], list[Entry]] = defaultdict(list)
    for entry in entries:
        if entry.notebook and entry.refused is None:
            of_kind[entry.student, kind_of_notebook(entry.notebook), entry.flags].append(entry)
    alike: defaultdict[tuple[object, bytes, bool], list[Entry]] = defaultdict(list)
    for kind, some in of_kind.items():
        for entry in sorted(some, key=lambda one: len(one.notebook)) if len(some) > 1 else ():
            with suppress(Refused):
                data = content(entry.path, limits.notebook_bytes)
                alike[kind, hashlib.sha256(data).digest(), b".ipynb" in data].append(entry)

    @cache
    def digest(path: Path) -> bytes | str:
        try:
            with opened(path, limits.unpacked_bytes) as file:
                return hashlib.file_digest(file, "sha256").digest()
        except (OSError, Refused) as error:
            return str(error)

    repeats = []
    for (_, _, all_notebooks), some in alike.items():
        beside: dict[str, object] = {}  # by the place of the files: many notebooks may lie in one folder
        stay: set[object] = set()
        for entry in some if len(some) > 1 else ():
            place = repr(entry.assets)
            if place not in beside:
                files = files_of(entry.assets)
                beside[place] = frozenset((n, digest(path)) for n, path in files if all_notebooks or not is_notebook(n))
            if beside[place] in stay:
                repeats.append(entry)
            stay.add(beside[place])
    return repeats
