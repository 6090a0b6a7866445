"""A platform's own list of students (a roster), and who of those that handed in each of its rows is.

Names are compared in the form that they have in CSV files (``csv_cell``), since instructors copy them from one:
``grader score --who-csv``.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from grader.csv_table import Table, TableFile, read_tables
from grader.errors import UsageError
from grader.names.alphabet import alphabetical, words_of
from grader.names.downloads import TEAM
from grader.report.gradebooks.download import number_in, submission_in
from grader.report.words.text import csv_cell

#: The student and the path of each submission.
HandedIn = Collection[tuple[str, str]]
#: The columns of each student's row in a platform's list, by the grader's name of the student.
Roster = Mapping[str, Mapping[str, str]]
#: The column with the grader's names; the columns with a platform's number of a student (``17``, ``Participant 17``);
#: and those with the name that the platform shows.
_NAMED, _CALLED = "student", ("Student", "Full name")
_NUMBERED: tuple[str, ...] = ("ID", "Identifier")
#: What Canvas' second row has in place of a student, and its last where a teacher looked at the course as a student.
_NOBODY, _VIEW = "Points Possible", "Student, Test"
#: Full marks as Moodle writes them: ``100.00``.
_FIXED = re.compile(r"[1-9]\d{0,8}[.,]\d\d").fullmatch
#: The column that all of Gradescope's lists have, and the one with a submission's number, which only its grades have.
_SID, _SUBMISSION = "SID", "Submission ID"


def read_roster(path: Path, handed_in: HandedIn) -> dict[str, dict[str, str]]:
    """Read a platform's list of students for ``export``: from the grader's name of each to the columns of their row.

    The file is CSV, with commas, semicolons or tabs. Which of the students who ``handed_in`` a row is, is told by the
    first of these that the file has:

    1. a column ``student`` with the grader's names;
    2. a column with the numbers that the platform also wrote into the paths: any with more than half of them, for a
       site's language heads it, else ``ID`` as in Canvas' gradebook or ``Identifier`` as in Moodle's grading worksheet.
       A student who handed in nothing keeps the platform's name;
    3. Gradescope's column ``SID``, where the paths are those of its export: its rows are matched by the number of the
       submission, and by name where there is none;
    4. any column, or two side by side, in which more than half of the students are found, such as logins, e-mail
       addresses, or first and last names. A name may have its words in another order (``Lovelace, Ada``), where that is
       nobody else's.

    Rows with one name that nothing else tells apart belong to none of its students, and each is called by what else it
    has; so nobody gets another's points. A row without a name (Canvas' *Points Possible*) is no student. Nor is Canvas'
    *Test Student*, unless something was handed in as them.

    Raises:
        UsageError: the file cannot be read, none of these columns is there, or a student has two rows.
    """
    names, submitted = _by_number(handed_in), _by_submission(handed_in)
    file = read_tables(path)
    table, numbered = file.having([_NAMED]), _NUMBERED
    if table is None:
        table, numbered = _numbers_in(file.tables, names) or (None, _NUMBERED)
    if table is None:
        table = file.having(*([column] for column in (*(_NUMBERED if names else ()), *([_SID] if submitted else ()))))
    people = _called_as_in(file.tables, handed_in) if table is None else [person for _, person in table.rows]
    if people is None:
        remedy = "add one to the platform's list, with each student as `grader score --who` names them"
        raise _too_few_in(file, handed_in) or file.lacking([_NAMED], remedy)
    roster: dict[str, dict[str, str]] = {}
    for person in people:
        at_gradescope = submitted and _SID in person and _NAMED not in person
        called = _name_at_gradescope(person, submitted) if at_gradescope else _name(person, names, numbered)
        name = unicodedata.normalize("NFC", called)
        if name in roster:
            raise UsageError(
                f"{path} has the student {name!r} more than once",
                remedy="give each row the name by which `grader score --who` tells the two apart",
            )
        if name:
            roster[name] = person
    return roster


def _numbers_in(tables: Iterable[Table], names: Mapping[str, str]) -> tuple[Table, tuple[str, ...]] | None:
    """The table and the column in which more than half of the platform's numbers stand; None where there is none."""
    for table in tables:
        for column in table.columns:
            numbers = {_number(row.get(column, "")) for _, row in table.rows}
            if 2 * len(numbers & names.keys()) > len(names):
                return table, (column,)
    return None


