"""Points: a check earns its points only if all its cases pass, by tensors that were written during the check."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

from torch import Tensor

from grader.judge.evidence import Evidence, Finding
from grader.judge.failing import failing_checks
from grader.model import CheckScore, Diagnosis, Exercise, ExerciseScore, ExerciseStatus, Sample, Stub, total

#: The rows and columns of a heat map.
SAMPLE = 12


def score_exercise(evidence: Evidence) -> ExerciseScore:
    """Judge one exercise whose check was run."""
    exercise = evidence.exercise
    diagnoses = _diagnosed(evidence)
    checks = tuple(_score_check(evidence, check, points, diagnoses) for check, points in exercise.checks.items())
    score = total(check.score for check in checks)
    judged = ExerciseScore(
        id=exercise.id,
        title=exercise.title,
        status=_status(checks, score),
        score=score,
        possible=exercise.possible,
        checks=checks,
        printed=next((run.printed for run in evidence.runs if run.printed), ""),
    )
    return judged if evidence.stub is None else with_stub(judged, evidence.stub)


def with_stub(score: ExerciseScore, stub: Stub) -> ExerciseScore:
    """``score`` as that of ``stub``: where it stands, and what a human should know of it."""
    return replace(score, flags=stub.flags, cell=stub.cell, line=stub.line)


def score_missing(exercise: Exercise) -> ExerciseScore:
    """The score of an exercise whose stub is nowhere in the notebook."""
    return ExerciseScore(exercise.id, exercise.title, "missing", 0.0, exercise.possible)


def score_unreached(exercise: Exercise, stub: Stub, why: Diagnosis) -> ExerciseScore:
    """The score of an exercise whose check was never made, because the submission ended before; ``why`` says how."""
    checks = tuple(CheckScore(check, "failed", 0.0, points, diagnosis=why) for check, points in exercise.checks.items())
    return ExerciseScore(
        exercise.id, exercise.title, "failed", 0.0, exercise.possible, checks, stub.flags, stub.cell, stub.line
    )


def score_fault(exercise: Exercise) -> ExerciseScore:
    """The score of an exercise that the grader itself could not judge; never a student's zero."""
    checks = tuple(CheckScore(check, "grader_error", 0.0, points) for check, points in exercise.checks.items())
    return ExerciseScore(exercise.id, exercise.title, "grader_error", 0.0, exercise.possible, checks)


def link_consequences(
    scores: Sequence[ExerciseScore], exercises: Mapping[str, Exercise], used: Callable[[Exercise], Collection[str]]
) -> tuple[ExerciseScore, ...]:
    """Name, in each exercise that was tried and lost points, the stubs it calls that lost points themselves.

    ``used`` gives the names that an answer and its check use, and is asked only where it matters: an answer that is
    written without the others follows from none of them.
    """
    lost = {score.id for score in scores if score.status not in {"passed", "grader_error"}}

    def causes(exercise: Exercise) -> tuple[str, ...]:
        suspects = [name for name in exercise.follows if name in lost]
        names = set(used(exercise)) if suspects else set()
        return tuple(name for name in suspects if not names.isdisjoint(exercises[name].needs))

    return tuple(
        replace(score, follows_from=causes(exercises[score.id]))
        if score.id in lost and score.status not in {"not_implemented", "missing"}
        else score
        for score in scores
    )


def _status(checks: Sequence[CheckScore], score: float) -> ExerciseStatus:
    if all(check.status == "passed" for check in checks):
        return "passed"
    if score > 0:
        return "partial"
    codes = {check.diagnosis.code for check in checks if check.diagnosis is not None}
    return "not_implemented" if codes == {"not_implemented"} else "failed"


def _diagnosed(evidence: Evidence) -> Mapping[str, Diagnosis]:
    """A diagnosis for each check that loses points."""
    if not failing_checks(evidence):
        return {}
    from grader.judge.diagnosis.table import diagnose  # which a class of right answers does not wait for

    return diagnose(evidence)


def _score_check(evidence: Evidence, check: str, points: float, diagnoses: Mapping[str, Diagnosis]) -> CheckScore:
    if check in evidence.exercise.raises:
        return _score_raise(check, points, diagnoses)
    findings = evidence.findings[check]
    if check not in diagnoses:
        return CheckScore(check, "passed", points, points, max_abs_error=_largest_error(findings))
    wrong = (finding for finding in findings if not finding.passed)
    modified = (finding for finding in findings if finding.case.label in evidence.modified)
    shown = next(wrong, None) or next(modified, findings[0])
    share = _share(evidence, findings) if evidence.exercise.measure is not None else 0.0
    comparison = shown.comparison
    differs = not shown.passed  # else the values are right, and lost for another reason: none of them shows it
    return CheckScore(
        name=check,
        status="partial" if share > 0 else "failed",
        score=points * share,
        possible=points,
        case=shown.case.describe(),
        diagnosis=diagnoses[check],
        expected_shape=comparison.expected_shape,
        actual_shape=comparison.actual_shape,
        max_abs_error=comparison.max_abs_error,
        worst=comparison.worst if differs else None,
        worst_actual=comparison.worst_actual if differs else None,
        worst_expected=comparison.worst_expected if differs else None,
        sample=sample_of(shown) if differs else None,
    )


def _score_raise(check: str, points: float, diagnoses: Mapping[str, Diagnosis]) -> CheckScore:
    if check not in diagnoses:
        return CheckScore(check, "passed", points, points)
    return CheckScore(check, "failed", 0.0, points, diagnosis=diagnoses[check])


def _share(evidence: Evidence, findings: Sequence[Finding]) -> float:
    """The mean share of a measured check over its cases, 0 where a case has no tensor to measure."""
    if evidence.autograd is not None or evidence.modified:
        return 0.0
    shares = [
        evidence.exercise.share(finding.actual.tensor, finding.expected)
        if finding.actual.tensor is not None and finding.comparison.verdict in {"close", "different"}
        else 0.0
        for finding in findings
    ]
    return math.fsum(shares) / len(shares)


def _largest_error(findings: Sequence[Finding]) -> float | None:
    errors = [f.comparison.max_abs_error for f in findings if f.comparison.max_abs_error is not None]
    return max(errors, default=None)


def sample_of(finding: Finding) -> Sample | None:
    """Expected and actual values as two small grids, or None where the shapes differ or there is no tensor."""
    actual, expected = finding.actual.tensor, finding.expected
    if actual is None or actual.shape != expected.shape or expected.numel() == 0 or expected.dim() > 2:
        return None
    rows = _grid(expected)
    worst = finding.comparison.worst
    place = None if worst is None else ((0,) * (2 - len(worst)) + worst)
    inside = place is not None and place[0] < SAMPLE and place[1] < SAMPLE
    cut = rows.shape[0] > SAMPLE or rows.shape[1] > SAMPLE
    return Sample(
        expected=_rounded(rows),
        actual=_rounded(_grid(actual)),
        worst=(place[0], place[1]) if place is not None and inside else None,
        cut=cut,
    )


def _grid(value: Tensor) -> Tensor:
    return value.reshape((1,) * (2 - value.dim()) + tuple(value.shape)) if value.dim() < 2 else value


def _rounded(rows: Tensor) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(float(f"{float(value):.5g}") for value in row[:SAMPLE].tolist()) for row in rows[:SAMPLE])
