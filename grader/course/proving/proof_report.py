"""What ``grader validate`` found: the proof of a course, as data.

Margins are in units of the tolerance: a correct answer's largest error must stay far below 1, the smallest error of a
mistake far above it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

#: What can be wrong with an exercise: it cannot be proved at all; the solution loses points; the stub earns some, or is
#: not seen as one; the forward pass and its gradient disagree; a mistake loses nothing; it gets another diagnosis; a
#: right answer loses.
ProblemKind = Literal["unproved", "solution", "stub", "gradcheck", "survivor", "diagnosis", "variant"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that the proof stumbled over: ``message`` says what happened, ``seed`` with which cases.

    ``remedy`` says what to do next, where that depends on more than the kind.
    """

    kind: ProblemKind
    exercise: str
    message: str
    seed: int | None = None
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Margin:
    """How far a check keeps right and wrong apart.

    ``correct`` is the largest error of a right answer, ``wrong`` the smallest of a mistake that was told by its
    values (inf where there was none), both in units of the tolerance. ``mutants`` counts the mistakes tried on it.
    """

    check: str
    correct: float
    wrong: float = math.inf
    mutants: int = 0


@dataclass(frozen=True, slots=True)
class ExerciseProof:
    """What was shown of one exercise.

    ``mutants`` counts the mistakes tried, ``variants`` the right answers besides the solution, ``seeds`` the seeds of
    both. ``gradcheck`` is None where the forward pass gives the answers itself. ``idle_cases`` are the cases without
    which every mistake would still have lost points.
    """

    exercise: str
    notebook: str
    cases: int = 0
    seeds: int = 0
    mutants: int = 0
    variants: int = 0
    gradcheck: bool | None = None
    margins: tuple[Margin, ...] = ()
    idle_cases: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    seconds: float = 0.0


def unproved(exercise: str, notebook: str, message: str, remedy: str) -> ExerciseProof:
    """What stands for the proof of an exercise that could not be begun or ended, for the reason in ``message``."""
    problem = Problem("unproved", exercise, message, remedy=remedy)
    return ExerciseProof(exercise, notebook, problems=(problem,))


@dataclass(frozen=True, slots=True)
class CourseProof:
    """The proof of a course."""

    course: str
    seeds: int
    exercises: tuple[ExerciseProof, ...]
    seconds: float

    @property
    def problems(self) -> tuple[Problem, ...]:
        """All problems, in the order of the course."""
        return tuple(problem for proof in self.exercises for problem in proof.problems)

    @property
    def ok(self) -> bool:
        """Whether the course is proved."""
        return not self.problems
