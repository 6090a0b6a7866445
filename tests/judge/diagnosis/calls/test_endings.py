"""How a call that did not return is explained."""

from __future__ import annotations

from dataclasses import replace

import pytest

from grader.judge.diagnosis.calls.endings import ending_of, has_untouched_body, used_autograd
from grader.judge.diagnosis.calls.errors import explained
from grader.judge.diagnosis.words.wording import say
from grader.judge.evidence import Evidence
from grader.kernel.protocol import messages
from grader.model import UNSEEN, CaseRun, Diagnosis, Stub, StudentError
from tests.judge.answered import answered, whole
from tests.judge.builders import linear, not_implemented

UNTOUCHED = "def linear(inp, out, w, b):\n    '''Doc.'''\n    raise NotImplementedError"
DONE = "def linear(inp, out, w, b):\n    inp.g = lin(out)\n    return inp"


def stub(source: str) -> Stub:
    return Stub("linear", 4, 1, source, "metadata")


def ending(run: CaseRun, source: str | None = None) -> Diagnosis:
    return ending_of(Evidence(linear, (), (run,), None if source is None else stub(source)), run, "n=7")


def ended(error: StudentError, source: str) -> str:
    return ending(CaseRun("case", "raised", error=error), source).code


@pytest.mark.parametrize("ended", ["timed_out", "crashed", "memory_exceeded", "output_exceeded"])
def test_call_that_was_stopped_says_in_which_case(ended):
    found = ending(CaseRun("case", ended))
    assert (found.code, "(n=7)" in found.message) == (ended, True)


@pytest.mark.parametrize(
    ("ended", "limit"),
    [("crashed", "open files"), ("crashed", "processes"), ("output_exceeded", "bytes written")],
)
def test_call_that_met_a_limit_names_it_and_the_line(ended, limit):
    error = StudentError("LimitMet", limit, cell=4, line=2, code="open('big', 'wb').write(data)")
    found = ending(CaseRun("case", ended, error=error), DONE)
    assert found.code == ended
    assert found.message.startswith(f"The check met the limit of {limit}")
    assert "open('big', 'wb').write(data)" in found.message


def test_error_on_the_stubs_own_line_is_not_implemented():
    found = ending(CaseRun("case", "raised", error=not_implemented(4, 3)), UNTOUCHED)
    assert (found.code, found.message) == ("not_implemented", say("not_implemented", where="cell 4, line 3").message)


def test_error_in_a_base_class_of_an_untouched_subclass_is_not_implemented():
    source = "class ReluModule(Module):\n    def forward(self, inp):\n        raise NotImplementedError"
    assert ended(not_implemented(2, 5), source) == "not_implemented"


def test_stub_whose_cell_defines_nothing_is_not_implemented():
    run = CaseRun("random values", "not_defined")
    assert ending(run, "import torch\nraise NotImplementedError").code == "not_implemented"
    assert ending(run, "class Lin:\n    'A layer.'\n    raise NotImplementedError").code == "not_implemented"
    assert ending(run, "def lin_grad(inp, out, w, b):\n    raise NotImplementedError").code == "not_defined"
    assert ending(run, "class Lin:\n    def f(self):\n        raise NotImplementedError").code == "not_defined"


@pytest.mark.parametrize(
    ("kept_from", "said"),
    [
        ("", "failed, was removed, or gives it another name"),
        ("AssertionError: my test", "ended in an error before it got there (AssertionError: my test)"),
        ("%%timeit", "its cell begins with `%%timeit`"),
    ],
)
def test_answer_that_its_cell_did_not_define_says_what_is_known_of_the_cell(kept_from, said):
    run = CaseRun("case", "not_defined")
    found = ending_of(Evidence(linear, (), (run,), replace(stub(DONE), kept_from=kept_from)), run)
    assert found.code == "not_defined"
    assert said in found.message


