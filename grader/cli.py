"""The commands: parse, call, print; nothing else.

Whatever needs torch, nbclient or jinja2 is imported inside the command that uses it, so that ``--help`` is quick.
"""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.console import Console

from grader._version import __version__
from grader.console import guard_streams
from grader.errors import GraderError, UsageError
from grader.model import Limits

if TYPE_CHECKING:
    from grader.batch import Observer, ScoreOptions
    from grader.model import RunReport, SubmissionReport
    from grader.submission import Collection

GRADED, BELOW, USAGE, UNGRADED = 0, 1, 2, 3
_UNGRADED_STATUSES = frozenset({"unreadable", "no_exercises", "grader_error"})
_LISTED = 40

app = typer.Typer(
    name="grader",
    help="Grade backpropagation notebooks: run them, compare the gradients with autograd, name the mistakes.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class Sandbox(StrEnum):
    """What confines student code."""

    BWRAP = "bwrap"
    LANDLOCK = "landlock"
    NONE = "none"


class Hints(StrEnum):
    """How much a report helps."""

    NONE = "none"
    NUDGE = "nudge"
    FULL = "full"


class Platform(StrEnum):
    """Where grades can be taken."""

    CANVAS = "canvas"
    MOODLE = "moodle"
    GRADESCOPE = "gradescope"
    CSV = "csv"


CourseOption = Annotated[
    str, typer.Option("--course", help="An installed course's name, a .py file or a package.", show_default=True)
]
OutOption = Annotated[Path, typer.Option("--out", "-o", help="Where the gradebook and the reports go.")]
HintsOption = Annotated[Hints, typer.Option("--hints", help="How much the feedback helps.")]


def main() -> None:
    """Run the command line; the entry point of the ``grader`` command."""
    guard_streams(sys.argv[1:])
    app()


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"grader {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    pass


@app.command()
def score(
    paths: Annotated[
        list[Path],
        typer.Argument(help="Folders, notebooks or archives of submissions.", show_default=False),
    ],
    out: OutOption = Path("grades"),
    course: CourseOption = "autograd",
    seed: Annotated[
        int | None,
        typer.Option(
            "--seed",
            help="Fixes the data. Default: the gradebook's, else a secret one.",
            min=0,
            envvar="GRADER_SEED",
            show_envvar=True,
        ),
    ] = None,
    jobs: Annotated[int | None, typer.Option("--jobs", "-j", help="Kernels at a time. Default: cores.", min=1)] = None,
    sandbox: Annotated[
        Sandbox | None, typer.Option("--sandbox", help="Default: the best that works here, never none.")
    ] = None,
    student_pattern: Annotated[
        str | None,
        typer.Option("--student-pattern", help="Regex with a group (?P<student>…) on paths below PATH."),
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Grade again what has not changed.")] = False,
    assigned: Annotated[
        list[str] | None,
        typer.Option("--assigned", help="A notebook that counts for platforms also where it is not handed in."),
    ] = None,
    who: Annotated[bool, typer.Option("--who", help="Print who handed in what, and stop.")] = False,
    fail_under: Annotated[
        float | None,
        typer.Option("--fail-under", help="Exit 1 if a submission earns less than this percentage.", min=0, max=100),
    ] = None,
    exit_zero: Annotated[bool, typer.Option("--exit-zero", help="Exit 0 once reports are written.")] = False,
    hints: HintsOption = Hints.NUDGE,
    github: Annotated[
        bool | None,
        typer.Option("--github/--no-github", help="Write the outputs of a GitHub Actions step. Default: if in one."),
    ] = None,
    gradescope: Annotated[
        Path | None, typer.Option("--gradescope", help="Write Gradescope's results.json here.")
    ] = None,
    classroom50: Annotated[
        Path | None, typer.Option("--classroom50", help="Write Classroom 50's result.json here.")
    ] = None,
    cell_seconds: Annotated[float, typer.Option(help="A cell's time.", min=0.1)] = Limits().cell_s,
    check_seconds: Annotated[float, typer.Option(help="A check's time.", min=0.1)] = Limits().check_s,
    submission_seconds: Annotated[float, typer.Option(help="A submission's time.", min=0.1)] = Limits().submission_s,
    memory: Annotated[str, typer.Option(help="Memory for all that a submission runs.")] = "4G",
    processes: Annotated[int, typer.Option(help="Processes of a submission.", min=4)] = Limits().processes,
    open_files: Annotated[int, typer.Option(help="Open files of a process.", min=64)] = Limits().open_files,
    written: Annotated[str, typer.Option(help="Bytes that a submission may write.")] = "256M",
    printed: Annotated[str, typer.Option(help="Bytes that a cell may print.")] = "1M",
    result_size: Annotated[str, typer.Option(help="Bytes of tensors that a check may give back.")] = "64M",
) -> None:
    """Grade folders of submitted notebooks, single notebooks or archives.

    Exit status: 0 graded, 1 below --fail-under, 2 usage, 3 some submission could not be graded.
    """
    in_actions = os.environ.get("GITHUB_ACTIONS") == "true" if github is None else github
    platforms = _Platforms(in_actions, gradescope, classroom50, course, tuple(assigned or ()), hints)
    with _told(platforms, exit_zero=exit_zero):
        _refuse_absent(paths)
        from grader.batch import ScoreOptions
        from grader.kernel import choose_sandbox

        if who:
            _print_who(paths, student_pattern, course)
            raise typer.Exit
        options = ScoreOptions(
            paths=tuple(paths),
            out=out,
            course=course,
            seed=seed,
            jobs=jobs or os.cpu_count() or 1,
            sandbox=choose_sandbox(sandbox),
            student_pattern=student_pattern,
            fresh=fresh,
            limits=Limits(
                cell_s=cell_seconds,
                check_s=check_seconds,
                submission_s=submission_seconds,
                memory=size(memory),
                processes=processes,
                open_files=open_files,
                written=size(written),
                printed=size(printed),
                result=size(result_size),
            ),
        )
        run = _score(options, hints)
        expected = platforms.write(run)
    raise typer.Exit(GRADED if exit_zero else _status(run, fail_under, expected))


def _score(options: ScoreOptions, hints: Hints) -> RunReport:
    from grader.batch import score_class
    from grader.report import render_class, render_submission, write_reports

    out = options.out
    console = _console()
    with _logging_to(out):
        run = score_class(options, _Progress(console).observer())
    written = write_reports(run, out, hints=hints.value)
    console.print()
    console.print(render_class(run) if len(run.submissions) > 1 else render_submission(run.submissions[0], hints.value))
    console.print()
    for path in (path for path in written if path.parent == out):
        console.print(f"wrote {path}", markup=False, highlight=False)
    return run


@app.command()
def check(
    notebook: Annotated[Path, typer.Argument(help="Your notebook.", show_default=False)],
    course: CourseOption = "autograd",
    hints: HintsOption = Hints.NUDGE,
) -> None:
    """Check your own notebook: what passes, what does not, and what the mistake is.

    It runs with your rights and without a sandbox, on public data; your grade comes from other numbers.
    """
    with _told():
        from grader.batch import check_notebook
        from grader.report import render_submission

        report = check_notebook(notebook, course)
        _console().print(render_submission(report, hints.value))
    raise typer.Exit(UNGRADED if report.status in _UNGRADED_STATUSES else GRADED)


@app.command()
def report(
    out: Annotated[Path, typer.Argument(help="The folder of a gradebook.")] = Path("grades"),
    hints: HintsOption = Hints.NUDGE,
) -> None:
    """Write the reports again from the gradebook, without running anything."""
    with _told():
        from grader.report import render_class, write_reports

        run = _stored(out)
        written = write_reports(run, out, hints=hints.value)
        console = _console()
        console.print(render_class(run))
        console.print(f"\nwrote {len(written)} files to {out}", markup=False, highlight=False)


@app.command()
def export(
    out: Annotated[Path, typer.Argument(help="The folder of a gradebook.")] = Path("grades"),
    to: Annotated[Platform, typer.Option("--to", help="Whose import format.")] = Platform.CSV,
    file: Annotated[Path | None, typer.Option("--file", "-f", help="Default: standard output.")] = None,
    assignment: Annotated[str, typer.Option(help="The assignment's name there. Default: the course's.")] = "",
    roster: Annotated[
        Path | None,
        typer.Option(help="The platform's own list of students (CSV), with a column `student`: the grader's names."),
    ] = None,
    identifier: Annotated[str, typer.Option(help="The column by which Moodle knows a student.")] = "ID number",
) -> None:
    """Print the grades in the form that a learning platform imports."""
    with _told():
        from grader.report import export as exported
        from grader.report import read_roster

        people = None if roster is None else read_roster(roster)
        text = exported(_stored(out), to=to.value, assignment=assignment, roster=people, identifier=identifier)
        if file is None:
            sys.stdout.write(text)
        else:
            file.write_text(text, encoding="utf-8", newline="")
            _console().print(f"wrote {file}", markup=False, highlight=False)


@app.command()
def release(
    solutions: Annotated[Path, typer.Argument(help="The folder of solution notebooks.")] = Path("solutions"),
    exercises: Annotated[Path, typer.Argument(help="The folder of what students get.")] = Path("exercises"),
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 if anything would change.")] = False,
) -> None:
    """Make the students' notebooks from the solutions."""
    with _told():
        from grader.course.release import release as released

        outcome = released(solutions, exercises, check=check)
        for what in ("written", "differing", "stale", "unchanged"):
            for name in getattr(outcome, what):
                _console().print(f"{what:>9}  {exercises / name}", markup=False, highlight=False)
    raise typer.Exit(GRADED if outcome.up_to_date or not check else BELOW)


@app.command()
def validate(
    course: Annotated[str, typer.Argument(help="An installed course's name, a .py file or a package.")] = "autograd",
    solutions: Annotated[
        Path | None, typer.Option("--solutions", help="Default: solutions/ beside exercises/.")
    ] = None,
    seeds: Annotated[int | None, typer.Option("--seeds", help="How many seeds of correct variants.", min=1)] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Fewer seeds, for CI.")] = False,
) -> None:
    """Prove a course: solutions earn everything, stubs nothing, every known mistake is caught and named."""
    with _told():
        from grader.course.validation import validate_course

        proof = validate_course(course, solutions=solutions, seeds=seeds, quick=quick, console=_console())
        _console().print(proof.render())
    raise typer.Exit(GRADED if proof.proved else BELOW)


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="The new repository's folder.", show_default=False)],
    course: CourseOption = "autograd",
    classroom50: Annotated[bool, typer.Option("--classroom50", help="Add the entry of Classroom 50.")] = False,
    gradescope: Annotated[bool, typer.Option("--gradescope", help="Add Gradescope's autograder archive.")] = False,
) -> None:
    """Make a course repository ready to push: exercises, README, workflow. Never overwrites."""
    with _told():
        from grader.starter import start_repository

        for line in start_repository(folder, course, classroom50=classroom50, gradescope=gradescope):
            _console().print(line, markup=False, highlight=False, soft_wrap=True)


