"""``grader score`` and ``grader demo``."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer
from typer.core import TyperCommand

from grader.cli import options as cli
from grader.cli.app import app
from grader.cli.outcome import GRADED, errors_told, exit_status
from grader.cli.output import StandardOutput, note, write_out
from grader.cli.values import overwriting, size, size_text
from grader.cli.view import ProgressView, entries_csv, print_entries
from grader.errors import UsageError
from grader.machine import usable_cores
from grader.model import Hints, Limits, Sandbox
from grader.submission.files.limits import CollectLimits

if TYPE_CHECKING:
    from grader.batch import ScoreOptions
    from grader.model import RunReport
    from grader.platforms import Platforms

_LIMITS, _READING = Limits(), CollectLimits()
#: What typer raises for any command line that cannot be read; it exports the one kind alone, and not their parent.
_Refusal = cast("type[typer.BadParameter]", typer.BadParameter.__mro__[1])
#: The options that ``_platforms_of`` takes.
_TOLD = ("github", "gradescope", "junit", "classroom50", "course", "assigned", "hints")


class _ScoreCommand(TyperCommand):
    """``grader score``, whose platforms hear of a command line that cannot be read, too."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """As any command does; the platforms that ``args`` ask for are told of a refusal, and ``--exit-zero`` holds."""
        given = list(args)
        try:
            return super().parse_args(ctx, args)
        except _Refusal as refusal:
            lenient = {"resilient_parsing": True, "ignore_unknown_options": True}  # None in place of what is refused
            asked = self.make_context(ctx.info_name, given, ctx.parent, **lenient).params
            platforms = _platforms_of(_clash(asked), **{name: asked[name] for name in _TOLD})
            if platforms is not None:
                platforms.fail(refusal.format_message())
            if asked["exit_zero"]:
                refusal.exit_code = GRADED
            raise


@app.command(cls=_ScoreCommand)
def score(
    paths: cli.PathsArgument,
    out: cli.OutOption = Path("grades"),
    course: cli.CourseOption = "autograd",
    seed: cli.SeedOption = None,
    jobs: cli.JobsOption = None,
    sandbox: cli.SandboxOption = None,
    student_pattern: cli.StudentPatternOption = None,
    fresh: cli.FreshOption = False,
    assigned: cli.AssignedOption = None,
    roster: cli.RosterOption = None,
    who: cli.WhoOption = False,
    who_csv: cli.WhoCsvOption = False,
    fail_under: cli.FailUnderOption = None,
    exit_zero: cli.ExitZeroOption = False,
    hints: cli.HintsOption = "nudge",
    github: cli.GithubOption = None,
    gradescope: cli.GradescopeOption = None,
    junit: cli.JunitOption = None,
    classroom50: cli.Classroom50Option = None,
    cell_seconds: cli.CellSecondsOption = _LIMITS.cell_s,
    check_seconds: cli.CheckSecondsOption = _LIMITS.check_s,
    submission_seconds: cli.SubmissionSecondsOption = _LIMITS.submission_s,
    memory: cli.MemoryOption = size_text(_LIMITS.memory),
    processes: cli.ProcessesOption = _LIMITS.processes,
    open_files: cli.OpenFilesOption = _LIMITS.open_files,
    written: cli.WrittenOption = size_text(_LIMITS.written),
    printed: cli.PrintedOption = size_text(_LIMITS.printed),
    result_size: cli.ResultSizeOption = size_text(_LIMITS.result),
    notebook_size: cli.NotebookSizeOption = size_text(_READING.notebook_bytes),
    cells: cli.CellsOption = _READING.cells,
    unpacked_size: cli.UnpackedSizeOption = size_text(_READING.unpacked_bytes),
    archive_entries: cli.ArchiveEntriesOption = _READING.archive_entries,
) -> None:
    """Grade folders of submitted notebooks, single notebooks or archives.

    Exit status: 0 graded, 1 below --fail-under, 2 usage, 3 some submission has no score, 4 the grader failed.
    """
    asked = {"out": out, "paths": paths, "roster": roster}
    clash = _clash({**asked, "gradescope": gradescope, "junit": junit, "classroom50": classroom50})
    platforms = _platforms_of(
        clash,
        github=github,
        gradescope=gradescope,
        junit=junit,
        classroom50=classroom50,
        course=course,
        assigned=assigned,
        hints=hints,
    )
    notebooks = tuple(assigned or ())
    again = "run the same command without --fresh to go on" if fresh else "run the same command again to go on"
    with errors_told(platforms, exit_zero=exit_zero, resumes=again):
        if clash is not None:
            raise clash
        _refuse_absent(paths, notebooks)
        from grader.batch import ScoreOptions

        options = ScoreOptions(
            paths=tuple(paths),
            out=out,
            course=course,
            seed=seed,
            jobs=jobs or usable_cores(),
            student_pattern=student_pattern,
            fresh=fresh,
            assigned=notebooks,
            roster=roster,
            hints=hints,
            sandbox=sandbox,
            limits=Limits(
                cell_s=cell_seconds,
                check_s=check_seconds,
                submission_s=submission_seconds,
                memory=size(memory, "256M", option="--memory"),
                processes=processes,
                open_files=open_files,
                written=size(written, "64K", option="--written"),
                printed=size(printed, "1K", option="--printed"),
                result=size(result_size, "64K", option="--result-size"),
            ),
            reading=CollectLimits(
                notebook_bytes=size(notebook_size, "64K", option="--notebook-size"),
                cells=cells,
                unpacked_bytes=size(unpacked_size, "64K", option="--unpacked-size"),
                archive_entries=archive_entries,
            ),
        )
        if who or who_csv:
            _print_who(options, as_csv=who_csv)
            raise typer.Exit
        run = _score(options)
        unwritten = () if platforms is None else platforms.write(run)
        status = exit_status(run, fail_under)
    if unwritten:  # no failure for the platforms to hear of: the others have the result
        with errors_told(exit_zero=exit_zero):
            raise unwritten[0]
    raise typer.Exit(GRADED if exit_zero else status)


@app.command()
def demo(
    folder: Annotated[Path, typer.Option("--dir", help="Where the sample class and its grades go.")] = Path(
        "grader-demo"
    ),
    sandbox: Annotated[Sandbox | None, typer.Option("--sandbox", help="As in `grader score`.")] = None,
) -> None:
    """Write a sample class of thirteen, grade it and name the report. Needs a source checkout."""
    with errors_told():
        from grader.batch import ScoreOptions
        from grader.demo import write_class

        submissions = write_class(folder)
        StandardOutput().print(f"wrote {len(submissions)} submissions to {folder / 'submissions'}")
        options = ScoreOptions(
            paths=(folder / "submissions",),
            out=folder / "grades",
            jobs=usable_cores(),
            sandbox=sandbox,
            limits=Limits(check_s=2.0),
        )
        _score(options)


def _clash(asked: Mapping[str, Any]) -> UsageError | None:
    """Why a file of the platforms must not be written, by the parameters of ``grader score``."""
    files = {f"--{name}": asked[name] for name in ("gradescope", "junit", "classroom50")}
    read = [*(asked["paths"] or ()), asked["roster"]]
    return overwriting(files, asked["out"] or Path("grades"), read)


def _platforms_of(
    clash: UsageError | None,
    *,
    github: bool | None,
    gradescope: Path | None,
    junit: Path | None,
    classroom50: Path | None,
    course: str | None,
    assigned: list[str] | None,
    hints: Hints,
) -> Platforms | None:
    """The platforms that these options of ``grader score`` ask for; None where they ask for none.

    Where there is a ``clash``, no file is written, for one of them is something else.
    """
    if clash is not None:
        gradescope = junit = classroom50 = None
    in_actions = os.environ.get("GITHUB_ACTIONS") == "true" if github is None else github
    if not (in_actions or gradescope or junit or classroom50):
        return None
    from grader.platforms import Platforms

    return Platforms(
        github=in_actions,
        gradescope=gradescope,
        junit=junit,
        classroom50=classroom50,
        course=course or "",
        assigned=tuple(assigned or ()),
        hints=hints,
    )


def _score(options: ScoreOptions) -> RunReport:
    from grader.batch import score_class

    out = options.out
    console = StandardOutput(goes_on=True)
    written: list[Path] = []

    def write(run: RunReport) -> None:
        from grader.report.files import write_reports

        written.extend(write_reports(run, out, hints=options.hints))

    with _logging_to(out):
        run = score_class(options, ProgressView(console).observer(reported=write))

    from grader.report.views.terminal import render_run

    console.print()
    console.print(render_run(run, options.hints))
    console.print()
    for path in (path for path in written if path.parent == out):
        console.print(f"wrote {path}")
    return run


class _FaultLog(logging.FileHandler):
    """A log whose own trouble ends nothing: where it cannot be opened or written, that is told once."""

    _told = False

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record, for which the file is opened if it is the first."""
        try:
            super().emit(record)
        except OSError:  # of the opening, which Python lets out into whatever is logged
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - so called by logging
        """Tell why there is no record of a fault."""
        error = sys.exc_info()[1]
        if not self._told:
            self._told = True
            reason = getattr(error, "strerror", None) or str(error)
            note(f"{self.baseFilename} cannot be written: {reason}; the tracebacks of the grader's faults are lost")


