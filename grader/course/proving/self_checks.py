"""The cells of a solution notebook in which students check themselves: each must name an exercise that is found there.

Nothing else meets such a cell before a student does, and what it says to them then is that there is no such exercise.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path

from grader.cell_code import CHECK, origin_of_check, parsed
from grader.course.loading import load_course
from grader.errors import CourseError
from grader.model import Course, Exercise

#: The course in which ``check`` looks where none is named.
_DEFAULT = "autograd"


def refuse_wrong_checks(path: Path, cells: Sequence[str], course: Course) -> None:
    """Refuse a call of the grader's ``check`` for what its course does not have.

    Of a ``course=`` that is given only its exercises are looked at: its name is known once it is installed. A notebook
    that makes a ``check`` of its own is left alone.

    Raises:
        CourseError: a call names no exercise of ``course``, or one that ``check`` looks for in another course.
    """
    trees = [tree for source in cells if CHECK in source and (tree := parsed(source)) is not None]
    if {origin_of_check(tree) for tree in trees} - {None} != {"grader"}:
        return
    bundled = load_course(_DEFAULT).exercises
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == CHECK:
            named = any(keyword.arg in {"course", None} for keyword in node.keywords)
            for name in _asked(node, course):
                call = f'{path}: check("{name}")'
                if name not in course.exercises:
                    known = ", ".join(course.exercises)
                    raise CourseError(f"{call} is for no exercise of the course", remedy=f"name one of {known}")
                if not named and not _is_same(bundled.get(name), course.exercises[name]):
                    other = "another exercise of that name" if name in bundled else "no such exercise"
                    raise CourseError(
                        f"{call} looks in the bundled course, which has {other}",
                        remedy=f'write check("{name}", course="…") with the name of this one\'s entry point',
                    )


def _is_same(one: Exercise | None, other: Exercise) -> bool:
    """Whether a check of ``one`` says of an answer what one of ``other`` does; points may differ."""
    return one is not None and (one.forward, one.call, {*one.points}) == (other.forward, other.call, {*other.points})


def _asked(call: ast.Call, course: Course) -> Iterator[str]:
    """The exercises that a call names, as strings or as functions; other variables may hold anything."""
    for argument in call.args:
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
            yield argument.value
        elif isinstance(argument, ast.Name) and argument.id in course.exercises:
            yield argument.id
