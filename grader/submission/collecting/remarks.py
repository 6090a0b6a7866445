"""What the operator should know of the paths that were named, beyond what any student's entry says."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from grader.names.enumeration import count_of, first_of
from grader.names.notebooks import kind_of_notebook
from grader.names.visible import files_of
from grader.submission.attribution.file_names import is_version
from grader.submission.attribution.folder_names import SHEET, is_part
from grader.submission.attribution.naming import is_from_platform
from grader.submission.collecting.listing import Listing
from grader.submission.entry import Entry
from grader.submission.files.finding import hidden_with_notebooks
from grader.submission.files.printable import printable


def remarks_on(
    paths: Sequence[Path],
    listings: Sequence[Listing],
    twins: Sequence[str],
    entries: Sequence[Entry],
    repeats: Sequence[Entry],
) -> tuple[str, ...]:
    """What was named twice, which hidden folders hold notebooks that nobody looks at, and who may be several students.

    Also what lies beside a notebook that was named by itself, in whatever folder that is: its code can show it.
    ``twins`` are the archives that were skipped because all that they hold also lies unpacked beside them, ``repeats``
    what was skipped because an equal one is among the ``entries``.
    """
    remarks = [*_overlaps([path.resolve() for path in paths]), hidden_in(listings), _twice(twins), _again(repeats)]
    remarks.append(_crowded([*entries, *repeats]))
    remarks += [_found_beside(entry) for entry in entries]
    return tuple(dict.fromkeys(filter(None, remarks)))


def hidden_in(listings: Sequence[Listing]) -> str:
    """Which folders at the top of these are passed over, although there are notebooks in them; maybe empty."""
    roots = dict.fromkeys(listing.root for listing in listings if not listing.siblings)
    names = [printable(name) for root in roots for name in hidden_with_notebooks(root)]
    if not names:
        return ""
    are = f"{count_of(len(names), 'hidden folder')} with notebooks {'is' if len(names) == 1 else 'are'} passed over"
    return f"{are}: {first_of(names)}; rename what is a student's, so that it does not begin with a dot"


def _twice(twins: Sequence[str]) -> str:
    """Which archives are passed over; maybe empty."""
    if not twins:
        return ""
    what, them = ("1 archive is", "it") if len(twins) == 1 else (f"{len(twins)} archives are", "them")
    names = first_of([*map(printable, twins)])
    return f"{what} passed over, for all that is in {them} lies unpacked beside {them}: {names}"


def _again(repeats: Sequence[Entry]) -> str:
    """Which notebooks are passed over since their students handed in the same elsewhere; maybe empty."""
    if not repeats:
        return ""
    what, their = (
        ("1 notebook is", "its student has")
        if len(repeats) == 1
        else (f"{len(repeats)} notebooks are", "their students have")
    )
    names = first_of([entry.shown_path for entry in repeats])
    return f"{what} passed over, for {their} another that is equal, with equal files beside it: {names}"


def _crowded(entries: Sequence[Entry]) -> str:
    """Who has one notebook in several folders that are called like people, not like versions; maybe empty."""
    folders: defaultdict[tuple[str, str, Path], dict[str, None]] = defaultdict(dict)
    for entry in entries:
        parts = entry.shown_path.replace("!", "/").split("/")
        if entry.notebook and entry.refused is None and len(parts) > 2 and not _is_no_persons(parts[-2]):
            place = entry.student, kind_of_notebook(entry.notebook), entry.path.parent.parent
            folders[place][parts[-2]] = None
    found = {student: [*names] for (student, _, _), names in folders.items() if len(names) > 1}
    if not found:
        return ""
    student, names = next(iter(found.items()))
    others = f" and {count_of(len(found) - 1, 'other')}" if len(found) > 1 else ""
    return (
        f"{student}{others} may be no student: the same notebook lies in the folders {first_of(names)}; if "
        "these are called after students, name the folders around them, or what is whose by --student-pattern"
    )


def _found_beside(entry: Entry) -> str:
    """Which files a notebook that was named by itself finds; maybe empty."""
    beside = [assets for assets in entry.assets if not assets.below and assets.names is None]
    names = [printable(name) for name, _ in files_of(beside) if name != entry.path.name]
    if not names:
        return ""
    return (
        f"{entry.shown_path} finds what lies beside it, and can show it: {first_of(names)}; if that is not all "
        "the student's, put the notebook into a folder of its own"
    )


def _is_no_persons(folder: str) -> bool:
    """Whether a folder is called like a version, a part of a class, a sheet, or a student's attempt by a platform."""
    return is_version(folder) or is_part(folder) or is_from_platform(folder) or SHEET.fullmatch(folder) is not None


def _overlaps(paths: Sequence[Path]) -> Iterator[str]:
    named, before = frozenset(paths), set[Path]()
    for path in paths:
        shown = printable(path.name or str(path))
        if path in before:
            yield f"{shown} is named twice"
        before.add(path)
        around = next((folder for folder in path.parents if folder in named), None)
        if around is not None:
            yield (
                f"{shown} lies in {printable(around.name or str(around))}, which is named too: each notebook there is "
                "graded once, for whom the first of the two says"
            )
