"""``SubmissionReport`` as plain data and back, without loss: what the gradebook stores.

The keys are the field names of ``grader.model``. Numbers that JSON lacks (an actual tensor may hold NaN) are written
as the strings ``"nan"``, ``"inf"`` and ``"-inf"``.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from functools import cache
from typing import Any

from grader.errors import GradebookError
from grader.model import CellFailure, CheckScore, Diagnosis, ExerciseScore, Override, Sample, SubmissionReport


def submission_to_dict(report: SubmissionReport) -> dict[str, Any]:
    """Plain data that ``json.dumps(…, allow_nan=False)`` takes and ``submission_from_dict`` reads."""
    data = _plain_data(report)
    assert isinstance(data, dict)
    return data


def submission_from_dict(data: Mapping[str, Any]) -> SubmissionReport:
    """The report that ``submission_to_dict`` wrote.

    Raises:
        GradebookError: ``data`` is not of this version's form (a key missing or unknown).
    """
    try:
        return SubmissionReport(
            **{
                **data,
                "failed_cells": tuple(CellFailure(**failure) for failure in data["failed_cells"]),
                "exercises": tuple(_exercise(exercise) for exercise in data["exercises"]),
                "flags": tuple(data["flags"]),
            }
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise GradebookError(
            f"a stored submission cannot be read ({type(error).__name__}: {error})",
            remedy="grade again with --fresh: it was written by another version of the grader",
        ) from error


def _plain_data(value: object) -> object:
    if isinstance(value, tuple | list):
        return [_plain_data(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    kind: Any = type(value)
    names = _fields(kind)
    return {name: _plain_data(getattr(value, name)) for name in names} if names else value


@cache
def _fields(kind: type) -> tuple[str, ...]:
    """The fields of a dataclass; of anything else none."""
    return tuple(field.name for field in dataclasses.fields(kind)) if dataclasses.is_dataclass(kind) else ()


def _exercise(data: Mapping[str, Any]) -> ExerciseScore:
    override = data.get("override")  # an older gradebook has none
    return ExerciseScore(
        **{
            **data,
            "checks": tuple(_check(check) for check in data["checks"]),
            "flags": tuple(data["flags"]),
            "follows_from": tuple(data["follows_from"]),
            "override": None if override is None else Override(**override),
        }
    )


def _check(data: Mapping[str, Any]) -> CheckScore:
    diagnosis, sample = data["diagnosis"], data["sample"]
    return CheckScore(
        **{
            **data,
            "diagnosis": None if diagnosis is None else Diagnosis(**diagnosis),
            "sample": None if sample is None else _sample(sample),
            **{name: _index(data[name]) for name in ("expected_shape", "actual_shape", "worst")},
            **{name: _float(data[name]) for name in ("max_abs_error", "worst_actual", "worst_expected")},
        }
    )


def _sample(data: Mapping[str, Any]) -> Sample:
    worst = data["worst"]
    return Sample(
        expected=_rows(data["expected"]),
        actual=_rows(data["actual"]),
        worst=None if worst is None else (worst[0], worst[1]),
        cut=data["cut"],
    )


def _rows(rows: list[list[Any]]) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(float(value) for value in row) for row in rows)


def _index(value: list[int] | None) -> tuple[int, ...] | None:
    return None if value is None else tuple(value)


def _float(value: float | str | None) -> float | None:
    return None if value is None else float(value)
