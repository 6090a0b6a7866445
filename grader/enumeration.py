"""Names and numbers of things in a sentence."""

from __future__ import annotations

from collections.abc import Sequence

#: How many names a sentence has where nothing asks for more.
_FEW = 4


def count_of(number: int, noun: str) -> str:
    """How many there are.

    >>> count_of(1, "student"), count_of(2, "student")
    ('1 student', '2 students')
    """
    return f"{number} {noun}{'s' * (number != 1)}"


def first_of(names: Sequence[str], most: int = _FEW, separator: str = ", ") -> str:
    """At most ``most`` of the ``names``, and how many more there are.

    >>> first_of(["ada", "alan"], 2), first_of(["ada", "alan", "grace"], 1, "; ")
    ('ada, alan', 'ada and 2 more')
    """
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return separator.join(names[:most]) + more
