"""Steps that went wrong: optimizers and training loops."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from grader.judge.cases import path_of
from grader.judge.diagnosis import clauses, wording
from grader.judge.diagnosis.absent import path
from grader.judge.diagnosis.loop_simulation import trained
from grader.judge.diagnosis.moves import hardly_moved, has_moved, is_gradient
from grader.judge.diagnosis.simulations import driven
from grader.judge.diagnosis.slips import AVERAGED, DRIVEN, FIXED_RATES, RATES, TRAINED, is_possible
from grader.judge.diagnosis.steps import RATE_NAMES
from grader.judge.diagnosis.switches import RIGHT, Slip
from grader.judge.diagnosis.symptom import Symptom, View
from grader.judge.reference import base_name
from grader.model import Capture, Case, Diagnosis

#: Losses that tell whether they stand still, or in another place.
_FEWEST_LOSSES = 3
#: How near two losses are that are the same but for rounding, as a share of them.
_LOSS = 1e-3
#: What students write in place of the momentum that they are given.
FIXED_MOMENTA = (0.9, 0.5, 0.99, 1.0)
Simulation = Callable[[Case, Slip], Mapping[str, Tensor]]


def simulated(symptom: Symptom) -> Diagnosis | None:
    """A step or a loop with one of the usual mistakes, by simulation."""
    if not symptom.failing:
        return None
    for simulation, slips in simulations_of(symptom):
        if not agrees(symptom, symptom.failing[0], simulation):
            continue
        if simulation is trained and (found := hardly_moved(symptom)):
            return found
        fitting = (
            slip
            for slip in _likely_first(symptom, slips)
            if is_possible(slip, symptom.failing[0].case)
            and _fits(symptom, simulation, slip)
            and fits_beside(symptom, simulation, slip)
        )
        if (first := next(fitting, None)) is None:
            continue
        if simulation is not trained or _fits_losses(symptom, first):
            return _said(symptom, first)
        return _said(symptom, next((slip for slip in fitting if _fits_losses(symptom, slip)), first))
    return None


def _fits(symptom: Symptom, simulation: Simulation, slip: Slip) -> bool:
    return symptom.fits(lambda view: value_by(symptom, view, simulation, slip))


def fits_beside(symptom: Symptom, simulation: Simulation, slip: Slip) -> bool:
    """Whether a mistake also explains the other parameter of the same cases, where that is wrong, too.

    One optimizer holds both, and some mistakes come to the same in one of them alone. Losses are those of the weights:
    where these are right, no mistake is behind them that moves the weights elsewhere.
    """
    if simulation is trained:
        return symptom.check != "result" or _leaves_weights(symptom, simulation, slip)
    name, _, label = symptom.check.partition(" ")
    others = {f"{each} {label}".strip() for each in ("p", "q") if each != name} & symptom.failed
    if simulation is _by_adam:  # whose formula has no part that an option switches on
        others |= {"p"} & symptom.failed - {symptom.check}
    return all(
        _fits(Symptom(symptom.evidence, other, symptom.alternatives, symptom.failed), simulation, slip)
        for other in others
    )


def _leaves_weights(symptom: Symptom, simulation: Simulation, slip: Slip) -> bool:
    """Whether weights that came out right would do so with the mistake, too."""
    right = set(symptom.evidence.exercise.in_place) & set(symptom.evidence.findings) - symptom.failed
    for name in right:
        weight = Symptom(symptom.evidence, name, symptom.alternatives, symptom.failed)
        for view in weight.views:
            value = value_by(weight, view, simulation, slip)
            if value is None or not view.is_near(value):
                return False
    return True


def _fits_losses(symptom: Symptom, slip: Slip) -> bool:
    """Whether a mistake in a training loop also gives its losses: some come to the same in the weights alone."""
    losses = Symptom(symptom.evidence, "result", symptom.alternatives, symptom.failed)
    return symptom.check == "result" or _fits(losses, trained, slip)


def _likely_first(symptom: Symptom, slips: tuple[Slip, ...]) -> Sequence[Slip]:
    """Other rates first where no other check fails: the formula is right, a mistake in it only comes to the same.

    Ten times the rate is also what a first average without its weight of 0.1 gives.
    """
    if set(symptom.failed) != {symptom.check}:
        return slips
    return sorted(slips, key=lambda slip: slip.key != "learning_rate_ignored")


def diverged(symptom: Symptom) -> Diagnosis | None:
    """A training loop without the learning rate, whose numbers grow until rounding decides: its first losses tell."""
    if not symptom.failing or not any(simulation is trained for simulation, _ in simulations_of(symptom)):
        return None
    without_rate = RATES[0]
    for view in symptom.failing:
        losses = view.finding.run.captures.get("result", Capture()).tensor
        if losses is None or losses.dim() != 1 or len(losses) < _FEWEST_LOSSES:
            return None
        begun = losses[:2].to(torch.float64)
        right, wrong = (_simulated(symptom, view.case, trained, slip).get("result") for slip in (RIGHT, without_rate))
        if not _begins_with(wrong, begun) or _begins_with(right, begun):
            return None
    return _said(symptom, without_rate)


def _begins_with(losses: Tensor | None, begun: Tensor) -> bool:
    """Whether the losses of a loop begin with these two, which rounding has not reached yet."""
    if losses is None or losses[:2].shape != begun.shape:
        return False
    return bool(((begun - losses[:2]).abs() <= _LOSS * losses[:2].abs()).all())


def simulations_of(symptom: Symptom) -> tuple[tuple[Simulation, tuple[Slip, ...]], ...]:
    """The simulations that know the exercise's inputs, each with the mistakes that it can make."""
    names = symptom.evidence.exercise.inputs
    if {"p", "q", "r", "p_grads", "q_grads", "r_grads", "lr"} <= set(names):
        return (_by_sgd, DRIVEN), (_by_adam, AVERAGED)
    if {"x", "y", "learning_rate", "steps"} <= set(names) and ({"w1", "w2"} <= set(names) or "bias" in names):
        return ((trained, TRAINED),)
    return ()


