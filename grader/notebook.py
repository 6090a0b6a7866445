"""``check("lin_grad")``: a student's own check, in their own notebook or Python shell, on public data.

The stub runs in a fork of the very process, so that nothing of theirs changes: no global, no random stream, no tensor;
a crash or an endless loop ends the fork alone. Where there is no fork (Windows, macOS) it runs in the process and what
it touched is put back. The verdict comes from the same cases, comparison and sentences as a graded submission's, from
the public seed.
"""

from __future__ import annotations

import builtins
import difflib
import inspect
import io
import linecache
import shutil
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from functools import lru_cache
from html import escape
from typing import Any, get_args

from rich.console import Console

from grader.cell_code import parsed
from grader.course.loading import load_course
from grader.errors import CourseError
from grader.judge.cases import PUBLIC_SEED
from grader.judge.evidence import gather
from grader.judge.score import link_consequences, score_exercise, score_fault
from grader.kernel.local import FORKS, run_in_fork, run_in_process
from grader.model import CaseRun, Check, Exercise, ExerciseScore, Hints, Limits, Stub
from grader.report import exercises_html, exercises_text
from grader.seeded_course import SeededCourse
from grader.submission.definitions import definitions_in, is_empty

#: A notebook's cells are not numbered inside it: the number that stands for "yours".
_YOURS = 0
#: The most columns that a line of text may take.
_WIDTH = 100
#: Set while a check runs: a cell that is run again may well call ``check`` itself.
_CHECKING: ContextVar[bool] = ContextVar("grader_checking", default=False)


def check(
    name: str | Callable[..., Any] | None = None,
    *others: str | Callable[..., Any],
    course: str = "autograd",
    hints: Hints = "nudge",
) -> None:
    """Check one exercise or several, or with no name every exercise that is defined so far, and show what came out.

    ``name`` and ``others`` are exercises, by their names or as the functions or classes themselves; ``course`` is as
    for ``grader score``; ``hints`` is how much the feedback helps. Nothing is returned, nothing of the notebook is
    changed, and whatever the stub does (an exception included) is told, not raised. So is a course that is not
    installed or is broken. An interrupt ends it.
    """
    if _CHECKING.get():
        return
    shell = _shell()
    namespace = shell.user_ns if shell is not None else sys._getframe(1).f_globals
    if hints not in get_args(Hints):
        _say(shell, f"There are no hints {hints!r}: say {', '.join(map(repr, get_args(Hints)))}.")
        return
    try:
        seeded = _seeded(course)
    except CourseError as error:
        _say(shell, f"{error}: {error.remedy}")
        return
    try:
        for each in (name, *others):
            _check(each, seeded, namespace, shell, hints)
    except KeyboardInterrupt:
        _say(shell, "The check was interrupted, so there is no result. Do all of your loops end?")
        raise KeyboardInterrupt from None  # cells that wait behind this one do not run; where it stood helps nobody


def _check(
    name: str | Callable[..., Any] | None, seeded: SeededCourse, namespace: dict[str, Any], shell: Any, hints: Hints
) -> None:
    if name is None:
        _check_all(seeded, namespace, shell, hints)
        return
    asked = name if isinstance(name, str) else str(getattr(name, "__name__", name))
    exercise = seeded.course.exercises.get(asked)
    if exercise is None:
        _say(shell, _unknown(asked, seeded))
    elif missing := _missing(exercise, namespace, shell):
        _say(shell, missing)
    else:
        _show(shell, [_checked(exercise, seeded, namespace, shell)], hints)


def _check_all(seeded: SeededCourse, namespace: dict[str, Any], shell: Any, hints: Hints) -> None:
    found = [exercise for exercise in seeded.course.exercises.values() if not _missing(exercise, namespace, shell)]
    if not found:
        _say(shell, "No exercise is defined here yet: run the cell of a stub first.")
        return
    scores = [_checked(exercise, seeded, namespace, shell) for exercise in _with_progress(found, shell)]
    _show(shell, link_consequences(scores, seeded.course.exercises), hints)


@lru_cache(maxsize=4)
def _seeded(course: str) -> SeededCourse:
    """The course laid out for the public seed, kept for the next check of the session."""
    return SeededCourse(load_course(course), PUBLIC_SEED)


def _checked(exercise: Exercise, seeded: SeededCourse, namespace: dict[str, Any], shell: Any) -> ExerciseScore:
    try:
        prepared = seeded.prepared(exercise)
    except CourseError:
        return score_fault(exercise)
    stub = _stub(exercise, namespace, shell)
    asked = Check(
        exercise=exercise.id,
        cell=_YOURS,
        needs=exercise.needs,
        programs=tuple(one.case.program for one in prepared),
        autograd=exercise.autograd,
        source=stub.source if stub is not None and exercise.rerun else None,
    )
    with _checking():
        if FORKS:
            seconds = exercise.time_limit or Limits().check_s
            runs = run_in_fork(asked, namespace, shell=shell, seconds=seconds)
        else:
            runs = run_in_process(asked, namespace, shell=shell)
    score = score_exercise(gather(exercise, prepared, tuple(_placed(run, stub) for run in runs), stub))
    return replace(score, cell=None, line=None)


