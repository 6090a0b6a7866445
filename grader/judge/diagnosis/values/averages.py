"""The right tensor too small by a number of entries: averaged where it has to be summed, or divided once too often."""

from __future__ import annotations

import math
from collections.abc import Callable

from grader.judge.diagnosis.naming import STEPS
from grader.judge.diagnosis.operations.catalogue import MEAN_FOR_SUM
from grader.judge.diagnosis.symptom import Symptom, View
from grader.judge.diagnosis.values.changed import under
from grader.judge.diagnosis.values.factors import is_scaled, letter_by, of_kind, size_of
from grader.model import Diagnosis

#: Numbers of entries that must differ among the cases before they are called the factor.
_FEWEST = 3


def divided(symptom: Symptom) -> Diagnosis | None:
    """Too small by a size of the case: averaged where it must be summed, or the mean of the loss taken twice."""
    letter = letter_by(symptom, lambda size: 1 / size)
    if letter is None:
        return _averaged(symptom)
    twice = _keeps(symptom, letter) or _is_whole_loss(symptom, letter)
    key = "mean_twice" if twice else of_kind("averaged_instead_of_summed", symptom)
    return symptom.say(key, letter=letter, size=size_of(symptom, letter))


def _averaged(symptom: Symptom) -> Diagnosis | None:
    """As many times too small as entries of one tensor were summed, into each entry or into the loss."""
    if symptom.ratios is None:
        return None
    lone = all(view.case.upstream is None for view in symptom.views)  # which else comes in by a sum, too
    if lone and symptom.fits(lambda view: under(symptom, MEAN_FOR_SUM, view)):
        shown = symptom.ratios[0]
        if shown is not None and shown > 0 and round(1 / shown) > 1:
            return symptom.say("averaged_instead_of_summed.entries", count=round(1 / shown))
    for name in (None, *symptom.failing[0].case.inputs):
        if found := _too_small(symptom, "averaged_instead_of_summed.entries", lambda view: _entries(view, name)):
            return found
    return (
        _averaged_in_part(symptom)
        or _too_small(symptom, "mean_twice.entries", lambda view: max(1, view.expected.numel()))
        or _too_small(symptom, "averaged_instead_of_summed.output", _of_output, fewest=_FEWEST)
    )


def _too_small(
    symptom: Symptom, key: str, count: Callable[[View], float], fewest: int = 2, **fields: str
) -> Diagnosis | None:
    """Too small by a number of entries, of which there are ``fewest`` among the cases at least."""
    counts = [count(view) for view in symptom.views]
    if len(set(counts)) < fewest or min(counts) < 1 or round(counts[0]) == 1:
        return None  # as many entries in every case: a number, whatever it comes from
    found = is_scaled(symptom, lambda view: 1 / count(view))
    return symptom.say(key, count=round(counts[0]), **fields) if found else None


def _of_output(view: View) -> int:
    """How many entries the output has, over all of which a mean may be taken."""
    return 0 if view.case.upstream is None else view.case.upstream.numel()


def _averaged_in_part(symptom: Symptom) -> Diagnosis | None:
    """Averaged over those axes of an input that the result lacks, or over those that it keeps with size one."""
    key = "averaged_instead_of_summed.some"
    for name in symptom.failing[0].case.inputs:
        for number, which in enumerate(("that the result does not have", "that the result keeps with size 1")):
            if found := _too_small(symptom, key, lambda view: _summed(view, name)[number], _FEWEST, which=which):
                return found
    return None


def _summed(view: View, name: str) -> tuple[int, int]:
    """How many entries of an input meet in one of the result: along axes that it lacks, and that it keeps."""
    source, shape = view.case.inputs.get(name), view.expected.shape
    lacking = -1 if source is None else source.dim() - len(shape)
    if source is None or lacking < 0 or not view.expected.numel():
        return 1, 1
    pairs = list(zip(source.shape[lacking:], shape, strict=True))
    if any(size not in (1, full) for full, size in pairs):
        return 1, 1
    return math.prod(source.shape[:lacking]), math.prod(full for full, size in pairs if size == 1)


def _entries(view: View, name: str | None) -> float:
    """How many entries of an input, or of the upstream gradient, there are for each of the result.

    The losses of a loop are one number for each of its steps.
    """
    source = view.case.upstream if name is None else view.case.inputs.get(name)
    if source is None or not source.numel():
        return 1.0
    steps = view.case.constants.get(STEPS)
    return source.numel() / (1 if (steps,) == tuple(view.expected.shape) else max(1, view.expected.numel()))


def _keeps(symptom: Symptom, letter: str) -> bool:
    """Whether the expected tensor has an axis for the letter, so that there was nothing to sum over it."""
    return all(view.case.sizes[letter] in view.expected.shape for view in symptom.views)


def _is_whole_loss(symptom: Symptom, letter: str) -> bool:
    """Whether the loss is a single number and every gradient of it is too small by the same size."""
    if any(view.case.upstream is not None for view in symptom.views):
        return False
    gradients = [
        check
        for check, findings in symptom.evidence.findings.items()
        if any(finding.expected.dim() > 0 for finding in findings)
    ]
    return symptom.failed.issuperset(gradients) and all(
        is_scaled(symptom.of(check), lambda view: 1 / view.case.sizes[letter]) for check in gradients
    )