def _by_sgd(case: Case, slip: Slip) -> Mapping[str, Tensor]:
    return driven(case, slip, averaged=False)


def _by_adam(case: Case, slip: Slip) -> Mapping[str, Tensor]:
    return driven(case, slip, averaged=True)


def agrees(symptom: Symptom, view: View, simulation: Simulation) -> bool:
    """Whether the simulation, without a mistake, is what the exercise asks for."""
    value = value_by(symptom, view, simulation, RIGHT)
    return value is not None and view.is_near(value, view.expected)


def value_by(symptom: Symptom, view: View, simulation: Simulation, slip: Slip) -> Tensor | None:
    """What the check's tensor would be by a simulation with a mistake; None where nothing comes."""
    values = _simulated(symptom, view.case, simulation, slip)
    found = values.get(path_of(symptom.evidence.exercise, symptom.check))
    return found if found is not None else values.get(base_name(symptom.evidence.exercise, symptom.check))


def _simulated(symptom: Symptom, case: Case, simulation: Simulation, slip: Slip) -> Mapping[str, Tensor]:
    """What a simulation with a mistake makes of a case; nothing where it cannot go on."""

    def made() -> Mapping[str, Tensor]:
        try:
            return simulation(case, slip)
        except (LookupError, ValueError, TypeError, RuntimeError, ArithmeticError, AttributeError):
            return {}

    return symptom.alternatives.once((simulation, slip, case.label), made)


def _said(symptom: Symptom, slip: Slip) -> Diagnosis:
    if slip.has("ended") and "p" in symptom.failed:  # not even where every parameter has a gradient
        return wording.say("not_in_place", path=path(symptom))
    used = wording.number(slip.has("lr")) if slip.has("lr") else clauses.SAME_RATE
    return wording.say(_of_losses(symptom, slip.key), path=path(symptom), used=used, what=slip.what)


def _of_losses(symptom: Symptom, key: str) -> str:
    """The key where the check asks for the losses of a training loop, which show a mistake and do not move."""
    in_place = symptom.evidence.exercise.in_place
    losses = key == "ascent" and bool(in_place) and path(symptom) == "result"
    return "ascent.losses" if losses else key


def defaults(symptom: Symptom) -> Diagnosis | None:
    """Right wherever options are given, and wrong in no case but those that leave them out."""
    findings = [finding for each in symptom.evidence.findings.values() for finding in each]
    given = [finding for finding in findings if finding.case.constants.get("options")]
    wrong = {finding.case.label for finding in findings if not finding.passed}
    numbers = all(
        view.actual.shape == view.expected.shape and bool(view.actual.isfinite().all()) for view in symptom.views
    )
    if len(wrong) < 2 or not symptom.failing or not numbers or not given or not all(each.passed for each in given):
        return None
    return wording.say("wrong_value.defaults", path=path(symptom))


def constants(symptom: Symptom) -> Diagnosis | None:
    """Other hyper-parameters than the given ones: another rate, the other direction, no momentum, fewer steps."""
    rate = next((name for name in RATE_NAMES if name in symptom.evidence.exercise.inputs), None)
    if rate is None:
        return None
    found = None if simulations_of(symptom) else _other_rate(symptom, rate)
    return found or _other_steps(symptom)


def _other_rate(symptom: Symptom, rate: str) -> Diagnosis | None:
    for fixed in FIXED_RATES:
        if symptom.fits(lambda view: _with(symptom, view, {rate: fixed})):
            why = clauses.LR_NEVER if fixed == 1 else clauses.LR_FIXED
            return wording.say("learning_rate_ignored", path=path(symptom), used=wording.number(fixed), what=why)
    if symptom.fits(lambda view: _opposite(symptom, view)):
        return wording.say("ascent", path=path(symptom))
    if symptom.fits(lambda view: _with(symptom, view, {"momentum": 0.0})):
        return wording.say("state_lost.momentum", path=path(symptom))
    for fixed in FIXED_MOMENTA:
        if symptom.fits(lambda view: _with(symptom, view, {"momentum": fixed})):
            return wording.say("wrong_value.momentum", path=path(symptom), used=wording.number(fixed))
    if symptom.fits(lambda view: _swapped_rates(symptom, view, rate)):
        return wording.say("wrong_value.swapped_rates", path=path(symptom))
    if symptom.fits(lambda view: _first_gradients(symptom, view)):
        return wording.say("stale.gradients", path=path(symptom))
    return None


