"""What a notebook will need of torch is guessed from its text."""

from __future__ import annotations

import gc
import time

import pytest

from grader.kernel import warmth

#: A cell → what it needs beyond the basics.
NEEDED = {
    "w.g = inp.T @ out.g": [],
    "loss.backward()": [],
    "loss.backward(upstream)": ["symbolic"],
    "torch.autograd.grad(loss, w)": ["symbolic"],
    "torch.testing.assert_close(a, b)": ["symbolic", "testing"],
    "optimizer = torch.optim.SGD([w], lr=0.1)": ["compiler"],
    "torch.empty(2, device='meta')": ["shapes"],
    "import numpy as np\nfrom torch import nn": [],
    "import transformers": ["shapes"],
}


@pytest.mark.parametrize("source", NEEDED)
def test_need_is_told_by_the_text(source: str) -> None:
    assert warmth.needed(["import torch", source]) == NEEDED[source]


@pytest.mark.parametrize("line", ["\n", "  \n", "import\n", "from \t\n", "\v\n"])
def test_need_of_lines_without_end_is_told_in_no_time(line: str) -> None:
    began = time.process_time()
    assert warmth.needed([line * 100_000, "\timport transformers"]) == ["shapes"]
    assert time.process_time() - began < 5  # it would take a minute, and for ten times as many 100


def test_what_was_brought_once_is_not_brought_again(monkeypatch: pytest.MonkeyPatch) -> None:
    brought: list[str] = []
    monkeypatch.setattr(warmth, "_brought", set())
    monkeypatch.setattr(warmth, "_BRINGERS", {"testing": lambda: brought.append("testing")})
    monkeypatch.setattr(warmth, "_start_alike", lambda: None)
    monkeypatch.setattr(gc, "freeze", lambda: None)

    assert [warmth.warm_up(["testing", "unheard of"]), warmth.warm_up(["testing"])] == [True, False]
    assert brought == ["testing"]