def test_error_of_another_stub_says_where_it_comes_from():
    run = CaseRun("case", "raised", error=not_implemented(2, 5))
    found = ending(run, DONE)
    assert found.code == "raised"
    assert "What this one calls is not written" in found.message
    assert "that line was left below it" in found.message


def test_torchs_own_not_implemented_error_is_an_exception_like_others():
    error = StudentError("NotImplementedError", "not for Half", ("NotImplementedError",), 4, 2, "    inp.g = lin(out)")
    assert ended(error, DONE) == "raised"


PARTLY = [
    (
        "lin_grad",
        """
        def lin_grad(inp, out, w, b):
            inp.g = out.g @ w.T
            w.g = inp.T @ out.g
            raise NotImplementedError
        """,
        "b.g",
    ),
    (
        "Relu",
        """
        class Relu:
            def __call__(self, inp):
                self.out = inp.clamp(min=0.0)
                return self.out

            def backward(self):
                raise NotImplementedError
        """,
        "inp.g",
    ),
    (
        "dot_grad",
        """
        def dot_grad(w, x):
            w_grad = x
            raise NotImplementedError
        """,
        "result[0]",
    ),
]


@pytest.mark.parametrize(("name", "source", "check"), PARTLY, ids=[name for name, *_ in PARTLY])
def test_stub_that_is_written_in_part_is_not_called_untouched(name, source, check):
    found = answered(name, source)[check]
    assert found.code == "not_implemented"
    assert found.message.startswith("This part is not written yet")
    assert "at `raise NotImplementedError`, line " in found.message


@pytest.mark.parametrize("how", ["timed_out", "crashed", "memory_exceeded", "output_exceeded", "not_defined"])
def test_other_endings_keep_their_name(how):
    found = ending(CaseRun("case", how))
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


@pytest.mark.parametrize("seen", [messages.TAMPERING, messages.HIDING, messages.THREAD])
def test_what_nobody_could_see_is_not_called_a_function(seen):
    assert seen.startswith(UNSEEN)
    assert seen.removeprefix(UNSEEN) in used_autograd(seen).message
    assert seen not in used_autograd(seen).message


def test_what_torch_sets_aside_the_watch_with_accuses_nobody():
    assert "torch.compile" in used_autograd(messages.TAMPERING).message
    assert "tampered" not in used_autograd(messages.TAMPERING).message


