"""Folders and archives around students' work that are named for no student: for a class, a tool or an archive.

``Submissions/ada/hw.ipynb`` is Ada's and ``hw.zip!hw/ada/nb.ipynb`` too, but a lone folder ``ada`` is a student.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from grader.names.downloads import GRADESCOPE
from grader.names.notebooks import kind_of_notebook
from grader.submission.attribution.folder_names import is_part
from grader.submission.attribution.gradescope import METADATA
from grader.submission.attribution.naming import is_from_moodle, is_from_platform, students_in
from grader.submission.files.finding import Found, is_archive, is_notebook

#: nbgrader's folder of the students' work, and all that it has beside it.
_SUBMITTED = "submitted"
_NBGRADERS = frozenset({_SUBMITTED, "source", "release", "autograded", "feedback", "solution", "downloaded"})


def is_class_folder(folder: str) -> bool:
    """Whether a folder is called as nbgrader, Teams and GitHub Classroom call that with the students' work.

    >>> [is_class_folder(name) for name in ("Submitted files", "backprop-submissions", "ada-submitted")]
    [True, True, False]
    """
    name = folder.lower()
    return name in {_SUBMITTED, "submissions", "submitted files"} or name.endswith("-submissions")


def wrapper_in(root: Path, found: Sequence[Found], folders: Sequence[str], owner: str, *, unpacked: bool) -> str | None:
    """The folder in ``root`` that is around all that counts and is nobody's name; None where there is none.

    ``found`` and ``folders`` are what lies in ``root``, ``owner`` is what it is called; ``unpacked`` says that it was
    an archive.
    """
    if _is_nbgraders(found, folders):
        return _SUBMITTED
    if len(folders) != 1 or any(len(item.parts) == 1 for item in found):
        return None
    lone = folders[0]
    if is_from_moodle(lone):
        return None
    deeper = {item.parts[1] for item in found if len(item.parts) > 2}
    if any(map(GRADESCOPE.fullmatch, deeper)) and os.path.lexists(root / lone / METADATA):
        return lone
    if is_class_folder(lone):
        return lone
    if unpacked:  # the folder that was packed; or one in which several lie, and a student would hand in one
        several = {item.parts[1] for item in found if len(item.parts) > 2 or is_archive(item.parts[-1])}
        if lone == owner or len(several) > 1:
            return lone
    return lone if _is_doubled(lone, owner, found) else None


def may_hold_class(item: Found) -> bool:
    """Whether the only thing in a folder is an archive that no platform named after a student."""
    return item.refused is None and is_archive(item.parts[-1]) and not is_from_platform(item.parts[-1])


def is_class(found: Sequence[Found], known: Sequence[str]) -> bool:
    """Whether an archive that holds ``found`` is a class's: by a platform's names, or a notebook held twice.

    Twice is in two folders, or by the names of two students. ``known`` are the stems of the course's notebooks.
    """
    if _hold_class([item.parts for item in found]):
        return True
    files = [item.parts[0] for item in found if len(item.parts) == 1 and is_notebook(item.parts[0])]
    return len(students_in(files, known)) > 1


def is_one_folder(found: Sequence[Found], holders: Sequence[str], base: Sequence[str]) -> bool:
    """Whether an archive holds one folder (or archive), no notebook beside it, and no name given by a platform.

    Such a folder is more likely called ``homework`` than after the student; that is the archive. ``holders`` are the
    archive's folders and archives, ``base`` the folders that were taken off around them.
    """
    return len(holders) == 1 and _has_no_names(found, base)


def holds_parts_of_one(
    found: Sequence[Found], holders: Sequence[str], base: Sequence[str], known: Sequence[str]
) -> bool:
    """Whether an archive holds folders, no notebook twice and none with a name: ``data`` and ``notebooks``."""
    notebooks = [item.parts[-1] for item in found if item.parts and is_notebook(item.parts[-1])]
    if any(map(is_archive, holders)):
        return False
    return _has_no_names(found, base) and not is_class(found, known) and not students_in(notebooks, known)


def _has_no_names(found: Sequence[Found], base: Sequence[str]) -> bool:
    """Whether an archive holds folders, no notebook beside them, and no name given by a platform."""
    if any(map(is_class_folder, base)):
        return False
    if any(len(item.parts) == 1 and is_notebook(item.parts[0]) for item in found):
        return False
    names = {part for item in found for part in item.parts}
    return not any(is_from_moodle(name) or (is_archive(name) and is_from_platform(name)) for name in names)


def _is_nbgraders(found: Sequence[Found], folders: Sequence[str]) -> bool:
    """Whether a class lies in ``submitted``, and nobody beside it: else it is a student who is called so."""
    late = any(is_part(folder) for folder in folders if folder != _SUBMITTED)
    return _SUBMITTED in folders and not late and all({*item.parts[:1]} <= _NBGRADERS for item in found)


def _is_doubled(lone: str, owner: str, found: Sequence[Found]) -> bool:
    """Whether a class lies in a folder within one of the same name, as Windows unpacks an archive of a folder."""
    inside = [item.parts[1:] for item in found]
    if lone != owner:
        if any(parts[0] != lone for parts in inside):
            return False
        inside = [parts[1:] for parts in inside]
    return _hold_class(inside)


def _hold_class(inside: Sequence[tuple[str, ...]]) -> bool:
    """Whether two folders hold the same notebook, or a platform named them or the files that lie there."""
    notebooks = [parts for parts in inside if parts and is_notebook(parts[-1])]
    held = {(parts[0], kind_of_notebook(parts[-1])) for parts in notebooks if len(parts) > 1}
    twice = len({kind for _, kind in held}) < len(held)
    return twice or any(is_from_platform(parts[0]) for parts in notebooks)
