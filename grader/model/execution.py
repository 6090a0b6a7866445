"""What is run of a submission, within which limits, and what came back: untrusted wherever it is a student's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from grader.model.course import Constant
from grader.model.submission import Assets, Cell

if TYPE_CHECKING:
    from torch import Tensor


#: What confines student code, best first.
Sandbox = Literal["bwrap", "landlock", "none"]
#: Begins ``CaseRun.autograd`` where nobody can know whether autograd was used.
UNSEEN = "unseen: "


@dataclass(frozen=True, slots=True)
class Limits:
    """What a submission may use. Seconds are wall-clock, sizes bytes.

    ``cell_s``, ``check_s`` and ``submission_s`` are for a cell, the check of an exercise, and all together. ``memory``,
    ``processes`` and what is ``written`` count for all that a submission runs, ``open_files`` for each process.
    ``printed`` is for a cell. ``result`` bounds the tensors that a check gives back, which the grader has to hold.
    """

    cell_s: float = 30.0
    check_s: float = 10.0
    submission_s: float = 300.0
    memory: int = 4 * 1024**3
    processes: int = 64
    open_files: int = 1024
    written: int = 256 * 1024**2
    printed: int = 1024**2
    result: int = 64 * 1024**2


@dataclass(frozen=True, slots=True)
class Program:
    """One case of one exercise, as the student's process sees it: what to bind, what to run, what to read.

    ``call`` is Python source, run as the body of a function whose globals are the notebook's namespace and whose
    parameters are the inputs, so that a stub which uses a global in place of its argument does not find it. The value
    of a last expression statement is bound to ``result``. ``tensors`` maps a name (``"inp"``) or an attribute of one
    (``"out.g"``) to its value; ``constants`` are bound as they are. Names in ``globals`` are bound in the notebook's
    namespace instead. Each path in ``poison`` (``"inp.g"``) is preset to a tensor full of NaN of the owner's shape.
    ``reads`` are the paths captured afterwards: a name, then attributes, ``[0]`` and ``['key']``. ``raises`` are
    expressions evaluated after the call, each for the exception it raises. With ``numpy`` the inputs are handed over
    as NumPy arrays. With ``rerun`` the student's own cell is executed in the notebook's namespace in place of
    ``call``, after the names read have been deleted from it.
    """

    case: str
    call: str
    tensors: Mapping[str, Tensor]
    constants: Mapping[str, Constant] = field(default_factory=dict)
    globals: tuple[str, ...] = ()
    poison: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    raises: tuple[str, ...] = ()
    numpy: bool = False
    rerun: bool = False


@dataclass(frozen=True, slots=True)
class Check:
    """One exercise to be checked after a cell.

    ``needs`` are the names the student must have defined. ``source`` is the student's cell, for ``Program.rerun``.
    ``autograd`` tells whether autograd is allowed. ``time_limit`` (seconds for all programs) overrides
    ``Limits.check_s``.
    """

    exercise: str
    cell: int
    needs: tuple[str, ...]
    programs: tuple[Program, ...]
    autograd: bool = False
    source: str | None = None
    time_limit: float | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """What ``grader.kernel`` runs for one submission: its code cells in order, and the checks after them.

    ``assets`` are the files that its kernel finds; of one name, the first counts.
    """

    name: str
    cells: tuple[Cell, ...]
    checks: tuple[Check, ...]
    assets: tuple[Assets, ...] = ()


#: How a case ended in the student's process.
Ending = Literal[
    "returned",  # the call came back; captures tell the rest
    "raised",  # an exception of the student's; NotImplementedError too
    "not_defined",  # a name in ``Check.needs`` is not there
    "timed_out",
    "crashed",  # the process died: signal, os._exit, forged result; or it met a limit of open files or processes
    "memory_exceeded",
    "output_exceeded",  # more printed, written or returned than the limits allow
]

#: What a capture holds, seen by the harness: ``parameter`` is an ``nn.Parameter`` that its module has registered.
Kind = Literal["tensor", "parameter", "ndarray", "scalar", "sequence"]

#: Why an expression has no tensor: the name or attribute is absent; it is None; it is the poison, untouched; it is
#: something else (``detail`` names the type); its dtype cannot be carried (``detail`` names it).
Absence = Literal["missing", "none", "untouched", "not_a_tensor", "unsupported"]


@dataclass(frozen=True, slots=True)
class Capture:
    """One expression of one case: a tensor, or why there is none."""

    tensor: Tensor | None = None
    kind: Kind = "tensor"
    absence: Absence | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class StudentError:
    """An exception in student code. All text is the student's: untrusted, bounded, to be escaped.

    ``bases`` are the names of the *builtin* exception classes it derives from, most derived first. ``line`` is 1-based
    in the student's own cell ``cell``, with ``code`` that line's text; None where no frame of theirs is in it.
    ``operands`` describes the tensors that met on that line (``"inp (7, 5)"``).
    """

    type: str
    message: str
    bases: tuple[str, ...] = ()
    cell: int | None = None
    line: int | None = None
    code: str = ""
    operands: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CaseRun:
    """What came back of one ``Program``.

    ``captures`` maps each path of ``Program.reads``; ``inputs`` each tensor of ``Program.tensors`` to its value after
    the call (a name that is absent was not carried back); ``errors`` maps each expression of ``Program.raises`` to the
    exception it raised or None. ``extras`` are tensors found under other names, for the diagnosis only:
    ``"result"``, ``"w.grad"``, ``"layer.b"``, the name of a new global. ``autograd`` names the entry point of autograd
    that was called, or says behind ``UNSEEN`` why nobody can know, or is None. ``printed`` is the (cut) text that
    the call wrote to stdout.
    """

    case: str
    ended: Ending
    captures: Mapping[str, Capture] = field(default_factory=dict)
    inputs: Mapping[str, Tensor] = field(default_factory=dict)
    errors: Mapping[str, StudentError | None] = field(default_factory=dict)
    extras: Mapping[str, Tensor] = field(default_factory=dict)
    error: StudentError | None = None
    autograd: str | None = None
    printed: str = ""


@dataclass(frozen=True, slots=True)
class CellFailure:
    """A cell that did not end well. ``error`` is one line for the report, ``"NameError: name 'x' is not defined"``."""

    cell: int
    error: str
    ended: Literal["raised", "timed_out", "crashed", "memory_exceeded", "output_exceeded"] = "raised"


@dataclass(frozen=True, slots=True)
class Execution:
    """What running one submission gave.

    ``ended`` is ``finished`` when every cell was run or skipped for a reason of its own; ``timed_out`` when the time
    of the submission was up, ``crashed`` when the kernel could not be kept alive; checks made before then are kept in
    ``checks`` (exercise → one ``CaseRun`` per program; an exercise whose check was never reached is absent).
    ``outputs`` is the text printed by each cell (cut), by ``Cell.index``; ``seconds`` is the time that all took.
    ``again`` are exercises of which a check missed what a later cell defines, each with the names: it must run behind
    all cells in a fresh job, and on other numbers, for the cells of this one may have kept theirs.
    ``time_left`` is how many seconds the submission then has, by the clock of its limit, which a busy machine stops.
    """

    ended: Literal["finished", "timed_out", "crashed"]
    checks: Mapping[str, tuple[CaseRun, ...]] = field(default_factory=dict)
    failures: tuple[CellFailure, ...] = ()
    outputs: Mapping[int, str] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    seconds: float = 0.0
    again: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    time_left: float = 0.0
