"""The right tensor too small by a number of entries: averaged where it has to be summed, or divided once too often."""

from __future__ import annotations

import math

from grader.judge.diagnosis.symptom import Symptom, View
from grader.judge.diagnosis.values.changed import under
from grader.judge.diagnosis.values.factors import is_scaled, letter_by, of_kind, size_of
from grader.judge.diagnosis.words import wording
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
    return wording.say(key, path=symptom.path, letter=letter, size=size_of(symptom, letter))


def _averaged(symptom: Symptom) -> Diagnosis | None:
    """As many times too small as entries of one tensor were summed, into each entry or into the loss."""
    if not symptom.failing or symptom.ratios is None:
        return None
    lone = all(view.case.upstream is None for view in symptom.views)  # which else comes in by a sum, too
    if lone and symptom.fits(lambda view: under(symptom, "mean_for_sum", view)):
        shown = symptom.ratios[0]
        if shown is not None and shown > 0 and round(1 / shown) > 1:
            return wording.say("averaged_instead_of_summed.entries", path=symptom.path, count=round(1 / shown))
    for name in (None, *symptom.failing[0].case.inputs):
        shares = [_share(view, name) for view in symptom.views]
        if len(set(shares)) == 1:
            continue  # as many entries in every case: a number, whatever it comes from
        if max(shares) <= 1 and is_scaled(symptom, lambda view: _share(view, name)):
            count = round(1 / _share(symptom.failing[0], name))
            if count > 1:
                return wording.say("averaged_instead_of_summed.entries", path=symptom.path, count=count)
    return _averaged_in_part(symptom) or _by_its_entries(symptom) or _by_the_output(symptom)


def _by_its_entries(symptom: Symptom) -> Diagnosis | None:
    """Divided by the number of entries that the result has, over which nothing is summed."""
    counts = [view.expected.numel() for view in symptom.views]
    if len(set(counts)) > 1 and is_scaled(symptom, lambda view: 1 / max(1, view.expected.numel())):
        return wording.say("mean_twice.entries", path=symptom.path, count=symptom.failing[0].expected.numel())
    return None


def _by_the_output(symptom: Symptom) -> Diagnosis | None:
    """Divided by the number of entries that the output has, as by a mean over all of it."""
    counts = [0 if view.case.upstream is None else view.case.upstream.numel() for view in symptom.views]
    if not all(counts) or len(set(counts)) < _FEWEST or counts[0] == 1:
        return None
    if not is_scaled(symptom, lambda view: 1 / (1 if view.case.upstream is None else view.case.upstream.numel())):
        return None
    return wording.say("averaged_instead_of_summed.output", path=symptom.path, count=counts[0])


def _averaged_in_part(symptom: Symptom) -> Diagnosis | None:
    """Averaged over those axes of an input that the result lacks, or over those that it keeps with size one."""
    for name in symptom.failing[0].case.inputs:
        for number, which in enumerate(("that the result does not have", "that the result keeps with size 1")):
            counts = [_summed(view, name)[number] for view in symptom.views]
            few = len(set(counts)) < _FEWEST or counts[0] == 1
            if not few and is_scaled(symptom, lambda view: 1 / _summed(view, name)[number]):
                return wording.say("averaged_instead_of_summed.some", path=symptom.path, count=counts[0], which=which)
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


def _share(view: View, name: str | None) -> float:
    """What one entry of the source (an input, or the upstream gradient) weighs in a mean instead of a sum.

    The losses of a loop are one number for each of its steps.
    """
    source = view.case.upstream if name is None else view.case.inputs.get(name)
    if source is None or not source.numel():
        return 1.0
    steps = view.case.constants.get("steps")
    return (1 if (steps,) == tuple(view.expected.shape) else view.expected.numel()) / source.numel()


def _keeps(symptom: Symptom, letter: str) -> bool:
    """Whether the expected tensor has an axis for the letter, so that there was nothing to sum over it."""
    return all(view.case.sizes[letter] in view.expected.shape for view in symptom.views)


def _is_whole_loss(symptom: Symptom, letter: str) -> bool:
    """Whether the loss is a single number and every gradient of it is too small by the same size."""
    if any(view.case.upstream is not None for view in symptom.views):
        return False
    siblings = [other for other in symptom.others() if other in symptom.failed]
    gradients = [
        check
        for check, findings in symptom.evidence.findings.items()
        if any(finding.expected.dim() > 0 for finding in findings)
    ]
    if not all(check in symptom.failed for check in gradients):
        return False
    others = (symptom.of(other) for other in siblings)
    return all(
        is_scaled(other, lambda view: 1 / view.case.sizes[letter])
        for other in others
        if any(finding.expected.dim() > 0 for finding in symptom.evidence.findings[other.check])
    )
