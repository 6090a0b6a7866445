"""How a call that did not return is explained."""

from __future__ import annotations

import pytest

from grader.judge.diagnosis.endings import ending_of, has_untouched_body
from grader.judge.diagnosis.errors import explained
from grader.model import CaseRun, Stub, StudentError
from tests.judge.builders import linear, not_implemented

UNTOUCHED = "def linear(inp, out, w, b):\n    '''Doc.'''\n    raise NotImplementedError"
DONE = "def linear(inp, out, w, b):\n    inp.g = lin(out)\n    return inp"


def stub(source: str) -> Stub:
    return Stub("linear", 4, 1, source, "metadata")


def ended(error: StudentError, source: str) -> str:
    return ending_of(linear, stub(source), CaseRun("case", "raised", error=error)).code


def test_error_on_the_stubs_own_line_is_not_implemented():
    assert ended(not_implemented(4, 3), UNTOUCHED) == "not_implemented"


def test_error_in_a_base_class_of_an_untouched_subclass_is_not_implemented():
    source = "class ReluModule(Module):\n    def forward(self, inp):\n        raise NotImplementedError"
    assert ended(not_implemented(2, 5), source) == "not_implemented"


def test_error_of_another_stub_says_where_it_comes_from():
    run = CaseRun("case", "raised", error=not_implemented(2, 5))
    found = ending_of(linear, stub(DONE), run)
    assert found.code == "raised"
    assert "What this one calls is not written" in found.message


def test_torchs_own_not_implemented_error_is_an_exception_like_others():
    error = StudentError("NotImplementedError", "not for Half", ("NotImplementedError",), 4, 2, "    inp.g = lin(out)")
    assert ended(error, DONE) == "raised"


@pytest.mark.parametrize("how", ["timed_out", "crashed", "memory_exceeded", "output_exceeded", "not_defined"])
def test_other_endings_keep_their_name(how):
    found = ending_of(linear, None, CaseRun("case", how), "n=7")
    assert found.code == how
    assert found.message
    assert found.hint


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("raise NotImplementedError", True),
        ("def f():\n    raise NotImplementedError('later')", True),
        ("class A:\n    def f(self):\n        'Doc.'\n        raise NotImplementedError", True),
        ("def f():\n    return 1", False),
        ("def f():\n    if 1:\n        raise NotImplementedError", False),
        ("def f(:", False),
        ("raise", False),
    ],
)
def test_untouched_bodies(source, expected):
    assert has_untouched_body(source) is expected


ERRORS = [
    ("RuntimeError", "mat1 and mat2 shapes cannot be multiplied (7x5 and 3x5)", "(7, 5) @ (5, 3) transposed"),
    ("RuntimeError", "mat1 and mat2 shapes cannot be multiplied (7x5 and 3x8)", "do not."),
    (
        "RuntimeError",
        "The size of tensor a (7) must match the size of tensor b (5) at non-singleton dimension 1",
        "axis 1",
    ),
    ("AttributeError", "'NoneType' object has no attribute 'g'", "None"),
    ("AttributeError", "'Tensor' object has no attribute 'grd'", "`grd`"),
    ("RuntimeError", "a leaf Variable that requires grad is being used in an in-place operation.", "in place"),
    ("NameError", "name 'oout' is not defined", "`oout`"),
    ("TypeError", "linear() missing 1 required positional argument: 'b'", "arguments"),
    ("ValueError", "too many values to unpack (expected 2)", "number of values"),
    ("RuntimeError", "expected m1 and m2 to have the same dtype, but got: float != double", "float and double"),
    ("RuntimeError", "Trying to backward through the graph a second time", "twice"),
    ("SomethingOfTheirs", "{odd} text {0}", "SomethingOfTheirs"),
]


@pytest.mark.parametrize(("kind", "message", "words"), ERRORS, ids=[message[:30] for _, message, _ in ERRORS])
def test_exception_is_explained_by_its_cause(kind, message, words):
    error = StudentError(kind, message, (kind, "Exception"), 4, 2, "  w.g = inp @ out.g", ("inp (7, 5)",))
    found = explained(error)
    assert found.code == "raised"
    assert words in found.message
    assert "`w.g = inp @ out.g`, line 2" in found.message
    assert "inp (7, 5)" in found.message


def test_numpy_product_names_the_fitting_transpose():
    message = (
        "matmul: Input operand 1 has a mismatch in its core dimension 0, with gufunc signature (n?,k),(k,m?)->(n?,m?) "
        "(size 3 is different from 5)"
    )
    error = StudentError("ValueError", message, ("ValueError",), 4, 2, "x @ w", ("x (7, 5)", "w (3, 5)"))
    assert "(7, 5) @ (5, 3) transposed" in explained(error).message


@pytest.mark.parametrize(
    ("kind", "message", "shapes"),
    [
        ("NameError", "name 'outt' is not defined", False),
        ("RuntimeError", "mat1 and mat2 shapes cannot be multiplied (3x4 and 5x6)", True),
    ],
)
def test_hint_on_an_exception_asks_for_shapes_only_where_they_are_the_cause(kind, message, shapes):
    found = ending_of(linear, stub(DONE), CaseRun("case", "raised", error=StudentError(kind, message, (kind,))))
    assert ("shapes" in found.hint) is shapes
