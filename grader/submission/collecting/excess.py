"""The limit on the notebooks of one student: whoever hands in hundreds must not hold up a class."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from grader.names.enumeration import first_of
from grader.submission.attribution.file_names import stems_in
from grader.submission.entry import Entry


def without_excess(entries: Sequence[Entry], most: int, known: Sequence[str]) -> list[Entry]:
    """``entries`` with at most ``most`` of each student: first those called like one of the course's, ``known``.

    The first of them is flagged with how many there were, and with what was left out.
    """
    of_student: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        of_student[entry.student].append(entry)
    left_out: set[int] = set()
    flagged: dict[int, str] = {}
    for some in of_student.values():
        if len(some) <= most:
            continue
        ordered = sorted(some, key=lambda entry: not stems_in(entry.notebook, known))
        rest = ordered[most:]
        left_out.update(map(id, rest))
        names = first_of([entry.shown_path for entry in rest])
        flagged[id(ordered[0])] = f"{len(some):,} notebooks by this student, at most {most} are graded; not {names}"
    return [
        replace(entry, flags=(*entry.flags, flagged[id(entry)])) if id(entry) in flagged else entry
        for entry in entries
        if id(entry) not in left_out
    ]
