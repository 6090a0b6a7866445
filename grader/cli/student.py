"""``grader check``, a student's own run, and ``grader doctor``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.padding import Padding
from rich.text import Text

from grader.cli.app import app
from grader.cli.options import CourseOption, HintsOption
from grader.cli.outcome import GRADED, TO_DO, UNGRADED, UNGRADED_STATUSES, errors_told
from grader.cli.output import StandardOutput
from grader.cli.values import path


@app.command()
def check(
    notebook: Annotated[Path, typer.Argument(help="Your notebook.", show_default=False, parser=path)],
    course: CourseOption = "autograd",
    hints: HintsOption = "nudge",
) -> None:
    """Check your own notebook: what passes, what does not, and what the mistake is.

    It runs with your own permissions and without a sandbox, on public data; your grade comes from other numbers.

    Exit status: 0 checked, whatever it found; 2 usage; 3 the notebook could not be checked.
    """
    with errors_told():
        from grader.own_run import check_notebook
        from grader.report.views.terminal import render_submission

        report = check_notebook(notebook, course)
        StandardOutput().print(render_submission(report, hints))
    raise typer.Exit(UNGRADED if report.status in UNGRADED_STATUSES else GRADED)


@app.command()
def doctor() -> None:
    """Tell what works on this machine, and how to fix what does not.

    Exit status: 0 all is well, 1 something must be fixed before grading works.
    """
    with errors_told():
        from grader.kernel.host.doctor import doctor as examine

        findings = examine()
        console = StandardOutput()
        for finding in findings:
            mark = {"ok": ("✓", "green"), "warn": ("!", "yellow"), "fail": ("✗", "red")}[finding.level]
            console.print(Text.assemble(mark, f" {finding.text}"))
            if finding.remedy:
                console.print(Padding.indent(Text(finding.remedy), 4))
    raise typer.Exit(TO_DO if any(finding.level == "fail" for finding in findings) else GRADED)
