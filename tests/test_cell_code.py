from __future__ import annotations

import ast
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.cell_code import bound_among, code_of, masked, parsed, statements_in
from grader.kernel.host.schedule import scheduled
from grader.model import Cell
from grader.submission.reading.definitions import fingerprint

LINES = st.sampled_from(
    [
        *("", " ", "%%bash", "%%time", "%cd x", "!ls \\", "  -l", "f = !ls", "x = 1", "x = \\", "?x"),
        *("%%timeit f()", "%time f( \\", "%timeit -n 1 x", "t = %timeit -o f(x)"),
    ]
)


@given(st.lists(LINES, max_size=6).map("\n".join))
def test_masked_keeps_the_number_of_each_line(source: str) -> None:
    assert masked(source).count("\n") == source.count("\n")


@pytest.mark.parametrize(
    ("source", "code"),
    [
        (" \n%%bash\nls -l", "\n\n"),
        ("\n %%time\nx = 1", "\n\nx = 1"),
        ("!ls \\\n  -a \\ \n  -l\nx = 1", "pass\n\n\nx = 1"),
        ("files = !ls \\\n  -l\nx = 1", "files = None\n\nx = 1"),
        ("x = 1 + \\\n  2\n!ls", "x = 1 + \\\n  2\npass"),
        ("\n  x = 1\n  !ls", "\nx = 1\npass"),
        ("if x:\n    %time y = f(x)", "if x:\n    y = f(x)"),
        ("%time f(x, \\\n  y)\nz", "f(x,   y)\n\nz"),
        ("%time !ls\n%time\n%time -x", "pass\npass\npass"),
        ("%timeit -n 10 -r3 -o y = f(x)", "def _(): y = f(x)"),
        ("%timeit for i in x: f(i)", "pass"),
        ("%prun -s cumulative f(x)\n%lprun -f g f(x)\n%memit f(x)", "f(x)\nf(x)\nf(x)"),
        ("t = %timeit -o f(x)\nt = %timeit -o y = f(x)\nt = %pwd", "t = f(x)\nt = y = f(x)\nt = None"),
        ("%%timeit y = 1\nf(y)", "def _(): y = 1\nf(y)"),
        (" %%prun f(x)\n    g(x)", "f(x)\ng(x)"),
        ("%%capture out\nf(x)", "\nf(x)"),
    ],
)
def test_masked_leaves_the_python_of_a_cell(source: str, code: str) -> None:
    assert masked(source) == code


@pytest.mark.parametrize(
    ("source", "value"), [("'''\n!ls\n%cd\n'''", "\n!ls\n%cd\n"), ("'\\d'", "\\d")], ids=["text", "escape"]
)
def test_parsed_reads_python_as_it_stands(source: str, value: str) -> None:
    tree = parsed(source)
    assert tree is not None
    (read,) = tree.body
    assert isinstance(read, ast.Expr)
    assert ast.literal_eval(read.value) == value


@pytest.mark.parametrize(
    "source",
    [
        "x = " + " + ".join(["a"] * 2500),
        "x = " + "not " * 1000 + "a",
        "x = " + "[" * 150 + "a" + "]" * 150,
        "x = " + "lambda: " * 500 + "a",
        "x = " + "a if b else " * 1000 + "c",
        "x" + "[0]" * 1000 + " = 1",
        "if a:\n    b\n" + "elif c:\n    d\n" * 900,
        "\n".join(" " * depth + "for x in y:" for depth in range(98)) + "\n" + " " * 98 + "f(" * 90 + ")" * 90,
        "match x:\n    case " + "[" * 150 + "a" + "]" * 150 + ":\n        y",
    ],
    ids=["sum", "not", "lists", "lambdas", "choices", "items", "elif", "blocks", "pattern"],
)
def test_parsed_is_never_nested_so_deeply_that_a_walk_does_not_come_back(source: str) -> None:
    tree = parsed(source)
    assert tree is not None
    ast.unparse(tree)
    assert len(ast.dump(tree)) < 50_000 + len(source)
    list(statements_in(tree.body))


