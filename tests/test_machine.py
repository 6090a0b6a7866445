"""What the process may use of the machine."""

from __future__ import annotations

import errno
import os
import sqlite3
import subprocess
import sys

import pytest

from grader.machine import remedy_of_shortage, usable_cores


def test_cores_are_those_that_the_process_may_run_on() -> None:
    if not hasattr(os, "sched_getaffinity"):
        pytest.skip("no affinity here")
    script = "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
    script += "from grader.machine import usable_cores; print(usable_cores())"

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout == "1\n"
    assert usable_cores() == len(os.sched_getaffinity(0))


@pytest.mark.parametrize(("hard", "then"), [(200, 200), (None, None)])
def test_open_files_are_allowed_as_far_as_the_hard_limit_lets(hard: int | None, then: int | None) -> None:
    resource = pytest.importorskip("resource")
    script = "import resource\nhard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]\n"
    script += f"resource.setrlimit(resource.RLIMIT_NOFILE, (64, {hard or 'hard'}))\n"
    script += "from grader.machine import allow_open_files; allow_open_files(); allow_open_files()\n"
    script += "print(*resource.getrlimit(resource.RLIMIT_NOFILE))"

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    soft, still = map(int, done.stdout.split())
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    assert still == (hard or most)
    assert soft == (then or (min(most, 65_536) if most > 0 else 65_536))


def full_database() -> sqlite3.Error:
    database = sqlite3.connect(":memory:")
    with pytest.raises(sqlite3.Error) as caught:
        database.executescript("PRAGMA max_page_count = 1; CREATE TABLE a (b); CREATE TABLE c (d)")
    database.close()
    return caught.value


SHORTAGES = {
    "disk": (lambda: OSError(errno.ENOSPC, "No space left on device", "a"), "make room"),
    "quota": (lambda: OSError(errno.EDQUOT, "Disk quota exceeded", "a"), "make room"),
    "gradebook": (full_database, "make room"),
    "open files": (lambda: OSError(errno.EMFILE, "Too many open files"), "ulimit -n"),
    "open files of all": (lambda: OSError(errno.ENFILE, "Too many open files in system"), "open files"),
    "processes": (lambda: OSError(errno.EAGAIN, "Resource temporarily unavailable"), "ulimit -u"),
    "memory of a fork": (lambda: OSError(errno.ENOMEM, "Cannot allocate memory"), "more memory"),
    "memory": (MemoryError, "more memory"),
    "no shortage": (lambda: PermissionError(errno.EACCES, "Permission denied", "a"), ""),
    "another database error": (lambda: sqlite3.OperationalError("no such table"), ""),
    "no error of the system": (lambda: ValueError("what"), ""),
}


@pytest.mark.parametrize("kind", SHORTAGES)
def test_shortage_of_the_machine_is_told_with_what_helps(kind: str) -> None:
    made, said = SHORTAGES[kind]
    remedy = remedy_of_shortage(made())
    assert said in remedy
    assert bool(said) is bool(remedy)
