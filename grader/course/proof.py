"""The proof of one exercise: its solution, its stub, mistakes and other right answers on the cases of many seeds.

A mistake is either a transformation of right tensors (``grader.judge.mistakes``), put in place of what the solution
gave, or a written wrong answer, which is run. Either must lose points and get its diagnosis.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from grader.course.exercise import parameters
from grader.course.habits import Habit, habits
from grader.course.specimens import Specimen
from grader.course.stage import Rehearsal
from grader.course.validation import ExerciseProof, Margin, Problem, ProblemKind
from grader.errors import CourseError
from grader.judge.cases import Prepared, path_of, prepare
from grader.judge.evidence import Evidence, Finding, float_dtypes, gather, protected_inputs
from grader.judge.mistakes import MISTAKES, Mistake
from grader.judge.score import score_exercise
from grader.model import CaseRun, Exercise, ExerciseScore

#: Seeds on which an exercise with a time limit of its own is run at most.
SLOW_SEEDS = 3


@dataclass(frozen=True)
class Answers:
    """All answers to one exercise: namespaces of the solved and of the released notebook, and the specimens."""

    solved: dict[str, Any]
    released: dict[str, Any]
    solution: str
    stub: str
    mistakes: tuple[Specimen, ...] = ()
    variants: tuple[Specimen, ...] = ()


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


@dataclass
class _Ledger:
    """What the proof has seen so far."""

    exercise: Exercise
    problems: dict[tuple[str, str], Problem] = field(default_factory=dict)
    correct: dict[str, float] = field(default_factory=dict)
    wrong: dict[str, float] = field(default_factory=dict)
    mutants: dict[str, set[str]] = field(default_factory=dict)
    #: For each mistake, the sets of cases that told it, one a seed.
    told: list[frozenset[str]] = field(default_factory=list)
    #: The answers that did not end in time, or used autograd: only a run apart tells that, and they are run once.
    settled: set[str] = field(default_factory=set)

    def settle(self, name: str, evidence: Evidence) -> None:
        """Note whether the answer ``name`` need not be run again."""
        if evidence.autograd is not None or any(run.ended == "timed_out" for run in evidence.runs):
            self.settled.add(name)

    def problem(self, kind: ProblemKind, message: str, seed: int | None) -> None:
        """Note a problem once, with the first seed that showed it."""
        self.problems.setdefault((kind, message), Problem(kind, self.exercise.id, message, seed))

    def right(self, evidence: Evidence) -> None:
        """Note the errors of a right answer."""
        for check, findings in evidence.findings.items():
            self.correct[check] = max(self.correct.get(check, 0.0), *(_error(finding) for finding in findings))

    def general(self, name: str) -> None:
        """Note a mistake that belongs to no check, so that it is counted with the first."""
        self.mutants.setdefault(next(iter(self.exercise.checks)), set()).add(name)

    def mutant(self, name: str, evidence: Evidence, checks: Iterable[str]) -> None:
        """Note a mistake, and its error in the check that tells it best."""
        errors = {check: _mutant_error(evidence.findings.get(check, ())) for check in checks}
        for check in errors:
            self.mutants.setdefault(check, set()).add(name)
        best = max(errors, key=lambda check: errors[check])
        if 1 < errors[best] < math.inf:
            self.wrong[best] = min(self.wrong.get(best, math.inf), errors[best])


def prove(exercise: Exercise, answers: Answers, effort: Effort) -> ExerciseProof:
    """Prove one exercise.

    Raises:
        CourseError: the forward pass raised, or a check has no expected value.
    """
    began = time.monotonic()
    effort = effort.for_exercise(exercise)
    ledger = _Ledger(exercise)
    prepared: tuple[Prepared, ...] = ()
    for seed in range(max(effort.seeds, effort.mutant_seeds)):
        prepared = prepare(exercise, seed)
        stage = _Stage(exercise, Rehearsal(exercise, prepared), prepared, answers, apart=seed == 0)
        solution = stage.solution()
        _right(ledger, solution, "the solution", "solution", seed)
        if "the solution" in ledger.settled or any(kind == "solution" for kind, _ in ledger.problems):
            break  # nothing is proved beside a solution that is wrong
        if seed < effort.mutant_seeds:
            _stub(ledger, stage, seed)
            _transformed(ledger, stage, solution, seed)
            _written(ledger, stage, seed)
            _modified(ledger, stage, solution, seed)
            _habitual(ledger, stage, seed)
        if seed < effort.seeds:
            for specimen in answers.variants:
                who = f"the variant {specimen.name}"
                if who not in ledger.settled:
                    _right(ledger, stage.specimen(specimen), who, "variant", seed)
    holds = _gradcheck(ledger, prepared)
    return ExerciseProof(
        exercise=exercise.id,
        notebook=exercise.notebook,
        cases=len(prepared),
        seeds=effort.seeds,
        mutants=len(set().union(*ledger.mutants.values())),
        variants=len(answers.variants),
        gradcheck=holds,
        margins=tuple(
            Margin(check, ledger.correct.get(check, 0.0), ledger.wrong.get(check, math.inf), len(found))
            for check in exercise.checks
            for found in (ledger.mutants.get(check, set()),)
        ),
        idle_cases=_idle_cases(ledger, prepared),
        problems=tuple(ledger.problems.values()),
        seconds=time.monotonic() - began,
    )


@dataclass(frozen=True)
class _Stage:
    """The cases of one seed, and answers run on them; ``apart`` as in ``grader.course.stage``."""

    exercise: Exercise
    rehearsal: Rehearsal
    prepared: tuple[Prepared, ...]
    answers: Answers
    apart: bool = False

    def evidence(self, runs: tuple[CaseRun, ...]) -> Evidence:
        """What the runs show."""
        return gather(self.exercise, self.prepared, runs)

    def solution(self) -> Evidence:
        """The solution on all cases."""
        return self._run(self.answers.solved, self.answers.solution)

    def stub(self) -> Evidence:
        """The released stub on all cases."""
        return self._run(self.answers.released, self.answers.stub)

    def _run(self, space: dict[str, Any], source: str) -> Evidence:
        run = self.rehearsal.run_apart if self.apart else self.rehearsal.run
        return self.evidence(run(space, source))

    def specimen(self, specimen: Specimen) -> Evidence:
        """A written answer on all cases, in place of the solution's, which it may call as ``solution``."""
        with self._instead(specimen.answer) as space:
            return self._run(space, specimen.source)

    def habit(self, habit: Habit) -> Evidence:
        """The solution under a habit on all cases; never apart, for it notes here whether it was met."""
        with self._instead(habit.answer) as space:
            return self.evidence(self.rehearsal.run(space))

    @contextmanager
    def _instead(self, answer: Any) -> Iterator[dict[str, Any]]:
        """The solved notebook's namespace with ``answer`` in place of the solution's."""
        space = self.answers.solved
        before = dict(space)
        space["solution"] = before.get(self.exercise.id)
        space[self.exercise.id] = answer
        try:
            yield space
        finally:
            space.clear()
            space.update(before)


