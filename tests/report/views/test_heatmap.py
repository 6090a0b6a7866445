from __future__ import annotations

import math
import re

import pytest

from grader.model import Sample
from grader.report.views.heatmap import STEPS, heat_map


def _colours(expected: tuple[float, ...], actual: tuple[float, ...]) -> tuple[list[str], list[str]]:
    made = heat_map(Sample((expected,), (actual,), None, False))
    return [cell.colour for cell in made.expected[0]], [cell.colour for cell in made.actual[0]]


@pytest.mark.parametrize(
    ("expected", "actual", "colours"),
    [
        pytest.param((1.0, -1.0, 0.0), (-1.0, 1.0, 0.0), (["q8", "q-8", "q0"], ["q-8", "q8", "q0"]), id="symmetric"),
        pytest.param((1.0,), (2.0,), (["q4"], ["q8"]), id="one scale"),
        pytest.param((1.0,), (1e30,), (["q2"], ["q8"]), id="a huge value does not blank the expected map"),
        pytest.param((0.0,), (0.0,), (["q0"], ["q0"]), id="all zero"),
        pytest.param((0.0,), (3.0,), (["q0"], ["q8"]), id="expected all zero"),
        pytest.param((1.0, 1.0), (math.nan, math.inf), (["q8", "q8"], ["qx", "qx"]), id="not finite"),
        pytest.param((1.0, 1e-9), (1.0, -1e-9), (["q8", "q1"], ["q8", "q-1"]), id="tiny is not zero"),
    ],
)
def test_heat_map_colours(expected, actual, colours) -> None:
    assert _colours(expected, actual) == colours


def test_heat_map_worst_is_marked_in_both() -> None:
    made = heat_map(Sample(((1.0, 2.0),), ((1.0, 5.0),), (0, 1), True))
    assert [cell.worst for cell in made.expected[0]] == [cell.worst for cell in made.actual[0]] == [False, True]
    assert made.cut


def test_heat_map_style_sheet_has_every_step() -> None:
    from grader.report.views.pages import class_page
    from tests.report.builders import run

    page = class_page(run())
    assert all(re.search(rf"\.q{step}[ ,]", page) for step in range(-STEPS, STEPS + 1) if step)


def test_heat_map_wide_has_short_numbers() -> None:
    row = (-0.00997, -1.234, 12.34, 0.0554, *(0.0,) * 8)
    made = heat_map(Sample((row,), (row,), None, False))
    assert made.wide
    assert [cell.text for cell in made.expected[0][:4]] == ["−0.01", "−1.2", "12", "0.06"]


def test_heat_map_of_zeros_has_a_scale() -> None:
    assert heat_map(Sample(((0.0,),), ((0.0,),), None, False)).bound == "1"
