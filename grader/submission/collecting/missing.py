"""Entries, each with its reason, for students of whom there is no notebook."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from grader.names.downloads import GRADESCOPE
from grader.names.enumeration import first_of
from grader.names.notebooks import kind_of_notebook
from grader.names.visible import GRADEBOOK, is_work
from grader.submission.attribution.folder_names import nobodys_in
from grader.submission.attribution.gradescope import METADATA
from grader.submission.attribution.naming import Name, Naming, is_from_platform
from grader.submission.collecting.draft import Draft, naming_for
from grader.submission.collecting.listing import Listing
from grader.submission.files.finding import Found, is_archive
from grader.submission.files.printable import printable

#: The endings of what is handed in for a notebook, also behind its own.
_HANDED_IN = re.compile(r"(?:\.ipynb)?\.(?:pdf|html?|py|txt|json|docx?|odt|md)$", re.I)


def drafts_of_missing(listing: Listing, drafts: list[Draft], naming: Naming) -> list[Draft]:
    """A draft for each student without a notebook: a folder in a class of folders, a file among a platform's."""
    holding = {draft.found.parts[:depth] for draft in drafts for depth in (1, 2)}
    # Moodle makes two folders for one student: for files, and for text typed online.
    people = {(draft.name.student, draft.name.number) for draft in drafts}
    in_folders = {draft.name.student for draft in drafts if len(draft.found.parts) > 1}
    direct = len(in_folders) < 2 and any(  # else a notebook only lies about in a class
        len(draft.found.parts) == 1 and draft.name.own_folder and draft.name.notebook for draft in drafts
    )
    archives = any(is_archive(holder) for holder in listing.holders)
    if listing.of_one_student or direct or not (drafts or archives):
        return []
    reasons = {
        place: f"no notebook in {printable(place[-1])}{_holds(listing.root.joinpath(*place))}"
        for place in _places(listing)
        if place not in holding
    }
    if any(not draft.name.own_folder and is_from_platform(draft.found.parts[-1]) for draft in drafts):
        reasons |= {(file,): f"{printable(file)} is no notebook" for file in listing.others if is_from_platform(file)}
    if listing.export is not None:
        listed = (name for name in listing.export.teams if GRADESCOPE.fullmatch(name) and name not in listing.holders)
        reasons |= {(name,): f"{METADATA} lists {name}, which is not there" for name in listed}
    alike = _called_alike(listing, drafts)
    reasons |= {(file,): f"{printable(file)} is no notebook" for file in alike}
    missing = []
    for place, reason in reasons.items():
        name = alike.get(place[0]) or naming.name((*place, ""))
        if (name.student, name.number) not in people:
            item = Found(place, listing.root.joinpath(*place), reason)
            missing.append(Draft(item, replace(name, notebook=""), listing.shown_path(place)))
            people.add((name.student, name.number))
    return missing


def _called_alike(listing: Listing, drafts: list[Draft]) -> dict[str, Name]:
    """Whose the other files are that are called like the notebooks of a class beside them: ``bob_hw3.pdf``."""
    told = [draft for draft in drafts if len(draft.found.parts) == 1 and not draft.name.own_folder]
    if len({draft.name.student for draft in told}) < 2:
        return {}
    others = {file: _HANDED_IN.sub(".ipynb", file) for file in listing.others if _HANDED_IN.search(file)}
    files = [*(draft.found.parts[0] for draft in told), *others.values()]
    naming = Naming("", (), files, listing.known, guessing=False)
    kinds = {kind_of_notebook(draft.name.notebook) for draft in told}
    names = {file: naming.name((notebook,)) for file, notebook in others.items()}
    return {
        file: name
        for file, name in names.items()
        if name.student and name.notebook != others[file] and kind_of_notebook(name.notebook) in kinds
    }


def empty(listing: Listing) -> Draft:
    """A draft for a path in which nothing was found, where others hold something: a student's, presumably."""
    item = Found((), listing.root, f"no notebook in {printable(listing.owner)}{_holds(listing.root)}")
    name = replace(naming_for(listing).name(()), notebook="")
    return Draft(item, name, listing.shown_path(()).rstrip("/!") or printable(listing.owner))


def _places(listing: Listing) -> Iterator[tuple[str, ...]]:
    """Yield the folders and archives that are students', those in a folder that is nobody's too."""
    nobodys = nobodys_in(listing.holders, listing.known)
    for holder in listing.holders:
        if os.path.lexists(listing.root / holder / GRADEBOOK):  # grades of an earlier run
            continue
        if holder not in nobodys:
            yield (holder,)
        else:
            _, inside, _ = next(os.walk(listing.root / holder), ("", [], []))
            yield from ((holder, name) for name in sorted(inside) if is_work(name))


def _holds(folder: Path) -> str:
    """What a student has in a folder without a notebook, as a script or a page that was exported from one."""
    try:
        names = sorted(path.name for path in folder.iterdir() if path.is_file() and is_work(path.name))
    except OSError:
        return ""
    return f", only {first_of([*map(printable, names)])}" if names else ""
