"""Messages between the grader and its processes arrive whole, with their descriptors, or close the connection."""

from __future__ import annotations

import os
import socket

import pytest

from grader.kernel.protocol import wire


def test_message_arrives_with_its_descriptors() -> None:
    ours, theirs = wire.pair()
    read, write = os.pipe()
    with ours, theirs:
        wire.send(ours, {"do": "check"}, [write])
        message, fds, sender = wire.receive(theirs)
        os.write(fds[0], b"x")

        assert (message, len(fds), sender) == ({"do": "check"}, 1, 0)
        assert os.read(read, 1) == b"x"
    for fd in (read, write, *fds):
        os.close(fd)


def test_sender_is_known_where_credentials_are_asked_for() -> None:
    ours, theirs = wire.pair()
    with ours, theirs:
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        wire.send(ours, {})

        assert wire.receive(theirs)[2] == os.getpid()


@pytest.mark.parametrize(
    "data",
    [b"", b"no json", b"[1]", b"null", b"\xff", b"[" * 100_000],
    ids=["end", "text", "list", "null", "bytes", "deep"],
)
def test_what_is_no_message_closes(data: bytes) -> None:
    with pytest.raises(wire.Closed, match="no message"):
        wire.parse(data)


@pytest.mark.parametrize("data", [b"", b"no json"], ids=["empty", "text"])
def test_descriptors_beside_what_is_no_message_are_closed(data: bytes) -> None:
    ours, theirs = wire.pair()
    read, write = os.pipe()
    with ours, theirs:
        socket.send_fds(ours, [data], [write])
        os.close(write)
        with pytest.raises(wire.Closed):
            wire.receive(theirs)
        assert os.read(read, 1) == b""  # nobody holds the other end
    os.close(read)


def test_receive_from_an_end_that_closed_says_so() -> None:
    ours, theirs = wire.pair()
    ours.close()
    with theirs, pytest.raises(wire.Closed):
        wire.receive(theirs)


def test_last_words_of_an_end_that_closed_with_something_unread_are_heard() -> None:
    ours, theirs = wire.pair()
    wire.send(ours, {"secret": "never read"})
    wire.send(theirs, {"event": "failed"})
    theirs.close()
    with ours:
        assert wire.receive(ours)[0] == {"event": "failed"}
        with pytest.raises(wire.Closed):
            wire.receive(ours)


def test_send_to_an_end_that_closed_says_so() -> None:
    ours, theirs = wire.pair()
    theirs.close()
    with ours, pytest.raises(wire.Closed):
        wire.send(ours, {})


def test_message_that_is_too_large_is_not_sent() -> None:
    ours, theirs = wire.pair()
    with ours, theirs, pytest.raises(wire.Closed):
        wire.send(ours, {"text": "x" * 10_000_000})
