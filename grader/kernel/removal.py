"""Removing a folder that student code filled: however deep, and also where it took permissions away."""

from __future__ import annotations

import contextlib
import itertools
import os
import secrets


def remove(folder: str | os.PathLike[str]) -> None:
    """Remove ``folder`` as far as that can be done; never raises."""
    empty(folder)
    _rmdir(os.fspath(folder))


def empty(folder: str | os.PathLike[str]) -> None:
    """Remove what is in ``folder``, as far as that can be done; never raises.

    Folders further down are moved up before they are looked into, since there may be more in one another than fit into
    a path, and than Python can call itself.
    """
    folder = os.fspath(folder)
    with contextlib.suppress(OSError):
        os.chmod(folder, 0o700)
    up = (os.path.join(folder, f"{secrets.token_hex(8)}-{number}") for number in itertools.count())
    waiting = [folder]
    while waiting:
        place = waiting.pop()
        for entry in _entries(place):
            with contextlib.suppress(OSError):
                if not entry.is_dir(follow_symlinks=False):
                    os.unlink(entry.path)
                    continue
                with contextlib.suppress(OSError):
                    os.rmdir(entry.path)  # where there are very many, nearly all are empty
                    continue
                os.chmod(entry.path, 0o700)
                inner = entry.path if place == folder else next(up)
                os.rename(entry.path, inner)
                waiting.append(inner)
        if place != folder:
            _rmdir(place)


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []


def _rmdir(folder: str) -> None:
    with contextlib.suppress(OSError):
        os.rmdir(folder)
