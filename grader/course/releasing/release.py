"""Making the notebooks that students get from the solutions that an instructor writes.

``solutions/*.ipynb`` hold teaching text, stubs and, between the markers of ``solution``, the answers.
``release`` writes ``exercises/*.ipynb`` without them: no outputs, no execution counts, no metadata but what Jupyter and
the grader need, attachments only where a Markdown cell shows them. The same solutions give the same bytes. Nothing is
written unless every notebook can be released and no solution's line is left in any of them.
"""

from __future__ import annotations

import ast
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from grader import atomic
from grader.cell_code import parsed
from grader.course.releasing.leak import bare, first_leak, telling_lines
from grader.course.releasing.solution import STUB, Cut, MarkerProblem, cut
from grader.errors import ReleaseError

_BESIDE = frozenset({".csv", ".gif", ".jpeg", ".jpg", ".npy", ".npz", ".png", ".svg"})
_CELL_METADATA = ("deletable", "editable", "grader", "slideshow", "tags")
_CELL_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class ReleaseOutcome:
    """What a release did, as sorted posix paths below the exercises' folder.

    ``written`` were new or changed; ``unchanged`` were right already; ``differing`` (with ``check``) would be written;
    ``stale`` stand among the exercises but come from no solution (they are never removed).
    """

    written: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    differing: tuple[str, ...] = ()
    stale: tuple[str, ...] = ()

    @property
    def up_to_date(self) -> bool:
        """Whether the exercises are exactly what the solutions give."""
        return not (self.differing or self.stale)


def release(solutions: Path, exercises: Path, *, check: bool = False) -> ReleaseOutcome:
    """Make ``exercises`` from ``solutions``; with ``check`` only compare and write nothing.

    Raises:
        ReleaseError: ``solutions`` is no folder or holds no notebook, a notebook cannot be read, its markers do not
            pair, or an answer would be left in it; one of the two folders lies in the other; an answer that somebody
            wrote among the exercises would be lost. Nothing is written then.
    """
    places = solutions.resolve(), exercises.resolve()
    if places[0].is_relative_to(places[1]) or places[1].is_relative_to(places[0]):
        raise ReleaseError(
            f"the solutions in {solutions} would be overwritten, or released",
            remedy="name two folders of which neither lies in the other",
        )
    wanted = _released_files(solutions)
    if not check:
        _refuse_answered(exercises, wanted)
    written, unchanged, differing = [], [], []
    for name, content in sorted(wanted.items()):
        target = exercises / name
        if target.is_file() and target.read_bytes() == content:
            unchanged.append(name)
        elif check:
            differing.append(name)
        else:
            atomic.write(target, content)
            written.append(name)
    stale = sorted(name for name, _ in _files(exercises) if name not in wanted)
    return ReleaseOutcome(tuple(written), tuple(unchanged), tuple(differing), tuple(stale))


def _refuse_answered(exercises: Path, wanted: Mapping[str, bytes]) -> None:
    """Refuse to write over a notebook in which a released stub has been answered."""
    for name, content in wanted.items():
        target = exercises / name
        if name.endswith(".ipynb") and target.is_file():
            answered = _sources(target.read_bytes())
            for cell, stub in _sources(content).items():
                if STUB in stub and STUB not in answered.get(cell, STUB):
                    raise ReleaseError(
                        f"{target} has an answer in the cell {cell!r}, which would be lost",
                        remedy="move that notebook away, or release into another folder",
                    )


def _sources(content: bytes) -> dict[str, str]:
    """The sources of a notebook's cells by their ids; none where it is no notebook."""
    try:
        cells = json.loads(content)["cells"]
        return {cell["id"]: _text(cell["source"]) or "" for cell in cells if "id" in cell}
    except (ValueError, TypeError, KeyError, RecursionError):
        return {}


