"""What is said of a failed check: the numbers in words, and whether the next check says it for both."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from grader.model import CheckScore
from grader.report.words import wording
from grader.report.words.numbers import number


def with_leads(checks: Sequence[CheckScore]) -> Iterator[tuple[CheckScore, bool]]:
    """Each of ``checks``, and whether it only leads to the next one, which has the same to say and says it for both.

    An exception ends all checks of an exercise alike: said a dozen times, it would hide the rest.
    """
    for check, following in zip(checks, [*checks[1:], None], strict=False):
        alike = following is not None and check.diagnosis is not None and check.diagnosis == following.diagnosis
        yield check, alike and not check.sample and check.worst is None


def message_of(check: CheckScore) -> str:
    """What is wrong, in a sentence; how it ended, where there is no diagnosis."""
    return check.diagnosis.message if check.diagnosis else wording.EXERCISE[check.status]


def shapes(check: CheckScore) -> str:
    """The expected and the actual shape, where they differ; else nothing."""
    if check.expected_shape is None or check.actual_shape in (None, check.expected_shape):
        return ""
    return wording.SHAPES.format(expected=check.expected_shape, actual=check.actual_shape)


def worst(check: CheckScore) -> str:
    """The element with the largest error, where elements were compared; else nothing."""
    if check.worst is None:
        return ""
    index = ", ".join(str(place) for place in check.worst)
    return wording.WORST.format(index=index, expected=number(check.worst_expected), actual=number(check.worst_actual))


def evidence(check: CheckScore) -> list[str]:
    """What ``check`` showed: the shapes where they differ, and the worst element; a line each."""
    return [line for line in (shapes(check), worst(check)) if line]
