"""A path is read without running anything of the student's."""

from __future__ import annotations

from array import array
from collections import deque, namedtuple
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy
import pytest
import torch

from grader.kernel.check.capture import _element, absent, captured

Pair = namedtuple("Pair", "a b")


class Typed(NamedTuple):
    a: int
    b: int


class Lying(tuple[int, ...]):
    def __getitem__(self, key: Any) -> Any:
        raise AssertionError("student code ran")

    __len__ = __iter__ = __getitem__  # type: ignore[assignment]


class LyingScalar(numpy.float64):
    def item(self, *_: Any) -> Any:
        raise AssertionError("student code ran")

    ndim = dtype = property(item)


@pytest.mark.parametrize("value", [(1, 2), [1, 2], Pair(1, 2), Typed(1, 2), Lying((1, 2)), {0: 1, 1: 2}])
def test_element_of_a_sequence_is_found_by_the_sequence_itself(value: Any) -> None:
    assert [_element(value, key) for key in (0, 1)] == [1, 2]
    assert absent(_element(value, 2))
    assert absent(_element(value, "a"))


@pytest.mark.parametrize("value", [None, 3, "ab", b"ab", {1, 2}, range(2), object()])
def test_what_is_no_sequence_has_no_element(value: Any) -> None:
    assert absent(_element(value, 0))


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(
    ("made", "told"),
    [
        (lambda: torch.zeros(2).to_sparse(), "torch.sparse_coo"),
        (lambda: torch.zeros(2, device="meta"), "meta"),
        (lambda: torch.zeros(2, dtype=torch.complex64), "complex64"),
        (lambda: torch.quantize_per_tensor(torch.zeros(2), 0.1, 0, torch.qint8), "qint8"),
        (lambda: torch.zeros([1] * 17), "a shape of 17 axes"),
        (lambda: torch.zeros(0, 2**25), f"a shape of no entry that is {2**25} but for its axes of 0"),
        (lambda: torch.nested.nested_tensor([torch.zeros(2), torch.zeros(3)]), "nested"),
    ],
)
def test_tensor_that_cannot_travel_says_what_it_is(made: Callable[[], torch.Tensor], told: str) -> None:
    assert captured(made()) == (None, "unsupported", told)


def test_array_of_a_shape_that_no_result_has_says_so() -> None:
    assert captured(numpy.zeros([1] * 17)) == (None, "unsupported", "a shape of 17 axes")


@pytest.mark.parametrize("made", [list, tuple, deque, lambda numbers: array("d", numbers)])
def test_sequence_of_numbers_is_read_whatever_keeps_it(made: Callable[[list[float]], Any]) -> None:
    tensor, kind, _ = captured(made([0.5, 0.25]))
    assert (tensor.tolist(), kind) == ([0.5, 0.25], "sequence")


def test_number_of_a_class_made_from_numpys_is_read_by_numpys_own() -> None:
    tensor, kind, _ = captured(LyingScalar(3.0))
    assert (tensor.item(), kind) == (3.0, "scalar")


def test_subclass_of_what_is_compared_is_told_as_one() -> None:
    class Grad(torch.Tensor):
        pass

    masked = numpy.ma.masked_array([1.0])
    assert captured(torch.zeros(2).as_subclass(Grad)) == (None, "not_a_tensor", "Grad (a subclass of Tensor)")
    assert captured(masked) == (None, "not_a_tensor", "MaskedArray (a subclass of ndarray)")
