"""The grader's end of a kernel's sockets, against libzmq at the other end, and against whoever breaks the rules."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import gc
import resource
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast

import pytest
import zmq
import zmq.asyncio
from hypothesis import given, settings
from hypothesis import strategies as st
from nbclient.client import CellExecutionComplete
from nbformat import NotebookNode

from grader.kernel.deaths import ForgedMessage
from grader.kernel.host.client import CellRunner, Client, _Channel
from grader.kernel.protocol import zmtp
from grader.kernel.protocol.session import PlainSession

_sizes = st.one_of(st.integers(0, 300), st.sampled_from([255, 256, 70_000]))


async def served(path: Path, kind: int) -> tuple[zmq.asyncio.Context, Any]:
    context = zmq.asyncio.Context()
    sock = context.socket(kind)
    sock.bind(f"ipc://{path}")
    return context, sock


async def test_dealer_and_router_understand_each_other(short_path: Path) -> None:
    context, router = await served(short_path / "s", zmq.ROUTER)
    connection = await zmtp.connect(str(short_path / "s"), "DEALER")
    message = [b"", b"short", b"long" * 1000, b"x" * 255, b"y" * 256]
    connection.send(message)
    identity, *came = await router.recv_multipart()
    assert came == message
    await router.send_multipart([identity, *message])
    assert await connection.receive() == message
    connection.close()
    context.destroy(linger=0)


async def test_subscriber_hears_everything_published(short_path: Path) -> None:
    context, publisher = await served(short_path / "s", zmq.XPUB)
    connection = await zmtp.connect(str(short_path / "s"), "SUB")
    assert await publisher.recv() == b"\x01"
    await publisher.send_multipart([b"topic", b"body"])
    assert await connection.receive() == [b"topic", b"body"]
    connection.close()
    context.destroy(linger=0)


async def with_peer(short_path: Path, peer: Callable[[Any, Any], Awaitable[None]], kind: str = "DEALER") -> list[bytes]:
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

    server = await asyncio.start_unix_server(accept, str(short_path / "raw"))
    try:
        connection = await zmtp.connect(str(short_path / "raw"), kind)
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
async def test_peer_that_breaks_the_rules_is_refused(short_path: Path, sent: bytes) -> None:
    async def peer(reader: Any, writer: Any) -> None:
        writer.write(sent)

    with pytest.raises(zmtp.ProtocolError):
        await with_peer(short_path, peer)


def test_limits_of_what_a_kernel_sends_are_these() -> None:
    """Elsewhere they are patched, or made use of."""
    assert (zmtp.LARGEST, zmtp.MOST_FRAMES, zmtp.ALL) == (2 * 1024**2, 256, 128 * 1024**2)


async def test_message_without_end_costs_no_memory(short_path: Path) -> None:
    async def peer(reader: Any, writer: Any) -> None:
        await greeted(reader, writer)
        frame = zmtp._frame(bytes(100_000), 1)
        for _ in range(5000):
            writer.write(frame)
            await writer.drain()

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(zmtp.ProtocolError):
        await with_peer(short_path, peer)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 1024


class Wire(asyncio.Transport):
    """A transport that keeps what is written and whether it is to be read."""

    def __init__(self) -> None:
        self.written = bytearray()
        self.reading = True
        self.closed = False

    def write(self, data: Any) -> None:
        self.written += data

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def close(self) -> None:
        self.closed = True


def opened() -> tuple[zmtp.Connection, Wire]:
    """A connection behind its handshake, and what is below it."""
    connection, wire = zmtp.Connection("DEALER"), Wire()
    connection.connection_made(wire)
    connection.data_received(zmtp.GREETING + zmtp.ready("ROUTER"))
    assert connection.opened.result() is None
    wire.written.clear()
    return connection, wire


async def test_messages_without_number_are_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zmtp, "ALL", 1000)
    connection, wire = opened()
    connection.data_received(zmtp.message([bytes(90)]) * 11)
    for _ in range(10):
        assert await connection.receive() == [bytes(90)]
    assert wire.closed
    with pytest.raises(zmtp.ProtocolError):
        await connection.receive()


@pytest.mark.parametrize("trusted", [False, True])
@pytest.mark.parametrize(
    ("sizes", "fits"), [([400], True), ([401], False), ([399, 1], True), ([400, 1], False), ([200] * 3, False)], ids=str
)
def test_message_of_a_stranger_is_refused_when_it_is_too_large(
    sizes: list[int], fits: bool, trusted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zmtp, "LARGEST", 400)
    parser = zmtp.Parser(trusted=trusted)
    for _ in range(2):  # the next one has as much room
        parser.feed(zmtp.message([bytes(size) for size in sizes]))
        if fits or trusted:
            assert parser.message() == [bytes(size) for size in sizes]
        else:
            with pytest.raises(zmtp.ProtocolError, match="too large"):
                parser.message()
            break


async def test_what_nobody_asks_for_stays_in_the_socket() -> None:
    connection, wire = opened()
    connection.data_received(zmtp.message([b"1"]) * 3)
    reading = [wire.reading]
    connection.data_received(zmtp.message([b"2"]) * 7)
    reading.append(wire.reading)
    came = [await connection.receive() for _ in range(10)]
    assert came == [[b"1"]] * 3 + [[b"2"]] * 7
    assert [*reading, wire.reading] == [True, False, True]


async def test_end_that_nobody_waits_for_is_not_printed() -> None:
    told: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, about: told.append(about))
    connection = zmtp.Connection("DEALER")
    connection.connection_made(Wire())
    connection.connection_lost(None)
    del connection
    gc.collect()
    assert told == []


async def test_what_came_before_the_end_is_heard() -> None:
    connection, _ = opened()
    connection.data_received(zmtp.message([b"1"]) * 7)
    connection.eof_received()
    for _ in range(7):
        assert await connection.receive() == [b"1"]
    for _ in range(2):
        with pytest.raises(EOFError):
            await connection.receive()


@settings(max_examples=50)
@given(st.lists(st.integers(1, 200), max_size=30), st.lists(st.lists(_sizes, min_size=1, max_size=3), max_size=5))
def test_messages_cut_anywhere_come_whole(cuts: list[int], sizes: list[list[int]]) -> None:
    messages = [[bytes(size) for size in parts] for parts in sizes]
    data = zmtp.GREETING + zmtp.ready("ROUTER") + b"".join(map(zmtp.message, messages))

    async def heard() -> list[list[bytes]]:
        connection, at = zmtp.Connection("DEALER"), 0
        connection.connection_made(Wire())
        for cut in (*cuts, len(data)):
            connection.data_received(data[at : at + cut])
            at += cut
        return [await connection.receive() for _ in messages]

    assert asyncio.run(heard()) == messages


async def test_peer_that_goes_away_ends_the_message(short_path: Path) -> None:
    async def peer(reader: Any, writer: Any) -> None:
        await greeted(reader, writer)
        writer.write(zmtp._frame(b"half", 1))
        await writer.drain()
        writer.close()

    with pytest.raises((EOFError, OSError)):
        await with_peer(short_path, peer)


@settings(max_examples=50)
@given(st.lists(_sizes, min_size=1, max_size=8))
def test_any_frames_come_as_they_were_sent(sizes: list[int]) -> None:
    message = [bytes([at % 251]) * size for at, size in enumerate(sizes)]

    async def back() -> list[bytes]:
        connection, wire = opened()
        connection.send(message)
        connection.data_received(bytes(wire.written))
        return await connection.receive()

    assert asyncio.run(back()) == message


async def test_channel_waits_after_the_last_message_and_refuses_what_is_none() -> None:
    def channel(*parts: bytes) -> _Channel:
        connection, _ = opened()
        if parts:
            connection.data_received(zmtp.message(parts))
        connection.eof_received()
        return _Channel(connection, PlainSession())

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(channel().get_msg(), 0.05)
    for parts in ((b"no delimiter",), (b"<IDS|MSG>", b"", b"[]", b"{}", b"{}", b"{}"), (b"<IDS|MSG>", b"", b"{")):
        with pytest.raises(ForgedMessage):
            await channel(*parts).get_msg()


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
_content = st.dictionaries(
    st.sampled_from(["execution_state", "text", "status", "ename", "evalue"]), _json | st.just("idle")
)


@settings(max_examples=100)
@given(st.sampled_from(["status", "stream", "error", "display_data"]), _content, _content)
def test_whatever_a_kernel_says_of_a_cell_is_texts_or_forged(kind: str, said: Any, replied: Any) -> None:
    runner = CellRunner(cast("Any", None))
    runner._room = 10
    cell = NotebookNode(outputs=[])
    with contextlib.suppress(ForgedMessage, CellExecutionComplete):
        runner.process_message({"msg_type": kind, "content": said}, cell, 0)
    with contextlib.suppress(ForgedMessage):
        asyncio.run(runner._check_raise_for_error(cell, 0, {"content": replied}))
    told = [*(output["text"] for output in cell.outputs), *dataclasses.astuple(runner.reply)]
    assert all(isinstance(text, str) and text.encode() is not None for text in told)


async def test_message_is_whole_also_where_nobody_waited_for_its_end() -> None:
    connection, _ = opened()
    channel = _Channel(connection, PlainSession())
    header = b'{"msg_id": "1", "msg_type": "status"}'
    data = zmtp.message((b"<IDS|MSG>", b"", header, b"{}", b"{}", b'{"execution_state": "idle"}'))
    connection.data_received(data[:30])
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(channel.get_msg(), 0.05)
    waiting = asyncio.ensure_future(channel.get_msg())
    await asyncio.sleep(0)
    connection.data_received(data[30:])
    waiting.cancel()  # the message has come, and is not lost with whoever waited for it
    await asyncio.wait([waiting])
    message = await asyncio.wait_for(channel.get_msg(), 5)
    assert message["content"] == {"execution_state": "idle"}


async def test_client_lets_go_of_both_sockets(short_path: Path) -> None:
    context, _ = await served(short_path / "s", zmq.ROUTER)
    client = Client(*[await zmtp.connect(str(short_path / "s"), "DEALER") for _ in range(2)])
    client.stop_channels()
    for channel in (client.shell_channel, client.iopub_channel):
        assert channel.connection._transport.is_closing()
    context.destroy(linger=0)
