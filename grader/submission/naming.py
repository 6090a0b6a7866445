"""Who handed in which notebook, told from the path: folders, file names, cloned repositories, platforms' downloads.

The rules, in order, for a path below what was given on the command line:

1. Moodle and Canvas write the student and their number into a folder's or file's name, Blackboard and Brightspace the
   student and the time of an attempt; Moodle's mark is believed also further down, and in the name of what was given,
   but not within what another platform named: there a student made it up. Gradescope numbers its folders and says in
   a file beside them who is behind each (``grader.submission.gradescope``): one person, or a team under all its names.
   One of several archives that holds one folder is a student's, and called like the archive: the folder is more likely
   ``homework`` than a name.
2. ``submitted/student/assignment/notebook.ipynb`` is nbgrader's; ``submitted`` may be what was given.
3. In a folder, the first folder is the student. Where all of several folders begin alike up to a hyphen
   (``backprop-ada``, ``backprop-alan``), they are GitHub Classroom's clones and that beginning is the assignment's.
   So is a notebook's or a sheet's name that all have before or behind the student's (``HW3_ada``, ``alan HW3``).
   A folder called ``late`` or as a notebook that is known is nobody's, nor are those called ``HW3`` where most are:
   what lies in them is named as if it lay beside them.
4. A file directly in what was given is ``student_notebook.ipynb`` if its name ends with a notebook's name that is
   known or begins with a number (``ada_03_backprop``) or that several share, else the part before the first
   ``_``; a file without a student's part belongs to the folder it lies in. Where several files lie there and none
   has both parts nor the name of a notebook, they are called after their students (``ada.ipynb``, ``alan.ipynb``);
   where most begin with a notebook's name that is known, with or without its number, or a sheet's, and not all go on
   like versions, what follows is the student (``03_backprop_ada.ipynb``, ``backprop_alan.ipynb``, ``HW3_zoe.ipynb``).
   Of several folders given that each hold one notebook (``submissions/*``), the first ``_`` says nothing: they are
   students' folders, and the file is ``final_FINAL.ipynb``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from grader.notebook_name import (
    BLACKBOARD,
    BRIGHTSPACE,
    CANVAS,
    MOODLE,
    kind_of_notebook,
    without_copy_of,
    without_copy_of_next,
)
from grader.submission.finding import archive_stem, is_notebook
from grader.submission.gradescope import Export
from grader.submission.sheets import SHEET, nobodys_in

_PLATFORMS = (MOODLE, CANVAS, BLACKBOARD, BRIGHTSPACE)
_FIRST_NUMBER = re.compile(r"\d+[_-](?=\D{3})")
_NUMBERED = re.compile(r"(?:^|_)(?P<notebook>\d{1,2}[_-][^_\d].*)", re.S)
_PLAIN_NAMES = ("notebook", "assignment", "homework", "submission", "solution", "exercise", "untitled", "main")
_RESUBMITTED = re.compile(r"-\d+$")
#: A student's number, which is longer than a version's and no date.
_NUMBER = r"(?!20\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]))\d{5,}$"
#: What tells versions of a notebook apart, not students. It never goes back (``++``): names are students' to choose.
_VERSION = re.compile(
    rf"(?!{_NUMBER})(?:[\W_]|v?\d|v(?:er(?:sion)?)?|final|endg(?:ü|ue)ltig|new|neu|old|alt|draft|fixed|done|completed?|edit(?:ed)?"
    r"|mine|my|copy|kopie|test|backup|colab|answers?|solved|solutions?|attempt|try|late|(?:re)?submi(?:t(?:ted)?|ssion)"
    r"|hand(?:ed)?_?in)++",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Name:
    """Whose a path is: the student, the notebook's file name, a number that tells namesakes apart.

    ``own_folder`` is False where the student's name was in the file's name, so that its neighbours are others' files;
    ``remark`` is why the student could not be told.
    """

    student: str
    notebook: str
    number: str = ""
    own_folder: bool = True
    remark: str = ""


def stems_in(notebook: str, stems: Iterable[str]) -> frozenset[str]:
    """Return those of a course's notebook ``stems`` that a notebook's file name names, whatever stands around them.

    A stem inside a longer one that is named too is not, nor one that goes on with a letter or a digit of its own kind.

    >>> sorted(stems_in("lab10 final.ipynb", ["lab1", "lab10"])), sorted(stems_in("lab1v2.ipynb", ["lab1", "lab10"]))
    (['lab10'], ['lab1'])
    """
    name = _stem(notebook)
    found = {stem: [place for place in _places(name, stem) if _is_apart(name, *place)] for stem in stems}
    every = [place for places in found.values() for place in places]

    def is_inside(place: tuple[int, int]) -> bool:
        return any(other != place and other[0] <= place[0] and place[1] <= other[1] for other in every)

    return frozenset(stem for stem, places in found.items() if not all(is_inside(place) for place in places))


def _places(name: str, stem: str) -> list[tuple[int, int]]:
    return [match.span(1) for match in re.finditer(f"(?=({re.escape(stem)}))", name)] if stem else []


def _is_apart(name: str, begin: int, end: int) -> bool:
    """Whether no letter stands beside a letter, no digit beside a digit, at either end of a piece of ``name``."""
    return not any(
        (before.isalpha() and after.isalpha()) or (before.isdecimal() and after.isdecimal())
        for before, after in ((name[begin - 1 : begin], name[begin]), (name[end - 1], name[end : end + 1]))
    )


def is_from_platform(name: str) -> bool:
    """Tell whether a platform wrote a student, and a number or a time, into a folder's or an archive's name.

    >>> is_from_platform("Ada Lovelace_17_assignsubmission_file_"), is_from_platform("homework")
    (True, False)
    """
    return _platform(archive_stem(name)) is not None


def is_from_moodle(name: str) -> bool:
    """Tell whether Moodle did: its mark is nobody else's, where Canvas' numbers may be."""
    return MOODLE.fullmatch(_stem(archive_stem(name))) is not None


def classroom_prefix(folders: Sequence[str], parent: str = "") -> str:
    """Return the assignment's part, hyphen included, that all cloned repositories begin with.

    >>> classroom_prefix(["backprop-ada", "backprop-alan"])
    'backprop-'
    >>> classroom_prefix(["ada", "alan"])
    ''
    """
    assignment = parent.removesuffix("-submissions") + "-"
    if parent.endswith("-submissions") and folders and all(name.startswith(assignment) for name in folders):
        return assignment
    if len(folders) < 2:
        return ""
    first, last = min(folders), max(folders)
    same = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))
    prefix = first[: first.rfind("-", 0, same) + 1]
    return prefix if all(len(name) > len(prefix) for name in folders) else ""


class Naming:
    """The rules of this module for all paths below one that was given.

    ``owner`` is the name of the folder or archive given, ``folders`` the sub-folders that hold something,
    ``files`` the notebooks lying directly in it, ``known`` the stems of the course's notebooks. ``alone`` says that
    the whole is one student's, ``guessing`` that the first ``_`` of a name that nothing else explains ends a student's.
    ``export`` is what Gradescope's file says of the folders.
    """

    def __init__(
        self,
        owner: str,
        folders: Sequence[str],
        files: Sequence[str],
        known: Sequence[str] = (),
        *,
        alone: bool = False,
        guessing: bool = True,
        export: Export | None = None,
    ) -> None:
        self._owner = owner
        self._nobodys = nobodys_in(folders, known)
        own = [folder for folder in folders if folder not in self._nobodys and not is_from_platform(folder)]
        lower = {stem.lower() for stem in known}
        self._known = sorted(lower | {_FIRST_NUMBER.sub("", stem) for stem in lower}, key=len, reverse=True)
        without = [self._without_sheet(archive_stem(folder)) for folder in own]
        self._with_sheet = len(own) > 1 and all(without)
        self._prefix = "" if self._with_sheet else classroom_prefix(own, owner)
        self._alone = alone
        self._guessing = guessing
        self._export = export
        stems = [_stem(name) for name in files]
        counts = Counter(suffix for stem in stems for suffix in _suffixes(stem))
        self._shared = {suffix for suffix, count in counts.items() if count > 1}
        followed = [(known, rest) for known, rest in map(self._begun, map(without_copy_of, stems)) if known]
        named = {rest for _, rest in followed if self._is_name(rest)}
        self._name_last = len(named) > max(1, sum(not rest for _, rest in followed))
        self._by_sheet = sum(SHEET.match(stem) is not None for stem in stems) * 2 > len(stems)
        told = {stem.removesuffix(notebook) for stem in stems if (notebook := self._told_in(stem)) not in ("", stem)}
        nameless = any("_" in stem or self._is_notebook_name(stem) for stem in stems)
        self._by_student = len(told) > 1 or (len(stems) > 1 and not nameless)

    def name(self, parts: tuple[str, ...]) -> Name:
        """Return whose the file at ``parts`` is."""
        file = parts[-1] if parts and is_notebook(parts[-1]) else ""
        above = (self._owner,) if self._alone or not parts else parts[:-1] if file else parts
        if above and above[0] in self._nobodys:
            above = above[1:]
        who = self._export.submitters(above[0]) if self._export is not None and above else None
        if who is not None:
            return Name(who.name, file, who.number, remark=who.remark)
        if self._alone or not parts:
            return _named(self._owner, file)
        told = above[:1] if above and is_from_platform(above[0]) else (*filter(is_from_moodle, above),)
        if file and not told and (not above or is_from_moodle(file)):
            return self._flat(file, parts[0] if parts[0].lower() in self._known else "")
        folder = archive_stem((*told, *above)[0])
        if is_from_platform(folder):
            return _named(folder, file)
        student = self._without_sheet(folder) if self._with_sheet else folder.removeprefix(self._prefix)
        return Name(student.strip() or folder, file)

    def _flat(self, file: str, folder: str) -> Name:
        """Return whose a file is that lies among others', be it in the ``folder`` of a notebook that is known."""
        stem, ending = without_copy_of(_stem(file)), file[-len(".ipynb") :]
        platform = _platform(stem)
        if platform is not None:
            notebook = (_RESUBMITTED.sub("", platform["notebook"]) or stem) + ending
            return Name(platform["student"].strip(), notebook, platform["number"], own_folder=False)
        begun, rest = self._begun(stem) if self._name_last else ("", "")
        if begun and self._is_name(rest):
            return Name(rest, begun + ending, own_folder=False)
        notebook = self._notebook_in(stem)
        student = without_copy_of_next(stem[: len(stem) - len(notebook)]).removesuffix(".").rstrip("_- ")
        if self._by_sheet and SHEET.fullmatch(student):
            return Name(self._owner, file)
        if not student and self._by_student and not self._is_notebook_name(stem):
            return Name(stem, folder + ending if folder else file, own_folder=False)
        if not student:
            return Name(self._owner, file)
        return Name(student, (notebook or stem) + ending, own_folder=False)

    def _begun(self, stem: str) -> tuple[str, str]:
        """Return the known notebook's name that ``stem`` begins with, and what follows it; else nothing."""
        original = kind_of_notebook(stem)
        sheet = SHEET.match(original)
        for known in (*self._known, *([sheet[0]] if sheet else ())):
            if original.startswith(known) and original[len(known) : len(known) + 1] in ("", *"_-. ("):
                return stem[: len(known)], stem[len(known) : len(original)].removeprefix(".ipynb").lstrip(".").strip(
                    "_- –()"
                )
        return "", ""

    def _without_sheet(self, folder: str) -> str:
        """Return what stands before or behind a notebook's or a sheet's name in a folder's; nothing where none does."""
        begun, rest = self._begun(folder)
        if begun and self._is_name(rest):
            return rest
        ends = (*map(re.escape, self._known), SHEET.pattern)
        before = re.fullmatch(rf"(?P<student>.*[^-_. ])[-_. ]+(?:{'|'.join(ends)})", folder, re.I)
        return before["student"] if before and self._is_name(before["student"]) else ""

    def _is_name(self, rest: str) -> bool:
        """Tell whether what follows a notebook's name is a student's: no version, nor one more notebook's name."""
        return bool(rest) and not _VERSION.fullmatch(rest) and kind_of_notebook(rest) not in self._known

    def _is_notebook_name(self, stem: str) -> bool:
        kind = kind_of_notebook(stem)
        if kind in {*self._known, *_PLAIN_NAMES} or SHEET.fullmatch(kind):
            return True
        return stem[:1].isdigit() and not re.match(_NUMBER, stem)

    def _notebook_in(self, stem: str) -> str:
        """Return the end of ``stem`` that names the notebook: all of it for no student, none of it for no notebook."""
        return self._told_in(stem) or (stem.split("_", 1)[-1] if self._guessing else stem)

    def _told_in(self, stem: str) -> str:
        """Return that end where it is not only guessed."""
        original = kind_of_notebook(stem)
        for known in self._known:
            if original.endswith(known) and (len(original) == len(known) or original[-len(known) - 1] in "_-. "):
                return stem[len(original) - len(known) :]
        numbered = _NUMBERED.search(stem)
        if numbered is not None:
            return numbered["notebook"]
        return next((suffix for suffix in _suffixes(stem) if suffix in self._shared), "")


