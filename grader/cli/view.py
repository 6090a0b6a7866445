"""What a run shows while it goes on: who handed in what, and how far it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

from rich.console import Console

from grader.cli.output import note
from grader.names.enumeration import count_of

if TYPE_CHECKING:
    from grader.batch import Observer
    from grader.cli.progress import ScoreProgress
    from grader.model import RunReport, SubmissionReport
    from grader.submission.entry import Collection

#: How many submissions are listed before grading; `--who` lists all.
_LISTED = 40


class ProgressView:
    """Prints who is graded, then how far it is."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._progress: ScoreProgress | None = None
        self._shown = ExitStack()

    def observer(self, reported: Callable[[RunReport], None]) -> Observer:
        """The callbacks for a run, with what is done of its report."""
        from grader.batch import Observer

        return Observer(
            collected=self._collected,
            started=self._started,
            finished=self._finished,
            meanwhile=_prepare_reports,
            ended=self._shown.close,
            remarked=note,
            reported=reported,
        )

    def _collected(self, collection: Collection) -> None:
        print_entries(self.console, collection, _LISTED)

    def _started(self, total: int) -> None:
        from grader.cli.progress import ScoreProgress

        self._progress = self._shown.enter_context(ScoreProgress(total, self.console))

    def _finished(self, report: SubmissionReport, taken_over: bool) -> None:
        if self._progress is not None:
            self._progress.advance(report, taken_over)


def _prepare_reports() -> Iterator[None]:
    """Import and compile what the reports are made with, while the kernels come up."""
    from grader.report.files import write_reports  # noqa: F401 - with jinja2, which no kernel has had to wait for
    from grader.report.views import pages

    yield
    yield from pages.prepare()


def entries_csv(collection: Collection) -> str:
    """Who handed in what as CSV, nothing cut: the names that a roster needs, and the platform's number beside each."""
    from grader.report.views.spreadsheet import csv_text

    records = [(one.student, one.number, one.notebook, one.shown_path, one.refused or "") for one in collection]
    return csv_text([("student", "number", "notebook", "path", "refused"), *records])


def print_entries(console: Console, collection: Collection, most: int) -> None:
    """List who handed in what, ``most`` of them at the most."""
    from rich.table import Table
    from rich.text import Text

    from grader.report.words.text import plain

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
