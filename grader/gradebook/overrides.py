"""Points that a human gives in place of the grader's, for one exercise of one notebook with a reason; or a comment.

A ruling is on an answer, so it holds for the notebook as it was: not for another one that the student hands in later.
What the grader found stays in the report beside it. Where there was nothing to grade, be it that a notebook could not
be read or that none was handed in, a ruling is on an exercise that was asked for. A reason without points is a comment,
which takes nothing: the points stay what they are, also where the exercise is graded otherwise later.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches

from grader.errors import UsageError
from grader.model import ExerciseScore, ExerciseStatus, Override, SubmissionReport, SubmissionStatus, Task, total
from grader.names.alphabet import words_of
from grader.report.words.numbers import points

#: The statuses of submissions in which there was nothing to grade.
_UNGRADED = ("unreadable", "no_exercises")


@dataclass(frozen=True, slots=True)
class Ruling:
    """``score`` points for a student's ``exercise`` in the notebook with this digest, and the reason.

    Where ``score`` is None, the reason is a comment beside the grader's points; without that, what was ruled before is
    withdrawn, which is kept so that an earlier ruling from another gradebook does not come back.

    The rest is what it was made on: the points ``graded``, None where the grader gave none, of those ``possible``, and
    the ``files`` beside the notebook (``SubmissionReport.files``); and when it was ``made``, in UTC as ISO 8601 has it,
    empty until it is kept. An older grader kept none of it.
    """

    student: str
    exercise: str
    sha256: str
    score: float | None
    reason: str
    graded: float | None = None
    possible: float | None = None
    files: str = ""
    made: str = field(default="", compare=False)

    @property
    def withdrawn(self) -> bool:
        """Whether it only says that there is none any more."""
        return self.score is None and not self.reason

    @property
    def answer(self) -> tuple[str, str, str]:
        """What it is on; there is one ruling on each."""
        return self.student, self.exercise, self.sha256

    def __str__(self) -> str:
        """The ruling in a list of such."""
        what = "a withdrawal" if self.withdrawn else "a comment" if self.score is None else points(self.score)
        return f"{what} for {self.exercise} of {self.student}"


def answerable(report: SubmissionReport, tasks: Sequence[Task]) -> SubmissionReport:
    """``report`` with all that may be ruled on; where nothing was graded, those of the ``tasks`` that it was to answer.

    A notebook that is called like one of the course's was to answer that one's, any other may be about all of them.
    """
    if report.status not in _UNGRADED:
        return report
    from grader.names.notebooks import kind_of_notebook  # the command line starts without it

    kind = kind_of_notebook(report.notebook)
    asked = [task for task in tasks if task.notebook.lower() == kind] or tasks
    exercises = tuple(ExerciseScore(task.id, task.title, "missing", 0.0, task.possible) for task in asked)
    return replace(report, exercises=exercises)


def not_handed_in(
    student: str, tasks: Sequence[Task], reason: str = "nothing was handed in"
) -> tuple[SubmissionReport, ...]:
    """An entry for each notebook that a student should have handed in, to be ruled on."""
    notebooks = dict.fromkeys(task.notebook for task in tasks)
    return tuple(
        SubmissionReport(student, f"{stem}.ipynb", "", "", "unreadable", None, 0.0, 0.0, reason=reason)
        for stem in notebooks
    )


def rulings_for(
    submissions: Iterable[SubmissionReport], student: str, exercise: str, score: float | None, reason: str
) -> tuple[Ruling, ...]:
    """A ruling for each notebook of the student's that has the exercise: several would else compete.

    Those that could not be graded are ruled on where no other has it, and never without points.

    Raises:
        UsageError: there is no such student or exercise, not so many points, or none given where none were graded.
    """
    submissions = tuple(submissions)
    own = [submission for submission in submissions if submission.student == student]
    if not own:
        raise _nobody_called(student, {words_of(one.student): one.student for one in submissions})
    answers = [(submission, one) for submission in own for one in submission.exercises if one.id == exercise]
    if not answers:
        known = dict.fromkeys(one.id for submission in own for one in submission.exercises)
        raise UsageError(
            f"{student} has no exercise {exercise!r}",
            remedy=f"choose one of: {', '.join(known)}"
            if known
            else "nothing of theirs was graded: ask for a notebook that can be read, and grade that",
        )
    answers = [(entry, one) for entry, one in answers if entry.status not in _UNGRADED] or answers
    possible = min(one.possible for _, one in answers)
    if score is None and answers[0][0].status in _UNGRADED:
        raise UsageError(
            f"{exercise} of {student} was not graded, so it needs points", remedy="give 0, or what it is worth"
        )
    if score is not None and not 0 <= score <= possible:
        bonus = "; a bonus is a column of its own where the grades go" if score > possible else ""
        raise UsageError(
            f"{exercise} is worth {possible:g} points, not {score:g}", remedy=f"give 0 to {possible:g} points{bonus}"
        )
    return tuple(
        Ruling(student, exercise, entry.sha256, score, reason, _graded(entry, one), one.possible, entry.files)
        for entry, one in answers
    )


def _nobody_called(student: str, named: Mapping[str, str]) -> UsageError:
    """The error that nobody is called so, among those ``named`` by their words: a member of a team, or misspelt."""
    from grader.names.downloads import TEAM  # the command line starts without it

    words = words_of(student)
    teams = (name for name in named.values() if TEAM in name)
    team = next((name for name in teams if words in map(words_of, name.split(TEAM))), None)
    if team is not None:
        return UsageError(
            f"{student} handed in with others, as {team!r}", remedy=f"rule on {team!r}, which is for all of them"
        )
    near = [named[one] for one in get_close_matches(words, named, n=1)]
    perhaps = f" (perhaps {near[0]!r})" if near else ""
    return UsageError(
        f"no student in the gradebook is called {student!r}{perhaps}",
        remedy="write the name as the first column of gradebook.csv has it, or give --from the platform's list "
        "too: --roster; who handed in nothing is there if `grader score` is given that",
    )


def _graded(entry: SubmissionReport, exercise: ExerciseScore) -> float | None:
    """The grader's own points; None where it could not grade."""
    return None if entry.status in _UNGRADED or exercise.status == "grader_error" else exercise.score


