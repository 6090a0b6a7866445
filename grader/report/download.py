"""What a submission's path says of the student at the platform that it was downloaded from."""

from __future__ import annotations

import re
import unicodedata

from grader.notebook_name import CANVAS, GRADESCOPE, MOODLE


def moodle_folder(path: str) -> str | None:
    """The folder by which Moodle knows a student's files, or None where the path is not of its download.

    Its upload goes by the number alone, in the second of five parts (``mod/assign/feedback/file/importziplib.php``).

    >>> moodle_folder("ML.zip!Ada Lovelace_501_assignsubmission_file_/03_backprop.ipynb")
    'Ada Lovelace_501_assignsubmission_file_'
    """
    match = _part(MOODLE, path)
    if match is None or "_" in match["student"]:  # which would put the number in another part
        return None
    return f"{match['student']}_{match['number']}_assignsubmission_file_"


def number_in(path: str, student: str) -> str | None:
    """The number by which Moodle or Canvas knows a student, or None where the path is of neither's download.

    That beside the student's name, where it stands in the path: another may be in what they handed in.

    >>> number_in("class.zip!lovelaceada_LATE_101_55512_03_backprop.ipynb", "lovelaceada")
    '101'
    >>> number_in("turing_102_55513_hw.zip!lovelaceada_101_assignsubmission_file_/hw.ipynb", "turing")
    '102'
    """
    for match in filter(None, (pattern.fullmatch(part) for part in _parts(path) for pattern in (MOODLE, CANVAS))):
        name = unicodedata.normalize("NFC", match["student"].strip())
        if student in (name, f"{name}_{match['number']}"):
            return match["number"]
    first = _part(MOODLE, path) or _part(CANVAS, path)
    return None if first is None else first["number"]


def submission_in(path: str) -> str | None:
    """The number of a submission of Gradescope's, or None where the path is not of its export.

    >>> submission_in("assignment_5_export.zip!submission_101/03_backprop.ipynb"), submission_in("ada/hw.ipynb")
    ('101', None)
    """
    match = _part(GRADESCOPE, path)
    return None if match is None else match["number"]


def _part(pattern: re.Pattern[str], path: str) -> re.Match[str] | None:
    """The first part of a path, within archives too, that a platform has named."""
    return next(filter(None, map(pattern.fullmatch, _parts(path))), None)


def _parts(path: str) -> list[str]:
    return re.split("[/!]", path)
