"""An automated grader for backpropagation tutorials.

In a notebook::

    from grader import check
    check("lin_grad")

Importing this package does not import torch; the parts that need it do, when they are used.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from grader._version import __version__

if TYPE_CHECKING:
    from grader.notebook import check

__all__ = ["__version__", "check"]


def __getattr__(name: str) -> Any:
    """Load ``check`` on first use; inside a kernel that is being scored it does nothing (the grader checks itself)."""
    if name != "check":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if os.environ.get("GRADER_SCORING"):
        return _no_check
    from grader.notebook import check, follow_cells

    follow_cells()
    return check


def _no_check(*names: object, **options: object) -> None:
    """Stand in for ``check`` while a notebook is scored."""
