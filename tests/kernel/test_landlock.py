"""Landlock that cannot be had is an ``OSError``, which the sandbox turns into an outcome."""

from __future__ import annotations

from typing import Any

import pytest

from grader.kernel import landlock

if landlock.sandlock is None:
    pytest.skip("sandlock is for Linux", allow_module_level=True)


def test_without_sandlock_restrict_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landlock, "sandlock", None)
    with pytest.raises(OSError, match="sandlock is not installed"):
        landlock.restrict(["/"], [])


def test_refusal_of_the_system_is_an_os_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Any) -> None:
        raise landlock.sandlock.SandlockError("no such protection")

    monkeypatch.setattr(landlock.sandlock, "confine", refuse)
    with pytest.raises(OSError, match="Landlock: no such protection"):
        landlock.restrict(["/"], [])


def test_paths_that_do_not_exist_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(landlock.sandlock, "confine", seen.append)
    landlock.restrict(["/usr", "/nowhere/at/all"], ["/tmp", "/nowhere/else"])

    assert [str(path) for path in seen[0].fs_readable] == ["/usr"]
    assert [str(path) for path in seen[0].fs_writable] == ["/tmp"]
