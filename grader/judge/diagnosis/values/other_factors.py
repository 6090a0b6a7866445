"""The right tensor times a factor that has no name of its own: a number, a power of sizes, a quotient of two."""

from __future__ import annotations

from fractions import Fraction
from itertools import permutations, product

from grader.judge.diagnosis.symptom import Symptom
from grader.judge.diagnosis.values.factors import (
    AVERAGING,
    CONSTANTS,
    FEWEST,
    by_size,
    is_scaled,
    letters,
    products,
    size_in,
    size_of,
)
from grader.judge.diagnosis.words import wording
from grader.model import Case, Diagnosis

#: Entries that must agree on a factor before it is called one.
_ENOUGH = 4
#: Up to which denominator, and how near to it, a factor is shown as a fraction.
_DENOMINATOR, _CLOSE = 12, 1e-5


def scaled(symptom: Symptom) -> Diagnosis | None:
    """Some other factor: the same in every case, or a power of the case's sizes with a sign or a two."""
    if symptom.ratios is None:
        return None
    known = [(view, ratio) for view, ratio in zip(symptom.views, symptom.ratios, strict=True) if ratio is not None]
    if not known:
        return None
    # The finest dtype tells the factor best.
    _, factor = min(known, key=lambda one: one[0].tolerance(one[0].expected) / float(one[0].expected.abs().max()))
    if wording.number(factor) == "1":  # something else, and far smaller, is wrong
        return None
    return (
        _by_constant(symptom, factor)
        or _by_quotient(symptom)
        or _by_power(symptom)
        or _by_product(symptom)
        or _by_a_fixed_number(symptom, [(view.case, ratio) for view, ratio in known])
    )


def _by_constant(symptom: Symptom, factor: float) -> Diagnosis | None:
    """The same factor in every case."""
    entries = sum(int((one.expected.abs() > one.tolerance(one.expected)).sum()) for one in symptom.views)
    enough = _ENOUGH if len(symptom.views) > 1 else 2 * _ENOUGH
    if entries < enough or not is_scaled(symptom, lambda view: factor):
        return None
    constant = next((each for each in CONSTANTS if wording.number(each) == wording.number(factor)), 1.0)
    return _scaled(symptom, _fraction(factor), _parts(constant))


def _by_quotient(symptom: Symptom) -> Diagnosis | None:
    """Divided by one size, where a division by another is right."""
    for (right, used), constant in product(permutations(letters(symptom), 2), (1.0, *CONSTANTS)):
        if not is_scaled(symptom, lambda view: constant * view.case.sizes[right] / view.case.sizes[used]):
            continue
        if constant == 1:
            return symptom.say("scaled.sizes", right=right, used=used)
        by = f"a division by {used} where one by {right} is right"
        return _scaled(symptom, f"{_formula(constant, right, 1.0)}/{used}", [*_parts(constant), by])
    return None


def _by_power(symptom: Symptom) -> Diagnosis | None:
    """A power of one size, or that size where a division by it is right."""
    for letter in letters(symptom):
        for power, constant in product((1, -1, 2, -2, 0.5, -0.5), (*CONSTANTS, 1.0)):
            if is_scaled(symptom, by_size(letter, power, constant)):
                parts = _parts_of_size(letter, power)
                if power == 2 and not symptom.alternatives.called.isdisjoint(AVERAGING):
                    parts = [f"a factor {letter} where a division by {letter} is right"]
                return _scaled(symptom, _formula(constant, letter, power), [*_parts(constant), *parts])
        if is_scaled(symptom, by_size(letter, 2.0, 0.25)):
            return symptom.say("scaled.upside_down", letter=letter)
    return None


def _by_product(symptom: Symptom) -> Diagnosis | None:
    """Multiplied or divided by several sizes."""
    for letter, power, constant in product(products(symptom), (1, -1), (1.0, *CONSTANTS)):
        if is_scaled(symptom, by_size(letter, power, constant)):
            parts = [*_parts(constant), *_parts_of_size(letter, power)]
            return _scaled(symptom, _formula(constant, letter, power), parts)
    return None


def _by_a_fixed_number(symptom: Symptom, known: list[tuple[Case, float]]) -> Diagnosis | None:
    """Divided by one number in all cases, where a size of the case belongs; or by a size, where a number does."""
    for letter in (*letters(symptom), *products(symptom)):
        case, ratio = known[0]
        share = ratio / size_in(case, letter)
        several = len({size_in(case, letter) for case, _ in known}) > 1
        if several and share and is_scaled(symptom, by_size(letter, times=share)):
            return symptom.say("scaled.fixed", letter=letter, used=wording.number(1 / share))
        number = ratio * size_in(case, letter)
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
    return sum(view.expected.numel() for view in symptom.failing) >= FEWEST


def _formula(constant: float, letter: str, power: float) -> str:
    size = {0.5: f"√{letter}", 1.0: letter, 2.0: f"{letter}²"}[abs(power)]
    if power < 0:
        return f"{wording.number(constant)}/({size})" if "·" in size else f"{wording.number(constant)}/{size}"
    return {1.0: size, -1.0: f"-{size}"}.get(constant, f"{wording.number(constant)}·{size}")
