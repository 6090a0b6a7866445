"""What a submission may be, and how much of it archives have used up."""

from __future__ import annotations

from dataclasses import dataclass, field

from grader.cell_code import MOST_CODE
from grader.submission.files.regular_file import TooLarge


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
    folders_left: int = field(init=False)

    def __post_init__(self) -> None:
        self.bytes_left = self.limits.unpacked_bytes
        self.entries_left = self.folders_left = self.limits.archive_entries

    def count_entry(self) -> None:
        """Count one entry of an archive; refuse it past the limit."""
        self.entries_left -= 1
        if self.entries_left < 0:
            raise TooLarge(f"the archive holds more than {self.limits.archive_entries} files")

    def count_folder(self) -> None:
        """Count a folder that is made, of which one entry can need a hundred; refuse the archive past the limit."""
        self.folders_left -= 1
        if self.folders_left < 0:
            raise TooLarge(f"the archive holds more than {self.limits.archive_entries} folders")

    def count_bytes(self, size: int) -> None:
        """Count bytes unpacked; refuse the archive past the limit."""
        self.bytes_left -= size
        if self.bytes_left < 0:
            raise TooLarge(f"the archive unpacks to more than {self.limits.unpacked_bytes / 1024**2:.0f} MB")
