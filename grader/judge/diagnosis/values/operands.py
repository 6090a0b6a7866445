"""Right formulas applied to the wrong tensors: another input's or check's value, or what an earlier call was given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations

import torch
from torch import Tensor

from grader.judge.diagnosis.naming import USED_BEFORE, is_used
from grader.judge.diagnosis.operations.catalogue import OPERANDS
from grader.judge.diagnosis.source import reads_output
from grader.judge.diagnosis.symptom import Symptom, View
from grader.judge.diagnosis.values import given, passes
from grader.judge.diagnosis.values.changed import under
from grader.judge.diagnosis.words import wording
from grader.model import Diagnosis


def wrong_operand(symptom: Symptom) -> Diagnosis | None:
    """Another tensor's value in the formula: another input, the output, what stands before an activation."""
    for other in symptom.others():
        if symptom.fits(lambda view: _other(view, other)):
            # Squares that go back as they are sum up to their loss.
            chance = passes.layer(symptom) if symptom.is_gradient and not symptom.of(other).is_gradient else None
            return chance or symptom.say(_misplaced(symptom, other), other=symptom.exercise.path_of(other))
    for (used, right), operation in OPERANDS.items():
        if symptom.fits(lambda view: under(symptom, operation, view)):
            return symptom.say("wrong_operand", used=used, right=right)
    if symptom.fits(lambda view: of_output(symptom, view)):
        if reads_output(symptom.evidence.stub):
            return symptom.say("wrong_operand", used="`out`", right="`out.g`")
        return symptom.say("upstream_ignored.output", upstream=symptom.name_of("upstream"))
    found = [
        (right, used)
        for right, used in _pairs(symptom)
        if symptom.fits(lambda view: _replaced(symptom, view, right, used))
    ]
    if len(found) != 1:
        return None
    (right, used) = found[0]
    of_others = {pattern.format(right) for pattern, code in USED_BEFORE.items() if code == "state_shared"}
    if used in of_others or right not in symptom.exercise.parameters:  # which a fresh object holds
        return symptom.say("state_shared.objects")
    used, right = (f"`{symptom.name_of(name)}`" for name in (used, right))
    # In an average of two, one that stands for the other too is what comes of a weight of 0 or 1.
    return given.number(symptom) or symptom.say("wrong_operand", used=used, right=right)


def _other(view: View, other: str) -> Tensor | None:
    """What belongs to another check; where its shape is another, only a case that failed can hold it."""
    value = view.prepared.expected.get(other)
    if value is not None and not view.finding.passed and _without_ones(value) == _without_ones(view.actual):
        return value.reshape(view.came.shape)
    return None if value is None or (view.finding.passed and value.shape != view.expected.shape) else value


def _without_ones(tensor: Tensor) -> list[int]:
    return [size for size in tensor.shape if size != 1]


def _misplaced(symptom: Symptom, other: str) -> str:
    """How this check came to hold what belongs to another: the other holds in turn what belongs here, or does not."""
    if other not in symptom.failed:
        return "wrong_operand.other"
    turned = symptom.of(other)
    if turned.fits(lambda view: _other(view, symptom.check)):
        return "wrong_operand.swapped"
    return "wrong_operand.place" if symptom.path.startswith("result[") else "wrong_operand.other"


def of_output(symptom: Symptom, view: View) -> Tensor | None:
    """The output's values where its gradient belongs, the output being handed over or made by the student's layer."""
    out = view.case.program.tensors.get("out")
    if out is None:
        out = view.prepared.expected.get("out")
    if out is None or view.case.upstream is None or out.shape != view.case.upstream.shape:
        return None
    return symptom.expected_with("output as upstream", view, upstream=out)


def swapped_arguments(symptom: Symptom) -> Diagnosis | None:
    """Two inputs of one shape that change places, so that each gets the gradient of the other's part in the formula.

    What belongs to neither of them, a result or a third gradient, is its own with the two exchanged.
    """
    for pair in combinations(symptom.exercise.parameters, 2):
        if symptom.fits(lambda view: _exchanged(symptom, view, *pair)):
            name, other = pair if symptom.path != f"{pair[1]}.g" else pair[::-1]
            # A softmax of q kᵀ over the other axis is that of k qᵀ.
            return passes.layer(symptom) or symptom.say("wrong_operand.arguments", name=name, other=other)
    return None


