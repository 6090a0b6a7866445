"""Stopping and killing what descends from a process, tried on children of a process of its own."""

from __future__ import annotations

import ctypes
import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
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
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == told


def tell(
    proc: Path, name: str, *children: str, threads: int = 1, kilobytes: tuple[int, int, int | None] = (0, 0, None),
    links: tuple[str, ...] = ("/dev/null",), ticks: tuple[int, int] = (0, 0), waited: int = 0, state: str = "S",
) -> None:  # fmt: skip
    """Have ``proc`` say of a process what ``/proc`` does; ``kilobytes`` resident, of page tables, and its own share."""
    place, (resident, tables, share) = proc / name, kilobytes
    for folder in (place / "task" / name, place / "fd"):
        folder.mkdir(parents=True)
    for number, link in enumerate(links):
        (place / "fd" / str(number)).symlink_to(link)
    fields = [state, *["0"] * 10, *map(str, ticks), *["0"] * 4, str(threads), *["0"] * 31, "9"]
    files = {
        "stat": f"{name} (of :) names) {' '.join(fields)}",
        "status": f"Name:\tof names\nVmRSS:\t{resident} kB\nVmPTE:\t{tables} kB\n",
        "schedstat": f"1 {waited} 2",
        f"task/{name}/children": " ".join(children),
        **({} if share is None else {"smaps_rollup": f"0-1 ---p\nRss: 1 kB\nPss: {share} kB\n"}),
    }
    for file, text in files.items():
        (place / file).write_text(text)


@contextmanager
def looking_at(proc: Path, **limits: int) -> Iterator[Processes]:
    processes = Processes(False, {"processes": 64, "memory": 10**12, **limits})
    os.close(processes.proc)
    processes.proc, processes.me = os.open(proc, os.O_RDONLY | os.O_DIRECTORY), "1"
    try:
        yield processes
    finally:
        processes.close()


@linux
@pytest.mark.parametrize(
    ("threads", "most", "over", "room"),
    [
        ((1, 1), 3, None, True),
        ((1, 1), 2, None, False),
        ((1, 1, 1), 2, "processes", False),
        ((14, 1), 2, None, False),
        ((15, 1), 2, None, False),
        ((16, 1), 2, "processes", False),
        ((22, 1), 3, None, True),
        ((23, 1), 3, None, False),
    ],
)
def test_processes_and_their_threads_are_counted(
    threads: tuple[int, ...], most: int, over: str | None, room: bool, tmp_path: Path
) -> None:
    names = [str(number) for number in range(2, 2 + len(threads))]
    for name, child, count in zip(names, [*names[1:], ""], threads, strict=True):
        tell(tmp_path, name, child, threads=count)
    tell(tmp_path, "1", names[0])
    with looking_at(tmp_path, processes=most) as processes:
        assert (processes.over_limit(None), processes.has_room()) == (over, room)


@linux
@pytest.mark.parametrize(
    ("shares", "links", "held"),
    [
        ((300, 300), ("/dev/null",), 620 * 1024),
        ((300, None), ("/dev/null",), 920 * 1024),  # who hides what it shares shares nothing
        ((None, None), ("/dev/null",), 1220 * 1024),
        ((300, 300), ("socket:[7]", "pipe:[7]", "socket:[8]"), 620 * 1024 + 2 * 208 * 1024),
    ],
    ids=["shared", "one hides", "both hide", "sockets"],
)
def test_memory_is_that_of_all_with_what_is_shared_once_and_what_sockets_hold(
    shares: tuple[int | None, ...], links: tuple[str, ...], held: int, tmp_path: Path
) -> None:
    tell(tmp_path, "1", "2", "3")
    for name, share in zip("23", shares, strict=True):
        tell(tmp_path, name, kilobytes=(600, 10, share), links=links)
    for most, over in ((held, None), (held - 1, "memory")):
        with looking_at(tmp_path, memory=most) as processes:
            assert processes.over_limit(None) == over


@linux
def test_folder_is_looked_at_now_and_then_and_at_once_for_another_kernel(tmp_path: Path) -> None:
    tell(tmp_path / "proc", "1", "2")
    tell(tmp_path / "proc", "2")
    (tmp_path / "job").mkdir()
    (tmp_path / "job" / "file").write_bytes(bytes(9000))
    with looking_at(tmp_path / "proc", written=8000) as processes:
        assert [processes.over_limit(tmp_path / "job") for _ in range(2)] == ["written", None]
        processes.kernel_forked()
        assert processes.over_limit(tmp_path / "job") == "written"
    with looking_at(tmp_path / "proc", written=10**6) as processes:
        assert processes.over_limit(tmp_path / "job") is None


@linux
def test_time_is_that_of_all_together(tmp_path: Path) -> None:
    second = os.sysconf("SC_CLK_TCK")
    tell(tmp_path, "1", "2", ticks=(second, 2 * second), waited=10**9)
    tell(tmp_path, "2", "3", ticks=(3 * second, 0), waited=5 * 10**8)
    with looking_at(tmp_path) as processes:
        assert processes.used_and_waited() == (6.0, 1.5, frozenset({"1", "2", "3"}))


@linux
def test_status_is_that_of_the_dead(tmp_path: Path) -> None:
    for name, state in zip("123", "SZT", strict=True):
        tell(tmp_path, name, state=state)
    with looking_at(tmp_path) as processes:
        assert [processes.exit_status(name) for name in "1234"] == [None, 9, None, None]


def test_who_is_not_the_first_of_a_namespace_may_not_signal_everybody() -> None:
    with pytest.raises(RuntimeError, match="process 1"):
        Processes(private=True, limits={})


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


@linux
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
