"""The right tensor times a factor: signs, zeros, twos and the sizes of the case."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from itertools import combinations, permutations, product
from math import prod

import torch
from torch import Tensor
from torch.nn import functional

from grader.judge.diagnosis.symptom import Symptom, View
from grader.judge.diagnosis.words import wording
from grader.model import Case, Diagnosis

#: A factor, which may be another in each case.
Factor = Callable[[View], float]
#: What takes a mean in a forward pass.
_AVERAGING = frozenset(
    {torch.mean, Tensor.mean, functional.mse_loss, functional.l1_loss, functional.smooth_l1_loss, functional.huber_loss}
    | {functional.cross_entropy, functional.nll_loss, functional.binary_cross_entropy, functional.kl_div}
    | {functional.binary_cross_entropy_with_logits}
)
#: Entries that must agree on a factor before it is called one.
_ENOUGH = 4
#: Entries of all cases together below which a known factor may be chance.
_FEWEST = 3
#: Constant factors that mean something: a sign, a two, or both.
CONSTANTS = (-1.0, 2.0, 0.5, -2.0, -0.5)
#: Factors that stand beside another mistake: constants, and of a size its power and what that is multiplied by.
_MULTIPLES = (("the opposite of", -1.0), ("half of", 0.5), ("twice", 2.0), ("−0.5 times", -0.5), ("−2 times", -2.0))
_MULTIPLES_BY_SIZE = (
    *(("{} times", 1.0, 1.0), ("{}/2 times", 1.0, 0.5), ("−{} times", 1.0, -1.0)),
    *(("1/{} times", -1.0, 1.0), ("√{} times", 0.5, 1.0)),
)
#: Up to which denominator, and how near to it, a factor is shown as a fraction.
_DENOMINATOR, _CLOSE = 12, 1e-5


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
    averages = not symptom.alternatives.called.isdisjoint(_AVERAGING)
    key = "missing_mean.upstream" if averages else "missing_mean.times"
    key = of_kind("missing_mean", symptom) if averages and not given else key
    root = f"√({letter})" if "·" in letter else f"√{letter}"
    return symptom.say(key, letter=letter, root=root, size=size_of(symptom, letter))


def of_kind(code: str, symptom: Symptom) -> str:
    """The key for a code whose words differ between gradients and other values."""
    return code if symptom.is_gradient else f"{code}.value"


def scaled(symptom: Symptom) -> Diagnosis | None:
    """Some other factor: the same in every case, or a power of the case's sizes with a sign or a two."""
    if symptom.ratios is None:
        return None
    known = [(view, ratio) for view, ratio in zip(symptom.views, symptom.ratios, strict=True) if ratio is not None]
    if not known:
        return None
    # The finest dtype tells the factor best.
    _, factor = min(known, key=lambda one: one[0].tolerance(one[0].expected) / float(one[0].expected.abs().max()))
    entries = sum(int((one.expected.abs() > one.tolerance(one.expected)).sum()) for one in symptom.views)
    enough = _ENOUGH if len(symptom.views) > 1 else 2 * _ENOUGH
    if wording.number(factor) == "1":  # something else, and far smaller, is wrong
        return None
    if entries >= enough and is_scaled(symptom, lambda view: factor):
        constant = next((each for each in CONSTANTS if wording.number(each) == wording.number(factor)), 1.0)
        return _scaled(symptom, _fraction(factor), _parts(constant))
    for right, used in permutations(letters(symptom), 2):
        for constant in (1.0, *CONSTANTS):
            if is_scaled(symptom, lambda view: constant * view.case.sizes[right] / view.case.sizes[used]):
                if constant == 1:
                    return symptom.say("scaled.sizes", right=right, used=used)
                by = f"a division by {used} where one by {right} is right"
                factor_words = f"{_formula(constant, right, 1.0)}/{used}"
                return _scaled(symptom, factor_words, [*_parts(constant), by])
    for letter in letters(symptom):
        for power in (1, -1, 2, -2, 0.5, -0.5):
            for constant in (*CONSTANTS, 1.0):
                if is_scaled(symptom, lambda view: constant * float(view.case.sizes[letter]) ** power):
                    if power == 2 and not symptom.alternatives.called.isdisjoint(_AVERAGING):
                        by = f"a factor {letter} where a division by {letter} is right"
                        return _scaled(symptom, _formula(constant, letter, power), [*_parts(constant), by])
                    parts = [*_parts(constant), *_parts_of_size(letter, power)]
                    return _scaled(symptom, _formula(constant, letter, power), parts)
        if is_scaled(symptom, by_size(letter, 2.0, 0.25)):
            return symptom.say("scaled.upside_down", letter=letter)
    for letter, power, constant in product(products(symptom), (1, -1), (1.0, *CONSTANTS)):
        if is_scaled(symptom, by_size(letter, power, constant)):
            parts = [*_parts(constant), *_parts_of_size(letter, power)]
            return _scaled(symptom, _formula(constant, letter, power), parts)
    return _by_a_fixed_number(symptom, [(view.case, ratio) for view, ratio in known])


