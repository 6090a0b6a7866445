"""What a notebook's file name says, whoever asks: collecting who handed in what, and counting what of it counts."""

from __future__ import annotations

import re

ENDING = ".ipynb"
_COPY = re.compile(r"(?:[-_ ]copy\d*|[-_ ]?\(\d+\))$", re.I)


def kind_of_notebook(name: str) -> str:
    """Return what a notebook's file name is about, copies of it alike.

    >>> kind_of_notebook("03_backprop-Copy1.ipynb"), kind_of_notebook("03_Backprop (2).ipynb")
    ('03_backprop', '03_backprop')
    """
    stem = name[: -len(ENDING)] if name.lower().endswith(ENDING) else name
    return _COPY.sub("", stem).lower()