@app.command()
def doctor() -> None:
    """Tell what works on this machine, and how to mend what does not."""
    with _told():
        from grader.kernel import doctor as examine

        findings = examine()
        console = _console()
        for finding in findings:
            mark = {"ok": "[green]✓[/green]", "warn": "[yellow]![/yellow]", "fail": "[red]✗[/red]"}[finding.level]
            console.print(f"{mark} {finding.text}", highlight=False)
            if finding.remedy:
                console.print(f"    {finding.remedy}", markup=False, highlight=False)
    raise typer.Exit(BELOW if any(finding.level == "fail" for finding in findings) else GRADED)


@app.command()
def demo(
    folder: Annotated[Path, typer.Option("--dir", help="Where the sample class and its grades go.")] = Path(
        "grader-demo"
    ),
    sandbox: Annotated[Sandbox | None, typer.Option("--sandbox", help="As in `grader score`.")] = None,
) -> None:
    """Write a sample class of a dozen submissions, grade it and name the report. Needs a source checkout."""
    with _told():
        from grader.batch import ScoreOptions
        from grader.demo import write_class
        from grader.kernel import choose_sandbox

        submissions = write_class(folder)
        _console().print(f"wrote {len(submissions)} submissions to {folder / 'submissions'}", markup=False)
        options = ScoreOptions(
            paths=(folder / "submissions",),
            out=folder / "grades",
            jobs=os.cpu_count() or 1,
            sandbox=choose_sandbox(sandbox),
            limits=Limits(check_s=2),
        )
        _score(options, Hints.NUDGE)


