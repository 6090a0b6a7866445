"""What a submission's path says of the student at the platform that it was downloaded from."""

from __future__ import annotations

import re

#: What Moodle calls a student's folder, or begins a student's file with, in a download of all submissions. Its upload
#: goes by the number alone, in the second of five parts (``mod/assign/feedback/file/importziplib.php``).
_MOODLE = re.compile(r"(?:^|[/!])([^/!_]+_(\d+)_assignsubmission_)(?:file|onlinetext)_")
_CANVAS = re.compile(r"(?:^|[/!])[^/!_]+(?:_LATE)?_(\d{3,})_\d{3,}_")


def moodle_folder(path: str) -> str | None:
    """The folder by which Moodle knows a student's files, or None where the path is not of its download.

    >>> moodle_folder("ML.zip!Ada Lovelace_501_assignsubmission_file_/03_backprop.ipynb")
    'Ada Lovelace_501_assignsubmission_file_'
    """
    match = _MOODLE.search(path)
    return None if match is None else f"{match[1]}file_"


def number_in(path: str) -> str | None:
    """The number by which Moodle or Canvas knows a student, or None where the path is of neither's download.

    >>> number_in("class.zip!lovelaceada_LATE_101_55512_03_backprop.ipynb"), number_in("ada/03_backprop.ipynb")
    ('101', None)
    """
    if moodle := _MOODLE.search(path):
        return moodle[2]
    canvas = _CANVAS.search(path)
    return None if canvas is None else canvas[1]
