"""What a job tells GitHub Actions: step outputs, the summary, annotations.

The formats are those of the runner's file commands and workflow commands. Only what this module builds may start with
``::``; everything that a student wrote goes through ``text`` first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from grader.model import CheckScore, ExerciseScore, RunReport, SubmissionReport
from grader.report.counting.row import rows_of
from grader.report.words import wording
from grader.report.words.evidence import message_of
from grader.report.words.text import command_data, command_property, cut

#: A step shows ten annotations of each kind and drops the rest without a word.
ANNOTATIONS = 10
_MESSAGE = 1000
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


def github_annotations(run: RunReport) -> list[str]:
    """At most ten workflow commands, one a mistake, each naming exercise, check, cell and line; the rest are counted.

    A stub that nobody touched is no mistake, and what was not assigned counts for nothing: neither has any.

    ``file`` is the notebook. There is no ``line``: that of a stub counts within its cell, not in the notebook's JSON.
    """
    reports = [report for row in rows_of(run) for report in row.counted if not row.unassigned(report)]
    made = [command for report in reports for command in _annotations_of(report)]
    if len(made) <= ANNOTATIONS:
        return made
    rest = len(made) - ANNOTATIONS + 1
    return [*made[: ANNOTATIONS - 1], f"::error title=More::{rest} more in the summary of this job"]


def append_output(outputs: Mapping[str, str], path: Path) -> None:
    """Append step outputs to the file that ``$GITHUB_OUTPUT`` names, a ``name=value`` line each.

    Raises:
        ValueError: a name is no identifier, or a value has a line break (it could forge another output).
        OSError: the file cannot be written.
    """
    for name, value in outputs.items():
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} cannot be the name of a step output")
        if len(value.splitlines()) > 1:
            raise ValueError(f"the value of the step output {name!r} has a line break")
    with path.open("a", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{name}={value}\n" for name, value in outputs.items())


def append_summary(markdown: str, path: Path) -> None:
    """Append Markdown to the file that ``$GITHUB_STEP_SUMMARY`` names.

    Raises:
        OSError: the file cannot be written.
    """
    with path.open("a", encoding="utf-8", newline="\n") as file:
        file.write(markdown)


def _annotations_of(report: SubmissionReport) -> Iterator[str]:
    if report.status != "graded":
        yield _command(report.path, wording.SUBMISSION[report.status], wording.reason(report))
    for exercise in report.exercises:
        if exercise.status == "not_implemented":
            continue
        if exercise.status in wording.EXERCISE_DETAIL:
            yield _command(report.path, _title(exercise, None), wording.EXERCISE_DETAIL[exercise.status])
            continue
        if exercise.follows_from:
            names = ", ".join(exercise.follows_from)
            yield _command(report.path, _title(exercise, None), wording.FOLLOWS_FROM.format(names=names))
            continue
        for check in exercise.checks:
            if check.status != "passed":
                yield _command(report.path, _title(exercise, check), message_of(check))


def _title(exercise: ExerciseScore, check: CheckScore | None) -> str:
    where = wording.place(exercise.cell, exercise.line)
    name = exercise.id if check is None else f"{exercise.id} · {check.name}"
    return f"{name} ({where})" if where else name


def _command(path: str, title: str, message: str) -> str:
    properties = f"file={command_property(path)},title={command_property(title)}"
    return f"::error {properties}::{command_data(cut(message, _MESSAGE))}"