def _other_steps(symptom: Symptom) -> Diagnosis | None:
    if symptom.evidence.exercise.in_place and symptom.failed.isdisjoint(symptom.evidence.exercise.in_place):
        return _losses(symptom)  # as many steps as are asked for led to what is there
    if symptom.fits(lambda view: _with(symptom, view, {"steps": 0})):
        others = (Symptom(symptom.evidence, each, symptom.alternatives) for each in symptom.others())
        moved = any(each.check not in symptom.failed and _hangs_on_steps(each) for each in others)
        return wording.say(f"not_in_place.{'left_out' if moved else 'no_gradients'}", path=path(symptom))
    if symptom.fits(lambda view: _with(symptom, view, {"steps": 1})):
        return wording.say("first_step.only", path=path(symptom))
    if symptom.fits(lambda view: _one_step_less(symptom, view)):
        return wording.say("stale.steps", path=path(symptom))
    if symptom.fits(lambda view: _with(symptom, view, {"steps": _steps(view) + 1})):
        return wording.say("wrong_value.more_steps", path=path(symptom))
    return _losses(symptom)


def _hangs_on_steps(symptom: Symptom) -> bool:
    """Whether a check expects something else where no step is taken."""
    still = ((view, _with(symptom, view, {"steps": 0})) for view in symptom.views)
    return any(value is None or not view.is_near(value, view.expected) for view, value in still)


def _losses(symptom: Symptom) -> Diagnosis | None:
    """The losses of a training loop, each taken after its update, or of weights that never change."""
    if (
        not symptom.failing
        or not symptom.evidence.exercise.in_place
        or any(view.expected.dim() != 1 for view in symptom.views)
    ):
        return None
    pairs = [(view, view.actual) for view in symptom.views if view.actual.shape == view.expected.shape]
    if len(pairs) < len(symptom.views) or any(len(actual) < _FEWEST_LOSSES for _, actual in pairs):
        return None
    if all(view.is_near(actual[:1].expand_as(actual)) for view, actual in pairs):
        still = all(view.is_near(view.expected[:1].expand_as(actual)) for view, actual in pairs)
        moved = symptom.failed.isdisjoint(symptom.evidence.exercise.in_place)
        of_first = "wrong_value.first_loss" if moved else "wrong_value.standing"
        if not moved and any(has_moved(symptom, name) for name in symptom.evidence.exercise.in_place):
            of_first = "wrong_value.first_loss.moved"
        key = of_first if still else "wrong_value.one_value"
        return wording.say(key, path=path(symptom), actual=wording.number(float(pairs[0][1][0])))
    if all(view.is_near(view.expected.cumsum(0)) for view, _ in pairs):
        return wording.say("wrong_value.running", path=path(symptom))
    if all(view.is_near(view.expected[1:], actual[:-1]) for view, actual in pairs):
        return wording.say("wrong_value.late", path=path(symptom))
    return None


def _with(symptom: Symptom, view: View, changed: Mapping[str, Any]) -> Tensor | None:
    if not set(changed) <= set(view.case.constants):
        return None
    made = symptom.alternatives.reference(f"constants {changed}", view.case, constants=changed)
    return None if made is None else made.get(symptom.check)


def _one_step_less(symptom: Symptom, view: View) -> Tensor | None:
    return _with(symptom, view, {"steps": _steps(view) - 1}) if _steps(view) > 1 else None


def _steps(view: View) -> int:
    steps = view.case.constants.get("steps")
    return steps if isinstance(steps, int) else 0


def _swapped_rates(symptom: Symptom, view: View, rate: str) -> Tensor | None:
    constants = view.case.constants
    if "momentum" not in constants:
        return None
    return _with(symptom, view, {rate: constants["momentum"], "momentum": constants[rate]})


def _first_gradients(symptom: Symptom, view: View) -> Tensor | None:
    """The answer where every step finds the gradients of the first, row by row of ``gradients``."""
    gradients = view.case.inputs.get("gradients")
    if gradients is None or "steps" not in view.case.constants:
        return None
    changed = {"gradients": gradients[:1].expand_as(gradients)}
    made = symptom.alternatives.reference("first gradients", view.case, inputs=changed)
    return None if made is None else made.get(symptom.check)


def _opposite(symptom: Symptom, view: View) -> Tensor | None:
    """The answer for gradients of the opposite sign."""
    turned = {name: -value for name, value in view.case.inputs.items() if is_gradient(name)}
    if not turned:
        return None
    made = symptom.alternatives.reference("opposite gradients", view.case, inputs=turned)
    return None if made is None else made.get(symptom.check)
