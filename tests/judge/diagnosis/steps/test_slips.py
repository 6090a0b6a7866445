"""Schedules, rates and single slips of optimizers as students write them: what each is told, and others are not."""

from __future__ import annotations

import pytest

from tests.judge.answered import assert_not_told, assert_told
from tests.judge.test_written_short import PLAIN_BUFFER, STEP, adam, sgd
from tests.judge.test_written_steps import loop, resnet

RATED = """
class {name}(solution):
    taken = -1

    def step(self):
        self.taken += 1
        t, rate = self.taken, self.lr
        self.lr = {rate}
        super().step()
        self.lr = rate
"""
OPTIMIZER = """
class {name}(solution):
    def step(self):
        {body}
"""
COSINE = "rate * (1 + math.cos(math.pi * t / 5)) / 2"
#: Steps by the signs of a buffer that is an average.
SIGNS = """
class SGD(solution):
    def step(self):
        for i, p in enumerate(self.params):
            if p.g is None:
                continue
            g, old = p.g + self.weight_decay * p, self.buffers[i]
            if self.momentum:
                self.buffers[i] = g if old is None else self.momentum * old + (1 - self.momentum) * g
                g = {ahead}
            p -= self.lr * g.sign()
"""
SUMS = """
        for p in model.parameters():
            p.g = p.total = p.g + getattr(p, "total", 0)
        optimizer.step()"""
AHEAD = "g + self.momentum * self.buffers[i] if self.nesterov else self.buffers[i]"


def rated(name: str, rate: str) -> str:
    """An optimizer whose learning rate is another at each step ``t``."""
    import_math = "import math\n" if "math" in rate else ""
    return import_math + RATED.format(name=name, rate=rate)


def optimizer(name: str, body: str) -> str:
    return OPTIMIZER.format(name=name, body=body)