def _by_a_fixed_number(symptom: Symptom, known: list[tuple[Case, float]]) -> Diagnosis | None:
    """Divided by one number in all cases, where a size of the case belongs; or by a size, where a number does."""
    for letter in (*letters(symptom), *products(symptom)):
        case, ratio = known[0]
        share = ratio / _size(case, letter)
        several = len({_size(case, letter) for case, _ in known}) > 1
        if several and share and is_scaled(symptom, by_size(letter, times=share)):
            return symptom.say("scaled.fixed", letter=letter, used=wording.number(1 / share))
        number = ratio * _size(case, letter)
        if several and is_scaled(symptom, by_size(letter, -1.0, times=number)):
            return _scaled(symptom, _formula(number, letter, -1.0), [])
    return None


def _scaled(symptom: Symptom, factor: str, parts: list[str]) -> Diagnosis:
    """Say what the factor is, and where it is made of several, each of them."""
    if len(parts) < 2 and not any("where" in part for part in parts):
        return symptom.say("scaled", factor=factor)
    if len(parts) == 1:
        return symptom.say("scaled.part", factor=factor, part=parts[0])
    listed = f"{', '.join(parts[:-1])} and {parts[-1]}"
    return symptom.say("scaled.parts", factor=factor, parts=listed)


def _parts(constant: float) -> list[str]:
    """What a constant factor is made of, in words: a sign and a two."""
    sign = ["the opposite sign"] if constant < 0 else []
    two = {0.5: ["a missing factor of 2"], 2.0: ["a factor of 2 too many"]}
    return sign + two.get(abs(constant), [])


def _parts_of_size(letter: str, power: float) -> list[str]:
    """What a power of a size is made of, in words."""
    size = _formula(1.0, letter, abs(power))
    if power > 0:
        return [f"a missing division by {size} (or a factor {size} too many)"]
    return [f"a division by {size} too many (or a missing factor {size})"]


def _fraction(factor: float) -> str:
    """``1/3`` for 0.3333, and the number itself where its digits end.

    >>> _fraction(-0.3333333), _fraction(0.2), _fraction(1.7)
    ('-1/3', '0.2', '1.7')
    """
    near = Fraction(factor).limit_denominator(_DENOMINATOR)
    ends = Fraction(wording.number(factor)) == near
    return wording.number(factor) if ends or abs(factor - near) > _CLOSE * abs(factor) else str(near)


def one_less(symptom: Symptom) -> Diagnosis | None:
    """Divided by a size less one in the place of the size, which gives no number where the size is one."""
    for key, power in (("scaled.one_less", 1), ("averaged_instead_of_summed.one_less", 0)):
        found = [letter for letter in letters(symptom) if _is_one_less(symptom, letter, power)]
        if len(found) == 1:
            size = size_of(symptom, found[0])
            return symptom.say(key, letter=found[0], size=size, less=size - 1)
    return None


def _is_one_less(symptom: Symptom, letter: str, power: int) -> bool:
    """Whether what came is a power of a size, divided by the size less one, times the right tensor."""
    sizes = {view.case.sizes[letter] for view in symptom.failing}
    if len(sizes - {1}) < 2 or symptom.failing[0].case.sizes[letter] == 1:
        return False
    for view in symptom.views:
        size = view.case.sizes[letter]
        if not view.is_alike:
            return False
        if size > 1 and not view.is_near(view.expected * (size**power / (size - 1))):
            return False
        if size == 1 and not view.finding.passed and bool(view.actual.isfinite().any()):
            return False
    return sum(view.expected.numel() for view in symptom.failing) >= _FEWEST


def _formula(constant: float, letter: str, power: float) -> str:
    size = {0.5: f"√{letter}", 1.0: letter, 2.0: f"{letter}²"}[abs(power)]
    if power < 0:
        return f"{wording.number(constant)}/({size})" if "·" in size else f"{wording.number(constant)}/{size}"
    return {1.0: size, -1.0: f"-{size}"}.get(constant, f"{wording.number(constant)}·{size}")


def is_scaled(symptom: Symptom, factor: Factor) -> bool:
    """Whether what came is ``factor`` times the right tensor in every case, in enough entries to tell."""
    entries = sum(view.expected.numel() for view in symptom.views)
    if not symptom.failing or symptom.ratios is None or entries < _FEWEST:
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
    return lambda view: times * float(_size(view.case, letter)) ** power


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


def _size(case: Case, letter: str) -> int:
    """The size that a letter, or a product of several, stands for in a case."""
    return prod(case.sizes[each] for each in letter.split("·"))


def letter_by(symptom: Symptom, factor: Callable[[int], float], among: Iterable[str] | None = None) -> str | None:
    """The letter, or product ``among`` some, whose size is the factor in every case; None for none or several."""
    found = [
        letter
        for letter in (letters(symptom) if among is None else among)
        if len({_size(view.case, letter) for view in symptom.views}) > 1
        and is_scaled(symptom, lambda view: factor(_size(view.case, letter)))
    ]
    return found[0] if len(found) == 1 else None


def size_of(symptom: Symptom, letter: str) -> int:
    """The size that a letter, or a product of several, stands for in the first case that failed."""
    return _size(symptom.failing[0].case, letter)