def students_in(files: Sequence[str], known: Sequence[str]) -> frozenset[str]:
    """Return whom the names of files in one folder tell beside a notebook's: no guesses, nor versions of one.

    >>> sorted(students_in(["ada_03_backprop.ipynb", "old_03_backprop.ipynb", "notes_x.ipynb"], ["03_backprop"]))
    ['ada']
    """
    naming = Naming("", (), files, known, guessing=False)
    names = [(file, naming.name((file,))) for file in files]
    return frozenset(
        name.student
        for file, name in names
        if name.student and name.notebook != file
        if not _VERSION.fullmatch(name.student)
    )


def _suffixes(stem: str) -> list[str]:
    """Return the ends of ``stem`` that may name a notebook, longest first: one part at least is left."""
    pieces = stem.split("_")
    return ["_".join(pieces[i:]) for i in range(1, len(pieces))]


def _named(folder: str, file: str) -> Name:
    platform = _platform(folder)
    return Name(folder, file) if platform is None else Name(platform["student"].strip(), file, platform["number"])


def _platform(name: str) -> re.Match[str] | None:
    return next(filter(None, (pattern.fullmatch(name) for pattern in _PLATFORMS)), None)


def _stem(name: str) -> str:
    return name[: -len(".ipynb")] if is_notebook(name) else name
