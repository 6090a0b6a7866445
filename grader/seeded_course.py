"""A course with the cases of one seed and their references, made on first need, and the checks made of them."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cached_property

from grader.errors import CourseError
from grader.judge.cases import Prepared, check_of, prepare
from grader.judge.verdicts import Verdicts
from grader.model import Check, Course, Exercise, Program, Submission
from grader.submission.attribution.file_names import stems_in
from grader.submission.entry import Wanted
from grader.submission.reading.definitions import Definition
from grader.submission.reading.givens import givens_of
from grader.submission.reading.renaming import released_definitions, renamed


class SeededCourse:
    """The exercises of a course with the cases of one seed; what a whole run shares.

    ``verdicts`` are the scores worked out so far; ``givens`` is what ``grader.submission.read`` has to know of the
    course beside what is ``wanted``.
    """

    def __init__(self, course: Course, seed: int) -> None:
        self.course = course
        self.seed = seed
        self._prepared: dict[str, tuple[Prepared, ...] | CourseError] = {}
        #: One tuple for all submissions: the kernel keeps what it makes of it by its identity.
        self._programs: dict[str, tuple[Program, ...]] = {}
        self.verdicts = Verdicts()
        self.givens = givens_of(course.exercises_dir) if course.exercises_dir is not None else frozenset()

    @cached_property
    def other(self) -> SeededCourse:
        """The same course on other numbers, which follow from this one's seed."""
        other = copy.copy(self)
        other.seed = int.from_bytes(hashlib.sha256(f"other than {self.seed}".encode()).digest()[:5])
        other._prepared, other._programs, other.verdicts = {}, {}, Verdicts()
        return other

    def prepared(self, exercise: Exercise) -> tuple[Prepared, ...]:
        """The cases of an exercise with their references.

        Raises:
            CourseError: they cannot be made; the same error each time it is asked.
        """
        if exercise.id not in self._prepared:
            try:
                self._prepared[exercise.id] = prepare(exercise, self.seed)
            except CourseError as error:
                self._prepared[exercise.id] = error
            except Exception as error:  # of the author's forward pass or samplers: it must not spoil other exercises
                self._prepared[exercise.id] = exercise.fault(
                    f"its cases cannot be made: {type(error).__name__}: {error}",
                    remedy="run `grader validate` on the course, which shows where",
                )
        found = self._prepared[exercise.id]
        if isinstance(found, CourseError):
            raise found
        return found

    @cached_property
    def _released(self) -> tuple[tuple[str | None, Definition], ...]:
        return released_definitions(self.course.exercises_dir) if self.course.exercises_dir is not None else ()

    def renamed(self, submission: Submission, exercise: Exercise) -> tuple[str, ...]:
        """Remarks on what may be the answer to an exercise that was not found, under another name."""
        return renamed(_wanted(exercise), submission.cells, self._released)

    @cached_property
    def wanted(self) -> tuple[Wanted, ...]:
        """What reading a submission has to know of each exercise."""
        stubs: dict[str | None, set[str]] = {}
        for tag, item in self._released:
            stubs.setdefault(tag, set()).add(item.fingerprint)
        return tuple(
            replace(_wanted(exercise), handed_out=frozenset(stubs.get(exercise.id, ())))
            for exercise in self.course.exercises.values()
        )

    def checks(self, submission: Submission, exercises: Iterable[Exercise]) -> tuple[Check, ...]:
        """A check for each exercise whose stub the submission has and whose cases can be made."""
        checks = []
        for exercise in exercises:
            stub = submission.stubs.get(exercise.id)
            if stub is None:
                continue
            try:
                prepared = self.prepared(exercise)
            except CourseError:
                continue  # the judge reports it as a fault of the grader
            if exercise.id not in self._programs:
                self._programs[exercise.id] = tuple(one.case.program for one in prepared)
            checks.append(check_of(exercise, self._programs[exercise.id], stub.cell, stub.source))
        return tuple(checks)


def asked_of(submission: Submission, course: Course) -> tuple[Exercise, ...]:
    """The exercises that a submission is graded on, in the course's order.

    A notebook called like one of the course's is asked for all of that notebook's exercises. One by any other name is
    asked for all of the notebooks that its cells' metadata point to, and for whatever else it defines.
    """
    stems = stems_in(submission.notebook, course.notebooks)
    tagged = {stub.exercise for stub in submission.stubs.values() if stub.found_by == "metadata"}
    if not stems:
        stems = frozenset(course.exercises[name].notebook for name in tagged)
        tagged |= set(submission.stubs)
    return tuple(
        exercise for exercise in course.exercises.values() if exercise.notebook in stems or exercise.id in tagged
    )


def _wanted(exercise: Exercise) -> Wanted:
    names: Mapping[str, str] = exercise.reads
    assigns = tuple(names.get(check, check) for check in exercise.points) if exercise.rerun else ()
    return Wanted(exercise.id, exercise.needs, assigns, exercise.notebook)
