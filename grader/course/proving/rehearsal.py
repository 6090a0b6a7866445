"""Running trusted answers on an exercise's cases in this process, for ``grader validate`` and the tests.

The very harness that runs in a student's kernel binds the inputs, runs the call and reads the answers; only the
kernel and the sandbox around it are missing. Never for submissions.

A first time runs apart, in a fork: there it is seen whether an answer uses autograd, and one that never ends is ended.
Further times run here, which is quicker.
"""

from __future__ import annotations

import ast
import builtins
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import chdir, contextmanager, suppress
from pathlib import Path
from typing import Any

from grader.cell_code import masked, parsed
from grader.judge.cases import Prepared, check_of
from grader.kernel import local
from grader.kernel.check.program import Namespace, ProgramRun
from grader.kernel.protocol import exchange, programs, results
from grader.model import CaseRun, Exercise, Limits

_LIMITS = Limits()


@contextmanager
def in_folder_of(notebook: Path) -> Iterator[None]:
    """Where Jupyter runs a notebook: its folder is the working directory, and first where modules are looked for."""
    place = str(notebook.parent.resolve())
    with chdir(place):
        sys.path.insert(0, place)
        try:
            yield
        finally:
            sys.path.remove(place)


def namespace_of(cells: Mapping[str, str], given: Iterable[str] = ()) -> dict[str, Any]:
    """What a notebook's namespace holds after its ``cells``, of which stubs may end in ``NotImplementedError``.

    ``cells`` are sources by the names that tracebacks call them. Of the ``given`` ones only imports, definitions and
    assignments run, before the ``cells``: an assignment that fails, for it calls what is not there yet, is passed over.
    """
    space: dict[str, Any] = {"__name__": "__main__", "__builtins__": builtins, "check": lambda *names, **options: None}
    for source in given:
        for node in (parsed(source) or ast.parse(masked(source))).body:
            if _defines(node):
                _run(node, space)
            elif isinstance(node, ast.Assign | ast.AnnAssign):
                with suppress(Exception):
                    _run(node, space)
    for name, source in cells.items():
        with suppress(NotImplementedError):
            exec(compile(source, name, "exec"), space)  # noqa: S102 - the course's own code
    return space


def _defines(node: ast.stmt) -> bool:
    if isinstance(node, ast.ImportFrom):
        return node.module != "grader"  # ``check`` is given
    return isinstance(node, ast.Import | ast.FunctionDef | ast.ClassDef)


def _run(node: ast.stmt, space: dict[str, Any]) -> None:
    exec(compile(ast.Module([node], []), "<given>", "exec"), space)  # noqa: S102 - the course's own code


class Rehearsal:
    """The cases of one exercise, ready to be run again and again against different answers.

    ``file`` is the name by which the answers were compiled, and ``cell`` the number of the cell that errors are put in.
    """

    def __init__(
        self, exercise: Exercise, prepared: Sequence[Prepared], file: str = "<cell>", cell: int | None = None
    ) -> None:
        self.exercise = exercise
        self.prepared = tuple(prepared)
        self._file, self._cell = file, cell
        self._encoded = [programs.encode(one.case.program) for one in self.prepared]

    def run_apart(self, space: dict[str, Any], source: str = "") -> tuple[CaseRun, ...]:
        """As ``run``, in a fork: within the exercise's time, and under the watch for autograd."""
        if not local.FORKS:
            return self.run(space, source)
        cases = tuple(one.case.program for one in self.prepared)
        return local.run_in_fork(check_of(self.exercise, cases, 0, source), space)

    def run(self, space: dict[str, Any], source: str = "") -> tuple[CaseRun, ...]:
        """Each case run in the namespace ``space``, which is left as it was; ``source`` is the cell of a ``rerun``.

        Raises ``KeyboardInterrupt`` when the user interrupts.
        """
        shell = local.PlainShell(space)
        namespace = Namespace(shell, list(self.exercise.needs), source, lambda number: self._file, _LIMITS.printed)
        runs = []
        with local.names_restored(space):
            for one, encoded in zip(self.prepared, self._encoded, strict=True):
                tensors, about = exchange.decode(encoded)
                kept, outcome = ProgramRun(namespace, about, tensors, None).run()
                kept = {name: tensor.detach() for name, tensor in kept.items()}
                run, _ = results.case_run(one.case.program, kept, outcome, lambda request: self._cell)
                runs.append(local.not_interrupted(run))
        return tuple(runs)
