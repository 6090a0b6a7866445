"""Known mistakes, tried on an exercise: each must lose points, and be diagnosed by its name if it has one.

A mistake is a transformation of right tensors (``mistakes``) put in place of what the solution gave, a written wrong
answer (``grader.course.specimens``), an input that is left changed, or a habit that any solution can be given
(``habits``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import torch
from torch import Tensor

from grader.course.proving.habits import habits
from grader.course.proving.ledger import Ledger
from grader.course.proving.mistakes import MISTAKES, Mistake
from grader.course.proving.relevance import never_shown
from grader.course.proving.trial import Trial
from grader.judge.diagnosis.alternatives import alternatives_of
from grader.judge.evidence import Evidence, Finding, protected_inputs
from grader.judge.score import score_exercise
from grader.model import CaseRun, ExerciseScore

#: The same number everywhere, whatever was asked.
_CONSTANTS = (
    Mistake("zeros", "zeros", lambda case, check, expected: torch.zeros_like(expected[check])),
    Mistake("ones", "wrong_value", lambda case, check, expected: torch.ones_like(expected[check])),
)


@dataclass(frozen=True, slots=True)
class _Mutant:
    """A wrong answer that must lose points in one of ``checks``, with the diagnosis ``code`` if its mistake has one.

    ``shown_by`` says what makes it lose them, where that is known.
    """

    name: str
    code: str | None
    checks: Collection[str]
    evidence: Evidence
    score: ExerciseScore
    shown_by: str = ""


def try_mistakes(ledger: Ledger, trial: Trial, solution: Evidence, seed: int) -> None:
    """Try every known mistake on the cases of ``seed``; ``solution`` is what the solution gave on them."""
    for mutant in chain(
        _transformed(ledger, trial, solution),
        _never_shown(trial, solution),
        _written(ledger, trial),
        _modified(ledger, trial, solution),
        _habitual(ledger, trial, solution),
    ):
        _judge(ledger, mutant, seed)


def _transformed(ledger: Ledger, trial: Trial, solution: Evidence) -> Iterator[_Mutant]:
    """Every catalogued mistake on every check's right tensors; of measured ones, the same number everywhere."""
    measured = trial.rehearsal.exercise.measure is not None
    for mistake in _CONSTANTS if measured else MISTAKES:
        for check, findings in solution.findings.items():
            if mistake.code == "wrong_dtype" and findings[0].actual.kind in {"scalar", "sequence"}:
                continue  # plain numbers have no dtype to be wrong
            runs = _mutated(mistake, check, solution, findings)
            if runs is None:
                continue
            evidence = trial.evidence(runs)
            ledger.note_mistake(mistake.id, evidence, (check,))
            code = None if measured else mistake.code
            yield _Mutant(f"{mistake.id} in {check}", code, (check,), evidence, score_exercise(evidence))


def _never_shown(trial: Trial, solution: Evidence) -> Iterator[_Mutant]:
    """Zeros in each gradient where they are right in every case, and what is left out to no effect (``relevance``).

    The solution is then that mistake itself. Values may be zero on purpose, such as weights before any step, and what a
    variant has points of its own for.
    """
    exercise = trial.rehearsal.exercise
    if exercise.measure is not None:
        return
    score, shown = score_exercise(solution), True
    for check, findings in solution.findings.items():
        asked = check in exercise.points and exercise.expected_name(check).endswith(".g")
        if asked and check not in exercise.inputs and not any(finding.expected.any() for finding in findings):
            why = "zeros are expected in every case, as of an input that holds nothing else or that nothing depends on"
            yield _Mutant(f"filled_with_zeros in {check}", None, (check,), solution, score, why)
            shown = False
    for name, why in never_shown(alternatives_of(solution)) if shown else ():
        yield _Mutant(name, None, exercise.checks, solution, score, why)


def _mutated(
    mistake: Mistake, check: str, solution: Evidence, findings: Sequence[Finding]
) -> tuple[CaseRun, ...] | None:
    """The solution's runs with the mistake put into one check, or None where it changes nothing or cannot be made."""
    changed = {}
    for finding in findings:
        wrong = mistake.apply(finding.case, check, solution.prepared_for(finding).expected)
        if wrong is None and mistake.everywhere:
            return None
        if wrong is not None and not _same(wrong, finding):
            dtype = finding.actual.tensor.dtype if finding.actual.tensor is not None else wrong.dtype
            cast = wrong.to(dtype) if wrong.is_floating_point() and dtype.is_floating_point else wrong
            changed[finding.case.label] = cast
    if not changed:
        return None
    return tuple(
        _left(run, solution, check, changed[run.case]) if run.case in changed else run for run in solution.runs
    )


