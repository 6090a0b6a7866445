"""What is read twice is read once, unless it was raised elsewhere."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from grader.kernel.host.results import Reader, parsed
from grader.kernel.protocol import exchange, memfiles
from grader.kernel.protocol.messages import ProgramDone
from grader.model import CaseRun, Program, StudentError
from tests.kernel.laboratory import captured

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
    monkeypatch.setattr("grader.kernel.host.results._MOST", 3)
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


ERROR = {"type": "ValueError", "message": "m", "bases": ["Exception"], "request": 1, "line": 3, "code": "c",
         "operands": ["w (2,)"]}  # fmt: skip
TENSORS = {"c:x.g": torch.ones(2), "i:x": torch.ones(2), "i:other": torch.ones(2), "x:w.grad": torch.zeros(1)}


def made(outcome: Mapping[str, Any], tensors: Mapping[str, torch.Tensor] = TENSORS, **asked: Any) -> CaseRun:
    program = Program("x", "f(x)", {"x": torch.ones(2)}, **{"reads": ("x.g",), **asked})
    data = exchange.encode(tensors, {"autograd": None, **RETURNED, **outcome})
    return parsed(data, program, {1: 7}.get)[0]


def test_of_all_that_was_sent_only_what_was_asked_for_is_read() -> None:
    sent = {"f()": ERROR, "g()": None, "h()": ERROR, "i()": False}
    run = made({"errors": sent, "autograd": "a" * 200, "printed": "p" * 5000}, raises=("f()", "g()", "i()", "j()"))

    assert (run.case, run.ended, run.error) == ("x", "returned", None)
    assert (list(run.captures), list(run.inputs), list(run.extras)) == (["x.g"], ["x"], ["w.grad"])
    assert torch.equal(captured(run, "x.g"), TENSORS["c:x.g"])
    raised = StudentError("ValueError", "m", ("Exception",), 7, 3, "c", ("w (2,)",))
    assert run.errors == {"f()": raised, "g()": None, "i()": None}
    assert (run.autograd, run.printed) == ("a" * 100, "p" * 4096)


def test_extras_are_few_and_their_names_short() -> None:
    run = made({}, {"c:x.g": torch.ones(2), **{f"x:{n}{'y' * 200}": torch.ones(1) for n in range(300)}})
    assert len(run.extras) == 199
    assert {len(name) for name in run.extras} == {100}


@pytest.mark.parametrize(
    ("capture", "tensors", "read"),
    [
        (["parameter", "", ""], TENSORS, ("parameter", None, "")),
        ([None, "none", "d" * 200], {}, ("tensor", "none", "d" * 100)),
        (["tensor", None, ""], {}, None),
        (["tensor", "no such", ""], {}, None),
        (["no such", None, ""], TENSORS, None),
        (["no such", "none", ""], TENSORS, None),
        ([None, "none"], {}, None),
        ([None, "none", "", ""], {}, None),
        ({"kind": "tensor"}, TENSORS, None),
        ([None, "none", 5], {}, None),
    ],
)
def test_capture_is_a_tensor_or_why_there_is_none_and_nothing_between(
    capture: Any, tensors: Mapping[str, torch.Tensor], read: tuple[Any, ...] | None
) -> None:
    run = made({"captures": {"x.g": capture}}, tensors)
    assert run.ended == ("crashed" if read is None else "returned")
    if read is not None:
        found = run.captures["x.g"]
        assert (found.kind, found.absence, found.detail) == read
        assert (found.tensor is None) == (read[1] is not None)


@pytest.mark.parametrize(
    "outcome",
    [
        {"ended": "passed"},
        {"ended": None},
        {"captures": {}},
        {"captures": []},
        {"captures": {"x.g": None}},
        {"errors": []},
        {"errors": {"f()": "ValueError"}},
        {"error": "ValueError"},
        {"error": {**ERROR, "type": None}},
        {"error": {**ERROR, "message": 1}},
        {"error": {**ERROR, "bases": "Exception"}},
        {"error": {**ERROR, "bases": [1]}},
        {"error": {**ERROR, "operands": None}},
        {"error": {**ERROR, "code": 1}},
        {"printed": None},
        {"autograd": 1},
        {"ended": "not_defined", "missing": None},
    ],
    ids=str,
)
def test_what_the_harness_would_not_have_sent_is_a_crash(outcome: Mapping[str, Any]) -> None:
    run = made(outcome, raises=("f()",))
    assert (run.ended, run.captures) == ("crashed", {})
    assert run.error is not None
    assert run.error.type == "ForgedResult"


@pytest.mark.parametrize(
    ("request_", "line", "place"),
    [
        (1, 3, (7, 3, "c")),
        (2, 3, (None, None, "")),
        (True, 3, (None, None, "")),
        (1, True, (7, None, "c")),
        (1, 0, (7, None, "c")),
        (1, 1, (7, 1, "c")),
        (1, 10**6, (7, None, "c")),
        (1, 10**6 - 1, (7, 10**6 - 1, "c")),
        ("1", "3", (None, None, "")),
    ],
)
def test_place_of_an_exception_is_a_line_of_a_cell_that_ran(request_: Any, line: Any, place: tuple[Any, ...]) -> None:
    error = made({"ended": "raised", "error": {**ERROR, "request": request_, "line": line}}).error
    assert error is not None
    assert (error.cell, error.line, error.code) == place


def test_texts_of_an_exception_are_cut() -> None:
    long = {"type": "t" * 300, "message": "m" * 2000, "code": "c" * 400, "bases": ["b" * 200], "operands": ["o" * 300]}
    error = made({"ended": "raised", "error": {**ERROR, **long}}).error
    assert error is not None
    assert [len(text) for text in (error.type, error.message, error.code, *error.bases, *error.operands)] == [
        200, 1000, 300, 100, 200,
    ]  # fmt: skip


def test_names_that_are_not_defined_are_told() -> None:
    run = made({"ended": "not_defined", "missing": ["f", "g"]})
    assert (run.ended, run.captures) == ("not_defined", {})
    assert run.error == StudentError("NameError", "not defined: f, g")


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
