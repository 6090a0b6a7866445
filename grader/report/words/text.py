"""Text that a student wrote, made harmless for the place where it is shown.

Names, error messages, printed output and paths are all theirs. Every renderer takes such text through one of these
functions; HTML is escaped by the templates on top of ``plain``.
"""

from __future__ import annotations

import json
import re

#: An escape sequence as a whole: CSI, then OSC/DCS/SOS/PM/APC up to their terminator, then the two-byte forms.
_ESCAPES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d\x9e\x9f])[^\x07\x1b\x9c\n\r]*(?:\x07|\x1b\\|\x9c)?"
    r"|\x1b[ -/]*[0-~]?"
)
_BREAKS = re.compile(r"\r\n|[\r\v\f\x85\u2028\u2029]")
#: Controls, marks that reorder text (a name could show another name), and characters of no width that nothing needs:
#: soft hyphens, zero-width spaces, word joiners, tags. Joiners (U+200C, U+200D) stay: scripts and emoji need them.
_HIDDEN = re.compile(
    r"[\x00-\x08\x0e-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff"
    r"\ufff9-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e007f]"
)
#: Surrogates alone, and what is no character: neither can be written as UTF-8 or in XML.
_NO_CHARACTERS = re.compile(r"[\ud800-\udfff\ufffe\uffff]")
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
#: Where a spreadsheet begins a cell that takes semicolons for commas, as many countries' do.
_FORMULA_WITHIN = re.compile(r'(?<=;)(?="*[=+@＝＋－＠-])')


def plain(text: str) -> str:
    r"""Printable text: no terminal escape, control, reordering or invisible character; every line break is ``\n``.

    Names and paths come with theirs written as escapes (``grader.submission.files.printable``).

    >>> plain("\x1b[31mred\x1b[0m\r\nnext")
    'red\nnext'
    """
    if text.isprintable():  # no control, format, surrogate or line-breaking character is: nearly all text ends here
        return text
    text = _BREAKS.sub("\n", _ESCAPES.sub("", text))
    return _NO_CHARACTERS.sub("\ufffd", _HIDDEN.sub("", text))


def one_line(text: str, limit: int = 0) -> str:
    r"""``plain`` text on one line, cut to ``limit`` characters where it is positive.

    >>> one_line("a\n  b", 0), one_line("abcdef", 4)
    ('a b', 'abc…')
    """
    return cut(" ".join(plain(text).split()), limit)


def cut(text: str, limit: int) -> str:
    """At most ``limit`` characters, the last an ellipsis where something was left off; all of them if ``limit`` < 1."""
    return text if limit < 1 or len(text) <= limit else text[: limit - 1].rstrip() + "…"


def print_safe(text: str) -> str:
    """``plain`` text in which no line can be taken for a workflow command, wherever it is wrapped later.

    The GitHub runner reads ``::name …::message`` at the start of a line (blanks before it are skipped) and
    ``##[name]`` anywhere in one, and ends lines at carriage returns too. A pair of colons becomes one character that
    looks like it; ``##[`` gets a blank.

    >>> print_safe("::error::boo ##[group]x")
    '∷error∷boo ## [group]x'
    """
    return re.sub(r"##(?=\[)", "## ", plain(text).replace("::", "∷"))


def terminal(text: str) -> str:
    """One line of ``print_safe`` text for a terminal or a log."""
    return print_safe(one_line(text))


def csv_cell(text: str) -> str:
    """A cell that no spreadsheet takes for a formula: quoted by a leading apostrophe (OWASP, CSV injection).

    >>> csv_cell("=1+1"), csv_cell("ada"), csv_cell("ada;=1+1")
    ("'=1+1", 'ada', "ada;'=1+1")
    """
    shown = _FORMULA_WITHIN.sub("'", one_line(text))
    return f"'{shown}" if shown.startswith(_FORMULA) else shown


def json_text(document: str) -> str:
    r"""JSON in which hidden characters and lone surrogates are written as escapes: the same data, and nothing unseen.

    >>> json_text('"a\u202eb"')
    '"a\\u202eb"'
    """
    unseen = f"{_HIDDEN.pattern}|{_NO_CHARACTERS.pattern}"
    return re.sub(unseen, lambda match: json.dumps(match.group())[1:-1], document)


def command_data(text: str) -> str:
    """The message of a workflow command: ``%``, carriage return and line feed escaped (actions/toolkit, command.ts)."""
    return plain(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def command_property(text: str) -> str:
    """A property of a workflow command: as ``command_data``, and ``:`` and ``,`` too, on one line."""
    return command_data(one_line(text)).replace(":", "%3A").replace(",", "%2C")


def markdown(text: str) -> str:
    """One line of literal text for Markdown, in a table too: punctuation as entities, which never form structure.

    GitHub also links ``@name`` and ``#1`` in the finished HTML, hence the zero-width space after these two.
    """
    return re.sub(r"[!-/:-@\[-`{-~]", _entity, one_line(text))


def _entity(match: re.Match[str]) -> str:
    mark = match.group()
    return f"&#{ord(mark)};" + ("\u200b" if mark in "@#" else "")
