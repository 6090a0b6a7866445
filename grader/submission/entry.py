"""What passes between collecting and reading: an entry handed in, and what is wanted of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from grader.model import Assets


@dataclass(frozen=True, slots=True)
class Wanted:
    """What has to be known of an exercise to find its answer in a notebook.

    ``needs`` are the names (functions or classes) that must be defined, all of them. An exercise whose answer is one
    cell that assigns variables has no ``needs``; ``cell_assigns`` names the variables. ``notebook`` is the stem of the
    course's notebook that asks for it, ``"03_backprop"``. ``handed_out`` are the fingerprints of its stubs.
    """

    exercise: str
    needs: tuple[str, ...]
    cell_assigns: tuple[str, ...] = ()
    notebook: str = ""
    handed_out: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing handed in: a notebook, or something that should have been one.

    ``student`` and ``shown_path`` are printable whatever bytes the file name has. ``notebook`` is a file name without
    the student's part (``"03_backprop.ipynb"``), empty where there is none. ``path`` is the notebook, or the folder
    that holds none. ``assets`` are the files that belong to the notebook, none of them another student's. ``refused``
    says why the entry must not be opened; ``number`` is the one by which a platform's download knows the student, empty
    where there is none. ``within`` is the other student in whose folder it lies, empty where it lies in nobody's.
    """

    student: str
    notebook: str
    path: Path
    shown_path: str
    assets: tuple[Assets, ...] = ()
    refused: str | None = None
    flags: tuple[str, ...] = ()
    number: str = ""
    within: str = ""


@dataclass(frozen=True, slots=True)
class Collection:
    """The entries found, sorted by student, notebook and path.

    ``remarks`` are what the operator should know of the paths that were named.
    """

    entries: tuple[Entry, ...]
    remarks: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)
