"""What a job uses, counted in a ``/proc`` that the test writes, and in folders."""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from grader.kernel.removal import remove
from grader.kernel.supervisor.processes import Processes
from grader.kernel.supervisor.procfs import Proc
from grader.kernel.supervisor.usage import Usage, _is_over

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux only")


def tell(
    proc: Path, name: str, *children: str, threads: int = 1, kilobytes: tuple[int, int, int | None] = (0, 0, None),
    links: tuple[str, ...] = ("/dev/null",), ticks: tuple[int, int] = (0, 0), waited: int = 0,
) -> None:  # fmt: skip
    """Have ``proc`` say of a process what ``/proc`` does; ``kilobytes`` resident, of page tables, and its own share.

    Of ``links`` it hides those that are empty.
    """
    place, (resident, tables, share) = proc / name, kilobytes
    for folder in (place / "task" / name, place / "fd"):
        folder.mkdir(parents=True)
    for number, link in enumerate(links):
        at = place / "fd" / str(number)
        at.symlink_to(link) if link else at.touch()  # which is no link, and cannot be read as one
    fields = ["S", *["0"] * 10, *map(str, ticks), *["0"] * 4, str(threads), *["0"] * 31, "0"]
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
def looking_at(proc: Path, **limits: int) -> Iterator[Usage]:
    processes = Processes(False, limits.get("processes", 64))
    processes.close()
    processes.proc, processes.me = Proc(str(proc)), "1"
    try:
        yield Usage(processes, {"processes": 64, "memory": 10**12, **limits})
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
    with looking_at(tmp_path, processes=most) as usage:
        assert (usage.over_limit(None), usage.has_room()) == (over, room)


@linux
@pytest.mark.parametrize(
    ("shares", "links", "held"),
    [
        ((300, 300), ("/dev/null",), 620 * 1024),
        ((300, None), ("/dev/null",), 920 * 1024),  # who hides what it shares shares nothing
        ((None, None), ("/dev/null",), 1220 * 1024),
        ((300, 300), ("socket:[7]", "pipe:[7]", "socket:[8]"), (620 + 2 * 208 + 64) * 1024),
        ((300, 300), ("socket:[7]", "", ""), (620 + 5 * 208 + 4 * 64) * 1024),  # of each process its own
    ],
    ids=["shared", "one hides", "both hide", "sockets and a pipe", "a socket and what is hidden"],
)
def test_memory_is_that_of_all_with_what_is_shared_once_and_what_sockets_and_pipes_hold(
    shares: tuple[int | None, ...], links: tuple[str, ...], held: int, tmp_path: Path
) -> None:
    tell(tmp_path, "1", "2", "3")
    for name, share in zip("23", shares, strict=True):
        tell(tmp_path, name, kilobytes=(600, 10, share), links=links)
    for most, over in ((held, None), (held - 1, "memory")):
        with looking_at(tmp_path, memory=most) as usage:
            assert usage.over_limit(None) == over


@linux
@pytest.mark.parametrize(("pipes", "over"), [(256, None), (257, "pipes")])
def test_pipes_are_counted_once_those_with_a_name_too(pipes: int, over: str | None, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "named")
    (tmp_path / "file").touch()
    links = (*(f"pipe:[{number}]" for number in range(pipes - 1)), str(tmp_path / "named"), str(tmp_path / "file"))
    tell(tmp_path, "1", "2", "3")
    for name in "23":
        tell(tmp_path, name, links=links)
    with looking_at(tmp_path) as usage:
        assert usage.over_limit(None) == over


@linux
@pytest.mark.parametrize("memory", [10**12, 1], ids=["within", "over"])
def test_what_may_be_pipes_is_told_as_that_whatever_else_the_job_is_over(memory: int, tmp_path: Path) -> None:
    tell(tmp_path, "1", "2", "3")
    tell(tmp_path, "2", links=("pipe:[7]",) * 2 + ("",) * 128)
    tell(tmp_path, "3", links=("",) * 128)
    with looking_at(tmp_path, memory=memory) as usage:
        assert usage.over_limit(None) == "pipes and hidden files"


@linux
def test_what_was_closed_since_it_was_listed_is_not_hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tell(tmp_path, "1", "2")
    tell(tmp_path, "2", links=("socket:[7]",))
    with looking_at(tmp_path, memory=208 * 1024) as usage:
        monkeypatch.setattr(usage, "_open_files", lambda _: [str(number) for number in range(1000)])
        assert usage.over_limit(None) is None


@linux
def test_folder_is_looked_at_now_and_then_and_at_once_for_another_kernel(tmp_path: Path) -> None:
    tell(tmp_path / "proc", "1", "2")
    tell(tmp_path / "proc", "2")
    (tmp_path / "job").mkdir()
    (tmp_path / "job" / "file").write_bytes(bytes(9000))
    with looking_at(tmp_path / "proc", written=8000) as usage:
        assert [usage.over_limit(tmp_path / "job") for _ in range(2)] == ["bytes written", None]
        usage.begin()
        assert usage.over_limit(tmp_path / "job") == "bytes written"
    with looking_at(tmp_path / "proc", written=10**6) as usage:
        assert usage.over_limit(tmp_path / "job") is None


@linux
def test_time_is_that_of_all_together(tmp_path: Path) -> None:
    second = os.sysconf("SC_CLK_TCK")
    tell(tmp_path, "1", "2", ticks=(second, 2 * second), waited=10**9)
    tell(tmp_path, "2", "3", ticks=(3 * second, 0), waited=5 * 10**8)
    with looking_at(tmp_path) as usage:
        assert usage.used_and_waited() == (6.0, 1.5, frozenset({"1", "2", "3"}))


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


@pytest.mark.parametrize(("files", "over"), [(5, False), (6, True)])
def test_folder_of_more_files_than_it_may_have_is_full_wherever_they_lie(
    files: int, over: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grader.kernel.supervisor.usage.MOST_FILES", 6)
    (tmp_path / "below").mkdir()  # which counts as well
    for number in range(files):
        (tmp_path / ("below" if number % 2 else ".") / str(number)).touch()
    assert _is_over(str(tmp_path), 10**9) == over


@linux
def test_removed_files_that_are_mapped_alone_count_as_all_that_may_be_written_but_for_a_few(tmp_path: Path) -> None:
    libc = ctypes.CDLL(None)
    libc.mmap.restype = ctypes.c_void_p
    processes, me, mapped = Processes(False, 64), str(os.getpid()), []
    usage = Usage(processes, {"written": 10**6})
    try:
        for number in range(3):
            with (tmp_path / f"file {number}").open("w+b") as file:
                file.write(bytes(4096))
                file.flush()
                at = libc.mmap(None, ctypes.c_size_t(4096), 1, 2, file.fileno(), ctypes.c_long(0))
                mapped.append(ctypes.c_void_p(at))
                (tmp_path / f"file {number}").unlink()
                assert usage._unlinked(tmp_path, [me]) == 4096
            held = usage._unlinked(tmp_path, [me])
            assert held == 0 if number < 2 else held > 10**6
        (tmp_path / "another").mkdir()
        assert usage._unlinked(tmp_path / "another", [me]) == 0
    finally:
        for at in mapped:
            libc.munmap(at, ctypes.c_size_t(4096))
        processes.close()
