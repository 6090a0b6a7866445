"""A limit is reached by what a job does, not by how busy the machine is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from grader.kernel import clock, jobrun
from grader.kernel.clock import Clock, Countdown, JobClock
from grader.kernel.deaths import JobLost
from grader.kernel.processes import Processes
from grader.kernel.sandbox import package_home
from grader.kernel.usage import Usage
from grader.model import Job, Limits


def looked(
    passed: float,
    used: float,
    waited: float,
    monkeypatch: pytest.MonkeyPatch,
    alive: str = "ab",
    made: int = 3,
) -> tuple[JobClock, float]:
    """A clock that has looked a second time, at ``alive`` where ``ab`` were, and what it told."""
    figures = iter([(1.0, 2.0, frozenset("ab")), (1.0 + used, 2.0 + waited, frozenset(alive))])
    times = iter([10.0, 10.0 + passed])
    usage: Any = SimpleNamespace(used_and_waited=lambda: next(figures), made=3)
    monkeypatch.setattr(clock, "time", SimpleNamespace(monotonic=lambda: next(times)))
    job_clock = JobClock(usage)
    usage.made = made
    return job_clock, job_clock.look()


@pytest.mark.parametrize(
    ("alive", "made", "lost"),
    [
        pytest.param("ab", 3, 0.4, id="the same"),
        pytest.param("a", 3, 0.0, id="one has ended"),
        pytest.param("ab", 4, 0.0, id="one came and went"),
    ],
)
def test_job_clock_leaves_out_nothing_where_the_dead_may_have_computed(
    alive: str, made: int, lost: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert looked(0.5, 0.1, 0.4, monkeypatch, alive, made)[1] == pytest.approx(lost)


@pytest.mark.parametrize(
    ("passed", "used", "waited", "lost"),
    [
        pytest.param(0.5, 0.5, 0.0, 0.0, id="computes"),
        pytest.param(0.5, 0.0, 0.0, 0.0, id="sleeps"),
        pytest.param(0.5, 0.1, 0.4, 0.4, id="waits for others"),
        pytest.param(0.5, 0.5, 8.0, 0.0, id="waits for its own threads"),
        pytest.param(0.5, 0.0, 8.0, 0.495, id="never gets one"),
        pytest.param(60.0, 0.1, 0.0, 60.0, id="stood still with its init"),
    ],
)
def test_job_clock_leaves_out_what_the_job_did_not_get(
    passed: float, used: float, waited: float, lost: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_clock, told = looked(passed, used, waited, monkeypatch)

    monkeypatch.setattr(clock, "time", SimpleNamespace(monotonic=lambda: 100.0))
    assert job_clock.now() == pytest.approx(100.0 - lost)
    assert told == pytest.approx(0.0 if passed > 2 * clock.LOOK_S else lost)  # the grader sees a pause itself


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


@pytest.fixture
def crowd() -> Iterator[list[subprocess.Popen[bytes]]]:
    """Three busy processes that share one processor."""
    core = min(os.sched_getaffinity(0))
    source = f"import os; os.sched_setaffinity(0, [{core}])\nwhile True: pass"
    started = [subprocess.Popen([sys.executable, "-c", source]) for _ in range(3)]
    yield started
    for process in started:
        process.kill()
        process.wait()


@pytest.mark.skipif(not Path("/proc/self/schedstat").exists(), reason="this system does not count what is waited")
def test_waiting_for_a_processor_is_counted(crowd: list[subprocess.Popen[bytes]]) -> None:
    processes = Processes(private=False, most=64)
    usage = Usage(processes, {"processes": 64})
    deadline = time.monotonic() + 240
    used, waited, _ = usage.used_and_waited()
    while usage.used_and_waited()[1] < waited + 0.5:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert usage.used_and_waited()[0] > used
    processes.close()


#: A grader of one notebook; says how its cells failed.
GRADER = """
import asyncio, sys
from grader.kernel import KernelPool
from grader.model import Cell, Job, Limits

async def main():
    cell = f"import pathlib, time; pathlib.Path({sys.argv[1]!r}).touch(); time.sleep(0.5)"
    async with KernelPool("none", Limits(cell_s=2, submission_s=3), jobs=1) as pool:
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
        time.sleep(5)
        grader.send_signal(signal.SIGCONT)
        told, _ = grader.communicate(timeout=240)
    assert told == "()\n"


async def test_kernel_that_its_init_does_not_kill_is_no_fault_of_the_students(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobrun, "SLACK_S", 0.1)
    pool: Any = SimpleNamespace(limits=Limits(), programs=None, reader=None)
    run = jobrun.JobRun(pool, SimpleNamespace(), Job("deaf", (), ()), 1, 60.0)  # type: ignore[arg-type]
    monkeypatch.setattr(run._link, "kill", lambda _why: None)
    with pytest.raises(JobLost):
        await run._kill("seconds")
    run._link.close()
