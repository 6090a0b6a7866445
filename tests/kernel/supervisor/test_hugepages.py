"""Memory in huge pages: asked for where the system offers them, and never another content."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

import pytest

from grader.kernel.host.sandbox import bwrap_command, package_home, zygote_environment
from tests.kernel.conftest import BEST

_SETTING = Path("/sys/kernel/mm/transparent_hugepage/enabled")
_LIBRARY, _VERSION = platform.libc_ver()
_ON_REQUEST = (
    _SETTING.is_file()
    and "[madvise]" in _SETTING.read_text(encoding="ascii")
    and _LIBRARY == "glibc"
    and tuple(map(int, _VERSION.split("."))) >= (2, 35)
)

_IN_BWRAP = pytest.mark.skipif(BEST != "bwrap", reason="only there the sandbox hides /sys")

_HEAP = """
import ctypes
ctypes.CDLL(None).malloc(100_000)
mappings = open("/proc/self/smaps").read().split("VmFlags:")
print(any("[heap]" in before and " hg" in after.splitlines()[0] for before, after in zip(mappings, mappings[1:])))
"""

_COLLAPSED = """
import sys
sys.path.insert(0, sys.argv[1])
from grader.kernel.supervisor import hugepages
kept = [bytes([number % 251]) * 500 for number in range(40_000)]
steps = sum(1 for _ in hugepages.collapsed())
print(steps > 0, all(one == bytes([number % 251]) * 500 for number, one in enumerate(kept)))
"""


@pytest.mark.skipif(not _ON_REQUEST, reason="huge pages are not given on request here")
@pytest.mark.parametrize("confined", [False, pytest.param(True, marks=_IN_BWRAP)])
def test_heap_of_a_zygote_asks_for_huge_pages(confined: bool) -> None:
    command = [*(bwrap_command() if confined else ()), sys.executable, "-c", _HEAP]
    done = subprocess.run(command, env=zygote_environment(), capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["True"], done.stderr


def test_memory_that_is_moved_holds_what_it_held() -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-c", _COLLAPSED, package_home()], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["True", "True"]
