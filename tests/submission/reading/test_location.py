from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.model import Cell
from grader.submission.entry import Wanted
from grader.submission.reading.definitions import definitions_in
from grader.submission.reading.givens import givens_of
from grader.submission.reading.location import as_run, locate
from tests.submission.notebooks import LIN_GRAD, STUB, cells, code, data, notebook

WANTED = [Wanted("lin_grad", ("lin_grad",))]
BROKEN = "def lin_grad(inp, out, w, b):\n    return ((\n"
OTHER = "x = 1"
CLASS = "class lin_grad:\n    def f(self):\n        return 1"

# (cells, number of the cell graded, found by, words in the flags)
PLACES: dict[str, tuple[list[Cell], int | None, str, str]] = {
    "tagged": (cells(OTHER, (LIN_GRAD, "lin_grad")), 1, "metadata", ""),
    "untagged": (cells(OTHER, LIN_GRAD), 1, "name", ""),
    "nowhere": (cells(OTHER), None, "", ""),
    "no_cells": ([], None, "", ""),
    "async": (cells("async def lin_grad(): return 1"), 0, "name", ""),
    "lambda": (cells("lin_grad = lambda inp, out, w, b: None"), 0, "name", ""),
    "annotated": (cells("lin_grad: object = make()"), 0, "name", ""),
    "alias": (cells("def mine(): return 1\nlin_grad = mine"), 0, "name", ""),
    "unpacked": (cells("lin_grad, other = make()"), 0, "name", ""),
    "a_plain_value_is_no_answer": (cells("lin_grad = None"), None, "", ""),
    "an_import_is_no_answer": (cells("from torch import lin_grad"), None, "", ""),
    "a_method_is_no_answer": (cells("class A:\n    def lin_grad(self): return 1"), None, "", ""),
    "a_mention_is_no_answer": (cells("lin_grad(x)", "# def lin_grad", "'''\ndef lin_grad(): pass\n'''"), None, "", ""),
    "in_if": (cells("if True:\n    def lin_grad(): return 1"), 0, "name", ""),
    "in_else": (cells("if x:\n    pass\nelse:\n    def lin_grad(): return 1"), 0, "name", ""),
    "in_try": (cells("try:\n    pass\nexcept E:\n    def lin_grad(): return 1"), 0, "name", ""),
    "in_with": (cells("with a:\n    def lin_grad(): return 1"), 0, "name", ""),
    "in_match": (cells("match x:\n    case 1:\n        def lin_grad(): return 1"), 0, "name", ""),
    "decorated": (cells(f"@timed\n{LIN_GRAD}"), 0, "name", ""),
    "after_line_magic": (cells(f"%matplotlib inline\n{LIN_GRAD}"), 0, "name", ""),
    "after_shell_line": (cells(f"!pip install \\\n   torch\n{LIN_GRAD}"), 0, "name", ""),
    "after_shell_assignment": (cells(f"files = !ls\n{LIN_GRAD}"), 0, "name", ""),
    "after_help": (cells(f"torch.relu?\n?torch\n{LIN_GRAD}"), 0, "name", ""),
    "before_timeit": (cells(f"{LIN_GRAD}\n%timeit lin_grad(a, b, c, d)"), 0, "name", ""),
    "under_time": (cells(f"%%time\n{LIN_GRAD}"), 0, "name", ""),
    "under_bash": (cells("%%bash\ndef lin_grad(): 1"), None, "", ""),
    "with_top_level_await": (cells(f"await x()\n{LIN_GRAD}"), 0, "name", ""),
    "indented_cell": (cells("    def lin_grad():\n        return 1"), 0, "name", ""),
    "syntax_error": (cells(BROKEN), 0, "name", "not valid Python"),
    "nul_byte": (cells("def lin_grad(): \0"), 0, "name", "not valid Python"),
    "last_of_three": (cells(LIN_GRAD, OTHER, LIN_GRAD, LIN_GRAD), 3, "name", "defined 3 times; graded: cell 3"),
    "tagged_wins_over_later": (cells((LIN_GRAD, "lin_grad"), LIN_GRAD), 0, "metadata", "2 times; graded: cell 0"),
    "last_tagged_wins": (
        cells((LIN_GRAD, "lin_grad"), (LIN_GRAD, "lin_grad")),
        1,
        "metadata",
        "2 cells are tagged `lin_grad` (cells 0, 1)",
    ),
    "tag_on_a_wrong_cell": (cells((OTHER, "lin_grad"), LIN_GRAD), 1, "name", "(cell 0) is not the one that is graded"),
    "tag_alone_is_still_checked": (cells(("exec(secret)", "lin_grad")), 0, "metadata", "not defined in any cell"),
    "tag_of_another_exercise": (cells((LIN_GRAD, "relu_grad")), 0, "name", ""),
    "stub_alone": (cells((STUB, "lin_grad")), 0, "metadata", ""),
    "answer_after_the_stub": (cells((STUB, "lin_grad"), LIN_GRAD), 1, "name", "is not the one that is graded"),
    "answer_before_the_stub": (cells(LIN_GRAD, (STUB, "lin_grad")), 0, "name", "is not the one that is graded"),
    "stub_pasted_after_answer": (cells(LIN_GRAD, STUB), 0, "name", "2 times; graded: cell 0"),
    "tagged_copy_still_a_stub": (cells((LIN_GRAD, "lin_grad"), (STUB, "lin_grad")), 0, "metadata", "2 cells"),
    "broken_tagged_gives_way": (cells((BROKEN, "lin_grad"), LIN_GRAD), 1, "name", "graded: cell 1"),
    "broken_wins_over_stub": (cells(STUB, BROKEN), 1, "name", "not valid Python"),
    "twice_in_a_cell": (cells(f"{LIN_GRAD}\n{LIN_GRAD}"), 0, "name", "2 times"),
    "tag_on_a_stub_alone": (cells(("'Write it.'\nraise NotImplementedError", "lin_grad")), 0, "metadata", ""),
    "class_stub_gives_way": (
        cells("class lin_grad:\n    def f(self):\n        raise NotImplementedError", LIN_GRAD, STUB),
        1,
        "name",
        "3 times",
    ),
    "method_added_later": (cells(CLASS, OTHER, "lin_grad.g = g", OTHER), 2, "name", "added to in cell 2"),
    "method_added_by_name": (cells(CLASS, "for n in names:\n    setattr(lin_grad, n, g)"), 1, "name", "added to"),
    "method_added_by_decorator": (cells(CLASS, "@add_to(lin_grad)\ndef g(self): return 2"), 1, "name", "added to"),
    "method_added_by_annotation": (cells(CLASS, "@patch\ndef g(self: lin_grad): return 2"), 1, "name", "added to"),
    "methods_added_by_a_class_of_its_name": (
        cells((CLASS, "lin_grad"), "class lin_grad(lin_grad):\n    def g(self): return 2"),
        1,
        "metadata",
        "added to in cell 1",
    ),
    "methods_of_the_class_before": (cells(CLASS, "lin_grad.g = g", (CLASS, "lin_grad")), 2, "metadata", "2 times"),
    "method_added_in_the_same_cell": (cells(f"{CLASS}\nlin_grad.g = g"), 0, "name", ""),
    "tags_alone": (cells(("exec(a)", "lin_grad"), ("exec(b)", "lin_grad")), 1, "metadata", "not defined in any cell"),
    "a_plain_value_adds_nothing": (cells(CLASS, "lin_grad.count = 0"), 0, "name", ""),
    "another_class_is_added_to": (cells(CLASS, "@add_to(Other)\ndef lin_gradient(self): return 2"), 0, "name", ""),
    "an_object_is_used": (cells(CLASS, "setattr(lin_grad(), 'out', g)\nlin_grad().g = g"), 0, "name", ""),
    "an_attribute_of_a_function": (cells(LIN_GRAD, "lin_grad.g = g"), 0, "name", ""),
}


