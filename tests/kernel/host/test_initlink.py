"""The line to a job's init: what the grader hears, and what it does when nothing comes."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from typing import Any, cast

import pytest

from grader.kernel.deaths import Died, JobLost
from grader.kernel.host import initlink
from grader.kernel.host.initlink import InitLink
from grader.kernel.protocol import wire
from grader.kernel.protocol.messages import InitEvent, JobSpec


class Init:
    """The other end of a link, in place of a zygote that would fork one."""

    sock: socket.socket

    def spawn(self, _job: JobSpec, fd: int) -> None:
        """Keep the end that a forked init would have."""
        self.sock = socket.socket(fileno=os.dup(fd))

    def tell(self, told: InitEvent) -> None:
        """Say something to the grader."""
        wire.send(self.sock, told)

    def heard(self) -> dict[str, Any]:
        """The next order."""
        order, fds, _ = wire.receive(self.sock)
        for fd in fds:
            os.close(fd)
        return order


@pytest.fixture
async def line() -> Any:
    link, init = InitLink(), Init()
    link.open(cast("Any", init), cast("JobSpec", {}))
    yield link, init
    link.close()
    init.sock.close()


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> float:
    """Looks that come soon, and what is well beyond one."""
    monkeypatch.setattr(initlink, "LOOK_S", 0.05)
    return 0.3


async def test_answers_are_what_was_asked_for(line: tuple[InitLink, Init]) -> None:
    link, init = line
    link.start_kernel(())
    assert init.heard() == {"do": "kernel"}
    init.tell({"event": "ready", "text": ""})
    assert await link.up(10) == {"event": "ready", "text": ""}

    link.check([], ())
    assert init.heard() == {"do": "check", "checks": []}
    init.tell({"event": "checked", "runs": [{"ended": "crashed", "how": "signal 6"}]})
    assert await link.checked(10) == [{"ended": "crashed", "how": "signal 6"}]


async def test_answer_to_another_question_is_the_machinerys_fault(line: tuple[InitLink, Init]) -> None:
    link, init = line
    init.tell({"event": "ready", "text": ""})
    with pytest.raises(JobLost, match="answers 'ready'"):
        await link.checked(10)
    init.tell({"event": "checked", "runs": []})
    with pytest.raises(JobLost, match="answers 'checked'"):
        await link.up(10)


async def test_look_at_the_limits_ends_when_the_init_says_so_or_the_kernel_dies(
    line: tuple[InitLink, Init],
) -> None:
    link, init = line
    looking = asyncio.create_task(link.look(10))
    await asyncio.sleep(0)
    assert init.heard() == {"do": "look"}
    init.tell({"event": "looked"})
    await looking
    with pytest.raises(JobLost, match="does not answer"):
        await link.look(0.01)
    init.tell({"event": "died", "how": "signal 9", "limit": "memory"})
    with pytest.raises(Died, match="signal 9"):
        await link.look(10)


async def test_death_of_the_kernel_ends_all_waiting_until_another_is_made(line: tuple[InitLink, Init]) -> None:
    link, init = line
    init.tell({"event": "died", "how": "signal 9", "limit": "memory"})
    for waiting in (link.first(asyncio.sleep(10), 10), link.death(10), link.up(10)):
        with pytest.raises(Died, match="signal 9") as caught:
            await waiting
        assert caught.value.limit == "memory"
    link.start_kernel(())
    assert await link.first(asyncio.sleep(0, "done"), 10) == "done"


async def test_death_of_the_kernel_leaves_the_init_to_answer_for_checks(line: tuple[InitLink, Init]) -> None:
    link, init = line
    init.tell({"event": "died", "how": "signal 9", "limit": None})
    with pytest.raises(Died):
        await link.death(10)
    asked = asyncio.create_task(link.checked(10))
    await asyncio.sleep(0)
    init.tell({"event": "checked", "runs": [{"ended": "unasked"}]})
    assert await asked == [{"ended": "unasked"}]


async def test_init_that_is_gone_is_told_by_whoever_waits_or_orders(line: tuple[InitLink, Init]) -> None:
    link, init = line
    init.sock.close()
    with pytest.raises(JobLost, match="the job's init died"):
        await link.up(10)
    with pytest.raises(JobLost):
        link.interrupt()


async def test_zygote_that_is_gone_loses_the_job() -> None:
    class Gone(Init):
        def spawn(self, _job: JobSpec, fd: int) -> None:
            raise wire.Closed("broken pipe")

    link = InitLink()
    with pytest.raises(JobLost, match="broken pipe"):
        link.open(cast("Any", Gone()), cast("JobSpec", {}))
    link.close()


async def test_time_is_up_after_the_jobs_seconds_and_what_was_awaited_is_cancelled(
    line: tuple[InitLink, Init], soon: float
) -> None:
    link, init = line
    work = asyncio.ensure_future(asyncio.sleep(60))
    with pytest.raises(TimeoutError):
        await link.first(work, soon)
    assert work.cancelled()

    init.tell({"event": "waited", "seconds": 2 * soon})  # which the job did not have
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        await link.death(soon)
    assert time.monotonic() - began > 2 * soon


async def test_time_in_which_the_grader_stood_still_does_not_count(line: tuple[InitLink, Init], soon: float) -> None:
    link, _ = line

    async def late() -> str:
        await asyncio.sleep(0)
        time.sleep(2 * soon)  # as a stopped process
        await asyncio.sleep(0.1)
        return "done"

    assert await link.first(late(), soon) == "done"


async def test_init_that_takes_no_files_is_lost_in_the_end(
    line: tuple[InitLink, Init], monkeypatch: pytest.MonkeyPatch
) -> None:
    link, init = line
    monkeypatch.setattr(initlink, "_ROOM_S", 0.2)

    async def copy_all() -> None:
        for number in range(10_000):
            await link.copy(0, f"file-{number}", executable=False)

    with pytest.raises(JobLost, match="takes no files"):
        await copy_all()
    assert init.heard() == {"do": "file", "path": "file-0", "executable": False}


async def test_who_is_cancelled_while_a_task_ends_takes_that_for_no_end_of_the_task() -> None:
    ending = asyncio.Event()

    async def slow() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await ending.wait()

    task = asyncio.create_task(slow())
    await asyncio.sleep(0)
    waiting = asyncio.create_task(initlink.cancelled(task))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    ending.set()
    await initlink.cancelled(task)
