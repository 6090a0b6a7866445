"""Evidence without a kernel: right answers from the references, with some captures replaced."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from grader.course import exercise, normal
from grader.course.loading import load_course
from grader.course.proving.mistakes import Mistake
from grader.judge.cases import Prepared, prepare
from grader.judge.diagnosis.table import diagnose
from grader.judge.evidence import Evidence, gather
from grader.model import Capture, CaseRun, Course, Diagnosis, Exercise, Kind, Stub, StudentError

SEED = 7
ROOT = Path(__file__).parents[2]
#: Codes that claim no particular mistake.
GENERAL = frozenset({"wrong_value", "wrong_shape", "wrong_dtype", "non_finite", "scaled"})
Change = Callable[[Prepared, Tensor], "Tensor | Capture | None"]


@exercise(
    call="linear(inp, out, w, b)",
    inputs={"inp": normal("n", "i"), "w": normal("i", "o"), "b": normal("o")},
    points={"inp.g": 1, "w.g": 2, "b.g": 1},
    notebook="small",
)
def linear(inp, w, b):
    """A linear layer."""
    return inp @ w + b


@cache
def course() -> Course:
    return load_course("grader.course.autograd")


_PREPARED: dict[tuple[int, int], tuple[Exercise, tuple[Prepared, ...]]] = {}


def cases(declared: Exercise, seed: int = SEED) -> tuple[Prepared, ...]:
    """The cases of an exercise, made once (an exercise holds dicts, so it has no hash)."""
    key = (id(declared), seed)
    if key not in _PREPARED:
        _PREPARED[key] = (declared, prepare(declared, seed))
    return _PREPARED[key][1]


def right_runs(declared: Exercise, seed: int = SEED) -> tuple[CaseRun, ...]:
    """What a right answer leaves: each expected tensor in the dtype of the case."""
    return tuple(_right(declared, one) for one in cases(declared, seed))


def _right(declared: Exercise, one: Prepared) -> CaseRun:
    usual: Kind = "ndarray" if declared.numpy else "tensor"
    seen = {declared.path_of(check): _as_seen(one, value) for check, value in one.expected.items()}
    registered = {declared.path_of(check) for check in declared.registered}
    captures = {path: Capture(value, kind="parameter" if path in registered else usual) for path, value in seen.items()}
    errors = {
        check: StudentError(declared.raises[check], "no", (declared.raises[check], "Exception"))
        for check in one.case.checks
        if check in declared.raises
    }
    inputs = {
        name: seen[name] if name in declared.in_place and name in seen else value
        for name, value in one.case.program.tensors.items()
    }
    return CaseRun(one.case.label, "returned", captures, inputs, errors)


def _as_seen(one: Prepared, value: Tensor) -> Tensor:
    floats = [tensor.dtype for tensor in one.case.program.tensors.values() if tensor.is_floating_point()]
    return value.to(floats[0]) if value.is_floating_point() and floats else value.clone()


def changed_runs(declared: Exercise, changes: Mapping[str, Change], seed: int = SEED) -> tuple[CaseRun, ...]:
    """Right runs in which each check of ``changes`` holds what its function makes of the right tensor."""
    runs = []
    for one, run in zip(cases(declared, seed), right_runs(declared, seed), strict=True):
        captures = dict(run.captures)
        for check, change in changes.items():
            path = declared.path_of(check)
            if check in one.expected:
                made = change(one, one.expected[check].clone())
                if isinstance(made, Capture):
                    captures[path] = made
                elif made is not None:
                    captures[path] = replace(captures[path], tensor=_as_seen(one, made))
        runs.append(replace(run, captures=captures))
    return tuple(runs)


def evidence_of(declared: Exercise, runs: tuple[CaseRun, ...], stub: Stub | None = None, seed: int = SEED) -> Evidence:
    return gather(declared, cases(declared, seed), runs, stub)


def diagnosed(declared: Exercise, changes: Mapping[str, Change], seed: int = SEED) -> dict[str, Diagnosis]:
    return diagnose(evidence_of(declared, changed_runs(declared, changes, seed), seed=seed))


def codes(found: Mapping[str, Diagnosis]) -> dict[str, str]:
    return {check: diagnosis.code for check, diagnosis in found.items()}


def by_mistakes(check: str, *mistakes: Mistake) -> Callable[[Prepared, Tensor], Tensor | None]:
    """The mistakes applied one after another; None where the first cannot be made."""

    def change(one: Prepared, right: Tensor) -> Tensor | None:
        value, applied = right, False
        for mistake in mistakes:
            made = mistake.apply(one.case, check, {**one.expected, check: value})
            if made is not None:
                value, applied = made, True
        return value if applied else None

    return change


def every_run(declared: Exercise, **fields: Any) -> tuple[CaseRun, ...]:
    """Each case with a run of these fields and no captures."""
    return tuple(CaseRun(one.case.label, **fields) for one in cases(declared))


def not_implemented(cell: int = 4, line: int = 3) -> StudentError:
    bases = ("NotImplementedError", "RuntimeError", "Exception")
    return StudentError("NotImplementedError", "", bases, cell, line, "    raise NotImplementedError")


def noise(one: Prepared, right: Tensor) -> Tensor:
    generator = torch.Generator().manual_seed(len(one.case.label))
    return right + 1 + torch.rand(right.shape, generator=generator, dtype=torch.float64) * right.abs().max()