def _number(cell: str) -> str:
    """The number in ``17`` and in ``Participant 17``, as in every language."""
    return cell.rsplit(" ", maxsplit=1)[-1]


def _called_as_in(tables: Iterable[Table], handed_in: HandedIn) -> list[dict[str, str]] | None:
    """The rows, each with the grader's name, by the column, or the two side by side, with most of the students.

    None where no column holds more than half of them.
    """
    students = dict.fromkeys(student for student, _ in handed_in)
    for table in tables:
        rows = [row for _, row in table.rows]
        _, names = _nearest(table, students)
        if 2 * sum(name in students for name in names) > len(students):
            # who has no login there, such as one who never joined, is called by what else there is
            called = [name or next(filter(None, row.values()), "") for row, name in zip(rows, names, strict=True)]
            times = Counter(called)
            return _told_apart(
                [
                    {**row, _NAMED: name if times[name] == 1 else own}
                    for row, own, name in zip(rows, names, called, strict=True)
                    if name != _NOBODY and (name in students or not _is_view(row))
                ]
            )
    return None


def _nearest(table: Table, students: Collection[str]) -> tuple[tuple[str, ...], list[str]]:
    """The column, or the two side by side, with most of ``students``, and what each row has there."""
    by_columns = [
        (columns, _spelt([" ".join(row.get(one, "") for one in columns).strip() for _, row in table.rows], students))
        for columns in (*zip(table.columns, strict=True), *pairwise(table.columns))
    ]
    return max(by_columns, key=lambda found: sum(name in students for name in found[1]), default=((), []))


def _too_few_in(file: TableFile, handed_in: HandedIn) -> UsageError | None:
    """The error that a list, such as one section's, has some of the students and not most; None if it has none."""
    students = dict.fromkeys(student for student, _ in handed_in)
    near = [_nearest(table, students) for table in file.tables]
    count, columns = max((len(students.keys() & {*names}), columns) for columns, names in near)
    if not count:
        return None
    named = " and ".join(map(repr, columns))
    return UsageError(
        f"no column of {file.path} holds more than half of the {len(students)} students ({named} has {count})",
        remedy="give the lists of all sections in one file, or add a column `student` with each student as "
        "`grader score --who` names them",
    )


