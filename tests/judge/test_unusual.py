"""Right answers in wordings that are seldom seen lose nothing, whatever the seed."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tests.judge.answered import answered
from tests.judge.builders import SEED

RIGHT = tomllib.loads(Path(__file__).with_name("unusual.toml").read_text(encoding="utf-8"))["right"]


@pytest.mark.parametrize("row", RIGHT, ids=lambda row: f"{row['exercise']}-{row['id']}")
@pytest.mark.parametrize("seed", [SEED, 99991])
def test_unusual_answer_that_is_right_loses_nothing(row: dict[str, str], seed: int) -> None:
    assert answered(row["exercise"], row["source"], seed) == {}
