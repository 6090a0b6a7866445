"""Wrong answers to 05_two_layer_network, each with the diagnosis that it must get."""
# ruff: noqa - written as students write, and run in the namespace of the solved notebook

import numpy as np
import torch

from grader.course.specimens import mistake


@mistake("numpy_grads", "mask_at_zero")
def mask_lets_zero_through(x, y, w1, w2):
    h = x @ w1
    a = np.maximum(h, 0)
    g = 2 * (a @ w2 - y)
    return float(np.square(a @ w2 - y).sum()), x.T @ (g @ w2.T * (h >= 0)), a.T @ g


@mistake("numpy_grads", "mask_missing")
def mask_forgotten(x, y, w1, w2):
    a = np.maximum(x @ w1, 0)
    g = 2 * (a @ w2 - y)
    return float(np.square(a @ w2 - y).sum()), x.T @ (g @ w2.T), a.T @ g


@mistake("numpy_grads", "missing_factor_two")
def no_two_in_numpy(x, y, w1, w2):
    loss, grad_w1, grad_w2 = solution(x, y, w1, w2)
    return loss, grad_w1 / 2, grad_w2 / 2


@mistake("numpy_grads", "averaged_instead_of_summed")
def mean_for_sum(x, y, w1, w2):
    loss, grad_w1, grad_w2 = solution(x, y, w1, w2)
    return loss / y.size, grad_w1 / y.size, grad_w2 / y.size


@mistake("numpy_grads", "input_modified")
def relu_in_place_of_the_targets(x, y, w1, w2):
    a = np.maximum(x @ w1, 0)
    g = np.subtract(a @ w2, y, out=y)
    return float(np.square(g).sum()), x.T @ (2 * g @ w2.T * (a > 0)), a.T @ (2 * g)


@mistake("torch_grads", "mask_at_zero")
def mask_lets_zero_through_torch(x, y, w1, w2):
    h = x @ w1
    a = h.clamp_min(0)
    g = 2 * (a @ w2 - y)
    return (a @ w2 - y).pow(2).sum(), x.T @ (g @ w2.T * (h >= 0)), a.T @ g


@mistake("torch_grads", "wrong_operand")
def hidden_without_relu(x, y, w1, w2):
    h = x @ w1
    a = torch.relu(h)
    g = 2 * (a @ w2 - y)
    return (a @ w2 - y).pow(2).sum(), x.T @ (g @ w2.T * (h > 0)), h.T @ g


@mistake("torch_grads", "transposed")
def gradients_transposed(x, y, w1, w2):
    loss, grad_w1, grad_w2 = solution(x, y, w1, w2)
    return loss, grad_w1.T, grad_w2.T


@mistake("torch_grads", "missing_factor_two")
def no_two_in_torch(x, y, w1, w2):
    loss, grad_w1, grad_w2 = solution(x, y, w1, w2)
    return loss, grad_w1 / 2, grad_w2 / 2


@mistake("numpy_grads", "not_a_tensor")
def tensors_in_place_of_arrays(x, y, w1, w2):
    return torch_grads(*map(torch.tensor, (x, y, w1, w2)))


@mistake("train_by_hand", "not_in_place")
def new_weights(x, y, w1, w2, learning_rate, steps):
    losses = []
    for _ in range(steps):
        loss, grad_w1, grad_w2 = torch_grads(x, y, w1, w2)
        w1 = w1 - learning_rate * grad_w1
        w2 = w2 - learning_rate * grad_w2
        losses.append(loss)
    return losses


@mistake("train_by_hand", "ascent")
def uphill(x, y, w1, w2, learning_rate, steps):
    return solution(x, y, w1, w2, -learning_rate, steps)


@mistake("train_by_hand", "learning_rate_ignored")
def rate_of_its_own(x, y, w1, w2, learning_rate, steps):
    return solution(x, y, w1, w2, 1e-3, steps)


@mistake("train_by_hand", "wrong_value")
def losses_after_the_update(x, y, w1, w2, learning_rate, steps):
    losses = solution(x, y, w1, w2, learning_rate, steps)
    return [*losses[1:], torch_grads(x, y, w1, w2)[0]]


@mistake("train_by_hand", "wrong_value")
def second_gradient_from_updated_weights(x, y, w1, w2, learning_rate, steps):
    losses = []
    for _ in range(steps):
        loss, grad_w1, _ = torch_grads(x, y, w1, w2)
        w1 -= learning_rate * grad_w1
        w2 -= learning_rate * torch_grads(x, y, w1, w2)[2]
        losses.append(loss)
    return losses


@mistake("train_by_hand", "mask_at_zero")
def lets_zero_through(x, y, w1, w2, learning_rate, steps):
    losses = []
    for _ in range(steps):
        h = x @ w1
        error = h.clamp(min=0) @ w2 - y
        grad_w1 = x.T @ ((2 * error @ w2.T) * (h >= 0))
        w2 -= learning_rate * h.clamp(min=0).T @ (2 * error)
        w1 -= learning_rate * grad_w1
        losses.append((error**2).sum())
    return losses


