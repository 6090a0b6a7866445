"""Composes the wings: one submission from notebook to report, and a class of them.

The one broad catch of the grader is here: whatever goes wrong with a submission beyond the student's own doing becomes
``grader_error`` for that submission alone, and the batch goes on.
"""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from grader._version import __version__
from grader.errors import CourseError, GraderError
from grader.gradebook import FILE_NAME, Gradebook, RunSettings
from grader.kernel import KernelPool
from grader.model import (
    Diagnosis,
    Execution,
    Exercise,
    ExerciseScore,
    Job,
    Limits,
    RunReport,
    Submission,
    SubmissionReport,
    SubmissionStatus,
)
from grader.submission import Collection, CollectLimits, Entry, autograd_suspected, collect, has_loop, read

if TYPE_CHECKING:
    from grader.bench import Bench

_log = logging.getLogger(__name__)
_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{6,}")


@dataclass(frozen=True, slots=True)
class ScoreOptions:
    """What ``grader score`` was asked for. ``seed`` None: the gradebook's own, or a fresh secret one."""

    paths: tuple[Path, ...]
    out: Path
    course: str = "autograd"
    seed: int | None = None
    jobs: int = 1
    sandbox: str = "none"
    limits: Limits = Limits()
    collect_limits: CollectLimits = CollectLimits()
    student_pattern: str | None = None
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class Observer:
    """What a run tells while it goes on: who was found, how many need grading, and each report as it is done."""

    collected: Callable[[Collection], None] = lambda _: None
    started: Callable[[int], None] = lambda _: None
    finished: Callable[[SubmissionReport, bool], None] = lambda _report, _taken_over: None


def score_class(options: ScoreOptions, observer: Observer = Observer()) -> RunReport:  # noqa: B008 - frozen
    """Grade everything in ``options.paths`` into the gradebook of ``options.out``.

    Raises:
        UsageError: a path, the pattern or the layout cannot be meant.
        CourseError: the course cannot be loaded.
        GradebookError: the gradebook cannot be used, or is busy.
        SandboxUnavailable, KernelError: student code cannot be run on this machine.
    """
    return asyncio.run(_score_class(options, observer))


async def _score_class(options: ScoreOptions, observer: Observer) -> RunReport:
    with collect(
        options.paths, student_pattern=options.student_pattern, limits=options.collect_limits
    ) as collection:
        observer.collected(collection)
        options.out.mkdir(parents=True, exist_ok=True)
        with Gradebook(options.out / FILE_NAME) as gradebook:
            async with KernelPool(sandbox=options.sandbox, limits=options.limits, jobs=options.jobs) as pool:
                # The kernels' process imports torch meanwhile, on the other core.
                run = _Run(options, gradebook, pool)
                observer.started(len(collection))
                await run.grade_all(collection.entries, observer)
            return gradebook.report()


class _Run:
    """One pass over a class: what all its submissions share."""

    def __init__(self, options: ScoreOptions, gradebook: Gradebook, pool: KernelPool) -> None:
        import torch

        from grader.bench import Bench
        from grader.course.loading import load_course
        from grader.fingerprint import course_digest

        torch.set_num_threads(1)
        course = load_course(options.course)
        self.options = options
        self.gradebook = gradebook
        self.pool = pool
        self.settings = RunSettings(
            __version__, course.name, _seed(options, gradebook, course.name), torch.__version__, pool.sandbox
        )
        self.bench = Bench(course, self.settings.seed)
        self.course_digest = course_digest(course)
        gradebook.begin(self.settings)

    async def grade_all(self, entries: Sequence[Entry], observer: Observer) -> None:
        """Grade the entries, ``jobs`` at a time, each committed as it is finished."""
        keys = _keys(entries)
        waiting = iter(zip(keys, entries, strict=True))

        async def work() -> None:
            for key, entry in waiting:
                observer.finished(*await self._grade_entry(key, entry))

        async with asyncio.TaskGroup() as group:
            for _ in range(max(1, self.options.jobs)):
                group.create_task(work())

    async def _grade_entry(self, key: str, entry: Entry) -> tuple[SubmissionReport, bool]:
        from grader.fingerprint import fingerprint

        submission = _read(entry, self.bench)
        if isinstance(submission, SubmissionReport):
            self.gradebook.store(key, "", submission)
            return submission, False
        mark = fingerprint(submission, self.settings, self.options.limits, self.course_digest)
        if not self.options.fresh:
            known = self.gradebook.take_over(key, mark)
            if known is not None:
                return known, True
        report = await grade(submission, self.bench, self.pool)
        # A fault of the grader is worth another try in the next run: it is stored under no fingerprint.
        self.gradebook.store(key, "" if report.status == "grader_error" else mark, report)
        return report, False


def _seed(options: ScoreOptions, gradebook: Gradebook, course: str) -> int:
    """The seed asked for, else the one this gradebook was graded with, else a secret one drawn now."""
    if options.seed is not None:
        return options.seed
    last = None if options.fresh else gradebook.last_settings()
    return last.seed if last is not None and last.course == course else secrets.randbits(40)


