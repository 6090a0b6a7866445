"""Mistakes that any solution can be made to make, whatever its formula: what ``grader validate`` wraps around it.

A function that takes one of its arguments from somewhere else (the notebook's globals, most often) is right as long as
nothing but the notebook's own values comes by; one that wants its tensors row by row in memory, as ``view`` may, as
long as they are; a class whose instances share their state, as long as there is one instance. Which diagnosis they get
is open; that they lose points is not.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any

import numpy
import torch

from grader.model import Exercise

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


@dataclass
class Habit:
    """A wrong answer made of a right one. ``met`` counts the occasions on which it could have gone wrong."""

    name: str
    answer: Any = None
    met: int = field(default=0)


def habits(exercise: Exercise, solution: Any) -> Iterator[Habit]:
    """A fresh wrong answer for each mistake that can be put around ``solution``."""
    if exercise.rerun or exercise.measure is not None:
        return
    if isinstance(solution, FunctionType):
        names = [one.name for one in inspect.signature(solution).parameters.values() if one.kind in _POSITIONAL]
        for index, name in enumerate(names):
            yield _stubborn(solution, index, name)
        yield _particular(solution)
    elif isinstance(solution, type):
        yield _shared(solution)


def _stubborn(solution: Callable[..., Any], index: int, name: str) -> Habit:
    """At each call it finds the argument at ``index`` as it was at the first."""
    habit = Habit(f"{name}_of_the_first_call")
    first: list[Any] = []

    @functools.wraps(solution)
    def wrong(*arguments: Any, **named: Any) -> Any:
        if index >= len(arguments):
            return solution(*arguments, **named)
        if first:
            habit.met += 1
        else:
            first.append(_copied(arguments[index]))
        return solution(*arguments[:index], first[0], *arguments[index + 1 :], **named)

    habit.answer = wrong
    return habit


def _copied(value: Any) -> Any:
    """A tensor with the gradient that is attached to it, apart from the original; anything else as it is."""
    if not isinstance(value, torch.Tensor):
        return value
    copy = value.detach().clone()
    if hasattr(value, "g"):
        copy.g = value.g  # type: ignore[attr-defined]
    return copy


def _particular(solution: Callable[..., Any]) -> Habit:
    """It takes no tensor that is not contiguous."""
    habit = Habit("contiguous_only")

    @functools.wraps(solution)
    def wrong(*arguments: Any, **named: Any) -> Any:
        for value in arguments:
            for one in value if isinstance(value, list | tuple) else (value,):
                if isinstance(one, torch.Tensor | numpy.ndarray):
                    habit.met += 1
                    if not (one.is_contiguous() if isinstance(one, torch.Tensor) else one.flags.c_contiguous):
                        raise RuntimeError("view size is not compatible with input tensor's size and stride")
        return solution(*arguments, **named)

    habit.answer = wrong
    return habit


def _shared(solution: type) -> Habit:
    """All of its instances have one set of attributes."""
    habit = Habit("state_of_all_instances")
    everything: dict[str, Any] = {}

    class Wrong(solution):  # type: ignore[misc]
        def __init__(self, *arguments: Any, **named: Any) -> None:
            habit.met += bool(everything)
            object.__setattr__(self, "__dict__", everything)
            super().__init__(*arguments, **named)

    Wrong.__name__ = Wrong.__qualname__ = solution.__name__
    habit.answer = Wrong
    return habit
