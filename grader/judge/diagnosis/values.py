"""Wrong values of the right shape, explained by the reference under other circumstances."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping

import torch
from torch import Tensor

from grader.judge.diagnosis import wording
from grader.judge.diagnosis.absent import USED_BEFORE, path
from grader.judge.diagnosis.naming import given_as, is_used
from grader.judge.diagnosis.normalisations import MISSTEPS
from grader.judge.diagnosis.operations import OPERATIONS, Changed
from grader.judge.diagnosis.symptom import Symptom, View
from grader.model import Diagnosis


def under(symptom: Symptom, operation: str, view: View) -> Tensor | None:
    """What the check would be with a changed operation; None where the forward pass does not use it."""
    unused = symptom.alternatives.shared.setdefault("unused", set())
    if operation in unused:
        return None
    mode = Changed(OPERATIONS[operation]())
    made = symptom.alternatives.reference(f"under {operation}", view.case, under=mode)
    if made is None:
        unused.add(operation)
        return None
    if not mode.used and not symptom.alternatives.shared.get(("used", operation)):
        unused.add(operation)
        return None
    symptom.alternatives.shared["used", operation] = True
    return made.get(symptom.check)


def upstream_ignored(symptom: Symptom) -> Diagnosis | None:
    """An upstream gradient of ones."""
    if not symptom.fits(lambda view: of_ones(symptom, view)):
        return None
    given = symptom.failing[0].case.program.tensors
    return wording.say("upstream_ignored", path=path(symptom), upstream="upstream" if "upstream" in given else "out.g")


def of_ones(symptom: Symptom, view: View) -> Tensor | None:
    """What the check would be with an upstream gradient of ones."""
    if view.case.upstream is None:
        return None
    ones = torch.ones_like(view.case.upstream)
    made = symptom.alternatives.reference("upstream of ones", view.case, upstream=ones)
    return None if made is None else made.get(symptom.check)


def mask(symptom: Symptom) -> Diagnosis | None:
    """A ReLU's mask that is missing, inverted, or wrong at exactly zero."""
    for operation, code in (
        ("mask_missing", "mask_missing"),
        ("mask_inverted", "mask_inverted"),
        ("mask_inverted_open", "mask_inverted"),
        ("mask_at_zero", "mask_at_zero"),
        ("mask_half_at_zero", "mask_at_zero.half"),
    ):
        if symptom.fits(lambda view: under(symptom, operation, view)):  # noqa: B023
            return wording.say(code, path=path(symptom))
    return None


def overwritten(symptom: Symptom) -> Diagnosis | None:
    """One contribution where several have to be added."""
    for operation in ("embedding_last", "embedding_first", "embedding_sample"):
        if symptom.fits(lambda view: under(symptom, operation, view)):  # noqa: B023
            return wording.say("overwritten", path=path(symptom))
    if symptom.fits(lambda view: under(symptom, "embedding_mean", view)):
        return wording.say("averaged_instead_of_summed.repeats", path=path(symptom))
    return None


def broadcast_loss(symptom: Symptom) -> Diagnosis | None:
    """A loss over all pairs, because a column met a row."""
    if not symptom.fits(lambda view: under(symptom, "column_kept", view)):
        return None
    shown = symptom.failing[0]
    size = max(shown.case.inputs[name].shape[0] for name in _columns(shown))
    return wording.say("broadcast_to_square", path=path(symptom), square=f"({size}, {size})")


def from_square(symptom: Symptom) -> Diagnosis | None:
    """A difference of all pairs, brought back to one value a row by a sum, a mean or a slice."""
    for reduce in _REDUCTIONS:
        if symptom.fits(lambda view: _reduced_square(view, reduce)):  # noqa: B023
            size = symptom.failing[0].expected.shape[0]
            return wording.say("broadcast_to_square.reduced", path=path(symptom), square=f"({size}, {size})")
    return None


#: How a matrix of all pairs becomes one value a row, or a column.
_REDUCTIONS: tuple[Callable[[Tensor], Tensor], ...] = (
    lambda square: square[:, 0],
    lambda square: square[0],
    lambda square: square.sum(1),
    lambda square: square.sum(0),
    lambda square: square.mean(1),
    lambda square: square.mean(0),
)


def _reduced_square(view: View, reduce: Callable[[Tensor], Tensor]) -> Tensor | None:
    """What comes of ``column - row`` where a multiple of their difference row by row is expected."""
    size = view.expected.numel()
    inputs = [value.to(torch.float64) for value in view.case.inputs.values()]
    columns = [value for value in inputs if value.shape == (size, 1)]
    rows = [value for value in inputs if value.shape == (size,)]
    if size == 0 or len(columns) != 1 or len(rows) != 1:
        return None
    difference, expected = columns[0][:, 0] - rows[0], view.expected.flatten()
    factor = float(expected @ difference / (difference @ difference))
    if not view.is_near(expected, factor * difference):
        return None
    return factor * reduce(columns[0] - rows[0]).reshape(view.expected.shape)


