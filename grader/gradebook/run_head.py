"""What the gradebook records when a run begins: its settings, and what it was given to grade."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, field

from grader.gradebook.overrides import answerable, not_handed_in
from grader.model import Hints, SubmissionReport, Task


@dataclass(frozen=True, slots=True)
class RunSettings:
    """What holds for a whole run and stands at the head of ``report.json``."""

    grader_version: str
    course: str
    seed: int
    torch_version: str
    sandbox: str


@dataclass(frozen=True, slots=True)
class RunHead:
    """A run as it began: ``submissions`` is how many it was given, None where an older grader did not say.

    ``assigned`` are the exercises that count, with their points, ``absent`` those of the class who handed in nothing,
    ``tasks`` the exercises that may be ruled on where nothing was graded; ``course_digest`` is a hash of all that the
    course was made of, ``limits`` what a submission was allowed (``model.Limits``), empty where an older grader did not
    say. ``hints`` is how much help the pages give, ``missed`` what the run before told not to be in it. ``since`` is
    the number of the last run before that was not interrupted, 0 where there was none, or an older grader did not say.
    """

    settings: RunSettings
    submissions: int | None
    assigned: Mapping[str, float] = field(default_factory=dict)
    absent: tuple[str, ...] = ()
    tasks: tuple[Task, ...] = ()
    course_digest: str = ""
    limits: Mapping[str, float] = field(default_factory=dict)
    hints: Hints = "nudge"
    missed: tuple[str, ...] = ()
    since: int = 0

    def text(self) -> str:
        """The head as ``read`` reads it."""
        given = {
            "submissions": self.submissions,
            "assigned": dict(self.assigned),
            "absent": self.absent,
            "tasks": [astuple(task) for task in self.tasks],
            "course_digest": self.course_digest,
            "limits": dict(self.limits),
            "hints": self.hints,
            "missed": self.missed,
            "since": self.since,
        }
        return json.dumps({**asdict(self.settings), **given})

    @classmethod
    def read(cls, text: str) -> RunHead:
        """The head that ``text`` is; one by an older grader says less.

        Raises:
            AttributeError, TypeError, ValueError: it is none.
        """
        head = json.loads(text)
        submissions, assigned = head.pop("submissions", None), head.pop("assigned", {})
        absent, tasks = tuple(head.pop("absent", ())), tuple(Task(*task) for task in head.pop("tasks", ()))
        digest, limits, hints = head.pop("course_digest", ""), head.pop("limits", {}), head.pop("hints", "nudge")
        missed, since = tuple(head.pop("missed", ())), head.pop("since", 0)
        return cls(RunSettings(**head), submissions, assigned, absent, tasks, digest, limits, hints, missed, since)

    def missing(self, submissions: Sequence[SubmissionReport]) -> tuple[SubmissionReport, ...]:
        """What was assigned and is in nothing that a student handed in, to be ruled on.

        Where nothing was assigned, a student who is absent lacks every notebook that anybody else handed in.
        """
        notebooks = self._notebooks(submissions)
        asked = [task for task in self.tasks if task.notebook in notebooks] or self.tasks
        found = [one for student in self.absent for one in not_handed_in(student, asked)]
        for student in dict.fromkeys(one.student for one in submissions if self.assigned):
            own = [answerable(one, self.tasks) for one in submissions if one.student == student]
            seen = {exercise.id for one in own for exercise in one.exercises}
            lacking = [task for task in asked if task.id not in seen]
            found += not_handed_in(student, lacking, "it was not found in what was handed in")
        return tuple(found)

    def subject(self, submissions: Iterable[SubmissionReport]) -> str:
        """What was graded: the notebook of the course where it was one, such as this week's, else the course."""
        notebooks = self._notebooks(submissions)
        return notebooks.pop() if len(notebooks) == 1 else self.settings.course

    def _notebooks(self, submissions: Iterable[SubmissionReport]) -> set[str]:
        """Those that were assigned or, where none was, of which anybody handed in anything."""
        seen = {exercise.id for one in submissions for exercise in one.exercises} | {*self.assigned}
        return {task.notebook for task in self.tasks if task.id in seen}
