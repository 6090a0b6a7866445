"""What every sandbox must do: cells, checks, limits, restarts, assets, and a zygote that is replaced."""

from __future__ import annotations

import asyncio
import contextlib
import os
import platform
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch

from grader.errors import KernelError
from grader.kernel.host.client import CellRunner
from grader.kernel.host.pool import KernelPool
from grader.kernel.host.sandbox import choose_sandbox
from grader.model import Assets, Cell, Check, Execution, Job, Program
from tests.kernel.conftest import BEST, WORKING
from tests.kernel.laboratory import LIMITS, PROGRAMS, RIGHT, Laboratory, captured, linear_job, verdicts, while_it_runs


def _failures(execution: Execution) -> dict[int, str]:
    return {failure.cell: failure.ended for failure in execution.failures}


def test_cells_run_in_order_and_checks_are_exact(laboratory: Laboratory, sandbox: str) -> None:
    job = linear_job("honest", "x = 1", "print(x + 1)", "x.y", after=["print('after')", "raise NotImplementedError"])
    (execution,) = laboratory.run(sandbox, job)

    assert execution.ended == "finished"
    assert execution.outputs == {1: "2\n", 4: "after\n"}
    assert [(failure.cell, failure.error) for failure in execution.failures] == [
        (2, "AttributeError: 'int' object has no attribute 'y'"),
        (5, "NotImplementedError"),
    ]
    assert verdicts(execution) == ("exact", "exact")


HONEST = {
    "threads": "import threading\nt = threading.Thread(target=print, args=('hi',)); t.start(); t.join()",
    "subprocess": """
import subprocess, sys
print(subprocess.run([sys.executable, '-c', 'print("hi")'], capture_output=True, text=True).stdout, end='')
""",
    "shell": "!echo hi",
    "fork": """
import os
for _ in range(4):
    if os.fork() == 0:
        try: print('lost' * 20_000)
        finally: os._exit(0)
print('hi')
""",
    "fork without end": "import os\nif os.fork():\n    os.wait(); print('hi')\nelse:\n    raise RuntimeError",
    "numpy": "import numpy as np\nprint('hi' if np.allclose(np.linalg.inv(np.eye(2)), np.eye(2)) else '')",
    "training": """
import torch
layer = torch.nn.Linear(3, 1)
optimizer = torch.optim.Adam(layer.parameters())
for _ in range(3):
    optimizer.zero_grad(); layer(torch.ones(2, 3)).sum().backward(); optimizer.step()
print('hi')
""",
    "files": """
import tempfile, pathlib
pathlib.Path('a.txt').write_text('hi')
tempfile.TemporaryFile().write(b'x')
print(open('a.txt').read())
""",
    "asyncio": "import asyncio\nawait asyncio.sleep(0.01)\nprint('hi')",
    "asyncio in a thread": """
import asyncio, threading
async def greet():
    process = await asyncio.create_subprocess_exec('echo', 'hi', stdout=asyncio.subprocess.PIPE)
    print((await process.communicate())[0].decode(), end='')
t = threading.Thread(target=lambda: asyncio.run(greet())); t.start(); t.join()
""",
    "asyncio in a process": """
import subprocess, sys
program = "import asyncio; asyncio.run(asyncio.sleep(0.01)); print('hi')"
print(subprocess.run([sys.executable, '-c', program], capture_output=True, text=True).stdout, end='')
""",
    "names that are no text": """
import torch
globals().update({name: torch.ones(2) for name in (5, None, ('a', 1))})
print('hi')
""",
    "display": "from IPython.display import display\ndisplay(3)\nprint('hi')",
    "breakpoint": "def f(): breakpoint()\nf()\nprint('hi')",
}


def test_honest_programs_work(laboratory: Laboratory, sandbox: str) -> None:
    executions = laboratory.run(sandbox, *(linear_job(name, cell) for name, cell in HONEST.items()))
    for name, execution in zip(HONEST, executions, strict=True):
        assert (name, execution.failures, execution.outputs) == (name, (), {0: "hi\n"})
        assert verdicts(execution) == ("exact", "exact"), name


