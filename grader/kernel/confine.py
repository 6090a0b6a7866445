"""What a process gives up for good before student code runs: capabilities, system calls, files, signals.

Linux system calls by number through ctypes, so that no helper program has to exist inside the sandbox. Everything here
is irreversible for the calling process and inherited by all that it starts. Sources: ``capset(2)``, ``landlock(7)``,
``seccomp(2)``, ``unshare(2)``, ``mount(2)``.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import resource
import struct
from collections.abc import Iterable
from dataclasses import dataclass

_libc = ctypes.CDLL(None, use_errno=True)
_syscall = _libc.syscall
_prctl = _libc.prctl

CLONE_NEWNS, CLONE_NEWIPC, CLONE_NEWPID, CLONE_NEWNET = 0x20000, 0x8000000, 0x20000000, 0x40000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_BIND, MS_REC, MS_PRIVATE = 1, 2, 4, 8, 4096, 16384, 1 << 18
_PR_SET_PDEATHSIG, _PR_SET_SECCOMP, _PR_SET_CHILD_SUBREAPER, _PR_SET_NO_NEW_PRIVS = 1, 22, 36, 38
_LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 444, 445, 446


def _call(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def unshare(flags: int) -> None:
    """Leave the namespaces in ``flags`` for new ones; raises ``OSError`` when the system refuses."""
    _call(_libc.unshare(ctypes.c_int(flags)), "unshare")


def mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    """``mount(2)``; raises ``OSError`` when the system refuses."""
    arguments = (source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), options.encode())
    _call(_libc.mount(*arguments), f"mount {target}")


def adopt_orphans() -> None:
    """Become the parent of every orphan among this process's descendants."""
    _call(_prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), "prctl")


def die_with_parent(signal_number: int) -> None:
    """Have the system send this process a signal when its parent ends."""
    _call(_prctl(_PR_SET_PDEATHSIG, signal_number, 0, 0, 0), "prctl")


def drop_privileges() -> None:
    """Give up every capability and the right to gain any by executing a file."""
    _call(_prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl")
    header = struct.pack("Ii", 0x20080522, 0)
    _call(_libc.capset(header, bytes(24)), "capset")


def limit_resources(*, open_files: int, file_size: int, memory: int) -> None:
    """Set resource limits: descriptors, bytes of one file, bytes of private memory on top of what is mapped now."""
    mapped = _private_memory()
    for kind, value in (
        (resource.RLIMIT_NOFILE, open_files),
        (resource.RLIMIT_FSIZE, file_size),
        (resource.RLIMIT_DATA, memory + mapped),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(kind)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (value, value))


def _private_memory() -> int:
    with open("/proc/self/status", encoding="ascii", errors="replace") as status:
        for line in status:
            if line.startswith("VmData:"):
                return int(line.split()[1]) * 1024
    return 0


# -------------------------------------------------------------------------------------------- landlock

_READ = 1 << 0 | 1 << 2 | 1 << 3  # execute, read_file, read_dir
_WRITE = (
    1 << 1  # write_file
    | 1 << 4 | 1 << 5  # remove_dir, remove_file
    | 1 << 7 | 1 << 8 | 1 << 9 | 1 << 10 | 1 << 12  # make dir, reg, sock, fifo, sym
    | 1 << 13 | 1 << 14  # refer, truncate
)  # fmt: skip
_FILE_ONLY = 1 << 0 | 1 << 1 | 1 << 2 | 1 << 14 | 1 << 15
_ALL_BY_ABI = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1}
_ALL_NEWEST = (1 << 16) - 1
_NET_ALL = 1 << 0 | 1 << 1  # bind_tcp, connect_tcp
_SCOPE_ALL = 1 << 0 | 1 << 1  # abstract unix sockets, signals


def landlock_abi() -> int:
    """The Landlock ABI of the running system, 0 where there is none. 6 and above scope signals and abstract sockets."""
    version = _syscall(_LANDLOCK_CREATE, None, ctypes.c_size_t(0), ctypes.c_uint32(1))
    return max(0, version)


@dataclass(frozen=True, slots=True)
class Access:
    """Folders and files that a confined process may read and execute, and those that it may also write."""

    read: tuple[str, ...] = ()
    write: tuple[str, ...] = ()


