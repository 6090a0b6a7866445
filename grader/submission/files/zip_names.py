"""Names in a ZIP whose writer did not say in which letters they are: macOS, Canvas and Windows do not.

Without the mark for UTF-8 a name is read as DOS wrote it, and ``Zoë`` of a Mac comes out as ``Zo├½``. What is no UTF-8
is in the first of the West's old alphabets in which it looks like writing.
"""

from __future__ import annotations

import re
import unicodedata
import zipfile

_UTF8 = 0x800
_DOS = "cp437"
_ALPHABETS = (_DOS, "cp1252", "cp850")
#: An ``ß`` behind a consonant and a capital behind a small letter are other letters, read in the wrong alphabet.
_ODD = re.compile(r"(?<![aeiouyäöüAEIOUYÄÖÜ])ß|[a-zß-öø-ÿ](?=[À-ÖØ-ÞŠŒŽŸ])")


def name_of(member: zipfile.ZipInfo) -> str:
    """A member's name as its writer meant it, as far as that can be told."""
    name = member.filename
    if name.isascii() or member.flag_bits & _UTF8:
        return name
    try:
        raw = name.encode(_DOS)
    except UnicodeEncodeError:  # told in a field of its own, which newer Pythons read
        return name
    return meant_by(raw)


def meant_by(raw: bytes) -> str:
    """The text of a name's bytes.

    >>> [meant_by("Zoë Müller".encode(code)) for code in ("utf-8", "cp437", "cp1252")]
    ['Zoë Müller', 'Zoë Müller', 'Zoë Müller']
    """
    for alphabet in ("utf-8", *_ALPHABETS):
        try:
            text = raw.decode(alphabet)
        except UnicodeDecodeError:
            continue
        if alphabet == "utf-8" or _is_writing(text):
            return text
    return raw.decode(_DOS)


def _is_writing(text: str) -> bool:
    letters = (character for character in text if not character.isascii())
    return _ODD.search(text) is None and all(unicodedata.name(letter, "").startswith("LATIN ") for letter in letters)
