"""A list of names in a sentence, cut where it would be too long to read."""

from __future__ import annotations

from collections.abc import Sequence


def first_of(names: Sequence[str], most: int, separator: str = ", ") -> str:
    """Return at most ``most`` of the ``names``, and how many more there are.

    >>> first_of(["ada", "alan"], 2), first_of(["ada", "alan", "grace"], 1, "; ")
    ('ada, alan', 'ada and 2 more')
    """
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return separator.join(names[:most]) + more
