"""``check("lin_grad")``: a student's own check, in their own notebook or Python shell, on public data.

The stub runs in a fork of the very process, so that nothing of theirs changes: no global, no random stream, no tensor;
a crash or an endless loop ends the fork alone. Where there is no fork (Windows, macOS) it runs in the process and what
it touched is put back. The verdict comes from the same cases, comparison and sentences as a graded submission's, from
the public seed.
"""

from __future__ import annotations

import builtins
import difflib
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from contextvars import ContextVar
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any, get_args

from grader.course.loading import load_course
from grader.errors import CourseError
from grader.judge.cases import PUBLIC_SEED, check_of
from grader.judge.evidence import gather
from grader.judge.remarks import raised_late
from grader.judge.score import link_consequences, score_exercise, score_fault
from grader.kernel.local import FORKS, run_in_fork, run_in_process
from grader.model import CaseRun, Cell, Exercise, ExerciseScore, Hints, Stub
from grader.notebook.defined import YOURS, Session, cells_run, missing, mistyped, overtaken, shell_here, stub_of
from grader.notebook.display import say, show, with_progress
from grader.notebook.rivals import rival
from grader.notebook.usual_settings import usual_settings
from grader.seeded_course import SeededCourse
from grader.submission.reading.reliance import names_used
from grader.submission.reading.suspicion import LOOPS, loops_suspected

#: Set while a check runs: a cell that is run again may well call ``check`` itself.
_CHECKING: ContextVar[bool] = ContextVar("grader_checking", default=False)
#: Held by the thread that checks: what a check changes of the process, it puts back as it found it.
_ONE_AT_A_TIME = threading.Lock()


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
    shell = shell_here()
    namespace = shell.user_ns if shell is not None else sys._getframe(1).f_globals
    if hints not in get_args(Hints):
        say(shell, f"There are no hints {hints!r}: say {', '.join(map(repr, get_args(Hints)))}.")
        return
    try:
        with _ONE_AT_A_TIME:
            session = Session(_seeded(course), namespace, shell)
            for each in (name, *others):
                _check(each, session, hints)
    except CourseError as error:
        say(shell, f"{error}: {error.remedy}")
    except KeyboardInterrupt:
        say(shell, "The check was interrupted, so there is no result. Do all of your loops end?")
        raise KeyboardInterrupt from None  # cells that wait behind this one do not run; where it stood helps nobody


def _check(name: str | Callable[..., Any] | None, session: Session, hints: Hints) -> None:
    if name is None:
        _check_all(session, hints)
        return
    asked = name if isinstance(name, str) else str(getattr(name, "__name__", name))
    exercise = session.seeded.course.exercises.get(asked)
    if exercise is None:
        say(session.shell, _unknown(asked, session.seeded))
    elif lacking := missing(exercise, session):
        say(session.shell, " ".join(filter(None, (lacking, mistyped(exercise, session)))))
    else:
        score = _checked(exercise, session)
        asked_back = mistyped(exercise, session) if score.status == "not_implemented" else ""
        for remark in filter(None, (_remark(exercise, score, session), asked_back)):
            say(session.shell, remark)
        show(session.shell, [_linked(exercise, score, session)], hints)


def _check_all(session: Session, hints: Hints) -> None:
    exercises = session.seeded.course.exercises
    found = [exercise for exercise in exercises.values() if not missing(exercise, session)]
    if not found:
        say(session.shell, "No exercise is defined here yet: run the cell of a stub first.")
        return
    with closing(with_progress(found, session.shell)) as one_by_one:  # an interrupt's traceback keeps it alive
        scores = [_checked(exercise, session) for exercise in one_by_one]
    remarks = (_remark(exercise, score, session) for exercise, score in zip(found, scores, strict=True))
    for remark in dict.fromkeys(filter(None, remarks)):
        say(session.shell, remark)
    show(session.shell, link_consequences(scores, exercises, partial(_used, session)), hints)


def _remark(exercise: Exercise, score: ExerciseScore, session: Session) -> str:
    """A sentence where what is checked may not be what the student means, or what is graded; else empty."""
    return overtaken(exercise, session) or rival(exercise, session, passed=score.status == "passed")


