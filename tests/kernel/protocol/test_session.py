"""Messages without signature, dates and users: what stock sessions read of them, and what is read of theirs."""

from __future__ import annotations

from typing import Any

import pytest
from jupyter_client.session import DELIM, Session

from grader.kernel.protocol.session import PlainSession


class Stream:
    """Keeps what was sent."""

    def __init__(self) -> None:
        self.sent: list[list[bytes]] = []

    def send_multipart(self, parts: list[bytes], copy: bool = True) -> None:
        self.sent.append(parts)


def test_what_is_sent_both_sessions_read() -> None:
    stream, session = Stream(), PlainSession()
    asked = session.msg("execute_request", {"code": "x = 'é'"})
    answer = session.send(stream, "execute_reply", {"status": "ok"}, parent=asked, ident=[b"to"])
    (parts,) = stream.sent
    assert parts[:3] == [b"to", DELIM, b""]
    for reader in (session, Session(key=b"")):
        _, told = reader.feed_identities(list(parts))
        read = reader.deserialize(told)
        assert read["content"] == {"status": "ok"}
        assert read["msg_type"] == "execute_reply"
        assert read["msg_id"] == answer["msg_id"] != asked["msg_id"]
        assert read["parent_header"]["msg_id"] == asked["msg_id"]


def test_what_a_stock_session_sends_is_read() -> None:
    stream = Stream()
    Session(key=b"").send(stream, "status", {"execution_state": "idle"}, parent={"msg_id": "7", "msg_type": "x"})
    session = PlainSession()
    _, parts = session.feed_identities(stream.sent[0])
    message = session.deserialize(parts)
    assert message["content"] == {"execution_state": "idle"}
    assert message["parent_header"]["msg_id"] == "7"


@pytest.mark.parametrize(("ident", "before"), [(None, []), (b"one", [b"one"]), ([b"a", b"b"], [b"a", b"b"])])
def test_identities_stand_before_a_message_that_is_there_already(ident: Any, before: list[bytes]) -> None:
    stream, session = Stream(), PlainSession()
    message = session.msg("stream", {"text": "x"}, metadata={"a": 1})
    assert session.send(stream, message, ident=ident, buffers=[memoryview(b"raw")]) is message
    assert stream.sent[0][: len(before) + 1] == [*before, DELIM]
    assert stream.sent[0][-3:] == [b'{"a": 1}', b'{"text": "x"}', b"raw"]
    assert session.send(None, "status")["content"] == {}


def test_what_json_has_not_is_replaced_as_jupyter_does() -> None:
    session = PlainSession()
    with pytest.warns(UserWarning, match="serialization failed"):
        parts = session.serialize(session.msg("display_data", {"value": float("nan")}))
    assert parts[-1] == b'{"value": "nan"}'


@pytest.mark.parametrize("part", [b"[]", b"1", b"{"])
@pytest.mark.parametrize("at", [1, 2, 4])
def test_part_that_is_no_object_is_forged(part: bytes, at: int) -> None:
    parts = [b"", b'{"msg_id": "1", "msg_type": "x"}', b"{}", b"{}", b"{}"]
    parts[at] = part
    with pytest.raises(ValueError, match=r"."):
        PlainSession().deserialize(parts)
