"""Hostile submissions among honest ones: each spoils only itself, and finds, reaches and leaves nothing."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from grader.kernel.host.pool import KernelPool
from grader.model import Execution
from tests.kernel.conftest import BEST, WORKING, Secret
from tests.kernel.hostile import TABLE, Hostile, filled, table
from tests.kernel.laboratory import PATIENT, SHORT, Laboratory, linear_job, verdicts

HONEST_EVERY = 4
#: Processes below the outermost one of an idle sandbox: bwrap's second, the job server, the zygote, and one that waits.
IDLE = {"bwrap": 4}


@dataclass(frozen=True)
class Class:
    """What became of one class: the hostile rows by id, the honest neighbours, and what was left at the end."""

    rows: dict[str, Execution]
    honest: list[Execution]
    processes: list[str]
    files: list[str]
    killed: bool
    visitors: int
    grown: int


@contextlib.contextmanager
def peak() -> Iterator[list[int]]:
    """The resident memory of this process, as it is and at its highest until the block ends."""
    process, over = psutil.Process(), threading.Event()
    sizes = [process.memory_info().rss] * 2

    def watch() -> None:
        while not over.wait(0.02):
            sizes[1] = max(sizes[1], process.memory_info().rss)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield sizes
    finally:
        over.set()
        watcher.join()


def running(pool: KernelPool) -> list[psutil.Process]:
    """What runs below the zygote, which is another one where a job was lost on a busy machine; zombies are numbers."""
    found = []
    for process in psutil.Process(pool.zygote.process.pid).children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            found += [process] * (process.status() != psutil.STATUS_ZOMBIE)
    return found


def _files(pool: KernelPool) -> list[str]:
    """What is in the pool's folder beside the zygote's own."""
    return [
        path.name
        for path in Path(pool.folder).iterdir()
        if path.name not in ("zygote.log", ".ipython", "autograd-grader.lock")
    ]


def _run(laboratory: Laboratory, sandbox: str, secret: Secret) -> Class:
    victim = subprocess.Popen(["sleep", "600"], start_new_session=True)
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setblocking(False)
    pool = laboratory.pool(sandbox)
    laboratory.run(sandbox, linear_job("first"))
    before = IDLE.get(sandbox, 0)
    port = listener.getsockname()[1]
    rows = [filled(row, secret.path, port, victim.pid) for row in table(sandbox, sandbox == BEST)]
    jobs = []
    for number, row in enumerate(rows):
        jobs.append(linear_job(row.id, row.cell, answer=row.answer))
        if number % HONEST_EVERY == 0:
            jobs.append(linear_job(f"honest {number}", "print('hello')"))
    greedy = {row.id for row in rows if "memory_exceeded" in (row.failure or "")}
    jobs.sort(key=lambda job: job.name not in greedy)
    with peak() as memory:
        done = laboratory.run(sandbox, *jobs[: len(greedy)], limits=PATIENT)
        done += laboratory.run(sandbox, *jobs[len(greedy) :], limits=SHORT)
    deadline = time.monotonic() + 240
    while (len(running(pool)) > before or _files(pool)) and time.monotonic() < deadline:
        time.sleep(0.05)
    visitors = 0
    with listener:
        try:
            listener.accept()
            visitors = 1
        except BlockingIOError:
            pass
    killed = victim.poll() is not None
    victim.kill()
    victim.wait()
    named = list(zip(jobs, done, strict=True))
    return Class(
        rows={job.name: execution for job, execution in named if not job.name.startswith("honest ")},
        honest=[execution for job, execution in named if job.name.startswith("honest ")],
        processes=[repr(process) for process in running(pool)[before:]],
        files=_files(pool),
        killed=killed,
        visitors=visitors,
        grown=memory[1] - memory[0],
    )


@pytest.fixture(scope="module")
def graded(laboratory: Laboratory, secret: Secret) -> Callable[[str], Class]:
    classes: dict[str, Class] = {}

    def of(sandbox: str) -> Class:
        if sandbox not in classes:
            classes[sandbox] = _run(laboratory, sandbox, secret)
        return classes[sandbox]

    return of


ROWS = [
    pytest.param(sandbox, row, id=f"{sandbox}-{row.id}")
    for sandbox in WORKING
    for row in table(sandbox, sandbox == BEST)
]


@pytest.mark.parametrize(("sandbox", "row"), ROWS)
def test_hostile_submission_ends_as_expected(
    graded: Callable[[str], Class], sandbox: str, row: Hostile, secret: Secret
) -> None:
    execution = graded(sandbox).rows[row.id]
    told = repr(execution)

    assert secret.text not in told
    for index, found in enumerate(verdicts(execution)):
        assert found in row.allowed(index), (index, told[:3000])
    failures = {failure.cell: failure.ended for failure in execution.failures}
    if row.failure != "any" and row.cell:
        assert failures.get(0) in (row.failure.split("|") if row.failure else [None]), told[:3000]
    if row.refused:
        printed = execution.outputs.get(0, "")
        assert "refused" in printed, told[:3000]
        assert "GOT" not in printed, printed


@pytest.mark.parametrize("sandbox", WORKING)
def test_honest_neighbours_are_exact(graded: Callable[[str], Class], sandbox: str) -> None:
    for execution in graded(sandbox).honest:
        assert verdicts(execution) == ("exact", "exact")
        assert execution.outputs == {0: "hello\n"}
        assert not execution.failures


@pytest.mark.parametrize("sandbox", WORKING)
def test_nothing_is_left_behind(graded: Callable[[str], Class], sandbox: str) -> None:
    left = graded(sandbox)
    assert left.processes == []
    assert left.files == []
    assert not left.killed


@pytest.mark.parametrize("sandbox", [name for name in WORKING if name != "none"])
def test_nobody_came_over_the_network(graded: Callable[[str], Class], sandbox: str) -> None:
    assert graded(sandbox).visitors == 0


@pytest.mark.parametrize("sandbox", WORKING)
def test_memory_of_the_grader_stays(graded: Callable[[str], Class], sandbox: str) -> None:
    assert graded(sandbox).grown < 200 * 1024**2, json.dumps(graded(sandbox).grown)


def test_the_table_has_unique_names() -> None:
    assert len({row.id for row in TABLE}) == len(TABLE) >= 40
