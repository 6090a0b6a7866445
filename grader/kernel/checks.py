"""The checks of one job, from the grader's side: after which cell they run, in whose company, and what came of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from grader.kernel import memfiles
from grader.kernel.deaths import SLACK_S, Died, JobLost
from grader.kernel.programs import close_all
from grader.kernel.schedule import defined_in, scheduled
from grader.model import CaseRun, Check

if TYPE_CHECKING:
    from grader.kernel.jobrun import JobRun
    from grader.kernel.messages import CheckTold

#: Descriptors beside one order.
_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class _Part:
    """A check with as many of its programs as go into one order."""

    check: Check
    start: int
    stop: int


class Checks:
    """All checks of ``run``. ``done`` are the results; ``again`` what must run in a fresh job at its end."""

    def __init__(self, run: JobRun) -> None:
        self.run = run
        self.done: dict[str, tuple[CaseRun, ...]] = {}
        self.again: list[Check] = []
        self.flags: list[str] = []
        self._plan = scheduled(run.job.cells, run.job.checks)
        self._at_end: list[Check] = []

    async def after(self, position: int, skipped: set[int]) -> None:
        """Run what is due after the cell at ``position``; ``skipped`` are cells that kill the kernel."""
        due = self._plan.get(position, ())
        if due:
            await self._run(due, position == len(self.run.job.cells) - 1, position, skipped)

    async def finish(self, skipped: set[int]) -> None:
        """Run what was put off to the end."""
        if self._at_end:
            await self._run(tuple(self._at_end), True, len(self.run.job.cells) - 1, skipped)

    async def _run(self, checks: tuple[Check, ...], final: bool, position: int, skipped: set[int]) -> None:
        """Run checks behind the cell at ``position``, together; each alone where the kernel dies of it."""
        try:
            found = await self._results(checks)
        except Died:
            if len(checks) == 1:
                self.done[checks[0].exercise] = tuple(CaseRun(one.case, "crashed") for one in checks[0].programs)
            await self.run.restart(self.run.job.cells[: position + 1], skipped)
            if len(checks) > 1:
                for check in checks:
                    await self._run((check,), final, position, skipped)
            return
        for check in checks:
            self._settle(check, found[check.exercise], final, position)

    def _settle(self, check: Check, found: Sequence[tuple[CaseRun, str | None]], final: bool, position: int) -> None:
        """Keep the result of a check, or put it off where a later cell may define what it misses."""
        runs = tuple(run for run, _ in found)
        if not final and any(run.ended == "not_defined" for run in runs):
            self._at_end.append(check)
            return
        missed = {name for _, name in found if name}
        later = missed & defined_in(self.run.job.cells[position + 1 :]) if missed and not final else set()
        if later:
            self.again.append(dataclasses.replace(check, cell=max(cell.index for cell in self.run.job.cells)))
            names = ", ".join(sorted(later))
            self.flags.append(
                f"{check.exercise}: checked again at the end: it uses {names}, which a later cell defines"
            )
        self.done[check.exercise] = runs

    async def _results(self, checks: tuple[Check, ...]) -> dict[str, list[tuple[CaseRun, str | None]]]:
        """By exercise, every program's result and the global name that its ``NameError`` missed, if it did."""
        found: dict[str, list[tuple[CaseRun, str | None]]] = {check.exercise: [] for check in checks}
        for parts in _orders(checks):
            for part, results_of_part in zip(parts, await self._order(parts), strict=True):
                found[part.check.exercise] += results_of_part
        return found

    async def _order(self, parts: list[_Part]) -> list[list[tuple[CaseRun, str | None]]]:
        """Have the job's init run ``parts``, in one fork as far as that goes."""
        run, limits = self.run, self.run.limits
        seconds = [run.left(part.check.time_limit or limits.check_s) for part in parts]
        fds = [memfiles.slate(limits.result)]
        try:
            for part in parts:
                fds.append(memfiles.sealed((part.check.source or "").encode()))
                fds += run.pool.programs.open(part.check.programs, part.start, part.stop)
            told = [self._told(part, limit) for part, limit in zip(parts, seconds, strict=True)]
            run.order("check", fds, checks=told)
            answer = await run.answer(sum(seconds) * 1.1 + SLACK_S)
            ends = iter(answer["runs"])
            found = [
                [
                    run.pool.reader.read(fds[0], next(ends), program, partial(self._cell_of, part.check))
                    for program in part.check.programs[part.start : part.stop]
                ]
                for part in parts
            ]
            run.order("thaw")
        except TimeoutError:
            raise JobLost("the job's init does not answer") from None
        finally:
            close_all(fds)
        return found

    def _told(self, part: _Part, seconds: float) -> CheckTold:
        """What the init is told of a check."""
        return {
            "seconds": seconds,
            "needs": list(part.check.needs),
            "autograd": part.check.autograd,
            "printed": self.run.limits.printed,
            "cell": part.check.cell,
            "programs": part.stop - part.start,
        }

    def _cell_of(self, check: Check, request: int) -> int | None:
        """The cell that an execute request of the kernel ran; 0 is the check's own."""
        requests = self.run.requests
        if request == 0:
            return check.cell
        return requests[request - 1] if 0 < request <= len(requests) else None


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
