"""Exceptions for a job that ends before its time, and what is told of a process or a call that met a limit."""

from __future__ import annotations

import errno
import os
from typing import Literal

#: Seconds that a job's init has beyond the time of what it was asked for; then it is taken for lost.
SLACK_S = 15.0
#: The limit that an error of the system tells of: a process may open or write no more, or a check make no process.
_LIMITS = {errno.EMFILE: "open files", errno.EFBIG: "bytes written", errno.EAGAIN: "processes"}
#: What to do where the grader's own processes die.
REMEDY = (
    "see whether this machine or container is short of memory, of processes or of room in its temporary folder, and "
    "what `grader doctor` finds"
)


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


def limit_told(number: int | None, *, private: bool) -> str | None:
    """The limit that a call met which failed with this ``errno``, if it is one of the job's.

    A full disk is only where the job has one of its own, ``private``; else it is the machine's.
    """
    return "bytes written" if private and number == errno.ENOSPC else _LIMITS.get(number or 0)


def ending_at(limit: str) -> Literal["memory_exceeded", "output_exceeded", "crashed"]:
    """How what met a limit ended."""
    if limit == "memory":
        return "memory_exceeded"
    return "output_exceeded" if limit == "bytes written" else "crashed"
