"""The options of the commands: their choices, and the declarations that several share or that would hide a command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from grader.cli.values import not_nan, path, seed_number
from grader.model import Hints, Sandbox

CourseOption = Annotated[
    str, typer.Option("--course", help="An installed course's name, a .py file or a package.", show_default=True)
]
OutOption = Annotated[Path, typer.Option("--out", "-o", help="Where the gradebook and the reports go.", parser=path)]
HintsOption = Annotated[
    Hints, typer.Option("--hints", help="How much help the feedback gives: none, a hint, or a hint and what to do.")
]

# ---------------------------------------------------------------------------------- grader score: what is graded

PathsArgument = Annotated[
    list[Path],  # one that cannot be read is a student's entry with the reason, and does not end the run
    typer.Argument(help="Folders, notebooks or archives of submissions.", show_default=False, parser=path),
]
SeedOption = Annotated[
    int | None,
    typer.Option(
        "--seed",
        help="Fixes the data. Default: the gradebook's, else a secret one.",
        parser=seed_number,
        metavar="NUMBER",
        envvar="GRADER_SEED",
        show_envvar=True,
    ),
]
JobsOption = Annotated[
    int | None, typer.Option("--jobs", "-j", help="Kernels at a time. Default: one per core.", min=1)
]
SandboxOption = Annotated[
    Sandbox | None,
    typer.Option("--sandbox", help="What confines notebooks. Default: the best that works here, never none."),
]
StudentPatternOption = Annotated[
    str | None, typer.Option("--student-pattern", help="Regex with a group (?P<student>…) on paths below PATH.")
]
FreshOption = Annotated[
    bool, typer.Option("--fresh", help="Grade everything again, with a new secret seed unless --seed is given.")
]
AssignedOption = Annotated[
    list[str] | None,
    typer.Option(
        "--assigned",
        metavar="NOTEBOOK[,NOTEBOOK…]",
        help="Notebooks that count even if they are not handed in; no others do then. Repeatable.",
    ),
]
RosterOption = Annotated[
    Path | None,
    typer.Option(
        "--roster",
        help="The class list (CSV), as for `grader export`: who is on it and handed in nothing is reported.",
        parser=path,
    ),
]
WhoOption = Annotated[bool, typer.Option("--who", help="Print who handed in what, and stop.")]
WhoCsvOption = Annotated[
    bool, typer.Option("--who-csv", help="The same as CSV, with the number by which a platform knows each student.")
]

#: Panels of the help: a table of its own each, whose columns are as wide as its own options need.
_LIMITS, _PLATFORMS = "Limits", "Platforms"

# ------------------------------------------------------------------------------------ grader score: how it is told

FailUnderOption = Annotated[
    float | None,
    typer.Option(
        "--fail-under",
        help="Exit 1 if a submission earns less than this percentage.",
        min=0,
        max=100,
        callback=not_nan,
    ),
]
ExitZeroOption = Annotated[bool, typer.Option("--exit-zero", help="Exit 0 even where grading fails.")]
GithubOption = Annotated[
    bool | None,
    typer.Option(
        "--github/--no-github",
        help="Write the outputs of a GitHub Actions step. Default: if in one.",
        rich_help_panel=_PLATFORMS,
    ),
]
GradescopeOption = Annotated[
    Path | None,
    typer.Option("--gradescope", help="Write Gradescope's results.json here.", rich_help_panel=_PLATFORMS, parser=path),
]
JunitOption = Annotated[
    Path | None,
    typer.Option(
        "--junit",
        help="Write results as JUnit's XML here, for GitLab, Jenkins.",
        rich_help_panel=_PLATFORMS,
        parser=path,
    ),
]
Classroom50Option = Annotated[
    Path | None,
    typer.Option(
        "--classroom50", help="Write Classroom 50's result.json here.", rich_help_panel=_PLATFORMS, parser=path
    ),
]

# ------------------------------------------------------------------------------------------- grader score: limits

CellSecondsOption = Annotated[
    float, typer.Option(help="Time for a cell.", rich_help_panel=_LIMITS, min=0.1, callback=not_nan)
]
CheckSecondsOption = Annotated[
    float, typer.Option(help="Time for the checks of an exercise.", rich_help_panel=_LIMITS, min=0.1, callback=not_nan)
]
SubmissionSecondsOption = Annotated[
    float, typer.Option(help="Time for a submission.", rich_help_panel=_LIMITS, min=0.1, callback=not_nan)
]
MemoryOption = Annotated[str, typer.Option(help="Memory for all that a submission runs.", rich_help_panel=_LIMITS)]
ProcessesOption = Annotated[int, typer.Option(help="Processes of a submission.", rich_help_panel=_LIMITS, min=4)]
OpenFilesOption = Annotated[int, typer.Option(help="Open files of a process.", rich_help_panel=_LIMITS, min=64)]
WrittenOption = Annotated[str, typer.Option(help="Bytes that a submission may write.", rich_help_panel=_LIMITS)]
PrintedOption = Annotated[str, typer.Option(help="Bytes that a cell may print.", rich_help_panel=_LIMITS)]
ResultSizeOption = Annotated[
    str, typer.Option(help="Bytes of tensors that a check may give back.", rich_help_panel=_LIMITS)
]
NotebookSizeOption = Annotated[str, typer.Option(help="Bytes of a notebook's file.", rich_help_panel=_LIMITS)]
CellsOption = Annotated[int, typer.Option(help="Cells of a notebook.", rich_help_panel=_LIMITS, min=1)]
UnpackedSizeOption = Annotated[
    str, typer.Option(help="Bytes that a student's archives may unpack to.", rich_help_panel=_LIMITS)
]
ArchiveEntriesOption = Annotated[
    int, typer.Option(help="Files in a student's archives.", rich_help_panel=_LIMITS, min=1)
]
