"""One submission, from the grader's side: its kernel, its cells, its checks, and what happens when one of them dies."""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import re
import select
import socket
import time
from typing import TYPE_CHECKING, Any, NoReturn

from grader.kernel import wire
from grader.kernel.assets import MOST_ASSETS, opened
from grader.kernel.checks import Checks
from grader.kernel.clock import LOOK_S, Clock
from grader.kernel.deaths import SLACK_S, Died, JobLost
from grader.kernel.listeners import Listeners
from grader.kernel.programs import close_all
from grader.kernel.results import raised
from grader.kernel.wire import OUTPUT_KEPT
from grader.model import Cell, CellFailure, Execution, Job

if TYPE_CHECKING:
    from grader.kernel.client import CellRunner, Client
    from grader.kernel.pool import KernelPool
    from grader.kernel.zygote_process import Zygote

#: Seconds for a kernel to come up, and for an interrupted cell to end.
_START_S, _INTERRUPT_S = 60.0, 2.0
_MOST_RESTARTS = 20
_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


class JobRun:
    """The run of one job in its own init, on kernels of ``zygote``, within ``seconds``. ``await run()`` once."""

    def __init__(self, pool: KernelPool, zygote: Zygote, job: Job, number: int, seconds: float) -> None:
        self.pool = pool
        self.zygote = zygote
        self.limits = pool.limits
        self.job = job
        self.number = number
        self.seconds = seconds
        self.clock = Clock()
        self.deadline = math.inf  # its time runs when it has a slot
        self.sock: socket.socket
        self.died: asyncio.Future[dict[str, Any]]
        self.answers: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.client: Client | None = None
        self.runner: CellRunner | None = None
        self.requests: list[int] = []
        self.kernels = 0
        self.checks = Checks(self)
        self.flags: list[str] = []
        self.failures: dict[int, CellFailure] = {}
        self.outputs: dict[int, str] = {}

    async def run(self) -> Execution:
        """Start a kernel, then run every cell and check when the pool has a slot for that.

        Raises ``JobLost`` when the machinery died under it.
        """
        began = time.monotonic()
        ended: Any = "finished"
        self.sock, theirs = wire.pair()
        try:
            async with self.pool.coming_up:
                self._open(theirs)
                await self._send_assets()
                await self._start_kernel()
            async with self.pool.slots:
                began = time.monotonic()
                self.deadline = self.clock.now() + self.seconds
                await self._run_notebook()
        except TimeoutError:
            ended = "timed_out"
        except Died:
            ended = "crashed"
        finally:
            theirs.close()  # where it was never handed over
            self._close()
        return Execution(
            ended=ended,
            checks=self.checks.done,
            failures=tuple(self.failures[index] for index in sorted(self.failures)),
            outputs=self.outputs,
            flags=tuple(dict.fromkeys((*self.flags, *self.checks.flags))),
            seconds=time.monotonic() - began,
        )

    # ---------------------------------------------------------------------------------------- the init

    def _open(self, theirs: socket.socket) -> None:
        """Have the job's init forked, with ``theirs`` for its end of the socket, and listen to it."""
        with theirs:
            try:
                self.zygote.spawn(self.pool.describe(self.number, self.job), theirs.fileno())
            except wire.Closed as error:
                raise JobLost(str(error)) from None
        self.sock.setblocking(False)
        asyncio.get_running_loop().add_reader(self.sock.fileno(), self._hear)

    def _hear(self) -> None:
        """A message of the init."""
        try:
            message, fds, _ = wire.receive(self.sock)
        except wire.Closed:
            asyncio.get_running_loop().remove_reader(self.sock.fileno())
            if not self.lost.done():
                self.lost.set_result(None)
            return
        close_all(fds)
        if message.get("event") == "died":
            if not self.died.done():
                self.died.set_result(message)
        elif message.get("event") == "waited":
            self.clock.leave_out(message["seconds"])
        else:
            self.answers.put_nowait(message)

    def order(self, do: str, fds: tuple[int, ...] | list[int] = (), **message: Any) -> None:
        """Have the init do something, with descriptors beside it. Raises ``JobLost``."""
        try:
            wire.send(self.sock, {"do": do, **message}, list(fds))
        except wire.Closed as error:
            raise JobLost(str(error)) from None

    async def answer(self, seconds: float) -> dict[str, Any]:
        """The init's next answer. Raises ``Died``, ``JobLost``, ``TimeoutError``."""
        answer: dict[str, Any] = await self._first(self.answers.get(), seconds)
        return answer

    async def _first(self, work: Any, seconds: float) -> Any:
        """The result of ``work``, unless the kernel or the init dies or the time is up first."""
        task = asyncio.ensure_future(work)
        try:
            await self._one_of({task, self.died, self.lost}, seconds)
            if task.done():
                return task.result()
            await asyncio.sleep(0)  # what came before the death may still be on its way
            if task.done():
                return task.result()
            if self.died.done():
                about = self.died.result()
                raise Died(str(about.get("how", ""))[:100], about.get("limit"))
            if self.lost.done():
                raise JobLost("the job's init died")
            raise TimeoutError
        finally:
            if not task.done():
                await _ended(task)

    async def _one_of(self, awaited: set[asyncio.Future[Any]], seconds: float) -> None:
        """Wait for the first of ``awaited``, ``seconds`` of the job's time at most."""
        deadline = self.clock.now() + seconds
        while (left := deadline - self.clock.now()) > 0:
            began, portion = time.monotonic(), min(left, LOOK_S)
            done, _ = await asyncio.wait(awaited, timeout=portion, return_when=asyncio.FIRST_COMPLETED)
            if done:
                return
            passed = time.monotonic() - began
            if passed > portion + LOOK_S:  # the grader stood still: what it did not hear of may have come long ago
                self.clock.leave_out(passed)

    def _close(self) -> None:
        """Let go of everything; the init kills what is left when its socket closes."""
        self._drop_client()
        asyncio.get_running_loop().remove_reader(self.sock.fileno())
        self.sock.close()

    def _drop_client(self) -> None:
        if self.client is not None:
            self.client.stop_channels()
            self.client = self.runner = None

    async def _send_assets(self) -> None:
        left_out = 0
        for asset in opened(self.job.assets, self.limits.written, below=self.job.assets_below):
            if asset is None:
                left_out += 1
                continue
            try:
                await self._room()
                self.order("file", [asset.fd], path=asset.path, executable=asset.executable)
            finally:
                os.close(asset.fd)
        if left_out:
            self.flags.append(
                f"{left_out} of the files beside the notebook were not there when it ran: "
                f"more than {MOST_ASSETS}, ten folders deep, or more bytes than a submission may write"
            )

    async def _room(self) -> None:
        """Wait until the init's socket takes another order. Raises ``JobLost``."""
        poll = select.poll()
        poll.register(self.sock, select.POLLOUT)
        if poll.poll(0):
            return
        await self.pool.ready()
        loop, room = asyncio.get_running_loop(), asyncio.Event()
        loop.add_writer(self.sock.fileno(), room.set)
        try:
            await asyncio.wait_for(room.wait(), _START_S)
        except TimeoutError:
            raise JobLost("the job's init takes no files") from None
        finally:
            loop.remove_writer(self.sock.fileno())

    # ---------------------------------------------------------------------------------------- the kernel

    def left(self, seconds: float) -> float:
        """``seconds``, or what is left of the submission's time; raises ``TimeoutError`` when nothing is."""
        left = self.time_left()
        if left <= 0:
            raise TimeoutError
        return min(seconds, left)

    def time_left(self) -> float:
        """Seconds that are left of the submission's time."""
        return self.deadline - self.clock.now()

    async def _start_kernel(self) -> None:
        """A fresh kernel in the job, connected and ready."""
        self._drop_client()
        self.kernels += 1
        self.requests = []
        self.died = asyncio.get_running_loop().create_future()
        listeners = Listeners(os.path.join(self.pool.folder, f"{self.number}.{self.kernels}"))
        try:
            self.order("kernel", listeners.fds())
            listeners.close()
            await self.pool.ready()
            from grader.kernel.client import CellRunner, connect

            left = self.left(_START_S)
            self.client = await self._first(connect(listeners.prefix), left)
            self.runner = CellRunner(self.client)
            answer = await self.answer(self.left(_START_S))
            if answer.get("event") != "ready":
                raise JobLost(f"a kernel did not come up: {answer.get('text')}")
        except Died as death:
            raise JobLost(f"a kernel died before it was ready ({death.how})") from None
        except TimeoutError:
            if self.deadline < math.inf:
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
            return str((await self.answer(SLACK_S)).get("text", "")).strip()
        except Died as death:
            return f"it died ({death.how})"
        except TimeoutError:
            return ""

    async def _run_notebook(self) -> None:
        skipped: set[int] = set()
        for position, cell in enumerate(self.job.cells):
            try:
                await self._run_cell(cell)
            except Died as death:
                self.failures[cell.index] = _death(cell, death)
                skipped.add(cell.index)
                await self.restart(self.job.cells[:position], skipped)
            await self.checks.after(position, skipped)
        await self.checks.finish(skipped)

    async def restart(self, cells: tuple[Cell, ...], skipped: set[int]) -> None:
        """A new kernel that has run ``cells`` but those in ``skipped``, to which the ones that kill it are added."""
        while True:
            if self.kernels > _MOST_RESTARTS:
                raise Died("the kernel died too often", None)
            await self._start_kernel()
            cell = None
            try:
                for cell in cells:
                    if cell.index not in skipped:
                        await self._run_cell(cell)
                return
            except Died:
                if cell is not None:
                    skipped.add(cell.index)

    async def _run_cell(self, cell: Cell) -> None:
        """Run one cell and note its output and failure. Raises ``Died``."""
        if not cell.source.strip():
            return
        assert self.runner is not None
        self.requests.append(cell.index)
        seconds = self.left(self.limits.cell_s)
        task = asyncio.ensure_future(self.runner.run(cell.source))
        failure = None
        try:
            try:
                node = await self._first(asyncio.shield(task), seconds)
            except TimeoutError:
                whose = "" if seconds == self.limits.cell_s else ": the submission's time was up"
                failure = CellFailure(cell.index, f"timed out after {seconds:.3g} s{whose}", "timed_out")
                node = await self._interrupt(task)
        except (JobLost, Died, TimeoutError, asyncio.CancelledError):
            raise
        except Exception:
            await self._kill("messages")
        finally:
            await _ended(task)
        self._note(cell, node)
        if failure is not None:
            self.failures[cell.index] = failure

    async def _interrupt(self, task: asyncio.Future[Any]) -> Any:
        """The node of a cell whose time is up, once it was interrupted; kills the kernel when it goes on."""
        self.order("interrupt")
        try:
            return await self._first(asyncio.shield(task), _INTERRUPT_S)
        except TimeoutError:
            await self._kill("seconds")

    async def _kill(self, why: str) -> NoReturn:
        """Kill the kernel. Raises ``Died``."""
        self.order("kill", why=why)
        with contextlib.suppress(TimeoutError):
            await self._first(asyncio.get_running_loop().create_future(), SLACK_S)
        raise JobLost("the job's init does not kill its kernel")

    def _note(self, cell: Cell, node: Any) -> None:
        text = "".join(str(output.get("text", "")) for output in node.outputs if output.get("output_type") == "stream")
        if text:
            self.outputs[cell.index] = _clean(text[:OUTPUT_KEPT])
        reply = self.runner.reply.get("content", {}) if self.runner is not None else {}
        if reply.get("status") == "error":
            name = _clean(str(reply.get("ename", "")))
            ended: Any = {"OutputLimitExceeded": "output_exceeded", "MemoryError": "memory_exceeded"}.get(
                name, "raised"
            )
            message = _ANSI.sub("", _clean(str(reply.get("evalue", ""))))
            if name == "RuntimeError" and "can't allocate memory" in message:
                ended = "memory_exceeded"
            self.failures[cell.index] = CellFailure(cell.index, raised(name, message), ended)


def _clean(text: str) -> str:
    """``text`` without halves of surrogate pairs, which are no Unicode: a kernel of its own making can send them."""
    return text.encode("utf-8", "replace").decode()


async def _ended(task: asyncio.Future[Any]) -> None:
    """Cancel ``task`` unless it is done, and take its exception, which says nothing new."""
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError, Exception):
        await task


def _death(cell: Cell, death: Died) -> CellFailure:
    """How a report names the death of a kernel in a cell."""
    if death.limit == "seconds":
        return CellFailure(cell.index, "timed out, and went on when interrupted: the kernel was killed", "timed_out")
    if death.limit == "memory":
        return CellFailure(cell.index, "used more memory than the limit: the kernel was killed", "memory_exceeded")
    if death.limit == "messages":
        return CellFailure(cell.index, "sent messages that no kernel sends: the kernel was killed", "crashed")
    if death.limit is not None:
        return CellFailure(cell.index, f"over the limit of {death.limit}: the kernel was killed", "crashed")
    return CellFailure(cell.index, f"the kernel died ({death.how})", "crashed")
