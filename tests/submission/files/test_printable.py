"""Names in which every character can be seen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.submission.files.printable import printable


@given(st.text(st.characters(exclude_categories=())))
def test_printable_shows_every_character_and_changes_none_that_can_be_seen(text: str) -> None:
    shown = printable(text)
    assert shown.isprintable()
    assert shown == "".join(character if character.isprintable() else printable(character) for character in text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [("\udc80ä", "\\x80ä"), ("\udcff", "\\xff"), ("\udc7f", "\\udc7f"), ("\udd00", "\\udd00"), ("\u202e", "\\u202e")],
)
def test_printable_writes_a_byte_that_is_no_character_as_such(text: str, shown: str) -> None:
    assert printable(text) == shown
