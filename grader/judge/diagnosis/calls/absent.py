"""Checks whose capture holds no usable tensor: not written, written elsewhere, of another kind, or not finite."""

from __future__ import annotations

import re
from collections.abc import Callable

import torch

from grader.judge.diagnosis import clues
from grader.judge.diagnosis.gradient_lines import (
    adds_up,
    kept_sum,
    may_add,
    may_read_gradient,
    reads_gradient,
    writes_in_part,
)
from grader.judge.diagnosis.naming import PLACE, STEPS, USED_BEFORE, call_of, handed_over, is_driven, is_used
from grader.judge.diagnosis.source import assigns, is_kept_on_class, made_by_calling, parameter
from grader.judge.diagnosis.symptom import Symptom, View
from grader.judge.diagnosis.words import wording
from grader.judge.evidence import Finding
from grader.model import Diagnosis, Exercise

_STATES = {
    "untouched": "it still holds what was there before the call",
    "none": "it is None",
    "missing": "it does not exist",
}
#: How the kernel begins to tell of a shape that no result has.
_SHAPE = "a shape of"
#: What autograd says where it is given a gradient of another shape than the output has.
_MISMATCH = "Mismatch in shape: grad_output"
Fits = Callable[[Symptom, Finding, str], bool]
#: Types that numbers come in when they have left the world of tensors.
_NUMBERS = frozenset({"float", "int", "complex", "ndarray"})
_KINDS = {
    "tensor": "a tensor",
    "parameter": "a parameter",
    "ndarray": "a NumPy array",
    "scalar": "a plain number",
    "sequence": "a list or tuple of numbers",
}


def not_written(symptom: Symptom) -> Diagnosis | None:
    """The call returned, and nothing was written: say where the result went, if it was found."""
    first = symptom.first
    if first.comparison.verdict != "absent" or first.run.ended != "returned":
        return None
    if found := not_run(symptom):
        return found
    absent = [finding for finding in symptom.bad if finding.comparison.verdict == "absent"]
    if found := _on_another_input(symptom, absent):
        return found
    name = symptom.path
    if call := call_of(symptom.exercise.call, name):
        kept = _found(symptom, absent, _holds)
        sentence = wording.KEPT_ALONE if kept == "result" else wording.KEPT if kept else ""
        return wording.added(_not_returned(symptom, first, call), sentence, found=kept)
    if found := _written_elsewhere(symptom, absent):
        return found
    if name.endswith(".grad") and symptom.exercise.autograd:
        source = name.removesuffix(".grad")
        key = "not_written.no_way_to_input" if source in first.case.inputs else "not_written.no_way"
        return symptom.say(key, owner=source)
    attribute = re.match(r"\w+\.(\w+)", name)
    if first.actual.absence == "missing" and attribute and is_kept_on_class(symptom.evidence.stub, attribute[1]):
        return symptom.say("state_shared.kept", name=attribute[1])
    state = _STATES.get(first.actual.absence or "", "it is empty")
    if owner := _rebound(symptom):
        return symptom.say("not_written.rebound", state=state, owner=owner)
    stub = symptom.evidence.stub
    if symptom.exercise.rerun:
        cell = None if stub is None else dict(stub.elsewhere).get(name)
        return symptom.say("not_written.cell" if cell is None else "not_written.other_cell", state=state, cell=cell)
    owner = name.removesuffix(".g")
    own = (_argument(symptom, owner) or ("", owner))[1].rpartition(".")[2]
    clue = clues.copied(stub, own) or clues.returned(stub, name) or clues.unused(stub, name)
    return wording.added(symptom.say("not_written", state=state), clue)


def without_output(symptom: Symptom) -> Diagnosis | None:
    """No gradient, where the output is None from which it should come back, or autograd refuses it for its shape."""
    first = symptom.first
    if first is None or first.case.upstream is None or not symptom.is_gradient or first.comparison.verdict != "absent":
        return None
    if call_of(symptom.exercise.call, "out") is None:
        return None
    out = next((each for each in symptom.evidence.findings.get("out", ()) if each.case is first.case), None)
    if out is None:
        return None
    if first.run.ended == "returned" and out.actual.absence == "none":
        return symptom.say("not_written.no_output", state="it is None")
    if first.run.error is not None and _MISMATCH in first.run.error.message and out.actual.tensor is not None:
        came, right = map(wording.shape, (out.comparison.actual_shape, out.comparison.expected_shape))
        return symptom.say("not_written.no_output", state=f"it has shape {came}, not {right}")
    return None


def _rebound(symptom: Symptom) -> str | None:
    """What the stub calls the owner of a gradient, where one of its lines gives that name to another tensor."""
    exercise, stub = symptom.exercise, symptom.evidence.stub
    owner = symptom.path.rpartition(".")[0]
    if owner in exercise.globals:
        return owner if any(assigns(stub, function, owner) for function in exercise.needs) else None
    if (found := _argument(symptom, owner)) is None:
        return None
    function, name = found
    return name if assigns(stub, function, name) and assigns(stub, function, f"{name}.g") else None


