"""Names and paths with invisible characters written as escapes, for two students may differ in nothing else."""

from __future__ import annotations


def printable(text: str) -> str:
    r"""``text`` with everything that a terminal or a page could trip over written as an escape.

    >>> printable("ada\n\udcff")
    'ada\\n\\xff'
    """
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else _escaped(character) for character in text)


def _escaped(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is not UTF-8, as os.fsdecode keeps it
        return f"\\x{code - 0xDC00:02x}"
    return character.encode("unicode_escape").decode("ascii")
