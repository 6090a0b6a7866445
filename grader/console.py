"""What is printed in CI: no line of it can be taken for a workflow command.

The runner reads every line of standard output and error for ``::name::`` and ``##[name]``, and the grader prints names,
paths and errors that students chose, by way of tables, usage messages and tracebacks. So the streams themselves are
guarded, once, at the start of the process; what the grader wants the runner to read goes through ``raw_line``.
"""

from __future__ import annotations

import atexit
import codecs
import io
import os
import stat
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, TextIO

from grader.report.words.text import plain, print_safe

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class GuardedStream(io.TextIOBase):
    """A text stream that passes everything on through ``print_safe``; all but writing is the stream's own."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self._held = ""
        self._at_start = True

    def write(self, text: str) -> int:
        """Write ``text``; marks that the next piece could complete to a command wait for it."""
        if not isinstance(text, str):  # as any text stream: click asks by trying
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        whole = self._held + text
        end = "\r" if whole.endswith("\r") else ""  # of a line break, perhaps, whose other half is to come
        seen = plain(whole.removesuffix("\r"))  # what nobody sees could part two marks here, and be gone there
        told = seen.rstrip(":#")
        self._held = seen[len(told) :] + end
        self._pass_on(told)
        return len(text)

    def _pass_on(self, text: str) -> None:
        if text:
            safe = print_safe(text)
            self.stream.write(safe)
            self._at_start = safe.endswith("\n") if safe else self._at_start

    def finish(self) -> None:
        """Write what is held: nothing comes that could complete it."""
        held, self._held = self._held, ""
        self._pass_on(held)

    def raw_line(self, line: str) -> None:
        """Write a line of the grader's own as it is, at the start of a line."""
        self.finish()
        self.stream.write(("" if self._at_start else "\n") + line + "\n")
        self._at_start = True

    def flush(self) -> None:
        """Flush the stream below; what is held waits on."""
        if not self.stream.closed:
            self.stream.flush()

    def isatty(self) -> bool:
        """Whether the stream below is a terminal."""
        return self.stream.isatty()

    def fileno(self) -> int:
        """The descriptor of the stream below."""
        return self.stream.fileno()

    def writable(self) -> bool:
        """Whether it can be written: yes."""
        return True

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The encoding of the stream below."""
        return self.stream.encoding

    @property
    def errors(self) -> str | None:  # type: ignore[override]
        """How the stream below treats what it cannot encode."""
        return self.stream.errors


def open_closed_streams() -> None:
    """Have standard streams that were closed before the start (``>&-``) lead nowhere, not to the next file opened."""
    for fd, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        try:
            os.fstat(fd)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
        if getattr(sys, name) is None:
            setattr(sys, name, open(fd, mode, encoding="utf-8", closefd=False))  # noqa: SIM115 - for the life of the process


def take_every_letter() -> None:
    """Have standard output and error take what their encoding lacks, such as ✓ where Windows has its own.

    What a file or a program reads is UTF-8 then, as Python 3.15 has it; a terminal shows ``?`` in such a place.
    """
    for stream in (sys.stdout, sys.stderr):
        if not isinstance(stream, io.TextIOWrapper) or codecs.lookup(stream.encoding).name == "utf-8":
            continue
        if stream.isatty():
            stream.reconfigure(errors="replace")
        else:
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


class _Remarks(io.FileIO):
    """Standard error's descriptor; what it does not take is lost."""

    def write(self, data: ReadableBuffer, /) -> int:
        """Write ``data`` where that can be done; it counts as written in any case."""
        with suppress(OSError):
            written: int | None = super().write(data)
            if written is not None:  # None where it would have to wait, and is not to
                return written
        return memoryview(data).nbytes


def outlive_standard_error() -> None:
    """Have the process go on where standard error cannot be written: its reader has left, or its disk is full.

    What is said there is for a human, and its loss ends no run and changes no exit status, which a script reads.
    """
    stream = sys.stderr
    if isinstance(stream, io.TextIOWrapper) and type(getattr(stream.buffer, "raw", stream.buffer)) is io.FileIO:
        below = io.BufferedWriter(_Remarks(stream.fileno(), "w", closefd=False))
        sys.stderr = io.TextIOWrapper(below, encoding=stream.encoding, errors=stream.errors, line_buffering=True)


def guard_streams(arguments: Sequence[str]) -> None:
    """Guard standard output and error for the rest of the process, where a runner of GitHub's may read them.

    That is where ``GITHUB_ACTIONS`` says so, or ``--github`` is among the arguments. A stream that is redirected to a
    file is left alone: no runner reads it, and an export has to stay as it is.
    """
    if os.environ.get("GITHUB_ACTIONS") != "true" and "--github" not in arguments:
        return
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if not _is_file(stream):
            guarded = GuardedStream(stream)
            atexit.register(guarded.finish)
            setattr(sys, name, guarded)


def raw_line(line: str) -> None:
    """Print a workflow command on standard output."""
    if isinstance(sys.stdout, GuardedStream):
        sys.stdout.raw_line(line)
    else:
        sys.stdout.write(line + "\n")


def _is_file(stream: TextIO) -> bool:
    try:
        return stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
    except (OSError, ValueError):
        return False
