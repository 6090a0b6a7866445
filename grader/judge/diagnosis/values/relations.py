"""Wrong tensors that are a simple function of the right one, by itself or times or plus an input, in that order.

None of these knows the formula. Each is said only where it holds for every entry of every case. Those that need nothing
but the answer are in ``arrangements``, ``distortions`` and ``reductions``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from grader.judge.diagnosis.naming import is_used
from grader.judge.diagnosis.symptom import Prediction, Symptom, View, multiple_of
from grader.judge.diagnosis.values import arrangements, distortions, reductions
from grader.judge.diagnosis.values.factors import CONSTANTS
from grader.judge.diagnosis.words import wording
from grader.model import Diagnosis

#: Failing cases, and entries in them, below which an agreement may be chance.
_CASES, _ENTRIES = 2, 4
#: The share of the tolerance within which hardly any of hundreds of wrong entries comes by chance.
_BY_CHANCE = 0.01
Make = Callable[[View, Tensor], Tensor]
#: Axes of an outer product.
_AXES = 2
#: What the output is called where the student's code does not get it.
_FORWARD = "the result of the forward pass"


def related(symptom: Symptom) -> Diagnosis | None:
    """The first relation that holds in every case."""
    if _is_left(symptom):
        return None
    return next((found for relation in _RELATIONS if (found := relation(symptom))), None)


def related_by_more(symptom: Symptom) -> Diagnosis | None:
    """A factor that is too many or missing, and another beside it."""
    return None if _is_left(symptom) else _multiplied(symptom, CONSTANTS)


def _is_left(symptom: Symptom) -> bool:
    """Whether there is too little to go by, or what came is no tensor of floats of the right shape."""
    few = symptom.is_registered or symptom.is_thin(entries=_ENTRIES)
    return few or any(_is_other(view) for view in symptom.views)


def _is_other(view: View) -> bool:
    """Whether what came has another shape than is expected, or other numbers than finite floats are expected."""
    return not view.is_alike or not view.came.numel() or not bool(view.actual.isfinite().all())


def _copied(symptom: Symptom) -> Diagnosis | None:
    """A tensor that the code was given, as it came."""
    for name in _names(symptom):
        if symptom.fits(_made(symptom, name, lambda view, value: value)):
            return symptom.say("wrong_value.copied", name=_shown(symptom, name))
    return None


def _other_numbers(symptom: Symptom) -> Diagnosis | None:
    """Zeros exactly where they belong, and other numbers in the other places, or some: those of an input, perhaps."""
    zeros = [view.expected == 0 for view in symptom.failing]
    if sum(bool(zero.any()) for zero in zeros) < _CASES or any(bool(zero.all()) for zero in zeros):
        return None
    if not all(torch.equal(zero, view.actual == 0) for zero, view in zip(zeros, symptom.failing, strict=True)):
        return None
    for name, value in symptom.failing[0].case.inputs.items():
        if value.is_floating_point() and symptom.fits(lambda view: _placed(view, name)):
            return symptom.say("wrong_value.other_numbers.input", name=_shown(symptom, name))
    right, total = right_entries(symptom)
    if right:
        chosen = any(not value.is_floating_point() for value in symptom.failing[0].case.inputs.values())
        alike = "a row that is used several times" if chosen else "a sign, a range"
        return symptom.say("wrong_value.other_numbers.some", right=right, total=total, alike=alike)
    return symptom.say("wrong_value.other_numbers")


def right_entries(symptom: Symptom) -> tuple[int, int]:
    """How many entries that must not be 0 are right in the failing cases, and how many there are."""
    asked = [(view, view.expected != 0) for view in symptom.failing if view.is_alike]
    right = sum(int((entries & _is_right(view, _BY_CHANCE)).sum()) for view, entries in asked)
    return right, sum(int(entries.sum()) for _, entries in asked)


def _is_right(view: View, share: float = 1.0) -> Tensor:
    """For each entry, whether it is as near as a ``share`` of the tolerance."""
    return (view.actual - view.expected).abs() <= share * view.tolerance(view.expected)


def _placed(view: View, name: str) -> Tensor | None:
    """The numbers of an input, in the places that are not zero."""
    value, places = view.case.inputs.get(name), view.expected != 0
    if value is None or value.numel() != int(places.sum()):
        return None
    return torch.zeros_like(view.expected).masked_scatter(places, value.detach().to(torch.float64).flatten())


def _shifted(symptom: Symptom) -> Diagnosis | None:
    """One number more, or less, in every entry of every case."""
    finest = min(symptom.failing, key=lambda view: view.tolerance(view.expected))
    number = float((finest.actual - finest.expected).median())
    if not number or not symptom.fits(lambda view: view.expected + number):
        return None
    key = "wrong_value.added" if number > 0 else "wrong_value.subtracted"
    return symptom.say(key, name=wording.number(abs(number)))


def _undifferentiated(symptom: Symptom) -> Diagnosis | None:
    """The value of the function, where its derivative belongs."""
    if not symptom.is_gradient or not symptom.fits(_made(symptom, "out", _times_upstream)):
        return None
    return symptom.say("wrong_value.undifferentiated")


def _times_upstream(view: View, value: Tensor) -> Tensor:
    return value if view.case.upstream is None else value * view.case.upstream


def _multiplied(symptom: Symptom, constants: tuple[float, ...] = (1.0,)) -> Diagnosis | None:
    """The right answer times, or divided by, something given, entry by entry."""
    for name in _names(symptom):
        for key, power in (("wrong_value.factor", 1), ("wrong_value.no_factor", -1)):
            for constant in constants:
                if symptom.fits(_made(symptom, name, _product(power, constant), single=True)):
                    shown = _shown(symptom, name)
                    forward = ".forward" if shown == _FORWARD and power > 0 else ""
                    times = "" if constant == 1 else f", times {wording.number(constant)}"
                    return symptom.say(f"{key}{forward}", name=shown, times=times)
    return None


def _counted(symptom: Symptom) -> Diagnosis | None:
    """The right answer times, or divided by, how many entries of a mask are 1 along an axis: what a mean divides by."""
    for name, value in symptom.failing[0].case.inputs.items():
        for axis in range(value.dim()):
            for key, power in (("wrong_value.uncounted", 1), ("wrong_value.counted", -1)):
                if symptom.fits(lambda view: _by_count(view, name, axis, power)):
                    return symptom.say(key, name=_shown(symptom, name), axis=axis)
    return None


def _by_count(view: View, name: str, axis: int, power: int) -> Tensor | None:
    mask = view.case.inputs[name].to(torch.float64)
    axes = view.expected.dim() - mask.dim()
    if axes < 0 or mask.shape != view.expected.shape[: mask.dim()] or not bool(((mask == 0) | (mask == 1)).all()):
        return None
    counts = mask.sum(axis, keepdim=True).clamp(min=1)
    return view.expected * counts.reshape(*counts.shape, *(1,) * axes) ** power


def _product(power: int, constant: float) -> Make:
    def made(view: View, value: Tensor) -> Tensor:
        if power > 0:
            return constant * view.expected * value
        open_entries = (value == 0) & (view.expected == 0)  # 0 / 0 may be anything
        return (constant * view.expected / value).where(~open_entries, view.actual)

    return made


def _added(symptom: Symptom) -> Diagnosis | None:
    """Something given, added to the right answer or taken from it."""
    for name in _names(symptom):
        for key, sign in (("wrong_value.added", 1), ("wrong_value.subtracted", -1)):
            if symptom.fits(_made(symptom, name, lambda view, value: view.expected + sign * value)):
                return symptom.say(key, name=_shown(symptom, name))
    return None


def _taken(symptom: Symptom) -> Diagnosis | None:
    """A multiple of the right answer, taken from something given, as a step of descent takes a gradient from it."""
    if not symptom.is_gradient:
        return None
    for name in _names(symptom):
        given = [(view, value) for view in symptom.failing if (value := _value(symptom, view, name)) is not None]
        if not given or not any(bool(view.expected.any()) for view, _ in given):
            continue
        # In the case where the gradient is the largest beside what it is taken from, a step shows best.
        view, value = max(given, key=lambda one: float(one[0].expected.abs().max() / (1e-30 + one[1].abs().max())))
        share = float(f"{multiple_of(value - view.actual, view.expected) or 0.0:.3g}")
        if share > 0 and symptom.fits(_made(symptom, name, lambda view, value: value - share * view.expected)):
            times = "" if share == 1 else f"{wording.number(share)} times "
            return symptom.say("wrong_value.taken", name=_shown(symptom, name), times=times)
    return None


def _kept(symptom: Symptom) -> Diagnosis | None:
    """Some entries right, and something given as it was in the place of the others."""
    for name in _names(symptom):
        if not symptom.fits(_made(symptom, name, lambda view, value: view.expected.where(view.actual != value, value))):
            continue
        first = symptom.failing[0]
        right = int(_is_right(first).sum())
        if right >= _ENTRIES:
            shown, total = _shown(symptom, name), first.expected.numel()
            return symptom.say("wrong_value.kept", right=right, total=total, name=shown)
    return None


def _unmultiplied(symptom: Symptom) -> Diagnosis | None:
    """The right answer without one factor of an outer product, which is a row or a column of something given."""
    for name in _names(symptom):
        for turned in (False, True):
            if symptom.fits(lambda view: _without_factor(view, name, turned=turned)):
                return symptom.say("wrong_value.no_factor.along", name=_shown(symptom, name))
    return None


def _without_factor(view: View, name: str, *, turned: bool) -> Tensor | None:
    value = view.case.upstream if name == "upstream" else view.case.inputs.get(name)
    if value is None or value.dim() != _AXES or view.expected.dim() != _AXES or 1 not in value.shape:
        return None
    factor = (value.T if turned else value).detach().to(torch.float64)
    fits = all(size in (1, full) for size, full in zip(factor.shape, view.expected.shape, strict=True))
    return view.expected / factor if fits and bool(factor.all()) else None


def _shrunk(symptom: Symptom) -> Diagnosis | None:
    """A multiple of something given, added to the right answer, as weight decay is."""
    finest = min(symptom.failing, key=lambda view: view.tolerance(view.expected))
    for name in _names(symptom):
        value = _value(symptom, finest, name)
        share = None if value is None else multiple_of(finest.actual - finest.expected, value)
        share = float(f"{share or 0.0:.3g}")
        if share and symptom.fits(_made(symptom, name, lambda view, value: view.expected + share * value)):
            shown = f"{wording.number(abs(share))} · {_shown(symptom, name)}"
            sign = "plus" if share > 0 else "minus"
            return symptom.say("wrong_value.part_added", name=shown, sign=sign)
    return None


_RELATIONS: tuple[Callable[[Symptom], Diagnosis | None], ...] = (
    _copied,
    arrangements.constant,
    arrangements.in_part,
    arrangements.beside_zeros,
    arrangements.complement,
    distortions.function,
    _undifferentiated,
    arrangements.repeated,
    arrangements.rearranged,
    _multiplied,
    _counted,
    _unmultiplied,
    _added,
    _taken,
    _kept,
    _shifted,
    arrangements.moved,
    distortions.limited,
    distortions.nearest,
    reductions.picked,
    _shrunk,
    _other_numbers,
)


def _names(symptom: Symptom) -> Iterator[str]:
    """What the code was given, or made on the way: inputs, the output, and the upstream gradient."""
    case = symptom.failing[0].case
    call = symptom.exercise.call
    for name, value in case.inputs.items():
        used = not call or name in symptom.exercise.globals or is_used(call, name.partition(".")[0])
        if used and value.is_floating_point():
            yield name
    yield from ("out", "upstream")


def _made(symptom: Symptom, name: str, make: Make, *, single: bool = False) -> Prediction:
    """What comes when something given is taken, and ``make`` makes an answer of it."""

    def predict(view: View) -> Tensor | None:
        value = _value(symptom, view, name, single=single)
        return None if value is None else make(view, value)

    return predict


def _value(symptom: Symptom, view: View, name: str, *, single: bool = False) -> Tensor | None:
    """The tensor of that name in the shape of the answer, from which only axes of one may differ.

    A number, too, where a ``single`` one will do.
    """
    if name == "upstream":
        value = view.case.upstream
    elif name == "out":
        value = symptom.output(view)
    else:
        value = view.case.inputs.get(name)
    if value is None or not value.is_floating_point():
        return None
    value = value.detach().to(torch.float64)
    if single and value.dim() == 0:
        return value
    fits = [size for size in value.shape if size > 1] == [size for size in view.expected.shape if size > 1]
    return value.reshape(view.expected.shape) if fits else None


def _shown(symptom: Symptom, name: str) -> str:
    if name == "out" and not is_used(symptom.exercise.call, "out"):
        return _FORWARD
    return f"`{symptom.name_of(name)}`"
