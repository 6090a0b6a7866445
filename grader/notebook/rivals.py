"""Several answers to one exercise in a notebook: what is checked here is the one run last, and the grade may differ.

The grade takes a written answer wherever it stands, and of several the one in the exercise's own cell
(``grader.submission.reading.location``). IPython keeps what was run, and not in which cell: whether that was another
cell, or an earlier text of the same one, tells the id that a front end sends with each.
"""

from __future__ import annotations

from typing import Any

from grader.model import Exercise
from grader.notebook.defined import Session, cells_run, file_of, shell_here
from grader.submission.reading.definitions import Definition, definitions_in
from grader.submission.reading.patches import goes_on


class CellsFollowed:
    """What each cell of a notebook was when it last ran, by its id; IPython calls it before each."""

    def __init__(self) -> None:
        self.sources: dict[str, str] = {}

    def __call__(self, info: Any) -> None:
        """Take note of a cell that is about to run; of none where the front end sends no ids."""
        if cell_id := getattr(info, "cell_id", None):
            self.sources[cell_id] = info.raw_cell


def follow_cells() -> None:
    """Take note, from now on, of the cells that run, where this is IPython."""
    shell = shell_here()
    if shell is not None and _followed(shell) is None:
        shell.events.register("pre_run_cell", CellsFollowed())


def rival(exercise: Exercise, session: Session, *, passed: bool) -> str:
    """A sentence where another answer was run than the one that is checked; else empty.

    Without ids of cells an earlier text of the same cell looks like another answer, so nothing is said before the
    exercise has ``passed``.
    """
    handed_out = next(one.handed_out for one in session.seeded.wanted if one.exercise == exercise.id)
    followed = None if session.shell is None else _followed(session.shell)
    sources = list(followed.sources.values()) if followed is not None else []
    for name in exercise.needs:
        here = _definition(name, file_of(session.namespace[name]))
        if here is None or goes_on(here.node):
            continue
        ran = (_definition(name, cell) for cell in sources or cells_run(session))
        answers = (one for one in ran if one is not None and not one.is_stub(handed_out))
        if all(one.fingerprint == here.fingerprint for one in answers):
            continue
        if here.is_stub(handed_out):
            return (
                f"The {name} that you ran last is the untouched stub, and it has taken the place of the answer that "
                "you ran before. Delete the stub and run the answer again: the grade takes the answer."
            )
        if sources or passed:
            forms = f"Cells that you ran define {name} in" if sources else f"You have run {name} in"
            return (
                f"{forms} more than one form, and the one run last is checked here. Of several in your notebook the "
                "grade takes the one in the cell that came with the exercise: keep one alone, in that cell."
            )
    return ""


def _followed(shell: Any) -> CellsFollowed | None:
    return next((one for one in shell.events.callbacks["pre_run_cell"] if isinstance(one, CellsFollowed)), None)


def _definition(name: str, source: str) -> Definition | None:
    """The last function or class of that name in a cell."""
    found = definitions_in(source, {name}) if name in source else ()
    return next((one for one in reversed(found) if one.sort == "definition" and one.parses), None)
