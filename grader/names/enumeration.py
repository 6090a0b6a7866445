"""Names and numbers of things in a sentence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

#: How many names a sentence has where nothing asks for more.
_FEW = 4
#: Remarks of one kind on one thing, and characters of each, that are shown.
_MOST_REMARKS, _LONGEST = 5, 300


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


def few(remarks: Sequence[str]) -> tuple[str, ...]:
    """The first remarks of one kind, cut, and how many more there are, so that those of other kinds are still seen.

    >>> few([f"file {number} is a link" for number in range(9)])[-2:]
    ('file 4 is a link', '4 more remarks like this')
    """
    more = len(remarks) - _MOST_REMARKS
    shown = cut(remarks[:_MOST_REMARKS])
    return (*shown, f"{count_of(more, 'more remark')} like this") if more > 0 else shown


def cut(remarks: Iterable[str]) -> tuple[str, ...]:
    """The remarks, which name things of a student's, none longer than a reader, or a cell of a table, can take."""
    return tuple(remark if len(remark) <= _LONGEST else f"{remark[:_LONGEST]}…" for remark in remarks)
