"""A cache of scores, for a class hands in the same answers over and over.

What an exercise scores depends on what its check sent back, and on nothing else of the submission but its stub: where
that stands, and, where points are lost or something was raised, what it says, for a diagnosis may name a line of it.
``grader.kernel.host.resultreader.Reader`` gives the same bytes as the same objects, by which they are known here.
"""

from __future__ import annotations

from grader.judge.cases import Prepared
from grader.judge.evidence import gather
from grader.judge.score import score_exercise, with_stub
from grader.model import CaseRun, Exercise, ExerciseScore, Stub
from grader.recent import Recent

#: Scores that are remembered, the oldest goes first; and bytes of tensors in each run of one. Runs that hold more are
#: read anew each time (``kernel.host.resultreader``): a score of them would be kept, tensors and all, for nothing.
_MOST, _SMALL = 500, 8192


class Verdicts:
    """The scores of one run: of one course, for one seed."""

    def __init__(self) -> None:
        self._known: Recent[tuple[object, ...], tuple[tuple[CaseRun, ...], ExerciseScore]] = Recent(_MOST)

    def score(
        self, exercise: Exercise, prepared: tuple[Prepared, ...], runs: tuple[CaseRun, ...], stub: Stub
    ) -> ExerciseScore:
        """Judge what ``exercise``'s check sent back, unless that very thing was judged before."""
        key = (exercise.id, *(id(run) for run in runs))
        known = self._known.get(key) or self._known.get((stub, *key))
        if known is not None:
            return with_stub(known[1], stub)
        score = score_exercise(gather(exercise, prepared, runs, stub))
        if all(_size(run) <= _SMALL for run in runs):
            raised = any(run.ended != "returned" or any(run.errors.values()) for run in runs)
            key = key if score.status == "passed" and not raised else (stub, *key)
            self._known.keep(key, (runs, score))  # with the runs, whose identities would else be given to others
        return score


def _size(run: CaseRun) -> int:
    """Bytes of all tensors of ``run``."""
    captured = [capture.tensor for capture in run.captures.values() if capture.tensor is not None]
    return sum(tensor.nbytes for tensor in (*captured, *run.inputs.values(), *run.extras.values()))
