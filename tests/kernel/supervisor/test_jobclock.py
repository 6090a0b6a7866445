"""Tests of the clock of a job's init."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from grader.kernel import clock
from grader.kernel.supervisor import jobclock
from grader.kernel.supervisor.jobclock import JobClock
from grader.kernel.supervisor.processes import Processes
from grader.kernel.supervisor.usage import Usage


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
    for module in (clock, jobclock):
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: next(times)))
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
