"""System calls that student code has no use for, refused by a seccomp filter: they reach beyond the job.

Landlock confines files, signals and abstract sockets; what is left is refused here by name: tracing other processes,
namespaces and mounts, SysV and POSIX queues and shared memory, keyrings, kernel interfaces with a history of holes, and
every socket that is not a unix one. Written here because ``sandlock.confine`` installs no filter and the one binding of
libseccomp on PyPI (pyseccomp) has been still since January 2021 and needs a system library. Format: ``seccomp(2)``,
``seccomp_unotify(2)``, ``struct sock_filter`` in ``linux/filter.h``. The calls and their numbers are in ``syscalls``.

New processes and threads are a gate of their own: a kernel's have to be let through by its job's init, one by one (a
watchdog that looks ten times a second finds a fork bomb of thousands, which take minutes to die), a check's processes
are refused.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import platform
import socket
import struct
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Literal, NamedTuple, get_args

from grader.kernel.confinement.libc import libc
from grader.kernel.confinement.syscalls import MACHINES, NUMBERS, numbers_on

_FORKS, _EXECUTIONS = ("fork", "vfork"), ("execve", "execveat")
#: Calls that send descriptors, as a job's kernel must once more after the filter (see ``keep_descriptors``).
_SENDERS = ("sendmsg", "sendmmsg")
#: Calls that change a file's mode, owner, times or extended attributes.
_ATTRIBUTES = tuple(
    name for name in NUMBERS if any(word in name for word in ("chmod", "chown", "utime", "xattr", "file_"))
)
#: Calls that only give advice.
_ADVICE = ("fadvise64", "readahead")
#: Advice of ``madvise`` to throw pages out, and to forget what was written to them; the flag of ``preadv2`` to read
#: what is in memory alone.
_PAGES_OUT, _FORGETS, _IN_MEMORY = (20, 21), (4, 8, 9, 24), 8
#: Calls on the process that the first argument names, 0 for the one that calls.
_ON_PROCESSES = ("prlimit64", "sched_setaffinity", "sched_setparam", "sched_setscheduler", "sched_setattr")
#: Commands of ``fcntl`` that ask for a lock, that lock, and those for leases and notices: a file that all jobs may read
#: has them for all.
_ASKS_FOR_LOCK, _LOCKS, _LEASES = (5, 36), (6, 7, 37, 38), (1024, 1025, 1026)
#: The command to enlarge a pipe: how much all together hold is counted for everything that a user runs.
_PIPE_SIZE = 1031
#: Requests of ``ioctl`` that change a file's flags, version or project, and options of sockets that enlarge buffers.
_FLAGS, _BUFFERS = (0x40086602, 0x40046602, 0x40087602, 0x401C5820), (7, 8, 32, 33)
_SPECIAL = {
    *("clone", "clone3", "socket", "socketpair", "connect", "flock", "fcntl", "ioctl", "setsockopt", "mmap"),
    *("preadv2", "madvise"),
    *_ADVICE,
    *_FORKS,
    *_EXECUTIONS,
    *_SENDERS,
    *_ATTRIBUTES,
    *_ON_PROCESSES,
}
_SECCOMP = {"x86_64": 317, "aarch64": 277}

#: What becomes of new processes: ``asked`` for at the descriptor that ``install`` returns, or ``refused``.
Gate = Literal["asked", "refused"]
#: Flags of ``clone``: new mount, cgroup, UTS, IPC, user, PID and network namespaces.
_NEW_NAMESPACES = 0x20000 | 0x2000000 | 0x4000000 | 0x8000000 | 0x10000000 | 0x20000000 | 0x40000000
#: Flags of ``clone``: a thread, and a sibling, which would be no descendant of the job's init.
_THREAD, _SIBLING = 0x10000, 0x8000
#: Flags of ``mmap``: those that say what kind of memory it is, and what they are where it is shared and of no file.
_KIND_OF_MEMORY, _SHARED = 0x2F, 0x21

_ALLOW, _ASK, _KILL_PROCESS = 0x7FFF0000, 0x7FC00000, 0x80000000
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN, _AND = 0x20, 0x15, 0x35, 0x45, 0x06, 0x54
_AT_NUMBER, _AT_MACHINE, _AT_FIRST_ARGUMENT, _AT_SECOND_ARGUMENT, _AT_THIRD_ARGUMENT = 0, 4, 16, 24, 32
_AT_FOURTH_ARGUMENT, _AT_SIXTH_ARGUMENT = 40, 56
_SOCKET_TYPE = 0xF
#: Types of sockets that can send to any other, one of a pair too, and hold what several sent; unix has one for raw.
_DATAGRAMS = (socket.SOCK_DGRAM, socket.SOCK_RAW)
_X32 = 0x40000000
_SET_MODE_FILTER, _NEW_LISTENER, _WAIT_KILLABLE = 1, 8, 32
_RECEIVE, _SEND = 0xC0502100, 0xC0182101  # ioctls on a listener
_NOTICE, _ANSWER = struct.Struct("Q8xi12xQ40x"), struct.Struct("QqiI")
_CONTINUE = 1


class Asking(NamedTuple):
    """Who asks at a gate: for ``let_through``, and whether what is to be made is a thread or a process."""

    number: int
    thread: bool


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def install(processes: Gate, *, apart: bool = True) -> int | None:
    """Refuse the calls above in this process, for good.

    With ``refused`` also new processes, programs, file locks, and having written pages forgotten (``traps``). A
    refused fork fails with ``EAGAIN``, as at the system's own limit; no other call does.

    Changing a file's mode, owner, times or extended attributes does nothing and says that it worked, so that copying a
    file still does: devices, and memory files that come from the grader, are everybody's. The same goes for larger
    buffers of sockets, which no limit counts, for advice on reading, and for locks: by those of a file that both may
    read, two jobs could signal one another, and on its own files a job needs none. With ``apart=False``, for a
    process whose view of files is the machine's own, sockets that could reach others' are refused (pairs are not). With
    ``asked``, returns the descriptor at which ``let_through`` answers for each new process and thread; the caller hands
    it to the one who answers and closes it. The process must have set ``no_new_privs``. Does nothing on a machine whose
    numbers are unknown. Raises ``OSError`` when the system refuses.
    """
    machine = platform.machine()
    if machine not in MACHINES:
        return None
    # The second is for Linux before 5.19, where a signal interrupts who asked, for whom a fork then fails.
    flags = (_NEW_LISTENER | _WAIT_KILLABLE, _NEW_LISTENER) if processes == "asked" else (0,)
    listener = _set(machine, program(machine, processes, apart=apart), *flags)
    return listener if processes == "asked" else None


def keep_descriptors() -> None:
    """Refuse to send descriptors, in this process and for good: what is in flight counts for no limit of the disk.

    For a process whose files are on the machine's own disk, after the last one that it must send. The process must
    have set ``no_new_privs``. Raises ``OSError`` when the system refuses.
    """
    machine = platform.machine()
    if machine in MACHINES:
        number = numbers_on(machine)
        steps = [step for name in _SENDERS for step in _when(_EQUAL, number[name], _refusal(errno.EPERM))]
        _set(machine, b"".join([_step(_LOAD, _AT_NUMBER), *steps, _step(_RETURN, _ALLOW)]), 0)


def _set(machine: str, code: bytes, *flags: int) -> int:
    """Set the filter with the first of ``flags`` that the system knows; what it returns."""
    filters = _Program(len(code) // 8, code)
    number = 0
    for flag in flags:
        result = int(libc.syscall(_SECCOMP[machine], _SET_MODE_FILTER, flag, ctypes.byref(filters)))
        if result >= 0:
            return result
        number = ctypes.get_errno()
        if number != errno.EINVAL:
            break
    raise OSError(number, f"seccomp: {os.strerror(number)}")


def asked(listener: int) -> Asking | None:
    """Who asks next at ``listener``, for ``let_through``; None where they are gone. Call it when that is readable.

    At once: from then on no signal keeps them from waiting.
    """
    import fcntl

    notice = bytearray(_NOTICE.size)
    try:
        fcntl.ioctl(listener, _RECEIVE, notice)
    except OSError:
        return None
    number, call, flags = _NOTICE.unpack(notice)
    return Asking(number, call == numbers_on(platform.machine())["clone"] and bool(flags & _THREAD))


def let_through(listener: int, asking: Asking) -> None:
    """Let the process or thread be made that ``asking`` is about, if who asked at ``listener`` is still there."""
    import fcntl

    with contextlib.suppress(OSError):
        fcntl.ioctl(listener, _SEND, _ANSWER.pack(asking.number, 0, 0, _CONTINUE))


def prepare() -> None:
    """Make the filters for this process and all its forks; in each of them that costs as much as installing one."""
    if platform.machine() in MACHINES:
        for gate in get_args(Gate):
            program(platform.machine(), gate, apart=True)


@cache
def program(machine: str, processes: Gate, *, apart: bool = True) -> bytes:
    """The filter for ``machine`` (``"x86_64"``, ``"aarch64"``) as the bytes of ``sock_filter`` instructions."""
    number, refused = numbers_on(machine), processes == "refused"
    steps = [
        *(_step(_LOAD, _AT_MACHINE), _step(_EQUAL, MACHINES[machine][1], then=1), _step(_RETURN, _KILL_PROCESS)),
        _step(_LOAD, _AT_NUMBER),
        *_when(_AT_LEAST, _X32, _refusal(errno.EPERM)),  # the x32 calls; no other machine has numbers so large
        *_when(_EQUAL, number["clone3"], _refusal(errno.ENOSYS)),  # libc then takes clone, whose flags can be read
        *_by_name(number, refused, apart),
        *_on_processes(number, refused),
        *_on_files(number, refused),
        *_on_memory(number, refused),
        *_on_sockets(number),
    ]
    return b"".join([*steps, _step(_RETURN, _ALLOW)])


def _by_name(number: Mapping[str, int], refused: bool, apart: bool) -> Iterator[bytes]:
    """The calls of which the arguments do not matter."""
    verdicts = {name: _refusal(errno.EPERM) for name in number if name not in _SPECIAL}
    verdicts |= dict.fromkeys(_EXECUTIONS if refused else (), _refusal(errno.EPERM))
    verdicts |= dict.fromkeys(() if apart else ("socket", "connect"), _refusal(errno.EPERM))
    verdicts |= dict.fromkeys((*_ATTRIBUTES, *_ADVICE), _refusal(0))
    verdicts |= dict.fromkeys(_FORKS, _refusal(errno.EAGAIN) if refused else _ASK)
    for name, verdict in verdicts.items():
        yield from _when(_EQUAL, number[name], verdict) if name in number else ()


def _on_processes(number: Mapping[str, int], refused: bool) -> Iterator[bytes]:
    """New processes and threads, and calls on another process than the own."""
    gate = _refusal(errno.EAGAIN) if refused else _ASK
    yield from _for_call(
        number["clone"],
        _step(_LOAD, _AT_FIRST_ARGUMENT),
        *_when(_ANY_BIT, _NEW_NAMESPACES | _SIBLING, _refusal(errno.EPERM)),
        *_when(_ANY_BIT, _THREAD, _ALLOW if refused else gate),  # the kernel's own filter asks as well
        _step(_RETURN, gate),
    )
    for name in _ON_PROCESSES:
        yield from _only_with(number[name], 0, _refusal(errno.EPERM))


def _on_files(number: Mapping[str, int], refused: bool) -> Iterator[bytes]:
    """Locks, leases, sizes of pipes, flags of files, buffers of sockets."""
    lock = _refusal(errno.EPERM if refused else 0)
    commands = {**dict.fromkeys((*_LEASES, _PIPE_SIZE), _refusal(errno.EPERM)), **dict.fromkeys(_LOCKS, lock)}
    if refused:
        commands |= dict.fromkeys(_ASKS_FOR_LOCK, lock)
    yield from _when(_EQUAL, number["flock"], lock)
    yield from _unless(number["fcntl"], _AT_SECOND_ARGUMENT, commands)
    yield from _unless(number["ioctl"], _AT_SECOND_ARGUMENT, dict.fromkeys(_FLAGS, _refusal(errno.EPERM)))
    yield from _unless(number["setsockopt"], _AT_THIRD_ARGUMENT, dict.fromkeys(_BUFFERS, _refusal(0)))


def _on_memory(number: Mapping[str, int], refused: bool) -> Iterator[bytes]:
    """Pages of files that several have in memory, those with traps in a check, and shared memory of no file."""
    advice = (*_PAGES_OUT, *(_FORGETS if refused else ()))
    yield from _unless(number["madvise"], _AT_THIRD_ARGUMENT, dict.fromkeys(advice, _refusal(errno.EPERM)))
    yield from _for_call(
        number["preadv2"],
        _step(_LOAD, _AT_SIXTH_ARGUMENT),
        *_when(_ANY_BIT, _IN_MEMORY, _refusal(errno.EOPNOTSUPP)),
        _step(_RETURN, _ALLOW),
    )
    yield from _for_call(
        number["mmap"],
        *(_step(_LOAD, _AT_FOURTH_ARGUMENT), _step(_AND, _KIND_OF_MEMORY)),
        *_when(_EQUAL, _SHARED, _refusal(errno.EPERM)),
        _step(_RETURN, _ALLOW),
    )


def _on_sockets(number: Mapping[str, int]) -> Iterator[bytes]:
    """Sockets that are no unix ones, or that can send to any other."""
    for name in ("socket", "socketpair"):
        yield from _for_call(
            number[name],
            *(_step(_LOAD, _AT_SECOND_ARGUMENT), _step(_AND, _SOCKET_TYPE)),
            *(step for kind in _DATAGRAMS for step in _when(_EQUAL, kind, _refusal(errno.EPERM))),
            _step(_LOAD, _AT_NUMBER),
        )
        yield from _only_with(number[name], socket.AF_UNIX, _refusal(errno.EAFNOSUPPORT))


def _step(code: int, value: int, then: int = 0, otherwise: int = 0) -> bytes:
    return struct.pack("HBBI", code, then, otherwise, value)


def _when(test: int, value: int, verdict: int) -> Iterable[bytes]:
    """Return ``verdict`` when the loaded word passes."""
    return (_step(test, value, 0, 1), _step(_RETURN, verdict))


def _for_call(call: int, *steps: bytes) -> Iterable[bytes]:
    """Take ``steps`` for the call numbered ``call``, and pass over them for any other."""
    return (_step(_EQUAL, call, 0, len(steps)), *steps)


def _only_with(call: int, first: int, verdict: int) -> Iterable[bytes]:
    """Allow the call numbered ``call`` where its first argument is ``first``, and return ``verdict`` for any other."""
    return _for_call(call, _step(_LOAD, _AT_FIRST_ARGUMENT), *_when(_EQUAL, first, _ALLOW), _step(_RETURN, verdict))


def _unless(call: int, argument: int, verdicts: Mapping[int, int]) -> Iterable[bytes]:
    """Allow the call numbered ``call``, but return what ``verdicts`` has for an argument of it."""
    told = [step for value, verdict in verdicts.items() for step in _when(_EQUAL, value, verdict)]
    return _for_call(call, _step(_LOAD, argument), *told, _step(_RETURN, _ALLOW))


def _refusal(number: int) -> int:
    return 0x50000 | number
