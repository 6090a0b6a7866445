"""What was handed in, as far as it can be read without running it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True)
class Cell:
    """A code cell of a notebook.

    ``index`` counts all cells of the notebook from 0, Markdown included, so that a message can name the cell as the
    student sees it. ``exercise`` is the id in the cell's ``{"grader": {"exercise": …}}`` metadata, or None.
    """

    index: int
    source: str
    exercise: str | None = None


@dataclass(frozen=True, slots=True)
class Stub:
    """Where an exercise's answer stands in a notebook.

    ``cell`` is the ``Cell.index`` after which the check runs (the last one, where several names are needed);
    ``line`` the 1-based line of the definition in that cell; ``source`` the code of the definition or cell;
    ``found_by`` is ``"metadata"`` or ``"name"``; ``flags`` are remarks for a human ("defined 3 times").
    ``left_out`` are the untouched stubs that stand below the answer and would take its place when the notebook runs:
    the cell, the first and the last line of each. ``elsewhere`` are, for an answer that is one cell, the names that it
    should assign and another cell does, with that cell. ``kept_from`` is what kept the answer's cell from defining it:
    its error, or its cell magic (``"%%timeit"``); it is known only where a check missed the answer. ``lost`` are the
    names that cells would give which ended in an error, with the cell and the error; only where a check missed a name.
    """

    exercise: str
    cell: int
    line: int
    source: str
    found_by: Literal["metadata", "name"]
    flags: tuple[str, ...] = ()
    left_out: tuple[tuple[int, int, int], ...] = ()
    elsewhere: tuple[tuple[str, int], ...] = ()
    kept_from: str = ""
    lost: tuple[tuple[str, int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Assets:
    """Files that are there for a notebook in its job folder: the regular ones of ``folder``, hidden ones not.

    With ``below`` those in its folders are too. With ``names``, from names in the job folder to names in ``folder``, it
    is these alone: a platform's download puts the student before what they called a file.
    """

    folder: Path
    below: bool = True
    names: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Submission:
    """Who handed in what.

    ``path`` is the notebook on disk, or the student's folder when it holds no notebook; ``shown_path`` is how reports
    name it (relative to what was given on the command line, ``archive.zip!ada/nb.ipynb`` inside an archive).
    ``cells`` are as they run, without what is ``Stub.left_out``.
    ``unreadable`` is the reason when the notebook could not be read; then ``cells`` is empty. ``assets`` are the files
    that were handed in with it; of one name, the first counts. ``modules`` are the Python modules among them, and those
    that the notebook writes, from path to text. ``flags`` are remarks for a human.
    """

    student: str
    notebook: str
    path: Path
    shown_path: str
    sha256: str
    cells: tuple[Cell, ...] = ()
    total_cells: int = 0
    stubs: Mapping[str, Stub] = field(default_factory=dict)
    assets: tuple[Assets, ...] = ()
    modules: Mapping[str, str] = field(default_factory=dict)
    unreadable: str | None = None
    flags: tuple[str, ...] = ()
