"""A path is read without running anything of the student's."""

from __future__ import annotations

from collections import namedtuple
from typing import Any, NamedTuple

import pytest

from grader.kernel.capture import _element, absent

Pair = namedtuple("Pair", "a b")


class Typed(NamedTuple):
    a: int
    b: int


class Lying(tuple[int, ...]):
    def __getitem__(self, key: Any) -> Any:
        raise AssertionError("student code ran")

    __len__ = __iter__ = __getitem__  # type: ignore[assignment]


@pytest.mark.parametrize("value", [(1, 2), [1, 2], Pair(1, 2), Typed(1, 2), Lying((1, 2)), {0: 1, 1: 2}])
def test_element_of_a_sequence_is_found_by_the_sequence_itself(value: Any) -> None:
    assert [_element(value, key) for key in (0, 1)] == [1, 2]
    assert absent(_element(value, 2))
    assert absent(_element(value, "a"))


@pytest.mark.parametrize("value", [None, 3, "ab", b"ab", {1, 2}, range(2), object()])
def test_what_is_no_sequence_has_no_element(value: Any) -> None:
    assert absent(_element(value, 0))
