"""What the grader and its own processes in the sandbox tell one another, as types: JSON objects over ``wire``.

========================  =======================================================================================
pool → job server         ``JobSpec``, with the descriptor of the job's socket
grader → job's init       an ``Order``
job's init → grader       an ``InitEvent``
job's init → zygote       ``JobSpec``, with descriptors for the kernel (``zygote.request_kernel``)
zygote → job's init       ``{"kernel": number}`` or ``{"failed": why}``, and at its end ``{"status": wait status}``
kernel, check → init      ``{"event": …}``, of which nothing is believed that is not looked at
========================  =======================================================================================

Only what trusted processes say has a type here. What a kernel or a check says comes from a student's process: it stays
a ``dict`` whose every value is tested where it is read (``jobinit``, ``checkfork``, ``checkrun``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NotRequired, TypedDict

if TYPE_CHECKING:
    from grader.model import Sandbox


class JobSpec(TypedDict):
    """What the zygote and a job's init have to know of a job.

    ``texts`` is gone once the zygote has compiled them, and ``mapped`` is there from then on: the bytes that its memory
    had before anything of the job's ran. ``limits`` are the fields of ``model.Limits``, ``hidden`` files and folders
    in those of ``read`` that are not to be read.
    """

    warm: list[str]
    texts: NotRequired[list[Any]]
    sandbox: Sandbox
    folder: str
    temporary: str
    limits: dict[str, Any]
    environment: dict[str, str]
    read: list[str]
    write: list[str]
    hidden: list[str]
    mapped: NotRequired[int]


class CheckSpec(TypedDict):
    """What a job's init is told of one check; ``programs`` is how many of the descriptors beside it are its inputs."""

    seconds: float
    needs: list[str]
    autograd: bool
    printed: int
    cell: int
    programs: int


class ProgramDone(TypedDict):
    """A program that ran to its end, and the place of its result in the result file."""

    ended: Literal["done"]
    at: int
    length: int


#: What a check is told to have called that ran into a trap; and why nobody can know, behind what says so: the
#: ``model``'s ``UNSEEN``, which the student's process does not import.
ENGINE = "the autograd engine"
_UNSEEN = "unseen: "
TAMPERING = f"{_UNSEEN}what watches for it was set aside, as by `torch.compile` or a mode of torch's"
HIDING = f"{_UNSEEN}a process does not let itself be looked into"
THREAD = f"{_UNSEEN}a thread runs since before the check"

#: How a program ends that does not come to its end; ``trapped`` is one that used autograd where it may not (``traps``).
Lost = Literal["crashed", "timed_out", "memory_exceeded", "output_exceeded", "trapped"]


class ProgramLost(TypedDict):
    """A program that did not, and what the system, or a trap, says of how: ``how`` is empty where it says nothing.

    ``limit`` is the one that the job met, where that was it.
    """

    ended: Lost
    how: str
    limit: NotRequired[str]


class ProgramUnasked(TypedDict):
    """A program whose inputs nobody was given, for the kernel is gone."""

    ended: Literal["unasked"]


ProgramEnd = ProgramDone | ProgramLost | ProgramUnasked


class FileOrder(TypedDict):
    """Copy the file behind the descriptor to ``path`` in the job folder."""

    do: Literal["file"]
    path: str
    executable: bool


class KernelOrder(TypedDict):
    """Make a kernel that listens on the two sockets beside this; interrupt it; let all go on that a check stopped.

    Or ``look`` now whether the job is within its limits and outlives a fork, or ``empty`` what the last kernel could
    write to.
    """

    do: Literal["kernel", "interrupt", "thaw", "look", "empty"]


class KillOrder(TypedDict):
    """Kill the kernel; its death is told with ``why`` as the limit."""

    do: Literal["kill"]
    why: Literal["seconds", "messages"]


class CheckOrder(TypedDict):
    """Run checks; the descriptors are the result file, and for each its cell's source and a file a program."""

    do: Literal["check"]
    checks: list[CheckSpec]


Order = FileOrder | KernelOrder | KillOrder | CheckOrder


class UpEvent(TypedDict):
    """The kernel is up, or is not, and what it says of that."""

    event: Literal["ready", "failed"]
    text: str


class DiedEvent(TypedDict):
    """The kernel died: the signal or exit code, and the limit that it was killed for, if one."""

    event: Literal["died"]
    how: str
    limit: str | None


class LookedEvent(TypedDict):
    """The job is within its limits; where it is not, the kernel's death is told."""

    event: Literal["looked"]


class WaitedEvent(TypedDict):
    """The job waited for a processor so long, beyond what was told before."""

    event: Literal["waited"]
    seconds: float


class CheckedEvent(TypedDict):
    """How each program of the checks ended, in order."""

    event: Literal["checked"]
    runs: list[ProgramEnd]


class UncopiedEvent(TypedDict):
    """A file could not be copied into the job folder: its path there, and the number of the system's error."""

    event: Literal["uncopied"]
    path: str
    errno: int


InitEvent = UncopiedEvent | UpEvent | DiedEvent | WaitedEvent | CheckedEvent | LookedEvent