def test_multiprocessing_works_where_shared_memory_is_private(laboratory: Laboratory) -> None:
    cell = (
        "import multiprocessing as m\nwith m.get_context('fork').Pool(2) as pool:\n    print(pool.map(abs, [-1, -2]))"
    )
    for sandbox in ("bwrap", "none"):
        if sandbox in WORKING:
            (execution,) = laboratory.run(sandbox, linear_job("pool", cell))
            assert execution.outputs == {0: "[1, 2]\n"}, execution


def test_kernel_is_restarted_and_earlier_cells_run_again(laboratory: Laboratory, sandbox: str) -> None:
    cells = ["a = 1", "import os; os._exit(3)", "print(a)", "import os; os.abort()", "print(a + 1)"]
    (execution,) = laboratory.run(sandbox, linear_job("dying", *cells))

    assert execution.ended == "finished"
    assert _failures(execution) == {1: "crashed", 3: "crashed"}
    assert execution.outputs == {2: "1\n", 4: "2\n"}
    assert verdicts(execution) == ("exact", "exact")


def test_kernel_that_takes_over_finds_the_files_that_the_first_one_found(
    laboratory: Laboratory, sandbox: str, tmp_path: Path
) -> None:
    (tmp_path / "data.txt").write_text("given")
    makes = "import os\nos.mkdir('made')\nos.remove('data.txt')"
    job = linear_job("takes over", makes, "os._exit(3)", "print(os.listdir('made'))", assets=(Assets(tmp_path),))
    (execution,) = laboratory.run(sandbox, job)
    assert _failures(execution) == {1: "crashed"}
    assert execution.outputs == {2: "[]\n"}


LATE = {
    "memory": ("held = bytearray(500 * 2**20)", "memory_exceeded"),
    "thread": ("import os, threading\nthreading.Timer(0.02, os._exit, [3]).start()", "crashed"),
}


def test_cell_is_to_blame_for_the_death_that_comes_after_it(laboratory: Laboratory, sandbox: str) -> None:
    behind = "import time\ntime.sleep(0.5)\ny = 2"  # in which the kernel dies
    jobs = [linear_job(name, "x = 1", late, behind, "print(y)", after=["z = 3"]) for name, (late, _) in LATE.items()]
    for (_, ended), execution in zip(LATE.values(), laboratory.run(sandbox, *jobs), strict=True):
        assert _failures(execution) == {1: ended}
        assert execution.outputs == {3: "2\n"}
        assert verdicts(execution) == ("exact", "exact")


@pytest.mark.parametrize("when", ["before", "after_in_parent"])
def test_cell_is_to_blame_for_a_kernel_that_dies_as_it_is_forked(
    laboratory: Laboratory, sandbox: str, when: str
) -> None:
    source = f"import os\nos.register_at_fork({when}=lambda: os._exit(3))"
    job = linear_job(when, "x = 1", source, "print(x)", after=["y = 2", "print(y)"])
    (execution,) = laboratory.run(sandbox, job)
    assert _failures(execution) == {1: "crashed"}
    assert execution.outputs == {2: "1\n", 5: "2\n"}
    assert verdicts(execution) == ("exact", "exact")


HANGS = {
    "lock": "import logging, threading\nlogging._lock = threading.Lock()\nlogging._lock.acquire()",
    "hook": "import os, time\nos.register_at_fork(before=lambda: time.sleep(60))",
}


def test_cell_is_to_blame_for_the_kernel_that_it_leaves_hanging(laboratory: Laboratory) -> None:
    jobs = [linear_job(name, "x = 1", hangs, "print(x)", after=["print('on')"]) for name, hangs in HANGS.items()]
    for execution in laboratory.run(BEST, *jobs, limits=replace(LIMITS, cell_s=2, check_s=1.5)):
        assert _failures(execution) == {1: "timed_out"}
        assert execution.outputs == {2: "1\n", 4: "on\n"}


