"""Tensors that a call left under other names than those asked for, by which a diagnosis tells where a result went.

``model.CaseRun.extras``. Used in the fork that runs a check, as ``capture`` is, and as wary of what it looks at.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import torch

from grader.kernel.check import capture

_numel, _element_size, _version_of = torch.Tensor.numel, torch.Tensor.element_size, capture.version

#: Tensors that are found, and bytes of each.
_MOST, _BYTES = 16, 64 * 1024


class Extras:
    """What a call leaves in a notebook whose globals are ``names``, beside what is read; made before the call."""

    def __init__(self, names: dict[str, Any]) -> None:
        self._names = names
        self._before = {
            name: (id(value), _version_of(value))
            for name, value in list(names.items())
            if type(value) in capture.tensor_types
        }

    def found(self, left: dict[str, Any], given: set[int], read: Collection[str]) -> dict[str, Any]:
        """The likeliest, by name, of what the call has ``left`` in its own names and in the notebook's.

        None is one of the tensors ``given`` to it, which are known by their ids, nor has a name in ``read``.
        """
        found: dict[str, Any] = {}
        for name, value in self._candidates(left, given):
            if len(found) == _MOST:
                break
            if name in read or name in found or not capture.exact_tensor(value):
                continue
            if _numel(value) * _element_size(value) <= _BYTES:
                found[name] = value
        return found

    def _candidates(self, left: dict[str, Any], given: set[int]) -> Iterator[tuple[str, Any]]:
        """Whatever may be a tensor under another name than those asked for, the likeliest first."""
        result: Any = left.get("result")
        yield "result", result
        if type(result) in (tuple, list):
            for index, element in enumerate(result[:_MOST]):
                yield f"result[{index}]", element
        for name, value in list(left.items())[:64]:
            if name == "result":
                continue
            if type(value) in capture.tensor_types:
                yield f"{name}.grad", capture.attribute(value, "grad")[0]
            for attribute, held in list(capture.own_attributes(value).items())[:64]:
                if id(held) not in given and type(attribute) is str and not attribute.startswith("__"):
                    yield f"{name}.{attribute}", held
                    if type(held) in capture.tensor_types:  # a copy of an input may hold what was meant for it
                        yield f"{name}.{attribute}.g", capture.attribute(held, "g")[0]
        for name, value in list(self._names.items()):
            changed = type(value) in capture.tensor_types and self._before.get(name) != (id(value), _version_of(value))
            if changed and id(value) not in given and type(name) is str and not name.startswith("_"):
                yield name, value
