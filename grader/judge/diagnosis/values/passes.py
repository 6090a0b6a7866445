"""Forward passes that are computed in another way: a layer with a mistake in it, or without one of its inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import combinations

import torch
from torch import Tensor

from grader.judge.diagnosis.operations.catalogue import DIFFERENCES, LAYERS, OPERATIONS, PASSES
from grader.judge.diagnosis.operations.gates import GATES
from grader.judge.diagnosis.operations.replaced import Operation
from grader.judge.diagnosis.source import may_cut
from grader.judge.diagnosis.symptom import Symptom, View
from grader.judge.diagnosis.values import arrangements
from grader.judge.diagnosis.values.changed import first_of, under, uses
from grader.model import Diagnosis

#: Of two terms, either may be the one with the opposite sign where a square or a product hides that of the whole.
_EITHER = 2
#: Uses of a function beyond which none is asked about alone.
_MOST = 8
#: Changes of an input that may come of another operation.
_MAY_BE_OPERATION = frozenset({"ones", "negated"})
Change = Callable[[View, str, Tensor], "Tensor | None"]


def layer(symptom: Symptom) -> Diagnosis | None:
    """A convolution, a softmax or an activation that is computed in another way, or not at all."""
    if symptom.is_thin():
        return None
    found = {operation.key for operation in LAYERS if symptom.fits(lambda view: under(symptom, operation, view))}
    if len(found) == 1:
        return symptom.say(found.pop())
    if found:
        return None
    found_passes = [operation for operation in PASSES if symptom.fits(lambda view: under(symptom, operation, view))]
    if not found_passes:
        return None
    if not may_cut(symptom.evidence.stub) and (zeros := arrangements.in_part(symptom)):
        return zeros
    chosen = next((each for each in found_passes if _fits_others(symptom, each)), found_passes[0])
    return symptom.say("wrong_value.pass", chosen.code, what=chosen.what)


def one_of_several(symptom: Symptom) -> Diagnosis | None:
    """One use of a function that is computed in another way, where the forward pass uses it several times."""
    return None if symptom.is_thin() or symptom.takes_steps else _in_one_place(symptom, OPERATIONS)


def _in_one_place(symptom: Symptom, operations: Sequence[Operation]) -> Diagnosis | None:
    for operation in operations:
        count = uses(symptom, operation.make(), symptom.failing[0])
        for place in range(count) if 1 < count <= _MOST else ():
            if symptom.fits(lambda view: under(symptom, operation, view, place)):
                return symptom.say("wrong_value.pass.one", what=operation.what, count=count)
    return None


def _fits_others(symptom: Symptom, operation: Operation) -> bool:
    """Whether a changed operation also gives what came in the other checks."""
    others = map(symptom.of, symptom.others())
    return all(other.always_fits(partial(under, other, operation)) for other in others)


#: What is made of an input or of the upstream gradient, before it comes in, in words.
_MADE: Mapping[str, str] = {
    "total": "the sum of all entries of {name} stands in the place of each",
    "mean": "the mean of all entries of {name} stands in the place of each",
    "first": "the first row of {name} stands in the place of each, as `{bare}[0]` has it",
    "backwards": "the rows of {name} come in the opposite order",
}
#: What is made of the upstream gradient, from it and from the output.
_UPSTREAMS: Mapping[str, Callable[[Tensor, Tensor | None], Tensor | None]] = {
    _MADE["total"]: lambda upstream, _: _everywhere(upstream.sum(), upstream),
    _MADE["mean"]: lambda upstream, _: _everywhere(upstream.mean(), upstream),
    "{name} is squared": lambda upstream, _: upstream**2,
    "{name} is cut where the output is negative, as after a ReLU": lambda upstream, out: (
        None if out is None or out.shape != upstream.shape else upstream * (out > 0)
    ),
}


def _everywhere(value: Tensor, like: Tensor) -> Tensor:
    return value.expand_as(like).contiguous()


def other_upstream(symptom: Symptom) -> Diagnosis | None:
    """Something that was made of the upstream gradient stands in its place."""
    if symptom.is_thin():
        return None
    upstream = f"`{symptom.name_of('upstream')}`"
    for what in _UPSTREAMS:
        if symptom.fits(lambda view: _with_upstream(symptom, view, what)):
            said = what.format(name=upstream)
            return symptom.say("wrong_value.upstream_made", what=said, upstream=upstream)
    return None


def other_operation(symptom: Symptom) -> Diagnosis | None:
    """A product, a quotient or squares in the place of a difference, or the square of a mean, in a forward value."""
    return None if symptom.is_gradient or symptom.is_thin() else first_of(symptom, DIFFERENCES)


def _with_upstream(symptom: Symptom, view: View, what: str) -> Tensor | None:
    upstream = view.case.upstream
    made = None if upstream is None else _UPSTREAMS[what](upstream, symptom.output(view))
    return None if made is None else symptom.expected_with(what, view, upstream=made)


def left_out(symptom: Symptom) -> Diagnosis | None:
    """One or two inputs that the result does not depend on, as if they were zero: a bias, a target."""
    if symptom.is_thin():
        return None
    for count in (1, 2):
        pairs = combinations(symptom.float_parameters, count)
        found = [chosen for chosen in pairs if symptom.fits(lambda view: without(symptom, view, chosen))]
        if len(found) == 1:
            given = (f"`{symptom.name_of(name)}`" for name in found[0])
            return symptom.say("wrong_value.left_out", names=" and ".join(given))
        if found:  # a product of both, which either makes zero
            return None
    return None


def without(symptom: Symptom, view: View, names: tuple[str, ...]) -> Tensor | None:
    """What the check's tensor would be with zeros in the place of the inputs ``names``; None where nothing comes."""
    zeros = {name: torch.zeros_like(view.case.inputs[name]) for name in names}
    return symptom.expected_with(f"without {' and '.join(names)}", view, inputs=zeros)


