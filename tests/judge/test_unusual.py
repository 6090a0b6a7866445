"""Right answers in wordings that are seldom seen lose nothing, whatever the seed: an exercise's rows take turns.

In no table of answers, of these or of wrong ones, does a row stand twice.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from textwrap import dedent

import pytest

from tests.judge import test_named, test_told, test_written
from tests.judge import test_written_short as short
from tests.judge import test_written_steps as steps
from tests.judge.answered import answered
from tests.judge.builders import SEED
from tests.judge.diagnosis import test_clues
from tests.judge.diagnosis.calls import test_class_errors
from tests.judge.diagnosis.operations import test_substitutes
from tests.judge.diagnosis.steps import test_slips

RIGHT = tomllib.loads(Path(__file__).with_name("unusual.toml").read_text(encoding="utf-8"))["right"]


@pytest.mark.parametrize(
    ("row", "seed"),
    [
        pytest.param(row, seed, id=f"{row['exercise']}-{row['id']}")
        for exercise in dict.fromkeys(row["exercise"] for row in RIGHT)
        for row, seed in zip((row for row in RIGHT if row["exercise"] == exercise), cycle((SEED, 99991)), strict=False)
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


@pytest.mark.parametrize("rows", [pytest.param(rows, id=name) for name, rows in sorted(tables())])
def test_no_answer_stands_twice_for_the_same_check(rows: list[tuple[str, ...]]) -> None:
    counted = Counter((exercise, dedent(source).strip(), *check) for exercise, source, *check in rows)

    assert [row for row, count in counted.items() if count > 1] == []
