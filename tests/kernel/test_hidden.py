"""An installed course lies among the packages that a notebook may read, and cannot be read there."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from grader.kernel.host import sandbox
from grader.kernel.host.pool import KernelPool
from grader.kernel.host.sandbox import choose_sandbox
from grader.model import Cell, Execution, Job
from tests.kernel.laboratory import LIMITS

_LOOKS = """
import os, subprocess, sys
home = {home!r}
for name in ('course/held_back.csv', 'course/__init__.py', 'course/deep/solution.py', 'alone.py', 'course/made.pyc'):
    try:
        print(open(os.path.join(home, name)).read())
    except OSError:
        pass
print(subprocess.run('cat */* *.py', cwd=home, shell=True, capture_output=True, text=True).stdout)
sys.path.append(home)
import neighbour, packed.module
os.chdir(home + '/packed')
print(neighbour.WORD, packed.module.WORD, open('public.csv').read(), sorted(os.listdir()))
"""


def installed(folder: Path) -> Path:
    """Packages, of which ``course`` and ``alone`` hold a secret, and ``neighbour`` and ``packed`` what is for all."""
    (folder / "course/deep").mkdir(parents=True)
    for name in ("held_back.csv", "__init__.py", "deep/solution.py", "made.pyc", "../alone.py"):
        (folder / "course" / name).write_text("# SECRET")
    (folder / "packed").mkdir()
    (folder / "neighbour.py").write_text("WORD = 'for all'")
    (folder / "packed/module.py").write_text("WORD = 'within'")
    (folder / "packed/public.csv").write_text("1,2,3")
    return folder


async def _looked(name: str, home: Path) -> Execution:
    async with KernelPool(choose_sandbox(name), LIMITS, jobs=1) as pool:
        pool.hide([home / "course", home / "alone.py", home / "never", Path("/elsewhere")])
        return await pool.run(Job("looks", (Cell(0, _LOOKS.format(home=str(home))),), ()))


def test_places_that_are_hidden_cannot_be_read_and_what_is_beside_them_can(
    confined: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, places = installed(tmp_path / "packages"), sandbox.readable()
    monkeypatch.setattr(sandbox, "readable", lambda: (*places, str(home)))
    execution = asyncio.run(_looked(confined, home))

    assert not execution.failures
    assert "SECRET" not in execution.outputs[0]
    assert "for all within 1,2,3 ['module.py', 'public.csv']" in execution.outputs[0]