def release_notebook(notebook: Mapping[str, Any], *, name: str = "notebook") -> dict[str, Any]:
    """What students get of a notebook of format 4; ``name`` is what errors call it. The argument is kept as is.

    Raises:
        ReleaseError: it is not a notebook of format 4, its markers do not pair, a cell tagged as an answer has none, a
            cell is no Python any more without its solution, or a solution's line is left somewhere.
    """
    cells = notebook.get("cells")
    if notebook.get("nbformat") != 4 or not isinstance(cells, list):
        raise ReleaseError(f"{name}: not a notebook of format 4", remedy="open and save it with a current Jupyter")
    work = _Work(name)
    for index, cell in enumerate(cells):
        work.add(index, cell)
    released = {
        "cells": work.cells,
        "metadata": _notebook_metadata(notebook.get("metadata")),
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    work.check_leaks(released["metadata"])
    return released


def notebook_bytes(notebook: Mapping[str, Any]) -> bytes:
    """A notebook as it is stored: Jupyter's own layout, keys sorted, so that saving it gives a small diff."""
    cells = [{**cell, "source": cell["source"].splitlines(keepends=True)} for cell in notebook["cells"]]
    text = json.dumps({**notebook, "cells": cells}, ensure_ascii=False, indent=1, sort_keys=True)
    return (text + "\n").encode("utf-8")


def _released_files(solutions: Path) -> dict[str, bytes]:
    if not solutions.is_dir():
        raise ReleaseError(f"no such folder: {solutions}", remedy="name the folder with the solution notebooks")
    wanted = {}
    for name, path in _files(solutions):
        content = path.read_bytes()
        wanted[name] = (
            notebook_bytes(release_notebook(_loaded(content, name), name=name)) if name.endswith(".ipynb") else content
        )
    if not any(name.endswith(".ipynb") for name in wanted):
        raise ReleaseError(f"no notebook in {solutions}", remedy="name the folder with the solution notebooks")
    return wanted


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """What a release is concerned with: notebooks and the data beside them, hidden ones passed over."""
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        parts = path.relative_to(folder).parts
        hidden = any(part.startswith(".") for part in parts)
        if (path.suffix == ".ipynb" or path.suffix in _BESIDE) and not hidden and path.is_file():
            yield "/".join(parts), path


def _loaded(content: bytes, name: str) -> dict[str, Any]:
    try:
        document = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise ReleaseError(f"{name}: not a notebook: {error}", remedy="open and save it with Jupyter") from None
    if not isinstance(document, dict):
        raise ReleaseError(f"{name}: not a notebook", remedy="open and save it with Jupyter")
    return document


@dataclass
class _Work:
    """One notebook on its way: the cells released so far, and what must not be seen in any of them."""

    name: str
    cells: list[dict[str, Any]] = field(default_factory=list)
    solutions: dict[int, tuple[str, ...]] = field(default_factory=dict)
    ids: set[str] = field(default_factory=set)

    def add(self, index: int, cell: object) -> None:
        """Release one cell."""
        if not isinstance(cell, Mapping) or cell.get("cell_type") not in ("code", "markdown", "raw"):
            raise self.error("not a cell", index, remedy="open and save the notebook with Jupyter")
        kind, original = cell["cell_type"], _text(cell.get("source", ""))
        if original is None:
            raise self.error("its source is no text", index, remedy="open and save the notebook with Jupyter")
        result = self._cut(original, index, code=kind == "code")
        released: dict[str, Any] = {
            "cell_type": kind,
            "id": self._id(cell.get("id"), index, result.source),
            "metadata": _cell_metadata(cell.get("metadata")),
            "source": result.source,
        }
        held_solution = result.source != original
        tag = released["metadata"].get("grader")
        if kind == "code" and isinstance(tag, Mapping) and tag.get("exercise") and not held_solution:
            self._refuse_answer(str(tag["exercise"]), original, index)
        if not held_solution and original.strip() and STUB not in original and _is_emptied(cell.get("metadata")):
            raise self.error(
                "is one that nbgrader empties as a whole, and holds no solution markers: it would be released whole",
                index,
                remedy="put ### BEGIN SOLUTION and ### END SOLUTION around the answer, in text as in code",
            )
        if held_solution:
            self.solutions[index] = result.solution
        if kind == "code":
            released.update(execution_count=None, outputs=[])
        elif kind == "markdown" and not held_solution and "grader" not in released["metadata"]:
            attachments = _attachments(cell.get("attachments"), result.source)
            if attachments:
                released["attachments"] = attachments
        self.cells.append(released)

    def _cut(self, source: str, index: int, *, code: bool) -> Cut:
        try:
            result = cut(source, code=code)
        except MarkerProblem as problem:
            raise self.error(str(problem), index, remedy=problem.remedy) from None
        if code and parsed(source) is not None and parsed(result.source) is None:
            raise self.error("is no valid Python without its solution", index, remedy="indent markers like their code")
        return result

    def _refuse_answer(self, exercise: str, source: str, index: int) -> None:
        """Refuse to release a tagged cell as it stands, unless it is a stub already.

        A finished class may have a method that raises ``NotImplementedError``: each body of a stub does.
        """
        if not _each_body_raises(source):
            raise self.error(
                f"is tagged as the answer to {exercise!r} and holds no solution markers: it would be released whole",
                index,
                remedy="put ### BEGIN SOLUTION and ### END SOLUTION around the answer",
            )

    def _id(self, given: object, index: int, source: str) -> str:
        if not (isinstance(given, str) and _CELL_ID.fullmatch(given)) or given in self.ids:
            given = hashlib.sha256(f"{index}\n{source}".encode()).hexdigest()[:8]
            while given in self.ids:
                given = hashlib.sha256(given.encode()).hexdigest()[:8]
        self.ids.add(given)
        return given

    def check_leaks(self, metadata: object) -> None:
        """Refuse the notebook if a line of any solution is left in it."""
        shown = ""
        for index, cell in enumerate(self.cells):
            if index in self.solutions:
                leak = first_leak(self.cells, metadata, telling_lines(self.solutions[index], shown))
                if leak is not None:
                    raise self.error(
                        f"its solution's line {leak.line!r} still stands in {leak.place}",
                        index,
                        remedy="reword the one or the other, or put it between solution markers as well",
                    )
            elif cell["cell_type"] == "code" and "grader" not in cell["metadata"]:
                shown += bare(cell["source"]) + "\n"

    def error(self, message: str, index: int, *, remedy: str) -> ReleaseError:
        """The error for a cell of this notebook."""
        return ReleaseError(f"{self.name}, cell {index}: {message}", remedy=remedy)


def _each_body_raises(source: str) -> bool:
    """Whether each function of a cell, or, where it has none, the cell itself, raises ``NotImplementedError``."""
    tree = parsed(source)
    if tree is None:
        return False
    functions = ast.FunctionDef | ast.AsyncFunctionDef
    bodies: list[ast.AST] = [node for node in ast.walk(tree) if isinstance(node, functions)]
    return all(
        any(isinstance(line, ast.Raise) and "NotImplementedError" in ast.dump(line) for line in ast.walk(body))
        for body in bodies or [tree]
    )


def _text(source: object) -> str | None:
    """A cell's source, which may be a list of lines; None where it is no text."""
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    return source.replace("\r\n", "\n") if isinstance(source, str) else None


def _notebook_metadata(metadata: object) -> dict[str, Any]:
    given = metadata if isinstance(metadata, Mapping) else {}
    kept: dict[str, Any] = {}
    if isinstance(given.get("kernelspec"), Mapping):
        known = {key: given["kernelspec"].get(key) for key in ("display_name", "language", "name")}
        kept["kernelspec"] = {key: value for key, value in known.items() if isinstance(value, str)}
    language = given.get("language_info")
    if isinstance(language, Mapping) and isinstance(language.get("name"), str):
        kept["language_info"] = {"name": language["name"]}
    if "grader" in given:
        kept["grader"] = given["grader"]
    return kept


def _cell_metadata(metadata: object) -> dict[str, Any]:
    given = metadata if isinstance(metadata, Mapping) else {}
    kept = {key: given[key] for key in _CELL_METADATA if key in given}
    if isinstance(kept.get("tags"), list):
        kept["tags"] = [tag for tag in kept["tags"] if not str(tag).startswith(("otter_", "nbgrader"))]
    return {key: value for key, value in kept.items() if value not in ([], {})}


def _is_emptied(metadata: object) -> bool:
    """Whether nbgrader releases a stub in the place of a whole cell without markers: an answer graded by hand."""
    nbgraders = metadata.get("nbgrader") if isinstance(metadata, Mapping) else None
    return isinstance(nbgraders, Mapping) and nbgraders.get("solution") is True


def _attachments(attachments: object, source: str) -> dict[str, Any]:
    """The attachments that the text still shows (``attachment:name``)."""
    if not isinstance(attachments, Mapping):
        return {}
    named = {unquote(match) for match in re.findall(r"attachment:([^\s)\"'>]+)", source)}
    return {name: content for name, content in attachments.items() if name in named}