ERRORS = [
    ("AttributeError", "'Tensor' object has no attribute 'g'", "sets none: `x.g = …` does"),
    ("NameError", "name 'nn' is not defined", "or in a cell that ended before it came to that"),
    ("RuntimeError", "mat1 and mat2 shapes cannot be multiplied (7x5 and 3x5)", "(7, 5) @ (3, 5).T"),
    ("RuntimeError", "mat1 and mat2 shapes cannot be multiplied (7x5 and 3x8)", "do not."),
    (
        "RuntimeError",
        "The size of tensor a (7) must match the size of tensor b (5) at non-singleton dimension 1",
        "axis 1",
    ),
    (
        "RuntimeError",
        "Expected size for first two dimensions of batch2 tensor to be: [3, 9] but got: [3, 5].",
        "begin with [3, 9] here, and it begins with [3, 5]",
    ),
    (
        "RuntimeError",
        "output with shape [3] doesn't match the broadcast shape [7, 3]",
        "[7, 3] does not fit into a tensor of shape [3]",
    ),
    ("RuntimeError", "shape '[8, 1]' is invalid for input of size 440", "than the 440 entries"),
    ("AttributeError", "'NoneType' object has no attribute 'g'", "None"),
    ("AttributeError", "'Tensor' object has no attribute 'grd'", "`grd`"),
    ("RuntimeError", "a leaf Variable that requires grad is being used in an in-place operation.", "in place"),
    ("NameError", "name 'oout' is not defined", "`oout`"),
    ("UnboundLocalError", "cannot access local variable 'w1' where it is not associated", "makes `w1` its own"),
    ("NotImplementedError", "\"bitwise_xor_cpu\" not implemented for 'Float'", "bit by bit"),
    ("TypeError", "ufunc 'bitwise_xor' not supported for the input types", "bit by bit"),
    ("TypeError", "unsupported operand type(s) for ^: 'float' and 'int'", "bit by bit"),
    ("NotImplementedError", "\"softmax_lastdim_kernel_impl\" not implemented for 'Long'", "dtype Long"),
    ("IndexError", "too many indices for tensor of dimension 1", "axes (1)"),
    ("IndexError", "too many indices for array: array is 1-dimensional, but 2 were indexed", "axes (1)"),
    ("IndexError", "invalid index of a 0-dim tensor. Use `tensor.item()` in Python", "axes (0)"),
    ("IndexError", "Dimension out of range (expected to be in range of [-2, 1], but got 2)", "no axis 2"),
    ("AxisError", "axis 1 is out of bounds for array of dimension 1", "the last one there is 0"),
    ("IndexError", "tensors used as indices must be long, int, byte or bool tensors", "whole numbers"),
    ("IndexError", "arrays used as indices must be of integer (or boolean) type", "whole numbers"),
    ("IndexError", "shape mismatch: indexing tensors could not be broadcast together with shapes [5], [8]", "pairs"),
    (
        "IndexError",
        "The shape of the mask [3, 3] at index 1 does not match the shape of the indexed tensor [3, 5] at index 1",
        "[3, 3] is not [3, 5]",
    ),
    ("IndexError", "index 5 is out of bounds for dimension 0 with size 3", "outside of its axis"),
    ("IndexError", "list index out of range", "outside of its axis"),
    ("ValueError", "operands could not be broadcast together with shapes (2,3) (2,) ", "(2,3) (2,)"),
    ("TypeError", "unsupported operand type(s) for *: 'float' and 'NoneType'", "is None there"),
    ("TypeError", "'NoneType' object is not subscriptable", "is None there"),
    ("TypeError", "exp(): argument 'input' (position 1) must be Tensor, not NoneType", "is None there"),
    ("TypeError", "unsupported operand type(s) for -: 'Tensor' and 'torch.return_types.max'", "`max` along an axis"),
    ("TypeError", "unsupported operand type(s) for *: 'int' and 'Value'", "no `*` of `int` and `Value`"),
    (
        "TypeError",
        "unsupported operand type(s) for @: 'Tensor' and 'builtin_function_or_method'",
        "without parentheses",
    ),
    ("TypeError", "unsupported operand type(s) for *: 'method' and 'float'", "without parentheses"),
    ("TypeError", "'Tensor' object is not callable", "of type `Tensor` is no function"),
    ("TypeError", "'NoneType' object is not callable", "is None there"),
    ("TypeError", "'Relu' object is not callable", "and `Relu` has none"),
    ("TypeError", "'module' object is not callable", "of type `module` is no function"),
    ("TypeError", "'generator' object is not subscriptable", "is a generator"),
    ("TypeError", "object of type 'generator' has no len()", "is a generator"),
    ("TypeError", "sqrt(): argument 'input' (position 1) must be Tensor, not int", "given an object of type `int`"),
    (
        "TypeError",
        "max() received an invalid combination of arguments - got (int, Tensor), but expected one of:\n",
        "of these kinds in this order: (int, Tensor).",
    ),
    (
        "TypeError",
        "sum() received an invalid combination of arguments - got (Tensor, dim=str), but expected one of:\n",
        "of these kinds in this order: (Tensor, dim=str).",
    ),
    ("TypeError", "relu(): argument 'input' (position 1) must be Tensor, not numpy.ndarray", "of type `numpy.ndarray`"),
    (
        "TypeError",
        "matmul(): argument 'input' (position 1) must be Tensor, not builtin_function_or_method",
        "without parentheses",
    ),
    ("AttributeError", "'numpy.ndarray' object has no attribute 'mm'", "`mm` is a method of tensors"),
    ("AttributeError", "'int' object has no attribute 'g'", "of type `int`"),
    ("AttributeError", "cannot assign parameters before Module.__init__() call", "set up"),
    ("RecursionError", "maximum recursion depth exceeded", "without end"),
    ("TypeError", "linear() missing 1 required positional argument: 'b'", "arguments"),
    ("ValueError", "too many values to unpack (expected 2)", "number of values"),
    ("RuntimeError", "expected m1 and m2 to have the same dtype, but got: float != double", "float and double"),
    ("RuntimeError", "Trying to backward through the graph a second time", "twice"),
    ("AssertionError", "Torch not compiled with CUDA enabled", "the machine that ran this has none"),
    ("RuntimeError", "Found no NVIDIA driver on your system. Please check that", "the machine that ran this has none"),
    ("RuntimeError", "No CUDA GPUs are available", "the machine that ran this has none"),
    ("RuntimeError", "Expected all tensors to be on the same device, but found", "different devices"),
    ("ModuleNotFoundError", "No module named 'matplotlib'", "no module `matplotlib` on the machine that ran this"),
    ("EOFError", "EOF when reading a line", "waits for somebody to type"),
    ("StdinNotImplementedError", "raw_input was called, but this frontend does not support input requests.", "to type"),
    ("EOFError", "nobody can answer input() during a check", "waits for somebody to type"),
    ("BdbQuit", "", "A breakpoint stops before that line"),
    ("SystemExit", "3", "ends the program there"),
    ("AttributeError", "'Tensor' object has no attribute 'g'", "no gradient yet"),
    ("AttributeError", "'Parameter' object has no attribute 'g'", "no gradient yet"),
    ("TypeError", "expected Tensor as element 0 in argument 0, but got torch.return_types.max", "gives a pair"),
    ("AttributeError", "'torch.return_types.max' object has no attribute 'dim'", "`max` along an axis gives a pair"),
    ("AttributeError", "'builtin_function_or_method' object has no attribute 'T'", "without parentheses"),
    ("AttributeError", "'Tensor' object has no attribute 'zero_grad'", "a tensor has none"),
    ("TypeError", "'method' object is not iterable", "without parentheses"),
    ("TypeError", "'builtin_function_or_method' object is not subscriptable", "without parentheses"),
    ("RuntimeError", "outer: Expected 1-D argument vec2, but got 2-D", "`outer` works on tensors of 1 axis"),
    ("RuntimeError", "1D tensors expected, but got 1D and 2D tensors", "one with 2 axes stands there"),
    ("RuntimeError", "mat2 must be a matrix", "is one of matrices"),
    ("RuntimeError", "vector + matrix @ vector expected, got 1, 2, 2", "is one of matrices"),
    (
        "RuntimeError",
        "The expanded size of the tensor (1) must match the existing size (3) at non-singleton dimension 0.  "
        "Target sizes: [1].  Tensor sizes: [3]",
        "of shape [3] does not fit into the place of shape [1]",
    ),
    (
        "RuntimeError",
        "einsum(): the number of subscripts in the equation (2) does not match the number of dimensions (1)",
        "Axes of one operand: 1; letters that stand for them: 2.",
    ),
    ("TypeError", "iteration over a 0-d tensor", "is one number"),
    ("TypeError", "len() of a 0-d tensor", "is one number"),
    ("RuntimeError", "stack expects each tensor to be equal size, but got [3] at entry 0 and [3, 1]", "[3] and [3, 1]"),
    ("TypeError", "only integer tensors of a single element can be converted to an index", "a single element"),
    ("SomethingOfTheirs", "{odd} text {0}", "SomethingOfTheirs"),
]


