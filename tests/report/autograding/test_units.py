from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.report.autograding.units import Units, units_of


@pytest.mark.parametrize(
    ("items", "made"),
    [
        pytest.param([(4, 4)], Units(((1, 1),), 4.0), id="all or nothing is one test"),
        pytest.param([(2, 4)], Units(((1, 2),), 2.0), id="half"),
        pytest.param([(4, 4), (0, 2)], Units(((2, 2), (0, 1)), 2.0), id="unequal points"),
        pytest.param([(2.5, 4)], Units(((5, 8),), 0.5), id="half points"),
        pytest.param([(8.7, 10)], Units(((87, 100),), 0.1), id="accuracy"),
        pytest.param([(0, 0)], Units(((0, 0),), 0.0), id="worth nothing"),
        pytest.param([], Units((), 0.0), id="nothing"),
    ],
)
def test_units_of_exact(items: list[tuple[float, float]], made: Units) -> None:
    assert units_of(items, 200) == made


def _sums(made: Units) -> tuple[int, int]:
    return sum(passed for passed, _ in made.counts), sum(tests for _, tests in made.counts)


_HALVES = st.integers(0, 40).map(lambda n: n / 2)
_ITEM = st.tuples(_HALVES, _HALVES).map(lambda pair: (min(pair), max(pair)))


@given(st.lists(_ITEM, min_size=1, max_size=12))
def test_units_of_half_points_both_sums_are_the_score(items: list[tuple[float, float]]) -> None:
    made = units_of(items, 10_000)
    possible = sum(possible for _, possible in items)
    score = sum(score for score, _ in items)
    passed, tests = _sums(made)
    assert passed * made.worth == pytest.approx(score)
    if tests:
        assert passed / tests * possible == pytest.approx(score)


@given(st.lists(st.tuples(st.floats(0, 10), st.floats(0.5, 10)), min_size=1, max_size=30), st.integers(40, 300))
def test_units_of_any_points_both_sums_agree_within_the_limit(pairs: list[tuple[float, float]], limit: int) -> None:
    items = [(min(pair), max(pair)) for pair in pairs]
    made = units_of(items, limit)
    possible = sum(round(possible, 2) for _, possible in items)
    passed, tests = _sums(made)
    assert tests <= limit + len(items)
    assert passed * made.worth == pytest.approx(passed / tests * possible, abs=1e-3)
    for (score, most), (passed, tests) in zip(items, made.counts, strict=True):
        if tests > 1:
            assert (passed == 0) <= (round(score, 2) == 0)
            assert (passed == tests) <= (round(score, 2) == round(most, 2))


def test_units_of_too_fine_a_score_is_rounded_to_the_nearest_unit() -> None:
    made = units_of([(8.67, 10)], 100)
    passed, tests = _sums(made)
    assert tests <= 100
    assert passed * made.worth == pytest.approx(8.67, abs=0.06)
