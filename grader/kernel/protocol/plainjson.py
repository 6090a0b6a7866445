"""JSON by functions written in C alone, which patching a class of ``json`` does not replace.

They are ``json``'s own, as it puts them together for itself. What ``json`` has in Python stays out of the way: in the
student's process a patched method of it could tell the harness that autograd is allowed, or take out of a result that
it was seen.
"""

from __future__ import annotations

import json
import json.encoder
from typing import Any

_encoder: Any = json.encoder
_decoder: Any = json.JSONDecoder()


def _refuse(value: object) -> None:
    raise TypeError(f"{type(value).__name__} is not written as JSON")


_pieces = _encoder.c_make_encoder(None, _refuse, _encoder.encode_basestring_ascii, None, ":", ",", False, False, True)
_scan = _decoder.scan_once


def dumps(value: Any) -> str:
    r"""``value`` as JSON in ASCII, without blanks.

    >>> dumps({"at": [1, None, "é"]})
    '{"at":[1,null,"\\u00e9"]}'
    """
    return "".join(_pieces(value, 0))


def loads(text: str) -> Any:
    """The value that ``text`` is, with nothing before it. Raises ``ValueError`` where it is none, or more than one.

    >>> loads('{"at":[1,null]}  ')
    {'at': [1, None]}
    """
    try:
        value, end = _scan(text, 0)
    except StopIteration:
        raise ValueError("no JSON") from None
    if text[end:].strip():
        raise ValueError("more than one JSON value")
    return value