def _own_gradient(view: View, name: str, value: Tensor) -> Tensor | None:
    if view.finding.check.startswith(f"{name}.g"):  # which is what the code is to make
        return None
    gradient = view.prepared.expected.get(f"{name}.g")
    return gradient if gradient is not None and gradient.shape == value.shape else None


def _of_several(change: Callable[[Tensor], Tensor]) -> Change:
    """A change of what has several rows; that of one would be none."""
    return lambda view, name, value: change(value) if value.dim() and len(value) > 1 else None


#: What is made of an input, by key; a reshaped matrix is one whose transpose has the entries in the right one's order.
_CHANGES: Mapping[str, Change] = {
    "ones": lambda view, name, value: torch.ones_like(value),
    "negated": lambda view, name, value: -value,
    "turned": lambda view, name, value: value.T if value.dim() == 2 and value.shape[0] == value.shape[1] else None,
    "reshaped": lambda view, name, value: value.reshape(value.mT.shape).mT if value.dim() > 1 else None,
    "own_gradient": _own_gradient,
    "total": lambda view, name, value: _everywhere(value.sum(), value) if value.numel() > 1 else None,
    "mean": lambda view, name, value: _everywhere(value.mean(), value) if value.numel() > 1 else None,
    "first": _of_several(lambda value: _everywhere(value[:1], value)),
    "backwards": _of_several(lambda value: value.flip(0)),
}


def changed_input(symptom: Symptom) -> Diagnosis | None:
    """One input that comes in with the opposite sign, reshaped for transposed, summed up, or as its own gradient."""
    if symptom.is_thin() or symptom.takes_steps:
        return None
    names = symptom.float_parameters
    counts = not symptom.failing[0].finding.expected.is_floating_point()  # the other end of an order is no lost sign
    for key, change in _CHANGES.items():
        if counts and key == "negated":
            continue
        found = [name for name in names if symptom.fits(lambda view: _changed(symptom, view, name, key, change))]
        if len(found) == 1 or (len(found) == _EITHER and key == "negated"):
            # Another operation may come to the same: 2 for 2x to ones for x, the smallest to -x, 1 - σ to -x in σ.
            chance = layer(symptom) or _in_one_place(symptom, GATES) if key in _MAY_BE_OPERATION else None
            return chance or _said_of_input(symptom, key, found)
        if found:
            return None
    return None


def _said_of_input(symptom: Symptom, key: str, names: list[str]) -> Diagnosis:
    given = [symptom.name_of(name) for name in names]
    if key in _MADE:
        name = f"`{given[0]}`"
        what = _MADE[key].format(name=name, bare=given[0])
        return symptom.say("wrong_value.upstream_made", what=what, upstream=name)
    if key == "ones":
        return symptom.say("wrong_value.ones.given", name=given[0])
    if key == "own_gradient":
        return symptom.say("wrong_operand", used=f"`{given[0]}.g`", right=f"`{given[0]}`")
    return symptom.say(f"wrong_value.{key}", name=" or ".join(f"`{each}`" for each in given))


def _changed(symptom: Symptom, view: View, name: str, key: str, change: Change) -> Tensor | None:
    value = view.case.inputs.get(name)
    changed = None if value is None else change(view, name, value)
    if changed is None:
        return None
    return symptom.expected_with(f"{name} {key}", view, inputs={name: changed})
