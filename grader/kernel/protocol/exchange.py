"""Encoding of tensors that processes exchange: a safetensors file in memory, with JSON in its metadata.

The layout is that of the safetensors format (an 8-byte little-endian header length, a JSON header, the bytes), written
and read here in a few lines so that the untrusted side needs nothing that student code could have replaced, and the
trusted side checks each field. What the student's process sends is read by ``decode`` alone: dtypes from a list, sizes
that must agree with shapes and with the file, no code, no pickle.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import torch

from grader.kernel.protocol import plainjson

_Value = TypeVar("_Value")

_DTYPES: dict[str, torch.dtype] = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}
_NAMES = {dtype: name for name, dtype in _DTYPES.items()}
_HEADER_LIMIT = 4 * 1024**2
_MOST_DIMENSIONS = 16
#: Elements that an empty tensor may have once an axis of none is summed: (0, 10**9) takes no room, its sum gigabytes.
_MOST_SUMMED = 2**24

# References of this module's own: student code may replace the attributes of torch, never these.
_no_function, _no_dispatch = torch._C.DisableTorchFunction, torch._C._DisableTorchDispatch
_data_ptr = torch.Tensor.data_ptr
_element_size = torch.Tensor.element_size
_numel = torch.Tensor.numel
_is_contiguous = torch.Tensor.is_contiguous
_is_neg = torch.Tensor.is_neg
_contiguous = torch.contiguous_format
_shape = torch._C.TensorBase.shape.__get__  # type: ignore[attr-defined]
_dtype = torch._C.TensorBase.dtype.__get__  # type: ignore[attr-defined]
_string_at = ctypes.string_at
_dumps, _loads = plainjson.dumps, plainjson.loads


class Undisturbed:
    """While this is entered, what is called is torch's own: no mode for functions and no subclass's method sees it.

    Modes below that, the watch for autograd (``autograd_watch``) among them, see what is not run ``apart``: something
    of the notebook's may run as the harness works, by a method of a key or a patched class.
    """

    __slots__ = ("guard",)

    def __enter__(self) -> None:
        self.guard = _no_function()
        self.guard.__enter__()  # type: ignore[no-untyped-call,unused-ignore]

    def __exit__(self, *about: object) -> None:
        self.guard.__exit__(None, None, None)


def apart(operator: Callable[..., _Value]) -> Callable[..., _Value]:
    """``operator``, one of torch's, run past all modes for the harness: our own takes 40 µs to see it."""

    def run(*arguments: Any, **named: Any) -> _Value:
        guard = _no_dispatch()
        guard.__enter__()  # type: ignore[no-untyped-call,unused-ignore]
        try:
            return operator(*arguments, **named)
        finally:
            guard.__exit__(None, None, None)

    return run


_frombuffer, _empty, _reshape = apart(torch.frombuffer), apart(torch.empty), apart(torch.Tensor.reshape)
_detach, _clone, _resolve_neg = apart(torch.Tensor.detach), apart(torch.Tensor.clone), apart(torch.Tensor.resolve_neg)


class Malformed(Exception):
    """Bytes that are no tensor file."""


def unlike_results(shape: Sequence[int]) -> str:
    """What keeps a tensor of that shape from travelling: as no result has; empty where nothing does.

    >>> unlike_results([1] * 17), unlike_results([0, 10**9]), unlike_results([0, 3])
    ('a shape of 17 axes', 'a shape of no entry that is 1000000000 but for its axes of 0', '')
    """
    if len(shape) > _MOST_DIMENSIONS:
        return f"a shape of {len(shape)} axes"
    entries = 1  # by hand, for ``math.prod`` is a student's to replace
    for size in shape:
        entries *= size or 1
    if 0 in shape and entries > _MOST_SUMMED:
        return f"a shape of no entry that is {entries} but for its axes of 0"
    return ""


def carried(dtype: torch.dtype) -> bool:
    """Whether a tensor of ``dtype`` can travel."""
    return dtype in _NAMES


def size(tensors: Mapping[str, torch.Tensor]) -> int:
    """Bytes of all elements of ``tensors``, were each one written out."""
    return sum(_numel(tensor) * _element_size(tensor) for tensor in tensors.values())