def test_cell_that_leaves_too_much_on_the_disk_costs_no_other(laboratory: Laboratory) -> None:
    if "landlock" not in WORKING:
        pytest.skip("elsewhere a write fails, and nobody is killed")
    source = "for number in range(9):\n    open(f'{number}', 'wb').write(bytes(2**21))"
    (execution,) = laboratory.run("landlock", linear_job("disk", "x = 1", source, "y = 2", "print(y)"))
    assert _failures(execution) == {1: "output_exceeded"}
    assert execution.outputs == {3: "2\n"}
    assert verdicts(execution) == ("exact", "exact")


#: What a check does beyond a limit, how that ends, and the limit that is told; None where what was raised is.
OVER = {
    "one large file": ("open('big', 'wb').write(bytes(2**25))", "output_exceeded", "bytes written"),
    "many files": (
        "for i in range(12): open(f'{i}', 'wb').write(bytes(2**21))\n    time.sleep(3)",
        "output_exceeded",
        "bytes written",
    ),
    "open files": ("held = [open('/dev/null') for _ in range(999)]", "crashed", "open files"),
    "process": ("os.fork()", "crashed", "processes"),
    "program": ("subprocess.run(['true'])", "crashed", "processes"),
    "forbidden file": ("open('/proc/1/mem', 'rb')", "raised", None),
    "forbidden call": ("os.execv('/bin/true', ['true'])", "raised", None),
}


def test_check_over_a_limit_is_told_of_it(laboratory: Laboratory, sandbox: str) -> None:
    body = "import os, subprocess, time\ndef lin(inp, out, w):\n    {}"
    if sandbox == "none":
        pytest.skip("nothing keeps a check from making a process")
    jobs = [linear_job(name, answer=body.format(line)) for name, (line, *_) in OVER.items()]
    for name, execution in zip(OVER, laboratory.run(sandbox, *jobs), strict=True):
        for run in execution.checks["lin"]:
            assert run.error is not None, name
            limit = run.error.message if run.error.type == "LimitMet" else None
            assert (name, run.ended, limit) == (name, *OVER[name][1:])


def test_check_that_makes_too_many_threads_costs_no_cell(laboratory: Laboratory, sandbox: str) -> None:
    answer = """
import threading, time
threading.stack_size(65536)
def lin(inp, out, w):
    for _ in range({number}):
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
    time.sleep(4)  # without a gate, they are counted now and then
"""
    job = linear_job("threads", "x = 1", answer=answer.format(number=20 * LIMITS.processes), after=["print(x)"])
    (execution,) = laboratory.run(sandbox, job)
    assert [(run.ended, run.error and run.error.message) for run in execution.checks["lin"]] == [
        ("crashed", "processes")
    ] * 2
    assert (execution.failures, execution.outputs) == ((), {2: "1\n"})


def test_cell_over_a_limit_is_told_of_it(laboratory: Laboratory, sandbox: str) -> None:
    cells = ["open('big', 'wb').write(bytes(2**25))", "held = [open('/dev/null') for _ in range(999)]"]
    (execution,) = laboratory.run(sandbox, linear_job("over", *cells))
    assert _failures(execution) == {0: "output_exceeded", 1: "raised"}
    limits = "bytes written", "open files"
    for failure, limit in zip(execution.failures, limits, strict=True):
        assert failure.error.startswith(f"over the limit of {limit}: OSError: ")


def test_check_without_room_for_its_files_is_told_of_that_limit(laboratory: Laboratory, sandbox: str) -> None:
    opens = "held = []\ntry:\n    while True: held.append(open('/dev/null'))\nexcept OSError: pass"
    (execution,) = laboratory.run(sandbox, linear_job("files", opens))
    told = [(run.ended, run.error and run.error.message) for run in execution.checks["lin"]]
    assert told == [("crashed", "open files")] * 2


@pytest.mark.parametrize("broken", ["process_message", "_check_raise_for_error"])
def test_fault_of_ours_in_a_cell_is_no_kernels(laboratory: Laboratory, monkeypatch: Any, broken: str) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("a fault of the grader's")

    monkeypatch.setattr(CellRunner, broken, fail)
    with pytest.raises(RuntimeError, match="a fault of the grader's"):
        laboratory.run(BEST, linear_job("honest", "print(1)"))


