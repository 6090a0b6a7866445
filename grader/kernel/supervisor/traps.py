"""Traps in torch's machine code, which end a check that reaches autograd past the watch.

The watch (``autograd_watch``) is in the student's process and made of Python; whoever takes it apart is still in that
process. So a check's init, which nobody there can reach, writes into its text, before it sees any input: where the
engine, a node of the graph called by hand, and forward mode begin, there are three instructions instead that end the
process with a status of ours. No handler of signals, no thread and no name that student code has changed comes before
them. The system copies the few pages for that one process (``MAP_PRIVATE``), so nobody else has the traps. They are
looked at once more when the check has told its results, and one of them at each: a process that wrote over them, or
became another program, gets no points.

The zygote finds the places, before it runs anything for a notebook, and seals their pages (Linux 6.10), and those of
the tables by which torch's libraries call each other and themselves: no fork of it can make them writable or put others
in their place, so nobody takes traps out and puts them back, or has such a call go past them. This raises the price; it
is no proof. Machine code that a notebook brings along runs in the same memory and can do by itself what lies behind a
trap. Nor are traps met by the operators of backward passes, called one by one by name, or by another automatic
differentiation. Where the system does not let the init write (``ptrace_scope`` above 2), or the machine's instructions
are not known here, there are none, and the watch is alone.
Sources: ``proc_pid_mem(5)``, ``ptrace(2)`` (who may), ``mseal(2)``, ``syscall(2)`` (the calling convention),
``dlinfo(3)`` and ``elf(5)`` (the tables), Intel SDM vol. 2 and Arm ARM C6 (``MOV``, ``MOVZ``, ``SYSCALL``, ``SVC``).
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import itertools
import os
import platform
import struct
from collections.abc import Sequence

from grader.kernel.confinement.libc import libc

#: With this a process ends that ran into a trap. Nothing else of ours, and no shell, ends with it.
STATUS = 109

#: Its number on every machine.
_MSEAL = 462
_PROT_READ, _RTLD_DI_LINKMAP = 1, 2
#: In the list of what a library needs at run time: where its table of jumps is, and the size of what fills that.
_DT_PLTGOT, _DT_PLTRELSZ = 3, 2
_EXIT_GROUP = {"x86_64": 231, "aarch64": 94}
#: Where backward passes and forward mode begin in ``libtorch_cpu``: the engine, its step for one node (which that of
#: ``torch.distributed`` takes alone), the entry into a level of forward mode, and the first tangent that a tensor gets.
_SYMBOLS = (
    "_ZN5torch8autograd6Engine7executeERKSt6vectorINS0_4EdgeESaIS3_EERKS2_IN2at6TensorESaIS9_EEbbbS7_",
    "_ZN5torch8autograd6Engine17evaluate_functionERSt10shared_ptrINS0_9GraphTaskEEPNS0_4NodeERNS0_11InputBufferE"
    "RKS2_INS0_10ReadyQueueEE",
    "_ZN5torch8autograd14ForwardADLevel12get_next_idxEv",
    "_ZN5torch8autograd12AutogradMeta11set_fw_gradERKN2at10TensorBaseES5_mb",
)


def code(machine: str) -> bytes:
    """The instructions that end a process with ``STATUS``; empty for a machine whose are not known."""
    if machine == "x86_64":  # mov eax, exit_group; mov edi, STATUS; syscall
        return struct.pack("<BIBIH", 0xB8, _EXIT_GROUP[machine], 0xBF, STATUS, 0x050F)
    if machine == "aarch64":  # mov w8, exit_group; mov w0, STATUS; svc 0
        return struct.pack("<3I", 0x52800008 | _EXIT_GROUP[machine] << 5, 0x52800000 | STATUS << 5, 0xD4000001)
    return b""


def ended(status: int) -> bool:
    """Whether a process with this wait status ran into a trap."""
    return os.WIFEXITED(status) and os.WEXITSTATUS(status) == STATUS


@functools.cache
def places() -> tuple[int, ...]:
    """In the zygote: the addresses for traps, as far as this build of torch has them."""
    from grader.kernel.check import autograd_watch

    library = _library("libtorch_cpu.so")
    found = set(autograd_watch.NODE_CALLS)
    for symbol in _SYMBOLS:
        with contextlib.suppress(AttributeError):
            found.add(ctypes.cast(getattr(library, symbol), ctypes.c_void_p).value or 0)
    return tuple(sorted(found - {0}))


def seal() -> bool:
    """In the zygote: keep the pages with traps, and the addresses that calls lead there by, as they are in all forks.

    Whether the system can do that.
    """
    size, length = os.sysconf("SC_PAGE_SIZE"), len(code(platform.machine()))
    kept = {(place // size * size, -(-(place + length) // size) * size) for place in places()}
    for start, end in (jumps(_library(name)) for name in ("libtorch_cpu.so", "libtorch_python.so")):
        table = -(-start // size) * size, end // size * size  # beside it lies what may be written to
        if table[0] < table[1] and libc.mprotect(ctypes.c_void_p(table[0]), table[1] - table[0], _PROT_READ) == 0:
            kept.add(table)
    sealed = [libc.syscall(_MSEAL, ctypes.c_void_p(at), ctypes.c_size_t(end - at), 0) == 0 for at, end in kept]
    return all(sealed)


def jumps(library: ctypes.CDLL) -> tuple[int, int]:
    """Where the addresses begin and end by which a ``library`` calls functions of others, and its own public ones.

    Nothing more is written there: Python has every one of them looked up as a library is loaded (``RTLD_NOW``). What
    only fills the table's last page, before the library's next section, is counted in.
    """
    at = ctypes.POINTER(ctypes.c_uint64)()
    if libc.dlinfo(ctypes.c_void_p(library._handle), _RTLD_DI_LINKMAP, ctypes.byref(at)) != 0:
        return 0, 0
    entries = ctypes.cast(at[2], ctypes.POINTER(ctypes.c_uint64 * 2))
    tags = dict(itertools.takewhile(lambda entry: entry[0] != 0, (tuple(entries[n]) for n in itertools.count())))
    start = tags.get(_DT_PLTGOT, 0)
    end = start + 8 * (3 + tags.get(_DT_PLTRELSZ, 0) // 24) * bool(start)
    size = os.sysconf("SC_PAGE_SIZE")
    next_to_it = [at[0] + section for section in _sections(ctypes.string_at(at[1])) if at[0] + section >= end]
    return start, min([-(-end // size) * size, *next_to_it])


def _sections(path: bytes) -> list[int]:
    """Where the sections of a library begin that are loaded with it, from its beginning."""
    with open(path, "rb") as file:
        where, size, number = struct.unpack_from("<Q10xHH", file.read(64), 40)
        file.seek(where)
        headers = struct.iter_unpack("<4xIQQ40x", file.read(size * number)[: number * 64])
    return [address for kind, flags, address in headers if flags & 2 and kind]


def _library(name: str) -> ctypes.CDLL:
    import torch

    return ctypes.CDLL(os.path.join(os.path.dirname(torch.__file__), "lib", name))


class Traps:
    """The traps in one process, whose memory is the open file ``fd``, at ``places``."""

    def __init__(self, fd: int, places: Sequence[int]) -> None:
        self.fd = fd
        self.places = places
        self._code = code(platform.machine())

    def set(self) -> None:
        """Write them. Raises ``OSError`` where the system refuses."""
        for place in self.places:
            os.pwrite(self.fd, self._code, place)

    def hold(self, most: int | None = None) -> bool:
        """Whether every one, or ``most`` of them, is where it was put, in a process that is still the same program."""
        try:
            return all(os.pread(self.fd, len(self._code), place) == self._code for place in self.places[:most])
        except OSError:
            return False

    def close(self) -> None:
        """Close the process's memory; the traps stay."""
        os.close(self.fd)
