"""The class and a single submission on a terminal, drawn with rich; plain text where there is no terminal.

Everything that a student wrote goes through ``text.terminal`` (no escape sequence, no workflow command) into a
``Text``, which knows no markup.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich import box
from rich.cells import cell_len
from rich.columns import Columns
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from grader.model import CheckScore, ExerciseScore, Hints, RunReport, SubmissionReport, total
from grader.names.enumeration import count_of
from grader.report.counting.concerns import Concern
from grader.report.counting.row import Row, rows_of
from grader.report.counting.tally import Column, Tally, class_notes, tally
from grader.report.words import wording
from grader.report.words.evidence import evidence, with_leads
from grader.report.words.numbers import percent, points, points_of
from grader.report.words.text import print_safe, terminal

_STYLES = {
    "passed": "green",
    "partial": "yellow",
    "failed": "red",
    "not_implemented": "dim",
    "missing": "dim",
    "grader_error": "bold magenta",
}
_FEW_STUDENTS = 3
_NAME_WIDTH = 28
_PRINTED_LINES = 12
#: Widths in the class table: between columns, of its edges, and of the last column.
_GAP, _EDGES, _SHARE = 3, 2, 4


def render_run(run: RunReport, hints: Hints) -> RenderableType:
    """The class; or the only submission, with what was assigned and is not in it, and the sandbox if it was weak."""
    if len(run.submissions) != 1 or run.absent:
        return render_class(run)
    parts = [render_submission(run.submissions[0], hints)]
    for row in rows_of(run):
        if row.absent and row.score is not None:
            parts.append(Text(terminal(wording.not_found(row.absent))))
            parts.append(Text.assemble(f"{wording.OF_ASSIGNED}: ", _sum(row.score, row.possible)))
    if note := wording.SANDBOX_NOTE.get(run.sandbox):
        parts.append(Text(note, "yellow"))
    return Group(*parts)


def render_class(run: RunReport) -> RenderableType:
    """The class as a table, the mean, and what needs a human's eye; fitted to the console's width when drawn."""
    return _ClassView(tally(run), run.sandbox)


def render_submission(report: SubmissionReport, hints: Hints) -> RenderableType:
    """One submission: per exercise what passed and what did not, the mistake in words, shapes and the worst element.

    With ``hints="none"`` the hint of a diagnosis is left out.
    """
    parts: list[RenderableType] = [_submission_title(report)]
    if report.by_hand:
        parts.append(Padding.indent(Text(terminal(wording.by_hand(report)), "cyan"), 2))
    if report.status != "graded":
        parts.append(Padding.indent(Text(terminal(wording.reason(report)), "magenta"), 2))
    parts += [_exercise(exercise, hints) for exercise in report.exercises]
    for failure in report.failed_cells:
        told = f"{wording.cell_name(failure.cell)} {wording.CELL_ENDED[failure.ended]}: {terminal(failure.error)}"
        parts.append(Text.assemble(("! ", "yellow"), (told, "yellow")))
    parts += [Text.assemble(("⚑ ", "yellow"), terminal(flag)) for flag in report.flags]
    if report.exercises:
        parts.append(Text(wording.COUNTED_FROM, "dim"))
    return Group(*parts)


def exercises_text(exercises: Sequence[ExerciseScore], hints: Hints) -> RenderableType:
    """What ``check()`` prints: the exercises as in ``render_submission`` without its title; of several, their sum."""
    shown: list[RenderableType] = [_exercise(exercise, hints) for exercise in exercises]
    if len(shown) > 1:
        shown.insert(0, _sum(total(one.score for one in exercises), total(one.possible for one in exercises)))
    return Group(*shown)


# ------------------------------------------------------------------------------------------------- the class


@dataclass(frozen=True)
class _ClassView:
    """The class, drawn as wide as the console is: exercise names in the header where they fit, else numbers."""

    counted: Tally
    sandbox: str

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        counted, width = self.counted, options.max_width
        if not counted.rows:
            yield Text(wording.NOTHING_GRADED)
            return
        names = [terminal(column.id) for column in counted.columns]
        if _room(counted, width) >= sum(_widths(counted, names)):
            yield _class_table(counted, counted.columns, names, width)
        elif len(counted.rows) <= _FEW_STUDENTS:
            yield _transposed(counted)
        else:
            yield from _folded(counted, width)
        yield _summary(counted)
        for note in class_notes(counted, self.sandbox):
            yield Text(terminal(note), "yellow")
        if counted.absent:
            yield Text(terminal(wording.absent(counted.absent)), "yellow")
        if counted.not_run:
            yield Text(terminal(wording.not_run(counted.not_run)), "dim")
        if counted.concerns:
            yield _concerns(counted.concerns)


def _name_width(counted: Tally, width: int) -> int:
    """The widest name, of which a narrow ``width`` gives a third."""
    widest = max(cell_len("student"), *(cell_len(terminal(row.student)) for row in counted.rows))
    return min(_NAME_WIDTH, width // 3, widest)


def _room(counted: Tally, width: int) -> int:
    """What of ``width`` is left for exercises beside names and totals."""
    total = max(len("total"), *(len(points(score)) for score in (*counted.scores, counted.mean)))
    return width - _EDGES - _name_width(counted, width) - _GAP - total - _GAP - _SHARE


def _widths(counted: Tally, headers: Sequence[str]) -> list[int]:
    """The width of each exercise's column with the gap before it: of header, scores (``"✓ 12.5"``) and mean."""
    widths = []
    for column, header in zip(counted.columns, headers, strict=True):
        cells = (_cell(row.exercises.get(column.id)).cell_len for row in counted.rows)
        widths.append(_GAP + max(cell_len(header), len(_mean(column)), *cells))
    return widths


