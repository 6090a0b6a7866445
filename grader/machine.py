"""What this process may use of the machine, and what to do where that is too little, or not installed."""

from __future__ import annotations

import errno
import os
import shlex
import sys

#: Flags to open a file that a student controls: no link is followed, and nothing waits for the other end of a pipe. As
#: far as the system knows them: Windows has neither such pipes nor such terminals, but would translate line ends.
CAREFULLY = sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_NOCTTY", "O_BINARY"))
#: Open files that a large class with many kernels at a time stays far below.
_PLENTY = 65_536
#: What an operator can do where there is no more of something.
_ROOM = "make room on that disk and run the same command again"
_FILES = "raise the limit of open files (`ulimit -n 1024`), or use fewer --jobs"
_PROCESSES = "raise the limit of processes (`ulimit -u`, or the container's), or use fewer --jobs"
_MEMORY = "free or allow more memory (`ulimit -v`, or the container's limit), or use fewer --jobs"
_READABLE = "let the user who grades read it, and run the same command again"
_DISK = "see what is wrong with the disk that it lies on, and run the same command again"
_REMEDIES = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), _ROOM),
    **dict.fromkeys((errno.EMFILE, errno.ENFILE), _FILES),
    errno.EAGAIN: _PROCESSES,
    errno.ENOMEM: _MEMORY,
}
_READING = {
    **dict.fromkeys((errno.EACCES, errno.EPERM), _READABLE),
    **dict.fromkeys((errno.EIO, errno.ESTALE, errno.ETIMEDOUT), _DISK),
}


def usable_cores() -> int:
    """The cores that this process may run on, which can be fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def allow_open_files() -> None:
    """Raise the soft limit of open files, often 1024, as far as the hard one lets: each kernel takes up to fifty."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _PLENTY if hard == resource.RLIM_INFINITY else min(hard, _PLENTY)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def pip_install(arguments: str) -> str:
    """The command that installs for this very Python; a bare ``pip`` is mostly another one's."""
    return f"{shlex.quote(sys.executable)} -m pip install {arguments}"


def remedy_of_shortage(error: Exception) -> str:
    """What helps where the machine, or a limit of this process, has no more of something; empty for other errors."""
    if getattr(error, "sqlite_errorname", None) == "SQLITE_FULL":
        return _ROOM
    if isinstance(error, MemoryError):
        return _MEMORY
    return _REMEDIES.get(error.errno or 0, "") if isinstance(error, OSError) else ""


def remedy_of_reading(error: OSError) -> str:
    """What helps where this user, or this machine now, cannot read a file that another can; empty for other errors."""
    return _READING.get(error.errno or 0) or remedy_of_shortage(error)
