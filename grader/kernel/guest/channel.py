"""The kernel's end of its two ZeroMQ connections to the grader (``zmtp``), without a thread of its own.

In libzmq's place, which gives every kernel two threads and a good deal of wiring: 6 of 80 ms that a notebook takes, and
a process that forks for its checks had better have one thread. What comes here was sent by the grader. The protocol is
that of ``zmtp``; a ``ROUTER`` with one peer tells nobody apart, so its messages carry no identity.
"""

from __future__ import annotations

import asyncio
import inspect
import os
import signal
import socket
import threading
from collections.abc import Callable, Sequence
from typing import Any

from grader.kernel.protocol import zmtp

_sigmask, _INTERRUPT = signal.pthread_sigmask, {signal.SIGINT}
#: Bytes that are read at a time.
_PORTION = 64 * 1024


class Channel:
    """A socket of ``kind`` (``ROUTER``, ``XPUB``) for the first peer that connects to the listening socket ``fd``.

    Waits for that peer's greeting. Raises ``OSError``, ``EOFError``, and ``ValueError`` where the greeting is none. Has
    the few methods of a ``ZMQStream`` that ipykernel calls.
    """

    def __init__(self, fd: int, kind: str) -> None:
        with socket.socket(fileno=fd) as listening:
            self._sock = listening.accept()[0]
        self._owner = os.getpid()
        self._parser = zmtp.Parser(trusted=True)
        self._sending = threading.Lock()
        self._tasks: set[asyncio.Future[Any]] = set()
        try:
            self._shake_hands(kind)
        except BaseException:
            self.close()
            raise

    def send_multipart(self, parts: Sequence[bytes], copy: bool = True, track: bool = False) -> None:
        """Send a message, all of it: other threads and an interrupt wait until that is done.

        A process forked from this one sends nothing: the two could not keep their messages apart.
        """
        if os.getpid() != self._owner:
            return
        with self._sending:
            blocked = _sigmask(signal.SIG_BLOCK, _INTERRUPT)
            try:
                self._sock.sendall(zmtp.message(parts))
            finally:
                _sigmask(signal.SIG_SETMASK, blocked)

    def receive(self) -> list[bytes]:
        """Wait for the next message. Raises ``EOFError`` when there will be none."""
        while (parts := self._parser.message()) is None:
            self._fill()
        return parts

    def on_recv(self, callback: Callable[[list[bytes]], Any], copy: bool = True) -> None:
        """Have the running loop of this thread call ``callback`` with each message."""
        asyncio.get_event_loop().add_reader(self._sock.fileno(), self._hear, callback)

    def flush(self, *_: Any) -> None:
        """Nothing waits to be sent."""

    def close(self) -> None:
        """Close the connection."""
        self._sock.close()

    def _shake_hands(self, kind: str) -> None:
        self._sock.sendall(zmtp.GREETING)  # libzmq waits for its first bytes before it sends all of its own
        while not self._parser.greeting():
            self._fill()
        self._sock.sendall(zmtp.ready(kind))

    def _hear(self, callback: Callable[[list[bytes]], Any]) -> None:
        try:
            self._fill(socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        except (EOFError, OSError):  # the grader let go of the job, whose end is near
            asyncio.get_event_loop().remove_reader(self._sock.fileno())
            return
        while (parts := self._parser.message()) is not None:
            answer = callback(parts)
            if inspect.isawaitable(answer):
                task = asyncio.ensure_future(answer)
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    def _fill(self, flags: int = 0) -> None:
        data = self._sock.recv(_PORTION, flags)
        if not data:
            raise EOFError("the grader let go of a connection")
        self._parser.feed(data)
