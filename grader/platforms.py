"""The results of a run for the platforms that ran it: GitHub Actions, Gradescope, Classroom 50, readers of JUnit's XML.

The formats are those of ``grader.report``; here they reach the files that each platform reads. A result is valid
also where the grader itself failed, is written whole or not at all, and never follows a link that a student planted.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader import atomic
from grader.assignment import expected_of, standing_of
from grader.console import raw_line
from grader.errors import GraderError, UsageError
from grader.model import Hints, RunReport
from grader.report.autograding.actions import append_output, append_summary, github_annotations
from grader.report.counting.row import rows_of
from grader.report.words import wording
from grader.report.words.numbers import points
from grader.report.words.text import cut, markdown, plain, print_safe

#: What a GitHub runner sets; who runs the grader by hand for what a runner reads may set one of them.
_OF_A_RUNNER = ("GITHUB_ACTIONS", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")
#: Characters of the grader's own trouble that are told.
_MESSAGE = 2000


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

    def write(self, run: RunReport) -> tuple[UsageError, ...]:
        """Tell all of them; the folders of their files are made. What comes back are the files that cannot be written.

        GitHub is told last, whose outputs would stay where a file's fault came behind them.
        """
        from grader.report.autograding.gradescope import gradescope_results
        from grader.report.autograding.junit import junit_xml

        unwritten = []
        files: tuple[tuple[Path | None, Callable[[Path], None]], ...] = (
            (self.gradescope, lambda path: _write_json(path, gradescope_results(run, hints=self.hints))),
            (self.junit, lambda path: _write(path, junit_xml(run, hints=self.hints))),
            (self.classroom50, lambda path: _write_classroom50(path, run)),
        )
        for path, write in files:
            try:
                if path is not None:
                    write(path)
            except UsageError as error:
                unwritten.append(error)
        if self.github:
            _write_step(run, self.hints)
        return tuple(unwritten)

    def fail(self, message: str) -> None:
        """Give all of them a valid result where the grader itself failed; never raises.

        ``message`` is what went wrong. Each exercise of the course gets an output of its own in GitHub's step, so that
        a reporter which names them finds them.
        """
        from grader.report.autograding.gradescope import gradescope_failure
        from grader.report.autograding.junit import junit_failure

        if self.github:
            _fail_step(message, self.course, self.assigned)
        if self.gradescope is not None:
            with _told():
                _write_json(self.gradescope, gradescope_failure(message[:_MESSAGE]))
        if self.junit is not None:
            with _told():
                _write(self.junit, junit_failure(message[:_MESSAGE]))
        if self.classroom50 is not None:
            with _told():
                _fail_classroom50(self.classroom50, message)


# ------------------------------------------------------------------------------------------------ GitHub


def _write_step(run: RunReport, hints: Hints) -> None:
    """Append the step's outputs and its summary to the files that GitHub names, and print at most ten annotations.

    Beside ``result`` and one output an exercise there are ``total_score``, ``total_possible``, ``total_percentage``
    (empty where there is no score). Where GitHub's variables are not set, which is how Classroom's own graders start
    a command, standard error says what was not written; annotations are printed where any of them is.
    """
    from grader.report.autograding.classroom import github_output
    from grader.report.views.markdown import render_markdown

    whole = standing_of(run)
    _append_outputs(
        {
            "total_score": _number(whole.score),
            "total_possible": _number(whole.possible),
            "total_percentage": _number(whole.percentage),
            **github_output(run),
        }
    )
    _append_summary(render_markdown(run, hints=hints))
    if any(os.environ.get(name) for name in _OF_A_RUNNER):
        for command in github_annotations(run):
            raw_line(command)


def _fail_step(message: str, course: str, notebooks: Sequence[str]) -> None:
    """Append outputs and a summary that say that nothing was graded; ``notebooks`` are those that were assigned."""
    from grader.report.autograding.classroom import github_error_output

    expected: dict[str, float] = {}
    with suppress(GraderError, OSError):
        Path.cwd()  # where that is gone, loading torch would end this process
        if course:
            from grader.course.loading import load_course

            loaded = load_course(course)
            expected = expected_of(loaded, notebooks or loaded.notebooks)
    outputs = github_error_output(message, expected)
    if not notebooks:  # nobody said which of them were assigned: the total is not theirs
        outputs["result"] = github_error_output(message)["result"]
    _append_outputs({"total_score": "", "total_possible": "", "total_percentage": "", **outputs})
    _append_summary(
        f"## Not graded\n\n{wording.sentence(wording.GRADER_FAILED)}\n\n> {markdown(cut(message, _MESSAGE))}\n"
    )


def _append_outputs(outputs: Mapping[str, str]) -> None:
    _append("GITHUB_OUTPUT", "the step's outputs", lambda path: append_output(outputs, path))


def _append_summary(text: str) -> None:
    _append("GITHUB_STEP_SUMMARY", "the job's summary", lambda path: append_summary(text, path))


def _append(variable: str, what: str, append: Callable[[Path], None]) -> None:
    """Append to the file that GitHub names in an environment variable, or say why that was not done."""
    path = os.environ.get(variable)
    if not path:
        _tell(f"{what} not written: ${variable} is not set; run `grader score` in a `run:` step of its own")
        return
    try:
        append(Path(path))
    except OSError as error:
        _tell(f"{what} not written: {error}")


def _number(value: float | None) -> str:
    return "" if value is None else points(value)


# ------------------------------------------------------------------------------------------ Classroom 50


def _write_classroom50(path: Path, run: RunReport) -> None:
    """Write Classroom 50's ``result.json``.

    A result of no tests would count there as a pass, and the schema has no word for a fault of the grader: where
    nothing was graded, or the grader failed in anything, the result is empty and the runner is told ``status=error``.
    """
    from grader.report.autograding.classroom50 import classroom50_result

    rows = rows_of(run)
    result = classroom50_result(run, os.environ)
    if any(row.status == "grader_error" for row in rows):
        _fail_classroom50(path, wording.GRADER_FAILED)
    elif not result["tests"]:
        reasons = [entry.reason for row in rows for entry in row.entries if entry.reason]
        _fail_classroom50(path, reasons[0] if reasons else "nothing to grade was found")
    else:
        _write_json(path, result)


def _fail_classroom50(path: Path, message: str) -> None:
    from grader.report.autograding.classroom50 import classroom50_result

    nothing = RunReport("", "", 0, "", "", ())
    _write_json(path, classroom50_result(nothing, os.environ))
    output = os.environ.get("GITHUB_OUTPUT")
    if output:
        summary = print_safe(" ".join(plain(message).split()))[:140]
        with suppress(OSError):
            append_output({"status": "error", "summary": f"not graded: {summary}"}, Path(output))


# ------------------------------------------------------------------------------------------------- files


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    _write(path, json.dumps(content, allow_nan=False, indent=2) + "\n")


def _write(path: Path, text: str) -> None:
    try:
        atomic.write(path, text.encode())
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written: {error.strerror or error}", remedy="name a file in a folder that can be written"
        ) from error


@contextmanager
def _told() -> Iterator[None]:
    """Tell on standard error that a file cannot be written, and go on: the other platforms wait for theirs."""
    try:
        yield
    except UsageError as error:
        _tell(str(error))


def _tell(message: str) -> None:
    sys.stderr.write(print_safe(f"grader: {message}") + "\n")
