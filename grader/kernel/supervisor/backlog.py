"""Counts connections that wait to be accepted: sockets that no process has open, whose buffers take memory.

Source: ``sock_diag(7)``, ``linux/unix_diag.h``.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator

_NETLINK_SOCK_DIAG, _SOCK_DIAG_BY_FAMILY = 4, 20
_REQUEST, _DUMP, _DONE, _ERROR = 1, 0x300, 3, 2
_HEADER, _ASKED, _ATTRIBUTE = struct.Struct("IHHII"), struct.Struct("BxHIIIQ"), struct.Struct("HH")
_TOLD = 16  # bytes of the fixed part of what is told of a socket, before its attributes
_LISTENING, _SHOW_QUEUE, _QUEUE = 1 << 10, 0x10, 4


def waiting() -> int:
    """Connections that wait at unix sockets of this network namespace; 0 where the system does not tell."""
    asked = _ASKED.pack(socket.AF_UNIX, 0, _LISTENING, 0, _SHOW_QUEUE, 0)
    header = _HEADER.pack(_HEADER.size + len(asked), _SOCK_DIAG_BY_FAMILY, _REQUEST | _DUMP, 0, 0)
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_SOCK_DIAG) as sock:
            sock.settimeout(1)
            sock.send(header + asked)
            return sum(_queues(sock))
    except OSError:
        return 0


def _queues(sock: socket.socket) -> Iterator[int]:
    """The connections that wait at each socket that ``sock`` is told of."""
    while True:
        for kind, message in _parts(sock.recv(65536), _HEADER):
            if kind in (_DONE, _ERROR):
                return
            for name, value in _parts(message[_TOLD:], _ATTRIBUTE):
                if name == _QUEUE:
                    yield int.from_bytes(value[:4], "little")


def _parts(data: bytes, header: struct.Struct) -> Iterator[tuple[int, bytes]]:
    """Kind and content of each part of ``data``, which begins with its own length and kind and is padded to four."""
    while len(data) >= header.size:
        length, kind, *_ = header.unpack_from(data)
        yield kind, data[header.size : length]
        data = data[max(header.size, (length + 3) & ~3) :]
