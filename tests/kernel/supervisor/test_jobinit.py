"""The init of a job, spoken to in this process."""

from __future__ import annotations

import dataclasses
import select
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from grader.kernel.protocol import wire
from grader.kernel.supervisor.jobinit import JobInit
from grader.model import Limits

pytestmark = pytest.mark.skipif(not hasattr(select, "poll"), reason="no jobs here")


@pytest.fixture
def job(tmp_path: Path) -> Iterator[tuple[JobInit, Any]]:
    ours, theirs = wire.pair()
    message = {"sandbox": "none", "folder": str(tmp_path / "job"), "limits": dataclasses.asdict(Limits())}
    with ours, theirs:
        yield JobInit(theirs, cast("Any", message), None), ours


def test_order_that_finds_the_kernel_dead_has_no_answer_for_its_death_was_told(job: tuple[JobInit, Any]) -> None:
    """A kernel may die of itself between a cell's reply and the order; the answer would be taken for the next one's."""
    init, grader = job
    init._obey({"do": "look"}, [])
    assert select.select([grader], [], [], 0)[0] == []
