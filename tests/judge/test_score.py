"""Points, statuses and what a report shows of them."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from grader.judge.comparison import compare
from grader.judge.evidence import Finding
from grader.judge.score import (
    link_consequences,
    sample_of,
    score_exercise,
    score_fault,
    score_missing,
    score_unreached,
)
from grader.model import Capture, Diagnosis, Stub
from tests.judge.builders import cases, changed_runs, course, diagnosed, evidence_of, linear, noise, right_runs

STUB = Stub("linear", 4, 2, "def linear(): pass", "metadata", ("defined twice",))


def scored(*wrong):
    return score_exercise(evidence_of(linear, changed_runs(linear, dict.fromkeys(wrong, noise)), STUB))


@pytest.mark.parametrize(
    ("wrong", "status", "score"),
    [
        ((), "passed", 4),
        (("w.g",), "partial", 2),
        (("w.g", "b.g"), "partial", 1),
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
    assert (check.case or "").startswith(runs[-1].case)


def test_failed_check_shows_its_worst_element_and_a_sample():
    evidence = evidence_of(linear, changed_runs(linear, {"w.g": noise}))
    check = next(one for one in score_exercise(evidence).checks if one.name == "w.g")
    shown = evidence.findings["w.g"][0]
    assert check.diagnosis is not None
    assert check.diagnosis.code == "wrong_value"
    assert check.expected_shape == check.actual_shape == tuple(shown.expected.shape)
    assert shown.actual.tensor is not None
    actual, expected = shown.actual.tensor[check.worst].item(), shown.expected[check.worst].item()
    assert (check.worst_actual, check.worst_expected) == (actual, expected)
    assert check.max_abs_error == pytest.approx(abs(actual - expected))
    assert check.sample == sample_of(shown)


def test_passed_check_tells_its_largest_error_over_all_cases():
    evidence = evidence_of(linear, right_runs(linear))
    check = next(one for one in score_exercise(evidence).checks if one.name == "w.g")
    assert check.max_abs_error == max(one.comparison.max_abs_error or 0.0 for one in evidence.findings["w.g"]) > 0


def sampled(size, worst):
    """The sample of what is right but for one element."""
    expected = torch.arange(math.prod(size), dtype=torch.float64).reshape(size)
    actual = expected.clone()
    if worst is not None:
        actual[worst] += 1000
    comparison = compare(Capture(actual), expected, dtypes=())
    case, run = cases(linear)[0].case, right_runs(linear)[0]
    return sample_of(Finding("w.g", case, run, expected, Capture(actual), comparison)), expected, actual


@given(st.data())
def test_sample_is_the_corner_of_both_and_says_what_is_cut(data):
    size = tuple(data.draw(st.lists(st.sampled_from([1, 12, 13, 14]), max_size=2)))
    worst = tuple(data.draw(st.sampled_from([0, length - 1])) for length in size)
    sample, expected, actual = sampled(size, worst)
    rows, columns = (1,) * (2 - len(size)) + size
    place = (0,) * (2 - len(size)) + worst
    assert sample.cut == (rows > 12 or columns > 12)
    assert sample.worst == (place if max(place) < 12 else None)
    assert sample.expected == tuple(map(tuple, expected.reshape(rows, columns)[:12, :12].tolist()))
    assert sample.actual == tuple(map(tuple, actual.reshape(rows, columns)[:12, :12].tolist()))


@pytest.mark.parametrize("size", [(0,), (3, 0), (2, 3, 1)], ids=str)
def test_sample_is_none_of_nothing_and_of_what_is_no_grid(size):
    assert sampled(size, None)[0] is None


def test_sample_of_whole_numbers_that_are_right_has_no_worst():
    whole, case = torch.tensor([[1, 2]]), cases(linear)[0].case
    comparison = compare(Capture(whole), whole, dtypes=())
    sample = sample_of(Finding("w.g", case, right_runs(linear)[0], whole, Capture(whole), comparison))
    assert sample is not None
    assert (sample.worst, sample.expected, sample.cut) == (None, ((1.0, 2.0),), False)


def test_sample_is_none_where_shapes_differ():
    evidence = evidence_of(linear, changed_runs(linear, {"w.g": lambda one, right: right.T}))
    assert sample_of(evidence.findings["w.g"][0]) is None


#: The exercises whose results are compared, not measured.
COMPARED = [one for one in course().exercises.values() if one.measure is None]
MEASURED = replace(linear, points={"b.g": 4}, measure=lambda actual, expected: float(actual.flatten()[0]))


def measured(*shares, **fields):
    """The check of ``MEASURED`` where its cases, the last ones repeated, are worth these shares."""
    worth = iter((*shares, *shares[-1:] * len(cases(MEASURED))))

    def change(one, right):
        share = next(worth)
        return share if isinstance(share, Capture) else torch.full_like(right, share)

    runs = tuple(replace(run, **fields) for run in changed_runs(MEASURED, {"b.g": change}))
    (check,) = score_exercise(evidence_of(MEASURED, runs)).checks
    return check


@given(st.lists(st.sampled_from([-1.0, 0.0, 0.25, 0.5, 1.0, 7.0]), min_size=1, max_size=4))
@example([0.995])
def test_measured_check_earns_the_mean_of_its_shares_each_between_none_and_all(shares):
    check = measured(*shares)
    every = [*shares, *shares[-1:] * len(cases(MEASURED))][: len(cases(MEASURED))]
    mean = sum(min(1, max(0, share)) for share in every) / len(every)
    assert check.score == pytest.approx(4 * mean)
    assert check.status == ("passed" if mean == 1 else "partial" if mean else "failed")
    assert (check.diagnosis is None) == (mean == 1)


@pytest.mark.parametrize(
    "fields",
    [{"autograd": "torch.autograd.grad"}, {"inputs": {"w": torch.zeros(1)}}],
    ids=["autograd", "modified"],
)
@pytest.mark.parametrize("share", [0.5, 1.0])
def test_measured_check_earns_nothing_by_what_is_forbidden(share, fields):
    check = measured(share, **fields)
    assert (check.status, check.score) == ("failed", 0)


@pytest.mark.parametrize(
    "came",
    [
        Capture(absence="none"),
        Capture(torch.ones(1, 1, 1)),
        Capture(torch.ones(1), kind="sequence"),
        float("nan"),
        float("inf"),
    ],
    ids=["nothing", "wrong shape", "a list", "nan", "infinity"],
)
def test_measured_check_earns_nothing_in_a_case_with_nothing_to_measure(came):
    every = len(cases(MEASURED))
    assert measured(came, 1.0).score == pytest.approx(4 * (every - 1) / every)


@pytest.mark.parametrize("exercise", COMPARED, ids=lambda one: one.id)
def test_every_point_of_a_right_answer_is_earned(exercise):
    found = score_exercise(evidence_of(exercise, right_runs(exercise)))
    assert found.score == pytest.approx(exercise.possible)


@pytest.mark.parametrize("exercise", COMPARED, ids=lambda one: one.id)
def test_no_point_is_earned_by_nothing(exercise):
    runs = tuple(replace(run, captures={}, errors={}) for run in right_runs(exercise))
    assert score_exercise(evidence_of(exercise, runs)).score == 0


def test_exception_that_did_not_come_costs_its_check_and_says_why():
    sgd = course().exercises["SGD"]
    runs = tuple(replace(run, errors=dict.fromkeys(run.errors)) for run in right_runs(sgd))
    lost = [check for check in score_exercise(evidence_of(sgd, runs)).checks if check.score == 0]
    assert {check.name for check in lost} == set(sgd.raises)
    assert {check.diagnosis and check.diagnosis.code for check in lost} == {"not_raised"}


def test_points_and_diagnoses_agree():
    found = scored("w.g")
    lost = {check.name for check in found.checks if check.status != "passed"}
    assert lost == set(diagnosed(linear, {"w.g": noise}))


def test_missing_unreached_and_faulty_are_told_apart():
    why = Diagnosis("timed_out", "too late")
    missing, unreached, fault = score_missing(linear), score_unreached(linear, STUB, why), score_fault(linear)
    assert [one.status for one in (missing, unreached, fault)] == ["missing", "failed", "grader_error"]
    assert {check.diagnosis for check in unreached.checks} == {why}
    assert unreached.flags == STUB.flags
    assert {check.status for check in fault.checks} == {"grader_error"}
    for one in (missing, unreached, fault):
        assert (one.score, one.possible, {check.score for check in one.checks} | {0}) == (0, 4, {0})


def using(*names):
    return lambda exercise: names


def test_consequences_name_the_stubs_that_failed():
    used = using("linear", "torch")
    other = replace(linear, id="network", follows=("linear",))
    wrong, right = scored("w.g"), scored()
    network = replace(wrong, id="network")
    exercises = {"linear": linear, "network": other}
    assert link_consequences((wrong, network), exercises, used)[1].follows_from == ("linear",)
    assert link_consequences((right, network), exercises, used)[1].follows_from == ()
    for untried in ("not_implemented", "missing"):
        assert link_consequences((wrong, replace(network, status=untried)), exercises, used)[1].follows_from == ()
    assert link_consequences((wrong, replace(right, id="network")), exercises, used)[1].follows_from == ()
    alone = using("torch")
    assert link_consequences((wrong, network), exercises, alone)[1].follows_from == ()


def test_consequences_are_not_of_what_the_grader_failed_in():
    exercises = {"linear": linear, "network": replace(linear, id="network", follows=("linear",))}
    found = link_consequences((score_fault(linear), replace(scored("w.g"), id="network")), exercises, using("linear"))
    assert [one.follows_from for one in found] == [(), ()]


def test_what_the_first_talkative_case_printed_is_shown():
    first, second, *rest = right_runs(linear)
    runs = (first, replace(second, printed="one"), *(replace(run, printed="two") for run in rest))
    assert score_exercise(evidence_of(linear, runs)).printed == "one"


def test_absent_capture_scores_nothing_without_a_sample():
    evidence = evidence_of(linear, changed_runs(linear, {"w.g": lambda one, right: Capture(absence="none")}))
    check = next(one for one in score_exercise(evidence).checks if one.name == "w.g")
    assert (check.score, check.sample, check.actual_shape) == (0, None, None)


def test_right_values_that_are_lost_for_another_reason_are_not_shown_as_wrong_ones():
    runs = tuple(replace(run, autograd="torch.autograd.grad") for run in right_runs(linear))
    for check in score_exercise(evidence_of(linear, runs)).checks:
        assert check.diagnosis is not None
        assert check.diagnosis.code == "uses_autograd"
        assert (check.worst, check.worst_actual, check.sample) == (None, None, None)
