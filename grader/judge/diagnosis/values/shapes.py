"""The right numbers in another shape: transposes, axes of one, sums that were left out or went too far."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import combinations, permutations

import torch
from torch import Tensor

from grader.judge.diagnosis.symptom import Symptom, View
from grader.judge.diagnosis.values.factors import multiples
from grader.judge.diagnosis.words import wording
from grader.model import Diagnosis

#: More axes than any layer has; beyond it, no permutations are tried.
_MOST_AXES = 5
#: Entries in the failing cases below which an agreement beside a factor may be chance.
_ENTRIES = 8


def fits_inverse(symptom: Symptom, undo: Callable[[View], Tensor | None]) -> bool:
    """Whether undoing the mistake gives the expected tensor, in every case that failed or has that mistake's shape."""
    return all(
        view.finding.passed if (undone := undo(view)) is None else view.is_near(view.expected, undone)
        for view in symptom.views
    )


def transposed(symptom: Symptom) -> Diagnosis | None:
    """Two axes the wrong way round."""
    key = "transposed.parameter" if symptom.is_registered else "transposed"  # a parameter is made, not multiplied
    return _say(key, symptom) if symptom.fits(transpose_of) else None


def transpose_of(view: View) -> Tensor | None:
    """The right tensor transposed, where it is a matrix."""
    return view.expected.T if view.expected.dim() == 2 else None


def permuted_axes(symptom: Symptom) -> Diagnosis | None:
    """Three or more axes in another order."""
    if not 3 <= symptom.failing[0].expected.dim() <= _MOST_AXES:
        return None
    for order in permutations(range(symptom.failing[0].expected.dim())):
        if symptom.fits(lambda view: view.expected.permute(order) if view.expected.dim() == len(order) else None):
            inverse = tuple(sorted(range(len(order)), key=order.__getitem__))
            return _say("permuted_axes", symptom, order=inverse)
    return None


def unit_axis(symptom: Symptom) -> Diagnosis | None:
    """An axis of size one too many or missing."""
    if not any(view.came.shape != view.expected.shape for view in symptom.failing):
        return None
    if fits_inverse(symptom, _without_units):
        return _say("unit_axis", symptom)
    if all(view.came.dim() == view.expected.dim() for view in symptom.failing):
        return None  # a column that is a row is transposed, and the factor a mistake beside that
    factor = _multiple(symptom, _without_units)
    return _say("unit_axis.scaled", symptom, factor=factor) if factor else None


def _multiple(symptom: Symptom, undo: Callable[[View], Tensor | None]) -> str:
    """In words, how many times the right answer it is that undoing the mistake gives; empty where it is no multiple."""
    if symptom.is_thin(entries=_ENTRIES):
        return ""
    undone = {view.case.label: undo(view) for view in symptom.views}
    for words, factor in multiples(symptom):
        if fits_inverse(symptom, lambda view: None if (one := undone[view.case.label]) is None else one / factor(view)):
            return words
    return ""


def _without_units(view: View) -> Tensor | None:
    """What came, in the expected shape, where the two differ by axes of one alone."""
    actual, expected = ([size for size in shape if size != 1] for shape in (view.came.shape, view.expected.shape))
    return view.actual.reshape(view.expected.shape) if actual == expected else None


def broadcast_to_square(symptom: Symptom) -> Diagnosis | None:
    """All pairs of rows, where one value a row is asked for: the right values stand on the diagonal."""
    if not any(view.came.dim() == 2 and view.came.shape[0] > 1 for view in symptom.failing):
        return None
    square = wording.shape(tuple(_shown(symptom).came.shape))
    if fits_inverse(symptom, _diagonal):
        return _say("broadcast_to_square", symptom, square=square)
    factor = _multiple(symptom, _diagonal)
    return _say("broadcast_to_square.scaled", symptom, square=square, factor=factor) if factor else None


def _diagonal(view: View) -> Tensor | None:
    shape = view.expected.shape
    column = len(shape) == 1 or (len(shape) == 2 and shape[1] == 1)
    if not column or tuple(view.came.shape) != (shape[0], shape[0]):
        return None
    return view.actual.diagonal().reshape(shape)


def not_summed(symptom: Symptom) -> Diagnosis | None:
    """A sum was left out: summing what came gives what is expected."""
    if not any(view.came.numel() > view.expected.numel() for view in symptom.failing):
        return None
    for axes in axes_of(symptom.failing[0].came.dim()):
        if fits_inverse(symptom, lambda view: summed(view.came, axes, view.expected)):
            return _not_summed(symptom, axes)
    if fits_inverse(symptom, lambda view: summed(view.came, _in_front(view), view.expected)):
        return _not_summed(symptom, _in_front(_shown(symptom)))
    return None


def _not_summed(symptom: Symptom, axes: tuple[int, ...]) -> Diagnosis:
    key = "not_summed_over_batch" if symptom.is_gradient else "not_summed_over_batch.value"
    return _say(key, symptom, axis=wording.axes(axes))


