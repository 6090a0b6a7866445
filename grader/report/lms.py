"""Grades for a learning platform, as the CSV that its import takes.

A roster's names are compared as CSV has them (``csv_cell``), for there they come from: ``grader score --who-csv``.
A team of Gradescope's, whose members a roster names, is exported as a row for each.
"""

from __future__ import annotations

import csv
import io
import unicodedata
from collections import Counter
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from grader.errors import UsageError
from grader.model import RunReport
from grader.notebook_name import TEAM
from grader.report import wording
from grader.report.download import number_in, submission_in
from grader.report.numbers import points
from grader.report.sheet import csv_text, gradebook_csv, score_cell
from grader.report.tally import Row, Tally, tally
from grader.report.text import csv_cell, one_line

Target = Literal["canvas", "moodle", "gradescope", "csv"]

#: The columns by which Moodle's import knows a student, as an English site heads them.
MOODLE_IDENTIFIERS = ("Email address", "ID number", "Username")
#: The column with the grader's names; else those with a platform's numbers (``17``, ``Participant 17``), and its names.
_NAMED, _NUMBERED, _CALLED = "student", ("ID", "Identifier"), ("Student", "Full name")
#: The columns by which Gradescope's lists are known, and that with the number of a submission, in its grades alone.
_SID, _SUBMISSION = "SID", "Submission ID"


def export(
    run: RunReport,
    to: Target,
    *,
    assignment: str = "",
    roster: Mapping[str, Mapping[str, str]] | None = None,
    identifier: str = "ID number",
) -> str:
    """The totals of ``run`` as CSV text for ``to``.

    ``assignment`` names the column (the course's name by default; Canvas matches ``Name (1234)`` by the number).
    ``identifier`` is one of ``MOODLE_IDENTIFIERS`` or any column of the roster: a site's language heads them.
    ``roster`` maps a student, as the grader calls them, to columns of the platform's own export: ``Student``, ``ID``,
    ``SIS User ID``, ``SIS Login ID``, ``Section`` for Canvas, ``identifier`` for Moodle, ``First Name``, ``Last Name``,
    ``SID``, ``Email`` for Gradescope; what is not there is the student's name or empty. A student without a score (see
    ``Row``) gets an empty cell, which an import leaves alone, never a zero.

    Raises:
        UsageError: ``to`` or ``identifier`` is not known, or a roster for Moodle has no column ``identifier``.
    """
    if to == "csv":
        return gradebook_csv(run)
    writers: dict[str, Callable[[Tally, str, Mapping[str, Mapping[str, str]], str], str]] = {
        "canvas": _canvas,
        "moodle": _moodle,
        "gradescope": _gradescope,
    }
    if to not in writers:
        raise UsageError(f"grades cannot be exported to {to!r}", remedy=f"choose one of: {', '.join(writers)}, csv")
    columns = dict.fromkeys(column for person in (roster or {}).values() for column in person)
    if identifier not in (*MOODLE_IDENTIFIERS, *columns):
        raise UsageError(
            f"Moodle does not identify students by {identifier!r}",
            remedy=f"choose one of: {', '.join(MOODLE_IDENTIFIERS)}; or a column of the roster, as it is headed there",
        )
    if to == "moodle" and columns and identifier not in columns:
        raise UsageError(
            f"the roster has no column {identifier!r}",
            remedy=f"name another with --identifier; it has: {one_line(', '.join(columns), 200)}",
        )
    known = {csv_cell(student): person for student, person in (roster or {}).items()}
    counted = tally(run)
    teams = _teams(run)
    rows = [replace(row, student=name) for row in counted.rows for name in _members_in(row.student, teams, known)]
    return writers[to](replace(counted, rows=tuple(rows)), assignment or run.course, known, identifier)


def _teams(run: RunReport) -> frozenset[str]:
    """The teams of an export of Gradescope's: who is called "Ada & Alan" elsewhere is one person."""
    found = (entry for entry in run.submissions if submission_in(entry.path) and not number_in(entry.path))
    return frozenset(entry.student for entry in found if TEAM in entry.student)


