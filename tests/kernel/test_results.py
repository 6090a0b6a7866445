"""What is read twice is read once, unless it was raised elsewhere."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import torch

from grader.kernel import exchange, memfiles
from grader.kernel.results import Reader
from grader.model import CaseRun, Program

PROGRAM = Program("x", "f(x)", {"x": torch.ones(2)}, reads=("x.g",))
RETURNED = {"ended": "returned", "error": None, "errors": {}, "captures": {"x.g": ["tensor", "", ""]}, "printed": ""}


def read(
    reader: Reader, outcome: Mapping[str, Any], value: float = 1.0, program: Program = PROGRAM, cell: int | None = 7
) -> CaseRun:
    data = exchange.encode({"c:x.g": torch.full((2,), value)}, {"autograd": None, **outcome})
    slate = memfiles.slate(len(data))
    try:
        os.pwrite(slate, data, 0)
        return reader.read(slate, {"ended": "done", "at": 0, "length": len(data)}, program, lambda request: cell)[0]
    finally:
        os.close(slate)


def test_the_same_bytes_of_the_same_program_are_the_same_run() -> None:
    reader = Reader()
    first = read(reader, RETURNED)
    assert first.ended == "returned"
    assert read(reader, RETURNED) is first
    assert read(reader, RETURNED, value=2.0) is not first
    assert read(reader, {**RETURNED, "printed": "x"}) is not first
    other = Program("y", "f(x)", {"x": torch.ones(2)}, reads=("x.g",))
    assert read(reader, RETURNED, program=other).case == "y"


def test_an_exception_is_read_anew_where_its_cell_is_another() -> None:
    reader = Reader()
    error = {"type": "ValueError", "message": "", "bases": [], "request": 1, "line": 1, "code": "x", "operands": []}
    raised = {**RETURNED, "ended": "raised", "error": error}
    first = read(reader, raised)
    assert first.error is not None
    assert (first.error.cell, first.error.code) == (7, "x")
    assert read(reader, raised) is first
    for cell, code in ((8, "x"), (None, "")):
        other = read(reader, raised, cell=cell)
        assert other.error is not None
        assert (other.error.cell, other.error.code) == (cell, code)
        assert read(reader, raised, cell=cell) is other


def test_the_name_that_was_missed_is_told_each_time() -> None:
    reader = Reader()
    error = {"type": "NameError", "message": "", "bases": [], "request": 1, "line": 1, "code": "", "operands": []}
    data = exchange.encode({}, {**RETURNED, "ended": "raised", "error": {**error, "name": "help"}, "captures": {}})
    program = Program("x", "f(x)", {}, reads=())
    slate = memfiles.slate(len(data))
    run = {"ended": "done", "at": 0, "length": len(data)}
    try:
        os.pwrite(slate, data, 0)
        assert [reader.read(slate, run, program, lambda request: 7)[1] for _ in range(2)] == ["help", "help"]
    finally:
        os.close(slate)


def test_what_is_kept_is_bounded(monkeypatch: Any) -> None:
    monkeypatch.setattr("grader.kernel.results._MOST", 3)
    reader = Reader()
    runs = [read(reader, RETURNED, value=float(n)) for n in range(5)]
    assert len(reader._known) == 3
    assert read(reader, RETURNED, value=4.0) is runs[4]
    assert read(reader, RETURNED, value=0.0) is not runs[0]


def test_no_address_in_memory_is_told() -> None:
    error = {"type": "ValueError", "message": "<object at 0x7f01c0a8d5f0>", "bases": [], "request": 1, "line": 1}
    raised = {**RETURNED, "ended": "raised", "error": {**error, "code": "x", "operands": []}}
    told = read(Reader(), raised).error
    assert told is not None
    assert told.message == "<object at 0x…>"
