"""What the inputs of an exercise are to an optimizer that is driven through given gradients, whatever they are called.

A parameter has its gradients, one a step, in an input with one axis more; plain floats are the rate and the options.
Which is which, ``candidates`` leave open: the right ones are those under which the formula gives what is expected.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations
from typing import Any

from grader.judge.diagnosis.steps.switches import Slip, Switch
from grader.model import Case, Exercise

#: What a float can be besides the rate, in SGD's formula and in Adam's.
_OF_SGD, _OF_ADAM = ("momentum", "dampening", "weight_decay"), ("first", "second", "eps", "decay")
#: Changes that make another optimizer of each: with weight decay apart from the gradient; Adam as RMSprop.
_KINDS: dict[bool, tuple[tuple[Switch, ...], ...]] = {
    False: ((), ("decoupled",)),
    True: ((), ("decoupled",), ("plain_gradient", "raw_square")),
}


@dataclass(frozen=True, slots=True)
class Roles:
    """Parameters and their gradients by name, the rate, and which float is which option.

    ``averaged`` is Adam's formula, in place of SGD's; ``kind`` are the switches that make another optimizer of it.
    """

    averaged: bool
    params: tuple[str, ...]
    grads: tuple[str, ...]
    rate: str
    options: tuple[tuple[str, str], ...] = ()
    kind: tuple[Switch, ...] = ()

    def options_in(self, case: Case) -> tuple[Any, ...]:
        """The options in a case, in the order in which the formula takes them."""
        given = {role: case.number(name) for role, name in self.options}
        if not self.averaged:
            return tuple(given.get(role, 0.0) for role in _OF_SGD)
        return (given.get("first", 0.9), given.get("second", 0.999)), given.get("eps", 1e-8)

    def with_kind(self, slip: Slip, case: Case) -> Slip:
        """A mistake in this kind of optimizer."""
        switches: dict[Switch, Any] = dict.fromkeys(self.kind, True)
        if (decay := dict(self.options).get("decay")) is not None:
            switches["decay"] = case.number(decay)
        return Slip(slip.key, slip.what, {**switches, **slip.switches})


@dataclass(frozen=True, slots=True)
class Named(Roles):
    """The roles that names tell: three parameters, the options in a tuple, and a rate that falls."""

    def options_in(self, case: Case) -> Any:
        """The options as they are given."""
        return case.constants.get("options", ())

    def with_kind(self, slip: Slip, case: Case) -> Slip:
        """The mistake itself."""
        return slip


def named(*, averaged: bool) -> Named:
    """The roles of ``p``, ``q`` and ``r``, with ``p_grads`` and so on, ``lr`` and ``options``."""
    return Named(averaged, ("p", "q", "r"), ("p_grads", "q_grads", "r_grads"), "lr")


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
        for averaged, places in ((False, _OF_SGD), (True, _OF_ADAM)):
            for order in permutations(places, len(others)) if len(others) <= len(places) else ():
                for kind in _KINDS[averaged]:
                    options = tuple(zip(order, others, strict=True))
                    yield Roles(averaged, (*found,), (*found.values(),), rate, options, kind)