def _told_apart(people: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    """The rows, where several have one name each called by the first thing in it that no namesake's has as well."""
    namesakes: defaultdict[str, list[dict[str, str]]] = defaultdict(list)
    for person in people:
        namesakes[person[_NAMED]].append(person)
    told = []
    for person in people:
        name = person[_NAMED]
        others = [other for other in namesakes[name] if other is not person]
        own = next((cell for at, cell in person.items() if cell and all(one.get(at) != cell for one in others)), "")
        told.append({**person, _NAMED: f"{name} ({own})" if name and others and own else name})
    return told


def _is_view(person: Mapping[str, str]) -> bool:
    """Whether a row is Canvas' *Test Student*, whom nobody enrolled."""
    return "ID" in person and person.get("Student") == _VIEW and not person.get("SIS User ID")


def _spelt(names: Sequence[str], students: Collection[str]) -> list[str]:
    """The names as ``students`` are called whose are the same words; where two are alike, to the letter."""
    times = Counter(map(words_of, students)) + Counter(words_of(name) for name in names if name)
    spelt = {words_of(student): student for student in students if times[words_of(student)] == 2}
    return [name if name in students else spelt.get(words_of(name), name) for name in names]


def _by_number(handed_in: HandedIn) -> dict[str, str]:
    """The grader's name for each number that a platform's download had."""
    found = ((number_in(path, student), student) for student, path in handed_in)
    return {number: student for number, student in found if number is not None}


def _by_submission(handed_in: HandedIn) -> dict[str, str]:
    """The grader's name for each numbered submission of a Gradescope export.

    A number that two students seem to have is left out: a student can give a folder any name.
    """
    found = {(submission_in(path), student) for student, path in handed_in}
    times = Counter(number for number, _ in found)
    return {number: student for number, student in found if number is not None and times[number] == 1}


def _name_at_gradescope(person: Mapping[str, str], submitted: Mapping[str, str]) -> str:
    """The grader's name for the student in a row of one of Gradescope's lists.

    It is found by the submission's number. That tells only the team where several handed in together, and a list of
    students has no such number: there it is the name in the row.
    """
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


def _name(person: Mapping[str, str], names: Mapping[str, str], numbered: Sequence[str]) -> str:
    """The grader's name for the student in a row: given there, or found by number, else the platform's name."""
    if _NAMED in person:
        return person[_NAMED]
    number = next((_number(person[column]) for column in numbered if person.get(column)), "")
    if not number or number in names:
        return names.get(number, "")
    others = (column for column in person if column not in numbered)  # a name is the first thing beside the number
    shown = next((person[column] for column in (*_CALLED, *others) if person.get(column)), "")
    return "" if _is_view(person) else f"{shown} ({number})".strip()


def strangers(handed_in: HandedIn, roster: Roster, keys: Sequence[str] = ()) -> tuple[str, ...]:
    """The students that an export can only call by the grader's name, in alphabetical order.

    They are not in the roster; or they are, but without a value in any of the columns ``keys``, by which the platform
    recognises students.
    """
    everyone = {csv_cell(name) for name in roster}
    known = {csv_cell(name) for name, person in roster.items() if not keys or any(map(person.get, keys))}
    return tuple(
        sorted((name for name in _students(handed_in, everyone) if csv_cell(name) not in known), key=alphabetical)
    )


def absentees(handed_in: HandedIn, roster: Roster) -> tuple[str, ...]:
    """The students of the roster of whom nothing was graded: they handed in nothing, or under another name."""
    there = {csv_cell(name) for name in _students(handed_in, {csv_cell(name) for name in roster})}
    return tuple(sorted((name for name in roster if csv_cell(name) not in there), key=alphabetical))


def assignments_in(roster: Roster) -> tuple[str, ...]:
    """The columns of a roster that are Canvas' assignments: ``HW3 (1234)``."""
    columns = dict.fromkeys(column for person in roster.values() for column in person)
    return tuple(column for column in columns if re.fullmatch(r".+ \(\d+\)", column))


def full_marks_in(path: Path, assignment: str) -> tuple[str, float] | None:
    """A column of a platform's list and how many points it says that full marks are; None where none says so.

    Canvas says so in the row *Points Possible*, below the ``assignment``. Moodle's worksheet says so in each row, in a
    column that a site's language heads: all numbers in it are the same, with two decimals.

    Raises:
        UsageError: the file cannot be read.
    """
    for table in read_tables(path).tables:
        rows = [row for _, row in table.rows]
        for row in rows:
            if _NOBODY in row.values():
                found = [(name, _points(row.get(name, ""))) for name in table.columns if _is_named(name, assignment)]
                return next(((name, worth) for name, worth in found if worth), None)
        same = [(column, {row.get(column, "") for row in rows}) for column in table.columns]
        numbers = [(column, _points(*cells)) for column, cells in same if len(cells) == 1 and all(map(_FIXED, cells))]
        if numbers:
            return max(numbers, key=lambda one: one[1])
    return None


def _points(cell: str) -> float:
    """The number in a cell, 0 where there is none."""
    return float(cell.replace(",", ".")) if re.fullmatch(r"\d{1,9}(?:[.,]\d{1,9})?", cell) else 0.0


def _is_named(column: str, assignment: str) -> bool:
    """Whether a column of Canvas' is the ``assignment``'s, with its number or without."""
    return assignment in (column, column.rpartition(" (")[0])


def _students(handed_in: HandedIn, known: Container[str]) -> set[str]:
    """The students; of a team, its members where ``known`` has all of them."""
    teams = teams_of(handed_in)
    return {name for student, _ in handed_in for name in members_in(student, teams, known)}


def teams_of(handed_in: HandedIn) -> frozenset[str]:
    """The names of teams, which only Gradescope's exports have: elsewhere "Ada & Alan" is one person's name."""
    found = (name for name, path in handed_in if submission_in(path) and not number_in(path, name))
    return frozenset(name for name in found if TEAM in name)


def members_in(student: str, teams: Container[str], known: Container[str]) -> tuple[str, ...]:
    """The members of a team if the roster has all (``known``, as ``csv_cell`` writes them), else the ``student``."""
    members = tuple(student.split(TEAM))
    split = student in teams and csv_cell(student) not in known
    return members if split and all(csv_cell(member) in known for member in members) else (student,)
