"""Wrong answers to 01_tensors, each with the diagnosis that it must get."""
# ruff: noqa - written as students write, and run in the namespace of the solved notebook

import torch

from grader.course.specimens import mistake

a = torch.arange(7.0)


@mistake("outer_difference", "transposed")
def columns_and_rows_swapped(a, b):
    return a[None, :] - b[:, None]


@mistake("outer_difference", "sign_flipped")
def the_other_way_round(a, b):
    return b[None, :] - a[:, None]


@mistake("outer_difference", "wrong_value")
def multiplies(a, b):
    return a[:, None] * b


@mistake("outer_difference", "raised")
def no_new_axes(a, b):
    return a - b


@mistake("outer_difference", "wrong_value")
def the_global_a(first, second):
    return a.repeat(len(first))[: len(first), None] - second[None, :]


@mistake("outer_difference", "input_modified")
def changes_b(a, b):
    return a[:, None] + b.neg_()[None, :]


@mistake("residual", "broadcast_to_square")
def broadcast_to_square(out, targ):
    return out - targ


@mistake("residual", "sign_flipped")
def targets_first(out, targ):
    return targ - out[:, 0]


@mistake("residual", "unit_axis")
def keeps_the_column(out, targ):
    return out - targ[:, None]


@mistake("residual", "input_modified")
def in_place(out, targ):
    out -= targ[:, None]
    return out[:, 0]


@mistake("residual", "wrong_dtype")
def whole_numbers(out, targ):
    return (out[:, 0] - targ).long()


@mistake("sum_to_shape", "wrong_shape")
def first_axis_only(grad, shape):
    while grad.dim() > len(shape):
        grad = grad.sum(0)
    return grad


@mistake("sum_to_shape", "unit_axis")
def forgets_keepdim(grad, shape):
    while grad.dim() > len(shape):
        grad = grad.sum(0)
    for axis in reversed(range(len(shape))):
        if shape[axis] == 1:
            grad = grad.sum(axis)
    return grad


@mistake("sum_to_shape", "averaged_instead_of_summed")
def averages(grad, shape):
    while grad.dim() > len(shape):
        grad = grad.mean(0)
    for axis, size in enumerate(shape):
        if size == 1:
            grad = grad.mean(axis, keepdim=True)
    return grad


@mistake("sum_to_shape", "wrong_value")
def sums_all_when_no_axis_is_named(grad, shape):
    axes = tuple(range(grad.dim() - len(shape)))
    axes += tuple(i for i, size in enumerate(shape, len(axes)) if size == 1)
    return grad.sum(dim=axes).expand(shape) if not axes else grad.sum(dim=axes, keepdim=True).reshape(shape)


@mistake("sum_to_shape", "raised")
def axes_found_by_their_size(grad, shape):
    axes = [axis for axis, size in enumerate(grad.shape) if size not in shape]
    return (grad.sum(axes) if axes else grad).reshape(shape)


@mistake("sum_to_shape", "wrong_value")
def each_size_found_once(grad, shape):
    left = list(shape)
    for axis in reversed(range(grad.dim())):
        if grad.shape[axis] in left:
            left.remove(grad.shape[axis])
        else:
            grad = grad.sum(axis)
    return grad.reshape(shape)


@mistake("sum_to_shape", "wrong_value")
def takes_the_first_row(grad, shape):
    while grad.dim() > len(shape):
        grad = grad[0]
    for axis, size in enumerate(shape):
        if size == 1:
            grad = grad.narrow(axis, 0, 1)
    return grad


@mistake("outer_difference", "not_a_tensor")
def rows_not_stacked(a, b):
    return [each - b for each in a]


@mistake("residual", "wrong_value")
def all_outputs_summed(out, targ):
    return out.sum() - targ


@mistake("residual", "broadcast_to_square")
def mean_of_the_targets(out, targ):
    return out[:, 0] - targ.mean()


@mistake("sum_to_shape", "wrong_value")
def regrouped_by_reshape(grad, shape):
    return grad.reshape(-1, torch.Size(shape).numel()).sum(0).reshape(shape)


@mistake("sum_to_shape", "wrong_shape")
def sum_that_is_not_kept(grad, shape):
    while grad.dim() > len(shape):
        grad = grad.sum(0)
    for axis, size in enumerate(shape):
        if size == 1:
            grad.sum(axis, keepdim=True)
    return grad