@contextmanager
def _logging_to(out: Path) -> Iterator[None]:
    """The grader's own faults, with their tracebacks, go to ``grader.log`` in the folder of the grades.

    A folder that was made for them, and in which nothing came to lie, is removed.
    """
    made = not out.exists()
    out.mkdir(parents=True, exist_ok=True)
    handler = _FaultLog(out / "grader.log", encoding="utf-8", delay=True)
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(message)s"))
    logger = logging.getLogger("grader")
    logger.addHandler(handler)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        handler.close()
        if made:
            with suppress(OSError):  # it is not empty
                out.rmdir()


def _print_who(options: ScoreOptions, *, as_csv: bool) -> None:
    from grader.assignment import expected_of
    from grader.batch import handed_in
    from grader.course.loading import load_course
    from grader.report.words import wording

    loaded = load_course(options.course)
    expected_of(loaded, options.assigned)  # a name that is mistyped is told here too
    with handed_in(options, loaded) as (collection, attendance):
        absent = (wording.absent(attendance.absent),) if attendance.absent else ()
        for remark in (*collection.remarks, *absent, *attendance.remarks):
            note(remark)
        if as_csv:
            write_out(entries_csv(collection))
        else:
            print_entries(StandardOutput(), collection, len(collection))


def _refuse_absent(paths: list[Path], assigned: tuple[str, ...]) -> None:
    """Refuse what is not there before a kernel is started, and where the platforms are told of it."""
    remedy = "name notebooks, folders or archives of submissions"
    if assigned:
        remedy += "; several notebooks are assigned with commas between them: --assigned 03_backprop,04_layers"
    for path in paths:
        try:
            path.lstat()
        except (FileNotFoundError, NotADirectoryError):
            raise UsageError(f"{path} does not exist", remedy=remedy) from None
        except OSError:
            continue  # it may be there: collecting says why it cannot be looked at
