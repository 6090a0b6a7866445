"""What a process gives up for good before student code runs: capabilities, system calls, files, signals.

Landlock through ``sandlock`` (``grader.kernel.landlock``), the rest through libc: no helper program has to exist inside
the sandbox. Everything here is irreversible for the calling process and inherited by all that it starts.
Sources: ``capset(2)``, ``landlock(7)``, ``clone(2)``, ``unshare(2)``, ``mount(2)``.
"""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import struct
import sys
import traceback
from collections.abc import Iterable
from typing import Any

from grader.kernel import seccomp

# Imported on every system, for ``grader doctor`` to say what is missing; called on Linux only.
_LINUX = sys.platform.startswith("linux")
_libc: Any = ctypes.CDLL(None, use_errno=True) if _LINUX else None
#: The same, but keeping hold of the interpreter during a call.
_libc_held: Any = ctypes.PyDLL(None, use_errno=True) if _LINUX else None

CLONE_NEWNS, CLONE_NEWIPC, CLONE_NEWPID, CLONE_NEWNET = 0x20000, 0x8000000, 0x20000000, 0x40000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT, MS_BIND, MS_REC = 1, 2, 4, 8, 32, 4096, 16384
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER, _PR_SET_NO_NEW_PRIVS = 1, 36, 38
_LANDLOCK_CREATE_RULESET, _LANDLOCK_ADD_RULE, _LANDLOCK_RESTRICT_SELF, _LANDLOCK_RULE_PATH_BENEATH = 444, 445, 446, 1
_CLONE3 = 435
#: Signals of real time that wait, and timers: no exercise needs one.
_MOST_SIGNALS = 64
#: The Landlock ABI (Linux 6.12) that scopes signals and abstract unix sockets.
SCOPES = 6
_SCOPED = struct.pack("3Q", 0, 0, 3)  # no files, no ports, both scopes


def _call(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def fork_apart(spaces: int) -> int:
    """``os.fork()`` of a process without threads, whose child has the new namespaces in ``spaces`` from its start.

    One process less than to fork, to ``unshare`` and to fork again, which is what is done where a filter hides
    ``clone3``. Raises ``OSError`` when the system refuses; of those two the child ends instead.
    """
    python = ctypes.pythonapi
    python.PyOS_BeforeFork()
    arguments = struct.pack("8Q", spaces, 0, 0, 0, signal.SIGCHLD, 0, 0, 0)
    pid = int(_libc_held.syscall(_CLONE3, arguments, ctypes.c_size_t(len(arguments))))
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
            _call(_libc.unshare(ctypes.c_int(spaces)), "unshare")
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
    _call(_libc.setns(ctypes.c_int(member), ctypes.c_int(spaces)), "setns")


def mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    """``mount(2)``; raises ``OSError`` when the system refuses."""
    arguments = (source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), options.encode())
    _call(_libc.mount(*arguments), f"mount {target}")


def adopt_orphans() -> None:
    """Become the parent of every orphan among this process's descendants."""
    _call(_libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), "prctl")


def die_with_parent(signal_number: int) -> None:
    """Have the system send this process a signal when its parent ends."""
    _call(_libc.prctl(_PR_SET_PDEATHSIG, signal_number, 0, 0, 0), "prctl")


def drop_privileges() -> None:
    """Give up every capability and the right to gain any by executing a file."""
    _call(_libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl")
    header = struct.pack("Ii", 0x20080522, 0)
    _call(_libc.capset(header, bytes(24)), "capset")


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


def landlock_abi() -> int:
    """The Landlock ABI of this system, 0 where there is none; from ``SCOPES`` on it scopes signals and sockets."""
    version = _libc.syscall(_LANDLOCK_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(1))
    return max(0, int(version))


def add_landlock_layer(handled: bytes, beneath: Iterable[bytes] = ()) -> None:
    """Confine this process by one more layer of Landlock, for good: what is ``handled``, but for the rules ``beneath``.

    They are ``struct landlock_ruleset_attr`` and ``struct landlock_path_beneath_attr`` as bytes (``landlock(7)``).
    Raises ``OSError`` when the system refuses.
    """
    flags = ctypes.c_uint32(0)
    size = ctypes.c_size_t(len(handled))
    ruleset = _call(_libc.syscall(_LANDLOCK_CREATE_RULESET, handled, size, flags), "Landlock")
    try:
        for rule in beneath:
            _call(_libc.syscall(_LANDLOCK_ADD_RULE, ruleset, _LANDLOCK_RULE_PATH_BENEATH, rule, flags), "Landlock")
        _call(_libc.syscall(_LANDLOCK_RESTRICT_SELF, ruleset, flags), "Landlock")
    finally:
        os.close(ruleset)


def confine_kernel(sandbox: str, read: list[str], write: list[str], hidden: list[str]) -> int | None:
    """Everything that a submission's kernel gives up; returns the gate of new processes (``seccomp.install``).

    In ``bwrap`` an older Landlock, or none, will do: the job's namespaces (see ``jobinit``) already hide the files,
    processes and sockets of others.
    """
    from grader.kernel import landlock

    drop_privileges()
    if sandbox == "landlock" or landlock_abi():
        landlock.restrict(read, write, strict=sandbox == "landlock")
    if sandbox == "landlock" and hidden:
        landlock.hide(hidden, [*read, *write])
    return seccomp.install("asked", apart=sandbox != "landlock")


def confine_check() -> None:
    """What the fork that runs a check gives up beyond its kernel: new processes, and signals to what was stopped.

    Of Landlock it takes the scopes alone, which need no rule: to add one is refused to a job.
    """
    if landlock_abi() >= SCOPES:
        add_landlock_layer(_SCOPED)
    seccomp.install("refused")
