"""The kernel's end of its connections, against libzmq and the grader at the other end."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import zmq
from hypothesis import given
from hypothesis import strategies as st

from grader.kernel.guest import channel
from grader.kernel.guest.channel import Channel
from grader.kernel.protocol import zmtp
from tests.kernel.conftest import ShortPaths

PARTS = st.lists(st.binary(max_size=300), min_size=1, max_size=5)
SIZES = (0, 1, 255, 256, 70_000)


def listening(path: Path) -> int:
    sock = socket.socket(socket.AF_UNIX)
    sock.bind(str(path))
    sock.listen()
    return sock.detach()


@contextmanager
def peer(path: Path, kind: int) -> Iterator[zmq.Socket[bytes]]:
    """A socket of libzmq's that connects to ``path``."""
    with zmq.Context() as context, context.socket(kind) as sock:
        sock.linger = 0
        sock.rcvtimeo = sock.sndtimeo = 240_000
        sock.connect(f"ipc://{path}")
        yield sock


@contextmanager
def raw(path: Path, kind: str = "ROUTER") -> Iterator[tuple[Channel, socket.socket]]:
    """A channel, and the other end of its connection after the handshake."""
    fd = listening(path)
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(240)
        sock.connect(str(path))
        sock.sendall(zmtp.GREETING)
        with closing(Channel(fd, kind)) as ours:
            expected = zmtp.GREETING + zmtp.ready(kind)
            assert sock.recv(len(expected), socket.MSG_WAITALL) == expected
            sock.sendall(zmtp.ready("DEALER"))
            yield ours, sock


@pytest.mark.parametrize("size", SIZES)
def test_router_and_libzmq_dealer_understand_each_other(size: int, short_path: Path) -> None:
    fd = listening(short_path / "s")
    with peer(short_path / "s", zmq.DEALER) as dealer, closing(Channel(fd, "ROUTER")) as ours:
        dealer.send_multipart([b"head", b"x" * size])
        assert ours.receive() == [b"head", b"x" * size]
        ours.send_multipart([b"y" * size, b"", b"tail"])
        assert dealer.recv_multipart() == [b"y" * size, b"", b"tail"]


def test_process_forked_from_a_kernel_sends_nothing(short_path: Path) -> None:
    with raw(short_path / "s") as (ours, sock):
        if (child := os.fork()) == 0:
            ours.send_multipart([b"from the fork"])
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        ours.send_multipart([b"from the kernel"])
        assert sock.recv(100) == zmtp.message([b"from the kernel"])


def test_publisher_hears_of_the_subscription_of_libzmq(short_path: Path) -> None:
    fd = listening(short_path / "s")
    with peer(short_path / "s", zmq.SUB) as subscriber:
        subscriber.subscribe(b"")
        with closing(Channel(fd, "XPUB")) as ours:
            assert ours.receive() == [b"\x01"]
            ours.send_multipart([b"stream", b"hello"])
            assert subscriber.recv_multipart() == [b"stream", b"hello"]


async def test_channel_and_the_graders_end_understand_each_other(short_path: Path) -> None:
    fd = listening(short_path / "s")
    connecting = asyncio.ensure_future(zmtp.connect(str(short_path / "s"), "SUB"))
    ours = await asyncio.to_thread(Channel, fd, "XPUB")
    theirs = await connecting
    assert await asyncio.to_thread(ours.receive) == [b"\x01"]
    ours.send_multipart([b"a", b"b" * 300])
    assert await asyncio.wait_for(theirs.receive(), 5) == [b"a", b"b" * 300]
    theirs.close()
    ours.close()


@given(messages=st.lists(PARTS, max_size=5), portion=st.integers(1, 400))
def test_messages_come_whole_however_they_are_cut(
    messages: list[list[bytes]], portion: int, short_paths: ShortPaths
) -> None:
    with pytest.MonkeyPatch.context() as patch, raw(short_paths() / "s") as (ours, theirs):
        patch.setattr(channel, "_PORTION", portion)
        theirs.sendall(b"".join(zmtp.message(parts) for parts in messages))
        assert [ours.receive() for _ in messages] == messages
        theirs.shutdown(socket.SHUT_WR)
        with pytest.raises(EOFError):
            ours.receive()


async def test_loop_calls_back_with_each_message_in_turn_until_the_end(short_path: Path) -> None:
    heard: list[Any] = []

    async def later(parts: list[bytes]) -> None:
        await asyncio.sleep(0)
        heard.append(parts)

    async def turns() -> None:
        """What was sent is there at once: the loop needs turns, not time."""
        for _ in range(9):
            await asyncio.sleep(0)

    with raw(short_path / "s") as (ours, theirs):
        ours.on_recv(later, copy=False)
        theirs.sendall(zmtp.message([b"1"]) + zmtp.message([b"2", b""])[:-1])
        await turns()
        assert heard == [[b"1"]]
        theirs.sendall(b"\0")
        await turns()
        assert heard == [[b"1"], [b"2", b""]]
        theirs.close()
        await turns()
        assert not asyncio.get_running_loop().remove_reader(ours._sock.fileno())


def test_an_interrupt_waits_until_a_message_is_out(short_path: Path) -> None:
    body = os.urandom(4_000_000)
    received = bytearray()

    with raw(short_path / "s") as (ours, theirs):

        def read() -> None:
            received.extend(theirs.recv(1))  # so it is being sent, and too long to be out
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.1)
            while len(received) < len(zmtp.message([body])) and (portion := theirs.recv(65536)):
                received.extend(portion)

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        with pytest.raises(KeyboardInterrupt):
            ours.send_multipart([body])
        reader.join(120)
        assert bytes(received) == zmtp.message([body])


@pytest.mark.parametrize(("sent", "error"), [(b"GET / HTTP/1.1\r\n" * 4, ValueError), (b"\xff", EOFError)])
def test_another_protocol_and_an_early_end_are_refused(sent: bytes, error: type[Exception], short_path: Path) -> None:
    fd = listening(short_path / "s")
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(str(short_path / "s"))
        sock.sendall(sent)
        sock.shutdown(socket.SHUT_WR)
        with pytest.raises(error):
            Channel(fd, "ROUTER")