@pytest.mark.parametrize("inner", ["'\x01'", "'a' 'b\x7f'"])
def test_code_is_shown_even_where_python_cannot_write_it_again(inner: str) -> None:
    tree = parsed(f'exec(f"{{{inner}}}")')
    assert tree is not None
    assert "exec" in code_of(tree)


@pytest.mark.parametrize(
    "code", ["x = {}", "f(a[{}])", "def f(k={}): pass", "match x:\n    case {}: pass", "f'{{{}}}'"]
)
def test_number_that_python_reads_and_does_not_write_is_its_text(code: str) -> None:
    one, other = (parsed(code.format("0x" + digit * 4_000)) for digit in "ef")
    assert one is not None
    assert other is not None
    assert code_of(one) != code_of(other)
    assert fingerprint(one) != fingerprint(other)


def test_parsed_cuts_a_wide_cell_in_time() -> None:
    began = time.process_time()
    assert parsed("x = " + "-(" * 90 + "[" * 20 + "a,\n" * 50_000 + "]" * 20 + ")" * 90) is not None
    assert time.process_time() - began < 5


def test_parsed_tells_apart_what_differs_too_deeply_to_be_read() -> None:
    one, other = (parsed("x = " + " + ".join([end] + ["a"] * 500)) for end in "bc")
    assert one is not None
    assert other is not None
    assert ast.dump(one) != ast.dump(other)


@pytest.mark.parametrize(
    "source",
    ["import a" + ".b" * 60_000, "x = a" + " . b\n" * 60_000, "f(a" + ".b" * 60_000],
    ids=["import", "lines", "broken"],
)
def test_name_with_attributes_without_end_is_not_parsed(source: str) -> None:
    began = time.process_time()
    assert parsed(source) is None
    assert scheduled([Cell(0, source)], ()) == {}
    assert time.process_time() - began < 5  # it would take minutes
    assert parsed("x = " + " + ".join(["a.b.c"] * 2000)) is not None


@pytest.mark.parametrize("quote", ["f'", "rF'", "f'''"], ids=["short", "raw", "long"])
def test_text_with_fields_without_end_is_not_parsed(quote: str) -> None:
    text = f"x = {quote}" + "{a}" * 100_000 + quote.lstrip("rfF")
    began = time.process_time()
    assert parsed(text) is None
    assert scheduled([Cell(0, text)], ()) == {}
    assert time.process_time() - began < 2  # it would take 10 s for each
    assert parsed(f"x = {quote}" + "{a}" * 2000 + quote.lstrip("rfF")) is not None
    assert parsed("x = [" + "{1: 2}," * 20_000 + "]") is not None


#: Each binds ``n`` by another kind of statement.
BINDINGS = {
    "assignment": "n = 1",
    "annotation": "n: int = 1",
    "expression": "f(n := 1)",
    "deletion": "del n",
    "loop": "for n in x: pass",
    "with": "with f as n: pass",
    "parameter": "lambda n: 1",
    "rest": "def f(*n): pass",
    "function": "async def n(): pass",
    "class": "class n: pass",
    "import": "import n.m",
    "import_as": "from m import o as n",
    "except": "try: f()\nexcept ValueError as n: pass",
    "capture": "match x:\n    case n: pass",
    "star": "match x:\n    case [1, *n]: pass",
    "mapping": "match x:\n    case {1: 2, **n}: pass",
}


@pytest.mark.parametrize("source", BINDINGS.values(), ids=BINDINGS)
def test_name_is_bound_by_each_kind_of_statement(source: str) -> None:
    assert "n" in bound_among(ast.walk(ast.parse(source)))


@pytest.mark.parametrize("source", ["class C:\n    def n(self): pass", "x.n = 1", "f(n)", "f(n=1)", "global n"])
def test_methods_attributes_and_names_that_are_read_are_not_bound(source: str) -> None:
    assert "n" not in bound_among(ast.walk(ast.parse(source)))
