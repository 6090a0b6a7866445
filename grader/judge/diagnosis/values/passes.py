"""Forward passes that are computed in another way: a layer with a mistake in it, or without one of its inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import combinations

import torch
from torch import Tensor

from grader.judge.diagnosis.operations.catalogue import OTHER_TENSORS, PASSES
from grader.judge.diagnosis.symptom import Symptom, View
from grader.judge.diagnosis.values.changed import under
from grader.judge.diagnosis.words import wording
from grader.model import Case, Diagnosis

#: Failing cases below which an agreement may be chance: slopes of a ReLU are whole numbers.
_CASES = 2
#: Of two terms, either may be the one with the opposite sign where a square or a product hides that of the whole.
_EITHER = 2
Change = Callable[[View, str, Tensor], "Tensor | None"]
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
    ("softmax_weights_of_first_axis", "wrong_value.softmax"),
    ("softmax_sums_over_other_axis", "wrong_value.softmax_sum"),
    ("relu_left_out", "wrong_value.no_relu"),
    ("relu_left_out_forward", "wrong_value.no_relu"),
)


def layer(symptom: Symptom) -> Diagnosis | None:
    """A convolution, a softmax or an activation that is computed in another way, or not at all."""
    if len(symptom.failing) < _CASES:
        return None
    found = {key for operation, key in _LAYERS if symptom.fits(lambda view: under(symptom, operation, view))}
    if len(found) == 1:
        return wording.say(found.pop(), path=symptom.path)
    if found:
        return None
    found_passes = [operation for operation in PASSES if symptom.fits(lambda view: under(symptom, operation, view))]
    if not found_passes:
        return None
    chosen = next((each for each in found_passes if _fits_others(symptom, each)), found_passes[0])
    code = "wrong_operand" if chosen in OTHER_TENSORS else ""
    return wording.say("wrong_value.pass", code, path=symptom.path, what=PASSES[chosen])


def _fits_others(symptom: Symptom, operation: str) -> bool:
    """Whether a changed operation also gives what came in the other checks."""
    others = (symptom.of(check) for check in symptom.others())
    for other in others:
        for view in other.views:
            predicted = under(other, operation, view)
            if predicted is None or not view.is_near(predicted):
                return False
    return True


_CUT = "{upstream} is cut where the output is negative, as behind a ReLU"
_SQUARE_OF_MEAN = "the mean of the differences is squared, where their squares have to be averaged"
#: What is made of the upstream gradient before it is used.
_UPSTREAMS: Mapping[str, Callable[[View], Tensor | None]] = {
    "the sum of all entries of {upstream} stands in the place of each": lambda view: _spread(view, "sum"),
    "the mean of all entries of {upstream} stands in the place of each": lambda view: _spread(view, "mean"),
    "{upstream} is squared": lambda view: None if view.case.upstream is None else view.case.upstream**2,
}


def _upstreams(symptom: Symptom) -> dict[str, Callable[[View], Tensor | None]]:
    return {**_UPSTREAMS, _CUT: lambda view: _cut(symptom, view.case)}


def other_upstream(symptom: Symptom) -> Diagnosis | None:
    """Something that was made of the upstream gradient stands in its place."""
    if len(symptom.failing) < _CASES:
        return None
    upstream = f"`{symptom.name_of('upstream')}`"
    for what, made in _upstreams(symptom).items():
        if symptom.fits(lambda view: _with_upstream(symptom, view, what, made(view))):
            said = what.format(upstream=upstream)
            return wording.say("wrong_value.upstream_made", path=symptom.path, what=said, upstream=upstream)
    return None


def other_operation(symptom: Symptom) -> Diagnosis | None:
    """A product, a quotient or squares in the place of a difference, or the square of a mean, in a forward value."""
    if symptom.is_gradient or len(symptom.failing) < _CASES:
        return None
    for operation, what in (
        ("product_for_difference", "two tensors are multiplied"),
        ("quotient_for_difference", "one tensor is divided by the other"),
        ("difference_of_squares", "two tensors are squared before one is taken from the other"),
    ):
        if symptom.fits(lambda view: under(symptom, operation, view)):
            return wording.say("wrong_value.operation", path=symptom.path, what=what)
    if symptom.fits(lambda view: under(symptom, "square_of_mean", view)):
        return wording.say("wrong_value.pass", path=symptom.path, what=_SQUARE_OF_MEAN)
    return None


def _spread(view: View, how: str) -> Tensor | None:
    upstream = view.case.upstream
    return None if upstream is None else getattr(upstream, how)().expand_as(upstream).contiguous()


def _cut(symptom: Symptom, case: Case) -> Tensor | None:
    """The upstream gradient where the output is positive; the output may be made by the student's own layer."""
    out, upstream = case.program.tensors.get("out", symptom.alternatives.output(case)), case.upstream
    return None if out is None or upstream is None or out.shape != upstream.shape else upstream * (out > 0)


