"""What the runs show, laid out by check."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from grader.judge.evidence import float_dtypes, gather, protected_inputs
from grader.model import Capture, CaseRun, StudentError
from tests.judge.builders import cases, changed_runs, course, evidence_of, linear, noise, right_runs


def test_findings_stand_by_check_in_the_order_of_the_cases():
    evidence = evidence_of(linear, changed_runs(linear, {"b.g": noise}))
    assert list(evidence.findings) == ["inp.g", "w.g", "b.g"]
    assert [one.case.label for one in evidence.findings["b.g"]] == [one.case.label for one in cases(linear)]
    assert not any(one.passed for one in evidence.findings["b.g"])
    assert all(one.passed for one in evidence.findings["w.g"])


def test_capture_that_never_came_is_missing():
    runs = tuple(replace(run, captures={}) for run in right_runs(linear))
    assert evidence_of(linear, runs).findings["w.g"][0].actual == Capture(absence="missing")


def test_autograd_is_seen_where_it_is_forbidden():
    *honest, last = right_runs(linear)
    runs = (*honest, replace(last, autograd="torch.autograd.grad"))
    assert evidence_of(linear, runs).autograd == "torch.autograd.grad"
    assert gather(replace(linear, autograd=True), cases(linear), runs).autograd is None


def test_modified_inputs_are_named_but_not_those_that_may_change():
    def touched(name):
        return tuple(replace(run, inputs={**run.inputs, name: run.inputs[name] + 1}) for run in right_runs(linear))

    assert set(evidence_of(linear, touched("w")).modified.values()) == {("w",)}
    assert evidence_of(linear, touched("out.g")).modified == {}
    sgd_step = course().exercises["sgd_step"]
    assert evidence_of(sgd_step, right_runs(sgd_step)).modified == {}


def test_variant_checks_have_their_own_cases():
    sgd = course().exercises["SGD"]
    evidence = evidence_of(sgd, right_runs(sgd))
    assert [one.case.label for one in evidence.findings["p (momentum)"]] == ["momentum"]
    assert len(evidence.findings["p"]) > 1
    assert all(evidence.raising.values())


def test_compared_with_what_the_exercise_and_the_case_allow():
    one = cases(linear)[0]
    run = right_runs(linear)[0]
    still = replace(one, expected={check: value * 0 for check, value in one.expected.items()})
    assert one.case.upstream is not None
    steep = replace(still, case=replace(one.case, upstream=one.case.upstream * 1e9))
    assert not any(found.passed for (found,) in gather(linear, (still,), (run,)).findings.values())
    assert all(found.passed for (found,) in gather(linear, (steep,), (run,)).findings.values())
    lenient = replace(linear, tolerance=1e9)
    assert all(found.passed for (found,) in gather(lenient, (still,), (run,)).findings.values())


def test_runs_that_are_not_those_of_the_cases_are_refused():
    with pytest.raises(ValueError, match="shorter"):
        gather(linear, cases(linear), right_runs(linear)[:-1])


@pytest.mark.parametrize("check", ["result[0]", "result[1]"])
def test_plain_number_passes_for_the_checks_that_may_be_one_alone(check):
    torch_grads = course().exercises["torch_grads"]
    plain = changed_runs(torch_grads, {check: lambda one, right: Capture(right, kind="scalar")})
    found = evidence_of(torch_grads, plain).findings
    assert all(one.passed == (name != "result[1]" or check != name) for name in found for one in found[name])


def test_plain_number_passes_in_a_variant_too():
    sgd = course().exercises["SGD"]
    variant = next(one.label for one in sgd.variants if "cleared" in (one.points or {}))
    plain = changed_runs(sgd, {f"cleared ({variant})": lambda one, right: Capture(right, kind="scalar")})
    assert all(one.passed for one in evidence_of(sgd, plain).findings[f"cleared ({variant})"])


@pytest.mark.parametrize("kind", ["tensor", "parameter"])
def test_parameter_is_asked_for_where_it_must_be_registered(kind):
    declared = course().exercises["Linear"]
    plain = changed_runs(declared, {"fresh.w": lambda one, right: Capture(right, kind=kind)})
    verdicts = {one.comparison.verdict for one in evidence_of(declared, plain).findings["fresh.w"]}
    assert verdicts == {"close" if kind == "parameter" else "not_a_tensor"}


def test_exception_has_to_come_in_every_case():
    declared = replace(linear, points={"linear()": 1}, raises={"linear()": "ValueError"})
    came = StudentError("UnicodeError", "", bases=("ValueError", "Exception"))
    other = StudentError("TypeError", "", bases=("TypeError", "Exception"))
    for odd in cases(declared):
        for instead, asked in ((came, True), (other, False), (None, False)):
            errors = [instead if one is odd else came for one in cases(declared)]
            runs = [
                CaseRun(one.case.label, "returned", errors={"linear()": error})
                for one, error in zip(cases(declared), errors, strict=True)
            ]
            assert evidence_of(declared, tuple(runs)).raising == {"linear()": asked}


def held_as(kind, change):
    """The change, whose value is captured of a ``kind``."""
    return lambda one, right: Capture(change(one, right), kind=kind)


def test_wrong_array_is_told_to_be_wrong_and_a_right_one_to_be_no_tensor():
    for change, verdict in ((noise, "different"), (lambda one, right: right, "not_a_tensor")):
        runs = changed_runs(linear, {"w.g": held_as("ndarray", change)})
        assert {one.comparison.verdict for one in evidence_of(linear, runs).findings["w.g"]} == {verdict}
    numpy_grads = course().exercises["numpy_grads"]
    runs = changed_runs(numpy_grads, {"result[1]": lambda one, right: Capture(right, kind="ndarray")})
    assert all(one.passed for one in evidence_of(numpy_grads, runs).findings["result[1]"])
    both = dict.fromkeys(("result[0]", "result[1]"), lambda one, right: Capture(right))
    tensors = evidence_of(numpy_grads, changed_runs(numpy_grads, both)).findings
    assert {one.comparison.verdict for one in tensors["result[1]"]} == {"not_a_tensor"}
    assert all(one.passed for one in tensors["result[0]"])  # the loss is a number, in whatever it comes


@pytest.mark.parametrize("name", ["train", "predict"])
def test_array_is_measured_as_a_tensor_of_its_numbers_is(name):
    asked = course().exercises[name]
    (check,) = asked.checks
    for change in (lambda one, right: right, lambda one, right: torch.where(torch.arange(len(right)) == 0, 9, right)):
        found = {
            kind: evidence_of(asked, changed_runs(asked, {check: held_as(kind, change)})).findings[check]
            for kind in ("tensor", "ndarray")
        }
        assert [one.comparison for one in found["tensor"]] == [one.comparison for one in found["ndarray"]]


@pytest.mark.parametrize("change", [lambda value: value[None], torch.Tensor.half], ids=["shape", "dtype"])
def test_input_that_is_another_tensor_of_equal_values_is_modified(change):
    runs = [
        replace(run, inputs={**run.inputs, "w": change(torch.ones_like(run.inputs["w"]))}) for run in right_runs(linear)
    ]
    ones = [
        replace(one, case=replace(one.case, program=replace(one.case.program, tensors={"w": torch.ones_like(w)})))
        for one in cases(linear)
        for w in [one.case.program.tensors["w"]]
    ]
    found = gather(linear, tuple(ones), tuple(runs)).modified
    assert found == {run.case: ("w",) for run in runs}


@pytest.mark.parametrize(
    ("call", "kept"),
    [
        ("layer.out.g = upstream\nlayer.backward()", True),
        ("a = 1\nlayer.out.g = upstream", True),
        ("vjp(a, upstream)", False),
        ("g = upstream * 1", False),
        ("g = other", False),
    ],
)
def test_upstream_may_be_used_up_where_the_call_keeps_it_as_a_gradient(call, kept):
    case = cases(course().exercises["polynomial_vjp"])[0].case
    declared = replace(course().exercises["polynomial_vjp"], call=call)
    assert protected_inputs(declared, case) == (("a", "b") if kept else ("a", "b", "upstream"))


def test_float_dtypes_are_those_of_the_inputs_that_hold_floats():
    embedding = course().exercises["embedding_grad"]
    assert {float_dtypes(one.case) for one in cases(embedding)} == {(torch.float32,), (torch.float64,)}
