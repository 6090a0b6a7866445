"""Wrong answers to 03_backprop, each with the diagnosis that it must get."""
# ruff: noqa - written as students write, and run in the namespace of the solved notebook

import torch

from grader.course.specimens import mistake

w = torch.ones(5, 3)


@mistake("lin_grad", "not_a_tensor")
def arrays_of_numpy(inp, out, w, b):
    inp.g, w.g = out.g.numpy() @ w.numpy().T, inp.numpy().T @ out.g.numpy()
    b.g = out.g.numpy().sum(0)


@mistake("lin_grad", "raised")
def the_global_w(inp, out, weights, b):
    inp.g = out.g @ w.T
    weights.g = inp.T @ out.g
    b.g = out.g.sum(0)


@mistake("lin_grad", "transposed")
def weights_transposed(inp, out, w, b):
    inp.g = out.g @ w.T
    w.g = out.g.T @ inp
    b.g = out.g.sum(0)


@mistake("lin_grad", "unit_axis")
def bias_keeps_the_rows_axis(inp, out, w, b):
    inp.g = out.g @ w.T
    w.g = inp.T @ out.g
    b.g = out.g.sum(0, keepdim=True)


@mistake("lin_grad", "averaged_instead_of_summed")
def bias_averaged(inp, out, w, b):
    inp.g = out.g @ w.T
    w.g = inp.T @ out.g
    b.g = out.g.mean(0)


@mistake("lin_grad", "not_summed_over_batch")
def bias_not_summed(inp, out, w, b):
    inp.g = out.g @ w.T
    w.g = inp.T @ out.g
    b.g = out.g


@mistake("lin_grad", "summed_too_far")
def bias_summed_to_a_number(inp, out, w, b):
    inp.g = out.g @ w.T
    w.g = inp.T @ out.g
    b.g = out.g.sum()


@mistake("lin_grad", "last_sample_only")
def rows_overwrite_one_another(inp, out, w, b):
    inp.g = out.g @ w.T
    for x, g in zip(inp, out.g, strict=True):
        w.g = x[:, None] @ g[None, :]
        b.g = g.clone()


@mistake("lin_grad", "not_written")
def bias_forgotten(inp, out, w, b):
    inp.g = out.g @ w.T
    w.g = inp.T @ out.g


@mistake("lin_grad", "accumulated")
def added_in_a_loop(inp, out, w, b):
    for t, g in ((inp, out.g @ w.T), (w, inp.T @ out.g), (b, out.g.sum(0))):
        t.g = t.g + g


@mistake("lin_grad", "accumulated")
def added_up(inp, out, w, b):
    inp.g = out.g @ w.T
    w.g = w.g + inp.T @ out.g
    b.g += out.g.sum(0)


@mistake("lin_grad", "upstream_ignored")
def upstream_of_ones(inp, out, w, b):
    ones = torch.ones_like(out)
    inp.g = ones @ w.T
    w.g = inp.T @ ones
    b.g = ones.sum(0)


@mistake("lin_grad", "wrong_operand")
def values_for_gradients(inp, out, w, b):
    inp.g = out @ w.T
    w.g = inp.T @ out
    b.g = out.sum(0)


@mistake("lin_grad", "unit_axis")
def squeezes_thin_tensors(inp, out, w, b):
    inp.g = out.g @ w.T
    w.g = (inp.T @ out.g).squeeze()
    b.g = out.g.sum(0).squeeze()


@mistake("lin_grad", "input_modified")
def scales_the_input(inp, out, w, b):
    inp.g = out.g @ w.T
    w.g = inp.T @ out.g
    b.g = out.g.sum(0)
    inp.mul_(2)


@mistake("lin_grad", "wrong_value")
def flat_view_of_memory(inp, out, w, b):
    inp.g = out.g @ torch.as_strided(w, (w.shape[1], w.shape[0]), (1, w.shape[1]))
    w.g = inp.T @ out.g
    b.g = out.g.sum(0)


@mistake("relu_grad", "mask_at_zero")
def lets_zero_through(inp, out):
    inp.g = out.g * (inp >= 0)


@mistake("relu_grad", "mask_at_zero")
def half_at_zero(inp, out):
    inp.g = out.g * ((inp > 0).to(out.dtype) + (inp >= 0)) / 2


@mistake("relu_grad", "mask_missing")
def no_mask(inp, out):
    inp.g = out.g.clone()


@mistake("relu_grad", "mask_inverted")
def mask_of_the_negative(inp, out):
    inp.g = out.g * (inp < 0)


@mistake("relu_grad", "upstream_ignored")
def mask_alone(inp, out):
    inp.g = (inp > 0).to(inp.dtype)


@mistake("relu_grad", "wrong_operand")
def masks_the_value(inp, out):
    inp.g = out * (inp > 0)


@mistake("relu_grad", "wrong_operand")
def masks_by_the_gradient(inp, out):
    inp.g = out.g * (out.g > 0)


@mistake("relu_grad", "wrong_dtype")
def boolean(inp, out):
    inp.g = inp > 0


@mistake("mse_grad", "missing_mean")
def no_mean(inp, targ):
    inp.g = 2 * (inp - targ[:, None])


