"""A folder of a run in the system's temporary one: of its pool, or of the archives that it unpacks.

In that of a pool are sockets, logs, and the jobs' folders where nothing is private. It is removed at the end. That of a
grader that was killed is found by its lock, which died with it, and removed by the next one.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
from collections.abc import Iterable
from pathlib import Path

from grader.errors import KernelError
from grader.kernel.removal import remove
from grader.machine import remedy_of_shortage

_PREFIX = "grader-"
_LOCK = "autograd-grader.lock"  # whatever else may be called grader-… holds no such file
#: The variables that name Python's temporary folder.
_NAMING = ("TMPDIR", "TEMP", "TMP")
#: Bytes of a path below which sockets can be: theirs end at 107, of which the names here take less than 40.
_DEEPEST = 60


class Workplace:
    """A fresh folder at ``path``, readable by its owner alone, until ``close``.

    It is made in ``place``, or in the system's temporary folder. Raises ``KernelError`` where that cannot be written.
    """

    def __init__(self, place: str | None = None) -> None:
        place = place or _temporary()
        _sweep(place)
        try:
            self.path = tempfile.mkdtemp(prefix=_PREFIX, dir=place)
        except OSError as error:
            raise KernelError(
                f"no folder for this run can be made in {place}: {error.strerror}",
                remedy=remedy_of_shortage(error) or "have TMPDIR name a folder that can be written, by a short path",
            ) from error
        unseen = Path(self.path, f"{_LOCK}.new")  # nobody looks for it before it is locked
        self._lock = _locked(unseen, create=True)
        if self._lock is not None:
            unseen.rename(unseen.with_name(_LOCK))

    def place_of(self, number: int) -> str:
        """A path for the folder of job ``number``, which no other job can guess.

        Landlock keeps nobody from asking about a file, or where a link leads, by its path: two submissions that run at
        the same time could pass on what a check gave to one of them.
        """
        return os.path.join(self.path, f"job-{number}-{secrets.token_hex(8)}")

    def __enter__(self) -> Path:
        """Its path."""
        return Path(self.path)

    def __exit__(self, *_: object) -> None:
        """Remove it."""
        self.close()

    def close(self) -> None:
        """Remove it."""
        remove(self.path)
        if self._lock is not None:
            os.close(self._lock)


def place_of_sockets(readable: Iterable[str]) -> str:
    """The system's temporary folder, or ``/tmp`` where that is too deep for sockets or in what kernels may read."""
    place = _temporary()
    read = f"{os.path.realpath(place)}/".startswith(tuple(f"{os.path.realpath(one)}/" for one in readable))
    # Python takes the working folder where no other can be written; what is graded may be there. Not if it is named.
    named = any(os.path.abspath(folder) == place for folder in filter(None, map(os.environ.get, _NAMING)))
    unnamed = not named and os.path.samefile(place, os.curdir)
    unfit = read or unnamed or len(os.fsencode(place)) > _DEEPEST
    return "/tmp" if unfit else place


def _temporary() -> str:
    """The system's temporary folder; where it has none, the one that there should be, whose error is told then."""
    try:
        return tempfile.gettempdir()
    except FileNotFoundError:
        return "/tmp"


def _sweep(place: str) -> None:
    """Remove the folders below ``place`` that are this user's and whose grader is gone."""
    with contextlib.suppress(OSError), os.scandir(place) as entries:
        for entry in entries:
            with contextlib.suppress(OSError):
                if not entry.name.startswith(_PREFIX) or not entry.is_dir(follow_symlinks=False):
                    continue
                if not hasattr(os, "getuid") or entry.stat(follow_symlinks=False).st_uid != os.getuid():
                    continue
                lock = _locked(Path(entry.path, _LOCK), create=False)
                if lock is not None:
                    remove(entry.path)
                    os.close(lock)


def _locked(path: Path, *, create: bool) -> int | None:
    """A descriptor that holds the lock on the file ``path``; None when another process does, or there is no file."""
    try:
        import fcntl

        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | (os.O_CREAT if create else 0), 0o600)
    except (ImportError, OSError):
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(fd)
        return None
    return fd