def landlock(access: Access | None) -> None:
    """Confine this process to ``access``; None leaves files alone and only scopes signals and abstract sockets.

    Paths that do not exist are left out. Raises ``OSError`` where Landlock is not available.
    """
    abi = landlock_abi()
    if abi == 0:
        raise OSError(errno.ENOSYS, "Landlock is not available")
    files = _ALL_BY_ABI.get(abi, _ALL_NEWEST) if access is not None else 0
    net = _NET_ALL if abi >= 4 and access is not None else 0
    scope = _SCOPE_ALL if abi >= 6 else 0
    size = 24 if abi >= 6 else 16 if abi >= 4 else 8
    attributes = struct.pack("QQQ", files, net, scope)
    ruleset = _call(_syscall(_LANDLOCK_CREATE, attributes, ctypes.c_size_t(size), 0), "landlock_create_ruleset")
    try:
        if access is not None:
            _allow(ruleset, access.read, _READ & files)
            _allow(ruleset, access.write, (_READ | _WRITE) & files)
        _call(_prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl")
        _call(_syscall(_LANDLOCK_RESTRICT, ruleset, 0), "landlock_restrict_self")
    finally:
        os.close(ruleset)


def _allow(ruleset: int, paths: Iterable[str], rights: int) -> None:
    for path in paths:
        try:
            fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            granted = rights if os.path.isdir(path) else rights & _FILE_ONLY
            rule = struct.pack("=Qi", granted, fd)
            _call(_syscall(_LANDLOCK_ADD, ruleset, 1, rule, 0), f"landlock_add_rule {path}")
        finally:
            os.close(fd)


# --------------------------------------------------------------------------------------------- seccomp

# Numbers of the system calls that are refused, per machine.
_NUMBERS = {
    "x86_64": {
        "audit": 0xC000003E, "socket": 41, "execve": 59, "execveat": 322,
        "refused": (
            29, 30, 31, 67, 64, 65, 66, 220, 68, 69, 70, 71,  # SysV shared memory, semaphores, message queues
            101, 310, 311, 312,  # ptrace, process_vm_readv, process_vm_writev, kcmp
            165, 166, 155, 161, 272, 308, 428, 429, 430, 431, 432, 433, 442,  # mounts and namespaces
            240, 241, 242, 243, 244, 245,  # POSIX message queues
            248, 249, 250, 321, 323, 298, 425, 426, 427, 319, 434 + 4, 246, 320, 175, 313, 176, 169, 167, 168,
            # keyrings, bpf, userfaultfd, perf, io_uring, memfd_create, pidfd_getfd, kexec, modules, reboot, swap
            303, 304,  # file handles
        ),
    },
    "aarch64": {
        "audit": 0xC00000B7, "socket": 198, "execve": 221, "execveat": 281,
        "refused": (
            194, 195, 196, 197, 190, 191, 192, 193, 186, 187, 188, 189,
            117, 270, 271, 272,
            40, 39, 41, 51, 97, 268, 428, 429, 430, 431, 432, 433, 442,
            180, 181, 182, 183, 184, 185,
            217, 218, 219, 280, 282, 241, 425, 426, 427, 279, 438, 104, 294, 105, 273, 106, 142, 224, 225,
            264, 265,
        ),
    },
}  # fmt: skip
_ALLOW, _EPERM, _EAFNOSUPPORT, _KILL = 0x7FFF0000, 0x50001, 0x50000 | errno.EAFNOSUPPORT, 0x80000000
_LD, _JEQ, _JGE, _RET = 0x20, 0x15, 0x35, 0x06


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def refuse_calls(*, execute: bool = True) -> None:
    """Refuse (``EPERM``) the system calls that reach beyond the job, and sockets other than unix ones.

    With ``execute=False`` no other program can be executed either. Does nothing on a machine whose numbers are unknown.
    """
    numbers = _NUMBERS.get(platform.machine())
    if numbers is None:
        return
    code = _filter(numbers, execute)
    _call(_prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl")
    program = _Program(len(code) // 8, code)
    _call(_prctl(_PR_SET_SECCOMP, 2, ctypes.byref(program), 0, 0), "seccomp")


def _filter(numbers: dict[str, object], execute: bool) -> bytes:
    refused = list(numbers["refused"])  # type: ignore[call-overload]
    if not execute:
        refused += [numbers["execve"], numbers["execveat"]]

    def step(code: int, value: int, true: int = 0, false: int = 0) -> bytes:
        return struct.pack("HBBI", code, true, false, value)

    steps = [step(_LD, 4), step(_JEQ, int(numbers["audit"]), 1, 0), step(_RET, _KILL), step(_LD, 0)]  # type: ignore[call-overload]
    if platform.machine() == "x86_64":
        steps += [step(_JGE, 0x40000000, 0, 1), step(_RET, _EPERM)]  # the x32 numbers
    for number in refused:
        steps += [step(_JEQ, number, 0, 1), step(_RET, _EPERM)]
    steps += [step(_JEQ, int(numbers["socket"]), 0, 4), step(_LD, 16)]  # type: ignore[call-overload]
    steps += [step(_JEQ, 1, 1, 0), step(_RET, _EAFNOSUPPORT), step(_RET, _ALLOW), step(_RET, _ALLOW)]
    return b"".join(steps)
