from __future__ import annotations

import pytest

from grader.submission.reading.definitions import definitions_in


@pytest.mark.parametrize(
    ("source", "written"),
    [
        ("def f(x):\n    'Doc.'\n    raise NotImplementedError", False),
        ("def f(x):\n    raise NotImplementedError('here')", False),
        ("def f(x): ...", False),
        ("async def f(x): pass", False),
        ("def f(x):\n    import torch\n    raise NotImplementedError", False),
        ("def f(x):\n    'Doc.'\n    return x", True),
        ("def f(x):\n    raise ValueError", True),
        ("def f(x):\n    raise errors.NotImplementedError", True),
        ("def f(x):\n    raise", True),
        ("class f:\n    'Doc.'", False),
        ("class f:\n    def g(self): pass\n    def h(self): ...", False),
        ("class f:\n    limit = 1\n    def g(self): pass", False),
        ("class f:\n    def g(self): return 1\n    def h(self): ...", True),
        ("class f:\n    limit = 1", True),
        ("f = None", False),
        ("f = []", False),
        ("f = make()", True),
    ],
)
def test_definition_is_written_where_anything_was_done_to_it(source: str, written: bool) -> None:
    assert [(found.name, found.written) for found in definitions_in(source)] == [("f", written)]


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("a = b = f(x)", [("a", 1), ("b", 1)]),
        ("(a, [b, c.d]), e[0] = f(x)", [("a", 1), ("b", 1)]),
        ("a: int\nb: int = 1\nc += 1", [("b", 2), ("c", 3)]),
        ("if x:\n    from m.n import a as b, c", [("b", 2), ("c", 2)]),
        ("from . import a", [("a", 1)]),
        ("a = 1\n\nclass b:\n    c = 2\ndef d(:\ne == 3\nf: int = 4", [("a", 1), ("b", 3), ("d", 5), ("f", 7)]),
    ],
)
def test_definitions_in_a_cell_stand_in_order(source: str, found: list[tuple[str, int]]) -> None:
    assert [(one.name, one.line) for one in definitions_in(source)] == found
    assert [one.name for one in definitions_in(source, {found[-1][0]})] == [found[-1][0]]


def test_definitions_in_know_the_package_of_what_is_imported() -> None:
    assert [one.module for one in definitions_in("from m.n import a\nfrom . import b\nfrom .k import c")] == [
        "m",
        "",
        "k",
    ]
