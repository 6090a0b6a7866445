"""The catalogue of known mistakes as transformations of right tensors, which ``mutants`` puts into a solution.

Each must lose points and be diagnosed by its code, wherever it applies; ``apply`` gives None where it does not. A
mistake that needs the formula (another operand, a wrong step of an optimizer) is written as code beside the course's
solutions instead, which students do not install; what is here tells nothing of any answer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from grader.model import Case

Transformation = Callable[[Case, str, Mapping[str, Tensor]], "Tensor | None"]


@dataclass(frozen=True, slots=True)
class Mistake:
    """A known mistake: ``apply(case, check, expected)`` makes the wrong tensor of ``check`` from the right ones.

    ``code`` is the diagnosis that it must get. One made ``everywhere`` is made in all cases of a check or in none.
    """

    id: str
    code: str
    apply: Transformation
    everywhere: bool = False


def _floats(change: Callable[[Case, str, Tensor], Tensor | None]) -> Transformation:
    """A transformation of the check's own tensor, where that holds floats."""

    def apply(case: Case, check: str, expected: Mapping[str, Tensor]) -> Tensor | None:
        tensor = expected[check]
        return change(case, check, tensor) if tensor.is_floating_point() and tensor.numel() else None

    return apply


def _made(change: Callable[[Tensor], Tensor | None]) -> Transformation:
    """The same, where nothing but the tensor has to be known."""
    return _floats(lambda case, check, tensor: change(tensor))


def _times(factor: float) -> Transformation:
    """A constant factor; it does not show in one or two numbers of a single case."""

    def change(case: Case, check: str, tensor: Tensor) -> Tensor | None:
        return None if _is_single(case, check) and tensor.numel() < 3 else tensor * factor

    return _floats(change)


def _tripled(case: Case, check: str, tensor: Tensor) -> Tensor | None:
    """Any constant at all: it takes more numbers to tell."""
    return tensor * 3 if case.sizes and not (_is_single(case, check) and tensor.numel() < 8) else None


def _is_single(case: Case, check: str) -> bool:
    """Whether the check belongs to one variant, so that no second case tells a size from a constant."""
    return check.endswith(f" ({case.label})")


def _batch(case: Case, check: str) -> int | None:
    """The size of the first letter, the batch of most, where it stands for the same axis in every case of the check."""
    # Where a shape or a number of steps is an argument, the answer's axes are others from case to case.
    asked = "steps" in case.constants or any(isinstance(value, tuple) for value in case.constants.values())
    return None if asked or _is_single(case, check) else next(iter(case.sizes.values()), None)


def _without_mean(case: Case, check: str, tensor: Tensor) -> Tensor | None:
    size = _batch(case, check)
    return None if size is None else tensor * size


def _divided(twice: bool) -> Transformation:
    """Divided by n: the mean of the loss taken ``twice``, where one cannot tell that a sum became a mean.

    That is so where n is an axis of the tensor, or where it is all that a loss has of gradients.
    """

    def apply(case: Case, check: str, expected: Mapping[str, Tensor]) -> Tensor | None:
        tensor, size = expected[check], _batch(case, check)
        if size is None or not tensor.is_floating_point():
            return None
        alone = case.upstream is None and all(name == check or other.dim() == 0 for name, other in expected.items())
        return tensor / size if (size in tensor.shape or alone) is twice else None

    return apply


def _squared(tensor: Tensor) -> Tensor | None:
    """All pairs of rows, the right values on the diagonal."""
    if tensor.dim() == 1 or (tensor.dim() == 2 and tensor.shape[1] == 1):
        rows = tensor.flatten()
        return (rows[:, None] + rows[None, :]) / 2 if len(rows) > 1 else None
    return None


def _unsummed(case: Case, check: str, tensor: Tensor) -> Tensor | None:
    """Contributions of each sample that add up to the right tensor."""
    size = next(iter(case.sizes.values()), None)
    if size is None or tensor.dim() > 4:
        return None
    shares = torch.arange(1, size + 1, dtype=tensor.dtype)
    shares = (shares / shares.sum()).reshape(-1, *(1 for _ in tensor.shape))
    return shares * tensor


def _oversummed(case: Case, check: str, tensor: Tensor) -> Tensor | None:
    """The first axis summed away; an axis of one alone would be no more than a missing axis."""
    if tensor.dim() == 0 or tensor.shape == (1,) or (tensor.shape[0] == 1 and not case.sizes):
        return None
    return tensor.sum(0)


