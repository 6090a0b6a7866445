"""Writing a file whole or not at all, so that no reader ever sees half of one."""

from __future__ import annotations

import errno
import secrets
from contextlib import suppress
from pathlib import Path


def write(path: Path, content: bytes) -> None:
    """Write ``content`` beside ``path`` and move it there; its folder is made. A link in its place is replaced.

    Raises:
        OSError: it cannot be written, and ``path``, which the error names, is as it was, also where the disk is full.
            A device or a pipe, or a link to one (``/dev/null``, ``/dev/stdout``), is never replaced, also for root.
    """
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise FileExistsError(errno.EEXIST, "no regular file, which is not replaced", str(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.parent / f".unfinished-{secrets.token_hex(8)}"
    try:
        with unfinished.open("xb") as file:  # readable for whom the umask lets, as any new file
            file.write(content)
        unfinished.replace(path)
    except BaseException as error:
        with suppress(OSError):  # such as that of a read-only disk, which the error says already
            unfinished.unlink()
        if isinstance(error, OSError) and error.errno:
            error.filename = str(path)
        raise
