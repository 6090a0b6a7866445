"""Mistakes that do not depend on the formula: ``grader validate`` makes them by wrapping a solution.

Three of them, each right on one notebook's own values and wrong on others:

- a function that takes an argument from somewhere else, most often from the notebook's globals: it is right until it is
  called with other values;
- a function that takes only contiguous tensors, as ``view`` does: it is right until it is given a transposed one;
- a class whose instances share their attributes: it is right until there are two of them.

They must lose points; which diagnosis they get does not matter.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import FunctionType
from typing import Any

import numpy
import torch

from grader.model import Exercise

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


@dataclass
class Habit:
    """A wrong answer made of a right one. ``met`` counts the calls in which it could have gone wrong.

    ``differed`` tells whether one of them was given something else than what the answer went by instead;
    ``shown_by``, what a declaration must have for the answer to be wrong.
    """

    name: str
    shown_by: str = ""
    answer: Any = None
    met: int = 0
    differed: bool = False


def habits(exercise: Exercise, solution: Any) -> Iterator[Habit]:
    """A fresh wrong answer for each mistake that can be put around ``solution``."""
    if exercise.rerun or exercise.measure is not None:
        return
    if isinstance(solution, FunctionType):
        names = [one.name for one in inspect.signature(solution).parameters.values() if one.kind in _POSITIONAL]
        for index, name in enumerate(names):
            yield _keeps_first_argument(solution, index, name)
        yield _contiguous_only(solution)
    elif isinstance(solution, type):
        yield _shares_state(solution)


def _keeps_first_argument(solution: Callable[..., Any], index: int, name: str) -> Habit:
    """``solution``, which takes the argument at ``index`` from its first call again at every later one."""
    habit = Habit(f"{name}_of_the_first_call", f"draw `{name}`, by number() or another, or give a Variant another one")
    first: list[Any] = []

    @functools.wraps(solution)
    def wrong(*arguments: Any, **named: Any) -> Any:
        if index >= len(arguments):
            return solution(*arguments, **named)
        if first:
            habit.met += 1
            habit.differed = habit.differed or _differ(first[0], arguments[index])
        else:
            first.append(_copied(arguments[index]))
        return solution(*arguments[:index], first[0], *arguments[index + 1 :], **named)

    habit.answer = wrong
    return habit


def _differ(one: Any, other: Any) -> bool:
    if isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor):
        return not torch.equal(one, other)
    if isinstance(one, int | float | str | tuple) and type(one) is type(other):
        return bool(one != other)
    return one is not other


def _copied(value: Any) -> Any:
    """A tensor with the gradient that is attached to it, apart from the original; anything else as it is."""
    if not isinstance(value, torch.Tensor):
        return value
    copy = value.detach().clone()
    if hasattr(value, "g"):
        copy.g = value.g  # type: ignore[attr-defined]
    return copy


def _contiguous_only(solution: Callable[..., Any]) -> Habit:
    """``solution``, which raises what ``view`` raises where it is given a tensor that is not contiguous."""
    habit = Habit("contiguous_only", "hand over an input as it is drawn, which in one case is not contiguous")

    @functools.wraps(solution)
    def wrong(*arguments: Any, **named: Any) -> Any:
        for value in arguments:
            for one in value if isinstance(value, list | tuple) else (value,):
                if isinstance(one, torch.Tensor | numpy.ndarray):
                    habit.met += "float" in str(one.dtype)  # whole numbers are contiguous in every case
                    if not (one.is_contiguous() if isinstance(one, torch.Tensor) else one.flags.c_contiguous):
                        raise RuntimeError("view size is not compatible with input tensor's size and stride")
        return solution(*arguments, **named)

    habit.answer = wrong
    return habit


def _shares_state(solution: type) -> Habit:
    """``solution``, a class, with one set of attributes for all of its instances."""
    habit = Habit("state_of_all_instances", "make and use a second instance in `call` before the first has ended")
    everything: dict[str, Any] = {}

    class Wrong(solution):  # type: ignore[misc]
        def __init__(self, *arguments: Any, **named: Any) -> None:
            habit.met += bool(everything)
            object.__setattr__(self, "__dict__", everything)
            super().__init__(*arguments, **named)

    Wrong.__name__ = Wrong.__qualname__ = solution.__name__
    habit.answer = Wrong
    return habit
