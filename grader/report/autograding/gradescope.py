"""Gradescope's ``results.json`` (gradescope-autograders.readthedocs.io, "Autograder Specifications")."""

from __future__ import annotations

from typing import Any

from grader.model import ExerciseScore, Hints, RunReport, total
from grader.report.autograding.plain_feedback import feedback
from grader.report.counting.row import Row, rows_of
from grader.report.words import wording
from grader.report.words.numbers import points_of, rounded
from grader.report.words.text import one_line, plain

#: To whom what is shown, and how.
_SHOWN = {"output_format": "text", "visibility": "visible", "stdout_visibility": "hidden"}


def gradescope_results(run: RunReport, *, hints: Hints) -> dict[str, Any]:
    """``run`` as the object of ``results.json``: a test an exercise, with the feedback as plain text.

    Where the grader failed there is no score, so that Gradescope shows a failed autograder and not a zero. It has no
    such state for what cannot be read: a student without a total scores 0, with the reason, until they upload again.
    What the autograder prints is for instructors only.
    """
    rows = rows_of(run)
    tests = [
        _test(exercise, row, f"{row.student}: " if len(rows) > 1 else "", hints)
        for row in rows
        for exercise in row.results
    ]
    results: dict[str, Any] = {
        "output": "\n".join(filter(None, (_overview(rows), wording.SANDBOX_NOTE.get(run.sandbox)))),
        **_SHOWN,
        "execution_time": rounded(total(report.seconds for report in run.submissions), 2),
        "tests": tests,
        "extra_data": {"course": run.course, "grader_version": run.grader_version, "sandbox": run.sandbox},
    }
    score = _score(rows)
    return results if score is None else {"score": score, **results}


def gradescope_failure(message: str) -> dict[str, Any]:
    """``results.json`` where the grader itself failed, without a score; ``message`` says what went wrong."""
    output = f"{wording.sentence(wording.GRADER_FAILED)} Tell your instructor.\n{plain(message)}"
    return {"output": output, **_SHOWN, "tests": []}


def _score(rows: tuple[Row, ...]) -> float | None:
    if any(row.status == "grader_error" for row in rows):
        return None
    return total(row.score or 0.0 for row in rows)


def _overview(rows: tuple[Row, ...]) -> str:
    if not rows:
        return wording.NOTHING_GRADED
    lines = []
    for row in rows:
        if len(rows) > 1:
            lines.append(f"{one_line(row.student)}:")
        lines += _of_entries(row)
        lines += [one_line(wording.idle(row.idle))] if row.idle else []
        lines += [one_line(wording.spare(entry), wording.MOST_REASON) for entry in row.spare]
        if row.absent and row.score is not None:  # else what each notebook earned would seem to be all
            lines.append(f"{wording.OF_ASSIGNED}: {points_of(row.score, row.possible)}")
    if any(row.exercises for row in rows):
        lines.append(wording.COUNTED_FROM)
    return "\n".join(line.rstrip() for line in lines)


def _of_entries(row: Row) -> list[str]:
    lines, idle = [], row.idle
    for report in row.counted:
        if report in idle:
            continue
        name = one_line(report.notebook or report.path)
        lines.append(f"{name}: {points_of(report.score, report.possible)}")
        if row.unassigned(report):
            lines.append(f"  {wording.NOT_ASSIGNED}")
        if report.status != "graded":
            lines.append(
                f"  {wording.SUBMISSION[report.status]}: {one_line(report.reason, wording.MOST_REASON)}".rstrip(": ")
            )
        for failure in report.failed_cells:
            ended = f"{wording.cell_name(failure.cell)} {wording.CELL_ENDED[failure.ended]}"
            lines.append(f"  {ended}: {one_line(failure.error, wording.MOST_ERROR)}")
    return lines


def _test(exercise: ExerciseScore, row: Row, prefix: str, hints: Hints) -> dict[str, Any]:
    test: dict[str, Any] = {
        "name": one_line(f"{prefix}{exercise.id}", 200),
        "max_score": rounded(exercise.possible),
        "status": "passed" if exercise.status == "passed" else "failed",
        "output": feedback(exercise, row, hints),
        "output_format": "text",
    }
    return test if exercise.status == "grader_error" else {"score": rounded(exercise.score), **test}