def test_size_of_arrays_is_told_apart_from_a_call_without_parentheses() -> None:
    kinds = "unsupported operand type(s) for /: 'Tensor' and 'builtin_function_or_method'"
    error = StudentError("TypeError", kinds, ("TypeError",), 4, 2, "inp.g = 2 * error / np.size(targ)")

    assert "`np.size` counts the entries of arrays" in explained(error).message


def test_gradient_of_autograds_is_told_by_its_name() -> None:
    error = StudentError("AttributeError", "'Tensor' object has no attribute 'g'", ("AttributeError",), 4, 2, "w.g")

    assert "`backward()` of autograd writes `.grad`" in explained(error, autograd=True).message


@pytest.mark.parametrize(
    ("line", "kind", "said"),
    [
        ("x = output.x", "Tensor", True),
        ("x = made.output.x", "Tensor", False),
        ("x = inp.x", "Tensor", False),
        ("x = output.x", "Linear", False),
    ],
    ids=["an argument", "of something else", "another tensor by the name of an argument", "no tensor"],
)
def test_attribute_that_a_forward_pass_would_set_is_not_on_what_the_check_passes_in(line, kind, said):
    source = f"def linear(inp, output, w, b):\n    {line}\n    inp = make()"
    error = StudentError("AttributeError", f"'{kind}' object has no attribute 'x'", ("AttributeError",), 4, 2, line)
    found = ending(CaseRun("case", "raised", error=error), source)
    assert ("no line of your notebook made it: it has no `.x`" in found.message) == said
    assert ("it was not set, or has another name" in found.message) != said


