"""How the zygote is started in each sandbox."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from grader.kernel.sandbox import package_home
from tests.kernel.conftest import BEST

GRADED = """
import asyncio, sys
from grader.kernel import KernelPool
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
