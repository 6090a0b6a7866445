"""The ordered table of hypotheses: the first that explains every case of a failed check gives the diagnosis.

Each hypothesis is a pure function of a ``Symptom`` (the check, and all the evidence around it). Outcomes without a
tensor come first, then specific mistakes, then the general codes, one of which always applies; what they mean is listed
in ``docs/diagnoses.md``. A passing exercise costs nothing.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable
from dataclasses import replace

from grader.judge.diagnosis import clues, source
from grader.judge.diagnosis.alternatives import alternatives_of
from grader.judge.diagnosis.calls import absent, endings
from grader.judge.diagnosis.naming import USED_BEFORE, given_as, handed_over, is_loop, made_of
from grader.judge.diagnosis.origin import placed
from grader.judge.diagnosis.scalars import formulas
from grader.judge.diagnosis.steps import descent, hyperparameters, moves, settings, simulations, slip_pairs
from grader.judge.diagnosis.symptom import Symptom
from grader.judge.diagnosis.values import (
    averages,
    changed,
    compound,
    distortions,
    factors,
    given,
    operands,
    other_factors,
    passes,
    relations,
    rows,
    shapes,
    uneven,
    unexplained,
    upstreams,
    uses,
)
from grader.judge.diagnosis.words import wording
from grader.judge.evidence import Evidence, Finding
from grader.judge.failing import failing_checks, modified_checks
from grader.model import Diagnosis

Hypothesis = Callable[[Symptom], "Diagnosis | None"]

#: Without a usable tensor.
OUTCOMES: tuple[Hypothesis, ...] = (
    absent.without_output,
    endings.without_tensor,
    absent.not_written,
    absent.not_registered,
    absent.not_a_tensor,
    absent.wrong_dtype,
)
#: Specific mistakes, each of which must explain all cases.
SPECIFIC: tuple[Hypothesis, ...] = (
    absent.accumulated,
    moves.not_in_place,
    formulas.engine,
    formulas.inside,
    factors.zeros,
    factors.sign_flipped,
    shapes.transposed,
    shapes.permuted_axes,
    factors.missing_mean,
    averages.divided,
    factors.missing_factor_two,
    factors.extra_factor_two,
    shapes.unit_axis,
    shapes.broadcast_to_square,
    shapes.not_summed,
    shapes.summed_too_far,
    upstreams.upstream_ignored,
    changed.mask,
    given.mask,
    changed.overwritten,
    formulas.one_contribution,
    operands.stale,
    rows.last_sample_only,
    rows.some_samples,
    changed.broadcast_loss,
    rows.from_square,
    operands.wrong_operand,
    given.complement,
    operands.swapped_arguments,
    moves.default_rate,
    simulations.simulated,
    hyperparameters.other_than_given,
    settings.other_settings,
    moves.hardly_moved,
)
#: Those of them that explain the result of a whole call: what a call that was cut short left behind is none.
WHOLE: frozenset[Hypothesis] = frozenset(
    {
        formulas.engine,
        formulas.inside,
        factors.zeros,
        changed.overwritten,
        formulas.one_contribution,
        operands.stale,
        given.complement,
    }
    | {rows.last_sample_only, rows.some_samples, operands.wrong_operand, operands.swapped_arguments}
    | {moves.default_rate, moves.hardly_moved, simulations.simulated}
    | {hyperparameters.other_than_given, settings.other_settings}
)
#: What can always be said.
GENERAL: tuple[Hypothesis, ...] = (
    endings.left_midway,
    changed.read_too_late,
    upstreams.upstream_itself,
    upstreams.upstream_added,
    changed.approximate,
    changed.misstep,
    other_factors.scaled,
    given.factor,
    other_factors.one_less,
    given.number,
    descent.other_step,
    passes.changed_input,
    passes.layer,
    passes.left_out,
    passes.other_operation,
    uses.left_out,
    moves.moved_in_part,
    moves.longer_step,
    hyperparameters.defaults,
    rows.part_of_upstream,
    uneven.scaled_unevenly,
    passes.one_of_several,
    relations.related,
    distortions.inverted,
    passes.other_upstream,
    slip_pairs.two_slips,
    compound.twice_wrong,
    relations.related_by_more,
    distortions.varying,
    absent.non_finite,
    shapes.wrong_shape,
    formulas.order,
    formulas.operation,
    unexplained.wrong_value,
)
#: Those of them that name no mistake in the values.
UNNAMED: frozenset[Hypothesis] = frozenset({absent.non_finite, shapes.wrong_shape, unexplained.wrong_value})
#: Cases with numbers alone below which an agreement may be chance, where others hold none.
_CASES = 2

#: Specific codes of what one case alone may show: a shape that only a batch of one has, a generator that is used up.
_BY_CASE = frozenset({"raised", "unit_axis", "not_in_place"})
#: Codes of what no line without effect is behind.
_UNCLEAR = frozenset({"not_implemented", "uses_autograd", "input_modified", "wrong_dtype", "not_registered"})
#: Codes that a result under another name may be behind.
_ELSEWHERE = frozenset({"not_written", "not_in_place", "raised"})
#: What an exception says where tensors of two objects meet.
_SIZES = "must match the size of tensor"
#: Characters of an answer in which lines are looked for that show a mistake: that takes up to 40 µs for each, in each
#: exercise that its cell defines. The longest notebook of the course has 13,000 in all.
_MOST_SOURCE = 32 * 1024
#: Elements of a tensor beyond which nobody asks what made it.
_MOST_ELEMENTS = 2_000_000
#: What arguments in another order come to.
_AT_ODDS = frozenset({"not_written", "non_finite", "raised"})


def diagnose(evidence: Evidence) -> dict[str, Diagnosis]:
    """A diagnosis for each check that loses points, and for no other.

    Never raises, whatever was captured.
    """
    failed = failing_checks(evidence)
    if not failed:
        return {}
    if evidence.stub is not None and len(evidence.stub.source) > _MOST_SOURCE:
        evidence = replace(evidence, stub=replace(evidence.stub, source=""))
    if evidence.autograd is not None:
        return dict.fromkeys(failed, endings.used_autograd(evidence.autograd))
    alternatives = alternatives_of(evidence)
    modified = {check: _modified(evidence, name) for check, name in modified_checks(evidence).items()}
    found: dict[str, Diagnosis] = {}
    for check in failed:
        if check in evidence.exercise.raises:
            found[check] = endings.not_raised(evidence, check, modified.get(check))
        else:
            symptom = Symptom(evidence, check, alternatives, frozenset(failed))
            spoiled = _spoiled_by(symptom)
            said = _modified(evidence, spoiled) if spoiled else _explained(symptom, modified.get(check))
            found[check] = _spelled_out(symptom, said)
    return {check: _with_clue(evidence, diagnosis) for check, diagnosis in placed(evidence, found).items()}


def _with_clue(evidence: Evidence, diagnosis: Diagnosis) -> Diagnosis:
    """Name arguments in another order, ``.grad`` in place of ``.g``, or in a call that ended a line without effect."""
    exercise, stub = evidence.exercise, evidence.stub
    if sentence := clues.reordered(stub, exercise.call):
        return wording.added(diagnosis, sentence)
    if diagnosis.code in _ELSEWHERE and "`.grad`" not in diagnosis.message:
        paths = (*exercise.checks, *exercise.inputs, exercise.call)
        if sentence := clues.in_grad(stub, exercise.call, paths):
            return wording.added(diagnosis, sentence)
    if diagnosis.code == "wrong_shape":
        diagnosis = wording.added(diagnosis, clues.from_outside(stub, exercise.globals))
    if diagnosis.code == "not_in_place":
        diagnosis = wording.added(diagnosis, clues.whole_numbers(stub) or clues.new_for_old(stub))
    if diagnosis.code in _UNCLEAR or any(run.ended != "returned" for run in evidence.runs):
        return diagnosis
    return wording.added(diagnosis, clues.without_effect(stub))


def _modified(evidence: Evidence, name: str) -> Diagnosis:
    """Say which input was changed, by a name that is none of the check's own code alone."""
    names = [name, *(each for names in evidence.modified.values() for each in names)]
    known = next((each for each in names if each in evidence.exercise.parameters or "." in each), None)
    handed = None if known is None else handed_over(evidence.exercise.call, known)
    if (known is None and name in USED_BEFORE) or (handed is not None and hasattr(builtins, handed[0])):
        return wording.say("input_modified.other")
    copy = "copy" if evidence.exercise.numpy else "clone"
    said = wording.say("input_modified", name=given_as(evidence.exercise.call, known or name), copy=copy)
    steps = evidence.exercise.in_place or is_loop(evidence.exercise.inputs)
    return said if steps else wording.added(said, clues.steps(evidence.stub))