@mistake("train_by_hand", "wrong_shape")
def five_steps_always(x, y, w1, w2, learning_rate, steps):
    return solution(x, y, w1, w2, learning_rate, 5)


@mistake("train_by_hand", "wrong_value")
def row_by_row(x, y, w1, w2, learning_rate, steps):
    losses = []
    for _ in range(steps):
        total = 0.0
        for i in range(len(x)):
            loss, grad_w1, grad_w2 = torch_grads(x[i : i + 1], y[i : i + 1], w1, w2)
            w1 -= learning_rate * grad_w1
            w2 -= learning_rate * grad_w2
            total += loss
        losses.append(total)
    return losses


@mistake("train_with_optimizer", "wrong_value")
def gradients_clipped(model, optimizer, x, y, steps):
    losses = []
    for _ in range(steps):
        loss = (model(x) - y).pow(2).sum()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        losses.append(loss.item())
    return losses


@mistake("train_with_optimizer", "accumulated")
def cleared_behind_the_step(model, optimizer, x, y, steps):
    losses = []
    for _ in range(steps):
        loss = (model(x) - y).pow(2).sum()
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    return losses


@mistake("train_with_autograd", "accumulated")
def never_cleared(x, y, w1, w2, learning_rate, steps):
    losses = []
    for _ in range(steps):
        loss = (torch.relu(x @ w1) @ w2 - y).pow(2).sum()
        loss.backward()
        with torch.no_grad():
            w1 -= learning_rate * w1.grad
            w2 -= learning_rate * w2.grad
        losses.append(loss.item())
    return losses


@mistake("train_with_autograd", "not_in_place")
def leaves_replaced(x, y, w1, w2, learning_rate, steps):
    losses = []
    for _ in range(steps):
        loss = (torch.relu(x @ w1) @ w2 - y).pow(2).sum()
        grad_w1, grad_w2 = torch.autograd.grad(loss, (w1, w2))
        w1 = (w1 - learning_rate * grad_w1).detach().requires_grad_()
        w2 = (w2 - learning_rate * grad_w2).detach().requires_grad_()
        losses.append(loss.item())
    return losses


@mistake("train_with_autograd", "averaged_instead_of_summed")
def mean_loss(x, y, w1, w2, learning_rate, steps):
    losses = []
    for _ in range(steps):
        loss = (torch.relu(x @ w1) @ w2 - y).pow(2).mean()
        w1.grad = w2.grad = None
        loss.backward()
        with torch.no_grad():
            w1 -= learning_rate * w1.grad
            w2 -= learning_rate * w2.grad
        losses.append(loss.item())
    return losses


def _loop(model, x, y, steps, before, update):
    losses = []
    for step in range(steps):
        loss = torch.nn.MSELoss(reduction="sum")(model(x), y)
        before(step)
        loss.backward()
        with torch.no_grad():
            update(step)
        losses.append(loss.item())
    return losses


def _descend(model, rate):
    for p in model.parameters():
        p -= rate * p.grad


@mistake("train_module", "accumulated")
def gradients_added_up(model, x, y, learning_rate, steps):
    model.zero_grad()
    return _loop(model, x, y, steps, lambda step: None, lambda step: _descend(model, learning_rate))


@mistake("train_module", "accumulated")
def left_over_gradients_kept(model, x, y, learning_rate, steps):
    def update(step):
        _descend(model, learning_rate)
        model.zero_grad()

    return _loop(model, x, y, steps, lambda step: None, update)


@mistake("train_module", "wrong_value")
def first_layer_only(model, x, y, learning_rate, steps):
    def update(step):
        model[0].weight -= learning_rate * model[0].weight.grad

    return _loop(model, x, y, steps, lambda step: model.zero_grad(), update)


@mistake("train_module", "raised")
def layers_by_their_places(model, x, y, learning_rate, steps):
    def update(step):
        for p in (model[0].weight, model[2].weight, model[2].bias):
            p -= learning_rate * p.grad

    return _loop(model, x, y, steps, lambda step: model.zero_grad(), update)


@mistake("train_module", "not_in_place")
def parameters_replaced(model, x, y, learning_rate, steps):
    def update(step):
        for layer in (model[0], model[2]):
            for name, p in list(layer.named_parameters()):
                setattr(layer, name, torch.nn.Parameter(p - learning_rate * p.grad))

    return _loop(model, x, y, steps, lambda step: model.zero_grad(), update)


@mistake("train_module", "ascent")
def uphill_module(model, x, y, learning_rate, steps):
    return _loop(model, x, y, steps, lambda step: model.zero_grad(), lambda step: _descend(model, -learning_rate))


@mistake("train_with_optimizer", "accumulated")
def optimizer_never_cleared(model, optimizer, x, y, steps):
    optimizer.zero_grad()
    return _loop(model, x, y, steps, lambda step: None, lambda step: optimizer.step())


