"""How the zygote is started in each sandbox."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from unittest.mock import Mock

import pytest

from grader.errors import SandboxUnavailable
from grader.kernel.host import sandbox as sandboxes
from grader.kernel.host.sandbox import SandboxStatus, choose_sandbox, package_home, readable, zygote_command
from grader.model import Sandbox
from tests.kernel.conftest import BEST

GRADED = """
import asyncio, sys
from grader.kernel.host.pool import KernelPool
from grader.model import Cell, Job
async def work():
    async with KernelPool(sys.argv[1], jobs=1) as pool:
        return await pool.run(Job("one", (Cell(0, "print('hi')"),), ()))
print(asyncio.run(work()).outputs)
"""


@pytest.mark.parametrize("sandbox", [BEST])
def test_interpreter_named_by_way_of_another_folder_is_found(sandbox: str, tmp_path: Path) -> None:
    python = os.path.relpath(sys.executable, tmp_path)
    assert python.startswith("..")
    command = [python, "-c", GRADED, sandbox]
    environment = {**os.environ, "PYTHONPATH": package_home()}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.stdout == "{0: 'hi\\n'}\n", done.stderr


def test_bwrap_keeps_apart_what_only_its_options_do() -> None:
    """Written out: a job has namespaces of its own beside, and would not miss most of these."""
    command = sandboxes.bwrap_command()
    assert set(command) >= {
        *("--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-net", "--unshare-uts"),
        *("--unshare-cgroup-try", "--disable-userns", "--new-session", "--die-with-parent", "--clearenv"),
    }
    following = [*pairwise(command)]
    assert {kept for option, kept in following if option in {"--cap-drop", "--cap-add"}} == {
        *("ALL", "CAP_SYS_ADMIN", "CAP_SYS_CHROOT", "CAP_SYS_PTRACE"),
    }
    assert [place for option, place in following if option == "--remount-ro"] == ["/", "/dev"]
    assert not {"--bind", "--dev-bind"} & {*command}


@pytest.mark.parametrize(
    ("error", "reason", "passing"),
    [
        (subprocess.TimeoutExpired(["bwrap", "--unshare-user"], 20), "it did not start within 20 s", True),
        (BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN)), "Resource temporarily unavailable", True),
        (OSError(errno.ENOEXEC, os.strerror(errno.ENOEXEC), "bwrap"), "Exec format error", False),
    ],
    ids=["slow", "no processes", "broken"],
)
@pytest.mark.skipif(shutil.which("bwrap") is None, reason="it is not tried")
def test_weaker_sandbox_takes_the_place_of_no_better_one_that_only_now_does_not_work(
    error: Exception, reason: str, passing: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subprocess, "run", Mock(side_effect=error))
    status = sandboxes._bwrap_status()
    assert (status.works, status.reason, status.passing) == (False, reason, passing)
    assert status.remedy

    statuses = (status, SandboxStatus("landlock", works=True), SandboxStatus("none", works=True))
    monkeypatch.setattr(sandboxes, "available_sandboxes", lambda: statuses)
    assert choose_sandbox("landlock") == "landlock"
    if passing:
        with pytest.raises(SandboxUnavailable, match=reason) as refused:
            choose_sandbox()
        assert refused.value.remedy.endswith("--sandbox landlock, the weaker one, which works here")
    else:
        assert choose_sandbox() == "landlock"


def test_landlock_without_proc_is_said_not_to_work(monkeypatch: pytest.MonkeyPatch) -> None:
    there = os.path.exists
    monkeypatch.setattr(os.path, "exists", lambda path: path != "/proc/self/fd" and there(path))
    status = sandboxes._landlock_status()
    assert (status.works, status.reason, status.remedy) == (False, "there is no /proc", "sudo mount -t proc proc /proc")


def changed(folder: Path, module: str, old: str, new: str) -> dict[str, str]:
    """The environment in which the grader is a copy in ``folder`` with a ``module`` of the kernel's changed."""
    shutil.copytree(Path(package_home(), "grader"), folder / "grader", ignore=shutil.ignore_patterns("__pycache__"))
    file = folder / f"grader/kernel/{module}.py"
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1
    file.write_text(text.replace(old, new), encoding="utf-8")
    return {**os.environ, "PYTHONPATH": str(folder)}


