"""Expected and actual values as two small grids on one diverging colour scale."""

from __future__ import annotations

import math
from dataclasses import dataclass

from grader.model import Sample
from grader.report.words.numbers import number

#: Steps of the scale on either side of zero; the style sheet has a class for each, ``q-8`` to ``q8``.
STEPS = 8
#: A value so many times larger than the largest expected one takes the last colour, or the expected map would be blank.
_HEADROOM = 4.0
#: Columns that have room for three digits.
_ROOMY = 7


@dataclass(frozen=True, slots=True)
class HeatCell:
    """A value: its text, the class of its colour (``"q-3"``, or ``"qx"`` for NaN and infinity), whether it is worst."""

    text: str
    colour: str
    worst: bool


@dataclass(frozen=True, slots=True)
class HeatMap:
    """The two grids, and ``bound``: the scale runs from ``−bound`` to ``bound``. ``wide`` ones need small cells."""

    expected: tuple[tuple[HeatCell, ...], ...]
    actual: tuple[tuple[HeatCell, ...], ...]
    bound: str
    cut: bool
    wide: bool


def heat_map(sample: Sample) -> HeatMap:
    """``sample`` as cells; both grids share one scale, symmetric about zero."""
    bound = _bound(sample)
    return HeatMap(
        expected=_grid(sample.expected, bound, sample.worst),
        actual=_grid(sample.actual, bound, sample.worst),
        bound=number(bound),
        cut=sample.cut,
        wide=_is_wide(sample.expected),
    )


def _bound(sample: Sample) -> float:
    expected = _largest(sample.expected)
    actual = _largest(sample.actual)
    return max(expected, min(actual, _HEADROOM * expected) if expected else actual) or 1.0


def _largest(rows: tuple[tuple[float, ...], ...]) -> float:
    return max((abs(value) for row in rows for value in row if math.isfinite(value)), default=0.0)


def _grid(
    rows: tuple[tuple[float, ...], ...], bound: float, worst: tuple[int, int] | None
) -> tuple[tuple[HeatCell, ...], ...]:
    told = _short if _is_wide(rows) else number
    return tuple(
        tuple(HeatCell(told(value), _colour(value, bound), (i, j) == worst) for j, value in enumerate(row))
        for i, row in enumerate(rows)
    )


def _is_wide(rows: tuple[tuple[float, ...], ...]) -> bool:
    return len(rows[0]) > _ROOMY


def _short(value: float) -> str:
    """At most six characters for a value of ordinary size: a dozen columns stand beside a dozen."""
    return number(value, 1 if abs(value) < 0.1 else 2)


def _colour(value: float, bound: float) -> str:
    if not math.isfinite(value):
        return "qx"
    step = round(STEPS * max(-1.0, min(1.0, value / bound)))
    if step == 0 and value != 0:
        step = 1 if value > 0 else -1
    return f"q{step}"
