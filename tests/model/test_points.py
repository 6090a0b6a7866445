from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from grader.course import exercise, normal
from grader.model import Exercise, total


def test_total_is_rounded_as_a_score_is() -> None:
    assert (total([1 / 3, 1 / 3]), total([0.1] * 3)) == (0.6667, 0.3)


@given(st.lists(st.floats(0, 100)))
def test_total_does_not_depend_on_the_order(values: list[float]) -> None:
    assert total(values) == total(reversed(values))


def test_exercise_of_three_tenths_is_worth_what_an_instructor_reads() -> None:
    @exercise(
        call="f(a, b, c)",
        inputs={name: normal("n") for name in "abc"},
        points={f"{name}.g": 0.1 for name in "abc"},
        notebook="tenths",
    )
    def f(a, b, c):
        """Sum of three."""
        return a + b + c

    assert isinstance(f, Exercise)
    assert f.possible == 0.3
