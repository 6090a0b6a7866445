"""Jupyter's messages as they are: not signed, and without a look for dates in each of their texts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from jupyter_client.session import Session


class PlainSession(Session):  # type: ignore[misc]
    """A session on sockets that are private: a signature would prove nothing more."""

    def __init__(self) -> None:
        super().__init__(key=b"")

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
