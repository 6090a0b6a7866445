"""Checks as orders to a job's init: what it is handed for them, and what comes back, read."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from grader.kernel.deaths import SLACK_S, Died, JobLost
from grader.kernel.host.programfiles import ProgramFiles
from grader.kernel.host.resultreader import Reader
from grader.kernel.protocol import memfiles, wire
from grader.model import CaseRun, Check, Limits, Program

if TYPE_CHECKING:
    from grader.kernel.clock import Countdown
    from grader.kernel.host.initlink import InitLink
    from grader.kernel.protocol.messages import CheckSpec, ProgramEnd

#: A program's result, and the global name that its ``NameError`` missed, if that is how it ended.
Result = tuple[CaseRun, str | None]
#: Descriptors beside one order.
_AT_ONCE = 200
#: Seconds for a kernel to be dead that closed its line to the init.
_DEATH_S = 2.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """Every program's result, by exercise, of the checks that got any of their inputs, and whether the kernel died.

    A check that is left out was given no input yet, so it may run in another kernel.
    """

    results: dict[str, list[Result]]
    died: bool = False


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

    async def results(self, checks: tuple[Check, ...]) -> Outcome:
        """Run ``checks``. Raises ``JobLost``, and ``TimeoutError`` when time is up."""
        found: dict[str, list[Result | None]] = {check.exercise: [] for check in checks}
        for parts in _orders(checks):
            for part, results_of_part in zip(parts, await self._order(parts), strict=True):
                found[part.check.exercise] += results_of_part
        died = any(None in results for results in found.values()) and await self._kernel_is_dead()
        asked = [check for check in checks if not died or any(found[check.exercise])]
        return Outcome({check.exercise: _completed(check, found[check.exercise]) for check in asked}, died)

    async def _kernel_is_dead(self) -> bool:
        """Whether the kernel that did not answer is dead; one may close its line to the init and live on."""
        with contextlib.suppress(TimeoutError):
            try:
                await self.link.death(_DEATH_S)
            except Died:
                return True
        return False

    async def _order(self, parts: list[_Part]) -> list[list[Result | None]]:
        """Have the job's init run ``parts``, in one fork as far as that goes; None for a program that was not asked."""
        seconds = [self.time.at_most(part.check.time_limit or self.limits.check_s) for part in parts]
        fds = [memfiles.writable(self.limits.result)]
        try:
            for part in parts:
                fds.append(memfiles.sealed((part.check.source or "").encode()))
                fds += self.files.open(part.check.programs, part.start, part.stop)
            self.link.check([self._told(part, limit) for part, limit in zip(parts, seconds, strict=True)], fds)
            ends = iter(await self.link.checked(sum(seconds) * 1.1 + SLACK_S))
            found = [
                [
                    self._read(fds[0], next(ends), part.check, program)
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

    def _read(self, result_file: int, run: ProgramEnd, check: Check, program: Program) -> Result | None:
        if run["ended"] == "unasked":
            return None
        return self.reader.read(result_file, run, program, partial(self._cell_of, check))

    def _told(self, part: _Part, seconds: float) -> CheckSpec:
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


def _completed(check: Check, results: list[Result | None]) -> list[Result]:
    """The results of a check, ``crashed`` for each program that was not asked."""
    return [
        (CaseRun(program.case, "crashed"), None) if result is None else result
        for program, result in zip(check.programs, results, strict=True)
    ]


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
