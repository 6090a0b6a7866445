"""Kernels for tests that are not coroutines: one pool a sandbox, on an event loop in a thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import torch

from grader.kernel.host.pool import KernelPool
from grader.kernel.host.sandbox import choose_sandbox
from grader.model import CaseRun, Cell, Check, Execution, Job, Limits, Program

T = TypeVar("T")

#: Small enough that a test which runs into one is short.
LIMITS = Limits(
    cell_s=6,
    check_s=5,
    submission_s=60,
    memory=384 * 1024**2,
    processes=24,
    open_files=256,
    written=16 * 1024**2,
    printed=64 * 1024,
    result=4 * 1024**2,
)
#: For hostile submissions, most of which run until they are stopped.
SHORT = replace(LIMITS, cell_s=2, check_s=1.5, submission_s=20)
#: For those that another limit stops, however long they take to come to it.
PATIENT = replace(LIMITS, cell_s=60, submission_s=120)

RIGHT = """
import torch
def lin(inp, out, w):
    w.g = inp.t() @ out.g
"""
ZEROS = """
import torch
def lin(inp, out, w):
    w.g = torch.zeros_like(w)
"""


def linear_program(number: int) -> Program:
    """A case of a linear layer's weight gradient, in whole numbers so that the answer is exact."""
    inp = torch.arange(6.0).reshape(2, 3) + number
    w = torch.arange(12.0).reshape(3, 4)
    upstream = torch.arange(8.0).reshape(2, 4) - number
    return Program(
        case=f"case {number}",
        call="lin(inp, out, w)",
        tensors={"inp": inp, "w": w, "out": inp @ w, "out.g": upstream},
        poison=("w.g",),
        reads=("w.g",),
    )


PROGRAMS = (linear_program(1), linear_program(2))
ANSWERS = tuple(program.tensors["inp"].t() @ program.tensors["out.g"] for program in PROGRAMS)


def linear_job(name: str, *cells: str, answer: str = RIGHT, after: Sequence[str] = (), **more: Any) -> Job:
    """A notebook of ``cells``, then the stub, then ``after``; the check comes after the stub."""
    sources = [*cells, answer, *after]
    check = Check("lin", len(cells), ("lin",), PROGRAMS)
    return Job(name, tuple(Cell(index, source) for index, source in enumerate(sources)), (check,), **more)


def captured(run: CaseRun, path: str) -> torch.Tensor:
    """The tensor of ``path``, where there is to be one."""
    tensor = run.captures[path].tensor
    assert tensor is not None, run
    return tensor


def verdict(run: CaseRun, expected: torch.Tensor) -> str:
    """``"exact"`` or ``"wrong"`` for a case that returned, else how it ended."""
    if run.ended != "returned":
        return run.ended
    captured = run.captures["w.g"].tensor
    right = captured is not None and captured.shape == expected.shape and torch.equal(captured, expected)
    return "exact" if right else "wrong"


def verdicts(execution: Execution) -> tuple[str, ...]:
    """The verdict of each case of ``lin``; ``"absent"`` where the check was never made."""
    runs = execution.checks.get("lin", ())
    if not runs:
        return ("absent",) * len(PROGRAMS)
    return tuple(verdict(run, answer) for run, answer in zip(runs, ANSWERS, strict=True))


async def while_it_runs(job: asyncio.Future[Execution], look: Callable[[], T]) -> T:
    """The first thing that ``look`` finds; a failure where the ``job`` ends without it."""
    while not (found := look()):
        assert not job.done(), job
        await asyncio.sleep(0.02)
    return found


@dataclass
class Laboratory:
    """Pools by sandbox, made when first asked for."""

    loop: asyncio.AbstractEventLoop
    thread: threading.Thread
    pools: dict[str, KernelPool]

    @classmethod
    def opened(cls) -> Laboratory:
        """Start the loop."""
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, name="laboratory", daemon=True)
        thread.start()
        return cls(loop, thread, {})

    def do(self, work: Coroutine[Any, Any, T], seconds: float = 1500) -> T:
        """The result of ``work`` on the loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(seconds)

    def pool(self, sandbox: str) -> KernelPool:
        """The pool for ``sandbox``, three jobs wide: more than cores, for most of a hostile job is waiting."""
        if sandbox not in self.pools:
            self.pools[sandbox] = self.do(_entered(sandbox, LIMITS, 3))
        return self.pools[sandbox]

    def run(self, sandbox: str, *jobs: Job, limits: Limits = LIMITS) -> list[Execution]:
        """What running ``jobs`` within ``limits`` gave, as many at a time as the pool has slots."""
        pool = self.pool(sandbox)
        pool.limits = limits  # a pool reads them anew for each job
        return self.do(_all(pool, jobs))

    def close(self) -> None:
        """Close every pool and stop the loop."""
        for pool in self.pools.values():
            self.do(pool.__aexit__(None, None, None))
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


async def _entered(sandbox: str, limits: Limits, jobs: int) -> KernelPool:
    return await KernelPool(choose_sandbox(sandbox), limits, jobs).__aenter__()


async def _all(pool: KernelPool, jobs: Sequence[Job]) -> list[Execution]:
    return list(await asyncio.gather(*(pool.run(job) for job in jobs)))