def _members_in(student: str, teams: Container[str], known: Container[str]) -> tuple[str, ...]:
    """The members of a team where a roster knows each (``known``, as CSV has them); else the student as they are."""
    members = tuple(student.split(TEAM))
    split = student in teams and csv_cell(student) not in known
    return members if split and all(csv_cell(member) in known for member in members) else (student,)


def read_roster(path: Path, run: RunReport | None = None) -> dict[str, dict[str, str]]:
    """A platform's list of students for ``export``: a CSV file whose column ``student`` has the grader's names.

    The columns may be separated by commas, semicolons or tabs. A row without a name in it (Canvas' *Points Possible*)
    is nobody's. Where there is no such column, but one with the numbers that the platform wrote into the paths of
    ``run`` (``ID`` in Canvas' gradebook, ``Identifier`` in Moodle's grading worksheet), those tell who is who; who
    handed in nothing is then called as the platform does. Of Gradescope's lists (column ``SID``) the number of the
    submission does, where there is one, else the name.

    Raises:
        UsageError: the file cannot be read, tells nobody's name, or names one student twice.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            text = file.read()
        names, submitted = _by_number(run), _by_submission(run)
        rows = _people(text, (_NAMED, *(_NUMBERED if names else ()), *([_SID] if submitted else ())))
        if rows is None:
            raise UsageError(
                f"{path} has no column 'student'; its first line is: {one_line(text[:1000].partition(chr(10))[0], 80)}",
                remedy="add one to the platform's list, with each student as `grader score --who` names them",
            )
        people = [{key: (value or "").strip() for key, value in row.items() if key} for row in rows]
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}", remedy="name the CSV file of the platform's list") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path} cannot be read as CSV: {error}", remedy="export the list as CSV in UTF-8") from None
    roster: dict[str, dict[str, str]] = {}
    for person in people:
        at_gradescope = submitted and _SID in person and _NAMED not in person
        called = _name_at_gradescope(person, submitted) if at_gradescope else _name(person, names)
        name = unicodedata.normalize("NFC", called)
        if name in roster:
            raise UsageError(
                f"{path} has the student {name!r} more than once",
                remedy="give each row the name by which `grader score --who` tells the two apart",
            )
        if name:
            roster[name] = person
    return roster


def _people(text: str, columns: Sequence[str]) -> csv.DictReader[str] | None:
    """A roster's rows, separated by that with which one of ``columns``, the first best, is there; None if none is."""
    for column in columns:
        for mark in ",;\t":
            rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=mark)
            rows.fieldnames = [name.strip() for name in rows.fieldnames or ()]
            if column in rows.fieldnames:
                return rows
    return None


def _by_number(run: RunReport | None) -> dict[str, str]:
    """The grader's name for each number that a platform's download had."""
    found = ((number_in(entry.path), entry.student) for entry in (run.submissions if run else ()))
    return {number: student for number, student in found if number is not None}


def _by_submission(run: RunReport | None) -> dict[str, str]:
    """The grader's name for each submission of an export of Gradescope's; a student may call a folder like another."""
    found = {(submission_in(entry.path), entry.student) for entry in (run.submissions if run else ())}
    times = Counter(number for number, _ in found)
    return {number: student for number, student in found if number is not None and times[number] == 1}


def _name_at_gradescope(person: Mapping[str, str], submitted: Mapping[str, str]) -> str:
    """Whom a row of Gradescope's is of: by submission; a team's member, and in a list without submissions, by name."""
    full = person.get("Name") or f"{person.get('First Name', '')} {person.get('Last Name', '')}"
    sid, number = person[_SID], person.get(_SUBMISSION)
    name = " ".join(full.split()) or person.get("Email") or sid
    student = submitted.get(number or "", TEAM)
    if TEAM not in student:
        return student
    if number == "":  # none handed in, and maybe a namesake's
        return f"{name} ({sid})"
    told_apart = f"{name}_{sid}"
    return told_apart if told_apart in submitted.values() else name


