"""How a command ends: its exit status, its errors in words, and the platforms that are told."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import typer
from rich.console import Console

from grader.cli.options import Hints
from grader.errors import GraderError, UsageError

if TYPE_CHECKING:
    from grader.model import RunReport

#: The exit statuses.
GRADED, BELOW, USAGE, UNGRADED = 0, 1, 2, 3
#: The statuses of a submission about which nothing can be said.
UNGRADED_STATUSES = frozenset({"unreadable", "no_exercises", "grader_error"})


def exit_status(run: RunReport, fail_under: float | None, expected: Mapping[str, float]) -> int:
    """The exit status of a run; ``expected`` are the exercises that were assigned, with their points."""
    from grader.report.tally import rows_of

    if any(one.status in UNGRADED_STATUSES for row in rows_of(run.submissions) for one in row.counted):
        return UNGRADED
    if fail_under is None:
        return GRADED
    earned = [(one.score, one.possible) for one in run.submissions]
    if expected:
        from grader.platforms import standings

        earned += [(one.score, one.possible) for one in standings(run, expected)]
    below = any(score is not None and 100 * score < fail_under * possible for score, possible in earned)
    return BELOW if below else GRADED


@dataclass(frozen=True, slots=True)
class Platforms:
    """Where a run is told beside the terminal, and what was assigned."""

    github: bool = False
    gradescope: Path | None = None
    classroom50: Path | None = None
    course: str = ""
    assigned: tuple[str, ...] = ()
    hints: Hints = Hints.NUDGE

    def write(self, run: RunReport) -> Mapping[str, float]:
        """Tell all of them; returns the exercises that were assigned, with their points."""
        if not (self.github or self.gradescope or self.classroom50 or self.assigned):
            return {}
        from grader.platforms import expected_of, write_classroom50, write_gradescope, write_step_outputs

        expected = expected_of(self.course, self.assigned)
        if self.github:
            write_step_outputs(run, expected, hints=self.hints.value)
        if self.gradescope is not None:
            write_gradescope(run, self.gradescope, hints=self.hints.value)
        if self.classroom50 is not None:
            write_classroom50(run, self.classroom50, expected)
        return expected

    def fail(self, message: str) -> None:
        """Give all of them a valid result that says what went wrong."""
        if self.github or self.gradescope or self.classroom50:
            from grader.platforms import write_failure

            write_failure(
                message,
                github=self.github,
                gradescope=self.gradescope,
                classroom50=self.classroom50,
                course=self.course,
                notebooks=self.assigned,
            )


@contextmanager
def told(platforms: Platforms | None = None, *, exit_zero: bool = False, resumes: str = "") -> Iterator[None]:
    """Print a ``GraderError`` with its remedy and end with status 2, telling the platforms too.

    They are told of any other fault as well, for they read a result in every case; it is then raised on. ``resumes``
    says how to go on after an interruption.
    """
    try:
        with _places_refused():
            yield
    except (typer.Exit, typer.Abort):
        raise
    except GraderError as error:
        if platforms is not None:
            platforms.fail(str(error))
        _refuse(error, GRADED if exit_zero else USAGE)
    except KeyboardInterrupt:
        Console(stderr=True).print(f"\ninterrupted{resumes and f'; {resumes}'}", markup=False)
        raise typer.Exit(130) from None
    except Exception as error:
        if platforms is not None:
            platforms.fail(f"{type(error).__name__}: {error}")
        if not exit_zero:
            raise
        traceback.print_exc()
        raise typer.Exit(GRADED) from None


@contextmanager
def _places_refused() -> Iterator[None]:
    """Turn what the system refuses to do with a file into a ``UsageError`` that names it."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            raise
        reason = error.strerror or type(error).__name__
        raise UsageError(f"{error.filename}: {reason}", remedy="name a place that can be read and written") from error


def _refuse(error: GraderError, status: int) -> NoReturn:
    console = Console(stderr=True)
    console.print("[bold red]error:[/bold red] ", end="")
    console.print(str(error), markup=False, highlight=False)
    if error.remedy:
        console.print(f"  {error.remedy}", markup=False, highlight=False)
    raise typer.Exit(status)


@contextmanager
def logging_to(out: Path) -> Iterator[None]:
    """The grader's own faults, with their tracebacks, go to ``grader.log`` in the folder of the grades."""
    out.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(out / "grader.log", encoding="utf-8", delay=True)
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(message)s"))
    logger = logging.getLogger("grader")
    logger.addHandler(handler)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        handler.close()
