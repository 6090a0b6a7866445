"""Numbers as reports write them: rounded, never NaN, the same on every machine."""

from __future__ import annotations

import math


def rounded(value: float | None, digits: int = 4) -> float | None:
    """``value`` to ``digits`` decimals; None for None, NaN and the infinities (JSON has none of them).

    >>> rounded(0.1 + 0.2), rounded(float("nan"))
    (0.3, None)
    """
    if value is None or not math.isfinite(value):
        return None
    return round(float(value), digits) + 0.0  # + 0.0: no negative zero


def significant(value: float | None) -> float | None:
    """``value`` to six significant digits, for errors that may be of any magnitude; None as in ``rounded``."""
    if value is None or not math.isfinite(value):
        return None
    return float(f"{value:.5e}") + 0.0


def points(value: float | None) -> str:
    """A score for people: at most two decimals and no needless zeros; an en dash where there is none.

    >>> points(4.0), points(2.5), points(1 / 3), points(None)
    ('4', '2.5', '0.33', '–')
    """
    if value is None or not math.isfinite(value):
        return "–"
    return f"{round(value, 2) + 0.0:.2f}".rstrip("0").rstrip(".")


def points_of(score: float | None, possible: float) -> str:
    """A score and what it is of; an en dash alone where nothing could be read that tells what it is of.

    >>> points_of(2.5, 4), points_of(None, 4), points_of(None, 0), points_of(0, 0)
    ('2.5 / 4', '– / 4', '–', '0 / 0')
    """
    return points(score) if score is None and not possible else f"{points(score)} / {points(possible)}"


def percent(part: float | None, whole: float) -> int | None:
    """``part`` of ``whole`` in whole per cent, 100 only where it is all and 0 only where it is nothing."""
    if part is None or whole <= 0:
        return None
    share = part / whole
    if 0 < share < 1:
        return min(99, max(1, round(100 * share)))
    return round(100 * share)


def number(value: float | None, digits: int = 3) -> str:
    """An element of a tensor for people: three significant digits, a true minus sign.

    >>> number(-0.123456), number(12345.0), number(float("nan"))
    ('−0.123', '1.23e4', 'nan')
    """
    if value is None:
        return "–"
    if not math.isfinite(value):
        return str(value).replace("-", "−")
    text = f"{value:.{digits}g}"
    if "e" in text:
        mantissa, exponent = text.split("e")
        text = f"{mantissa}e{int(exponent)}"
    return "0" if text == "-0" else text.replace("-", "−")