def _placed(run: CaseRun, stub: Stub | None) -> CaseRun:
    """``run`` with its exception outside of any cell unless the line that raised stands in the stub.

    Line numbers alone would confuse the stub with another cell: cells are not numbered here.
    """
    error = run.error
    if error is None or error.line is None or stub is None:
        return run
    lines = stub.source.splitlines()
    at = error.line - stub.line
    own = 0 <= at < len(lines) and lines[at].strip().startswith(error.code)
    return run if own else replace(run, error=replace(error, cell=None))


@contextmanager
def _checking() -> Iterator[None]:
    """For as long as a check runs, no check runs within it, nobody is asked for input and no warning is shown."""
    token, ask = _CHECKING.set(True), builtins.input
    builtins.input = _no_input
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        builtins.input = ask
        _CHECKING.reset(token)


def _no_input(prompt: object = "", /) -> str:
    """Stand in for ``input``: in a fork, the real one of a notebook would wait for an answer that cannot come."""
    raise EOFError("nobody can answer input() during a check")


# ---------------------------------------------------------------------------------------- what is there


def _shell() -> Any:
    """IPython's shell, where this runs in one."""
    ipython = sys.modules.get("IPython")
    return None if ipython is None else ipython.get_ipython()


def _missing(exercise: Exercise, namespace: Mapping[str, Any], shell: Any) -> str:
    """What has to be run before the exercise can be checked, in a sentence; empty where all is there."""
    if exercise.rerun:
        if _cell_source(exercise, shell):
            return ""
        names = ", ".join(_assigned_by(exercise))
        return f"No cell that you have run assigns {names} yet: run the one that does, then check again."
    home = namespace.get("__name__")
    for name in exercise.needs:
        if name not in namespace:
            return f"{name} is not defined yet: run the cell that defines it, then check again."
        module = getattr(namespace[name], "__module__", home)
        if module != home:
            return f"{name} is not defined yet (the one here is from {module}): run the cell that defines yours."
    return ""


def _stub(exercise: Exercise, namespace: Mapping[str, Any], shell: Any) -> Stub | None:
    """The student's source, where Python still knows it: it helps the diagnosis and is not needed for a verdict."""
    if exercise.rerun:
        return Stub(exercise.id, _YOURS, 1, _cell_source(exercise, shell), "name")
    name = exercise.needs[0]
    found = definitions_in(_file_of(namespace[name]), {name})
    return Stub(exercise.id, _YOURS, found[-1].line, found[-1].source, "name") if found else None


def _file_of(value: Any) -> str:
    """The text of the cell or file that made a function or a class; empty where it is not known.

    ``inspect.getsource`` finds no class of a notebook, so a class is found by one of its functions.
    """
    functions = [value, *vars(value).values()] if isinstance(value, type) else [inspect.unwrap(value)]
    code = next((one.__code__ for one in functions if inspect.isfunction(one)), None)
    return "" if code is None else "".join(linecache.getlines(code.co_filename))


def _cell_source(exercise: Exercise, shell: Any) -> str:
    """The last cell run that assigns all that the exercise reads, else the last that is still the stub; or nothing."""
    names = _assigned_by(exercise)
    cells: list[str] = [] if shell is None else shell.history_manager.input_hist_raw
    likely = [cell for cell in reversed(cells) if all(name in cell for name in names)]
    found = (cell for cell in likely if names.keys() <= {one.name for one in definitions_in(cell)})
    return next(found, "") or next((cell for cell in likely if _is_stub(cell)), "")


def _assigned_by(exercise: Exercise) -> dict[str, None]:
    """The names that the cell of the exercise assigns, in the order of its checks."""
    return dict.fromkeys(exercise.reads.get(check, check) for check in exercise.points)


def _is_stub(cell: str) -> bool:
    """Whether a cell is still as it was handed out: comments and ``raise NotImplementedError``."""
    tree = parsed(cell)
    return tree is not None and bool(tree.body) and is_empty(tree.body)


def _unknown(name: str, seeded: SeededCourse) -> str:
    stem = name.removesuffix(".ipynb")
    if inside := [exercise.id for exercise in seeded.course.exercises.values() if exercise.notebook == stem]:
        return f"{stem} is a notebook of the exercises {', '.join(inside)}; check() takes all that are defined."
    near = difflib.get_close_matches(name, seeded.course.exercises, n=3, cutoff=0.5)
    known = f"Did you mean {' or '.join(near)}?" if near else f"There are {', '.join(seeded.course.exercises)}."
    return f"There is no exercise {name!r} in the course {seeded.course.name!r}. {known}"


# -------------------------------------------------------------------------------------------- what is shown


def _rich_output(shell: Any) -> bool:
    """Whether the front end shows HTML: a notebook's kernel does, IPython's terminal does not."""
    return getattr(shell, "kernel", None) is not None


def _say(shell: Any, text: str) -> None:
    _publish(shell, f"<p>{escape(text)}</p>", text + "\n")


def _show(shell: Any, scores: Iterable[ExerciseScore], hints: Hints) -> None:
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


def _with_progress(exercises: list[Exercise], shell: Any) -> Iterable[Exercise]:
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
