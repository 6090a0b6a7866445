"""What the runs show, laid out by check."""

from __future__ import annotations

from dataclasses import replace

from grader.judge.evidence import float_dtypes, gather
from grader.model import Capture
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
    runs = tuple(replace(run, autograd="torch.autograd.grad") for run in right_runs(linear))
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


def test_float_dtypes_are_those_of_the_inputs():
    assert {float_dtypes(one.case) for one in cases(linear)} == {
        tuple({value.dtype for value in one.case.inputs.values()}) for one in cases(linear)
    }
