"""The answers to an exercise that an author wrote: in the solution notebook, and as specimens beside it."""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from grader.course.proving.rehearsal import namespace_of
from grader.course.proving.self_checks import refuse_wrong_checks
from grader.course.releasing.solution import MarkerProblem, cut
from grader.course.specimens import Specimen, refuse_unknown, specimens_in
from grader.errors import CourseError
from grader.model import Course, Exercise


@dataclass(frozen=True)
class Answers:
    """All answers to one exercise.

    ``solved`` and ``released`` are the namespaces of the two notebooks; ``solution`` and ``stub`` the source of the
    exercise's cell in each; ``mistakes`` and ``variants`` the wrong and the other right answers that the author wrote.
    """

    solved: dict[str, Any]
    released: dict[str, Any]
    solution: str
    stub: str
    mistakes: tuple[Specimen, ...] = ()
    variants: tuple[Specimen, ...] = ()


def answers_to(exercise: Exercise, folder: Path, course: Course) -> Answers:
    """The answers to one exercise that ``folder``, of solutions, holds; each in a namespace that is its own.

    Raises:
        CourseError: a notebook or a file of specimens there cannot be read or run, has no cell for the exercise, or
            checks one that is not there.
    """
    path = folder / f"{exercise.notebook}.ipynb"
    code = _code_cells(path)
    siblings = {name: one for name, one in course.exercises.items() if one.notebook == exercise.notebook}
    given = [source for name, source in code if name is None]
    tagged = {name: source for name, source in code if name is not None}
    _refuse_second_tag(path, [name for name, _ in code if name is not None])
    refuse_wrong_checks(path, [source for _, source in code], course)
    if exercise.id not in tagged and not any(name in tagged for name in exercise.needs):
        near = _misspelt(exercise.id, tagged, course)
        raise CourseError(
            f"{path} has no cell for it" + (f", but one that is tagged {near!r}" if near else ""),
            exercise=exercise.id,
            remedy=f'give its cell the metadata {{"grader": {{"exercise": "{exercise.id}"}}}}',
        )
    stubs = {name: _stub(path, name, source) for name, source in tagged.items()}
    reruns = {name for name, one in siblings.items() if one.rerun}
    solved = _namespace(path, {name: source for name, source in tagged.items() if name not in reruns}, given)
    mistakes, variants = (folder / kind / f"{exercise.notebook}.py" for kind in ("mistakes", "variants"))
    wrong, right = specimens_in(mistakes, solved, wrong=True), specimens_in(variants, solved, wrong=False)
    refuse_unknown(siblings, wrong, str(mistakes))
    refuse_unknown(siblings, right, str(variants))
    return Answers(
        solved=solved,
        released=_namespace(path, {name: source for name, source in stubs.items() if name not in reruns}, given),
        solution=tagged.get(exercise.id, ""),
        stub=stubs.get(exercise.id, ""),
        mistakes=tuple(one for one in wrong if one.exercise == exercise.id),
        variants=tuple(one for one in right if one.exercise == exercise.id),
    )


def _stub(path: Path, name: str, source: str) -> str:
    """What is released of the cell of the exercise ``name``."""
    try:
        return cut(source).source
    except MarkerProblem as error:
        raise CourseError(f"{path}, the cell of {name!r}: {error}", remedy=error.remedy) from error


def _misspelt(name: str, tags: Iterable[str], course: Course) -> str:
    """The one of ``tags``, for nothing that is asked for, that is nearly ``name``; empty where none is."""
    known = {*course.exercises, *(needed for one in course.exercises.values() for needed in one.needs)}
    return next(iter(get_close_matches(name, [tag for tag in tags if tag not in known], n=1)), "")


def _refuse_second_tag(path: Path, tags: Sequence[str]) -> None:
    """Refuse two cells with one tag: which one is graded would be a guess, and every student flagged."""
    for name in dict.fromkeys(tags):
        if tags.count(name) > 1:
            raise CourseError(
                f"{path} has {tags.count(name)} cells for it", exercise=name, remedy="tag the one that holds its answer"
            )


def _namespace(path: Path, answers: Mapping[str, str], given: Sequence[str]) -> dict[str, Any]:
    """What a notebook's cells define; a cell that does not run is told like any other fault of a course."""
    try:
        return namespace_of({f"the cell of {name!r}": source for name, source in answers.items()}, given)
    except Exception as error:
        raise CourseError(
            f"{path} cannot be run: {type(error).__name__}: {error}",
            place=_line_in_cell(error),
            remedy="run it in Jupyter from the top",
        ) from error


def _line_in_cell(error: Exception) -> str:
    """The cell and the line that raised ``error``; empty where it was none with an answer, or the error says so."""
    if isinstance(error, SyntaxError):
        return ""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith("the cell of")]
    return f"{frames[-1].filename}, line {frames[-1].lineno}" if frames else ""


def _code_cells(path: Path) -> list[tuple[str | None, str]]:
    """The exercise tag and the source of each code cell."""
    import nbformat

    try:
        notebook = nbformat.read(path, as_version=4)
    except (OSError, ValueError, nbformat.ValidationError) as error:
        reason = str(error).partition("\n")[0]
        raise CourseError(
            f"{path} is no notebook of format 4: {reason}", remedy="open and save it with Jupyter"
        ) from error
    return [(_tag(cell, path), cell.source) for cell in notebook.cells if cell.cell_type == "code"]


def _tag(cell: Any, path: Path) -> str | None:
    tag = cell.metadata.get("grader", {})
    name = tag.get("exercise", "") if isinstance(tag, dict) else None
    if not isinstance(name, str):
        raise CourseError(
            f"{path}: a cell's metadata say 'grader': {tag!r}", remedy='write {"grader": {"exercise": "…"}}'
        )
    return name or None