def _linked(exercise: Exercise, score: ExerciseScore, session: Session) -> ExerciseScore:
    """``score`` with the stubs it calls that are not right themselves; where points were lost, they are checked."""
    if score.status not in {"partial", "failed"}:
        return score
    exercises = session.seeded.course.exercises
    called = [exercises[name] for name in exercise.follows]
    found = [_checked(each, session) for each in called if not missing(each, session)]
    return link_consequences([score, *found], exercises, partial(_used, session))[0]


def _used(session: Session, exercise: Exercise) -> frozenset[str]:
    """The names that the student's answer and its check use."""
    stub = stub_of(exercise, session)
    return names_used(exercise.call) | names_used("" if stub is None else stub.source)


@lru_cache(maxsize=4)
def _seeded(course: str) -> SeededCourse:
    """The course laid out for the public seed, kept for the next check of the session."""
    with usual_settings():
        return SeededCourse(load_course(course), PUBLIC_SEED)


def _checked(exercise: Exercise, session: Session) -> ExerciseScore:
    try:
        with usual_settings():
            prepared = session.seeded.prepared(exercise)
    except CourseError:
        return score_fault(exercise)
    stub = stub_of(exercise, session)
    source = None if stub is None else stub.source
    asked = check_of(exercise, tuple(one.case.program for one in prepared), YOURS, source)
    with _checking(session.shell):
        runs = (run_in_fork if FORKS else run_in_process)(asked, session.namespace, shell=session.shell)
    runs = tuple(_placed(run, stub) for run in runs)
    try:
        with usual_settings():
            score = score_exercise(gather(exercise, prepared, runs, stub))
    except CourseError:
        return score_fault(exercise)
    flags = (*score.flags, *_looping(exercise, stub, session), *raised_late(score, runs))
    return replace(score, flags=flags, cell=None, line=None)


def _looping(exercise: Exercise, stub: Stub | None, session: Session) -> tuple[str, ...]:
    """A remark where the answer, or what it calls, loops and should not; a cell is told by its number as it was run."""
    if stub is None or not exercise.loops_flagged:
        return ()
    cells = [Cell(number, source) for number, source in enumerate(reversed(cells_run(session)))]
    where = loops_suspected(stub.source, cells, session.seeded.course.asked_beside(exercise))
    if where is None:
        return ()
    line, _, number = where.partition(" of cell ")
    return (f"{LOOPS}: {line} of In [{number}]" if number else f"{LOOPS}: {line}",)


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
def _checking(shell: Any) -> Iterator[None]:
    """For as long as a check runs, no check runs within it, nobody is asked for input and no warning is shown.

    IPython's ``exit`` and ``quit``, which end a kernel, end the stub alone, as where it is graded.
    """
    token, ask = _CHECKING.set(True), builtins.input
    builtins.input = _no_input
    if shell is not None:
        shell.ask_exit = _no_exit
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        if shell is not None:
            del shell.ask_exit
        builtins.input = ask
        _CHECKING.reset(token)


def _no_input(prompt: object = "", /) -> str:
    """Stand in for ``input``: in a fork, the real one of a notebook would wait for an answer that cannot come."""
    raise EOFError("nobody can answer input() during a check")


def _no_exit() -> None:
    """Stand in for what ``exit`` asks of IPython."""
    raise SystemExit("exit() ended the cell")


def _unknown(name: str, seeded: SeededCourse) -> str:
    stem = name.removesuffix(".ipynb")
    if inside := [exercise.id for exercise in seeded.course.exercises.values() if exercise.notebook == stem]:
        return f"{stem} is a notebook of the exercises {', '.join(inside)}; check() takes all that are defined."
    near = difflib.get_close_matches(name, seeded.course.exercises, n=3, cutoff=0.5)
    known = f"Did you mean {' or '.join(near)}?" if near else f"There are {', '.join(seeded.course.exercises)}."
    return f"There is no exercise {name!r} in the course {seeded.course.name!r}. {known}"
