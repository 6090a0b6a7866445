"""Signs in a student's source that a human should look at: autograd, optimizers of torch's, loops for work by hand.

Suspicion only ever becomes a flag. What a check really calls is seen while it runs (``grader.kernel``); this looks
for what the source says, and keeps quiet where it cannot be known: ``layer.backward()`` is a student's own method.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from textwrap import dedent
from types import MappingProxyType
from typing import Final, TypeGuard

from grader.cell_code import name_called, parsed, without_comments
from grader.model import Cell
from grader.recent import by_source
from grader.submission.reading.imports import THERE, dotted_name, imported_in, imports_in, part_of, seen_in
from grader.submission.reading.reliance import Piece, pieces

#: Packages that differentiate, in which the watch of a check sees nothing.
_FOREIGN = ("autograd", "casadi", "jax", "micrograd", "mpmath", "numdifftools", "sympy", "tensorflow", "tinygrad")
#: Dotted names, as seen through imports and ``as``; everything below them is meant too.
_ENGINE = (
    *_FOREIGN,
    "torch.autograd",
    "torch.func",
    "torch._C",
    "torch._functorch",
    "torch._decomp",
    "torch._refs",
    "torch.vmap",
    "torch.nn.grad",
    "torch.ops",
    "torch.enable_grad",
    "functorch",
    "ctypes",
    "cffi",
    "gc.get_objects",
    "gc.get_referrers",
    "gc.get_referents",
    "sys.settrace",
    "sys.setprofile",
    "sys._getframe",
    "sys._current_frames",
    "threading.settrace",
    "threading.setprofile",
    "inspect.currentframe",
    "inspect.stack",
)
_BELOW = tuple(f"{name}." for name in _ENGINE)
#: What of that switches autograd off, or computes nothing: it and everything below it.
_HARMLESS = tuple(
    f"torch.autograd.{name}"
    for name in ("grad_mode", "graph.save_on_cpu", "inference_mode", "no_grad", "profiler", "set_grad_enabled")
)
#: Every sign holds one of these; a source without them need not be taken apart.
_WORDS = re.compile(
    rf"\b(?:{'|'.join(re.escape(name.rpartition('.')[2]) for name in _ENGINE)})\b"
    r"|backward|requires_grad|exec|eval|getattr|import"
)
#: The modules whose optimizers do the work of a student's.
_OPTIMIZERS = ("torch.optim", "torch.distributed.optim")
#: What of theirs has no formula in it: the base class.
_NO_OPTIMIZER = ("torch.optim.Optimizer", "torch.optim.optimizer")
#: What is said of loops where they are not asked for, the nodes of loops, and the calls that loop over elements.
LOOPS: Final = "loops in Python where tensor operations are asked for"
_LOOPS = (ast.For, ast.While, ast.ListComp, ast.GeneratorExp, ast.SetComp, ast.DictComp)
_LOOPING = ("map", "starmap", "vectorize", "frompyfunc")
_ONLY_AUTOGRAD = frozenset({"retain_graph", "create_graph", "inputs", "gradient"})
#: How a method of that name begins, and what it takes; and where one is called.
_OWN_BACKWARD = re.compile(r"def backward\([^()]*")
_CALLS_BACKWARD = re.compile(r"\.[\s\\]*backward\b")
_LOOKS = re.compile(
    r"torch\.(?:autograd|func|_C|vmap|nn\.grad|ops)\b|\bctypes\b|gc\.get_(?:objects|referrers|referents)"
    r"|sys\.(?:settrace|setprofile|_getframe)|\)\.backward\(|requires_grad_\(\s*\)|requires_grad\s*=\s*True"
)


#: No modules beside the notebook.
_NONE: Mapping[str, str] = MappingProxyType({})


def optimizer_suspected(
    source: str, cells: Sequence[Cell] = (), but: Collection[str] = (), modules: Mapping[str, str] = _NONE
) -> str | None:
    r"""Where ``source`` uses an optimizer of torch's, or what it relies on does; None where none is used.

    It relies on what ``cells`` define, and ``modules`` beside the notebook; the names in ``but`` are passed over
    (``pieces``).

    >>> optimizer_suspected("class SGD:\n    def step(self):\n        torch.optim.SGD(self.params, self.lr).step()")
    '`torch.optim.SGD` (line 3)'
    >>> optimizer_suspected("def step(p): moved(p)", [Cell(2, "def moved(p):\n    torch.optim.SGD(p).step()")])
    '`torch.optim.SGD` (line 2 of cell 2)'
    """
    return _reached(_OPTIMIZERS, source, cells, but, modules, also=_unresolved_optimizers)


def _unresolved_optimizers(piece: Piece) -> Iterator[tuple[int, str]]:
    """Yield the line and the name of each ``.optim.SGD`` of a thing that no import shows."""
    known = {(line, dotted.rpartition(".")[2]) for line, dotted in piece.names}
    for node in ast.walk(piece.code):
        if isinstance(node, (ast.Attribute, ast.Call)):
            owner, name = part_of(node)
            of_optim = owner is not None and part_of(owner)[1] == "optim"
            if of_optim and name[:1].isupper() and name != "Optimizer" and (node.lineno, name) not in known:
                yield node.lineno, f"….optim.{name}"


def loops_suspected(
    source: str, cells: Sequence[Cell] = (), but: Collection[str] = (), modules: Mapping[str, str] = _NONE
) -> str | None:
    r"""Where ``source`` loops in Python, or what it relies on does; None where nothing does.

    It relies on what ``cells`` define, and ``modules`` beside the notebook; the names in ``but`` are passed over
    (``pieces``).

    >>> loops_suspected("def f(a, b):\n    return torch.stack([x - b for x in a])")
    'line 2'
    >>> loops_suspected("def f(a, b): return h(a, b)", [Cell(2, "def h(a, b):\n    return [*map(b.sub, a)]")])
    'line 2 of cell 2'
    """
    for piece in pieces(dedent(source), cells, but, modules):
        lines = [node.lineno for node in ast.walk(piece.code) if isinstance(node, _LOOPS) or _is_looping(node)]
        if lines:
            return f"line {min(lines)}" + (f" of {piece.place}" if piece.place else "")
    return None


def _is_looping(node: ast.AST) -> TypeGuard[ast.Call]:
    return isinstance(node, ast.Call) and name_called(node) in _LOOPING


def lookup_suspected(
    places: Collection[str],
    source: str,
    cells: Sequence[Cell] = (),
    but: Collection[str] = (),
    modules: Mapping[str, str] = _NONE,
) -> str | None:
    r"""Where ``source``, or what it relies on, reaches for one of ``places``; None where nothing does.

    These are modules, and parts of the names of files. It relies on what ``cells`` define, and ``modules`` beside the
    notebook; the names in ``but`` are passed over (``pieces``).

    >>> lookup_suspected(["digits"], "def train(x):\n    from digits import load\n    return load()")
    '`digits.load` (line 3)'
    >>> lookup_suspected(["digits.csv"], "def train(x):\n    'Not from digits.csv.'\n    open('/digits.csv.gz')")
    '`digits.csv` (line 3)'
    """

    def named(piece: Piece) -> Iterator[tuple[int, str]]:
        return ((line, place) for line, text in _texts_in(piece.code) for place in places if place in text)

    return _reached(places, source, cells, but, modules, also=named)


def _reached(
    places: Collection[str],
    source: str,
    cells: Sequence[Cell],
    but: Collection[str],
    modules: Mapping[str, str],
    *,
    also: Callable[[Piece], Iterable[tuple[int, str]]] = lambda _: (),
) -> str | None:
    """The first use of one of ``places``, or of what is below it, or of what is ``also`` one: its line and its name."""
    words = [place.rpartition(".")[2] for place in places]
    every = (source, *(cell.source for cell in cells), *modules.values())
    if all(text.isascii() and not any(map(text.__contains__, words)) for text in every):
        return None
    below = tuple(f"{place}." for place in places)
    for piece in pieces(source, cells, but, modules):
        used = [one for one in piece.names if f"{one[1]}.".startswith(below) and not _is_below(one[1], _NO_OPTIMIZER)]
        used = [one for one in used if one[1] not in places] or used
        found = _earliest([*used, *also(piece)])
        if found is not None:
            return f"{found[:-1]} of {piece.place})" if piece.place else found
    return None


def _texts_in(code: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the line and the text of each string in ``code``, but for those that nothing is done with."""
    bare = {id(node.value) for node in ast.walk(code) if isinstance(node, ast.Expr)}
    for node in ast.walk(code):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in bare:
            yield node.lineno, node.value


