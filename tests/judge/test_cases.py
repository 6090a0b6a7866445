"""Seeded cases: the same for the same seed, sizes that no factor looks like, kinks avoided."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from grader.course import exercise, normal
from grader.errors import CourseError
from grader.judge.cases import path_of, prepare
from grader.model import SIZES
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
    assert expected <= set(labels)
    assert len(labels) == len(set(labels))


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
        assert set(one.case.program.poison) == {"inp.g", "w.g", "b.g"}


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


def test_path_of_a_variants_check_is_that_of_the_plain_one():
    sgd = course().exercises["SGD"]
    assert path_of(sgd, "p (momentum)") == "p"


def test_sampler_that_raises_is_a_fault_of_the_course_that_names_the_input():
    def broken(draw):
        raise KeyError("w")

    declared = replace(linear, inputs={**linear.inputs, "b": replace(linear.inputs["b"], draw=broken)})
    with pytest.raises(CourseError, match="drawing 'b' raised KeyError"):
        prepare(declared, 1)
