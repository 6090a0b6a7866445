"""Optimizers and training loops with one of the usual mistakes, found by simulating each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from grader.judge.diagnosis.naming import LEARNING_RATE, OPTIONS, is_driven, is_loop
from grader.judge.diagnosis.steps.loop_simulation import trained
from grader.judge.diagnosis.steps.loop_slips import OF_LOOPS
from grader.judge.diagnosis.steps.moves import hardly_moved
from grader.judge.diagnosis.steps.optimizer_simulation import driven, steps_without
from grader.judge.diagnosis.steps.parts import RIGHT, SGD_OPTIONS, Slip, joined
from grader.judge.diagnosis.steps.roles import Roles, candidates, named
from grader.judge.diagnosis.steps.slips import COUPLED, DECAYED, OF_ADAM, OF_SGD, is_possible
from grader.judge.diagnosis.symptom import Symptom, View
from grader.judge.diagnosis.words import clauses, wording
from grader.model import Case, Diagnosis

#: What comes of a mistake in a case; of an optimizer only the parameter that is asked for, of a loop all together.
Simulation = Callable[[Case, Slip, str], Mapping[str, Tensor]]


@dataclass(frozen=True)
class _Driven:
    """The simulation of an optimizer that is driven, by the roles of its inputs."""

    roles: Roles

    def __call__(self, case: Case, slip: Slip, name: str) -> Mapping[str, Tensor]:
        """The one parameter that is asked for."""
        return {name: driven(case, slip, name, self.roles)}


def simulated(symptom: Symptom) -> Diagnosis | None:
    """A step or a loop with one of the usual mistakes, by simulation."""
    for simulation, slips in simulations_of(symptom):
        if not agrees(symptom, symptom.failing[0], simulation):
            continue
        if simulation is _by_loop and (found := hardly_moved(symptom)):
            return found
        possible = (slip for slip in _likely_first(symptom, slips) if is_possible(slip, symptom.failing[0].case))
        fitting = (
            slip
            for slip in explaining(symptom, simulation, possible)
            # In the weights alone, a step too few comes to the same as a first one that changes nothing.
            if slip.key != "wrong_value.idle" or _fits_losses(symptom, slip)
        )
        if (first := next(fitting, None)) is None:
            continue
        if simulation is not _by_loop or _fits_losses(symptom, first):
            return _said(symptom, simulation, first)
        return _said(symptom, simulation, next((slip for slip in fitting if _fits_losses(symptom, slip)), first))
    return None


def explaining(symptom: Symptom, simulation: Simulation, slips: Iterable[Slip]) -> Iterator[Slip]:
    """The mistakes that predict what came in this check, and in the other checks that they bear on.

    Losses are those of the weights: where these are right, no mistake is behind them that moves the weights elsewhere.
    """
    together = [symptom] if simulation is _by_loop else _together(symptom, simulation)
    moved = any(symptom.exercise.base_name(check) == "both" for check in symptom.failed)
    begun = all(0 not in steps_without(view.case) for view in symptom.failing)
    for slip in slips:
        if slip.steps.none_is_zero and not (moved or begun):  # what has no gradient at any step stood still
            continue
        # Of a parameter without gradient, only its own case knows.
        fits = all(_fits(one, simulation, slip) for one in ([symptom] if slip.steps.ends_at_none else together))
        loses = simulation is _by_loop and symptom.check == "result"
        if fits and (not loses or _leaves_weights(symptom, simulation, slip)):
            yield slip


def _together(symptom: Symptom, simulation: Simulation) -> list[Symptom]:
    """A check of an optimizer's, and the other parameter of the same cases, where that is wrong, too.

    One optimizer holds both, and some mistakes come to the same in one of them alone. Others do so but for betas that
    let go of what is old. What all checks have to agree with stands first, so that what is ruled out by it is worked
    out once.
    """
    name, _, label = symptom.check.partition(" ")
    params = simulation.roles.params if isinstance(simulation, _Driven) else ()
    names = {f"{each} {label}".strip() for each in params[:2] if each != name}
    common = set(_of_all_options(symptom, params[0])) if simulation is _by_adam else set()
    beside = (names | common) & symptom.failed - {symptom.check}
    order = sorted({symptom.check, *beside}, key=lambda check: (check not in common, check != symptom.check))
    return [symptom if check == symptom.check else symptom.of(check) for check in order]


def _of_all_options(symptom: Symptom, param: str) -> Iterator[str]:
    """The failed checks of a parameter of Adam, whose formula has no part that an option switches on."""
    for check in symptom.failed:
        failing = symptom.of(check).failing
        if check == param or (symptom.exercise.path_of(check) == param and failing and _has_betas(failing[0].case)):
            yield check


def _has_betas(case: Case) -> bool:
    """Whether a case has other betas than the default ones, and nothing else that differs."""
    options = case.constants.get(OPTIONS)
    return isinstance(options, tuple) and len(options) == 1


def _fits(symptom: Symptom, simulation: Simulation, slip: Slip) -> bool:
    return symptom.fits(lambda view: _value_by(symptom, view, simulation, slip))


def _leaves_weights(symptom: Symptom, simulation: Simulation, slip: Slip) -> bool:
    """Whether the mistake leaves those weights right that came out right."""
    right = set(symptom.exercise.in_place) & set(symptom.evidence.findings) - symptom.failed
    weights = map(symptom.of, right)
    return all(weight.always_fits(lambda view: _value_by(weight, view, simulation, slip)) for weight in weights)


def _fits_losses(symptom: Symptom, slip: Slip) -> bool:
    """Whether a mistake in a training loop also gives its losses: some come to the same in the weights alone."""
    losses = symptom.of("result")
    return symptom.check == "result" or _fits(losses, _by_loop, slip)


def _likely_first(symptom: Symptom, slips: tuple[Slip, ...]) -> Sequence[Slip]:
    """Other rates first where no other check fails: the formula is right, a mistake in it only comes to the same.

    Ten times the rate is also what a first average without its weight of 0.1 gives.
    """
    if set(symptom.failed) != {symptom.check}:
        return slips
    return sorted(slips, key=lambda slip: slip.key != "learning_rate_ignored")


def simulations_of(symptom: Symptom) -> tuple[tuple[Simulation, tuple[Slip, ...]], ...]:
    """The simulations that know the exercise's inputs, each with the mistakes that it can make."""
    names = symptom.exercise.inputs
    if is_driven(names):
        return (_by_sgd, OF_SGD), (_by_adam, OF_ADAM)
    if is_loop(names) and LEARNING_RATE in names and ({"w1", "w2"} <= set(names) or "bias" in names):
        return ((_by_loop, OF_LOOPS),)
    return symptom.alternatives.once(("driven", symptom.check), lambda: tuple(_by_roles(symptom)))


