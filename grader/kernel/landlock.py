"""Landlock, through PyPI ``sandlock``: which files a process may open, whom it may signal.

For the processes in the sandbox, which import this before they fork; the grader itself asks only
``confine.landlock_abi`` and is spared the import. Source: ``landlock(7)``.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable

try:
    import sandlock
except ImportError:  # not on Linux
    sandlock = None


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
