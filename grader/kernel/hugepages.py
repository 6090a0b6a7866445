"""Moves this process's private memory into huge pages, so that forking it copies a few hundred entries, not 60,000.

Measured with torch and ipykernel imported: a fork and its end cost 25 ms of processor time before, 6 ms after. Pages
are still copied one by one when a fork writes to them. Linux 6.1 and newer; elsewhere nothing happens.
"""

from __future__ import annotations

import contextlib
import ctypes

_HUGE = 2 * 1024**2
_MADV_HUGEPAGE, _MADV_COLLAPSE = 14, 25


def collapse() -> None:
    """Collapse every private writable mapping that no file is behind."""
    with contextlib.suppress(OSError, AttributeError):
        madvise = ctypes.CDLL(None).madvise
        with open("/proc/self/maps", encoding="utf-8", errors="replace") as maps:
            lines = maps.readlines()
        for line in lines:
            addresses, rights, *_, name = f"{line.rstrip()} ".split(" ", 5)
            if rights != "rw-p" or "/" in name:
                continue
            begin, end = (int(address, 16) for address in addresses.split("-"))
            begin, end = -(-begin // _HUGE) * _HUGE, end // _HUGE * _HUGE
            if begin < end:
                madvise(ctypes.c_void_p(begin), ctypes.c_size_t(end - begin), _MADV_HUGEPAGE)
                madvise(ctypes.c_void_p(begin), ctypes.c_size_t(end - begin), _MADV_COLLAPSE)