@mistake("train_with_optimizer", "wrong_value")
def own_sgd(model, optimizer, x, y, steps):
    rate = optimizer.param_groups[0]["lr"]
    return _loop(model, x, y, steps, lambda step: optimizer.zero_grad(), lambda step: _descend(model, rate))


@mistake("train_with_optimizer", "wrong_value")
def another_of_its_kind(model, optimizer, x, y, steps):
    other = type(optimizer)(model.parameters(), lr=optimizer.param_groups[0]["lr"])
    return _loop(model, x, y, steps, lambda step: other.zero_grad(), lambda step: other.step())


@mistake("train_with_optimizer", "stale")
def one_step_too_few(model, optimizer, x, y, steps):
    def update(step):
        if step < steps - 1:
            optimizer.step()

    return _loop(model, x, y, steps, lambda step: optimizer.zero_grad(), update)


@mistake("train_with_optimizer", "averaged_instead_of_summed")
def mean_reduction(model, optimizer, x, y, steps):
    losses = []
    for _ in range(steps):
        loss = torch.nn.MSELoss()(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item() * y.numel())
    return losses


@mistake("numpy_grads", "wrong_value")
def errors_not_squared(x, y, w1, w2):
    _, grad_w1, grad_w2 = solution(x, y, w1, w2)
    return float((np.maximum(x @ w1, 0) @ w2 - y).sum()), grad_w1, grad_w2


@mistake("torch_grads", "wrong_operand")
def gradient_in_place_of_the_weights(x, y, w1, w2):
    h = x @ w1
    a = torch.relu(h)
    g = 2 * (a @ w2 - y)
    grad_w2 = a.T @ g
    return (a @ w2 - y).pow(2).sum(), x.T @ (g @ grad_w2.T * (h > 0)), grad_w2


@mistake("torch_grads", "wrong_value")
def weights_after_a_step(x, y, w1, w2):
    loss, grad_w1, grad_w2 = solution(x, y, w1, w2)
    return loss, w1 - 0.01 * grad_w1, w2 - 0.01 * grad_w2


@mistake("train_by_hand", "wrong_value")
def second_update_goes_up(x, y, w1, w2, learning_rate, steps):
    losses = []
    for _ in range(steps):
        loss, grad_w1, grad_w2 = torch_grads(x, y, w1, w2)
        w1 -= learning_rate * grad_w1
        w2 += learning_rate * grad_w2
        losses.append(loss)
    return losses


@mistake("train_by_hand", "accumulated")
def gradients_summed_by_hand(x, y, w1, w2, learning_rate, steps):
    losses, sum_w1, sum_w2 = [], 0, 0
    for _ in range(steps):
        loss, grad_w1, grad_w2 = torch_grads(x, y, w1, w2)
        sum_w1, sum_w2 = sum_w1 + grad_w1, sum_w2 + grad_w2
        w1 -= learning_rate * sum_w1
        w2 -= learning_rate * sum_w2
        losses.append(loss)
    return losses


@mistake("train_by_hand", "not_in_place")
def updates_that_are_not_kept(x, y, w1, w2, learning_rate, steps):
    losses = []
    for _ in range(steps):
        loss, grad_w1, grad_w2 = torch_grads(x, y, w1, w2)
        w1.sub(learning_rate * grad_w1)
        w2.sub(learning_rate * grad_w2)
        losses.append(loss)
    return losses


@mistake("train_with_autograd", "averaged_instead_of_summed")
def mean_over_the_outputs(x, y, w1, w2, learning_rate, steps):
    losses = []
    for _ in range(steps):
        loss = (torch.relu(x @ w1) @ w2 - y).pow(2).sum(0).mean()
        w1.grad = w2.grad = None
        loss.backward()
        with torch.no_grad():
            w1 -= learning_rate * w1.grad
            w2 -= learning_rate * w2.grad
        losses.append(loss.item())
    return losses


@mistake("train_module", "wrong_value")
def root_of_the_loss(model, x, y, learning_rate, steps):
    losses = []
    for _ in range(steps):
        loss = torch.nn.MSELoss(reduction="sum")(model(x), y).sqrt()
        model.zero_grad()
        loss.backward()
        with torch.no_grad():
            _descend(model, learning_rate)
        losses.append(loss.item())
    return losses


@mistake("train_with_optimizer", "not_in_place")
def step_that_is_not_called(model, optimizer, x, y, steps):
    return _loop(model, x, y, steps, lambda step: optimizer.zero_grad(), lambda step: optimizer.step)


@mistake("train_by_hand", "wrong_value")
def stops_where_the_loss_rises(x, y, w1, w2, learning_rate, steps):
    losses = []
    for _ in range(steps):
        loss, grad_w1, grad_w2 = torch_grads(x, y, w1, w2)
        losses.append(loss)
        if len(losses) > 1 and losses[-1] > losses[-2]:
            break
        w1 -= learning_rate * grad_w1
        w2 -= learning_rate * grad_w2
    return losses
