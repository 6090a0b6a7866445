"""Classroom 50's ``result.json``, schema ``classroom50/result/v1``: hyphenated keys, whole points.

The contract is that of foundation50/classroom50, "Advanced Autograding": the runner gives the identity of the
submission in environment variables, stamps owner and type itself, and takes scores that are non-negative integers.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from grader.model import RunReport
from grader.report.counting.row import rows_of
from grader.report.words import wording
from grader.report.words.text import one_line

SCHEMA = "classroom50/result/v1"
#: A point of the course in whole points, tried in this order: partial credit stays exact to a hundredth.
_SCALES = (1, 2, 4, 5, 10, 20, 100)


def classroom50_result(run: RunReport, environment: Mapping[str, str] | None = None) -> dict[str, Any]:
    """``run`` as the object of ``result.json``: a test an exercise, all points scaled by one factor to whole numbers.

    ``environment`` is the runner's (``CLASSROOM``, ``ASSIGNMENT``, ``SUBMISSION_TAG``, ``COMMIT_URL``, ``RELEASE_URL``,
    ``REVIEW_URL``). Exercises assigned and not found stand in the result too.

    The schema knows no "not graded". Where the grader itself failed, exit non-zero instead of writing this: the runner
    then records an error, not a zero.
    """
    exercises = [
        (one_line(exercise.id, 200), exercise.status, exercise.score, exercise.possible)
        for row in rows_of(run)
        for exercise in row.exercises.values()
    ]
    seen = {name for name, *_ in exercises}
    exercises += [(name, "missing", 0.0, points) for name, points in run.assigned.items() if name not in seen]
    scale = _scale([value for *_, score, possible in exercises for value in (score, possible)])
    whole = [(round(score * scale), round(possible * scale)) for *_, score, possible in exercises]
    tests = [
        {
            "test-name": name,
            "passed": status == "passed",
            "score": min(score, possible),
            "max-score": possible,
            "outcome": wording.EXERCISE[status],
        }
        for (name, status, *_), (score, possible) in zip(exercises, whole, strict=True)
    ]
    return {
        **_identity(environment or {}),
        "score": sum(min(pair) for pair in whole),
        "max-score": sum(possible for _, possible in whole),
        "tests": tests,
    }


def _scale(values: list[float]) -> int:
    return next(
        (scale for scale in _SCALES if all(abs(value * scale - round(value * scale)) < 1e-6 for value in values)),
        _SCALES[-1],
    )


def _identity(environment: Mapping[str, str]) -> dict[str, str]:
    tag = environment.get("SUBMISSION_TAG") or "submit/unknown"
    server = environment.get("GITHUB_SERVER_URL") or "https://github.com"
    repository = f"{server}/{environment.get('GITHUB_REPOSITORY') or 'unknown/unknown'}"
    commit = environment.get("COMMIT_URL") or f"{repository}/commit/{environment.get('GITHUB_SHA') or 'HEAD'}"
    return {
        "schema": SCHEMA,
        "classroom": environment.get("CLASSROOM") or "unknown",
        "assignment": environment.get("ASSIGNMENT") or "unknown",
        "submission": tag,
        "commit": commit,
        "release": environment.get("RELEASE_URL") or f"{repository}/releases/tag/{quote(tag, safe='')}",
        "review": environment.get("REVIEW_URL") or commit,
        "datetime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
