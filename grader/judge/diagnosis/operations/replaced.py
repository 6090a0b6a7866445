"""Functions of torch replaced by changed ones while a reference is made, so that autograd makes a student's mistake.

A ``TorchFunctionMode`` calls the changed function in place of each call of the right one. So a mask that is missing in
the middle of a network shows in all gradients behind it, with no knowledge of the exercise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

#: A function of torch → what is called in its place.
Replacements = Mapping[Any, Callable[..., Any]]


class Replaced(TorchFunctionMode):
    """While it is entered, each function in ``replacements`` is replaced; ``calls`` counts how often one is called.

    With ``place``, counted from 0, only that one of the calls goes to a replacement.
    """

    def __init__(self, replacements: Replacements, place: int | None = None) -> None:
        super().__init__()
        self.replacements, self.place = replacements, place
        self.calls = 0

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Call the replacement of ``func``, or ``func`` itself."""
        if func in self.replacements:
            self.calls += 1
            if self.place in {None, self.calls - 1}:
                func = self.replacements[func]
        return func(*args, **(kwargs or {}))


def applied(function: type[torch.autograd.Function], *arguments: Any) -> Tensor:
    """What a function with a backward pass of its own gives; torch says nothing of the type."""
    value: Tensor = function.apply(*arguments)
    return value