def _exchanged(symptom: Symptom, view: View, one: str, other: str) -> Tensor | None:
    inputs, turned = view.case.inputs, {f"{one}.g": f"{other}.g", f"{other}.g": f"{one}.g"}
    if one not in inputs or other not in inputs or inputs[one].shape != inputs[other].shape:
        return None
    asked = symptom.of(turned.get(symptom.path, symptom.check))
    return asked.expected_with(f"{one} and {other} exchanged", view, inputs={one: inputs[other], other: inputs[one]})


def _pairs(symptom: Symptom) -> Iterator[tuple[str, str]]:
    """Inputs of the forward pass, and other tensors of the same shape that the check hands to the student."""
    case, exercise = symptom.failing[0].case, symptom.exercise
    given = {
        name: value
        for name, value in _given(case.inputs, case.program.tensors).items()
        if name in exercise.globals or is_used(exercise.call, name.partition(".")[0])
    }
    for right, value in case.inputs.items():
        for used, other in given.items():
            if right != used and value.is_floating_point() and other.shape == value.shape:
                yield right, used


def _given(inputs: Mapping[str, Tensor], seen: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: value for name, value in {**seen, **inputs}.items() if value.is_floating_point() and value.dim() > 0}


def _replaced(symptom: Symptom, view: View, right: str, used: str) -> Tensor | None:
    other = _given(view.case.inputs, view.case.program.tensors).get(used)
    if other is None or right not in view.case.inputs or other.shape != view.case.inputs[right].shape:
        return None
    return symptom.expected_with(f"{used} for {right}", view, inputs={right: other})


def stale(symptom: Symptom) -> Diagnosis | None:
    """The same numbers in every case, or the result of an earlier call: input ``earlier`` for another one."""
    views = symptom.views
    shapes = {tuple(tensor.shape) for view in views for tensor in (view.actual, view.expected)}
    if len(views) > 1 and len(shapes) == 1 and len(symptom.failing) == len(views):
        first = views[0]
        different = any(not view.is_near(view.expected, first.expected) for view in views[1:])
        if (
            different
            and bool(first.actual.isfinite().all())
            and all(torch.equal(view.actual, first.actual) for view in views[1:])
        ):
            return symptom.say("stale.copied")
    for used, code in USED_BEFORE.items():
        if symptom.fits(lambda view: _remembered(symptom, view, used)):
            return _from_before(symptom, code)
    for code in dict.fromkeys(USED_BEFORE.values()):
        together = tuple(used for used, its in USED_BEFORE.items() if its == code)
        if symptom.fits(lambda view: _remembered(symptom, view, *together)):
            return _from_before(symptom, code)
        if code == "stale" and symptom.fits(lambda view: _added_up(view, _remembered(symptom, view, *together))):
            return symptom.say("accumulated.calls")
    return None


def _from_before(symptom: Symptom, code: str) -> Diagnosis:
    key = code if code == "stale" else f"{code}.objects"
    return symptom.say(key, label=wording.LAST_CALL)


def _added_up(view: View, before: Tensor | None) -> Tensor | None:
    return None if before is None or before.shape != view.expected.shape else view.expected + before


def _remembered(symptom: Symptom, view: View, *names: str) -> Tensor | None:
    """What comes out when everything that was given to another call or object takes its place."""
    inputs = view.case.inputs
    changed: dict[str, Tensor] = {}
    for used in names:
        if "{" in used:
            changed |= {name: inputs[used.format(name)] for name in inputs if used.format(name) in inputs}
        elif used in inputs:
            own = [name for name in symptom.exercise.parameters if name in inputs and name not in {used, "targ"}]
            changed |= {name: inputs[used] for name in own[:1] if inputs[name].shape == inputs[used].shape}
    if not changed:
        return None
    return symptom.expected_with(f"what {' and '.join(names)} was given", view, inputs=changed)
