"""Products of matrices with one of the usual mistakes in their backward pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from grader.judge.diagnosis.operations.replaced import Operation, Replacements, with_backward

#: The gradient of a factor, from the upstream gradient and the two factors.
Factor = Callable[[Tensor, Tensor, Tensor], Tensor]
_OPERATIONS = (torch.matmul, Tensor.matmul, Tensor.__matmul__)
#: What multiplies batches of matrices.
OF_BATCHES = (*_OPERATIONS, torch.bmm, Tensor.bmm)
OF_MATRICES = (*_OPERATIONS, torch.mm, Tensor.mm)


def _products(operations: tuple[Any, ...], where: Callable[[Tensor, Tensor], bool], *rules: Factor) -> Replacements:
    """``operations`` with other gradients of the two factors ``where`` that holds for them."""

    def backward(upstream: Tensor, out: Tensor, left: Tensor, right: Tensor) -> tuple[Tensor, ...]:
        return tuple(rule(upstream, left, right) for rule in rules)

    def product(left: Tensor, right: Tensor) -> Tensor:
        return with_backward(torch.matmul, backward, left, right) if where(left, right) else left @ right

    return dict.fromkeys(operations, product)


def behind_inputs(functions: tuple[Any, ...], function: Callable[..., Tensor]) -> Replacements:
    """Products behind ``function`` that remember its input in place of its output."""
    inputs: dict[int, tuple[Tensor, Tensor]] = {}  # holds the results, so that their ids stay theirs

    def remembered(value: Tensor, *rest: Any, **more: Any) -> Tensor:
        out = function(value, *rest, **more)
        inputs[id(out)] = (out, value)
        return out

    def product(left: Tensor, right: Tensor) -> Tensor:
        if id(left) not in inputs:
            return torch.matmul(left, right)
        return left @ right.detach() + inputs[id(left)][1].detach() @ (right - right.detach())

    return {**dict.fromkeys(functions, remembered), **dict.fromkeys(OF_BATCHES, product)}


def _of_matrices(what: str, where: Callable[[Tensor, Tensor], bool], *rules: Factor, code: str = "") -> Operation:
    return Operation(what, lambda: _products(OF_MATRICES, where, *rules), code)


def _are_matrices(left: Tensor, right: Tensor) -> bool:
    return left.dim() == right.dim() == 2


#: Gradients of a product of matrices, as students write them: what is wrong in words, and the two rules.
PRODUCTS: tuple[Operation, ...] = (
    _of_matrices(
        "a square matrix of weights is used as it lies, where its transpose belongs",
        _are_matrices,
        lambda g, left, right: g @ (right if right.shape[0] == right.shape[1] else right.T),
        lambda g, left, right: left.T @ g,
    ),
    _of_matrices(
        "a matrix is reshaped on the way back where it has to be transposed",
        _are_matrices,
        lambda g, left, right: g @ right.reshape(right.shape[::-1]),
        lambda g, left, right: left.reshape(left.shape[::-1]) @ g,
    ),
    _of_matrices(
        "two sums over the rows are multiplied, where the products of each row have to be summed",
        _are_matrices,
        lambda g, left, right: g @ right.T,
        lambda g, left, right: torch.outer(left.sum(0), g.sum(0)),
    ),
)


#: The gradient of a matrix of weights in place of the matrix, in the backward pass to what another layer gave: the
#: weights are the right factor where samples are rows, and the left one where they are columns.
_WEIGHTS_BY_GRADIENTS = "the gradient of a matrix of weights stands in the place of the matrix itself on the way back"
BY_GRADIENTS: tuple[Operation, ...] = (
    _of_matrices(
        _WEIGHTS_BY_GRADIENTS,
        lambda left, right: left.grad_fn is not None and _are_matrices(left, right),
        lambda g, left, right: g @ (left.T @ g).T,
        lambda g, left, right: left.T @ g,
        code="wrong_operand",
    ),
    _of_matrices(
        _WEIGHTS_BY_GRADIENTS,
        lambda left, right: right.grad_fn is not None and _are_matrices(left, right),
        lambda g, left, right: g @ right.T,
        lambda g, left, right: (g @ right.T).T @ g,
        code="wrong_operand",
    ),
)


def squares_untransposed() -> Replacements:
    """Products of batches in whose backward pass a square matrix is taken as it lies, where its transpose belongs."""
    return _products(OF_BATCHES, _are_batches, _left_of_squares, _right_of_squares)


def _are_batches(left: Tensor, right: Tensor) -> bool:
    return left.dim() == right.dim() == 3


def _is_square(value: Tensor) -> bool:
    return value.shape[1] == value.shape[2]


def _left_of_squares(g: Tensor, left: Tensor, right: Tensor) -> Tensor:
    return (g.mT if _is_square(g) and not _is_square(left) else g) @ right.mT


def _right_of_squares(g: Tensor, left: Tensor, right: Tensor) -> Tensor:
    if _is_square(left):
        return left @ g
    return (g @ left).mT if _is_square(g) else left.mT @ g  # ``right`` is a transpose: its gradient is turned once more


def factors_by_themselves() -> Replacements:
    """Products q kᵀ whose gradients are made of q for q, and of k for k."""
    return _products(
        OF_BATCHES,
        lambda left, right: _are_batches(left, right) and left.shape[1] == right.shape[2],
        lambda g, left, right: g @ left,
        lambda g, left, right: (g.mT @ right.mT).mT,
    )
