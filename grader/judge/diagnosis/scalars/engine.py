"""A scalar autograd engine into which single mistakes can be built."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from types import CodeType
from typing import Any

#: Of the operands (the second is 0 where there is none) and, for a slope, of the result.
Value = Callable[[float, float], float]
Slope = Callable[[float, float, float], float]

VALUES: Mapping[str, Value] = {
    "add": lambda x, y: x + y,
    "mul": lambda x, y: x * y,
    "sub": lambda x, y: x - y,
    "div": lambda x, y: x / y,
    "neg": lambda x, y: -x,
    "pow": lambda x, y: x**y,
    "rpow": lambda x, y: x**y,
    "relu": lambda x, y: max(x, 0.0),
    "tanh": lambda x, y: math.tanh(x),
    "exp": lambda x, y: math.exp(x),
    "log": lambda x, y: math.log(x),
}
_POWER: tuple[Slope, ...] = (lambda x, y, out: y * x ** (y - 1), lambda x, y, out: out * math.log(x))
#: ``rpow`` is a plain number to the power of a node.
SLOPES: Mapping[str, tuple[Slope, ...]] = {
    "add": (lambda x, y, out: 1.0, lambda x, y, out: 1.0),
    "mul": (lambda x, y, out: y, lambda x, y, out: x),
    "sub": (lambda x, y, out: 1.0, lambda x, y, out: -1.0),
    "div": (lambda x, y, out: 1 / y, lambda x, y, out: -x / y**2),
    "neg": (lambda x, y, out: -1.0,),
    "pow": _POWER,
    "rpow": _POWER,
    "relu": (lambda x, y, out: float(x > 0),),
    "tanh": (lambda x, y, out: 1 - out**2,),
    "exp": (lambda x, y, out: out,),
    "log": (lambda x, y, out: 1 / x,),
}


@dataclass(frozen=True, slots=True, eq=False)
class Engine:
    """How a scalar engine works, each step of which may be wrong.

    ``own`` are the operations of negation, subtraction and division that are not put together from others, ``values``
    and ``slopes`` replace the usual ones, ``swapped`` have their operands the wrong way round where a number is on the
    left; with ``adds``, what is taken from a node is added to it. The gradients of operations in ``unweighted`` lack
    the factor that arrives; what operations pass on to their operands in the places of ``assigned`` (0 and 1) is
    written over what is there, and with ``clears`` a walk begins by setting all that it visits to ``initial``. With
    ``last_first`` the walk visits the last operand before the first, with ``number_first`` a number on the left stays
    there in a sum or a product, with ``number_last`` one of a difference or a quotient does not. ``by_logarithm`` are
    the powers put together from a logarithm, a product and an exponential: ``pow`` of two nodes, ``rpow`` of a plain
    number; with ``logarithm_first`` that is the first factor. Each gradient begins as ``initial``.
    """

    own: frozenset[str] = frozenset()
    values: Mapping[str, Value] = field(default_factory=dict)
    slopes: Mapping[str, tuple[Slope, ...]] = field(default_factory=dict)
    swapped: frozenset[str] = frozenset()
    adds: bool = False
    unweighted: frozenset[str] = frozenset()
    assigned: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    walk: str = "sorted"
    last_first: bool = False
    number_first: bool = False
    number_last: bool = False
    by_logarithm: frozenset[str] = frozenset()
    logarithm_first: bool = False
    seed: Callable[[float], float] = lambda data: 1.0
    initial: float = 0.0
    clears: bool = False

    def gradients(self, formula: str, *numbers: float, again: bool = False) -> tuple[float, list[float]]:
        """The value of a formula of ``a``, ``b`` and the number ``x``, and the gradients of ``a`` and ``b``.

        With ``again`` those of their product come behind it, and add to them.
        """
        leaves = [Node(self, number) for number in numbers]
        names = {**dict(zip("ab", leaves, strict=True)), "x": numbers[0]}
        out = eval(_compiled(formula), names)  # noqa: S307 - the course's own formula
        out.backward()
        if again:
            (leaves[0] * leaves[1]).backward()
        return out.data, [leaf.grad for leaf in leaves]

    def made(self, operation: str, left: Any, right: Any = 0.0) -> Node:
        """The node of an operation on nodes and plain numbers."""
        x, y = (each.data if isinstance(each, Node) else float(each) for each in (left, right))
        out = self.values.get(operation, VALUES[operation])(x, y)
        slopes = self.slopes.get(operation, SLOPES[operation])
        weighted = operation not in self.unweighted
        passed = [
            Passed(each, slope(x, y, out), weighted, place in self.assigned.get(operation, ()))
            for place, (each, slope) in enumerate(zip((left, right), slopes, strict=False))
            if isinstance(each, Node)
        ]
        return Node(self, out, passed[::-1] if self.last_first else passed)


@dataclass(frozen=True, slots=True, eq=False)
class Passed:
    """What an operation passes on to an operand: ``slope`` times what arrives, where it is ``weighted``."""

    operand: Node
    slope: float
    weighted: bool
    assigned: bool


class Node:
    """A number of an engine that remembers how it was made."""

    def __init__(self, engine: Engine, data: float, passed: Sequence[Passed] = ()) -> None:
        self.engine, self.data, self.passed = engine, data, passed
        self.grad = engine.initial

    def backward(self) -> None:
        """Pass the gradients on, in the engine's order."""
        engine = self.engine
        visited = _WALKS[engine.walk](self)
        if engine.clears:
            for node in visited:
                node.grad = engine.initial
        self.grad = engine.seed(self.data)
        for node in visited:
            for each in node.passed:
                arrived = each.slope * (node.grad if each.weighted else 1.0)
                each.operand.grad = arrived + (0.0 if each.assigned else each.operand.grad)

    def __add__(self, other: Any) -> Node:
        return self.engine.made("add", self, other)

    def __mul__(self, other: Any) -> Node:
        return self.engine.made("mul", self, other)

    def __pow__(self, other: Any) -> Node:
        if "pow" in self.engine.by_logarithm and isinstance(other, Node):
            return self._power(other, self.engine.made("log", self))
        return self.engine.made("pow", self, other)

    def __neg__(self) -> Node:
        return self.engine.made("neg", self) if "neg" in self.engine.own else self * -1

    def __sub__(self, other: Any) -> Node:
        return self + other if self.engine.adds else self._less(self, other)

    def __truediv__(self, other: Any) -> Node:
        return self._over(self, other)

    def __radd__(self, other: float) -> Node:
        return self.engine.made("add", other, self) if self.engine.number_first else self + other

    def __rmul__(self, other: float) -> Node:
        return self.engine.made("mul", other, self) if self.engine.number_first else self * other

    def __rsub__(self, other: float) -> Node:
        return self._less(self, other) if "sub" in self.engine.swapped else self._less(other, self)

    def __rtruediv__(self, other: float) -> Node:
        return self._over(self, other) if "div" in self.engine.swapped else self._over(other, self)

    def __rpow__(self, other: float) -> Node:
        if "pow" in self.engine.swapped:
            return self**other
        if "rpow" in self.engine.by_logarithm:
            return self._power(self, math.log(other))
        return self.engine.made("rpow", other, self)

    def relu(self) -> Node:
        """The larger of this and 0."""
        return self.engine.made("relu", self)

    def tanh(self) -> Node:
        """The hyperbolic tangent."""
        return self.engine.made("tanh", self)

    def exp(self) -> Node:
        """The exponential."""
        return self.engine.made("exp", self)

    def _less(self, left: Any, right: Any) -> Node:
        own = "sub" in self.engine.own
        return self.engine.made("sub", left, right) if own else self._composed("add", left, -right)

    def _over(self, left: Any, right: Any) -> Node:
        own = "div" in self.engine.own
        return self.engine.made("div", left, right) if own else self._composed("mul", left, right**-1)

    def _power(self, exponent: Node, logarithm: Node | float) -> Node:
        first = self.engine.logarithm_first
        return self.engine.made("mul", *((logarithm, exponent) if first else (exponent, logarithm))).exp()

    def _composed(self, operation: str, left: Any, right: Any) -> Node:
        turned = self.engine.number_last and not isinstance(left, Node)
        return self.engine.made(operation, *((right, left) if turned else (left, right)))


@lru_cache(maxsize=64)
def _compiled(formula: str) -> CodeType:
    return compile(formula, "<formula>", "eval")


def _visited(node: Node, seen: set[Node] | None, *, first: bool = False) -> Iterator[Node]:
    """Each node behind those it was made from, or with ``first`` before them; once, where ``seen`` remembers them."""
    if seen is not None:
        if node in seen:
            return
        seen.add(node)
    if first:
        yield node
    for each in node.passed:
        yield from _visited(each.operand, seen, first=first)
    if not first:
        yield node


def _levels(root: Node, *, once: bool) -> list[Node]:
    found = [root]
    for node in found:
        found += [each.operand for each in node.passed if not once or each.operand not in found]
    return found


_WALKS: Mapping[str, Callable[[Node], list[Node]]] = {
    "sorted": lambda root: list(_visited(root, set()))[::-1],
    "backwards": lambda root: list(_visited(root, set())),
    "branches": lambda root: list(_visited(root, set(), first=True)),
    "levels": lambda root: _levels(root, once=True),
    "levels_again": lambda root: _levels(root, once=False),
    "branches_again": lambda root: list(_visited(root, None, first=True)),
    "sorted_again": lambda root: list(_visited(root, None))[::-1],
}
