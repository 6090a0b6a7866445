"""What the harness reads of a program."""

from __future__ import annotations

import torch

from grader.kernel.protocol.programs import described
from grader.model import Program


def test_call_has_the_inputs_that_are_no_globals_as_its_parameters() -> None:
    tensors = {"w": torch.ones(2), "w.g": torch.ones(2), "decay": torch.ones(())}
    step = Program("case", "sgd_step(w, lr)", tensors, {"lr": 0.1, "n": 3}, globals=("decay", "n"))
    assert described(step)["parameters"] == ["w", "lr"]
