"""Kernels without a zygote, where the system has no fork to rely on (Windows, macOS): for notebooks that one trusts.

nbclient starts a stock ipykernel for each notebook. Behind a cell, the same kernel is asked to run the programs of the
checks, in its own process (``serve``); they come and go as files. Nothing here is safe from what a notebook does on
purpose, nothing notices autograd, and of the limits only those of time and of what is printed hold; it is for a
student's own ``grader check``.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from grader.errors import KernelError
from grader.kernel.host.assets import LeftOut, flags_of, opened
from grader.kernel.host.sandbox import kernel_environment
from grader.kernel.host.schedule import scheduled
from grader.kernel.protocol import exchange, results
from grader.kernel.protocol.programs import encode
from grader.kernel.protocol.wire import OUTPUT_KEPT
from grader.model import CaseRun, Cell, CellFailure, Check, Ending, Execution, Job, Limits

#: Run in the kernel, where they bind no name: a check, and before all cells what a check would have to import.
_ORDER = "__import__('grader.kernel.cold', fromlist=['serve']).serve(get_ipython(), {folder!r}, {about!r})"
_AHEAD = "__import__('grader.kernel.local')"
#: Seconds for that, and for a kernel that was interrupted to answer again; how often it is asked.
_AHEAD_S, _ANSWER_S, _ASKED = 300.0, 5.0, 4


async def run_cold(job: Job, limits: Limits) -> Execution:
    """Run a job's cells and checks in a stock kernel; what it does is in the ``Execution``.

    Raises ``KernelError`` where no check can be made in it.
    """
    with tempfile.TemporaryDirectory(prefix="grader-", ignore_cleanup_errors=True) as folder:
        return await _ColdRun(job, limits, Path(folder)).run()


class _ColdRun:
    def __init__(self, job: Job, limits: Limits, folder: Path) -> None:
        from jupyter_client.kernelspec import KernelSpecManager
        from nbclient import NotebookClient
        from nbformat.v4 import new_notebook

        self.job = job
        self.limits = limits
        self.folder = folder
        self.place = folder / "notebook"
        self.checks: dict[str, tuple[CaseRun, ...]] = {}
        self.failures: list[CellFailure] = []
        self.outputs: dict[int, str] = {}
        self.client = NotebookClient(
            new_notebook(),
            kernel_name="python3",
            extra_arguments=["--log-level=ERROR"],  # else it warns of TCP, within this machine as Jupyter's all are
            allow_errors=True,
            interrupt_on_timeout=True,
            error_on_timeout={"ename": "CellTimeout", "evalue": "", "traceback": []},
            timeout=None,
            record_timing=False,
            resources={"metadata": {"path": str(self.place)}},
        )
        manager = self.client.create_kernel_manager()
        # ipykernel's own, of this Python: what a user installed under that name may be another's, without the grader
        manager.kernel_spec_manager = KernelSpecManager(kernel_dirs=[])

    async def run(self) -> Execution:
        """The job's run. Raises ``KernelError`` where the kernel cannot check."""
        from nbclient.exceptions import DeadKernelError

        flags = self._copy_assets()
        began = time.monotonic()
        ended: Literal["finished", "timed_out", "crashed"] = "finished"
        plan = scheduled(self.job.cells, self.job.checks)
        try:
            async with self.client.async_setup_kernel(env=self._environment()):
                _, failed, message = await self._execute(_AHEAD, _AHEAD_S)
                if failed:
                    raise KernelError(
                        f"a kernel cannot check: {failed}: {message}", remedy="see what `grader doctor` finds"
                    )
                began = time.monotonic()  # a kernel's start is not the submission's time
                for position, cell in enumerate(self.job.cells):
                    if time.monotonic() - began >= self.limits.submission_s:
                        ended = "timed_out"
                        break
                    await self._run_cell(cell)
                    for check in plan.get(position, ()):
                        self.checks[check.exercise] = await self._run_check(check)
        except DeadKernelError:
            ended = "crashed"
        seconds = time.monotonic() - began
        return Execution(ended, self.checks, tuple(self.failures), self.outputs, flags, seconds)

    def _copy_assets(self) -> tuple[str, ...]:
        """Put the files beside the notebook where its kernel runs; returns remarks on those that are not there."""
        self.place.mkdir()
        left_out: list[LeftOut] = []
        for asset in opened(self.job.assets, self.limits.written):
            if isinstance(asset, LeftOut):
                left_out.append(asset)
                continue
            target = self.place / asset.path
            target.parent.mkdir(parents=True, exist_ok=True)
            with open(asset.fd, "rb") as source, target.open("wb") as copy:
                shutil.copyfileobj(source, copy)
        return flags_of(left_out, self.job.cells)

    def _environment(self) -> dict[str, str]:
        names = ("GRADER_SCORING", "MPLBACKEND", "PYTHONBREAKPOINT", "PYTHONHASHSEED")
        return {**os.environ, **{name: kernel_environment()[name] for name in names}}

    async def _execute(self, source: str, seconds: float) -> tuple[str, str, str]:
        """Run source in the kernel: the text printed, the name of the exception if any, and its message."""
        from nbformat.v4 import new_code_cell

        cell = new_code_cell(source)
        self.client.nb.cells = [cell]
        self.client.reset_execution_trackers()
        self.client.timeout = max(1, round(seconds))
        await self.client.async_execute_cell(cell, 0)
        printed = "".join(str(one.text) for one in cell.outputs if one.output_type == "stream")
        error = next((one for one in cell.outputs if one.output_type == "error"), None)
        return printed, "" if error is None else str(error.ename), "" if error is None else str(error.evalue)

    async def _answers(self) -> None:
        """Wait until the kernel, just interrupted, runs something again; each time it does not is another interrupt.

        Raises ``DeadKernelError`` where it never does: nothing behind would run.
        """
        from nbclient.exceptions import DeadKernelError

        for _ in range(_ASKED):
            began = time.monotonic()
            await self._execute("pass", _ANSWER_S)
            if time.monotonic() - began < self.client.timeout:
                return
        raise DeadKernelError("the kernel heeds no interrupt")

    async def _run_cell(self, cell: Cell) -> None:
        if not cell.source.strip():
            return
        began = time.monotonic()
        printed, name, message = await self._execute(cell.source, self.limits.cell_s)
        if printed:
            self.outputs[cell.index] = printed[:OUTPUT_KEPT]
        # What an interrupted cell raised may come after the answer that nbclient makes up for it.
        if name in ("", "KeyboardInterrupt") and time.monotonic() - began >= self.client.timeout:
            self.failures.append(CellFailure(cell.index, f"timed out after {self.limits.cell_s:g} s", "timed_out"))
            await self._answers()
        elif name:
            self.failures.append(CellFailure(cell.index, results.raised(name, message)))

    async def _run_check(self, check: Check) -> tuple[CaseRun, ...]:
        for number, program in enumerate(check.programs):
            (self.folder / f"{number}.program").write_bytes(encode(program))
        (self.folder / "results").unlink(missing_ok=True)
        about = {
            "needs": list(check.needs),
            "source": check.source or "",
            "programs": len(check.programs),
            "printed": self.limits.printed,
        }
        order = _ORDER.format(folder=str(self.folder), about=about)
        began = time.monotonic()
        _, failed, _ = await self._execute(order, check.time_limit or self.limits.check_s)
        if time.monotonic() - began >= self.client.timeout:
            await self._answers()
        frames = list(self._frames())
        runs = [
            results.parsed(frame, program, lambda _: check.cell)[0]
            for frame, program in zip(frames, check.programs, strict=False)
        ]
        ending: Ending = "timed_out" if failed in ("", "KeyboardInterrupt") else "crashed"
        return (*runs, *(results.unfinished(program, ending) for program in check.programs[len(runs) :]))

    def _frames(self) -> Iterator[bytes]:
        path = self.folder / "results"
        received = bytearray(path.read_bytes() if path.is_file() else b"")
        while (data := exchange.unframed(received)) is not None:
            yield data


def serve(shell: Any, folder: str, about: dict[str, Any]) -> None:
    """In the kernel: run the programs of one check that stand in ``folder`` and write their results there."""
    from grader.kernel import local
    from grader.kernel.check.program import Namespace, ProgramRun
    from grader.kernel.check.studenterror import code_name

    with local.process_restored(shell.user_ns), Path(folder, "results").open("wb") as file:
        local.reset_torch_modes()
        plain = local.PlainShell(shell.user_ns, shell)
        space = Namespace(plain, about["needs"], about["source"], code_name, about["printed"])
        for number in range(about["programs"]):
            tensors, program = exchange.decode(Path(folder, f"{number}.program").read_bytes())
            kept, outcome = ProgramRun(space, program, tensors, None).run()
            if (outcome.get("error") or {}).get("type") == "KeyboardInterrupt":
                raise KeyboardInterrupt  # the time is up
            with exchange.Undisturbed():
                data = exchange.encode(kept, outcome)
            file.write(exchange.framed(data))
            file.flush()
    sys.stdout.flush()