@pytest.mark.parametrize("name", PLACES)
def test_locate_finds_the_cell_an_instructor_would_expect(name: str) -> None:
    notebook_cells, expected, found_by, words = PLACES[name]
    stub = locate(notebook_cells, WANTED).get("lin_grad")
    if expected is None:
        assert stub is None
        return
    assert stub is not None
    assert (stub.cell, stub.found_by) == (expected, found_by)
    assert words in "; ".join(stub.flags)
    assert bool(words) == bool(stub.flags)
    assert ("added to" in "; ".join(stub.flags)) == words.startswith("added to")


EMPTY_CLASS = "class lin_grad:\n    def f(self):\n        raise NotImplementedError"
BESIDE = f"y = 1\n@timed\n{STUB}\nz = y"

# (cells, the cell that is run without a stub, its source then)
LEFT_OUT: dict[str, tuple[list[Cell], int, str]] = {
    "tagged": (cells(LIN_GRAD, OTHER, (STUB, "lin_grad")), 2, "pass\n\n"),
    "pasted_below": (cells((LIN_GRAD, "lin_grad"), STUB), 1, "pass\n\n"),
    "beside_other_code": (cells(LIN_GRAD, BESIDE), 1, "y = 1\npass\n\n\n\nz = y"),
    "in_the_same_cell": (cells(f"{LIN_GRAD}\n{STUB}"), 0, f"{LIN_GRAD}\npass\n\n"),
    "twice_in_a_cell": (cells(LIN_GRAD, f"{STUB}\n{STUB}"), 1, "pass\n\n\npass\n\n"),
    "in_a_block": (cells(LIN_GRAD, "if True:\n    def lin_grad(): ..."), 1, "if True:\n    pass"),
    "of_a_class": (cells(CLASS, EMPTY_CLASS), 1, "pass\n\n"),
    "emptied": (cells(LIN_GRAD, "def lin_grad(): pass"), 1, "pass"),
    "below_an_alias": (cells("lin_grad = mine()", STUB), 1, "pass\n\n"),
    "under_a_magic": (cells(LIN_GRAD, f"%%time\n{STUB}"), 1, "%%time\npass\n\n"),
}


