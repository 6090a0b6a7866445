"""What each student of a run earned: all their notebooks together, or what was assigned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from grader.model import ExerciseScore, RunReport, SubmissionReport, SubmissionStatus, total
from grader.names.notebooks import kind_of_notebook

#: The statuses of submissions but for ``graded``, the most urgent first.
URGENCY: tuple[SubmissionStatus, ...] = ("grader_error", "unreadable", "crashed", "timed_out", "no_exercises")
#: The statuses of an exercise in which nothing was tried.
UNTRIED = ("missing", "not_implemented", "grader_error")


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
        return _counted(self.entries, self.spare)

    @property
    def idle(self) -> tuple[SubmissionReport, ...]:
        """The entries without news for their student: nothing in them was assigned, and nothing was run or begun."""
        return tuple(
            entry
            for entry in self.entries
            if entry.status == "not_assigned"
            or (entry.status == "graded" and self.unassigned(entry) and is_untouched(entry))
        )

    def unassigned(self, entry: SubmissionReport) -> bool:
        """Whether one of the entries has exercises, and none that counts."""
        return bool(entry.exercises) and all(exercise.id not in self.exercises for exercise in entry.exercises)

    def earned_in(self, entry: SubmissionReport) -> tuple[float | None, float]:
        """What counts in one of the entries, and how much there is: of an exercise that another answers better, that.

        None where it has no score of its own.
        """
        counted = [exercise for exercise in entry.exercises if exercise.id in self.exercises]
        best = total(self.exercises[exercise.id].score for exercise in counted)
        return None if entry.score is None else best, total(exercise.possible for exercise in counted)

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
                if exercise.id in self.exercises and exercise.status not in UNTRIED:
                    tried.setdefault(exercise.id, []).append(entry.notebook)
        rivals = [names for names in tried.values() if len({kind_of_notebook(name) for name in names}) > 1]
        return tuple(dict.fromkeys(name for names in rivals for name in names))

    @property
    def answers(self) -> tuple[ExerciseScore, ...]:
        """The exercises, those that were assigned and not found too: their points belong to the total."""
        absent = (ExerciseScore(id_, id_, "missing", 0.0, possible) for id_, possible in self.absent.items())
        return (*self.exercises.values(), *absent)

    @property
    def results(self) -> tuple[ExerciseScore, ...]:
        """The answers, but for what was not found beside a notebook that nobody could read: it may be in that one."""
        return self.answers if self.score is not None else tuple(self.exercises.values())

    @property
    def status(self) -> SubmissionStatus:
        """The most urgent status of the entries that count; ``grader_error`` also where it befell one exercise."""
        found = {entry.status for entry in self.counted}
        if any(exercise.status == "grader_error" for exercise in self.exercises.values()):
            found.add("grader_error")
        return next((status for status in URGENCY if status in found), "graded")


def is_untouched(entry: SubmissionReport) -> bool:
    """Whether a notebook has exercises, nothing in it is or, which is flagged, may be an answer, and no human spoke."""
    return bool(entry.exercises) and all(
        one.status in UNTRIED and not (one.flags or one.override or one.comment) for one in entry.exercises
    )


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
    counted = _counted(entries, spare)
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


def _counted(entries: Sequence[SubmissionReport], spare: Sequence[SubmissionReport]) -> tuple[SubmissionReport, ...]:
    """The entries that decide on the score: neither the ``spare`` ones nor what was not run."""
    return tuple(entry for entry in entries if entry not in spare and entry.status != "not_assigned")
