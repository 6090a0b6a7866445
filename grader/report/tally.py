"""A run counted: a row a student, a column an exercise, the mistakes that were made, and what needs a human's eye.

All class-wide renderers (CSV, terminal, HTML, Markdown, LMS) read these, so that they cannot disagree.
"""

from __future__ import annotations

import re
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from grader.alphabet import alphabetical, words_of
from grader.model import ExerciseScore, RunReport, SubmissionReport
from grader.notebook_name import kind_of_notebook
from grader.report import wording
from grader.report.numbers import total

_NO_MODULE = re.compile(r"ModuleNotFoundError: No module named '(\w{1,80})")
_UNTRIED = ("missing", "not_implemented", "grader_error")


@dataclass(frozen=True, slots=True)
class Column:
    """An exercise of the run and how the class did: ``mean`` is the mean share of its points, 0 to 1, or None."""

    id: str
    title: str
    possible: float
    graded: int
    attempted: int
    passed: int
    mean: float | None


@dataclass(frozen=True, slots=True)
class Row:
    """A student: all their notebooks together. Where two hold the same exercise the better one counts (both are shown).

    ``score`` is None where something of theirs could not be graded, so that a total never hides it as a zero.
    ``spare`` are those of the ``entries`` that take nothing away: a notebook without an exercise beside one with
    exercises, and an attempt that cannot be read beside one of the same kind that can. Each is a remark.
    Where exercises were assigned, these alone are ``exercises``; ``absent`` are those not found, with their points.
    """

    student: str
    entries: tuple[SubmissionReport, ...]
    exercises: Mapping[str, ExerciseScore]
    score: float | None
    possible: float
    spare: tuple[SubmissionReport, ...] = ()
    absent: Mapping[str, float] = field(default_factory=dict)

    @property
    def counted(self) -> tuple[SubmissionReport, ...]:
        """The entries that decide on the score and the status."""
        return tuple(entry for entry in self.entries if entry not in self.spare)

    def heading(self, entry: SubmissionReport) -> str:
        """What one of the entries is called: the notebook, or the path where several are called so."""
        alone = sum(other.notebook == entry.notebook for other in self.entries) == 1
        return entry.notebook if entry.notebook and alone else entry.path

    @property
    def attempts(self) -> tuple[str, ...]:
        """The notebooks that answer an exercise which another, not of their kind, answers too.

        Those of one kind are flagged as they are collected.
        """
        tried: dict[str, list[str]] = {}
        for entry in self.entries:
            for exercise in entry.exercises:
                if exercise.id in self.exercises and exercise.status not in _UNTRIED:
                    tried.setdefault(exercise.id, []).append(entry.notebook)
        rivals = [names for names in tried.values() if len({kind_of_notebook(name) for name in names}) > 1]
        return tuple(dict.fromkeys(name for names in rivals for name in names))

    @property
    def status(self) -> str:
        """The most urgent status of the entries that count; ``grader_error`` also where it befell one exercise."""
        found = {entry.status for entry in self.counted}
        if any(exercise.status == "grader_error" for exercise in self.exercises.values()):
            found.add("grader_error")
        return next((status for status in wording.URGENCY if status in found), "graded")

    @property
    def flags(self) -> tuple[str, ...]:
        """The remarks for a human, those of exercises with the exercise named."""
        remarks = [wording.spare(entry) for entry in self.spare]
        remarks += [wording.attempts(self.attempts)] * bool(self.attempts)
        remarks += [flag for entry in self.entries for flag in entry.flags]
        remarks += [f"{id_}: {flag}" for id_, exercise in self.exercises.items() for flag in exercise.flags]
        remarks += [f"{id_}: {wording.override(one)}" for id_, one in self.exercises.items() if one.override]
        return tuple(dict.fromkeys(remarks))


@dataclass(frozen=True, slots=True)
class Mistake:
    """A diagnosis code given for an exercise: the ``checks`` it was seen in, who made it, one message as example."""

    exercise: str
    code: str
    checks: tuple[str, ...]
    students: tuple[str, ...]
    example: str


@dataclass(frozen=True, slots=True)
class Concern:
    """Something that needs a human's eye: ``kind`` is one of ``wording.URGENCY``."""

    student: str
    kind: str
    notebook: str
    detail: str


