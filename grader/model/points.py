"""How points are added up, wherever that is done."""

from __future__ import annotations

import math
from collections.abc import Iterable


def total(values: Iterable[float]) -> float:
    """The sum to four decimals, so that it depends neither on the order nor on how a computer writes a tenth.

    >>> total([0.1] * 10), total([1 / 3] * 3)
    (1.0, 1.0)
    """
    return round(math.fsum(values), 4)
