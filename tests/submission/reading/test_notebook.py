from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.submission.reading.notebook import Unreadable, cells_of
from tests.submission.notebooks import LIN_GRAD, code, data, markdown, notebook, notebook_v3

READABLE = {
    "3_worksheets": (data(notebook_v3(LIN_GRAD, "x = 1")), [LIN_GRAD, "x = 1"]),
    "3_input_is_a_list": (data(notebook_v3(["a = 1\n", "b = 2"])), ["a = 1\nb = 2"]),
    "4.0_without_ids": (data(notebook(markdown("# T"), code(LIN_GRAD))), [LIN_GRAD]),
    "4.5_duplicate_ids": (data(notebook(code("a", id="x"), code("b", id="x"), minor=5)), ["a", "b"]),
    "4.9_from_the_future": (data(notebook(code("a"), minor=9)), ["a"]),
    "minor_of_odd_type": (data(notebook(code("a"), nbformat_minor="5")), ["a"]),
    "no_nbformat_but_cells": (data({"cells": [code("a")]}), ["a"]),
    "bom": (b"\xef\xbb\xbf" + data(notebook(code("a"))), ["a"]),
    "utf_16": (json.dumps(notebook(code("é"))).encode("utf-16"), ["é"]),
    "crlf": (json.dumps(notebook(code("a\r\nb")), indent=1).replace("\n", "\r\n").encode(), ["a\nb"]),
    "source_is_a_list": (data(notebook(code(["a\n", "b"]))), ["a\nb"]),
    "outputs_of_odd_type": (data(notebook(code("a", outputs=17))), ["a"]),
    "stored_error": (data(notebook(code("a", outputs=[{"output_type": "error", "ename": 3}]))), ["a"]),
    "metadata_of_odd_type": (data(notebook({"cell_type": "code", "source": "a", "metadata": []})), ["a"]),
    "no_metadata": (data({"nbformat": 4, "cells": [{"cell_type": "code", "source": "a"}]}), ["a"]),
    "attachments": (data(notebook(markdown("![](attachment:a.png)", attachments={"a.png": 1}), code("a"))), ["a"]),
    "markdown_without_source": (data(notebook({"cell_type": "markdown"}, code("a"))), ["a"]),
    "not_a_number": (data(notebook(code("a"), extra=float("nan"))), ["a"]),
    "duplicate_keys": (b'{"nbformat": 3, "nbformat": 4, "cells": [{"cell_type": "code", "source": "a"}]}', ["a"]),
    "half_a_surrogate_pair": (b'{"nbformat": 4, "cells": [{"cell_type": "code", "source": "\\ud800"}]}', ["\ufffd"]),
    "no_cells_at_all": (data(notebook()), []),
    "as_many_cells_as_are_read": (data(notebook(*[markdown("")] * 1_999, code("a"))), ["a"]),
    "as_much_code_as_is_read": (data(notebook(code("x" * 2**19))), ["x" * 2**19]),
}


@pytest.mark.parametrize("name", READABLE)
def test_cells_of_a_notebook_in_the_wild_are_read(name: str) -> None:
    content, sources = READABLE[name]
    cells = cells_of(content).cells
    assert [cell.source for cell in cells] == sources


