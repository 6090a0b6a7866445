"""A limit is reached by what a job does, not by how busy the machine is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from grader.kernel import clock
from grader.kernel.clock import Clock, Countdown
from grader.kernel.deaths import JobLost
from grader.kernel.host import jobrun
from grader.kernel.host.sandbox import package_home
from grader.model import Job, Limits


def test_countdown_has_no_end_before_its_start(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(clock, "time", SimpleNamespace(monotonic=lambda: now[0]))
    kept = Clock()
    countdown = Countdown(kept)
    assert (countdown.started, countdown.at_most(5)) == (False, 5)

    countdown.start(10)
    now[0] += 8
    assert (countdown.started, countdown.at_most(5), countdown.left()) == (True, 2, 2)
    kept.leave_out(1)
    assert countdown.left() == 3
    now[0] += 3
    with pytest.raises(TimeoutError):
        countdown.at_most(5)


#: A grader of one notebook; says how its cells failed.
GRADER = """
import asyncio, sys
from grader.kernel.host.pool import KernelPool
from grader.model import Cell, Job, Limits

async def main():
    cell = f"import pathlib, time; pathlib.Path({sys.argv[1]!r}).touch(); time.sleep(0.5)"
    async with KernelPool("none", Limits(cell_s=1.5, submission_s=2), jobs=1) as pool:
        print((await pool.run(Job("paused", (Cell(0, cell), Cell(1, "1")), ()))).failures)

asyncio.run(main())
"""


def test_cell_that_ended_while_the_grader_was_stopped_has_not_timed_out(tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    environment = {**os.environ, "PYTHONPATH": package_home()}
    command = [sys.executable, "-c", GRADER, str(begun)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as grader:
        while not begun.exists():
            assert grader.poll() is None
            time.sleep(0.02)
        grader.send_signal(signal.SIGSTOP)
        time.sleep(3)
        grader.send_signal(signal.SIGCONT)
        told, _ = grader.communicate(timeout=240)
    assert told == "()\n"


async def test_kernel_that_its_init_does_not_kill_is_no_fault_of_the_students(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobrun, "SLACK_S", 0.1)
    pool: Any = SimpleNamespace(limits=Limits(), programs=None, reader=None)
    zygote: Any = SimpleNamespace()
    run = jobrun.JobRun(pool, zygote, Job("deaf", (), ()), 1, 60.0)
    monkeypatch.setattr(run._link, "kill", lambda _why: None)
    with pytest.raises(JobLost):
        await run._kill("seconds")
    run._link.close()