@pytest.mark.parametrize("name", LEFT_OUT)
def test_as_run_leaves_out_an_untouched_stub_below_its_answer(name: str) -> None:
    notebook_cells, place, expected = LEFT_OUT[name]
    stubs = locate(notebook_cells, WANTED)
    run = as_run(notebook_cells, stubs.values())
    assert [cell.source for cell in run] == [
        expected if cell.index == place else cell.source for cell in notebook_cells
    ]
    assert f"run without the untouched stub below it (cell {place}" in "; ".join(stubs["lin_grad"].flags)


@pytest.mark.parametrize(
    "notebook_cells",
    [
        pytest.param(cells((STUB, "lin_grad")), id="alone"),
        pytest.param(cells(STUB, (STUB, "lin_grad")), id="no_answer"),
        pytest.param(cells(STUB, LIN_GRAD), id="above"),
        pytest.param(cells((LIN_GRAD, "lin_grad"), LIN_GRAD), id="written_too"),
        pytest.param(cells(BROKEN, STUB), id="below_what_is_no_python"),
        pytest.param(cells(CLASS, "class lin_grad(Other): pass"), id="all_inherited"),
    ],
)
def test_as_run_leaves_every_other_definition_where_it_is(notebook_cells: list[Cell]) -> None:
    stubs = locate(notebook_cells, WANTED)
    assert as_run(notebook_cells, stubs.values()) == tuple(notebook_cells)
    assert "run without" not in "; ".join(stubs["lin_grad"].flags)


