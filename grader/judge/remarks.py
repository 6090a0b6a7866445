"""What a human should know of an answer although it costs no points."""

from __future__ import annotations

from collections.abc import Iterable

import torch

from grader.model import CaseRun, ExerciseScore


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
