"""Finding a course: a Python file, a package folder, a module's name, or a ``grader.courses`` entry point.

A course is whatever ``Exercise`` objects the module and its submodules hold. The module may name ``COURSE`` (its name
in reports) and ``EXERCISES`` (the folder of released notebooks, by default ``exercises`` beside it).
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import pkgutil
import sys
import traceback
from collections.abc import Mapping
from importlib.metadata import EntryPoints, entry_points
from pathlib import Path
from types import ModuleType

from grader import torch_import
from grader.course.privacy import private_places
from grader.errors import CourseError
from grader.model import Assets, Course, Exercise, place_of
from grader.names.visible import files_of

GROUP = "grader.courses"
#: The grader's own code that a declaration calls, which is never the place to fix.
_GRADER = Path(__file__).parent


def load_course(name: str) -> Course:
    """The course called ``name``: an entry point's name, a path, or a module's dotted name, looked up in this order.

    Raises:
        CourseError: there is none, its import failed, it holds no exercise, or two exercises share an id.
    """
    installed = entry_points(group=GROUP)
    module = _module(name, installed)
    exercises: dict[str, Exercise] = {}
    for part in (module, *_submodules(module)):
        for value in vars(part).values():
            if isinstance(value, Exercise) and exercises.setdefault(value.id, value) is not value:
                other = place_of(exercises[value.id].forward)
                raise value.fault(
                    f"is declared twice, first in {other}", field="id", remedy="rename one of the two forward passes"
                )
    if not exercises:
        raise CourseError(
            f"the course {name!r} holds no exercise",
            remedy="declare one with @exercise; the author's guide is in docs/authors.md",
        )
    _refuse_wrong_follows(exercises)
    ordered = sorted(exercises.values(), key=lambda declared: declared.notebook)
    released = _released(module)
    return Course(
        name=str(getattr(module, "COURSE", module.__name__.rpartition(".")[2])),
        exercises={declared.id: declared for declared in ordered},
        exercises_dir=released,
        assets=_beside_notebooks(released, module),
        files=_files(module),
        private=private_places((module.__name__, *(point.module for point in installed))),
    )


def _refuse_wrong_follows(exercises: dict[str, Exercise]) -> None:
    for declared in exercises.values():
        for name in declared.follows:
            if name not in exercises:
                raise declared.fault(
                    f"{name!r} is no exercise of this course",
                    field="follows",
                    remedy="name one of " + ", ".join(exercises),
                )
    for declared in exercises.values():
        if circle := _circle(declared.id, exercises):
            raise declared.fault(
                f"goes round in a circle: {' follows '.join(repr(name) for name in circle)}",
                field="follows",
                remedy="name in each exercise only those whose stubs its own stub calls",
            )


def _circle(start: str, exercises: Mapping[str, Exercise]) -> tuple[str, ...]:
    """The way along ``follows`` from an exercise to itself; empty where there is none."""
    ways: list[tuple[str, ...]] = [(start,)]
    seen: set[str] = set()
    while ways:
        way = ways.pop()
        for name in exercises[way[-1]].follows:
            if name == start:
                return (*way, name)
            if name not in seen:
                seen.add(name)
                ways.append((*way, name))
    return ()


def known_courses() -> tuple[str, ...]:
    """The names of the installed courses."""
    return tuple(sorted(point.name for point in entry_points(group=GROUP)))


def _module(name: str, installed: EntryPoints) -> ModuleType:
    for point in installed.select(name=name):
        if importlib.util.find_spec(point.module.partition(".")[0]) is None:
            raise CourseError(
                f"the course {name!r} is installed, but its module {point.module!r} is not there",
                remedy="install the course again, or fix its entry point",
            )
        return _imported(point.module, name)
    path = Path(name)
    if path.exists():
        return _from_path(path.resolve())
    if all(part.isidentifier() for part in name.split(".")):
        return _imported(name, name)
    raise _unknown(name)


def _imported(module: str, name: str) -> ModuleType:
    bundled = module.partition(".")[0] == "grader"
    if not bundled:
        torch_import.register_shapes()
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is not None and (module == error.name or module.startswith(error.name + ".")):
            raise _unknown(name) from None
        if bundled:  # what it needs, the grader does
            raise
        raise _broken(repr(name), error) from error
    except CourseError:
        raise
    except (Exception, SystemExit) as error:
        raise _broken(repr(name), error) from error


def _from_path(path: Path) -> ModuleType:
    """Import a file or a package folder under its own name, without leaving its folder on ``sys.path``."""
    source = path / "__init__.py" if path.is_dir() else path
    if source.suffix != ".py" or not source.is_file():
        raise CourseError(f"{path} is no course", remedy="name a .py file, or a folder with an __init__.py")
    name = path.stem
    for taken in (name, f"{name}_course"):
        existing = getattr(sys.modules.get(taken), "__file__", None)
        if existing is not None and Path(existing).resolve() == source:
            return sys.modules[taken]
    if name in sys.modules:
        name = f"{name}_course"
    spec = importlib.util.spec_from_file_location(
        name, source, submodule_search_locations=[str(path)] if path.is_dir() else None
    )
    assert spec is not None
    assert spec.loader is not None
    torch_import.register_shapes()
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except CourseError:
        del sys.modules[name]
        raise
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise _broken(str(path), error) from error
    return module


def _broken(course: str, error: BaseException) -> CourseError:
    """An import that failed, with the line of the course's own file that is to be fixed."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not _is_importing(frame.filename)]
    imported = [frame.filename for frame in frames if frame.name == "<module>"]
    own = [frame for frame in frames if frame.filename in imported[-1:]]  # not the library that it called
    place = f"{own[-1].filename}, line {own[-1].lineno}" if own else "the course"
    if isinstance(error, SyntaxError) and error.filename:
        place = f"{error.filename}, line {error.lineno}"
    remedy = f"fix {place}"
    if isinstance(error, ModuleNotFoundError):
        remedy += ": install what it needs; a module beside it is found in a package, by `from . import`"
    elif isinstance(error, ImportError) and "no known parent package" in str(error):
        remedy += ": a file is no package; give its folder an __init__.py, and name the folder"
    return CourseError(f"the course {course} cannot be imported: {type(error).__name__}: {error}", remedy=remedy)


