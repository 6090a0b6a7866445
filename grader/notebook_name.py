"""What a notebook's file name says, whoever asks: collecting who handed in what, and counting what of it counts."""

from __future__ import annotations

import re

ENDING = ".ipynb"
#: What Drive and Colab put before a copy's name, and Jupyter, Windows, macOS and browsers after it, in a few languages.
_COPY_OF = re.compile(r"(?:(?:copy of|kopie v[ao]n|copia d[ei]|copie de|cópia de) )+", re.I)
_COPY_OF_NEXT = re.compile(rf"(?<=[-_ ]){_COPY_OF.pattern}$", re.I)
_COPY = re.compile(r"(?:[-_ ]+\(?(?:copy|kopie|c[oó]pia|copie) ?\d*\)?|[-_ ]*\(\d+\))+$", re.I)
#: What Moodle calls a student's folder or file, and Canvas a file, in a download of all submissions.
MOODLE = re.compile(r"(?P<student>.+?)_(?P<number>\d+)_assignsubmission_(?:file|onlinetext)_?(?P<notebook>.*)", re.S)
CANVAS = re.compile(r"(?P<student>[^_]+)(?:_LATE)?_(?P<number>\d{3,})_\d{3,}_(?P<notebook>.+)", re.S)
#: What Blackboard calls a file, and Brightspace a folder or a file, in theirs: an attempt's, and nobody's number.
BLACKBOARD = re.compile(
    r".+_(?P<student>[^_]+)_attempt_\d{4}(?:-\d\d){5}(?:\.txt|_)(?P<number>)(?P<notebook>.*)", re.S | re.I
)
BRIGHTSPACE = re.compile(
    r"\d+-\d+ - (?P<student>.+?) ?- (?:\w{3,9} \d{1,2}|\d{1,2} \w{3,9}),? \d{4} \d{3,4}(?: [AP]M)?"
    r"(?: - )?(?P<number>)(?P<notebook>.*)",
    re.S,
)
#: What Gradescope calls a submission's folder in an export, and what stands between the names of several submitters.
GRADESCOPE = re.compile(r"submission_(?P<number>\d+)")
TEAM = " & "


def kind_of_notebook(name: str) -> str:
    """Return what a notebook's file name is about, copies of it alike.

    >>> kind_of_notebook("03_backprop-Copy1.ipynb"), kind_of_notebook("Copy of 03_Backprop - Copy (2).ipynb")
    ('03_backprop', '03_backprop')
    >>> kind_of_notebook("Kopie von 03_backprop.ipynb"), kind_of_notebook("03_backprop (Kopie).ipynb")
    ('03_backprop', '03_backprop')
    """
    stem = name[: -len(ENDING)] if name.lower().endswith(ENDING) else name
    return _COPY.sub("", without_copy_of(stem)).lower()


def without_copy_of(stem: str) -> str:
    """Return a notebook's name without the "Copy of" before it, which is nobody's.

    >>> without_copy_of("Copy of ada_03_backprop")
    'ada_03_backprop'
    """
    match = _COPY_OF.match(stem)
    return stem[match.end() :] if match and match.end() < len(stem) else stem


def without_copy_of_next(owner: str) -> str:
    """Return what stands before a notebook's name without the "Copy of" at its end.

    >>> without_copy_of_next("Ada Lovelace - Copy of ")
    'Ada Lovelace - '
    """
    return _COPY_OF_NEXT.sub("", owner)
