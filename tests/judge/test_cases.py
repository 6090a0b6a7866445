"""Seeded cases: the same for the same seed, sizes that no factor looks like, kinks avoided."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.course import computed, exercise, fixed, normal, number
from grader.errors import CourseError
from grader.judge.cases import check_of, prepare
from grader.judge.comparison import Tolerance
from grader.model import SIZES, Variant
from tests.judge.builders import cases, course, linear


@exercise(
    call="slid(x, w)",
    inputs={"x": normal("s", "c", "t"), "w": normal("o", "c", "k"), "b": normal("o", 5)},
    points={"w.g": 1},
    sizes={"k": (3,), "o": (3, 6, 7), "t": (9, 10)},
    ones=("s",),
)
def slid(x, w, b):
    """A convolution, whose kernel alone may be of size 3."""
    return torch.nn.functional.conv1d(x, w) + b.sum()


@given(st.integers(0, 2**32))
@settings(max_examples=40, deadline=None)
def test_every_letter_gets_one_of_its_sizes_however_narrow_they_are(seed):
    for one in prepare(slid, seed):
        sizes = one.case.sizes
        assert (sizes["k"], sizes["o"] in {6, 7}, sizes["t"] in {9, 10}) == (3, True, True)
        assert len({*sizes.values()}) == len(sizes)
        assert list(sizes) == ["s", "c", "t", "o", "k"]
        assert not {sizes["s"], sizes["c"]} & {5}, "an axis of 5 must not look like a letter"


def test_case_that_torch_itself_gets_wrong_in_float32_is_drawn_again():
    @exercise(call="gated(x)", inputs={"x": normal("n", "d")}, points={"x.g": 1}, sizes={"d": (6, 8)}, ones=("n",))
    def gated(x):
        """A gated linear unit, whose gate is nearly open at some large values."""
        return torch.nn.functional.glu(x)

    for seed in range(6):
        for one in prepare(gated, seed):
            assert one.case.upstream is not None
            x, upstream = one.case.inputs["x"].float(), one.case.upstream.float()
            value, gate = x.chunk(2, -1)
            s = torch.sigmoid(gate)
            plain = torch.cat((upstream * s, upstream * (value * s - value * s * s)), -1)
            allowed = Tolerance((torch.float32,), one.case.upstream).of(one.expected["x.g"])
            assert float((plain - one.expected["x.g"]).abs().max()) < allowed, one.case.label


def test_sampler_that_gives_no_array_is_refused():
    for made, told in ((lambda draw: [1.0], "gives list, not a NumPy array"), (lambda draw: None, "gives NoneType")):

        @exercise(call="kept(x)", inputs={"x": computed("float", "n", by=made)}, points={"x.g": 1})  # type: ignore[arg-type] # is refused
        def kept(x):
            """As it is."""
            return x

        with pytest.raises(CourseError, match=told):
            prepare(kept, 1)


@pytest.mark.parametrize(
    ("drawn", "kept"),
    [([True, False], [1, 0]), ([2.0, 0.0], [2, 0]), ([0.3, 1.0], None), ([np.nan, 0.0], None), (["1", "2"], None)],
)
def test_whole_numbers_of_any_dtype_are_taken_and_others_refused(drawn, kept):
    made = computed("int", 2, by=lambda draw: np.array(drawn))

    @exercise(call="masked(x, k)", inputs={"x": normal("n", 2), "k": made}, points={"x.g": 1})
    def masked(x, k):
        """Times whole numbers."""
        return x * k

    if kept is not None:
        assert prepare(masked, 1)[0].case.inputs["k"].tolist() == kept
    else:
        with pytest.raises(CourseError, match="field 'inputs': drawing 'k' gives numbers that are not whole"):
            prepare(masked, 1)


def test_constant_that_is_no_plain_value_is_refused():
    @exercise(call="kept(x, k)", inputs={"x": normal("n"), "k": fixed(torch.ones(3))}, points={"x.g": 1})  # type: ignore[arg-type] # is refused
    def kept(x, k):
        """Times a tensor."""
        return x.sum() * k

    with pytest.raises(CourseError, match="gives Tensor, not a plain value"):
        prepare(kept, 1)


def test_forward_pass_that_exits_is_refused():
    @exercise(call="left(x)", inputs={"x": normal("n")}, points={"x.g": 1})
    def left(x):
        """Ends the process."""
        raise SystemExit(3)

    with pytest.raises(CourseError, match="raised SystemExit: 3"):
        prepare(left, 1)


def test_same_seed_gives_the_same_cases_and_another_seed_others():
    first, again, other = (prepare(linear, seed) for seed in (1, 1, 2))
    for one, two in zip(first, again, strict=True):
        assert one.case.label == two.case.label
        assert all(torch.equal(value, two.case.inputs[name]) for name, value in one.case.inputs.items())
    assert not any(
        one.case.inputs["b"].shape == two.case.inputs["b"].shape
        and torch.equal(one.case.inputs["b"], two.case.inputs["b"])
        for one, two in zip(first, other, strict=True)
    )


def test_drawing_leaves_the_global_random_streams_alone():
    before = torch.get_rng_state()
    prepare(linear, 3)
    assert torch.equal(before, torch.get_rng_state())


def test_standard_cases_are_all_there():
    labels = [one.case.label for one in cases(linear)]
    expected = {"random values", "float64", "batch of one", "i of one", "o of one", "not contiguous"}
    assert set(labels) == expected | {"values around 1000", "values around 0.001"}
    assert len(labels) == len(set(labels))


def test_numbers_alone_make_no_case_that_is_not_contiguous():
    @exercise(call="double(x)", inputs={"x": number(0.5, 1)}, points={"result": 1})
    def double(x):
        """Twice a number."""
        return torch.as_tensor(2 * x)

    labels = [one.case.label for one in prepare(double, 1)]
    assert labels[:2] == ["random values", "float64"]
    assert "not contiguous" not in labels


def test_standard_cases_are_what_they_are_called():
    for one in cases(linear):
        label, sizes = one.case.label, one.case.sizes
        assert [letter for letter, size in sizes.items() if size == 1] == {"batch of one": ["n"]}.get(
            label, [label[0]] if label.endswith(" of one") else []
        )
        scale = float(one.case.inputs["inp"].abs().max())
        assert (scale > 100, scale < 0.1) == (label == "values around 1000", label == "values around 0.001")
        assert one.case.inputs["w"].is_contiguous() == (label != "not contiguous")


def test_variant_has_its_own_magnitude_and_dtype():
    variant = Variant("large", magnitude=1e6, dtype="float64")
    found = {one.case.label: one.case.inputs["w"] for one in prepare(replace(linear, variants=(variant,)), 1)}
    assert found["large"].dtype == torch.float64
    assert found["large"].abs().max() > 1e5


@pytest.mark.parametrize("seed", range(5))
def test_sizes_differ_and_are_never_two_or_four(seed):
    for one in prepare(linear, seed):
        sizes = list(one.case.sizes.values())
        assert len(set(sizes)) == len(sizes)
        assert set(sizes) <= {1, *SIZES}
        assert not {2, 4} & set(sizes)


def test_students_see_the_true_output_and_an_upstream_gradient_but_no_expectation():
    for one in cases(linear):
        seen = one.case.program.tensors
        torch.testing.assert_close(
            seen["out"].double(), (seen["inp"].double() @ seen["w"].double() + seen["b"].double()), atol=1e-2, rtol=1e-3
        )
        assert one.case.upstream is not None
        assert torch.equal(seen["out.g"], one.case.upstream)
        assert one.case.upstream.unique().numel() > 1 or one.case.upstream.numel() == 1
        assert one.case.program.poison == one.case.program.reads == ("inp.g", "w.g", "b.g")


def test_upstream_gradient_is_given_by_the_name_that_the_call_has_for_it_to_floats_alone():
    for one in cases(course().exercises["polynomial_vjp"]):
        assert one.case.upstream is not None
        assert torch.equal(one.case.program.tensors["upstream"], one.case.upstream)
    for one in prepare(replace(linear, forward=lambda inp: inp.long(), points={"out": 1}), 1):
        assert one.case.upstream is None
        assert set(one.case.program.tensors) == {"inp", "w", "b"}


def test_only_gradients_of_inputs_are_poisoned_and_what_must_raise_is_not_read():
    for one in cases(course().exercises["forward_and_backward"]):
        assert set(one.case.program.reads) - set(one.case.program.poison) == {"result"}
    sgd = course().exercises["SGD"]
    assert {check for one in cases(sgd) for check in one.case.program.raises} == set(sgd.raises)
    assert not {path for one in cases(sgd) for path in one.case.program.reads} & set(sgd.raises)


def test_whole_numbers_are_int64():
    assert {one.case.inputs["index"].dtype for one in cases(course().exercises["embedding_grad"])} == {torch.int64}


@pytest.mark.parametrize(
    ("call", "needs", "run"),
    [
        ("f(list(x), sum(x))", ("f",), "from builtins import list, sum\nf(list(x), sum(x))"),
        ("list(x)", ("list",), "list(x)"),
        ("sum = f(x); sum", ("f",), "sum = f(x); sum"),
    ],
)
def test_builtins_of_a_call_are_pythons_own(call, needs, run):
    assert {one.case.program.call for one in prepare(replace(linear, call=call, needs=needs), 1)} == {run}


def test_strided_case_is_not_contiguous_nor_are_its_vectors():
    strided = next(one for one in cases(linear) if one.case.label == "not contiguous")
    assert not strided.case.inputs["inp"].is_contiguous()
    assert not strided.case.inputs["b"].is_contiguous()


def test_time_that_an_exercise_allows_is_its_checks():
    assert check_of(replace(linear, time_limit=7.0), (), 3, None).time_limit == 7.0


def test_float64_case_holds_float32_numbers():
    double = next(one for one in cases(linear) if one.case.label == "float64")
    value = double.case.inputs["w"]
    assert value.dtype == torch.float64
    assert torch.equal(value, value.float().double())


def test_case_on_a_kink_is_drawn_again():
    declared = exercise(call="f(x)", inputs={"x": normal("n")}, points={"result": 1}, notebook="small")

    @declared
    def f(x):
        """A step, whose value jumps at zero."""
        return (x > 0).to(x.dtype)

    for one in prepare(f, 0):
        assert bool((one.case.inputs["x"].abs() > 1e-7).all())


def test_first_draw_without_a_kink_is_taken():
    drawn = []

    def edge_or_not(draw):
        drawn.append(float(draw.rng.randint(1, 3)))
        return np.full(draw.sizes["o"], drawn[-1])

    declared = replace(
        linear,
        call="f(b)",
        inputs={"b": replace(linear.inputs["b"], draw=edge_or_not)},
        points={"out": 1},
        forward=lambda b: (b >= 1.0).to(b.dtype),
        sizes={"o": (11,)},
        ones=(),
        magnitudes=(),
    )
    for seed in range(4):
        prepared = prepare(declared, seed)
        assert all(bool((one.case.inputs["b"] == 2).all()) for one in prepared)
        assert drawn.count(2) == len(prepared)
        drawn.clear()


def test_path_of_a_variants_check_is_that_of_the_plain_one():
    sgd = course().exercises["SGD"]
    assert sgd.path_of("p (momentum)") == "p"


def test_sampler_that_raises_is_a_fault_of_the_course_that_names_the_input():
    def broken(draw):
        raise KeyError("w")

    declared = replace(linear, inputs={**linear.inputs, "b": replace(linear.inputs["b"], draw=broken)})
    with pytest.raises(CourseError, match="drawing 'b' raised KeyError"):
        prepare(declared, 1)
