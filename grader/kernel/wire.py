"""Messages between the grader and its processes in the sandbox: one JSON object a datagram, descriptors beside it.

The sockets are ``AF_UNIX``/``SOCK_SEQPACKET`` pairs, so a message arrives whole or not at all and an end that closed
reads as ``Closed``. Both sides bound what they accept; nothing is ever unpickled.
"""

from __future__ import annotations

import array
import json
import os
import select
import socket
import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

#: Largest message in bytes; the kernel's default send buffer is a little larger.
LARGEST = 128 * 1024
#: Most descriptors beside one message (the kernel allows 253).
MOST_FDS = 250
#: Characters that are sent and kept of what a cell prints.
OUTPUT_KEPT = 64 * 1024
_CREDENTIALS = struct.Struct("3i")


class Closed(Exception):
    """The other end of a socket is gone, or sent what is no message."""


def pair() -> tuple[socket.socket, socket.socket]:
    """A connected pair of message sockets, close-on-exec."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def send(sock: socket.socket, message: Mapping[str, Any], fds: Sequence[int] = ()) -> None:
    """Send one message and ``fds`` beside it.

    Raises ``Closed`` when the other end is gone, does not read, or the message is too large.
    """
    data = json.dumps(message, separators=(",", ":")).encode()
    try:
        if fds:
            sock.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))])
        else:
            sock.send(data)  # as a process may that can send no descriptors any more (``seccomp.keep_descriptors``)
    except OSError as error:
        raise Closed(str(error)) from None


def receive(sock: socket.socket) -> tuple[dict[str, Any], list[int], int]:
    """The next message, the descriptors beside it, and the sender's process id (0 without ``SO_PASSCRED``).

    Raises ``Closed`` when the other end is gone or what came is no JSON object.
    """
    space = socket.CMSG_SPACE(4 * MOST_FDS) + socket.CMSG_SPACE(_CREDENTIALS.size)
    try:
        data, ancillary, _, _ = sock.recvmsg(LARGEST, space)
    except OSError as error:
        raise Closed(str(error)) from None
    fds: list[int] = []
    sender = 0
    for level, kind, payload in ancillary:
        if level != socket.SOL_SOCKET:
            continue
        if kind == socket.SCM_RIGHTS:
            fds.extend(array.array("i", payload[: len(payload) // 4 * 4]))
        elif kind == socket.SCM_CREDENTIALS:
            sender = _CREDENTIALS.unpack(payload[: _CREDENTIALS.size])[0]
    try:
        return parse(data), fds, sender
    except Closed:
        close_all(fds)
        raise


def takes_more(sock: socket.socket) -> bool:
    """Whether a message can be sent without waiting for who reads it."""
    poll = select.poll()
    poll.register(sock, select.POLLOUT)
    return bool(poll.poll(0))


def close_all(fds: Iterable[int]) -> None:
    """Close descriptors."""
    for fd in fds:
        os.close(fd)


def parse(data: bytes) -> dict[str, Any]:
    """The JSON object in ``data``; raises ``Closed`` when there is none."""
    try:
        message = json.loads(data) if data else None
    except (ValueError, RecursionError):
        message = None
    if not isinstance(message, dict):
        raise Closed("no message")
    return message
