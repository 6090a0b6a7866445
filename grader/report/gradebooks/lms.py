"""Grades for a learning platform, as the CSV that its import takes.

A roster (``roster``) has the columns by which the platform knows a student. A team of Gradescope's, whose
members a roster names, is exported as a row for each.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import replace

from grader.errors import UsageError
from grader.model import RunReport, Target
from grader.report.counting.row import Row, is_untouched
from grader.report.counting.tally import Tally, tally
from grader.report.gradebooks.roster import Roster, members_in, teams_of
from grader.report.views.spreadsheet import csv_text, gradebook_records, score_cell
from grader.report.words import wording
from grader.report.words.numbers import points
from grader.report.words.text import csv_cell, one_line

#: The columns by which Moodle's import knows a student, as an English site heads them.
MOODLE_IDENTIFIERS = ("ID number", "Email address", "Username")
#: Those by which the others' do.
_CANVAS_KEYS, _GRADESCOPE_KEYS = ("ID", "SIS User ID", "SIS Login ID"), ("SID", "Email")
_BRIGHTSPACE_KEYS = ("OrgDefinedId", "Username")


def export(
    run: RunReport,
    to: Target,
    *,
    assignment: str = "",
    roster: Roster | None = None,
    identifier: str | None = None,
    out_of: float | None = None,
) -> str:
    """The totals of ``run`` as CSV text for ``to``.

    ``assignment`` names the column (the course's name by default; Canvas matches ``Name (1234)`` by the number).
    ``identifier`` is one of ``MOODLE_IDENTIFIERS`` or any column of the roster: a site's language heads them. Where it
    is None, it is the first of those that the roster fills (``identifier_of``).
    ``roster`` maps a student, as the grader calls them, to columns of the platform's own export: ``Student``, ``ID``,
    ``SIS User ID``, ``SIS Login ID``, ``Section`` for Canvas, ``identifier`` for Moodle, ``First Name``, ``Last Name``,
    ``SID``, ``Email`` for Gradescope, ``OrgDefinedId``, ``Username`` for Brightspace; what is not there is the
    student's name or empty; the CSV of all exercises has all of them in front. A student without a score (see ``Row``)
    gets an empty cell, which an import leaves alone, never a zero. ``out_of`` is what all points together are worth
    there, by default as many points.

    Raises:
        UsageError: for Moodle, ``identifier`` is not known or the roster has no such column; or something is asked for
            that a CSV of all exercises, or another platform, does not have.
    """
    if to == "csv":
        _refuse_unused(assignment, identifier, out_of)
    elif identifier and to != "moodle":
        raise UsageError("only Moodle's import goes by one column that can be chosen", remedy="leave out --identifier")
    columns = tuple(dict.fromkeys(column for person in (roster or {}).values() for column in person))
    known_by = identifier_of(roster or {}, identifier)
    if to == "moodle":
        _refuse_unknown(known_by, columns)
    known = {csv_cell(student): person for student, person in (roster or {}).items()}
    teams = teams_of(run.handed_in)
    if to == "csv":
        return _csv(gradebook_records(run), known, columns, teams)
    counted = tally(run)
    worth = 1.0 if out_of is None or counted.possible <= 0 else out_of / counted.possible
    rows = [
        replace(
            row, student=name, possible=row.possible * worth, score=None if row.score is None else row.score * worth
        )
        for row in counted.rows
        for name in members_in(row.student, teams, known)
    ]
    scaled = replace(counted, rows=tuple(rows), possible=counted.possible * worth)
    column = assignment or run.course
    if to == "moodle":
        return _moodle(scaled, column, known, known_by)
    forms = {"canvas": _canvas, "gradescope": _gradescope, "brightspace": _brightspace}
    return forms[to](scaled, column, known)


def identifier_of(roster: Roster, asked: str | None) -> str:
    """The column by which Moodle knows a student: as ``asked``, else the first of its own that ``roster`` fills.

    >>> identifier_of({"ada": {"ID number": "", "Email address": "ada@x"}}, None), identifier_of({}, None)
    ('Email address', 'ID number')
    """
    filled = (one for one in MOODLE_IDENTIFIERS if any(person.get(one) for person in roster.values()))
    return asked or next(filled, MOODLE_IDENTIFIERS[0])


def keys_of(to: Target, roster: Roster, identifier: str | None) -> tuple[str, ...]:
    """The columns of the ``roster`` by any of which a platform knows a student; none for a CSV of all exercises."""
    keys = {"canvas": _CANVAS_KEYS, "gradescope": _GRADESCOPE_KEYS, "brightspace": _BRIGHTSPACE_KEYS}
    return (identifier_of(roster, identifier),) if to == "moodle" else keys.get(to, ())


def _refuse_unknown(identifier: str, columns: Sequence[str]) -> None:
    """Refuse an identifier that neither Moodle nor the roster with these ``columns`` has."""
    if identifier not in (*MOODLE_IDENTIFIERS, *columns):
        raise UsageError(
            f"Moodle does not identify students by {identifier!r}",
            remedy=f"choose one of: {', '.join(MOODLE_IDENTIFIERS)}; or a column of the roster, as it is headed there",
        )
    if columns and identifier not in columns:
        raise UsageError(
            f"the roster has no column {identifier!r}",
            remedy=f"name another with --identifier; it has: {one_line(', '.join(columns), 200)}",
        )


def _refuse_unused(assignment: str, identifier: str | None, out_of: float | None) -> None:
    """Refuse what would change nothing in a CSV of all exercises."""
    for option, given, has in (
        ("--out-of", out_of, "the course's points, and percent, which is of 100"),
        ("--assignment", assignment, "a column an exercise"),
        ("--identifier", identifier, "all columns of the roster"),
    ):
        if given:
            raise UsageError(f"a CSV of all exercises has {has}", remedy=f"leave out {option}")


def _csv(records: Sequence[Sequence[str]], roster: Roster, columns: Sequence[str], teams: Container[str]) -> str:
    """All of the gradebook, with the roster's ``columns`` in front."""
    columns = [column for column in columns if column != "student"]  # which the gradebook has, too
    header, *rows = records
    found = [
        [*(roster.get(csv_cell(name), {}).get(column, "") for column in columns), name, *rest]
        for student, *rest in rows
        for name in members_in(student, teams, roster)
    ]
    return csv_text([[*columns, *header], *found])


def _canvas(counted: Tally, assignment: str, roster: Roster) -> str:
    """The gradebook import: five columns that identify, then the assignment; the second row holds what is possible."""
    columns = (*_CANVAS_KEYS, "Section")
    records = [
        ["Student", *columns, assignment],
        ["Points Possible", *[""] * len(columns), score_cell(counted.possible)],
    ]
    for row in counted.rows:
        known = roster.get(csv_cell(row.student), {})
        ids = [known.get(column, "") for column in columns]
        if not any(ids[:-1]):  # a section alone is nobody
            ids[columns.index("SIS Login ID")] = row.student
        records.append([known.get("Student", row.student), *ids, score_cell(row.score)])
    return csv_text(records)


def _moodle(counted: Tally, assignment: str, roster: Roster, identifier: str) -> str:
    """The grade import: identifier, grade and feedback (docs.moodle.org: map both, or the grades are lost)."""
    records = [[identifier, assignment, f"{assignment} (feedback)"]]
    for row in counted.rows:
        who = roster.get(csv_cell(row.student), {}).get(identifier) or row.student
        records.append([who, score_cell(row.score), _feedback(row)])
    return csv_text(records)


def _gradescope(counted: Tally, assignment: str, roster: Roster) -> str:
    """The form of Gradescope's own grade export."""
    records = [["First Name", "Last Name", "SID", "Email", assignment, f"{assignment} - Max Points"]]
    for row in counted.rows:
        known = roster.get(csv_cell(row.student), {})
        names = [known.get("First Name", row.student), known.get("Last Name", "")]
        ids = [known.get("SID", row.student), known.get("Email", "")]
        records.append([*names, *ids, score_cell(row.score), score_cell(row.possible)])
    return csv_text(records)


def _brightspace(counted: Tally, assignment: str, roster: Roster) -> str:
    """The grade import: what identifies, the item's points, and the mark that ends each line."""
    keys = [key for key in _BRIGHTSPACE_KEYS if any(person.get(key) for person in roster.values())] or ["Username"]
    records = [[*keys, f"{assignment} Points Grade", "End-of-Line Indicator"]]
    for row in counted.rows:
        ids = [roster.get(csv_cell(row.student), {}).get(key, "") for key in keys]
        if not any(ids):
            ids[-1] = row.student
        records.append([*ids, score_cell(row.score), "#"])
    return csv_text(records)


def _feedback(row: Row) -> str:
    """``"lin_grad 2/4 (transposed); relu_grad 2/2"``; then the notebooks not begun, and what was not found."""
    if row.score is None:
        reasons = dict.fromkeys(wording.sentence(one_line(entry.reason)) for entry in row.counted if entry.reason)
        return " ".join((wording.SUBMISSION_DETAIL.get(row.status, ""), *reasons)).strip()
    idle = [entry for entry in row.entries if is_untouched(entry)]
    begun = {exercise.id for entry in row.entries if entry not in idle for exercise in entry.exercises}
    parts = []
    for exercise in row.exercises.values():
        if exercise.id not in begun:
            continue
        codes = dict.fromkeys(check.diagnosis.code for check in exercise.checks if check.diagnosis)
        why = ", ".join(wording.code_label(code) for code in codes)
        if exercise.override is not None:
            why = f"set by hand: {one_line(exercise.override.reason)}"
        elif exercise.comment:
            why = "; ".join(filter(None, (why, one_line(wording.override(exercise)))))
        parts.append(
            f"{exercise.id} {points(exercise.score)}/{points(exercise.possible)}" + (f" ({why})" if why else "")
        )
    left = [row.heading(entry) for entry in idle if any(one.id in row.exercises for one in entry.exercises)]
    told = [wording.not_begun(left)] * bool(left) + [wording.not_found(row.absent)] * bool(row.absent)
    return " ".join(filter(None, ("; ".join(parts) + "." * bool(parts and told), *told)))
