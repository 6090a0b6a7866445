"""What a student's notebook or shell holds: which answers are there, and the source of each."""

from __future__ import annotations

import difflib
import inspect
import linecache
import sys
from collections.abc import Collection, Mapping
from types import FunctionType
from typing import Any

from grader.cell_code import parsed
from grader.model import Exercise, Stub
from grader.submission.definitions import definitions_in, is_empty

#: A notebook's cells are not numbered inside it: the number that stands for "yours".
YOURS = 0
#: How alike a name must be to be taken for another one misspelt: ``lin_gard``, but not the given ``lin``.
_ALIKE = 0.8


def shell_here() -> Any:
    """IPython's shell, where this runs in one."""
    ipython = sys.modules.get("IPython")
    return None if ipython is None else ipython.get_ipython()


def missing(exercise: Exercise, namespace: Mapping[str, Any], shell: Any) -> str:
    """What has to be run before the exercise can be checked, in a sentence; empty where all is there."""
    if exercise.rerun:
        if _cell_source(exercise, shell):
            return ""
        names = ", ".join(_assigned_by(exercise))
        return f"No cell that you have run assigns {names} yet: run the one that does, then check again."
    home = namespace.get("__name__")
    for name in exercise.needs:
        if name not in namespace:
            return f"{name} is not defined yet: run the cell that defines it, then check again."
        module = getattr(namespace[name], "__module__", home)
        if module != home:
            return f"{name} is not defined yet (the one here is from {module}): run the cell that defines yours."
    return ""


def misspelt(exercise: Exercise, namespace: Mapping[str, Any], others: Collection[str]) -> str:
    """A question after what was defined here under almost the exercise's name, which is no name of ``others``."""
    home = namespace.get("__name__")
    own = [
        name
        for name, value in namespace.items()
        if isinstance(value, FunctionType | type) and value.__module__ == home and name not in others
    ]
    lacking = next((name for name in exercise.needs if name not in namespace), "")
    near = difflib.get_close_matches(lacking, own, n=1, cutoff=_ALIKE)
    return f"Was {near[0]} meant to be {lacking}?" if near else ""


def stub_of(exercise: Exercise, namespace: Mapping[str, Any], shell: Any) -> Stub | None:
    """The student's source, where Python still knows it: it helps the diagnosis and is not needed for a verdict."""
    if exercise.rerun:
        return Stub(exercise.id, YOURS, 1, _cell_source(exercise, shell), "name")
    name = exercise.needs[0]
    found = definitions_in(_file_of(namespace[name]), {name})
    return Stub(exercise.id, YOURS, found[-1].line, found[-1].source, "name") if found else None


def _file_of(value: Any) -> str:
    """The text of the cell or file that made a function or a class; empty where it is not known.

    ``inspect.getsource`` finds no class of a notebook, so a class is found by one of its functions.
    """
    functions = [value, *vars(value).values()] if isinstance(value, type) else [inspect.unwrap(value)]
    code = next((one.__code__ for one in functions if inspect.isfunction(one)), None)
    return "" if code is None else "".join(linecache.getlines(code.co_filename))


def _cell_source(exercise: Exercise, shell: Any) -> str:
    """The last cell run that assigns all that the exercise reads, else the last that is still the stub; or nothing."""
    names = _assigned_by(exercise)
    cells: list[str] = [] if shell is None else shell.history_manager.input_hist_raw
    likely = [cell for cell in reversed(cells) if all(name in cell for name in names)]
    found = (cell for cell in likely if names.keys() <= {one.name for one in definitions_in(cell)})
    return next(found, "") or next((cell for cell in likely if _is_stub(cell)), "")


def _assigned_by(exercise: Exercise) -> dict[str, None]:
    """The names that the cell of the exercise assigns, in the order of its checks."""
    return dict.fromkeys(exercise.reads.get(check, check) for check in exercise.points)


def _is_stub(cell: str) -> bool:
    """Whether a cell is still as it was handed out: comments and ``raise NotImplementedError``."""
    tree = parsed(cell)
    return tree is not None and bool(tree.body) and is_empty(tree.body)
