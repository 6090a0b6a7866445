"""The kernels of a run: one zygote, and for each submission a job whose kernel is forked from it."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import gc
import logging
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from grader.errors import KernelError, SandboxUnavailable
from grader.kernel import warmth
from grader.kernel.deaths import REMEDY, JobLost
from grader.kernel.host import sandbox as sandboxes
from grader.kernel.host.jobrun import JobRun
from grader.kernel.host.programfiles import ProgramFiles
from grader.kernel.host.resultreader import Reader
from grader.kernel.host.workplace import Workplace, place_of_sockets
from grader.kernel.host.zygote_process import Zygote
from grader.model import Execution, Job, Limits, Sandbox

if TYPE_CHECKING:
    from grader.kernel.protocol.messages import JobSpec

_log = logging.getLogger(__name__)
#: Whether this system has what a zygote needs: fork, memory files, descriptors sent over sockets, ``/proc``.
_WARM = sys.platform.startswith("linux")
#: Kernels that come up at a time, also before the zygote is there: its socket has room for a few times as many orders.
_COMING_UP = 8


class KernelPool:
    """Runs jobs, up to ``jobs`` at a time, each in a kernel of its own forked from one warm zygote.

    The zygote starts when the pool is made, so that its imports overlap with the caller's own; the first ``run`` waits
    for it. ``sandbox`` is one of ``SANDBOXES``; raises ``SandboxUnavailable`` (from ``choose_sandbox``) when it does
    not work here. ``cold`` pools, for Windows and macOS, start a stock kernel for each job instead, without a sandbox
    (see ``grader.kernel.cold``). Use as ``async with``; its end raises ``KernelError`` when no zygote ever came up.
    """

    def __init__(
        self, sandbox: Sandbox | None = None, limits: Limits | None = None, jobs: int = 2, *, cold: bool = not _WARM
    ) -> None:
        self.sandbox = sandboxes.choose_sandbox(sandbox)
        self.limits = limits or Limits()
        self.cold = cold
        if cold and self.sandbox != "none":
            raise SandboxUnavailable(
                "only trusted notebooks run in kernels without a zygote", remedy="use --sandbox none"
            )
        self._readable = sandboxes.readable()
        self._workplace = Workplace(None if cold else place_of_sockets(self._readable))
        self.folder = self._workplace.path
        self._zygote = None if cold else Zygote(self.sandbox, self.folder)
        if not cold:
            gc.disable()  # until all is imported: collections find nothing before, and take a tenth of the start
        self.programs = ProgramFiles()
        self.reader = Reader()
        self._came_up: asyncio.Task[None] | None = None
        self._numbers = 0
        self.slots = asyncio.Semaphore(jobs)  # one for each job that runs cells or checks
        self._kernels = asyncio.Semaphore(jobs + 1)  # one more comes up meanwhile
        self.coming_up = asyncio.Semaphore(_COMING_UP)
        self._replacing = asyncio.Lock()
        self._environment = sandboxes.kernel_environment()
        self._hidden: list[str] = []

    async def __aenter__(self) -> KernelPool:
        """The pool itself, at once."""
        return self

    @property
    def zygote(self) -> Zygote:
        """The zygote in use; a cold pool has none."""
        assert self._zygote is not None
        return self._zygote

    def hide(self, places: Iterable[Path]) -> None:
        """Have the kernels of the jobs to come read nothing in ``places``, of what they could read."""
        readable = tuple(f"{place}/" for place in (*self._readable, *map(os.path.realpath, self._readable)))
        self._hidden = [str(place) for place in places if str(place).startswith(readable)]

    async def ready(self) -> None:
        """Wait until jobs can run. Raises ``KernelError`` when the zygote does not come up."""
        if self._came_up is None:
            self._came_up = asyncio.create_task(self._come_up())
        await asyncio.shield(self._came_up)

    async def _come_up(self) -> None:
        from grader.kernel.host import client  # noqa: F401 - imports nbclient while the zygote, or first kernels, come up

        gc.freeze()  # else each full collection of a long run walks through all of torch again
        gc.enable()
        await self.zygote.wait()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Kill whatever runs and remove every trace."""
        gc.enable()
        came_up = self._came_up
        try:
            if came_up is not None and not came_up.done():
                came_up.cancel()
                await asyncio.wait([came_up])
        finally:
            if self._zygote is not None:
                self._zygote.close()
            self.programs.close()
            self._workplace.close()
        if error is None:
            self.raise_if_down()

    def raise_if_down(self) -> None:
        """Raise the ``KernelError`` with which no zygote ever came up, if that was so."""
        if self._came_up is not None and self._came_up.done() and not self._came_up.cancelled():
            self._came_up.result()

    async def run(self, job: Job, seconds: float | None = None) -> Execution:
        """Run ``job``'s cells and checks, within ``seconds`` if a submission has not as many as its limit any more.

        May be called any number of times at once.

        Whatever the submission does is in the ``Execution``. Raises ``KernelError`` when the grader's own machinery
        failed twice on it.
        """
        if self.cold:
            from grader.kernel.cold import run_cold

            async with self.slots:
                return await run_cold(job, self.limits)
        async with self._kernels:
            reason = ""
            for _ in range(2):
                zygote = self.zygote
                zygote.jobs += 1
                try:
                    self._numbers += 1
                    time_s = self.limits.submission_s if seconds is None else seconds
                    return await JobRun(self, zygote, job, self._numbers, time_s).run()
                except JobLost as error:
                    words = zygote.last_words() or "it said nothing"  # the init's traceback, where it left one
                    _log.warning("%s is run again: its kernel was lost: %s\n%s", job.name, error, words)
                    await self.ready()  # which tells of a zygote that never came up
                    reason = str(error)
                    await self._replace(zygote)
                finally:
                    zygote.jobs -= 1
                    await self._retire(zygote)
            raise KernelError(f"{job.name}: the kernel machinery failed twice: {reason}", remedy=REMEDY)

    async def _replace(self, lost: Zygote) -> None:
        """A new zygote in place of ``lost``, in which a job was lost: it is dead or damaged. Its other jobs run on."""
        async with self._replacing:
            if self._zygote is lost:
                os.makedirs(self.folder, 0o700, exist_ok=True)  # a job may be lost with it
                self._zygote = Zygote(self.sandbox, self.folder)
            await self.zygote.wait()

    async def _retire(self, zygote: Zygote) -> None:
        """End a zygote that was replaced, when its last job has ended."""
        if zygote is not self._zygote and not zygote.jobs:
            with contextlib.suppress(OSError):
                await asyncio.to_thread(zygote.close)

    def describe(self, number: int, job: Job) -> JobSpec:
        """What the zygote and a job's init have to know."""
        private = self.sandbox == "bwrap"
        folder = "/job/home" if private else self._workplace.place_of(number)
        write = [folder, "/dev/null", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"]
        if private:
            write += ["/dev/shm", "/job/tmp"]
            if not any(place.startswith("/tmp/") for place in self._readable):
                write.append("/tmp")
        return {
            "warm": warmth.needed(cell.source for cell in job.cells),
            "texts": self.programs.texts(job.checks),
            "sandbox": self.sandbox,
            "folder": folder,
            "temporary": "/job/tmp" if private else folder,
            "limits": dataclasses.asdict(self.limits),
            "environment": self._environment,
            # Who may write to /dev/zero maps memory of it that belongs to no process.
            "read": [*self._readable, "/dev/zero", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat"],
            "write": write,
            "hidden": self._hidden,
        }
