"""Statistics of a run: a row a student, a column an exercise, the mistakes that were made, what needs a human's eye.

All class-wide renderers (CSV, terminal, HTML, Markdown, LMS) read these, so that they cannot disagree.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from grader.model import ExerciseScore, RunReport, SubmissionReport, total
from grader.names.alphabet import alphabetical
from grader.names.notebooks import kind_of_notebook
from grader.report.counting.concerns import Concern, concerns_in
from grader.report.counting.row import UNTRIED, Row, rows_of
from grader.report.words import wording


@dataclass(frozen=True, slots=True)
class Column:
    """An exercise of the run and how the class did: ``mean`` is the mean share of its points, 0 to 1, or None.

    ``graded`` are the answers, and of students with a total the assigned ones that they did not hand in, as zeros.
    """

    id: str
    possible: float
    graded: int
    attempted: int
    passed: int
    mean: float | None


@dataclass(frozen=True, slots=True)
class Mistake:
    """A diagnosis code given for an exercise: the ``checks`` it was seen in, who made it, one message as example."""

    exercise: str
    code: str
    checks: tuple[str, ...]
    students: tuple[str, ...]
    example: str


@dataclass(frozen=True, slots=True)
class Tally:
    """The whole run, counted. Rows are sorted by student, columns by notebook and the order in it.

    Mistakes are sorted by how many made them. A stub that nobody touched is none, nor is what follows from another
    exercise's: that one is counted.

    ``possible`` is what a student could earn at most: all that was assigned, else all that anybody handed in.
    ``absent`` are those of the class list who handed in nothing: they have no row, and are in no mean. ``nowhere`` are
    the assigned exercises, with their points, that are in nobody's notebook: they have no column. ``unbegun`` are the
    notebooks, with their points, that count since they were handed in although nobody began them, as in clones of a
    repository that has all notebooks; empty where notebooks were assigned, or nobody began any.
    """

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    mistakes: tuple[Mistake, ...]
    concerns: tuple[Concern, ...]
    possible: float
    absent: tuple[str, ...] = ()
    nowhere: Mapping[str, float] = field(default_factory=dict)
    unbegun: Mapping[str, float] = field(default_factory=dict)

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
    def notebook(self) -> str:
        """What the notebook is called of which all answers are; empty where there are several, or none."""
        names = {entry.notebook for row in self.rows for entry in row.counted if entry.exercises}
        return names.pop() if len(names) == 1 else ""

    @property
    def not_run(self) -> tuple[str, ...]:
        """The notebooks that were not assigned, and so not run, in alphabetical order, each as often as it was."""
        entries = (entry for row in self.rows for entry in row.entries if entry.status == "not_assigned")
        return tuple(sorted(entry.notebook or entry.path for entry in entries))

    @property
    def mean(self) -> float | None:
        """The mean total, or None where nobody has one."""
        return statistics.fmean(self.scores) if self.scores else None

    @property
    def median(self) -> float | None:
        """The median total, or None where nobody has one."""
        return statistics.median(self.scores) if self.scores else None


def tally(run: RunReport) -> Tally:
    """``run`` counted; the result does not depend on the order of its submissions."""
    submissions = sorted(
        run.submissions, key=lambda report: (alphabetical(report.student), report.notebook, report.path)
    )
    rows = rows_of(replace(run, submissions=tuple(submissions)))
    columns = _columns(submissions, rows)
    possible = _possible(run, columns, rows)
    found = {column.id for column in columns}
    nowhere = {id_: points for id_, points in run.assigned.items() if id_ not in found}
    unbegun = {} if run.assigned else _unbegun(columns, submissions)
    return Tally(columns, rows, _mistakes(rows, columns), concerns_in(rows), possible, run.absent, nowhere, unbegun)


def class_notes(counted: Tally, sandbox: str) -> tuple[str, ...]:
    """What every view of a class says before all else; who handed in nothing, and what was not run, each has its way.

    ``sandbox`` is the one in which the run was made.
    """
    notes = (
        wording.unlike_totals(*counted.totals_of) if counted.totals_of else "",
        wording.unbegun(counted.unbegun, counted.possible) if counted.unbegun else "",
        wording.not_found(counted.nowhere) if counted.nowhere else "",
        wording.SANDBOX_NOTE.get(sandbox, ""),
    )
    return tuple(filter(None, notes))


def _unbegun(columns: Sequence[Column], submissions: Sequence[SubmissionReport]) -> dict[str, float]:
    untried = {column.id: column.possible for column in columns if not column.attempted}
    found: dict[str, set[str]] = {}
    for report in submissions:
        if report.exercises:
            ids = {exercise.id for exercise in report.exercises}
            found.setdefault(kind_of_notebook(report.notebook), set()).update(ids)
    unbegun = {kind: ids for kind, ids in sorted(found.items()) if ids <= untried.keys()}
    if len(unbegun) == len(found):
        return {}
    return {kind: total(untried[id_] for id_ in sorted(ids)) for kind, ids in unbegun.items()}


def _possible(run: RunReport, columns: Sequence[Column], rows: Sequence[Row]) -> float:
    if run.assigned:
        return total(run.assigned.values())
    return max([total(column.possible for column in columns), *(row.possible for row in rows)])


def _columns(submissions: Sequence[SubmissionReport], rows: Sequence[Row]) -> tuple[Column, ...]:
    first: dict[str, ExerciseScore] = {}
    for report in sorted(submissions, key=lambda report: report.notebook):
        for exercise in report.exercises:
            first.setdefault(exercise.id, exercise)
    counted = {id_ for row in rows for id_ in row.exercises}
    return tuple(_column(exercise, rows) for exercise in first.values() if exercise.id in counted)


def _column(exercise: ExerciseScore, rows: Sequence[Row]) -> Column:
    graded = [one for row in rows for one in row.results if one.id == exercise.id and one.status != "grader_error"]
    shares = [score.score / score.possible for score in graded if score.possible > 0]
    return Column(
        id=exercise.id,
        possible=exercise.possible,
        graded=len(graded),
        attempted=sum(map(_is_tried, graded)),
        passed=sum(score.status == "passed" for score in graded),
        mean=statistics.fmean(shares) if shares else None,
    )


def _is_tried(exercise: ExerciseScore) -> bool:
    """Whether there is an answer; a human's zero on what was not graded, or not handed in, is none."""
    by_hand = exercise.override is not None and not exercise.checks
    return exercise.status not in UNTRIED and (exercise.score > 0 or not by_hand)


def _is_own_mistake(exercise: ExerciseScore) -> bool:
    """Whether what is wrong in it comes from no other exercise, and no human gave full points for it."""
    return not exercise.follows_from and not (exercise.override and exercise.status == "passed")


def _mistakes(rows: Sequence[Row], columns: Sequence[Column]) -> tuple[Mistake, ...]:
    seen: dict[tuple[str, str], tuple[dict[str, None], dict[str, None], str]] = {}
    for column in columns:
        for row in rows:
            exercise = row.exercises.get(column.id)
            for check in exercise.checks if exercise and _is_own_mistake(exercise) else ():
                if check.diagnosis is None or check.diagnosis.code == "not_implemented":
                    continue
                key = (column.id, check.diagnosis.code)
                checks, students, _ = seen.setdefault(key, ({}, {}, check.diagnosis.message))
                checks[check.name] = None
                students[row.student] = None
    found = [
        Mistake(exercise, code, tuple(checks), tuple(students), example)
        for (exercise, code), (checks, students, example) in seen.items()
    ]
    return tuple(sorted(found, key=lambda mistake: -len(mistake.students)))