def _with_upstream(symptom: Symptom, view: View, what: str, upstream: Tensor | None) -> Tensor | None:
    return None if upstream is None else symptom.expected_with(what, view, upstream=upstream)


def left_out(symptom: Symptom) -> Diagnosis | None:
    """One or two inputs that the result does not depend on, as if they were zero: a bias, a target."""
    if symptom.exercise.measure is not None or len(symptom.failing) < _CASES:
        return None
    names = [
        name
        for name in symptom.alternatives.parameters
        if all(name in view.case.inputs and view.case.inputs[name].is_floating_point() for view in symptom.views)
    ]
    for count in (1, 2):
        found = [
            chosen for chosen in combinations(names, count) if symptom.fits(lambda view: without(symptom, view, chosen))
        ]
        if len(found) == 1:
            given = (f"`{symptom.name_of(name)}`" for name in found[0])
            return wording.say("wrong_value.left_out", path=symptom.path, names=" and ".join(given))
        if found:  # a product of both, which either makes zero
            return None
    return None


def without(symptom: Symptom, view: View, names: tuple[str, ...]) -> Tensor | None:
    """What the check's tensor would be with zeros in the place of the inputs ``names``; None where nothing comes."""
    zeros = {name: torch.zeros_like(view.case.inputs[name]) for name in names}
    return symptom.expected_with(f"without {' and '.join(names)}", view, inputs=zeros)


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


def _total(view: View, name: str, value: Tensor) -> Tensor | None:
    return value.sum().expand_as(value).contiguous() if value.numel() > 1 else None


def _mean(view: View, name: str, value: Tensor) -> Tensor | None:
    return value.mean().expand_as(value).contiguous() if value.numel() > 1 else None


def _first(view: View, name: str, value: Tensor) -> Tensor | None:
    return value[:1].expand_as(value).contiguous() if value.dim() and len(value) > 1 else None


def _backwards(view: View, name: str, value: Tensor) -> Tensor | None:
    return value.flip(0) if value.dim() and len(value) > 1 else None


#: What is made of an input before it comes in, in words.
_MADE: Mapping[str, str] = {
    "total": "the sum of all entries of {name} stands in the place of each",
    "mean": "the mean of all entries of {name} stands in the place of each",
    "first": "the first row of {name} stands in the place of each, as `{bare}[0]` has it",
    "backwards": "the rows of {name} come in the opposite order",
}
_CHANGES: tuple[tuple[str, Change], ...] = (
    ("negated", _negated),
    ("turned", _turned),
    ("reshaped", _reshaped),
    ("own_gradient", _own_gradient),
    ("total", _total),
    ("mean", _mean),
    ("first", _first),
    ("backwards", _backwards),
)


def changed_input(symptom: Symptom) -> Diagnosis | None:
    """One input that comes in with the opposite sign, reshaped for transposed, summed up, or as its own gradient."""
    if symptom.exercise.measure is not None or len(symptom.failing) < _CASES:
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
        found = [name for name in names if symptom.fits(lambda view: _changed(symptom, view, name, key, change))]
        if len(found) == 1 or (len(found) == _EITHER and key == "negated"):
            return _said_of_input(symptom, key, found)
        if found:
            return None
    return None


def _said_of_input(symptom: Symptom, key: str, names: list[str]) -> Diagnosis:
    given = [symptom.name_of(name) for name in names]
    if key in _MADE:
        name = f"`{given[0]}`"
        what = _MADE[key].format(name=name, bare=given[0])
        return wording.say("wrong_value.upstream_made", path=symptom.path, what=what, upstream=name)
    if key == "own_gradient":
        return wording.say("wrong_operand", path=symptom.path, used=f"`{given[0]}.g`", right=f"`{given[0]}`")
    return wording.say(f"wrong_value.{key}", path=symptom.path, name=" or ".join(f"`{each}`" for each in given))


def _changed(symptom: Symptom, view: View, name: str, key: str, change: Change) -> Tensor | None:
    value = view.case.inputs.get(name)
    changed = None if value is None else change(view, name, value)
    if changed is None:
        return None
    return symptom.expected_with(f"{name} {key}", view, inputs={name: changed})
