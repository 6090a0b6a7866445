"""Who handed in which notebook, told from the path: folders, file names, cloned repositories, platforms' downloads.

The rules, in order, for a path below what was given on the command line:

1. Moodle and Canvas write the student and their number into a folder's or file's name, Blackboard and Brightspace the
   student and the time of an attempt; Moodle's mark is believed also further down, and in the name of what was given,
   but not within what another platform named: there a student made it up. Gradescope numbers its folders and says in
   a file beside them who is behind each (``gradescope``): one person, or a team under all its names.
   One of several archives that holds one folder is a student's, and called like the archive: the folder is more likely
   ``homework`` than a name.
2. ``submitted/student/assignment/notebook.ipynb`` is nbgrader's; ``submitted`` may be what was given.
3. In a folder, the first folder is the student. Where all of several folders begin alike up to a hyphen
   (``backprop-ada``, ``backprop-alan``), they are GitHub Classroom's clones and that beginning is the assignment's,
   also where one that begins so lies alone in another path that was given.
   Where all end in ``-main`` or ``-master`` (``backprop-ada-main``), that is the branch of GitHub's *Download ZIP*.
   So is a notebook's or a sheet's name that all have before or behind the student's (``HW3_ada``, ``alan HW3``).
   A folder called ``late`` or as a notebook that is known is nobody's, nor are those called ``HW3`` where most are:
   what lies in them is named as if it lay beside them.
4. A file directly in what was given is named as ``file_names`` divides its name; one without a
   student's part belongs to the folder it lies in. Of several folders given that each hold one notebook
   (``submissions/*``), the first ``_`` says nothing: they are students' folders, and the file is ``final_FINAL.ipynb``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from grader.names import downloads as download_name
from grader.names.notebooks import stem_of, without_copy_of
from grader.submission.attribution.file_names import FileNames, is_version, stems_in
from grader.submission.attribution.folder_names import nobodys_in
from grader.submission.attribution.gradescope import Export
from grader.submission.files.finding import archive_stem, is_notebook

#: What GitHub puts behind a repository's name in a download.
_BRANCH = re.compile(r"-(?:main|master)$")
#: What Canvas puts behind the name of a notebook that was handed in again.
_RESUBMITTED = re.compile(r"-\d+$")


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


def is_from_platform(name: str) -> bool:
    """Whether a platform wrote a student, and a number or a time, into a folder's or an archive's name.

    >>> is_from_platform("Ada Lovelace_17_assignsubmission_file_"), is_from_platform("homework")
    (True, False)
    """
    return download_name.read(archive_stem(name)) is not None


def is_from_moodle(name: str) -> bool:
    """Whether Moodle wrote the name: nobody else's names have its mark, while numbers like Canvas' may occur."""
    return download_name.MOODLE.read(stem_of(archive_stem(name))) is not None


def is_platforms_folder(name: str) -> bool:
    """Whether Moodle or Brightspace, whose downloads have folders, called a student's so.

    >>> is_platforms_folder("397063-2557369 - Ada L - Sep 24, 2026 926 PM"), is_platforms_folder("cs_2026_101_hw")
    (True, False)
    """
    return is_from_moodle(name) or download_name.BRIGHTSPACE.read(name) is not None


def classroom_prefix(folders: Sequence[str], parent: str = "") -> str:
    """The assignment's part, hyphen included, that all cloned repositories begin with.

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


def without_branches(folders: Sequence[str]) -> dict[str, str]:
    """What several folders are called without the branch that GitHub wrote behind all of their names.

    >>> without_branches(["hw-ada-main", "hw-alan-master"]), without_branches(["ada", "the-main"])
    ({'hw-ada-main': 'hw-ada', 'hw-alan-master': 'hw-alan'}, {'ada': 'ada', 'the-main': 'the-main'})
    """
    downloaded = len(folders) > 1 and all(map(_BRANCH.search, folders))
    return {folder: _BRANCH.sub("", folder) if downloaded else folder for folder in folders}


