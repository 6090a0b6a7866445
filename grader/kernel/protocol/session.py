"""A Jupyter session whose messages are not signed, and hold no dates and users, which nobody here reads."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from jupyter_client.jsonutil import json_default
from jupyter_client.session import DELIM, Session, extract_header, json_packer, protocol_version

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, default=json_default).encode
_PARTS = ("header", "parent_header", "metadata", "content")


class PlainSession(Session):  # type: ignore[misc]
    """A session on sockets that are private: a signature would prove nothing more.

    What is sent goes the short way, for a cell costs several messages. That a forked process sends nothing is seen to
    by ``channel``.
    """

    def __init__(self) -> None:
        super().__init__(key=b"")
        self._made = 0

    def feed_identities(self, msg_list: Any, copy: bool = True) -> tuple[list[bytes], list[bytes]]:
        """The identities before a message's parts, which are bytes whatever ``copy`` says, and these."""
        return super().feed_identities(msg_list)  # type: ignore[no-any-return]

    def deserialize(self, msg_list: Sequence[bytes], content: bool = True, copy: bool = True) -> dict[str, Any]:
        """The message in the parts ``[signature, header, parent, metadata, content, …]``; any error means forged."""
        header, parent, body = (json.loads(msg_list[part]) for part in (1, 2, 4))
        if not all(isinstance(part, dict) for part in (header, parent, body)):
            raise ValueError("a part of a message that is no object")
        return {
            "header": header,
            "msg_id": header["msg_id"],
            "msg_type": header["msg_type"],
            "parent_header": parent,
            "metadata": {},
            "content": body,
            "buffers": [],
        }

    def msg_header(self, msg_type: str) -> dict[str, Any]:
        """A header with the next number of this session's."""
        self._made += 1
        return {"msg_id": f"{self._made}", "msg_type": msg_type, "version": protocol_version}

    def msg(
        self, msg_type: str, content: Any = None, parent: Any = None, header: Any = None, metadata: Any = None
    ) -> Any:
        """A message that answers ``parent``."""
        header = header or self.msg_header(msg_type)
        return {
            "header": header,
            "msg_id": header["msg_id"],
            "msg_type": header["msg_type"],
            "parent_header": extract_header(parent),
            "metadata": metadata or {},
            "content": content or {},
        }

    def serialize(self, msg: dict[str, Any], ident: Any = None) -> list[bytes]:
        """The parts of ``msg`` as bytes, behind the identities in ``ident``."""
        try:
            parts = [_encode(msg[part]).encode() for part in _PARTS]
        except (TypeError, ValueError):  # what JSON has not is replaced or refused there
            parts = [json_packer(msg[part]) for part in _PARTS]
        identities = ident if isinstance(ident, list) else [ident] if ident is not None else []
        return [*identities, DELIM, b"", *parts]

    def send(
        self,
        stream: Any,
        msg_or_type: Any,
        content: Any = None,
        parent: Any = None,
        ident: Any = None,
        buffers: Any = None,
        track: bool = False,
        header: Any = None,
        metadata: Any = None,
    ) -> dict[str, Any]:
        """Send a message, or make one of a type and send that; returns it. ``track`` has no meaning here."""
        message: dict[str, Any] = msg_or_type
        if isinstance(msg_or_type, str):
            message = self.msg(msg_or_type, content, parent, header, metadata)
        if stream:
            stream.send_multipart([*self.serialize(message, ident), *map(bytes, buffers or ())])
        return message
