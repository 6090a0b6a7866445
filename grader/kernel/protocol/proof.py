"""Authenticates results (by keyed BLAKE2): the harness shares its process, and each descriptor, with student code.

The job's init tells the harness a secret before any code of a notebook runs, and accepts a result only with a proof
keyed with that secret, over the result and the order that it answers. So whoever writes to the harness's descriptors,
or is first in a fork and passes changed orders on, costs only their own check. Reading the secret takes this package
apart, or the heap, or frames: code in which that shows (``grader.submission.reading.meddling``).
"""

from __future__ import annotations

import hashlib
import os
from typing import Any

from grader.kernel.protocol import plainjson

# References of this module's own: student code may replace the attributes of these modules, never these.
_blake2b, _dumps, _fromhex = hashlib.blake2b, plainjson.dumps, bytes.fromhex


def new_secret() -> str:
    """A secret, or a number for one order, in hexadecimal digits."""
    return os.urandom(32).hex()


def proof_of(secret: str, order: list[Any], data: bytes) -> str:
    """The proof that who has ``secret`` answered ``order``, a JSON value, with ``data``."""
    made = _blake2b(_dumps(order).encode(), key=_fromhex(secret))
    made.update(data)
    return made.hexdigest()


def proves(proof: object, secret: str, order: list[Any], data: bytes) -> bool:
    """Whether ``proof``, which may be anything, is that of ``proof_of``."""
    return proof == proof_of(secret, order, data)
