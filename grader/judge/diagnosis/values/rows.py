"""Right formulas over the wrong rows: some samples left out, or each row combined with every other."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from grader.judge.diagnosis.naming import outputs_of
from grader.judge.diagnosis.symptom import Symptom, View, multiple_of
from grader.model import Diagnosis

#: The first column and the first row of a matrix of all pairs, and what else they are.
_SLICES: dict[Callable[[Tensor], Tensor], str] = {
    lambda square: square[:, 0]: "all rows meet the first target alone",
    lambda square: square[0]: "all targets meet the first row alone",
}
#: How a matrix of all pairs becomes one value a row, or a column.
_REDUCTIONS: tuple[Callable[[Tensor], Tensor], ...] = (
    *_SLICES,
    lambda square: square.sum(1),
    lambda square: square.sum(0),
    lambda square: square.mean(1),
    lambda square: square.mean(0),
)


def last_sample_only(symptom: Symptom) -> Diagnosis | None:
    """The last row's contribution alone, as one of the loss or as the whole of it."""
    return symptom.say("last_sample_only") if _comes_of_rows(symptom, slice(-1, None)) else None


def some_samples(symptom: Symptom) -> Diagnosis | None:
    """A sum over the batch that ends after the first row, or misses the first or the last one."""
    if _comes_of_rows(symptom, slice(0, 1)):
        return symptom.say("not_summed_over_batch.first")
    for which, rows in (("first", slice(1, None)), ("last", slice(0, -1))):
        if _comes_of_rows(symptom, rows):
            return symptom.say("not_summed_over_batch.missing", which=which)
    return None


def _comes_of_rows(symptom: Symptom, rows: slice) -> bool:
    """Whether what came is made of these rows alone, each weighing as in the whole batch or as if they were all."""
    return any(
        symptom.fits(lambda view: predicted(symptom, view, rows)) for predicted in (_contribution_of, _as_whole_batch)
    )


def _contribution_of(symptom: Symptom, view: View, rows: slice) -> Tensor | None:
    """What ``rows`` contribute to the right answer."""
    upstream = view.case.upstream
    if upstream is None:
        size, alone = _batch(symptom, view), _as_whole_batch(symptom, view, rows)
        return None if size is None or alone is None else alone * len(range(size)[rows]) / size
    if upstream.dim() < 2 or not _is_by_sample(symptom, view):
        return None
    return _of_part(symptom, view, (0,), rows)


def _as_whole_batch(symptom: Symptom, view: View, rows: slice) -> Tensor | None:
    """The right answer if ``rows`` were the whole batch of a loss, zero if there are none."""
    size = _batch(symptom, view)
    if view.case.upstream is not None or size is None:
        return None
    taken = {
        name: value[rows]
        for name, value in view.case.inputs.items()
        if symptom.exercise.inputs[name].dims[:1] == (symptom.exercise.batch,)
    }
    if not taken:
        return None
    if not range(size)[rows]:
        return torch.zeros_like(view.expected)
    predicted = symptom.expected_with(f"{rows} alone", view, inputs=taken)
    return predicted if predicted is not None and predicted.shape == view.expected.shape else None


def _is_by_sample(symptom: Symptom, view: View) -> bool:
    """Whether the first axis of the output counts samples, as far as is known; it may be that of steps, or of parts."""
    size, upstream = _batch(symptom, view), view.case.upstream
    return size is None or (upstream is not None and upstream.shape[:1] == (size,))


def _batch(symptom: Symptom, view: View) -> int | None:
    """The number of samples; None where no letter counts them."""
    return view.case.sizes.get(symptom.exercise.batch or "")


#: Parts of an axis that a loop may miss, or keep to.
_PARTS: tuple[tuple[str, slice], ...] = (
    ("the first alone", slice(0, 1)),
    ("the last alone", slice(-1, None)),
    ("all but the last", slice(0, -1)),
    ("all but the first", slice(1, None)),
    ("every second one alone", slice(0, None, 2)),
)


def part_of_upstream(symptom: Symptom) -> Diagnosis | None:
    """The upstream gradient of a part of the output alone: along one axis that is not the batch, or the last two.

    Only for outputs of three axes or more: with two, the second is that of the features.
    """
    if any(view.case.upstream is None for view in symptom.views) or not symptom.is_gradient:
        return None
    first = 1 if all(_is_by_sample(symptom, view) for view in symptom.views) else 0
    axes = range(
        first, min((view.case.upstream.dim() for view in symptom.views if view.case.upstream is not None), default=0)
    )
    if len(axes) < 2:
        return None
    for chosen in (*((axis,) for axis in axes), tuple(axes[-2:])):
        for which, part in _PARTS:
            if symptom.fits(lambda view: _of_part(symptom, view, chosen, part)):
                outputs = outputs_of(symptom.exercise.call) if chosen == (0,) else ()
                if outputs:
                    unused = ", ".join(f"`{name}.g`" for name in outputs if name not in outputs[part])
                    return symptom.say("wrong_value.part.outputs", unused=unused)
                where = f"axis {chosen[0]}" if len(chosen) == 1 else f"each of the axes {chosen}"
                return symptom.say("wrong_value.part", which=which, where=where)
    return None


def _of_part(symptom: Symptom, view: View, axes: tuple[int, ...], part: slice) -> Tensor | None:
    upstream = view.case.upstream
    if upstream is None:
        return None
    index = tuple(part if axis in axes else slice(None) for axis in range(upstream.dim()))
    kept = torch.zeros_like(upstream)
    kept[index] = upstream[index]
    return symptom.expected_with(f"upstream of {index}", view, upstream=kept)


def from_square(symptom: Symptom) -> Diagnosis | None:
    """A difference of all pairs, brought back to one value a row by a sum, a mean or a slice."""
    for reduce in _REDUCTIONS:
        if symptom.fits(lambda view: _reduced_square(view, reduce)):
            size = symptom.failing[0].expected.shape[0]
            key = "broadcast_to_square.first" if reduce in _SLICES else "broadcast_to_square.reduced"
            which = _SLICES.get(reduce, "")
            return symptom.say(key, square=f"({size}, {size})", which=which)
    return None


def _reduced_square(view: View, reduce: Callable[[Tensor], Tensor]) -> Tensor | None:
    """What comes of ``column - row`` where a multiple of their difference row by row is expected."""
    size = view.expected.numel()
    inputs = [value.to(torch.float64) for value in view.case.inputs.values()]
    columns = [value for value in inputs if value.shape == (size, 1)]
    rows = [value for value in inputs if value.shape == (size,)]
    if size == 0 or len(columns) != 1 or len(rows) != 1:
        return None
    difference, expected = columns[0][:, 0] - rows[0], view.expected.flatten()
    factor = multiple_of(expected, difference)
    if factor is None or not view.is_near(expected, factor * difference):
        return None
    return factor * reduce(columns[0] - rows[0]).reshape(view.expected.shape)
