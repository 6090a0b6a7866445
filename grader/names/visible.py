"""Which names in a folder are somebody's work: not hidden ones, nor environments and caches that tools make."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from grader.model import Assets

_MADE_BY_TOOLS = frozenset({"__MACOSX", "__pycache__", "node_modules", "site-packages", "venv", "env", "virtualenv"})

#: The file by which a folder is known to be the grader's own: its grades, with the seed in them.
GRADEBOOK = "gradebook.db"
#: What the grader writes beside it.
_GRADES = frozenset({"report.json", "gradebook.csv", "index.html", "grader.log", "students"})

#: Folders deeper than this are nobody's work, and ``os.walk`` does not get through a thousand of them.
DEEPEST = 40


def is_work(name: str) -> bool:
    """Whether a file or folder of this name may be somebody's work.

    >>> is_work("data.csv"), is_work(".git"), is_work("venv")
    (True, False, False)
    """
    return not name.startswith(".") and name not in _MADE_BY_TOOLS


def is_of_grades(name: str) -> bool:
    """Whether a file or folder beside a gradebook is the grader's.

    >>> is_of_grades("gradebook.db-journal"), is_of_grades("students"), is_of_grades("data.csv")
    (True, True, False)
    """
    return name in _GRADES or name.startswith(GRADEBOOK)


def files_of_work(folder: str | os.PathLike[str], *, below: bool = True) -> Iterator[tuple[str, list[str]]]:
    """Each folder of work from ``folder`` on, as ``os.walk`` has it, with the names of its files, all in order.

    Without ``below``, ``folder`` alone. Grades that were written among the work are none of it: a notebook that got a
    copy would know the seed, and whoever opens and closes a gradebook takes the lock from the run that has it open.
    A folder below that cannot be looked into comes as a file of its name, at the end: so whoever opens it is told why.
    """
    closed: list[str] = []
    deepest = os.fspath(folder).count(os.sep) + (DEEPEST if below else 0)
    for place, folders, files in os.walk(folder, onerror=lambda error: closed.append(error.filename)):
        graded = GRADEBOOK in files
        if graded and place != os.fspath(folder):
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if place.count(os.sep) < deepest and _is_work_in(name, graded))
        yield place, sorted(name for name in files if _is_work_in(name, graded))
    for place in closed:
        if place != os.fspath(folder):
            yield str(Path(place).parent), [Path(place).name]


def files_of(assets: Iterable[Assets]) -> Iterator[tuple[str, Path]]:
    """Each file of work in ``assets`` by its name in the job folder, and where it lies; of one name, the first.

    Also left out: a file whose name an earlier path uses as a folder, and one below a folder that is the name of an
    earlier file.
    """
    files: set[str] = set()
    folders: set[str] = {""}
    for some in assets:
        for name, path in _named_files(some):
            folder = name.rpartition("/")[0]
            if folder not in folders:
                above = [folder[: mark.start()] for mark in re.finditer(r"/|\Z", folder)]
                if not files.isdisjoint(above):
                    continue
                folders.update(above)
            if name not in files and name not in folders:
                files.add(name)
                yield name, path


def _named_files(assets: Assets) -> Iterator[tuple[str, Path]]:
    if assets.names is not None:
        yield from ((name, assets.folder / file) for name, file in sorted(assets.names.items()))
        return
    for place, names in files_of_work(assets.folder, below=assets.below):
        below = Path(place).relative_to(assets.folder).as_posix()
        before = "" if below == "." else f"{below}/"
        yield from ((before + name, Path(place, name)) for name in names)


def _is_work_in(name: str, graded: bool) -> bool:
    """Whether a name may be work in a folder into which the grader has written grades, if it is ``graded``."""
    return is_work(name) and not (graded and is_of_grades(name))
