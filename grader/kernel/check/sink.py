"""The standard output of a check's call: keeps the beginning for the report, and refuses more than its limit."""

from __future__ import annotations

import io

#: Characters that are kept.
_PRINTED = 4096


class OutputLimitExceeded(Exception):
    """A call printed more than it may."""


class Sink(io.TextIOBase):
    """A stdout that keeps the first characters and refuses more than ``limit``."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.kept: list[str] = []
        self.count = 0

    def writable(self) -> bool:
        """Always."""
        return True

    def write(self, text: str) -> int:
        """Keep the beginning; raises ``OutputLimitExceeded`` beyond the limit."""
        if self.count < _PRINTED:
            self.kept.append(text[: _PRINTED - self.count])
        self.count += len(text)
        if self.count > self.limit:
            raise OutputLimitExceeded(f"more than {self.limit} characters printed")
        return len(text)
