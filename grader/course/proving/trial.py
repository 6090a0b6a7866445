"""What each answer to an exercise gives on the cases of one seed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from grader.course.proving.answers import Answers
from grader.course.proving.habits import Habit
from grader.course.proving.rehearsal import Rehearsal
from grader.course.specimens import Specimen
from grader.judge.diagnosis.calls.endings import has_open_cell
from grader.judge.evidence import Evidence, gather
from grader.kernel.local import names_restored
from grader.model import CaseRun, Stub


@dataclass(frozen=True)
class Trial:
    """The cases of one seed, on which answers are run.

    With ``apart`` each runs in a fork of its own, where autograd and endless loops are noticed (``Rehearsal``).
    """

    rehearsal: Rehearsal
    answers: Answers
    apart: bool = False

    def evidence(self, runs: tuple[CaseRun, ...]) -> Evidence:
        """What the runs show."""
        return gather(self.rehearsal.exercise, self.rehearsal.prepared, runs)

    def solution(self) -> Evidence:
        """The solution on all cases."""
        return self.evidence(self._runs(self.answers.solved, self.answers.solution))

    def stub(self) -> Evidence:
        """The released stub on all cases."""
        source, exercise = self.answers.stub, self.rehearsal.exercise
        runs = self._runs(self.answers.released, source)
        # Where its cell defines nothing, only its source tells that it is a stub.
        stub = Stub(exercise.id, 0, 1, source, "metadata") if has_open_cell(source) else None
        return gather(exercise, self.rehearsal.prepared, runs, stub)

    def _runs(self, space: dict[str, Any], source: str) -> tuple[CaseRun, ...]:
        run = self.rehearsal.run_apart if self.apart else self.rehearsal.run
        return run(space, source)

    def specimen(self, specimen: Specimen) -> Evidence:
        """A written answer on all cases, in place of the solution's, which it may call as ``solution``."""
        with self._instead(specimen.answer) as space:
            return self.evidence(self._runs(space, specimen.source))

    def habit(self, habit: Habit) -> Evidence:
        """The solution under a habit on all cases; never apart, for it notes here whether it was met."""
        with self._instead(habit.answer) as space:
            return self.evidence(self.rehearsal.run(space))

    @contextmanager
    def _instead(self, answer: Any) -> Iterator[dict[str, Any]]:
        """The solved notebook's namespace with ``answer`` in place of the solution's."""
        space, name = self.answers.solved, self.rehearsal.exercise.id
        with names_restored(space):
            space.update({"solution": space.get(name), name: answer})
            yield space