def test_locate_knows_a_stub_that_was_handed_out_with_a_part_written() -> None:
    handed_out = "class Value:\n    def __add__(self, a):\n        raise NotImplementedError\n"
    handed_out += "    def __radd__(self, a):\n        return self + a"
    answer = handed_out.replace("raise NotImplementedError", "return Value()")
    (mark,) = {item.fingerprint for item in definitions_in(handed_out)}
    wanted = [Wanted("Value", ("Value",), handed_out=frozenset({mark}))]
    for notebook_cells, place in (
        (cells(answer, (handed_out, "Value")), 0),
        (cells((handed_out, "Value"), answer), 1),
        (cells((handed_out, "Value")), 0),
        (cells((f"{handed_out}  # mine", "Value"), "x = 1"), 0),
    ):
        assert locate(notebook_cells, wanted)["Value"].cell == place
    assert locate(cells(answer, (handed_out, "Value")), wanted)["Value"].left_out == ((1, 1, 5),)


def test_locate_by_a_tag_alone_gives_the_whole_cell() -> None:
    stub = locate(cells(("exec(a)\nexec(b)", "lin_grad")), WANTED)["lin_grad"]
    assert (stub.line, stub.source) == (1, "exec(a)\nexec(b)")


def test_locate_gives_line_and_source_of_the_definition() -> None:
    stub = locate(cells(f"%pylab\n\n@timed\n{LIN_GRAD}\ny = 2"), WANTED)["lin_grad"]
    assert stub.line == 4
    assert stub.source == f"@timed\n{LIN_GRAD}"


def test_locate_a_base_class_that_raises_is_a_finished_solution() -> None:
    method = "    def __call__(self, *a):\n        return 1\n"
    module = f"class Module:\n{method}    def bwd(self):\n        raise NotImplementedError"
    stub = locate(cells(("class Module:\n    pass", "Module"), module), [Wanted("Module", ("Module",))])["Module"]
    assert stub.cell == 1


def test_locate_several_names_checks_after_the_last() -> None:
    wanted = [Wanted("capstone", ("train", "predict"))]
    notebook_cells = cells("def predict(p, x): return 1", OTHER, ("def train(x): return 1", "capstone"))
    stub = locate(notebook_cells, wanted)["capstone"]
    assert (stub.cell, stub.found_by, stub.flags) == (2, "metadata", ())
    assert "def train" in stub.source
    assert "def predict" in stub.source
    partly = locate(notebook_cells[1:], wanted)["capstone"]
    assert partly.flags == ("`predict` is not defined in any cell",)


def test_locate_a_name_misspelt_in_its_cell_says_which() -> None:
    misspelt = LIN_GRAD.replace("lin_grad", "lin_gard")
    stub = locate(cells((f"{misspelt}\ndef half(x): return x / 2", "lin_grad")), WANTED)["lin_grad"]
    assert stub.flags == ("`lin_grad` is not defined in any cell; cell 0 defines `lin_gard`, `half`",)


def test_locate_several_names_gives_them_as_they_stand() -> None:
    names = [f"f{n}" for n in (3, 1, 4, 0, 2)]
    stub = locate(cells(*(f"def {name}(): return 1" for name in names)), [Wanted("all", tuple(sorted(names)))])["all"]
    assert (stub.cell, stub.flags) == (4, ())
    assert [part.split("(")[0] for part in stub.source.split("\n\n")] == [f"def {name}" for name in names]


def test_locate_one_name_of_an_exercise_without_a_tag_is_nothing_to_remark() -> None:
    both = locate(cells(LIN_GRAD), [*WANTED, Wanted("relu_grad", ("relu_grad",))])
    assert (list(both), both["lin_grad"].flags) == (["lin_grad"], ())


def test_locate_an_answer_imported_from_a_file_beside_the_notebook() -> None:
    notebook_cells = cells("from helper import lin_grad")
    stub = locate(notebook_cells, WANTED, local_modules={"helper"})["lin_grad"]
    assert stub.flags == ("`lin_grad` is imported from `helper`, a file beside the notebook",)