def test_what_all_cells_print_is_kept_as_far_as_there_is_room(laboratory: Laboratory) -> None:
    (execution,) = laboratory.run(BEST, linear_job("talks", *["print('x' * 60_000)"] * 20))

    assert sum(map(len, execution.outputs.values())) == 16 * 65_536
    assert verdicts(execution) == ("exact", "exact")


def test_check_that_misses_what_a_later_cell_defines_is_told(laboratory: Laboratory, sandbox: str) -> None:
    stub = "def lin(inp, out, w):\n    w.g = helper(inp) @ out.g\n"
    helper = "import torch\ndef helper(inp):\n    return inp.t()\n"
    (execution,) = laboratory.run(sandbox, linear_job("late", answer=stub, after=[helper]))

    assert execution.again == {"lin": ("helper",)}


def test_missing_name_is_not_defined(laboratory: Laboratory, sandbox: str) -> None:
    (execution,) = laboratory.run(sandbox, linear_job("empty", answer="x = 1"))

    assert verdicts(execution) == ("not_defined", "not_defined")


def test_untouched_poison_is_absent(laboratory: Laboratory, sandbox: str) -> None:
    (execution,) = laboratory.run(sandbox, linear_job("stub", answer="def lin(inp, out, w):\n    pass\n"))

    assert [run.captures["w.g"].absence for run in execution.checks["lin"]] == ["untouched", "untouched"]


def test_error_names_cell_line_and_operands(laboratory: Laboratory, sandbox: str) -> None:
    stub = "import torch\ndef lin(inp, out, w):\n    w.g = inp @ out.g\n"
    (execution,) = laboratory.run(sandbox, linear_job("wrong", "x = 1", answer=stub))
    error = execution.checks["lin"][0].error

    assert error is not None
    assert (error.type, error.cell, error.line, error.code) == ("RuntimeError", 1, 3, "w.g = inp @ out.g")
    assert "inp (2, 3)" in error.operands


def test_inputs_keep_their_strides(laboratory: Laboratory, sandbox: str) -> None:
    tensor = torch.arange(6.0).reshape(2, 3).t()
    program = Program("strided", "strides(x)", {"x": tensor}, reads=("x.g",))
    answer = "import torch\ndef strides(x):\n    x.g = torch.tensor([*x.stride(), int(x.is_contiguous())])\n"
    job = Job("strided", (Cell(0, answer),), (Check("strides", 0, ("strides",), (program,)),))
    (execution,) = laboratory.run(sandbox, job)

    run = execution.checks["strides"][0]
    assert captured(run, "x.g").tolist() == [*tensor.stride(), 0]
    assert torch.equal(run.inputs["x"], tensor)


def test_assets_are_copies_of_regular_files(laboratory: Laboratory, sandbox: str, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "data.txt").write_text("data")
    (tmp_path / "torch.py").write_text("raise SystemExit('not torch')")
    (tmp_path / "json.py").write_text("raise SystemExit('not json')")
    (tmp_path / "helper.py").write_text("VALUE = 41 + 1\n")
    (tmp_path / "link.txt").symlink_to("/etc/passwd")
    (tmp_path / "hosts").symlink_to("/etc")
    os.mkfifo(tmp_path / "pipe")
    cells = [
        "import os, helper, json, torch\nprint(helper.VALUE, sorted(os.listdir()), open('sub/data.txt').read())",
        "open('sub/data.txt', 'w').write('changed'); os.remove('helper.py')",
    ]
    (execution,) = laboratory.run(sandbox, linear_job("assets", *cells, assets=(Assets(tmp_path),)))

    printed = execution.outputs[0]
    assert printed.startswith("42 ")
    assert printed.endswith(" data\n")
    assert not any(name in printed for name in ("link.txt", "hosts", "pipe"))
    assert verdicts(execution) == ("exact", "exact")
    assert (tmp_path / "sub" / "data.txt").read_text() == "data"
    assert (tmp_path / "helper.py").exists()


