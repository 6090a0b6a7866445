"""A bounded cache, for work that is done over and over on equal things."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Generic, TypeVar

#: Characters of source for which a function keeps its results: those of a class's cells, which are much alike.
SOURCE_KEPT = 2**20

Key = TypeVar("Key")
Value = TypeVar("Value")


class Recent(Generic[Key, Value]):
    """A table that forgets its oldest entries when all together weigh more than ``budget``; the newest stays."""

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._weight = 0
        self._entries: dict[Key, tuple[int, Value]] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: Key) -> Value | None:
        """What is kept under ``key``, or None."""
        entry = self._entries.get(key)
        return None if entry is None else entry[1]

    def keep(self, key: Key, value: Value, weight: int = 1) -> None:
        """Keep ``value``, which weighs ``weight``, under ``key``."""
        self._weight += weight - self._entries.pop(key, (0, None))[0]
        while self._entries and self._weight > self._budget:
            self._weight -= self._entries.pop(next(iter(self._entries)))[0]
        self._entries[key] = weight, value


def by_source(function: Callable[[str], Value]) -> Callable[[str], Value]:
    """Have a function of one source text keep its results, for ``SOURCE_KEPT`` characters of source in all."""
    known: Recent[str, tuple[Value]] = Recent(SOURCE_KEPT)

    @wraps(function)
    def asked(source: str) -> Value:
        kept = known.get(source)
        if kept is None:
            kept = (function(source),)
            known.keep(source, kept, len(source))
        return kept[0]

    return asked
