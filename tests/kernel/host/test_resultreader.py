"""What is read twice is read once, unless it was raised elsewhere."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from grader.kernel.host.resultreader import Reader
from grader.kernel.protocol import exchange, memfiles
from grader.kernel.protocol.messages import ProgramDone
from grader.model import CaseRun, Program

PROGRAM = Program("x", "f(x)", {"x": torch.ones(2)}, reads=("x.g",))
RETURNED = {"ended": "returned", "error": None, "errors": {}, "captures": {"x.g": ["tensor", "", ""]}, "printed": ""}


def read(
    reader: Reader, outcome: Mapping[str, Any], value: float = 1.0, program: Program = PROGRAM, cell: int | None = 7
) -> CaseRun:
    data = exchange.encode({"c:x.g": torch.full((2,), value)}, {"autograd": None, **outcome})
    result_file = memfiles.writable(len(data))
    try:
        os.pwrite(result_file, data, 0)
        return reader.read(result_file, {"ended": "done", "at": 0, "length": len(data)}, program, lambda request: cell)[
            0
        ]
    finally:
        os.close(result_file)


def test_the_same_bytes_of_the_same_program_are_the_same_run() -> None:
    reader = Reader()
    first = read(reader, RETURNED)
    assert first.ended == "returned"
    assert read(reader, RETURNED) is first
    assert read(reader, RETURNED, value=2.0) is not first
    assert read(reader, {**RETURNED, "printed": "x"}) is not first
    other = Program("y", "f(x)", {"x": torch.ones(2)}, reads=("x.g",))
    assert read(reader, RETURNED, program=other).case == "y"
    # A case of another exercise may be called alike; what it reads was not sent.
    elsewhere = Program("x", "g(x)", {"x": torch.ones(2)}, reads=("y.g",))
    assert read(reader, RETURNED, program=elsewhere).ended == "crashed"


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
    result_file = memfiles.writable(len(data))
    run: ProgramDone = {"ended": "done", "at": 0, "length": len(data)}
    try:
        os.pwrite(result_file, data, 0)
        assert [reader.read(result_file, run, program, lambda request: 7)[1] for _ in range(2)] == ["help", "help"]
    finally:
        os.close(result_file)


def test_what_is_kept_is_bounded(monkeypatch: Any) -> None:
    monkeypatch.setattr("grader.kernel.host.resultreader._MOST", 3)
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


@pytest.mark.parametrize(
    ("told", "ended", "message"),
    [
        ({"ended": "timed_out", "how": ""}, "timed_out", None),
        ({"ended": "crashed", "how": "signal 11"}, "crashed", "the process ended during the call (signal 11)"),
        ({"ended": "crashed", "how": "exit code 1", "limit": "open files"}, "crashed", "open files"),
        ({"ended": "done", "at": 0, "length": 10**9}, "crashed", "no result"),
    ],
)
def test_process_that_gave_no_result_has_ended_as_its_init_says(
    told: Any, ended: str, message: str | None, tmp_path: Path
) -> None:
    (tmp_path / "result_file").write_bytes(b"x" * 8)
    result_file = os.open(tmp_path / "result_file", os.O_RDONLY)
    run, missed = Reader().read(result_file, told, PROGRAM, lambda request: 7)
    os.close(result_file)
    assert (run.case, run.ended, run.captures, missed) == ("x", ended, {}, None)
    assert (run.error is None) == (message is None)
    assert run.error is None or str(message) in run.error.message


def test_a_process_that_ran_into_a_trap_used_autograd() -> None:
    run, missed = Reader().read(-1, {"ended": "trapped", "how": "the autograd engine"}, PROGRAM, lambda request: 7)
    assert (run.ended, run.autograd, run.captures, missed) == ("crashed", "the autograd engine", {}, None)


def test_large_results_are_read_each_time() -> None:
    reader = Reader()
    wordy = {**RETURNED, "printed": "x" * 9000}
    assert read(reader, wordy) is not read(reader, wordy)
    assert len(reader._known) == 0
