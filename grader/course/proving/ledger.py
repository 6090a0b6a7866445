"""What the proof of an exercise has seen so far: problems, and how far right answers and mistakes are apart."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import torch

from grader.course.proving.proof_report import Margin, Problem, ProblemKind
from grader.judge.evidence import Evidence, Finding, float_dtypes
from grader.model import Exercise


@dataclass
class Ledger:
    """What the proof of ``exercise`` has seen.

    ``correct`` and ``wrong`` are, by check, the largest error of a right answer and the smallest of a mistake, in units
    of the tolerance; ``mutants`` the names of the mistakes tried on each.
    """

    exercise: Exercise
    problems: dict[tuple[str, str], Problem] = field(default_factory=dict)
    correct: dict[str, float] = field(default_factory=dict)
    wrong: dict[str, float] = field(default_factory=dict)
    mutants: dict[str, set[str]] = field(default_factory=dict)
    #: For each mistake, the sets of cases that told it, one a seed.
    told: list[frozenset[str]] = field(default_factory=list)
    #: The answers that did not end in time, or used autograd: only a run apart tells that, and they are run once.
    settled: set[str] = field(default_factory=set)

    def settle(self, name: str, evidence: Evidence) -> None:
        """Note whether the answer ``name`` need not be run again."""
        if evidence.autograd is not None or any(run.ended == "timed_out" for run in evidence.runs):
            self.settled.add(name)

    def note_problem(self, kind: ProblemKind, message: str, seed: int | None, about: str = "") -> None:
        """Note a problem once, with the first seed that showed it; ``about`` is what two messages of one have alike."""
        self.problems.setdefault((kind, about or message), Problem(kind, self.exercise.id, message, seed))

    def margins(self) -> tuple[Margin, ...]:
        """How far each check keeps right and wrong apart, in the order of the checks."""
        return tuple(
            Margin(
                check,
                self.correct.get(check, 0.0),
                self.wrong.get(check, math.inf),
                len(self.mutants.get(check, ())),
            )
            for check in self.exercise.checks
        )

    def note_right(self, evidence: Evidence) -> None:
        """Note the errors of a right answer."""
        for check, findings in evidence.findings.items():
            self.correct[check] = max(self.correct.get(check, 0.0), *(_error(finding) for finding in findings))

    def note_general_mistake(self, name: str) -> None:
        """Note a mistake that belongs to no check, so that it is counted with the first."""
        self.mutants.setdefault(next(iter(self.exercise.checks)), set()).add(name)

    def note_mistake(self, name: str, evidence: Evidence, checks: Iterable[str]) -> None:
        """Note a mistake, and its error in the check that tells it best."""
        errors = {check: _mutant_error(evidence.findings.get(check, ())) for check in checks}
        for check in errors:
            self.mutants.setdefault(check, set()).add(name)
        best = max(errors, key=lambda check: errors[check])
        if 1 < errors[best] < math.inf:
            self.wrong[best] = min(self.wrong.get(best, math.inf), errors[best])


def _error(finding: Finding) -> float:
    """The largest error in units of the tolerance; inf where the tensor was not told by its values."""
    comparison = finding.comparison
    if comparison.max_abs_error is None or comparison.tolerance is None:
        return math.inf
    if comparison.tolerance == 0:
        return 0.0 if comparison.max_abs_error == 0 else math.inf
    return comparison.max_abs_error / comparison.tolerance


def _mutant_error(findings: Sequence[Finding]) -> float:
    """The largest error of a mistake in one check, in float32 where it is checked in that too."""
    coarse = [finding for finding in findings if torch.float32 in float_dtypes(finding.case)]
    return max(map(_error, coarse or findings), default=math.inf)
