"""A class of submissions: collect, run, keep what was graded, whatever happens in between.

The kernels' process is started before anything is imported here that it does not need for that, so that both import
torch and much else at the same time; hence the imports inside functions.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from grader._version import __version__
from grader.errors import GradebookError
from grader.kernel.host.pool import KernelPool
from grader.machine import allow_open_files
from grader.model import Course, Hints, Limits, RunReport, Sandbox, Submission, SubmissionReport, Task
from grader.submission.entry import Collection, Entry
from grader.submission.files.limits import CollectLimits

if TYPE_CHECKING:
    from grader.assignment import Attendance
    from grader.gradebook.book import Gradebook
    from grader.gradebook.run_head import RunHead

_log = logging.getLogger(__name__)

#: Told where there is no zygote, whose processes watch over a kernel.
_UNWATCHED = (
    "on this system nothing notices autograd, and of the limits only those of time and of what is printed hold; "
    "grade on Linux where that matters"
)
#: What ``RunSettings`` are called.
_SETTINGS = {
    "course": "course",
    "seed": "seed",
    "grader_version": "version of the grader",
    "torch_version": "version of torch",
    "sandbox": "sandbox",
}


@dataclass(frozen=True, slots=True)
class ScoreOptions:
    """What ``grader score`` was asked for. ``seed`` None: the gradebook's own for that course, or a fresh secret one.

    ``sandbox`` None: the best that works here, never ``none``.

    ``limits`` are those of what runs, ``reading`` those of what is read: every run reads all of it anew.

    ``assigned`` are the notebooks that count also where they are not handed in; without them, what was handed in does.
    ``roster`` is the class list, a CSV file by which it is told who handed in nothing. ``hints`` is how much help the
    feedback gives.
    """

    paths: tuple[Path, ...]
    out: Path
    course: str = "autograd"
    seed: int | None = None
    jobs: int = 1
    sandbox: Sandbox | None = None
    limits: Limits = field(default_factory=Limits)
    reading: CollectLimits = field(default_factory=CollectLimits)
    student_pattern: str | None = None
    fresh: bool = False
    assigned: tuple[str, ...] = ()
    roster: Path | None = None
    hints: Hints = "nudge"


@dataclass(frozen=True, slots=True)
class Observer:
    """What a run tells while it goes on: who was found, how many need grading, and each report as it is done.

    ``meanwhile`` gives work that can be done, a step at a time, while the first kernels come up; ``remarked`` gets what
    the operator should know of the run as a whole. ``reported`` gets the report of the run while the gradebook is still
    locked: what it writes, no other command's newer report is written over by.
    """

    collected: Callable[[Collection], None] = lambda _: None
    started: Callable[[int], None] = lambda _: None
    finished: Callable[[SubmissionReport, bool], None] = lambda _report, _taken_over: None
    meanwhile: Callable[[], Iterable[None]] = lambda: ()
    ended: Callable[[], None] = lambda: None
    remarked: Callable[[str], None] = lambda _: None
    reported: Callable[[RunReport], None] = lambda _: None


def score_class(options: ScoreOptions, observer: Observer = Observer()) -> RunReport:
    """Grade everything in ``options.paths`` into the gradebook of ``options.out``.

    Raises:
        UsageError: there is nothing at a path, the pattern or an assigned notebook makes no sense, or the class list
            does not say who is who.
        CourseError: the course cannot be loaded.
        GradebookError: the gradebook cannot be used, or is busy.
        SandboxUnavailable, KernelError: student code cannot be run on this machine.
    """
    return asyncio.run(_score_class(options, observer))


async def _score_class(options: ScoreOptions, observer: Observer) -> RunReport:
    allow_open_files()
    async with KernelPool(sandbox=options.sandbox, limits=options.limits, jobs=options.jobs) as pool:
        from grader.assignment import expected_of
        from grader.course.loading import load_course

        _compute_in_one_thread()
        course = load_course(options.course)
        pool.hide(course.private)
        assigned = expected_of(course, options.assigned)
        # The gradebook comes last: what is refused before leaves none behind.
        with handed_in(options, course) as (collection, attendance), _gradebook_in(options.out) as gradebook:
            run = _Run(options, course, assigned, gradebook, pool)
            observer.collected(collection)
            unwatched = (_UNWATCHED,) if pool.cold else ()
            for remark in (*collection.remarks, *attendance.remarks, *run.remarks(), *unwatched):
                observer.remarked(remark)
            run.begin(len(collection), attendance.absent)
            observer.started(len(collection))
            try:
                await run.grade_all(collection.entries, observer)
            finally:
                observer.ended()
            for remark in gradebook.remarks():
                observer.remarked(remark)
            pool.raise_if_down()  # then nothing was graded that reports of before should go for
            report = gradebook.report()
            observer.reported(report)
            return report


def _gradebook_in(folder: Path) -> Gradebook:
    from grader.gradebook.book import FILE_NAME, Gradebook

    folder.mkdir(parents=True, exist_ok=True)
    return Gradebook(folder / FILE_NAME)


@contextmanager
def handed_in(options: ScoreOptions, course: Course) -> Iterator[tuple[Collection, Attendance]]:
    """What lies at the paths, and what a class list says of it.

    Raises:
        UsageError: there is nothing at a path, the pattern makes no sense, or the class list does not say who is who.
    """
    from grader.assignment import attendance_by
    from grader.kernel.host.workplace import Workplace
    from grader.submission.collecting.collection import collect

    with Workplace() as place:
        collection = collect(
            options.paths,
            place=place,
            student_pattern=options.student_pattern,
            known=course.notebooks,
            skip=options.out,
            limits=options.reading,
        )
        yield collection, attendance_by(options.roster, [(one.student, one.shown_path) for one in collection])


class _Run:
    """One pass over a class: what all its submissions share."""

    def __init__(
        self,
        options: ScoreOptions,
        course: Course,
        assigned: Mapping[str, float],
        gradebook: Gradebook,
        pool: KernelPool,
    ) -> None:
        import torch

        from grader.fingerprint import course_digest
        from grader.gradebook.run_head import RunSettings
        from grader.seeded_course import SeededCourse

        self.assigned = assigned
        self.options = options
        self.gradebook = gradebook
        self.pool = pool
        self.settings = RunSettings(
            __version__, course.name, _seed(options, gradebook, course.name), torch.__version__, pool.sandbox
        )
        self.seeded = SeededCourse(course, self.settings.seed)
        self.course_digest = course_digest(course)
        self.limits = asdict(options.limits)

    def remarks(self) -> Iterator[str]:
        """What differs from the gradebook's last run, and what follows from that."""
        last = self._last_head()
        if last is None:
            return
        if last.settings.course != self.settings.course:
            yield f"the last run was of the course {last.settings.course!r}: give --course again where that is meant"
        if changed := self._changed(last):
            yield f"the {' and the '.join(changed)} changed since the last run, so everything is graded again"
        if not self.assigned and last.assigned:
            yield "the last run was of what --assigned named; without it, each total is of what that student handed in"
        if self.options.roster is None and last.absent:
            yield (
                "the last run had a class list, which --roster names; without it, nobody is told to have handed in "
                "nothing"
            )

    def _last_head(self) -> RunHead | None:
        """How the last run began; a fresh one need not be able to read that."""
        try:
            return self.gradebook.last_head()
        except GradebookError:
            if not self.options.fresh:
                raise
            return None

    def _changed(self, last: RunHead) -> list[str]:
        """What by itself makes this run grade anew what the last one graded."""
        if self.options.fresh:
            return []
        changed = [
            f"{named} (before: {getattr(last.settings, name)})"
            for name, named in _SETTINGS.items()
            if getattr(last.settings, name) != getattr(self.settings, name)
        ]
        if last.settings.course == self.settings.course and last.course_digest not in ("", self.course_digest):
            changed.insert(0, f"course {self.settings.course!r}")
        if last.limits and last.limits != self.limits:
            changed.append("limits")
        return changed

    def begin(self, submissions: int, absent: tuple[str, ...]) -> None:
        """Note in the gradebook that a run of so many ``submissions`` starts, and who handed in nothing."""
        from grader.gradebook.run_head import RunHead

        tasks = tuple(
            Task(one.id, one.title, one.notebook, one.possible)
            for one in self.seeded.course.exercises.values()
            if not self.assigned or one.id in self.assigned
        )
        head = RunHead(
            self.settings,
            submissions,
            self.assigned,
            absent,
            tasks,
            self.course_digest,
            self.limits,
            self.options.hints,
        )
        self.gradebook.begin(head, fresh=self.options.fresh)

    async def grade_all(self, entries: Sequence[Entry], observer: Observer) -> None:
        """Grade the entries, each committed as it is finished.

        ``jobs`` at a time run, which the pool sees to; meanwhile one may wait for its kernel, one be judged and stored.
        Everybody's first attempt comes before anybody's second.
        """
        from grader.submission.collecting.excess import turns

        numbered = zip(turns(entries, self.seeded.course.notebooks), _keys(entries), entries, strict=True)
        waiting = iter(sorted(numbered, key=lambda one: one[0]))

        async def work() -> None:
            for _, key, entry in waiting:
                observer.finished(*await self._grade_entry(key, entry))

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(max(1, self.options.jobs) + 2):
                    group.create_task(work())
                group.create_task(_prepared(observer.meanwhile()))
        except BaseExceptionGroup as failed:
            # A submission's own troubles end as its report; what comes here ends the run, and one of it is enough.
            raise failed.exceptions[0] from None

    async def _grade_entry(self, key: str, entry: Entry) -> tuple[SubmissionReport, bool]:
        from grader.fingerprint import files_digest, fingerprint
        from grader.pipeline import grade, read_entry, unassigned, ungraded

        submission = read_entry(entry, self.seeded, self.options.reading)
        if isinstance(submission, Submission):
            submission = unassigned(submission, self.seeded.course, self.assigned) or submission
        if isinstance(submission, SubmissionReport):
            self.gradebook.store(key, "", submission)
            return submission, False
        try:
            files = files_digest(submission, self.options.limits)
            mark = fingerprint(submission, self.settings, self.options.limits, self.course_digest, files)
        except Exception:  # it spares the next run some work, and must not end this one
            _log.exception("no fingerprint of %s", entry.shown_path)
            mark = files = ""
        if mark and not self.options.fresh:
            known = self.gradebook.take_over(key, mark) or self.gradebook.take_over_moved(key, mark, submission)
            if known is not None:
                return known, True
        report = replace(await grade(submission, self.seeded, self.pool), files=files)
        try:
            self._store(key, mark, report)
        except (TypeError, ValueError) as error:  # what the gradebook cannot write down must not end the class
            _log.exception("storing %s failed", entry.shown_path)
            report = ungraded(submission, error)
            self._store(key, mark, report)
        return report, False

    def _store(self, key: str, mark: str, report: SubmissionReport) -> None:
        """Store a report; a fault of the grader, worth another try in the next run, under no fingerprint."""
        self.gradebook.store(key, "" if report.status == "grader_error" else mark, report)