def overridden(report: SubmissionReport, rulings: Sequence[Ruling], tasks: Sequence[Task] = ()) -> SubmissionReport:
    """``report`` with the points of those ``rulings`` that are on it, and with the sum that they make.

    A submission in which the grader failed is graded once a human ruled on each exercise that it failed in. One with
    nothing to grade is graded with the first ruling on one of the ``tasks`` that it was to answer. It keeps its
    ``reason``, and the other exercises of the same notebook count as missing.
    """
    about = {one.exercise: one for one in rulings if (one.student, one.sha256) == (report.student, report.sha256)}
    if about and report.status in _UNGRADED:
        return _by_hand(answerable(report, tasks), about, tasks)
    exercises = tuple(_ruled(exercise, about.get(exercise.id)) for exercise in report.exercises)
    right = {exercise.id for exercise in exercises if exercise.override and exercise.status == "passed"}
    exercises = tuple(
        replace(exercise, follows_from=tuple(name for name in exercise.follows_from if name not in right))
        for exercise in exercises
    )
    if exercises == report.exercises:
        return report
    status: SubmissionStatus = report.status
    failed = any(exercise.status == "grader_error" for exercise in exercises)
    if status == "grader_error" and not failed:
        status = "graded"
    return replace(
        report,
        exercises=exercises,
        status=status,
        score=None if status == "grader_error" else total(exercise.score for exercise in exercises),
        reason="" if status == "graded" else report.reason,
    )


def _by_hand(report: SubmissionReport, about: Mapping[str, Ruling], tasks: Sequence[Task]) -> SubmissionReport:
    """``report``, of which nothing was graded, as it was ruled; as it was where none of the rulings is on it."""
    ruled = [_ruled(exercise, about.get(exercise.id)) for exercise in report.exercises]
    notebook = {task.id: task.notebook for task in tasks}
    concerned = {notebook[exercise.id] for exercise in ruled if exercise.override}
    if not concerned:
        return replace(report, exercises=())
    exercises = tuple(
        replace(one, override=one.override and replace(one.override, graded=None))
        for one in ruled
        if notebook[one.id] in concerned
    )
    score, possible = total(one.score for one in exercises), total(one.possible for one in exercises)
    return replace(report, exercises=exercises, status="graded", score=score, possible=possible)


def _ruled(exercise: ExerciseScore, ruling: Ruling | None) -> ExerciseScore:
    """The exercise as it was ruled, or commented on; as it was where the course now gives fewer points for it."""
    if ruling is None or (ruling.score or 0) > exercise.possible:
        return exercise
    if ruling.score is None:
        return replace(exercise, comment=ruling.reason)
    status: ExerciseStatus = "passed" if ruling.score == exercise.possible else "partial" if ruling.score else "failed"
    graded = None if exercise.status == "grader_error" else exercise.score
    return replace(exercise, score=ruling.score, status=status, override=Override(graded, ruling.reason))
