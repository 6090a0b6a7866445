"""Landlock that cannot be had is an ``OSError``, which the sandbox turns into an outcome."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest

from grader.kernel.confinement import landlock

sandlock = pytest.importorskip("sandlock", reason="sandlock is for Linux")


def test_without_sandlock_restrict_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sandlock", None)
    with pytest.raises(OSError, match="sandlock is not installed"):
        landlock.restrict(["/"], [])


def test_refusal_of_the_system_is_an_os_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Any) -> None:
        raise sandlock.SandlockError("no such protection")

    monkeypatch.setattr(sandlock, "confine", refuse)
    with pytest.raises(OSError, match="Landlock: no such protection"):
        landlock.restrict(["/"], [])


def test_paths_that_do_not_exist_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(sandlock, "confine", seen.append)
    landlock.restrict(["/usr", "/nowhere/at/all"], ["/tmp", "/nowhere/else"])

    assert [str(path) for path in seen[0].fs_readable] == ["/usr"]
    assert [str(path) for path in seen[0].fs_writable] == ["/tmp"]


_SIGNALS = """
import os, signal
from grader.kernel.confinement import confine
confine.drop_privileges()
confine.confine_check()
os.kill(os.getpid(), 0)
try:
    os.kill({pid}, 0)
except PermissionError:
    print("refused")
"""


@pytest.mark.skipif(landlock.abi() < landlock.SCOPES, reason="this Linux cannot confine signals")
def test_check_sends_no_signal_to_a_process_that_began_before_it() -> None:
    """Such as one that the notebook left, stopped, to be continued and to answer for it."""
    code = _SIGNALS.format(pid=os.getpid())
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "refused\n", done.stderr