def _argument(symptom: Symptom, owner: str) -> tuple[str, str] | None:
    """The stub's function that the check hands ``owner`` to, and what that calls it."""
    call = handed_over(symptom.exercise.call, owner)
    name = None if call is None else parameter(symptom.evidence.stub, *call)
    return None if call is None or name is None else (call[0], name)


def _not_returned(symptom: Symptom, finding: Finding, call: str) -> Diagnosis:
    """The value of ``call`` is None, one of several is, or there are not as many."""
    exercise = symptom.exercise
    place = PLACE.fullmatch(exercise.path_of(symptom.check))
    if place is None:
        return wording.say("not_written.returned", call=call)
    fields = {"call": call, "count": _asked_for(exercise)}
    if finding.actual.absence == "none":
        return wording.say("not_written.one_is_none", place=int(place[1]) + 1, **fields)
    if (single := finding.run.extras.get("result")) is not None:
        return wording.say("not_written.one_tensor", shape=wording.shape(tuple(single.shape)), **fields)
    return wording.say("not_written.too_few", **fields)


def _asked_for(exercise: Exercise) -> int:
    """How many values the call has to return: the last place that a check reads, from 1."""
    paths = [exercise.path_of(check) for check in exercise.checks if check not in exercise.raises]
    return max((int(match[1]) + 1 for path in paths if (match := PLACE.fullmatch(path))), default=1)


def not_run(symptom: Symptom) -> Diagnosis | None:
    """A stub none of whose lines ran: calling it only makes a generator or a coroutine."""
    exercise = symptom.exercise
    for name in exercise.needs:
        if kind := made_by_calling(symptom.evidence.stub, name):
            return symptom.say("not_written.not_run", name=name, kind=kind)
    return None


def _written_elsewhere(symptom: Symptom, absent: list[Finding]) -> Diagnosis | None:
    """What was meant for this path stands under another name that the check itself neither reads nor writes."""
    for key, fits in (("not_written.elsewhere", _holds), ("not_written.alike", _looks_like)):
        found = _found(symptom, absent, fits, symptom.exercise.call)
        if found and found.count(".") > 1:
            owner = symptom.path.rpartition(".")[0]
            return symptom.say("not_written.copy", found=found, owner=owner)
        if found and found.partition("[")[0] == "result":
            return symptom.say("not_written.only_returned")
        if found:
            return symptom.say(key, found=found)
    return None


def _found(symptom: Symptom, absent: list[Finding], fits: Fits, used: str = "") -> str | None:
    """The one name outside of the code ``used`` under which every such case holds a tensor that ``fits``."""
    free = [name for name in absent[0].run.extras if not is_used(used, name)]
    names = [name for name in free if all(fits(symptom, finding, name) for finding in absent)]
    if len(names) > 1:  # the same tensor under several names
        names = [name for name in names if name.endswith(".grad")] or names[:1]
    return names[0] if names else None


def _on_another_input(symptom: Symptom, absent: list[Finding]) -> Diagnosis | None:
    """The result of a call went to what an earlier call, or another object, was given."""
    owner, _, attribute = symptom.path.rpartition(".")
    for used, code in USED_BEFORE.items():
        name = f"{used.format(owner)}.{attribute}"
        if owner and all(name in finding.run.extras for finding in absent):
            return symptom.say(f"{code}.written", found=name)
    return None


def _holds(symptom: Symptom, finding: Finding, name: str) -> bool:
    view = symptom.view_of(finding, finding.run.extras.get(name))
    return view is not None and view.is_near(finding.expected)


def _looks_like(symptom: Symptom, finding: Finding, name: str) -> bool:
    """A tensor of the right shape on the same owner: ``w.grad`` or ``w.dw`` for ``w.g``; no copy of an input.

    What a layer keeps under the owner's name, as ``layer.w``, is its weights or an input, and no gradient.
    """
    extra = finding.run.extras.get(name)
    owner = symptom.path.rpartition(".")[0]
    near = name.rpartition(".")[0] == owner
    if extra is None or not owner or not near or extra.shape != finding.expected.shape:
        return False
    return not any(torch.equal(extra.double(), value.double()) for value in finding.case.inputs.values())


def not_registered(symptom: Symptom) -> Diagnosis | None:
    """The right numbers, in a tensor that the module has not registered as a parameter."""
    if not symptom.is_registered or not all(
        finding.comparison.verdict == "not_a_tensor"
        and finding.actual.tensor is not None
        and finding.actual.kind not in {"parameter", "scalar", "sequence"}
        for finding in symptom.bad
    ):
        return None
    return symptom.say("not_registered")


