"""Other right answers to 09_capstone."""
# ruff: noqa - written as students write, and run in the namespace of the solved notebook

import torch

from grader.course.specimens import variant


@variant("train")
def all_at_once(x, y, hidden, learning_rate, epochs, seed):
    generator = torch.Generator().manual_seed(seed)
    w1 = torch.randn(x.shape[1], hidden, generator=generator) * 0.2
    w2 = torch.randn(hidden, 10, generator=generator) * 0.2
    b1, b2 = torch.zeros(hidden), torch.zeros(10)
    for _ in range(epochs):
        h = torch.relu(x @ w1 + b1)
        g = torch.softmax(h @ w2 + b2, 1)
        g[torch.arange(len(y)), y] -= 1
        g /= len(y)
        h_g = g @ w2.T * (h > 0)
        for p, p_g in ((w2, h.T @ g), (b2, g.sum(0)), (w1, x.T @ h_g), (b1, h_g.sum(0))):
            p -= learning_rate * p_g
    return w1, b1, w2, b2


@variant("predict")
def largest_probability(params, x):
    w1, b1, w2, b2 = params
    return torch.softmax(torch.relu(x @ w1 + b1) @ w2 + b2, dim=-1).max(dim=-1).indices


@variant("predict")
def array_of_classes(params, x):
    return solution(params, x).numpy()
