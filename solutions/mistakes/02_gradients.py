"""Wrong answers to 02_gradients, each with the diagnosis that it must get."""
# ruff: noqa - written as students write, and run in the namespace of the solved notebook

import torch

from grader.course.specimens import mistake


@mistake("dot_grad", "wrong_operand")
def own_value(w, x):
    return w, x


@mistake("dot_grad", "transposed")
def rows(w, x):
    return x.T, w.T


@mistake("dot_grad", "wrong_value")
def one_entry_repeated(w, x):
    return x[0].expand(len(x), 1), w[0].expand(len(w), 1)


@mistake("polynomial_vjp", "upstream_ignored")
def no_upstream(a, b, upstream):
    return 9 * a**2, -2 * b


@mistake("polynomial_vjp", "sign_flipped")
def plus_b(a, b, upstream):
    return upstream * 9 * a**2, upstream * 2 * b


@mistake("polynomial_vjp", "wrong_value")
def power_kept(a, b, upstream):
    return upstream * 9 * a**3, upstream * -2 * b


@mistake("polynomial_vjp", "input_modified")
def squares_a_in_place(a, b, upstream):
    return upstream * 9 * a.pow_(2), upstream * -2 * b


@mistake("polynomial_vjp", "input_modified")
def uses_up_the_upstream(a, b, upstream):
    b_grad = -2 * b * upstream
    return upstream.mul_(9 * a**2), b_grad


@mistake("matvec_jacobian", "summed_too_far")
def no_leading_axis(W, x):
    return x.T.expand(W.shape)


@mistake("matvec_jacobian", "wrong_value")
def every_row(W, x):
    m, n = W.shape
    return x[:, 0].expand(m, m, n)


@mistake("matvec_jacobian", "wrong_value")
def weights_for_inputs(W, x):
    return torch.eye(len(W), dtype=W.dtype)[:, :, None] * W


@mistake("mse_vector_grad", "sign_flipped")
def difference_reversed(pred, y):
    return 2 / len(y) * (y - pred)


@mistake("mse_vector_grad", "missing_mean")
def no_mean(pred, y):
    return 2 * (pred - y)


@mistake("mse_vector_grad", "missing_factor_two")
def no_two(pred, y):
    return (pred - y) / len(y)


@mistake("mse_vector_grad", "scaled")
def one_less_than_the_rows(pred, y):
    return 2 * (pred - y) / (len(y) - 1)


@mistake("mse_vector_grad", "unit_axis")
def flat(pred, y):
    return (2 / len(y) * (pred - y))[:, 0]


@mistake("mse_vector_grad", "input_modified")
def subtracts_in_place(pred, y):
    pred -= y
    return 2 / len(y) * pred


@mistake("matvec_mse_grad", "transposed")
def outer_product_reversed(W, x, y):
    return x @ (2 / len(y) * (W @ x - y)).T


@mistake("matvec_mse_grad", "missing_mean")
def sum_of_squares(W, x, y):
    return 2 * (W @ x - y) @ x.T


@mistake("matvec_mse_grad", "scaled")
def mean_over_the_inputs(W, x, y):
    return 2 / len(x) * (W @ x - y) @ x.T


@mistake("two_layer_linear_grad", "wrong_value")
def forgets_w1_in_the_second(W1, W2, x, y):
    upstream = 2 / len(y) * (W2 @ W1 @ x - y)
    return W2.T @ upstream @ x.T, upstream @ torch.ones_like(W1 @ x).T


@mistake("two_layer_linear_grad", "wrong_operand")
def returned_in_the_other_order(W1, W2, x, y):
    return solution(W1, W2, x, y)[::-1]


@mistake("two_layer_linear_grad", "missing_factor_two")
def half(W1, W2, x, y):
    upstream = (W2 @ W1 @ x - y) / len(y)
    return W2.T @ upstream @ x.T, upstream @ (W1 @ x).T


@mistake("polynomial_vjp", "mean_twice")
def divided_by_the_entries(a, b, upstream):
    return upstream * 9 * a**2 / a.numel(), upstream * -2 * b / b.numel()


@mistake("polynomial_vjp", "broadcast_to_square")
def outer_product_of_vectors(a, b, upstream):
    return tuple(torch.outer(upstream, each) if a.dim() == 1 else upstream * each for each in (9 * a**2, -2 * b))


@mistake("matvec_jacobian", "missing_mean")
def added_for_every_row(W, x):
    m, n = W.shape
    jacobian = torch.zeros(m, m, n)
    for i in range(m):
        for j in range(m):
            jacobian[i, i] += x[:, 0]
    return jacobian


@mistake("mse_vector_grad", "scaled")
def multiplied_for_divided(pred, y):
    return 2 * len(y) * (pred - y)


@mistake("matvec_mse_grad", "wrong_value")
def factor_forgotten(W, x, y):
    return mse_vector_grad(W @ x, y).expand_as(W)  # noqa: F821


@mistake("matvec_mse_grad", "wrong_value")
def matrix_after_a_step(W, x, y):
    return W - 2 / len(y) * (W @ x - y) @ x.T


@mistake("matvec_mse_grad", "wrong_shape")
def last_row_only(W, x, y):
    for each in mse_vector_grad(W @ x, y):  # noqa: F821
        grad = each * x.T
    return grad


@mistake("two_layer_linear_grad", "wrong_value")
def relu_between_the_layers(W1, W2, x, y):
    h = torch.relu(W1 @ x)
    upstream = 2 / len(y) * (W2 @ h - y)
    return (W2.T @ upstream * (h > 0)) @ x.T, upstream @ h.T


@mistake("two_layer_linear_grad", "wrong_operand")
def gradient_in_place_of_the_weights(W1, W2, x, y):
    upstream = 2 / len(y) * (W2 @ W1 @ x - y)
    W2_grad = upstream @ (W1 @ x).T
    return W2_grad.T @ upstream @ x.T, W2_grad


@mistake("two_layer_linear_grad", "zeros")
def compared_with_its_own_output(W1, W2, x, y):
    h = W1 @ x
    return matvec_mse_grad(W1, x, h), matvec_mse_grad(W2, h, y)  # noqa: F821