def _spoiled_by(symptom: Symptom) -> str | None:
    """A changed input beside which all of what came is NaN: it was computed with NaN that the check itself passes."""
    modified = symptom.evidence.modified
    spoiled = [view for view in symptom.failing if view.case.label in modified and bool(view.actual.isnan().all())]
    if not spoiled or len(spoiled) < len(symptom.bad):
        return None
    return next(iter(modified[spoiled[0].case.label]), None)


def _explained(symptom: Symptom, modified: Diagnosis | None) -> Diagnosis:
    """The first hypothesis that holds; a changed input before the general ones."""
    if symptom.bad:
        whole = symptom.first.run.ended == "returned"
        for hypothesis in (*OUTCOMES, *SPECIFIC) if symptom.failing and not _is_vast(symptom) else OUTCOMES:
            if (whole or hypothesis not in WHOLE) and (diagnosis := hypothesis(symptom)):
                return _only_in_one_case(symptom, diagnosis) if diagnosis.code in _BY_CASE else diagnosis
    if modified is not None:
        return modified
    for hypothesis in GENERAL if symptom.failing else ():
        if diagnosis := hypothesis(symptom):
            if hypothesis not in UNNAMED:
                return _only_in_one_case(symptom, diagnosis)
            empty = source.uninitialised(symptom.evidence.stub)
            if empty and hypothesis is not shapes.wrong_shape:
                if place := unexplained.never_written(symptom):
                    return symptom.say("wrong_value.unwritten", name=empty, place=place)
                return wording.added(diagnosis, wording.EMPTY, name=empty)
            if shared := clues.one_for_all(symptom.evidence.stub) or clues.also_changed(symptom.evidence.stub):
                return wording.added(diagnosis, shared)
            return _where_alike(symptom) or _only_in_one_case(symptom, diagnosis)
    return symptom.say("not_written", state="nothing of it came back")


