"""Reading values out of a notebook's objects without running the notebook's code, and making tensors of them.

Used in the fork that runs a check, after the call has ended. Attributes come from an object's own ``__dict__`` (and an
``nn.Module``'s tables, and ``__slots__``), never from properties or ``__getattr__``; tensors are taken only when their
type is exactly torch's own. All functions of torch and numpy are references saved when the zygote imported this.
"""

from __future__ import annotations

import ast
import functools
from array import array
from collections import OrderedDict, deque
from collections.abc import Mapping
from typing import Any

import numpy
import torch

from grader.kernel.protocol import exchange

_Tensor, _Parameter, _Module = torch.Tensor, torch.nn.Parameter, torch.nn.Module
#: torch's own types of tensors.
tensor_types = (torch.Tensor, torch.nn.Parameter)
_base: Any = torch._C.TensorBase
_grad_of = _base.grad.__get__
_data_of = exchange.apart(_base.data.__get__)
_layout_of, _device_of, _is_nested = _base.layout.__get__, _base.device.__get__, _base.is_nested.__get__
_version_of = _base._version.__get__
_dim, _item = torch.Tensor.dim, exchange.apart(torch.Tensor.item)
_strided = torch.strided
_ndarray, _generic = numpy.ndarray, numpy.generic
_item_of_generic, _dtype_of_generic = numpy.generic.item, numpy.generic.dtype.__get__
_ascontiguousarray = numpy.ascontiguousarray
_from_numpy, _tensor = exchange.apart(torch.from_numpy), exchange.apart(torch.tensor)
_reshape = exchange.apart(torch.Tensor.reshape)
_float64, _int64 = torch.float64, torch.int64
_carried, _unlike_results = exchange.carried, exchange.unlike_results
_own = object.__getattribute__
_dict_of_type = type.__dict__["__dict__"].__get__
_member = type(type("Slotted", (), {"__slots__": ("x",)}).x)  # type: ignore[attr-defined]
_scalars = (bool, int, float)
_sequences = (list, tuple, deque, array)
#: What the harness's other modules read of a tensor or a class by, too.
shape_of, dtype_of = _base.shape.__get__, _base.dtype.__get__
mro_of, name_of = type.__dict__["__mro__"].__get__, type.__dict__["__name__"].__get__

#: Elements of a list that is read as one tensor.
MOST_ELEMENTS = 10_000

_ABSENT = object()


@functools.lru_cache(maxsize=1024)
def parsed(text: str) -> AttributePath:
    """The path that ``text`` is, parsed once in a process."""
    return AttributePath(text)


