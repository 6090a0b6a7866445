"""How a command ends: its exit status, and its errors in words."""

from __future__ import annotations

import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import typer
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from grader.cli.output import ignore_closed_terminals
from grader.errors import GraderError, UsageError
from grader.machine import pip_install, remedy_of_shortage
from grader.names.enumeration import first_of

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    from grader.model import RunReport
    from grader.platforms import Platforms

#: The exit statuses. ``FAULT`` is a fault of the grader's own, which Python alone would end with 1.
GRADED, BELOW, USAGE, UNGRADED, FAULT = 0, 1, 2, 3, 4
#: What ``doctor`` and ``release --check`` end with where something is to be done.
TO_DO = 1
#: Windows has no such signal.
_HANGUP = getattr(signal, "SIGHUP", None)
#: So many students below ``--fail-under`` are named.
_NAMED = 10
#: The statuses of a submission about which nothing can be said.
UNGRADED_STATUSES = frozenset({"unreadable", "no_exercises", "grader_error"})


def exit_status(run: RunReport, fail_under: float | None) -> int:
    """The exit status of a run; who is below ``fail_under`` is told on standard error."""
    from grader.assignment import students_below
    from grader.report.counting.row import rows_of

    rows = rows_of(run)
    students = () if fail_under is None else students_below(run, fail_under)
    if students:
        _tell_below(students, len(rows), fail_under)
    if any(one.status in UNGRADED_STATUSES for row in rows for one in row.counted):
        return UNGRADED
    return BELOW if students else GRADED


def _tell_below(students: tuple[str, ...], of: int, percentage: float | None) -> None:
    from grader.report.words.text import terminal

    who = "the submission"
    if of > 1:
        who = f"{len(students)} of {of} students: {first_of(students, _NAMED, '; ')}"
    typer.echo(terminal(f"below {percentage:g} %: {who}"), err=True)


@contextmanager
def errors_told(platforms: Platforms | None = None, *, exit_zero: bool = False, resumes: str = "") -> Iterator[None]:
    """Print a ``GraderError`` with its remedy and end with status 2, any other fault with its traceback and 4.

    The platforms are told of either, and of an interruption, for they read a result in every case. ``resumes`` says how
    to go on after an interruption, or after the request to end that ``kill`` and CI services send.
    """
    asked: list[int] = []
    with ExitStack() as told:
        try:
            with _interruptible(asked, told), _file_errors_refused(), _missing_modules_refused():
                _refuse_lost_folder()
                yield
        except (typer.Exit, typer.Abort):
            raise
        except GraderError as error:
            if platforms is not None:
                platforms.fail(str(error))
            _refuse(error, GRADED if exit_zero else USAGE)
        except KeyboardInterrupt:
            why = "asked to end" if asked else "interrupted"
            if platforms is not None:
                platforms.fail(f"the run was {why}")
            Console(stderr=True).print(f"\n{why}{resumes and f'; {resumes}'}", markup=False)
            raise typer.Exit(128 + (asked or [signal.SIGINT])[0]) from None
        except Exception as error:
            if platforms is not None:
                platforms.fail(f"{type(error).__name__}: {error}")
            traceback.print_exc()
            raise typer.Exit(GRADED if exit_zero else FAULT) from None


class _AskedToEnd(KeyboardInterrupt):
    """Like Ctrl-C; but what that ended within ``exec``, as in a module that is imported, Python ends by SIGINT."""


