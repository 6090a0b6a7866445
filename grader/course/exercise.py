"""The decorator ``@exercise``: an author declares an exercise by writing its forward pass.

    @exercise(
        call="lin_grad(inp, out, w, b)",
        inputs={"inp": normal("n", "i"), "w": normal("i", "o"), "b": normal("o")},
        points={"inp.g": 1, "w.g": 2, "b.g": 1},
    )
    def lin_grad(inp, w, b):
        '''Backward pass of a linear layer.'''
        return inp @ w + b

What the keywords mean stands in ``grader.model.Exercise``; what makes a declaration work, in
``grader.course.declaration``.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from grader.course.declaration import refuse_broken
from grader.errors import CourseError
from grader.model import Exercise, Sampler, place_of


def exercise(
    *,
    call: str,
    inputs: Mapping[str, Sampler],
    points: Mapping[str, float] | None = None,
    notebook: str = "",
    **fields: Any,
) -> Callable[[Callable[..., Any]], Exercise]:
    """Declare an exercise; the decorated function is its forward pass and its docstring's first line its title.

    ``notebook`` defaults to the module's ``NOTEBOOK``, then to the module's name. The other fields are those of
    ``grader.model.Exercise``.

    Raises:
        CourseError: the declaration cannot work; the message names exercise, field and remedy.
    """

    def declare(forward: Callable[..., Any]) -> Exercise:
        name = forward.__name__
        _refuse_malformed(forward, call, {"inputs": inputs, "points": points or {}}, fields)
        given: dict[str, Any] = {name: tuple(each) if isinstance(each, list) else each for name, each in fields.items()}
        declared = Exercise(
            **{
                "id": name,
                "title": (inspect.getdoc(forward) or "").partition("\n")[0],
                "notebook": notebook or forward.__globals__.get("NOTEBOOK") or forward.__module__.rpartition(".")[2],
                "forward": forward,
                "inputs": dict(inputs),
                "call": inspect.cleandoc(call),
                "points": dict(points or {}),
                "needs": () if fields.get("rerun") else (name,),
                **given,
            }
        )
        _refuse_redeclared(declared)
        refuse_broken(declared)
        return declared if "batch" in fields else _with_batch(declared)

    return declare


def _with_batch(declared: Exercise) -> Exercise:
    """The exercise, whose samples its first letter counts where there is none that is called as is usual."""
    letters = declared.letters
    return declared if not letters or declared.batch in letters else replace(declared, batch=letters[0])


def _refuse_malformed(
    forward: Callable[..., Any], call: object, tables: Mapping[str, object], fields: Mapping[str, object]
) -> None:
    """Refuse what no ``Exercise`` can be made of: a field that it has not, a mapping or code that is none."""

    def fault(message: str, field: str, remedy: str) -> CourseError:
        return CourseError(message, exercise=forward.__name__, field=field, place=place_of(forward), remedy=remedy)

    unknown = set(fields) - set(Exercise.__dataclass_fields__)
    if unknown:
        near = difflib.get_close_matches(min(unknown), Exercise.__dataclass_fields__, n=1)
        meant = f"did you mean {near[0]!r}? " if near else ""
        raise fault("no such field", min(unknown), f"{meant}the fields stand in grader.model.Exercise")
    for field, given in tables.items():
        if not isinstance(given, Mapping):
            raise fault(f"is {type(given).__name__}, not a mapping", field, f'write for instance {field}={{"w": …}}')
    if not isinstance(call, str):
        raise fault(f"is {type(call).__name__}, not code", "call", f'write call="{forward.__name__}(…)"')


def _refuse_redeclared(declared: Exercise) -> None:
    """Refuse a second forward pass of one name in a module, which would take the first one's place unnoticed."""
    earlier = declared.forward.__globals__.get(declared.id)
    if isinstance(earlier, Exercise) and place_of(earlier.forward) != place_of(declared.forward):
        raise declared.fault(
            f"is declared twice, first in {place_of(earlier.forward)}",
            field="id",
            remedy="rename one of the two forward passes",
        )