def size(text: str) -> int:
    """``"256M"`` → 268435456: a number of bytes with an optional K, M or G (powers of 1024).

    Raises:
        UsageError: the text is no such size, or not above 0.

    >>> size("1.5K")
    1536
    """
    factor = {"K": 1024, "M": 1024**2, "G": 1024**3}.get(text[-1:].upper(), 1)
    number = text[:-1] if factor > 1 else text
    try:
        value = int(float(number) * factor)
    except (ValueError, OverflowError):
        value = 0
    if value <= 0:
        raise UsageError(f"{text!r} is no size in bytes", remedy="write for instance 512M or 4G")
    return value


def _console() -> Console:
    return Console(soft_wrap=False, width=None if sys.stdout.isatty() else _plain_width())


def _plain_width() -> int:
    """A pipe has no width; a CI log is read on wide screens."""
    return int(os.environ.get("COLUMNS", "120"))


class _Progress:
    """Prints who is graded, then how far it is."""

    def __init__(self, console: Console) -> None:
        from grader.report import ScoreProgress

        self.console = console
        self._make = ScoreProgress
        self._progress: ScoreProgress | None = None

    def observer(self) -> Observer:
        """The calls that a run makes."""
        from grader.batch import Observer

        return Observer(collected=self._collected, started=self._started, finished=self._finished, ended=self._ended)

    def _collected(self, collection: Collection) -> None:
        _print_entries(self.console, collection, _LISTED)

    def _started(self, total: int) -> None:
        self._progress = self._make(total, self.console)
        self._progress.__enter__()

    def _finished(self, report: SubmissionReport, taken_over: bool) -> None:
        if self._progress is not None:
            self._progress.advance(report)

    def _ended(self) -> None:
        if self._progress is not None:
            self._progress.__exit__(None, None, None)


