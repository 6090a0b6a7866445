"""``grader report`` and ``grader export``: what a gradebook holds, without running anything."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grader.cli.app import app
from grader.cli.options import HintsOption, Platform
from grader.cli.outcome import told
from grader.cli.view import note, plain_console
from grader.errors import UsageError

if TYPE_CHECKING:
    from grader.model import RunReport


@app.command()
def report(
    out: Annotated[Path, typer.Argument(help="The folder of a gradebook.")] = Path("grades"),
    hints: HintsOption = "nudge",
) -> None:
    """Write the reports again from the gradebook, without running anything."""
    with told():
        from grader.report import render_class, write_reports

        run = _stored(out)
        written = write_reports(run, out, hints=hints)
        console = plain_console()
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
        typer.Option(
            help="The platform's own list of students (CSV): one with the numbers that its download had, or with a"
            " column `student`, the grader's names."
        ),
    ] = None,
    identifier: Annotated[
        str, typer.Option(help="The column by which Moodle knows a student, as the roster heads it.")
    ] = "ID number",
    feedback: Annotated[
        Path | None,
        typer.Option(help="Write a zip of the students' pages here too, named as Moodle takes feedback files."),
    ] = None,
) -> None:
    """Print the grades in the form that a learning platform imports."""
    with told():
        from grader.report import export as exported
        from grader.report import read_roster

        run = _stored(out)
        people = None if roster is None else read_roster(roster, run)
        text = exported(run, to=to.value, assignment=assignment, roster=people, identifier=identifier)
        if people is not None:
            _compare(run, people, identifier if to is Platform.MOODLE else None)
        if feedback is not None:
            _give_back(run, out, feedback)
        if file is None:
            sys.stdout.write(text)
        else:
            file.write_text(text, encoding="utf-8", newline="")
            plain_console().print(f"wrote {file}", markup=False, highlight=False)


def _compare(run: RunReport, roster: Mapping[str, Mapping[str, str]], identifier: str | None) -> None:
    """Tell who of the class is not in the roster, and who of the roster not in the class."""
    from grader.report import absentees, strangers

    where = f"in the roster with its {identifier!r}" if identifier else "in the roster"
    for what, names in (
        (f"not {where}, so exported by the grader's name", strangers(run, roster, identifier)),
        ("no submission by, or one under another name", absentees(run, roster)),
    ):
        if names:
            note(f"{what}: {'; '.join(names)}")


def _give_back(run: RunReport, out: Path, archive: Path) -> None:
    """Write the archive of the students' pages, and tell for whom Moodle's upload will find nobody."""
    from grader.report import write_feedback

    unknown = write_feedback(run, out, archive)
    note(f"the students' pages are in {archive}")
    if len(unknown) == len({submission.student for submission in run.submissions}):
        note("nothing came from a download of Moodle, so each page has the name that it has in students/")
    elif unknown:
        note(f"from no download of Moodle, so under their page's own name there: {'; '.join(unknown)}")


def _stored(out: Path) -> RunReport:
    from grader.gradebook import FILE_NAME, Gradebook

    if not (out / FILE_NAME).is_file():
        raise UsageError(f"there is no gradebook in {out}", remedy="name the folder given to `grader score --out`")
    with Gradebook(out / FILE_NAME) as gradebook:
        for remark in gradebook.remarks():
            note(remark)
        return gradebook.report()
