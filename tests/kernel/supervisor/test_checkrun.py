"""Checks that share a fork, or follow one that went wrong, keep out of each other's way."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import pytest
import torch

from grader.model import CaseRun, Cell, Check, Job, Program
from tests.kernel.conftest import BEST
from tests.kernel.laboratory import Laboratory, captured

X = torch.arange(3.0)


def run(laboratory: Laboratory, cells: tuple[Cell, ...], *checks: Check) -> Mapping[str, tuple[CaseRun, ...]]:
    (execution,) = laboratory.run(BEST, Job("checks", cells, checks))
    return execution.checks


def check(name: str, cell: int, function: str, programs: int = 2, seconds: float = 1.0) -> Check:
    program = Program("one", f"{function}(x)", {"x": X}, poison=("x.g",), reads=("x.g",))
    return Check(name, cell, (function,), (program,) * programs, time_limit=seconds)


def factors(runs: tuple[CaseRun, ...]) -> list[float | str]:
    """By what each run multiplied its input, or how it ended."""
    return [float(captured(one, "x.g")[1]) if one.ended == "returned" else one.ended for one in runs]


@pytest.mark.parametrize("hanging", ["while True: pass", "import time; time.sleep(60)"])
def test_a_check_whose_time_is_up_costs_its_neighbours_nothing(laboratory: Laboratory, hanging: str) -> None:
    cells = (
        Cell(0, "def f(x):\n    x.g = 2 * x"),
        Cell(1, f"def g(x):\n    {hanging}"),
        Cell(2, "def h(x):\n    x.g = 3 * x"),
    )
    checks = run(laboratory, cells, check("before", 0, "f"), check("hangs", 1, "g"), check("behind", 2, "h"))
    assert factors(checks["before"]) == [2.0] * 2
    assert factors(checks["hangs"]) == ["timed_out"] * 2
    assert factors(checks["behind"]) == [3.0] * 2


def test_a_kernel_that_does_not_answer_costs_only_the_check_that_waited_for_it(laboratory: Laboratory) -> None:
    busy = "import asyncio, time\nasyncio.get_event_loop().call_soon(time.sleep, 2.5)\n"
    cells = (
        Cell(0, f"{busy}def f(x):\n    x.g = 2 * x"),
        Cell(1, "def f(x):\n    x.g = 5 * x\npass"),
    )
    checks = run(laboratory, cells, check("late", 0, "f"), check("next", 1, "f", seconds=20.0))
    assert factors(checks["late"]) == ["timed_out"] * 2
    assert factors(checks["next"]) == [5.0] * 2


def test_a_check_that_changes_what_it_finds_gets_no_company(laboratory: Laboratory) -> None:
    cells = (
        Cell(0, "import torch\nk = torch.ones(1)"),
        Cell(1, "def f(x):\n    x.g = x * k\n    k.add_(1)"),
        Cell(2, "def g(x):\n    x.g = x * k"),
    )
    checks = run(laboratory, cells, check("changes", 1, "f", programs=1), check("finds", 2, "g", programs=1))
    assert factors(checks["changes"]) == [1.0]
    assert factors(checks["finds"]) == [1.0]


_LEAKING = """
import os, pickle, signal, torch
known = pickle.load(open('known', 'rb')) if os.path.exists('known') else []
signal.signal(signal.SIGCONT, lambda *_: os.path.exists('over') and not known and os._exit(0))
kept = torch.zeros(3)
def tell(x):
    known.append(x.tolist())
    pickle.dump(known, open('known', 'wb'))
def asked(x):
    x.g = (3 if x.tolist() in known else 2) * x
    tell(x)
def changing(x):
    x.g = 2 * x
    kept.add_(1)
    open('over', 'w').close()
def unasked(x):
    x.g = 2 * x
"""


def test_a_kernel_that_dies_between_checks_costs_none_and_the_next_one_is_not_asked_the_same(
    laboratory: Laboratory,
) -> None:
    names = ("asked", "changing", "unasked")
    elsewhere = dataclasses.replace(check("elsewhere", 0, "unasked", programs=1), autograd=True)  # in another order
    found = run(laboratory, (Cell(0, _LEAKING),), *(check(name, 0, name, programs=1) for name in names), elsewhere)
    assert {name: factors(runs) for name, runs in found.items()} == {name: [2.0] for name in (*names, "elsewhere")}
