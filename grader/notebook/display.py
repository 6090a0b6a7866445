"""Showing what a check found: as HTML where the front end takes it, else as text."""

from __future__ import annotations

import io
import shutil
import sys
from collections.abc import Generator, Iterable
from html import escape
from typing import Any

from rich.console import Console

from grader.model import Exercise, ExerciseScore, Hints
from grader.report.views.pages import exercises_html
from grader.report.views.terminal import exercises_text

#: The most columns that a line of text may take.
_WIDTH = 100


def _rich_output(shell: Any) -> bool:
    """Whether the front end shows HTML: a notebook's kernel does, IPython's terminal does not."""
    return getattr(shell, "kernel", None) is not None


def say(shell: Any, text: str) -> None:
    """Show a sentence."""
    _publish(shell, f"<p>{escape(text)}</p>", text + "\n")


def show(shell: Any, scores: Iterable[ExerciseScore], hints: Hints) -> None:
    """Show what each exercise scored, and why."""
    scores = tuple(scores)
    text = io.StringIO()
    width = min(_WIDTH, shutil.get_terminal_size((_WIDTH, 24)).columns)
    terminal = sys.stdout.isatty()
    console = Console(file=text, width=width, force_terminal=terminal, force_jupyter=False, legacy_windows=False)
    console.print(exercises_text(scores, hints))
    html = exercises_html(scores, hints) if _rich_output(shell) else ""
    _publish(shell, html, "".join(f"{line.rstrip()}\n" for line in text.getvalue().splitlines()))


def _publish(shell: Any, html: str, text: str) -> None:
    if _rich_output(shell):
        from IPython.display import display

        display({"text/html": html, "text/plain": text.rstrip()}, raw=True)
    else:
        encoding = getattr(sys.stdout, "encoding", None) or "utf-8"  # one of Windows' own has no ✓
        sys.stdout.write(text.encode(encoding, "replace").decode(encoding))


def with_progress(exercises: list[Exercise], shell: Any) -> Generator[Exercise, None, None]:
    """The exercises one by one, with a bar that is gone when all are done."""
    if not _rich_output(shell):
        from rich.progress import track

        yield from track(exercises, "checking", transient=True, disable=not sys.stdout.isatty())
        return
    from IPython.display import display

    nothing = {"text/html": "", "text/plain": ""}
    bar = display(nothing, raw=True, display_id=True)
    try:
        for number, exercise in enumerate(exercises):
            label = f"checking {exercise.id}"
            html = f'<progress max="{len(exercises)}" value="{number}"></progress> {escape(label)}'
            bar.update({"text/html": html, "text/plain": label}, raw=True)
            yield exercise
    finally:
        bar.update(nothing, raw=True)
