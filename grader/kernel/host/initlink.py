"""The grader's socket to a job's init: orders, answers, the kernel's death, and the time that the job waited."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Sequence, Set
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

from grader.kernel.clock import LOOK_S, Clock
from grader.kernel.deaths import Died, JobLost
from grader.kernel.host.assets import unreadable
from grader.kernel.protocol import wire

if TYPE_CHECKING:
    from grader.errors import KernelError
    from grader.kernel.host.zygote_process import Zygote
    from grader.kernel.protocol.messages import (
        CheckedEvent,
        CheckSpec,
        DiedEvent,
        InitEvent,
        JobSpec,
        LookedEvent,
        Order,
        ProgramEnd,
        UpEvent,
    )

    Answer = UpEvent | CheckedEvent | LookedEvent

#: Seconds for the init to take an order.
_ROOM_S = 60.0
_Result = TypeVar("_Result")


class InitLink:
    """The socket to the init of one job, which ``open`` has forked. ``clock`` is the job's time.

    Every method may raise ``JobLost``: the init died, or ``KernelError``: it could not copy a file. What waits raises
    ``TimeoutError`` after as many seconds of the job's time as it was given, and all but ``checked`` raises ``Died``
    when the kernel dies meanwhile.
    """

    def __init__(self) -> None:
        self.clock = Clock()
        self._sock, self._theirs = wire.pair()
        self._answers: asyncio.Queue[Answer] = asyncio.Queue()
        self._lost: asyncio.Future[KernelError | None] = asyncio.get_running_loop().create_future()
        self._died: asyncio.Future[DiedEvent] = asyncio.get_running_loop().create_future()

    def open(self, zygote: Zygote, job: JobSpec) -> None:
        """Have the init of ``job`` forked, and listen to it."""
        with self._theirs:
            try:
                zygote.spawn(job, self._theirs.fileno())
            except wire.Closed as error:
                raise JobLost(str(error)) from None
        self._sock.setblocking(False)
        asyncio.get_running_loop().add_reader(self._sock.fileno(), self._hear)

    def close(self) -> None:
        """Close the socket: the init then kills what is left of the job, and ends."""
        self._theirs.close()  # where it was never handed over
        asyncio.get_running_loop().remove_reader(self._sock.fileno())
        self._sock.close()

    # ---------------------------------------------------------------------------------------- orders

    async def copy(self, fd: int, path: str, *, executable: bool) -> None:
        """Have the file behind ``fd`` copied to ``path`` in the job folder, once the init takes another order."""
        await self._room()
        self._order({"do": "file", "path": path, "executable": executable}, [fd])

    def empty(self) -> None:
        """Have the job folder emptied, and wherever else a kernel could write that is dead."""
        self._order({"do": "empty"})

    def start_kernel(self, fds: Sequence[int]) -> None:
        """Have a kernel made that listens on the two sockets in ``fds`` (shell, iopub); ``up`` is its answer."""
        self._died = asyncio.get_running_loop().create_future()
        self._order({"do": "kernel"}, fds)

    def interrupt(self) -> None:
        """Have the kernel interrupted, if there is one."""
        self._order({"do": "interrupt"})

    def kill(self, why: Literal["seconds", "messages"]) -> None:
        """Have the kernel killed; it dies of ``why``."""
        self._order({"do": "kill", "why": why})

    def check(self, checks: list[CheckSpec], fds: Sequence[int]) -> None:
        """Have checks run, with the descriptors that ``JobInit`` knows them by; ``checked`` is the answer."""
        self._order({"do": "check", "checks": checks}, fds)

    async def look(self, seconds: float) -> None:
        """Have the init look now whether the job is within its limits, and fork the kernel; it may die of either."""
        self._order({"do": "look"})
        try:
            self._expected(await self.first(self._answers.get(), seconds), "looked")
        except TimeoutError:
            raise JobLost("the job's init does not answer") from None

    def thaw(self) -> None:
        """Let the job go on, which stands still since it was checked."""
        self._order({"do": "thaw"})

    def _order(self, order: Order, fds: Sequence[int] = ()) -> None:
        try:
            wire.send(self._sock, order, list(fds))
        except wire.Closed as error:
            raise JobLost(str(error)) from None

    async def _room(self) -> None:
        """Wait until the init's socket takes another order."""
        if wire.takes_more(self._sock):
            return
        loop, room = asyncio.get_running_loop(), asyncio.Event()
        loop.add_writer(self._sock.fileno(), room.set)
        try:
            await asyncio.wait_for(room.wait(), _ROOM_S)
        except TimeoutError:
            raise JobLost("the job's init takes no files") from None
        finally:
            loop.remove_writer(self._sock.fileno())

    # ---------------------------------------------------------------------------------------- answers

    async def up(self, seconds: float) -> UpEvent:
        """Whether the kernel came up."""
        answer = await self.first(self._answers.get(), seconds)
        return cast("UpEvent", self._expected(answer, "ready", "failed"))

    async def checked(self, seconds: float) -> list[ProgramEnd]:
        """How each program of the checks ended, which the init tells of a kernel that died as well."""
        answer = await self._first_of({self._lost}, self._answers.get(), seconds)
        return cast("CheckedEvent", self._expected(answer, "checked"))["runs"]

    def _expected(self, answer: Answer, *events: str) -> Answer:
        if answer["event"] not in events:
            raise JobLost(f"the job's init answers {answer['event']!r} where it was asked for {' or '.join(events)}")
        return answer

    async def death(self, seconds: float) -> None:
        """Wait for the kernel's death, which raises ``Died``."""
        await self.first(asyncio.get_running_loop().create_future(), seconds)

    async def first(self, work: Awaitable[_Result], seconds: float) -> _Result:
        """The result of ``work``, unless the kernel or the init dies or the time is up first."""
        return await self._first_of({self._died, self._lost}, work, seconds)

    async def _first_of(self, ends: Set[asyncio.Future[Any]], work: Awaitable[_Result], seconds: float) -> _Result:
        task = asyncio.ensure_future(work)
        try:
            await self._one_of({task, *ends}, seconds)
            if task.done():
                return task.result()
            await asyncio.sleep(0)  # what came before the death may still be on its way
            if task.done():
                return task.result()
            if self._died in ends and self._died.done():
                about = self._died.result()
                raise Died(about["how"], about["limit"])
            if self._lost.done():
                raise self._lost.result() or JobLost("the job's init died")
            raise TimeoutError
        finally:
            if not task.done():
                await cancelled(task)

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

    def _hear(self) -> None:
        """A message of the init."""
        try:
            received, fds, _ = wire.receive(self._sock)
        except wire.Closed:
            asyncio.get_running_loop().remove_reader(self._sock.fileno())
            if not self._lost.done():
                self._lost.set_result(None)
            return
        wire.close_all(fds)
        told = cast("InitEvent", received)
        if told["event"] == "died":
            if not self._died.done():
                self._died.set_result(told)
        elif told["event"] == "waited":
            self.clock.leave_out(told["seconds"])
        elif told["event"] == "uncopied":
            if not self._lost.done():
                self._lost.set_result(unreadable(told["path"], OSError(told["errno"], ""), "copied"))
        else:
            self._answers.put_nowait(told)


async def cancelled(task: asyncio.Future[Any]) -> None:
    """Cancel ``task`` unless it is done, and take its exception, which says nothing new.

    Raises ``asyncio.CancelledError`` where it is the caller that is cancelled.
    """
    task.cancel()
    await asyncio.wait([task])
    if not task.cancelled():
        task.exception()
