"""What the init of a job (``jobinit``) watches while it waits: the job's limits, and its wish for new processes."""

from __future__ import annotations

import os
import select
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grader.kernel.confinement import seccomp
from grader.kernel.protocol import wire
from grader.kernel.supervisor.jobclock import JobClock
from grader.kernel.supervisor.processes import Processes
from grader.kernel.supervisor.usage import Usage

if TYPE_CHECKING:
    from grader.kernel.protocol.messages import InitEvent, JobSpec

#: Seconds between two looks at what the job uses.
TICK_S = 0.1


class Watch:
    """The processes of the job that ``message`` describes, their limits and their clock, told to the grader's ``sock``.

    ``over`` is the limit that they were killed for, if one. ``refused`` is called where a check wants to make more than
    the job may have; else all are killed for that.
    """

    def __init__(self, sock: socket.socket, message: JobSpec) -> None:
        self.sock = sock
        self.sandbox = message["sandbox"]
        private = self.sandbox == "bwrap"
        self.processes = Processes(private, message["limits"]["processes"])
        self.usage = Usage(self.processes, message["limits"])
        self.clock: JobClock  # each kernel has its own
        self.over: str | None = None
        self.refused: Callable[[], None] | None = None
        self._folder = None if private else Path(message["folder"])  # a private one its own file system limits
        self._gate: int | None = None
        self._next_tick = 0.0
        self._untold = 0.0  # seconds that the job waited for a processor

    def begin(self) -> None:
        """Count anew: there is another kernel."""
        self.usage.begin()
        self.clock = JobClock(self.usage)

    def tell(self, event: InitEvent) -> None:
        """Tell the grader."""
        wire.send(self.sock, event)

    def kill(self, why: str) -> None:
        """Kill all of the job's processes, for ``why``."""
        self.over = why  # kept until the kernel is collected, which may take longer than a tick
        self.processes.kill_all()

    def look(self) -> str | None:
        """The limit that the job is over, or None, once a tick; tells the grader how long the job waited."""
        now = time.monotonic()
        if now < self._next_tick:
            return None
        self._next_tick = now + TICK_S
        self._untold += self.clock.look()
        if self._untold > TICK_S and wire.takes_more(self.sock):  # a grader that is stopped hears it later
            self.tell({"event": "waited", "seconds": self._untold})
            self._untold = 0.0
        return self.usage.over_limit(self._folder)

    def hurry(self) -> None:
        """Have the next look come at once, and be at all that there is."""
        self._next_tick = 0.0
        self.usage.begin()

    def wait(self, socks: list[Any], seconds: float) -> list[Any]:
        """The sockets among ``socks`` that have something to read, after ``seconds`` at most.

        Lets new processes through meanwhile.
        """
        deadline = time.monotonic() + seconds
        by_fd = {sock.fileno(): sock for sock in socks}
        while True:
            poll = select.poll()
            for fd in (*by_fd, self._gate):
                if fd is not None:
                    poll.register(fd, select.POLLIN)
            ready = dict(poll.poll(max(0, int((deadline - time.monotonic()) * 1000))))
            if self._gate in ready:
                self._answer_gate(self._gate, ready.pop(self._gate))
                if not ready and time.monotonic() < deadline:
                    continue
            return [by_fd[fd] for fd in ready]

    # ------------------------------------------------------------------------------------------- gate

    def open_gate(self, fd: int) -> None:
        """Let through on ``fd``, from a filter (``seccomp``), what processes and threads the job wants to make."""
        self.close_gate()
        self._gate = fd

    def close_gate(self) -> None:
        """Let none through any more."""
        if self._gate is not None:
            os.close(self._gate)
            self._gate = None

    def _answer_gate(self, gate: int, events: int) -> None:
        """A process of the job's wants to make another, or a thread, or the last one is gone."""
        if not events & select.POLLIN:
            self.close_gate()
            return
        asking = seccomp.asked(gate)
        if asking is None:
            return
        self.usage.made += 1
        self.usage.forked += not asking.thread
        if self.usage.has_room():
            seccomp.let_through(gate, asking)
        elif self.refused is not None:
            self.refused()
        else:
            self.kill("processes")  # before the gate closes, for who is refused goes on, and another cell is blamed
            self.close_gate()
