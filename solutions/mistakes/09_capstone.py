"""Wrong answers to 09_capstone, each with the diagnosis that it must get."""
# ruff: noqa - written as students write, and run in the namespace of the solved notebook

import torch

from grader.course.specimens import mistake


@mistake("train", "wrong_value")
def never_trained(x, y, hidden, learning_rate, epochs, seed):
    return solution(x, y, hidden, learning_rate, 0, seed)


@mistake("train", "wrong_value")
def uphill(x, y, hidden, learning_rate, epochs, seed):
    return solution(x, y, hidden, -learning_rate, 3, seed)


@mistake("train", "wrong_value")
def digits_from_elsewhere(x, y, hidden, learning_rate, epochs, seed):
    return solution(*load_digits(), hidden, learning_rate, 20, seed)


@mistake("predict", "wrong_dtype")
def logits_for_classes(params, x):
    w1, b1, w2, b2 = params
    return (torch.relu(x @ w1 + b1) @ w2 + b2).max(1).values


@mistake("predict", "wrong_value")
def normalised_over_the_batch(params, x):
    return solution(params, x - x.mean(0))


@mistake("predict", "wrong_value")
def array_normalised_over_the_batch(params, x):
    return solution(params, x - x.mean(0)).numpy()


@mistake("predict", "not_a_tensor")
def list_of_classes(params, x):
    return solution(params, x).tolist()


@mistake("predict", "wrong_value")
def always_zero(params, x):
    return torch.zeros(len(x), dtype=torch.int64)


@mistake("predict", "wrong_shape")
def column(params, x):
    return solution(params, x)[:, None]
