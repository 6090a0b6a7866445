"""What a student is told of an exercise, as plain text for platforms that show no other."""

from __future__ import annotations

from grader.model import CheckScore, ExerciseScore, Hints
from grader.report.counting.row import Row
from grader.report.words import wording
from grader.report.words.evidence import evidence, with_leads
from grader.report.words.numbers import points
from grader.report.words.text import cut, one_line, plain


def feedback(exercise: ExerciseScore, row: Row, hints: Hints) -> str:
    """What came out of a student's exercise and why, with what the code printed; lines of plain text."""
    if exercise.id in row.absent:
        return wording.NOT_HANDED_IN
    where = wording.place(exercise.cell, exercise.line)
    lines = [f"{wording.EXERCISE[exercise.status]}" + (f" ({where})" if where else "")]
    if exercise.follows_from:
        lines.append(wording.FOLLOWS_FROM.format(names=one_line(", ".join(exercise.follows_from))))
    if exercise.status in wording.EXERCISE_DETAIL:
        lines.append(wording.EXERCISE_DETAIL[exercise.status])
    else:
        lines += [line for check, leads in with_leads(exercise.checks) for line in _check(check, leads, hints)]
    if by_hand := wording.override(exercise):
        lines.append(one_line(by_hand, wording.MOST_REASON))
    if exercise.printed.strip() and exercise.status != "passed":
        lines += ["", f"{wording.PRINTED}:", plain(cut(exercise.printed, wording.MOST_PRINTED))]
    return "\n".join(lines)


def _check(check: CheckScore, leads: bool, hints: Hints) -> list[str]:
    case = f"  {one_line(check.case)}" if check.case and check.status != "passed" else ""
    score = f"{points(check.score)} / {points(check.possible)}"
    lines = [f"{wording.SYMBOLS[check.status]} {one_line(check.name)}  {score}{case}"]
    if check.status == "passed" or leads:
        return lines
    if check.diagnosis:
        lines.append(f"    {one_line(check.diagnosis.message, wording.MOST_MESSAGE)}")
    lines += [f"    {line}" for line in evidence(check)]
    if words := wording.help_for(check.diagnosis, hints):
        lines.append(f"    Hint: {one_line(words)}")
    return lines
