"""A file that was found, and its student as told by its path and neighbours, before the whole class is compared."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from grader.names.notebooks import ENDING
from grader.submission.attribution.folder_names import nobodys_in
from grader.submission.attribution.naming import Name, Naming
from grader.submission.collecting.listing import Listing
from grader.submission.files.finding import Found, is_notebook


@dataclass(frozen=True, slots=True)
class Draft:
    """What was found, whose it is, and its path as a report shows it.

    ``within`` is whose the folder around it would be by its name, empty where that tells nobody else: a student may
    make up a platform's name in a folder of their own.
    """

    found: Found
    name: Name
    shown_path: str
    within: str = ""


def naming_for(listing: Listing) -> Naming:
    """The rules for the names in ``listing``."""
    folders = [*listing.holders] if not listing.of_one_student else []
    nobodys = nobodys_in(folders, listing.known)
    beside = [item.parts[item.parts[0] in nobodys :] for item in listing.found if item.parts]
    files = listing.siblings or [parts[0] for parts in beside if len(parts) == 1]
    notebooks = [name for name in files if is_notebook(name)]
    return Naming(
        listing.owner,
        folders,
        notebooks,
        listing.known,
        of_one_student=listing.of_one_student,
        guessing=not listing.named_by_folder,
        export=listing.export,
        prefixes=listing.prefixes,
    )


def draft_of(item: Found, listing: Listing, pattern: re.Pattern[str] | None, naming: Naming) -> Draft:
    """Whose ``item`` is: by ``pattern`` (groups ``student`` and maybe ``notebook``), else by its path."""
    name, shown = naming.name(item.parts), listing.shown_path(item.parts)
    if pattern is None:
        around = naming.holder(item.parts)
        return Draft(item, name, shown, around if around != name.student else "")
    matched = pattern.match("/".join((*listing.base, *item.parts)))
    if matched is None or not matched["student"]:
        reason = item.refused or "its path does not match --student-pattern"
        return Draft(replace(item, refused=reason), name, shown)
    notebook = matched["notebook"] if "notebook" in matched.re.groupindex else None
    if notebook and not is_notebook(notebook):
        notebook += ENDING
    return Draft(item, Name(matched["student"].strip("/ "), notebook or name.notebook), shown)
