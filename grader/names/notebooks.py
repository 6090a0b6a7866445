"""What a notebook's file name says, whoever asks: collecting who handed in what, and counting what of it counts."""

from __future__ import annotations

import re

ENDING = ".ipynb"
#: What Drive and Colab put before a copy's name, and Jupyter, Windows, macOS and browsers after it, in a few languages.
_COPY_OF = re.compile(r"(?:(?:copy of|kopie v[ao]n|copia d[ei]|copie de|cópia de) )+", re.I)
_COPY_OF_NEXT = re.compile(rf"(?<=[-_ ]){_COPY_OF.pattern}$", re.I)
_COPY = re.compile(r"(?:[-_ ]+\(?(?:copy|kopie|c[oó]pia|copie) ?\d*\)?|[-_ ]*\(\d+\))+$", re.I)


def stem_of(name: str) -> str:
    """A notebook's file name without its ending, any other name as it is.

    >>> stem_of("hw.ipynb"), stem_of("hw.IPYNB"), stem_of("hw.zip")
    ('hw', 'hw', 'hw.zip')
    """
    return name[: -len(ENDING)] if name.lower().endswith(ENDING) else name


def kind_of_notebook(name: str) -> str:
    """What a notebook's file name is about, copies of it alike.

    >>> kind_of_notebook("03_backprop-Copy1.ipynb"), kind_of_notebook("Copy of 03_Backprop - Copy (2).ipynb")
    ('03_backprop', '03_backprop')
    >>> kind_of_notebook("Kopie von 03_backprop.ipynb"), kind_of_notebook("03_backprop (Kopie).ipynb")
    ('03_backprop', '03_backprop')
    """
    return _COPY.sub("", without_copy_of(stem_of(name))).lower()


def without_copy_of(stem: str) -> str:
    """A notebook's name without the "Copy of" before it, which is nobody's.

    >>> without_copy_of("Copy of ada_03_backprop")
    'ada_03_backprop'
    """
    match = _COPY_OF.match(stem)
    return stem[match.end() :] if match and match.end() < len(stem) else stem


def without_copy_of_next(owner: str) -> str:
    """What stands before a notebook's name without the "Copy of" at its end.

    >>> without_copy_of_next("Ada Lovelace - Copy of ")
    'Ada Lovelace - '
    """
    return _COPY_OF_NEXT.sub("", owner)
