"""The errors that the grader raises, for an operator or an author.

What a student's code does wrong is data (``grader.model``), never one of these::

    GraderError
    ├── UsageError            a path, an option or a file that makes no sense
    ├── CourseError           a course or exercise declaration that is broken
    │   └── ReleaseError      a solution notebook that cannot be released
    ├── GradebookError        a gradebook that cannot be opened
    │   └── GradebookBusy     another run is writing it
    ├── SandboxUnavailable    the sandbox asked for does not work on this machine
    └── KernelError           the grader's own kernel machinery failed
"""

from __future__ import annotations


class GraderError(Exception):
    """Base of all. ``remedy`` says what to do next; the command line prints it on a line of its own.

    Both are written as clauses: no capital at the start, no full stop at the end.
    """

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy


class UsageError(GraderError):
    """A path, an option or a file that the operator gave makes no sense."""


class CourseError(GraderError):
    """A course or an exercise declaration is broken.

    ``exercise`` and ``field`` name what, ``place`` is file and line, where known.
    """

    def __init__(self, message: str, *, exercise: str = "", field: str = "", place: str = "", remedy: str = "") -> None:
        what = ", ".join(f"{kind} {name!r}" for kind, name in (("exercise", exercise), ("field", field)) if name)
        told = f"{what}: {message}" if what else message
        super().__init__(f"{told} ({place})" if place else told, remedy=remedy)
        self.exercise = exercise
        self.field = field


class ReleaseError(CourseError):
    """A solution notebook cannot be released: its solution markers do not pair, or it would leak an answer."""


class GradebookError(GraderError):
    """The gradebook cannot be opened or is of another schema version."""


class GradebookBusy(GradebookError):
    """Another run is writing this gradebook."""


class SandboxUnavailable(GraderError):
    """The sandbox that was asked for does not work on this machine."""


class KernelError(GraderError):
    """The grader's own kernel machinery failed; never raised for what student code did."""