def _right(ledger: _Ledger, evidence: Evidence, who: str, kind: ProblemKind, seed: int) -> None:
    score = score_exercise(evidence)
    ledger.right(evidence)
    ledger.settle(who, evidence)
    for check in score.checks:
        if check.status != "passed":
            reason = check.diagnosis.code if check.diagnosis else "no reason given"
            ledger.problem(kind, f"{who} loses {check.name} ({reason}, {check.case}){_error_of(evidence)}", seed)


def _stub(ledger: _Ledger, stage: _Stage, seed: int) -> None:
    score = score_exercise(stage.stub())
    if score.score > 0:
        earned = ", ".join(check.name for check in score.checks if check.score > 0)
        ledger.problem("stub", f"the released stub earns {earned}", seed)
    elif score.status != "not_implemented":
        ledger.problem("stub", f"the released stub counts as {score.status}, not as not_implemented", seed)


def _transformed(ledger: _Ledger, stage: _Stage, solution: Evidence, seed: int) -> None:
    """Every catalogued mistake on every check's right tensors."""
    if stage.exercise.measure is not None:
        return
    for mistake in MISTAKES:
        for check, findings in solution.findings.items():
            if mistake.code == "wrong_dtype" and findings[0].actual.kind in {"scalar", "sequence"}:
                continue  # plain numbers have no dtype to be wrong
            runs = _mutated(mistake, check, solution, findings)
            if runs is None:
                continue
            evidence = stage.evidence(runs)
            score = score_exercise(evidence)
            ledger.mutant(mistake.id, evidence, (check,))
            _judge_mutant(ledger, score, evidence, f"{mistake.id} in {check}", mistake.code, (check,), seed)


