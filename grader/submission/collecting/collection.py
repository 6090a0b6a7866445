"""Who handed in what: from the paths of the command line to a sorted list of entries."""

from __future__ import annotations

import os
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import replace
from pathlib import Path

from grader.errors import UsageError
from grader.names.alphabet import alphabetical
from grader.names.enumeration import few, first_of
from grader.names.notebooks import kind_of_notebook
from grader.submission.attribution.folder_names import nobodys_in
from grader.submission.attribution.gradescope import METADATA
from grader.submission.attribution.naming import classroom_prefix, is_from_platform, without_branches
from grader.submission.attribution.wrapping import is_class_folder
from grader.submission.collecting.belongings import Belongings
from grader.submission.collecting.draft import Draft, draft_of, naming_for
from grader.submission.collecting.excess import without_excess
from grader.submission.collecting.listing import Lister, Listing
from grader.submission.collecting.missing import drafts_of_missing, empty
from grader.submission.collecting.remarks import hidden_in, remarks_on
from grader.submission.collecting.repeats import repeats_in
from grader.submission.entry import Collection, Entry
from grader.submission.files.finding import archive_stem, is_archive, is_notebook
from grader.submission.files.limits import CollectLimits
from grader.submission.files.printable import printable
from grader.submission.files.unpacked import is_openable

_LOOKED_FOR = (
    "looked for notebook.ipynb, student_notebook.ipynb, student/notebook.ipynb, "
    "submitted/student/assignment/notebook.ipynb, assignment-student/notebook.ipynb, submission_17/notebook.ipynb "
    "and archives of these"
)


def collect(
    paths: Sequence[Path],
    *,
    place: Path,
    student_pattern: str | None = None,
    known: Sequence[str] = (),
    skip: Path | None = None,
    limits: CollectLimits = CollectLimits(),  # noqa: B008 - frozen
) -> Collection:
    """Find every submission in ``paths``: notebooks, folders of them in any common layout, archives.

    ``student_pattern`` is a regular expression with a group ``student`` (and, if wanted, ``notebook``) that is matched
    at the start of the posix path relative to the path given; it replaces the rules of ``attribution.naming``.
    ``known`` are the stems of the course's notebooks, which helps to split ``ada_lovelace_03_backprop.ipynb``.
    ``skip`` is a folder that is not looked into: the grades lie there. Archives are unpacked in ``place``, each to a
    folder of its own, and stay there.

    Nothing is opened but archives, and what one student seems to have handed in twice. What must not be opened (links,
    pipes, folders called ``x.ipynb``, damaged archives) becomes an entry with a reason; so does a student's folder
    without a notebook, also where it is one of several ``paths``, or the only one and a repository.

    Raises:
        UsageError: no path given, one that does not exist, no submission in any, a pattern that cannot be used.
    """
    if not paths:
        raise UsageError("no path given", remedy="name notebooks, folders or archives of submissions")
    pattern = _compiled(student_pattern)
    lister = Lister(limits, place, skip.resolve() if skip is not None else None, known)
    own = [path for path in map(Path, paths) if path.name != METADATA] or [*map(Path, paths)]
    own = _without_twins(own, lister)
    listings = _folders_of_students([lister.listed(path, named=len(own) > 1) for path in own])
    drafts = [_drafts(listing, pattern) for listing in listings]
    if not any(drafts) and not (len(listings) == 1 and listings[0].of_one_student):
        raise UsageError(f"no notebook found in {printable(str(paths[0]))}", remedy=hidden_in(listings) or _LOOKED_FOR)
    found = _entries_of_class(listings, drafts)
    repeats = repeats_in(found, limits)
    passed_over = {id(entry) for entry in repeats}
    once = _in_order(entry for entry in found if id(entry) not in passed_over)
    entries = _with_duplicates_flagged(without_excess(once, limits.notebooks, known))
    return Collection(entries, remarks_on(own, listings, lister.twins, entries, repeats))


