"""What the inputs of an exercise are to an optimizer that is driven through given gradients, whatever they are called.

A parameter has its gradients, one a step, in an input with one axis more; plain floats are the rate and the options.
Which is which, ``candidates`` leave open: the right ones are those under which the formula gives what is expected.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations
from typing import Any

from grader.judge.diagnosis.steps.parts import RIGHT, SGD_OPTIONS, Adam, Average, Slip, Steps
from grader.model import Case, Exercise

#: What a float can be besides the rate in Adam's formula.
_OF_ADAM = ("first", "second", "eps", "weight_decay")
#: With weight decay apart from the gradient; Adam without the first average and without corrections.
_DECOUPLED = Slip("", "", steps=Steps(decay_in="update"))
_RMSPROP = Slip("", "", adam=Adam(square=Average(corrected=lambda average, *_: average), takes_gradient=True))
#: The other optimizers that there are by each formula, SGD's and Adam's.
_KINDS = {False: (RIGHT, _DECOUPLED), True: (RIGHT, _DECOUPLED, _RMSPROP)}


@dataclass(frozen=True, slots=True)
class Roles:
    """Parameters and their gradients by name, the rate, and which float is which option.

    ``is_adam`` is Adam's formula, in place of SGD's; ``kind`` has the parts that make another optimizer of it. Without
    ``options``, the case has them in a tuple, and its learning rate falls on the way.
    """

    is_adam: bool
    params: tuple[str, ...]
    grads: tuple[str, ...]
    rate: str
    options: tuple[tuple[str, str], ...] | None = None
    kind: Slip = RIGHT

    def options_in(self, case: Case) -> tuple[Any, ...]:
        """The options in a case, in the order in which the formula takes them."""
        if self.options is None:
            options = case.constants.get("options")
            return options if isinstance(options, tuple) else ()
        given = {role: case.number(name) for role, name in self.options}
        if not self.is_adam:
            return tuple(given.get(role, 0.0) for role in SGD_OPTIONS)
        betas = given.get("first", 0.9), given.get("second", 0.999)
        return betas, given.get("eps", 1e-8), given.get("weight_decay", 0.0)


def named(*, is_adam: bool) -> Roles:
    """The roles of ``p``, ``q`` and ``r``, with ``p_grads`` and so on, ``lr`` and ``options``."""
    return Roles(is_adam, ("p", "q", "r"), ("p_grads", "q_grads", "r_grads"), "lr")


def candidates(exercise: Exercise, case: Case) -> Iterator[Roles]:
    """All roles that the inputs can have; none where no parameter has gradients."""
    dims = {name: sampler.dims for name, sampler in exercise.inputs.items() if sampler.kind == "float"}
    found = {
        name: next((other for other in dims if len(dims[other]) == len(own) + 1 and dims[other][1:] == own), "")
        for name, own in dims.items()
        if name in exercise.in_place
    }
    floats = [name for name, value in case.constants.items() if type(value) is float]
    if not found or not all(found.values()):
        return
    for rate in floats:
        others = [name for name in floats if name != rate]
        for is_adam, places in ((False, SGD_OPTIONS), (True, _OF_ADAM)):
            for order in permutations(places, len(others)) if len(others) <= len(places) else ():
                for kind in _KINDS[is_adam]:
                    options = tuple(zip(order, others, strict=True))
                    yield Roles(is_adam, (*found,), (*found.values(),), rate, options, kind)
