"""Exceptions for a job that ends before its time, and the words for how a process ended."""

from __future__ import annotations

import os

#: Seconds that a job's init has beyond the time of what it was asked for; then it is taken for lost.
SLACK_S = 15.0


class JobLost(Exception):
    """The job's init or the zygote died: nothing that the submission is to blame for."""


class Died(Exception):
    """The kernel died. ``limit`` names the limit that it was killed for, if one."""

    def __init__(self, how: str, limit: str | None) -> None:
        super().__init__(how)
        self.how = how
        self.limit = limit


class ForgedMessage(Exception):
    """A kernel sent what no honest one sends, which is the end of it."""


def how_it_ended(status: int) -> str:
    """How a process ended, by its wait status: ``"signal 9"``, ``"exit code 1"``."""
    return f"signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else f"exit code {os.WEXITSTATUS(status)}"
