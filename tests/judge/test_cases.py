"""Seeded cases: the same for the same seed, sizes that no factor looks like, kinks avoided."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from grader.course import exercise, normal, number
from grader.errors import CourseError
from grader.judge.cases import prepare
from grader.model import SIZES, Variant
from tests.judge.builders import cases, course, linear


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
        scale = one.case.inputs["inp"].abs().max()
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
        assert torch.equal(seen["out.g"], one.case.upstream)
        assert one.case.upstream.unique().numel() > 1 or one.case.upstream.numel() == 1
        assert one.case.program.poison == one.case.program.reads == ("inp.g", "w.g", "b.g")


def test_upstream_gradient_is_given_by_the_name_that_the_call_has_for_it_to_floats_alone():
    for one in cases(course().exercises["polynomial_vjp"]):
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


def test_strided_case_is_not_contiguous():
    strided = next(one for one in cases(linear) if one.case.label == "not contiguous")
    assert not strided.case.inputs["inp"].is_contiguous()


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
