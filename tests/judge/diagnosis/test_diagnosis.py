"""Hypotheses on whole answers: what all cases and all checks say together."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.judge.diagnosis.table import diagnose
from grader.judge.diagnosis.words.causes import CAUSES
from grader.judge.diagnosis.words.wording import WORDS, number, numbers_apart
from grader.model import Capture
from tests.judge.builders import (
    cases,
    changed_runs,
    codes,
    course,
    diagnosed,
    evidence_of,
    linear,
    noise,
    right_runs,
)
from tests.samples import ROOT

#: The codes that reports hold, which is why none of them is renamed.
PUBLIC = {
    "not_implemented",
    "not_defined",
    "raised",
    "timed_out",
    "crashed",
    "memory_exceeded",
    "output_exceeded",
    "not_written",
    "not_a_tensor",
    "wrong_shape",
    "wrong_dtype",
    "non_finite",
    "zeros",
    "sign_flipped",
    "transposed",
    "permuted_axes",
    "scaled",
    "missing_mean",
    "mean_twice",
    "missing_factor_two",
    "extra_factor_two",
    "not_summed_over_batch",
    "summed_too_far",
    "averaged_instead_of_summed",
    "unit_axis",
    "broadcast_to_square",
    "upstream_ignored",
    "mask_missing",
    "mask_inverted",
    "mask_at_zero",
    "accumulated",
    "overwritten",
    "stale",
    "input_modified",
    "last_sample_only",
    "wrong_operand",
    "not_in_place",
    "learning_rate_ignored",
    "ascent",
    "state_shared",
    "state_lost",
    "first_step",
    "weight_decay",
    "dampening",
    "nesterov",
    "bias_correction",
    "not_raised",
    "not_registered",
    "uses_autograd",
    "wrong_value",
}


def of(name):
    return course().exercises[name]


def test_every_public_code_has_words_and_no_other_exists():
    assert {key.partition(".")[0] for key in WORDS} == PUBLIC
    assert all(words.seen for words in WORDS.values())
    assert all(words.nudge for words in WORDS.values())
    assert all(cause.remedy for cause in CAUSES.values())


def test_reference_names_every_public_code_once():
    lines = (ROOT / "docs" / "diagnoses.md").read_text(encoding="utf-8").splitlines()
    named = [code for line in lines if line.startswith("| `") for code in re.findall(r"`(\w+)`", line.split("|")[1])]
    assert sorted(named) == sorted(PUBLIC)


def test_factor_of_the_batch_size_is_a_missing_mean():
    found = diagnosed(linear, {"w.g": lambda one, right: right * one.case.sizes["n"]})
    assert codes(found) == {"w.g": "missing_mean"}


@pytest.mark.parametrize("factor", [7.0, 3.0, -0.2, 1.5])
def test_constant_factor_is_none(factor):
    found = diagnosed(linear, {"w.g": lambda one, right: right * factor})
    assert codes(found) == {"w.g": "scaled"}
    assert f"{factor:.4g}" in found["w.g"].message


def test_factor_that_changes_without_reason_is_a_wrong_value():
    found = diagnosed(linear, {"w.g": lambda one, right: right * (2 + len(one.case.label) / 7)})
    assert codes(found) == {"w.g": "wrong_value"}


def test_whole_loss_divided_twice():
    exercise = of("forward_and_backward")
    divided = {check: lambda one, right: right / one.case.sizes["n"] for check in exercise.checks if check != "result"}
    assert set(codes(diagnosed(exercise, divided)).values()) == {"mean_twice"}


def test_result_under_another_name_is_named():
    runs = tuple(
        replace(
            run,
            captures={**run.captures, "w.g": Capture(absence="untouched")},
            extras={"result": torch.ones(2), "w.grad": one.expected["w.g"]},
        )
        for one, run in zip(cases(linear), right_runs(linear), strict=True)
    )
    found = diagnose(evidence_of(linear, runs))["w.g"]
    assert found.code == "not_written"
    assert "`w.grad` holds the right tensor" in found.message


def test_poison_that_was_added_to_is_accumulation_and_other_nan_is_not():
    nan = {"b.g": lambda one, right: right * float("nan")}
    assert codes(diagnosed(linear, nan)) == {"b.g": "accumulated"}
    some = {"w.g": lambda one, right: torch.where(right == right.max(), torch.inf, right)}
    assert codes(diagnosed(linear, some)) == {"w.g": "non_finite"}


def test_plain_tensor_in_a_module_is_not_registered():
    exercise = of("Linear")
    plain = {check: lambda one, right: Capture(right.float()) for check in exercise.registered}
    found = codes(diagnosed(exercise, plain))
    assert {found[check] for check in exercise.registered} == {"not_registered"}
    wrong = {check: lambda one, right: Capture((right + 1).float()) for check in exercise.registered}
    assert "not_registered" not in codes(diagnosed(exercise, wrong)).values()


def test_number_in_place_of_a_tensor():
    found = diagnosed(of("mse_grad"), {"inp.g": lambda one, right: Capture(absence="not_a_tensor", detail="dict")})
    assert codes(found) == {"inp.g": "not_a_tensor"}
    assert "dict" in found["inp.g"].message


def test_something_else_in_place_of_numbers_is_told_so_in_a_variant_too():
    sgd = of("SGD")
    wrong = [check for check in sgd.checks if check.startswith("cleared")]
    found = diagnosed(sgd, dict.fromkeys(wrong, lambda one, right: Capture(absence="not_a_tensor", detail="dict")))
    assert len(wrong) > 0
    assert all("`cleared` is of type dict; numbers are asked for" in found[check].message for check in wrong)


def test_parameter_left_as_it_was_is_not_in_place():
    exercise = of("sgd_step")
    found = diagnosed(exercise, {"p": lambda one, right: one.case.inputs["p"]})
    assert codes(found) == {"p": "not_in_place"}


def test_mistake_in_the_middle_of_a_network_is_placed():
    exercise = of("forward_and_backward")
    found = diagnosed(exercise, dict.fromkeys(("w1.g", "b1.g", "inp.g"), noise))
    assert set(codes(found).values()) == {"wrong_value"}
    assert "came out right" in found["w1.g"].message


def test_wrong_forward_pass_is_named_first():
    exercise = of("forward_and_backward")
    found = diagnosed(exercise, dict.fromkeys(exercise.checks, noise))
    assert "forward pass is wrong already" in found["w1.g"].message


def test_losses_of_wrong_steps_are_no_wrong_forward_pass():
    exercise = of("train_by_hand")
    found = diagnosed(exercise, dict.fromkeys(exercise.checks, noise))
    assert "forward pass" not in found["w1"].message


def test_square_that_is_named_is_that_of_the_case_shown():
    exercise = of("mse_grad")
    found = diagnosed(exercise, {"inp.g": lambda one, right: torch.diag(right[:, 0]) + 1 - torch.eye(len(right))})
    size = next(one.case.sizes["n"] for one in cases(exercise) if one.case.sizes["n"] > 1)
    assert codes(found) == {"inp.g": "broadcast_to_square"}
    assert f"({size}, {size})" in found["inp.g"].message


def test_diagnosis_tells_nothing_of_what_a_student_wrote_as_a_template():
    runs = tuple(
        replace(run, captures={**run.captures, "w.g": Capture(absence="not_a_tensor", detail="{0.__class__}")})
        for run in right_runs(linear)
    )
    assert "{0.__class__}" in diagnose(evidence_of(linear, runs))["w.g"].message


def test_last_of_several_contributions_is_told_where_the_formula_uses_a_plain_number():
    last = {"grads (relu)": lambda one, right: torch.stack((right[0], 3 * one.case.inputs["b"]))}
    assert codes(diagnosed(of("Value"), last)) == {"grads (relu)": "overwritten"}


@pytest.mark.parametrize("check", ["out.data (*)", "out.data (**)"])
def test_value_of_an_engine_that_is_a_pair_is_no_pair_of_gradients(check):
    assert codes(diagnosed(of("Value"), {check: lambda one, right: Capture(torch.ones(2))})) == {check: "wrong_shape"}


def test_numbers_that_differ_are_not_shown_as_the_same():
    assert numbers_apart(-1.272, -1.27200006) == ("-1.272", "-1.27200006")
    assert (number(-0.0), numbers_apart(-0.0, 1)) == ("0", ("0", "1"))


def test_exception_beside_nothing_right_is_said_to_have_come():
    runs = tuple(
        replace(run, captures={check: Capture(absence="missing") for check in run.captures})
        for run in right_runs(of("Module"))
    )
    found = diagnose(evidence_of(of("Module"), runs))["Module().forward(a, b)"]
    assert found.code == "not_raised"
    assert "raised NotImplementedError, but nothing else" in found.message


SLOW = settings(max_examples=40, derandomize=True)
FACTORS = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True),
    st.sampled_from([0.0, -1.0, 2.0, 0.5, 1.0, 1e-320, 1e308]),
)


@SLOW
@given(FACTORS)
def test_scaling_by_anything_never_raises(factor):
    found = diagnosed(linear, {"w.g": lambda one, right: right * factor})
    assert set(found) <= {"w.g"}
    assert all(one.code in PUBLIC for one in found.values())


@st.composite
def captures(draw):
    """Anything that can come back for an expression."""
    absence = draw(st.sampled_from([None, None, None, "missing", "none", "untouched", "not_a_tensor", "unsupported"]))
    if absence is not None:
        return Capture(absence=absence, detail=draw(st.text(max_size=5)))
    dtype = draw(
        st.sampled_from([torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.bool])
    )
    shape = draw(st.lists(st.integers(0, 4), max_size=6))
    value = draw(st.sampled_from([0.0, 1.0, float("nan"), float("inf"), -2.5]))
    tensor = torch.full(shape, value, dtype=torch.float64).nan_to_num(0, 1, -1) if not dtype.is_floating_point else None
    tensor = torch.full(shape, value, dtype=dtype) if tensor is None else tensor.to(dtype)
    return Capture(tensor, kind=draw(st.sampled_from(["tensor", "parameter", "ndarray", "scalar", "sequence"])))


def constantly(held):
    return lambda one, right: held


@SLOW
@given(st.data())
@pytest.mark.parametrize("name", ["lin_grad", "sgd_step", "train_by_hand", "Value", "relu_grad", "Linear"])
def test_anything_captured_is_diagnosed(name, data):
    exercise = of(name)
    checks = [check for check in exercise.checks if check not in exercise.raises][:3]
    changes = {check: constantly(data.draw(captures())) for check in checks}
    evidence = evidence_of(exercise, changed_runs(exercise, changes))
    found = diagnose(evidence)
    wrong = {check for check, findings in evidence.findings.items() if not all(one.passed for one in findings)}
    assert wrong <= set(found)
    assert all(one.code in PUBLIC and one.message for one in found.values())
    assert cases(exercise)
