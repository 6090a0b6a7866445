"""Walking what was handed in, following and opening nothing: which notebooks, archives and obstacles are there."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISDIR, S_ISLNK

from grader.machine import remedy_of_reading
from grader.names.notebooks import ENDING
from grader.names.visible import DEEPEST, is_work
from grader.submission.files.regular_file import kind_of, reason_for

#: The endings of archives that are unpacked, and of those that are only known to be one.
UNPACKED = (".zip", ".tar", ".tar.gz", ".tgz")
_OTHERS = (".7z", ".rar", ".tar.bz2", ".tar.xz", ".tar.zst", ".tbz2", ".txz")
_ARCHIVES = (*UNPACKED, *_OTHERS)

#: Hidden folders in which notebooks are copies, those of packages, or examples of a tool's.
_HIDDEN_BY_TOOLS = frozenset(
    {".git", ".github", ".ipynb_checkpoints", ".virtual_documents", ".venv", ".cache", ".local", ".jupyter", ".vscode"}
)
#: The file by which a virtual environment is known, and what it has beside that, on Windows too; other files and
#: folders there are work: students make environments where their work lies.
_ENVIRONMENT = "pyvenv.cfg"
_IN_ENVIRONMENT = frozenset(
    {"bin", "etc", "include", "lib", "lib64", "share", "Include", "Lib", "Scripts", _ENVIRONMENT}
)


@dataclass(frozen=True, slots=True)
class Found:
    """Something at ``parts`` below the path given. ``refused`` is the reason why it must not be opened.

    ``obstacle`` marks what stands where a notebook could have been (a linked folder, a refused archive) and counts
    only where its student has nothing else.
    """

    parts: tuple[str, ...]
    path: Path
    refused: str | None = None
    obstacle: bool = False


def is_notebook(name: str) -> bool:
    """Whether a file name is that of a notebook.

    >>> is_notebook("A.IPYNB"), is_notebook(".ipynb")
    (True, False)
    """
    return name.lower().endswith(ENDING) and not name.startswith(".")


def is_archive(name: str) -> bool:
    """Whether a file name is that of an archive, be it one that is unpacked or one that is refused."""
    return name.lower().endswith(_ARCHIVES) and not name.startswith(".")


def archive_stem(name: str) -> str:
    """An archive's name without its ending, any other name as it is.

    >>> archive_stem("ada.tar.gz")
    'ada'
    """
    for ending in _ARCHIVES:
        if name.lower().endswith(ending) and len(name) > len(ending):
            return name[: -len(ending)]
    return name


def found_below(
    root: Path, parts: tuple[str, ...] = (), *, most: int = 200_000, skip: Path | None = None
) -> tuple[list[Found], list[str]]:
    """Notebooks, archives and obstacles below ``root``, and the names of its own folders; nothing of ``skip``.

    ``most`` files are looked at in each of these folders, so that one of them hides no other. Sorted by name, so that
    the same files give the same list on every disk. Links are never followed.
    """
    found: list[Found] = []
    folders: list[str] = []
    waiting = [(root, parts)]
    seen: Counter[tuple[str, ...]] = Counter()
    while waiting:
        folder, above = waiting.pop()
        try:
            with os.scandir(folder) as entries:
                inside = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            found.append(Found(above, folder, f"the folder {reason_for(error)}", obstacle=True))
            continue
        own = above[: len(parts) + 1]
        seen[own] += len(inside)
        if seen[own] > most or len(above) > DEEPEST:
            found.append(Found(above, folder, "too many or too deeply nested files to look through", obstacle=True))
            continue
        if any(entry.name == _ENVIRONMENT for entry in inside):
            inside = [entry for entry in inside if entry.name not in _IN_ENVIRONMENT]
        of_students = folder == root and not any(is_notebook(entry.name) for entry in inside)
        for entry in inside:
            if not is_work(entry.name):
                continue
            here = (*above, entry.name)
            if not is_notebook(entry.name) and entry.is_dir(follow_symlinks=False):
                if Path(entry.path) == skip:
                    continue
                waiting.append((Path(entry.path), here))
                if folder == root:
                    folders.append(entry.name)
            else:
                found.extend(_looked_at(entry, here, student=of_students))
    return sorted(found, key=lambda item: item.parts), folders


def hidden_with_notebooks(root: Path) -> list[str]:
    """The folders in ``root`` that begin with a dot, are no tool's, and hold a notebook or a folder with one."""
    found = []
    for name in sorted(_names_in(root)):
        folder = root / name
        if not name.startswith(".") or name in _HIDDEN_BY_TOOLS or folder.is_symlink() or not folder.is_dir():
            continue
        inside = _names_in(folder)
        if any(map(is_notebook, (*inside, *(deeper for one in inside for deeper in _names_in(folder / one))))):
            found.append(name)
    return found


def _names_in(folder: Path) -> list[str]:
    """What lies in a folder, nothing where it is none, is a link, or cannot be read."""
    try:
        return [] if folder.is_symlink() else [path.name for path in folder.iterdir()]
    except OSError:
        return []


def _looked_at(entry: os.DirEntry[str], parts: tuple[str, ...], *, student: bool) -> Iterator[Found]:
    """What an entry is that is no folder; one that is no file either may stand for a ``student``'s."""
    path = Path(entry.path)
    try:
        mode = entry.stat(follow_symlinks=False).st_mode
    except OSError as error:
        if is_notebook(entry.name) or is_archive(entry.name):
            # what only this user or machine cannot look at, whoever opens it tells of
            yield Found(parts, path, None if remedy_of_reading(error) else reason_for(error))
        return
    if is_notebook(entry.name) or is_archive(entry.name):
        yield Found(parts, path, kind_of(mode), obstacle=is_archive(entry.name))
    elif S_ISLNK(mode) and (reason := _missed_by(path, student=student)):
        yield Found(parts, path, reason, obstacle=True)


def _missed_by(link: Path, *, student: bool) -> str | None:
    """Why notebooks may be missed where this ``link`` is, which may stand for a ``student``'s folder."""
    try:
        if S_ISDIR(link.stat().st_mode):  # looks at the target's kind only
            return "a symbolic link to a folder, which is not followed"
    except OSError as error:
        if student:
            return f"a symbolic link, and what it leads to cannot be looked at: {str(error.strerror).lower()}"
    return None
