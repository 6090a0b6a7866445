from __future__ import annotations

import csv
import html
import io
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.report.words import text

#: Letters that the rules are about, far more often than chance would have them.
TRICKY = st.text(
    st.one_of(
        st.sampled_from("\x1b[]m0;\x07\r\n\t\v\f\x85\u2028\u202e\u2066\x9b:#%,=+-@|`*<>&\"'\ud800"), st.characters()
    )
)


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        pytest.param("\x1b[31mred\x1b[0m", "red", id="colour"),
        pytest.param("\x1b]0;title\x07x", "x", id="title"),
        pytest.param("\x1b]8;;http://evil\x1b\\link", "link", id="hyperlink"),
        pytest.param("\x9b2Jx", "x", id="8-bit CSI"),
        pytest.param("a\x08\x00b", "ab", id="backspace and NUL"),
        pytest.param("a\r\nb\rc\vd\fe\x85f\u2028g\u2029h", "a\nb\nc\nd\ne\nf\ng\nh", id="line breaks"),
        pytest.param("\u202eevil\u2066x\u200f", "evilx", id="bidi"),
        pytest.param("a\u200bb\u2060c\xadd\u180ee\ufeff", "abcde", id="no width"),
        pytest.param("نمی\u200cخواهم", "نمی\u200cخواهم", id="joiners that a script needs"),
        pytest.param("a\ud800b", "a\ufffdb", id="surrogate"),
        pytest.param("tab\tstays, 李小龍 👩‍💻 too", "tab\tstays, 李小龍 👩‍💻 too", id="harmless"),
    ],
)
def test_plain_hostile_text_is_only_text(raw: str, shown: str) -> None:
    assert text.plain(raw) == shown


@given(TRICKY)
def test_plain_any_text_holds_no_control_and_is_stable(raw: str) -> None:
    shown = text.plain(raw)
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]", shown)
    assert text.plain(shown) == shown
    shown.encode("utf-8")


@given(TRICKY, st.integers(1, 30))
def test_one_line_any_text_is_one_line_within_the_limit(raw: str, limit: int) -> None:
    shown = text.one_line(raw, limit)
    assert len(shown) <= limit
    assert len(shown.splitlines()) <= 1


def _runner_sees_a_command(line: str) -> bool:
    """The runner's own reading: version 2 at the start of a trimmed line, version 1 anywhere."""
    return line.lstrip().startswith("::") or "##[" in line


@given(TRICKY, st.integers(1, 12))
def test_print_safe_any_text_wrapped_anywhere_is_no_command(raw: str, width: int) -> None:
    shown = text.print_safe(raw)
    wrapped = [line[i : i + width] for line in shown.splitlines() for i in range(0, len(line), width)]
    assert not any(_runner_sees_a_command(line) for line in [*shown.splitlines(), *wrapped])


@pytest.mark.parametrize("prefix", ["", " ", "\t", "\r", "\u2028", "\x85", "\v", "\x1b[0m", "\ufeff", "::", "x\r"])
@pytest.mark.parametrize(
    "command", ["::error::x", "::add-mask::x", "##[error]x", "::set-output name=a::b", ":\x00:x::"]
)
def test_print_safe_command_behind_any_prefix_is_defused(prefix: str, command: str) -> None:
    assert not any(_runner_sees_a_command(line) for line in text.print_safe(prefix + command).splitlines())


@pytest.mark.parametrize("sign", "=+-@＝＋－＠")
def test_csv_cell_that_begins_with_a_sign_is_quoted(sign: str) -> None:
    assert text.csv_cell(f"{sign}1+1") == f"'{sign}1+1"


@given(TRICKY)
def test_csv_cell_any_text_is_no_formula_and_survives_csv(raw: str) -> None:
    cell = text.csv_cell(raw)
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
    buffer = io.StringIO()
    csv.writer(buffer).writerow([cell, "end"])
    assert next(csv.reader(io.StringIO(buffer.getvalue()))) == [cell, "end"]
    pieces = next(csv.reader(io.StringIO(buffer.getvalue()), delimiter=";"))  # as spreadsheets of some countries do it
    assert not any(piece.startswith(("=", "+", "-", "@")) for piece in pieces)


@given(TRICKY)
def test_json_any_text_is_the_same_data_and_hides_nothing(raw: str) -> None:
    document = text.json_text(json.dumps([raw, "\u200b\u202e\U000e0041"], ensure_ascii=False))
    assert json.loads(document)[0] == json.loads(json.dumps(raw))
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069\ud800-\udfff\U000e0041]", document)
    document.encode("utf-8")


@given(TRICKY)
def test_command_parts_any_text_neither_end_the_command_nor_lose_text(raw: str) -> None:
    data, prop = text.command_data(raw), text.command_property(raw)
    assert len(data.splitlines()) <= 1
    assert not re.search(r"[:,\n\r]", prop)
    unescaped = data.replace("%0A", "\n").replace("%0D", "\r").replace("%25", "%")
    assert unescaped == text.plain(raw)


@given(TRICKY)
def test_markdown_any_text_has_no_punctuation_but_of_entities(raw: str) -> None:
    shown = text.markdown(raw)
    assert not re.search(r"[!-\"$-%'-/:<-@\[-`{-~]", re.sub(r"&#\d+;", "", shown))
    assert html.unescape(shown).replace("\u200b", "") == text.one_line(raw).replace("\u200b", "")
    assert "@" not in html.unescape(shown) or "@\u200b" in html.unescape(shown)
