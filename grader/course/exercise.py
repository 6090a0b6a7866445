"""The author's seam: an exercise is declared by writing its forward pass.

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

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from grader.course.declaration import refuse_broken
from grader.errors import CourseError
from grader.model import Exercise, Sampler


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
        _refuse_malformed(name, call, {"inputs": inputs, "points": points or {}}, fields)
        _refuse_redeclared(forward)
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
                **fields,
            }
        )
        refuse_broken(declared)
        return declared

    return declare


def _refuse_malformed(name: str, call: object, tables: Mapping[str, object], fields: Mapping[str, object]) -> None:
    """Refuse what no ``Exercise`` can be made of: a field that it has not, a mapping or code that is none."""
    unknown = set(fields) - set(Exercise.__dataclass_fields__)
    if unknown:
        raise CourseError(
            "no such field", exercise=name, field=min(unknown), remedy="the fields stand in grader.model.Exercise"
        )
    for field, given in tables.items():
        if not isinstance(given, Mapping):
            raise CourseError(
                f"is {type(given).__name__}, not a mapping",
                exercise=name,
                field=field,
                remedy=f'write for instance {field}={{"w": …}}',
            )
    if not isinstance(call, str):
        raise CourseError(
            f"is {type(call).__name__}, not code", exercise=name, field="call", remedy=f'write call="{name}(…)"'
        )


def _refuse_redeclared(forward: Callable[..., Any]) -> None:
    """Refuse a second forward pass of one name in a module, which would take the first one's place unnoticed."""
    earlier = forward.__globals__.get(forward.__name__)
    if isinstance(earlier, Exercise) and _line(earlier.forward) != _line(forward):
        raise CourseError(
            f"is declared twice, in lines {_line(earlier.forward)} and {_line(forward)}",
            exercise=forward.__name__,
            field="id",
            remedy="rename one of the two forward passes",
        )


def _line(forward: Callable[..., Any]) -> int:
    return forward.__code__.co_firstlineno


def parameters(declared: Exercise) -> tuple[str, ...]:
    """The names of the inputs that the forward pass takes, ``p.g`` for its parameter ``p_g``."""
    by_parameter = {name.replace(".", "_"): name for name in declared.inputs}
    return tuple(by_parameter[name] for name in inspect.signature(declared.forward).parameters)