def _print_who(paths: list[Path], student_pattern: str | None, course: str) -> None:
    from grader.course.loading import load_course
    from grader.submission import collect

    known = load_course(course).notebooks
    with collect(paths, student_pattern=student_pattern, known=known) as collection:
        _print_entries(_console(), collection, len(collection))


def _print_entries(console: Console, collection: Collection, most: int) -> None:
    from rich.table import Table
    from rich.text import Text

    from grader.report import plain

    students = len({entry.student for entry in collection})
    table = Table(title=f"{len(collection)} submissions by {students} students", title_justify="left", box=None)
    for heading in ("student", "notebook", "from"):
        table.add_column(heading)
    for entry in collection.entries[:most]:
        table.add_row(*(Text(plain(text)) for text in (entry.student, entry.notebook or "—", entry.shown_path)))
    console.print(table)
    if len(collection) > most:
        console.print(f"… and {len(collection) - most} more; `grader score --who` lists all", markup=False)


def _stored(out: Path) -> RunReport:
    from grader.gradebook import FILE_NAME, Gradebook

    if not (out / FILE_NAME).is_file():
        raise UsageError(f"there is no gradebook in {out}", remedy="name the folder given to `grader score --out`")
    with Gradebook(out / FILE_NAME) as gradebook:
        return gradebook.report()


def _status(run: RunReport, fail_under: float | None, expected: Mapping[str, float]) -> int:
    if any(one.status in _UNGRADED_STATUSES for one in run.submissions):
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
class _Platforms:
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


def _refuse_absent(paths: list[Path]) -> None:
    """Refuse what is not there before a kernel is started, and where the platforms are told of it."""
    for path in paths:
        if not os.path.lexists(path):
            raise UsageError(
                f"no such file or folder: {path}", remedy="name notebooks, folders or archives of submissions"
            )


@contextmanager
def _told(platforms: _Platforms | None = None, *, exit_zero: bool = False) -> Iterator[None]:
    """Print a ``GraderError`` with its remedy and end with status 2, telling the platforms too.

    They are told of any other fault as well, for they read a result in every case; it is then raised on.
    """
    try:
        yield
    except (typer.Exit, typer.Abort):
        raise
    except GraderError as error:
        if platforms is not None:
            platforms.fail(str(error))
        _refuse(error, GRADED if exit_zero else USAGE)
    except KeyboardInterrupt:
        Console(stderr=True).print("\ninterrupted; run the same command again to go on", markup=False)
        raise typer.Exit(130) from None
    except Exception as error:
        if platforms is not None:
            platforms.fail(f"{type(error).__name__}: {error}")
        if not exit_zero:
            raise
        traceback.print_exc()
        raise typer.Exit(GRADED) from None


def _refuse(error: GraderError, status: int) -> NoReturn:
    console = Console(stderr=True)
    console.print("[bold red]error:[/bold red] ", end="")
    console.print(str(error), markup=False, highlight=False)
    if error.remedy:
        console.print(f"  {error.remedy}", markup=False, highlight=False)
    raise typer.Exit(status)


@contextmanager
def _logging_to(out: Path) -> Iterator[None]:
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
