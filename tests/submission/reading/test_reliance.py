"""What an answer relies on in other cells: what is imported there, and what is defined there of the names it uses."""

from __future__ import annotations

import pytest

from grader.model import Cell
from grader.submission.reading.reliance import names_used, pieces


def found(source: str, *cells: str, **modules: str) -> list[tuple[str, set[str]]]:
    """The place of each piece, and the dotted names in it."""
    numbered = [Cell(index, text) for index, text in enumerate(cells)]
    beside = {f"{name}.py": text for name, text in modules.items()}
    return [(piece.place, {dotted for _, dotted in piece.names}) for piece in pieces(source, numbered, (), beside)]


@pytest.mark.parametrize(
    ("source", "cells", "relied_on"),
    [
        ("def f(x):\n    return x", ("def g(x): return 1",), []),
        ("def f(x):\n    return g(x)", ("def g(x): return 1", "def h(): return 2"), [0]),
        ("def f(x):\n    return g(x)", ("def g(x): return h(x)", "def h(x): return f(x)"), [0, 1]),
        ("class F(Base): pass", ("class Base: pass",), [0]),
        ("def f(x):\n    return kind(x)", ("kind = make()", "def make(): return 3"), [0, 1]),
        ("def f(g):\n    return g", ("def g(): return 1",), []),
        ("def f():\n    g = 1\n    return g", ("def g(): return 1",), []),
        ("def f():\n    from mine import g\n    return g", ("def g(): return 1",), []),
        ("def f():\n    try: h()\n    except ValueError as g: return g", ("def g(): return 1",), []),
        ("class F:\n    def g(self): return g()", ("def g(): return 1",), [0]),
        ("def f():\n    return g()", ("def g(): return 1", "def g(): return 2"), [1]),
        ("def f():\n    return f()", ("def f(): return 1",), []),
        ("def f():\n    return g()", ("if True:\n    def g(): return 1", "def g(:"), [0]),
    ],
)
def test_pieces_are_the_definitions_that_are_used(source: str, cells: tuple[str, ...], relied_on: list[int]) -> None:
    assert [place for place, _ in found(source, *cells)] == ["", *(f"cell {index}" for index in relied_on)]


def test_pieces_know_what_other_cells_import_of_the_names_they_use_unless_they_bind_the_name() -> None:
    cells = ("import torch as t, numpy\nfrom torch import optim", "def g(optim): return optim, numpy, gc")
    (_, answer), (_, helper) = found("import numpy as t\ng(t, optim)", *cells)
    assert answer == {"numpy", "torch.optim"}
    assert helper == {"numpy", "gc"}


@pytest.mark.parametrize(
    ("answer", "cells", "names"),
    [
        ("def f(): return made.build()", ["import made"], {"torch.optim.Adam"}),
        ("def f(): return m.build()", ["import made as m"], {"torch.optim.Adam"}),
        ("def f(): return build()", ["from made import build"], {"torch.optim.Adam"}),
        ("def f(): return build()", ["from made import *"], {"torch.optim.Adam"}),
        ("from made import build as f", [], {"torch.optim.Adam"}),
        ("def f(): return deep()", ["from other import deep"], {"torch.optim.Adam"}),
        ("def f(): return again()", ["from other import again"], {"torch.optim.Adam"}),
        ("def f(): return last()", ["from other import *"], {"torch.optim.SGD"}),
        ("def f(): return made.last()", ["import made"], {"torch.optim.SGD"}),
        ("def f(): return made.kind()", ["import made"], {"torch.optim.SGD"}),
        ("from made import kind as f", [], {"torch.optim.SGD"}),
        ("def f(): return build()", ["import made", "def build(): return 1"], set()),
        ("def f(build): return build()", ["from made import *"], set()),
        ("def f(): return made", ["import made"], set()),
    ],
)
def test_pieces_go_on_in_the_modules_beside(answer: str, cells: list[str], names: set[str]) -> None:
    made = (
        "import torch\nfrom torch.optim import SGD as kind\ndef build(): return inner()\n"
        "def inner(): return torch.optim.Adam\ndef last(): return kind()"
    )
    other = "import made\nfrom made import *\nfrom made import build as again\ndef deep(): return made.build()"
    everything = found(answer, *cells, made=made, other=other)
    assert {name for _, some in everything for name in some if name.startswith("torch")} == names


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("tools/__init__.py", "from .made import build"),
        ("tools/__init__.py", "from . import made\nbuild = made.build"),
        ("tools/__init__.py", "from .made import *"),
        ("tools/__init__.py", "def build():\n    from .made import build as inner\n    return inner()"),
        ("tools/deep/__init__.py", "from ..made import build"),
    ],
    ids=["name", "module", "everything", "inside", "above"],
)
def test_pieces_go_on_in_the_package_of_a_module(path: str, text: str) -> None:
    beside = {path: text, "tools/made.py": "import torch\ndef build(): return torch.optim.Adam"}
    answer = (
        f"def f():\n    from {path.removesuffix('/__init__.py').replace('/', '.')} import build\n    return build()"
    )
    assert "torch.optim.Adam" in {name for piece in pieces(answer, (), (), beside) for _, name in piece.names}


def test_modules_that_import_each_other_have_an_end() -> None:
    assert found("from one import f\nf()", one="from two import f", two="from one import f")[0][0] == ""
    assert found("from one import *\nf()", one="from two import *", two="from one import *")[0][0] == ""


def test_pieces_pass_over_what_other_exercises_ask_for() -> None:
    cells = [Cell(0, "def other(): return helper()"), Cell(1, "def helper(): return 1")]
    assert [piece.place for piece in pieces("def f(): return other()", cells, {"other"})] == [""]


def test_answer_that_is_no_python_has_no_pieces() -> None:
    assert found("def f(:", "import torch") == []


def test_pieces_of_code_that_is_nested_too_deeply_are_what_can_be_read() -> None:
    deep = "\n".join(" " * depth + "if x:" for depth in range(90)) + "\n" + " " * 90 + "import torch"
    assert found("f(x)", deep, "def f(x): return x")[1][0] == "cell 1"


def test_names_used_are_those_of_an_answer_and_of_its_helpers() -> None:
    cells = [Cell(0, "def helper(x): return lin(x)"), Cell(1, "def lin(x): return deep(x)")]
    assert {"helper", "lin"} <= names_used("def f(x): return helper(x)", cells, {"lin"})
    assert "deep" not in names_used("def f(x): return helper(x)", cells, {"lin"})
    assert names_used("def f(:", cells) == frozenset()


def test_names_that_an_answer_binds_itself_are_not_used_of_others() -> None:
    answer = "def f(x):\n    def lin(x): return x\n    return lin(other(x))"
    assert names_used(answer, [Cell(0, "def other(x): return [relu for relu in x]")]) == {"other"}
