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
_SUFFIX = re.compile(r"^(?P<code>.*\S)\s*#+\s*SOLUTION(?P<quiet>\s+NO\s+PROMPT)?\s*[#:.]*\s*$", re.IGNORECASE)
#: A marker of a line with more behind it: ``x = 1  # SOLUTION: the chain rule``.
_NEARLY = re.compile(r"\S\s*#+\s*(?:SOLUTION\b|[Ss]olution\s*:)")
_PROMPT = re.compile(r"^\s*(?:\"\"\"|''');?\s*#+\s*(?P<what>BEGIN|END)\s+PROMPT\s*$", re.IGNORECASE)
_LEFT_OVER = re.compile(r"#.*\b(?:BEGIN|END)[\s_-]+(?:SOLUTIONS?|PROMPT)\b", re.IGNORECASE)
#: What nbgrader takes out as well, and has no meaning here: it looks for ``BEGIN MARK SCHEME`` in any line.
_NBGRADERS = re.compile(r"(?:#.*\b(?i:BEGIN|END)|\b(?:BEGIN|END))\s+(?i:HIDDEN\s+TESTS?|MARK\s+SCHEME)\b")
#: What otter-grader does: in raw cells, in the settings of a test, and by the first line of a cell of code.
_OTTERS = re.compile(
    r"^\s*#+\s*(?:(?:BEGIN|END)\s+(?:QUESTION|TESTS?|IGNORE)|ASSIGNMENT\s+CONFIG)\s*$|#\s*(?:BEGIN|END)\s+TEST\s+CONFIG\b",
    re.IGNORECASE,
)
_OTTERS_CODE = re.compile(r"^\s*#+\s*(?:HIDDEN|IGNORE|(?i:hidden\s+tests?))\s*#*\s*$")
_WITHOUT_CHECKS = "take out what it marks: the checks are the course's"
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
    r"""A cell's source without its solutions; as it is, where it holds none. ``code`` is False for Markdown.

    >>> cut("def f(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION").source
    'def f(x):\n    raise NotImplementedError'

    Raises:
        MarkerProblem: a marker without its counterpart, one inside a region, one that is misspelt, or one of nbgrader's
            or otter-grader's around what students must not see.
    """
    cutter = _Cutter(source.split("\n"), code)
    for number in range(1, len(cutter.lines) + 1):
        cutter.take(number)
    return cutter.result()


class _Cutter:
    """A cell on its way through ``cut``, line by line; line numbers are 1-based, 0 is no line."""

    def __init__(self, lines: list[str], code: bool) -> None:
        self.lines = lines
        self._code = code
        self._kept: list[str] = []
        self._taken: list[str] = []
        self._region = 0  # the line of the BEGIN SOLUTION that is open
        self._quiet = False  # whether it leaves no stub
        self._prompt = 0  # the line of the BEGIN PROMPT that is open
        self._after_stub = -1  # how many lines were kept when the last stub was, for a prompt that replaces it

    def take(self, number: int) -> None:
        """Keep the line ``number``, take it out, or act on it as a marker."""
        line = self.lines[number - 1]
        if marker := _MARKER.match(line):
            self._solution_marker(marker["what"].upper(), marker["quiet"] is not None, number)
        elif self._region:
            self._taken.append(line)
        elif self._code and (marker := _PROMPT.match(line)):
            self._prompt_marker(marker["what"].upper(), number)
        elif self._code and (marker := _SUFFIX.match(line)):
            self._marked_line(marker["code"], line, quiet=marker["quiet"] is not None)
        else:
            if self._code and _NEARLY.search(line):
                remedy = "end the line with '# SOLUTION', and put what else is to be said above it"
                raise MarkerProblem(f"line {number} looks like a solution but is not marked as one", number, remedy)
            _refuse_other_markers(line, number, self._code)
            self._kept.append(line)

    def _solution_marker(self, what: str, quiet: bool, number: int) -> None:
        _check_order(what, self._region, self._prompt, number)
        if what == "BEGIN":
            self._region, self._quiet = number, quiet
            return
        if not self._quiet:
            region, marker = self.lines[self._region : number - 1], self.lines[self._region - 1]
            self._kept.append(_stub(region, marker) if self._code else TEXT_STUB)
        self._after_stub = -1 if self._quiet else len(self._kept)
        self._region = 0

    def _prompt_marker(self, what: str, number: int) -> None:
        """Let what stands between the markers take the place of the stub right before it."""
        _check_order(what, self._prompt, 0, number, "PROMPT")
        self._prompt = number if what == "BEGIN" else 0
        if self._prompt and self._after_stub >= 0 and not any(line.strip() for line in self._kept[self._after_stub :]):
            del self._kept[self._after_stub - 1 :]

    def _marked_line(self, code: str, line: str, *, quiet: bool) -> None:
        """A line that is a solution by itself; several in a row leave one stub."""
        self._taken.append(code)
        stub = _stub([line], line)
        if not quiet and (not self._kept or self._kept[-1] != stub):
            self._kept.append(stub)

    def result(self) -> Cut:
        """What came of it. Raises ``MarkerProblem`` where a region or a prompt has no end."""
        if open_at := self._region or self._prompt:
            raise MarkerProblem(f"BEGIN in line {open_at} has no END", open_at)
        return Cut("\n".join(self._kept), tuple(self._taken))


def _refuse_other_markers(line: str, number: int, code: bool) -> None:
    """Refuse a line that only looks like a marker: what it encloses would be released."""
    others = _OTTERS.search(line) or (code and _OTTERS_CODE.search(line))
    if others or _NBGRADERS.search(line):
        whose = "otter-grader" if others else "nbgrader"
        settings = re.search("QUESTION|CONFIG", line, re.IGNORECASE)  # of a cell of their own
        remedy = "take that cell out, and leave what it is about" if settings else _WITHOUT_CHECKS
        raise MarkerProblem(f"line {number} marks what {whose} takes out, and a release would show", number, remedy)
    if _LEFT_OVER.search(line):
        raise MarkerProblem(f"line {number} looks like a solution marker but is none", number)


def _check_order(what: str, open_at: int, inside: int, number: int, name: str = "SOLUTION") -> None:
    if what == "BEGIN" and open_at:
        raise MarkerProblem(f"BEGIN {name} in line {number} stands inside the one begun in line {open_at}", number)
    if what == "END" and not open_at:
        raise MarkerProblem(f"END {name} in line {number} has no BEGIN", number)
    if inside:
        raise MarkerProblem(f"{what} {name} in line {number} stands inside the prompt begun in line {inside}", number)


def _stub(region: list[str], marker: str) -> str:
    """The stub at the indentation of the code it replaces (a marker may stand further left than its code)."""
    code = [line for line in region if line.strip() and not line.lstrip().startswith("#")]
    first = code[0] if code else marker
    return first[: len(first) - len(first.lstrip())] + STUB
