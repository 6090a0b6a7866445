"""What the messages of exceptions say: each pattern leads to the key of a cause, and to the fields of its words.

The messages are a student's, so the patterns cannot run away: no repetition stands in another.
"""

from __future__ import annotations

import builtins
import re
from collections.abc import Callable
from itertools import permutations

import torch

from grader.judge.diagnosis.words import wording
from grader.model import StudentError

Fields = dict[str, object]
Found = tuple[str, Fields]
Find = Callable[[re.Match[str], StudentError], Found]
_TENSORS = frozenset({"Tensor", "Parameter"})


def found_in(message: str, error: StudentError) -> Found | None:
    """The key and the fields of the first pattern that matches ``message``; None where none does."""
    for pattern, find in _PATTERNS:
        if match := pattern.search(message):
            return find(match, error)
    return None


def _matmul(match: re.Match[str], error: StudentError) -> Found:
    """``7x5 and 3x5``, of torch."""
    return _product(_sizes(match[1]), _sizes(match[2]))


def _product(left: tuple[int, ...], right: tuple[int, ...]) -> Found:
    """Two matrices that cannot be multiplied as they are: which transpose would fit."""
    fields: Fields = {"left": wording.shape(left), "right": wording.shape(right)}
    fits = [
        f"{wording.shape(left)}{mark_a} @ {wording.shape(right)}{mark_b}"
        for a, mark_a in ((left, ""), (left[::-1], ".T"))
        for b, mark_b in ((right, ""), (right[::-1], ".T"))
        if a[1] == b[0] and (mark_a == "" or mark_b == "")
    ]
    return ("matmul.fits", {**fields, "fits": " or ".join(fits)}) if fits else ("matmul", fields)


def _matvec(match: re.Match[str], error: StudentError) -> Found:
    """``8x3`` and ``9``: the shape of the matrix, and how many entries the vector has."""
    return "matvec", {"matrix": wording.shape(_sizes(match[1])), "count": match[2]}


def _numpy_matmul(match: re.Match[str], error: StudentError) -> Found:
    shapes = [_sizes(shape) for shape in _SHAPES.findall(" ".join(error.operands)) if shape.count(",") == 1][:2]
    if [len(shape) for shape in shapes] != [2, 2]:
        return "matmul", {"left": f"(…, {match[2]})", "right": f"({match[1]}, …)"}
    return _product(*shapes)


def _placed(given: int, place: int) -> Find:
    """Written into a place, or by a call of ``expand`` itself: the numbers of the groups that are the two shapes."""

    def find(match: re.Match[str], error: StudentError) -> Found:
        called = re.search(r"\.expand(?:_as)?\(", error.code)
        return "expanded" if called else "assigned", {"given": match[given], "place": match[place]}

    return find


def _dot(match: re.Match[str], error: StudentError) -> Found:
    """``dot``, which names the axes of both."""
    return "vectors", {"name": "dot", "axes": next((each for each in match.groups() if each != "1"), match[1])}


def _broadcast(match: re.Match[str], error: StudentError) -> Found:
    """The two operands that have these sizes at this axis, if no others of the line have them too."""
    sizes, axis = (int(match[1]), int(match[2])), int(match[3])
    shapes = dict.fromkeys(_sizes(shape) for shape in _SHAPES.findall(" ".join(error.operands)))
    pairs = [pair for pair in permutations(shapes, 2) if _at(pair, axis) == sizes]
    left, right = map(wording.shape, pairs[0]) if len(pairs) == 1 else (f"a size of {match[1]}", f"one of {match[2]}")
    fields: Fields = {"left": left, "right": right, "axis": match[3]}
    if (call := _REDUCTION.search(error.code)) and (len(pairs) != 1 or len(pairs[0][0]) != len(pairs[0][1])):
        return "broadcast.reduced", {**fields, "call": call[0]}
    return "broadcast", fields