def _mutated(
    mistake: Mistake, check: str, solution: Evidence, findings: Sequence[Finding]
) -> tuple[CaseRun, ...] | None:
    """The solution's runs with the mistake put into one check, or None where it changes nothing or cannot be made."""
    changed = {}
    for finding in findings:
        prepared = next(one for one in solution.prepared if one.case is finding.case)
        wrong = mistake.apply(finding.case, check, prepared.expected)
        if wrong is not None and not _same(wrong, finding):
            dtype = finding.actual.tensor.dtype if finding.actual.tensor is not None else wrong.dtype
            cast = wrong.to(dtype) if wrong.is_floating_point() and dtype.is_floating_point else wrong
            changed[finding.case.label] = replace(finding.actual, tensor=cast)
    if not changed:
        return None
    path = path_of(solution.exercise, check)
    return tuple(
        replace(run, captures={**run.captures, path: changed[run.case]}) if run.case in changed else run
        for run in solution.runs
    )


def _same(wrong: Tensor, finding: Finding) -> bool:
    """Whether the mistake has changed nothing."""
    right = finding.expected
    if wrong.shape != right.shape or wrong.is_floating_point() != right.is_floating_point():
        return False
    return torch.allclose(wrong.to(torch.float64), right.to(torch.float64), rtol=1e-12, atol=0.0, equal_nan=True)


def _written(ledger: _Ledger, stage: _Stage, seed: int) -> None:
    """Every written wrong answer."""
    for specimen in stage.answers.mistakes:
        assert specimen.code is not None
        if specimen.name in ledger.settled:
            continue
        evidence = stage.specimen(specimen)
        ledger.settle(specimen.name, evidence)
        score = score_exercise(evidence)
        lost = tuple(check.name for check in score.checks if check.status != "passed")
        ledger.mutant(specimen.name, evidence, lost or tuple(stage.exercise.checks)[:1])
        _judge_mutant(ledger, score, evidence, specimen.name, specimen.code, lost, seed)


def _modified(ledger: _Ledger, stage: _Stage, solution: Evidence, seed: int) -> None:
    """The right answer, which leaves one of the inputs that it should not touch another than it was."""
    exercise = stage.exercise
    protected = {name for one in stage.prepared for name in protected_inputs(exercise, one.case)}
    for name in sorted(protected):
        runs = tuple(
            replace(run, inputs={**run.inputs, name: run.inputs[name] + 1}) if name in run.inputs else run
            for run in solution.runs
        )
        evidence = stage.evidence(runs)
        ledger.general(f"{name}_modified")
        _judge_mutant(
            ledger, score_exercise(evidence), evidence, f"{name}_modified", "input_modified", exercise.checks, seed
        )


def _habitual(ledger: _Ledger, stage: _Stage, seed: int) -> None:
    """What any solution can do wrong; by what name that is called is open."""
    exercise = stage.exercise
    for habit in habits(exercise, stage.answers.solved.get(exercise.id)):
        evidence = stage.habit(habit)
        if habit.met:
            ledger.general(habit.name)
            _judge_mutant(ledger, score_exercise(evidence), evidence, habit.name, None, exercise.checks, seed)