def _compute_in_one_thread() -> None:
    """Leave the processors to the kernels. It comes before NumPy is loaded, whose threads would spin beside them."""
    from grader import torch_import

    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    torch_import.postpone_shapes()
    import torch

    torch.set_num_threads(1)


async def _prepared(steps: Iterable[None]) -> None:
    """Do what the first wrong answer and the reports wait for, a step at a time."""
    await asyncio.sleep(0)  # after the workers, who have asked for the first kernels
    import grader.judge.diagnosis.table  # noqa: F401 - all that a diagnosis is made with

    try:
        for _ in steps:
            await asyncio.sleep(0)
    except Exception:  # where it is needed it will fail again, and tell
        _log.exception("preparing the reports failed")


def _seed(options: ScoreOptions, gradebook: Gradebook, course: str) -> int:
    """The seed asked for, else the one with which this gradebook has the course, else a secret one drawn now."""
    if options.seed is not None:
        return options.seed
    kept = None if options.fresh else gradebook.seed_of(course)
    return secrets.randbits(40) if kept is None else kept


def _keys(entries: Sequence[Entry]) -> list[str]:
    """A key for each entry that stays the same from run to run, also where two entries share a path."""
    seen: dict[str, int] = {}
    keys = []
    for entry in entries:
        name = f"{entry.student}\0{entry.shown_path}"
        seen[name] = seen.get(name, 0) + 1
        keys.append(f"{name}\0{seen[name]}")
    return keys