def _at(pair: tuple[tuple[int, ...], ...], axis: int) -> tuple[int, ...]:
    """The sizes at an axis of what two shapes broadcast to; fewer than two where one does not reach as far."""
    longest = max(map(len, pair))
    places = ((shape, axis - longest + len(shape)) for shape in pair)
    return tuple(shape[place] for shape, place in places if 0 <= place < len(shape))


def _sizes(text: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", text)))


def _plain(key: str, *names: str) -> Find:
    return lambda match, error: (key, {name: match[i + 1] for i, name in enumerate(names)})


def _dtypes(match: re.Match[str], error: StudentError) -> Found:
    return "dtype", {"names": " and ".join(match.groups())}


def _no_attribute(match: re.Match[str], error: StudentError) -> Found:
    if match[1] in _TENSORS and match[2] == "g":
        return "no_attribute.gradient", {}
    if match[1] in _TENSORS and match[2] == "zero_grad":
        return "no_attribute.cleared", {}
    if "return_types." in match[1]:
        return "pair", {"name": match[1].rpartition(".")[2]}
    if _is_function(match[1]):
        return "uncalled", {}
    fields: Fields = {"owner": match[1], "name": match[2]}
    if match[2] == "g":
        return "no_attribute.no_tensor", fields
    if hasattr(torch.Tensor, match[2]):
        if match[1].endswith("ndarray"):
            return "no_attribute.array", fields
        if hasattr(builtins, match[1]):
            return "no_attribute.builtin", fields
    return "no_attribute", fields


def _operator(match: re.Match[str], error: StudentError) -> Found:
    """An operator that Python does not find for two types, which say what went wrong."""
    operator, kinds = match[1].rstrip("="), (match[2], match[3])
    if "NoneType" in kinds:
        return "none.value", {}
    if any(map(_is_function, kinds)):
        return "uncalled.size" if _SIZE.search(error.code) else "uncalled", {}
    if pair := next((kind for kind in kinds if "return_types." in kind), None):
        return "pair", {"name": pair.rpartition(".")[2]}
    if operator in {"^", "&", "|"}:
        return "bitwise", {}
    return "operator", {"operator": match[1], "left": match[2], "right": match[3]}


def _not_tensor(match: re.Match[str], error: StudentError) -> Found:
    return ("uncalled", {}) if _is_function(match[2]) else ("not_tensor", {"name": match[1], "kind": match[2]})


def _is_function(kind: str) -> bool:
    return kind.endswith(("method", "function"))


def _not_callable(match: re.Match[str], error: StudentError) -> Found:
    """A value with parentheses behind it, perhaps under a function's name, or an object of a student's class."""
    own = match[1].isidentifier() and match[1][0].isupper()
    value = hasattr(builtins, match[1]) or match[1] in _TENSORS or (error.line is not None and not own)
    key = "not_callable.value" if value else "not_callable"
    return ("none.value", {}) if match[1] == "NoneType" else (key, {"owner": match[1]})


def _of_kind(key: str) -> Find:
    """A cause of an object's type, unless that is a function whose parentheses are missing."""

    def find(match: re.Match[str], error: StudentError) -> Found:
        return ("uncalled", {}) if _is_function(match[1]) else (key, {"kind": match[1]})

    return find


def _arguments(match: re.Match[str], error: StudentError) -> Found:
    """Passed by a line of the student's, or by the check, which has no line of theirs."""
    return "arguments.stub" if error.line is None else "arguments", {}


#: What gives the method ``size`` of a tensor, and of an array the number of its entries.
_SIZE = re.compile(r"\b(?:np|numpy)\.size\(")
#: What takes an axis away, another than the first, which broadcasting puts back.
_REDUCTION = re.compile(
    r"\b(?:sum|mean|max|amax|min|amin|var|std|logsumexp)"
    r"\((?![^()]{0,80}keepdim)(?:[^()]{0,40}, ?)?(?:dim=|axis=)?(?:-\d|[1-9])(?:,[^()]{0,40})?\)"
)
_SHAPES = re.compile(r"\(([\d, ]*)\)")
#: The first that is found in a message tells its cause; the special stand before the general.
_PATTERNS: tuple[tuple[re.Pattern[str], Find], ...] = tuple(
    (re.compile(pattern), find)
    for pattern, find in (
        (r"shapes cannot be multiplied \((\d+x\d+) and (\d+x\d+)\)", _matmul),
        (r"mismatch in its core dimension 0.{0,120}\(size (\d+) is different from (\d+)\)", _numpy_matmul),
        (
            r"batch2 tensor to be: (\[[\d, ]{1,40}\]) but got: (\[[\d, ]{1,40}\])",
            _plain("matmul.batches", "wanted", "got"),
        ),
        (r"size mismatch, got input \(\d+\), mat \((\d+x\d+)\), vec \((\d+)\)", _matvec),
        (r"expand\(\w[\w.]{0,40}\{(\[[\d, ]{1,40}\])\}, size=(\[[\d, ]{0,40}\])\)", _placed(given=1, place=2)),
        (r"size of tensor a \((\d+)\) must match .{0,30}\((\d+)\) at non-singleton dimension (\d+)", _broadcast),
        (r"operands could not be broadcast together with shapes ([(\d,) ]+)", _plain("broadcast.arrays", "shapes")),
        (
            r"output with shape (\[[\d, ]{0,60}\]) doesn't match the broadcast shape (\[[\d, ]{1,60}\])",
            _plain("broadcast.in_place", "left", "right"),
        ),
        (r"shape '(\[[\d, -]{0,60}\])' is invalid for input of size (\d+)", _plain("reshape", "shape", "count")),
        (r"bitwise_\w+\"? not (?:implemented|supported)|ufunc 'bitwise_\w+' not supported", _plain("bitwise")),
        (r"not implemented for '(\w+)'", _plain("dtype.operation", "dtype")),
        (r"too many indices for tensor of dimension (\d+)", _plain("index.many", "axes")),
        (r"too many indices for array: array is (\d+)-dimensional", _plain("index.many", "axes")),
        (r"invalid index of a (0)-dim tensor", _plain("index.many", "axes")),
        (r"range of \[-\d+, (\d+)\], but got (-?\d+)", _plain("axis", "last", "axis")),
        (
            r"axis (-?\d+) is out of bounds for array of dimension (\d+)",
            lambda match, error: ("axis", {"axis": match[1], "last": max(int(match[2]) - 1, 0)}),
        ),
        (
            r"indexing (?:tensors|arrays) could not be broadcast together with shapes (.+)",
            _plain("index.pairs", "shapes"),
        ),
        (
            r"shape of the mask (\[.{0,60}\]) at index \d+ does not match .{0,40}tensor (\[.{0,60}\])",
            _plain("index.mask", "mask", "indexed"),
        ),
        (r"(?:tensors|arrays) used as ind(?:ices|exes) must be", _plain("index.kind")),
        (r"index .{0,30}out of (?:bounds|range)", _plain("index")),
        (r"'NoneType' object has no attribute '(\w+)'", _plain("none", "name")),
        (r"'([\w.]+)' object has no attribute '(\w+)'", _no_attribute),
        (r"unsupported operand type\(s\) for (\S+?):? .{0,20}'([\w.]+)' and '([\w.]+)'", _operator),
        (r"'generator' object is not subscriptable|'generator' has no len", _plain("generator")),
        (r"'\w{0,40}(?:method|function)' object does not support", _plain("uncalled")),
        (r"^(\w{1,20}): Expected 1-D argument \w{1,20}, but got (\d+)-D", _plain("vectors", "name", "axes")),
        (r"(?:len\(\) of|iteration over) a 0-d tensor", _plain("no_axes")),
        (
            r"stack expects .{0,40}got (\[[\d, ]{0,40}\]) at entry \d+ and (\[[\d, ]{0,40}\])",
            _plain("stacked", "first", "other"),
        ),
        (r"^1D tensors expected, but got (\d+)D and (\d+)D", _dot),
        (
            r"(?:self|mat\d|mat|batch\d) must be a (?:matrix|2-?D|3-?D)|vector \+ matrix @ vector expected",
            _plain("matrices"),
        ),
        (
            r"expanded size of the tensor .{0,200}Target sizes: (\[.{0,40}\])\.  Tensor sizes: (\[.{0,40}\])",
            _placed(given=2, place=1),
        ),
        (r"'(\w[\w.]{0,40})' object is not callable", _not_callable),
        (r"(?:got|not) torch\.return_types\.(\w+)", _plain("pair", "name")),
        (r"NoneType", _plain("none.value")),
        (r"'(\w[\w.]{0,40})' object is not subscriptable", _of_kind("not_subscriptable")),
        (r"cannot unpack non-iterable (\w{1,40}) object", _of_kind("unpack.single")),
        (r"'(\w[\w.]{0,40})' object is not iterable", _of_kind("not_iterable")),
        (r"(\w+)\(\): argument '\w{1,40}' \(position \d+\) must be Tensor, not ([\w.]+)", _not_tensor),
        (
            r"(\w+)\(\) received an invalid combination of arguments - got \((.{0,80})\), but",
            _plain("arguments.kinds", "name", "kinds"),
        ),
        (r"leaf Variable that requires grad", _plain("leaf")),
        (r"Can't call numpy\(\) on Tensor that requires grad", _plain("numpy_grad")),
        (r"backward through the graph a second time", _plain("graph_freed")),
        (r"modified by an inplace operation", _plain("graph_changed")),
        (r"implicitly created only for scalar outputs", _plain("no_scalar")),
        (r"does not require grad and does not have a grad_fn", _plain("no_grad_fn")),
        (r"before Module.__init__\(\) call", _plain("module_init")),
        (r"expected m1 and m2 to have the same dtype, but got: (\w+) != (\w+)", _dtypes),
        (r"expected scalar type (\w+) but found (\w+)", _dtypes),
        (r"result type (\w+) can't be cast to .{0,30}?(\w+)$", _dtypes),
        (r"view size is not compatible", _plain("view")),
        (r"(?:more than one|only one element|multiple) .{0,40}(?:ambiguous|scalar|single)", _plain("scalar")),
        (r"cannot be converted to Scalar", _plain("scalar")),
        (r"only integer tensors of a single element can be converted to an index", _plain("sequence")),
        (r"Only Tensors of floating point and complex dtype can require gradients", _plain("dtype.gradient")),
        (r"Expected index \[.{1,40}\] to be no larger than self", _plain("scatter")),
        (
            r"subscript (\w) has size (\d+) for operand \d+ which does not broadcast with previously seen size (\d+)",
            lambda match, error: ("einsum", {"letter": match[1], "sizes": f"{match[3]} and {match[2]}"}),
        ),
        (
            r"number of subscripts in the equation \((\d+)\) does not match the number of dimensions \((\d+)\)",
            _plain("einsum.axes", "letters", "axes"),
        ),
        (r"to have (\d+) channels, but got (\d+) channels", _plain("channels", "wanted", "got")),
        (r"values to unpack", _plain("unpack")),
        (r"^No module named '([\w.]{1,80})'", _plain("module", "name")),
        (r"^EOF when reading a line|does not support input requests|nobody can answer input\(\)", _plain("input")),
        (r"not compiled with CUDA|no NVIDIA driver|No CUDA GPUs|not linked with support for mps", _plain("device")),
        (r"xpected all tensors to be on the same device", _plain("device.mixed")),
        (r"positional argument|unexpected keyword argument", _arguments),
        (r"name '(\w+)' is not defined", _plain("name", "name")),
        (r"cannot access local variable '(\w+)'", _plain("name.local", "name")),
    )
)
