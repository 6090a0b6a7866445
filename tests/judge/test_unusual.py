"""Right answers in wordings that are seldom seen lose nothing, whatever the seed: an exercise's rows take turns."""

from __future__ import annotations

import tomllib
from itertools import cycle
from pathlib import Path

import pytest

from tests.judge.answered import answered
from tests.judge.builders import SEED

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
