"""Other right answers to 05_two_layer_network."""
# ruff: noqa - written as students write, and run in the namespace of the solved notebook

import numpy as np
import torch
from torch import nn

from grader.course.specimens import variant


@variant("numpy_grads")
def by_einsum(x, y, w1, w2):
    h = np.einsum("nd,dm->nm", x, w1)
    mask = h > 0
    error = np.einsum("nm,mo->no", h * mask, w2) - y
    grad_h = 2 * np.einsum("no,mo->nm", error, w2) * mask
    return np.sum(error**2), np.einsum("nd,nm->dm", x, grad_h), 2 * np.einsum("nm,no->mo", h * mask, error)


@variant("numpy_grads")
def in_float64(x, y, w1, w2):
    x, y, w1, w2 = (each.astype(np.float64) for each in (x, y, w1, w2))
    h = x.dot(w1)
    a = h.clip(0)
    g = 2 * (a.dot(w2) - y)
    grad = g.dot(w2.T)
    grad[h <= 0] = 0
    return float(((a.dot(w2) - y) ** 2).sum()), x.T.dot(grad), a.T.dot(g)


@variant("numpy_grads")
def sample_by_sample(x, y, w1, w2):
    loss, grad_w1, grad_w2 = 0.0, np.zeros_like(w1), np.zeros_like(w2)
    for xi, yi in zip(x, y, strict=True):
        h = xi @ w1
        a = np.where(h > 0, h, 0)
        error = a @ w2 - yi
        loss += error @ error
        grad_w2 += np.outer(a, 2 * error)
        grad_w1 += np.outer(xi, (2 * w2 @ error) * (h > 0))
    return float(loss), grad_w1, grad_w2


@variant("torch_grads")
def by_einsum_torch(x, y, w1, w2):
    a = torch.relu(torch.einsum("nd,dm->nm", x, w1))
    error = torch.einsum("nm,mo->no", a, w2) - y
    grad_h = 2 * torch.einsum("no,mo->nm", error, w2) * (a > 0)
    grad_w1, grad_w2 = torch.einsum("nd,nm->dm", x, grad_h), 2 * torch.einsum("nm,no->mo", a, error)
    return error.pow(2).sum().item(), grad_w1, grad_w2


@variant("torch_grads")
def by_clamp_and_mask_in_place(x, y, w1, w2):
    h = x.mm(w1)
    a = h.clamp(min=0)
    g = 2.0 * (a.mm(w2) - y)
    grad = g.mm(w2.t())
    grad[h <= 0] = 0
    return [((a.mm(w2) - y) ** 2).sum(), x.t().mm(grad), a.t().mm(g)]


@variant("torch_grads")
def by_numpy_round_trip(x, y, w1, w2):
    loss, *grads = numpy_grads(*(each.numpy() for each in (x, y, w1, w2)))
    return loss, *(torch.from_numpy(np.ascontiguousarray(each)) for each in grads)


@variant("train_by_hand")
def written_out(x, y, w1, w2, learning_rate, steps):
    losses = torch.empty(steps, dtype=x.dtype)
    for step in range(steps):
        h = x @ w1
        a = h * (h > 0)
        error = a @ w2 - y
        losses[step] = (error * error).sum()
        g = 2 * learning_rate * error
        grad_w1 = x.T @ ((g @ w2.T) * (h > 0))
        w2.sub_(a.T @ g)
        w1.sub_(grad_w1)
    return losses


@variant("train_by_hand")
def by_data(x, y, w1, w2, learning_rate, steps):
    losses = []
    for _ in range(steps):
        loss, grad_w1, grad_w2 = torch_grads(x, y, w1, w2)
        w1.data, w2.data = w1.data - learning_rate * grad_w1, w2.data - learning_rate * grad_w2
        losses.append(float(loss))
    return tuple(losses)


@variant("train_with_autograd")
def by_functional_grad(x, y, w1, w2, learning_rate, steps):
    losses = []
    for _ in range(steps):
        loss = torch.square(x.mm(w1).clamp(min=0).mm(w2) - y).sum()
        grads = torch.autograd.grad(loss, (w1, w2))
        for w, grad in zip((w1, w2), grads, strict=True):
            w.data -= learning_rate * grad
        losses.append(loss.detach())
    return losses


@variant("train_with_autograd")
def zeroed_afterwards(x, y, w1, w2, learning_rate, steps):
    losses = []
    for _ in range(steps):
        loss = nn.functional.mse_loss(torch.relu(x @ w1) @ w2, y, reduction="sum")
        loss.backward()
        with torch.no_grad():
            for w in (w1, w2):
                w.add_(w.grad, alpha=-learning_rate)
                w.grad.zero_()
        losses.append(loss.item())
    return losses


@variant("train_module")
def by_sgd(model, x, y, learning_rate, steps):
    return train_with_optimizer(model, torch.optim.SGD(model.parameters(), learning_rate), x, y, steps)


@variant("train_module")
def by_gradients(model, x, y, learning_rate, steps):
    losses = []
    for _ in range(steps):
        loss = ((model(x) - y) ** 2).sum()
        parameters = list(model.parameters())
        for p, grad in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
            p.data = p.data - learning_rate * grad
        losses.append(float(loss))
    return losses


@variant("train_with_optimizer")
def cleared_by_the_model(model, optimizer, x, y, steps):
    criterion, losses = nn.MSELoss(reduction="sum"), []
    for _ in range(steps):
        model.zero_grad(set_to_none=False)
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    return losses


@variant("train_with_optimizer")
def by_closure(model, optimizer, x, y, steps):
    def closure():
        optimizer.zero_grad()
        loss = (model(x) - y).square().sum()
        loss.backward()
        return loss

    return [optimizer.step(closure).item() for _ in range(steps)]