def not_a_tensor(symptom: Symptom) -> Diagnosis | None:
    """A number, a list, an array or something else where a tensor is asked for."""
    first = symptom.first
    if first.comparison.verdict != "not_a_tensor":
        return None
    if first.actual.tensor is None and (found := not_run(symptom)):
        return found
    kind = _KINDS.get(first.actual.kind, "something else")
    if first.actual.tensor is None:
        detail = first.actual.detail
        kind = detail if detail.startswith(_SHAPE) else f"of type {detail}" if detail else "something else"
    expected, wanted = wording.shape(first.comparison.expected_shape), _wanted(symptom, first)
    if wanted == "not_a_tensor.numbers" and first.actual.detail in {"list", "tuple"}:
        kind = f"a {first.actual.detail} that is empty or holds something else than numbers"
    return symptom.say(wanted, kind=kind, expected=expected)


def _wanted(symptom: Symptom, first: Finding) -> str:
    """The key that says what is asked for: numbers, an array, one tensor in place of a tuple, or a tensor."""
    exercise = symptom.exercise
    if first.actual.absence == "unsupported":
        return "not_a_tensor.shape" if first.actual.detail.startswith(_SHAPE) else "not_a_tensor.dtype"
    if " (a subclass of " in first.actual.detail:
        return "not_a_tensor.subclass"
    if exercise.base_name(symptom.check) in exercise.scalars:
        return "not_a_tensor.number" if first.expected.dim() == 0 else "not_a_tensor.numbers"
    if exercise.numpy:
        return "not_a_tensor.array"
    if first.actual.kind == "sequence" or first.actual.detail == "list":
        return "not_a_tensor.list"
    if first.actual.tensor is None and first.actual.detail not in _NUMBERS:
        return "not_a_tensor.tuple" if first.actual.detail == "tuple" else "not_a_tensor.object"
    return "not_a_tensor"


def accumulated(symptom: Symptom) -> Diagnosis | None:
    """Added to the NaN that stood there: all entries are NaN in every case, and no input is."""
    name = symptom.path
    views = symptom.views
    if len(symptom.failing) != len(symptom.findings):
        return None
    for view in views:
        if name not in view.case.program.poison or view.came.numel() == 0:
            return None
        if not bool(torch.isnan(view.actual).all()) or _has_nan(view):
            return None
    stub = symptom.evidence.stub
    by_the_check = stub is not None and is_used(symptom.exercise.call, name)  # and not by the student's code
    program = views[0].case.program
    given = {_spellings(symptom, path)[-1] for path in program.tensors if path not in program.poison}
    if by_the_check or any(reads_gradient(stub, each, given) for each in _spellings(symptom, name)):
        return symptom.say("non_finite.read", label=views[0].case.describe())
    if (kept := kept_sum(stub, name)) is not None:
        return symptom.say("accumulated.kept", kept=kept)
    spellings = _spellings(symptom, name)
    if any(adds_up(stub, each) for each in spellings):
        return symptom.say("accumulated.loop", owner=spellings[-1].rpartition(".")[0])
    if may_add(stub):
        return symptom.say("accumulated")
    read = may_read_gradient(stub, given)
    return symptom.say("non_finite.read", label=views[0].case.describe()) if read else None


def _spellings(symptom: Symptom, path: str) -> tuple[str, ...]:
    """What a student may call an attribute of an argument: as the check does, and by the name of the parameter."""
    owner, _, attribute = path.rpartition(".")
    call = handed_over(symptom.exercise.call, owner)
    taken = parameter(symptom.evidence.stub, *call) if call else None
    return (path,) if taken is None else (path, f"{taken}.{attribute}")


def _has_nan(view: View) -> bool:
    return any(bool(value.isnan().any()) for value in view.case.program.tensors.values())


def non_finite(symptom: Symptom) -> Diagnosis | None:
    """NaN or infinite entries."""
    first = symptom.first
    if first.comparison.verdict != "non_finite" or first.actual.tensor is None:
        return None
    tensor = first.actual.tensor
    count = int((~torch.isfinite(tensor)).sum())
    poisoned = symptom.path in first.case.program.poison and int(torch.isnan(tensor).sum()) == count
    averages = "non_finite.averages" if is_driven(symptom.exercise.inputs) else "non_finite"
    steps = "non_finite.steps" if STEPS in first.case.constants else averages
    key = "non_finite.unwritten" if poisoned and writes_in_part(symptom.evidence.stub) else steps
    return symptom.say(key, count=count, total=tensor.numel(), label=first.case.describe())


def wrong_dtype(symptom: Symptom) -> Diagnosis | None:
    """Integers or bools where floats are asked for, or the other way round."""
    first = symptom.first
    if first.comparison.verdict != "wrong_dtype" or first.actual.tensor is None:
        return None
    actual = str(first.actual.tensor.dtype).removeprefix("torch.")
    key = "wrong_dtype" if first.expected.is_floating_point() else "wrong_dtype.whole"
    return symptom.say(key, actual=actual)
