"""A course's repository for students: exercises, README, workflow and pins, written where nothing stands yet.

Templates use ``@@name@@`` and ``@% … %@``: GitHub's ``${{ … }}`` and a shell's ``$`` stay as they are.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from shlex import quote

from jinja2 import Environment, PackageLoader, StrictUndefined

from grader import atomic
from grader.course.loading import load_course
from grader.errors import UsageError
from grader.model import Course
from grader.names.enumeration import first_of
from grader.names.notebooks import ENDING
from grader.names.visible import GRADEBOOK, is_of_grades, is_work
from grader.starter.pins import Pins, pins_of

_HIDDEN = (".", "__pycache__")
#: The folders that are written here; the released notebooks may be in any of them.
_MADE_HERE = ("exercises", "autograder", "classroom50")
_WROTE, _KEPT = "  wrote  ", "   kept  "
#: Path in the repository → template. Of a name that ends with ``*`` the file may be run.
_ALWAYS = {
    "README.md": "README.md.j2",
    "requirements.txt": "requirements.txt.j2",
    "constraints.txt": "constraints.txt.j2",
    ".gitignore": "gitignore.j2",
    ".github/workflows/grade.yml": "grade.yml.j2",
}
_CLASSROOM50 = {"classroom50/autograder.py*": "autograder.py.j2"}
_GRADESCOPE = {
    "autograder/setup.sh*": "setup.sh.j2",
    "autograder/run_autograder*": "run_autograder.j2",
    "autograder/sandbox.sh*": "sandbox.sh",
}


def start_repository(
    folder: Path, course: str, *, grader: str = "", classroom50: bool = False, gradescope: bool = False
) -> Iterator[str]:
    """Write the repository into ``folder``; yields a line for each file, written or kept, then what to do next.

    ``grader`` is the requirement by which pip finds the grader, this release on the package index by default. A file
    that stands there is kept as it is. Solutions are not part of it.

    Raises:
        CourseError: the course cannot be loaded.
        UsageError: it has no released notebooks, or ``grader`` pins nothing.
        OSError: the folder cannot be written.
    """
    loaded = load_course(course)
    if loaded.exercises_dir is None:
        raise UsageError(
            f"the course {loaded.name!r} has no released notebooks", remedy="make them first with `grader release`"
        )
    pins = pins_of(loaded, course, grader)
    wanted = {**_ALWAYS, **(_CLASSROOM50 if classroom50 else {}), **(_GRADESCOPE if gradescope else {})}
    autograders = [name for name, asked in (("classroom50", classroom50), ("autograder", gradescope)) if asked]
    wrote = False
    for line in _files_of(loaded, pins, folder, wanted, autograders):
        wrote = wrote or line.startswith(_WROTE)
        yield line
    yield ""
    if wrote:
        yield from pins.remarks
        yield from _not_for_students(loaded, folder)
        yield from _next_steps(pins, folder, classroom50=classroom50, gradescope=gradescope)
    else:
        yield f"Nothing is new in {folder}. To have a file as this version writes it, remove yours and run this again."


def _files_of(
    course: Course, pins: Pins, folder: Path, wanted: Mapping[str, str], autograders: Iterable[str]
) -> Iterator[str]:
    yield from _exercises(course, folder)
    for name, template in wanted.items():
        text = _environment().get_template(template).render(pins=pins, course=course)
        line = _line(folder, name.rstrip("*"), text.encode(), runnable=name.endswith("*"))
        grader = pins.requirements[0]
        pins_other = line.startswith(_KEPT) and grader in text and grader not in _kept_text(folder / name.rstrip("*"))
        yield f"{line}  (does not pin {grader})" if pins_other else line
    for place in autograders:
        yield from _course_copy(pins, folder, place)


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("grader.starter"),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - no HTML: YAML, shell and Python, filled from an installed course
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        block_start_string="@%",
        block_end_string="%@",
        variable_start_string="@@",
        variable_end_string="@@",
        comment_start_string="@#",
        comment_end_string="#@",
    )
    environment.filters["quote"] = quote
    return environment


def _exercises(course: Course, folder: Path) -> Iterator[str]:
    """The released notebooks and the data beside them."""
    assert course.exercises_dir is not None
    for source in _files(course.exercises_dir):
        name = source.relative_to(course.exercises_dir).as_posix()
        yield _line(folder, f"exercises/{name}", source.read_bytes())


def _files(root: Path) -> Iterator[Path]:
    for path in sorted(root.rglob("*")):
        inside = path.relative_to(root).parts
        if path.is_file() and not path.is_symlink() and not any(part.startswith(_HIDDEN) for part in inside):
            yield path


def _course_copy(pins: Pins, folder: Path, place: str) -> Iterator[str]:
    """A course that is no installed one goes along with the autograder, which can reach nothing else."""
    if pins.file is None:
        return
    sources = [pins.file] if pins.file.is_file() else list(_files(pins.file))
    for source in sources:
        name = source.relative_to(pins.file.parent).as_posix()
        yield _line(folder, f"{place}/{name}", source.read_bytes())


def _line(folder: Path, name: str, content: bytes, *, runnable: bool = False) -> str:
    """Write one file unless something stands there already; a link counts as something."""
    path = folder / name
    if os.path.lexists(path):
        return f"{_KEPT}{name}"
    atomic.write(path, content)
    path.chmod(0o755 if runnable else 0o644)
    return f"{_WROTE}{name}"


def _kept_text(path: Path) -> str:
    """What stands in a file that was kept; nothing where it is none that can be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _not_for_students(course: Course, folder: Path) -> Iterator[str]:
    """A warning of what lay in ``folder`` before, is pushed with it, and is the author's or the instructor's."""
    ignored = {line.strip().strip("/") for line in _kept_text(folder / ".gitignore").splitlines()}
    there = sorted(path for path in folder.iterdir() if is_work(path.name))
    kept = [path for path in there if path.name not in {*_MADE_HERE, *ignored}]
    graded = (folder / GRADEBOOK).exists()
    found = [path.name for path in kept if (graded and is_of_grades(path.name)) or _holds_work(path, course)]
    if found:
        yield (
            f"Students get all that is pushed, and in {folder} lies what is not theirs: {first_of(found)}. Take those"
            " out, or begin anew in an empty folder."
        )


