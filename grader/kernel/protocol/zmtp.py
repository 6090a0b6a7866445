"""The grader's end of a ZeroMQ connection to a kernel, over a unix socket, with every size capped while it is read.

The kernel's end, ``channel``, takes its messages apart with the same parser.

libzmq caps a single frame (``ZMQ_MAXMSGSIZE``), but keeps all frames of a message until its last one has come, and a
hostile kernel need never send the last one. So what comes from a kernel is read here: a message is refused as soon as
it is too large, and what nobody reads stays in the socket, where the kernel waits. Version 3.0 of the protocol, without
security (the socket is the job's own). Source: https://rfc.zeromq.org/spec/23/.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Sequence
from typing import Any

#: Bytes and frames of a message from a kernel, and bytes of all its messages; one that sends more is cut off. An honest
#: one sends at most ``wire.OUTPUT_KEPT`` characters of a cell and as many of an error, each of six bytes at most.
LARGEST, MOST_FRAMES, ALL = 2 * 1024**2, 256, 128 * 1024**2
_LARGEST_COMMAND = 1024
#: Messages that may wait to be asked for.
_MOST_WAITING = 4
#: The flags of a frame.
MORE, LONG, COMMAND = 1, 2, 4
GREETING = b"\xff" + bytes(8) + b"\x7f" + b"\x03\x00" + b"NULL".ljust(20, b"\0") + bytes(32)
_SUBSCRIBE_ALL = b"\x01"


class ProtocolError(ValueError):
    """The other end does not keep to the protocol, or to the limits."""


class Parser:
    """Takes messages out of bytes as they come; within the limits, unless who sends them is ``trusted``."""

    def __init__(self, *, trusted: bool = False) -> None:
        self._trusted = trusted
        self._left = math.inf if trusted else ALL
        self._buffer = bytearray()
        self._begin()

    def _begin(self) -> None:
        """A message begins."""
        self._parts: list[bytes] = []
        self._room = math.inf if self._trusted else LARGEST

    def feed(self, data: bytes) -> None:
        """More bytes have come."""
        self._buffer += data

    def greeting(self) -> bool:
        """Take the greeting that everything begins with; False while some of it is still to come.

        Raises ``ProtocolError``.
        """
        if len(self._buffer) < len(GREETING):
            return False
        greeting = bytes(self._buffer[: len(GREETING)])
        del self._buffer[: len(GREETING)]
        if (greeting[0], greeting[9]) != (0xFF, 0x7F) or greeting[10] < 3 or greeting[12:17] != b"NULL\0":
            raise ProtocolError("a greeting of another protocol")
        return True

    def command(self) -> bytes | None:
        """The body of the command that is due, once all of it is there. Raises ``ProtocolError``."""
        frame = self._frame(_LARGEST_COMMAND)
        if frame is None:
            return None
        flags, body = frame
        if not flags & COMMAND:
            raise ProtocolError("a message where a command was due")
        return body

    def message(self) -> list[bytes] | None:
        """The frames of the next message, once all of it is there. Raises ``ProtocolError``."""
        while (frame := self._frame(self._room)) is not None:
            flags, body = frame
            if flags & COMMAND:
                if not self._trusted:
                    raise ProtocolError("a command where a message was due")
                continue
            self._parts.append(body)
            self._room -= len(body)
            if not flags & MORE:
                parts = self._parts
                self._begin()
                return parts
            if not self._trusted and len(self._parts) == MOST_FRAMES:
                raise ProtocolError(f"a message of more than {MOST_FRAMES} frames")
        return None

    def _frame(self, most: float) -> tuple[int, bytes] | None:
        """Flags and body of the next frame, once all of it is there."""
        buffer = self._buffer
        if not buffer:
            return None
        flags = buffer[0]
        if flags & ~(MORE | LONG | COMMAND):
            raise ProtocolError("a frame with unknown flags")
        start = 9 if flags & LONG else 2
        if len(buffer) < start:
            return None
        size = int.from_bytes(buffer[1:start], "big")
        if size > min(most, self._left):
            raise ProtocolError("a message that is too large, or one too many")
        end = start + size
        if len(buffer) < end:
            return None
        self._left -= size
        body = bytes(buffer[start:end])
        del buffer[:end]
        return flags, body


class Connection(asyncio.Protocol):
    """A socket of ``kind`` (``DEALER``, ``SUB``) that is connected to one peer. Made by ``connect``."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._greeted = False
        self._parser = Parser()
        self._transport: Any = None
        self._messages: deque[list[bytes]] = deque()
        self._paused = False
        self._error: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None

    def send(self, parts: Sequence[bytes]) -> None:
        """Send a message; what the peer does not take at once is kept."""
        self._transport.write(message(parts))

    async def receive(self) -> list[bytes]:
        """The frames of the next message; whoever stops waiting for it loses nothing of it.

        Raises ``ProtocolError``, ``EOFError`` at the end, ``OSError``.
        """
        while not self._messages:
            if self._error is not None:
                raise self._error
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        parts = self._messages.popleft()
        self._parse()
        return parts

    def close(self) -> None:
        """Close the socket."""
        self._transport.close()

    # --------------------------------------------------------------------------- called by the event loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the greeting."""
        self._transport = transport
        self._transport.write(GREETING)

    def data_received(self, data: bytes) -> None:
        """Go on with the handshake, or take out messages."""
        self._parser.feed(data)
        try:
            if not self.opened.done():
                self._shake_hands()
        except ProtocolError as error:
            self._end(error)
        self._parse()

    def eof_received(self) -> None:
        """The peer closed its end."""
        self._end(EOFError("the other end is gone"))

    def connection_lost(self, error: Exception | None) -> None:
        """The socket is closed."""
        self._end(error or EOFError("the connection is gone"))

    def _shake_hands(self) -> None:
        if not self._greeted:
            self._greeted = self._parser.greeting()
            if not self._greeted:
                return
            self._transport.write(ready(self.kind))
        answer = self._parser.command()
        if answer is None:
            return
        if not answer.startswith(b"\x05READY"):
            raise ProtocolError("no handshake")
        if self.kind == "SUB":
            self.send([_SUBSCRIBE_ALL])
        self.opened.set_result(None)

    def _parse(self) -> None:
        """Take out what there is, a few messages at the most, and stop reading while they are not asked for."""
        if not self.opened.done() or isinstance(self._error, ProtocolError):
            return
        try:
            while len(self._messages) < _MOST_WAITING and (parts := self._parser.message()) is not None:
                self._messages.append(parts)
        except ProtocolError as error:
            self._end(error)
        full = len(self._messages) == _MOST_WAITING
        if full and not self._paused:
            self._transport.pause_reading()
        elif self._paused and not full:
            self._transport.resume_reading()
        self._paused = full
        if self._messages:
            self._wake()

    def _end(self, error: Exception) -> None:
        """Nothing more will come, because of ``error``."""
        if self._error is not None:
            return
        self._error = error
        self._transport.close()
        if not self.opened.done():
            self.opened.set_exception(error)
            self.opened.exception()  # else, where nobody waits for it any more, asyncio prints it
        self._wake()

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)


async def connect(path: str, kind: str) -> Connection:
    """Connect a socket of ``kind`` to the one that listens at ``path``; a ``SUB`` is subscribed to everything.

    Raises ``ProtocolError``, ``OSError``, ``EOFError``.
    """
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_unix_connection(lambda: Connection(kind), path)
    try:
        await connection.opened
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
    value = kind.encode("ascii")
    return _frame(b"\x05READY" + b"\x0bSocket-Type" + len(value).to_bytes(4, "big") + value, COMMAND)


def _frame(body: bytes, flags: int) -> bytes:
    if len(body) > 255:
        return bytes([flags | LONG]) + len(body).to_bytes(8, "big") + body
    return bytes([flags, len(body)]) + body
