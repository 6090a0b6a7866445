"""The feedback as Markdown, for the summary of a GitHub job: a table, the mistakes in words, folded details."""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator

from grader.model import CellFailure, CheckScore, ExerciseScore, Hints, RunReport, SubmissionReport
from grader.names.enumeration import count_of
from grader.report.counting.row import Row
from grader.report.counting.tally import Tally, class_notes, tally
from grader.report.words import wording
from grader.report.words.evidence import evidence, with_leads
from grader.report.words.numbers import percent, points, points_of
from grader.report.words.text import cut, markdown, print_safe

#: GitHub refuses a summary of more than 1 MiB; what is left out has to be said as well.
LIMIT_BYTES = 1024 * 1024 - 16 * 1024


def render_markdown(run: RunReport, limit_bytes: int = LIMIT_BYTES, *, hints: Hints) -> str:
    """``run`` as GitHub-flavoured Markdown of at most ``limit_bytes``; what does not fit is counted at the end."""
    counted = tally(run)
    blocks = _class_blocks(run, counted) if len(counted.rows) > 1 else _student_blocks(run, counted, hints)
    return _within(blocks, limit_bytes)


def _within(blocks: Iterable[str], limit: int) -> str:
    kept: list[str] = []
    size = left_out = 0
    for block in blocks:
        length = len(block.encode("utf-8", "replace")) + 1
        if left_out or size + length > limit - 200:
            left_out += 1
            continue
        kept.append(block)
        size += length
    if left_out:
        kept.append(f"*{count_of(left_out, 'more section')} left out: the summary has a limit of its own.*\n")
    return "\n".join(kept).encode("utf-8", "replace").decode("utf-8")


def _student_blocks(run: RunReport, counted: Tally, hints: Hints) -> Iterator[str]:
    if not counted.rows:
        yield f"## Grading\n\n**{wording.NOTHING_GRADED}**\n"
        return
    row = counted.rows[0]
    share = percent(row.score, row.possible)
    yield f"## {points_of(row.score, row.possible)}" + ("" if share is None else f" · {share} %") + "\n"
    if note := wording.SANDBOX_NOTE.get(run.sandbox):
        yield f"{markdown(note)}\n"
    idle = row.idle
    for entry in row.counted:
        if entry not in idle:
            yield from _entry_blocks(entry, row, hints)
    if row.absent and row.score is not None:
        yield f"### Not handed in\n\n{markdown(wording.not_found(row.absent))}\n"
    if idle:
        yield f"{markdown(wording.idle(idle))}\n"
    for entry in row.spare:
        yield f"> ⚑ {markdown(cut(wording.spare(entry), wording.MOST_REASON))}\n"
    counted_from = f"{wording.COUNTED_FROM} " if row.exercises else ""
    yield f"*{counted_from}{markdown(wording.made_with(run))}*\n"


def _entry_blocks(entry: SubmissionReport, row: Row, hints: Hints) -> Iterator[str]:
    yield f"### {markdown(row.heading(entry))}\n"
    if row.unassigned(entry):
        yield f"{wording.NOT_ASSIGNED}\n"
    if entry.by_hand:
        yield f"> {wording.BY_HAND} {markdown(cut(wording.by_hand(entry), wording.MOST_REASON))}\n"
    if entry.status != "graded":
        reason = markdown(wording.sentence(cut(entry.reason, wording.MOST_REASON)))
        detail = wording.SUBMISSION_DETAIL.get(entry.status, "")
        yield f"> {' '.join(filter(None, (f'**{wording.SUBMISSION[entry.status]}.**', detail, reason)))}\n"
    if entry.exercises:
        yield _table(entry)
    for flag in entry.flags:
        yield f"> ⚑ {markdown(flag)}\n"
    for exercise in entry.exercises:
        if exercise.status not in ("passed", "not_implemented") or exercise.flags or wording.override(exercise):
            yield _exercise(exercise, hints)
    if entry.failed_cells:
        yield f"#### {wording.ENDED_BADLY}\n\n" + "\n".join(map(_failure, entry.failed_cells)) + "\n"


def _failure(cell: CellFailure) -> str:
    error = markdown(cut(cell.error, wording.MOST_ERROR))
    return f"- **{wording.cell_name(cell.cell)}** {wording.CELL_ENDED[cell.ended]}: {error}"


def _table(entry: SubmissionReport) -> str:
    lines = ["| | exercise | points | |", "|:-:|---|--:|---|"]
    for exercise in entry.exercises:
        score = "–" if exercise.status == "grader_error" else points(exercise.score)
        lines.append(
            f"| {wording.SYMBOLS[exercise.status]} | {markdown(exercise.id)} "
            f"| {score} / {points(exercise.possible)} | {wording.EXERCISE[exercise.status]} |"
        )
    return "\n".join(lines) + "\n"