def _by_roles(symptom: Symptom) -> Iterator[tuple[Simulation, tuple[Slip, ...]]]:
    """The first simulation that gives what is expected, with the mistakes that leave its kind of optimizer alone."""
    for roles in candidates(symptom.exercise, symptom.failing[0].case):
        simulation = _Driven(roles)
        if all(agrees(symptom, view, simulation) for view in symptom.views):
            decays = roles.is_adam and "weight_decay" in dict(roles.options or ())
            slips = (*OF_ADAM, *(DECAYED if decays else ())) if roles.is_adam else OF_SGD
            kept = tuple(slip for slip in slips if _leaves_kind(slip, roles.kind))
            yield simulation, (*kept, COUPLED) if roles.kind.steps.decay_in else kept
            return


def _leaves_kind(slip: Slip, kind: Slip) -> bool:
    """Whether an optimizer of a kind is one of that kind with the mistake, too; options with names have no order."""
    if kind.adam.takes_gradient and slip.adam.mean != RIGHT.adam.mean:
        return False
    if slip.sgd.order != SGD_OPTIONS or (kind.steps.decay_in and slip.steps.more_decay):
        return False
    wrong = joined(kind, slip)
    again = joined(wrong, kind)
    return (wrong.steps, wrong.adam) == (again.steps, again.adam)


_by_sgd, _by_adam = _Driven(named(is_adam=False)), _Driven(named(is_adam=True))


def _by_loop(case: Case, slip: Slip, name: str) -> Mapping[str, Tensor]:
    return trained(case, slip)


def agrees(symptom: Symptom, view: View, simulation: Simulation) -> bool:
    """Whether the simulation, without a mistake, is what the exercise asks for."""
    value = _value_by(symptom, view, simulation, RIGHT)
    return value is not None and view.is_near(value, view.expected)


def _value_by(symptom: Symptom, view: View, simulation: Simulation, slip: Slip) -> Tensor | None:
    """What the check's tensor would be by a simulation with a mistake; None where nothing comes."""
    found = _simulated(symptom, view.case, simulation, slip, symptom.path)
    if found is not None:
        return found
    return _simulated(symptom, view.case, simulation, slip, symptom.exercise.base_name(symptom.check))


def _simulated(symptom: Symptom, case: Case, simulation: Simulation, slip: Slip, name: str) -> Tensor | None:
    """What a simulation with a mistake makes of ``name`` in a case; None where it cannot go on."""

    def made() -> Mapping[str, Tensor]:
        try:
            return simulation(case, slip, name)
        except (LookupError, ValueError, TypeError, RuntimeError, ArithmeticError, AttributeError):
            return {}

    key = (simulation, slip, case.label, "" if simulation is _by_loop else name)
    return symptom.alternatives.once(key, made).get(name)


def _said(symptom: Symptom, simulation: Simulation, slip: Slip) -> Diagnosis:
    if slip.steps.ends_at_none and "p" in symptom.failed:  # not even where every parameter has a gradient
        return symptom.say("not_in_place")
    used = wording.number(slip.rate) if slip.rate else clauses.SAME_RATE
    if isinstance(simulation, _Driven) and simulation.roles.kind.adam.takes_gradient:
        second = dict(simulation.roles.options or ()).get("second")
        beta = "β" if second is None else f"`{symptom.name_of(second)}`"
        key = f"{slip.key}.one" if slip.key in clauses.OF_ONE_AVERAGE else slip.key
        what = clauses.of_one_average(slip.what, beta)
        return symptom.say(key, used=used, what=what, factor=slip.what, beta=beta)
    return symptom.say(_of_losses(symptom, slip.key), used=used, what=slip.what, factor=slip.what)


def _of_losses(symptom: Symptom, key: str) -> str:
    """The key where the check asks for the losses of a training loop, or where no autograd adds gradients up."""
    in_place = symptom.exercise.in_place
    losses = key == "ascent" and bool(in_place) and symptom.path == "result"
    by_hand = key == "accumulated.steps" and not symptom.exercise.autograd
    return "ascent.losses" if losses else f"{key}.by_hand" if by_hand else key
