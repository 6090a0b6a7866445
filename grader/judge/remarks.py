"""What a human should know of an answer although it costs no points."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from textwrap import dedent

import torch

from grader.cell_code import parsed
from grader.model import CaseRun, Exercise, ExerciseScore, Stub

_LOOPS = (ast.For, ast.While, ast.ListComp, ast.GeneratorExp, ast.SetComp, ast.DictComp)


def coarse_results(runs: Iterable[CaseRun]) -> tuple[str, ...]:
    """A remark where results came in half precision, which no input has, and whose tolerance is large."""
    found = {
        path: str(capture.tensor.dtype).removeprefix("torch.")
        for run in runs
        for path, capture in run.captures.items()
        if capture.tensor is not None and capture.tensor.dtype in (torch.float16, torch.bfloat16)
    }
    return tuple(f"`{path}` came as {dtype}, and was compared no finer than that" for path, dtype in found.items())


def raised_late(score: ExerciseScore, runs: Iterable[CaseRun]) -> tuple[str, ...]:
    """A remark where an answer that earned everything ended in an exception, which stops whatever comes behind it."""
    error = next((run.error for run in runs if run.ended == "raised" and run.error is not None), None)
    if error is None or score.status != "passed":
        return ()
    from grader.judge.diagnosis.calls.errors import place  # which a class of right answers does not wait for

    return (f"it earns all its points, and then raises {error.type}{place(error)}",)


def loops_flag(exercise: Exercise, stub: Stub) -> tuple[str, ...]:
    """A remark where the stub of an exercise with ``loops_flagged`` loops in Python; empty otherwise."""
    tree = parsed(dedent(stub.source)) if exercise.loops_flagged else None
    loops = tree is not None and any(isinstance(node, _LOOPS) for node in ast.walk(tree))
    return ("loops in Python where tensor operations are asked for",) if loops else ()
