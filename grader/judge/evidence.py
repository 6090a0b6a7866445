"""Everything that is known of one exercise of one submission, laid out for scoring and diagnosis."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

import torch
from torch import Tensor

from grader.judge.cases import Prepared
from grader.judge.comparison import compare
from grader.model import Capture, Case, CaseRun, Comparison, Exercise, Stub


@dataclass(frozen=True, eq=False)
class Finding:
    """One check in one case: what was expected, what came, and how the two compare."""

    check: str
    case: Case
    run: CaseRun
    expected: Tensor
    actual: Capture
    comparison: Comparison

    @property
    def passed(self) -> bool:
        """Whether the tensor that stands there is close, however the call ended."""
        return self.comparison.verdict == "close"


@dataclass(frozen=True, eq=False)
class Evidence:
    """One exercise of one submission.

    ``findings`` maps each compared check to its cases in order; ``raising`` each check of ``Exercise.raises`` to
    whether its exception came in every case. ``modified`` names, by case label, the inputs that the stub changed and
    should not have; ``autograd`` is the entry point that was called where autograd is forbidden.
    """

    exercise: Exercise
    prepared: tuple[Prepared, ...]
    runs: tuple[CaseRun, ...]
    stub: Stub | None = None
    findings: Mapping[str, tuple[Finding, ...]] = field(default_factory=dict)
    raising: Mapping[str, bool] = field(default_factory=dict)
    modified: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @cached_property
    def autograd(self) -> str | None:
        """The first entry point of autograd that was seen, where the exercise forbids it."""
        if self.exercise.autograd:
            return None
        return next((run.autograd for run in self.runs if run.autograd), None)

    def prepared_for(self, finding: Finding) -> Prepared:
        """The case of a finding with all that is expected in it."""
        return next(one for one in self.prepared if one.case is finding.case)


def gather(
    exercise: Exercise, prepared: tuple[Prepared, ...], runs: tuple[CaseRun, ...], stub: Stub | None = None
) -> Evidence:
    """Compare every check of every case; ``runs`` stand in the order of ``prepared``."""
    findings: dict[str, list[Finding]] = {check: [] for check in exercise.checks}
    raising: dict[str, bool] = {}
    modified: dict[str, tuple[str, ...]] = {}
    for one, run in zip(prepared, runs, strict=True):
        for check in one.case.checks:
            if check in exercise.raises:
                raising[check] = raising.get(check, True) and _raised(exercise, check, run)
            else:
                findings[check].append(_finding(exercise, one, run, check))
        if names := _modified(exercise, one.case, run):
            modified[one.case.label] = names
    return Evidence(exercise, prepared, runs, stub, {k: tuple(v) for k, v in findings.items() if v}, raising, modified)


def float_dtypes(case: Case) -> tuple[torch.dtype, ...]:
    """The float dtypes of what the student was given."""
    return tuple({value.dtype for value in case.program.tensors.values() if value.is_floating_point()})


def _finding(exercise: Exercise, one: Prepared, run: CaseRun, check: str) -> Finding:
    path = exercise.path_of(check)
    actual = run.captures.get(path, Capture(absence="missing"))
    if "." in path and path in exercise.in_place and path in run.inputs:
        actual = Capture(run.inputs[path])  # the very tensor that was given, whatever stands there now
    plain = exercise.base_name(check)
    comparison = compare(
        actual,
        one.expected[check],
        dtypes=float_dtypes(one.case),
        upstream=one.case.upstream,
        factor=exercise.tolerance,
        scalars=plain in exercise.scalars,
    )
    # Arrays and tensors are alike as numbers, measured, or as variables of a cell that says nothing of either.
    alike = exercise.rerun or plain in exercise.scalars or exercise.measure is not None
    others = not alike and actual.kind in ({"tensor", "parameter"} if exercise.numpy else {"ndarray"})
    if comparison.verdict == "close" and (others or (plain in exercise.registered and actual.kind != "parameter")):
        comparison = Comparison("not_a_tensor", comparison.actual_shape, comparison.expected_shape)
    return Finding(check, one.case, run, one.expected[check], actual, comparison)


def _raised(exercise: Exercise, check: str, run: CaseRun) -> bool:
    error = run.errors.get(check)
    return error is not None and exercise.raises[check] in error.bases


def protected_inputs(exercise: Exercise, case: Case) -> tuple[str, ...]:
    """The inputs that a call must leave as they are; ``out.g`` may be used up, and is ``upstream`` where that is it."""
    upstream = {"upstream"} if _keeps_upstream(exercise.call) else set()
    free = {"out.g", *upstream, *exercise.in_place, *case.program.poison}
    return tuple(name for name in case.program.tensors if name not in free)


@lru_cache(maxsize=256)
def _keeps_upstream(call: str) -> bool:
    """Whether ``call`` keeps the upstream gradient in something, ``out.g = upstream``, instead of passing it."""
    kept = (node.value for node in ast.walk(ast.parse(call)) if isinstance(node, ast.Assign))
    return any(isinstance(value, ast.Name) and value.id == "upstream" for value in kept)


def _modified(exercise: Exercise, case: Case, run: CaseRun) -> tuple[str, ...]:
    """Inputs whose value changed though the contract does not say *in place*."""
    return tuple(
        name
        for name in protected_inputs(exercise, case)
        if name in run.inputs and not _same(run.inputs[name], case.program.tensors[name])
    )


def _same(after: Tensor, before: Tensor) -> bool:
    if after.dtype != before.dtype or after.shape != before.shape:
        return False
    return torch.equal(after, before) or bool(((after == before) | (after.isnan() & before.isnan())).all())