def _is_importing(file: str) -> bool:
    """Whether Python's or the grader's own code is at work there, on the way to the course's."""
    return file.startswith(("<frozen", str(_GRADER)))


def _submodules(module: ModuleType) -> tuple[ModuleType, ...]:
    locations = getattr(module, "__path__", None)
    if locations is None:
        return ()
    names = sorted(found.name for found in pkgutil.iter_modules(locations) if not found.name.startswith("_"))
    return tuple(_imported(f"{module.__name__}.{name}", f"{module.__name__}.{name}") for name in names)


def _released(module: ModuleType) -> Path | None:
    """The folder ``EXERCISES``, taken from beside the module where it is relative."""
    if module.__file__ is None:
        return None
    folder = Path(module.__file__).parent / getattr(module, "EXERCISES", "exercises")
    return folder if folder.is_dir() else None


def _beside_notebooks(released: Path | None, module: ModuleType) -> tuple[Assets, ...]:
    """What is released with the notebooks; nothing where the course lies there too, and its solutions perhaps."""
    if (
        released is None
        or module.__file__ is None
        or Path(module.__file__).resolve().is_relative_to(released.resolve())
    ):
        return ()
    names = {
        name: name
        for name, path in files_of([Assets(released)])
        if path.suffix != ".ipynb" and path.is_file() and not path.is_symlink()
    }
    return (Assets(released, names=names),) if names else ()


def _files(module: ModuleType) -> tuple[Path, ...]:
    """The module's file, or all files in its package's folder but for what Python compiled."""
    if not hasattr(module, "__path__"):
        return (Path(module.__file__),) if module.__file__ is not None else ()
    found = {file for folder in module.__path__ for file in Path(folder).rglob("*") if file.is_file()}
    return tuple(sorted(file for file in found if file.parent.name != "__pycache__"))


def _unknown(name: str) -> CourseError:
    known = ", ".join(known_courses()) or "none"
    is_path = name.endswith(".py") or "/" in name or os.sep in name
    return CourseError(
        f"there is no course {name!r}: no such file or folder" if is_path else f"there is no course {name!r}",
        remedy=f"name a .py file, a package, or an installed course ({known})",
    )