def _columns(view: View) -> list[str]:
    return [name for name, value in view.case.inputs.items() if value.dim() > 0]


def last_sample_only(symptom: Symptom) -> Diagnosis | None:
    """The last row's contribution alone, as one of the loss or as the whole of it."""
    if _comes_of_rows(symptom, slice(-1, None)):
        return wording.say("last_sample_only", path=path(symptom))
    return None


def some_samples(symptom: Symptom) -> Diagnosis | None:
    """A sum over the batch that ends after the first row, or misses the first or the last one."""
    if _comes_of_rows(symptom, slice(0, 1)):
        return wording.say("not_summed_over_batch.first", path=path(symptom))
    for which, rows in (("first", slice(1, None)), ("last", slice(0, -1))):
        if _comes_of_rows(symptom, rows):
            return wording.say("not_summed_over_batch.missing", path=path(symptom), which=which)
    return None


def _comes_of_rows(symptom: Symptom, rows: slice) -> bool:
    """Whether what came is made of these rows alone, each weighing as in the whole batch or as if they were all."""
    return any(symptom.fits(lambda view: _of_rows(symptom, view, rows, share)) for share in (True, False))  # noqa: B023


def _of_rows(symptom: Symptom, view: View, rows: slice, share: bool) -> Tensor | None:
    upstream = view.case.upstream
    if upstream is not None:
        if not share or upstream.dim() < 2:
            return None
        kept = torch.zeros_like(upstream)
        kept[rows] = upstream[rows]
        made = symptom.alternatives.reference(f"upstream of {rows}", view.case, upstream=kept)
        return None if made is None else made.get(symptom.check)
    size = view.case.sizes.get("n")
    taken = {
        name: value[rows]
        for name, value in view.case.inputs.items()
        if symptom.evidence.exercise.inputs[name].dims[:1] == ("n",)
    }
    if size is None or not taken:
        return None
    count = len(range(size)[rows])
    if count == 0:
        return torch.zeros_like(view.expected)
    made = symptom.alternatives.reference(f"{rows} alone", view.case, inputs=taken)
    predicted = None if made is None else made.get(symptom.check)
    if predicted is None or predicted.shape != view.expected.shape:
        return None
    return predicted * count / size if share else predicted


def wrong_operand(symptom: Symptom) -> Diagnosis | None:
    """Another tensor's value in the formula: another input, the output, what stands before an activation."""
    for other in symptom.others():
        if symptom.fits(lambda view: _other(view, other)):  # noqa: B023
            return wording.say(_misplaced(symptom, other), path=path(symptom), other=_shown(symptom, other))
    for operation, used, right in (
        ("before_relu", "the input of the ReLU", "its output"),
        ("sigmoid_of_input", "the input of the sigmoid", "its output"),
        ("tanh_of_input", "the input of the hyperbolic tangent", "its output"),
    ):
        if symptom.fits(lambda view: under(symptom, operation, view)):  # noqa: B023
            return wording.say("wrong_operand", path=path(symptom), used=used, right=right)
    if symptom.fits(lambda view: of_output(symptom, view)):
        return wording.say("wrong_operand", path=path(symptom), used="`out`", right="`out.g`")
    found = [
        (right, used)
        for right, used in _pairs(symptom)
        if symptom.fits(lambda view: _replaced(symptom, view, right, used))  # noqa: B023
    ]
    if len(found) != 1:
        return None
    (right, used) = found[0]
    if (
        right.replace(".", "_") not in symptom.alternatives.parameters
    ):  # what a fresh object holds, not what the formula uses
        return wording.say("state_shared.objects", path=path(symptom))
    used, right = (f"`{given_as(symptom.evidence.exercise.call, name)}`" for name in (used, right))
    return wording.say("wrong_operand", path=path(symptom), used=used, right=right)


def _other(view: View, other: str) -> Tensor | None:
    """What belongs to another check; where its shape is another, only a case that failed can hold it."""
    value = view.prepared.expected.get(other)
    return None if value is None or (view.finding.passed and value.shape != view.expected.shape) else value


def _misplaced(symptom: Symptom, other: str) -> str:
    """How this check came to hold what belongs to another: the other holds in turn what belongs here, or does not."""
    if other not in symptom.failed:
        return "wrong_operand.other"
    turned = Symptom(symptom.evidence, other, symptom.alternatives, symptom.failed)
    if turned.fits(lambda view: _other(view, symptom.check)):
        return "wrong_operand.swapped"
    return "wrong_operand.place" if path(symptom).startswith("result[") else "wrong_operand.other"


def of_output(symptom: Symptom, view: View) -> Tensor | None:
    """The output's values where its gradient belongs, the output being handed over or made by the student's layer."""
    out = view.case.program.tensors.get("out")
    if out is None:
        out = view.prepared.expected.get("out")
    if out is None or view.case.upstream is None or out.shape != view.case.upstream.shape:
        return None
    made = symptom.alternatives.reference("output as upstream", view.case, upstream=out)
    return None if made is None else made.get(symptom.check)


