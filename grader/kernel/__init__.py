"""Runs untrusted notebooks: warm kernels in a sandbox, checks in forks of them, tensors back.

The names below are the face. Each loads its module on first use: what runs in the sandbox is in this package too, and
comes up sooner without the grader's own side. Importing any of them imports no torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from grader import lazy

if TYPE_CHECKING:
    from grader.kernel.pool import KernelPool as KernelPool
    from grader.kernel.sandbox import SANDBOXES as SANDBOXES
    from grader.kernel.sandbox import SandboxStatus as SandboxStatus
    from grader.kernel.sandbox import available_sandboxes as available_sandboxes
    from grader.kernel.sandbox import choose_sandbox as choose_sandbox

_HOME = {
    "SANDBOXES": "sandbox",
    "KernelPool": "pool",
    "SandboxStatus": "sandbox",
    "available_sandboxes": "sandbox",
    "choose_sandbox": "sandbox",
}

__all__ = sorted(_HOME)  # noqa: PLE0605 - the table is the list
__getattr__ = lazy.attributes(__name__, _HOME)
