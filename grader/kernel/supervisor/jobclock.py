"""The clock of a job's init, which leaves out the time that the job did not have.

That is, the time in which it was ready to run and others had the processors; and a pause of the init itself (stopped,
or suspended with its container), which could not hear meanwhile that the work was done. Where a job has more threads
than processors, what these wait for one another is not left out. Nor is anything while it makes and loses processes:
the dead do not tell what they used, and the job's own may be what others wait for.
"""

from __future__ import annotations

import time

from grader.kernel.clock import LOOK_S, Clock
from grader.kernel.supervisor.usage import Usage

#: The largest share of the time that is left out as waiting: what never ends, ends all the same.
_MOST = 0.99


class JobClock(Clock):
    """Seconds that count, from the fork of a kernel on: it looks at what the job used and waited."""

    def __init__(self, usage: Usage) -> None:
        super().__init__()
        self._usage = usage
        self._count()

    def _count(self) -> None:
        self._at = time.monotonic()
        self._used, self._waited, self._alive = self._usage.used_and_waited()
        self._made = self._usage.made

    def look(self) -> float:
        """Leave out what the job waited since the last look, which is returned, or all of a pause."""
        at, used, waited, alive, made = self._at, self._used, self._waited, self._alive, self._made
        self._count()
        passed = self._at - at
        if passed > 2 * LOOK_S:
            self.leave_out(passed)
            return 0.0
        if self._made != made or not alive <= self._alive:
            return 0.0
        lost = max(0.0, min(self._waited - waited, passed - (self._used - used), passed * _MOST))
        self.leave_out(lost)
        return lost
