"""What platforms call folders and files in a download of all submissions: a layout each, as data.

Another platform is another entry of ``LAYOUTS``, with an example of each kind of name: the tests read them all.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class DownloadName:
    """Whose a folder or a file is, as its name says.

    ``number`` tells namesakes apart, empty where the platform writes none; ``notebook`` is what the student called the
    file, without its ending, and empty for a folder. ``attempt`` is the time that the platform writes.
    """

    student: str
    number: str = ""
    notebook: str = ""
    attempt: str = ""


@dataclass(frozen=True, slots=True)
class Layout:
    """How one platform puts a name together.

    ``pattern`` matches the whole name, an archive's or a notebook's without its ending, with a group for each field of
    ``DownloadName`` that is in it. ``examples`` are names and what they say.
    """

    platform: str
    pattern: re.Pattern[str]
    examples: Mapping[str, DownloadName] = field(compare=False)

    def read(self, name: str) -> DownloadName | None:
        """What ``name`` says, None where this platform calls nothing so."""
        match = self.pattern.fullmatch(name)
        if match is None:
            return None
        groups = match.groupdict()
        student = groups.pop("student").strip()
        return DownloadName(student, **groups)


MOODLE = Layout(
    "Moodle",
    re.compile(r"(?P<student>.+?)_(?P<number>\d+)_assignsubmission_(?:file|onlinetext)_?(?P<notebook>.*)", re.S),
    {
        "Ada Lovelace_501_assignsubmission_file_": DownloadName("Ada Lovelace", "501"),
        "Ada Lovelace_501_assignsubmission_file_03_backprop": DownloadName("Ada Lovelace", "501", "03_backprop"),
    },
)
CANVAS = Layout(
    "Canvas",
    re.compile(r"(?P<student>[^_]+)(?:_LATE)?_(?P<number>\d{3,})_\d{3,}_(?P<notebook>.+)", re.S),
    {
        "lovelaceada_101_55512_03_backprop": DownloadName("lovelaceada", "101", "03_backprop"),
        "lovelaceada_LATE_101_55512_03_backprop-1": DownloadName("lovelaceada", "101", "03_backprop-1"),
    },
)
#: Where an assignment is graded anonymously: a name that Canvas made up, the same for all files of a submission.
CANVAS_ANONYMOUS = Layout(
    "Canvas, anonymous",
    re.compile(r"(?:LATE_)?(?P<student>anon_[A-Za-z0-9]+)_\d{3,}_(?P<notebook>.+)", re.S),
    {
        "anon_x7Kp2_55512_03_backprop": DownloadName("anon_x7Kp2", "", "03_backprop"),
        "LATE_anon_x7Kp2_55512_03_backprop-1": DownloadName("anon_x7Kp2", "", "03_backprop-1"),
    },
)
#: An attempt's file, with a text beside it; the name is the student's at the institution.
BLACKBOARD = Layout(
    "Blackboard",
    re.compile(
        r".+?_(?P<student>[^_]+)_attempt_(?P<attempt>\d{4}(?:-\d\d){5})(?:\.txt|_)(?P<notebook>.*)", re.S | re.I
    ),
    {
        "HW 3_al17_attempt_2026-11-03-11-30-00_03_backprop": DownloadName(
            "al17", "", "03_backprop", "2026-11-03-11-30-00"
        ),
        "HW 3_al17_attempt_2026-11-03-11-30-00.txt": DownloadName("al17", attempt="2026-11-03-11-30-00"),
        "HW 3_al17_attempt_2026-11-03-11-30-00_ada_attempt_2026-11-03-11-45-00_hw": DownloadName(
            "al17", "", "ada_attempt_2026-11-03-11-45-00_hw", "2026-11-03-11-30-00"
        ),
    },
)
BRIGHTSPACE = Layout(
    "Brightspace",
    re.compile(
        r"\d+-\d+ - (?P<student>.+?) ?- "
        r"(?P<attempt>(?:\w{3,9} \d{1,2}|\d{1,2} \w{3,9}),? \d{4} \d{3,4}(?: [AP]M)?)(?: - )?(?P<notebook>.*)",
        re.S,
    ),
    {
        "397063-2557369 - Mary-Ann Smith - Sep 24, 2026 926 PM": DownloadName(
            "Mary-Ann Smith", attempt="Sep 24, 2026 926 PM"
        ),
        "1-2 - Ada L- 3 Oct, 2026 1126 - 03_backprop": DownloadName("Ada L", "", "03_backprop", "3 Oct, 2026 1126"),
    },
)
LAYOUTS = (MOODLE, CANVAS, CANVAS_ANONYMOUS, BLACKBOARD, BRIGHTSPACE)

#: What Gradescope calls a submission's folder in an export, and what stands between the names of several submitters.
GRADESCOPE = re.compile(r"submission_(?P<number>\d+)")
TEAM = " & "


def read(name: str) -> DownloadName | None:
    """What the first of ``LAYOUTS`` that puts names together so says of ``name``, None where none does.

    >>> read("Ada Lovelace_501_assignsubmission_file_")
    DownloadName(student='Ada Lovelace', number='501', notebook='', attempt='')
    >>> read("homework") is None
    True
    """
    return next((found for layout in LAYOUTS if (found := layout.read(name)) is not None), None)
