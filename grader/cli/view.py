"""What a run shows while it goes on: who handed in what, and how far it is."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console

from grader.enumeration import count_of
from grader.errors import UsageError

if TYPE_CHECKING:
    from grader.batch import Observer
    from grader.model import SubmissionReport
    from grader.report import ScoreProgress
    from grader.submission import Collection

#: How many submissions are listed before grading; `--who` lists all.
_LISTED = 40


class StandardOutput(Console):
    """Prints plain text and tables to whoever reads standard output, and to nowhere when they leave (``| head``).

    A run ``goes_on`` for its files also where what it prints finds no room; any other command has nothing to show then.
    """

    def __init__(self, *, goes_on: bool = False) -> None:
        width = None if sys.stdout.isatty() else _plain_width()
        super().__init__(markup=False, highlight=False, emoji=False, width=width)
        self._goes_on = goes_on

    def print(self, *objects: Any, **how: Any) -> None:
        """As ``Console.print``. Raises ``UsageError`` when it cannot be written and the command does not go on."""
        try:
            super().print(*objects, **how)
        except OSError as error:
            trouble = _unwritable(error)
            if not self._goes_on:
                raise trouble from error
            note(f"{trouble}; the run goes on, and writes its reports")

    def on_broken_pipe(self) -> None:
        """Let what is still printed lead nowhere."""
        _discard_standard_output()


def write_out(text: str) -> None:
    """Write ``text`` to standard output, to the letter. Raises ``UsageError`` when it finds no room."""
    try:
        typer.echo(text, nl=False)
    except BrokenPipeError:
        _discard_standard_output()
    except OSError as error:
        raise _unwritable(error) from error


def _unwritable(error: OSError) -> UsageError:
    """What to tell of it; what is still printed leads nowhere, or Python would tell it again at its end."""
    _discard_standard_output()
    return UsageError(
        f"standard output cannot be written: {error.strerror}", remedy="let it lead to where there is room"
    )


def _discard_standard_output() -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _plain_width() -> int:
    """A pipe has no width; a CI log is read on wide screens."""
    columns = os.environ.get("COLUMNS", "")
    return int(columns) if columns.isdecimal() and int(columns) > 0 else 120


def note(remark: str) -> None:
    """Tell on standard error what the operator should know, so that standard output stays what was asked for."""
    from grader.report import print_safe

    typer.echo(print_safe(f"note: {remark}"), err=True)


class ProgressView:
    """Prints who is graded, then how far it is."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._progress: ScoreProgress | None = None
        self._shown = ExitStack()

    def observer(self) -> Observer:
        """The calls that a run makes."""
        from grader.batch import Observer

        return Observer(
            collected=self._collected,
            started=self._started,
            finished=self._finished,
            meanwhile=_prepare_reports,
            ended=self._shown.close,
            remarked=note,
        )

    def _collected(self, collection: Collection) -> None:
        print_entries(self.console, collection, _LISTED)

    def _started(self, total: int) -> None:
        from grader.report import ScoreProgress

        self._progress = self._shown.enter_context(ScoreProgress(total, self.console))

    def _finished(self, report: SubmissionReport, taken_over: bool) -> None:
        if self._progress is not None:
            self._progress.advance(report, taken_over)


def _prepare_reports() -> Iterator[None]:
    """What the reports need before anything is known to report."""
    from grader.report import pages, write_reports  # noqa: F401 - with jinja2, which no kernel has had to wait for

    yield
    yield from pages.prepare()


def entries_csv(collection: Collection) -> str:
    """Who handed in what as CSV, nothing cut: the names that a roster needs, and the platform's number beside each."""
    from grader.report.sheet import csv_text

    records = [(one.student, one.number, one.notebook, one.shown_path, one.refused or "") for one in collection]
    return csv_text([("student", "number", "notebook", "path", "refused"), *records])


def print_entries(console: Console, collection: Collection, most: int) -> None:
    """List who handed in what, ``most`` of them at the most."""
    from rich.table import Table
    from rich.text import Text

    from grader.report import plain

    students = count_of(len({entry.student for entry in collection}), "student")
    title = f"{count_of(len(collection), 'submission')} by {students}"
    table = Table(title=title, title_justify="left", box=None)
    for heading in ("student", "notebook", "from"):
        table.add_column(heading)
    for entry in collection.entries[:most]:
        cells = [Text(plain(text)) for text in (entry.student, entry.notebook or "—", entry.shown_path)]
        if entry.refused is not None:
            cells[-1].append(f"  {plain(entry.refused)}", "yellow")
        table.add_row(*cells)
    console.print(table)
    if len(collection) > most:
        console.print(f"… and {len(collection) - most} more; `grader score --who` lists all")
