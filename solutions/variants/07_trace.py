"""Other right answers to 07_trace."""
# ruff: noqa - written as students write, and run in the namespace of the solved notebook

import torch

from grader.course.specimens import variant


@variant("trace")
def by_hand():
    hidden = X @ fc1_w.T + fc1_b
    fc2_b_grad = torch.tensor([1.0])
    fc2_w_grad = hidden
    fc1_b_grad = fc2_w[0]
    fc1_w_grad = torch.outer(fc2_w[0], X[0])


@variant("trace")
def number_by_number():
    fc2_b_grad = torch.ones(1)
    fc2_w_grad = torch.zeros(1, 3)
    fc1_b_grad = torch.zeros(3)
    fc1_w_grad = torch.zeros(3, 3)
    for j in range(3):
        fc2_w_grad[0, j] = sum(X[0, k] * fc1_w[j, k] for k in range(3)) + fc1_b[j]
        fc1_b_grad[j] = fc2_w[0, j]
        for k in range(3):
            fc1_w_grad[j, k] = fc2_w[0, j] * X[0, k]


@variant("trace")
def with_ones_of_its_own():
    """In float32, as the notebook's tensors are: a case in float64 would take its points."""
    output_grad = torch.ones(1, 1)
    hidden_grad = output_grad @ fc2_w
    fc2_b_grad = output_grad[0]
    fc2_w_grad = X @ fc1_w.T + fc1_b
    fc1_b_grad = hidden_grad[0]
    fc1_w_grad = hidden_grad.T @ X


@variant("updated")
def by_add(param, grad, lr):
    return param.add(grad, alpha=-lr)


@variant("updated")
def on_a_copy(param, grad, lr):
    result = param.clone()
    result -= lr * grad
    return result