def _name(person: Mapping[str, str], names: Mapping[str, str]) -> str:
    """Whom a row of a roster is of: by name, by number, or one of whom there is only the platform's name."""
    if _NAMED in person:
        return person[_NAMED]
    number = next((person[column].split(" ")[-1] for column in _NUMBERED if person.get(column)), "")
    shown = next((person[column] for column in _CALLED if person.get(column)), "")
    return names.get(number) or (f"{shown} ({number})".strip() if number else "")


def strangers(
    run: RunReport, roster: Mapping[str, Mapping[str, str]], identifier: str | None = None
) -> tuple[str, ...]:
    """The students of ``run`` that are exported under the grader's names for them.

    These are they whom the roster does not name or, where the platform knows people by one column, ``identifier``,
    for whom it is empty there.
    """
    everyone = {csv_cell(name) for name in roster}
    known = {csv_cell(name) for name, person in roster.items() if identifier is None or person.get(identifier)}
    return tuple(sorted(name for name in _students(run, everyone) if csv_cell(name) not in known))


def absentees(run: RunReport, roster: Mapping[str, Mapping[str, str]]) -> tuple[str, ...]:
    """The students of the roster of whom nothing was graded: they handed in nothing, or are called otherwise there."""
    there = {csv_cell(name) for name in _students(run, {csv_cell(name) for name in roster})}
    return tuple(sorted(name for name in roster if csv_cell(name) not in there))


def _students(run: RunReport, known: Container[str]) -> set[str]:
    """The students of a run, the members of a team where a roster knows them."""
    teams = _teams(run)
    return {name for report in run.submissions for name in _members_in(report.student, teams, known)}


def _canvas(counted: Tally, assignment: str, roster: Mapping[str, Mapping[str, str]], _identifier: str) -> str:
    """The gradebook import: five columns that identify, then the assignment; the second row holds what is possible."""
    columns = ("ID", "SIS User ID", "SIS Login ID", "Section")
    records = [
        ["Student", *columns, assignment],
        ["Points Possible", *[""] * len(columns), score_cell(counted.possible)],
    ]
    for row in counted.rows:
        known = roster.get(csv_cell(row.student), {})
        ids = [known.get(column, "") for column in columns]
        if not any(ids):
            ids[columns.index("SIS Login ID")] = row.student
        records.append([known.get("Student", row.student), *ids, score_cell(row.score)])
    return csv_text(records)


def _moodle(counted: Tally, assignment: str, roster: Mapping[str, Mapping[str, str]], identifier: str) -> str:
    """The grade import: identifier, grade and feedback (docs.moodle.org: map both, or the grades are lost)."""
    records = [[identifier, assignment, f"{assignment} (feedback)"]]
    for row in counted.rows:
        who = roster.get(csv_cell(row.student), {}).get(identifier) or row.student
        records.append([who, score_cell(row.score), _feedback(row)])
    return csv_text(records)


def _gradescope(counted: Tally, assignment: str, roster: Mapping[str, Mapping[str, str]], _identifier: str) -> str:
    """The form of Gradescope's own grade export."""
    records = [["First Name", "Last Name", "SID", "Email", f"{assignment}", f"{assignment} - Max Points"]]
    for row in counted.rows:
        known = roster.get(csv_cell(row.student), {})
        names = [known.get("First Name", row.student), known.get("Last Name", "")]
        ids = [known.get("SID", row.student), known.get("Email", "")]
        records.append([*names, *ids, score_cell(row.score), score_cell(row.possible)])
    return csv_text(records)


def _feedback(row: Row) -> str:
    """``"lin_grad 2/4 (transposed); relu_grad 2/2"``."""
    if row.score is None:
        reasons = dict.fromkeys(wording.sentence(one_line(entry.reason)) for entry in row.counted if entry.reason)
        return " ".join((wording.SUBMISSION_DETAIL.get(row.status, ""), *reasons)).strip()
    parts = []
    for exercise in row.exercises.values():
        codes = dict.fromkeys(check.diagnosis.code for check in exercise.checks if check.diagnosis)
        why = f" ({', '.join(wording.code_label(code) for code in codes)})" if codes else ""
        parts.append(f"{exercise.id} {points(exercise.score)}/{points(exercise.possible)}{why}")
    return "; ".join(parts)
