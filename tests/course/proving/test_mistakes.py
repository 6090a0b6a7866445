"""Every catalogued mistake on every check of the bundled course, alone and two at a time."""

from __future__ import annotations

from itertools import combinations

import pytest
import torch

from grader.course.proving.mistakes import MISTAKES, Mistake
from grader.judge.diagnosis.table import diagnose
from grader.model import Exercise
from tests.judge.builders import GENERAL, by_mistakes, cases, codes, course, diagnosed, evidence_of, right_runs

EXERCISES = tuple(one for one in course().exercises.values() if one.measure is None)
#: Exercises small enough to combine all pairs on.
PAIRED = ("lin_grad", "relu_grad", "mse_grad")

#: Two mistakes that leave the very tensor of a third: (n, 1) transposed and summed over the axis of one is (n,).
SAME = {("transposed", "sum_too_far"): "unit_axis"}


def applies(mistake: Mistake, exercise: Exercise, check: str) -> bool:
    """Whether the mistake changes the check in some case."""
    change = by_mistakes(check, mistake)
    for one in cases(exercise):
        right = one.expected.get(check)
        made = None if right is None else change(one, right)
        if right is None or made is None:
            continue
        if made.shape != right.shape or not torch.allclose(made.to(right.dtype), right):
            return True
    return False


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda one: one.id)
def test_mistake_alone_gets_its_code(exercise: Exercise) -> None:
    """One test an exercise, on its first checks: ``grader validate`` tries all of them."""
    wrong = []
    for mistake in MISTAKES:
        for check in tuple(exercise.checks)[:2]:
            if check not in exercise.raises and applies(mistake, exercise, check):
                found = codes(diagnosed(exercise, {check: by_mistakes(check, mistake)}))
                if {one: code for one, code in found.items() if one not in exercise.raises} != {check: mistake.code}:
                    wrong.append((mistake.id, check, found))
    assert wrong == []


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda one: one.id)
def test_right_answer_gets_no_diagnosis(exercise: Exercise) -> None:
    assert diagnose(evidence_of(exercise, right_runs(exercise))) == {}


@pytest.mark.parametrize("name", PAIRED)
def test_two_mistakes_together_get_no_false_code(name: str) -> None:
    exercise = course().exercises[name]
    false = []
    for check in tuple(exercise.checks)[-1:]:
        possible = [mistake for mistake in MISTAKES if applies(mistake, exercise, check)]
        for pair in combinations(possible, 2):
            code = codes(diagnosed(exercise, {check: by_mistakes(check, *pair)})).get(check)
            allowed = {None, SAME.get((pair[0].id, pair[1].id)), *GENERAL, *(mistake.code for mistake in pair)}
            if code not in allowed:
                false.append((check, pair[0].id, pair[1].id, code))
    assert false == []


def test_mistakes_have_ids_of_their_own() -> None:
    assert len({mistake.id for mistake in MISTAKES}) == len(MISTAKES)


def test_all_pairs_of_one_row_are_no_square() -> None:
    (all_pairs,) = (mistake.apply for mistake in MISTAKES if mistake.id == "all_pairs")
    made = [all_pairs(cases(EXERCISES[0])[0].case, "x", {"x": torch.ones(n)}) for n in (1, 3)]
    assert made[0] is None
    assert made[1] is not None
    assert made[1].shape == (3, 3)
