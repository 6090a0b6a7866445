"""The Python modules that a notebook can import: files that were handed in with it, and cells that write one."""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from grader.cell_code import MOST_CODE
from grader.model import Cell
from grader.names.visible import files_of
from grader.submission.entry import Entry
from grader.submission.files.regular_file import Refused, TooLarge, content

#: How the names of modules end that are no text.
_COMPILED = (".pyc", ".so", ".pyd")
_WRITES = re.compile(r"\s*%%(?:writefile|file)[ \t]+(?:(?:-a|--append)[ \t]+)?([\"']?)(?P<path>\S+\.py)\1[ \t]*\n")


def sources_beside(entry: Entry) -> Iterator[tuple[str, str | None]]:
    """Path and text of the modules that the notebook can import; None for what is compiled, or too much to read."""
    left = MOST_CODE
    for name, path in files_of(entry.assets):
        if name.endswith(_COMPILED):
            yield name, None
        elif name.endswith(".py"):
            try:
                text = content(path, left).decode("utf-8", "replace")
            except TooLarge:
                yield name, None
            except Refused:
                continue
            else:
                left -= len(text)
                yield name, text


def written_by(source: str) -> tuple[str, str] | None:
    r"""Path and text of the module that a cell writes; None where it writes none.

    >>> written_by("%%writefile ./made.py\nx = 1")
    ('made.py', 'x = 1')
    """
    head = _WRITES.match(source)
    return None if head is None else (posixpath.normpath(head["path"]), source[head.end() :])


def modules_of(beside: Iterable[tuple[str, str | None]], cells: Sequence[Cell]) -> dict[str, str]:
    """Path and text of each module, those ``beside`` the notebook and those that ``cells`` write, or add to."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for path, text in (*beside, *filter(None, (written_by(cell.source) for cell in cells))):
        found[path] += [text] if text is not None else []
    return {path: "\n".join(texts) for path, texts in found.items() if texts}
