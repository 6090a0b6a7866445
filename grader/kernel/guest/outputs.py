"""What a kernel prints and shows: counted against the cell's budget, and sent only as far as it is read."""

from __future__ import annotations

import os
import threading
import time
from typing import Any

from ipykernel.displayhook import ZMQShellDisplayHook
from ipykernel.iostream import BackgroundSocket, IOPubThread, OutStream
from ipykernel.zmqshell import ZMQDisplayPublisher

from grader.kernel.check.sink import OutputLimitExceeded
from grader.kernel.guest.channel import Channel
from grader.kernel.protocol.session import PlainSession
from grader.kernel.protocol.wire import OUTPUT_KEPT


class Stream(OutStream):  # type: ignore[misc]
    """stdout or stderr of a kernel, which stops a cell that prints more than ``limit`` characters.

    Of these only the first are sent: no more are kept.
    """

    limit = 1024**2
    budget = limit
    room = OUTPUT_KEPT
    _flush_pending = False
    _since = 0.0

    @classmethod
    def refill(cls) -> None:
        """Give the cell that begins the whole budget."""
        cls.budget, cls.room = cls.limit, OUTPUT_KEPT

    def write(self, string: Any) -> int | None:
        """Write ``string``, or raise ``OutputLimitExceeded`` when the cell's budget is spent."""
        cls = type(self)
        if not isinstance(string, str):
            return int(super().write(string))  # which refuses it
        told = string[: max(0, min(cls.room, cls.budget))]
        if not told.isascii():
            told = told.encode("utf-8", "replace").decode()  # half a surrogate pair is no text to send
        cls.budget -= len(string)
        cls.room -= len(told)
        if told:
            super().write(told)
        if cls.budget < 0:
            raise OutputLimitExceeded(f"more than {cls.limit} characters printed by one cell")
        return len(string)

    def flush(self) -> None:
        """Send what was written, if anything was."""
        if self._flush_pending or self._subprocess_flush_pending:
            super().flush()

    def _schedule_flush(self) -> None:
        """There is something to send: at the cell's end, or when more is written after a while, lest it die first."""
        now = time.monotonic()
        if not self._flush_pending:
            self._flush_pending = True
            self._since = now
        elif now - self._since > self.flush_interval:
            self.flush()


class Sender(IOPubThread):  # type: ignore[misc]
    """Sends what is published, in the thread that publishes it: ipykernel's, not alive, leaves that to the caller.

    A thread with a loop for it costs each kernel 4 ms, and each print one or two switches between threads.
    """

    def __init__(self, session: PlainSession) -> None:
        self.socket: Channel | None = None
        self.session = session
        self.thread = threading.Thread()
        self.io_loop = None
        self.background_socket = BackgroundSocket(self)
        self._master_pid = os.getpid()
        self._pipe_flag = False


class Publisher(ZMQDisplayPublisher):  # type: ignore[misc]
    """What ``display`` shows. Nobody looks at it, so it is not sent."""

    def publish(self, data: Any, *args: Any, **kwargs: Any) -> None:
        """Count ``data``, or raise ``OutputLimitExceeded`` when the cell's budget is spent."""
        _spend(data)


class Result(ZMQShellDisplayHook):  # type: ignore[misc]
    """The value of a cell's last expression. Nobody looks at it, so it is not sent."""

    def write_format_data(self, format_dict: Any, md_dict: Any = None) -> None:
        """Count it, or raise ``OutputLimitExceeded`` when the cell's budget is spent."""
        _spend(format_dict)


def _spend(shown: Any) -> None:
    """Count ``shown`` (type → text) as printed: pictures are large, so a sixteenth of its characters."""
    values = shown.values() if isinstance(shown, dict) else (shown,)
    Stream.budget -= sum(len(value if isinstance(value, str | bytes) else repr(value)) for value in values) // 16
    if Stream.budget < 0:
        raise OutputLimitExceeded(f"one cell displayed more than {16 * Stream.limit} characters")
