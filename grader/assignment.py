"""What was assigned, who handed in nothing, and what was earned."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.errors import UsageError
from grader.model import Course, RunReport, total
from grader.names.notebooks import stem_of
from grader.report.counting.row import rows_of
from grader.report.words import wording


@dataclass(frozen=True, slots=True)
class Standing:
    """What a run earned in all: ``score`` is None where something could not be graded, so that no zero hides it."""

    score: float | None
    possible: float

    @property
    def percentage(self) -> float | None:
        """0 to 100, to two decimals; None without a score or without points to earn."""
        return None if self.score is None or self.possible <= 0 else round(100 * self.score / self.possible, 2)


def expected_of(course: Course, notebooks: Sequence[str]) -> dict[str, float]:
    """The exercises of the assigned notebooks with their points: what counts also where it was not handed in.

    One of ``notebooks`` may be several with commas between them, unless the whole of it is a notebook's name.

    Raises:
        UsageError: the course has no notebook of that name.
    """
    stems: set[str] = set()
    for names in notebooks:
        whole = stem_of(names.strip())
        stems |= {whole} if whole in course.notebooks else {stem_of(name.strip()) for name in names.split(",")}
    unknown = sorted(stems - set(course.notebooks))
    if unknown:
        raise UsageError(
            f"the course {course.name!r} has no notebook {unknown[0]!r}",
            remedy=f"its notebooks are {', '.join(course.notebooks)}",
        )
    return {id_: exercise.possible for id_, exercise in course.exercises.items() if exercise.notebook in stems}


@dataclass(frozen=True, slots=True)
class Attendance:
    """Who of a class list handed in nothing, and who handed in and is not on it, in alphabetical order."""

    absent: tuple[str, ...] = ()
    strangers: tuple[str, ...] = ()

    @property
    def remarks(self) -> tuple[str, ...]:
        """What is told of the strangers; the absent are in the reports."""
        return (wording.not_on_the_list(self.strangers),) if self.strangers else ()


def attendance_by(roster: Path | None, handed_in: Collection[tuple[str, str]]) -> Attendance:
    """What a class list (``grader.report.read_roster``) says of who handed in; nothing without one.

    ``handed_in`` are the student and the path of each submission.

    Raises:
        UsageError: the list cannot be read, or does not say which student is which.
    """
    if roster is None:
        return Attendance()
    from grader.report.gradebooks.roster import absentees, read_roster, strangers

    people = read_roster(roster, handed_in)
    return Attendance(absentees(handed_in, people), strangers(handed_in, people))


def standing_of(run: RunReport) -> Standing:
    """What the whole run earned of what was assigned; without a single submission there is no score."""
    rows = rows_of(run)
    scores = [row.score for row in rows if row.score is not None]
    whole = total(row.possible for row in rows) if rows else total(run.assigned.values())
    return Standing(total(scores) if rows and len(scores) == len(rows) else None, whole)


def students_below(run: RunReport, percentage: float) -> tuple[str, ...]:
    """The students who, in one notebook or in all, earned less than ``percentage`` of what counts there."""
    found = []
    for row in rows_of(run):
        earned = [(row.score, row.possible), *map(row.earned_in, row.entries)]
        if any(score is not None and 100 * score < percentage * possible for score, possible in earned):
            found.append(row.student)
    return tuple(found)