def test_submission_time_ends_the_job_and_keeps_checks(laboratory: Laboratory, sandbox: str) -> None:
    limits = replace(LIMITS, submission_s=2.0, cell_s=30.0)
    slow = linear_job("slow", after=["import time\ntime.sleep(60)", "print('never')"])
    (execution,) = laboratory.run(sandbox, slow, limits=limits)

    assert execution.ended == "timed_out"
    assert execution.seconds < 25  # well below the cell's own limit
    assert 2 not in execution.outputs
    assert verdicts(execution) == ("exact", "exact")


def test_zygote_killed_in_a_run_is_replaced_and_the_job_tried_again(
    secret: object, caplog: pytest.LogCaptureFixture
) -> None:
    async def run() -> Execution:
        async with KernelPool(BEST, LIMITS, 1) as pool:
            await pool.ready()
            process = psutil.Process(pool.zygote.process.pid)
            idle = len(process.children(recursive=True))
            task = asyncio.ensure_future(pool.run(linear_job("victim", "import time\ntime.sleep(1)\nprint('ran')")))
            await while_it_runs(task, lambda: len(process.children(recursive=True)) >= idle + 2)  # its init and kernel
            for child in (*process.children(recursive=True), process):
                with contextlib.suppress(ProcessLookupError):  # the death of one takes others with it
                    os.kill(child.pid, signal.SIGKILL)
            return await task

    execution = asyncio.run(run())
    assert execution.outputs == {0: "ran\n"}
    assert verdicts(execution) == ("exact", "exact")
    assert "victim is run again: its kernel was lost: the job's init died\n" in caplog.text


def test_folder_of_a_run_that_is_removed_costs_no_job_anything(secret: object, confined: str, tmp_path: Path) -> None:
    (tmp_path / "helper.py").write_text("ran = 'ran'")
    cells = "import time\ntime.sleep(2)", "from helper import ran\nprint(ran)"

    async def run() -> list[Execution]:
        async with KernelPool(choose_sandbox(confined), LIMITS, 1) as pool:
            await pool.ready()
            first, waiting = (
                asyncio.ensure_future(pool.run(linear_job(f"slow {number}", *cells, assets=(Assets(tmp_path),))))
                for number in range(2)
            )
            await while_it_runs(first, pool.slots.locked)
            shutil.rmtree(pool.folder)
            return [await first, await waiting]

    for execution in asyncio.run(run()):
        assert execution.outputs == {1: "ran\n"}
        assert verdicts(execution) == ("exact", "exact")


