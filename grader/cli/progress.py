"""How far a run or a proof is: a live bar on a terminal; of a run, a plain line now and then elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from grader.model import SubmissionReport
from grader.report.words.text import cut, terminal

_EVERY_S = 10.0
_WHO = 36


class ScoreProgress:
    """Counts graded submissions on ``console``; use as a context manager.

    ``total`` is how many there are. On a terminal it is one live bar; anywhere else (a pipe, a CI log) a line every ten
    seconds and one at the end. ``clock`` gives seconds.
    """

    def __init__(self, total: int, console: Console, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._total, self._done, self._fresh, self._unsaid = total, 0, 0, 0
        self._console, self._clock = console, clock
        self._started = self._said = clock()
        self._task = TaskID(0)
        self._live = Progress(
            TextColumn("grading"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("{task.fields[pace]}"),
            TextColumn("{task.fields[who]}", style="dim", markup=False),
            console=console,
            transient=True,
        )

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._task = self._live.add_task("", total=self._total, completed=self._done, pace="", who="")
            self._live.start()
        return self

    def __exit__(self, *about: object) -> None:
        if self._console.is_terminal:
            self._live.stop()
        # Where the bar has gone, what was kept of an earlier run is the only thing that is not said elsewhere.
        if self._unsaid and (self._done > self._fresh or not self._console.is_terminal):
            self._say()

    def advance(self, report: SubmissionReport, taken_over: bool = False) -> None:
        """Count one more submission as graded: by this run, or ``taken_over`` from an earlier one, at no pace."""
        if report.status == "not_assigned":  # nothing was run
            self._total -= 1
            if self._console.is_terminal:
                self._live.update(self._task, total=self._total)
            return
        self._done += 1
        self._fresh += not taken_over
        self._unsaid += 1
        if self._console.is_terminal:
            who = cut(terminal(report.student), _WHO)
            self._live.update(self._task, completed=self._done, pace=self.pace, who=who)
        elif self._clock() - self._said >= _EVERY_S:
            self._say()

    @property
    def pace(self) -> str:
        """The rate of this run and the time left: ``"3.1/s, 2 min left"``; empty before the first submission."""
        if not self._fresh or self._elapsed <= 0:
            return ""
        rate = self._fresh / self._elapsed
        speed = f"{rate:.1f}/s" if rate >= 1 else f"{60 * rate:.0f}/min"
        left = (self._total - self._done) / rate
        return f"{speed}, {_duration(left)} left" if self._done < self._total else speed

    @property
    def _elapsed(self) -> float:
        return self._clock() - self._started

    def _say(self) -> None:
        self._said, self._unsaid = self._clock(), 0
        kept = self._done - self._fresh
        remarks = "; ".join(filter(None, (f"{kept} of them earlier" if kept else "", self.pace)))
        said = f" ({remarks})" if remarks else ""
        self._console.print(f"graded {self._done} of {self._total}{said}", markup=False, highlight=False)


class ProofProgress:
    """How far proofs are that take minutes each; use as a context manager. Shows nothing where there is no terminal."""

    def __init__(self, console: Console) -> None:
        self._live = Progress(
            TextColumn("seeds"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._live.add_task("", total=None)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *about: object) -> None:
        self._live.stop()

    def show(self, seeds: int, total: int) -> None:
        """Show that so many ``seeds`` of so many are done."""
        self._live.update(self._task, completed=seeds, total=total)


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
