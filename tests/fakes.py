"""A kernel pool without kernels, behind the same seam: cells and checks run in this process."""

from __future__ import annotations

import contextlib
import io
import os
import time
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any
from unittest import mock

from grader.errors import KernelError
from grader.kernel.host.sandbox import choose_sandbox
from grader.kernel.local import run_in_process
from grader.model import CaseRun, CellFailure, Execution, Job, Limits


class InProcessPool:
    """Runs jobs one after another with ``exec``; for honest notebooks only.

    ``broken`` names jobs for which the machinery itself fails; ``delay_s`` slows each job down; ``ran`` lists the jobs
    in the order in which they ran, ``hidden`` what was to be hidden from them.
    """

    broken: frozenset[str] = frozenset()
    delay_s = 0.0
    cold = False
    ran: list[str]
    hidden: list[Path]

    def __init__(self, sandbox: str | None = None, limits: Limits | None = None, jobs: int = 1) -> None:
        self.sandbox = choose_sandbox(sandbox)  # as the real one
        type(self).ran, type(self).hidden = [], []

    async def __aenter__(self) -> InProcessPool:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def hide(self, places: Iterable[Path]) -> None:
        """Note them alone: it is for honest notebooks."""
        self.hidden.extend(places)

    def raise_if_down(self) -> None:
        """Nothing has to come up."""

    async def run(self, job: Job, seconds: float | None = None) -> Execution:
        """Execute the cells and, after each, its checks."""
        self.ran.append(job.name)
        time.sleep(self.delay_s)
        if job.name in self.broken:
            raise KernelError("the machinery failed", remedy="none")
        namespace: dict[str, Any] = {"__name__": "__main__"}
        failures: list[CellFailure] = []
        checks: dict[str, tuple[CaseRun, ...]] = {}
        for cell in job.cells:
            try:
                scoring = mock.patch.dict(os.environ, {"GRADER_SCORING": "1"})  # in which no cell checks itself
                with contextlib.redirect_stdout(io.StringIO()), scoring:
                    exec(compile(cell.source, f"ipykernel_{cell.index}.py", "exec"), namespace)
            except Exception as error:
                failures.append(CellFailure(cell.index, f"{type(error).__name__}: {error}"))
            for check in job.checks:
                if check.cell == cell.index:
                    checks[check.exercise] = run_in_process(check, namespace)
        return Execution("finished", checks, tuple(failures))
