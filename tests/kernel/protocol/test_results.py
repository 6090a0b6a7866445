"""Of what a check sent back only that is read which was asked for and which the harness would have sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import torch

from grader.kernel.protocol import exchange
from grader.kernel.protocol.results import parsed
from grader.model import CaseRun, Program, StudentError
from tests.kernel.laboratory import captured

RETURNED = {"ended": "returned", "error": None, "errors": {}, "captures": {"x.g": ["tensor", "", ""]}, "printed": ""}
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


def test_of_a_row_of_texts_twenty_are_read() -> None:
    long = {**ERROR, "bases": ["B"] * 300, "operands": ["w"] * 300}
    error = made({"errors": {"f()": long}}, raises=("f()",)).errors["f()"]
    assert error is not None
    assert (error.bases, error.operands) == (("B",) * 20, ("w",) * 20)


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
