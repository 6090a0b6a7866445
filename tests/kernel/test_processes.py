"""Stopping and killing what descends from a process, tried on children of a process of its own."""

from __future__ import annotations

import ctypes
import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from grader.kernel.processes import Processes, _is_over
from grader.kernel.removal import remove
from grader.kernel.sandbox import package_home

_START = """
import os, signal, sys, time
sys.path.insert(0, sys.argv[1])
from grader.kernel.processes import Processes

def child():
    pid = os.fork()
    if pid == 0:
        while True:
            time.sleep(60)
    return pid

processes = Processes(private=False, limits={"processes": 64})
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
print(len(continued), [mark[0] for mark in stopped.marks.values()], time.monotonic() - began < 2)
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
print(processes._is_dead(str(other)), os.waitpid(other, 0)[1])
print(processes._is_dead(str(other)), processes.listed())
"""


@pytest.mark.parametrize(
    ("script", "told"),
    [
        pytest.param(_CONTINUED, ["1 ['T'] True", "False False"], id="stopped again when the system continues it"),
        pytest.param(_KILLED, ["True False", "9", "True 9", "True []"], id="killed but for those that are stopped"),
    ],
)
def test_what_descends_from_a_process(script: str, told: list[str]) -> None:
    command = [sys.executable, "-c", _START + script, package_home()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == told


def test_folder_that_cannot_be_looked_through_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for _ in range(20):
        Path("x" * 250).mkdir()
        monkeypatch.chdir("x" * 250)
    assert _is_over(str(tmp_path), 10**9)
    remove(tmp_path)


def test_folder_that_is_closed_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "closed").mkdir()
    assert not _is_over(str(tmp_path), 10**9)
    scandir = os.scandir

    def refusing(path: str) -> object:
        if path.endswith("closed"):
            raise PermissionError(errno.EACCES, "closed")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    assert _is_over(str(tmp_path), 10**9)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux only")
def test_removed_files_that_are_mapped_alone_count_as_all_that_may_be_written_but_for_a_few(tmp_path: Path) -> None:
    libc = ctypes.CDLL(None)
    libc.mmap.restype = ctypes.c_void_p
    processes, me, mapped = Processes(False, {"written": 10**6}), str(os.getpid()), []
    try:
        for number in range(3):
            with (tmp_path / f"file {number}").open("w+b") as file:
                file.write(bytes(4096))
                file.flush()
                at = libc.mmap(None, ctypes.c_size_t(4096), 1, 2, file.fileno(), ctypes.c_long(0))
                mapped.append(ctypes.c_void_p(at))
                (tmp_path / f"file {number}").unlink()
                assert processes._unlinked(tmp_path, [me]) == 4096
            held = processes._unlinked(tmp_path, [me])
            assert held == 0 if number < 2 else held > 10**6
        (tmp_path / "another").mkdir()
        assert processes._unlinked(tmp_path / "another", [me]) == 0
    finally:
        for at in mapped:
            libc.munmap(at, ctypes.c_size_t(4096))
        processes.close()
