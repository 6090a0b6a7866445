"""Values as they are written on the command line: sizes, seeds and other numbers, and files to write."""

from __future__ import annotations

import math
import os
import re
import unicodedata
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

import typer

from grader.errors import UsageError
from grader.names.notebooks import ENDING
from grader.names.visible import is_of_grades
from grader.submission.files.finding import UNPACKED

#: What the names of notebooks end in, and of courses and of modules beside notebooks.
_WORK = (ENDING, ".py")
_SIZE = re.compile(r"(?P<number>[0-9]{1,15}(?:\.[0-9]*)?|\.[0-9]+) ?(?:(?P<unit>[KMG])(?:i?B)?|B)?", re.IGNORECASE)


def size(text: str, least: str = "1", *, option: str = "a size") -> int:
    """``"256M"`` → 268435456: a number of bytes with an optional K, M or G (powers of 1024), or KB, MiB and so on.

    Raises:
        UsageError: the text is no such size, or one below ``least``; the message names the ``option``.

    >>> size("1.5K"), size("4 GB") == 4 * 1024**3
    (1536, True)
    """
    value = _bytes(text)
    if value is None:
        raise UsageError(f"{option}: {text!r} is not a size in bytes", remedy="write for instance 512M or 4G")
    if value < (_bytes(least) or 0):
        raise UsageError(f"{option}: {text!r} is less than a notebook needs", remedy=f"write {least} or more")
    return value


def size_text(count: int) -> str:
    """``size`` turned round, for a default.

    >>> size_text(4 * 1024**3), size_text(256 * 1024**2), size_text(1000)
    ('4G', '256M', '1000')
    """
    for unit, factor in (("G", 1024**3), ("M", 1024**2), ("K", 1024)):
        if count and count % factor == 0:
            return f"{count // factor}{unit}"
    return str(count)


def not_nan(value: float | None) -> float | None:
    """Refuse ``nan``, which no range does.

    Raises:
        BadParameter: the value is not a number.
    """
    if value is not None and math.isnan(value):
        raise typer.BadParameter("nan is not a number")
    return value


def composed(text: str) -> str:
    """Compose letters and their marks, as students' names are kept; macOS hands them over taken apart."""
    return unicodedata.normalize("NFC", text)


def path(text: str) -> Path:
    """A path; the empty text that a shell makes of a variable without a value is none, nor is it the working directory.

    Raises:
        BadParameter: the text is empty.
    """
    if not text:
        raise typer.BadParameter("it is empty: a variable without a value, perhaps; '.' is the folder you are in")
    return Path(text)


def overwriting(
    files: Mapping[str, Path | None], grades: Path, read: Iterable[Path | None], *, packing: str = ""
) -> UsageError | None:
    """Why a file that is to be written, by its option, must not be: something else is there, or will be.

    A notebook, code or an archive is a student's or a course's: a shell that expands ``--junit ada/*.ipynb`` names
    notebooks. The option ``packing`` writes an archive.
    ``grades`` is the folder of a gradebook and its reports, ``read`` are the files that the command reads. That the
    working directory is gone is left to others to tell.
    """
    with suppress(OSError):
        kept = {os.path.realpath(one) for one in read if one is not None}
        folder, taken = Path(os.path.realpath(grades)), dict[str, str]()
        for option, file in files.items():
            if file is None:
                continue
            place = os.path.realpath(file)
            below = Path(place).relative_to(folder).parts if Path(place).is_relative_to(folder) else ()
            if place.lower().endswith(_WORK if option == packing else (*_WORK, *UNPACKED)):
                what = "has the name of what is handed in, or is code"
            elif place in kept:
                what = "is read by the same command"
            elif below and is_of_grades(below[0]):
                what = f"belongs to the grades in {grades}"
            elif place in taken:
                what = f"is that of {taken[place]}, too"
            else:
                taken[place] = option
                continue
            return UsageError(f"{option} names a file to write, and {file} {what}", remedy="name another file there")
    return None


def seed_number(text: str) -> int:
    """The seed that was written on the command line or in ``$GRADER_SEED``.

    Raises:
        BadParameter: the text is no whole number, or a negative one; it is not quoted, for it may be a secret.

    >>> seed_number("8430125519")
    8430125519
    """
    with suppress(ValueError):
        seed = int(text)
        if seed >= 0:
            return seed
    raise typer.BadParameter("this is not a seed; write a whole number, 0 or more")


def _bytes(text: str) -> int | None:
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        return None
    power = "KMG".index(match["unit"].upper()) + 1 if match["unit"] else 0
    return int(float(match["number"]) * 1024**power)
