"""Softmax and cross-entropy with one of the usual mistakes, in the place of torch's own.

What stands in their place is made anew for each reference, for some remembers what it saw.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from grader.judge.diagnosis.operations.replaced import Operation, Replacements, with_backward

#: The options with which a cross-entropy is the mean over rows.
_PLAIN = {"weight": None, "reduction": "mean", "label_smoothing": 0.0, "size_average": None, "reduce": None}
#: The class of rows that do not count, where a cross-entropy is told of no other.
_IGNORED = -100
SOFTMAX = (torch.softmax, Tensor.softmax, functional.softmax)
_LOG_SOFTMAX = (torch.log_softmax, Tensor.log_softmax, functional.log_softmax)


def softmax(*, weights: int = 0, derivative: int = 0) -> Callable[[], Replacements]:
    """A softmax along another axis, counted back from its own, in the weights and in the sum of its derivative.

    Its logarithm and the cross-entropy of it, too.
    """

    def axes(value: Tensor, dim: int) -> tuple[int, int]:
        return (dim - weights) % value.dim(), (dim - derivative) % value.dim()

    def changed(value: Tensor, dim: int, *_: Any, **__: Any) -> Tensor:
        along, summed = axes(value, dim)
        return weighed(value, lambda scores: scores.softmax(along), lambda p, g: softmax_derivative(p, g, summed))

    def logarithm(value: Tensor, dim: int, *_: Any, **__: Any) -> Tensor:
        along, summed = axes(value, dim)
        return weighed(
            value, lambda scores: scores.log_softmax(along), lambda log, g: g - log.exp() * g.sum(summed, keepdim=True)
        )

    def of_columns(z: Tensor, one: Tensor, n: int) -> Tensor:  # probabilities that add up to one in each column
        return (z.softmax(0) - one) / n

    def made() -> Replacements:
        entropy = {functional.cross_entropy: _cross_entropy_with(of_columns)} if derivative == weights else {}
        return {**dict.fromkeys(SOFTMAX, changed), **dict.fromkeys(_LOG_SOFTMAX, logarithm), **entropy}

    return made


def _is_mean_over_rows(value: Tensor, targ: Tensor, options: Mapping[str, Any]) -> bool:
    """Whether a cross-entropy is called for the mean over rows, with the number of a class for each."""
    plain = all(options.get(name, usual) == usual for name, usual in _PLAIN.items())
    return plain and value.dim() == 2 and not targ.is_floating_point()


def weighed(scores: Tensor, weights: Callable[[Tensor], Tensor], rule: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """The ``weights`` of scores, whose derivative is a ``rule`` of these and of the upstream gradient."""
    return with_backward(weights, lambda upstream, out, _: rule(out, upstream), scores)


def softmax_derivative(weights: Tensor, upstream: Tensor, axis: int) -> Tensor:
    """The right derivative of a softmax along ``axis``, p · (g − Σ p · g)."""
    return weights * (upstream - (weights * upstream).sum(axis, keepdim=True))


def softmax_diagonal(weights: Tensor, upstream: Tensor) -> Tensor:
    """What is left of that derivative if each weight depended on its own score alone."""
    return weights * (1 - weights) * upstream


def _exponentials(logits: Tensor) -> Tensor:
    """The exponentials of which a stable softmax is made: the largest of each row is 1."""
    return (logits - logits.amax(1, keepdim=True)).exp()


def _shares(exponentials: Tensor) -> Tensor:
    """Each of the exponentials as a share of the sum of its row; NaN where that is 0 or infinite."""
    return exponentials / exponentials.sum(1, keepdim=True)


def _sigmoid_slope(p: Tensor, one: Tensor) -> Tensor:
    return (p - one) * p * (1 - p)


#: What a softmax whose weights depend on their own scores alone makes of the way back from −1/p.
_DIAGONAL = "as where the softmax goes back as p · (1 − p) alone"
#: How students keep a probability from 0 before they divide by it.
_FLOORS: tuple[Callable[[Tensor], Tensor], ...] = tuple(
    partial(floor, eps)
    for floor in (lambda eps, p: p + eps, lambda eps, p: p.clamp(min=eps))
    for eps in (1e-30, 1e-12, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6)
)


def _cross_entropy_with(slope: Callable[[Tensor, Tensor, int], Tensor]) -> Callable[..., Tensor]:
    def changed(value: Tensor, targ: Tensor, **options: Any) -> Tensor:
        right = functional.cross_entropy(value, targ, **options)
        if not _is_mean_over_rows(value, targ, options):
            return right
        counted = targ != options.get("ignore_index", _IGNORED)
        ones = functional.one_hot(targ[counted], value.shape[1]).to(value.dtype)
        made = torch.zeros_like(value)
        made[counted] = slope(value.detach()[counted], ones, len(ones))
        return right.detach() + ((value - value.detach()) * made).sum()

    return changed


def _cross_entropy(what: str, slope: Callable[[Tensor, Tensor, int], Tensor], code: str = "") -> Operation:
    return Operation(what, lambda: {functional.cross_entropy: _cross_entropy_with(slope)}, code)


def _probabilities(what: str, made: Callable[[Tensor], Tensor], code: str = "") -> Operation:
    """Something else in the place of the probabilities, made of the logits."""
    return _cross_entropy(what, lambda z, one, n: (made(z) - one) / n, code)


def _of_weights(what: str, slope: Callable[[Tensor, Tensor, int], Tensor]) -> Operation:
    """The same, of the probabilities in place of the logits."""
    return _cross_entropy(what, lambda z, one, n: slope(z.softmax(1), one, n))


def _softmax(what: str, rule: Callable[[Tensor, Tensor, int], Tensor]) -> Operation:
    def changed(value: Tensor, dim: int, *_: Any, **__: Any) -> Tensor:
        return weighed(value, lambda scores: scores.softmax(dim), lambda p, g: rule(p, g, dim))

    return Operation(what, lambda: dict.fromkeys(SOFTMAX, changed))


#: What is taken for the derivative of the mean cross-entropy: of the logits, a one at each target, and their number.
CROSS_ENTROPIES: tuple[Operation, ...] = (
    _cross_entropy("the 1 is not subtracted from the probability of the target", lambda z, one, n: z.softmax(1) / n),
    _cross_entropy(
        "1 is subtracted from every probability, not from that of the target alone",
        lambda z, one, n: (z.softmax(1) - 1) / n,
    ),
    _cross_entropy(
        "1 is subtracted from the classes of all targets in every row, as `p[:, targ] -= 1` does",
        lambda z, one, n: (z.softmax(1) - one.amax(0)) / n,
    ),
    _cross_entropy(
        "1 is subtracted from whole rows, those whose numbers are among the targets, as `p[targ] -= 1` does",
        lambda z, one, n: (z.softmax(1) - functional.pad(one.amax(0), (0, n))[:n, None]) / n,
    ),
    _cross_entropy(
        "1 is added to the probability of the target, in place of being subtracted",
        lambda z, one, n: (z.softmax(1) + one) / n,
    ),
    _cross_entropy(
        "the probabilities are divided by the number of rows before the 1 is subtracted, which so is not divided",
        lambda z, one, n: z.softmax(1) / n - one,
    ),
    _cross_entropy(
        "the 1 is divided by the number of rows before it is subtracted, and the probabilities are not",
        lambda z, one, n: z.softmax(1) - one / n,
    ),
    _cross_entropy(
        "the division by the number of rows stands inside of the loop over them, and is done once for each",
        lambda z, one, n: z.softmax(1) / n**n - one / (n ** torch.arange(n, 0, -1, dtype=z.dtype))[:, None],
    ),
    _cross_entropy(
        "−1 is written over the probability of the target, and not 1 subtracted from it",
        lambda z, one, n: (z.softmax(1) * (1 - one) - one) / n,
    ),
    _cross_entropy(
        "1 is subtracted where the logit is largest, and not at the target",
        lambda z, one, n: (z.softmax(1) - functional.one_hot(z.argmax(1), z.shape[1])) / n,
    ),
    _cross_entropy(
        "1 is subtracted at the class before the target, as with `targ - 1`, where classes count from 0",
        lambda z, one, n: (z.softmax(1) - one.roll(-1, 1)) / n,
    ),
    _probabilities(
        "the largest logit of each column is subtracted before the exponentials, and not that of each row",
        lambda z: _shares((z - z.amax(0)).float().exp().double()),
    ),
    _probabilities(
        "the NaN of exponentials that overflow are replaced by 0, as by `nan_to_num`: nothing overflows where the "
        "largest logit of the row is subtracted before",
        lambda z: _shares(z.float().exp().double()).nan_to_num(0.0),
    ),
    _cross_entropy(
        "the probabilities are left out, and only the 1 of the target is subtracted", lambda z, one, n: -one / n
    ),
    _probabilities("a sigmoid of each logit alone stands in the place of the softmax", torch.sigmoid),
    _cross_entropy(
        f"only the entries of the targets get a value, and the probabilities of the others are left out, {_DIAGONAL}",
        lambda z, one, n: (z.softmax(1) - one) * one / n,
    ),
    *(
        _of_weights(
            f"only the entries of the targets get a value, {_DIAGONAL}, with a small number that keeps from 0 what is "
            "divided by",
            partial(lambda floor, p, one, n: softmax_diagonal(p, -one / floor(p)) / n, floor),
        )
        for floor in _FLOORS
    ),
    *(
        _of_weights(
            "a small number keeps from 0 the p that is divided by, as in −1/(p + 1e-12), which makes a difference "
            "where p is as small",
            partial(lambda floor, p, one, n: softmax_derivative(p, -one / floor(p), 1) / n, floor),
        )
        for floor in _FLOORS
    ),
    _cross_entropy(
        "the difference is multiplied by p · (1 − p), which is the derivative of a sigmoid",
        lambda z, one, n: _sigmoid_slope(z.softmax(1), one) / n,
    ),
    _cross_entropy(
        "the difference is multiplied by 2 · p · (1 − p), as for the square of a sigmoid's error",
        lambda z, one, n: 2 * _sigmoid_slope(z.softmax(1), one) / n,
    ),
    _of_weights(
        "p − 1 at the target, p elsewhere, goes back through the softmax once more, whose derivative is in it already",
        lambda p, one, n: softmax_derivative(p, (p - one) / n, 1),
    ),
    _cross_entropy(
        "the derivative p − 1 at the target, p elsewhere, is multiplied by p once more",
        lambda z, one, n: z.softmax(1) * (z.softmax(1) - one) / n,
    ),
    _cross_entropy(
        "p · (1 − p) is taken for the derivative, which is p − 1 at the target and p elsewhere",
        lambda z, one, n: z.softmax(1) * (1 - z.softmax(1)) / n,
    ),
    _cross_entropy(
        "the loss of each class, −log p, stands in the place of its derivative", lambda z, one, n: -z.log_softmax(1) / n
    ),
    _cross_entropy(
        "the numbers of the classes are subtracted, in place of a 1 at the class of that number",
        lambda z, one, n: (z.softmax(1) - one.argmax(1)[:, None]) / n,
    ),
    _probabilities(
        "the logits stand in the place of the probabilities, without a softmax", lambda z: z, "wrong_operand"
    ),
    _probabilities(
        "logarithms of the probabilities stand in the place of the probabilities", lambda z: z.log_softmax(1)
    ),
    _probabilities(
        "the softmax is taken over all entries at once, not row by row", lambda z: z.flatten().softmax(0).view_as(z)
    ),
    _probabilities("the exponentials are not divided by their sum", _exponentials),
    _probabilities(
        "the exponentials are divided by the sum of all of them, not by that of their row",
        lambda z: _exponentials(z) / _exponentials(z).sum(),
    ),
    _probabilities(
        "the exponentials are divided by the sum of their column, not by that of their row",
        lambda z: _exponentials(z) / _exponentials(z).sum(0),
    ),
    _probabilities(
        "the softmax is taken twice, of the logits and of their probabilities", lambda z: z.softmax(1).softmax(1)
    ),
    *(
        _cross_entropy(
            f"the way back ends at the probabilities, −1/(p + {eps:g}) at the target, "
            "and does not go on through the softmax",
            partial(lambda eps, z, one, n: -one / (z.softmax(1) + eps) / n, eps),
        )
        for eps in (1e-12, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5)
    ),
    *(
        _probabilities(
            f"the logits are divided by {by:g} before the softmax, by a temperature that the formula does not have",
            partial(lambda by, z: (z / by).softmax(1), by),
        )
        for by in (0.5, 2.0, 5.0, 10.0)
    ),
    *(
        _cross_entropy(
            f"the targets are smoothed: {share:g} of each 1 is spread over all classes, which is not asked for",
            partial(lambda s, z, one, n: (z.softmax(1) - one * (1 - s) - s / one.shape[1]) / n, share),
        )
        for share in (0.05, 0.1, 0.2)
    ),
    _cross_entropy(
        "the way back ends at the probabilities, −y/p, and does not go on through the softmax",
        lambda z, one, n: -one / z.softmax(1).float().double() / n,  # 0 where a student's are, too
    ),
    _cross_entropy(
        "the way back ends at the probabilities, −1/p at the target, and does not go on through the softmax",
        lambda z, one, n: torch.where(one > 0, -1 / z.softmax(1), 0.0) / n,
    ),
)


#: What is taken for the derivative of a softmax: of its weights, the upstream gradient, and the axis.
SOFTMAXES: tuple[Operation, ...] = (
    _softmax("the way back leaves out the softmax", lambda p, g, axis: g),
    _softmax("the sum is left out of the derivative of the softmax, p · (g − Σ p · g)", lambda p, g, axis: p * g),
    _softmax(
        "the factor p reaches the first term alone in the derivative of the softmax, as p · g − Σ p · g",
        lambda p, g, axis: p * g - (p * g).sum(axis, keepdim=True),
    ),
    _softmax(
        "p · (1 − p) is taken for the derivative of the softmax, as if each weight depended on its own score alone",
        lambda p, g, axis: softmax_diagonal(p, g),
    ),
    _softmax(
        "a mean stands in the place of the sum in the derivative of the softmax, p · (g − Σ p · g)",
        lambda p, g, axis: p * (g - (p * g).mean(axis, keepdim=True)),
    ),
    _softmax(
        "the weights p are left out of the sum in the derivative of the softmax, p · (g − Σ p · g)",
        lambda p, g, axis: p * (g - g.sum(axis, keepdim=True)),
    ),
    _softmax(
        "the sum is added in place of being subtracted in the derivative of the softmax, p · (g − Σ p · g)",
        lambda p, g, axis: p * (g + (p * g).sum(axis, keepdim=True)),
    ),
    _softmax(
        "the sum in the derivative of the softmax, p · (g − Σ p · g), runs over all entries, not along the axis",
        lambda p, g, axis: p * (g - (p * g).sum()),
    ),
    _softmax(
        "the factor p in front is left out of the derivative of the softmax, p · (g − Σ p · g)",
        lambda p, g, axis: g - (p * g).sum(axis, keepdim=True),
    ),
)


def _logarithm(what: str, rule: Callable[[Tensor, Tensor, Callable[[Tensor], Tensor]], Tensor]) -> Operation:
    """A log-softmax with what ``rule`` makes of itself, of the upstream gradient and of sums along its axis."""

    def changed(value: Tensor, dim: int, *_: Any, **__: Any) -> Tensor:
        total = partial(torch.sum, dim=dim, keepdim=True)
        return with_backward(lambda scores: scores.log_softmax(dim), lambda g, log, _: rule(log, g, total), value)

    return Operation(what, lambda: dict.fromkeys(_LOG_SOFTMAX, changed))


_OF_LOG = "in the derivative of the log-softmax, g − p · Σ g"
#: What is taken for the derivative of a log-softmax.
LOG_SOFTMAXES: tuple[Operation, ...] = (
    _logarithm(f"the sum is left out {_OF_LOG}", lambda log, g, total: g - log.exp()),
    _logarithm(f"the sum is left out, and g stands in its place, {_OF_LOG}", lambda log, g, total: g - log.exp() * g),
    _logarithm(
        f"the sum is added in place of being subtracted {_OF_LOG}", lambda log, g, total: g + log.exp() * total(g)
    ),
    _logarithm(
        f"the output itself stands in the place of its exp, p, {_OF_LOG}", lambda log, g, total: g - log * total(g)
    ),
    _logarithm(
        f"p is multiplied into the sum once more {_OF_LOG}", lambda log, g, total: g - log.exp() * total(log.exp() * g)
    ),
    _logarithm(f"p is left out in front of the sum {_OF_LOG}", lambda log, g, total: g - total(g)),
    _logarithm(
        "the derivative p · (g − Σ p · g) of the softmax stands in the place of that of its logarithm, g − p · Σ g",
        lambda log, g, total: log.exp() * (g - total(log.exp() * g)),
    ),
)