def _in_front(view: View) -> tuple[int, ...]:
    """The axes by which what came has more, however many there are in this case."""
    return tuple(range(view.came.dim() - view.expected.dim()))


def summed_too_far(symptom: Symptom) -> Diagnosis | None:
    """A sum went over axes that belong to the result."""
    if not any(view.came.numel() < view.expected.numel() for view in symptom.failing):
        return None
    for axes in axes_of(symptom.failing[0].expected.dim()):
        summed = not all(_is_lone(view, axes) for view in symptom.failing)
        if summed and symptom.fits(lambda view: _oversummed(view, axes)):
            key = "summed_too_far.parameter" if symptom.is_registered else "summed_too_far"
            return _say(key, symptom, axis=wording.axes(axes))
    if symptom.fits(_total):
        return _say("summed_too_far.total", symptom)
    for axes in axes_of(symptom.failing[0].expected.dim()):
        counts = {view.expected.numel() // max(1, view.came.numel()) for view in symptom.failing}
        if len(counts) > 1 and symptom.fits(lambda view: _averaged(view, axes)):
            return _say("summed_too_far.averaged", symptom, axis=wording.axes(axes))
    return None


def _total(view: View) -> Tensor | None:
    """The sum of all entries, in one, whatever number of axes the right answer has in a case."""
    return view.expected.sum().reshape(view.came.shape) if view.came.numel() == 1 else None


def _averaged(view: View, axes: tuple[int, ...]) -> Tensor | None:
    """The expected tensor averaged over ``axes``."""
    total = _oversummed(view, axes)
    if total is None or total is view.expected or not view.expected.numel():
        return total
    return total * (total.numel() / view.expected.numel())


def _is_lone(view: View, axes: tuple[int, ...]) -> bool:
    """Whether one slice alone is not zero and no axis is gone: a sum over ``axes`` is then no more than that slice."""
    tensor = view.expected
    if view.came.dim() < tensor.dim() or any(axis >= tensor.dim() for axis in axes):
        return False
    others = [axis for axis in range(tensor.dim()) if axis not in axes]
    slices = tensor.abs().sum(others) if others else tensor
    return slices.numel() > 1 and int(slices.count_nonzero()) == 1


def _oversummed(view: View, axes: tuple[int, ...]) -> Tensor | None:
    """The expected tensor summed over ``axes``; a sum over axes of one changes nothing."""
    if all(axis < view.expected.dim() and view.expected.shape[axis] == 1 for axis in axes) and view.finding.passed:
        return view.expected
    return summed(view.expected, axes, view.came)


def axes_of(dim: int) -> Iterator[tuple[int, ...]]:
    """All sets of axes that could have been summed, single ones first."""
    if dim <= _MOST_AXES:
        for count in range(1, dim + 1):
            yield from combinations(range(dim), count)


def summed(tensor: Tensor, axes: tuple[int, ...], like: Tensor) -> Tensor | None:
    """The float64 sum over ``axes``, kept or not, in the shape of ``like`` up to axes of one in front."""
    if any(axis >= tensor.dim() for axis in axes):
        return None
    sizes = list(enumerate(tensor.shape))
    left = [size for axis, size in sizes if axis not in axes]
    if left == list(like.shape):
        return tensor.sum(axes, dtype=torch.float64)
    if [1 if axis in axes else size for axis, size in sizes] == list(like.shape):
        return tensor.sum(axes, keepdim=True, dtype=torch.float64)
    if math.prod(left) != 1 or like.numel() != 1 or tensor.numel() == 1:
        return None
    return tensor.sum(axes, dtype=torch.float64).reshape(like.shape)


def wrong_shape(symptom: Symptom) -> Diagnosis | None:
    """Another shape, for no known reason."""
    first = symptom.first
    if first.comparison.verdict != "wrong_shape":
        return None
    view = _shown(symptom)
    if sorted(view.came.shape) == sorted(view.expected.shape):
        return _say("wrong_shape.order", symptom)
    if fits_inverse(symptom, _mean):
        return _say("wrong_shape.mean", symptom)
    if rows := _rows_of_index(symptom):
        return rows
    for which, place in (("last", -1), ("first", 0)):
        several = any(view.expected.dim() > 1 and len(view.expected) > 1 for view in symptom.failing)
        if several and symptom.fits(lambda view: _one_row(view, place)):
            return _say("wrong_shape.row", symptom, which=which)
    if symptom.is_gradient:
        if symptom.fits(lambda view: _value_of(symptom, view)):
            return _say("wrong_shape.undifferentiated", symptom)
        return _other_sum(symptom) or _say("wrong_shape", symptom)
    for which, place in (("last", -1), ("first", 0)):
        if symptom.fits(lambda view: _one_of_row(view, place)):
            return _say("wrong_shape.one", symptom, which=which)
    return _say(_by_axes(view), symptom, **_sizes(view))


def _rows_of_index(symptom: Symptom) -> Diagnosis | None:
    """The rows that an index names, without the others, or those up to the last one that it names."""
    for key, rows in (("wrong_shape.named", torch.unique), ("wrong_shape.behind", _up_to_largest)):
        for name, value in _shown(symptom).case.inputs.items():
            if not value.is_floating_point() and symptom.fits(lambda view: _rows(view, name, rows)):
                return _say(key, symptom, name=symptom.name_of(name))
    return None


def _up_to_largest(index: Tensor) -> Tensor:
    return torch.arange(int(index.max()) + 1)


def _rows(view: View, name: str, rows: Callable[[Tensor], Tensor]) -> Tensor | None:
    """The rows of the right answer that ``rows`` makes of an input."""
    index, count = view.case.inputs[name], len(view.expected) if view.expected.dim() else 0
    inside = index.numel() and int(index.min()) >= 0 and int(index.max()) < count
    return view.expected[rows(index)] if inside else None


def _mean(view: View) -> Tensor | None:
    """What the right answer would be, were it the mean of what came."""
    alone = view.expected.dim() == 0 and view.came.dim() > 0
    return view.actual.mean() if alone else None


def _value_of(symptom: Symptom, view: View) -> Tensor | None:
    """The value of the function itself."""
    out = symptom.alternatives.output(view.case)
    return out.reshape(view.came.shape) if out is not None and out.numel() == view.came.numel() else None


def _other_sum(symptom: Symptom) -> Diagnosis | None:
    """A sum over other axes than the right ones: of what arrives, or of what each sample contributes."""
    for summands in (lambda symptom, view: view.case.upstream, _by_sample):
        if (shown := summands(symptom, _shown(symptom))) is None:
            continue
        for axes in axes_of(shown.dim()):
            for places in (axes, tuple(axis - shown.dim() for axis in axes)):
                if symptom.fits(lambda view: _sum_over(summands(symptom, view), places)):
                    return _say("wrong_shape.other_sum", symptom, axis=wording.axes(axes))
    return None


def _by_sample(symptom: Symptom, view: View) -> Tensor | None:
    """The gradient of an input of which each sample has a copy of its own."""
    name, size = symptom.path.removesuffix(".g"), view.case.sizes.get(symptom.exercise.batch or "")
    value = view.case.inputs.get(name)
    if value is None or size is None:
        return None
    copies = {name: value.expand(size, *value.shape).contiguous()}
    found = symptom.expected_with(f"a copy of {name} for each sample", view, inputs=copies)
    return None if found is None or found.shape != copies[name].shape else found


def _sum_over(summands: Tensor | None, axes: tuple[int, ...]) -> Tensor | None:
    if summands is None or any(not -summands.dim() <= axis < summands.dim() for axis in axes):
        return None
    return summands.to(torch.float64).sum(axes)


def _one_row(view: View, place: int) -> Tensor | None:
    """One row of several, alone."""
    if view.expected.dim() < 2 or not len(view.expected):
        return None
    row = view.expected[place]
    return row.reshape(view.came.shape) if view.came.numel() == row.numel() else None


def _one_of_row(view: View, place: int) -> Tensor | None:
    """One of several values, alone."""
    row = view.expected.dim() == 1 and len(view.expected) > 1 and view.came.numel() == 1
    return view.expected[place].reshape(view.came.shape) if row else None


def _by_axes(view: View) -> str:
    """The key that says whether there are too few axes, too many, or one of another size."""
    less = view.expected.dim() - view.came.dim()
    return "wrong_shape.fewer" if less > 0 else "wrong_shape.more" if less < 0 else "wrong_shape.along"


def _sizes(view: View) -> dict[str, object]:
    """How many axes there are, and should be; the first whose size is another, with both sizes."""
    pairs = list(zip(view.came.shape, view.expected.shape, strict=False))
    axis = next((axis for axis, (has, wanted) in enumerate(pairs) if has != wanted), 0)
    has, wanted = pairs[axis] if pairs else (0, 0)
    return {"count": view.came.dim(), "asked": view.expected.dim(), "axis": axis, "has": has, "wanted": wanted}


def _shown(symptom: Symptom) -> View:
    """The first failing case whose shape is wrong, or else the first: the one to speak of."""
    return next((view for view in symptom.failing if view.came.shape != view.expected.shape), symptom.failing[0])


def _say(key: str, symptom: Symptom, **fields: object) -> Diagnosis:
    view = _shown(symptom)
    shapes = {"actual": wording.shape(tuple(view.came.shape)), "expected": wording.shape(tuple(view.expected.shape))}
    differ = wording.SHAPES.format_map(shapes) if view.came.shape != view.expected.shape else ""
    return symptom.say(key, **shapes, shapes=differ, **fields)