def autograd_suspected(
    source: str, cells: Sequence[Cell] = (), but: Collection[str] = (), modules: Mapping[str, str] = _NONE
) -> str | None:
    r"""What in ``source`` suggests that autograd does the work, with its line; None where nothing does.

    ``cells`` may import for it what it uses. Of what it relies on in them, and in ``modules`` beside the notebook, only
    the packages are looked for that a check sees nothing of; the names in ``but`` are passed over there (``pieces``).

    >>> autograd_suspected("import torch\nloss = (x * w).sum()\nloss.backward()")
    '`loss.backward()` (line 3)'
    >>> autograd_suspected("for layer in reversed(layers):\n    layer.backward()") is None
    True
    >>> autograd_suspected("g = t.func.grad(loss)(w)", [Cell(0, "import torch as t")])
    '`torch.func.grad` (line 1)'
    """
    imported = imported_in(cell.source for cell in cells)
    leading = (name for name, dotted in imported.items() if THERE.get(name) != dotted and _leads_to_engine(dotted))
    leads = any(name in source for name in leading) or ".torch" in source  # as other modules have it
    own = "".join(_own_backwards(cell.source) for cell in cells) if _CALLS_BACKWARD.search(source) else ""
    found = None
    if leads or not source.isascii() or _WORDS.search(source) is not None:
        found = _suspected(source, imported, own) if leads or own else _suspected_alone(source)
    every = (source, *(cell.source for cell in cells), *modules.values())
    if found is None and any(map(_imports_foreign, every)):
        found = _reached(_FOREIGN, source, cells, but, modules)
    return found


