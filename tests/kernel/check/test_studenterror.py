"""Where an exception of student code was raised, and which tensors met there."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from grader.kernel.check import studenterror

FILE = studenterror.code_name(3)


def operands(source: str) -> list[str]:
    """The operands that are told of the exception that ``solve`` of ``source`` raises."""
    space: dict[str, Any] = {"out": torch.ones(50, 1), "torch": torch}
    studenterror.remember(FILE, source)
    exec(compile(source, FILE, "exec"), space)
    with pytest.raises(RuntimeError) as raised:
        space["solve"](torch.ones(3, 2), torch.ones(3, 5))
    told: list[str] = studenterror.described(raised.value)["operands"]
    return told


@pytest.mark.parametrize(
    "line",
    [
        "return inp @ out",
        "return [row + out for row in inp]",
        "return list(row + out for row in inp)",
        "return [[entry + inp + out for entry in row] for row in inp]",
        "return (lambda one: one @ out)(inp)",
    ],
)
def test_operands_are_the_functions_own_though_a_global_has_the_name(line: str) -> None:
    found = operands(f"def solve(inp, out):\n    {line}")

    assert "out (3, 5)" in found
    assert "out (50, 1)" not in found


def test_global_that_the_function_reads_is_an_operand() -> None:
    assert "out (50, 1)" in operands("def solve(inp, other):\n    return inp @ out")


def test_name_that_no_code_of_the_line_knows_is_no_operand() -> None:
    source = "double = lambda value: value @ value; named = 'of out'\ndef solve(inp, other):\n    return double(inp)"

    assert operands(source) == ["value (3, 2)"]
