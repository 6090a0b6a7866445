"""Clocks for time limits, which leave out the time in which a busy machine kept a job waiting.

Two things are left out: the time in which a job was ready to run and others had the processors; and a pause of the
process that keeps the time (stopped, or suspended with its container), which could not hear meanwhile that the work was
done. Where a job has more threads than processors, what these wait for one another is not left out. Nor is anything
while it makes and loses processes: the dead do not tell what they used, and the job's own may be what others wait for.
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from grader.kernel.usage import Usage

#: Share of a check's seconds that is left for the programs behind one that ran out of time.
ALLOWANCE = 0.1
#: Who keeps the time looks up at least so often, in seconds; when more went by than twice that, it stood still.
LOOK_S = 1.0
#: The largest share of the time that is left out as waiting: what never ends, ends all the same.
_MOST = 0.99


class Clock:
    """Seconds that count."""

    def __init__(self) -> None:
        self._lost = 0.0

    def now(self) -> float:
        """Seconds that count, from a moment in the past."""
        return time.monotonic() - self._lost

    def leave_out(self, seconds: float) -> None:
        """Leave out ``seconds`` that went by."""
        self._lost += seconds


class Countdown:
    """The seconds of ``clock`` that a submission has; without end until it is started."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._end = math.inf

    def start(self, seconds: float) -> None:
        """Give it so many from now on."""
        self._end = self._clock.now() + seconds

    @property
    def started(self) -> bool:
        """Whether its time runs."""
        return self._end < math.inf

    def left(self) -> float:
        """Seconds that are left, less than none where it is over time."""
        return self._end - self._clock.now()

    def at_most(self, seconds: float) -> float:
        """``seconds``, or what is left; raises ``TimeoutError`` when nothing is."""
        left = self.left()
        if left <= 0:
            raise TimeoutError
        return min(seconds, left)


class JobClock(Clock):
    """The clock of a kernel's init, from the fork of the kernel on: it looks at what the job used and waited."""

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