@by_source
def _suspected_alone(source: str) -> str | None:
    """As ``_suspected``, of a source for which no other cell imports anything."""
    return _suspected(source, THERE)


@by_source
def _imports_foreign(source: str) -> bool:
    """Whether code imports one of the packages in ``_FOREIGN``, or takes it of another, or perhaps does, by a call."""
    named = not source.isascii() or any(map(source.__contains__, _FOREIGN))
    tree = parsed(source) if named else None
    nodes = [] if tree is None else list(ast.walk(tree))
    return any(dotted.partition(".")[0] in _FOREIGN for _, _, dotted in imports_in(nodes)) or any(
        (isinstance(node, ast.Call) and name_called(node) in ("__import__", "import_module"))
        or (isinstance(node, ast.Attribute) and node.attr in _FOREIGN and node.attr != "autograd")
        for node in nodes
    )


def _suspected(source: str, imported: Mapping[str, str], own: str = "") -> str | None:
    """What in ``source`` is a sign; ``own`` are the heads of what the notebook's other cells define as ``backward``."""
    tree = parsed(source)
    if tree is None:
        text = without_comments(source)
        match = _LOOKS.search(text)
        return None if match is None else f"`{match[0].strip()}` (line {text.count(chr(10), 0, match.start()) + 1})"
    return _earliest(_signs(tree, imported, own + _own_backwards(source)))


@by_source
def _own_backwards(source: str) -> str:
    return "".join(_OWN_BACKWARD.findall(source))


def _earliest(signs: Iterable[tuple[int, str]]) -> str | None:
    """The first of signs, the longest in its line, as it is shown; None where there is none."""
    found = min(signs, key=lambda sign: (sign[0], -len(sign[1]), sign[1]), default=None)
    return None if found is None else f"`{found[1]}` (line {found[0]})"


def _signs(tree: ast.Module, elsewhere: Mapping[str, str], own: str) -> Iterator[tuple[int, str]]:
    nodes = list(ast.walk(tree))
    imported = seen_in(nodes, elsewhere)
    yield from ((line, dotted) for line, _, dotted in imports_in(nodes) if _is_engine(dotted))
    calls = _Backwards(tree, imported, own)
    passed_over: set[ast.expr] = set()  # ``torch.autograd`` in ``torch.autograd.no_grad``, which comes before it
    for node in nodes:
        if isinstance(node, (ast.Attribute, ast.Name)):
            dotted = dotted_name(node, imported)
            if isinstance(node, ast.Attribute) and (node in passed_over or _is_below(dotted, _HARMLESS)):
                passed_over.add(node.value)
            elif node in passed_over:
                continue
            elif _is_engine(dotted) or (dotted.startswith("torch.") and dotted.endswith("_backward")):
                yield node.lineno, dotted
        elif isinstance(node, ast.Call):
            dotted = dotted_name(node, imported)
            sign = _call_sign(node, imported, calls) or (dotted if _is_engine(dotted) else "")
            if sign:
                yield node.lineno, sign
        elif isinstance(node, ast.Assign) and _is_true(node.value) and _sets_requires_grad(node):
            yield node.lineno, "requires_grad = True"


def _sets_requires_grad(node: ast.Assign) -> bool:
    return any(isinstance(target, ast.Attribute) and target.attr == "requires_grad" for target in node.targets)


def _is_engine(dotted: str) -> bool:
    return (dotted in _ENGINE or dotted.startswith(_BELOW)) and not _is_below(dotted, _HARMLESS)


