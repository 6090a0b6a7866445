"""Wrong answers to 07_trace, each with the diagnosis that it must get."""
# ruff: noqa - written as students write, and run in the namespace of the solved notebook

import torch

from grader.course.specimens import mistake


@mistake("trace", "stale")
def copied_from_a_printout():
    fc2_b_grad = torch.tensor([1.0])
    fc2_w_grad = torch.tensor([[-1.0, -2.0, 3.0]])
    fc1_b_grad = torch.tensor([2.0, -1.0, 0.5])
    fc1_w_grad = torch.tensor([[2.0, 4.0, -2.0], [-1.0, -2.0, 1.0], [0.5, 1.0, -0.5]])


@mistake("trace", "transposed")
def first_weights_transposed():
    fc2_b_grad = torch.ones(1)
    fc2_w_grad = X @ fc1_w.T + fc1_b
    fc1_b_grad = fc2_w[0]
    fc1_w_grad = X.T @ fc2_w


@mistake("trace", "wrong_value")
def bias_of_the_first_layer_forgotten():
    fc2_b_grad = torch.ones(1)
    fc2_w_grad = X @ fc1_w.T
    fc1_b_grad = fc2_w[0]
    fc1_w_grad = fc2_w.T @ X


@mistake("trace", "unit_axis")
def row_for_a_bias():
    fc2_b_grad = torch.ones(1)
    fc2_w_grad = X @ fc1_w.T + fc1_b
    fc1_b_grad = fc2_w
    fc1_w_grad = fc2_w.T @ X


@mistake("trace", "not_written")
def half_of_it():
    fc2_b_grad = torch.ones(1)
    fc2_w_grad = X @ fc1_w.T + fc1_b


@mistake("updated", "ascent")
def uphill(param, grad, lr):
    return param + lr * grad


@mistake("updated", "learning_rate_ignored")
def full_step(param, grad, lr):
    return param - grad


@mistake("updated", "input_modified")
def in_place(param, grad, lr):
    param -= lr * grad
    return param


@mistake("updated", "wrong_value")
def step_alone(param, grad, lr):
    return -lr * grad


@mistake("trace", "wrong_value")
def relu_behind_the_first_layer():
    fc2_b_grad = torch.ones(1)
    fc2_w_grad = torch.relu(X @ fc1_w.T + fc1_b)
    fc1_b_grad = fc2_w[0]
    fc1_w_grad = fc2_w.T @ X


@mistake("trace", "wrong_operand")
def two_gradients_exchanged():
    fc2_b_grad = torch.ones(1)
    fc2_w_grad = fc2_w
    fc1_b_grad = (X @ fc1_w.T + fc1_b)[0]
    fc1_w_grad = fc2_w.T @ X


@mistake("trace", "wrong_value")
def one_factor_of_the_product():
    fc2_b_grad = torch.ones(1)
    fc2_w_grad = X @ fc1_w.T + fc1_b
    fc1_b_grad = fc2_w[0]
    fc1_w_grad = X.expand(3, 3)


@mistake("trace", "scaled")
def divided_by_three():
    fc2_b_grad = torch.ones(1)
    fc2_w_grad = (X @ fc1_w.T + fc1_b) / 3
    fc1_b_grad = fc2_w[0] / 3
    fc1_w_grad = fc2_w.T @ X / 3


@mistake("updated", "wrong_value")
def first_row_left_out(param, grad, lr):
    new = param.clone()
    new[1:] -= lr * grad[1:]
    return new


@mistake("updated", "wrong_value")
def result_not_kept(param, grad, lr):
    new = param.clone()
    new.sub(lr * grad)
    return new
