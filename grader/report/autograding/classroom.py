"""GitHub Classroom's autograding contract: step outputs that ``autograding-grading-reporter@v1`` reads.

The reporter takes ``<RUNNER>_RESULTS`` from its environment, base64 of ``{"version": 1, "status", "max_score",
"tests": […]}``. Its notice adds up ``tests[].score``; its table has counted passes ÷ tests × ``max_score``. All
results here are made of equal tests (``units``), so that both say the same, partial credit included.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from grader.model import ExerciseScore, RunReport, SubmissionReport, total
from grader.report.autograding.units import units_of
from grader.report.counting.row import Row, rows_of
from grader.report.words import wording
from grader.report.words.evidence import message_of
from grader.report.words.numbers import rounded
from grader.report.words.text import cut, one_line, print_safe

#: A step output ends up in an environment variable, which Linux cuts at 128 KiB; this leaves room for others.
RESULT_BYTES = 90_000
#: All outputs of a job together may have 1 MiB: one an exercise has to leave room for fifty of them.
EXERCISE_BYTES = 20_000
#: Characters of a message, and the most tests: the first pair that fits is used.
_FITS = ((600, 300), (200, 300), (60, 300), (0, 300), (0, 150), (0, 60))

_Status = Literal["pass", "fail", "error"]


@dataclass(frozen=True, slots=True)
class _Part:
    """A line of a result: a check, an exercise, or a notebook that could not be graded."""

    exercise: str
    name: str
    status: _Status
    score: float
    possible: float
    message: str = ""
    code: str = ""
    filename: str = ""
    line: int = 0
    seconds: float = 0.0


def github_output(run: RunReport) -> dict[str, str]:
    """Step outputs: ``result`` for everything, and one named by each exercise; each a single line of base64.

    The exercises assigned get an output also where the notebook was not found or not readable, since the reporter
    fails on an output that is not there.
    """
    parts = _parts(run)
    by_exercise: dict[str, list[_Part]] = {}
    for part in parts:
        if part.exercise:
            by_exercise.setdefault(_output_name(part.exercise), []).append(part)
    outputs = {"result": _encoded(parts, RESULT_BYTES)}
    outputs.update((name, _encoded(group, EXERCISE_BYTES)) for name, group in by_exercise.items())
    return outputs


def github_error_output(message: str, expected: Mapping[str, float] | None = None) -> dict[str, str]:
    """The same outputs where the grader itself failed: valid results of ``status`` ``error``, not a student's zero."""
    parts = [_Part(id_, id_, "error", 0.0, points, message) for id_, points in (expected or {}).items()]
    outputs = {_output_name(part.exercise): _encoded([part], EXERCISE_BYTES) for part in parts}
    return {"result": _encoded(parts or [_Part("", "grader", "error", 0.0, 0.0, message)], RESULT_BYTES), **outputs}


def _output_name(exercise: str) -> str:
    name = re.sub(r"[^A-Za-z0-9_-]", "_", exercise)
    return f"exercise_{name}" if name == "result" or not re.match(r"[A-Za-z_]", name) else name


# -------------------------------------------------------------------------------------------- from run to parts


def _parts(run: RunReport) -> list[_Part]:
    rows = rows_of(run) or (Row("", (), {}, None, 0.0, absent=run.assigned),)
    several = len(rows) > 1
    parts = []
    for row in rows:
        made = list(_parts_of(row))
        parts += [replace(part, name=f"{row.student}: {part.name}") for part in made] if several else made
    return parts


def _parts_of(row: Row) -> Iterator[_Part]:
    for exercise in row.exercises.values():
        owner = next(entry for entry in row.entries if exercise in entry.exercises)
        yield from _exercise_parts(exercise, owner)
    ungraded = [entry for entry in row.counted if not entry.exercises]
    reason = next((wording.reason(entry) for entry in ungraded), "" if row.entries else wording.NOTHING_GRADED)
    for id_, points in row.absent.items():
        yield _Part(id_, id_, "error" if reason else "fail", 0.0, points, reason or wording.NOT_HANDED_IN)
    if not row.absent:
        for entry in ungraded:
            name = entry.notebook or entry.path or "notebook"
            yield _Part("", name, "error", 0.0, entry.possible, wording.reason(entry), filename=entry.path)
        if not row.entries:
            yield _Part("", "notebook", "error", 0.0, 0.0, wording.NOTHING_GRADED)


