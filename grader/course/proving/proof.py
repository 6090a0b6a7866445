"""The proof of one exercise: its solution, its stub, mistakes and other right answers on the cases of many seeds."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from grader.course.proving.answers import Answers
from grader.course.proving.ledger import Ledger
from grader.course.proving.mutants import first_error, try_mistakes
from grader.course.proving.proof_report import ExerciseProof, ProblemKind
from grader.course.proving.rehearsal import Rehearsal
from grader.course.proving.trial import Trial
from grader.judge.cases import Prepared, prepare
from grader.judge.evidence import Evidence
from grader.judge.reference import forward_value, gradients_asked
from grader.judge.score import score_exercise
from grader.model import Exercise

#: Seeds on which an exercise with a time limit of its own is run at most.
SLOW_SEEDS = 3


@dataclass(frozen=True, slots=True)
class Effort:
    """On how many seeds: ``seeds`` for right answers, ``mutant_seeds`` for mistakes and stubs."""

    seeds: int
    mutant_seeds: int

    def for_exercise(self, exercise: Exercise) -> Effort:
        """Less of it where one run takes long."""
        if exercise.time_limit is None:
            return self
        return Effort(min(self.seeds, SLOW_SEEDS), 1)


def prove(
    exercise: Exercise, answers: Answers, effort: Effort, count: Callable[[int], None] = lambda seeds: None
) -> ExerciseProof:
    """Prove one exercise; ``count`` is told after each seed how many are done.

    Raises:
        CourseError: the forward pass raised, or a check has no expected value.
    """
    began = time.monotonic()
    effort = effort.for_exercise(exercise)
    ledger = Ledger(exercise)
    prepared: tuple[Prepared, ...] = ()
    for seed in range(max(effort.seeds, effort.mutant_seeds)):
        prepared = prepare(exercise, seed)
        if seed == 0:
            _refuse_unusable(exercise, prepared, prepare(exercise, seed))
        if not _holds(ledger, Trial(Rehearsal(exercise, prepared), answers, apart=seed == 0), effort, seed):
            break
        count(seed + 1)
    agrees = _gradcheck(ledger, prepared)
    return ExerciseProof(
        exercise=exercise.id,
        notebook=exercise.notebook,
        cases=len(prepared),
        seeds=effort.seeds,
        mutants=len(set().union(*ledger.mutants.values())),
        variants=len(answers.variants),
        gradcheck=agrees,
        margins=ledger.margins(),
        idle_cases=_idle_cases(ledger, prepared),
        problems=tuple(ledger.problems.values()),
        seconds=time.monotonic() - began,
    )


def _holds(ledger: Ledger, trial: Trial, effort: Effort, seed: int) -> bool:
    """Try all answers on the cases of a seed; False where the solution is wrong, beside which nothing is proved."""
    solution = trial.solution()
    _right(ledger, solution, "the solution", "solution", seed)
    if "the solution" in ledger.settled or any(kind == "solution" for kind, _ in ledger.problems):
        return False
    if seed < effort.mutant_seeds:
        _stub(ledger, trial, seed)
        try_mistakes(ledger, trial, solution, seed)
    if seed < effort.seeds:
        for specimen in trial.answers.variants:
            who = f"the variant {specimen.name}"
            if who not in ledger.settled:
                _right(ledger, trial.specimen(specimen), who, "variant", seed)
    return True


def _refuse_unusable(exercise: Exercise, prepared: Sequence[Prepared], again: Sequence[Prepared]) -> None:
    """Refuse cases that no answer can be right in: of NaN or infinity, or others at each drawing of one seed."""
    for one, other in zip(prepared, again, strict=True):
        given, expected = one.case.program.tensors, one.expected
        for name, value in (*given.items(), *expected.items()):
            if value.isnan().any() or (value is expected.get(name) and value.isinf().any()):
                raise exercise.fault(
                    f"gives NaN or infinity for {name!r} ({one.case.describe()})",
                    field="forward",
                    remedy="draw other values, or give the forward pass a formula that does not overflow; where a "
                    "letter cannot be 1, or values not be so large, say so by `ones` or `magnitudes`",
                )
        for first, second in ((given, other.case.program.tensors), (expected, other.expected)):
            for name, value in first.items():
                if not torch.equal(value, second[name]):
                    raise exercise.fault(
                        f"another {name!r} comes of the same seed the second time ({one.case.describe()})",
                        field="forward",
                        remedy="draw whatever is random as an input: by a sampler, from the `rng` that it is given",
                    )


def _right(ledger: Ledger, evidence: Evidence, who: str, kind: ProblemKind, seed: int) -> None:
    score = score_exercise(evidence)
    ledger.note_right(evidence)
    ledger.settle(who, evidence)
    for check in score.checks:
        if check.status != "passed":
            reason = check.diagnosis.code if check.diagnosis else "no reason given"
            told = f"{who} loses {check.name} ({reason}, {check.case}){first_error(evidence)}"
            findings = evidence.findings.get(check.name, ())
            if not any(finding.expected.any() for finding in findings):
                told += ": zeros are expected in every case, as where the forward pass does not use it"
            if reason == "not_a_tensor" and any(one.actual.kind in {"scalar", "sequence"} for one in findings):
                told += f': plain numbers are asked for by scalars=("{ledger.exercise.base_name(check.name)}",)'
            ledger.note_problem(kind, told, seed, about=f"{who} loses {check.name}")


def _stub(ledger: Ledger, trial: Trial, seed: int) -> None:
    score = score_exercise(trial.stub())
    if score.score > 0:
        earned = ", ".join(check.name for check in score.checks if check.score > 0)
        ledger.note_problem("stub", f"the released stub earns {earned}", seed)
    elif score.status != "not_implemented":
        ledger.note_problem("stub", f"the released stub counts as {score.status}, not as not_implemented", seed)


def _idle_cases(ledger: Ledger, prepared: Sequence[Prepared]) -> tuple[str, ...]:
    """Cases without which every mistake would still have been told by another one."""
    needed = {label for told in ledger.told if len(told) == 1 for label in told}
    labels = [one.case.label for one in prepared]
    return tuple(label for label in labels if label not in needed) if len(labels) > 1 else ()


def _gradcheck(ledger: Ledger, prepared: Sequence[Prepared]) -> bool | None:
    """Whether numerical differences of the forward pass agree with autograd, in float64 on the first case.

    None where the forward pass gives a mapping or takes no floats, or its author says that it cannot be checked.
    """
    exercise = ledger.exercise
    if not exercise.gradcheck or not prepared:
        return None
    case = prepared[0].case
    given: dict[str, Any] = {**case.constants, **{name: _double(value) for name, value in case.inputs.items()}}
    names = exercise.parameters
    asked = gradients_asked(exercise) or frozenset(names)
    leaves = [n for n in names if n in asked and isinstance(given[n], Tensor) and given[n].is_floating_point()]

    def forward(*tensors: Tensor) -> Any:
        values: Mapping[str, Any] = {**given, **dict(zip(leaves, tensors, strict=True))}
        return exercise.run_forward(values)

    # A mapping may be made by what autograd refuses: NumPy, or steps in place.
    if not leaves or not isinstance(forward_value(exercise, case.inputs, case.constants), Tensor):
        return None
    inputs = tuple(given[name].requires_grad_() for name in leaves)
    try:
        return _agrees(forward, inputs)
    except RuntimeError as error:
        told = re.sub(r"\binput (\d+),?$", lambda found: repr(leaves[int(found[1])]), str(error).splitlines()[0])
        ledger.note_problem("gradcheck", f"gradcheck: {told}", None)
        return False


def _double(value: Tensor) -> Tensor:
    """A contiguous copy, in float64 where it holds floats."""
    return value.to(torch.float64 if value.is_floating_point() else value.dtype).contiguous().clone()


def _agrees(forward: Callable[..., Any], inputs: tuple[Tensor, ...]) -> bool:
    agrees: bool = torch.autograd.gradcheck(forward, inputs, fast_mode=True)
    return agrees