@dataclass(frozen=True, slots=True)
class Tally:
    """The whole run, counted. Rows are sorted by student, columns by notebook and the order in it.

    Mistakes are sorted by how many made them; stubs that nobody touched, which are none, come last.

    ``possible`` is what a student could earn at most: all that was assigned, else all that anybody handed in.
    """

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    mistakes: tuple[Mistake, ...]
    concerns: tuple[Concern, ...]
    possible: float

    @property
    def scores(self) -> tuple[float, ...]:
        """The totals of the students who have one."""
        return tuple(row.score for row in self.rows if row.score is not None)

    @property
    def shares(self) -> tuple[float, ...]:
        """Those totals as shares of what was possible, 0 to 1."""
        return tuple(row.score / row.possible for row in self.rows if row.score is not None and row.possible > 0)

    @property
    def totals_of(self) -> tuple[float, float] | None:
        """The least and the most that a total is of, where nothing was assigned and students differ in it."""
        found = {row.possible for row in self.rows if row.score is not None}
        return (min(found), max(found)) if len(found) > 1 else None

    @property
    def mean(self) -> float | None:
        """The mean total, or None where nobody has one."""
        return statistics.fmean(self.scores) if self.scores else None


def tally(run: RunReport) -> Tally:
    """``run`` counted; the result does not depend on the order of its submissions."""
    submissions = sorted(
        run.submissions, key=lambda report: (alphabetical(report.student), report.notebook, report.path)
    )
    rows = rows_of(replace(run, submissions=tuple(submissions)))
    columns = _columns(submissions, rows)
    return Tally(columns, rows, _mistakes(rows, columns), _concerns(rows), _possible(run, columns, rows))


def _possible(run: RunReport, columns: Sequence[Column], rows: Sequence[Row]) -> float:
    if run.assigned:
        return total(run.assigned.values())
    return max([total(column.possible for column in columns), *(row.possible for row in rows)])


def rows_of(run: RunReport) -> tuple[Row, ...]:
    """One row a student, in the order of their first submission."""
    by_student: dict[str, list[SubmissionReport]] = {}
    for report in run.submissions:
        by_student.setdefault(report.student, []).append(report)
    return tuple(_row(student, tuple(entries), run.assigned) for student, entries in by_student.items())


def _row(student: str, entries: tuple[SubmissionReport, ...], assigned: Mapping[str, float]) -> Row:
    exercises: dict[str, ExerciseScore] = {}
    for entry in entries:
        for exercise in entry.exercises:
            if assigned and exercise.id not in assigned:
                continue
            best = exercises.get(exercise.id)
            if best is None or exercise.score > best.score:
                exercises[exercise.id] = exercise
    spare = _spare(entries)
    counted = [entry for entry in entries if entry not in spare]
    ungraded = [entry for entry in counted if entry.score is None]
    failed = any(exercise.status == "grader_error" for exercise in exercises.values())
    absent = {id_: points for id_, points in assigned.items() if id_ not in exercises}
    unread = [] if assigned else [entry.possible for entry in counted if not entry.exercises]
    return Row(
        student=student,
        entries=entries,
        exercises=exercises,
        score=None if ungraded or failed else total(exercise.score for exercise in exercises.values()),
        possible=total([*(exercise.possible for exercise in exercises.values()), *unread, *absent.values()]),
        spare=spare,
        absent=absent,
    )


def _spare(entries: Sequence[SubmissionReport]) -> tuple[SubmissionReport, ...]:
    kinds = {kind_of_notebook(entry.notebook) for entry in entries if entry.exercises}
    return tuple(
        entry
        for entry in entries
        if (entry.status == "no_exercises" and kinds)
        or (entry.status == "unreadable" and kind_of_notebook(entry.notebook) in kinds)
    )


def _columns(submissions: Sequence[SubmissionReport], rows: Sequence[Row]) -> tuple[Column, ...]:
    first: dict[str, ExerciseScore] = {}
    for report in sorted(submissions, key=lambda report: report.notebook):
        for exercise in report.exercises:
            first.setdefault(exercise.id, exercise)
    counted = {id_ for row in rows for id_ in row.exercises}
    return tuple(_column(exercise, rows) for exercise in first.values() if exercise.id in counted)


def _column(exercise: ExerciseScore, rows: Sequence[Row]) -> Column:
    graded = [row.exercises[exercise.id] for row in rows if exercise.id in row.exercises]
    graded = [score for score in graded if score.status != "grader_error"]
    shares = [score.score / score.possible for score in graded if score.possible > 0]
    return Column(
        id=exercise.id,
        title=exercise.title,
        possible=exercise.possible,
        graded=len(graded),
        attempted=sum(score.status not in _UNTRIED for score in graded),
        passed=sum(score.status == "passed" for score in graded),
        mean=statistics.fmean(shares) if shares else None,
    )