class AttributePath:
    """A parsed path: a name, then ``.attribute``, ``[0]`` and ``['key']``. Raises ``ValueError`` for anything else."""

    __slots__ = ("name", "steps", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        node: ast.expr = ast.parse(text, mode="eval").body
        steps: list[tuple[str, Any]] = []
        while not isinstance(node, ast.Name):
            if isinstance(node, ast.Attribute):
                steps.append(("attribute", node.attr))
            elif isinstance(node, ast.Subscript):
                steps.append(("item", ast.literal_eval(node.slice)))
            else:
                raise ValueError(f"{text!r} is no path")
            node = node.value
        self.name = node.id
        self.steps = tuple(reversed(steps))

    def read(self, *spaces: Mapping[str, Any]) -> tuple[Any, bool]:
        """The value in the first of ``spaces`` that has the name, and whether it is a registered parameter.

        ``absent(value)`` where no space has the name or a step fails.
        """
        value = next((space[self.name] for space in spaces if self.name in space), _ABSENT)
        registered = False
        for kind, step in self.steps:
            if value is _ABSENT:
                break
            value, registered = attribute(value, step) if kind == "attribute" else (_element(value, step), False)
        return value, registered


def absent(value: Any) -> bool:
    """Whether ``AttributePath.read`` or ``attribute`` found nothing."""
    return value is _ABSENT


def own_attributes(value: Any) -> dict[str, Any]:
    """The instance's own ``__dict__``; empty where it has none."""
    try:
        found = _own(value, "__dict__")
    except AttributeError:
        return {}
    return found if type(found) is dict else {}


def attribute(value: Any, name: str) -> tuple[Any, bool]:
    """An attribute that the instance itself holds, and whether it is a registered parameter."""
    kind = type(value)
    if kind is _Tensor or kind is _Parameter:
        if name == "grad":
            return _grad_of(value), False
        if name == "data":
            return _data_of(value), False
    own = own_attributes(value)
    if name in own:
        return own[name], False
    mro = mro_of(kind)
    if _Module in mro:
        for table in ("_parameters", "_buffers", "_modules"):
            held = own.get(table)
            if type(held) in (dict, OrderedDict) and name in held:  # type: ignore[operator]
                return held[name], table == "_parameters"  # type: ignore[index]
    for cls in mro:
        slot = _dict_of_type(cls).get(name)
        if type(slot) is _member:
            try:
                return slot.__get__(value), False
            except AttributeError:
                break
    return _ABSENT, False


def _element(value: Any, key: Any) -> Any:
    kind = type(value)
    if type(key) is int:
        for base in (list, tuple):  # their own methods: those of a named tuple, or any other, are the student's
            if issubclass(kind, base) and -base.__len__(value) <= key < base.__len__(value):
                return base.__getitem__(value, key)
    if kind in (dict, OrderedDict) and type(key) in (str, int) and key in value:
        return value[key]
    return _ABSENT


def version(tensor: Any) -> int:
    """The number of in-place changes to a tensor; -1 for one made in inference mode, which counts none."""
    try:
        return int(_version_of(tensor))
    except RuntimeError:
        return -1


def exact_tensor(value: Any) -> bool:
    """Whether ``value`` is a tensor of torch's own type (no subclass) that can travel."""
    return type(value) in (_Tensor, _Parameter) and not _obstacle(value)


def _obstacle(tensor: Any) -> str:
    if _layout_of(tensor) is not _strided:
        return str(_layout_of(tensor))
    if _is_nested(tensor):  # which has no one shape
        return "nested"
    if _device_of(tensor).type != "cpu":
        return str(_device_of(tensor))
    if not _carried(dtype_of(tensor)):
        return str(dtype_of(tensor)).removeprefix("torch.")
    return _unlike_results(shape_of(tensor))


def captured(value: Any) -> tuple[Any, str, str]:
    """``(tensor, kind, "")`` for what can be compared, else ``(None, absence, detail)`` (``model.Capture``)."""
    if value is _ABSENT:
        return None, "missing", ""
    if value is None:
        return None, "none", ""
    kind = type(value)
    if kind is _Tensor or kind is _Parameter:
        obstacle = _obstacle(value)
        return (None, "unsupported", obstacle) if obstacle else (value, "tensor", "")
    if kind is _ndarray:
        return _from_array(value)
    if kind in _scalars or _generic in mro_of(kind):
        number = _number(value)
        return (
            (None, "unsupported", name_of(kind)[:100]) if number is None else (_as_tensor([number], ()), "scalar", "")
        )
    if kind in _sequences and 0 < len(value) <= MOST_ELEMENTS:
        numbers = [_number(element) for element in value]
        if None not in numbers:
            return _as_tensor(numbers, (len(numbers),)), "sequence", ""
    bases = mro_of(kind)
    base = " (a subclass of Tensor)" if _Tensor in bases else " (a subclass of ndarray)" if _ndarray in bases else ""
    return None, "not_a_tensor", f"{name_of(kind)[:70]}{base}"


def _from_array(array: Any) -> tuple[Any, str, str]:
    dtype = array.dtype
    if dtype.kind not in "fiub" or dtype.itemsize > 8 or dtype.str[1:] in ("u2", "u4", "u8"):
        return None, "unsupported", str(dtype)[:100]
    if obstacle := _unlike_results(array.shape):
        return None, "unsupported", obstacle
    native = _ascontiguousarray(array, dtype=dtype.newbyteorder("="))
    return _reshape(_from_numpy(native.copy()), array.shape), "ndarray", ""


def _number(value: Any) -> Any:
    """A Python number of a scalar, a 0-d tensor or array; None for anything else."""
    kind = type(value)
    if kind is _Tensor or kind is _Parameter:
        if _dim(value) or _obstacle(value):
            return None
        value = _item(value)
    elif kind is _ndarray:
        if value.ndim or value.dtype.kind not in "fiub":
            return None
        value = value.item()
    elif _generic in mro_of(kind):  # maybe of a class of the student's, whose own methods are not called
        if _dtype_of_generic(value).kind not in "fiub":
            return None
        value = _item_of_generic(value)
    kind = type(value)
    if kind is bool:
        return int(value)
    if kind is int:
        return value if -(2**63) <= value < 2**63 else None
    return value if kind is float else None


def _as_tensor(numbers: list[Any], shape: tuple[int, ...]) -> Any:
    whole = all(type(number) is int for number in numbers)
    tensor = _tensor(numbers, dtype=_int64 if whole else _float64)
    return _reshape(tensor, shape)


def shape_text(tensor: Any) -> str:
    """``"(7, 5)"``; a nested tensor has no one shape."""
    return "nested" if _is_nested(tensor) else str(tuple(shape_of(tensor)))
