"""Other right answers to 01_tensors."""
# ruff: noqa - written as students write, and run in the namespace of the solved notebook

import numpy as np
import torch

from grader.course.specimens import variant


@variant("outer_difference")
def by_unsqueeze(a, b):
    return a.unsqueeze(1) - b


@variant("outer_difference")
def by_expand(a, b):
    return a.reshape(-1, 1).expand(-1, len(b)) - b.expand(len(a), -1)


@variant("outer_difference")
def by_loops(a, b):
    result = torch.empty(len(a), len(b), dtype=a.dtype)
    for i in range(len(a)):
        for j in range(len(b)):
            result[i, j] = a[i] - b[j]
    return result


@variant("outer_difference")
def by_numpy(a, b):
    return torch.from_numpy(np.subtract.outer(a.numpy(), b.numpy()))


@variant("residual")
def by_squeeze(out, targ):
    return out.squeeze(1) - targ


@variant("residual")
def by_flatten(out, targ):
    return out.flatten() - targ


@variant("residual")
def column_by_column(out, targ):
    return (out - targ.unsqueeze(-1))[:, 0]


@variant("residual")
def row_by_row(out, targ):
    return torch.stack([o[0] - t for o, t in zip(out, targ, strict=True)])


@variant("sum_to_shape")
def axis_by_axis(grad, shape):
    while grad.dim() > len(shape):
        grad = grad.sum(0)
    for axis, size in enumerate(shape):
        if size == 1:
            grad = grad.sum(axis, keepdim=True)
    return grad


@variant("sum_to_shape")
def padded_shape(grad, shape):
    padded = (1,) * (grad.dim() - len(shape)) + tuple(shape)
    for axis, (wide, small) in enumerate(zip(grad.shape, padded, strict=True)):
        if wide != small:
            grad = grad.sum(axis, keepdim=True)
    return grad.reshape(shape)


@variant("sum_to_shape")
def by_numpy_in_float64(grad, shape):
    wide = grad.numpy().astype(np.float64)
    padded = (1,) * (wide.ndim - len(shape)) + tuple(shape)
    axes = tuple(i for i, (w, s) in enumerate(zip(wide.shape, padded, strict=True)) if w != s)
    return torch.from_numpy(np.asarray(wide.sum(axis=axes, keepdims=True)).reshape(shape)).to(grad.dtype)
