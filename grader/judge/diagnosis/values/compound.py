"""Two mistakes in one stub: a known one, and beside it a lost sign, a factor of 2 or a size of the case."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from torch import Tensor

from grader.judge.diagnosis.operations.catalogue import OPERATIONS
from grader.judge.diagnosis.operations.normalisations import MISSTEPS
from grader.judge.diagnosis.symptom import Prediction, Symptom, View, multiple_of
from grader.judge.diagnosis.values.changed import under
from grader.judge.diagnosis.values.factors import Factor, multiples
from grader.judge.diagnosis.values.operands import of_output
from grader.judge.diagnosis.values.passes import without
from grader.judge.diagnosis.values.shapes import axes_of, fits_inverse, summed, transpose_of
from grader.judge.diagnosis.values.upstreams import of_ones
from grader.judge.diagnosis.words import wording
from grader.model import Diagnosis

#: Entries in the failing cases below which an agreement may be chance.
_ENTRIES = 12


def twice_wrong(symptom: Symptom) -> Diagnosis | None:
    """A known mistake, and beside it a factor."""
    if symptom.is_thin(entries=_ENTRIES):
        return None
    scales = multiples(symptom)
    for what, predict in _predictions(symptom):
        first = predict(symptom.failing[0])
        if first is None or not _is_multiple(symptom.failing[0], first):
            continue
        for factor, scale in scales:
            if symptom.fits(lambda view: _times(predict(view), scale(view))):
                return symptom.say("wrong_value.two", what=what, factor=factor)
    return _unsummed_too(symptom, scales)


def _unsummed_too(symptom: Symptom, scales: list[tuple[str, Factor]]) -> Diagnosis | None:
    """A factor beside a sum that was left out."""
    if not any(view.came.numel() > view.expected.numel() for view in symptom.failing):
        return None
    for axes in axes_of(symptom.failing[0].came.dim()):
        sums = {view.case.label: summed(view.came, axes, view.expected) for view in symptom.views}
        for factor, scale in scales:
            if fits_inverse(symptom, lambda view: _times(sums[view.case.label], 1 / scale(view))):
                what = f"it is not summed over axis {wording.axes(axes)}"
                return symptom.say("wrong_value.two", what=what, factor=factor)
    return None


def _is_multiple(view: View, predicted: Tensor) -> bool:
    """Whether what came is some multiple of a prediction, which costs less to ask than each factor alone."""
    if predicted.shape != view.came.shape:
        return False
    factor = multiple_of(view.actual, predicted)
    return factor is not None and view.is_near(predicted * factor)


def _times(predicted: Tensor | None, scale: float) -> Tensor | None:
    return None if predicted is None else predicted * scale


def _predictions(symptom: Symptom) -> Iterator[tuple[str, Prediction]]:
    yield "it is transposed", transpose_of
    yield "an upstream gradient of ones stands in the place of the given one", partial(of_ones, symptom)
    yield "`out` stands in the place of `out.g`", partial(of_output, symptom)
    for other in symptom.others():
        what = f"the value that belongs to `{symptom.exercise.path_of(other)}` stands there"
        yield what, lambda view: view.prepared.expected.get(other)
    for name in () if symptom.takes_steps else symptom.float_parameters:
        yield f"zeros stand in the place of `{name}`", partial(without, symptom, names=(name,))
    for operation in (*OPERATIONS, *MISSTEPS):
        yield operation.what, partial(under, symptom, operation)
