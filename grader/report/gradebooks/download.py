"""What a submission's path says of the student by the platform that it was downloaded from: folders and numbers."""

from __future__ import annotations

import re
import unicodedata

from grader.names.downloads import CANVAS, GRADESCOPE, MOODLE, DownloadName, Layout


def moodle_folder(path: str, student: str) -> str | None:
    """The folder by which Moodle knows a student's files, or None where the path is not of its download.

    Moodle's upload of feedback splits the folder's name at ``_`` and reads the number in the second of five parts
    (``mod/assign/feedback/file/importziplib.php``), so that a student's name with a ``_`` cannot be told there. None
    has a backslash or a colon, which some programs that unpack take for a way to another folder.

    >>> moodle_folder("ML.zip!Ada Lovelace_501_assignsubmission_file_/03_backprop.ipynb", "Ada Lovelace")
    'Ada Lovelace_501_assignsubmission_file_'
    """
    name = _told(path, student, MOODLE)
    if name is None or set(r"_\:") & set(name.student):
        return None
    return f"{name.student}_{name.number}_assignsubmission_file_"


def number_in(path: str, student: str) -> str | None:
    """The number by which Moodle or Canvas knows a student, or None where the path is of neither's download.

    It is the one beside the student's name: the files that a student handed in may have another platform's names, or
    another student's.

    >>> number_in("class.zip!lovelaceada_LATE_101_55512_03_backprop.ipynb", "lovelaceada")
    '101'
    >>> number_in("turing_102_55513_hw.zip!lovelaceada_101_assignsubmission_file_/hw.ipynb", "turing")
    '102'
    >>> number_in("ada/cs_101_2026_03_backprop.ipynb", "ada") is None
    True
    """
    name = _told(path, student, MOODLE, CANVAS)
    return None if name is None else name.number


def submission_in(path: str) -> str | None:
    """The number of a submission of Gradescope's, or None where the path is not of its export.

    >>> submission_in("assignment_5_export.zip!submission_101/03_backprop.ipynb"), submission_in("ada/hw.ipynb")
    ('101', None)
    """
    match = next(filter(None, map(GRADESCOPE.fullmatch, _parts(path))), None)
    return None if match is None else match["number"]


def _told(path: str, student: str, *layouts: Layout) -> DownloadName | None:
    """What the first part of a path, within archives too, says that is called as in one of ``layouts``, of ``student``.

    Namesakes are told apart by their numbers.
    """
    told = filter(None, (layout.read(part) for part in _parts(path) for layout in layouts))
    return next((one for one in told if student in (name := _shown(one.student), f"{name}_{one.number}")), None)


def _shown(name: str) -> str:
    """A name in the form that the grader gives it."""
    return unicodedata.normalize("NFC", " ".join(name.split()))


def _parts(path: str) -> list[str]:
    return re.split("[/!]", path)
