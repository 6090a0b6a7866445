"""What is stored, shown and exported: scores, and the report of a run. Persisted, with a published JSON Schema."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from grader.model.execution import CellFailure
from grader.model.judgement import Diagnosis

#: How much a report helps: with nothing, with ``Diagnosis.hint``, or with its ``explanation`` too.
Hints = Literal["none", "nudge", "full"]

#: Whose form grades are exported in.
Target = Literal["canvas", "moodle", "gradescope", "brightspace", "csv"]


@dataclass(frozen=True, slots=True)
class Sample:
    """Expected and actual values of a failed check, cut to what a small heat map shows: rows of at most 12 × 12."""

    expected: tuple[tuple[float, ...], ...]
    actual: tuple[tuple[float, ...], ...]
    worst: tuple[int, int] | None
    cut: bool


@dataclass(frozen=True, slots=True)
class CheckScore:
    """One checked expression of an exercise. Only one whose exercise has a ``measure`` can be ``partial``."""

    name: str
    status: Literal["passed", "failed", "partial", "grader_error"]
    score: float
    possible: float
    case: str | None = None
    diagnosis: Diagnosis | None = None
    expected_shape: tuple[int, ...] | None = None
    actual_shape: tuple[int, ...] | None = None
    max_abs_error: float | None = None
    worst: tuple[int, ...] | None = None
    worst_actual: float | None = None
    worst_expected: float | None = None
    sample: Sample | None = None


ExerciseStatus = Literal["passed", "partial", "failed", "not_implemented", "missing", "grader_error"]
SubmissionStatus = Literal[
    "graded",
    "unreadable",
    "crashed",  # what was checked before then counts, as it does in the next
    "timed_out",
    "no_exercises",
    "not_assigned",  # it was not run, for it holds nothing of what ``--assigned`` named; nothing of it counts
    "grader_error",
]


@dataclass(frozen=True, slots=True)
class Task:
    """An exercise as it was asked for in a run: what a human may rule on where there is no answer to judge."""

    id: str
    title: str
    notebook: str
    possible: float


@dataclass(frozen=True, slots=True)
class Override:
    """That a human gave an exercise's points, and why; ``graded`` are the grader's own, None where it gave none."""

    graded: float | None
    reason: str


@dataclass(frozen=True, slots=True)
class ExerciseScore:
    """One exercise of one submission.

    ``cell`` is the cell of its stub, ``line`` the line in it; ``printed`` what the stub printed during the check (cut);
    ``follows_from`` the exercises whose failure explains this one's. Where there is an ``override``, ``score`` and
    ``status`` are the human's, and the checks what the grader found. A human's ``comment`` leaves both as they are.
    """

    id: str
    title: str
    status: ExerciseStatus
    score: float
    possible: float
    checks: tuple[CheckScore, ...] = ()
    flags: tuple[str, ...] = ()
    cell: int | None = None
    line: int | None = None
    printed: str = ""
    follows_from: tuple[str, ...] = ()
    override: Override | None = None
    comment: str = ""


@dataclass(frozen=True, slots=True)
class SubmissionReport:
    """The result of one submission, as stored in the gradebook.

    ``score`` is None where nothing can be said (``unreadable``, ``grader_error``): a fault of the grader or of a file
    never looks like a student's zero. ``files`` is a hash of what the notebook found beside it, empty where that is not
    known.
    """

    student: str
    notebook: str
    path: str
    sha256: str
    status: SubmissionStatus
    score: float | None
    possible: float
    seconds: float
    total_cells: int = 0
    failed_cells: tuple[CellFailure, ...] = ()
    exercises: tuple[ExerciseScore, ...] = ()
    flags: tuple[str, ...] = ()
    reason: str = ""
    files: str = ""

    @property
    def by_hand(self) -> bool:
        """Whether there was nothing to grade, for the ``reason`` given, and a human ruled on it all the same."""
        return self.status == "graded" and bool(self.reason)


@dataclass(frozen=True, slots=True)
class RunReport:
    """A whole run: what ``report.json`` holds.

    ``assigned`` are the exercises that count, with their points, also where they were not handed in; where it is empty
    every student's total is of what they handed in. ``absent`` are those of whom the class list says that they belong
    to the class, and who handed in nothing. ``course_digest`` is a hash of all that the course was made of, empty where
    it is not known. ``previous`` are the totals that students had before notebooks of theirs were graded anew in this
    run, where they differ; ``report.json``, which is to be the same whatever was before, does without.
    """

    grader_version: str
    course: str
    seed: int
    torch_version: str
    sandbox: str
    submissions: tuple[SubmissionReport, ...]
    schema_version: int = 1
    assigned: Mapping[str, float] = field(default_factory=dict)
    absent: tuple[str, ...] = ()
    course_digest: str = ""
    previous: Mapping[str, float | None] = field(default_factory=dict)

    @property
    def handed_in(self) -> tuple[tuple[str, str], ...]:
        """The student and the path of each submission."""
        return tuple((one.student, one.path) for one in self.submissions)
