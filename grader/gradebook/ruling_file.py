"""Rulings as CSV: what a human wrote in a spreadsheet, and what one gradebook writes for another."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from grader.csv_table import read_tables
from grader.errors import UsageError
from grader.gradebook.overrides import Ruling, rulings_for
from grader.model import SubmissionReport
from grader.report.words.text import csv_cell

#: The columns of a file of rulings.
COLUMNS = ("student", "exercise", "points", "reason")
#: Those that it has beside them if a gradebook wrote it, for what each ruling is on, and since when (``Ruling``).
_MADE_ON = ("sha256", "graded", "possible", "made")
#: What stands in place of the points where a ruling was withdrawn.
_WITHDRAWN = "withdrawn"
#: A time as a gradebook writes it.
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
#: What the first of them has where there was no notebook.
_NONE = "none"
#: So many of a file's faults are told at once.
_TOLD = 20


def rulings_csv(rulings: Iterable[Ruling]) -> str:
    """The ``rulings`` as CSV that ``rulings_in`` reads for another gradebook: a row each, with what it was made on."""
    from grader.report.views.spreadsheet import csv_text  # the command line starts without it

    rows = []
    for one in rulings:
        score, graded, possible = (
            "" if number is None else repr(number).removesuffix(".0")
            for number in (one.score, one.graded, one.possible)
        )
        given = _WITHDRAWN if one.withdrawn else score
        rows.append((one.student, one.exercise, given, one.reason, one.sha256 or _NONE, graded, possible, one.made))
    return csv_text([(*COLUMNS, *_MADE_ON), *rows])


def rulings_in(
    path: Path, submissions: Sequence[SubmissionReport], called: Mapping[str, str] = MappingProxyType({})
) -> tuple[Ruling, ...]:
    """The rulings of a CSV file with the columns ``student``, ``exercise``, ``points`` and ``reason``, a row each.

    A row that has a digest in the column ``sha256`` is on that notebook alone, and was made on the points in the
    columns ``graded`` and ``possible``, at the time in ``made``. ``called`` are the students by what else the file may
    call them.

    Commas, semicolons or tabs separate them, and other columns are left alone; a row in which all four are empty is
    none, one without points a comment, and one with ``withdrawn`` in their place takes back what was ruled. With a
    semicolon or a tab, points may have a decimal comma, as spreadsheets write them then.

    Raises:
        UsageError: the file cannot be read, has not these columns or no rows, or a row cannot be used: each such line
            is told.
    """
    file = read_tables(path, heading=lambda name: name.strip().lower())
    table = file.having(COLUMNS)
    if table is None:
        raise file.lacking(COLUMNS, remedy=f"begin it with a line: {','.join(COLUMNS)}")
    names = {csv_cell(submission.student): submission.student for submission in submissions}
    names = {**called, **names, **{name: name for name in names.values()}}
    made: list[Ruling] = []
    lines: dict[tuple[str, str, str], int] = {}
    refused: list[tuple[int, UsageError]] = []
    for line, row in table.rows:
        if not any(row[column] for column in COLUMNS):
            continue
        try:
            rulings = _rulings_of(row, table.mark, names, submissions)
            earlier = min(lines.setdefault(one.answer, line) for one in rulings)
            if earlier != line:
                raise UsageError(f"rules on the same answer as line {earlier}", remedy="remove one of the two")
        except UsageError as error:
            refused.append((line, error))
        else:
            made += rulings
    if refused:
        raise _refusal(path, refused)
    if not made:
        raise UsageError(f"{path} has no rulings below its columns", remedy="write a row for each exercise to rule on")
    return tuple(made)


def _rulings_of(
    row: Mapping[str, str], mark: str, names: Mapping[str, str], submissions: Sequence[SubmissionReport]
) -> tuple[Ruling, ...]:
    """What a row of a file rules, whose cells ``mark`` separates; ``names`` are the students by what a sheet has."""

    def number(text: str) -> float | None:
        return _points(text if mark == "," else text.replace(",", ".")) if text else None

    student, exercise, given, reason = (row[column] for column in COLUMNS)
    student = unicodedata.normalize("NFC", student)
    student = names.get(student) or names.get(student.removeprefix("'"), student)  # as a spreadsheet needs it
    withdrawn = given.lower() == _WITHDRAWN
    score = 0.0 if withdrawn else number(given)
    if not reason and not withdrawn:
        raise UsageError("a ruling needs a reason", remedy="the student reads it: write it in that column")
    if csv_cell(reason[1:]) == reason:
        reason = reason[1:]
    rulings = rulings_for(submissions, student, exercise, score, reason)
    if withdrawn:
        rulings = tuple(replace(one, score=None, reason="") for one in rulings)
    digest, graded, possible, made = (row.get(column, "") for column in _MADE_ON)
    if not digest:
        return rulings
    meant = tuple(one for one in rulings if digest == (one.sha256 or _NONE))
    if not meant:
        raise UsageError(
            f"{exercise} of {student} was ruled on a notebook that is not here",
            remedy="look at the one that is here, and empty the cell sha256 to rule on it, or remove the line",
        )
    if made and not _TIME.fullmatch(made):
        raise UsageError(
            f"{made!r} is no time as `grader override --csv` writes it",
            remedy="empty that cell of the column made: the line then counts as decided now",
        )
    if possible:  # which an older grader did not keep
        meant = tuple(replace(one, graded=number(graded), possible=number(possible)) for one in meant)
    return tuple(replace(one, made=made) for one in meant)


def _refusal(path: Path, refused: Sequence[tuple[int, UsageError]]) -> UsageError:
    """The one error for all lines that cannot be used, of which so many are told."""
    troubles = [f"line {line}: {error}" for line, error in refused]
    told = "\n".join(troubles[:_TOLD]) + (f"\n… and {len(troubles) - _TOLD} more" if len(troubles) > _TOLD else "")
    remedies = {error.remedy for _, error in refused}
    return UsageError(
        f"nothing was ruled, since {path} has rows that cannot be used\n{told}",
        remedy=remedies.pop() if len(remedies) == 1 else "fix these lines and give the whole file again",
    )


def _points(text: str) -> float:
    try:
        score = float(text)
    except ValueError:
        score = math.nan
    if not math.isfinite(score):
        raise UsageError(f"{text!r} is no number of points", remedy="write for instance 2.5")
    return score
