"""What the commands share: choices, options and how sizes are written."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from grader.errors import UsageError


class Sandbox(StrEnum):
    """What confines student code."""

    BWRAP = "bwrap"
    LANDLOCK = "landlock"
    NONE = "none"


class Hints(StrEnum):
    """How much a report helps."""

    NONE = "none"
    NUDGE = "nudge"
    FULL = "full"


class Platform(StrEnum):
    """Where grades can be taken."""

    CANVAS = "canvas"
    MOODLE = "moodle"
    GRADESCOPE = "gradescope"
    CSV = "csv"


CourseOption = Annotated[
    str, typer.Option("--course", help="An installed course's name, a .py file or a package.", show_default=True)
]
OutOption = Annotated[Path, typer.Option("--out", "-o", help="Where the gradebook and the reports go.")]
HintsOption = Annotated[Hints, typer.Option("--hints", help="How much the feedback helps.")]


def size(text: str) -> int:
    """``"256M"`` → 268435456: a number of bytes with an optional K, M or G (powers of 1024).

    Raises:
        UsageError: the text is no such size, or not above 0.

    >>> size("1.5K")
    1536
    """
    factor = {"K": 1024, "M": 1024**2, "G": 1024**3}.get(text[-1:].upper(), 1)
    number = text[:-1] if factor > 1 else text
    try:
        value = int(float(number) * factor)
    except (ValueError, OverflowError):
        value = 0
    if value <= 0:
        raise UsageError(f"{text!r} is no size in bytes", remedy="write for instance 512M or 4G")
    return value