def _keys(entries: Sequence[Entry]) -> list[str]:
    """A key for each entry that stays the same from run to run, also where two entries share a path."""
    seen: dict[str, int] = {}
    keys = []
    for entry in entries:
        name = f"{entry.student}\0{entry.shown_path}"
        seen[name] = seen.get(name, 0) + 1
        keys.append(f"{name}\0{seen[name]}")
    return keys


def _read(entry: Entry, bench: Bench) -> Submission | SubmissionReport:
    """The submission, or the report of the grader's own failure to read it."""
    try:
        return read(entry, bench.wanted, bench.givens)
    except Exception as error:
        _log.exception("reading %s failed", entry.shown_path)
        unread = Submission(entry.student, entry.notebook, entry.path, entry.shown_path, sha256="")
        return _report(unread, "grader_error", None, 0.0, reason=_fault(error))


async def grade(submission: Submission, bench: Bench, pool: KernelPool) -> SubmissionReport:
    """Run and judge one submission. Never raises for anything about the submission itself."""
    started = time.perf_counter()
    try:
        report = await _graded(submission, bench, pool)
    except Exception as error:
        _log.exception("grading %s failed", submission.shown_path)
        report = _report(submission, "grader_error", None, 0.0, reason=_fault(error))
    return replace(report, seconds=round(time.perf_counter() - started, 3))


async def _graded(submission: Submission, bench: Bench, pool: KernelPool) -> SubmissionReport:
    from grader.bench import asked_of

    if submission.unreadable is not None:
        return _report(submission, "unreadable", None, 0.0, reason=submission.unreadable)
    asked = asked_of(submission, bench.course)
    if not asked:
        return _report(
            submission, "no_exercises", None, 0.0, reason=f"holds no exercise of the course {bench.course.name!r}"
        )
    job = Job(submission.shown_path, submission.cells, bench.checks(submission, asked), submission.assets)
    # A notebook without one stub has nothing to check: not a cell of it need be run.
    execution = await pool.run(job) if job.checks else Execution("finished")
    scores = judge(submission, asked, execution, bench)
    status: SubmissionStatus = "graded" if execution.ended == "finished" else execution.ended
    return replace(
        _report(submission, status, sum(score.score for score in scores), sum(one.possible for one in asked)),
        exercises=scores,
        failed_cells=tuple(replace(failure, error=_steady(failure.error)) for failure in execution.failures),
        flags=(*submission.flags, *execution.flags),
        reason=_REASONS.get(status, ""),
    )


_REASONS = {
    "crashed": "its kernel died again and again; the checks made before then count",
    "timed_out": "its time was up; the checks made before then count",
}


def judge(
    submission: Submission, asked: Sequence[Exercise], execution: Execution, bench: Bench
) -> tuple[ExerciseScore, ...]:
    """The scores of the exercises asked, from what running the submission gave."""
    from grader.judge.score import link_consequences

    scores = [_judge_exercise(submission, exercise, execution, bench) for exercise in asked]
    return link_consequences(scores, bench.course.exercises)


def _judge_exercise(
    submission: Submission, exercise: Exercise, execution: Execution, bench: Bench
) -> ExerciseScore:
    from grader.judge.evidence import gather
    from grader.judge.score import score_exercise, score_fault, score_missing, score_unreached

    stub = submission.stubs.get(exercise.id)
    if stub is None:
        return score_missing(exercise)
    try:
        prepared = bench.prepared(exercise)
        runs = execution.checks.get(exercise.id)
        if runs is None:
            return score_unreached(exercise, stub, _unreached(execution))
        score = score_exercise(gather(exercise, prepared, runs, stub))
    except Exception as error:
        _log.exception("judging %s of %s failed", exercise.id, submission.shown_path)
        return replace(score_fault(exercise), flags=(_fault(error),))
    return replace(
        score, flags=(*score.flags, *_source_flags(exercise, stub.source)), printed=_steady(score.printed)
    )


def _unreached(execution: Execution) -> Diagnosis:
    if execution.ended == "timed_out":
        return Diagnosis("timed_out", "The submission's time was up before this check was reached.")
    return Diagnosis("crashed", "The kernel died before this check was reached.")


def _source_flags(exercise: Exercise, source: str) -> tuple[str, ...]:
    """Remarks for a human that the source alone gives; they cost no points."""
    flags = []
    if not exercise.autograd and (suspect := autograd_suspected(source)) is not None:
        flags.append(f"autograd suspected: {suspect}")
    if exercise.loops_flagged and has_loop(source):
        flags.append("uses a loop where one tensor expression would do")
    return tuple(flags)


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
    where = "" if isinstance(error, CourseError | GraderError) else f"{type(error).__name__}: "
    return f"the grader failed here: {where}{error}"


def _steady(text: str) -> str:
    """Text without memory addresses, which differ from run to run."""
    return _ADDRESS.sub("0x…", text)
