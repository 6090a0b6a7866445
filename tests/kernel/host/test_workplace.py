"""The folder of a pool goes with it, or with the next pool."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from unittest.mock import Mock

import pytest

from grader.errors import KernelError
from grader.kernel.host.workplace import Workplace, place_of_sockets

KILLED = "import os, sys, signal\nfrom grader.kernel.host.workplace import Workplace\nwork = Workplace(sys.argv[1])\n"


def test_folder_is_private_and_goes_with_its_owner(tmp_path: Path) -> None:
    work = Workplace(str(tmp_path))
    assert Path(work.path).stat().st_mode & 0o777 == 0o700
    Path(work.path, "more").mkdir()
    work.close()
    assert list(tmp_path.iterdir()) == []


def test_folder_of_a_killed_grader_goes_with_the_next(tmp_path: Path) -> None:
    living, foreign, file = Workplace(str(tmp_path)), tmp_path / "grader-unlocked", tmp_path / "grader-file"
    foreign.mkdir()
    file.touch()
    (tmp_path / "grader-link").symlink_to(living.path)
    for planted in ("elsewhere", "grader-locked-by-link"):  # whose locks nobody holds
        (tmp_path / planted).mkdir()
    (tmp_path / "elsewhere" / "autograd-grader.lock").touch()
    (tmp_path / "grader-locked-by-link" / "autograd-grader.lock").symlink_to(tmp_path / "grader-file")
    (tmp_path / "grader-link-2").symlink_to("elsewhere")
    dying = f"{KILLED}print(work.path)\nsys.stdout.flush()\nos.kill(os.getpid(), signal.SIGKILL)"
    done = subprocess.run([sys.executable, "-c", dying, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL
    left = Path(done.stdout.strip())
    assert left.is_dir()
    Workplace(str(tmp_path)).close()
    assert not left.exists()
    assert {path.name for path in tmp_path.iterdir()} == {
        Path(living.path).name,
        "grader-unlocked",
        "grader-file",
        "grader-link",
        "grader-link-2",
        "grader-locked-by-link",
        "elsewhere",
    }
    assert [path.name for path in (tmp_path / "elsewhere").iterdir()] == ["autograd-grader.lock"]
    living.close()


def test_folder_of_another_user_is_left_to_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = tmp_path / "grader-theirs"
    theirs.mkdir()
    (theirs / "autograd-grader.lock").touch()
    own = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: own + 1)
    Workplace(str(tmp_path)).close()
    assert theirs.exists()
    monkeypatch.undo()
    Workplace(str(tmp_path)).close()
    assert not theirs.exists()


def test_folder_goes_whatever_student_code_made_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "file").touch()
    work = Workplace(str(tmp_path))
    monkeypatch.chdir(work.path)
    Path("link").symlink_to(kept)
    Path("closed/inner").mkdir(parents=True)
    Path("closed").chmod(0)
    for _ in range(3_000):
        Path("x").mkdir()
        Path("file").touch()
        monkeypatch.chdir("x")
    monkeypatch.chdir(tmp_path)
    work.close()
    assert list(tmp_path.iterdir()) == [kept]
    assert (kept / "file").exists()


def test_place_of_sockets_is_the_systems_temporary_folder_unless_too_deep_or_read_by_kernels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = Path(tempfile.mkdtemp(dir="/tmp"))
    monkeypatch.setattr(tempfile, "tempdir", str(short))
    try:
        assert place_of_sockets([f"{tmp_path}", f"{short}-other"]) == str(short)
        assert place_of_sockets([f"{short}"]) == "/tmp"
        monkeypatch.chdir(short)  # where Python found no other
        assert place_of_sockets([]) == "/tmp"
        monkeypatch.setenv("TEMP", str(short))
        assert place_of_sockets([]) == str(short)
    finally:
        short.rmdir()
    (deep := tmp_path / ("d" * 60)).mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    assert place_of_sockets([]) == "/tmp"


def test_temporary_folder_that_cannot_be_written_is_told_with_what_helps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = OSError(errno.EROFS, "Read-only file system", str(tmp_path / "grader-x"))
    monkeypatch.setattr(tempfile, "mkdtemp", Mock(side_effect=refused))
    with pytest.raises(KernelError, match=f"in {tmp_path}: Read-only file system") as told:
        Workplace(str(tmp_path))
    assert "TMPDIR" in told.value.remedy


def test_place_of_a_job_is_below_and_guessed_by_no_other(tmp_path: Path) -> None:
    work = Workplace(str(tmp_path))
    places = {work.place_of(number) for number in (1, 1, 2)}
    assert len(places) == 3
    assert {Path(place).parent for place in places} == {Path(work.path)}
    work.close()
