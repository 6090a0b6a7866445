"""One submission from notebook to report: reading, running and judging it.

Whatever goes wrong with a submission beyond the student's own doing (reading it, judging one exercise, all the rest)
becomes ``grader_error`` here, for that submission alone, and the batch goes on.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from dataclasses import replace

from grader.cell_code import magic_apart
from grader.errors import GraderError
from grader.judge.remarks import coarse_results, raised_late
from grader.judge.score import link_consequences, score_fault, score_missing, score_unreached
from grader.kernel.host.pool import KernelPool
from grader.kernel.host.schedule import global_names_in
from grader.kernel.protocol.results import steady
from grader.machine import remedy_of_shortage
from grader.model import (
    Course,
    Diagnosis,
    Execution,
    Exercise,
    ExerciseScore,
    Job,
    Stub,
    Submission,
    SubmissionReport,
    SubmissionStatus,
    total,
)
from grader.names.enumeration import cut
from grader.seeded_course import SeededCourse, asked_of
from grader.submission.entry import Entry
from grader.submission.files.limits import CollectLimits
from grader.submission.reading.reading import read
from grader.submission.reading.reliance import names_used
from grader.submission.reading.suspicion import (
    LOOPS,
    autograd_suspected,
    lookup_suspected,
    loops_suspected,
    optimizer_suspected,
)

#: Failed cells that are told of one notebook, which may have thousands.
_MOST_FAILURES = 100
_log = logging.getLogger(__name__)


def read_entry(
    entry: Entry,
    seeded: SeededCourse,
    limits: CollectLimits = CollectLimits(),  # noqa: B008 - frozen
) -> Submission | SubmissionReport:
    """The submission, or the report of the grader's own failure to read it."""
    try:
        return read(entry, seeded.wanted, seeded.givens, limits=limits)
    except Exception as error:
        _log.exception("reading %s failed", entry.shown_path)
        unread = Submission(entry.student, entry.notebook, entry.path, entry.shown_path, sha256="")
        return ungraded(unread, error)


def unassigned(submission: Submission, course: Course, assigned: Collection[str]) -> SubmissionReport | None:
    """The report of a submission that need not run, since it is asked for none of the exercises ``assigned``.

    None where it is asked for one, or where nothing tells what it is asked for. With nothing assigned, all counts.
    """
    asked = asked_of(submission, course)
    if not assigned or not asked or any(exercise.id in assigned for exercise in asked):
        return None
    reason = "it holds no assigned exercise, so it was not run"
    if submission.unreadable is not None:
        reason += f"; nor can it be read: {submission.unreadable}"
    return _report(submission, "not_assigned", None, total(exercise.possible for exercise in asked), reason=reason)


async def grade(submission: Submission, seeded: SeededCourse, pool: KernelPool) -> SubmissionReport:
    """Run and judge one submission. Never raises for anything about the submission itself."""
    try:
        return await _graded(submission, seeded, pool)
    except Exception as error:
        _log.exception("grading %s failed", submission.shown_path)
        return ungraded(submission, error)


def ungraded(submission: Submission, error: Exception) -> SubmissionReport:
    """The report of a submission in which the grader failed."""
    return _report(submission, "grader_error", None, 0.0, reason=_fault(error))


async def _graded(submission: Submission, seeded: SeededCourse, pool: KernelPool) -> SubmissionReport:
    if submission.unreadable is not None:
        return _report(submission, "unreadable", None, 0.0, reason=submission.unreadable)
    asked = asked_of(submission, seeded.course)
    if not asked:
        reason = f"no exercise of the course {seeded.course.name!r} is in it; {_NO_EXERCISES}"
        return _report(submission, "no_exercises", None, 0.0, reason=reason)
    assets = (*submission.assets, *seeded.course.assets)
    job = Job(submission.shown_path, submission.cells, seeded.checks(submission, asked), assets)
    # A notebook without one stub has nothing to check: not a cell of it need be run.
    execution = await pool.run(job) if job.checks else Execution("finished")
    later = await _second_pass(submission, job, execution, seeded, pool) if execution.again else Execution("finished")
    scores = judge(submission, asked, execution, later, seeded)
    status: SubmissionStatus = "graded" if execution.ended == "finished" else execution.ended
    earned: float | None = total(score.score for score in scores)
    reason = _REASONS.get(status, "")
    if failed := [score.id for score in scores if score.status == "grader_error"]:
        status, earned, reason = "grader_error", None, f"the grader failed in {', '.join(failed)}"
    failures = tuple(replace(failure, error=steady(failure.error)) for failure in execution.failures[:_MOST_FAILURES])
    more = len(execution.failures) - len(failures)
    return replace(
        _report(submission, status, earned, total(one.possible for one in asked)),
        exercises=scores,
        seconds=round(execution.seconds + later.seconds, 3),
        failed_cells=failures,
        flags=(
            *submission.flags,
            *execution.flags,
            *cut(_checked_again(execution)),
            *[f"{more} more cells failed than are listed"] * (more > 0),
        ),
        reason=reason,
    )


_NO_EXERCISES = "hand in the course's own notebook, in which each answer has the name that it was asked for by"
_REASONS = {
    "crashed": "its kernel died and could not go on; the checks made before then count",
    "timed_out": "its time was up; the checks made before then count",
}


