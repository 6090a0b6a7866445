"""Right answers in wordings that are seldom seen lose nothing, whatever the seed: an exercise's rows take turns.

In the tables of answers, of these and of wrong ones, no row stands twice.
"""

from __future__ import annotations

import tomllib
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from itertools import cycle
from pathlib import Path
from textwrap import dedent

import pytest
from torch import Tensor

from grader.course.proving.answers import answers_to
from grader.course.proving.rehearsal import Rehearsal
from grader.course.proving.trial import Trial
from tests.judge import test_named, test_told, test_written
from tests.judge import test_written_short as short
from tests.judge import test_written_steps as steps
from tests.judge.answered import answered, answered_cases
from tests.judge.builders import ROOT, SEED, cases, course
from tests.judge.diagnosis import test_clues
from tests.judge.diagnosis.calls import test_class_errors
from tests.judge.diagnosis.operations import test_substitutes
from tests.judge.diagnosis.steps import test_slips

RIGHT = tomllib.loads(Path(__file__).with_name("unusual.toml").read_text(encoding="utf-8"))["right"]
SECOND_SEED = 99991
#: The tables of what is not said of an answer, which may be the one of which something is said.
UNSAID = ("NEIGHBOURS", "OTHER")


@pytest.mark.parametrize(
    ("row", "seed"),
    [
        pytest.param(row, seed, id=f"{row['exercise']}-{row['id']}")
        for exercise in dict.fromkeys(row["exercise"] for row in RIGHT)
        for row, seed in zip(
            (row for row in RIGHT if row["exercise"] == exercise), cycle((SEED, SECOND_SEED)), strict=False
        )
    ],
)
def test_unusual_answer_that_is_right_loses_nothing(row: dict[str, str], seed: int) -> None:
    assert answered(row["exercise"], row["source"], seed) == {}


def tables() -> Iterator[tuple[str, list[tuple[str, ...]]]]:
    """Each table of answers: the exercise, the source and the check of its rows."""
    yield "RIGHT", [(row["exercise"], row["source"]) for row in RIGHT]
    for module in (test_told, test_written):
        yield f"{module.__name__}.ROWS", [(row.exercise, row.source, row.check) for row in module.ROWS]
    for module in (test_class_errors, test_clues, test_named, test_slips, test_substitutes, short, steps):
        for name in {"CODED", "NAMED", "NEIGHBOURS", "OTHER", "TOLD", "WRONG"} & vars(module).keys():
            yield f"{module.__name__}.{name}", [row[:3] for row in vars(module)[name].values()]


def test_no_answer_stands_twice_for_the_same_check() -> None:
    counted = Counter(
        (name.endswith(UNSAID), exercise, dedent(source).strip(), *check)
        for name, rows in tables()
        for exercise, source, *check in rows
    )

    assert [row for row, count in counted.items() if count > 1] == []


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf")
def test_no_right_answer_leaves_what_another_of_its_exercise_leaves() -> None:
    """The judge reads nothing else of a right answer; ``by`` says what else a row is there for: its way there.

    Another is also the solution, or one of the variants that ``grader validate`` tries.
    """
    suspected = alike(RIGHT, SEED, first=1)

    assert [f"{row['exercise']}-{row['id']}" for row in alike(alike(suspected, SEED), SECOND_SEED)] == []


def alike(rows: list[dict[str, str]], seed: int, first: int | None = None) -> list[dict[str, str]]:
    """Those of ``rows`` that leave in (the ``first``) cases of a seed what another one with the same ``by`` leaves."""
    groups = defaultdict(list)
    for row in rows:
        runs = answered_cases(row["exercise"], row["source"], seed, first=first)
        groups[row["exercise"], row.get("by"), bits(runs)].append(row)
    proved = {(name, None, left) for name in {row["exercise"] for row in rows} for left in validated(name, seed, first)}
    return [row for key, group in groups.items() if len(group) > 1 or key in proved for row in group]


def validated(name: str, seed: int, first: int | None) -> set[Hashable]:
    """What the solution of the exercise ``name`` and its variants leave."""
    exercise = course().exercises[name]
    answers = answers_to(exercise, ROOT / "solutions", course())
    trial = Trial(Rehearsal(exercise, cases(exercise, seed)[:first]), answers)
    return {bits(one.runs) for one in (trial.solution(), *map(trial.specimen, answers.variants))}


def bits(left: object) -> Hashable:
    """All that is in ``left``, to be compared: of a tensor its kind, its layout in memory and its entries."""
    if isinstance(left, Tensor):
        kind = (type(left), left.dtype, left.requires_grad, left.is_inference(), left.is_neg(), left.is_conj())
        return kind, left.shape, left.stride(), repr(left.tolist())
    if is_dataclass(left):
        return tuple(bits(getattr(left, each.name)) for each in fields(left))
    if isinstance(left, Mapping):
        return tuple((name, bits(left[name])) for name in sorted(left))
    if isinstance(left, tuple | list):
        return tuple(bits(one) for one in left)
    return repr(left)
