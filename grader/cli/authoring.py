"""``grader release``, ``grader validate`` and ``grader init``: for those who make a course."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from grader.cli.app import app
from grader.cli.options import CourseOption
from grader.cli.outcome import GRADED, TO_DO, errors_told
from grader.cli.output import StandardOutput
from grader.cli.values import path
from grader.errors import UsageError
from grader.machine import usable_cores
from grader.names.enumeration import count_of


@app.command()
def release(
    solutions: Annotated[Path, typer.Argument(help="The folder of solution notebooks.")] = Path("solutions"),
    exercises: Annotated[Path, typer.Argument(help="The folder for the students' notebooks.")] = Path("exercises"),
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 if anything would change.")] = False,
) -> None:
    """Make the students' notebooks from the solutions."""
    with errors_told():
        from grader.course.releasing.release import release as released

        outcome = released(solutions, exercises, check=check)
        console = StandardOutput()
        for what in ("written", "differing", "stale", "unchanged"):
            for name in getattr(outcome, what):
                console.print(f"{what:>9}  {exercises / name}")
    raise typer.Exit(GRADED if outcome.up_to_date or not check else TO_DO)


@app.command()
def validate(
    course: Annotated[str, typer.Argument(help="An installed course's name, a .py file or a package.")] = "autograd",
    solutions: Annotated[
        Path | None,
        typer.Option("--solutions", help="The folder of solution notebooks. Default: solutions/ beside exercises/."),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only", metavar="EXERCISE", help="Prove this one alone; may be given again.", show_default=False
        ),
    ] = None,
    seeds: Annotated[
        int | None,
        typer.Option("--seeds", help="Seeds of right answers in the thorough proof. Default: 1000.", min=1),
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Fewer seeds, for CI.")] = False,
    jobs: Annotated[
        int | None, typer.Option("--jobs", "-j", help="Exercises at a time. Default: one per core.", min=1)
    ] = None,
) -> None:
    """Prove a course: solutions earn everything, stubs nothing, every known mistake is caught and named.

    Exit status: 0 proved, 1 problems were found, 2 usage.
    """
    with errors_told():
        from grader.cli.progress import ProofProgress
        from grader.course.loading import load_course
        from grader.course.proving.proof_table import proof_view
        from grader.course.proving.validate import is_released
        from grader.course.proving.validate import validate as proof_of

        if quick and seeds is not None:
            raise UsageError("--quick has its own number of seeds", remedy="leave out --quick or --seeds")
        console = StandardOutput()
        loaded = load_course(course)
        at_a_time = jobs or usable_cores()
        proved = len(set(only)) if only else len(loaded.exercises)
        console.print(f"proving {count_of(proved, 'exercise')}, {at_a_time} at a time")
        with ProofProgress(console) as progress:
            found = proof_of(
                loaded,
                solutions=solutions,
                only=only or (),
                seeds=seeds or 1000,
                quick=quick,
                jobs=at_a_time,
                progress=lambda one, done, total: console.print(
                    f"{done:>3} of {total}  {one.exercise}  {one.seconds:.1f} s"
                ),
                underway=progress.show,
            )
        console.print(proof_view(found))
        if not is_released(loaded, solutions):
            console.print(f"{loaded.exercises_dir} holds other notebooks than were proved here: run `grader release`")
    raise typer.Exit(GRADED if found.ok else TO_DO)


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="The new repository's folder.", show_default=False, parser=path)],
    course: CourseOption = "autograd",
    grader: Annotated[
        str,
        typer.Option(
            metavar="REQUIREMENT",
            help='Where pip finds the grader: "autograd-grader @ git+https://…@TAG". Default: the commit that is'
            " installed here, else this release on PyPI.",
            show_default=False,
        ),
    ] = "",
    classroom50: Annotated[bool, typer.Option("--classroom50", help="Add the autograder of Classroom 50.")] = False,
    gradescope: Annotated[bool, typer.Option("--gradescope", help="Add the files of Gradescope's autograder.")] = False,
) -> None:
    """Make a course repository ready to push: exercises, README, workflow. Never overwrites."""
    with errors_told():
        from grader.starter import start_repository

        console = StandardOutput()
        for line in start_repository(folder, course, grader=grader, classroom50=classroom50, gradescope=gradescope):
            console.print(line, soft_wrap=True)