@mistake("mse_grad", "missing_factor_two")
def no_two(inp, targ):
    inp.g = (inp - targ[:, None]) / len(inp)


@mistake("mse_grad", "mean_twice")
def divided_twice(inp, targ):
    inp.g = 2 * (inp - targ[:, None]) / len(inp) ** 2


@mistake("mse_grad", "broadcast_to_square")
def broadcast(inp, targ):
    inp.g = 2 * (inp - targ) / len(inp)


@mistake("mse_grad", "scaled")
def one_less_than_the_rows(inp, targ):
    inp.g = 2 * (inp - targ[:, None]) / (len(inp) - 1)


@mistake("mse_grad", "unit_axis")
def flat(inp, targ):
    inp.g = 2 * (inp[:, 0] - targ) / len(inp)


@mistake("mse_grad", "sign_flipped")
def targets_first(inp, targ):
    inp.g = 2 * (targ[:, None] - inp) / len(inp)


@mistake("mse_grad", "input_modified")
def subtracts_in_place(inp, targ):
    inp.sub_(targ[:, None])
    inp.g = 2 * inp / len(inp)


@mistake("forward_and_backward", "mask_at_zero")
def clamps(inp, targ):
    l1 = inp @ w1 + b1
    a1 = l1.clamp_min(0.0)
    out = a1 @ w2 + b2
    mse_grad(out, targ)
    lin_grad(a1, out, w2, b2)
    l1.g = a1.g * (l1 >= 0)
    lin_grad(inp, l1, w1, b1)
    return mse(out, targ)


@mistake("forward_and_backward", "not_written")
def returns_the_loss_alone(inp, targ):
    return mse(lin(relu(lin(inp, w1, b1)), w2, b2), targ)


@mistake("forward_and_backward", "not_written")
def returns_nothing(inp, targ):
    l1 = lin(inp, w1, b1)
    a1 = relu(l1)
    out = lin(a1, w2, b2)
    mse_grad(out, targ)
    lin_grad(a1, out, w2, b2)
    relu_grad(l1, a1)
    lin_grad(inp, l1, w1, b1)


@mistake("forward_and_backward", "missing_mean")
def sum_of_squares(inp, targ):
    l1 = lin(inp, w1, b1)
    a1 = relu(l1)
    out = lin(a1, w2, b2)
    out.g = 2 * (out - targ[:, None])
    lin_grad(a1, out, w2, b2)
    relu_grad(l1, a1)
    lin_grad(inp, l1, w1, b1)
    return mse(out, targ)


@mistake("forward_and_backward", "wrong_value")
def no_bias_on_the_way_forward(inp, targ):
    l1 = inp @ w1
    a1 = relu(l1)
    out = lin(a1, w2, b2)
    mse_grad(out, targ)
    lin_grad(a1, out, w2, b2)
    relu_grad(l1, a1)
    lin_grad(inp, l1, w1, b1)
    return mse(out, targ)


@mistake("forward_and_backward", "wrong_value")
def no_relu_on_the_way_forward(inp, targ):
    l1 = lin(inp, w1, b1)
    out = lin(l1, w2, b2)
    mse_grad(out, targ)
    lin_grad(l1, out, w2, b2)
    lin_grad(inp, l1, w1, b1)
    return mse(out, targ)


@mistake("forward_and_backward", "mask_missing")
def no_relu_on_the_way_back(inp, targ):
    l1 = lin(inp, w1, b1)
    a1 = relu(l1)
    out = lin(a1, w2, b2)
    mse_grad(out, targ)
    lin_grad(a1, out, w2, b2)
    l1.g = a1.g
    lin_grad(inp, l1, w1, b1)
    return mse(out, targ)


@mistake("lin_grad", "wrong_shape")
def first_row_only(inp, out, w, b):
    inp.g = w @ out.g[0]
    w.g = inp.T @ out.g
    b.g = out.g.sum(0)


@mistake("lin_grad", "wrong_value")
def weights_after_a_step(inp, out, w, b):
    inp.g = out.g @ w.T
    w.g = w - 0.1 * inp.T @ out.g
    b.g = out.g.sum(0)


@mistake("relu_grad", "mask_missing")
def mask_that_is_not_kept(inp, out):
    inp.g = out.g.clone()
    inp.g.mul(inp > 0)


@mistake("mse_grad", "scaled")
def multiplied_for_divided(inp, targ):
    inp.g = 2 * (inp - targ[:, None]) * len(inp)


@mistake("forward_and_backward", "wrong_operand")
def gradient_in_place_of_the_weights(inp, targ):
    l1 = lin(inp, w1, b1)
    a1 = relu(l1)
    out = lin(a1, w2, b2)
    mse_grad(out, targ)
    lin_grad(a1, out, w2, b2)
    a1.g = out.g @ w2.g.T
    relu_grad(l1, a1)
    lin_grad(inp, l1, w1, b1)
    return mse(out, targ)


@mistake("relu_grad", "wrong_value")
def division_with_something_added(inp, out):
    inp.g = out.g * out / (inp + 1e-8)


@mistake("relu_grad", "wrong_value")
def open_above_a_millionth(inp, out):
    inp.g = out.g * (inp > 1e-6)
