"""Finding lines of a solution that are left somewhere in a released notebook.

A line counts if it has at least 12 characters, or 8 where it computes a gradient, blanks and comment aside, and says
something: definitions' heads, imports, loops' heads, calls of one name or none, ``return`` of a name and
``self.x = x`` stand everywhere. A line that an untagged code cell *before* the solution shows is part of the teaching
and may stand again, unless it writes a gradient (``….g = …``, ``…grad = …``): such a line is an answer wherever it
stands.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_SHORTEST, _SHORTEST_GRADIENT = 12, 8
_SHORTEST_COMMENT = 24
_COMMON = re.compile(
    r"(?:@|import\b|from\b.*\bimport\b|(?:async\s+)?def\b|class\b|raise\b|pass$|else|elif\b.*:$|try:|finally:|except\b"
    r"|(?:async\s+)?(?:for|while|with|if)\b.*:$|super\(\)|return\s+[\w., ]+$|(?:self\.)?\w+\s*=\s*(?:self\.)?\w+$"
    r"|self\.\w+\s*=\s*(?:list|tuple|float|int)\(\w+\)$|[\w.]+\(\w*\)$|\"\"\"|\w+\s*=\s*\w+\.shape\b.*$|[\])}]+$)"
)
_GRADIENT = re.compile(r"(?:\.g|grad\w*(?:\.\w+)?)\s*(?:[-+*/@]?=)(?!=)|\.g\.(?:copy_|add_)\(")
_PLAIN = re.compile(r"=\s*\w+$")
_COMMENT = re.compile(r"(?:^|\s)#.*$")


@dataclass(frozen=True, slots=True)
class Leak:
    """A solution's ``line`` found again in a released notebook; ``place`` is where: ``"cell 4 (Markdown), line 2"``."""

    line: str
    place: str


def telling_lines(solution: Iterable[str], shown_before: str = "") -> dict[str, str]:
    """The lines of a solution that must not be seen elsewhere: bare (without blanks) → as written.

    >>> list(telling_lines(["w.g = inp.T @ out.g  # the weights", "return loss", "for p in params:"]).values())
    ['w.g = inp.T @ out.g']
    """
    telling = {}
    for line in solution:
        code, remark = _COMMENT.sub("", line).strip(), line.strip()
        if not code and len(bare(remark.lstrip("# "))) >= _SHORTEST_COMMENT:
            telling[bare(remark.lstrip("# "))] = remark
        statement = re.sub(r"^return\s+", "", code)
        gradient = _GRADIENT.search(code)
        known = bare(code) in shown_before and not gradient
        shortest = _SHORTEST_GRADIENT if gradient and not _PLAIN.search(code) else _SHORTEST
        if len(bare(statement)) >= shortest and not _COMMON.match(code) and not known:
            telling[bare(statement)] = code
    return telling


def bare(text: str) -> str:
    """Text without blanks and line continuations.

    >>> bare("a = b @ c")
    'a=b@c'
    """
    return "".join(text.replace("\\\n", " ").split())


def first_leak(cells: Sequence[Mapping[str, Any]], metadata: object, telling: Mapping[str, str]) -> Leak | None:
    """The first place in a released notebook where a telling line stands, None if there is none."""
    if not telling:
        return None
    pattern = re.compile("|".join(map(re.escape, sorted(telling, key=len, reverse=True))))
    for place, text in _texts(cells, metadata):
        match = pattern.search(bare(text))
        if match is not None:
            return Leak(telling[match[0]], place)
    return None


def _texts(cells: Sequence[Mapping[str, Any]], metadata: object) -> Iterator[tuple[str, str]]:
    """Yield every text of a notebook, after where it stands: each line of a cell, then the whole cell."""
    for text in _strings(metadata):
        yield "the notebook's metadata", text
    for index, cell in enumerate(cells):
        kind = "Markdown" if cell["cell_type"] == "markdown" else cell["cell_type"]
        for number, line in enumerate(cell["source"].split("\n"), 1):
            yield f"cell {index} ({kind}), line {number}", line
        yield f"cell {index} ({kind})", cell["source"]
        for key in ("metadata", "outputs", "attachments"):
            for text in _strings(cell.get(key)):
                yield f"cell {index} ({kind}), {key}", text


def _strings(value: object) -> Iterator[str]:
    """Every text in a JSON value, names and base64 contents included."""
    if isinstance(value, str):
        yield value
        try:
            yield base64.b64decode(value, validate=True).decode("utf-8")
        except (binascii.Error, ValueError):
            return
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _strings(key)
            yield from _strings(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _strings(item)
