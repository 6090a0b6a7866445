"""What passes between collecting and reading: an entry handed in, what is wanted of it, and the limits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType

from grader.submission.cell_code import MOST_CODE
from grader.submission.regular_file import TooLarge


@dataclass(frozen=True, slots=True)
class CollectLimits:
    """What a submission may be. Sizes in bytes.

    ``notebook_bytes``, ``cells`` and ``code`` (its characters) bound one notebook. ``unpacked_bytes`` and
    ``archive_entries`` bound all archives of one student together, archives inside archives included. They also bound
    an archive that holds a class; the archives in it count anew for each student, so that one student's bomb is refused
    without the others. ``files`` bounds how many files are looked at below each folder of a path, ``notebooks`` how
    many of one student's are graded.
    """

    notebook_bytes: int = 25 * 1024**2
    cells: int = 2_000
    code: int = MOST_CODE
    unpacked_bytes: int = 500 * 1024**2
    archive_entries: int = 10_000
    files: int = 200_000
    notebooks: int = 100


@dataclass
class Allowance:
    """How much archives may still unpack to, all that it is given for together."""

    limits: CollectLimits
    bytes_left: int = field(init=False)
    entries_left: int = field(init=False)

    def __post_init__(self) -> None:
        self.bytes_left = self.limits.unpacked_bytes
        self.entries_left = self.limits.archive_entries

    def count_entry(self) -> None:
        """Count one entry of an archive; refuse it past the limit."""
        self.entries_left -= 1
        if self.entries_left < 0:
            raise TooLarge(f"the archive holds more than {self.limits.archive_entries} files")

    def count_bytes(self, size: int) -> None:
        """Count bytes unpacked; refuse the archive past the limit."""
        self.bytes_left -= size
        if self.bytes_left < 0:
            raise TooLarge(f"the archive unpacks to more than {self.limits.unpacked_bytes / 1024**2:.0f} MB")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What has to be known of an exercise to find its answer in a notebook.

    ``needs`` are the names (functions or classes) that must be defined, all of them. An exercise whose answer is one
    cell that assigns variables has no ``needs``; ``cell_assigns`` names the variables. ``notebook`` is the stem of the
    course's notebook that asks for it, ``"03_backprop"``.
    """

    exercise: str
    needs: tuple[str, ...]
    cell_assigns: tuple[str, ...] = ()
    notebook: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing handed in: a notebook, or something that should have been one.

    ``student`` and ``shown_path`` are printable whatever bytes the file name has. ``notebook`` is a file name without
    the student's part (``"03_backprop.ipynb"``), empty where there is none. ``path`` is the notebook, or the folder
    that holds none. ``assets`` is the folder whose files belong to the notebook, None where it holds other students'
    work too; with ``assets_below`` those in its folders do as well. ``refused`` says why the entry must not be opened;
    ``number`` is the one by which a platform's download knows the student, empty where there is none.
    """

    student: str
    notebook: str
    path: Path
    shown_path: str
    assets: Path | None = None
    assets_below: bool = True
    refused: str | None = None
    flags: tuple[str, ...] = ()
    number: str = ""


@dataclass(frozen=True)
class Collection:
    """The entries found, sorted by student, notebook and path, and the folder that unpacked archives live in.

    ``remarks`` are what the operator should know of the paths that were named.

    A context manager: leaving it removes the unpacked files, so read and grade the entries inside.
    """

    entries: tuple[Entry, ...]
    unpacked: TemporaryDirectory[str] | None = None
    remarks: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def close(self) -> None:
        """Remove what was unpacked; may be called twice."""
        if self.unpacked is not None:
            self.unpacked.cleanup()

    def __enter__(self) -> Collection:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def printable(text: str) -> str:
    r"""Return ``text`` with everything that a terminal or a page could trip over written as an escape.

    >>> printable("ada\n\udcff")
    'ada\\n\\xff'
    """
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else _escaped(character) for character in text)


def _escaped(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is not UTF-8, as os.fsdecode keeps it
        return f"\\x{code - 0xDC00:02x}"
    return character.encode("unicode_escape").decode("ascii")
