"""An import of torch that leaves for later what takes a third of its time, and hardly a notebook needs.

As torch is imported, ``torch._meta_registrations`` registers functions for tensors on the ``meta`` device, and imports
``torch._decomp``, ``torch._refs`` and ``torch._prims`` for them. None of these computes: they find shapes without
computing, as ``torch.compile`` and ``torch.func`` do. Here that waits for the first import of one of them, the first
use of the registrations, or ``register_shapes``. Only releases of torch for which this is tested are imported so.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

#: How the releases begin for which it is tested.
TESTED = ("2.13.", "2.14.")
_REGISTRATIONS = "torch._meta_registrations"
#: What the registrations import, and others may import first: then in an order in which they cannot be imported.
_AFTER = frozenset({"torch._decomp", "torch._prims", "torch._refs", "torch.utils._content_store"})


def postpone_shapes() -> None:
    """Have the coming import of torch leave the registrations for later; without effect where it is over."""
    if "torch" not in sys.modules:
        sys.meta_path.insert(0, _Finder())


def register_shapes() -> None:
    """Make up for what the import of torch left for later, if it left anything."""
    _ = getattr(sys.modules.get(_REGISTRATIONS), "activate_meta", None)


class _Finder(MetaPathFinder):
    """Gives the registrations, and what comes after them, a loader of their own."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of such a module; None for every other."""
        if fullname != _REGISTRATIONS and fullname not in _AFTER:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is None or spec.loader is None or not sys.modules["torch"].__version__.startswith(TESTED):
            return None
        spec.loader = _Later(spec.loader, self) if fullname == _REGISTRATIONS else _After()
        return spec


class _Later(Loader):
    """Executes a module, by its own ``loader``, when something of it is used; there ends the ``finder``."""

    def __init__(self, loader: Loader, finder: _Finder) -> None:
        self.loader = loader
        self.finder = finder

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """As its own loader does."""
        return self.loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Give ``module`` the function that Python calls for a name which it does not have (PEP 562)."""
        import torch
        from torch._opaque_base import OpaqueBaseMeta

        # No random generator can be made before this, which ``torch._prims`` will do again.
        torch._C._set_generator_metaclass(OpaqueBaseMeta)

        def find(name: str) -> Any:
            if name.startswith("__"):  # asked by who looks at all modules, as ``inspect`` does
                raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")
            del module.__getattr__
            sys.meta_path.remove(self.finder)
            self.loader.exec_module(module)
            return getattr(module, name)

        module.__getattr__ = find  # type: ignore[method-assign]


class _After(Loader):
    """Has a module come as what the registrations imported."""

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """The module, once all is registered."""
        register_shapes()
        return sys.modules[spec.name]

    def exec_module(self, module: ModuleType) -> None:
        """Nothing: it has been executed."""