def _mistakes(rows: Sequence[Row], columns: Sequence[Column]) -> tuple[Mistake, ...]:
    seen: dict[tuple[str, str], tuple[dict[str, None], dict[str, None], str]] = {}
    for column in columns:
        for row in rows:
            exercise = row.exercises.get(column.id)
            for check in exercise.checks if exercise else ():
                if check.diagnosis is None or check.status == "passed":
                    continue
                key = (column.id, check.diagnosis.code)
                checks, students, _ = seen.setdefault(key, ({}, {}, check.diagnosis.message))
                checks[check.name] = None
                students[row.student] = None
    found = [
        Mistake(exercise, code, tuple(checks), tuple(students), example)
        for (exercise, code), (checks, students, example) in seen.items()
    ]
    return tuple(sorted(found, key=lambda mistake: (mistake.code == "not_implemented", -len(mistake.students))))


def _concerns(rows: Sequence[Row]) -> tuple[Concern, ...]:
    found = [concern for row in rows for concern in _concerns_of(row)]
    found += [*_namesakes(rows), *_same_files(rows), *_missing_modules(rows)]
    once = dict.fromkeys(found)  # each of two attempts has the flag that there are two
    return tuple(sorted(once, key=lambda concern: wording.URGENCY.index(concern.kind)))


def _same_files(rows: Sequence[Row]) -> list[Concern]:
    """One concern for each file that several students handed in with something done in it: a team's, or a copy.

    It is the class' alone, for it names students: no page of theirs has it.
    """
    owners: dict[str, dict[str, SubmissionReport]] = {}
    for row in rows:
        for entry in row.entries:
            if entry.sha256 and any(exercise.status not in _UNTRIED for exercise in entry.exercises):
                owners.setdefault(entry.sha256, {}).setdefault(row.student, entry)
    return [
        Concern(student, wording.FLAGGED, entry.notebook, wording.same_file(others))
        for (student, entry), *rest in (list(found.items()) for found in owners.values())
        if (others := [other for other, _ in rest])
    ]


def _namesakes(rows: Sequence[Row]) -> list[Concern]:
    """One concern for students whose names have the same words: perhaps one student with several rows.

    It is the class' alone, for it names students.
    """
    alike: dict[str, list[Row]] = {}
    for row in rows:
        alike.setdefault(words_of(row.student), []).append(row)
    return [
        Concern(
            first.student, wording.FLAGGED, first.entries[0].notebook, wording.namesakes([row.student for row in rest])
        )
        for first, *rest in alike.values()
        if rest
    ]


def _missing_modules(rows: Sequence[Row]) -> list[Concern]:
    """One concern for each module that notebooks import in vain, where points were lost: perhaps not for the students.

    A cell that begins ``import matplotlib`` defines nothing where there is none, ``torch`` in the next line included.
    """
    importers: dict[str, dict[str, str]] = {}
    for row in rows:
        for entry in row.entries:
            if entry.score is None or entry.score < entry.possible:
                found = (_NO_MODULE.match(failure.error) for failure in entry.failed_cells)
                for name in (match[1] for match in found if match):
                    importers.setdefault(name, {}).setdefault(row.student, entry.notebook)
    return [
        Concern(next(iter(who)), wording.FLAGGED, next(iter(who.values())), wording.no_module(name, list(who)))
        for name, who in importers.items()
    ]


def _concerns_of(row: Row) -> list[Concern]:
    found = []
    for entry in row.entries:
        if entry in row.spare:
            found.append(Concern(row.student, wording.FLAGGED, entry.notebook, wording.spare(entry)))
        elif entry.status != "graded":
            detail = entry.reason or wording.SUBMISSION_DETAIL[entry.status]
            found.append(Concern(row.student, entry.status, entry.notebook, detail))
        broken = [exercise.id for exercise in entry.exercises if exercise.status == "grader_error"]
        if broken and entry.status != "grader_error":
            detail = wording.GRADER_ERROR_IN.format(exercises=", ".join(broken))
            found.append(Concern(row.student, "grader_error", entry.notebook, detail))
        if entry.exercises and all(one.status == "missing" and one.override is None for one in entry.exercises):
            found.append(Concern(row.student, wording.FLAGGED, entry.notebook, wording.NONE_FOUND))
        unseen = [exercise for exercise in entry.exercises if exercise.override is None]
        flags = [*entry.flags, *(f"{exercise.id}: {flag}" for exercise in unseen for flag in exercise.flags)]
        if flags:
            found.append(Concern(row.student, wording.FLAGGED, entry.notebook, "; ".join(flags)))
    if attempts := row.attempts:
        found.append(Concern(row.student, wording.FLAGGED, attempts[0], wording.attempts(attempts)))
    return found
