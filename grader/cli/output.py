"""What a command prints: on standard output, whoever reads it, and remarks on standard error."""

from __future__ import annotations

import os
import sys
from typing import Any, TextIO

import typer
from rich.console import Console

from grader.errors import UsageError


class StandardOutput(Console):
    """Prints plain text and tables to whoever reads standard output, and to nowhere when they leave (``| head``).

    A run ``goes_on`` for its files also where what it prints finds no room; any other command has nothing to show then.
    """

    def __init__(self, *, goes_on: bool = False) -> None:
        width = None if sys.stdout.isatty() else _plain_width()
        super().__init__(markup=False, highlight=False, emoji=False, width=width)
        self._goes_on = goes_on

    def print(self, *objects: Any, **how: Any) -> None:
        """As ``Console.print``; where no terminal shows it, a text is not wrapped, so that paths can be copied.

        Raises ``UsageError`` when it cannot be written and the command does not go on.
        """
        whole = not self.is_terminal and all(isinstance(one, str) for one in objects)
        try:
            super().print(*objects, **{"soft_wrap": whole, **how})
        except OSError as error:
            trouble = _unwritable(error)
            if not self._goes_on:
                raise trouble from error
            note(f"{trouble}; the run goes on, and writes its reports")

    def on_broken_pipe(self) -> None:
        """Discard what is still printed."""
        _discard(sys.stdout)


def write_out(text: str) -> None:
    """Write ``text`` to standard output, to the letter. Raises ``UsageError`` when it finds no room."""
    try:
        typer.echo(text, nl=False)
    except BrokenPipeError:
        _discard(sys.stdout)
    except OSError as error:
        raise _unwritable(error) from error


def _unwritable(error: OSError) -> UsageError:
    """The error to tell; what is still printed is discarded, or Python would complain once more as it ends."""
    _discard(sys.stdout)
    return UsageError(f"standard output cannot be written: {error.strerror}", remedy="send it where there is room")


def ignore_closed_terminals() -> None:
    """Discard what a command still prints to a terminal that is gone; what goes to a file still gets there."""
    for stream in (sys.stdout, sys.stderr):
        try:
            os.write(stream.fileno(), b"")
        except OSError:
            _discard(stream)


def _discard(stream: TextIO) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def _plain_width() -> int:
    """A pipe has no width; a CI log is read on wide screens."""
    columns = os.environ.get("COLUMNS", "")
    return int(columns) if columns.isdecimal() and int(columns) > 0 else 120


def note(remark: str) -> None:
    """Tell on standard error what the operator should know, so that standard output stays what was asked for."""
    from grader.report.words.text import terminal

    typer.echo(terminal(f"note: {remark}"), err=True)