def _left(run: CaseRun, solution: Evidence, check: str, wrong: Tensor) -> CaseRun:
    """A run that left ``wrong`` for a check, and in the very input that the check reads where it is one."""
    path = solution.exercise.path_of(check)
    captures = {**run.captures, path: replace(run.captures[path], tensor=wrong)}
    given = {path: wrong} if path in solution.exercise.in_place else {}
    return replace(run, captures=captures, inputs={**run.inputs, **given})


def _same(wrong: Tensor, finding: Finding) -> bool:
    """Whether the mistake has changed nothing."""
    right = finding.expected
    if wrong.shape != right.shape or wrong.is_floating_point() != right.is_floating_point():
        return False
    return torch.allclose(wrong.to(torch.float64), right.to(torch.float64), rtol=1e-12, atol=0.0, equal_nan=True)


def _written(ledger: Ledger, trial: Trial) -> Iterator[_Mutant]:
    """Every written wrong answer."""
    for specimen in trial.answers.mistakes:
        assert specimen.code is not None
        if specimen.name in ledger.settled:
            continue
        evidence = trial.specimen(specimen)
        ledger.settle(specimen.name, evidence)
        score = score_exercise(evidence)
        lost = tuple(check.name for check in score.checks if check.status != "passed")
        ledger.note_mistake(specimen.name, evidence, lost or tuple(trial.rehearsal.exercise.checks)[:1])
        yield _Mutant(specimen.name, specimen.code, lost, evidence, score)


def _modified(ledger: Ledger, trial: Trial, solution: Evidence) -> Iterator[_Mutant]:
    """The right answer, which leaves one of the inputs that it should not touch another than it was."""
    exercise = trial.rehearsal.exercise
    protected = {name for one in trial.rehearsal.prepared for name in protected_inputs(exercise, one.case)}
    for name in sorted(protected):
        runs = tuple(
            replace(run, inputs={**run.inputs, name: run.inputs[name] + 1}) if name in run.inputs else run
            for run in solution.runs
        )
        evidence = trial.evidence(runs)
        ledger.note_general_mistake(f"{name}_modified")
        yield _Mutant(f"{name}_modified", "input_modified", exercise.checks, evidence, score_exercise(evidence))


def _habitual(ledger: Ledger, trial: Trial, solution: Evidence) -> Iterator[_Mutant]:
    """What any solution can do wrong, whatever the diagnosis is.

    An argument that could be another without a bit of the answer changing is none that a right answer needs.
    """
    exercise = trial.rehearsal.exercise
    for habit in habits(exercise, trial.answers.solved.get(exercise.id)):
        evidence = trial.habit(habit)
        if habit.met and not (habit.differed and _same_answers(evidence, solution)):
            ledger.note_general_mistake(habit.name)
            yield _Mutant(habit.name, None, exercise.checks, evidence, score_exercise(evidence), habit.shown_by)


def _same_answers(one: Evidence, other: Evidence) -> bool:
    """Whether both gave the very same tensors in every case."""
    return all(
        a.actual.tensor is not None and b.actual.tensor is not None and torch.equal(a.actual.tensor, b.actual.tensor)
        for check, findings in one.findings.items()
        for a, b in zip(findings, other.findings[check], strict=True)
    )


def _judge(ledger: Ledger, mutant: _Mutant, seed: int) -> None:
    """Note a problem where a mistake loses nothing, or is not called by its name."""
    failed = [check for check in mutant.score.checks if check.status != "passed" and check.name in mutant.checks]
    if not failed:
        how = f": {mutant.shown_by}" if mutant.shown_by else ""
        ledger.note_problem("survivor", f"the mistake {mutant.name} loses nothing{how}", seed)
        return
    said = {check.diagnosis.code: check.diagnosis.message for check in failed if check.diagnosis is not None}
    if mutant.code is not None and mutant.code not in said:
        called = f"the mistake {mutant.name} is called {', '.join(sorted(said))}, not {mutant.code}"
        why = first_error(mutant.evidence) if "raised" in said else f": {next(iter(said.values()))}"
        if "RecursionError" in why:
            why += f"; `{ledger.exercise.id}` is the mistake itself here, and the right answer is `solution`"
        ledger.note_problem("diagnosis", called + why, seed)
    ledger.told.append(_telling(mutant.evidence))


def first_error(evidence: Evidence) -> str:
    """The first exception of the runs, as the end of a sentence."""
    return next((f": {run.error.type}: {run.error.message}" for run in evidence.runs if run.error), "")


def _telling(evidence: Evidence) -> frozenset[str]:
    """The labels of the cases that show a mistake."""
    failing = {f.case.label for findings in evidence.findings.values() for f in findings if not f.passed}
    return frozenset(failing | set(evidence.modified))