TRACE = [Wanted("trace", (), ("b_grad", "w_grad"))]
BOTH = "b_grad = f(x)\nw_grad = b_grad @ x"
RAISES = "# compute b_grad, w_grad\nraise NotImplementedError"
ASSIGNING = {
    "tagged": (cells(BOTH, (BOTH, "trace"), BOTH), 1, ""),
    "tagged_by_a_list_of_numbers": (cells(("b_grad = [1]\nw_grad = [2]", "trace")), 0, ""),
    "untagged_last_complete": (cells(BOTH, BOTH, "w_grad = 1"), 1, "2 cells assign"),
    "split": (cells("b_grad = f(x)", "w_grad = g(x)", OTHER), 1, "does not assign `b_grad`"),
    "in_with": (cells("with no_grad():\n    b_grad, w_grad = f(x)"), 0, ""),
    "stub": (cells((RAISES, "trace")), 0, ""),
    "stub_gives_way": (cells((RAISES, "trace"), BOTH), 1, "is not the one that is graded"),
    "last_tagged": (cells((BOTH, "trace"), (BOTH, "trace")), 1, "2 cells are tagged"),
    "tagged_twice_one_a_stub": (cells((BOTH, "trace"), (RAISES, "trace")), 0, "2 cells are tagged"),
    "syntax_error": (cells(("b_grad = (\nw_grad = ", "trace")), 0, "not valid Python"),
    "magic": (cells(f"%%time\n{BOTH}"), 0, ""),
    "nowhere": (cells("c_grad = 1"), None, ""),
    "tagged_by_a_call": (cells(("compute()", "trace"), BOTH), 0, "does not assign `b_grad`, `w_grad`"),
    "last_name_first": (cells("w_grad = g(x)", "b_grad = f(x)"), 0, "does not assign `b_grad`"),
    "functions_of_that_name": (cells("def b_grad(): return 1\ndef w_grad(): return 1"), None, ""),
    "imports_alone_give_way": (cells((BOTH, "trace"), (f"import torch\n{RAISES}", "trace")), 0, "2 cells are tagged"),
}


@pytest.mark.parametrize("name", ASSIGNING)
def test_locate_a_cell_that_assigns(name: str) -> None:
    notebook_cells, expected, words = ASSIGNING[name]
    stub = locate(notebook_cells, TRACE).get("trace")
    assert (None if stub is None else stub.cell) == expected
    if stub is not None:
        assert words in "; ".join(stub.flags)
        assert bool(words) == bool(stub.flags)
        cell = notebook_cells[stub.cell]
        assert (stub.source, stub.found_by) == (cell.source, "metadata" if cell.exercise else "name")


def test_locate_a_cell_that_assigns_gives_the_line_where_that_begins() -> None:
    assert locate(cells(f"{OTHER}\n\n{BOTH}"), TRACE)["trace"].line == 3
    assert locate(cells((f"\n{RAISES}", "trace")), TRACE)["trace"].line == 1


def test_locate_a_cell_that_assigns_knows_where_the_rest_is_assigned() -> None:
    stub = locate(cells(OTHER, ("b_grad = f(x)", "trace"), "w_grad = g(x)", "w_grad = h(x)\nb_grad = 1"), TRACE)[
        "trace"
    ]
    assert (stub.cell, stub.elsewhere) == (1, (("w_grad", 3),))


RELU = "class Relu:\n    def __call__(self, inp):\n        return inp.clamp_min(0.)"
LIN = "class Lin:\n    def __call__(self, inp):\n        return inp"
MINE = RELU.replace("inp.clamp_min(0.)", "inp * (inp > 0)")


