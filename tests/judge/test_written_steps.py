"""Optimizers and training loops of a few lines that do something else than is asked for: what each is told."""

from __future__ import annotations

import pytest

from tests.judge.answered import answered, assert_not_told, assert_told, assert_unsaid, whole
from tests.judge.test_written_short import LOOP, PLAIN_BUFFER, STEP, STUB, adam, sgd, short

#: A loop that has ``v1`` and ``v2`` before its first step.
HELD = "losses, v1, v2 = [], torch.zeros_like(w1), torch.zeros_like(w2)\n    for t in range(steps):\n        "
BEHIND = "\n        losses.append(loss)\n    return losses"
OWN = """
def train_with_optimizer(model, optimizer, x, y, steps):
    {optimizer}
    losses = []
    for _ in range(steps):
        loss = ((model(x) - y) ** 2).sum()
        optimizer.zero_grad()
        loss.backward()
        {step}
        losses.append(loss.item())
    return losses
"""
RESNET = """
def resnet_step(model, lr, momentum, steps, next_gradients):
    optimizer = SGD({made})
    for _ in range(steps):
        next_gradients(model)
        optimizer.step()
        {behind}
"""
DEFAULT = """
class Adam(solution):
    def __init__(self, params, lr={lr}, *options):
        super().__init__(params, lr, *options)
"""


def loop(step: str) -> str:
    """A ``train_by_hand`` whose steps are ``step``."""
    return LOOP.format(f"{STUB}; losses.append(loss); {step}", "losses")


def held(update: str) -> str:
    """A ``train_by_hand`` that remembers something of the steps before."""
    body = HELD + f"{STUB}; v1, v2 = {update}; w1 -= learning_rate * v1; w2 -= learning_rate * v2" + BEHIND
    return short("train_by_hand", "x, y, w1, w2, learning_rate, steps", body)


def module(update: str, made: str = "pass") -> str:
    """A ``train_module`` whose update of the parameters is ``update``."""
    return (
        f"def train_module(model, x, y, learning_rate, steps):\n    {made}\n    losses = []\n"
        "    for t in range(steps):\n        loss = ((model(x) - y) ** 2).sum()\n        model.zero_grad()\n"
        f"        loss.backward()\n        {update}\n        losses.append(loss.item())\n    return losses"
    )


def own(optimizer: str = "pass", step: str = "optimizer.step()") -> str:
    return OWN.format(optimizer=optimizer, step=step)


def resnet(made: str = "model.parameters(), lr, momentum", behind: str = "pass") -> str:
    return RESNET.format(made=made, behind=behind)


