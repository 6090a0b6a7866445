"""Archives that lie beside the folder to which they were unpacked: what is in them must not count twice."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.names.visible import files_of_work
from grader.submission.files.finding import UNPACKED, Found, archive_stem, is_archive, is_notebook
from grader.submission.files.regular_file import Refused, opened

_CHUNK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Twin:
    """The ``place`` where all that an archive holds lies unpacked, and what it holds at its top.

    ``by_name`` says that it lies in a folder that is called like the archive: no name is lost then.
    """

    place: Path
    tops: frozenset[str]
    by_name: bool

    def is_in(self, folders: Sequence[Path]) -> bool:
        """Whether all of it lies in these folders."""
        tops = [self.place / top for top in self.tops]
        return all(any(folder == top or folder in top.parents for folder in folders) for top in tops)


def may_have_twin(found: Sequence[Found]) -> list[Found]:
    """The archives beside which a folder is called alike, or which are the only one among notebooks and folders."""
    around = {item.parts[:depth] for item in found if is_notebook(item.path.name) for depth in range(len(item.parts))}
    archives = [item for item in found if item.refused is None and is_openable(item.path)]
    number = Counter(item.parts[:-1] for item in archives)
    return [
        item
        for item in archives
        if (*item.parts[:-1], archive_stem(item.parts[-1])) in around
        or (number[item.parts[:-1]] == 1 and item.parts[:-1] in around)
    ]


def is_openable(path: Path) -> bool:
    """Whether a path is called like an archive that can be unpacked."""
    return is_archive(path.name) and path.name.lower().endswith(UNPACKED)


def twin_of(archive: Path, target: Path, limit: int) -> Twin | None:
    """Where all that an ``archive`` holds, unpacked to ``target``, lies beside it too, to the byte; None where nowhere.

    That is its own folder, or one in it that is called like it, as unpackers make it. Files have up to ``limit`` bytes.
    """
    files = [Path(place, name).relative_to(target) for place, names in files_of_work(target) for name in names]
    if not any(is_notebook(file.name) for file in files):
        return None
    folder = Path(os.path.realpath(archive.parent))
    for place in (folder, folder / archive_stem(archive.name)):
        if all(_is_same(target / file, place / file, limit) for file in files):
            tops = frozenset(file.parts[0] for file in files)
            return Twin(place, tops, by_name=place != folder or tops == {archive_stem(archive.name)})
    return None


def _is_same(one: Path, other: Path, limit: int) -> bool:
    """Whether two files have the same bytes; no link is followed to the ``other``."""
    try:
        if one.stat().st_size != other.lstat().st_size or os.path.realpath(other) != os.fspath(other):
            return False
        with opened(one, limit) as first, opened(other, limit) as second:
            while chunk := first.read(_CHUNK):
                if second.read(_CHUNK) != chunk:
                    return False
    except (OSError, Refused):
        return False
    return True
