"""Notebooks as they come in the wild, made in code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from grader.model import Assets, Cell
from grader.submission.entry import Entry

LIN_GRAD = "def lin_grad(inp, out, w, b):\n    inp.g = out.g @ w.t()\n    w.g = inp.t() @ out.g\n    b.g = out.g.sum(0)"
STUB = 'def lin_grad(inp, out, w, b):\n    """Backward pass."""\n    raise NotImplementedError'


def code(source: Any, exercise: object = None, **extra: Any) -> dict[str, Any]:
    metadata = {} if exercise is None else {"grader": {"exercise": exercise}}
    return {
        "cell_type": "code",
        "source": source,
        "metadata": metadata,
        "outputs": [],
        "execution_count": None,
        **extra,
    }


def markdown(source: Any, **extra: Any) -> dict[str, Any]:
    return {"cell_type": "markdown", "source": source, "metadata": {}, **extra}


def notebook(*cells: Any, minor: int = 0, **extra: Any) -> dict[str, Any]:
    return {"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": minor, **extra}


def notebook_v3(*sources: Any) -> dict[str, Any]:
    cells = [{"cell_type": "code", "input": source, "language": "python", "outputs": []} for source in sources]
    heading = {"cell_type": "heading", "level": 1, "source": "Title"}
    return {"worksheets": [{"cells": [heading, *cells]}], "metadata": {}, "nbformat": 3, "nbformat_minor": 0}


def data(document: Any) -> bytes:
    return json.dumps(document).encode()


def cells(*sources: str | tuple[str, str]) -> list[Cell]:
    """Code cells; a pair is a source and the exercise it is tagged with."""
    return [
        Cell(index, source) if isinstance(source, str) else Cell(index, source[0], source[1])
        for index, source in enumerate(sources)
    ]


def entry_for(path: Path, name: str = "nb.ipynb", assets: tuple[Assets, ...] = ()) -> Entry:
    return Entry("ada", name, path, path.name, assets)
