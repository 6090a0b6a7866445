"""Every catalogued mistake on every check of the bundled course, alone and two at a time."""

from __future__ import annotations

from itertools import combinations

import pytest
import torch

from grader.judge.diagnosis import diagnose
from grader.judge.mistakes import MISTAKES, Mistake
from grader.model import Exercise
from tests.judge.builders import GENERAL, by_mistakes, cases, codes, course, diagnosed, evidence_of, right_runs

EXERCISES = tuple(one for one in course().exercises.values() if one.measure is None)
#: Exercises small enough to combine all pairs on.
PAIRED = ("lin_grad", "relu_grad", "mse_grad", "polynomial_vjp")
#: Where two mistakes together are exactly a third one.
SAME = {
    frozenset({"averaged_instead_of_summed", "mean_twice"}): "scaled",
    frozenset({"mask_missing", "mask_inverted"}): "mask_inverted",
}


def applies(mistake: Mistake, exercise: Exercise, check: str) -> bool:
    """Whether the mistake changes the check in some case."""
    change = by_mistakes(check, mistake)
    for one in cases(exercise):
        right = one.expected.get(check)
        made = None if right is None else change(one, right)
        if made is not None and (made.shape != right.shape or not torch.allclose(made.to(right.dtype), right)):
            return True
    return False


TABLE = [
    pytest.param(exercise, mistake, id=f"{exercise.id}-{mistake.id}") for exercise in EXERCISES for mistake in MISTAKES
]


@pytest.mark.parametrize(("exercise", "mistake"), TABLE)
def test_mistake_alone_gets_its_code(exercise: Exercise, mistake: Mistake) -> None:
    for check in exercise.checks:
        if check not in exercise.raises and applies(mistake, exercise, check):
            found = codes(diagnosed(exercise, {check: by_mistakes(check, mistake)}))
            assert found.get(check) == mistake.code, (check, found)
            assert set(found) - set(exercise.raises) == {check}


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda one: one.id)
def test_right_answer_gets_no_diagnosis(exercise: Exercise) -> None:
    assert diagnose(evidence_of(exercise, right_runs(exercise))) == {}


@pytest.mark.parametrize("name", PAIRED)
def test_two_mistakes_together_get_no_false_code(name: str) -> None:
    exercise = course().exercises[name]
    false = []
    for check in exercise.checks:
        possible = [mistake for mistake in MISTAKES if applies(mistake, exercise, check)]
        for pair in combinations(possible, 2):
            code = codes(diagnosed(exercise, {check: by_mistakes(check, *pair)})).get(check)
            if code is not None and code not in GENERAL and code not in {mistake.code for mistake in pair}:
                false.append((check, pair[0].id, pair[1].id, code))
    assert false == []


def test_mistakes_have_ids_of_their_own() -> None:
    assert len({mistake.id for mistake in MISTAKES}) == len(MISTAKES)