class Naming:
    """The rules of this module for all paths below one that was given.

    ``owner`` is the name of the folder or archive given, ``folders`` the sub-folders that hold something,
    ``files`` the notebooks lying directly in it, ``known`` the stems of the course's notebooks. ``of_one_student``
    says that the whole is one student's, ``guessing`` that the first ``_`` of a name that nothing else explains ends a
    student's. ``export`` is what Gradescope's file says of the folders. ``prefix`` is what all these begin with, as
    GitHub Classroom's clones do, or those in another path (``prefixes``).
    """

    def __init__(
        self,
        owner: str,
        folders: Sequence[str],
        files: Sequence[str],
        known: Sequence[str] = (),
        *,
        of_one_student: bool = False,
        guessing: bool = True,
        export: Export | None = None,
        prefixes: Sequence[str] = (),
    ) -> None:
        self._owner = owner
        self._nobodys = nobodys_in(folders, known)
        self._known = known
        self._files = FileNames(files, known, guessing=guessing)
        self._again = Counter(_as_first_attempt(without_copy_of(stem_of(file))) for file in files)
        self._of_one_student = of_one_student
        self._export = export
        own = [folder for folder in folders if folder not in self._nobodys and not is_from_platform(folder)]
        self._repositories = without_branches([*map(archive_stem, own)])
        own = [*self._repositories.values()]
        self._with_sheet = len(own) > 1 and all(map(self._files.beside_sheet, own))
        alike = (prefix for prefix in prefixes if all(name.startswith(prefix) for name in own))
        self.prefix = classroom_prefix(own, owner) or next(alike, "")

    def holder(self, parts: tuple[str, ...]) -> str:
        """Whose the first folder at ``parts`` would be by its own name; nobody's is no student's."""
        return "" if parts and parts[0] in self._nobodys else self.name(parts[:1]).student

    def name(self, parts: tuple[str, ...]) -> Name:
        """Whose the file at ``parts`` is."""
        file = parts[-1] if parts and is_notebook(parts[-1]) else ""
        above = (self._owner,) if self._of_one_student or not parts else parts[:-1] if file else parts
        if above and above[0] in self._nobodys and (file or len(above) > 1):  # else it is all that there is
            above = above[1:]
        who = self._export.submitters(above[0]) if self._export is not None and above else None
        if who is not None:
            return Name(who.name, file, who.number, remark=who.remark)
        if self._of_one_student or not parts:
            return _named(self._owner, file)
        told = above[:1] if above and is_from_platform(above[0]) else (*filter(is_from_moodle, above),)
        if file and not told and (not above or is_from_moodle(file)):
            return self._flat(file, parts[0] if self._files.is_known(parts[0]) else "")
        folder = archive_stem((*told, *above)[0])
        if is_from_platform(folder):
            return _named(folder, file)
        folder = self._repositories.get(folder, folder)
        student = self._files.beside_sheet(folder) if self._with_sheet else folder.removeprefix(self.prefix)
        return Name(student.strip() or folder, file)

    def _flat(self, file: str, folder: str) -> Name:
        """Whose a file is that lies among others', be it in the ``folder`` of a notebook that is known."""
        stem, ending = without_copy_of(stem_of(file)), file.removeprefix(stem_of(file))
        told = download_name.read(stem)
        if told is not None:
            notebook = self._without_attempt(stem, told.notebook) or stem
            return Name(told.student, notebook + ending, told.number, own_folder=False)
        student, notebook = self._files.divided(stem)
        if not student:
            return Name(self._owner, file)
        notebook = notebook or folder
        return Name(student, notebook + ending if notebook else file, own_folder=False)

    def _without_attempt(self, stem: str, notebook: str) -> str:
        """What a student called a ``notebook`` before it was handed in again.

        A number is the student's own, and stays, where it is in the name of a notebook of the course, or where the
        student has another with the same name, which is none of the course's.
        """
        first = _as_first_attempt(stem)
        if first is None:
            return notebook
        known = stems_in(first.notebook, self._known)
        own = known != stems_in(notebook, self._known) or (not known and self._again[first] > 1)
        return notebook if own else first.notebook


def students_in(files: Sequence[str], known: Sequence[str]) -> frozenset[str]:
    """Whom the names of files in one folder tell beside a notebook's: no guesses, nor versions of one.

    >>> sorted(students_in(["ada_03_backprop.ipynb", "old_03_backprop.ipynb", "notes_x.ipynb"], ["03_backprop"]))
    ['ada']
    """
    naming = Naming("", (), files, known, guessing=False)
    names = [(file, naming.name((file,))) for file in files]
    return frozenset(
        name.student for file, name in names if name.student and name.notebook != file if not is_version(name.student)
    )


def _as_first_attempt(stem: str) -> download_name.DownloadName | None:
    """What Canvas would have said of a notebook that was handed in again; None of any other."""
    told = download_name.read(stem)
    if told is None or told not in (download_name.CANVAS.read(stem), download_name.CANVAS_ANONYMOUS.read(stem)):
        return None
    first = replace(told, notebook=_RESUBMITTED.sub("", told.notebook))
    return first if first != told else None


def _named(folder: str, file: str) -> Name:
    told = download_name.read(folder)
    return Name(folder, file) if told is None else Name(told.student, file, told.number)
