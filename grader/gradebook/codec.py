"""``SubmissionReport`` as plain data and back, without loss: what the gradebook stores.

The keys are the field names of ``grader.model``. Numbers that JSON lacks (an actual tensor may hold NaN) are written
as the strings ``"nan"``, ``"inf"`` and ``"-inf"``.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from functools import cache
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

from grader.errors import GradebookError
from grader.model import SubmissionReport


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
        read = _reader(SubmissionReport)
        assert read is not None
        report: SubmissionReport = read(data)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise GradebookError(
            f"a stored submission cannot be read ({type(error).__name__}: {error})",
            remedy="grade again with --fresh: it was written by another version of the grader",
        ) from error
    return report


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


#: Fields that an older gradebook does not have.
_LATER = frozenset({"override"})


@cache
def _reader(kind: Any) -> Callable[[Any], Any] | None:
    """What makes a value of this type of its plain data; None where that is the value."""
    if dataclasses.is_dataclass(kind):
        made: Any = kind
        readers = {name: read for name, each in get_type_hints(kind).items() if (read := _reader(each))}

        def read_fields(data: dict[str, Any]) -> Any:
            later = _LATER - data.keys()
            return made(**data | {name: read(data[name]) for name, read in readers.items() if name not in later})

        return read_fields
    if kind is float:
        return float
    parts = [_reader(part) for part in get_args(kind) if part not in (NoneType, Ellipsis)]
    read = next(filter(None, parts), None)
    if get_origin(kind) is tuple:
        return tuple if read is None else lambda data: tuple(map(read, data))
    return read and (lambda data: None if data is None else read(data))  # of a union with None