@pytest.mark.skipif(BEST != "bwrap", reason="only there do jobs have namespaces")
def test_jobs_run_where_a_filter_hides_clone3(tmp_path: Path) -> None:
    environment = changed(tmp_path, "confinement/confine", "_CLONE3 = 435", "_CLONE3 = 99_999")
    command = [sys.executable, "-P", "-c", GRADED, BEST]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.stdout == "{0: 'hi\\n'}\n", done.stderr


LEFT = """
import asyncio, sys
from grader.kernel.host.pool import KernelPool
from grader.model import Cell, Job
leave = '''
import os, sys
places = [sys.prefix, os.path.dirname(os.__file__)]
for place in [*places, "/var/tmp", "/run"]:
    places += [place := os.path.dirname(place) for _ in range(place.count("/"))]
places += ["/", "/dev", "/etc", "/tmp", "/sys", "/root", "/home"]
for place in filter(os.path.isdir, places):
    try:
        os.mkdir(os.path.join(place, "left"))
    except OSError:
        pass
'''
find = leave.partition("for place in filter")[0] + "print([p for p in places if os.path.exists(p + '/left')])"
async def work():
    async with KernelPool("bwrap", jobs=1) as pool:
        await pool.run(Job("leaves", (Cell(0, leave),), ()))
        return await pool.run(Job("finds", (Cell(0, find),), ()))
print(asyncio.run(work()).outputs)
"""


@pytest.mark.skipif(BEST != "bwrap", reason="the other sandbox is Landlock's")
def test_nothing_is_left_for_the_next_job_where_there_is_no_landlock(tmp_path: Path) -> None:
    environment = changed(tmp_path, "confinement/landlock", "return max(0, int(version))", "return 0")
    command = [sys.executable, "-P", "-c", LEFT]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.stdout == "{0: '[]\\n'}\n", done.stderr


def test_of_a_prefix_only_what_is_installed_there_can_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A course's folder may have been made a virtual environment, with ``python -m venv .``, or lie in ``/usr/src``."""
    course, system, plain = tmp_path / "course", tmp_path / "system", tmp_path / "plain"
    for name in ("bin", "lib/python3/site-packages", "submissions", "solutions", "grades"):
        (course / name).mkdir(parents=True)
    (course / "pyvenv.cfg").touch()
    for name in ("bin", "cuda", "src/app/solutions", "local/src"):
        (system / name).mkdir(parents=True)
    (plain / "src").mkdir(parents=True)
    for attribute, prefix in (("prefix", course), ("base_prefix", system), ("exec_prefix", plain)):
        monkeypatch.setattr(sys, attribute, str(prefix))
    found = {Path(place) for place in readable()}

    assert {place.relative_to(tmp_path).as_posix() for place in found if place.is_relative_to(tmp_path)} == {
        *("course/bin", "course/lib", "course/pyvenv.cfg", "system/bin", "system/cuda", "plain")
    }
    assert not found & set(tmp_path.parents)


@pytest.mark.parametrize("sandbox", ["bwrap", "landlock"])
def test_packages_of_the_user_and_of_an_environment_below_are_found_and_can_be_read(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``pip install --user`` and ``uv run --with`` put a folder on the path that is in no prefix."""
    folder, own = tmp_path / "lib/python3.11/site-packages", tmp_path / "own"
    for one in (folder, own):
        one.mkdir(parents=True)
    monkeypatch.setattr(sys, "path", [str(own), *sys.path, str(folder)])

    assert str(folder) in readable()
    assert str(folder) in zygote_command(sandbox, 3)[-3].split(":")
    assert str(own) not in readable()
