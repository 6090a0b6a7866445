"""Checks as orders to a job's init: what it is handed for them, and what comes back, read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from grader.kernel import memfiles, wire
from grader.kernel.deaths import SLACK_S, JobLost
from grader.kernel.programs import ProgramFiles
from grader.kernel.results import Reader
from grader.model import CaseRun, Check, Limits

if TYPE_CHECKING:
    from grader.kernel.clock import Countdown
    from grader.kernel.initlink import InitLink
    from grader.kernel.messages import CheckTold

#: A program's result, and the global name that its ``NameError`` missed, if that is how it ended.
Result = tuple[CaseRun, str | None]
#: Descriptors beside one order.
_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class _Part:
    """A check with as many of its programs as go into one order."""

    check: Check
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class CheckOrders:
    """Runs checks over ``link`` as they are, in the kernel that is there now.

    ``files`` and ``reader`` serve a whole run; ``cell_of`` is the cell that an execute request of the kernel ran.
    """

    link: InitLink
    time: Countdown
    limits: Limits
    files: ProgramFiles
    reader: Reader
    cell_of: Callable[[int], int | None]

    async def results(self, checks: tuple[Check, ...]) -> dict[str, list[Result]]:
        """Every program's result, by exercise. Raises ``Died``, ``JobLost``, and ``TimeoutError`` when time is up."""
        found: dict[str, list[Result]] = {check.exercise: [] for check in checks}
        for parts in _orders(checks):
            for part, results_of_part in zip(parts, await self._order(parts), strict=True):
                found[part.check.exercise] += results_of_part
        return found

    async def _order(self, parts: list[_Part]) -> list[list[Result]]:
        """Have the job's init run ``parts``, in one fork as far as that goes."""
        seconds = [self.time.at_most(part.check.time_limit or self.limits.check_s) for part in parts]
        fds = [memfiles.slate(self.limits.result)]
        try:
            for part in parts:
                fds.append(memfiles.sealed((part.check.source or "").encode()))
                fds += self.files.open(part.check.programs, part.start, part.stop)
            self.link.check([self._told(part, limit) for part, limit in zip(parts, seconds, strict=True)], fds)
            ends = iter(await self.link.checked(sum(seconds) * 1.1 + SLACK_S))
            found = [
                [
                    self.reader.read(fds[0], next(ends), program, partial(self._cell_of, part.check))
                    for program in part.check.programs[part.start : part.stop]
                ]
                for part in parts
            ]
            self.link.thaw()
        except TimeoutError:
            raise JobLost("the job's init does not answer") from None
        finally:
            wire.close_all(fds)
        return found

    def _told(self, part: _Part, seconds: float) -> CheckTold:
        """What the init is told of a check."""
        return {
            "seconds": seconds,
            "needs": list(part.check.needs),
            "autograd": part.check.autograd,
            "printed": self.limits.printed,
            "cell": part.check.cell,
            "programs": part.stop - part.start,
        }

    def _cell_of(self, check: Check, request: int) -> int | None:
        """The cell that an execute request ran; 0 is the check's own."""
        return check.cell if request == 0 else self.cell_of(request)


def _orders(checks: tuple[Check, ...]) -> Iterator[list[_Part]]:
    """The checks in portions that may share a fork: alike in whether autograd is allowed, and not too many at once."""
    parts: list[_Part] = []
    for check in checks:
        for start in range(0, len(check.programs), _AT_ONCE):
            part = _Part(check, start, min(start + _AT_ONCE, len(check.programs)))
            size = sum(one.stop - one.start + 1 for one in (*parts, part))
            if parts and (size > _AT_ONCE + 1 or parts[0].check.autograd != check.autograd):
                yield parts
                parts = []
            parts.append(part)
    if parts:
        yield parts
