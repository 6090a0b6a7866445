"""Everything below one path of the command line: folders walked, archives unpacked, wrapping folders taken off."""

from __future__ import annotations

import os
import shutil
import stat
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import mkdtemp

from grader.errors import UsageError
from grader.names.downloads import GRADESCOPE
from grader.submission.attribution.folder_names import nobodys_in
from grader.submission.attribution.gradescope import METADATA, Export, export_in
from grader.submission.attribution.naming import is_from_moodle, is_from_platform, is_platforms_folder
from grader.submission.attribution.wrapping import (
    holds_parts_of_one,
    is_class,
    is_one_folder,
    may_hold_class,
    wrapper_in,
)
from grader.submission.files.finding import Found, archive_stem, found_below, is_archive, is_notebook
from grader.submission.files.limits import Allowance, CollectLimits
from grader.submission.files.printable import printable
from grader.submission.files.regular_file import Refused, TooLarge, Unavailable, kind_of
from grader.submission.files.unpacked import Twin, may_have_twin, twin_of

#: So many folders around all the others are taken off, as in Submissions/Submissions/ada; more are somebody's.
_MOST_WRAPPERS = 2
_NESTED = "an archive inside an archive inside an archive, which is not unpacked"


@dataclass(frozen=True, slots=True)
class Listing:
    """What lies below one path. ``parts`` of the items count from ``base``, which is below the path given.

    ``owner`` is the name of the folder or archive, ``root`` where it lies on disk, ``known`` are the stems of the
    course's notebooks. ``shown`` is what ``shown_path`` begins with, ``holders`` are its own sub-folders and archives,
    empty ones included.

    ``of_one_student`` says that all of it is one student's, ``named_by_folder`` that the folder tells whose the one
    notebook in it is. ``siblings`` are the notebooks beside one that was given by itself, ``others`` the files that are
    neither notebook nor archive. ``export`` is what Gradescope's own file says of the folders, ``prefixes`` what GitHub
    Classroom's clones begin with, in any of the paths.
    """

    owner: str
    root: Path
    found: tuple[Found, ...]
    known: Sequence[str]
    shown: str = ""
    base: tuple[str, ...] = ()
    holders: tuple[str, ...] = ()
    of_one_student: bool = False
    named_by_folder: bool = False
    siblings: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    export: Export | None = None
    prefixes: tuple[str, ...] = ()

    def shown_path(self, parts: tuple[str, ...]) -> str:
        """How reports name what lies at ``parts``: ``"class.zip!ada/nb.ipynb"``."""
        text = self.shown
        for i, part in enumerate(parts):
            last = i == len(parts) - 1
            text += part + ("" if last else "!" if is_archive(part) else "/")
        return printable(text)


@dataclass(frozen=True, slots=True)
class _Inner:
    """A folder without those around it, ``base``, and what lies in it."""

    root: Path
    owner: str
    base: tuple[str, ...]
    found: list[Found]
    folders: list[str]
    export: Export | None