@pytest.fixture
def givens(tmp_path) -> frozenset[str]:
    (tmp_path / "05_network.ipynb").write_bytes(data(notebook(code(RELU), code(LIN), code("class Q: x = 1", "Q"))))
    (tmp_path / "06_more.ipynb").write_bytes(data(notebook(code("def helper(): return 1"))))
    (tmp_path / "broken.ipynb").write_bytes(b"{")
    (tmp_path / "folder.ipynb").mkdir()
    return givens_of(tmp_path)


@pytest.mark.parametrize(
    ("notebook_cells", "expected"),
    [
        pytest.param(cells(LIN, MINE, RELU), 1, id="given_after_the_answer"),
        pytest.param(cells(LIN, RELU, MINE), 2, id="given_before_the_answer"),
        pytest.param(cells(LIN, MINE, f"# retyped\n{RELU.replace(' 0.', '  0.')}  # here"), 1, id="given_retyped"),
        pytest.param(cells(LIN, MINE, f"y = 1\n{RELU}\nz = 2"), 1, id="given_merged_into_a_cell"),
        pytest.param(cells(LIN, RELU), None, id="only_the_given"),
        pytest.param(cells(RELU), 0, id="an_answer_like_a_given_of_another_notebook"),
        pytest.param(cells(LIN, (RELU, "Relu")), 1, id="a_tagged_answer_like_a_given"),
        pytest.param(cells("def helper(): return 1", RELU), 1, id="beside_a_given_of_another_notebook"),
    ],
)
def test_locate_does_not_take_a_given_for_an_answer(
    notebook_cells: list[Cell], expected: int | None, givens: frozenset[str]
) -> None:
    stub = locate(notebook_cells, [Wanted("Relu", ("Relu",))], givens).get("Relu")
    assert (None if stub is None else stub.cell) == expected
    assert stub is None or not any("not defined" in flag for flag in stub.flags)


def test_givens_of_counts_untagged_definitions_only(givens: frozenset[str]) -> None:
    assert sorted(mark.split(":")[0] for mark in givens) == ["05_network", "05_network", "06_more"]


PIECES = st.sampled_from(
    [
        LIN_GRAD,
        STUB,
        BROKEN,
        BOTH,
        "%%time",
        "!ls \\",
        "%",
        "(",
        "'''",
        "\\",
        "\0",
        "class lin_grad:",
        "    ",
        "lin_grad =",
    ]
)


@given(st.lists(st.tuples(st.text() | st.lists(PIECES).map("\n".join), st.sampled_from([None, "lin_grad", "trace"]))))
@settings(max_examples=150)
def test_locate_never_raises(sources: list[tuple[str, str | None]]) -> None:
    notebook_cells = [Cell(i, source, exercise) for i, (source, exercise) in enumerate(sources)]
    for stub in locate(notebook_cells, [*WANTED, *TRACE]).values():
        assert 0 <= stub.cell < len(notebook_cells)


@pytest.mark.parametrize(
    "source",
    ["(" * 5_000, "-" * 50_000 + "lin_grad", "lin_grad = " + "a." * 20_000 + "b", "lin_grad = " + "1+" * 50_000 + "1"],
    ids=["brackets", "minus", "attributes", "sum"],
)
def test_locate_survives_code_nested_beyond_the_parser(source: str) -> None:
    found = locate(cells(source, (source, "trace")), [*WANTED, *TRACE], frozenset({"a:b"}))
    assert (found["trace"].cell, found["trace"].found_by) == (1, "metadata")


@given(st.lists(st.sampled_from(["x = 1", "def f(x):", "    return (", "", "y: int = 2", "class A"]), max_size=30))
def test_definitions_in_a_broken_cell_stand_in_their_own_lines(lines: list[str]) -> None:
    source = "\n".join([*lines, "def lin_grad(inp:", "("])
    for found in definitions_in(source):
        assert found.name in source.split("\n")[found.line - 1]
    assert [found.line for found in definitions_in(source, {"lin_grad"})] == [len(lines) + 1]
