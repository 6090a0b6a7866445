"""Trusted code on the exercises' own cases, in this process: what ``validate`` and the tests rehearse with.

The very harness that runs in a student's kernel binds the inputs, runs the call and reads the answers; only the
kernel and the sandbox around it are missing. Never for submissions.

A first time runs apart, in a fork: there it is seen whether an answer uses autograd, and one that never ends is ended.
Further times run here, which is quicker.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Sequence
from typing import Any

from grader.judge.cases import Prepared
from grader.kernel import exchange, local, programs, results
from grader.kernel.program import Namespace, ProgramRun
from grader.model import CaseRun, Check, Exercise, Limits

_LIMITS = Limits()


def namespace_of(cells: Iterable[str], given: Iterable[str] = ()) -> dict[str, Any]:
    """What a notebook's namespace holds after its ``cells``; of the ``given`` ones only imports and definitions run."""
    space: dict[str, Any] = {"__name__": "__main__", "__builtins__": builtins, "check": lambda *names, **options: None}
    for source in given:
        kept = [node for node in ast.parse(source).body if _defines(node)]
        exec(compile(ast.Module(list(kept), []), "<given>", "exec"), space)  # noqa: S102 - the course's own code
    for source in cells:
        exec(compile(source, "<solution>", "exec"), space)  # noqa: S102
    return space


def _defines(node: ast.stmt) -> bool:
    if isinstance(node, ast.ImportFrom):
        return node.module != "grader"  # ``check`` is given
    return isinstance(node, ast.Import | ast.FunctionDef | ast.ClassDef)


class Rehearsal:
    """The cases of one exercise, ready to be run again and again against different answers."""

    def __init__(self, exercise: Exercise, prepared: Sequence[Prepared]) -> None:
        self.exercise = exercise
        self.prepared = tuple(prepared)
        self._encoded = [programs.encode(one.case.program) for one in self.prepared]

    def run_apart(self, space: dict[str, Any], source: str = "") -> tuple[CaseRun, ...]:
        """As ``run``, in a fork: within the exercise's time, and under the watch for autograd."""
        if not local.FORKS:
            return self.run(space, source)
        check = Check(
            exercise=self.exercise.id,
            cell=0,
            needs=self.exercise.needs,
            programs=tuple(one.case.program for one in self.prepared),
            autograd=self.exercise.autograd,
            source=source if self.exercise.rerun else None,
        )
        return local.run_in_fork(check, space, seconds=self.exercise.time_limit or _LIMITS.check_s)

    def run(self, space: dict[str, Any], source: str = "") -> tuple[CaseRun, ...]:
        """Each case run in the namespace ``space``, which is left as it was; ``source`` is the cell of a ``rerun``."""
        before = dict(space)
        shell = local.PlainShell(space)
        namespace = Namespace(shell, list(self.exercise.needs), source, lambda number: "<cell>", _LIMITS.printed)
        runs = []
        for one, encoded in zip(self.prepared, self._encoded, strict=True):
            tensors, about = exchange.decode(encoded)
            kept, outcome = ProgramRun(namespace, about, tensors, None).run()
            kept = {name: tensor.detach() for name, tensor in kept.items()}
            run, _ = results.case_run(one.case.program, kept, outcome, lambda request: None)
            runs.append(run)
        space.clear()
        space.update(before)
        return tuple(runs)
