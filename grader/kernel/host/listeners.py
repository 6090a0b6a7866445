"""The two sockets that a kernel inherits, at which the grader's client connects to it."""

from __future__ import annotations

import contextlib
import os
import socket


class Listeners:
    """The two sockets (shell, iopub) that a kernel inherits, bound below a folder that is the grader's alone.

    It is made anew where somebody removed it, as what cleans temporary folders does.
    """

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.sockets: list[socket.socket] = []
        try:
            for port in (1, 2):
                self.sockets.append(_listening(f"{prefix}-{port}"))
        except OSError:
            self.close()
            raise

    def fds(self) -> list[int]:
        """Their descriptors."""
        return [sock.fileno() for sock in self.sockets]

    def close(self) -> None:
        """Close this process's copies."""
        for sock in self.sockets:
            sock.close()

    def unlink(self) -> None:
        """Remove them from the folder."""
        for port in (1, 2):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(f"{self.prefix}-{port}")


def _listening(path: str) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        try:
            sock.bind(path)
        except FileNotFoundError:
            os.mkdir(os.path.dirname(path), 0o700)
            sock.bind(path)
        sock.listen(8)
    except OSError:
        sock.close()
        raise
    return sock
