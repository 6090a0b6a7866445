"""Points, statuses and what a report shows of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from grader.judge.score import (
    link_consequences,
    sample_of,
    score_exercise,
    score_fault,
    score_missing,
    score_unreached,
)
from grader.model import Capture, Diagnosis, Stub
from tests.judge.builders import changed_runs, course, diagnosed, evidence_of, linear, noise, right_runs

STUB = Stub("linear", 4, 2, "def linear(): pass", "metadata", ("defined twice",))


def scored(*wrong):
    return score_exercise(evidence_of(linear, changed_runs(linear, dict.fromkeys(wrong, noise)), STUB))


@pytest.mark.parametrize(
    ("wrong", "status", "score"),
    [
        ((), "passed", 4),
        (("w.g",), "partial", 2),
        (("inp.g", "w.g", "b.g"), "failed", 0),
    ],
)
def test_status_follows_the_points(wrong, status, score):
    found = scored(*wrong)
    assert (found.status, found.score, found.possible) == (status, score, 4)
    assert (found.cell, found.line, found.flags) == (4, 2, ("defined twice",))


def test_check_earns_all_or_nothing_over_its_cases():
    runs = list(right_runs(linear))
    runs[-1] = changed_runs(linear, {"b.g": noise})[-1]
    check = next(one for one in score_exercise(evidence_of(linear, tuple(runs))).checks if one.name == "b.g")
    assert check.score == 0
    assert check.case.startswith(runs[-1].case)


def test_failed_check_shows_its_worst_element_and_a_sample():
    check = next(one for one in scored("w.g").checks if one.name == "w.g")
    assert check.diagnosis.code == "wrong_value"
    assert check.worst is not None
    assert check.expected_shape == check.actual_shape
    assert len(check.sample.expected) <= 12


def test_sample_is_none_where_shapes_differ():
    evidence = evidence_of(linear, changed_runs(linear, {"w.g": lambda one, right: right.T}))
    assert sample_of(evidence.findings["w.g"][0]) is None


@pytest.mark.parametrize("name", list(course().exercises))
def test_every_point_of_a_right_answer_is_earned(name):
    exercise = course().exercises[name]
    if exercise.measure is None:
        found = score_exercise(evidence_of(exercise, right_runs(exercise)))
        assert found.score == pytest.approx(exercise.possible)


@pytest.mark.parametrize("name", list(course().exercises))
def test_no_point_is_earned_by_nothing(name):
    exercise = course().exercises[name]
    if exercise.measure is None:
        runs = tuple(replace(run, captures={}, errors={}) for run in right_runs(exercise))
        assert score_exercise(evidence_of(exercise, runs)).score == 0


def test_points_and_diagnoses_agree():
    found = scored("w.g")
    lost = {check.name for check in found.checks if check.status != "passed"}
    assert lost == set(diagnosed(linear, {"w.g": noise}))


def test_missing_unreached_and_faulty_are_told_apart():
    why = Diagnosis("timed_out", "too late")
    assert score_missing(linear).status == "missing"
    unreached = score_unreached(linear, STUB, why)
    assert (unreached.status, unreached.score) == ("failed", 0)
    assert {check.diagnosis for check in unreached.checks} == {why}
    assert score_fault(linear).status == "grader_error"


def test_consequences_name_the_stubs_that_failed():
    other = replace(linear, id="network", follows=("linear",))
    wrong, right = scored("w.g"), scored()
    network = replace(wrong, id="network")
    exercises = {"linear": linear, "network": other}
    assert link_consequences((wrong, network), exercises)[1].follows_from == ("linear",)
    assert link_consequences((right, network), exercises)[1].follows_from == ()
    for untried in ("not_implemented", "missing"):
        assert link_consequences((wrong, replace(network, status=untried)), exercises)[1].follows_from == ()


def test_absent_capture_scores_nothing_without_a_sample():
    evidence = evidence_of(linear, changed_runs(linear, {"w.g": lambda one, right: Capture(absence="none")}))
    check = next(one for one in score_exercise(evidence).checks if one.name == "w.g")
    assert (check.score, check.sample, check.actual_shape) == (0, None, None)
