"""What the grader and its own processes in the sandbox tell one another, as types: JSON objects over ``wire``.

========================  =======================================================================================
pool → job server         ``JobTold``, with the descriptor of the job's socket
grader → job's init       ``{"do": order, …}``: ``file``, ``kernel``, ``interrupt``, ``kill``, ``check``, ``thaw``
job's init → grader       ``{"event": …}``: ``ready``, ``failed``, ``died``, ``waited``, ``checked``
job's init → zygote       ``JobTold``, with descriptors for the kernel (``zygote.ask``)
zygote → job's init       ``{"kernel": number}`` or ``{"failed": why}``, and at its end ``{"status": wait status}``
kernel, check → init      ``{"event": …}``, of which nothing is believed that is not looked at
========================  =======================================================================================

Only what trusted processes say has a type here. What a kernel or a check says comes from a student's process: it stays
a ``dict`` whose every value is tested where it is read (``jobinit``, ``checkrun``).
"""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict


class JobTold(TypedDict):
    """What the zygote and a job's init have to know of a job.

    ``texts`` is gone once the zygote has compiled them, and ``mapped`` is there from then on: the bytes that its memory
    had before anything of the job's ran. ``limits`` are the fields of ``model.Limits``.
    """

    warm: list[str]
    texts: NotRequired[list[Any]]
    sandbox: str
    folder: str
    temporary: str
    limits: dict[str, Any]
    environment: dict[str, str]
    read: list[str]
    write: list[str]
    mapped: NotRequired[int]


class CheckTold(TypedDict):
    """What a job's init is told of one check; ``programs`` is how many of the descriptors beside it are its inputs."""

    seconds: float
    needs: list[str]
    autograd: bool
    printed: int
    cell: int
    programs: int


class ProgramDone(TypedDict):
    """A program that ran to its end, and the place of its result in the slate."""

    ended: Literal["done"]
    at: int
    length: int


#: How a program ends that does not come to its end.
Lost = Literal["crashed", "timed_out", "memory_exceeded", "output_exceeded"]


class ProgramLost(TypedDict):
    """A program that did not, and what the system says of how: ``how`` is empty where it says nothing."""

    ended: Lost
    how: str


ProgramTold = ProgramDone | ProgramLost
