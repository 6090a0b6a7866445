"""Order of the comparison and its tolerance."""

from __future__ import annotations

import pytest
import torch

from grader.judge.comparison import FLOOR, RELATIVE, Tolerance, compare
from grader.model import Capture

EXPECTED = torch.tensor([[1.0, -2.0, 3.0]], dtype=torch.float64)


def verdict(actual, expected=EXPECTED, **options):
    held = actual if isinstance(actual, Capture) else Capture(actual)
    return compare(held, expected, dtypes=(torch.float32,), **options).verdict


@pytest.mark.parametrize(
    ("actual", "expected"),
    [
        (Capture(absence="missing"), "absent"),
        (Capture(absence="none"), "absent"),
        (Capture(absence="untouched"), "absent"),
        (Capture(absence="not_a_tensor"), "not_a_tensor"),
        (Capture(absence="unsupported"), "not_a_tensor"),
        (Capture(EXPECTED, kind="scalar"), "not_a_tensor"),
        (Capture(EXPECTED, kind="sequence"), "not_a_tensor"),
        (EXPECTED.T, "wrong_shape"),
        (EXPECTED[0], "wrong_shape"),
        (torch.full_like(EXPECTED.T, float("nan")), "wrong_shape"),
        (EXPECTED.long(), "wrong_dtype"),
        (EXPECTED > 0, "wrong_dtype"),
        (EXPECTED * float("nan"), "non_finite"),
        (torch.full_like(EXPECTED, float("inf")), "non_finite"),
        (EXPECTED + 1, "different"),
        (EXPECTED.float(), "close"),
        (EXPECTED, "close"),
        (EXPECTED.half(), "close"),
    ],
)
def test_verdicts_in_their_order(actual, expected):
    assert verdict(actual) == expected


def test_worst_of_what_is_not_finite_is_the_first_that_is_not():
    actual = EXPECTED.clone()
    actual[0, 1:] = -float("inf")
    found = compare(Capture(actual), EXPECTED, dtypes=(torch.float32,))
    assert (found.worst, found.worst_actual, found.worst_expected) == ((0, 1), -float("inf"), -2.0)


@pytest.mark.parametrize("dtype", list(RELATIVE), ids=str)
def test_tolerance_is_relative_to_the_largest_element(dtype):
    tolerance = Tolerance((dtype,), None)
    assert tolerance.of(EXPECTED) == pytest.approx(3 * RELATIVE[dtype])
    assert tolerance.of(EXPECTED * 1000) == pytest.approx(3000 * RELATIVE[dtype])


@pytest.mark.parametrize(
    ("dtype", "allowed"),
    [(torch.float64, 1e-5), (torch.float32, 1e-4), (torch.float16, 2e-2), (torch.bfloat16, 5e-2)],
    ids=str,
)
@pytest.mark.parametrize("factor", [1.0, 3.0])
def test_error_at_the_edge_of_the_tolerance(dtype, allowed, factor):
    """The figures are written again: one that slips by a digit decides on answers that no other test tries."""
    options = {} if factor == 1 else {"factor": factor}
    for share, expected in ((0.95, "close"), (1.05, "different")):
        actual = EXPECTED.clone()
        actual[0, 0] += share * factor * allowed * 3
        assert compare(Capture(actual), EXPECTED, dtypes=(dtype,), **options).verdict == expected


@pytest.mark.parametrize(("upstream", "floor"), [(None, 0.1), (torch.ones(0), 0.1), (torch.tensor([-8.0]), 0.8)])
def test_error_at_the_edge_of_the_tolerance_of_zeros(upstream, floor):
    for share, expected in ((0.95, "close"), (1.05, "different")):
        actual = torch.full((2,), share * floor * 1e-5, dtype=torch.float64)
        assert compare(Capture(actual), actual * 0, dtypes=(), upstream=upstream).verdict == expected


def test_tolerance_of_zeros_comes_from_the_upstream_gradient():
    upstream = torch.tensor([8.0])
    tolerance = Tolerance((torch.float32,), upstream)
    assert tolerance.of(EXPECTED * 0) == pytest.approx(RELATIVE[torch.float32] * FLOOR * 8)


def test_coarser_dtype_of_the_answer_counts():
    nudged = (EXPECTED * (1 + 5e-5)).float()
    assert compare(Capture(nudged), EXPECTED, dtypes=(torch.float64,)).verdict == "close"
    assert compare(Capture(nudged.double()), EXPECTED, dtypes=(torch.float64,)).verdict == "different"


def test_constant_in_float32_is_no_mistake_in_float64():
    """``x / torch.sqrt(torch.tensor(3.0))`` is float64 for a float64 ``x``, and rounded like float32."""
    rounded = EXPECTED.double() / torch.sqrt(torch.tensor(3.0))
    assert compare(Capture(rounded), EXPECTED.double() / 3**0.5, dtypes=(torch.float64,)).verdict == "close"


def test_worst_element_is_a_true_offender():
    actual = EXPECTED.clone()
    actual[0, 1] = 5
    found = compare(Capture(actual), EXPECTED, dtypes=(torch.float64,))
    assert (found.worst, found.worst_actual, found.worst_expected, found.max_abs_error) == ((0, 1), 5.0, -2.0, 7.0)


def test_first_entry_that_is_not_finite_is_named():
    actual = EXPECTED.clone()
    actual[0, 2] = float("nan")
    assert compare(Capture(actual), EXPECTED, dtypes=()).worst == (0, 2)


def test_integers_are_compared_exactly():
    numbers = torch.tensor([1, 2, 3])
    assert verdict(numbers, numbers) == "close"
    assert verdict(numbers + 1, numbers) == "different"
    assert verdict(numbers.double(), numbers) == "wrong_dtype"
    assert verdict(numbers + 10**9 - 1, numbers + 10**9) == "different"
    assert verdict(numbers + 2**32, numbers) == "different"
    found = compare(Capture(torch.tensor([1, 4, -4])), numbers, dtypes=())
    assert (found.worst, found.worst_actual, found.worst_expected, found.max_abs_error) == ((1,), 4.0, 2.0, 7.0)
    assert compare(Capture(numbers), numbers, dtypes=()).max_abs_error == 0


@pytest.mark.parametrize("size", [(0,), (3, 0), ()])
def test_empty_and_single_tensors_compare(size):
    value = torch.ones(size, dtype=torch.float64)
    assert verdict(value, value) == "close"


def test_numbers_and_lists_pass_where_they_may():
    loss = torch.tensor(2.5, dtype=torch.float64)
    assert verdict(Capture(loss, kind="scalar"), loss, scalars=True) == "close"
    assert verdict(Capture(loss, kind="scalar"), loss) == "not_a_tensor"


@pytest.mark.parametrize("kind", ["scalar", "sequence"])
def test_whole_number_passes_for_a_float_where_numbers_may_and_no_float_for_a_whole_number(kind):
    whole = torch.tensor(3)
    assert verdict(Capture(whole, kind=kind), whole.double(), scalars=True) == "close"
    assert verdict(Capture(whole, kind=kind), whole, scalars=True) == "close"
    assert verdict(Capture(whole.double(), kind=kind), whole, scalars=True) == "wrong_dtype"
    assert verdict(whole, whole.double(), scalars=True) == "wrong_dtype"