def _exercise(exercise: ExerciseScore, hints: Hints) -> str:
    where = wording.place(exercise.cell, exercise.line)
    head = f"{wording.SYMBOLS[exercise.status]} {markdown(exercise.id)}" + (f" · {where}" if where else "")
    lines = [f"#### {head}\n"]
    if exercise.status in wording.EXERCISE_DETAIL:
        lines.append(wording.EXERCISE_DETAIL[exercise.status] + "\n")
    else:
        if exercise.follows_from:
            names = markdown(", ".join(exercise.follows_from))
            lines.append(f"> ↳ {wording.FOLLOWS_FROM.format(names=names)}\n")
        failed = [check for check in exercise.checks if check.status != "passed"]
        told = [_check(check, leads, hints) for check, leads in with_leads(failed)]
        if exercise.follows_from:
            told = [f"<details><summary>{wording.MEANWHILE}</summary>\n", *told, "</details>\n"]
        lines += told
    if by_hand := wording.override(exercise):
        lines.append(f"> {wording.BY_HAND} {markdown(cut(by_hand, wording.MOST_REASON))}\n")
    lines += [f"> ⚑ {markdown(flag)}\n" for flag in exercise.flags]
    if exercise.printed.strip() and exercise.status != "passed":
        lines.append(_folded(wording.PRINTED, cut(exercise.printed, wording.MOST_PRINTED)))
    return "\n".join(lines)


def _check(check: CheckScore, leads: bool, hints: Hints) -> str:
    lines = [f"**{markdown(check.name)}** {points(check.score)} / {points(check.possible)}"]
    if check.case:
        lines[0] += f" · {markdown(check.case)}"
    if leads:
        return lines[0] + "\n"
    if check.diagnosis:
        lines.append(f"<br>{_prose(cut(check.diagnosis.message, wording.MOST_MESSAGE))}")
    lines += [f"<br>{markdown(line)}" for line in evidence(check)]
    if words := wording.help_for(check.diagnosis, hints):
        lines.append(f"\n<details><summary>Hint</summary>\n\n{_prose(words)}\n\n</details>")
    return "\n".join(lines) + "\n"


def _prose(text: str) -> str:
    """One line of literal text in which what stands between two backticks is code."""
    parts = text.split("`")
    if len(parts) % 2 == 0:  # one of them has no other
        return markdown(text)
    return "".join(f"<code>{markdown(part)}</code>" if odd % 2 else markdown(part) for odd, part in enumerate(parts))


def _folded(title: str, text: str) -> str:
    """Literal text, folded: escaped HTML in ``<pre>``, where Markdown means nothing.

    The blank line lets ``<pre>`` begin a block of its own, which ends at ``</pre>``; that of ``<details>`` would end at
    the first blank line of the text (CommonMark, "HTML blocks").
    """
    escaped = html.escape(print_safe(text)).replace("@", "&#64;\u200b")
    return f"<details><summary>{title}</summary>\n\n<pre>{escaped}</pre>\n</details>\n"


def _class_blocks(run: RunReport, counted: Tally) -> Iterator[str]:
    yield f"## {count_of(len(counted.rows), 'student')} · mean {points(counted.mean)}\n"
    for note in class_notes(counted, run.sandbox):
        yield f"{markdown(note)}\n"
    if counted.absent:
        yield f"{markdown(wording.absent(counted.absent))}\n"
    if counted.not_run:
        yield f"{markdown(wording.not_run(counted.not_run))}\n"
    if counted.concerns:
        lines = [f"### {wording.HUMANS_EYE}\n", "| | student | notebook | why |", "|---|---|---|---|"]
        lines += [
            f"| {wording.SUBMISSION.get(concern.kind, concern.kind)} | {markdown(concern.student)} "
            f"| {markdown(concern.notebook)} | {markdown(cut(concern.detail, 300))} |"
            for concern in counted.concerns
        ]
        yield "\n".join(lines) + "\n"
    if counted.mistakes:
        lines = [f"### {wording.WENT_WRONG}\n", "| students | mistake | exercise | checks |", "|--:|---|---|---|"]
        lines += [
            f"| {len(mistake.students)} | {wording.code_label(mistake.code)} | {markdown(mistake.exercise)} "
            f"| {markdown(', '.join(mistake.checks))} |"
            for mistake in counted.mistakes
        ]
        yield "\n".join(lines) + "\n"
    yield _scores(counted.rows)
    yield f"*{markdown(wording.made_with(run))}*\n"


def _scores(rows: Iterable[Row]) -> str:
    lines = ["### Scores\n", "| student | score | |", "|---|--:|---|"]
    for row in rows:
        status = "" if row.status == "graded" else wording.SUBMISSION[row.status]
        lines.append(f"| {markdown(row.student)} | {points_of(row.score, row.possible)} | {status} |")
    return "\n".join(lines) + "\n"
