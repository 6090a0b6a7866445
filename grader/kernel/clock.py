"""Clocks for time limits, which leave out the time in which a busy machine kept a job waiting.

What is left out is told by who keeps the time: the job's init (``supervisor.jobclock``), and the grader for its own
pauses.
"""

from __future__ import annotations

import math
import time

#: Share of a check's seconds that is left for the programs behind one that ran out of time.
ALLOWANCE = 0.1
#: Who keeps the time looks up at least so often, in seconds; when more went by than twice that, it stood still.
LOOK_S = 1.0


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
