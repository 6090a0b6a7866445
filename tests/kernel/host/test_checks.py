"""When the checks of a notebook run, what becomes of those that cannot yet, and of those that kill the kernel."""

from __future__ import annotations

from collections.abc import Callable

from grader.kernel.host.checkorders import Outcome, Result
from grader.kernel.host.checks import Checks
from grader.model import CaseRun, Cell, Check, Ending, Job, Program

CELLS = tuple(Cell(index, source) for index, source in ((0, "one = 1"), (3, "two = 2"), (5, "def helper(): pass")))
CASE = Program("case 1", "call()", {})
ONE, TWO = (Check(name, cell, (name,), (CASE,)) for name, cell in (("one", 0), ("two", 3)))


class Bench:
    """Checks on a kernel that is none: ``end`` says how one ends, None where the kernel is dead by then.

    The first so many restarts find cells that are ``guilty`` of that.
    """

    def __init__(
        self, end: Callable[[Check, int], tuple[Ending, str | None] | None], *checks: Check, guilty: int = 0
    ) -> None:
        self.asked: list[str] = []
        self.restarts: list[tuple[int, ...]] = []
        self._end = end
        self._guilty = guilty
        self.checks = Checks(Job("bench", CELLS, checks), self._results, self._restart)

    async def _results(self, checks: tuple[Check, ...]) -> Outcome:
        self.asked.append("+".join(check.exercise for check in checks))
        found: dict[str, list[Result]] = {}
        for check in checks:
            told = self._end(check, len(checks))
            if told is None:
                return Outcome(found, died=True)
            found[check.exercise] = [(CaseRun(one.case, told[0]), told[1]) for one in check.programs]
        return Outcome(found)

    async def _restart(self, cells: tuple[Cell, ...], skipped: set[int]) -> bool:
        self.restarts.append(tuple(cell.index for cell in cells if cell.index not in skipped))
        return len(self.restarts) <= self._guilty

    async def run(self, skipped: frozenset[int] = frozenset()) -> dict[str, Ending]:
        """Go through the cells; how the first case of each check ended."""
        for position in range(len(CELLS)):
            await self.checks.after(position, set(skipped))
        await self.checks.finish(set(skipped))
        return {exercise: runs[0].ended for exercise, runs in self.checks.done.items()}


async def test_each_check_runs_behind_its_cell() -> None:
    bench = Bench(lambda *_: ("returned", None), ONE, TWO)
    assert await bench.run() == {"one": "returned", "two": "returned"}
    assert (bench.asked, bench.restarts, bench.checks.again) == (["one", "two"], [], {})


async def test_check_whose_names_are_not_there_yet_runs_at_the_end() -> None:
    bench = Bench(lambda *_: ("returned" if "one" in bench.asked[:-1] else "not_defined", None), ONE)
    assert await bench.run() == {"one": "returned"}
    assert bench.asked == ["one", "one"]


async def test_check_whose_names_are_never_there_is_not_asked_for_ever() -> None:
    bench = Bench(lambda *_: ("not_defined", None), ONE)
    assert await bench.run() == {"one": "not_defined"}
    assert bench.asked == ["one", "one"]


async def test_check_that_missed_what_a_later_cell_defines_is_to_run_again_behind_all_cells() -> None:
    bench = Bench(lambda *_: ("raised", "helper"), ONE)
    await bench.run()
    assert bench.checks.again == {"one": ("helper",)}


async def test_check_that_missed_what_nobody_defines_is_not_run_again() -> None:
    bench = Bench(lambda *_: ("raised", "nowhere"), ONE)
    assert await bench.run() == {"one": "raised"}
    assert bench.checks.again == {}


async def test_check_that_the_kernel_died_before_costs_itself_alone() -> None:
    def end(check: Check, together: int) -> tuple[Ending, str | None] | None:
        return None if check is ONE or together > 1 else ("returned", None)

    both = Check("both", 0, ("both",), (CASE, CASE))
    bench = Bench(end, ONE, both)
    assert await bench.run(frozenset({0})) == {"one": "crashed", "both": "returned"}
    assert bench.asked == ["one+both", "one", "both"]
    assert bench.restarts == [(), ()]  # cell 0 kills it


async def test_kernel_that_died_has_run_the_cells_up_to_the_check_again() -> None:
    bench = Bench(lambda *_: None, TWO)
    assert await bench.run() == {"two": "crashed"}
    assert bench.restarts == [(0, 3)]


async def test_check_that_the_kernel_died_before_is_asked_again_where_a_cell_was_to_blame() -> None:
    bench = Bench(lambda *_: ("returned", None) if bench.restarts else None, TWO, guilty=1)
    assert await bench.run() == {"two": "returned"}
    assert bench.asked == ["two", "two"]


async def test_check_that_was_asked_before_the_kernel_died_is_not_asked_again() -> None:
    other = Check("other", 0, ("other",), (CASE,))
    bench = Bench(lambda check, together: None if check is other and together > 1 else ("returned", None), ONE, other)
    assert await bench.run() == {"one": "returned", "other": "returned"}
    assert bench.asked == ["one+other", "other"]
    assert bench.restarts == [(0,)]
