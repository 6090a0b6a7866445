"""Packages whose public names import their module on first use, so that importing the package costs next to nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def public(package: str, names_of: Mapping[str, str]) -> tuple[Callable[[str], Any], list[str]]:
    """``__getattr__`` (PEP 562) and ``__all__`` of ``package``: the public names of each of its modules."""
    home = {name: module for module, names in names_of.items() for name in names.split()}

    def find(name: str) -> Any:
        if name not in home:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(f"{package}.{home[name]}"), name)

    return find, sorted(home)
