"""Landlock, through PyPI ``sandlock``: which files a process may open, whom it may signal.

For the processes in the sandbox, which import this before they fork; the grader itself asks only
``confine.landlock_abi`` and is spared the import. Source: ``landlock(7)``.
"""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Iterable, Iterator

from grader.kernel import confine

try:
    import sandlock
except ImportError:  # not on Linux
    sandlock = None

#: The rights to execute a file and to read one.
_OPENED = 1 | 4


def hide(hidden: Iterable[str], places: Iterable[str]) -> None:
    """Confine this process to opening what is in ``places``, but not in ``hidden``, for reading or executing, for good.

    A second layer of rules of its own, beside those of ``restrict``: folders can be listed as before, which Python does
    to find a module. Raises ``OSError`` when the system refuses.
    """
    left = dict.fromkeys(around(places, frozenset(map(os.path.realpath, hidden))))
    confine.add_landlock_layer(struct.pack("=Q", _OPENED), _rules(left))


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
    if sandlock is None:
        raise OSError(errno.ENOSYS, "sandlock is not installed")
    policy = sandlock.Sandbox(
        fs_readable=[path for path in read if os.path.lexists(path)],
        fs_writable=[path for path in write if os.path.lexists(path)],
        allow_degraded=() if strict else tuple(sandlock.Protection),
    )
    try:
        sandlock.confine(policy)
    except sandlock.SandlockError as error:
        raise OSError(errno.ENOSYS, f"Landlock: {error}") from None
