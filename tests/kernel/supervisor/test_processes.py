"""Stopping and killing what descends from a process, tried on children of a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from grader.kernel.host.sandbox import package_home
from grader.kernel.supervisor.processes import Processes
from grader.kernel.supervisor.procfs import Proc

_START = """
import os, signal, sys, time
sys.path.insert(0, sys.argv[1])
from grader.kernel.supervisor.processes import Processes

def child():
    pid = os.fork()
    if pid == 0:
        while True:
            time.sleep(60)
    return pid

processes = Processes(private=False, most=64)
"""

_CONTINUED = """
spared, other = child(), child()
stands_still = processes._stands_still
continued = []

def continues(task, mark):
    if not continued and mark.startswith("T"):  # as the system does with a process group that is orphaned
        os.kill(other, signal.SIGCONT)
        continued.append(task)
        time.sleep(0.01)
        return False
    return stands_still(task, mark)

processes._stands_still = continues
began = time.monotonic()
stopped = processes.stop_others(spared)
print(len(continued), [mark[0] for mark in stopped.marks.values()], time.monotonic() - began < 9)
print(processes.ran(stopped), processes.name(spared) in stopped.pids)
processes.kill_all()
"""

_KILLED = """
spared, other = child(), child()
stopped = processes.stop_others(spared)
processes.kill_others(frozenset(stopped.pids.values()))
print(processes._runs_no_more(str(spared)), processes._runs_no_more(str(other)))
print(os.waitpid(spared, 0)[1])
processes.kill_all()
print(processes.proc.is_dead(str(other)), os.waitpid(other, 0)[1])
print(processes.proc.is_dead(str(other)), processes.listed())
"""


linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux only")


@pytest.mark.parametrize(
    ("script", "told"),
    [
        pytest.param(_CONTINUED, ["1 ['T'] True", "False False"], id="stopped again when the system continues it"),
        pytest.param(_KILLED, ["True False", "9", "True 9", "True []"], id="killed but for those that are stopped"),
    ],
)
def test_what_descends_from_a_process(script: str, told: list[str]) -> None:
    command = [sys.executable, "-c", _START + script, package_home()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == told


@linux
def test_status_is_that_of_the_dead(tmp_path: Path) -> None:
    for name, state in zip("123", "SZT", strict=True):
        (tmp_path / name).mkdir()
        (tmp_path / name / "stat").write_text(f"{name} (of :) names) {state} 0 0 9")
    processes = Processes(False, 64)
    processes.close()
    processes.proc = Proc(str(tmp_path))
    assert [processes.exit_status(name) for name in "1234"] == [None, 9, None, None]
    processes.close()


def test_who_is_not_the_first_of_a_namespace_may_not_signal_everybody() -> None:
    with pytest.raises(RuntimeError, match="process 1"):
        Processes(private=True, most=64)
