"""Landlock that cannot be had is an ``OSError``, which the sandbox turns into an outcome."""

from __future__ import annotations

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