def _holds_work(path: Path, course: Course) -> bool:
    """Whether a path is a notebook of the course, or a folder with one or with grades, but for the released ones."""
    assert course.exercises_dir is not None
    released = course.exercises_dir.resolve()
    for place, folders, files in os.walk(path) if path.is_dir() else [(str(path.parent), [], [path.name])]:
        theirs = Path(place).resolve() == released
        if GRADEBOOK in files or (not theirs and any(_is_notebook_of(course, name) for name in files)):
            return True
        folders[:] = filter(is_work, folders)
    return False


def _is_notebook_of(course: Course, name: str) -> bool:
    """Whether a file is called like a notebook of the course, and perhaps like a student too."""
    return name.endswith(ENDING) and any(stem in name for stem in course.notebooks)


def _next_steps(pins: Pins, folder: Path, *, classroom50: bool, gradescope: bool) -> Iterator[str]:
    start = "" if os.path.lexists(folder / ".git") else "git init -b main && "
    yield f"Next, in {folder}: {start}git add . && git commit -m 'Start the course', and push it to GitHub."
    if pins.course_file:
        yield (
            f"The course {pins.course_file} is not installed from a package index: set your organization's Actions"
            f" variable GRADER_COURSE_REPOSITORY to the repository (owner/name) that has it at its top, and, if that is"
            f" private, the secret GRADER_COURSE_TOKEN to a token that may read it."
        )
        yield (
            "A course in a file is nothing that students have, so `check` in their notebooks finds no exercise of it:"
            " install it as a package (docs/authors.md, section 7), or leave those cells out."
        )
    if classroom50:
        yield (
            "Classroom 50: copy classroom50/* to CLASSROOM/autograders/ASSIGNMENT/ of your classroom50 repository;"
            " then .github/workflows/grade.yml is not needed."
        )
    if gradescope:
        tool = "zip -r ../autograder.zip ." if shutil.which("zip") else "python3 -m zipfile -c ../autograder.zip *"
        place = quote(str(folder / "autograder"))
        yield f"Gradescope: cd {place} && {tool}, and upload autograder.zip (base image: Ubuntu 24.04)."