@pytest.mark.parametrize(("kind", "message", "words"), ERRORS, ids=[message[:30] for _, message, _ in ERRORS])
def test_exception_is_explained_by_its_cause(kind, message, words):
    error = StudentError(kind, message, (kind, "Exception"), 4, 2, "  w.g = inp @ out.g", ("inp (7, 5)",))
    found = explained(error)
    assert found.code == "raised"
    assert words in found.message
    assert "`w.g = inp @ out.g`, line 2" in found.message
    assert "inp (7, 5)" in found.message


def broadcast(*operands: str, code: str = "x - y") -> str:
    message = "The size of tensor a (5) must match the size of tensor b (10) at non-singleton dimension 1"
    return whole(explained(StudentError("RuntimeError", message, ("RuntimeError",), 4, 2, code, operands)))


def test_operands_that_met_are_those_with_the_sizes_of_the_message():
    assert "(10, 5) and (10, 10) differ at axis 1" in broadcast("z (3,)", "x (10, 5)", "y (10, 10)")
    assert "(10, 5) and (10,) differ at axis 1" in broadcast("y (10,)", "x (10, 5)")


@pytest.mark.parametrize(
    "operands", [("x (10, 5, 5)", "y (10, 5, 5)"), ("x (1, 11)", "y (1,)"), ("x (1 2)", "y (,)"), ()]
)
def test_operands_that_did_not_meet_are_not_named(operands):
    assert "a size of 5 and one of 10 differ at axis 1" in broadcast(*operands)


def test_operands_are_not_named_where_several_pairs_could_have_met():
    assert "a size of 5 and one of 10" in broadcast("x (7, 5)", "y (7, 10)", "z (1, 10)")


@pytest.mark.parametrize(
    ("code", "call"),
    [
        ("c = inp - inp.mean(-1)", "mean(-1)"),
        ("ds = p * (dp - (p * dp).sum(dim=2)) / root", "sum(dim=2)"),
        ("e = logits - logits.max(1).values", "max(1)"),
        ("v = torch.var(x, 1, unbiased=False) + x", "var(x, 1, unbiased=False)"),
        ("c = inp - inp.mean(0)", ""),
        ("c = inp - inp.mean()", ""),
        ("c = inp - inp.sum(-1, keepdim=True)", ""),
        ("c = inp - inp.mean(keepdim=True, dim=-1)", ""),
        ("c = inp - x.mul(1)", ""),
    ],
)
def test_axis_that_is_gone_is_pointed_out_where_shapes_do_not_meet(code, call):
    said = broadcast("inp (10, 5)", code=code)
    assert ("`keepdim=True`" in said) is bool(call)
    assert f"`{call}` reduces is gone" in said if call else "is gone" not in said


