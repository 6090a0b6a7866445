"""Kernels without a zygote, as on Windows and macOS; forced here."""

from __future__ import annotations

import asyncio
import gc
import json
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from jupyter_client.manager import KernelManager
from nbclient import NotebookClient

from grader.errors import KernelError, SandboxUnavailable
from grader.kernel import cold
from grader.kernel.host.pool import KernelPool
from grader.model import Assets, Cell, Check, Execution, Job, Limits, Program
from tests.kernel.laboratory import captured

#: For what ends by itself: these kernels know no other time than that on the wall.
ROOMY = Limits(cell_s=300, check_s=300, submission_s=600)


def run(job: Job, limits: Limits | None = None) -> Execution:
    async def work() -> Execution:
        async with KernelPool(sandbox="none", limits=limits, cold=True) as pool:
            return await pool.run(job)

    return asyncio.run(work())


def check(name: str, cell: int, call: str = "f(x)", **fields: Any) -> Check:
    tensors = {"x": torch.arange(3.0), "x.u": torch.ones(3)}
    program = Program("one", call, tensors, poison=("x.g",), reads=("x.g",))
    return Check(name, cell, ("f",), (program, program), **fields)


def test_cells_and_checks_of_a_trusted_notebook() -> None:
    cells = (
        Cell(0, "import os\nprint('hello', os.environ['GRADER_SCORING'])"),
        Cell(2, "def f(x):\n    x.g = 2 * x * x.u"),
        Cell(3, "1 / 0"),
        Cell(5, "def f(x):\n    raise ValueError('no')"),
    )
    execution = run(Job("cold", cells, (check("right", 2), check("raises", 5))), ROOMY)
    assert execution.ended == "finished"
    assert execution.outputs == {0: "hello 1\n"}
    assert [(one.cell, one.error) for one in execution.failures] == [(3, "ZeroDivisionError: division by zero")]
    for one in execution.checks["right"]:
        assert torch.equal(captured(one, "x.g"), 2 * torch.arange(3.0))
    error = execution.checks["raises"][0].error
    assert error is not None
    assert (error.type, error.message, error.cell, error.line) == ("ValueError", "no", 5, 2)


def test_kernel_is_of_this_python_whatever_is_installed_under_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = tmp_path / "kernels/python3/kernel.json"
    spec.parent.mkdir(parents=True)
    about = {"argv": ["/bin/false", "{connection_file}"], "display_name": "another", "language": "python"}
    spec.write_text(json.dumps(about))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    monkeypatch.setattr(cold, "_AHEAD", "pass")
    execution = run(Job("own", (Cell(0, "import sys\nprint(sys.executable)"),), ()), ROOMY)
    assert execution.outputs == {0: f"{sys.executable}\n"}


def test_kernel_that_cannot_check_is_a_fault_and_no_student_s_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cold, "_AHEAD", "import no_such_module")
    with pytest.raises(KernelError, match="ModuleNotFoundError: No module named 'no_such_module'"):
        run(Job("bare", (Cell(0, "1"),), ()), ROOMY)


def test_time_of_cells_and_checks_is_limited() -> None:
    cells = (
        Cell(0, "import time\ntime.sleep(60)"),
        Cell(1, "def f(x):\n    while True: pass"),
        Cell(2, "import os\nos._exit(1)"),
    )
    execution = run(Job("slow", cells, (check("hangs", 1, time_limit=1.0),)), Limits(cell_s=2.0))
    assert execution.ended == "crashed"
    assert [one.ended for one in execution.failures] == ["timed_out"]
    assert [one.ended for one in execution.checks["hangs"]] == ["timed_out", "timed_out"]


@pytest.fixture
def _without_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kernels that import nothing before their cells, which takes seconds: for notebooks without a check."""
    monkeypatch.setattr(cold, "_AHEAD", "pass")


@pytest.mark.usefixtures("_without_torch")
def test_submission_whose_time_is_up_runs_no_further_cell() -> None:
    cells = (Cell(0, "import time\nprint('began')\ntime.sleep(2)"), Cell(1, "print('on')"))
    execution = run(Job("long", cells, ()), Limits(submission_s=1.0))
    assert (execution.ended, execution.outputs) == ("timed_out", {0: "began\n"})


@pytest.mark.usefixtures("_without_torch")
def test_files_beside_a_notebook_are_copies(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "helper.py").write_text("VALUE = 1")
    (tmp_path / "data.csv").write_text("1")
    cells = (
        Cell(0, "from lib.helper import VALUE\nprint(VALUE, open('data.csv').read())"),
        Cell(1, "open('data.csv', 'w').write('2')"),
    )
    (tmp_path / "large").write_bytes(bytes(10**5))
    execution = run(Job("beside", cells, (), (Assets(tmp_path),)), Limits(written=10**5 - 1))
    assert (execution.failures, execution.outputs) == ((), {0: "1 1\n"})
    assert (tmp_path / "data.csv").read_text() == "1"
    assert execution.flags[0].startswith("1 of the files beside the notebook were not there")


def test_garbage_is_collected_while_kernels_without_a_zygote_run() -> None:
    async def collecting() -> bool:
        async with KernelPool(sandbox="none", cold=True):
            return gc.isenabled()

    assert asyncio.run(collecting())


@pytest.mark.usefixtures("_without_torch")
def test_kernel_that_heeds_no_interrupt_ends_the_job(monkeypatch: pytest.MonkeyPatch) -> None:
    # Seconds that are waited for what never comes: the end of a cell's output, and of the kernel.
    monkeypatch.setattr(NotebookClient, "iopub_timeout", 0.5)
    monkeypatch.setattr(KernelManager, "shutdown_wait_time", 0.5)
    monkeypatch.setattr(cold, "_ANSWER_S", 1.0)
    monkeypatch.setattr(cold, "_ASKED", 1)
    cells = (Cell(0, "import signal, time\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: time.sleep(1)"),)
    execution = run(Job("deaf", (*cells, Cell(1, "print('on')")), ()), Limits(cell_s=1.0))
    assert (execution.ended, execution.outputs) == ("crashed", {})
    assert [(one.cell, one.ended) for one in execution.failures] == [(0, "timed_out")]


def test_cold_pool_confines_nothing_and_says_so() -> None:
    with pytest.raises(SandboxUnavailable):
        KernelPool(sandbox="bwrap", cold=True)
