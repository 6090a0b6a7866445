"""One submission, from the grader's side: its kernel, its cells, and what happens when one of them kills it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, NoReturn, Protocol

from grader.kernel.clock import Countdown
from grader.kernel.deaths import SLACK_S, Died, ForgedMessage, JobLost, ending_at, limit_told
from grader.kernel.host.assets import LeftOut, flags_of, opened
from grader.kernel.host.checkorders import CheckOrders
from grader.kernel.host.checks import Checks
from grader.kernel.host.initlink import InitLink, cancelled
from grader.kernel.host.listeners import Listeners
from grader.kernel.host.programfiles import ProgramFiles
from grader.kernel.host.resultreader import Reader
from grader.kernel.protocol.results import raised
from grader.kernel.protocol.wire import OUTPUT_KEPT
from grader.model import Cell, CellFailure, Execution, Job, Limits, Sandbox

if TYPE_CHECKING:
    from grader.kernel.host.client import CellRunner, Client, Reply
    from grader.kernel.host.zygote_process import Zygote
    from grader.kernel.protocol.messages import JobSpec

#: Seconds for a kernel to come up, and for an interrupted cell to end.
_START_S, _INTERRUPT_S = 60.0, 2.0
#: Seconds that a kernel gets to die of what it ran: the init looks at what it uses a few times in them.
_AFTERMATH_S = 0.3
_MOST_RESTARTS = 20
#: How a cell ended that raised these; it is ``raised`` for any other.
_ENDINGS: Mapping[str, Literal["raised", "output_exceeded", "memory_exceeded"]] = {
    "OutputLimitExceeded": "output_exceeded",
    "MemoryError": "memory_exceeded",
}
_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
#: How the message of an error of the system's begins.
_ERRNO = re.compile(r"\[Errno (\d{1,3})\]")


class Pool(Protocol):
    """What the jobs of a run share; ``coming_up`` and ``slots`` let so many in at a time."""

    sandbox: Sandbox
    limits: Limits
    folder: str
    programs: ProgramFiles
    reader: Reader
    coming_up: asyncio.Semaphore
    slots: asyncio.Semaphore

    async def ready(self) -> None:
        """Wait until jobs can run. Raises ``KernelError`` when the zygote does not come up."""

    def describe(self, number: int, job: Job) -> JobSpec:
        """What the zygote and a job's init have to know."""


