"""The C library, for the system calls that Python has no function for."""

from __future__ import annotations

import ctypes
import os
import sys
from typing import Any

# Imported on every system, for ``grader doctor`` to say what is missing; called on Linux only.
_LINUX = sys.platform.startswith("linux")
libc: Any = ctypes.CDLL(None, use_errno=True) if _LINUX else None
#: The same, but keeping hold of the interpreter during a call.
libc_held: Any = ctypes.PyDLL(None, use_errno=True) if _LINUX else None


def checked(result: int, what: str) -> int:
    """The ``result`` of a call; raises ``OSError`` where that says that it failed, with ``what`` was called."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result
