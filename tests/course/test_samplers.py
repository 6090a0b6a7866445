"""What each sampler draws: kind, shape, bounds, and what depends on the case's magnitude."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.random import RandomState

from grader.course import computed, constant_tensor, fixed, integers, normal, number, size, sizes, uniform
from grader.model import Draw, Sampler


def drawn(sampler: Sampler, magnitude: float = 1.0) -> Any:
    return sampler.draw(Draw(RandomState(0), {"n": 7, "d": 5}, magnitude, {}))


#: Sampler → its kind and the shape of what it draws.
SHAPED: dict[str, tuple[Sampler, str, tuple[int, ...]]] = {
    "normal": (normal("n", "d"), "float", (7, 5)),
    "a number for a dimension": (normal("n", 1), "float", (7, 1)),
    "uniform": (uniform("d"), "float", (5,)),
    "constant_tensor": (constant_tensor("n", value=3.0), "float", (7,)),
    "integers": (integers("n", high="d"), "int", (7,)),
    "computed": (computed("int", "d", by=lambda case: np.arange(case.sizes["d"])), "int", (5,)),
}


@pytest.mark.parametrize("name", SHAPED)
def test_sampler_draws_its_kind_in_the_sizes_of_the_case(name: str) -> None:
    sampler, kind, shape = SHAPED[name]

    assert (sampler.kind, drawn(sampler).shape) == (kind, shape)


@pytest.mark.parametrize(("sampler", "grows"), [(normal("n"), True), (uniform("n"), False)], ids=["normal", "uniform"])
def test_magnitude_scales_normal_values_alone(sampler: Sampler, grows: bool) -> None:
    assert np.array_equal(drawn(sampler, 1e3), drawn(sampler) * (1e3 if grows else 1))


def test_normal_scale_and_shift_are_applied() -> None:
    assert np.allclose(drawn(normal("n", scale=3.0, shift=2.0)), drawn(normal("n")) * 3 + 2)


@pytest.mark.parametrize("share", [1e-9, 0.5])
def test_normal_zeros_are_at_least_one_and_not_all(share: float) -> None:
    values = drawn(normal("n", "d", zeros=share))

    assert 0 < (values == 0).sum() < values.size


@pytest.mark.parametrize("share", [30, -0.1])
def test_normal_refuses_zeros_that_are_no_share(share: float) -> None:
    with pytest.raises(ValueError, match="a share is from 0 to 1"):
        normal("n", zeros=share)


def test_normal_zero_row_and_column_are_one_each() -> None:
    rows, columns = drawn(normal("n", "d", zero_row=True)), drawn(normal("n", "d", zero_column=True))

    assert (rows == 0).all(1).sum() == 1
    assert (columns == 0).all(0).sum() == 1


def test_integers_stay_below_the_size_that_bounds_them() -> None:
    sampler = integers("n", high="d")

    assert sampler.letters == ("n", "d")
    assert set(drawn(sampler).tolist()) <= set(range(5))


def test_plain_values_are_python_s_own() -> None:
    value = drawn(number(0.1, 0.2))

    assert type(value) is float
    assert 0.1 <= value <= 0.2
    assert float(f"{value:.6g}") == value
    assert (drawn(fixed("text")), drawn(size("d")), drawn(sizes("n", 1))) == ("text", 5, (7, 1))


def test_uniform_stays_between_its_bounds() -> None:
    values = drawn(uniform("n", "d", low=-2.0, high=-1.0))

    assert values.min() >= -2
    assert values.max() < -1