def test_axis_that_is_gone_is_no_cause_where_two_tensors_have_as_many_axes():
    assert "keepdim" not in broadcast("x (10, 5)", "y (10, 10)", code="x - y * y.sum(-1)")


def test_arguments_are_the_stubs_fault_only_where_the_check_passed_them():
    message = "helper() missing 1 required positional argument: 'b'"
    assert "stub" not in explained(StudentError("TypeError", message, (), 4, 2, "helper(a)")).message
    assert "stub" in explained(StudentError("TypeError", message)).message


def test_question_names_no_line_where_none_is_known():
    sizes = "mat1 and mat2 shapes cannot be multiplied (3x4 and 5x6)"
    for message in (sizes, "'Lin' object has no attribute 'backward'"):
        assert "that line" not in explained(StudentError("RuntimeError", message)).hint


def test_assertion_is_the_students_own_only_on_a_line_that_asserts():
    def said(code: str) -> str:
        return explained(StudentError("AssertionError", "shape", (), 4, 2, code)).message

    assert "`assert` of your own" in said("  assert x.shape == (50, 9)")
    assert "`assert` of your own" not in said("torch.testing.assert_close(x, y)")


def test_question_after_a_missing_module_names_it():
    assert "`seaborn`" in explained(StudentError("ModuleNotFoundError", "No module named 'seaborn'", (), 4, 2)).hint


def test_question_after_a_missing_device_is_about_the_device():
    error = StudentError("AssertionError", "Torch not compiled with CUDA enabled", (), 4, 2, "x.to('cuda')")
    assert "device" in explained(error).hint


@pytest.mark.parametrize(
    ("operands", "said"),
    [
        (("x (7, 5)", "w (3, 5)"), "(7, 5) @ (3, 5).T"),
        (("x (5,)", "w (3, 5)"), "(…, 5)"),
        ((), "(…, 5)"),
    ],
    ids=["matrices", "a vector", "unknown"],
)
def test_numpy_product_names_the_fitting_transpose_where_two_matrices_met(operands, said):
    message = (
        "matmul: Input operand 1 has a mismatch in its core dimension 0, with gufunc signature (n?,k),(k,m?)->(n?,m?) "
        "(size 3 is different from 5)"
    )
    error = StudentError("ValueError", message, ("ValueError",), 4, 2, "x @ w", operands)
    assert said in explained(error).message


@pytest.mark.parametrize(
    ("kind", "message", "shapes"),
    [
        ("NameError", "name 'outt' is not defined", False),
        ("RuntimeError", "mat1 and mat2 shapes cannot be multiplied (3x4 and 5x6)", True),
    ],
)
def test_hint_on_an_exception_asks_for_shapes_only_where_they_are_the_cause(kind, message, shapes):
    error = StudentError(kind, message, (kind,), 4, 2, "  inp.g = out.g @ w")
    found = ending(CaseRun("case", "raised", error=error), DONE)
    assert ("shapes" in found.hint) is shapes


def test_explanation_of_an_error_in_another_cell_names_that_cell() -> None:
    error = StudentError("ValueError", "no", ("ValueError",), 4, 2, "x - y")

    assert "line 2 of cell 4" in explained(error, Stub("Model", 7, 1, "", "metadata")).message
    assert "of cell" not in explained(error, Stub("Lin", 4, 1, "", "metadata")).message


def test_what_a_layer_kept_is_read_though_a_class_of_the_check_raised_behind_it() -> None:
    source = """
    class Module(solution):
        def __call__(self, *args):
            super().__call__(*args)
            return self.forward(*args)
    """
    assert set(answered("Module", source)) == {"a.g", "b.g"}
