"""Alphabetical order of names, whatever the case and the accents of their letters."""

from __future__ import annotations

import re
import unicodedata

#: Letters that Unicode does not take apart.
_PLAIN = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d"})
_NO_WORD = re.compile(r"[\W_]+")


def alphabetical(name: str) -> tuple[str, str]:
    """What to sort a student's name by; no two names have the same.

    >>> sorted(["Zoë", "ada", "Ángel", "Łukasz", "lena", "Åsa", "ASA"], key=alphabetical)
    ['ada', 'Ángel', 'ASA', 'Åsa', 'lena', 'Łukasz', 'Zoë']
    """
    if name.isascii():
        return name.casefold(), name
    letters = unicodedata.normalize("NFKD", name.casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter)).translate(_PLAIN), name


def words_of(name: str) -> str:
    """What two spellings of one person's name share: its words, whatever their order, case and marks.

    >>> words_of("Müller, Ann-Sophie") == words_of("ann_sophie MULLER")
    True
    """
    return " ".join(sorted(_NO_WORD.sub(" ", alphabetical(name)[0]).split())) or name
