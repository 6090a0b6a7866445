"""The right tensor times a factor: signs, zeros, twos and the sizes of the case."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import combinations
from math import prod

import torch
from torch import Tensor
from torch.nn import functional

from grader.judge.diagnosis.symptom import Symptom, View
from grader.model import Case, Diagnosis

#: A factor, which may be another in each case.
Factor = Callable[[View], float]
#: What takes a mean in a forward pass.
AVERAGING = frozenset(
    {torch.mean, Tensor.mean, functional.mse_loss, functional.l1_loss, functional.smooth_l1_loss, functional.huber_loss}
    | {functional.cross_entropy, functional.nll_loss, functional.binary_cross_entropy, functional.kl_div}
    | {functional.binary_cross_entropy_with_logits}
)
#: Entries of all cases together below which a known factor may be chance.
FEWEST = 3
#: Constant factors that mean something: a sign, a two, or both.
CONSTANTS = (-1.0, 2.0, 0.5, -2.0, -0.5)
#: Factors that stand beside another mistake: constants, and of a size its power and what that is multiplied by.
_MULTIPLES = (("the opposite of", -1.0), ("half of", 0.5), ("twice", 2.0), ("−0.5 times", -0.5), ("−2 times", -2.0))
_MULTIPLES_BY_SIZE = (
    *(("{} times", 1.0, 1.0), ("{}/2 times", 1.0, 0.5), ("−{} times", 1.0, -1.0)),
    *(("1/{} times", -1.0, 1.0), ("√{} times", 0.5, 1.0)),
)
#: The share of the right answer that rounding leaves of it.
_REST = 1e-6


def zeros(symptom: Symptom) -> Diagnosis | None:
    """Zero everywhere, but for what is left where equal numbers are taken from one another."""
    floats = all(view.finding.expected.is_floating_point() for view in symptom.views)
    left = any(float(view.actual.norm()) > _REST * float(view.expected.norm()) for view in symptom.failing)
    if floats and not left and symptom.fits(lambda view: torch.zeros_like(view.expected)):
        return symptom.say("zeros")
    return None


def sign_flipped(symptom: Symptom) -> Diagnosis | None:
    """The opposite sign."""
    return symptom.say("sign_flipped") if is_scaled(symptom, lambda view: -1.0) else None


def missing_factor_two(symptom: Symptom) -> Diagnosis | None:
    """Half of what it should be."""
    key = of_kind("missing_factor_two", symptom)
    return symptom.say(key) if is_scaled(symptom, lambda view: 0.5) else None


def extra_factor_two(symptom: Symptom) -> Diagnosis | None:
    """Twice what it should be."""
    return symptom.say("extra_factor_two") if is_scaled(symptom, lambda view: 2.0) else None


def missing_mean(symptom: Symptom) -> Diagnosis | None:
    """Too large by a factor that is a size of the case, such as n."""
    letter = letter_by(symptom, lambda size: size) or letter_by(symptom, lambda size: size, products(symptom))
    if letter is None:
        return None
    # With an upstream gradient given, there is no loss whose mean could be left out.
    given = any(view.case.upstream is not None for view in symptom.views) and symptom.is_gradient
    averages = not symptom.alternatives.called.isdisjoint(AVERAGING)
    key = "missing_mean.upstream" if averages else "missing_mean.times"
    key = of_kind("missing_mean", symptom) if averages and not given else key
    root = f"√({letter})" if "·" in letter else f"√{letter}"
    return symptom.say(key, letter=letter, root=root, size=size_of(symptom, letter))


def of_kind(code: str, symptom: Symptom) -> str:
    """The key for a code whose words differ between gradients and other values."""
    return code if symptom.is_gradient else f"{code}.value"


def is_scaled(symptom: Symptom, factor: Factor) -> bool:
    """Whether what came is ``factor`` times the right tensor in every case, in enough entries to tell."""
    entries = sum(view.expected.numel() for view in symptom.views)
    if not symptom.failing or symptom.ratios is None or entries < FEWEST:
        return False
    return all(
        ratio is None or _agree(view, ratio, factor(view))
        for view, ratio in zip(symptom.views, symptom.ratios, strict=True)
    )


def _agree(view: View, ratio: float, factor: float) -> bool:
    """Whether two factors of the right tensor differ by no more than its tolerance."""
    scale = float(view.expected.abs().max())
    return abs(ratio - factor) * scale <= view.tolerance(view.expected) * max(1.0, abs(factor))


def constantly(value: float) -> Factor:
    """The same factor in every case."""
    return lambda view: value


def by_size(letter: str, power: float = 1.0, times: float = 1.0) -> Factor:
    """A power of the size that ``letter`` stands for, times a number."""
    return lambda view: times * float(size_in(view.case, letter)) ** power


def named_factors(
    symptom: Symptom, constants: Iterable[tuple[str, float]], sizes: Iterable[tuple[str, float, float]]
) -> list[tuple[str, Factor]]:
    """Factors and their words: ``constants``, and of each letter ``sizes`` (words, power, what it is multiplied by)."""
    found = [(words, constantly(value)) for words, value in constants]
    return found + [
        (words.format(letter), by_size(letter, power, times))
        for letter in letters(symptom)
        for words, power, times in sizes
    ]


def multiples(symptom: Symptom) -> list[tuple[str, Factor]]:
    """The factors that stand beside another mistake, in words: ``half of`` what is right."""
    return named_factors(symptom, _MULTIPLES, _MULTIPLES_BY_SIZE)


def letters(symptom: Symptom) -> tuple[str, ...]:
    """The letters that every case of the check has, with more than one value among them, the batch first."""
    letters = [
        letter for letter in symptom.exercise.letters if all(letter in view.case.sizes for view in symptom.views)
    ]
    return tuple(sorted(letters, key=lambda letter: letter != symptom.exercise.batch))


def products(symptom: Symptom) -> tuple[str, ...]:
    """``n·d`` and the like: two letters and three, whose sizes are multiplied."""
    return tuple("·".join(chosen) for count in (2, 3) for chosen in combinations(letters(symptom), count))


def size_in(case: Case, letter: str) -> int:
    """The size that a letter, or a product of several, stands for in a case."""
    return prod(case.sizes[each] for each in letter.split("·"))


def letter_by(symptom: Symptom, factor: Callable[[int], float], among: Iterable[str] | None = None) -> str | None:
    """The letter, or product ``among`` some, whose size is the factor in every case; None for none or several."""
    found = [
        letter
        for letter in (letters(symptom) if among is None else among)
        if len({size_in(view.case, letter) for view in symptom.views}) > 1
        and is_scaled(symptom, lambda view: factor(size_in(view.case, letter)))
    ]
    return found[0] if len(found) == 1 else None


def size_of(symptom: Symptom, letter: str) -> int:
    """The size that a letter, or a product of several, stands for in the first case that failed."""
    return size_in(symptom.failing[0].case, letter)
