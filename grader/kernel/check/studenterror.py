"""An exception of student code as data: type, message, where in which cell, which tensors met there.

Runs in the student's process; all text is theirs and is cut here.
"""

from __future__ import annotations

import builtins
import linecache
import re
from typing import Any

from grader.kernel.check import capture

_TYPE, _MESSAGE, _CODE = 200, 1000, 300
_BUILTIN = {
    cls: cls.__name__ for cls in vars(builtins).values() if isinstance(cls, type) and issubclass(cls, BaseException)
}
# "ipykernel_7.py" is the seventh request of a kernel of ours; the others are stock ipykernel's and IPython's names.
_CELL_FILE = re.compile(r"(?:ipykernel_|<ipython-input-)(\d+)(?:[/\\]\w+)?(?:\.py|-\w+>)$")
#: A name that is read: no attribute or method, no keyword of a call, none that the line is about to set.
_NAME = re.compile(r"(?<![\w.])[A-Za-z_]\w*\b(?!\s*=(?!=))")
_lines_cached = linecache.cache


def code_name(request: int) -> str:
    """The file name under which the code of the ``request``-th execute request is compiled, 0 for a check's own.

    >>> _CELL_FILE.search(code_name(7))[1]
    '7'
    """
    return f"ipykernel_{request}.py"


def described(error: BaseException) -> dict[str, Any]:
    """The parts of ``model.StudentError``, with ``request`` in place of ``cell``: which execute request's code it was.

    ``name`` is the global that a ``NameError`` missed.
    """
    try:
        message = str(error)
    except Exception:
        message = "(its message cannot be shown)"
    kind = type(error)
    name = getattr(error, "name", None) if kind is NameError else None
    found: dict[str, Any] = {
        "type": capture.name_of(kind)[:_TYPE],
        "message": message[:_MESSAGE],
        "bases": [_BUILTIN[cls] for cls in capture.mro_of(kind) if cls in _BUILTIN],
        "name": name[:_TYPE] if isinstance(name, str) else None,
        **_place(error),
    }
    return found


def remember(file: str, source: str) -> None:
    """Have the lines of ``source`` found under ``file`` when an exception is described."""
    _lines_cached[file] = (len(source), None, source.splitlines(True), file)


def _place(error: BaseException) -> dict[str, Any]:
    """Where the innermost frame of student code stood."""
    place: dict[str, Any] = {"request": None, "line": None, "code": "", "operands": []}
    trace = error.__traceback__
    depth = 0
    while trace is not None and depth < 5000:
        match = _CELL_FILE.search(trace.tb_frame.f_code.co_filename)
        if match:
            place["request"] = int(match[1])
            place["line"] = trace.tb_lineno
            inner = trace
        trace = trace.tb_next
        depth += 1
    if place["request"] is not None:
        place["code"] = _line(inner.tb_frame.f_code.co_filename, inner.tb_lineno)
        place["operands"] = _operands(place["code"], inner.tb_frame)
    elif isinstance(error, SyntaxError) and error.filename and _CELL_FILE.search(str(error.filename)):
        place["request"] = int(_CELL_FILE.search(str(error.filename))[1])  # type: ignore[index]
        place["line"] = error.lineno
        place["code"] = str(error.text or "").strip()[:_CODE]
    return place


def _line(file: str, number: int) -> str:
    entry = _lines_cached.get(file)
    lines = entry[2] if entry is not None and len(entry) == 4 else []
    return lines[number - 1].strip()[:_CODE] if 0 < number <= len(lines) else ""


def _operands(code: str, frame: Any) -> list[str]:
    """The tensors that the names in a line of code stand for, with their shapes."""
    found = []
    for name in dict.fromkeys(_NAME.findall(code)):
        value = _value_of(name, frame)
        if type(value) in capture.tensor_types:
            found.append(f"{name[:50]} {capture.shape_text(value)}")
    return found[:8]


def _value_of(name: str, frame: Any) -> Any:
    """What a name stands for; around a comprehension or a ``lambda``, a line has names that only its function knows."""
    file = frame.f_code.co_filename
    while frame is not None and frame.f_code.co_filename == file:
        code = frame.f_code
        if name in (*code.co_varnames, *code.co_cellvars, *code.co_freevars, *code.co_names):
            spaces = (frame.f_locals, frame.f_globals)
            return next((space[name] for space in spaces if name in space), None)
        frame = frame.f_back if code.co_name.startswith("<") else None
    return None
