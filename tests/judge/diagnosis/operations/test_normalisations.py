"""Changed normalisation layers: no two of them say of the same gradients that they are another mistake."""

from __future__ import annotations

from itertools import combinations

import torch

from grader.judge.diagnosis.alternatives import Alternatives
from grader.judge.diagnosis.operations.normalisations import MISSTEPS
from grader.judge.diagnosis.operations.replaced import Operation, Replaced
from tests.judge.builders import cases, course


def gradients(operation: Operation) -> torch.Tensor:
    """What a changed layer gives in the cases of both exercises; where one value alone has no spread, zeros."""
    found = []
    for name in ("layernorm_grad", "batchnorm_grad"):
        exercise = course().exercises[name]
        of = Alternatives(exercise, cases(exercise))
        for prepared in of.prepared:
            made = of.reference("", prepared.case, under=Replaced(operation.make())) or prepared.expected
            found += [made[check].flatten() for check in prepared.expected]
    return torch.cat(found).nan_to_num(0.0, 0.0, 0.0)


def test_no_two_missteps_give_the_same_gradients() -> None:
    given = {operation.what: gradients(operation) for operation in MISSTEPS}

    assert len(given) == len(MISSTEPS)
    assert [both for both in combinations(given, 2) if torch.allclose(given[both[0]], given[both[1]])] == []
