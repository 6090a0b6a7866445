"""The checks of one job: after which cell each runs, which share a fork, and which are put off to the end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from grader.kernel.host.schedule import global_names_in, scheduled
from grader.model import CaseRun, Cell, Check, Job

if TYPE_CHECKING:
    from grader.kernel.host.checkorders import Outcome, Result


class Checks:
    """All checks of ``job``. ``done`` are the results; ``again`` as in ``Execution``.

    ``results`` runs checks in the present kernel (``CheckOrders.results``). If the kernel dies, ``restart(cells,
    skipped)`` starts another, runs ``cells`` except the skipped ones, adds to ``skipped`` each cell that kills it, and
    returns whether it added any. A check that was given any of its inputs is not run again there: by then a cell could
    have worked out the answers, with autograd or in any other way.
    """

    def __init__(
        self,
        job: Job,
        results: Callable[[tuple[Check, ...]], Awaitable[Outcome]],
        restart: Callable[[tuple[Cell, ...], set[int]], Awaitable[bool]],
    ) -> None:
        self.done: dict[str, tuple[CaseRun, ...]] = {}
        self.again: dict[str, tuple[str, ...]] = {}
        self._cells = job.cells
        self._results = results
        self._restart = restart
        self._plan = scheduled(job.cells, job.checks)
        self._at_end: list[Check] = []

    async def after(self, position: int, skipped: set[int]) -> None:
        """Run what is due after the cell at ``position``; ``skipped`` are cells that kill the kernel."""
        due = self._plan.get(position, ())
        if due:
            await self._run(due, position == len(self._cells) - 1, position, skipped)

    async def finish(self, skipped: set[int]) -> None:
        """Run what was put off to the end."""
        if self._at_end:
            await self._run(tuple(self._at_end), True, len(self._cells) - 1, skipped)

    async def _run(self, checks: tuple[Check, ...], final: bool, position: int, skipped: set[int]) -> None:
        """Run checks behind the cell at ``position``, all together.

        Those that have no result when the kernel dies run again one by one. One that then has none either, though no
        cell is to blame, counts as crashed.
        """
        found = await self._results(checks)
        left = [check for check in checks if check.exercise not in found.results]
        for check in checks:
            if check not in left:
                self._settle(check, found.results[check.exercise], final, position)
        blamed = found.died and await self._restart(self._cells[: position + 1], skipped)
        for check in left:
            if blamed or len(checks) > 1:
                await self._run((check,), final, position, skipped)
            else:
                self.done[check.exercise] = tuple(CaseRun(one.case, "crashed") for one in check.programs)

    def _settle(self, check: Check, found: Sequence[Result], final: bool, position: int) -> None:
        """Keep the result of a check, or put it off where a later cell may define what it misses."""
        runs = tuple(run for run, _ in found)
        if not final and any(run.ended == "not_defined" for run in runs):
            self._at_end.append(check)
            return
        missed = {name for _, name in found if name}
        later = missed & global_names_in(self._cells[position + 1 :]) if missed and not final else set()
        if later:
            self.again[check.exercise] = tuple(sorted(later))
        self.done[check.exercise] = runs
