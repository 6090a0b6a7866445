"""What a check sent back, read as untrusted data: every field is checked, every text cut.

Anything that the harness would not have written makes that one case ``crashed``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast, get_args

from grader.model import Absence, Capture, CaseRun, Ending, Kind, Program, StudentError

_KINDS, _ABSENCES, _ENDINGS = get_args(Kind), get_args(Absence), get_args(Ending)
_LONGEST = 4096
_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{6,}")
#: What a cell is compiled as: a request of our kernels, or stock ipykernel's number.
_CELL_FILE = re.compile(r"\((?:ipykernel_)?\d+\.py, (?=line \d)")
#: Maps the number of an execute request to the ``Cell.index`` that it ran.
CellOf = Callable[[int], int | None]


class Forged(Exception):
    """A result that the harness did not write."""


def parsed(data: bytes, program: Program, cell_of: CellOf) -> tuple[CaseRun, str | None]:
    """The result in the bytes that the harness sent for one program, and the global name that its ``NameError`` missed.

    None in its place where it did not end so.
    """
    from grader.kernel.protocol import exchange

    try:
        tensors, outcome = exchange.decode(data)
        return case_run(program, tensors, outcome, cell_of)
    except (exchange.Malformed, Forged) as error:
        forged = StudentError("ForgedResult", f"the process that ran the check sent what is no result ({error})")
        return CaseRun(program.case, "crashed", error=forged), None


def unfinished(program: Program, ended: Ending, how: str = "", limit: str = "") -> CaseRun:
    """The result of a program whose process gave none; ``how`` it died, if it did (``"signal 11"``).

    Or the ``limit`` that it met.
    """
    error = StudentError("ProcessDied", f"the process ended during the call ({how})") if how else None
    if limit:
        error = StudentError("LimitMet", limit)
    return CaseRun(program.case, ended, error=error)


def case_run(
    program: Program, tensors: dict[str, Any], outcome: dict[str, Any], cell_of: CellOf
) -> tuple[CaseRun, str | None]:
    """The result that ``ProgramRun.run`` gave as ``(tensors, outcome)``; raises ``Forged`` where it cannot have."""
    ended = outcome.get("ended")
    if ended not in _ENDINGS:
        raise Forged("an unknown ending")
    if ended == "not_defined":
        missing = ", ".join(_texts(outcome.get("missing"), 100))
        return CaseRun(program.case, "not_defined", error=StudentError("NameError", f"not defined: {missing}")), None
    raw = outcome.get("error")
    error = None if raw is None else _error(raw, cell_of)
    sent = _object(outcome.get("errors"))
    case = CaseRun(
        case=program.case,
        ended=cast(Ending, ended),
        captures=_captures(program, tensors, _object(outcome.get("captures"))),
        inputs={name: tensors[f"i:{name}"] for name in program.tensors if f"i:{name}" in tensors},
        errors={
            name: _error(sent[name], cell_of) if sent.get(name) else None for name in program.raises if name in sent
        },
        extras={name[2:][:100]: tensor for name, tensor in list(tensors.items())[:200] if name.startswith("x:")},
        error=error,
        autograd=None if outcome.get("autograd") is None else _text(outcome["autograd"], 100),
        printed=_text(outcome.get("printed"), _LONGEST),
    )
    name = _object(raw).get("name") if error is not None else None
    return case, name if isinstance(name, str) else None


def _captures(program: Program, tensors: Mapping[str, Any], sent: Mapping[str, Any]) -> dict[str, Capture]:
    captures: dict[str, Capture] = {}
    for path in program.reads:
        entry = sent.get(path)
        if not isinstance(entry, list) or len(entry) != 3:
            raise Forged("a capture that is none")
        kind, absence, detail = entry
        tensor = tensors.get(f"c:{path}")
        if tensor is not None and kind in _KINDS:
            captures[path] = Capture(tensor, kind=kind)
        elif tensor is None and absence in _ABSENCES:
            captures[path] = Capture(absence=absence, detail=_text(detail, 100))
        else:
            raise Forged("a capture of an unknown kind")
    return captures


def _error(value: Any, cell_of: CellOf) -> StudentError:
    sent = _object(value)
    request, line = sent.get("request"), sent.get("line")
    cell = cell_of(request) if type(request) is int else None
    return StudentError(
        type=_text(sent.get("type"), 200),
        message=steady(_text(sent.get("message"), 1000)),
        bases=tuple(_texts(sent.get("bases"), 100)),
        cell=cell,
        line=line if cell is not None and type(line) is int and 0 < line < 10**6 else None,
        code=_text(sent.get("code"), 300) if cell is not None else "",
        operands=tuple(_texts(sent.get("operands"), 200)),
    )


def raised(name: str, message: str) -> str:
    r"""What a cell raised, on one line and cut.

    >>> raised("ValueError", "no\n  such shape"), raised("NotImplementedError", "")
    ('ValueError: no such shape', 'NotImplementedError')
    >>> raised("StdinNotImplementedError", "raw_input was called, but this frontend does not support input requests.")
    'StdinNotImplementedError: nobody answers input() here'
    """
    if name == "StdinNotImplementedError":  # whose words are for those who write frontends
        message = "nobody answers input() here"
    return " ".join((f"{name}: {message}" if message else name).split())[:300]


def steady(text: str) -> str:
    """``text`` without memory addresses, which differ from run to run, and without our names around a student's code.

    These are of the function around a call, and of the file that a cell is compiled as.

    >>> steady("<Net object at 0x7f21c0a81d90>")
    '<Net object at 0x…>'
    >>> steady("__case__.<locals>.Product.bwd() missing 1 required positional argument")
    'Product.bwd() missing 1 required positional argument'
    >>> steady("invalid syntax (ipykernel_10.py, line 12)")
    'invalid syntax (line 12)'
    """
    return _CELL_FILE.sub("(", _ADDRESS.sub("0x…", text).replace("__case__.<locals>.", ""))


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Forged("not an object")
    return value


def _text(value: Any, longest: int) -> str:
    if not isinstance(value, str):
        raise Forged("not a text")
    return value[:longest].encode("utf-8", "replace").decode()


def _texts(value: Any, longest: int) -> Sequence[str]:
    if not isinstance(value, list):
        raise Forged("not a list")
    return [_text(element, longest) for element in value[:20]]
