"""Attention with one of the usual mistakes: in the scores, in their softmax, or in the products around it.

What stands in their place is made anew for each reference, for some remembers what it saw.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from grader.judge.diagnosis.operations.replaced import Operation, Replacements
from grader.judge.diagnosis.operations.softmaxes import SOFTMAX, softmax_derivative, weighed

_DIVIDED = (Tensor.__truediv__, Tensor.div, Tensor.divide, torch.div, torch.divide, torch.true_divide)
_TIMES = (Tensor.__mul__, Tensor.__rmul__, Tensor.mul, Tensor.multiply, torch.mul, torch.multiply)
Weights = Callable[[Tensor, int], Tensor]


def _earlier(value: Tensor) -> Tensor:
    """True at the keys up to each query's own place."""
    return torch.ones_like(value).tril().bool()


def _stopped(value: Tensor, through: Tensor) -> Tensor:
    """The numbers of ``value`` with the derivative of ``through``."""
    return value.detach() + through - through.detach()


def _zeroed(value: Tensor, axis: int) -> Tensor:
    return (value * _earlier(value)).softmax(axis)


def _cut(value: Tensor, axis: int) -> Tensor:
    return value.softmax(axis) * _earlier(value)


def _as_softmax(weights: Weights) -> Weights:
    """Weights that go back as if they came of a softmax."""
    return lambda value, axis: weighed(
        value, lambda scores: weights(scores, axis), lambda p, g: softmax_derivative(p, g, axis)
    )


def _weights(what: str, weights: Weights) -> Operation:
    """Other weights in place of a softmax of batches of scores."""

    def changed(value: Tensor, dim: int, *_: Any, **__: Any) -> Tensor:
        return weights(value, dim) if value.dim() == 3 else value.softmax(dim)

    return Operation(what, lambda: dict.fromkeys(SOFTMAX, changed))


_ZEROED = "a causal mask writes 0 over scores, which hides no key: e⁰ is 1; none is asked for"
_AFTER = "a causal mask is laid on the weights after the softmax, so that they no longer add up to 1"
_EXP = "`exp` of the scores is not divided by its sum, so that the weights do not add up to 1"
#: What stands in the place of a softmax: in words, and the weights from the scores and the axis.
WEIGHTS: tuple[Operation, ...] = (
    _weights(
        "a causal mask hides the later keys from each query, and none is asked for",
        lambda value, axis: value.masked_fill(~_earlier(value), -torch.inf).softmax(axis),
    ),
    _weights(
        "a mask hides the earlier keys from each query, a causal one the wrong way round; none is asked for",
        lambda value, axis: value.masked_fill(~_earlier(value).mT, -torch.inf).softmax(axis),
    ),
    _weights(_ZEROED, _zeroed),
    _weights(_ZEROED, _as_softmax(_zeroed)),
    _weights(_AFTER, _cut),
    _weights(_AFTER, _as_softmax(_cut)),
    _weights(_AFTER, lambda value, axis: _stopped(_cut(value, axis), value.softmax(axis))),
    _weights("there is no softmax: the scores themselves are the weights", lambda value, axis: value + 0),
    _weights(_EXP, lambda value, axis: value.exp()),
    _weights(_EXP, _as_softmax(lambda value, axis: value.exp())),
    _weights("a sigmoid of each score stands in the place of the softmax", lambda value, axis: value.sigmoid()),
    _weights(
        "a sigmoid of each score stands in the place of the softmax", _as_softmax(lambda value, axis: value.sigmoid())
    ),
)


def scores(by: Callable[[Tensor, float], float], *, kept_behind: bool = False) -> Callable[[], Replacements]:
    """A softmax whose scores are scaled by another number, which ``by`` makes of the scores and of the right one.

    With ``kept_behind`` the derivative still has the right factor.
    """

    def changed(raw: Tensor, factor: float, dim: int) -> Tensor:
        scaled = raw * by(raw, factor)
        return torch.softmax(_stopped(scaled, raw * factor) if kept_behind else scaled, dim)

    return factored(changed)


def behind(raw: Tensor, factor: float, dim: int) -> Tensor:
    """Weights that are multiplied by the factor of the scores."""
    return raw.softmax(dim) * factor


def behind_as_softmax(raw: Tensor, factor: float, dim: int) -> Tensor:
    """The same, which go back as if they came of a softmax of scores with that factor."""
    return _as_softmax(lambda value, axis: behind(value / factor, factor, axis))(raw * factor, dim)


