"""Traps in torch's machine code, which end a check that reaches autograd past the watch.

The watch (``autograd_watch``) is in the student's process and made of Python; whoever takes it apart is still in that
process. So a check's init, which nobody there can reach, writes into its text, before it sees any input: where the
engine, a node of the graph called by hand, and forward mode begin, there are three instructions instead that end the
process with a status of ours. No handler of signals, no thread and no name that student code has changed comes before
them. The system copies the few pages for that one process (``MAP_PRIVATE``), so nobody else has the traps. They are
looked at once more when the check has told its results, and one of them at each: a process that wrote over them, or
became another program, gets no points.

The zygote finds the places, before it runs anything for a notebook, and seals their pages (Linux 6.10): no fork of it
can make them writable or put others in their place, so nobody takes traps out and puts them back. Not met by the
operators of backward passes, called one by one by name, by machine code of somebody's own, and by another automatic
differentiation. Where the system does not let the init write (``ptrace_scope`` above 2), or the machine's instructions
are not known here, there are none, and the watch is alone.
Sources: ``proc_pid_mem(5)``, ``ptrace(2)`` (who may), ``mseal(2)``, ``syscall(2)`` (the calling convention), Intel SDM
vol. 2 and Arm ARM C6 (``MOV``, ``MOVZ``, ``SYSCALL``, ``SVC``).
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import platform
import struct
from collections.abc import Sequence

from grader.kernel.confinement.libc import libc

#: With this a process ends that ran into a trap. Nothing else of ours, and no shell, ends with it.
STATUS = 109

#: Its number on every machine.
_MSEAL = 462
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
    import torch

    from grader.kernel.check import autograd_watch

    library = ctypes.CDLL(os.path.join(os.path.dirname(torch.__file__), "lib", "libtorch_cpu.so"))
    found = set(autograd_watch.NODE_CALLS)
    for symbol in _SYMBOLS:
        with contextlib.suppress(AttributeError):
            found.add(ctypes.cast(getattr(library, symbol), ctypes.c_void_p).value or 0)
    return tuple(sorted(found - {0}))


def seal() -> bool:
    """In the zygote: keep the pages with traps as they are, in all forks; whether the system can do that."""
    size = os.sysconf("SC_PAGE_SIZE")
    pages = {(place + offset) // size * size for place in places() for offset in (0, len(code(platform.machine())))}
    sealed = [libc.syscall(_MSEAL, ctypes.c_void_p(page), ctypes.c_size_t(size), 0) == 0 for page in pages]
    return all(sealed)


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
