"""The whole course by real kernels: ``python -m tests.benchmarks.seeds [--seeds 100] [--first 0]``.

For each seed, the solutions must score full marks and the exercises zero, with ``not_implemented`` on every one.
``grader validate`` shows the same in one process; this goes the way of a submission.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

from grader.batch import ScoreOptions, score_class
from grader.course.loading import load_course
from grader.kernel.host.sandbox import choose_sandbox
from grader.model import ExerciseScore, RunReport
from tests.samples import EXERCISES, SOLUTIONS


def graded(folder: Path, seed: int) -> RunReport:
    """The notebooks of ``folder``, graded like a class."""
    with tempfile.TemporaryDirectory() as out:
        sandbox = choose_sandbox(os.environ.get("SANDBOX"))
        return score_class(ScoreOptions((folder,), Path(out), seed=seed, jobs=os.cpu_count() or 1, sandbox=sandbox))


def faults(seed: int) -> list[str]:
    """What is not as it should be, line by line."""
    every = set(load_course("autograd").exercises)
    wrong = []
    for folder, status in ((SOLUTIONS, "passed"), (EXERCISES, "not_implemented")):
        run = graded(folder, seed)
        wrong += [f"{one.path}: {one.status} {one.reason}" for one in run.submissions if one.status != "graded"]
        scores = [score for one in run.submissions for score in one.exercises]
        wrong += [f"{folder.name}: nothing of {name}" for name in every - {score.id for score in scores}]
        wrong += [
            f"{folder.name}: {score.id}: {score.status}, {score.score:g} of {score.possible:g}: {_reasons(score)}"
            for score in scores
            if (score.status, score.score) != (status, score.possible if status == "passed" else 0.0)
        ]
    return wrong


def _reasons(score: ExerciseScore) -> str:
    return "; ".join(
        f"{check.name} {check.diagnosis.code}: {check.diagnosis.message}" for check in score.checks if check.diagnosis
    )


def main() -> int:
    """Run, print; 1 when something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--first", type=int, default=0)
    options = parser.parse_args()
    began = time.monotonic()
    failed = 0
    for seed in range(options.first, options.first + options.seeds):
        wrong = faults(seed)
        failed += bool(wrong)
        print(f"seed {seed}: {'as it should be' if not wrong else ''} {time.monotonic() - began:.0f} s", flush=True)
        print("".join(f"  {line}\n" for line in wrong), end="", flush=True)
    print(f"{options.seeds} seeds, {failed} with faults")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
