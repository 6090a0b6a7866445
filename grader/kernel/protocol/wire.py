"""Messages between the grader and its processes in the sandbox: one JSON object a datagram, descriptors beside it.

The sockets are ``AF_UNIX``/``SOCK_SEQPACKET`` pairs, so a message arrives whole or not at all and an end that closed
reads as ``Closed``. Both sides bound what they accept; nothing is ever unpickled.
"""

from __future__ import annotations

import array
import os
import select
import socket
import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from grader.kernel.protocol import plainjson

#: Largest message in bytes; the kernel's default send buffer is a little larger.
LARGEST = 128 * 1024
#: Most descriptors beside one message (the kernel allows 253).
MOST_FDS = 250
#: Characters that are sent and kept of what a cell prints.
OUTPUT_KEPT = 64 * 1024
_CREDENTIALS = struct.Struct("3i")

# What comes tells the harness what to do: student code may replace the attributes of modules, never these.
_dumps, _loads, _array, _decoded = plainjson.dumps, plainjson.loads, array.array, bytes.decode
_recvmsg, _send, _sendmsg = socket.socket.recvmsg, socket.socket.send, socket.socket.sendmsg
_len, _type, _dict = len, type, dict


class Closed(Exception):
    """The other end of a socket is gone, or sent what is no message."""


def pair() -> tuple[socket.socket, socket.socket]:
    """A connected pair of message sockets, close-on-exec."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def send(sock: socket.socket, message: Mapping[str, Any], fds: Sequence[int] = ()) -> None:
    """Send one message and ``fds`` beside it.

    Raises ``Closed`` when the other end is gone, does not read, or the message is too large.
    """
    data = _dumps(message).encode()
    try:
        if fds:
            _sendmsg(sock, [data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, _array("i", fds))])
        else:
            _send(sock, data)  # as a process may that can send no descriptors any more (``seccomp.keep_descriptors``)
    except OSError as error:
        raise Closed(str(error)) from None


def receive(sock: socket.socket) -> tuple[dict[str, Any], list[int], int]:
    """The next message, the descriptors beside it, and the sender's process id (0 without ``SO_PASSCRED``).

    Raises ``Closed`` when the other end is gone or what came is no JSON object.
    """
    space = socket.CMSG_SPACE(4 * MOST_FDS) + socket.CMSG_SPACE(_CREDENTIALS.size)
    try:
        try:
            data, ancillary, _, _ = _recvmsg(sock, LARGEST, space)
        except ConnectionResetError:  # told once, of an end that was closed with something unread; what it sent is here
            data, ancillary, _, _ = _recvmsg(sock, LARGEST, space)
    except OSError as error:
        raise Closed(str(error)) from None
    fds: list[int] = []
    sender = 0
    for level, kind, payload in ancillary:
        if level != socket.SOL_SOCKET:
            continue
        if kind == socket.SCM_RIGHTS:
            fds.extend(_array("i", payload[: _len(payload) // 4 * 4]))
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
        message: Any = _loads(_decoded(data)) if data else None
    except (ValueError, RecursionError):
        message = None
    if _type(message) is not _dict:
        raise Closed("no message")
    found: dict[str, Any] = message
    return found