#: Exercise, source, check, what is said, and the code where it is not `wrong_value`.
WRONG: dict[str, tuple[str, ...]] = {
    "cosine": ("SGD", rated("SGD", COSINE), "p (momentum)", "falls along a cosine"),
    "cosine_of_adam": ("Adam", rated("Adam", COSINE), "p", "falls along a cosine"),
    "cosine_in_a_loop": (
        "train_by_hand",
        "import math\n"
        + loop(STEP.replace("learning_rate", "learning_rate * (1 + math.cos(math.pi * _ / steps)) / 2")),
        "w1",
        "falls along a cosine",
    ),
    "cosine_of_a_resnet": (
        "resnet_step",
        "import math\n" + resnet(behind="optimizer.lr = lr * (1 + math.cos(math.pi * (_ + 1) / steps)) / 2"),
        "first",
        "falls along a cosine",
    ),
    "evenly": ("Adam", rated("Adam", "rate * (1 - t / 5)"), "q", "falls evenly"),
    "warm_up": ("SGD", rated("SGD", "rate * (t + 1) / 5"), "p (Nesterov)", "grows from step to step"),
    "rate_squared": ("SGD", rated("SGD", "rate**2"), "p (weight decay)", "the square of the learning rate"),
    "rate_rooted": ("Adam", rated("Adam", "rate**0.5"), "p", "the root of the learning rate"),
    "divided_by_the_rate": ("SGD", rated("SGD", "1 / rate"), "q", "the step is divided by the learning rate"),
    "two_steps_with_decay": ("SGD", rated("SGD", "2 * rate"), "p (weight decay)", "moved by 2 times", "scaled"),
    "half_of_the_gradient_with_decay": (
        "SGD",
        sgd(pull="2 * self.weight_decay").replace("self.lr *", "self.lr / 2 *"),
        "p (weight decay)",
        "the gradient is halved",
    ),
    "average_by_its_signs": ("SGD", SIGNS.format(ahead=AHEAD), "p (momentum)", "only the signs of the update are used"),
    "buffer_taken_whole": (
        "SGD",
        sgd(buffer=PLAIN_BUFFER.replace("self.momentum * old +", "old +")),
        "p (dampening)",
        "the old buffer is taken whole",
    ),
    "buffer_dampened": (
        "SGD",
        sgd(buffer=PLAIN_BUFFER.replace("self.momentum * old +", "(1 - self.dampening) * self.momentum * old +")),
        "q (dampening)",
        "the old buffer included",
        "dampening",
    ),
    "dampening_added": (
        "SGD",
        sgd(buffer=PLAIN_BUFFER.replace("1 - self", "1 + self")),
        "p (all but Nesterov)",
        "added to 1",
        "dampening",
    ),
    "decay_behind_the_step": (
        "SGD",
        optimizer(
            "SGD",
            "decay, self.weight_decay = self.weight_decay, 0\n        super().step()\n"
            "        for p in self.params:\n            if p.g is not None: p -= self.lr * decay * p\n"
            "        self.weight_decay = decay",
        ),
        "p (weight decay)",
        "outside of the gradient",
        "weight_decay",
    ),
    "penalty_for_its_derivative": (
        "SGD",
        sgd(pull="self.weight_decay / 2 * p"),
        "p (weight decay)",
        "half of the squares",
        "weight_decay",
    ),
    "penalty_as_one_number": (
        "SGD",
        sgd(pull="self.weight_decay * (p**2).sum() / p"),
        "p (weight decay)",
        "one number for all entries",
        "weight_decay",
    ),
    "square_never_updated": ("Adam", adam(v="old_v"), "p", "never updated, and stays 0"),
    "square_of_the_step_before": (
        "Adam",
        adam(corrected="m / (1 - b1**t), old_v / (1 - b2**t)"),
        "q",
        "the second average of the step before",
    ),
    "mean_of_the_step_before": (
        "Adam",
        adam(corrected="old_m / (1 - b1**t), v / (1 - b2**t)"),
        "p (other betas)",
        "the first average of the step before",
    ),
    "averages_of_ones": (
        "Adam",
        adam(m="b1 * (old_m + (t == 1)) + (1 - b1) * g", v="b2 * (old_v + (t == 1)) + (1 - b2) * g**2"),
        "p",
        "both averages start at 1",
    ),
    "square_of_ones": (
        "Adam",
        adam(v="b2 * (old_v + (t == 1)) + (1 - b2) * g**2"),
        "p",
        "the second average starts at 1",
    ),
    "mean_alone_uncorrected": (
        "Adam",
        optimizer(
            "Adam",
            "for i, p in enumerate(self.params):\n            if p.g is not None:\n"
            "                self.means[i] = self.betas[0] * self.means[i] + (1 - self.betas[0]) * p.g\n"
            "                p -= self.lr * self.means[i]",
        ),
        "p",
        "and the step is the first average alone",
    ),
    "nothing_moves": (
        "Adam",
        optimizer("Adam", "for p in self.params: p = p if p.g is None else p - self.lr * p.g"),
        "both (a parameter without gradient)",
        "the same values after the call",
        "not_in_place",
    ),
    "gradients_added_up": (
        "resnet_step",
        resnet().replace("        optimizer.step()", SUMS),
        "last",
        "gradients of all steps so far are added up",
    ),
}
#: Exercise, source, check, and what would be false of it.
OTHER: dict[str, tuple[str, str, str, str]] = {
    "falling_by_a_sine_is_no_cosine": ("SGD", rated("SGD", "rate * (1 - math.sin(math.pi * t / 10))"), "p", "cosine"),
    "warm_up_by_halves": ("Adam", rated("Adam", "rate * min(1, (t + 1) / 2)"), "p", "as in a warm-up"),
    "third_power_of_the_rate": ("SGD", rated("SGD", "10 * rate**3"), "p", "of the learning rate stands"),
    "signs_of_the_buffer_alone_are_no_average": (
        "SGD",
        SIGNS.format(ahead=AHEAD).replace("(1 - self.momentum) * g", "g"),
        "p (momentum)",
        "1 − momentum",
    ),
    "copied_model_takes_steps": (
        "resnet_step",
        "import copy\n" + resnet().replace("    optimizer = ", "    model = copy.deepcopy(model)\n    optimizer = ", 1),
        "first",
        "No step was taken",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_slip_is_told_what_it_is(name: str) -> None:
    assert_told(*WRONG[name])


@pytest.mark.parametrize("name", OTHER)
def test_neighbour_of_a_slip_is_not_called_by_its_name(name: str) -> None:
    assert_not_told(*OTHER[name])
