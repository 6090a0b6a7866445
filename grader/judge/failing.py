"""Which checks of an exercise lose points, and why. Scoring rests on this: a check that is not named earns its points.

The rules: a compared check fails by any case that is not close; a measured one by any share below one; autograd where
it is forbidden costs everything; an input changed against the contract costs the checks of that input, or all of that
case where it has none; an expected exception that did not come costs its check, and so does one that comes whatever one
asks of the stub, while nothing else of it is right.
"""

from __future__ import annotations

from collections.abc import Iterator

from grader.judge.evidence import Evidence, Finding


def failing_checks(evidence: Evidence) -> tuple[str, ...]:
    """The checks that lose points, in the order of the declaration."""
    exercise = evidence.exercise
    if evidence.autograd is not None:
        return tuple(exercise.checks)
    asked = [check for check in exercise.checks if check not in exercise.raises]
    compared = {check for check in asked if not evidence.findings.get(check) or any(bad_findings(evidence, check))}
    nothing = compared == set(asked)
    silent = nothing and len(exercise.raises) < len(exercise.checks)
    raising = {
        check
        for check in exercise.raises
        if not evidence.raising.get(check, False) or (silent and _comes_anyway(evidence, check))
    }
    lost = compared | raising | set(modified_checks(evidence))
    return tuple(check for check in exercise.checks if check in lost)


def _comes_anyway(evidence: Evidence, check: str) -> bool:
    """Whether the exception of ``check`` is that of an untouched stub, or the one in which the call itself ended."""
    name = evidence.exercise.raises[check]
    errors = (run.error for run in evidence.runs)
    return name == "NotImplementedError" or any(name in (error.type, *error.bases) for error in errors if error)


def modified_checks(evidence: Evidence) -> dict[str, str]:
    """Each check that fails for a modified input → that input's name."""
    lost: dict[str, str] = {}
    for case in (one.case for one in evidence.prepared):
        for name in evidence.modified.get(case.label, ()):
            owner = name.partition(".")[0]
            asked = [check for check in case.checks if check not in evidence.exercise.raises]
            own = [check for check in asked if _root(evidence, check) == owner]
            for check in own or asked:
                lost.setdefault(check, name)
    return lost


def _root(evidence: Evidence, check: str) -> str:
    return evidence.exercise.path_of(check).partition(".")[0].partition("[")[0]


def _full(evidence: Evidence, finding: Finding) -> bool:
    """Whether a measured check earned all of its points in this case."""
    tensor = finding.actual.tensor
    if tensor is None or finding.comparison.verdict not in {"close", "different"}:
        return False
    return evidence.exercise.share(tensor, finding.expected) >= 1


def bad_findings(evidence: Evidence, check: str) -> Iterator[Finding]:
    """The findings of a check that are not as they should be."""
    for finding in evidence.findings.get(check, ()):
        good = _full(evidence, finding) if evidence.exercise.measure is not None else finding.passed
        if not good:
            yield finding
