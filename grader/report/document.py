"""``report.json``: the run as a document of schema version 1 (``schema/report-1.schema.json``)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from importlib import resources
from typing import Any

from grader.model import CheckScore, ExerciseScore, RunReport, SubmissionReport
from grader.report.counting.concerns import flags_beside
from grader.report.counting.row import rows_of
from grader.report.words.numbers import rounded, significant
from grader.report.words.text import json_text


def to_json(run: RunReport) -> str:
    """``run`` as the text of ``report.json``: the same text for the same results, whatever order they came in.

    Submissions are sorted by student, notebook and path, and flagged with what shows beside the others too: another
    attempt, the same file as somebody else's. Scores have at most four decimals, errors six significant
    digits; NaN and infinities are null. Lone surrogates of a file name are written as escapes,
    and so are characters that nobody sees.
    """
    return json_text(json.dumps(_run(run), indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def load_schema() -> dict[str, Any]:
    """The published JSON Schema (draft 2020-12) of ``report.json``."""
    text = (resources.files("grader.report") / "schema" / "report-1.schema.json").read_text("utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def _run(run: RunReport) -> dict[str, Any]:
    submissions = sorted(run.submissions, key=_place)
    beside = flags_beside(rows_of(replace(run, submissions=tuple(submissions))))
    return {
        "schema_version": run.schema_version,
        "grader_version": run.grader_version,
        "course": run.course,
        **({"course_digest": run.course_digest} if run.course_digest else {}),
        "seed": run.seed,
        "torch_version": run.torch_version,
        "sandbox": run.sandbox,
        **({"assigned": {id_: rounded(points) for id_, points in run.assigned.items()}} if run.assigned else {}),
        **({"absent": list(run.absent)} if run.absent else {}),
        "submissions": [_submission(report, beside.get(_place(report), ())) for report in submissions],
    }


def _place(report: SubmissionReport) -> tuple[str, str, str]:
    return report.student, report.notebook, report.path


def _submission(report: SubmissionReport, beside: Iterable[str]) -> dict[str, Any]:
    failed = [{"cell": cell.cell, "error": cell.error, "ended": cell.ended} for cell in report.failed_cells]
    return {
        "student": report.student,
        "notebook": report.notebook,
        "path": report.path,
        "sha256": report.sha256,
        "status": report.status,
        "score": rounded(report.score),
        "possible": rounded(report.possible),
        "seconds": rounded(report.seconds, 2),
        "reason": report.reason,
        "flags": [*report.flags, *beside],
        "cells": {"total": report.total_cells, "failed": failed},
        "exercises": [_exercise(exercise) for exercise in report.exercises],
    }


def _exercise(exercise: ExerciseScore) -> dict[str, Any]:
    return {
        "id": exercise.id,
        "title": exercise.title,
        "status": exercise.status,
        "score": rounded(exercise.score),
        "possible": rounded(exercise.possible),
        "flags": list(exercise.flags),
        "cell": exercise.cell,
        "line": exercise.line,
        "follows_from": list(exercise.follows_from),
        **_by_hand(exercise),
        "printed": exercise.printed,
        "checks": [_check(check) for check in exercise.checks],
    }


def _by_hand(exercise: ExerciseScore) -> dict[str, Any]:
    if exercise.override is None:
        return {"comment": exercise.comment} if exercise.comment else {}
    return {"override": {"graded": rounded(exercise.override.graded), "reason": exercise.override.reason}}


def _check(check: CheckScore) -> dict[str, Any]:
    diagnosis = check.diagnosis
    return {
        "name": check.name,
        "status": check.status,
        "score": rounded(check.score),
        "possible": rounded(check.possible),
        "case": check.case,
        "diagnosis": diagnosis and {"code": diagnosis.code, "message": diagnosis.message, "hint": diagnosis.hint},
        "expected_shape": _list(check.expected_shape),
        "actual_shape": _list(check.actual_shape),
        "max_abs_error": significant(check.max_abs_error),
        "worst": _worst(check),
    }


def _worst(check: CheckScore) -> dict[str, Any] | None:
    if check.worst is None:
        return None
    return {
        "index": list(check.worst),
        "actual": significant(check.worst_actual),
        "expected": significant(check.worst_expected),
    }


def _list(shape: tuple[int, ...] | None) -> list[int] | None:
    return None if shape is None else list(shape)
