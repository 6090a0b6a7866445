"""Names of folders that hold students' work and are no student's: sheets (``HW3``) and parts of a class (``late``)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from grader.submission.files.finding import archive_stem

#: A sheet of exercises, or a section of the class.
SHEET = re.compile(
    r"(?:homeworks?|assignments?|exercises?|problem[-_ ]?set|hausaufgabe|(?:ü|ue)bung|lab|week|section)"
    r"(?:[-_ ]?\d{1,2}[a-z]?)?"
    r"|section[-_ ][a-z]"
    r"|(?:hw|ps|ex|sec)[-_ ]?\d{1,2}[a-z]?",
    re.I,
)
#: A part of the class by the time of handing in.
_PART = re.compile(
    r"(?:late|on[-_ ]?time|exten(?:sions?|ded)|submi(?:ssions|tted)|re-?submi(?:ssions?|tted)|nachgereicht|verspätet)"
    r"(?:[-_ ](?:submissions?|work|files))?",
    re.I,
)


def is_part(folder: str) -> bool:
    """Whether a folder or an archive is called like those of a class that were late, or not.

    >>> is_part("late"), is_part("Submitted files"), is_part("ada")
    (True, True, False)
    """
    return _PART.fullmatch(archive_stem(folder)) is not None


def nobodys_in(folders: Sequence[str], known: Sequence[str]) -> frozenset[str]:
    """Those of a class' folders that are no student's, but hold students' work.

    >>> sorted(nobodys_in(["ada", "alan", "late"], [])), sorted(nobodys_in(["HW1", "HW2"], []))
    (['late'], ['HW1', 'HW2'])
    """
    stems = {stem.lower() for stem in known}
    nobodys = {folder for folder in folders if is_part(folder) or folder.lower() in stems}
    sheets = {folder for folder in folders if SHEET.fullmatch(archive_stem(folder))}
    return frozenset(nobodys | sheets if 2 * len(sheets - nobodys) > len({*folders} - nobodys) else nobodys)