class JobRun:
    """The run of one job in its own init, on kernels of ``zygote``, within ``seconds``. ``await run()`` once."""

    def __init__(self, pool: Pool, zygote: Zygote, job: Job, number: int, seconds: float) -> None:
        self._pool = pool
        self._zygote = zygote
        self._limits = pool.limits
        self._job = job
        self._number = number
        self._seconds = seconds
        self._link = InitLink()
        self._time = Countdown(self._link.clock)  # which runs when it has a slot
        self._client: Client | None = None
        self._runner: CellRunner | None = None
        self._requests: list[int] = []
        self._kernels = 0
        orders = CheckOrders(self._link, self._time, pool.limits, pool.programs, pool.reader, self._cell_of)
        self._checks = Checks(job, orders.results, self._restart)
        self._flags: list[str] = []
        self._failures: dict[int, CellFailure] = {}
        self._outputs: dict[int, str] = {}
        self._room = 16 * OUTPUT_KEPT  # for what all cells print; there may be thousands

    async def run(self) -> Execution:
        """Start a kernel, then run every cell and check when the pool has a slot for that.

        Raises ``JobLost`` when the machinery died under it.
        """
        began = time.monotonic()
        how: Literal["finished", "crashed", "timed_out"] = "finished"
        spec = self._pool.describe(self._number, self._job)
        try:
            async with self._pool.coming_up:
                self._link.open(self._zygote, spec)
                await self._send_assets()
                await self._start_kernel()
            async with self._pool.slots:
                began = time.monotonic()
                self._time.start(self._seconds)
                await self._run_notebook()
        except TimeoutError:
            how = "timed_out"
        except Died:
            how = "crashed"
        finally:
            # In Landlock a job cannot remove its folder, but whoever cleans temporary folders can.
            lost = spec["sandbox"] == "landlock" and not os.path.isdir(spec["folder"])
            self._drop_client()
            self._link.close()
        if lost:
            raise JobLost(f"{spec['folder']}, in which it ran, was removed")
        return Execution(
            ended=how,
            checks=self._checks.done,
            failures=tuple(self._failures[index] for index in sorted(self._failures)),
            outputs=self._outputs,
            flags=tuple(dict.fromkeys(self._flags)),
            seconds=time.monotonic() - began,
            again=self._checks.again if how == "finished" else {},
            time_left=max(0.0, self._time.left()),
        )

    def _drop_client(self) -> None:
        if self._client is not None:
            self._client.stop_channels()
            self._client = self._runner = None

    async def _send_assets(self) -> None:
        left_out: list[LeftOut] = []
        for asset in opened(self._job.assets, self._limits.written):
            if isinstance(asset, LeftOut):
                left_out.append(asset)
                continue
            try:
                await self._link.copy(asset.fd, asset.path, executable=asset.executable)
            finally:
                os.close(asset.fd)
        self._flags += flags_of(left_out, self._job.cells)

    # ---------------------------------------------------------------------------------------- the kernel

    async def _start_kernel(self) -> None:
        """A fresh kernel in the job, connected and ready."""
        self._drop_client()
        self._kernels += 1
        self._requests = []
        listeners = Listeners(os.path.join(self._pool.folder, f"{self._number}.{self._kernels}"))
        try:
            self._link.start_kernel(listeners.fds())
            listeners.close()
            await self._pool.ready()
            from grader.kernel.host.client import CellRunner, connect

            left = self._time.at_most(_START_S)
            self._client = await self._link.first(connect(listeners.prefix), left)
            self._runner = CellRunner(self._client)
            answer = await self._link.up(self._time.at_most(_START_S))
            if answer["event"] == "failed":
                raise JobLost(f"a kernel did not come up: {answer['text']}")
        except Died as death:
            raise JobLost(f"a kernel died before it was ready ({death.how})") from None
        except TimeoutError:
            if self._time.started:
                raise
            raise JobLost(f"a kernel did not come up within {_START_S:g} s") from None
        except (OSError, EOFError, ValueError) as error:
            raise JobLost(f"a kernel's sockets did not come up: {await self._reason() or error}") from None
        finally:
            listeners.close()
            listeners.unlink()

    async def _reason(self) -> str:
        """What the init says of a kernel that closed its sockets instead of serving them; empty when nothing."""
        try:
            return (await self._link.up(SLACK_S))["text"].strip()
        except Died as death:
            return f"it died ({death.how})"
        except TimeoutError:
            return ""

    async def _run_notebook(self) -> None:
        skipped: set[int] = set()
        for position, cell in enumerate(self._job.cells):
            while cell.index not in skipped:
                try:
                    await self._run_cell(cell)
                    break
                except Died as death:
                    self._skip(cell, death, skipped)
                    if await self._restart(self._job.cells[:position], skipped):  # one before it is to blame
                        del self._failures[cell.index]
                        skipped.remove(cell.index)
            await self._checks.after(position, skipped)
        await self._checks.finish(skipped)

    async def _restart(self, cells: tuple[Cell, ...], skipped: set[int]) -> bool:
        """A new kernel that has run ``cells`` but those in ``skipped``, to which the ones that kill it are added.

        It finds the files that the first one found: a cell that makes a folder can do so again. Returns whether any
        cell was added. What a cell leaves behind (a thread, a hook for forks) may kill or hang the kernel only later,
        in a cell that is not to blame. So behind each cell the limits are looked at, and a fork is tried; where the
        kernel dies of no limit, all cells run once more with a pause behind each, in which the guilty one shows.
        """
        found, pause = False, 0.0
        while True:
            if self._kernels > _MOST_RESTARTS:
                raise Died("the kernel died too often", None)
            self._link.empty()
            await self._send_assets()
            await self._start_kernel()
            last = None
            try:
                for cell in cells:
                    if cell.index not in skipped:
                        last = cell
                        await self._run_cell(cell)
                        await self._link.look(SLACK_S)
                        await self._outlive(pause)
                await self._outlive(_AFTERMATH_S)
                return found
            except Died as death:
                if death.limit is None and not pause:
                    pause = _AFTERMATH_S
                elif last is not None:
                    found = True
                    self._skip(last, death, skipped)

    async def _outlive(self, seconds: float) -> None:
        """Give the kernel time to die of what it ran. Raises ``Died``."""
        if seconds:
            with contextlib.suppress(TimeoutError):
                await self._link.death(seconds)

    def _skip(self, cell: Cell, death: Died, skipped: set[int]) -> None:
        """Note that a cell killed the kernel, which is not to run it again."""
        self._failures[cell.index] = _death(cell, death)
        skipped.add(cell.index)

    def _cell_of(self, request: int) -> int | None:
        """The cell that an execute request of the kernel ran."""
        return self._requests[request - 1] if 0 < request <= len(self._requests) else None

    async def _run_cell(self, cell: Cell) -> None:
        """Run one cell and note its output and failure. Raises ``Died``, and whatever is a fault of ours."""
        if not cell.source.strip():
            return
        assert self._runner is not None
        self._requests.append(cell.index)
        seconds = self._time.at_most(self._limits.cell_s)
        task = asyncio.ensure_future(self._runner.run(cell.source))
        failure = None
        try:
            try:
                node = await self._link.first(asyncio.shield(task), seconds)
            except TimeoutError:
                whose = "" if seconds == self._limits.cell_s else ": the submission's time was up"
                failure = CellFailure(cell.index, f"timed out after {seconds:.3g} s{whose}", "timed_out")
                node = await self._interrupt(task)
        except ForgedMessage:
            await self._kill("messages")
        finally:
            await cancelled(task)
        self._note(cell, node, self._runner.reply)
        if failure is not None:
            self._failures[cell.index] = failure

    async def _interrupt(self, task: asyncio.Future[Any]) -> Any:
        """The node of a cell whose time is up, once it was interrupted; kills the kernel when it goes on."""
        self._link.interrupt()
        try:
            return await self._link.first(asyncio.shield(task), _INTERRUPT_S)
        except TimeoutError:
            await self._kill("seconds")

    async def _kill(self, why: Literal["seconds", "messages"]) -> NoReturn:
        """Kill the kernel. Raises ``Died``."""
        self._link.kill(why)
        with contextlib.suppress(TimeoutError):
            await self._link.death(SLACK_S)
        raise JobLost("the job's init does not kill its kernel")

    def _note(self, cell: Cell, node: Any, reply: Reply) -> None:
        text = "".join(output["text"] for output in node.outputs)
        if text and self._room > 0:
            self._outputs[cell.index] = text[: min(OUTPUT_KEPT, self._room)]
            self._room -= len(text)
        if reply.status == "error":
            message = _ANSI.sub("", reply.message)
            no_memory = reply.name == "RuntimeError" and "can't allocate memory" in message
            ended = _ENDINGS.get("MemoryError" if no_memory else reply.name, "raised")
            told = raised(reply.name, message)
            number = _ERRNO.match(message) if reply.name == "OSError" else None
            if number and (limit := limit_told(int(number[1]), private=self._pool.sandbox == "bwrap")):
                told = f"over the limit of {limit}: {told}"
                ended = "output_exceeded" if ending_at(limit) == "output_exceeded" else "raised"  # the kernel lives
            self._failures[cell.index] = CellFailure(cell.index, told, ended)


def _death(cell: Cell, death: Died) -> CellFailure:
    """How a report names the death of a kernel in a cell."""
    if death.limit == "seconds":
        return CellFailure(cell.index, "timed out, and went on when interrupted: the kernel was killed", "timed_out")
    if death.limit == "hung":
        return CellFailure(cell.index, "left the kernel such that it answers no more: it was killed", "timed_out")
    if death.limit == "memory":
        return CellFailure(cell.index, "used more memory than the limit: the kernel was killed", ending_at(death.limit))
    if death.limit == "messages":
        return CellFailure(cell.index, "sent messages that no kernel sends: the kernel was killed", "crashed")
    if death.limit is not None:
        told = f"over the limit of {death.limit}: the kernel was killed"
        return CellFailure(cell.index, told, ending_at(death.limit))
    return CellFailure(cell.index, f"the kernel died ({death.how})", "crashed")
