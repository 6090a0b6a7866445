"""Known mistakes as transformations of right tensors: what ``grader validate`` puts in place of a right answer.

Each must lose points wherever it changes anything, and be called by its code. Written wrong implementations, for
mistakes that no transformation of one tensor makes, lie beside the solutions (``grader.course.specimens``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from grader.model import Case

Expected = Mapping[str, Tensor]


@dataclass(frozen=True, slots=True)
class Mistake:
    """``apply`` makes the wrong tensor of a check from the expected tensors of its case; None: cannot be made here."""

    id: str
    code: str
    apply: Callable[[Case, str, Expected], Tensor | None]


def _mistake(
    name: str, code: str, change: Callable[[Tensor], Tensor], where: Callable[[Tensor], bool] = lambda value: True
) -> Mistake:
    """A mistake that looks at the right tensor alone, made where it holds floats and ``where`` says so."""

    def apply(case: Case, check: str, expected: Expected) -> Tensor | None:
        right = expected[check]
        return change(right) if right.is_floating_point() and right.numel() and where(right) else None

    return Mistake(name, code, apply)


def _is_matrix(value: Tensor) -> bool:
    return value.dim() == 2 and 1 not in value.shape and value.shape[0] != value.shape[1]


def _one_element_off(value: Tensor) -> Tensor:
    wrong = value.clone()
    wrong.flatten()[wrong.abs().argmax()] *= 0.9
    return wrong


MISTAKES: tuple[Mistake, ...] = (
    _mistake("zeros", "zeros", torch.zeros_like),
    _mistake("sign_flipped", "sign_flipped", torch.neg),
    _mistake("transposed", "transposed", lambda value: value.T.contiguous(), _is_matrix),
    _mistake("missing_factor_two", "missing_factor_two", lambda value: value / 2),
    _mistake("extra_factor_two", "extra_factor_two", lambda value: value * 2),
    _mistake("nan", "non_finite", lambda value: torch.full_like(value, torch.nan)),
    _mistake("integers", "wrong_dtype", lambda value: value.to(torch.int64), lambda value: bool((value.abs() < 1e9).all())),
    _mistake("extra_axis", "unit_axis", lambda value: value[..., None], lambda value: value.dim() > 0),
    _mistake("one_row_more", "wrong_shape", lambda value: torch.cat((value, value[:1])), lambda value: value.dim() > 0),
    _mistake("one_element_off", "wrong_value", _one_element_off, lambda value: value.numel() > 5),
)
