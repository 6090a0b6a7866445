"""Whoever hands in hundreds of notebooks must not hold up a class: how many are graded, and when.

The limits of time are a notebook's, so those of one student may run for hours, one after the other. Nobody else waits
for that: everybody's first notebook of a kind is graded before anybody's second. The run as a whole still ends later.
What lies in a student's folder under other names counts as that student's here, who may have made them up.
"""

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
        of_student[entry.within or entry.student].append(entry)
    left_out: set[int] = set()
    flagged: dict[int, str] = {}
    for some in of_student.values():
        if len(some) <= most:
            continue
        ordered = sorted(some, key=lambda entry: (entry.within != "", not stems_in(entry.notebook, known)))
        rest = ordered[most:]
        left_out.update(map(id, rest))
        names = first_of([entry.shown_path for entry in rest])
        whose = " or in their folder" if ordered[-1].within else ""
        told = f"{len(some):,} notebooks by this student{whose}, at most {most} are graded; not {names}"
        flagged[id(ordered[0])] = told
    return [
        replace(entry, flags=(*entry.flags, flagged[id(entry)])) if id(entry) in flagged else entry
        for entry in entries
        if id(entry) not in left_out
    ]


def turns(entries: Sequence[Entry], known: Sequence[str]) -> list[int]:
    """For each entry its turn: how many of the same student and kind come before it.

    The kinds are the course's notebooks, ``known``; all that are called like none of them are one kind.
    """
    kinds: dict[str, str] = {}
    before: defaultdict[tuple[str, str], int] = defaultdict(int)
    found = []
    for entry in entries:
        if entry.notebook not in kinds:
            kinds[entry.notebook] = min(stems_in(entry.notebook, known), default="")
        of_kind = entry.within or entry.student, kinds[entry.notebook]
        found.append(before[of_kind])
        before[of_kind] += 1
    return found
