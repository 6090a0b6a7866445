"""What the sandbox is told of programs before they run."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from typing import Any

import psutil
import pytest
import torch

from grader.kernel.check.capture import parsed
from grader.kernel.check.program import _function, compile_ahead
from grader.kernel.host.programfiles import _TOLD, ProgramFiles
from grader.kernel.protocol import wire
from grader.model import Check, Program
from tests.kernel.conftest import BEST
from tests.kernel.laboratory import PROGRAMS, Laboratory, linear_job, verdicts

_STEP = Program(
    "case 1",
    "sgd_step(w, lr)",
    {"w": torch.ones(2), "w.g": torch.ones(2), "decay": torch.ones(())},
    {"lr": 0.1, "n": 3},
    globals=("decay", "n"),
    reads=("w", "w.g"),
)


def _check(*cases: Program) -> Check:
    return Check("sgd_step", 0, ("sgd_step",), cases)


def test_text_that_cases_share_is_told_once() -> None:
    files = ProgramFiles()
    other = replace(_STEP, case="case 3", call="sgd_step(w, lr=lr)")
    check = _check(_STEP, replace(_STEP, case="case 2"), other)

    told = files.texts([check, check])

    assert told[:2] == [(one.call, ("w", "lr"), ("w", "w.g")) for one in (_STEP, other)]
    assert told == told[:2] * 2


def test_of_very_many_texts_only_the_first_are_told() -> None:
    many = [_check(replace(_STEP, call=f"sgd_step(w, {number})")) for number in range(5000)]

    told = ProgramFiles().texts(many)

    assert 0 < len(told) < 5000
    assert [call for call, _, _ in told] == [check.programs[0].call for check in many[: len(told)]]
    assert sum(len(str(text)) for text in told) <= _TOLD


@pytest.mark.parametrize("call", ["memfd_create", "open"])
def test_descriptors_are_closed_where_one_cannot_be_made(call: str, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = tuple(replace(_STEP, case=f"case {number}") for number in range(5))
    files = ProgramFiles()
    before = psutil.Process().num_fds()
    makes = getattr(os, call)
    room = iter(range(3))

    def scarce(*what: Any) -> int:
        if next(room, None) is None:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        return int(makes(*what))

    monkeypatch.setattr(os, call, scarce)
    with pytest.raises(OSError, match="Too many open files"):
        files.open(programs, 0, 5)
    monkeypatch.undo()
    kept = 5 if call == "open" else 0  # of the run's own files, which the next try finds
    assert psutil.Process().num_fds() == before + kept
    wire.close_all(files.open(programs, 0, 5))
    files.close()
    assert psutil.Process().num_fds() == before


def test_text_compiled_ahead_is_not_compiled_again() -> None:
    call = "result = made_for_this_test(a)"
    compile_ahead([[call, ["a"], ["result.grad"]], ["1 +", [], ["x"]], ["x", [], ["not a path"]], ["y", [], ["y"]]])
    before = _function.cache_info().misses, parsed.cache_info().misses

    assert isinstance(_function(call, ("a",)).co_consts, tuple)
    assert parsed("result.grad").name == "result"
    assert parsed("y").name == "y"
    assert (_function.cache_info().misses, parsed.cache_info().misses) == before


def test_call_that_is_no_python_spoils_its_own_case_alone(laboratory: Laboratory) -> None:
    broken = replace(PROGRAMS[0], case="broken", call="lin(inp,")
    job = linear_job("honest")
    job = replace(job, checks=(*job.checks, replace(job.checks[0], exercise="other", programs=(broken,))))

    (execution,) = laboratory.run(BEST, job)

    assert verdicts(execution) == ("exact", "exact")
    (run,) = execution.checks["other"]
    assert run.ended == "raised"
    assert run.error is not None
    assert run.error.type == "SyntaxError"