async def _second_pass(
    submission: Submission, job: Job, first: Execution, seeded: SeededCourse, pool: KernelPool
) -> Execution:
    """What the checks give that missed what a later cell defines: behind all cells in a fresh job, on other numbers."""
    exercises = [seeded.course.exercises[name] for name in first.again]
    last = max(cell.index for cell in job.cells)
    checks = tuple(replace(check, cell=last) for check in seeded.other.checks(submission, exercises))
    return await pool.run(replace(job, checks=checks), first.time_left)


def _checked_again(execution: Execution) -> list[str]:
    return [
        f"{exercise}: checked again at the end: it uses {', '.join(names)}, which a later cell defines"
        for exercise, names in execution.again.items()
    ]


def judge(
    submission: Submission, asked: Sequence[Exercise], execution: Execution, later: Execution, seeded: SeededCourse
) -> tuple[ExerciseScore, ...]:
    """The scores of the exercises asked, from what running the submission gave, and a second pass (``later``)."""
    scores = [
        _judge_exercise(submission, exercise, later, seeded.other)
        if exercise.id in later.checks
        else _judge_exercise(submission, exercise, execution, seeded)
        for exercise in asked
    ]
    scores = [replace(score, flags=cut(score.flags)) for score in scores]
    course = seeded.course
    return link_consequences(scores, course.exercises, lambda exercise: _used(submission, exercise, course))


def _used(submission: Submission, exercise: Exercise, course: Course) -> frozenset[str]:
    """The names that an answer uses, with what it relies on in other cells, and those that its check uses."""
    stub = submission.stubs.get(exercise.id)
    own = frozenset() if stub is None else names_used(stub.source, submission.cells, course.asked_beside(exercise))
    return own | names_used(exercise.call)


def _judge_exercise(
    submission: Submission, exercise: Exercise, execution: Execution, seeded: SeededCourse
) -> ExerciseScore:
    stub = submission.stubs.get(exercise.id)
    if stub is None:
        return replace(score_missing(exercise), flags=seeded.renamed(submission, exercise))
    try:
        prepared = seeded.prepared(exercise)
        runs = execution.checks.get(exercise.id)
        if runs is None:
            return score_unreached(exercise, stub, _unreached(execution))
        if any(run.ended == "not_defined" for run in runs):
            stub = replace(stub, kept_from=_kept_from(stub, submission, execution))
        if any(run.error is not None and run.error.type == "NameError" for run in runs):
            stub = replace(stub, lost=_lost(submission, execution))
        score = seeded.verdicts.score(exercise, prepared, runs, stub)
    except Exception as error:
        _log.exception("judging %s of %s failed", exercise.id, submission.shown_path)
        return replace(score_fault(exercise), flags=(_fault(error),))
    suspicion = _suspicion(exercise, stub.source, submission, seeded.course)
    flags = (*score.flags, *suspicion, *coarse_results(runs), *raised_late(score, runs))
    return replace(score, flags=flags, printed=steady(score.printed))


def _kept_from(stub: Stub, submission: Submission, execution: Execution) -> str:
    """What of the answer's own cell kept it from defining the answer, as far as that is known."""
    failed = next((steady(failure.error) for failure in execution.failures if failure.cell == stub.cell), "")
    source = next((cell.source for cell in submission.cells if cell.index == stub.cell), "")
    return magic_apart(source) or failed


def _lost(submission: Submission, execution: Execution) -> tuple[tuple[str, int, str], ...]:
    """The names that cells would give which failed, each with its cell and the error."""
    failed = {failure.cell: steady(failure.error) for failure in execution.failures}
    cells = [cell for cell in submission.cells if cell.index in failed]
    return tuple((name, cell.index, failed[cell.index]) for cell in cells for name in sorted(global_names_in([cell])))


def _unreached(execution: Execution) -> Diagnosis:
    if execution.ended == "timed_out":
        return Diagnosis("timed_out", "The submission's time was up before this check was reached.")
    return Diagnosis("crashed", "The kernel died before this check was reached.")


def _suspicion(exercise: Exercise, source: str, submission: Submission, course: Course) -> tuple[str, ...]:
    """Remarks for a human where the source does not seem to work by hand what is asked for; they cost no points."""
    there = (submission.cells, course.asked_beside(exercise), submission.modules)
    found = {"perhaps not worked out, but taken from": lookup_suspected(exercise.answers_in, source, *there)}
    if exercise.loops_flagged:
        found[LOOPS] = loops_suspected(source, *there)
    if not exercise.autograd:
        found["autograd suspected"] = autograd_suspected(source, *there)
        found["an optimizer of torch's in place of one's own"] = optimizer_suspected(source, *there)
    return tuple(f"{what}: {where}" for what, where in found.items() if where is not None)


def _report(
    submission: Submission, status: SubmissionStatus, score: float | None, possible: float, *, reason: str = ""
) -> SubmissionReport:
    return SubmissionReport(
        student=submission.student,
        notebook=submission.notebook,
        path=submission.shown_path,
        sha256=submission.sha256,
        status=status,
        score=score,
        possible=possible,
        seconds=0.0,
        total_cells=submission.total_cells,
        flags=submission.flags,
        reason=reason,
    )


def _fault(error: Exception) -> str:
    if isinstance(error, GraderError):
        where, remedy = "", error.remedy
    else:
        where, remedy = f"{type(error).__name__}: ", remedy_of_shortage(error)
    return f"the grader failed here: {where}{error}" + (f"; {remedy}" if remedy else "")
