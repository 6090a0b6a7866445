"""After which cell a check runs, and what checks that share a fork see of one another."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from grader.kernel.host import schedule
from grader.kernel.host.schedule import scheduled
from grader.model import Cell, Check, Job, Program
from tests.kernel.conftest import BEST
from tests.kernel.laboratory import Laboratory, captured

FIRST, SECOND = "def one(x):\n    return x\n", "def two(x):\n    return x\n"


def cells_of(*sources: str) -> tuple[Cell, ...]:
    return tuple(Cell(2 * position, source) for position, source in enumerate(sources))


def plan_of(*sources: str, at: tuple[int, ...], **fields: Any) -> dict[int, tuple[str, ...]]:
    checks = [Check(f"e{position}", 2 * position, (f"e{position}",), (), **fields) for position in at]
    plan = scheduled(cells_of(*sources), checks)
    return {position: tuple(check.exercise for check in due) for position, due in plan.items()}


@pytest.mark.parametrize(
    "between",
    ["", "'text'", "# nothing", "def three(x, y=1, *, z=None) -> None:\n    return one(x)\n"],
)
def test_check_waits_for_the_next_where_only_functions_are_defined(between: str) -> None:
    assert plan_of("import torch", FIRST, between, SECOND, at=(1, 3)) == {3: ("e1", "e3")}


@pytest.mark.parametrize(
    "between",
    [
        "print(1)",
        "x = 1",
        "import math",
        "%time 1",
        "def broken(:",
        "def torch():\n    pass\n",  # a name that an earlier cell mentions
        "def one(x):\n    pass\n",
        "def three(x=one(1)):\n    pass\n",
        "def three(*, x=one(1)):\n    pass\n",
        "def three(*, x=None, **y: one(1)):\n    pass\n",
        "def three(x: one(1)):\n    pass\n",
        "@one\ndef three(x):\n    pass\n",
        "class Three:\n    pass\n",
        "check('one')",  # of unknown origin
    ],
)
def test_check_waits_for_nothing_that_runs_code(between: str) -> None:
    assert plan_of("import torch", FIRST, between, SECOND, at=(1, 3)) == {1: ("e1",), 3: ("e3",)}


@pytest.mark.parametrize(
    "first",
    ["from helpers import *\n" + FIRST, "def one(x):\n    return globals()['two'](x)\n", "%reset -f\n" + FIRST],
)
def test_check_of_a_cell_that_cannot_be_told_waits_for_nothing(first: str) -> None:
    assert plan_of("import torch", first, SECOND, at=(1, 2)) == {1: ("e1",), 2: ("e2",)}


def test_call_of_the_graders_check_does_nothing() -> None:
    start = "from grader import check"
    assert plan_of(start, FIRST, "check('one')", SECOND, at=(1, 3)) == {3: ("e1", "e3")}
    assert plan_of(start, FIRST, "check('one')", SECOND, at=(3, 1)) == {3: ("e1", "e3")}
    for call in ("check(one)", "check('one', one)", "check(name=one)", "print('one')", "one.check('one')"):
        assert plan_of(start, FIRST, call, SECOND, at=(1, 3)) == {1: ("e1",), 3: ("e3",)}


@pytest.mark.parametrize(
    "other",
    [
        "check = print",
        "check: object = print",
        "del check",
        "def check(name):\n    pass\n",
        "class check:\n    pass\n",
        "try:\n    1 / 0\nexcept ZeroDivisionError as check:\n    pass\n",
        "match print:\n    case check:\n        pass\n",
        "import check",
        "import helpers as check",
        "from helpers import check",
        "from grader import notebook, other as check",
        "from helpers import *",
        "def broken(:  # check",
        "\uff43heck = print",  # the same name to Python
    ],
)
def test_check_that_may_be_another_is_a_call_like_others(other: str) -> None:
    plan = plan_of("from grader import check", FIRST, "check('one')", SECOND, other, at=(1, 3))
    assert plan == {1: ("e1",), 3: ("e3",)}


def test_names_that_cells_define_are_found_as_far_as_they_parse() -> None:
    cells = cells_of(
        "  %time 1\n!ls\nimport a.b, c as d\ne, f[0] = g = 1, 2",
        "def broken(:",
        "def h(): pass\nclass I: pass\nj: int = k\nasync def l(): pass",
        "for m in e:\n    if m:\n        n = m\nwith o as p: pass\nmatch q:\n    case [r, *s]: pass",
    )
    assert schedule.global_names_in(cells) == {*"adeghIjlmnprs"}


@pytest.mark.parametrize(
    "source",
    [
        "def f(a, b=0):\n    c = a\n    import d\n    def e(): pass\n",
        "async def f():\n    c = 1\n",
        "class f:\n    c = 1\n    def d(self): pass\n",
        "f = [c for c in range(3)], {d: d for d in range(3)}",
        "f = lambda c: [d for d in c]",
    ],
)
def test_names_of_a_function_or_class_are_not_global(source: str) -> None:
    assert schedule.global_names_in(cells_of(source)) == {"f"}


def test_names_that_a_function_says_are_global_are_so() -> None:
    assert schedule.global_names_in(cells_of("def f():\n    global c\n    c, d = 1, 2\n")) == {"f", "c"}


def test_cell_that_is_run_again_waits_for_nothing() -> None:
    assert plan_of("import torch", FIRST, SECOND, at=(1, 2), source=FIRST) == {1: ("e1",), 2: ("e2",)}


def test_checks_behind_the_last_cell_run_there() -> None:
    plan = scheduled(cells_of(FIRST), [Check("far", 99, (), ())])
    assert [check.exercise for check in plan[0]] == ["far"]


def reading(name: str, call: str, *reads: str, **fields: Any) -> Check:
    program = Program(case="only", call=call, tensors={"x": torch.ones(2)}, reads=reads)
    return Check(name, 4, (), (program,), **fields)


def test_checks_in_one_fork_do_not_see_one_another(laboratory: Laboratory) -> None:
    cells = cells_of("import torch, os\nw = torch.zeros(2)\nnames = {}", FIRST, SECOND)
    job = Job(
        "shared",
        cells,
        (
            reading("pid", "pid = os.getpid()", "pid"),
            reading("binds", "global w, new\nw = x\nnew = x\npid = os.getpid()", "pid", "w"),
            reading("after", "pid = os.getpid()\nfound = 'new' in globals()", "pid", "found", "w"),
            reading("changes", "w.add_(1)\npid = os.getpid()", "pid", "w"),
            reading("again", "pid = os.getpid()", "pid", "w"),
            reading("hidden", "w.data[0] = 3\npid = os.getpid()", "pid", "w"),
            reading("last", "pid = os.getpid()", "pid", "w"),
        ),
    )
    (execution,) = laboratory.run(BEST, job)
    found = {
        name: {path: captured(runs[0], path) for path in runs[0].captures} for name, runs in execution.checks.items()
    }
    pids = [int(found[name]["pid"]) for name in ("pid", "binds", "after", "changes", "again", "hidden", "last")]
    assert pids[0] == pids[1] == pids[2] == pids[3] != pids[4]
    assert pids[4] == pids[5] != pids[6]
    assert int(found["after"]["found"]) == 0
    for name, expected in {"binds": 1.0, "after": 0.0, "changes": 1.0, "again": 0.0, "last": 0.0}.items():
        assert torch.equal(found[name]["w"], torch.full((2,), expected)), name


def test_check_that_dies_or_hangs_costs_itself_alone(laboratory: Laboratory) -> None:
    cells = cells_of("import torch, os", FIRST, SECOND)
    checks = (
        reading("dies", "os._exit(1)", "x"),
        reading("fine", "x = x + 1", "x"),
        reading("hangs", "while True: pass", "x", time_limit=1.0),
        reading("last", "x = x + 2", "x"),
    )
    (execution,) = laboratory.run(BEST, Job("shared", cells, checks))
    ended = {name: runs[0].ended for name, runs in execution.checks.items()}
    assert ended == {"dies": "crashed", "fine": "returned", "hangs": "timed_out", "last": "returned"}


def test_each_cell_is_looked_at_once_however_many_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []

    def counting(source: str, *arguments: Any, **named: Any) -> Any:
        looked.append(source)
        return compile(source, *arguments, **named)

    monkeypatch.setattr(schedule, "compile", counting, raising=False)
    sources = [*(f"x{number} = {number}  # once" for number in range(1500)), FIRST, "", SECOND, "", FIRST]
    plan_of(*sources, at=(1500, 1502, 1504))

    assert len([source for source in looked if source.endswith("# once")]) == 1500
