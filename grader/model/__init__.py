"""The frozen types that the packages of the grader pass to one another.

Nothing here imports torch at run time: ``import grader`` stays light, and the packages that need tensors import them.
Every type is a frozen dataclass; the ones that are persisted (``SubmissionReport`` and below, ``RunReport``) have a
published JSON Schema in ``grader/report/schema``.

The flow: a ``course`` gives ``Exercise`` objects (``grader.course``); a seed makes ``Case`` objects of them
(``grader.judge.cases``) and each case becomes a ``Program``, the only part of it that the student's process sees.
``grader.submission`` reads a notebook into a ``submission``; ``Check`` and ``Job`` tell ``grader.kernel`` what to run;
its ``execution`` is what came back; ``grader.judge`` comes to a ``judgement`` of it and to an ``ExerciseScore``, of
which the ``report`` is made. ``points`` are added in one way.

The names below are the public ones.
"""

from __future__ import annotations

from grader.model.course import (
    SIZES,
    Constant,
    Course,
    Draw,
    Exercise,
    Sampler,
    Variant,
    can_differ,
    place_of,
    variant_check,
)
from grader.model.execution import (
    Absence,
    Capture,
    CaseRun,
    CellFailure,
    Check,
    Ending,
    Execution,
    Job,
    Kind,
    Limits,
    Program,
    Sandbox,
    StudentError,
)
from grader.model.judgement import Case, Comparison, Diagnosis, Verdict
from grader.model.points import total
from grader.model.report import (
    CheckScore,
    ExerciseScore,
    ExerciseStatus,
    Hints,
    Override,
    RunReport,
    Sample,
    SubmissionReport,
    SubmissionStatus,
    Target,
    Task,
)
from grader.model.submission import Cell, Stub, Submission

__all__ = [
    "SIZES",
    "Absence",
    "Capture",
    "Case",
    "CaseRun",
    "Cell",
    "CellFailure",
    "Check",
    "CheckScore",
    "Comparison",
    "Constant",
    "Course",
    "Diagnosis",
    "Draw",
    "Ending",
    "Execution",
    "Exercise",
    "ExerciseScore",
    "ExerciseStatus",
    "Hints",
    "Job",
    "Kind",
    "Limits",
    "Override",
    "Program",
    "RunReport",
    "Sample",
    "Sampler",
    "Sandbox",
    "Stub",
    "StudentError",
    "Submission",
    "SubmissionReport",
    "SubmissionStatus",
    "Target",
    "Task",
    "Variant",
    "Verdict",
    "can_differ",
    "place_of",
    "total",
    "variant_check",
]
