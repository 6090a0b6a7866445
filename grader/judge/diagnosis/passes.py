"""Forward passes that are computed in another way: a layer with a mistake in it, or without one of its inputs."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import torch
from torch import Tensor

from grader.judge.diagnosis import layers, wording
from grader.judge.diagnosis.absent import path
from grader.judge.diagnosis.activations import SLOPES
from grader.judge.diagnosis.factors import letters
from grader.judge.diagnosis.naming import given_as
from grader.judge.diagnosis.symptom import Symptom, View
from grader.judge.diagnosis.values import under
from grader.model import Diagnosis

#: Failing cases below which an agreement may be chance: slopes of a ReLU are whole numbers.
_CASES = 2
#: Entries of all failing cases below which two factors that fit may be chance.
_ENTRIES = 12
Change = Callable[[View, str, Tensor], "Tensor | None"]
Factor = Callable[[View], float]
#: What is said of each changed operation of a layer.
_LAYERS: tuple[tuple[str, str], ...] = (
    ("kernel_unflipped", "wrong_value.kernel"),
    ("scores_unscaled", "wrong_value.unscaled"),
    ("scores_unscaled_forward", "wrong_value.unscaled"),
    ("scores_scaled_twice", "wrong_value.scaled_twice"),
    ("scores_scaled_twice_forward", "wrong_value.scaled_twice"),
    ("softmax_of_other_axis", "wrong_value.softmax"),
    ("softmax_of_first_axis", "wrong_value.softmax"),
    ("softmax_weights_of_other_axis", "wrong_value.softmax"),
    ("softmax_sums_over_other_axis", "wrong_value.softmax_sum"),
    ("relu_left_out", "wrong_value.no_relu"),
    ("relu_left_out_forward", "wrong_value.no_relu"),
)
#: What is wrong in words, where the words of ``wrong_value.pass`` go with it.
PASSES: dict[str, str] = {
    **{name: slope.what for name, slope in SLOPES.items()},
    "relu_by_upstream": "the gradient itself is cut at 0, and not let through where the input of the ReLU is positive",
    "relu_at_the_end": "the output of the network goes through a ReLU, too",
    "relu_at_the_end_forward": "the output of the network goes through a ReLU, too, which the way back leaves out",
    "power_for_slope": "the power itself stands in the place of its derivative: x² goes back as x², and not as 2x",
    **{name: what for name, (what, _) in layers.CROSS_ENTROPIES.items()},
    **{name: what for name, (what, _) in layers.SOFTMAXES.items()},
    **{name: what for name, (what, *_) in layers.PRODUCTS.items()},
    "squares_untransposed": "a square matrix of weights is used as it lies, where its transpose belongs",
}


def layer(symptom: Symptom) -> Diagnosis | None:
    """A convolution, a softmax or an activation that is computed in another way, or not at all."""
    if len(symptom.failing) < _CASES:
        return None
    found = {
        key
        for operation, key in _LAYERS
        if symptom.fits(lambda view: under(symptom, operation, view))  # noqa: B023
    }
    if len(found) == 1:
        return wording.say(found.pop(), path=path(symptom))
    if found:
        return None
    for operation, what in PASSES.items():
        if symptom.fits(lambda view: under(symptom, operation, view)):  # noqa: B023
            return wording.say("wrong_value.pass", path=path(symptom), what=what)
    return None


def left_out(symptom: Symptom) -> Diagnosis | None:
    """One or two inputs that the result does not depend on, as if they were zero: a bias, a target."""
    if symptom.evidence.exercise.measure is not None or len(symptom.failing) < _CASES:
        return None
    names = [
        name
        for name in symptom.alternatives.parameters
        if all(name in view.case.inputs and view.case.inputs[name].is_floating_point() for view in symptom.views)
    ]
    for count in (1, 2):
        found = [
            chosen
            for chosen in combinations(names, count)
            if symptom.fits(lambda view: _without(symptom, view, chosen))  # noqa: B023
        ]
        if len(found) == 1:
            given = (f"`{given_as(symptom.evidence.exercise.call, name)}`" for name in found[0])
            return wording.say("wrong_value.left_out", path=path(symptom), names=" and ".join(given))
        if found:  # a product of both, which either makes zero
            return None
    return None


def _without(symptom: Symptom, view: View, names: tuple[str, ...]) -> Tensor | None:
    zeros = {name: torch.zeros_like(view.case.inputs[name]) for name in names}
    made = symptom.alternatives.reference(f"without {' and '.join(names)}", view.case, inputs=zeros)
    return None if made is None else made.get(symptom.check)


def unevenly_scaled(symptom: Symptom) -> Diagnosis | None:
    """A sum or difference of two terms, each with another factor: parentheses that are missing around it."""
    entries = sum(view.expected.numel() for view in symptom.failing)
    if symptom.evidence.exercise.measure is not None or len(symptom.failing) < _CASES or entries < _ENTRIES:
        return None
    if "steps" in symptom.failing[0].case.constants or any(_is_other_shape(view) for view in symptom.views):
        return None
    widest = max(symptom.failing, key=lambda view: view.expected.numel())
    for name in symptom.alternatives.parameters:
        found = _two_factors(symptom, widest, name)
        if found is not None and _is_affine(symptom, widest, name):
            given = f"`{given_as(symptom.evidence.exercise.call, name)}`"
            return wording.say("wrong_value.uneven", path=path(symptom), name=given, part=found[0], rest=found[1])
    return None


def _is_other_shape(view: View) -> bool:
    return view.actual.shape != view.expected.shape or not view.finding.expected.is_floating_point()


def _two_factors(symptom: Symptom, widest: View, name: str) -> tuple[str, str] | None:
    """In words, the factors of the part that ``name`` brings in and of the rest, where they explain every case."""
    parts = _parts(symptom, widest, name)
    if parts is None or not bool(parts.isfinite().all()) or not bool(widest.actual.isfinite().all()):
        return None
    square = parts @ parts.T
    if float(torch.linalg.det(square)) <= 1e-6 * float(square.diagonal().prod()):  # nothing tells the two apart
        return None
    near = torch.linalg.solve(square, parts @ widest.actual.flatten())
    of_part, of_rest = ([one for one in _factors(symptom) if _is_about(one[1](widest), float(by))] for by in near)
    for part, by_part in of_part:
        for rest, by_rest in of_rest:
            if part != rest and symptom.fits(lambda view: _uneven(symptom, view, name, by_part, by_rest)):  # noqa: B023
                return part, rest
    return None


def _parts(symptom: Symptom, view: View, name: str) -> Tensor | None:
    """The right answer in two rows: what ``name`` adds to it, and what it is without."""
    value = view.case.inputs.get(name)
    if value is None or not value.is_floating_point():
        return None
    rest = _without(symptom, view, (name,))
    if rest is None or rest.shape != view.expected.shape:
        return None
    rest = rest.detach().to(torch.float64)
    return torch.stack((view.expected - rest, rest)).flatten(1)


def _uneven(symptom: Symptom, view: View, name: str, part: Factor, rest: Factor) -> Tensor | None:
    parts = _parts(symptom, view, name)
    return None if parts is None else (part(view) * parts[0] + rest(view) * parts[1]).reshape(view.expected.shape)


def _is_affine(symptom: Symptom, view: View, name: str) -> bool:
    """Whether the right answer is a term in proportion to ``name``, and another without it."""
    parts = _parts(symptom, view, name)
    twice = {name: 2 * view.case.inputs[name]}
    made = symptom.alternatives.reference(f"twice {name}", view.case, inputs=twice)
    doubled = None if made is None else made.get(symptom.check)
    if parts is None or doubled is None:
        return False
    return view.is_near((2 * parts[0] + parts[1]).reshape(view.expected.shape), doubled.detach().to(torch.float64))


def _factors(symptom: Symptom) -> list[tuple[str, Factor]]:
    """Factors that the terms of a mean square can get, in words."""
    found: list[tuple[str, Factor]] = [
        (words, lambda view, value=value: value)  # type: ignore[misc]
        for words, value in (("1", 1.0), ("2", 2.0), ("1/2", 0.5))
    ]
    for letter in letters(symptom):
        for words, value, power in (("{}", 1.0, 1), ("{}/2", 0.5, 1), ("2·{}", 2.0, 1), ("1/{}", 1.0, -1)):
            by = lambda view, letter=letter, value=value, power=power: value * view.case.sizes[letter] ** power  # noqa: E731
            found.append((words.format(letter), by))
    return found


def _is_about(factor: float, near: float) -> bool:
    return abs(factor - near) <= 1e-2 * abs(factor)


def _negated(view: View, name: str, value: Tensor) -> Tensor | None:
    return -value


def _turned(view: View, name: str, value: Tensor) -> Tensor | None:
    return value.T if value.dim() == 2 and value.shape[0] == value.shape[1] else None


def _reshaped(view: View, name: str, value: Tensor) -> Tensor | None:
    """The matrix whose transpose has the entries in the order of the matrix that was given."""
    return value.reshape(value.shape[::-1]).T if value.dim() == 2 else None


def _own_gradient(view: View, name: str, value: Tensor) -> Tensor | None:
    if view.finding.check.startswith(f"{name}.g"):  # which is what the code is to make
        return None
    gradient = view.prepared.expected.get(f"{name}.g")
    return gradient if gradient is not None and gradient.shape == value.shape else None


_CHANGES: tuple[tuple[str, Change], ...] = (
    ("negated", _negated),
    ("turned", _turned),
    ("reshaped", _reshaped),
    ("own_gradient", _own_gradient),
)


def changed_input(symptom: Symptom) -> Diagnosis | None:
    """One input that comes in with the opposite sign, reshaped for transposed, or as its own gradient."""
    if symptom.evidence.exercise.measure is not None or len(symptom.failing) < _CASES:
        return None
    case = symptom.failing[0].case
    if "steps" in case.constants:  # a loop takes its time, and such a mistake is one of the stub that it calls
        return None
    names = [
        name
        for name in symptom.alternatives.parameters
        if name in case.inputs and case.inputs[name].is_floating_point()
    ]
    for key, change in _CHANGES:
        found = [
            name
            for name in names
            if symptom.fits(lambda view: _changed(symptom, view, name, key, change))  # noqa: B023
        ]
        if len(found) == 1:
            return _said_of_input(symptom, key, found[0])
        if found:
            return None
    return None


def _said_of_input(symptom: Symptom, key: str, name: str) -> Diagnosis:
    given = given_as(symptom.evidence.exercise.call, name)
    if key == "own_gradient":
        return wording.say("wrong_operand", path=path(symptom), used=f"`{given}.g`", right=f"`{given}`")
    return wording.say(f"wrong_value.{key}", path=path(symptom), name=f"`{given}`")


def _changed(symptom: Symptom, view: View, name: str, key: str, change: Change) -> Tensor | None:
    value = view.case.inputs.get(name)
    changed = None if value is None else change(view, name, value)
    if changed is None:
        return None
    made = symptom.alternatives.reference(f"{name} {key}", view.case, inputs={name: changed})
    return None if made is None else made.get(symptom.check)
