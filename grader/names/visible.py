"""Which names in a folder are somebody's work: not hidden ones, nor environments and caches that tools make."""

from __future__ import annotations

import os
from collections.abc import Iterator

_MADE_BY_TOOLS = frozenset({"__MACOSX", "__pycache__", "node_modules", "site-packages", "venv", "env", "virtualenv"})

#: Folders deeper than this are nobody's work, and ``os.walk`` does not get through a thousand of them.
DEEPEST = 40


def is_work(name: str) -> bool:
    """Whether a file or folder of this name may be somebody's work.

    >>> is_work("data.csv"), is_work(".git"), is_work("venv")
    (True, False, False)
    """
    return not name.startswith(".") and name not in _MADE_BY_TOOLS


def files_of_work(folder: str | os.PathLike[str], *, below: bool = True) -> Iterator[tuple[str, list[str]]]:
    """Each folder of work from ``folder`` on, as ``os.walk`` has it, with the names of its files, all in order.

    Without ``below``, ``folder`` alone.
    """
    deepest = os.fspath(folder).count(os.sep) + (DEEPEST if below else 0)
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if place.count(os.sep) < deepest and is_work(name))
        yield place, sorted(name for name in files if is_work(name))
