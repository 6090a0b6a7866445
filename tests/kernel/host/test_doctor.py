"""What ``grader doctor`` finds, here and on machines that lack something."""

from __future__ import annotations

import shlex
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import get_args

import pytest

import grader.kernel.host.doctor as examination
from grader.errors import SandboxUnavailable
from grader.kernel.host import sandbox
from grader.kernel.host.doctor import doctor
from grader.kernel.host.sandbox import SandboxStatus, choose_sandbox
from grader.model import Sandbox


def _examined(monkeypatch: pytest.MonkeyPatch, *statuses: SandboxStatus) -> dict[str, str]:
    found = (*statuses, SandboxStatus("none", True))
    monkeypatch.setattr(examination, "available_sandboxes", lambda: found)
    monkeypatch.setattr(examination, "_kernel", list)
    return {finding.text: f"{finding.level}: {finding.remedy}" for finding in doctor()}


def test_this_machine_is_described() -> None:
    findings = doctor()
    assert {finding.level for finding in findings} <= {"ok", "warn", "fail"}
    text = "\n".join(finding.text for finding in findings)
    for word in (
        "Python 3",
        "torch 2",
        "sandbox bwrap",
        "sandbox landlock",
        "kernels come up",
        "core",
        "memory",
        "limits: cell 30 s",
    ):
        assert word in text


def test_missing_sandbox_comes_with_what_mends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    found = _examined(
        monkeypatch,
        SandboxStatus("bwrap", False, "bubblewrap is not installed", "sudo apt-get install bubblewrap"),
        SandboxStatus("landlock", True),
    )
    assert found["sandbox bwrap (bubblewrap): bubblewrap is not installed"] == "warn: sudo apt-get install bubblewrap"


def test_linux_that_cannot_enter_namespaces_by_process_is_too_old_for_bwrap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _: "/usr/bin/bwrap")
    monkeypatch.setattr("platform.release", lambda: "5.4.0-216-generic")
    status = sandbox._bwrap_status()
    assert (status.works, status.reason) == (False, "Linux 5.4.0-216-generic is too old")
    assert "5.8" in status.remedy


def test_no_sandbox_at_all_fails_and_says_what_none_means(monkeypatch: pytest.MonkeyPatch) -> None:
    found = _examined(
        monkeypatch, SandboxStatus("bwrap", False, "refused", "mend"), SandboxStatus("landlock", False, "old", "boot")
    )
    told = found["no sandbox works here: `grader score` refuses to run"]
    assert told.startswith("fail")
    assert "--sandbox none" in told


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_other_systems_are_told_what_is_missing(monkeypatch: pytest.MonkeyPatch, platform: str) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    found = _examined(
        monkeypatch, SandboxStatus("bwrap", False, "needs Linux"), SandboxStatus("landlock", False, "needs Linux")
    )
    assert any("grader check` needs none" in text and "--sandbox none" in told for text, told in found.items())


@pytest.mark.parametrize(
    ("asked", "working", "left"),
    [
        ("bwrap", ("landlock",), "--sandbox landlock, the weaker one, which works here"),
        ("landlock", ("bwrap",), "--sandbox bwrap, which works here"),
        ("bwrap", (), "--sandbox none, for code that you trust"),
        (None, (), "--sandbox none, for code that you trust"),
    ],
)
def test_sandbox_that_does_not_work_is_refused_with_another_before_none(
    monkeypatch: pytest.MonkeyPatch, asked: str | None, working: tuple[str, ...], left: str
) -> None:
    statuses = tuple(
        SandboxStatus(name, name in (*working, "none"), remedy=f"mend {name}") for name in get_args(Sandbox)
    )
    monkeypatch.setattr(sandbox, "available_sandboxes", lambda: statuses)
    with pytest.raises(SandboxUnavailable) as refused:
        choose_sandbox(asked)
    *mended, last = refused.value.remedy.split("\n  or: ")
    assert last == left
    assert mended == [f"mend {name}" for name in ("bwrap", "landlock") if asked in (None, name)]


def test_unknown_sandbox_is_refused() -> None:
    with pytest.raises(SandboxUnavailable, match="no sandbox 'vault'"):
        choose_sandbox("vault")


def test_kernel_that_does_not_come_up_is_told_by_its_last_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """``grader score`` names the doctor there, who has to know more than that a sandbox works."""
    missing = "raise ModuleNotFoundError('No module named \\'ipykernel\\'')"
    monkeypatch.setattr(sandbox, "_BOOT", missing)
    (found,) = [finding for finding in doctor() if "comes up" in finding.text]
    assert found.level == "fail"
    assert found.text.endswith(": ModuleNotFoundError: No module named 'ipykernel'")
    assert "virtual environment" in found.remedy


def test_missing_torch_is_told_once_and_no_kernel_is_blamed(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = examination.Finding("fail", "torch is not installed", "install it")
    monkeypatch.setattr(examination, "_torch", lambda: missing)
    monkeypatch.setattr(examination, "_kernel", lambda: [examination.Finding("fail", "no kernel comes up")])
    findings = doctor()
    assert missing in findings
    assert not any("kernel comes up" in finding.text for finding in findings)


@pytest.mark.parametrize(
    ("about", "level", "remedy"),
    [
        ('__version__ = "2.13.0+cpu"\ncuda = None', "ok", ""),
        # ``pip install torch`` would find the build for CUDA, and leave it.
        ('__version__ = "2.13.0+cu130"\ncuda = "13.0"', "warn", "torch==2.13.0+cpu "),
        ("half a file(", "fail", "--force-reinstall"),
        (None, "fail", " -m pip install torch --index-url"),
    ],
)
def test_build_of_torch_comes_with_what_replaces_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, about: str | None, level: str, remedy: str
) -> None:
    spec = None
    if about is not None:
        (tmp_path / "version.py").write_text(about)
        spec = ModuleSpec("torch", None, origin=str(tmp_path / "__init__.py"))
    monkeypatch.setattr("importlib.util.find_spec", lambda _: spec)
    found = examination._torch()
    assert found.level == level
    assert remedy in found.remedy
    assert bool(found.remedy) == bool(remedy)
    assert found.remedy.startswith(f"{shlex.quote(sys.executable)} -m pip install " if remedy else "")