def test_job_lost_in_a_living_zygote_is_tried_again_in_another(secret: object, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    waits = f"import os, time\nwhile not os.path.exists({str(gate)!r}): time.sleep(0.01)"

    async def run() -> tuple[list[Execution], list[psutil.Process]]:
        async with KernelPool("none", replace(LIMITS, cell_s=120, submission_s=240), 2) as pool:
            await pool.ready()
            first = psutil.Process(pool.zygote.process.pid)

            async def started(name: str) -> tuple[asyncio.Future[Execution], psutil.Process, psutil.Process]:
                """A job that waits at the gate, its init and its kernel."""
                known = set(first.children(recursive=True))
                job = asyncio.ensure_future(pool.run(linear_job(name, waits)))
                await while_it_runs(job, lambda: len(first.children(recursive=True)) == len(known) + 2)
                init, kernel = sorted(set(first.children(recursive=True)) - known, key=lambda process: process.pid)
                return job, init, kernel

            neighbour, *_ = await started("neighbour")
            victim, init, kernel = await started("victim")
            os.kill(init.pid, signal.SIGKILL)
            gate.touch()
            done = list(await asyncio.gather(victim, neighbour))
            _, left = await asyncio.to_thread(psutil.wait_procs, [first, kernel], 240)
            return done, left

    executions, left = asyncio.run(run())
    assert [verdicts(execution) for execution in executions] == [("exact", "exact")] * 2
    assert not left


def test_jobs_that_come_before_the_zygote_is_up_run_all(secret: object) -> None:
    async def run() -> list[Execution]:
        async with KernelPool(BEST, LIMITS, jobs=12) as pool:
            return list(await asyncio.gather(*(pool.run(linear_job(f"early {number}")) for number in range(16))))

    assert {verdicts(execution) for execution in asyncio.run(run())} == {("exact", "exact")}


def test_time_of_a_submission_begins_when_its_kernel_is_up(
    laboratory: Laboratory, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready = KernelPool.ready

    async def late(pool: KernelPool) -> None:
        await asyncio.sleep(3)
        await ready(pool)

    monkeypatch.setattr(KernelPool, "ready", late)
    (execution,) = laboratory.run(BEST, linear_job("patient"), limits=replace(LIMITS, submission_s=2.5))
    assert execution.ended == "finished"


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        ("no torch in this house", "short of memory"),
        ("ModuleNotFoundError: No module named 'ipykernel'", "PYTHONPATH"),
    ],
    ids=["any", "package"],
)
def test_zygote_that_never_comes_up_is_told_with_its_last_words(
    words: str, remedy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = f"a traceback\n{words}"
    dying = [sys.executable, "-c", f"raise SystemExit({text!r})"]
    monkeypatch.setattr("grader.kernel.host.sandbox.zygote_command", lambda sandbox, fd: dying)

    async def run() -> None:
        async with KernelPool("none", LIMITS, jobs=1) as pool:
            with pytest.raises(KernelError, match=f"did not come up: {words}") as told:
                await pool.run(linear_job("first"))
            assert told.value.__notes__ == [text]  # for the log
            assert remedy in told.value.remedy

    with pytest.raises(KernelError, match="did not come up"):
        asyncio.run(run())


def test_kernel_that_never_comes_up_is_told_with_its_reason(
    laboratory: Laboratory, monkeypatch: pytest.MonkeyPatch
) -> None:
    described = KernelPool.describe
    broken = {"environment": {"HOUSE": 3}}
    monkeypatch.setattr(KernelPool, "describe", lambda *about: {**described(*about), **broken})
    with pytest.raises(KernelError, match="str expected, not int"):
        laboratory.run("none", linear_job("first"))


def test_job_that_its_init_dies_of_is_logged_with_what_that_said(
    laboratory: Laboratory, sandbox: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    described = KernelPool.describe
    monkeypatch.setattr(KernelPool, "describe", lambda *about: {**described(*about), "limits": {}})
    with pytest.raises(KernelError, match="failed twice"):
        laboratory.run(sandbox, linear_job("first"))
    assert "its kernel was lost: " in caplog.text
    assert "\nKeyError: " in caplog.text


@pytest.mark.slow
def test_descriptors_and_memory_are_flat_over_many_jobs(laboratory: Laboratory) -> None:
    process = psutil.Process()

    def measured(jobs: int) -> tuple[int, int]:
        laboratory.run(BEST, *(linear_job(f"tiny {number}") for number in range(jobs)))
        return process.num_fds(), process.memory_info().rss

    descriptors, memory = measured(15)
    descriptors_later, memory_later = measured(45)

    assert descriptors_later <= descriptors + 4
    assert memory_later < memory + 10 * 1024**2


def test_rerun_and_globals(laboratory: Laboratory, sandbox: str) -> None:
    source = "total = (values * 2).sum()\n"
    program = Program("rerun", "", {"values": torch.ones(3)}, reads=("total",), rerun=True)
    job = Job("rerun", (Cell(0, "import torch\nvalues = torch.zeros(3)\n" + source),), (
        Check("task", 0, (), (program,), source=source),
    ))  # fmt: skip
    (execution,) = laboratory.run(sandbox, job)

    assert captured(execution.checks["task"][0], "total").item() == 6


def test_time_limit_of_a_check_overrides_the_default(laboratory: Laboratory, sandbox: str) -> None:
    stub = "import time\ndef lin(inp, out, w):\n    time.sleep(60)\n"
    check = Check("lin", 0, ("lin",), PROGRAMS, time_limit=0.5)
    job = Job("slow", (Cell(0, stub), Cell(1, RIGHT)), (check,))
    (execution,) = laboratory.run(sandbox, job, limits=replace(LIMITS, check_s=50))

    assert verdicts(execution) == ("timed_out", "timed_out")
    assert execution.seconds < 40


def test_an_interrupt_amid_a_message_is_told_as_the_timeout_that_it_is(laboratory: Laboratory) -> None:
    endless = "import sys\nwhile True:\n    sys.stdout.write('x'); sys.stdout.flush()"
    job = Job("prints", tuple(Cell(index, endless) for index in range(8)), ())
    for execution in laboratory.run(BEST, *[job] * 4, limits=replace(LIMITS, cell_s=0.1, printed=10**9)):
        assert set(_failures(execution).values()) == {"timed_out"}
        assert len(execution.failures) == 8


def test_threads_that_print_at_once_do_not_mix_their_messages(laboratory: Laboratory, sandbox: str) -> None:
    source = """
import sys, threading, time
def count(name):
    for number in range(200):
        sys.stdout.write(f"{name} {number}\\n")
        time.sleep(0.002)
threads = [threading.Thread(target=count, args=(name,)) for name in "abcd"]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""
    (execution,) = laboratory.run(sandbox, Job("prints", (Cell(0, source), Cell(1, "print('after')")), ()))
    assert not execution.failures
    assert sorted(execution.outputs[0].split()) == sorted([*"abcd"] * 200 + [*map(str, range(200))] * 4)
    assert execution.outputs[1] == "after\n"


def test_a_kernel_that_may_not_be_looked_into_is_stopped_as_fast_as_any(laboratory: Laboratory, sandbox: str) -> None:
    hides = "import ctypes\nctypes.CDLL(None).prctl(4, 0, 0, 0, 0)  # PR_SET_DUMPABLE"
    # Of such a kernel and its check all pages are counted, those too that they share.
    roomy = replace(LIMITS, memory=2 * LIMITS.memory)
    job = linear_job("hides", hides)
    job = replace(job, checks=tuple(replace(check, autograd=True) for check in job.checks))  # which need no traps
    (execution,) = laboratory.run(sandbox, job, limits=roomy)
    assert verdicts(execution) == ("exact", "exact")
    assert execution.seconds < 10  # what stopping it may take at most, each time


def test_files_that_have_no_name_count_as_written(laboratory: Laboratory, sandbox: str) -> None:
    source = """
import tempfile, time
held = []
for _ in range(2 * {limit} // 2**20):
    held.append(tempfile.TemporaryFile())
    held[-1].write(b'x' * 2**20)
    held[-1].flush()
time.sleep(5)
"""
    (execution,) = laboratory.run(sandbox, Job("holds", (Cell(0, source.format(limit=LIMITS.written)),), ()))
    assert _failures(execution) == {0: "output_exceeded"}


#: A thread that waits for a child which shares its memory and is stopped: nothing stops it.
UNSTOPPABLE = """
import ctypes, threading
libc = ctypes.CDLL(None)
def wait():
    if libc.syscall(56, 0x4000 | 0x100 | 17, 0, 0, 0, 0) == 0:  # CLONE_VFORK, CLONE_VM
        libc.pause()
threading.Thread(target=wait, daemon=True).start()
"""


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the numbers of its system calls")
def test_a_job_that_cannot_be_stopped_is_waited_for_but_once(laboratory: Laboratory) -> None:
    dies = "import os\ndef lin(inp, out, w):\n    os.abort()"
    check = Check("lin", 1, ("lin",), PROGRAMS * 3)
    job = Job("unstoppable", (Cell(0, UNSTOPPABLE), Cell(1, dies)), (check,))
    memory = 2 * LIMITS.memory  # of two processes that share all theirs, each counts
    (execution,) = laboratory.run(BEST, job, limits=replace(LIMITS, memory=memory))
    assert {run.ended for run in execution.checks["lin"]} == {"crashed"}
    assert execution.seconds < 40  # of six that take ten seconds each


STUBBORN = """
import os, signal, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()
while True:
    time.sleep(60)
"""
#: A grader with a job that does not end by itself in each of some sandboxes.
GRADER = """
import asyncio, contextlib, sys
from grader.kernel.host.pool import KernelPool
from grader.model import Cell, Job

async def main():
    job = Job("stubborn", (Cell(0, sys.argv[1]),), ())
    async with contextlib.AsyncExitStack() as pools:
        running = [(await pools.enter_async_context(KernelPool(sandbox))).run(job) for sandbox in sys.argv[2:]]
        running = [*map(asyncio.create_task, running)]
        await asyncio.Event().wait()  # ends before the jobs do

asyncio.run(main())
"""


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL], ids=["interrupted", "killed"])
def test_nothing_outlives_a_grader_that_is_stopped(end: signal.Signals) -> None:
    sandboxes = {BEST, "none"}  # Landlock's processes are those of none
    grader = psutil.Popen([sys.executable, "-c", GRADER, STUBBORN, *sandboxes], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 240
    # The zygote, the job's init, its kernel and what that forked; bwrap has two of its own above them.
    processes = sum(6 if sandbox == "bwrap" else 4 for sandbox in sandboxes)
    while len(started := grader.children(recursive=True)) < processes:
        if time.monotonic() > deadline:
            grader.kill()
            pytest.fail("the job did not come up")
        time.sleep(0.05)
    grader.send_signal(end)
    _, left = psutil.wait_procs([grader, *started], timeout=120)
    for process in left:
        process.kill()
    assert not left


def test_half_of_a_surrogate_pair_can_be_printed(laboratory: Laboratory) -> None:
    (execution,) = laboratory.run(BEST, linear_job("half", "print('\\ud800 é')"))

    assert execution.outputs == {0: "? é\n"}
    assert execution.failures == ()
    assert verdicts(execution) == ("exact", "exact")


def test_cell_that_calls_exit_ends_alone(laboratory: Laboratory) -> None:
    cells = (Cell(0, "x = 1\nexit()\nx = 2"), Cell(1, "import time\ntime.sleep(0.3)"), Cell(2, "print(x)"))
    (execution,) = laboratory.run(WORKING[0], Job("exit", cells, ()))
    assert execution.outputs[2] == "1\n"
    assert [failure.cell for failure in execution.failures] == [0]


@pytest.mark.parametrize("leaves", ["sys.stdout = sys.stderr = None", "sys.stderr = 5"])
def test_cell_that_leaves_nothing_to_print_to_costs_no_other(laboratory: Laboratory, leaves: str) -> None:
    job = linear_job("silent", f"import sys\n{leaves}", "print('on')")
    (execution,) = laboratory.run(BEST, job)
    assert (execution.failures, execution.outputs) == ((), {1: "on\n"})
    assert verdicts(execution) == ("exact", "exact")


def test_magic_that_is_not_there_is_left_out(laboratory: Laboratory) -> None:
    cells = (
        Cell(0, "%matplotlib inline\n%load_ext no_such_extension\n%no_such_magic 1\nx = 1"),
        Cell(1, "%time import no_such_module"),
        Cell(2, "print(x)"),
    )
    (execution,) = laboratory.run(WORKING[0], Job("magic", cells, ()))
    assert execution.outputs[2] == "1\n"
    assert [failure.cell for failure in execution.failures] == [1]


def test_threads_are_counted(laboratory: Laboratory, sandbox: str) -> None:
    source = """
import threading, time
threading.stack_size(65536)
for _ in range({number}):
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
"""
    few, many = (
        Job(f"{number} threads", (Cell(0, source.format(number=number)), Cell(1, "time.sleep(0.5)\nprint('on')")), ())
        for number in (40, 20 * LIMITS.processes)
    )
    few_ran, many_ran = laboratory.run(sandbox, few, many)
    assert few_ran.outputs == {1: "on\n"}
    assert not few_ran.failures
    assert many_ran.failures
