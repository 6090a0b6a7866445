from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.report.words import numbers


@given(st.one_of(st.none(), st.floats()))
def test_rounded_any_float_is_json(value: float | None) -> None:
    for shown in (numbers.rounded(value), numbers.significant(value)):
        assert shown is None or math.copysign(1, shown) == 1 or shown < 0
        assert json.loads(json.dumps(shown, allow_nan=False)) == shown


def test_rounded_to_four_decimals_and_errors_to_six_digits() -> None:
    assert (numbers.rounded(2 / 3), numbers.rounded(20000.00004)) == (0.6667, 20000.0)
    assert (numbers.significant(2e-9 / 3), numbers.significant(2e9 / 3)) == (6.66667e-10, 666667000.0)


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, "–"), (4.0, "4"), (2.50, "2.5"), (100.0, "100"), (0.0, "0"), (-0.0, "0"), (8.6666667, "8.67"),
     (math.nan, "–"), (0.001, "0"), (-0.001, "0"), (10.0, "10")],
)  # fmt: skip
def test_points_score_is_short(value: float | None, shown: str) -> None:
    assert numbers.points(value) == shown


@pytest.mark.parametrize(
    ("part", "whole", "shown"),
    [
        (0, 12, 0),
        (12, 12, 100),
        (0.001, 12, 1),
        (11.999, 12, 99),
        (6, 12, 50),
        (1, 1, 100),
        (None, 12, None),
        (0, 0, None),
    ],
)
def test_percent_only_all_is_100_and_only_nothing_is_0(part: float | None, whole: float, shown: int | None) -> None:
    assert numbers.percent(part, whole) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "–"),
        (-0.0, "0"),
        (-1.5, "−1.5"),
        (1e-9, "1e−9"),
        (123456.0, "1.23e5"),
        (-math.inf, "−inf"),
        (0.25, "0.25"),
    ],
)
def test_number_element_is_short(value: float | None, shown: str) -> None:
    assert numbers.number(value) == shown
