"""What a process gives up for good before student code runs: capabilities, system calls, files, signals.

Through ``landlock``, ``seccomp`` and the C library: no helper program has to exist inside the sandbox. Everything here
is irreversible for the calling process and inherited by all that it starts.
Sources: ``capset(2)``, ``landlock(7)``, ``clone(2)``, ``unshare(2)``, ``mount(2)``.
"""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import struct
import traceback
from typing import TYPE_CHECKING

from grader.kernel.confinement import landlock, seccomp
from grader.kernel.confinement.libc import checked, libc, libc_held

if TYPE_CHECKING:
    from grader.model import Sandbox

CLONE_NEWNS, CLONE_NEWIPC, CLONE_NEWPID, CLONE_NEWNET = 0x20000, 0x8000000, 0x20000000, 0x40000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT, MS_BIND, MS_REC = 1, 2, 4, 8, 32, 4096, 16384
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER, _PR_SET_NO_NEW_PRIVS = 1, 36, 38
_CLONE3 = 435
#: Signals of real time that wait, and timers: no exercise needs one.
_MOST_SIGNALS = 64


def fork_apart(spaces: int) -> int:
    """``os.fork()`` of a process without threads, whose child has the new namespaces in ``spaces`` from its start.

    It is made by ``clone3``; where a filter hides that, by forking, ``unshare`` and forking again, which takes a
    process more. Raises ``OSError`` when the system refuses ``clone3``; where it refuses the others, the child ends.
    """
    python = ctypes.pythonapi
    python.PyOS_BeforeFork()
    arguments = struct.pack("8Q", spaces, 0, 0, 0, signal.SIGCHLD, 0, 0, 0)
    pid = int(libc_held.syscall(_CLONE3, arguments, ctypes.c_size_t(len(arguments))))
    if pid == 0:
        python.PyOS_AfterFork_Child()
        return 0
    number = ctypes.get_errno()
    python.PyOS_AfterFork_Parent()
    if pid > 0:
        return pid
    if number != errno.ENOSYS:
        raise OSError(number, f"clone3: {os.strerror(number)}")
    pid = os.fork()
    if pid == 0:
        try:
            checked(libc.unshare(ctypes.c_int(spaces)), "unshare")
            if os.fork():
                os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)  # it must not go on as if it were the caller
    return pid


def fork_into(member: int, spaces: int, home: int) -> int:
    """``os.fork()`` of a process without threads, whose child is in those ``spaces`` in which ``member`` is.

    What this process starts later is in the PID namespace of ``home``, and it can start no thread any more: the way
    back to its own namespace is barred in bwrap, to whose outer user namespace that belongs. ``member`` and ``home``
    are process descriptors (``pidfd_open(2)``), whose namespaces can be entered since Linux 5.8. Raises ``OSError``
    when the system refuses, or ``member`` is gone.
    """
    _enter(member, CLONE_NEWPID)  # which is where children will be, not where this process is
    try:
        pid = os.fork()
    except OSError:
        _enter(home, CLONE_NEWPID)
        raise
    if pid != 0:
        _enter(home, CLONE_NEWPID)
        return pid
    try:
        _enter(member, spaces & ~CLONE_NEWPID)
    except BaseException:
        traceback.print_exc()
        os._exit(1)  # it must not go on as if it were the caller
    return 0


def _enter(member: int, spaces: int) -> None:
    checked(libc.setns(ctypes.c_int(member), ctypes.c_int(spaces)), "setns")


def mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    """``mount(2)``; raises ``OSError`` when the system refuses."""
    arguments = (source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), options.encode())
    checked(libc.mount(*arguments), f"mount {target}")


def adopt_orphans() -> None:
    """Become the parent of every orphan among this process's descendants."""
    checked(libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), "prctl")


def die_with_parent(signal_number: int) -> None:
    """Have the system send this process a signal when its parent ends."""
    checked(libc.prctl(_PR_SET_PDEATHSIG, signal_number, 0, 0, 0), "prctl")


def drop_privileges() -> None:
    """Give up every capability and the right to gain any by executing a file."""
    checked(libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl")
    header = struct.pack("Ii", 0x20080522, 0)
    checked(libc.capset(header, bytes(24)), "capset")


def limit_resources(*, open_files: int | None = None, file_size: int | None = None, memory: int | None = None) -> None:
    """Set resource limits: descriptors, bytes of one file, bytes of private memory (``RLIMIT_DATA``); no core dumps.

    And few waiting signals and timers, which are counted for all that its user runs, the grader too.
    """
    import resource

    for kind, value in (
        (resource.RLIMIT_NOFILE, open_files),
        (resource.RLIMIT_FSIZE, file_size),
        (resource.RLIMIT_DATA, memory),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_SIGPENDING, _MOST_SIGNALS),
    ):
        if value is None:
            continue
        hard = resource.getrlimit(kind)[1]
        most = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (most, most))


def private_memory() -> int:
    """Bytes of private memory that this process has mapped, as ``RLIMIT_DATA`` counts them; 0 where it cannot tell."""
    with open("/proc/self/status", encoding="ascii", errors="replace") as status:
        for line in status:
            if line.startswith("VmData:"):
                return int(line.split()[1]) * 1024
    return 0


def confine_kernel(sandbox: Sandbox, read: list[str], write: list[str], hidden: list[str]) -> int | None:
    """Everything that a submission's kernel gives up; returns the gate of new processes (``seccomp.install``).

    In ``bwrap`` an older Landlock, or none, will do: the job's namespaces (see ``jobinit``) already hide the files,
    processes and sockets of others.
    """
    drop_privileges()
    if sandbox == "landlock" or landlock.abi():
        landlock.restrict(read, write, strict=sandbox == "landlock")
    if sandbox == "landlock" and hidden:
        landlock.hide(hidden, [*read, *write])
    return seccomp.install("asked", apart=sandbox != "landlock")


def confine_check() -> None:
    """What the fork that runs a check gives up beyond its kernel: new processes, and signals to what was stopped."""
    landlock.scope()
    seccomp.install("refused")
