"""Writing a file whole or not at all, so that no reader ever sees half of one."""

from __future__ import annotations

import errno
import os
import tempfile
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
    handle, name = tempfile.mkstemp(prefix=".unfinished-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException as error:
        Path(name).unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno:
            error.filename = str(path)
        raise
