"""System calls that student code has no use for, refused by a seccomp filter: they reach beyond the job.

Landlock confines files, signals and abstract sockets; what is left is refused here by name: tracing other processes,
namespaces and mounts, SysV and POSIX queues and shared memory, keyrings, kernel interfaces with a history of holes, and
every socket that is not a unix one. Written here because ``sandlock.confine`` installs no filter and the one binding of
libseccomp on PyPI (pyseccomp) has been still since January 2021 and needs a system library. Numbers from the kernel's
``asm/unistd_64.h`` and ``asm-generic/unistd.h``; a test compares them where these files are installed. Format:
``seccomp(2)``, ``seccomp_unotify(2)``, ``struct sock_filter`` in ``linux/filter.h``.

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
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Literal, NamedTuple, get_args

from grader.kernel.libc import libc

#: Name → (number on x86_64, number on aarch64 or None where it has no such call).
NUMBERS: dict[str, tuple[int, int | None]] = {
    "fork": (57, None), "vfork": (58, None), "clone": (56, 220), "clone3": (435, 435),
    "execve": (59, 221), "execveat": (322, 281), "socket": (41, 198), "socketpair": (53, 199),
    # other processes
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272),
    "pidfd_getfd": (438, 438), "process_madvise": (440, 440), "prlimit64": (302, 261),
    "sched_setaffinity": (203, 122), "sched_setparam": (142, 118), "sched_setscheduler": (144, 119),
    "sched_setattr": (314, 274), "setpriority": (141, 140), "ioprio_set": (251, 30),
    # what two jobs could meet at, or reach others by
    "connect": (42, 203), "flock": (73, 32), "fcntl": (72, 25), "ioctl": (16, 29), "setsockopt": (54, 208),
    "inotify_init": (253, None), "inotify_init1": (294, 26),
    # SysV IPC, POSIX message queues
    "shmget": (29, 194), "shmat": (30, 196), "shmctl": (31, 195), "shmdt": (67, 197),
    "semget": (64, 190), "semop": (65, 193), "semtimedop": (220, 192), "semctl": (66, 191),
    "msgget": (68, 186), "msgsnd": (69, 189), "msgrcv": (70, 188), "msgctl": (71, 187),
    "mq_open": (240, 180), "mq_unlink": (241, 181), "mq_timedsend": (242, 182), "mq_timedreceive": (243, 183),
    "mq_notify": (244, 184), "mq_getsetattr": (245, 185),
    # namespaces and mounts
    "unshare": (272, 97), "setns": (308, 268), "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41),
    "chroot": (161, 51), "open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430),
    "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433), "mount_setattr": (442, 442),
    "statmount": (457, 457), "listmount": (458, 458), "open_tree_attr": (467, 467),
    # keyrings
    "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219),
    # kernel interfaces: large, and no business of a notebook's
    "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
    "bpf": (321, 280), "userfaultfd": (323, 282), "perf_event_open": (298, 241), "fanotify_init": (300, 262),
    "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265), "lookup_dcookie": (212, 18),
    # memory that no file limit counts, nor the watchdog: what is shared and in no process's page table
    "memfd_create": (319, 279), "memfd_secret": (447, 447), "mmap": (9, 222),
    # the same: pipes and sockets that hold a page, or a huge one, for each byte
    "vmsplice": (278, 75), "splice": (275, 76), "tee": (276, 77), "sendfile": (40, 71),
    "landlock_add_rule": (445, 445),
    # descriptors in flight: files that no folder has and no process holds open
    "sendmsg": (46, 211), "sendmmsg": (307, 269),
    # which pages of a file are in memory: whoever may read it can have them thrown out, and see which one another read
    "fadvise64": (221, 223), "readahead": (187, 213), "preadv2": (327, 286), "madvise": (28, 233),
    "mincore": (27, 232), "cachestat": (451, 451),
    # what is counted for the whole machine, or for all that its user runs: the grader too
    "io_setup": (206, 0), "epoll_create": (213, None), "epoll_create1": (291, 20),
    # attributes of files, which Landlock lets an owner change anywhere
    "chmod": (90, None), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452), "chown": (92, None),
    "fchown": (93, 55), "lchown": (94, None), "fchownat": (260, 54), "utime": (132, None), "utimes": (235, None),
    "futimesat": (261, None), "utimensat": (280, 88), "setxattr": (188, 5), "lsetxattr": (189, 6),
    "fsetxattr": (190, 7), "removexattr": (197, 14), "lremovexattr": (198, 15), "fremovexattr": (199, 16),
    "setxattrat": (463, 463), "removexattrat": (466, 466), "file_setattr": (469, 469),
    # the machine
    "syslog": (103, 116), "kexec_load": (246, 104), "kexec_file_load": (320, 294), "init_module": (175, 105),
    "finit_module": (313, 273), "delete_module": (176, 106), "reboot": (169, 142), "swapon": (167, 224),
    "swapoff": (168, 225), "acct": (163, 89), "quotactl": (179, 60), "quotactl_fd": (443, 443),
}  # fmt: skip

_FORKS, _EXECUTIONS = ("fork", "vfork"), ("execve", "execveat")
#: Calls that send descriptors, as a job's kernel must once more after the filter (see ``keep_descriptors``).
_SENDERS = ("sendmsg", "sendmmsg")
#: Calls that change a file's mode, owner, times or extended attributes.
_ATTRIBUTES = tuple(
    name for name in NUMBERS if any(word in name for word in ("chmod", "chown", "utime", "xattr", "file_"))
)
#: Calls that only give advice.
_ADVICE = ("fadvise64", "readahead")
#: Advice of ``madvise`` to throw pages out, and the flag of ``preadv2`` to read what is in memory alone.
_PAGES_OUT, _IN_MEMORY = (20, 21), 8
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
#: Machine → column of ``NUMBERS``, audit architecture.
MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
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
    """Refuse the calls above in this process, for good; with ``refused`` also new processes, programs and file locks.

    Changing a file's mode, owner, times or extended attributes does nothing and says that it worked, so that copying a
    file still does: devices, and memory files that come from the grader, are everybody's. The same goes for larger
    buffers of sockets, which no limit counts, for advice on reading, and for locks: two jobs could talk by those of a
    file that both may read, and about its own files nobody quarrels with a job. With ``apart=False``, for a
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
        number = _numbers(machine)
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
    return Asking(number, call == _numbers(platform.machine())["clone"] and bool(flags & _THREAD))


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
    audit, number = MACHINES[machine][1], _numbers(machine)
    refused = [name for name in number if name not in _SPECIAL]
    gate, lock = _ASK, _refusal(0)
    if processes == "refused":
        refused += _EXECUTIONS
        gate = lock = _refusal(errno.EPERM)
    steps = [
        *(_step(_LOAD, _AT_MACHINE), _step(_EQUAL, audit, then=1), _step(_RETURN, _KILL_PROCESS)),
        _step(_LOAD, _AT_NUMBER),
        *_when(_AT_LEAST, _X32, _refusal(errno.EPERM)),  # the x32 calls; no other machine has numbers so large
        *_when(_EQUAL, number["clone3"], _refusal(errno.ENOSYS)),  # libc then takes clone, whose flags can be read
    ]
    if not apart:
        refused += ["socket", "connect"]
    for name in refused:
        steps += _when(_EQUAL, number[name], _refusal(errno.EPERM))
    for name in (*_ATTRIBUTES, *_ADVICE):
        steps += _when(_EQUAL, number[name], _refusal(0)) if name in number else ()
    for name in _FORKS:
        steps += _when(_EQUAL, number[name], gate) if name in number else ()
    steps += [
        *_for_call(
            number["clone"],
            _step(_LOAD, _AT_FIRST_ARGUMENT),
            *_when(_ANY_BIT, _NEW_NAMESPACES | _SIBLING, _refusal(errno.EPERM)),
            # The kernel's own filter asks as well.
            *_when(_ANY_BIT, _THREAD, _ALLOW if processes == "refused" else gate),
            _step(_RETURN, gate),
        ),
    ]
    for name in _ON_PROCESSES:
        steps += _only_with(number[name], 0, _refusal(errno.EPERM))
    steps += _when(_EQUAL, number["flock"], lock)
    commands = {**dict.fromkeys((*_LEASES, _PIPE_SIZE), _refusal(errno.EPERM)), **dict.fromkeys(_LOCKS, lock)}
    if processes == "refused":
        commands |= dict.fromkeys(_ASKS_FOR_LOCK, lock)
    steps += _unless(number["fcntl"], _AT_SECOND_ARGUMENT, commands)
    steps += _unless(number["ioctl"], _AT_SECOND_ARGUMENT, dict.fromkeys(_FLAGS, _refusal(errno.EPERM)))
    steps += _unless(number["setsockopt"], _AT_THIRD_ARGUMENT, dict.fromkeys(_BUFFERS, _refusal(0)))
    steps += _unless(number["madvise"], _AT_THIRD_ARGUMENT, dict.fromkeys(_PAGES_OUT, _refusal(errno.EPERM)))
    steps += _for_call(
        number["preadv2"],
        _step(_LOAD, _AT_SIXTH_ARGUMENT),
        *_when(_ANY_BIT, _IN_MEMORY, _refusal(errno.EOPNOTSUPP)),
        _step(_RETURN, _ALLOW),
    )
    steps += _for_call(
        number["mmap"],
        *(_step(_LOAD, _AT_FOURTH_ARGUMENT), _step(_AND, _KIND_OF_MEMORY)),
        *_when(_EQUAL, _SHARED, _refusal(errno.EPERM)),
        _step(_RETURN, _ALLOW),
    )
    for name in ("socket", "socketpair"):
        steps += _for_call(
            number[name],
            *(_step(_LOAD, _AT_SECOND_ARGUMENT), _step(_AND, _SOCKET_TYPE)),
            *(step for kind in _DATAGRAMS for step in _when(_EQUAL, kind, _refusal(errno.EPERM))),
            _step(_LOAD, _AT_NUMBER),
        )
        steps += _only_with(number[name], socket.AF_UNIX, _refusal(errno.EAFNOSUPPORT))
    return b"".join([*steps, _step(_RETURN, _ALLOW)])


def _numbers(machine: str) -> dict[str, int]:
    """The calls above that ``machine`` has, and their numbers there."""
    column = MACHINES[machine][0]
    return {name: found for name, numbers in NUMBERS.items() if (found := numbers[column]) is not None}


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
