"""Parts of optimizers and loops: joined without loss, none that no slip replaces, no two slips that are the same."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from functools import cache
from itertools import combinations
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


def left(slip: Slip, case: Case, is_adam: bool | None) -> torch.Tensor:
    """What an optimizer leaves, or a loop where it is neither SGD nor Adam; nothing where it cannot go on."""
    try:
        if is_adam is None:
            found = list(trained(case, slip).values())
        else:
            found = [driven(case, slip, name, named(is_adam=is_adam)) for name in ("p", "q", "r")]
        return torch.cat([each.flatten() for each in found])
    except RuntimeError:
        return torch.empty(0)


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
def test_no_slip_leaves_what_another_does_or_none(
    slips: tuple[Slip, ...], exercises: tuple[str, ...], is_adam: bool | None
) -> None:
    tried = [one.case for name in exercises for one in cases(course().exercises[name])]
    found = cache(lambda slip, at: left(slip, tried[at], is_adam))

    def are_the_same(one: Slip, other: Slip) -> bool:
        pairs = ((found(one, at), found(other, at)) for at in range(len(tried)))
        return all(a.shape == b.shape and torch.allclose(a, b) for a, b in pairs)

    same = [(one.what, other.what) for one, other in combinations((RIGHT, *slips), 2) if are_the_same(one, other)]
    # In these exercises, no length is below 1, to which it might be cut.
    assert [both for both in same if "divided by its length" not in both[0]] == []
