"""Landlock: which files a process may open, whom it may signal.

Most of it through PyPI ``sandlock``, which is imported where it is needed: the grader itself only asks for the ``abi``.
Source: ``landlock(7)``.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import struct
from collections.abc import Iterable, Iterator

from grader.kernel.confinement.libc import checked, libc

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF, _PATH_BENEATH = 444, 445, 446, 1
#: The Landlock ABI (Linux 6.12) that scopes signals and abstract unix sockets.
SCOPES = 6
_SCOPED = struct.pack("3Q", 0, 0, 3)  # no files, no ports, both scopes
#: The rights to execute a file and to read one.
_OPENED = 1 | 4


def prepare() -> None:
    """Import ``sandlock``, where it is installed, for this process and all its forks."""
    with contextlib.suppress(ImportError):
        import sandlock  # noqa: F401


def abi() -> int:
    """The Landlock ABI of this system, 0 where there is none; from ``SCOPES`` on it scopes signals and sockets."""
    version = libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(1))
    return max(0, int(version))


def _add_layer(handled: bytes, beneath: Iterable[bytes] = ()) -> None:
    """Confine this process by one more layer, for good: what is ``handled``, but for the rules ``beneath``.

    They are ``struct landlock_ruleset_attr`` and ``struct landlock_path_beneath_attr`` as bytes (``landlock(7)``).
    Raises ``OSError`` when the system refuses.
    """
    flags = ctypes.c_uint32(0)
    size = ctypes.c_size_t(len(handled))
    ruleset = checked(libc.syscall(_CREATE_RULESET, handled, size, flags), "Landlock")
    try:
        for rule in beneath:
            checked(libc.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, rule, flags), "Landlock")
        checked(libc.syscall(_RESTRICT_SELF, ruleset, flags), "Landlock")
    finally:
        os.close(ruleset)


def scope() -> None:
    """Confine the signals and abstract sockets of this process to it and what it starts, where the system can do that.

    That alone, with no rule of files: to add one is refused to a job.
    """
    if abi() >= SCOPES:
        _add_layer(_SCOPED)


def hide(hidden: Iterable[str], places: Iterable[str]) -> None:
    """Confine this process to opening what is in ``places``, but not in ``hidden``, for reading or executing, for good.

    A second layer of rules of its own, beside those of ``restrict``: folders can be listed as before, which Python does
    to find a module. Raises ``OSError`` when the system refuses.
    """
    left = dict.fromkeys(around(places, frozenset(map(os.path.realpath, hidden))))
    _add_layer(struct.pack("=Q", _OPENED), _rules(left))


def _rules(places: Iterable[str]) -> Iterator[bytes]:
    """A rule for each place: what is below may be opened. Its descriptor is open until the next is asked for."""
    for place in places:
        fd = os.open(place, os.O_PATH | os.O_CLOEXEC)
        try:
            yield struct.pack("=Qi", _OPENED, fd)
        finally:
            os.close(fd)


def around(places: Iterable[str], hidden: frozenset[str]) -> Iterator[str]:
    """``places`` but those in ``hidden``: instead of a folder that holds one of them, what else is in it."""
    for place in filter(os.path.exists, map(os.path.realpath, places)):
        if any(inner.startswith(f"{place}/") for inner in hidden):
            yield from around((os.path.join(place, name) for name in sorted(os.listdir(place))), hidden)
        elif place not in hidden:
            yield place


def restrict(read: Iterable[str], write: Iterable[str], *, strict: bool = True) -> None:
    """Confine this process to reading and executing below ``read``, and to writing too below ``write``, for good.

    Signals and abstract sockets then reach only the processes confined with this one. Called again it narrows further.
    Paths that do not exist are left out. ``strict=False`` takes what an older Landlock has to offer. Raises ``OSError``
    where that is not enough, or ``sandlock`` is not installed.
    """
    try:
        import sandlock
    except ImportError:
        raise OSError(errno.ENOSYS, "sandlock is not installed") from None
    policy = sandlock.Sandbox(
        fs_readable=[path for path in read if os.path.lexists(path)],
        fs_writable=[path for path in write if os.path.lexists(path)],
        allow_degraded=() if strict else tuple(sandlock.Protection),
    )
    try:
        sandlock.confine(policy)
    except sandlock.SandlockError as error:
        raise OSError(errno.ENOSYS, f"Landlock: {error}") from None