def _exercise_parts(exercise: ExerciseScore, entry: SubmissionReport) -> Iterator[_Part]:
    """A part for each check where their points make up the exercise's, else one for the exercise."""
    checks = exercise.checks
    whole = _Part(
        exercise.id,
        exercise.id,
        _status(exercise.status == "grader_error", exercise.score, exercise.possible),
        exercise.score,
        exercise.possible,
        filename=entry.path,
        line=exercise.line or 0,
        seconds=entry.seconds,
    )
    points = total(check.score for check in checks), total(check.possible for check in checks)
    if exercise.status == "grader_error" or points != (rounded(exercise.score), rounded(exercise.possible)):
        message = "; ".join(message_of(check) for check in checks if check.status != "passed")
        yield replace(whole, message=message or wording.EXERCISE[exercise.status])
        return
    for check in checks:
        yield replace(
            whole,
            name=f"{exercise.id}: {check.name}",
            status=_status(check.status == "grader_error", check.score, check.possible),
            score=check.score,
            possible=check.possible,
            message="" if check.status == "passed" else message_of(check),
            code=check.name,
        )


def _status(broken: bool, score: float, possible: float) -> _Status:
    return "error" if broken else "pass" if score >= possible else "fail"


# ------------------------------------------------------------------------------------------ from parts to result


def _encoded(parts: Sequence[_Part], limit: int) -> str:
    """The result as one line of base64 below ``limit`` bytes: with shorter messages, then fewer tests, then as one."""
    for letters, tests in _FITS:
        text = _base64(_result(parts, letters, tests))
        if len(text) < limit:
            return text
    worst = next((part for part in parts if part.status == "error"), parts[0])
    whole = replace(
        worst,
        name="all exercises",
        status=_overall(parts),
        score=total(part.score for part in parts),
        possible=total(part.possible for part in parts),
    )
    return _base64(_result([whole], 60, 60))


def _base64(result: Mapping[str, Any]) -> str:
    text = json.dumps(result, allow_nan=False, separators=(",", ":"))
    return base64.b64encode(text.encode("ascii")).decode("ascii")


def _result(parts: Sequence[_Part], letters: int, limit: int) -> dict[str, Any]:
    units = units_of([(part.score, part.possible) for part in parts], limit)
    worth = _whole(units.worth)
    tests = [
        test
        for part, (passed, count) in zip(parts, units.counts, strict=True)
        for test in _tests(part, passed, count, worth, letters)
    ]
    if not tests:  # nothing is worth a point: the reporter divides by the number of tests
        tests = list(_tests(parts[0], int(parts[0].status == "pass"), 1, 0, letters))
    return {
        "version": 1,
        "status": _overall(parts),
        "max_score": _whole(total(part.possible for part in parts)),
        "tests": tests,
    }


def _overall(parts: Sequence[_Part]) -> _Status:
    found = {part.status for part in parts}
    return "error" if "error" in found else "fail" if "fail" in found else "pass"


def _tests(part: _Part, passed: int, count: int, worth: float, letters: int) -> Iterator[dict[str, Any]]:
    failing: _Status = "error" if part.status == "error" else "fail"
    for place in range(count):
        right, first_wrong = place < passed, place == passed
        yield {
            "name": _shown(part.name, 80) + (f" ({place + 1}/{count})" if count > 1 else ""),
            "status": "pass" if right else failing,
            "score": worth if right else 0,
            "message": _shown(part.message, letters) if first_wrong and letters else "",
            "test_code": _shown(part.code, 80) if letters and place == 0 else "",
            "filename": _shown(part.filename, 120) if letters and place == 0 else "",
            "line_no": part.line,
            "duration": round(part.seconds, 2) if place == 0 else 0,
        }


def _shown(text: str, letters: int) -> str:
    return cut(print_safe(one_line(text)), letters)


def _whole(value: float) -> float:
    return int(value) if float(value).is_integer() else value
