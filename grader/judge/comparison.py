"""An actual tensor beside the expected one, in a fixed order: tensor → shape → dtype kind → finite → close.

Shape comes before value because broadcasting hides errors. The tolerance is relative to the largest expected element,
not elementwise: one entry of a sum that cancels to almost nothing carries the rounding of its large terms. Its floor
is a share of the upstream gradient's scale, since an expected gradient can be exactly zero (saturated units, softmax
over one class) while a correct float32 formulation leaves rounding there.

In float64 the tolerance is that of float32 constants in the formula: ``x / torch.sqrt(torch.tensor(3.0))`` is float64
where ``x`` is, and off by 3e-8. It is a right answer, and on some seeds only that constant is rounded at all.

``RELATIVE`` and ``FLOOR`` are set by measurement (``grader validate`` prints it again for every check). In units of the
tolerance, the largest error of a right answer of the bundled course stayed below 0.1 (sums that cancel; most are below
0.01) over 100 seeds of notebooks 01 to 05 and 12 of the others; the smallest error of a known mistake was 67 (the tanh
formula for the exact GELU), most are above 1,000. With a floor of 1e-3, right answers to ``attention_grad`` over a
single key (a gradient of exactly zero) reached 2.4.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from grader.model import Capture, Comparison

#: Allowed error by dtype, in units of the largest expected element.
RELATIVE = {torch.float64: 1e-5, torch.float32: 1e-4, torch.float16: 2e-2, torch.bfloat16: 5e-2}
#: The share of the upstream gradient's largest element that stands in for an expected tensor that is all zeros.
FLOOR = 1e-1


class Tolerance:
    """How far what came may be off, for the coarsest of ``dtypes`` and the upstream gradient of a case.

    ``factor`` is the exercise's multiplier.
    """

    def __init__(self, dtypes: Iterable[torch.dtype], upstream: Tensor | None, factor: float = 1.0) -> None:
        relative = max((RELATIVE[dtype] for dtype in dtypes if dtype in RELATIVE), default=RELATIVE[torch.float64])
        self._relative = factor * relative
        self._floor = FLOOR * (float(upstream.abs().max()) if upstream is not None and upstream.numel() else 1.0)

    def of(self, expected: Tensor) -> float:
        """The largest absolute error with which ``expected`` passes."""
        scale = float(expected.abs().max()) if expected.numel() else 0.0
        return self._relative * max(scale, self._floor)


def compare(
    actual: Capture,
    expected: Tensor,
    *,
    dtypes: tuple[torch.dtype, ...],
    upstream: Tensor | None = None,
    factor: float = 1.0,
    scalars: bool = False,
) -> Comparison:
    """Compare a capture with the expected tensor.

    ``dtypes`` are the float dtypes of the case's inputs, ``upstream`` its upstream gradient, ``factor`` the exercise's
    multiplier of the tolerance. ``scalars`` lets a plain number stand for a 0-d tensor and a list for a 1-d one.
    Integers are compared exactly. Never raises, whatever was captured.
    """
    tensor = actual.tensor
    shape = tuple(expected.shape)
    if tensor is None:
        return Comparison(
            "not_a_tensor" if actual.absence in {"not_a_tensor", "unsupported"} else "absent", None, shape
        )
    if actual.kind in {"scalar", "sequence"} and not scalars:
        return Comparison("not_a_tensor", tuple(tensor.shape), shape)
    if tuple(tensor.shape) != shape:
        return Comparison("wrong_shape", tuple(tensor.shape), shape)
    if actual.kind in {"scalar", "sequence"} and expected.is_floating_point():
        tensor = tensor.to(torch.float64)  # a plain 0 is as good as 0.0
    if tensor.is_floating_point() != expected.is_floating_point():
        return Comparison("wrong_dtype", shape, shape)
    if not expected.is_floating_point():
        return _exact(tensor, expected)
    value = tensor.to(torch.float64)
    if not bool(torch.isfinite(value).all()):
        bad = (~torch.isfinite(value)).nonzero()[0]
        worst = tuple(int(i) for i in bad)
        return Comparison("non_finite", shape, shape, None, None, worst, float(value[worst]), float(expected[worst]))
    return _close(value, expected, Tolerance((*dtypes, tensor.dtype), upstream, factor).of(expected))


def _exact(actual: Tensor, expected: Tensor) -> Comparison:
    shape = tuple(expected.shape)
    wrong = (actual.to(torch.int64) != expected.to(torch.int64)).nonzero()
    if len(wrong) == 0:
        return Comparison("close", shape, shape, 0.0, 0.0)
    worst = tuple(int(i) for i in wrong[0])
    error = float((actual.to(torch.float64) - expected.to(torch.float64)).abs().max())
    return Comparison("different", shape, shape, error, 0.0, worst, float(actual[worst]), float(expected[worst]))


def _close(actual: Tensor, expected: Tensor, tolerance: float) -> Comparison:
    shape = tuple(expected.shape)
    if expected.numel() == 0:
        return Comparison("close", shape, shape, 0.0, tolerance)
    error = (actual - expected).abs()
    flat = int(error.argmax())
    worst = _index(flat, shape)
    largest = float(error.flatten()[flat])
    return Comparison(
        "close" if largest <= tolerance else "different",
        shape,
        shape,
        largest,
        tolerance,
        worst,
        float(actual.flatten()[flat]),
        float(expected.flatten()[flat]),
    )


def _index(flat: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The index of the ``flat``-th element, row by row; ``torch.unravel_index`` takes a millisecond.

    >>> _index(5, (2, 3))
    (1, 2)
    """
    index: list[int] = []
    for size in reversed(shape):
        flat, place = divmod(flat, size)
        index.append(place)
    return tuple(reversed(index))