def factored(changed: Callable[[Tensor, float, int], Tensor]) -> Callable[[], Replacements]:
    """A softmax for which something else is made of the scores, of the factor just before it, and of the axis."""

    def replacements() -> Replacements:
        made: dict[int, tuple[Tensor, Tensor, float]] = {}  # holds the results, so that their ids stay theirs

        def divide(left: Any, right: Any, **more: Any) -> Any:
            out = torch.div(left, right, **more)
            if isinstance(left, Tensor) and isinstance(right, int | float) and right and not more:
                made[id(out)] = (out, left, 1 / right)
            return out

        def multiply(left: Any, right: Any) -> Any:
            out = torch.mul(left, right)
            for value, factor in ((left, right), (right, left)):
                if isinstance(factor, int | float) and isinstance(value, Tensor):
                    made[id(out)] = (out, value, float(factor))
            return out

        def softmax(value: Tensor, dim: int, *_: Any, **__: Any) -> Tensor:
            return changed(*made.get(id(value), (value, value, 1.0))[1:], dim)

        return {**dict.fromkeys(_DIVIDED, divide), **dict.fromkeys(_TIMES, multiply), **dict.fromkeys(SOFTMAX, softmax)}

    return replacements


#: A factor of the scores that is left out or used twice, in the weights alone or in their derivative, too.
SCALES: tuple[Operation, ...] = tuple(
    Operation(what, scores(by, kept_behind=kept_behind), key=key)
    for what, key, by in (
        ("the scores are not scaled before the softmax", "wrong_value.unscaled", lambda raw, factor: 1.0),
        ("the scores are scaled twice before the softmax", "wrong_value.scaled_twice", lambda raw, factor: factor**2),
    )
    for kept_behind in (False, True)
)
#: Other factors of the scores: in words, and the factor from the scores and the right one.
FACTORS: tuple[Operation, ...] = (
    Operation(
        "the scores are divided by the root of the number of keys, in place of that of the size of a key",
        scores(lambda raw, factor: float(raw.shape[-1]) ** -0.5),
    ),
    Operation(
        "the scores are divided by the root of the number of samples, in place of that of the size of a key",
        scores(lambda raw, factor: float(raw.shape[0]) ** -0.5),
    ),
    Operation(
        "the scores are divided by the number of keys, in place of the root of the size of a key",
        scores(lambda raw, factor: 1 / raw.shape[-1]),
    ),
    Operation(
        "the scores are multiplied by the number that they have to be divided by",
        scores(lambda raw, factor: 1 / factor),
    ),
    Operation(
        "the scores are multiplied by the number that they have to be divided by, on the way forward alone",
        scores(lambda raw, factor: 1 / factor, kept_behind=True),
    ),
)


Shut = Callable[[Tensor, Tensor, Any], Tensor]


def _shut_out(filled: Shut) -> Callable[[], Replacements]:
    """Scores that are shut out in another way than by what fills them where the mask holds."""

    def attended(
        q: Tensor, k: Tensor, v: Tensor, attn_mask: Any = None, dropout_p: float = 0.0, **named: Any
    ) -> Tensor:
        if attn_mask is not None or not named.get("is_causal"):
            raise ValueError("only a causal mask is changed")
        scores = q @ k.mT * (named.get("scale") or q.shape[-1] ** -0.5)
        return filled(scores, ~_earlier(scores), -torch.inf).softmax(-1) @ v

    return lambda: {
        **dict.fromkeys((torch.masked_fill, Tensor.masked_fill), filled),
        functional.scaled_dot_product_attention: attended,
    }


_BY_ZERO = "0 stands where −∞ shuts out, which hides nothing: e⁰ is 1"
#: Another mask than the one that a forward pass lays on scores; by 0, the way back may have it or not.
SHUT_OUT: tuple[Operation, ...] = tuple(
    Operation(what, _shut_out(filled))
    for what, filled in (
        ("nothing is shut out by the mask before the softmax", lambda value, mask, fill: value),
        (
            "the mask is laid the wrong way round, from the columns to the rows",
            lambda value, mask, fill: value.masked_fill(mask.mT, fill),
        ),
        ("the mask shuts out what it has to let through", lambda value, mask, fill: value.masked_fill(~mask, fill)),
        (_BY_ZERO, lambda value, mask, fill: value.masked_fill(mask, 0.0)),
        (_BY_ZERO, lambda value, mask, fill: _stopped(value.masked_fill(mask, 0.0), value)),
    )
)