def _judge_mutant(
    ledger: _Ledger,
    score: ExerciseScore,
    evidence: Evidence,
    name: str,
    code: str | None,
    checks: Iterable[str],
    seed: int,
) -> None:
    """A mistake must lose points in one of ``checks`` and be called by its name, if it has one."""
    failed = [check for check in score.checks if check.status != "passed" and check.name in set(checks)]
    if not failed:
        ledger.problem("survivor", f"the mistake {name} loses nothing", seed)
        return
    codes = {check.diagnosis.code for check in failed if check.diagnosis is not None}
    if code is not None and code not in codes:
        called = f"the mistake {name} is called {', '.join(sorted(codes))}, not {code}"
        ledger.problem("diagnosis", called + (_error_of(evidence) if "raised" in codes else ""), seed)
    ledger.told.append(_telling(evidence))


def _error_of(evidence: Evidence) -> str:
    """The first exception of the runs, as the end of a sentence."""
    return next((f": {run.error.type}: {run.error.message}" for run in evidence.runs if run.error), "")


def _telling(evidence: Evidence) -> frozenset[str]:
    """The labels of the cases that show a mistake."""
    failing = {f.case.label for findings in evidence.findings.values() for f in findings if not f.passed}
    return frozenset(failing | set(evidence.modified))


def _idle_cases(ledger: _Ledger, prepared: Sequence[Prepared]) -> tuple[str, ...]:
    """Cases without which every mistake would still have been told by another one."""
    needed = {label for told in ledger.told if len(told) == 1 for label in told}
    labels = [one.case.label for one in prepared]
    return tuple(label for label in labels if label not in needed) if len(labels) > 1 else ()


def _error(finding: Finding) -> float:
    """The largest error in units of the tolerance; inf where the tensor was not told by its values."""
    comparison = finding.comparison
    if comparison.max_abs_error is None or comparison.tolerance is None:
        return math.inf
    if comparison.tolerance == 0:
        return 0.0 if comparison.max_abs_error == 0 else math.inf
    return comparison.max_abs_error / comparison.tolerance


def _mutant_error(findings: Sequence[Finding]) -> float:
    """The largest error of a mistake in one check, in float32 where it is checked in that too."""
    coarse = [finding for finding in findings if torch.float32 in float_dtypes(finding.case)]
    return max(map(_error, coarse or findings), default=math.inf)


def _gradcheck(ledger: _Ledger, prepared: Sequence[Prepared]) -> bool | None:
    """Whether numerical differences of the forward pass agree with autograd, in float64 on the first case.

    None where the forward pass gives a mapping, or its author says that it cannot be checked.
    """
    exercise = ledger.exercise
    if not exercise.gradcheck or not prepared:
        return None
    case = prepared[0].case
    given: dict[str, Any] = {**case.constants, **case.inputs}
    names = parameters(exercise)
    leaves = [name for name in names if isinstance(given[name], Tensor) and given[name].is_floating_point()]

    def forward(*tensors: Tensor) -> Any:
        values: Mapping[str, Any] = {**given, **dict(zip(leaves, tensors, strict=True))}
        return exercise.forward(**{name.replace(".", "_"): values[name] for name in names})

    inputs = tuple(given[name].to(torch.float64).contiguous().clone().requires_grad_() for name in leaves)
    if not isinstance(forward(*inputs), Tensor):
        return None
    try:
        return _agrees(forward, inputs)
    except RuntimeError as error:
        ledger.problem("gradcheck", f"gradcheck: {str(error).splitlines()[0]}", None)
        return False


def _agrees(forward: Callable[..., Any], inputs: tuple[Tensor, ...]) -> bool:
    agrees: bool = torch.autograd.gradcheck(forward, inputs, fast_mode=True)
    return agrees


def refuse_unknown(exercises: Mapping[str, Exercise], specimens: Iterable[Specimen], where: str) -> None:
    """Refuse a specimen of an exercise that does not exist.

    Raises:
        CourseError: there is one.
    """
    for specimen in specimens:
        if specimen.exercise not in exercises:
            raise CourseError(
                f"{specimen.name} in {where} answers {specimen.exercise!r}, which is no exercise of that notebook",
                remedy="name one of " + ", ".join(exercises),
            )