def _mean(column: Column) -> str:
    mean = percent(column.mean, 1)
    return "–" if mean is None else f"{mean}%"


def _folded(counted: Tally, width: int) -> Iterator[RenderableType]:
    """Tables side by side in words: as many numbered columns as fit, then the rest; the names follow as a key."""
    headers = [str(position) for position in range(1, len(counted.columns) + 1)]
    size = max(1, _room(counted, width) // max(_widths(counted, headers)))
    for start in range(0, len(headers), size):
        block = slice(start, start + size)
        yield _class_table(counted, counted.columns[block], headers[block], width)
    names = [
        Text.assemble((f"{position:>2} ", "bold"), terminal(column.id))
        for position, column in enumerate(counted.columns, 1)
    ]
    yield Padding(Columns(names, padding=(0, 3)), (0, 0, 1, 1))


def _class_table(counted: Tally, columns: Sequence[Column], headers: Sequence[str], width: int) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), show_footer=True)
    name_width = _name_width(counted, width)
    table.add_column("student", Text("mean"), no_wrap=True, overflow="ellipsis", max_width=name_width)
    for column, header in zip(columns, headers, strict=True):
        table.add_column(Text(header), Text(_mean(column), "dim"), justify="right", no_wrap=True)
    table.add_column("total", Text(points(counted.mean)), justify="right", no_wrap=True)
    table.add_column("", no_wrap=True, justify="right")
    for row in counted.rows:
        cells = [_cell(row.exercises.get(column.id)) for column in columns]
        table.add_row(Text(terminal(row.student)), *cells, *_total_cells(row))
    return table


