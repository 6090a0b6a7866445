"""Parts of optimizers and loops: joined without loss, none that no slip replaces, no slip that changes nothing."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

import pytest
import torch

from grader.judge.diagnosis.steps import parts
from grader.judge.diagnosis.steps.loop_simulation import trained
from grader.judge.diagnosis.steps.loop_slips import OF_LOOPS
from grader.judge.diagnosis.steps.optimizer_simulation import driven
from grader.judge.diagnosis.steps.parts import RIGHT, Slip, joined
from grader.judge.diagnosis.steps.roles import named
from grader.judge.diagnosis.steps.slips import COUPLED, OF_ADAM, OF_SGD
from grader.model import Case
from tests.judge.builders import cases, course

LOOPS = ("train_by_hand", "train_module", "train_with_optimizer")


def leaves(of: Any, name: str = "") -> dict[str, object]:
    """All parts by their names."""
    found: dict[str, object] = {}
    for each in fields(of):
        value = getattr(of, each.name)
        found |= leaves(value, f"{name}.{each.name}") if is_dataclass(value) else {f"{name}.{each.name}": value}
    return found


def simulated(case: Case, slip: Slip, is_adam: bool | None) -> list[torch.Tensor]:
    """What an optimizer leaves, or a loop where it is neither SGD nor Adam."""
    if is_adam is None:
        return list(trained(case, slip).values())
    return [driven(case, slip, name, named(is_adam=is_adam)) for name in ("p", "q", "r")]


def changes(slip: Slip, case: Case, is_adam: bool | None) -> bool:
    """Whether a slip changes what is left in a case; where nothing is, it does."""
    try:
        wrong = simulated(case, slip, is_adam)
    except RuntimeError:
        return True
    return not all(map(torch.allclose, wrong, simulated(case, RIGHT, is_adam)))


def test_joined_slips_replace_what_each_of_them_does() -> None:
    late = parts.Average(is_late=True)
    first = Slip("a", "b", rate=0.5, adam=parts.Adam(mean=late, takes_gradient=True))
    second = Slip("c", "d", steps=parts.Steps(more_decay=0.1), adam=parts.Adam(square=late))

    both = joined(first, second)

    assert (both.key, both.what, both.rate, both.steps) == ("c", "d", 0.5, second.steps)
    assert both.adam == parts.Adam(mean=late, square=late, takes_gradient=True)


def test_every_part_is_wrong_in_some_slip() -> None:
    right, slips = leaves(RIGHT), (*OF_SGD, *OF_ADAM, *OF_LOOPS, COUPLED)
    replaced = {name for slip in slips for name, value in leaves(slip).items() if value != right[name]}
    of_square_alone = {".adam.mean.added", ".adam.mean.largest"}

    assert set(right) - replaced == of_square_alone


@pytest.mark.parametrize(
    ("slips", "exercises", "is_adam"),
    [(OF_SGD, ("SGD",), False), (OF_ADAM, ("Adam",), True), (OF_LOOPS, LOOPS, None)],
    ids=["SGD", "Adam", "loops"],
)
def test_every_slip_changes_something(
    slips: tuple[Slip, ...], exercises: tuple[str, ...], is_adam: bool | None
) -> None:
    tried = [one.case for name in exercises for one in cases(course().exercises[name])]

    assert [
        f"{slip.key} {slip.what}" for slip in slips if not any(changes(slip, each, is_adam) for each in tried)
    ] == []