def _is_vast(symptom: Symptom) -> bool:
    """Whether what was written is far larger than any answer: to look for what made it would take seconds, and 1 GB."""
    tensors = (finding.actual.tensor for finding in symptom.findings)
    return any(tensor is not None and tensor.numel() > _MOST_ELEMENTS for tensor in tensors)


def _where_alike(symptom: Symptom) -> Diagnosis | None:
    """The mistake in cases that went wrong in one way, where others went wrong in another.

    Large values overflow to NaN or infinities, and one product is a number or a matrix, by its shapes.
    """
    if _is_vast(symptom):
        return None
    came = [each for each in symptom.bad if each.actual.tensor is not None]
    for way in dict.fromkeys(map(_way, came)):
        alike = tuple(each for each in symptom.findings if each not in came or _way(each) == way)
        others = [each for each in came if _way(each) != way]
        if way is None or not others or len(came) - len(others) < _CASES:
            continue
        evidence = replace(symptom.evidence, findings={**symptom.evidence.findings, symptom.check: alike})
        narrowed = replace(symptom, evidence=evidence)
        for hypothesis in (*SPECIFIC, *GENERAL):
            if hypothesis not in UNNAMED and (diagnosis := hypothesis(narrowed)):
                sentence = wording.OVERFLOWS if _way(others[0]) is None else wording.OTHERWISE
                shape = wording.shape(others[0].comparison.actual_shape)
                return wording.added(diagnosis, sentence, label=others[0].case.describe(), shape=shape)
    return None


def _way(finding: Finding) -> int | None:
    """By how many axes what came has too many; None where it holds no numbers."""
    came = finding.actual.tensor
    return came.dim() - finding.expected.dim() if came is not None and bool(came.isfinite().all()) else None


def _spelled_out(symptom: Symptom, diagnosis: Diagnosis) -> Diagnosis:
    """Say what a name stands for that only the check's own code knows, and in which order a method is called."""
    if diagnosis.code in _AT_ODDS and source.takes_out_last(symptom.evidence.stub):
        return wording.added(diagnosis, wording.OUT_FIRST)
    clash = diagnosis.code == "raised" and _SIZES in diagnosis.message
    if clash and (shared := source.shared_container(symptom.evidence.stub)):
        return wording.added(diagnosis, wording.SHARED, name=shared)
    name = symptom.path
    made = made_of(symptom.exercise.call, name)
    if made is None or f"`{name}`" not in diagnosis.message:
        return diagnosis
    return wording.added(diagnosis, wording.MADE, name=name, source=made)


def _only_in_one_case(symptom: Symptom, diagnosis: Diagnosis) -> Diagnosis:
    """Say so where all cases but one are right: what is special about that one is the best hint there is.

    Variants with points of their own are cases, too.
    """
    alike = {check for check in symptom.failed if symptom.exercise.path_of(check) == symptom.path}
    if len(symptom.bad) == 1 and len(symptom.findings) > 2 and alike == {symptom.check}:
        return wording.added(diagnosis, wording.ONLY_IN, label=symptom.bad[0].case.describe())
    return diagnosis