@contextmanager
def _interruptible(asked: list[int], told: ExitStack) -> Iterator[None]:
    """Let Ctrl-C raise, which it does not yet while all is imported (``grader.__main__``), and SIGTERM do the same.

    So does SIGHUP, which a terminal that is closed sends, unless ``nohup`` had it ignored. Kernels and folders are put
    away then; what asked is noted in ``asked``. Ctrl-C is ignored where it was, as a shell has it for a command in the
    background. None of them disturbs what is said at an end before its time, until ``told`` is closed.
    """

    def interrupt(number: int, _: object) -> None:
        asked.append(number)
        if number == _HANGUP:
            signal.signal(number, signal.SIG_IGN)  # the shell and the system both send it
            ignore_closed_terminals()
        loop = _loop_of_tasks()
        if loop is None:
            raise _AskedToEnd
        for other in handlers:  # what is put away is not interrupted
            signal.signal(other, signal.SIG_IGN)
        loop.call_soon_threadsafe(_raise_interrupt)  # between two steps of its tasks, which it then ends

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handlers: dict[int, Any] = {signal.SIGTERM: interrupt}
    if callable(signal.getsignal(signal.SIGINT)):
        handlers[signal.SIGINT] = signal.default_int_handler
    if _HANGUP is not None and signal.getsignal(_HANGUP) is not signal.SIG_IGN:
        handlers[_HANGUP] = interrupt
    for number, handler in handlers.items():
        told.callback(signal.signal, number, signal.signal(number, handler))
    try:
        yield
        if asked:  # of a loop whose last step that was
            raise _AskedToEnd
    except BaseException:
        for number in handlers:
            signal.signal(number, signal.SIG_IGN)
        raise


def _loop_of_tasks() -> AbstractEventLoop | None:
    """The loop that runs, with more than one task: one alone is as free to end at once as where no loop runs."""
    try:
        from asyncio import all_tasks, get_running_loop

        loop = get_running_loop()
        return loop if len(all_tasks(loop)) > 1 else None
    except (ImportError, RuntimeError):  # it is being imported right now, or none runs
        return None


def _raise_interrupt() -> None:
    raise _AskedToEnd


def _refuse_lost_folder() -> None:
    """Refuse a working folder that was removed, in which torch would end this process as it is loaded."""
    try:
        Path.cwd()
    except FileNotFoundError:
        raise UsageError("the working folder is gone", remedy="change to one that exists (cd)") from None


@contextmanager
def _file_errors_refused() -> Iterator[None]:
    """Turn what the system refuses to do with a file into a ``UsageError`` that names it."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            raise
        place, reason = Path(str(error.filename)), error.strerror or type(error).__name__
        if isinstance(error, NotADirectoryError):  # of what is below a file
            place = next((above for above in place.parents if above.is_file()), place)
        if isinstance(error, FileExistsError | NotADirectoryError) and place.is_file():
            reason = "a file, where a folder is needed"
        remedy = remedy_of_shortage(error) or "name a place that can be read and written"
        raise UsageError(f"{place}: {reason}", remedy=remedy) from error


@contextmanager
def _missing_modules_refused() -> Iterator[None]:
    """Turn a library that this Python lacks, or that does not load, into a ``UsageError`` that names both."""
    try:
        yield
    except ImportError as error:
        library = (error.name or "").partition(".")[0]
        if library in {"", "grader"}:
            raise
        if not isinstance(error, ModuleNotFoundError):  # its name may be that of a part, such as torch's _C
            raise UsageError(
                f"{error.path or library} cannot be loaded: {error}",
                remedy="allow more memory (`ulimit -v`) where that is the reason, else install its package anew",
            ) from error
        raise UsageError(
            f"the grader needs {library}, which {sys.executable} cannot import: {error}",
            remedy=f"install it there ({pip_install(library)}), or use the Python that has it",
        ) from error


def _refuse(error: GraderError, status: int) -> NoReturn:
    """Tell the error, its remedy indented below; where no terminal reads it, each is one line, to search and copy.

    Either may quote a path or a cell of a table that somebody else wrote.
    """
    from grader.report.words.text import plain

    console = Console(stderr=True)
    whole = not console.is_terminal
    console.print(Text.assemble(("error:", "bold red"), f" {plain(str(error))}"), soft_wrap=whole)
    if remedy := plain(error.remedy):
        console.print(
            f"  {remedy}" if whole else Padding.indent(Text(remedy), 2),
            markup=False,
            highlight=False,
            soft_wrap=whole,
        )
    raise typer.Exit(status)
