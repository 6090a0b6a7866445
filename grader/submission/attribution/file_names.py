"""Which part of a notebook's file name is the notebook's, and which the student's.

A name that ends with a notebook's that is known or begins with a number (``ada_03_backprop``), or that several share,
begins with the student's; else the student's is what stands before the first ``_``. Where several files lie together
and none has both parts nor the name of a notebook, they are called after their students (``ada``, ``alan``). Where most
begin with a notebook's name that is known, with or without its number, or a sheet's, and not all go on like versions,
what follows is the student (``03_backprop_ada``, ``backprop_alan``, ``HW3_zoe``), but not what tells that it came late,
or is a version of another one's (``HW3_zoe_v2``).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from grader.names.notebooks import ENDING, kind_of_notebook, stem_of, without_copy_of, without_copy_of_next
from grader.submission.attribution.folder_names import SHEET, is_part

_FIRST_NUMBER = re.compile(r"\d+[_-](?=\D{3})")
_NUMBERED = re.compile(r"(?:^|_)(?P<notebook>\d{1,2}[_-][^_\d].*)", re.S)
_BETWEEN = re.compile(r"[-_. ()]+")
_PLAIN_NAMES = ("notebook", "assignment", "homework", "submission", "solution", "exercise", "untitled", "main")
#: A student's number, which is longer than a version's and no date.
_NUMBER = r"(?!20\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]))\d{5,}$"
#: What tells versions of a notebook apart, not students. It never goes back (``++``): names are students' to choose.
_VERSION = re.compile(
    rf"(?!{_NUMBER})(?:[\W_]|v?\d|v(?:er(?:sion)?)?|final|endg(?:ü|ue)ltig|new|neu|old|alt|draft|fixed|done|completed?|edit(?:ed)?"
    r"|mine|my|copy|kopie|test|backup|colab|answers?|solved|solutions?|attempt|try|late|(?:re)?submi(?:t(?:ted)?|ssion)"
    r"|hand(?:ed)?_?in)++",
    re.I,
)
#: By what a version is surely one.
_SURE = re.compile(r"\d|[^\W_]{4}")


def is_version(text: str) -> bool:
    """Whether a piece of a name tells versions of a notebook apart, not students.

    >>> is_version("final_v2"), is_version("12345678"), is_version("ada")
    (True, False, False)
    """
    return _VERSION.fullmatch(text) is not None


def stems_in(notebook: str, stems: Iterable[str]) -> frozenset[str]:
    """Which of a course's notebooks (``stems``) a file name has in it, in any letter case.

    Not one inside a longer one that it has too, nor one whose last digit goes on with a digit or last letter with a
    letter: ``lab10`` is not ``lab1``.

    >>> sorted(stems_in("lab10 final.ipynb", ["lab1", "lab10"])), sorted(stems_in("lab1v2.ipynb", ["lab1", "lab10"]))
    (['lab10'], ['lab1'])
    """
    name = stem_of(notebook)
    found = {stem: [place for place in _places(name, stem) if _is_apart(name, *place)] for stem in stems}
    every = [place for places in found.values() for place in places]

    def is_inside(place: tuple[int, int]) -> bool:
        return any(other != place and other[0] <= place[0] and place[1] <= other[1] for other in every)

    return frozenset(stem for stem, places in found.items() if not all(is_inside(place) for place in places))


def _places(name: str, stem: str) -> list[tuple[int, int]]:
    return [match.span(1) for match in re.finditer(f"(?=({re.escape(stem)}))", name, re.I)] if stem else []


def _is_apart(name: str, begin: int, end: int) -> bool:
    """Whether no letter stands beside a letter, no digit beside a digit, at either end of a piece of ``name``."""
    return not any(
        (before.isalpha() and after.isalpha()) or (before.isdecimal() and after.isdecimal())
        for before, after in ((name[begin - 1 : begin], name[begin]), (name[end - 1], name[end : end + 1]))
    )


class FileNames:
    """How the notebooks that lie in one folder are called.

    ``files`` are their names and ``known`` the stems of the course's notebooks; ``guessing`` says that the first ``_``
    of a name that nothing else explains ends a student's.
    """

    def __init__(self, files: Sequence[str], known: Sequence[str], *, guessing: bool = True) -> None:
        lower = {stem.lower() for stem in known}
        self._known = sorted(lower | {_FIRST_NUMBER.sub("", stem) for stem in lower}, key=len, reverse=True)
        self._guessing = guessing
        stems = [stem_of(name) for name in files]
        counts = Counter(suffix for stem in stems for suffix in _suffixes(stem))
        self._shared = {suffix for suffix, count in counts.items() if count > 1}
        followed = [(begun, rest) for begun, rest in map(self._begun, map(without_copy_of, stems)) if begun]
        self._named = {rest for _, rest in followed if self._is_name(rest)}
        self._name_last = len(self._named) > max(1, sum(not rest for _, rest in followed))
        self._by_sheet = sum(SHEET.match(stem) is not None for stem in stems) * 2 > len(stems)
        told = {stem.removesuffix(notebook) for stem in stems if (notebook := self._told_in(stem)) not in ("", stem)}
        nameless = any("_" in stem or self._is_notebook_name(stem) for stem in stems)
        self._by_student = len(told) > 1 or (len(stems) > 1 and not nameless)

    def is_known(self, folder: str) -> bool:
        """Whether a folder is called like a notebook of the course, with or without its number."""
        return folder.lower() in self._known

    def divided(self, stem: str) -> tuple[str, str]:
        """The student's part of a file's name and the notebook's, each empty where there is none."""
        begun, rest = self._begun(stem) if self._name_last else ("", "")
        if begun and self._is_name(rest):
            return self._without_version(rest), begun
        notebook = self._notebook_in(stem)
        student = without_copy_of_next(stem[: len(stem) - len(notebook)]).removesuffix(".").rstrip("_- ")
        if self._by_sheet and SHEET.fullmatch(student):
            return "", stem
        if not student and self._by_student and not self._is_notebook_name(stem):
            return stem, ""
        return student, notebook

    def beside_sheet(self, folder: str) -> str:
        """What stands before or behind a notebook's or a sheet's name in a folder's; nothing where none does."""
        begun, rest = self._begun(folder)
        if begun and self._is_name(rest):
            return rest
        ends = (*map(re.escape, self._known), SHEET.pattern)
        before = re.fullmatch(rf"(?P<student>.*[^-_. ])[-_. ]+(?:{'|'.join(ends)})", folder, re.I)
        return before["student"] if before and self._is_name(before["student"]) else ""

    def _begun(self, stem: str) -> tuple[str, str]:
        """The known notebook's name that ``stem`` begins with, and what follows it; else nothing."""
        original = kind_of_notebook(stem)
        sheet = SHEET.match(original)
        for known in (*self._known, *([sheet[0]] if sheet else ())):
            if original.startswith(known) and original[len(known) : len(known) + 1] in ("", *"_-. ("):
                rest = stem[len(known) : len(original)].removeprefix(ENDING).lstrip(".")
                return stem[: len(known)], rest.strip("_- –()")
        return "", ""

    def _is_name(self, rest: str) -> bool:
        """Whether what follows a notebook's name is a student's: no version, nor one more notebook's name."""
        return bool(rest) and not is_version(rest) and kind_of_notebook(rest) not in self._known

    def _without_version(self, name: str) -> str:
        """A student's name without ``late`` behind it, nor a version where the same name stands alone elsewhere.

        What may be an initial or a short name (``v``, ``my``) is none.
        """
        for between in _BETWEEN.finditer(name):
            student, last = name[: between.start()], name[between.end() :]
            late, version = is_part(last), is_version(last) and _SURE.search(last) is not None
            if (late and self._is_name(student)) or (version and student in self._named):
                return student
        return name

    def _is_notebook_name(self, stem: str) -> bool:
        kind = kind_of_notebook(stem)
        if kind in {*self._known, *_PLAIN_NAMES} or SHEET.fullmatch(kind):
            return True
        return stem[:1].isdigit() and not re.match(_NUMBER, stem)

    def _notebook_in(self, stem: str) -> str:
        """The end of ``stem`` that names the notebook: all of it for no student, none of it for no notebook."""
        return self._told_in(stem) or (stem.split("_", 1)[-1] if self._guessing else stem)

    def _told_in(self, stem: str) -> str:
        """That end where it is not only guessed."""
        original = kind_of_notebook(stem)
        for known in self._known:
            if original.endswith(known) and (len(original) == len(known) or original[-len(known) - 1] in "_-. "):
                return stem[len(original) - len(known) :]
        numbered = _NUMBERED.search(stem)
        if numbered is not None:
            return numbered["notebook"]
        return next((suffix for suffix in _suffixes(stem) if suffix in self._shared), "")


def _suffixes(stem: str) -> list[str]:
    """The ends of ``stem`` that may name a notebook, longest first: one part at least is left."""
    pieces = stem.split("_")
    return ["_".join(pieces[i:]) for i in range(1, len(pieces))]
