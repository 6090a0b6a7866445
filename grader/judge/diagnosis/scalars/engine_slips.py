"""The usual mistakes in a scalar engine, and the ways to build such an engine."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain, combinations

from grader.judge.diagnosis.scalars.engine import SLOPES, Engine, Slope

_NAMES = {
    "add": "`+`",
    "mul": "`*`",
    "sub": "`-`",
    "div": "`/`",
    "neg": "the negation",
    "pow": "`**`",
    "rpow": "a number to the power of a node",
    "relu": "`relu`",
    "tanh": "`tanh`",
    "exp": "`exp`",
}
#: Operations that some engines put together from others, and those of them that use a given one.
_COMPOSED = ("neg", "sub", "div")
_USERS = {"relu": (), "tanh": (), "exp": (), "rpow": (), "pow": ("div",), "div": ("div",)}
#: Operations in which a number on the left may stand first or last.
_WITH_NUMBERS = ("add", "mul")
#: The powers that may be put together from a logarithm, and so show a mistake in an operation, or do not show it;
#: mistakes in no single operation among them.
_EITHER = tuple(frozenset(powers) for powers in (("pow",), ("rpow",), ("pow", "rpow")))
_BY_LOGARITHM = {"mul": _EITHER, "exp": _EITHER, "": _EITHER, "pow": _EITHER[:1]}


@dataclass(frozen=True, eq=False)
class EngineSlip:
    """A mistake: what is wrong in words, the engine that has it and is right in all else, and the key of its words.

    ``of`` is the operation without whose own node it cannot be made.
    """

    what: str
    wrong: Engine
    of: str = ""
    key: str = "wrong_value.engine"

    @cached_property
    def ways(self) -> tuple[tuple[Engine, ...], ...]:
        """Engines with this mistake for each way to put them together: one, or one for each order that may matter.

        Which of several gradients is written last hangs on the order of the nodes, which the student's engine chooses.
        """
        if not self.wrong.assigned:
            return tuple((engine,) for engine in self._engines())
        return tuple((engine, replace(engine, last_first=True)) for engine in self._engines())

    def _engines(self) -> Iterator[Engine]:
        users = _USERS.get(self.of, _COMPOSED)
        for own in chain.from_iterable(combinations(users, count) for count in range(len(users) + 1)):
            if self.of not in _COMPOSED or self.of in own:
                engine = replace(self.wrong, own=frozenset(own))
                yield engine
                for powers in _BY_LOGARITHM.get(self.of, ()):
                    yield replace(engine, by_logarithm=powers)
                    if engine.slopes and self.of == "mul":
                        yield replace(engine, by_logarithm=powers, logarithm_first=True)
                if (engine.slopes or engine.values) and self.of in _WITH_NUMBERS:
                    yield from (replace(engine, number_first=True), replace(engine, number_last=True))
                if engine.walk != "sorted":
                    yield replace(engine, last_first=True)


def _slope(operation: str, what: str, *slopes: Slope, key: str = "wrong_value.engine") -> EngineSlip:
    """Other derivatives than the right ones; what is not given stays."""
    return EngineSlip(what, Engine(slopes={operation: (*slopes, *SLOPES[operation][len(slopes) :])}), operation, key)


def _second(operation: str, what: str, slope: Slope) -> EngineSlip:
    """Another derivative of the second operand."""
    return _slope(operation, what, SLOPES[operation][0], slope)


def _turned(operation: str, sign: str, value: Callable[[float, float], float]) -> EngineSlip:
    """The operands the other way round, forward and back."""
    first, second = SLOPES[operation]
    slopes = (lambda x, y, out: second(y, x, out), lambda x, y, out: first(y, x, out))
    engine = Engine(values={operation: value}, slopes={operation: slopes})
    return EngineSlip(f"x {sign} y gives y {sign} x", engine, operation)


def _leaky(x: float, y: float) -> float:
    return x if x > 0 else 0.01 * x


_ALL = frozenset(SLOPES)
#: The operands that an operation of one or of two may write over.
_BOTH = (0, 1)
_PLACES = {1: ((0,),), 2: (_BOTH, (0,), (1,))}
SLIPS: tuple[EngineSlip, ...] = (
    EngineSlip("", Engine(seed=lambda data: 0.0), key="zeros.seed"),
    _slope("relu", "", lambda x, y, out: 1.0, key="mask_missing"),
    _slope("relu", "", lambda x, y, out: float(x <= 0), key="mask_inverted"),
    _slope("relu", "", lambda x, y, out: float(x >= 0), key="mask_at_zero"),
    EngineSlip("", Engine(seed=lambda data: data), key="wrong_value.seed"),
    EngineSlip("2", Engine(seed=lambda data: 2.0), key="wrong_value.seed_number"),
    EngineSlip("−1", Engine(seed=lambda data: -1.0), key="wrong_value.seed_number"),
    *(
        EngineSlip(
            "relu gives back what comes in, negative numbers too",
            Engine(values={"relu": lambda x, y: x}, slopes={"relu": (slope,)}),
            "relu",
        )
        for slope in (SLOPES["relu"][0], lambda x, y, out: 1.0)
    ),
    EngineSlip("every gradient begins at 1, and not at 0", Engine(initial=1.0)),
    EngineSlip("", Engine(clears=True), key="overwritten.backward"),
    *(
        EngineSlip(
            f"{name} does not multiply by the gradient that arrives at its result",
            Engine(unweighted=frozenset({operation})),
            operation,
        )
        for operation, name in _NAMES.items()
    ),
    EngineSlip(
        "`**` does not multiply by the gradient that arrives at its result",
        Engine(unweighted=frozenset({"pow", "rpow"})),
        "pow",
    ),
    EngineSlip("no operation multiplies by the gradient that arrives at its result", Engine(unweighted=_ALL)),
    *(
        EngineSlip(name, Engine(assigned={operation: places}), operation, key="overwritten.engine")
        for operation, name in _NAMES.items()
        for places in _PLACES[len(SLOPES[operation])]
    ),
    EngineSlip("`**`", Engine(assigned={"pow": _BOTH, "rpow": _BOTH}), "pow", key="overwritten.engine"),
    EngineSlip("`+` and `*` each", Engine(assigned={"add": _BOTH, "mul": _BOTH}), key="overwritten.engine"),
    EngineSlip("every operation", Engine(assigned=dict.fromkeys(SLOPES, _BOTH)), key="overwritten.engine"),
    _second("add", "`+` passes nothing on to its second operand", lambda x, y, out: 0.0),
    _slope("add", "`+` passes nothing on to its first operand", lambda x, y, out: 0.0),
    _second("mul", "`*` passes nothing on to its second operand", lambda x, y, out: 0.0),
    _slope("mul", "`*` passes nothing on to its first operand", lambda x, y, out: 0.0),
    _slope("mul", "each factor of `*` gets its own value, not that of the other", *reversed(SLOPES["mul"])),
    _slope("mul", "the first factor of `*` gets its own value, not that of the other", SLOPES["mul"][1]),
    _second("mul", "the second factor of `*` gets its own value, not that of the other", SLOPES["mul"][0]),
    _slope("mul", "both factors of `*` get a derivative of 1", *SLOPES["add"]),
    _slope("sub", "`-` passes the gradient on to both operands with the same sign", *SLOPES["add"]),
    _slope("neg", "the negation passes the gradient on without its minus", lambda x, y, out: 1.0),
    _slope("neg", "the negation passes nothing on", lambda x, y, out: 0.0),
    EngineSlip("−x gives x", Engine(values={"neg": lambda x, y: x}, slopes={"neg": (lambda x, y, out: 1.0,)}), "neg"),
    _second("div", "the divisor of x/y gets x/y² without the minus", lambda x, y, out: x / y**2),
    _second("div", "the divisor of x/y gets −x/y, without the square", lambda x, y, out: -x / y),
    _second("div", "the divisor of x/y gets −1/y², without the x", lambda x, y, out: -1 / y**2),
    _second("div", "the divisor of x/y gets 1/x", lambda x, y, out: 1 / x),
    _second("div", "the divisor of x/y gets nothing", lambda x, y, out: 0.0),
    _slope("div", "x gets y in x/y, in place of 1/y", lambda x, y, out: y),
    _slope("pow", "the exponent is not lowered: xⁿ goes back as n·xⁿ", lambda x, y, out: y * x**y),
    _slope(
        "pow",
        "1 is taken from the power, not from its exponent: xⁿ goes back as n·xⁿ − 1",
        lambda x, y, out: y * x**y - 1,
    ),
    _slope(
        "pow",
        "1 is taken from the power, not from its exponent: xⁿ goes back as n·(xⁿ − 1)",
        lambda x, y, out: y * (x**y - 1),
    ),
    _slope("pow", "the factor n is missing: xⁿ goes back as xⁿ⁻¹", lambda x, y, out: x ** (y - 1)),
    _slope(
        "pow", "n − 1 stands for the factor n: xⁿ goes back as (n − 1)·xⁿ⁻¹", lambda x, y, out: (y - 1) * x ** (y - 1)
    ),
    _slope("pow", "factor and exponent are mixed up: xⁿ goes back as (n − 1)·xⁿ", lambda x, y, out: (y - 1) * x**y),
    _slope("pow", "xⁿ goes back as 2·x, whatever n is", lambda x, y, out: 2 * x),
    _slope("pow", "xⁿ goes back as n·x", lambda x, y, out: y * x),
    _second("rpow", "the exponent n of xⁿ gets xⁿ, without the logarithm of x", lambda x, y, out: out),
    _second("rpow", "the exponent n of xⁿ gets n·xⁿ⁻¹, as x does", SLOPES["rpow"][0]),
    _second("rpow", "the exponent n of xⁿ gets x·nˣ⁻¹", lambda x, y, out: y * x ** (y - 1)),
    _second("rpow", "an exponent gets no gradient", lambda x, y, out: 0.0),
    _second("pow", "an exponent that is a node gets no gradient", lambda x, y, out: 0.0),
    _second("pow", "the exponent n of xⁿ gets xⁿ, without the logarithm of x", lambda x, y, out: out),
    EngineSlip(
        "a base gets no gradient where the exponent is a node, for its logarithm is a plain number",
        Engine(by_logarithm=frozenset({"pow"}), slopes={"log": (lambda x, y, out: 0.0,)}),
        "rpow",
    ),
    _second("rpow", "the exponent n of xⁿ gets the logarithm of x, without xⁿ", lambda x, y, out: math.log(x)),
    _second("pow", "the exponent n of xⁿ gets the logarithm of x, without xⁿ", lambda x, y, out: math.log(x)),
    *(
        _slope(operation, f"`{operation}` passes nothing on", lambda x, y, out: 0.0)
        for operation in ("relu", "tanh", "exp")
    ),
    _slope("tanh", "the square is missing: tanh goes back as 1 − tanh", lambda x, y, out: 1 - out),
    _slope("tanh", "tanh goes back as 1 − x², of its input in place of its result", lambda x, y, out: 1 - x**2),
    _slope("tanh", "tanh goes back as t·(1 − t), which is the sigmoid's derivative", lambda x, y, out: out * (1 - out)),
    _slope("tanh", "tanh goes back as −tanh²: the 1 is left out", lambda x, y, out: -(out**2)),
    _slope("tanh", "tanh goes back as tanh², in place of 1 − tanh²", lambda x, y, out: out**2),
    _slope("tanh", "tanh goes back as 1 + tanh²", lambda x, y, out: 1 + out**2),
    _slope("tanh", "tanh goes back as tanh² − 1, with the opposite sign", lambda x, y, out: out**2 - 1),
    _slope("tanh", "tanh goes back as tanh, in place of its derivative", lambda x, y, out: out),
    _slope("exp", "exp goes back as its input x, in place of its result", lambda x, y, out: x),
    _slope("exp", "exp goes back as x·eˣ⁻¹, as if it were a power of x", lambda x, y, out: x * math.exp(x - 1)),
    _slope("exp", "exp goes back with a derivative of 1", lambda x, y, out: 1.0),
    _slope("exp", "exp goes back as x·eˣ", lambda x, y, out: x * out),
    _slope("relu", "relu goes back as its result, in place of 1 or 0", lambda x, y, out: out),
    _slope("relu", "relu goes back as its input, in place of 1 or 0", lambda x, y, out: x),
    _slope(
        "relu", "relu lets 1 % through where it is shut, as a leaky one does", lambda x, y, out: 1.0 if x > 0 else 0.01
    ),
    *(
        EngineSlip(what, Engine(values={"relu": _leaky}, slopes={"relu": (slope,)}), "relu")
        for what, slope in (
            ("relu lets 1 % through where it is shut, as a leaky one does", lambda x, y, out: 1.0 if x > 0 else 0.01),
            ("relu gives 1 % of what is negative, as a leaky one does, and goes back as it should", SLOPES["relu"][0]),
        )
    ),
    _slope("relu", "relu goes back as −1 where it has to be 0", lambda x, y, out: 1.0 if x > 0 else -1.0),
    EngineSlip("a number less a node gives the node less the number", Engine(swapped=frozenset({"sub"}))),
    EngineSlip("a number over a node gives the node over the number", Engine(swapped=frozenset({"div"}))),
    EngineSlip(
        "a number to the power of a node gives the node to the power of the number", Engine(swapped=frozenset({"pow"}))
    ),
    EngineSlip("x − y gives x + y", Engine(values={"sub": lambda x, y: x + y}, slopes={"sub": SLOPES["add"]}), "sub"),
    EngineSlip("x − y gives x + y", Engine(adds=True)),
    _turned("sub", "−", lambda x, y: y - x),
    _turned("div", "/", lambda x, y: y / x),
    *(
        EngineSlip(
            f"{name} gives its {place} operand alone",
            Engine(values={operation: value}),
            operation,
            key="wrong_value.engine.value",
        )
        for operation, name in (("add", "`+`"), ("mul", "`*`"))
        for place, value in (("first", lambda x, y: x), ("second", lambda x, y: y))
    ),
    EngineSlip("", Engine(walk="backwards"), key="wrong_value.walk_backwards"),
    *(EngineSlip("", Engine(walk=walk), key="wrong_value.walk_early") for walk in ("branches", "levels")),
    *(
        EngineSlip("", Engine(walk=walk), key="wrong_value.walk_again")
        for walk in ("levels_again", "branches_again", "sorted_again")
    ),
)