def _is_below(dotted: str, places: tuple[str, ...]) -> bool:
    """Whether ``dotted`` is one of ``places``, or in one."""
    return dotted.startswith(places) and f"{dotted}.".startswith(tuple(f"{place}." for place in places))


def _leads_to_engine(dotted: str) -> bool:
    """Whether a name that stands for ``dotted`` leads to a sign that it does not show itself."""
    return _is_engine(dotted) or any(name.startswith(f"{dotted}.") for name in _ENGINE)


def _call_sign(node: ast.Call, imported: Mapping[str, str], calls: _Backwards) -> str:
    called = node.func
    if isinstance(called, ast.Name):
        first = node.args[0] if node.args else None
        named = first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else ""
        if called.id in ("exec", "eval"):
            return f"{called.id}(…)"
        if called.id == "__import__" and (_is_engine(named) or not named):
            return f"__import__({named!r})" if named else "__import__(…)"
        if called.id == "getattr" and len(node.args) > 1 and isinstance(node.args[1], ast.Constant):
            dotted = dotted_name(node, imported) or f".{node.args[1].value!s}"
            return f"getattr: {dotted}" if _is_engine(dotted) or dotted.endswith(".backward") else ""
    elif isinstance(called, ast.Attribute):
        if called.attr == "backward":
            return calls.sign(node, called.value)
        if called.attr == "requires_grad_" and not (node.args and not _is_true(node.args[0])):
            return "requires_grad_()"
    if any(keyword.arg == "requires_grad" and _is_true(keyword.value) for keyword in node.keywords):
        return "requires_grad=True"
    return ""


class _Backwards:
    """Tells which calls of ``backward`` in an answer are a tensor's.

    ``own`` are the heads of the methods of that name in the notebook, as they stand there; empty where it has none.
    """

    def __init__(self, tree: ast.Module, imported: Mapping[str, str], own: str) -> None:
        self._imported = imported
        self._own = bool(own)
        self._options = _ONLY_AUTOGRAD.difference(re.findall(r"\w+", own))
        self._tensors = self._tensor_names(tree)

    def sign(self, call: ast.Call, receiver: ast.expr) -> str:
        """``….backward()`` of a value made on the spot, of a name of one, or with a tensor's options; else empty."""
        shown = "….backward()"
        if isinstance(receiver, ast.Name):
            shown = f"{receiver.id}.backward()"
            if receiver.id in self._tensors:
                return shown
        elif self._is_computed(receiver):
            return shown
        if any(keyword.arg in self._options for keyword in call.keywords):
            return shown
        own_gradient = any(
            isinstance(argument, ast.Attribute) and argument.attr == "g" and _same_name(argument.value, receiver)
            for argument in call.args
        )
        return shown if own_gradient else ""

    def _tensor_names(self, tree: ast.Module) -> set[str]:
        """The names that are only ever assigned computed values: sums, ``torch`` calls, results of functions."""
        computed: set[str] = set()
        other: set[str] = set()
        for node in ast.walk(tree):
            if isinstance(node, (ast.Assign, ast.AnnAssign)):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                for target in targets:
                    if isinstance(target, ast.Name):
                        (computed if self._is_computed(node.value) else other).add(target.id)
            elif isinstance(node, (ast.For, ast.comprehension)) and isinstance(node.target, ast.Name):
                other.add(node.target.id)
        return computed - other

    def _is_computed(self, value: ast.expr | None) -> bool:
        if isinstance(value, (ast.BinOp, ast.UnaryOp)):
            return True
        return isinstance(value, ast.Call) and not self._makes(value)

    def _makes(self, call: ast.Call) -> bool:
        """Whether a call makes an object of the student's, or takes one out of several, rather than computing a value.

        ``Mse()``, ``super()``, ``layers.pop()``, ``next(layers)``; and, where objects of the student's own have a
        ``backward``, what functions and methods of the student's give: ``made("relu")``, ``self.layer(0)``.
        """
        name = name_called(call)
        if name[:1].isupper() or name in ("super", "pop", "popleft", "popitem", "next", "getattr"):
            return True
        called = call.func
        if isinstance(called, ast.Attribute):
            return self._own and isinstance(called.value, ast.Name) and called.value.id == "self"
        return self._own and isinstance(called, ast.Name) and not dotted_name(called, self._imported)


def _same_name(one: ast.expr, other: ast.expr) -> bool:
    """Whether both are the same dotted name."""
    while isinstance(one, ast.Attribute) and isinstance(other, ast.Attribute) and one.attr == other.attr:
        one, other = one.value, other.value
    return isinstance(one, ast.Name) and isinstance(other, ast.Name) and one.id == other.id


def _is_true(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is True