UNREADABLE = {
    "empty": (b"", "the file is empty"),
    "blank": (b" \n\t", "the file is empty"),
    "not_json": (b"{\n\n      SECRET", "not JSON: line 3 column 7"),
    "truncated": (data(notebook(code("SECRET")))[:-5], "not JSON: line 1"),
    "conflict_markers": (b"{\n<<<<<<< HEAD\n}", "Git conflict markers"),
    "not_text": (b'{"a": "\xff\xfe"}', "not text: byte 7 is not UTF-8"),
    "git_lfs": (b"version https://git-lfs.github.com/spec/v1\noid", "Git LFS pointer"),
    "web_page": (b"\n<!DOCTYPE html><html>", "web page"),
    "zip": (b"PK\x03\x04aaaa", "ZIP archive"),
    "top_level_list": (b"[]", "the whole is a list, not an object"),
    "top_level_text": (b'"SECRET"', "the whole is text"),
    "other_json": (b'{"a": 1}', "no notebook format"),
    "format_is_text": (b'{"nbformat": "4", "cells": []}', "no notebook format"),
    "format_is_true": (b'{"nbformat": true, "cells": []}', "no notebook format"),
    "format_2": (b'{"nbformat": 2, "cells": []}', "notebook format 2 is not supported"),
    "format_5": (b'{"nbformat": 5, "cells": []}', "notebook format 5 is not supported"),
    "format_huge": (b'{"nbformat": 1' + b"0" * 400 + b"}", "huge number"),
    "number_of_5000_digits": (b'{"nbformat": 1' + b"0" * 5000 + b"}", "too many digits"),
    "no_cells": (b'{"nbformat": 4}', "the notebook has no cells"),
    "cells_is_an_object": (b'{"nbformat": 4, "cells": {}}', "are an object, not a list"),
    "cell_is_text": (data(notebook("SECRET")), "cell 0 is text, not an object"),
    "cell_is_true": (data(notebook(True)), "cell 0 is a truth value"),
    "cell_is_null": (data(notebook(None)), "cell 0 is null"),
    "no_cell_type": (data(notebook({"source": "SECRET"})), "cell 0 has no cell type"),
    "source_is_a_number": (data(notebook(code(3))), "the source of cell 0 is a number"),
    "source_is_missing": (data(notebook({"cell_type": "code"})), "cell 0 has no source"),
    "source_list_of_numbers": (data(notebook(code(["SECRET", 1]))), "the source of cell 0 is a list"),
    "worksheet_is_a_number": (b'{"nbformat": 3, "worksheets": [1]}', "worksheet 0 is a number"),
    "worksheet_without_cells": (b'{"nbformat": 3, "worksheets": [{}]}', "worksheet 0 has no cells"),
    "deep_nesting": (b"[" * 200_000, "nested too deeply"),
    "too_much_code": (
        data(notebook(code("x = 1\n" * 90_000))),
        "540,000 characters in its code cells, of which",
    ),
    "too_many_cells": (data(notebook(*[markdown("")] * 2_001)), "too many cells: 2001, at most 2000"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_cells_of_something_else_says_why_without_quoting_it(name: str) -> None:
    content, reason = UNREADABLE[name]
    with pytest.raises(Unreadable) as raised:
        cells_of(content)
    assert reason in str(raised.value)
    assert "SECRET" not in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("metadata", "exercise"),
    [
        ({"grader": {"exercise": "lin_grad"}}, "lin_grad"),
        ({"grader": {"exercise": 3}}, None),
        ({"grader": {"exercise": "a\nb"}}, None),
        ({"grader": "lin_grad"}, None),
        ({}, None),
        (None, None),
        ([], None),
    ],
)
def test_cells_of_takes_the_exercise_only_where_it_is_text(metadata: object, exercise: str | None) -> None:
    found = cells_of(data(notebook(markdown(""), {"cell_type": "code", "source": "", "metadata": metadata})))
    assert (found.cells[0].exercise, found.cells[0].index, found.total) == (exercise, 1, 2)


@pytest.mark.parametrize(("kind", "words"), [("markdown", "Markdown"), ("raw", "raw text")])
def test_cells_of_remarks_a_tagged_cell_that_is_no_code_any_more(kind: str, words: str) -> None:
    changed = {"cell_type": kind, "source": "def lin_grad(): ...", "metadata": {"grader": {"exercise": "lin_grad"}}}

    assert cells_of(data(notebook(markdown(""), changed))).flags == (
        f"cell 1, tagged `lin_grad`, is {words}, not code",
    )


def test_cells_of_what_would_fill_the_memory_with_empty_lists_is_read_no_further() -> None:
    with pytest.raises(Unreadable, match="more than 2,000,000 lists and objects"):
        cells_of(b"[" + b"[]," * 2_000_000 + b"0]")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(
            st.sampled_from(["cells", "nbformat", "worksheets", "cell_type", "source", "metadata", "grader"]), inner
        )
    ),
    max_leaves=8,
)
CELL = st.fixed_dictionaries(
    {}, optional={"cell_type": st.sampled_from(["code", "markdown"]) | JSON, "source": JSON, "metadata": JSON}
)


@given(st.binary() | JSON.map(data) | st.lists(CELL).map(lambda cells: data(notebook(*cells))))
@settings(max_examples=150)
def test_cells_of_anything_is_cells_or_a_reason(content: bytes) -> None:
    with suppress(Unreadable):
        found = cells_of(content)
        assert len(found.cells) <= found.total
