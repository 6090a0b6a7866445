"""What is read off a stub's lines of gradients: what they add to, write in part and read."""

from __future__ import annotations

import pytest

from grader.judge.diagnosis.gradient_lines import may_add, may_read_gradient, reads_gradient, writes_in_part
from grader.model import Stub


def stub(source: str) -> Stub:
    return Stub("lin_grad", 4, 1, source, "metadata")


@pytest.mark.parametrize(
    ("line", "read"),
    [
        ("b.g = w.g.sum(0)", True),
        ("self.b.g = self.w.g.sum(0)", True),
        ("b.g = out.sum(0)", False),
        ("self.b.g = self.out.g.sum(0)", False),
        ("inp.g = w.g.sum(0)", False),
        ("b.g += w.g.sum(0)", False),
        ("b.g[0] += w.g[0]", False),
        ("b.g = b.g + w.g", False),
        ("b.g = (out > 0) * b.g", True),
        ("b.g = w.g; b.g.add_(1)", False),
        ("b.g = (", False),
        ("b.g = (" + "-" * 2000 + "x).g", True),
        ("b[" + "+".join("1" * 800) + "].g = w.g", False),
    ],
)
def test_gradient_read_before_it_is_written(line, read):
    assert reads_gradient(stub(line), "b.g") is read


@pytest.mark.parametrize(
    ("line", "adds"),
    [
        ("for t, g in ((w, dw), (b, db)): t.g = t.g + g", True),
        ("for t, g in ((w, dw), (b, db)): t.g = t.g + g if hasattr(t, 'g') else g", True),
        ("for t, g in ((w, dw), (b, db)): t.g = getattr(t, 'g', 0) + g", True),
        ("for t, g in ((w, dw), (b, db)): setattr(t, 'g', t.g + g)", True),
        ("self.w.g = self.w.g + dw", True),
        ("self.sum = self.sum + dw; self.w.g = self.sum", True),
        ("setattr(w, 'g', out.g * 2)", False),
        ("d = out.g @ k; p = torch.exp(q.g); n = 0; d *= 2; p[0] -= 1; n += 1; w.g = d", False),
        ("d = out.g @ k; d = w.g; d += 1", True),
        ("w.g[0] = w.g[0] + 1", True),
        ("w.g = b.g.T", False),
        ("w.g = dw.exp()", False),
        ("f(x).g = f(x).g + 1", False),
        (
            "def __init__(self, w):\n    self.w.g = torch.zeros_like(w)\ndef backward(self):\n    self.w.g += self.dw",
            True,
        ),
    ],
)
def test_line_that_adds_to_what_stood_there_by_another_name(line, adds):
    assert may_add(stub(line)) is adds


@pytest.mark.parametrize(
    ("line", "read"),
    [
        ("w.g = b.g.T", True),
        ("g = getattr(b, 'g')", True),
        ("write(w, dw)", True),
        ("write = lambda x: x.T\nw.g = write(dw)", False),
        ("def write(x):\n    return b.g @ x\nw.g = write(dw)", True),
        ("w.g = self.out.g * float(len(x))", False),
        ("w.g = y.g.exp()", False),
    ],
)
def test_gradient_that_may_be_read_besides_those_given(line, read):
    assert may_read_gradient(stub(line), {"y.g"}) is read


@pytest.mark.parametrize(
    ("line", "in_part"),
    [("inp.g[inp > 0] = 1", True), ("inp.g = out.g[0]", False), ("x[0] = 1", False), ("inp.g[", False)],
)
def test_gradient_written_in_part(line, in_part):
    assert writes_in_part(stub(line)) is in_part


def test_no_stub_says_nothing():
    assert not reads_gradient(None, "b.g")
    assert not writes_in_part(None)