def _entries_of_class(listings: Sequence[Listing], drafts: Sequence[list[Draft]]) -> tuple[Entry, ...]:
    """The entries of all paths, each once, those of the path named first before the others.

    Here is decided what needs the whole class: who share a name, and who is missing.
    """
    drafts = [some or [empty(listing)] for listing, some in zip(listings, drafts, strict=True)]
    there = {draft.name for some in drafts for draft in some if os.path.lexists(draft.found.path)}
    submitters = {(name.student, name.number) for name in there}
    drafts = [  # one half of an export may list students as missing whose folders lie in another path given
        [draft for draft in some if draft.name in there or (draft.name.student, draft.name.number) not in submitters]
        for some in drafts
    ]
    alike = _namesakes(draft for some in drafts for draft in some)
    students = frozenset(draft.name.student for some in drafts for draft in some) | _holders(listings, drafts)
    people = [{draft.name.student for draft in some} for some in drafts]
    with_own_path = frozenset(student for one in people if len(one) == 1 for student in one)
    entries: dict[str, Entry] = {}
    for listing, some, crowd in zip(listings, drafts, people, strict=True):
        told = [_told_apart(draft, alike) for draft in some]
        # a class, beside which some came late, is larger
        doubted = crowd & with_own_path if 1 < len(crowd) < len(with_own_path) else set()
        for entry in _entries(listing, told, students, doubted):
            entries.setdefault(f"{entry.path}\0{entry.shown_path if entry.refused else ''}", entry)
    return tuple(entries.values())


def _holders(listings: Sequence[Listing], drafts: Sequence[list[Draft]]) -> set[str]:
    """Whose a folder is in which all is under other names, as one may call them there: most beside it are students'.

    In a class's download there are more folders, or paths, with work under the names that a platform wrote.
    """
    found: set[str] = set()
    for some in drafts:
        within = {draft.found.parts[0]: draft.within for draft in some if draft.within}
        own = {draft.found.parts[0] for draft in some if len(draft.found.parts) > 1 and not draft.within}
        found |= set(within.values()) if len(own) > len(within) else set()
    people = [
        (listing.owner, {draft.name.student for draft in some}) for listing, some in zip(listings, drafts, strict=True)
    ]
    others = {owner for owner, one in people if len(one) == 1 and owner not in one and not is_from_platform(owner)}
    return found | (others if sum({owner} == one for owner, one in people) > len(others) else set())


def _in_order(entries: Iterable[Entry]) -> list[Entry]:
    return sorted(entries, key=lambda entry: (alphabetical(entry.student), entry.notebook, entry.shown_path))


def _compiled(pattern: str | None) -> re.Pattern[str] | None:
    if pattern is None:
        return None
    remedy = "write for instance '(?P<student>[^/]+)/(?P<notebook>[^/]+)'"
    try:
        compiled = re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise UsageError(f"--student-pattern is not a regular expression: {error}", remedy=remedy) from None
    if "student" not in compiled.groupindex:
        raise UsageError("--student-pattern has no group named student", remedy=remedy)
    return compiled


def _drafts(listing: Listing, pattern: re.Pattern[str] | None) -> list[Draft]:
    naming = naming_for(listing)
    drafts = [draft_of(item, listing, pattern, naming) for item in listing.found]
    if pattern is None:
        drafts += drafts_of_missing(listing, drafts, naming)
    return drafts


def _entries(listing: Listing, drafts: list[Draft], students: frozenset[str], doubted: Set[str]) -> list[Entry]:
    """What one path holds; ``doubted`` are the students in it who have a path of their own, as most have."""
    having = {draft.name.student for draft in drafts if not draft.found.obstacle}
    remarks: defaultdict[str, list[str]] = defaultdict(list)
    for draft in drafts:
        if draft.found.obstacle and draft.name.student in having:
            remarks[draft.name.student].append(f"{draft.shown_path}: {draft.found.refused}")
    belongings = Belongings(drafts, listing)
    return [
        Entry(
            student=_written_alike(draft.name.student),
            notebook=printable(draft.name.notebook),
            path=draft.found.path,
            shown_path=draft.shown_path,
            assets=belongings.of(draft),
            refused=draft.found.refused,
            flags=(*few(remarks[draft.name.student]), *_remarks(draft, listing, students, doubted)),
            number=draft.name.number,
            within=_written_alike(draft.within) if draft.within in students else "",
        )
        for draft in drafts
        if not (draft.found.obstacle and draft.name.student in having)
    ]


def _written_alike(student: str) -> str:
    """A name in the form that reports show, so that names that look the same are one student."""
    return unicodedata.normalize("NFC", " ".join(printable(student).split())) or "unnamed"