def _infinite(tensor: Tensor) -> Tensor | None:
    wrong = tensor.flatten().clone()
    wrong[0] = float("inf")
    return wrong.reshape(tensor.shape)


def _noisy(case: Case, check: str, tensor: Tensor) -> Tensor | None:
    seed = int.from_bytes(hashlib.sha256(f"{case.label}\0{check}".encode()).digest()[:4], "little")
    noise = torch.rand(tensor.shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    scale = max(float(tensor.abs().max()), 1e-2)
    return tensor + scale * (0.3 + noise)


def _poisoned(case: Case, check: str, tensor: Tensor) -> Tensor | None:
    return torch.full_like(tensor, float("nan")) if check in case.program.poison else None


def _swapped(case: Case, check: str, expected: Mapping[str, Tensor]) -> Tensor | None:
    """What belongs to the next check of the same kind and shape."""
    names = list(expected)
    start = names.index(check) + 1
    for other in names[start:] + names[: start - 1]:
        if _kind(other) == _kind(check) and expected[other].shape == expected[check].shape:
            return expected[other].clone()
    return None


def _kind(check: str) -> str:
    """The attribute that is read: gradients are swapped with gradients."""
    return check.rpartition(".")[2] if "." in check else ""


def _relu(id_: str, code: str, change: Callable[[Tensor, Tensor], Tensor]) -> Mistake:
    """A wrong mask, where the right tensor is the upstream gradient behind the mask of a ReLU.

    In a single case of large values, a GELU is its own mask too.
    """

    def apply(case: Case, check: str, expected: Mapping[str, Tensor]) -> Tensor | None:
        inp, upstream, right = case.inputs.get(check.removesuffix(".g")), case.upstream, expected[check]
        if inp is None or upstream is None or not inp.shape == upstream.shape == right.shape:
            return None
        return change(inp, upstream) if torch.equal(right, (upstream * (inp > 0)).to(right.dtype)) else None

    return Mistake(id_, code, apply, everywhere=True)


def _integers(case: Case, check: str, expected: Mapping[str, Tensor]) -> Tensor | None:
    """Floats as integers, from two axes on: a plain number, or a list of them, may be whole."""
    tensor = expected[check]
    return tensor.to(torch.int64) if tensor.is_floating_point() and tensor.dim() > 1 else None


MISTAKES: tuple[Mistake, ...] = (
    Mistake("filled_with_zeros", "zeros", _times(0.0)),
    Mistake("opposite_sign", "sign_flipped", _times(-1.0)),
    Mistake("transposed", "transposed", _made(lambda x: x.T.contiguous() if x.dim() == 2 else None)),
    Mistake(
        "axes_permuted", "permuted_axes", _made(lambda x: x.transpose(0, -1).contiguous() if x.dim() > 2 else None)
    ),
    Mistake("mean_left_out", "missing_mean", _floats(_without_mean)),
    Mistake("mean_taken_twice", "mean_twice", _divided(twice=True)),
    Mistake("averaged", "averaged_instead_of_summed", _divided(twice=False)),
    Mistake("two_left_out", "missing_factor_two", _times(0.5)),
    Mistake("two_too_many", "extra_factor_two", _times(2.0)),
    Mistake("tripled", "scaled", _floats(_tripled)),
    Mistake("axis_added", "unit_axis", _made(lambda x: x[..., None])),
    Mistake("all_pairs", "broadcast_to_square", _made(_squared)),
    Mistake("sum_left_out", "not_summed_over_batch", _floats(_unsummed)),
    Mistake("sum_too_far", "summed_too_far", _floats(_oversummed)),
    _relu("upstream_left_out", "upstream_ignored", lambda inp, upstream: (inp > 0).to(inp.dtype)),
    _relu("no_mask", "mask_missing", lambda inp, upstream: upstream.clone()),
    _relu("mask_turned_round", "mask_inverted", lambda inp, upstream: upstream * (inp <= 0)),
    _relu("mask_open_at_zero", "mask_at_zero", lambda inp, upstream: upstream * (inp >= 0)),
    Mistake("added_to_what_was_there", "accumulated", _floats(_poisoned)),
    Mistake("swapped", "wrong_operand", _swapped),
    Mistake("a_row_too_many", "wrong_shape", _made(lambda x: torch.cat((x, x[:1] + 1)) if x.dim() else None)),
    Mistake("other_dtype", "wrong_dtype", _integers),
    Mistake("an_infinity", "non_finite", _made(_infinite)),
    Mistake("noise", "wrong_value", _floats(_noisy)),
)
