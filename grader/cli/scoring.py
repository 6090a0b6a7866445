"""``grader score`` and ``grader demo``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grader.cli.app import app
from grader.cli.options import CourseOption, HintsOption, OutOption, Sandbox, a_number, seed_number, size
from grader.cli.outcome import GRADED, Platforms, exit_status, logging_to, told
from grader.cli.view import ProgressView, entries_csv, plain_console, print_entries, write_out
from grader.errors import UsageError
from grader.machine import usable_cores
from grader.model import Hints, Limits

if TYPE_CHECKING:
    from grader.batch import ScoreOptions
    from grader.model import RunReport

#: Panels of the help: a table of its own each, whose columns are as wide as its own options need.
_LIMITS, _PLATFORMS = "Limits", "Platforms"


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
            parser=seed_number,
            metavar="NUMBER",
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
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Grade everything again, with a new secret seed unless --seed is given.")
    ] = False,
    assigned: Annotated[
        list[str] | None,
        typer.Option(
            "--assigned", help="A notebook that counts, also where it is not handed in; others then do not. Repeatable."
        ),
    ] = None,
    who: Annotated[bool, typer.Option("--who", help="Print who handed in what, and stop.")] = False,
    who_csv: Annotated[
        bool, typer.Option("--who-csv", help="The same as CSV, with the number by which a platform knows each.")
    ] = False,
    fail_under: Annotated[
        float | None,
        typer.Option(
            "--fail-under",
            help="Exit 1 if a submission earns less than this percentage.",
            min=0,
            max=100,
            callback=a_number,
        ),
    ] = None,
    exit_zero: Annotated[bool, typer.Option("--exit-zero", help="Exit 0 once reports are written.")] = False,
    hints: HintsOption = "nudge",
    github: Annotated[
        bool | None,
        typer.Option(
            "--github/--no-github",
            help="Write the outputs of a GitHub Actions step. Default: if in one.",
            rich_help_panel=_PLATFORMS,
        ),
    ] = None,
    gradescope: Annotated[
        Path | None,
        typer.Option("--gradescope", help="Write Gradescope's results.json here.", rich_help_panel=_PLATFORMS),
    ] = None,
    classroom50: Annotated[
        Path | None,
        typer.Option("--classroom50", help="Write Classroom 50's result.json here.", rich_help_panel=_PLATFORMS),
    ] = None,
    cell_seconds: Annotated[
        float, typer.Option(help="A cell's time.", rich_help_panel=_LIMITS, min=0.1, callback=a_number)
    ] = Limits().cell_s,
    check_seconds: Annotated[
        float, typer.Option(help="A check's time.", rich_help_panel=_LIMITS, min=0.1, callback=a_number)
    ] = Limits().check_s,
    submission_seconds: Annotated[
        float, typer.Option(help="A submission's time.", rich_help_panel=_LIMITS, min=0.1, callback=a_number)
    ] = Limits().submission_s,
    memory: Annotated[str, typer.Option(help="Memory for all that a submission runs.", rich_help_panel=_LIMITS)] = "4G",
    processes: Annotated[
        int, typer.Option(help="Processes of a submission.", rich_help_panel=_LIMITS, min=4)
    ] = Limits().processes,
    open_files: Annotated[
        int, typer.Option(help="Open files of a process.", rich_help_panel=_LIMITS, min=64)
    ] = Limits().open_files,
    written: Annotated[str, typer.Option(help="Bytes that a submission may write.", rich_help_panel=_LIMITS)] = "256M",
    printed: Annotated[str, typer.Option(help="Bytes that a cell may print.", rich_help_panel=_LIMITS)] = "1M",
    result_size: Annotated[
        str, typer.Option(help="Bytes of tensors that a check may give back.", rich_help_panel=_LIMITS)
    ] = "64M",
) -> None:
    """Grade folders of submitted notebooks, single notebooks or archives.

    Exit status: 0 graded, 1 below --fail-under, 2 usage, 3 some submission could not be graded.
    """
    in_actions = os.environ.get("GITHUB_ACTIONS") == "true" if github is None else github
    notebooks = tuple(assigned or ())
    platforms = Platforms(in_actions, gradescope, classroom50, course, notebooks, hints)
    again = "run the same command without --fresh to go on" if fresh else "run the same command again to go on"
    with told(platforms, exit_zero=exit_zero, resumes=again):
        _refuse_absent(paths)
        from grader.batch import ScoreOptions
        from grader.kernel import choose_sandbox

        if who or who_csv:
            _print_who(paths, out, student_pattern, course, notebooks, as_csv=who_csv)
            raise typer.Exit
        options = ScoreOptions(
            paths=tuple(paths),
            out=out,
            course=course,
            seed=seed,
            jobs=jobs or usable_cores(),
            sandbox=choose_sandbox(sandbox),
            student_pattern=student_pattern,
            fresh=fresh,
            assigned=notebooks,
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
        )
        run = _score(options, hints)
        platforms.write(run)
        status = exit_status(run, fail_under)
    raise typer.Exit(GRADED if exit_zero else status)


@app.command()
def demo(
    folder: Annotated[Path, typer.Option("--dir", help="Where the sample class and its grades go.")] = Path(
        "grader-demo"
    ),
    sandbox: Annotated[Sandbox | None, typer.Option("--sandbox", help="As in `grader score`.")] = None,
) -> None:
    """Write a sample class of thirteen, grade it and name the report. Needs a source checkout."""
    with told():
        from grader.batch import ScoreOptions
        from grader.demo import write_class
        from grader.kernel import choose_sandbox

        submissions = write_class(folder)
        plain_console().print(f"wrote {len(submissions)} submissions to {folder / 'submissions'}", markup=False)
        options = ScoreOptions(
            paths=(folder / "submissions",),
            out=folder / "grades",
            jobs=usable_cores(),
            sandbox=choose_sandbox(sandbox),
            limits=Limits(check_s=2.0),
        )
        _score(options, "nudge")


def _score(options: ScoreOptions, hints: Hints) -> RunReport:
    from grader.batch import score_class

    out = options.out
    console = plain_console(goes_on=True)
    with logging_to(out):
        run = score_class(options, ProgressView(console).observer())

    from grader.report import render_class, render_submission, write_reports

    written = write_reports(run, out, hints=hints)
    console.print()
    console.print(render_class(run) if len(run.submissions) > 1 else render_submission(run.submissions[0], hints))
    console.print()
    for path in (path for path in written if path.parent == out):
        console.print(f"wrote {path}", markup=False, highlight=False)
    return run


def _print_who(
    paths: list[Path],
    out: Path,
    student_pattern: str | None,
    course: str,
    assigned: tuple[str, ...],
    *,
    as_csv: bool,
) -> None:
    from grader.assignment import expected_of
    from grader.course.loading import load_course
    from grader.submission import collect

    loaded = load_course(course)
    expected_of(loaded, assigned)  # a name that is mistyped is told here too
    with collect(paths, student_pattern=student_pattern, known=loaded.notebooks, skip=out) as collection:
        if as_csv:
            write_out(entries_csv(collection))
        else:
            print_entries(plain_console(), collection, len(collection))


def _refuse_absent(paths: list[Path]) -> None:
    """Refuse what is not there before a kernel is started, and where the platforms are told of it."""
    for path in paths:
        if not os.path.lexists(path):
            raise UsageError(f"{path} does not exist", remedy="name notebooks, folders or archives of submissions")