def plain_bytes(tensor: torch.Tensor) -> bytes:
    """The elements of a dense CPU tensor, row-major."""
    dense = tensor
    if not _is_contiguous(tensor) or _is_neg(tensor):
        dense = _clone(_resolve_neg(_detach(tensor)), memory_format=_contiguous)
    length = _numel(dense) * _element_size(dense)
    return _string_at(_data_ptr(dense), length) if length else b""


def encode(
    tensors: Mapping[str, torch.Tensor], meta: Mapping[str, Any], last: Callable[[], Mapping[str, Any]] = dict
) -> bytes:
    """``tensors`` (dense, on the CPU, of carried dtypes) and JSON-able ``meta`` as the bytes of a safetensors file.

    ``last`` gives more of ``meta``, asked for when all tensors are copied.
    """
    header: dict[str, Any] = {}
    chunks = []
    at = 0
    for name, tensor in tensors.items():
        data = plain_bytes(tensor)
        header[name] = {
            "dtype": _NAMES[_dtype(tensor)],
            "shape": list(_shape(tensor)),
            "data_offsets": [at, at + len(data)],
        }
        chunks.append(data)
        at += len(data)
    text = _dumps({"__metadata__": {"grader": _dumps({**meta, **last()})}, **header}).encode()
    text += b" " * (-len(text) % 8)
    return b"".join([len(text).to_bytes(8, "little"), text, *chunks])


def framed(data: bytes) -> bytes:
    """``data`` as one of several in a row (``unframed``)."""
    return len(data).to_bytes(8, "little") + data


def unframed(received: bytearray, most: float = math.inf) -> bytes | None:
    """Take what was ``framed`` off the front of ``received``; None while not all of it is there.

    Raises ``Malformed`` where it is to be longer than ``most`` bytes.
    """
    length = int.from_bytes(received[:8], "little")
    if length > most:
        raise Malformed("longer than it may be")
    if len(received) < 8 + length:
        return None
    data = bytes(received[8 : 8 + length])
    del received[: 8 + length]
    return data


def decode(data: bytes | bytearray | memoryview) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """The tensors and the metadata in ``data``; raises ``Malformed`` for anything that ``encode`` does not write.

    The tensors own their memory.
    """
    try:
        return _decode(memoryview(data))
    except Malformed:
        raise
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RuntimeError) as error:
        raise Malformed(f"{type(error).__name__}: {error}"[:200]) from None


def _decode(data: memoryview) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    size = int.from_bytes(data[:8], "little")
    if len(data) < 8 or size > min(_HEADER_LIMIT, len(data) - 8):
        raise Malformed("the header is longer than the data")
    header = _loads(bytes(data[8 : 8 + size]).decode())
    body = data[8 + size :]
    meta = _loads(header.pop("__metadata__")["grader"])
    if not isinstance(meta, dict):
        raise Malformed("the metadata is no object")
    tensors: dict[str, torch.Tensor] = {}
    at = 0
    for name, entry in header.items():
        tensors[name] = tensor = _tensor(entry, body, at)
        at += _numel(tensor) * _element_size(tensor)
    return tensors, meta


def _tensor(entry: Mapping[str, Any], body: memoryview, at: int) -> torch.Tensor:
    """A copy of a tensor's bytes, which begin ``at``: many copies of the same ones would fill the memory."""
    dtype = _DTYPES[entry["dtype"]]
    shape = entry["shape"]
    begin, end = entry["data_offsets"]
    numbers = [*shape, begin, end]
    if not all(type(number) is int and 0 <= number < 2**48 for number in numbers):
        raise Malformed("a shape or an offset is no size")
    if unlike := unlike_results(shape):
        raise Malformed(unlike)
    if begin != at:
        raise Malformed("a tensor that does not begin where the one before ends")
    count = math.prod(shape)
    if begin > end or end > len(body) or end - begin != count * dtype.itemsize:
        raise Malformed("a tensor's size does not match its shape")
    if dtype is torch.bool and bytes(body[begin:end]).strip(b"\0\1"):
        raise Malformed("a bool that is neither 0 nor 1")
    if count == 0:
        return _empty(shape, dtype=dtype)
    return _reshape(_frombuffer(bytearray(body[begin:end]), dtype=dtype), shape)
