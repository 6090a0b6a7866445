"""A score as a number of equal tests, so that counting those that passed gives the score.

``autograding-grading-reporter@v1`` adds up ``tests[].score`` in its notice, and in its table takes the share of tests
that passed times ``max_score``. The two agree only where all tests weigh the same and partial credit is a number of
tests that passed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import gcd

#: Units that are tried, the finest first, where the exact one would need too many tests.
_COARSER = tuple(Fraction(unit) for unit in ("1/100", "1/50", "1/20", "1/10", "1/5", "1/4", "1/2", "1", "2", "5", "10"))


@dataclass(frozen=True, slots=True)
class Units:
    """Item by item ``(passed, tests)``; each test that passed is worth ``worth`` points."""

    counts: tuple[tuple[int, int], ...]
    worth: float


def units_of(items: Sequence[tuple[float, float]], limit: int) -> Units:
    """``items`` as equal tests, at most ``limit`` or one an item: exact where that many suffice, else the nearest.

    An item is its score and what was possible, read to two decimals. One that is neither full nor zero never becomes so
    by rounding where it has more than one test.

    >>> units_of([(2.5, 4), (2, 2)], 200)
    Units(counts=((5, 8), (4, 4)), worth=0.5)
    """
    exact = [(_hundredths(score), _hundredths(possible)) for score, possible in items]
    possible = sum((whole for _, whole in exact), Fraction(0))
    unit = _exact_unit(exact)
    if unit and possible / unit > limit:
        unit = next((coarse for coarse in _COARSER if possible / coarse <= limit), possible / limit)
    counts = tuple(_count(score, whole, unit) for score, whole in exact)
    tests = sum(count for _, count in counts)
    return Units(counts, round(float(possible / tests), 6) if tests else 0.0)


def _hundredths(value: float) -> Fraction:
    return Fraction(round(value * 100), 100)


def _exact_unit(exact: Sequence[tuple[Fraction, Fraction]]) -> Fraction:
    """The largest unit of which every score and every maximum is a multiple; whole exercises where all or nothing."""
    return Fraction(gcd(*(int(part * 100) for pair in exact for part in pair)), 100)


def _count(score: Fraction, whole: Fraction, unit: Fraction) -> tuple[int, int]:
    if not whole or not unit:
        return (0, 0)
    tests = max(1, round(whole / unit))
    passed = round(score / whole * tests)
    if 0 < score < whole and tests > 1:
        passed = min(tests - 1, max(1, passed))
    return (passed, tests)
