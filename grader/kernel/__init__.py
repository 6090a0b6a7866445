"""Runs untrusted notebooks: warm kernels in a sandbox, checks in forks of them, tensors back.

The face of the wing; importing it imports no torch.
"""

from __future__ import annotations

from grader.kernel.doctor import Finding, doctor
from grader.kernel.pool import KernelPool
from grader.kernel.sandbox import SANDBOXES, SandboxStatus, available_sandboxes, choose_sandbox

__all__ = [
    "SANDBOXES",
    "Finding",
    "KernelPool",
    "SandboxStatus",
    "available_sandboxes",
    "choose_sandbox",
    "doctor",
]