#: Exercise, source, check, what is said, and the code where it is not `wrong_value`.
WRONG: dict[str, tuple[str, ...]] = {
    # ------------------------------------------------------------------------------------------------- training loops
    "momentum": ("train_by_hand", held("0.9 * v1 + g1, 0.9 * v2 + g2"), "w1", "the steps have momentum"),
    "momentum_by_losses": ("train_by_hand", held("0.9 * v1 + g1, 0.9 * v2 + g2"), "result", "the steps have momentum"),
    "running_average": (
        "train_by_hand",
        held("0.9 * v1 + 0.1 * g1, 0.9 * v2 + 0.1 * g2"),
        "w2",
        "a running average of the gradients",
    ),
    "falling_rate": (
        "train_by_hand",
        loop(STEP.replace("learning_rate", "learning_rate / len(losses)")),
        "w1",
        "the learning rate falls from step to step",
    ),
    "weight_decay": (
        "train_by_hand",
        loop("w1 -= learning_rate * (g1 + 0.01 * w1); w2 -= learning_rate * (g2 + 0.01 * w2)"),
        "w1",
        "a part of the weights is added to their gradients",
    ),
    "entries_cut": (
        "train_by_hand",
        loop("w1 -= learning_rate * g1.clamp(-1, 1); w2 -= learning_rate * g2.clamp(-1, 1)"),
        "result",
        "is cut to at most 1",
    ),
    "unit_gradients": (
        "train_by_hand",
        loop("w1 -= learning_rate * g1 / g1.norm(); w2 -= learning_rate * g2 / g2.norm()"),
        "w2",
        "divided by its length",
    ),
    "gradients_cut": (
        "train_with_optimizer",
        own(step="torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0); optimizer.step()"),
        "first",
        "cut to a length of 1",
    ),
    "second_weights_left_out": (
        "train_by_hand",
        loop("w1 -= learning_rate * g1"),
        "w1",
        "the second weights are not updated",
    ),
    "bias_left_out": (
        "train_module",
        module("for p in list(model.parameters())[:-1]: p.data -= learning_rate * p.grad"),
        "result",
        "the bias is not updated",
    ),
    "adam_for_descent": (
        "train_module",
        module("optimizer.step()", "optimizer = torch.optim.Adam(model.parameters(), learning_rate)"),
        "second",
        "the steps are those of `Adam`.",
    ),
    "own_optimizer": (
        "train_with_optimizer",
        own("optimizer = torch.optim.SGD(model.parameters(), optimizer.param_groups[0]['lr'])"),
        "first",
        "the steps are those of `SGD`.",
    ),
    "own_optimizer_and_rate": (
        "train_with_optimizer",
        own("optimizer = torch.optim.Adam(model.parameters(), 1e-3)"),
        "bias",
        "those of `Adam` with a learning rate of 0.001",
    ),
    "tiny_steps": ("train_by_hand", loop(STEP.replace("learning_rate", "1e-6")), "w1", "less than a hundredth"),
    "tiny_steps_by_losses": ("train_by_hand", loop(STEP.replace("learning_rate", "1e-6")), "result", "`w1` moved by"),
    # ----------------------------------------------------------------------------------------------- parameters moved
    "first_row_alone": (
        "sgd_step",
        short("sgd_step", "params, lr", "for p in params: p[0] -= lr * p.g[0]"),
        "p",
        "as before the call in all others",
    ),
    "weights_without_biases": (
        "resnet_step",
        resnet("[p for p in model.parameters() if p.dim() > 1], lr, momentum"),
        "middle",
        "as before the call in all others",
    ),
    "step_of_nine_tenths": (
        "sgd_step",
        short("sgd_step", "params, lr", "for p in params: p -= 0.9 * lr * p.g"),
        "p",
        "moved by 0.9 times",
        "scaled",
    ),
    "generator_used_up": (
        "sgd_step",
        short("sgd_step", "params, lr", "n = len(list(params))\n    for p in params: p -= lr * p.g"),
        "p",
        "differs by: a generator of parameters",
        "not_in_place",
    ),
    "generator_used_up_by_a_question": (
        "sgd_step",
        short(
            "sgd_step", "params, lr", "assert all(p.g is not None for p in params)\n    for p in params: p -= lr * p.g"
        ),
        "q",
        "A generator gives each parameter once",
        "not_in_place",
    ),
    "generator_used_up_by_a_class": (
        "Adam",
        "class Adam(solution):\n    def __init__(self, params, *options):\n"
        "        n = sum(p.numel() for p in params)\n        super().__init__(params, *options)",
        "q",
        "A generator gives each parameter once",
        "not_in_place",
    ),
    "new_tensors_in_every_case": (
        "SGD",
        "class SGD(solution):\n    def step(self):\n        for p in self.params:\n"
        "            if p.g is not None:\n                p = p - self.lr * p.g",
        "both (a parameter without gradient)",
        "has the same values after the call",
        "not_in_place",
    ),
    # ------------------------------------------------------------------------------------------- settings of a ResNet's
    "nesterov": (
        "resnet_step",
        resnet("model.parameters(), lr, momentum, nesterov=True"),
        "first",
        "each step looks ahead",
    ),
    "decay": (
        "resnet_step",
        resnet("model.parameters(), lr, momentum, weight_decay=1e-4"),
        "middle",
        "there is weight decay",
    ),
    "dampening": (
        "resnet_step",
        resnet("model.parameters(), lr, momentum, dampening=momentum"),
        "last",
        "enters the buffer times 1 − momentum",
    ),
    "rate_of_a_schedule": ("resnet_step", resnet(behind="optimizer.lr *= 0.9"), "first", "the learning rate falls"),
    # ------------------------------------------------------------------------------------------------------ optimizers
    "steps_by_two": ("Adam", adam(t="2 * self.steps[i]"), "q", "goes up by two at each step", "bias_correction"),
    "largest_square": (
        "Adam",
        adam(
            v="b2 * old_v + (1 - b2) * g**2; top = self.__dict__.setdefault('top', {}); "
            "top[i] = torch.maximum(top.get(i, v), v)",
            corrected="m / (1 - b1**t), top[i] / (1 - b2**t)",
        ),
        "p (other betas)",
        "as in AMSGrad",
    ),
    "rootless_correction": (
        "Adam",
        adam(corrected="m * (1 - b2**t) / (1 - b1**t), v"),
        "p (all options left out)",
        "the square root is missing around 1 − β₂ᵗ",
        "bias_correction",
    ),
    "rootless_correction_but_for_eps": (
        "Adam",
        adam(corrected="m / (1 - b1**t), (v.sqrt() / (1 - b2**t)) ** 2"),
        "p (a large eps)",
        "the square root is missing around 1 − β₂ᵗ",
        "bias_correction",
    ),
    "corrected_by_defaults": (
        "Adam",
        adam(corrected="m / (1 - 0.9**t), v / (1 - 0.999**t)"),
        "p (other betas)",
        "corrected with 0.9 and 0.999, whatever is given",
        "bias_correction",
    ),
    "corrected_by_a_power": (
        "Adam",
        adam(corrected="m / (1 - b1)**t, v / (1 - b2)**t"),
        "p (other betas)",
        "divided by (1 − β)ᵗ",
        "bias_correction",
    ),
    "old_square_whole": ("Adam", adam(v="old_v + (1 - b2) * g**2"), "p", "kept whole, without the weight β₂"),
    "old_mean_whole": ("Adam", adam(m="old_m + (1 - b1) * g"), "p (a large eps)", "kept whole, without the weight β₁"),
    **{
        f"sum_of_squares_corrected_{check}": ("Adam", adam(v="old_v + g**2"), check, "as in Adagrad")
        for check in ("p", "both (a parameter without gradient)", "p (other betas)", "p (all options left out)")
    },
    "rate_divided_away": (
        "sgd_step",
        short("sgd_step", "params, lr", "for p in params: p -= lr // 1 * p.g"),
        "p",
        "Line 2 divides with `//`",
        "not_in_place",
    ),
    "rate_cut_off": (
        "sgd_step",
        short("sgd_step", "params, lr", "for p in params: p -= int(lr) * p.g"),
        "p",
        "Line 2 takes `int(…)`",
        "not_in_place",
    ),
    "weight_squared": ("Adam", adam(v="b2 * old_v + ((1 - b2) * g)**2"), "p", "((1 − β₂)·g)² for"),
    "eps_behind_the_step": (
        "Adam",
        adam().replace("self.lr * m / (v.sqrt() + self.eps)", "self.lr * m / v.sqrt() + self.eps"),
        "p (a large eps)",
        "there are no parentheses",
    ),
    "eps_without_parentheses": (
        "Adam",
        adam().replace("self.lr * m / (v.sqrt() + self.eps)", "self.lr * m / v.sqrt() + self.eps"),
        "p",
        "as without parentheses",
    ),
    "eps_inside_early": (
        "Adam",
        adam(corrected="m / (1 - b1**t), (v + self.eps) / (1 - b2**t)").replace("v.sqrt() + self.eps", "v.sqrt()"),
        "p (a large eps)",
        "inside of the root, and is divided",
    ),
    "another_default_rate": (
        "Adam",
        DEFAULT.format(lr="3e-4"),
        "p (all options left out)",
        "is 0.0003 where none is given",
        "learning_rate_ignored",
    ),
    "ahead_of_the_gradient": (
        "SGD",
        sgd(buffer=PLAIN_BUFFER.replace("g + self.momentum * self.held[i] if", "self.held[i] + self.momentum * g if")),
        "p (Nesterov)",
        "the buffer plus momentum times the gradient",
        "nesterov",
    ),
    "ahead_of_the_buffer": (
        "SGD",
        sgd(buffer=PLAIN_BUFFER.replace("(g + self.momentum * ", "(self.held[i] + self.momentum * ")),
        "p (Nesterov)",
        "the buffer plus momentum times the buffer",
        "nesterov",
    ),
    "momentum_of_the_gradient": (
        "SGD",
        sgd(buffer=PLAIN_BUFFER.replace("self.momentum * old + (1", "old + self.momentum * (1")),
        "p (momentum)",
        "is multiplied with the new gradient",
    ),
    "momentum_of_both": (
        "SGD",
        sgd(buffer=PLAIN_BUFFER.replace("old + (1 - self.dampening) * g", "(old + (1 - self.dampening) * g)")),
        "p (dampening)",
        "with the new gradient, too",
    ),
    "momentum_subtracted": (
        "SGD",
        sgd(buffer=PLAIN_BUFFER.replace("self.momentum * old", "-self.momentum * old")),
        "p (momentum)",
        "the old buffer is subtracted",
    ),
    "momentum_written_down": (
        "SGD",
        sgd(buffer=PLAIN_BUFFER.replace("self.momentum * old", "0.9 * old")),
        "p (all but Nesterov)",
        "momentum is 0.9 wherever",
    ),
    "dampening_where_there_is_some": (
        "SGD",
        sgd(buffer=PLAIN_BUFFER.replace("(1 - self.dampening)", "(self.dampening or 1)")),
        "p (dampening)",
        "dampening is taken for 1 − dampening",
        "dampening",
    ),
    "last_gradient_alone": (
        "SGD",
        sgd(buffer="self.held[i] = g; p -= self.lr * (g if old is None else g + self.momentum * old)"),
        "r (momentum)",
        "the last gradient alone",
    ),
    # ----------------------------------------------------------------------- another operand, or a part of one too many
    "decay_that_is_not_times_the_parameter": (
        "SGD",
        sgd(buffer=PLAIN_BUFFER).replace("* p, self", ", self"),
        "p (weight decay)",
        "weight decay is added as it is",
        "weight_decay",
    ),
    **{
        f"parameter_for_gradient_{check}": (
            "SGD",
            sgd().replace("p.g + self.weight_decay", "p + self.weight_decay"),
            check,
            "the parameter stands in the place of its gradient",
            "wrong_operand",
        )
        for check in ("p", "p (momentum)")
    },
    "nesterov_subtracted": (
        "SGD",
        sgd(buffer=PLAIN_BUFFER.replace("g + self.momentum * self.held", "g - self.momentum * self.held")),
        "p (Nesterov)",
        "subtracts the buffer",
        "nesterov",
    ),
    "buffer_added_to_itself": (
        "SGD",
        sgd(buffer=PLAIN_BUFFER.replace("self.momentum * old", "old + self.momentum * old")),
        "p (momentum)",
        "the old buffer is kept whole, and momentum times it is added",
    ),
    "step_behind_the_loop": (
        "resnet_step",
        resnet().replace("        optimizer.step()", "    optimizer.step()").replace("        pass", ""),
        "middle",
        "one step alone is taken, with the gradients that come last",
    ),
    **{
        f"adam_with_{name}": ("Adam", adam(**changed), "p", said, code)
        for name, changed, said, code in (
            (
                "powers_in_both",
                {"corrected": "m / b1**t, v / b2**t"},
                "the averages are divided by βᵗ",
                "bias_correction",
            ),
            (
                "a_power_in_the_first",
                {"corrected": "m / b1**t, v / (1 - b2**t)"},
                "the first average is divided by β₁ᵗ",
                "bias_correction",
            ),
            (
                "a_plus_in_the_second",
                {"corrected": "m / (1 - b1**t), v / (1 + b2**t)"},
                "the second average is divided by 1 + β₂ᵗ",
                "bias_correction",
            ),
            (
                "a_mean_added_to_itself",
                {"m": "old_m + b1 * old_m + (1 - b1) * g"},
                "the old first average is kept whole, and β₁ times it is added",
                "wrong_value",
            ),
        )
    },
    **{
        f"loss_of_doubled_differences_{check}": (
            "train_module",
            module("for p in model.parameters(): p.data -= learning_rate * p.grad").replace("** 2", "* 2"),
            check,
            "the loss is twice the sum of the differences",
        )
        for check in ("first", "result")
    },
}
#: Exercise, source, check, and what would be false of it.
OTHER: dict[str, tuple[str, str, str, str]] = {
    "square_of_the_rate_is_no_written_rate": (
        "train_by_hand",
        loop(STEP.replace("learning_rate", "learning_rate**2 / 10")),
        "w1",
        "A number was written",
    ),
    "rate_by_the_parameter_is_no_default": (
        "Adam",
        DEFAULT.format(lr="1e-2") + "\n    def step(self):\n        self.lr *= 1.1\n        super().step()\n",
        "p (all options left out)",
        "where none is given",
    ),
    "momentum_of_another_number_is_not_the_usual_one": (
        "SGD",
        sgd(buffer=PLAIN_BUFFER.replace("self.momentum * old", "0.95 * old")),
        "p (all but Nesterov)",
        "wherever there is any",
    ),
    "half_a_buffer_subtracted_is_not_the_whole": (
        "SGD",
        sgd(buffer=PLAIN_BUFFER.replace("self.momentum * old", "-0.5 * self.momentum * old")),
        "p (momentum)",
        "the old buffer is subtracted",
    ),
    "momentum_of_both_from_the_first_step_is_another": (
        "SGD",
        sgd(buffer=PLAIN_BUFFER.replace("old + (1 - self.dampening) * g", "(old + 2 * (1 - self.dampening) * g)")),
        "p (dampening)",
        "with the new gradient, too",
    ),
    "power_of_the_count_is_none_of_the_rest": (
        "Adam",
        adam(corrected="m / (1 - b1)**(t + 1), v / (1 - b2)**(t + 1)"),
        "p (other betas)",
        "and not by 1 −",
    ),
    **{
        f"square_without_its_weight_is_no_sum_{check}": ("Adam", adam(v="b2 * old_v + g**2"), check, "as in Adagrad")
        for check in ("p", "p (a large eps)", "p (all options left out)")
    },
    "half_an_eps_behind_the_step_is_no_eps_there": (
        "Adam",
        adam().replace("self.lr * m / (v.sqrt() + self.eps)", "self.lr * m / v.sqrt() + self.eps / 2"),
        "p (a large eps)",
        "there are no parentheses",
    ),
    "weight_of_another_power_is_not_its_square": (
        "Adam",
        adam(v="b2 * old_v + (1 - b2)**3 * g**2"),
        "p",
        "((1 − β₂)·g)² for",
    ),
    "parameters_that_no_case_changes_are_not_used_up": (
        "sgd_step",
        short("sgd_step", "params, lr", "for p in params: p = p - lr * p.g"),
        "p",
        "A generator gives each parameter once",
    ),
    "momentum_is_no_matter_of_shapes": (
        "SGD",
        sgd(buffer=PLAIN_BUFFER.replace("self.momentum * old", "-0.5 * self.momentum * old")),
        "p",
        "All other cases are right",
    ),
    "steps_by_three_are_not_by_two": ("Adam", adam(t="3 * self.steps[i]"), "q", "the count of steps"),
    "decay_of_one_alone_is_none_of_both": (
        "train_by_hand",
        loop("w1 -= learning_rate * (g1 + 0.01 * w1); w2 -= learning_rate * (g2 - 0.01 * w2)"),
        "w1",
        "is added to their gradients",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_step_that_is_another_is_told_which_one(name: str) -> None:
    assert_told(*WRONG[name])


@pytest.mark.parametrize("name", OTHER)
def test_neighbour_of_another_step_is_not_called_by_its_name(name: str) -> None:
    assert_not_told(*OTHER[name])


@pytest.mark.parametrize("noted", ["0.9 * losses[-1] + 0.1 * loss if losses else loss", "loss / (len(losses) + 1)"])
def test_losses_alone_that_are_wrong_point_at_the_list(noted: str) -> None:
    found = answered("train_by_hand", LOOP.format(f"{STUB}; losses.append({noted}); {STEP}", "losses"))

    assert "The weights are right at the end" in whole(found["result"])
    assert_unsaid(found["result"], "not at the loss")


def test_losses_that_go_wrong_with_the_weights_point_at_the_steps() -> None:
    found = answered("train_by_hand", loop("w1 -= learning_rate * g1.sin(); w2 -= learning_rate * g2.exp()"))

    assert "look at what step 1 does to the weights" in whole(found["result"])
    assert_unsaid(found["result"], "The weights are right")
