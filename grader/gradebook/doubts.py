"""Which rulings may not be right any more, and why: a human looks at them again, nothing is changed.

A ruling is on one answer, as it was graded then. It no longer counts where its student handed in another notebook or is
called otherwise, or the exercise came to be worth less; it counts for nothing where another notebook of the student has
more; and it may be wrong where the grader finds other points in the same answer than it did, as of a mended exercise.
A comment can only be lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from grader.gradebook.overrides import Ruling
from grader.model import ExerciseScore, RunReport, SubmissionReport
from grader.names.enumeration import first_of
from grader.report.counting.row import Row, rows_of
from grader.report.words.numbers import points, points_of

#: Those of the first four do not count.
Kind = Literal["nobody", "replaced", "less", "waiting", "outdone", "changed"]
#: What is remarked on rulings after each run, before and behind their names; of those that wait, nothing.
_REMARKS: dict[tuple[Kind, ...], tuple[str, str]] = {
    ("nobody",): (
        "ruled, and nobody in this run handed in under that name",
        "`grader override` rules under the name of now, and --withdraw takes back what is under the old one",
    ),
    ("replaced", "less"): (
        "ruled, and not counted since the notebook was replaced or the course changed",
        "`grader override` rules again, or withdraws",
    ),
    ("outdone",): (
        "ruled, and another notebook of the student counts",
        "`grader override` again rules on that one too, or withdraws",
    ),
    ("changed",): (
        "ruled, and graded otherwise since",
        "`grader override` rules again, the same if it is, or withdraws",
    ),
}
#: So many rulings are named in a remark.
_NAMED = 6


@dataclass(frozen=True, slots=True)
class Doubt:
    """That a ruling may not be right any more; ``detail`` says what is in its place, or what has changed."""

    ruling: Ruling
    kind: Kind
    detail: str = ""

    def __str__(self) -> str:
        """The ruling, and the detail."""
        return f"{self.ruling} ({self.detail})" if self.detail else str(self.ruling)


def doubts_in(rulings: Sequence[Ruling], run: RunReport) -> tuple[Doubt, ...]:
    """What there is to doubt of the ``rulings``, of which ``run`` has those that hold.

    There is nothing to doubt of one that does not count once another does in its place: on the student's notebook of
    now, or on the same notebook under the name that the student has now.
    """
    rows = {row.student: row for row in rows_of(run)}
    owners: dict[str, dict[str, None]] = {}
    for entry in run.submissions:
        owners.setdefault(entry.sha256, {})[entry.student] = None
    ruled = {one.answer for one in rulings}
    found: list[Doubt] = []
    for one in rulings:
        if one.student in rows:
            found += _doubts_on(one, rows[one.student])
            continue
        heirs = [*owners.get(one.sha256, ())] if one.sha256 else []
        if not any((heir, one.exercise, one.sha256) in ruled for heir in heirs):
            whose = f"the same notebook is there, of {first_of(heirs, separator='; ')}" if heirs else ""
            found.append(Doubt(one, "nobody", whose))
    return tuple(found)


def _doubts_on(ruling: Ruling, row: Row) -> list[Doubt]:
    """The doubts on a ruling whose student is in the run."""
    answers = [(entry, one) for entry in row.entries for one in entry.exercises if one.id == ruling.exercise]
    ruled = [(entry, one) for entry, one in answers if one.override or one.comment]
    held = [(entry, one) for entry, one in ruled if entry.sha256 == ruling.sha256]
    if ruled and not held:
        return []
    if not held:
        there = [entry for entry in row.entries if entry.sha256 == ruling.sha256]
        waits = any(entry.status == "not_assigned" for entry in there)
        return [Doubt(ruling, "waiting" if waits else "less" if there else "replaced")]
    if ruling.score is None:
        return []
    changes = [_changes(ruling, entry, one) for entry, one in held]
    doubts = [Doubt(ruling, "changed", changes[0])] if all(changes) else []
    counted = row.exercises.get(ruling.exercise)
    if counted is not None and counted.override is None and counted.score > ruling.score:
        where = next(entry for entry, one in answers if one is counted)
        doubts.append(Doubt(ruling, "outdone", f"{where.path} has {points(counted.score)}"))
    return doubts


def _changes(ruling: Ruling, entry: SubmissionReport, exercise: ExerciseScore) -> str:
    """What has changed of an answer since it was ruled on; empty where nothing has, or it is not known."""
    changes = []
    if ruling.possible is not None and exercise.override is not None:
        before = points_of(ruling.graded, ruling.possible)
        now = points_of(exercise.override.graded, exercise.possible)
        if before != now:
            changes.append(f"the grader gave {before}, and gives {now} now")
    if ruling.files and entry.files and ruling.files != entry.files:
        changes.append("the files beside the notebook are others")
    return "; ".join(changes)


def remarks_on(doubts: Sequence[Doubt]) -> tuple[str, ...]:
    """What the operator is told after a run: for each kind of doubt the first rulings, and what to do."""
    named = {kinds: [str(one) for one in doubts if one.kind in kinds] for kinds in _REMARKS}
    return tuple(
        f"{what}: {first_of(named[kinds], _NAMED, '; ')}; {remedy}"
        for kinds, (what, remedy) in _REMARKS.items()
        if named[kinds]
    )
