"""Where a run is told beyond the terminal: a step of GitHub Actions, Gradescope, Classroom 50, JUnit's readers.

The formats are those of ``grader.report``; here they reach the files that each platform reads. A result is valid
also where the grader itself failed, is written whole or not at all, and never follows a link that a student planted.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader import atomic, report
from grader.assignment import expected_of, standing_of
from grader.console import raw_line
from grader.errors import GraderError, UsageError
from grader.model import Hints, RunReport
from grader.report.numbers import points
from grader.report.row import rows_of
from grader.report.text import cut, markdown, plain, print_safe

_OUTPUT, _SUMMARY = "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"


@dataclass(frozen=True, slots=True)
class Platforms:
    """Where a run is told: in a step of GitHub Actions, and in a file for each of the others that is asked for.

    ``course`` is the one that was named, ``assigned`` its notebooks that were.
    """

    github: bool = False
    gradescope: Path | None = None
    junit: Path | None = None
    classroom50: Path | None = None
    course: str = ""
    assigned: tuple[str, ...] = ()
    hints: Hints = "nudge"

    def write(self, run: RunReport) -> None:
        """Tell all of them.

        Raises:
            UsageError: a file cannot be written.
        """
        if self.github:
            write_step_outputs(run, hints=self.hints)
        if self.gradescope is not None:
            write_gradescope(run, self.gradescope, hints=self.hints)
        if self.junit is not None:
            write_junit(run, self.junit, hints=self.hints)
        if self.classroom50 is not None:
            write_classroom50(run, self.classroom50)

    def fail(self, message: str) -> None:
        """Give all of them a valid result where the grader itself failed; never raises.

        ``message`` is what went wrong. Each exercise of the course gets an output of its own in GitHub's step, so that
        a reporter which names them finds them.
        """
        if self.github:
            _append_outputs(_failed_outputs(message, self.course, self.assigned))
            _append_summary(
                f"## Not graded\n\nThe grader failed; this does not count as zero points.\n\n{_quoted(message)}\n"
            )
        for path, write in (
            (self.gradescope, _write_gradescope_failure),
            (self.junit, _write_junit_failure),
            (self.classroom50, _write_classroom50_failure),
        ):
            if path is not None:
                try:
                    write(message, path)
                except GraderError as error:
                    _tell(str(error))


# ------------------------------------------------------------------------------------------------ GitHub


def write_step_outputs(run: RunReport, *, hints: Hints = "nudge") -> None:
    """Append the step's outputs and its summary to the files that GitHub names, and print at most ten annotations.

    Beside ``result`` and one output an exercise there are ``total_score``, ``total_possible``, ``total_percentage``
    (empty where there is no score). Where GitHub's variables are not set, which is how Classroom's own graders start
    a command, standard error says what was not written; annotations are printed for a GitHub runner alone.
    """
    whole = standing_of(run)
    outputs = {
        "total_score": _number(whole.score),
        "total_possible": _number(whole.possible),
        "total_percentage": _number(whole.percentage),
        **report.github_output(run),
    }
    _append_outputs(outputs)
    _append_summary(report.render_markdown(run, hints=hints))
    if os.environ.get("GITHUB_ACTIONS") == "true":
        for command in report.github_annotations(run):
            raw_line(command)


def _append_outputs(outputs: Mapping[str, str]) -> None:
    path = _file_named_by(_OUTPUT, f"{len(outputs)} outputs of the step")
    if path is None:
        return
    try:
        report.append_output(outputs, path)
    except OSError as error:
        _tell(f"the step's outputs were not written: {error}")


def _append_summary(text: str) -> None:
    path = _file_named_by(_SUMMARY, "the job's summary")
    if path is None:
        return
    try:
        report.append_summary(text, path)
    except OSError as error:
        _tell(f"the job's summary was not written: {error}")


def _file_named_by(variable: str, what: str) -> Path | None:
    value = os.environ.get(variable)
    if not value:
        _tell(f"{what} not written: ${variable} is not set; run `grader score` in a `run:` step of its own")
        return None
    return Path(value)


def _number(value: float | None) -> str:
    return "" if value is None else points(value)


# ------------------------------------------------------------------------ Gradescope, JUnit, Classroom 50


def write_gradescope(run: RunReport, path: Path, *, hints: Hints = "nudge") -> None:
    """Write Gradescope's ``results.json`` to ``path``; its folder is made.

    Raises:
        UsageError: it cannot be written there.
    """
    _write_json(path, report.gradescope_results(run, hints=hints))


def write_junit(run: RunReport, path: Path, *, hints: Hints = "nudge") -> None:
    """Write results as JUnit's XML to ``path``; its folder is made.

    Raises:
        UsageError: it cannot be written there.
    """
    _write(path, report.junit_xml(run, hints=hints))


def write_classroom50(run: RunReport, path: Path) -> None:
    """Write Classroom 50's ``result.json`` to ``path``; its folder is made.

    A result of no tests would count there as a pass, and the schema has no word for a fault of the grader: where
    nothing was graded, or the grader failed in anything, the result is empty and the runner is told ``status=error``.

    Raises:
        UsageError: it cannot be written there.
    """
    rows = rows_of(run)
    result = report.classroom50_result(run, os.environ)
    if any(row.status == "grader_error" for row in rows):
        _write_classroom50_failure("the grader failed; this does not count as zero points", path)
    elif not result["tests"]:
        reasons = [entry.reason for row in rows for entry in row.entries if entry.reason]
        _write_classroom50_failure(reasons[0] if reasons else "nothing to grade was found", path)
    else:
        _write_json(path, result)


def _write_classroom50_failure(message: str, path: Path) -> None:
    nothing = RunReport("", "", 0, "", "", ())
    _write_json(path, report.classroom50_result(nothing, os.environ))
    output = os.environ.get(_OUTPUT)
    if output:
        summary = print_safe(" ".join(plain(message).split()))[:140]
        with suppress(OSError):
            report.append_output({"status": "error", "summary": f"not graded: {summary}"}, Path(output))


# -------------------------------------------------------------------------------------------- failures


def _failed_outputs(message: str, course: str, notebooks: Sequence[str]) -> dict[str, str]:
    expected: dict[str, float] = {}
    with suppress(GraderError, OSError):
        if course:
            from grader.course.loading import load_course

            loaded = load_course(course)
            expected = expected_of(loaded, notebooks or loaded.notebooks)
    outputs = report.github_error_output(message, expected)
    if not notebooks:  # nobody said which of them were assigned: the total is not theirs
        outputs["result"] = report.github_error_output(message)["result"]
    return {"total_score": "", "total_possible": "", "total_percentage": "", **outputs}


def _quoted(message: str) -> str:
    return f"> {markdown(cut(message, 2000))}"


def _write_gradescope_failure(message: str, path: Path) -> None:
    _write_json(path, report.gradescope_failure(message[:2000]))


def _write_junit_failure(message: str, path: Path) -> None:
    _write(path, report.junit_failure(message[:2000]))


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    _write(path, json.dumps(content, allow_nan=False, indent=2) + "\n")


def _write(path: Path, text: str) -> None:
    try:
        atomic.write(path, text.encode())
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written: {error.strerror or error}", remedy="name a file in a folder that can be written"
        ) from error


def _tell(message: str) -> None:
    sys.stderr.write(print_safe(f"grader: {message}") + "\n")
