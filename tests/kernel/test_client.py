"""The grader's end of a kernel's sockets, against libzmq at the other end, and against whoever breaks the rules."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import zmq
import zmq.asyncio
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.kernel import zmtp
from grader.kernel.client import Client, _Channel
from grader.kernel.session import PlainSession

_sizes = st.one_of(st.integers(0, 300), st.sampled_from([255, 256, 70_000]))


async def served(path: Path, kind: int) -> tuple[zmq.asyncio.Context, Any]:
    context = zmq.asyncio.Context()
    sock = context.socket(kind)
    sock.bind(f"ipc://{path}")
    return context, sock


async def test_dealer_and_router_understand_each_other(tmp_path: Path) -> None:
    context, router = await served(tmp_path / "s", zmq.ROUTER)
    connection = await zmtp.connect(str(tmp_path / "s"), "DEALER")
    message = [b"", b"short", b"long" * 1000, b"x" * 255, b"y" * 256]
    connection.send(message)
    identity, *came = await router.recv_multipart()
    assert came == message
    await router.send_multipart([identity, *message])
    assert await connection.receive() == message
    connection.close()
    context.destroy(linger=0)


async def test_subscriber_hears_everything_published(tmp_path: Path) -> None:
    context, publisher = await served(tmp_path / "s", zmq.XPUB)
    connection = await zmtp.connect(str(tmp_path / "s"), "SUB")
    assert await publisher.recv() == b"\x01"
    await publisher.send_multipart([b"topic", b"body"])
    assert await connection.receive() == [b"topic", b"body"]
    connection.close()
    context.destroy(linger=0)


async def with_peer(tmp_path: Path, peer: Callable[[Any, Any], Awaitable[None]], kind: str = "DEALER") -> list[bytes]:
    """What the first message from a peer of raw bytes is."""

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await peer(reader, writer)
            await writer.drain()
            await reader.read()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_unix_server(accept, str(tmp_path / "raw"))
    try:
        connection = await zmtp.connect(str(tmp_path / "raw"), kind)
        try:
            return await connection.receive()
        finally:
            connection.close()
    finally:
        server.close()


async def greeted(reader: Any, writer: Any) -> None:
    writer.write(zmtp.GREETING + zmtp._frame(b"\x05READY", 4))
    await reader.readexactly(64)


@pytest.mark.parametrize(
    "sent",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n".ljust(64, b" "),
        b"\xff" + bytes(8) + b"\x7f" + b"\x01\x00" + b"NULL".ljust(52, b"\0"),
        b"\xff" + bytes(8) + b"\x7f" + b"\x03\x00" + b"PLAIN".ljust(52, b"\0"),
        zmtp.GREETING + zmtp._frame(b"\x05READY", 0),
        zmtp.GREETING + zmtp._frame(b"\x05ERROR", 4),
        zmtp.GREETING + b"\x06" + (2**62).to_bytes(8, "big"),
        zmtp.GREETING + zmtp._frame(b"\x05READY", 4) + b"\x02" + (2**62).to_bytes(8, "big"),
        zmtp.GREETING + zmtp._frame(b"\x05READY", 4) + b"\xff",
        zmtp.GREETING + zmtp._frame(b"\x05READY", 4) + zmtp._frame(b"\x04PING", 4),
        zmtp.GREETING + zmtp._frame(b"\x05READY", 4) + zmtp._frame(b"", 1) * 1000,
    ],
    ids=["http", "old", "plain", "message", "refusal", "large-command", "large", "flags", "command", "frames"],
)
async def test_peer_that_breaks_the_rules_is_refused(tmp_path: Path, sent: bytes) -> None:
    async def peer(reader: Any, writer: Any) -> None:
        writer.write(sent)

    with pytest.raises(zmtp.Refused):
        await with_peer(tmp_path, peer)


async def test_message_without_end_costs_no_memory(tmp_path: Path) -> None:
    async def peer(reader: Any, writer: Any) -> None:
        await greeted(reader, writer)
        frame = zmtp._frame(bytes(100_000), 1)
        for _ in range(5000):
            writer.write(frame)
            await writer.drain()

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(zmtp.Refused):
        await with_peer(tmp_path, peer)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 1024


async def test_messages_without_number_are_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zmtp, "ALL", 1000)
    reader = asyncio.StreamReader()
    connection = zmtp.Connection(reader, None)  # type: ignore[arg-type]
    reader.feed_data(zmtp._frame(bytes(100), 0) * 11)
    for _ in range(10):
        assert await connection.receive() == [bytes(100)]
    with pytest.raises(zmtp.Refused):
        await connection.receive()


async def test_peer_that_goes_away_ends_the_message(tmp_path: Path) -> None:
    async def peer(reader: Any, writer: Any) -> None:
        await greeted(reader, writer)
        writer.write(zmtp._frame(b"half", 1))
        await writer.drain()
        writer.close()

    with pytest.raises((asyncio.IncompleteReadError, OSError)):
        await with_peer(tmp_path, peer)


@settings(deadline=None, database=None, max_examples=50)
@given(st.lists(_sizes, min_size=1, max_size=8))
def test_any_frames_come_as_they_were_sent(sizes: list[int]) -> None:
    message = [bytes([at % 251]) * size for at, size in enumerate(sizes)]

    async def back() -> list[bytes]:
        reader = asyncio.StreamReader()
        written = bytearray()

        class Writer:
            write = written.extend

        connection = zmtp.Connection(reader, Writer())  # type: ignore[arg-type]
        connection.send(message)
        reader.feed_data(bytes(written))
        return await connection.receive()

    assert asyncio.run(back()) == message


async def test_channel_waits_after_the_last_message_and_refuses_what_is_none() -> None:
    session = PlainSession()

    def channel(*parts: bytes) -> _Channel:
        reader = asyncio.StreamReader()
        for at, part in enumerate(parts):
            reader.feed_data(zmtp._frame(part, at < len(parts) - 1))
        reader.feed_eof()
        return _Channel(zmtp.Connection(reader, None), session)  # type: ignore[arg-type]

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(channel().get_msg(), 0.05)
    for parts in ((b"no delimiter",), (b"<IDS|MSG>", b"", b"[]", b"{}", b"{}", b"{}"), (b"<IDS|MSG>", b"", b"{")):
        with pytest.raises((ValueError, IndexError, KeyError)):
            await channel(*parts).get_msg()


async def test_message_is_whole_also_where_nobody_waited_for_its_end() -> None:
    reader = asyncio.StreamReader()
    channel = _Channel(zmtp.Connection(reader, None), PlainSession())  # type: ignore[arg-type]
    header = b'{"msg_id": "1", "msg_type": "status"}'
    parts = (b"<IDS|MSG>", b"", header, b"{}", b"{}", b'{"execution_state": "idle"}')
    data = b"".join(zmtp._frame(part, at < len(parts) - 1) for at, part in enumerate(parts))
    reader.feed_data(data[:30])
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(channel.get_msg(), 0.05)
    reader.feed_data(data[30:])
    message = await asyncio.wait_for(channel.get_msg(), 5)
    assert message["content"] == {"execution_state": "idle"}
    channel._reading.cancel()


async def test_client_lets_go_of_both_sockets(tmp_path: Path) -> None:
    context, _ = await served(tmp_path / "s", zmq.ROUTER)
    client = Client(*[await zmtp.connect(str(tmp_path / "s"), "DEALER") for _ in range(2)])
    client.stop_channels()
    for channel in (client.shell_channel, client.iopub_channel):
        assert channel.connection._writer.is_closing()
    context.destroy(linger=0)
