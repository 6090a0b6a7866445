"""What a student's notebook or shell holds: which answers are there, and the source of each."""

from __future__ import annotations

import difflib
import inspect
import linecache
import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FunctionType
from typing import Any

from grader.cell_code import is_stub
from grader.model import Exercise, Stub
from grader.seeded_course import SeededCourse
from grader.submission.reading.definitions import definitions_in

#: A notebook's cells are not numbered inside it: the number that stands for "yours".
YOURS = 0
#: How alike two names are of which one is a slip of the pen.
_NEAR = 0.8


@dataclass(frozen=True)
class Session:
    """A student's notebook or shell, and the course that it is checked by.

    ``namespace`` has what their code defined, ``shell`` is IPython's, which keeps what was run; None in plain Python.
    """

    seeded: SeededCourse
    namespace: dict[str, Any]
    shell: Any


def shell_here() -> Any:
    """IPython's shell, where this runs in one."""
    ipython = sys.modules.get("IPython")
    return None if ipython is None else ipython.get_ipython()


def missing(exercise: Exercise, session: Session) -> str:
    """What has to be run before the exercise can be checked, in a sentence; empty where all is there."""
    if exercise.rerun:
        if _cell_source(exercise, session):
            return ""
        names = ", ".join(_assigned_by(exercise))
        return f"No cell that you have run assigns {names} yet: run the one that does, then check again."
    for name in exercise.needs:
        if name not in session.namespace:
            return f"{name} is not defined yet: run the cell that defines it, then check again."
        module = _origin(session.namespace[name], session)
        if module and not _is_beside(module):
            return f"{name} is not defined yet (the one here is from {module}): run the cell that defines yours."
    return ""


def _origin(value: Any, session: Session) -> str:
    """The module that a function or a class was imported from; empty for one of the notebook, and for other objects."""
    home = session.namespace.get("__name__")
    made = isinstance(value, type) or (
        inspect.isroutine(value) and not isinstance(value, partial)
    )  # one is, from 3.14 on
    module = getattr(value, "__module__", home) if made else home
    return "" if module == home else str(module)


def _is_beside(module: str) -> bool:
    """Whether a module is a file, or in a folder, beside the notebook: what it defines is graded as the student's."""
    top = Path(module.partition(".")[0])
    return top.is_dir() or top.with_suffix(".py").is_file()


def overtaken(exercise: Exercise, session: Session) -> str:
    """A sentence where a cell that was run later should have defined the exercise anew, and did not; else empty.

    IPython keeps what was run, a cell with a syntax error too, and Python the cell that made what is there.
    """
    if exercise.rerun:
        return _scattered(exercise, session)
    history = [] if session.shell is None else session.shell.history_manager.input_hist_parsed
    cells = [cell.strip() for cell in history]
    for name in exercise.needs:
        own = file_of(session.namespace[name]).strip()
        if not own or own not in cells:
            continue
        for cell in reversed(cells if cells[-1] == own else cells[:-1]):  # what this cell defines may be still to come
            found = [one for one in definitions_in(cell, {name}) if one.sort != "import"]
            if cell == own or any(one.sort == "assignment" for one in found):
                break
            if found:
                word = "class" if isinstance(session.namespace[name], type) else "def"
                why = "ended in an error before it got there" if found[-1].parses else "has a syntax error"
                return (
                    f"The last cell that you ran with `{word} {name}` {why}, so nothing of it counts: "
                    "what is checked here is the one from before."
                )
    return ""


def mistyped(exercise: Exercise, session: Session) -> str:
    """A question where something of nearly the name that the exercise asks for is defined; else empty.

    A name that another exercise asks for is no slip of the pen.
    """
    known = {name for each in session.seeded.course.exercises.values() for name in each.needs}
    home = session.namespace.get("__name__")
    own = [name for name, value in session.namespace.items() if name not in known and _is_defined_in(home, value)]
    for name in exercise.needs:
        for near in difflib.get_close_matches(name, own, n=1, cutoff=_NEAR):
            return f"You have defined {near}: is that meant to be {name}?"
    return ""


def _is_defined_in(home: Any, value: Any) -> bool:
    return isinstance(value, type | FunctionType) and getattr(value, "__module__", None) == home


def stub_of(exercise: Exercise, session: Session) -> Stub | None:
    """The student's source, where Python still knows it: it helps the diagnosis and is not needed for a verdict."""
    if exercise.rerun:
        return Stub(exercise.id, YOURS, 1, _cell_source(exercise, session), "name")
    name = exercise.needs[0]
    found = definitions_in(file_of(session.namespace[name]), {name})
    module = _origin(session.namespace[name], session)
    flags = (f"`{name}` is imported from `{module}`, a file beside the notebook",) if module else ()
    return Stub(exercise.id, YOURS, found[-1].line, found[-1].source, "name", flags) if found else None


def file_of(value: Any) -> str:
    """The text of the cell or file that made a function or a class; empty where it is not known.

    ``inspect.getsource`` finds no class of a notebook, so a class is found by one of its functions.
    """
    functions = [value, *vars(value).values()] if isinstance(value, type) else [inspect.unwrap(value)]
    code = next((one.__code__ for one in functions if inspect.isfunction(one)), None)
    return "" if code is None else "".join(linecache.getlines(code.co_filename))


def _scattered(exercise: Exercise, session: Session) -> str:
    """A sentence where the cell that is checked lacks what an earlier one assigns; else empty."""
    names = _assigned_by(exercise)
    assigned = [bound for _, bound in _assigning(names, session)]
    lacking = [name for name in names if assigned and name not in assigned[0]]
    elsewhere = ", ".join(name for name in lacking if any(name in bound for bound in assigned))
    return elsewhere and (
        f"The last cell that you ran for {exercise.id} is what is checked here, and it does not assign {elsewhere}, as "
        f"an earlier one did: {', '.join(names)} all belong in one cell, the one that came with the exercise, which is "
        "the one that is graded."
    )


def _cell_source(exercise: Exercise, session: Session) -> str:
    """The last cell run that assigns any of what the exercise reads, else the last that is still the stub; or nothing.

    A cell that lacks one of the names is checked for the others, as it is graded.
    """
    names = _assigned_by(exercise)
    stubs = (cell for cell in cells_run(session) if all(name in cell for name in names) and is_stub(cell))
    return next((cell for cell, _ in _assigning(names, session)), "") or next(stubs, "")


def _assigning(names: Collection[str], session: Session) -> Iterator[tuple[str, set[str]]]:
    """Each cell run that assigns any of ``names``, the last one first, with the names it binds."""
    for cell in cells_run(session):
        if any(name in cell for name in names):  # most cells need not be parsed
            bound = {one.name for one in definitions_in(cell, names) if one.sort == "assignment"}
            if bound:
                yield cell, bound


def cells_run(session: Session) -> list[str]:
    """The cells run, the last one first."""
    cells: list[str] = [] if session.shell is None else session.shell.history_manager.input_hist_raw
    return cells[::-1]


def _assigned_by(exercise: Exercise) -> dict[str, None]:
    """The names that the cell of the exercise assigns, in the order of its checks."""
    return dict.fromkeys(exercise.reads.get(check, check) for check in exercise.points)
