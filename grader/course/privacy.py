"""The files of installed courses that graded notebooks must not read, such as solutions and secret cases."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from importlib.machinery import ModuleSpec
from pathlib import Path

import grader

#: The grader's own package, whose course holds nothing back.
_HOME = Path(grader.__file__).resolve().parent


def private_places(modules: Iterable[str]) -> tuple[Path, ...]:
    """The outermost folder or file of each of ``modules``, as it is named and as links lead to it.

    Nothing is imported. What a notebook may import of a course belongs in a package of its own.
    """
    places: dict[Path, None] = {}
    for module in modules:
        for place in _places(module):
            if not place.resolve().is_relative_to(_HOME):
                places.update({place: None, place.resolve(): None})
    return tuple(places)


def _places(module: str) -> list[Path]:
    """The folders of the outermost package of ``module`` that is more than a name space, or its file, compiled too."""
    spec = _outermost(module.split("."))
    if spec is None or spec.origin is None or not spec.has_location:
        return []
    if spec.submodule_search_locations is not None:
        return [Path(folder) for folder in spec.submodule_search_locations]
    file = Path(spec.origin)
    return [file, *file.parent.glob(f"__pycache__/{file.stem}.*.pyc")]


def _outermost(parts: list[str]) -> ModuleSpec | None:
    for depth in range(1, len(parts) + 1):
        try:
            spec = importlib.util.find_spec(".".join(parts[:depth]))
        except (ImportError, ValueError):
            return None
        if spec is None or spec.origin is not None:
            return spec
    return None