def _remarks(draft: Draft, listing: Listing, students: frozenset[str], doubted: Set[str]) -> Iterator[str]:
    """Yield why the student is not known, and a remark on what may be of another who put this one's name there.

    That is in a folder or an archive of another name, the one that was given included.
    """
    if draft.name.remark:
        yield draft.name.remark
    around = dict.fromkeys((*map(archive_stem, (listing.owner, *draft.found.parts[:-1])), draft.within))
    others = [name for name in around if name in students and name != draft.name.student]
    others = [name for name in others if not nobodys_in((name,), listing.known)]  # ``late``, where a file lies about
    for name in others:
        yield f"lies in {printable(name)!r}, which is another student's name"
    if not others and draft.name.student in doubted:
        yield f"lies in {printable(listing.owner)!r} among work under other names, beside what this student handed in"


def _without_twins(paths: list[Path], lister: Lister) -> list[Path]:
    """The paths without archives whose content is in the folders among them too."""
    folders = [path.resolve() for path in paths if path.is_dir()]
    twins = [
        path
        for path in (paths if folders else ())
        if is_openable(path) and path.is_file() and (twin := lister.twin_of(path)) is not None and twin.is_in(folders)
    ]
    lister.twins += [path.name for path in twins]
    return [path for path in paths if path not in twins]


def _folders_of_students(listings: list[Listing]) -> list[Listing]:
    """The listings of folders given one by one (``submissions/*``), read as students' folders of one class.

    The assignment's part of cloned repositories' names is taken off the owners, be the others given so too or in a
    folder. Where several folders hold one notebook or archive and nothing else, they are marked: the folder names the
    student then, and not the file.
    """
    owners = [listing.owner for listing in listings if not listing.siblings and not is_class_folder(listing.owner)]
    repositories = without_branches([owner for owner in owners if not is_from_platform(owner)])
    prefix = classroom_prefix([*repositories.values()])
    within = [naming_for(listing).prefix for listing in listings]
    prefixes = tuple(dict.fromkeys(filter(None, (prefix, *within))))

    def owner_of(listing: Listing, own: str) -> str:
        owner = repositories.get(listing.owner, listing.owner)
        elsewhere = "" if own else next(filter(owner.startswith, prefixes), "")
        return owner if is_class_folder(owner) else owner.removeprefix(prefix or elsewhere) or owner

    listings = [
        replace(listing, owner=owner_of(listing, own), prefixes=prefixes)
        for listing, own in zip(listings, within, strict=True)
    ]
    notebooks = [is_notebook(_only_thing_in(listing)) for listing in listings]
    archives = [_is_of_one_archive(listing) for listing in listings]
    if sum(notebooks) + sum(archives) < 2:
        return listings
    return [
        replace(listing, named_by_folder=notebook, of_one_student=listing.of_one_student or archive)
        for listing, notebook, archive in zip(listings, notebooks, archives, strict=True)
    ]


def _only_thing_in(listing: Listing) -> str:
    """What the only thing that a folder holds is called; empty where it holds more, or was not given itself."""
    names = {item.parts[0] if item.parts else "" for item in listing.found}
    return names.pop() if len(names) == 1 and not listing.siblings else ""


def _is_of_one_archive(listing: Listing) -> bool:
    """Whether all of a folder is one archive that no platform named, which is called ``hw.zip`` or by a name."""
    name = _only_thing_in(listing)
    return listing.holders == (name,) and is_archive(name) and not is_from_platform(name)


def _namesakes(drafts: Iterable[Draft]) -> frozenset[str]:
    """The names that several students share: those with more than one of a platform's numbers, in all paths."""
    numbers: defaultdict[str, set[str]] = defaultdict(set)
    for draft in drafts:
        numbers[draft.name.student].add(draft.name.number)
    return frozenset(student for student, found in numbers.items() if len(found) > 1)


def _told_apart(draft: Draft, alike: frozenset[str]) -> Draft:
    if not draft.name.number or draft.name.student not in alike:
        return draft
    return replace(draft, name=replace(draft.name, student=f"{draft.name.student}_{draft.name.number}"))


def _with_duplicates_flagged(entries: list[Entry]) -> tuple[Entry, ...]:
    same: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for entry in entries:
        if entry.notebook:
            same[entry.student, kind_of_notebook(entry.notebook)].append(entry.shown_path)
    flagged = []
    for entry in entries:
        alike = same[entry.student, kind_of_notebook(entry.notebook)]
        if len(alike) > 1:
            remark = f"{len(alike)} notebooks of one kind by this student: {first_of(alike)}"
            remark += "; for each exercise the better answer counts"
            flagged.append(replace(entry, flags=(*entry.flags, remark)))
        else:
            flagged.append(entry)
    return tuple(flagged)
