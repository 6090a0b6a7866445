"""The numbers behind a failed check, in words."""

from __future__ import annotations

from grader.model import CheckScore
from grader.report import wording
from grader.report.numbers import number


def evidence(check: CheckScore) -> list[str]:
    """What ``check`` showed: the shapes where they differ, and the worst element; a line each."""
    lines = []
    if check.expected_shape is not None and check.actual_shape not in (None, check.expected_shape):
        assert check.actual_shape is not None
        lines.append(
            wording.SHAPES.format(
                expected=wording.shape(check.expected_shape), actual=wording.shape(check.actual_shape)
            )
        )
    if check.worst is not None:
        index = ", ".join(str(place) for place in check.worst)
        expected, actual = number(check.worst_expected), number(check.worst_actual)
        lines.append(wording.WORST.format(index=index, expected=expected, actual=actual))
    return lines
