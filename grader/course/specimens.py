"""Answers that an author writes beside the solutions to prove an exercise: known mistakes, and other right ways.

``solutions/mistakes/<notebook>.py`` and ``solutions/variants/<notebook>.py`` are run in the namespace of the solved
notebook, each in place of one exercise's answer::

    @mistake("relu_grad", "mask_at_zero")
    def lets_zero_through(inp, out):
        '''The mask is >= instead of >.'''
        inp.g = out.g * (inp >= 0)

    @variant("relu_grad")
    def by_where(inp, out):
        inp.g = torch.where(inp > 0, out.g, 0.0)

Meanwhile the exercise's name is the specimen's own, and ``solution`` the solution, which it may call.
For an exercise whose cell is run again (``trace``), the function takes no parameters and its body is the cell.
"""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from grader.errors import CourseError
from grader.model import Exercise

Answer = TypeVar("Answer", bound=Callable[..., Any])
#: An answer, its exercise and its code.
_Marked = tuple[Callable[..., Any], str, str | None]
#: Where the decorators put what they mark in the file that is being run.
_MARKED: ContextVar[list[_Marked]] = ContextVar("marked")


@dataclass(frozen=True)
class Specimen:
    """One written answer: ``answer`` is bound to the exercise's name; ``source`` is its body, for a cell.

    ``code`` is the diagnosis that a mistake must get, None for a right answer.
    """

    exercise: str
    name: str
    code: str | None
    answer: Any
    source: str


def mistake(exercise: str, code: str) -> Callable[[Answer], Answer]:
    """Mark a wrong answer to ``exercise`` that must lose points with the diagnosis ``code``."""
    return lambda answer: _mark(answer, exercise, code)


def variant(exercise: str) -> Callable[[Answer], Answer]:
    """Mark another right answer to ``exercise``, which must never lose a point."""
    return lambda answer: _mark(answer, exercise, None)


def specimens_in(path: Path, space: dict[str, Any], *, wrong: bool) -> tuple[Specimen, ...]:
    """The specimens of the file ``path``, defined in the namespace ``space``; none where there is no such file.

    ``wrong`` tells whether the file is one of mistakes or of variants.

    Raises:
        CourseError: the file cannot be run, holds the other kind, or a specimen's name is another's or the notebook's.
    """
    if not path.is_file():
        return ()
    text = path.read_text(encoding="utf-8")
    known = set(space)
    marked: list[_Marked] = []
    token = _MARKED.set(marked)
    try:
        tree = ast.parse(text)
        exec(compile(tree, str(path), "exec", dont_inherit=True), space)  # noqa: S102 - the course's own code
    except Exception as error:
        raise CourseError(
            f"{path} cannot be run: {type(error).__name__}: {error}", remedy="fix the file, or remove it"
        ) from error
    finally:
        _MARKED.reset(token)
    bodies = {
        node.name: _body(text, node) for node in tree.body if isinstance(node, ast.FunctionDef) and node.decorator_list
    }
    found = []
    for answer, exercise, code in marked:
        name = answer.__name__
        if (code is not None) is not wrong:
            kind, folder = ("mistake", "mistakes") if code is not None else ("variant", "variants")
            raise CourseError(f"{path}: {name} is a {kind}", remedy=f"move it to the folder {folder}")
        if name in known:
            raise CourseError(f"{path}: another {name} is there already", remedy="give this one a name of its own")
        known.add(name)
        found.append(Specimen(exercise, name, code, answer, bodies.get(name, "")))
    return tuple(found)


def refuse_unknown(exercises: Mapping[str, Exercise], specimens: Iterable[Specimen], where: str) -> None:
    """Refuse a specimen of an exercise that does not exist.

    Raises:
        CourseError: there is one.
    """
    for specimen in specimens:
        if specimen.exercise not in exercises:
            raise CourseError(
                f"{specimen.name} in {where} answers {specimen.exercise!r}, which is no exercise of that notebook",
                remedy="name one of " + ", ".join(exercises),
            )


def _mark(answer: Answer, exercise: str, code: str | None) -> Answer:
    _MARKED.get().append((answer, exercise, code))
    return answer


def _body(text: str, node: ast.FunctionDef) -> str:
    lines = text.splitlines()[node.body[0].lineno - 1 : node.end_lineno]
    return textwrap.dedent("\n".join(lines))
