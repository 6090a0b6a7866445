"""The grader's end of a ZeroMQ connection to a kernel, over a unix socket, with every size capped while it is read.

libzmq caps a single frame (``ZMQ_MAXMSGSIZE``), but keeps all frames of a message until its last one has come, and a
hostile kernel need never send the last one. So what comes from a kernel is read here: a message is refused as soon as
it is too large, and what nobody reads stays in the socket, where the kernel waits. Version 3.0 of the protocol, without
security (the socket is the job's own). Source: https://rfc.zeromq.org/spec/23/.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

#: Bytes and frames of a message from a kernel, and bytes of all its messages; one that sends more is cut off. An honest
#: one sends at most ``wire.OUTPUT_KEPT`` characters of a cell and as many of an error, each of six bytes at most.
LARGEST, MOST_FRAMES, ALL = 2 * 1024**2, 256, 128 * 1024**2
#: Bytes that may wait to be read.
_WAITING = 256 * 1024
#: The flags of a frame.
MORE, LONG, COMMAND = 1, 2, 4
GREETING = b"\xff" + bytes(8) + b"\x7f" + b"\x03\x00" + b"NULL".ljust(20, b"\0") + bytes(32)
_SUBSCRIBE_ALL = b"\x01"


class Refused(ValueError):
    """The other end does not keep to the protocol, or to the limits."""


class Connection:
    """A socket of ``kind`` (``DEALER``, ``SUB``) that is connected to one peer. Made by ``connect``."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._left = ALL
        self._buffer = bytearray()

    def send(self, parts: Sequence[bytes]) -> None:
        """Send a message; what the peer does not take at once is kept."""
        self._writer.write(message(parts))

    async def receive(self) -> list[bytes]:
        """The frames of the next message. Raises ``Refused``, ``asyncio.IncompleteReadError`` at the end."""
        parts: list[bytes] = []
        left = LARGEST
        while True:
            flags, body = await self._read(left)
            if flags & COMMAND:
                raise Refused("a command where a message was due")
            parts.append(body)
            left -= len(body)
            if not flags & MORE:
                return parts
            if len(parts) == MOST_FRAMES:
                raise Refused(f"a message of more than {MOST_FRAMES} frames")

    def close(self) -> None:
        """Let go of the socket."""
        self._writer.close()

    async def _read(self, most: int) -> tuple[int, bytes]:
        """Flags and body of the next frame."""
        await self._have(1)
        flags = self._buffer[0]
        if flags & ~(MORE | LONG | COMMAND):
            raise Refused("a frame with unknown flags")
        start = 9 if flags & LONG else 2
        await self._have(start)
        size = int.from_bytes(self._buffer[1:start], "big")
        if size > min(most, self._left):
            raise Refused("a message that is too large, or one too many")
        self._left -= size
        end = start + size
        await self._have(end)
        body = bytes(self._buffer[start:end])
        del self._buffer[:end]
        return flags, body

    async def _have(self, count: int) -> None:
        """Wait until ``count`` bytes are there to be read."""
        while len(self._buffer) < count:
            more = await self._reader.read(_WAITING)
            if not more:
                raise asyncio.IncompleteReadError(bytes(self._buffer), count)
            self._buffer += more

    async def _shake_hands(self, kind: str) -> None:
        self._writer.write(GREETING)
        greeting = await self._reader.readexactly(len(GREETING))
        if (greeting[0], greeting[9]) != (0xFF, 0x7F) or greeting[10] < 3 or greeting[12:17] != b"NULL\0":
            raise Refused("a greeting of another protocol")
        self._writer.write(ready(kind))
        flags, answer = await self._read(1024)
        if not flags & COMMAND or not answer.startswith(b"\x05READY"):
            raise Refused("no handshake")
        if kind == "SUB":
            self.send([_SUBSCRIBE_ALL])


async def connect(path: str, kind: str) -> Connection:
    """Connect a socket of ``kind`` to the one that listens at ``path``; a ``SUB`` is subscribed to everything.

    Raises ``Refused``, ``OSError``, ``asyncio.IncompleteReadError``.
    """
    reader, writer = await asyncio.open_unix_connection(path, limit=_WAITING)
    connection = Connection(reader, writer)
    try:
        await connection._shake_hands(kind)
    except BaseException:
        connection.close()
        raise
    return connection


def message(parts: Sequence[bytes]) -> bytes:
    """The frames of a message."""
    last = len(parts) - 1
    return b"".join(_frame(part, MORE * (at < last)) for at, part in enumerate(parts))


def ready(kind: str) -> bytes:
    """The frame with which a socket of ``kind`` answers a greeting."""
    identity = _property(b"Identity", b"") * (kind in ("DEALER", "ROUTER"))
    return _frame(b"\x05READY" + _property(b"Socket-Type", kind.encode("ascii")) + identity, COMMAND)


def _frame(body: bytes, flags: int) -> bytes:
    if len(body) > 255:
        return bytes([flags | LONG]) + len(body).to_bytes(8, "big") + body
    return bytes([flags, len(body)]) + body


def _property(name: bytes, value: bytes) -> bytes:
    return bytes([len(name)]) + name + len(value).to_bytes(4, "big") + value
