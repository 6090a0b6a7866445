"""Restores the notebook's names, and compares the tensors behind them, between checks that share a fork.

A check may bind and change them; the next one must not notice. Names are put back; where a tensor was changed, the next
check gets a fork of its own.
"""

from __future__ import annotations

from typing import Any

import torch

from grader.kernel.check import capture
from grader.kernel.protocol import exchange

_plain_bytes = exchange.plain_bytes
_numel, _element_size = torch.Tensor.numel, torch.Tensor.element_size
_version_of = capture.version
#: Bytes of a tensor that are compared; a larger one is known by its version counter.
_COMPARED = 64 * 1024


class Surroundings:
    """A notebook's globals as they are when this is made."""

    def __init__(self, names: dict[str, Any]) -> None:
        self.names = names
        self.held = dict(names)
        self.tensors = [
            (value, _mark(value))
            for name, value in self.held.items()
            if type(name) is str and name[:1] != "_" and capture.exact_tensor(value)
        ]

    def restore(self) -> bool:
        """Put the names back; whether the tensors are what they were."""
        for name in [name for name in self.names if name not in self.held]:
            del self.names[name]
        self.names.update(self.held)
        return all(_mark(value) == mark for value, mark in self.tensors)


def _mark(tensor: Any) -> tuple[int, bytes]:
    small = _numel(tensor) * _element_size(tensor) <= _COMPARED
    return _version_of(tensor), _plain_bytes(tensor) if small else b""
