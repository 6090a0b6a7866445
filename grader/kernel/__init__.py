"""Runs untrusted notebooks: warm kernels in a sandbox, checks in forks of them, tensors back.

What runs where, and on whose side it is:

The grader's process
    ``pool`` runs jobs, each a ``jobrun`` in the ``workplace``. It gives the kernel its ``assets``, runs the cells by
    ``client`` (nbclient over ``zmtp``, at the ``listeners``) and the checks by ``checks``, in the order of
    ``schedule``, as ``checkorders``. ``programs`` go in, ``results`` come back. ``zygote_process`` and ``initlink``
    lead into the ``sandbox``; ``doctor`` tells what of that works here; ``deaths`` are how a job ends early.
Trusted processes in the sandbox
    ``jobserver`` forks a ``jobinit`` for each job, which puts up its ``mounts``, drives a ``checkrun`` in
    ``checkfork`` s with ``traps`` and leaves nothing (``removal``). ``jobwatch`` keeps its ``clock``, stops and kills
    its ``processes`` and counts their ``usage`` (by ``procfs`` and ``backlog``). The ``zygote`` (``warmth``,
    ``hugepages``) forks its kernel.
The student's process
    ``guest`` is the kernel: ipykernel with a ``shell``, ``outputs``, ``session`` and ``channel`` of ours, once
    ``confine`` (``landlock``, ``seccomp`` of ``syscalls``, by way of ``libc``) has taken away what it must not have. In
    it ``harness`` forks each check, where ``program`` runs one case: ``capture`` reads what it left, ``extras`` under
    which other names, ``studenterror`` what it raised, ``sink`` what it printed, ``autograd_watch`` what it called, in
    ``calm`` before and after; ``surroundings`` are put back for the next.
Between them
    ``wire`` and its ``messages`` in ``plainjson``, a check's result with its ``proof``; ``memfiles`` that hold tensors
    as ``exchange`` writes them.
Without any of this
    ``local`` runs checks in the caller's own process or a fork of it, ``cold`` in a stock kernel.

The names below are the public ones. Each imports its module on first use: what runs in the sandbox is in this package
too, and comes up sooner without the grader's own side. Importing any of them imports no torch.
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

__getattr__, __all__ = lazy.public(
    __name__,
    {
        "pool": "KernelPool",
        "sandbox": "SANDBOXES SandboxStatus available_sandboxes choose_sandbox",
    },
)