@dataclass
class Lister:
    """Lists paths; each archive gets a folder of its own in ``place``, ``skip`` is passed over.

    ``known`` are the stems of the course's notebooks. ``twins`` are the archives that were passed over, since all that
    they hold lies unpacked beside them.
    """

    limits: CollectLimits
    place: Path
    skip: Path | None = None
    known: Sequence[str] = ()
    twins: list[str] = field(default_factory=list, init=False)
    _exports: dict[Path, Export | None] = field(default_factory=dict, init=False)

    def listed(self, path: Path, *, named: bool) -> Listing:
        """List one path of the command line; ``named`` puts its name before every ``shown_path``.

        Raises:
            UsageError: it does not exist, cannot be looked at, or is neither notebook, folder nor archive.
        """
        try:
            real = path.resolve(strict=True)
            mode = real.stat().st_mode
        except FileNotFoundError:
            raise UsageError(
                f"no such file or folder: {printable(str(path))}",
                remedy="name notebooks, folders of submissions, or .zip and .tar.gz archives",
            ) from None
        except (OSError, RuntimeError, ValueError) as error:
            reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else "not a usable path"
            raise UsageError(
                f"cannot look at {printable(str(path))}: {reason}", remedy="name a path that this user may read"
            ) from None
        name = real.name or "unnamed"
        if stat.S_ISDIR(mode):
            return self._of_export(self._folder(real, name, f"{name}/" if named else ""), real)
        if is_notebook(name):
            return self._of_export(self._notebook(real, mode), real.parent)
        if is_archive(name):
            return self._archive(real, one_of_several=named)
        if name == METADATA:
            raise UsageError(
                f"{printable(str(path))} says whose each folder beside it is",
                remedy="name the folder that it lies in, alone: all of it is graded, under the students' names",
            )
        raise UsageError(
            f"neither a notebook nor a folder nor an archive: {printable(str(path))}",
            remedy="notebooks end in .ipynb; archives in .zip, .tar, .tar.gz or .tgz"
            + ("; leave it out, or name the folder around all of them" if named else ""),
        )

    def _of_export(self, listing: Listing, folder: Path) -> Listing:
        """The listing as that of one submission where its folder lies in an export of Gradescope's."""
        if not GRADESCOPE.fullmatch(folder.name) or GRADESCOPE.fullmatch(folder.parent.name):  # a student's own
            return listing
        if folder.parent not in self._exports:
            self._exports[folder.parent] = export_in(folder.parent)
        export = self._exports[folder.parent]
        return listing if export is None else replace(listing, owner=folder.name, of_one_student=True, export=export)

    def _notebook(self, path: Path, mode: int) -> Listing:
        found = Found((path.name,), path, kind_of(mode))
        try:
            siblings = tuple(sorted(item.name for item in path.parent.iterdir() if is_notebook(item.name)))
        except OSError:
            siblings = ()
        owner = path.parent.name or "unnamed"
        one = is_from_moodle(owner)
        return Listing(owner, path.parent, (found,), self.known, of_one_student=one, siblings=siblings)

    def _archive(self, path: Path, *, one_of_several: bool) -> Listing:
        try:
            target, passed_over = self._unpacked(path, Allowance(self.limits))
        except Refused as refusal:
            # a class', presumably: the limits are for what a student packs, and a folder has none of them
            remedy = "; unpack it yourself and name the folder" if isinstance(refusal, TooLarge) else ""
            found = Found((path.name,), path, f"{refusal}{remedy}")
            return Listing(archive_stem(path.name), path.parent, (found,), self.known, holders=(path.name,))
        stem = archive_stem(path.name)
        listing = self._folder(target, stem, f"{path.name}!", depth=1)
        place = (listing.found, listing.holders, listing.base)
        perhaps_ones = one_of_several and stem not in nobodys_in((stem,), self.known)  # late.zip is no student's
        one = (perhaps_ones or is_from_platform(path.name)) and is_one_folder(*place)
        if listing.export is None and (one or (perhaps_ones and holds_parts_of_one(*place, self.known))):
            listing = replace(listing, of_one_student=True)
        extra = (Found(parts, target, reason) for parts, reason in passed_over if _matters(parts))
        kept = (replace(item, parts=item.parts[len(listing.base) :]) for item in extra if _below(item, listing.base))
        return replace(listing, found=tuple(sorted((*listing.found, *kept), key=lambda item: item.parts)))

    def _folder(self, root: Path, owner: str, shown: str, depth: int = 0) -> Listing:
        """List a folder; with ``depth`` 1, the folder that an archive called ``owner`` was unpacked to."""
        repository = depth == 0 and os.path.lexists(root / ".git")  # a student's own, whatever its folders are called
        inner = self._unwrapped(root, owner, unpacked=depth > 0, most=0 if repository else _MOST_WRAPPERS)
        shown += "".join(f"{part}/" for part in inner.base)
        found, folders = inner.found, inner.folders
        one = repository or is_platforms_folder(inner.owner)
        if depth == 0 and not one and not folders and len(found) == 1 and may_hold_class(found[0]):
            inside = self._archive(found[0].path, one_of_several=False)
            if inside.export is not None or is_class(inside.found, self.known):
                return replace(inside, shown=shown + inside.shown)
        nobodys = nobodys_in(folders, self.known)
        allowances: defaultdict[tuple[str, ...], Allowance] = defaultdict(lambda: Allowance(self.limits))
        everything = [
            deeper
            for item in found
            for deeper in self._expanded(item, depth, allowances[_place_of_one(item.parts, nobodys)])
        ]
        archives = [item.parts[0] for item in found if len(item.parts) == 1 and is_archive(item.parts[0])]
        return Listing(
            inner.owner,
            inner.root,
            tuple(everything),
            self.known,
            shown,
            inner.base,
            holders=tuple(sorted((*folders, *archives))),
            of_one_student=one,
            others=_others_in(inner.root),
            export=inner.export,
        )

    def _unwrapped(self, root: Path, owner: str, *, unpacked: bool, most: int) -> _Inner:
        """The folder within ``root`` that students' work begins in: at most so many are taken off around it.

        Its name is the owner's, but an archive's name stays so: it may be a student's.
        """
        base: tuple[str, ...] = ()
        while True:
            found, folders = found_below(root, most=self.limits.files, skip=self.skip)
            found = self._without_twins(found, folders)
            export = _export(root, folders)
            wrapper = None
            if export is None and len(base) < most:
                wrapper = wrapper_in(root, found, folders, owner, unpacked=unpacked)
            if wrapper is None:
                return _Inner(root, owner, base, found, folders, export)
            root, base, owner = root / wrapper, (*base, wrapper), owner if unpacked else wrapper

    def twin_of(self, archive: Path, allowance: Allowance | None = None, *, owned: bool = False) -> Twin | None:
        """Where all that an archive holds lies unpacked beside it; None where nowhere, or past the ``allowance``.

        None, too, where the archive's name alone could tell whose it is: it holds no class, and lies in no student's
        folder (``owned``).
        """
        try:
            target, _ = self._unpacked(archive, allowance or Allowance(self.limits))
        except Refused:
            return None
        twin = twin_of(archive, target, self.limits.unpacked_bytes)
        nameless = owned or is_class(found_below(target, most=self.limits.files)[0], self.known)
        shutil.rmtree(target, ignore_errors=True)
        return twin if twin is not None and (twin.by_name or nameless) else None

    def _without_twins(self, found: list[Found], folders: Sequence[str]) -> list[Found]:
        nobodys = nobodys_in(folders, self.known)
        allowances: defaultdict[tuple[str, ...], Allowance] = defaultdict(lambda: Allowance(self.limits))
        twins = []
        for item in may_have_twin(found):
            owned = len(item.parts) > 1 and item.parts[0] not in nobodys
            if self.twin_of(item.path, allowances[_place_of_one(item.parts, nobodys)], owned=owned) is not None:
                twins.append(item)
        self.twins += ["/".join(item.parts) for item in twins]
        return [item for item in found if item not in twins]

    def _expanded(self, item: Found, depth: int, allowance: Allowance) -> list[Found]:
        """What an archive holds in its place, anything else as it is."""
        if item.refused is not None or not is_archive(item.parts[-1]):
            return [item]
        at_top = len(item.parts) == 1
        if depth >= 2:
            return [replace(item, refused=_NESTED, obstacle=True)]
        try:
            target, passed_over = self._unpacked(item.path, allowance)
        except Refused as refusal:
            # what is in one that only this user or machine cannot read may be the better answer
            obstacle = not at_top and not isinstance(refusal, Unavailable)
            return [replace(item, refused=str(refusal), obstacle=obstacle)]
        inside, _ = found_below(target, item.parts, most=self.limits.files)
        extra = [Found((*item.parts, *parts), target, reason) for parts, reason in passed_over if _matters(parts)]
        return [deeper for inner in (*inside, *extra) for deeper in self._expanded(inner, depth + 1, allowance)]

    def _unpacked(self, archive: Path, allowance: Allowance) -> tuple[Path, list[tuple[tuple[str, ...], str]]]:
        """Where an archive was unpacked to, and what was passed over; nothing stays of one that is refused."""
        from grader.submission.files.archive import unpack  # zipfile, tarfile and lzma: only where there is an archive

        target = Path(mkdtemp(dir=self.place))
        try:
            return target, unpack(archive, target, allowance)
        except Refused:
            shutil.rmtree(target, ignore_errors=True)
            raise


def _place_of_one(parts: tuple[str, ...], nobodys: frozenset[str]) -> tuple[str, ...]:
    """The beginning of a path that says whose it is, below which everything is one student's."""
    moodles = next((i for i, part in enumerate(parts) if is_from_moodle(part)), 0)
    return parts[: max(moodles, not nobodys.isdisjoint(parts[:1])) + 1]


def _export(root: Path, folders: list[str]) -> Export | None:
    """What Gradescope says of the folders in ``root``, None where they are not of its making."""
    return export_in(root) if any(map(GRADESCOPE.fullmatch, folders)) else None


def _others_in(root: Path) -> tuple[str, ...]:
    """The files in ``root`` that hold no notebook: a PDF, a script."""
    try:
        names = sorted(path.name for path in root.iterdir() if path.is_file())
    except OSError:
        return ()
    return tuple(name for name in names if not (is_notebook(name) or is_archive(name)))


def _matters(parts: tuple[str, ...]) -> bool:
    """Whether something left in an archive could have been a submission."""
    name = parts[-1]
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in parts if part != "..")
    return (is_notebook(name) or is_archive(name)) and not hidden


def _below(item: Found, base: tuple[str, ...]) -> bool:
    return item.parts[: len(base)] == base