def _transposed(counted: Tally) -> Table:
    """A row an exercise, a column a student: for few students and more exercises than fit side by side."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), show_footer=True)
    table.add_column("exercise", Text("total"), overflow="fold")
    for row in counted.rows:
        of = points_of(row.score, row.possible)
        table.add_column(Text(terminal(row.student)), Text(of), justify="right", max_width=_NAME_WIDTH)
    for column in counted.columns:
        cells = [_cell(row.exercises.get(column.id), full=True) for row in counted.rows]
        table.add_row(Text(terminal(column.id)), *cells)
    return table


def _cell(exercise: ExerciseScore | None, *, full: bool = False) -> Text:
    if exercise is None:
        return Text("")
    symbol = wording.SYMBOLS[exercise.status]
    score = "" if exercise.status in ("missing", "grader_error") else points(exercise.score)
    of = f" / {points(exercise.possible)}" if full and score else ""
    return Text(f"{symbol} {score}{of}".rstrip(), _STYLES[exercise.status])


def _total_cells(row: Row) -> tuple[Text, Text]:
    share = percent(row.score, row.possible)
    if row.score is None:
        return Text("–", "bold magenta"), Text(wording.SYMBOLS["grader_error"], "bold magenta")
    return Text(points(row.score), "bold"), Text("" if share is None else f"{share}%", "dim")


def _summary(counted: Tally) -> Text:
    parts = [count_of(len(counted.rows), "student")]
    if counted.mean is not None:
        share = percent(sum(counted.shares), len(counted.shares))
        parts.append(f"mean {points(counted.mean)}" + ("" if share is None else f" ({share}%)"))
    without = len(counted.rows) - len(counted.scores)
    if without:
        parts.append(f"{without} without a score")
    return Text(" · ".join(parts), "bold")


def _concerns(concerns: Sequence[Concern]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False, title=wording.HUMANS_EYE)
    table.title_justify = "left"
    table.title_style = "bold yellow"
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    for concern in concerns:
        kind = wording.SUBMISSION.get(concern.kind, concern.kind)
        who = f"{terminal(concern.student)} {terminal(concern.notebook)}".rstrip()
        table.add_row(Text(kind, "yellow"), Text(who), Text(terminal(concern.detail)))
    return table


# -------------------------------------------------------------------------------------------- a submission


def _submission_title(report: SubmissionReport) -> Text:
    title = Text.assemble((terminal(report.student), "bold"), " · ", terminal(report.notebook), "  ")
    title.append(_sum(report.score, report.possible))
    if report.status != "graded":
        title.append(f"  {wording.SUBMISSION[report.status]}", "bold magenta")
    return title


def _sum(score: float | None, possible: float) -> Text:
    """Points of points, and their share in per cent."""
    share = percent(score, possible)
    return Text.assemble((points_of(score, possible), "bold"), ("" if share is None else f"  {share}%", "dim"))


def _exercise(exercise: ExerciseScore, hints: Hints) -> Group:
    style = _STYLES[exercise.status]
    where = wording.place(exercise.cell, exercise.line)
    head = Text.assemble(
        (f"{wording.SYMBOLS[exercise.status]} ", style),
        (terminal(exercise.id), "bold"),
        f"  {'–' if exercise.status == 'grader_error' else points(exercise.score)} / {points(exercise.possible)}  ",
        (wording.EXERCISE[exercise.status], style),
        (f"  {where}" if where else "", "dim"),
    )
    parts: list[RenderableType] = [head]
    if exercise.follows_from:
        names = ", ".join(terminal(name) for name in exercise.follows_from)
        parts.append(Padding.indent(Text(f"↳ {wording.FOLLOWS_FROM.format(names=names)}", "yellow"), 2))
    detail = wording.EXERCISE_DETAIL.get(exercise.status)
    if detail:
        parts.append(Padding.indent(Text(detail, "dim"), 2))
    else:
        parts += [line for check, leads in with_leads(exercise.checks) for line in _check(check, leads, hints)]
    if by_hand := wording.override(exercise):
        parts.append(Padding.indent(Text(f"{wording.BY_HAND} {terminal(by_hand)}", "cyan"), 2))
    parts += [Padding.indent(Text(f"⚑ {terminal(flag)}", "yellow"), 2) for flag in exercise.flags]
    if exercise.printed.strip() and exercise.status != "passed":
        parts.append(_printed(exercise.printed))
    return Group(*parts)


def _check(check: CheckScore, leads: bool, hints: Hints) -> Iterator[RenderableType]:
    style = _STYLES[check.status]
    yield Padding.indent(
        Text.assemble(
            (f"{wording.SYMBOLS[check.status]} ", style),
            terminal(check.name),
            (f"  {points(check.score)} / {points(check.possible)}", "dim"),
            (f"  {terminal(check.case)}" if check.case and check.status != "passed" else "", "dim"),
        ),
        2,
    )
    if check.status == "passed" or leads:
        return
    if check.diagnosis:
        yield Padding.indent(Text(terminal(check.diagnosis.message)), 4)
    for line in evidence(check):
        yield Padding.indent(Text(line, "dim"), 4)
    if words := wording.help_for(check.diagnosis, hints):
        yield Padding.indent(Text.assemble(("hint: ", "cyan"), (terminal(words), "cyan")), 4)


def _printed(text: str) -> RenderableType:
    lines = print_safe(text).strip("\n").split("\n")
    shown = lines[:_PRINTED_LINES]
    if len(lines) > _PRINTED_LINES:
        shown.append(f"… {len(lines) - _PRINTED_LINES} more lines")
    return Padding.indent(Text("\n".join(f"│ {line}" for line in shown), "dim"), 4)
