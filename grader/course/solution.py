"""Cutting the solutions out of one cell's source: the markers, what they enclose, and what stands in its place.

The spellings are those of nbgrader and otter-grader::

    ### BEGIN SOLUTION          any number of #, blanks and any case; the region becomes one
    ### END SOLUTION            ``raise NotImplementedError`` at its own indentation
    # BEGIN SOLUTION NO PROMPT  the region goes without a trace
    x = 1  # SOLUTION           the line becomes ``raise NotImplementedError``
    x = 1  # SOLUTION NO PROMPT the line goes
    \"\"\" # BEGIN PROMPT          what a student gets in place of the region before it
    \"\"\" # END PROMPT
"""

from __future__ import annotations

import re
from dataclasses import dataclass

STUB = "raise NotImplementedError"
TEXT_STUB = "*Your answer here.*"

_MARKER = re.compile(r"^\s*#+\s*(?P<what>BEGIN|END)\s+SOLUTION\b(?P<quiet>\s+NO\s+PROMPT)?\s*[#:.]*\s*$", re.IGNORECASE)
_SUFFIX = re.compile(r"^(?P<code>.*\S)\s*#+\s*SOLUTION(?P<quiet>\s+NO\s+PROMPT)?\s*$")
_PROMPT = re.compile(r"^\s*(?:\"\"\"|''');?\s*#+\s*(?P<what>BEGIN|END)\s+PROMPT\s*$", re.IGNORECASE)
_LEFT_OVER = re.compile(r"#.*\b(?:BEGIN|END)[\s_-]+(?:SOLUTIONS?|PROMPT)\b", re.IGNORECASE)
#: What nbgrader takes out as well, and has no meaning here.
_HIDDEN = re.compile(r"#.*\b(?:BEGIN|END)\s+(?:HIDDEN\s+TESTS?|MARK\s+SCHEME)\b", re.IGNORECASE)
_PAIR = "put each solution between '### BEGIN SOLUTION' and '### END SOLUTION', each on a line of its own"


class MarkerProblem(Exception):
    """Markers that do not pair; ``line`` is 1-based in the cell, ``remedy`` what to do."""

    def __init__(self, message: str, line: int, remedy: str = _PAIR) -> None:
        super().__init__(message)
        self.line = line
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Cut:
    """A cell without its solutions. ``solution`` are the lines that were taken out, as they stood."""

    source: str
    solution: tuple[str, ...] = ()


def cut(source: str, *, code: bool = True) -> Cut:
    r"""Return a cell's source without its solutions; as it is, where it holds none.

    >>> cut("def f(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION").source
    'def f(x):\n    raise NotImplementedError'

    Raises:
        MarkerProblem: a marker without its counterpart, one inside a region, one that is misspelt, or one of nbgrader's
            around what students must not see.
    """
    kept: list[str] = []
    taken: list[str] = []
    lines = source.split("\n")
    region = prompt = 0  # 1-based line of the marker that is open
    quiet = False
    since_region = -1  # how many lines were kept when the last region ended, for a prompt that replaces its stub
    for number, line in enumerate(lines, 1):
        marker, offered = _MARKER.match(line), _PROMPT.match(line) if code else None
        if marker is not None:
            _check_order(marker["what"].upper(), region, prompt, number)
            if marker["what"].upper() == "BEGIN":
                region, quiet = number, marker["quiet"] is not None
                continue
            if not quiet:
                kept.append(_stub(lines[region : number - 1], lines[region - 1]) if code else TEXT_STUB)
            region, since_region = 0, len(kept) if not quiet else -1
        elif region:
            taken.append(line)
        elif offered is not None:
            _check_order(offered["what"].upper(), prompt, 0, number, "PROMPT")
            opening = offered["what"].upper() == "BEGIN"
            prompt = number if opening else 0
            if opening and since_region >= 0 and not any(later.strip() for later in kept[since_region:]):
                del kept[since_region - 1 :]
        elif code and (suffix := _SUFFIX.match(line)) is not None:
            taken.append(suffix["code"])
            stub = _stub([line], line)
            if suffix["quiet"] is None and (not kept or kept[-1] != stub):
                kept.append(stub)
        elif _HIDDEN.search(line):
            remedy = "take out what it marks: the checks are the course's"
            raise MarkerProblem(f"line {number} marks what nbgrader hides, and a release would show", number, remedy)
        elif _LEFT_OVER.search(line):
            raise MarkerProblem(f"line {number} looks like a solution marker but is none", number)
        else:
            kept.append(line)
    if region or prompt:
        raise MarkerProblem(f"BEGIN in line {region or prompt} has no END", region or prompt)
    return Cut("\n".join(kept), tuple(taken))


def _check_order(what: str, open_at: int, inside: int, number: int, name: str = "SOLUTION") -> None:
    if what == "BEGIN" and open_at:
        raise MarkerProblem(f"BEGIN {name} in line {number} stands inside the one begun in line {open_at}", number)
    if what == "END" and not open_at:
        raise MarkerProblem(f"END {name} in line {number} has no BEGIN", number)
    if inside:
        raise MarkerProblem(f"{what} {name} in line {number} stands inside the prompt begun in line {inside}", number)


def _stub(region: list[str], marker: str) -> str:
    """Return the stub at the indentation of the code it replaces (a marker may stand further left than its code)."""
    code = [line for line in region if line.strip() and not line.lstrip().startswith("#")]
    first = code[0] if code else marker
    return first[: len(first) - len(first.lstrip())] + STUB