def _shown(symptom: Symptom, other: str) -> str:
    return path(Symptom(symptom.evidence, other, symptom.alternatives))


def _pairs(symptom: Symptom) -> Iterator[tuple[str, str]]:
    """Inputs of the forward pass, and other tensors of the same shape that the check hands to the student."""
    if not symptom.failing:
        return
    case, exercise = symptom.failing[0].case, symptom.evidence.exercise
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
    made = symptom.alternatives.reference(f"{used} for {right}", view.case, inputs={right: other})
    return None if made is None else made.get(symptom.check)


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
            return wording.say("stale.copied", path=path(symptom))
    for used, code in USED_BEFORE.items():
        if symptom.fits(lambda view: _remembered(symptom, view, used)):  # noqa: B023
            key = code if code == "stale" else f"{code}.objects"
            return wording.say(key, path=path(symptom), label=wording.LAST_CALL)
    return None


def _remembered(symptom: Symptom, view: View, used: str) -> Tensor | None:
    """What comes out when everything that was given to another call or object takes its place."""
    inputs = view.case.inputs
    changed = {name: inputs[used.format(name)] for name in inputs if used.format(name) in inputs and "{" in used}
    if "{" not in used and used in inputs:
        names = [name for name in symptom.alternatives.parameters if name in inputs and name not in {used, "targ"}]
        changed = {name: inputs[used] for name in names[:1] if inputs[name].shape == inputs[used].shape}
    if not changed:
        return None
    made = symptom.alternatives.reference(f"what {used} was given", view.case, inputs=changed)
    return None if made is None else made.get(symptom.check)


def misstep(symptom: Symptom) -> Diagnosis | None:
    """A normalisation layer with one term of its backward pass changed."""
    for name, one in MISSTEPS.items():
        if symptom.failing and all(_is_made_by(symptom, name, view) for view in symptom.views):
            return wording.say("wrong_value.misstep", path=path(symptom), what=one.what)
    return None


def _is_made_by(symptom: Symptom, name: str, view: View) -> bool:
    """Whether a misstep gives what came, in the entries that it leaves finite: one value alone has no spread."""
    predicted = under(symptom, name, view)
    if predicted is None or predicted.shape != view.actual.shape:
        return False
    finite = predicted.isfinite()
    if not torch.equal(finite, view.actual.isfinite()):
        return False
    return view.is_near(predicted.where(finite, 0.0), view.actual.where(finite, 0.0))


def approximate(symptom: Symptom) -> Diagnosis | None:
    """The derivative of a formula that only comes near the function that is asked for."""
    if symptom.fits(lambda view: under(symptom, "gelu_by_tanh", view)):
        return wording.say("wrong_value.approximate", path=path(symptom))
    return None


def upstream_itself(symptom: Symptom) -> Diagnosis | None:
    """The upstream gradient, passed on as it came: the derivative of the function is missing."""
    if (
        symptom.fits(lambda view: view.case.upstream)
        and symptom.failing[0].actual.shape == symptom.failing[0].expected.shape
    ):
        return wording.say("wrong_value.upstream", path=path(symptom))
    return None


def wrong_value(symptom: Symptom) -> Diagnosis | None:
    """The right shape and other values, for no known reason."""
    first = symptom.first
    if first is None:
        return None
    found = first.comparison
    measure, tensor = symptom.evidence.exercise.measure, first.actual.tensor
    if measure is not None and tensor is not None:
        share = f"{100 * min(1.0, max(0.0, measure(tensor, first.expected))):.0f} %"
        right = _agreeing(tensor, first.expected)
        return wording.say("wrong_value.measured", path=path(symptom), share=share, right=right, goal=_goal(measure))
    if found.max_abs_error is None or found.worst is None or found.worst_actual is None or found.worst_expected is None:
        return None
    actual, expected = wording.numbers_apart(found.worst_actual, found.worst_expected)
    general = "wrong_value" if symptom.is_gradient else "wrong_value.value"
    general = "wrong_value.start" if symptom.is_registered else general
    return wording.say(
        general if first.expected.is_floating_point() else "wrong_value.whole",
        path=path(symptom),
        error=wording.number(found.max_abs_error),
        actual=actual,
        expected=expected,
        place=str(list(found.worst)) if found.worst else "its only entry",
    )


def _agreeing(actual: Tensor, expected: Tensor) -> str:
    """How many of some classes are the right ones, in words; nothing where the tensor is no list of classes."""
    if expected.is_floating_point() or expected.dim() != 1 or actual.shape != expected.shape:
        return ""
    return f": {int((actual == expected).sum())} of {len(expected)} values are right"


def _goal(measure: Callable[..., float]) -> str:
    """The first sentence of what the author says of the measure."""
    text = inspect.getdoc(measure) if inspect.isfunction(measure) else None
    return (text or "").partition("\n\n")[0].replace("\n", " ")
