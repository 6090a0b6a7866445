"""``check("lin_grad")``: a student's own check, in their own notebook or Python shell, on public data.

The stub runs in a fork of the very process, so that nothing of theirs changes: no global, no random stream, no tensor;
a crash or an endless loop ends the fork alone. Where there is no fork (Windows, macOS) it runs in the process and what
it touched is put back. The verdict comes from the same cases, comparison and sentences as a graded submission's, from
the public seed.
"""

from __future__ import annotations

import difflib
import inspect
import io
import sys
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from rich.console import Console

from grader.bench import Bench
from grader.course.loading import load_course
from grader.judge.cases import PUBLIC_SEED
from grader.judge.evidence import gather
from grader.judge.score import link_consequences, score_exercise
from grader.kernel.local import FORKS, run_in_fork, run_in_process
from grader.model import Check, Exercise, ExerciseScore, Hints, Limits, Stub
from grader.report import exercises_html, exercises_text

#: A notebook's cells are not numbered inside it: the number that stands for "yours".
_YOURS = 0
_WIDTH = 100


def check(name: str | None = None, *, course: str = "autograd", hints: Hints = "nudge") -> None:
    """Check one exercise, or with no name every exercise that is defined so far, and show what came out.

    ``course`` is as for ``grader score``; ``hints`` is how much the feedback helps. Nothing is returned, nothing of the
    notebook is changed, and whatever the stub does (an exception included) is told, not raised.

    Raises:
        CourseError: there is no such course, or it is broken.
    """
    shell = _shell()
    namespace = shell.user_ns if shell is not None else sys._getframe(1).f_globals
    bench = _bench(course)
    if name is None:
        _check_all(bench, namespace, shell, hints)
    elif name not in bench.course.exercises:
        _say(shell, _unknown(name, bench))
    else:
        exercise = bench.course.exercises[name]
        missing = _missing(exercise, namespace, shell)
        if missing:
            _say(shell, f"{missing} is not defined yet: run the cell that defines it, then check again.")
        else:
            _show(shell, [_checked(exercise, bench, namespace, shell)], hints)


def _check_all(bench: Bench, namespace: dict[str, Any], shell: Any, hints: Hints) -> None:
    found = [exercise for exercise in bench.course.exercises.values() if not _missing(exercise, namespace, shell)]
    if not found:
        _say(shell, "No exercise is defined here yet: run the cell of a stub first.")
        return
    scores = [_checked(exercise, bench, namespace, shell) for exercise in _with_progress(found, shell)]
    _show(shell, link_consequences(scores, bench.course.exercises), hints)


@lru_cache(maxsize=4)
def _bench(course: str) -> Bench:
    """The course laid out for the public seed, kept for the next check of the session."""
    return Bench(load_course(course), PUBLIC_SEED)


def _checked(exercise: Exercise, bench: Bench, namespace: dict[str, Any], shell: Any) -> ExerciseScore:
    prepared = bench.prepared(exercise)
    stub = _stub(exercise, namespace, shell)
    asked = Check(
        exercise=exercise.id,
        cell=_YOURS,
        needs=exercise.needs,
        programs=tuple(one.case.program for one in prepared),
        autograd=exercise.autograd,
        source=stub.source if exercise.rerun else None,
    )
    if FORKS:
        seconds = exercise.time_limit or Limits().check_s
        runs = run_in_fork(asked, namespace, shell=shell, seconds=seconds)
    else:
        runs = run_in_process(asked, namespace, shell=shell)
    score = score_exercise(gather(exercise, prepared, runs, stub))
    return replace(score, cell=None, line=None)


# ---------------------------------------------------------------------------------------- what is there


def _shell() -> Any:
    """IPython's shell, where this runs in one."""
    ipython = sys.modules.get("IPython")
    return None if ipython is None else ipython.get_ipython()


def _missing(exercise: Exercise, namespace: Mapping[str, Any], shell: Any) -> str:
    """The first thing that a check of the exercise needs and that is not there; empty where nothing is missing."""
    if exercise.rerun:
        return "" if _cell_source(exercise, shell) else "the cell of " + exercise.id
    home = namespace.get("__name__")
    for name in exercise.needs:
        if getattr(namespace.get(name), "__module__", home) != home or name not in namespace:
            return name
    return ""


def _stub(exercise: Exercise, namespace: Mapping[str, Any], shell: Any) -> Stub:
    """The student's source, as far as Python still knows it: it helps the diagnosis and is not needed for a verdict."""
    if exercise.rerun:
        return Stub(exercise.id, _YOURS, 1, _cell_source(exercise, shell), "name")
    try:
        lines, first = inspect.getsourcelines(namespace[exercise.needs[0]])
    except (OSError, TypeError, IndexError):
        return Stub(exercise.id, _YOURS, 1, "", "name")
    return Stub(exercise.id, _YOURS, max(1, first), "".join(lines), "name")


def _cell_source(exercise: Exercise, shell: Any) -> str:
    """The last cell run that assigns everything the exercise reads; empty where there is none."""
    wanted = [exercise.reads.get(check, check) for check in exercise.points]
    history = [] if shell is None else shell.history_manager.input_hist_raw
    return next((cell for cell in reversed(history) if all(f"{name} =" in cell for name in wanted)), "")


def _unknown(name: str, bench: Bench) -> str:
    near = difflib.get_close_matches(str(name), bench.course.exercises, n=3, cutoff=0.5)
    known = f"Did you mean {' or '.join(near)}?" if near else f"There are {', '.join(bench.course.exercises)}."
    return f"There is no exercise {name!r} in the course {bench.course.name!r}. {known}"


# -------------------------------------------------------------------------------------------- what is shown


def _rich_output(shell: Any) -> bool:
    """Whether the front end shows HTML: a notebook's kernel does, IPython's terminal does not."""
    return shell is not None and getattr(shell, "kernel", None) is not None


def _say(shell: Any, text: str) -> None:
    _publish(shell, f"<p>{_escaped(text)}</p>", text + "\n")


def _show(shell: Any, scores: Iterable[ExerciseScore], hints: Hints) -> None:
    scores = tuple(scores)
    console = Console(file=io.StringIO(), width=_WIDTH, force_terminal=sys.stdout.isatty(), legacy_windows=False)
    console.print(exercises_text(scores, hints))
    html = exercises_html(scores, hints) if _rich_output(shell) else ""
    _publish(shell, html, console.file.getvalue())  # type: ignore[attr-defined]


def _publish(shell: Any, html: str, text: str) -> None:
    if _rich_output(shell):
        from IPython.display import display

        display({"text/html": html, "text/plain": text.rstrip()}, raw=True)
    else:
        sys.stdout.write(text)


def _escaped(text: str) -> str:
    from html import escape

    return escape(text)


def _with_progress(exercises: list[Exercise], shell: Any) -> Iterable[Exercise]:
    """The exercises one by one, with a bar that is gone when all are done."""
    if not _rich_output(shell):
        from rich.progress import track

        yield from track(exercises, "checking", transient=True, disable=not sys.stdout.isatty())
        return
    from IPython.display import HTML, display

    bar = display(HTML(""), display_id=True)
    for number, exercise in enumerate(exercises):
        label = f"checking {_escaped(exercise.id)}"
        bar.update(HTML(f'<progress max="{len(exercises)}" value="{number}"></progress> {label}'))
        yield exercise
    bar.update(HTML(""))
