"""The grader's end of a kernel's sockets."""

from __future__ import annotations

from pathlib import Path

import zmq
import zmq.asyncio

from grader.kernel.client import Listeners, connect


async def test_sockets_take_neither_large_messages_nor_many(tmp_path: Path) -> None:
    context = zmq.asyncio.Context()
    listeners = Listeners(str(tmp_path / "k"))
    client = connect(context, listeners.prefix)
    try:
        for channel in (client.shell_channel, client.iopub_channel):
            assert 0 < channel.socket.getsockopt(zmq.MAXMSGSIZE) <= 16 * 1024**2
            assert 0 < channel.socket.getsockopt(zmq.RCVHWM) <= 100
    finally:
        client.stop_channels()
        listeners.close()
        context.destroy(linger=0)
