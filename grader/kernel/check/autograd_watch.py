"""Notices autograd where an exercise forbids it, while the call runs, in the fork that checks it.

Three nets. The entry points of the engine, of functional transforms and of forward mode are C functions; the slot that
each of them is called through (``PyMethodDef.ml_meth``, read at every call) is pointed at a recorder, so a reference
that student code saved earlier is caught as well, in every thread. So are the slots through which a node of the graph
is called by hand (``tp_call`` of the types in ``torch._C._functions``). A dispatch mode sees operators whose names say
that they are backward formulas, any operator run by the engine (TorchScript drives it without Python), and any on a
type with a ``__torch_dispatch__``, which it cannot see behind. A backward formula that torch takes apart into plain
operators first (a composite one) is handed to the mode whole. The mode is there before a check's inputs are and until
its results are copied, for something of the notebook's may run as the harness binds and reads: a descriptor, a method
of a key. (What waits for its moment does not: ``calm``.) At the end it must still be where it was put, with no other
below it. A recorder does nothing else: the call that it replaces returns None. The functions that take a mode away are
noted in the same manner, but still work; threads start with the mode in place. torch takes all modes away to print a
tensor, whose class may be the notebook's: here they stay. A level of forward mode that a cell left open is closed.

Not caught: ``redispatch`` of a backward operator with a key set below Python's, or its call by such a key, the guards
of ``torch._C`` that exclude dispatch keys, an operator of ``torch.library`` that is written in Python, the formulas of
``torch._decomp``, a backward pass that torch's compilers or modes recorded in a cell, a thread made through ctypes, and
whoever writes the slots back through ctypes or takes this module apart. Nor what runs in the middle of an operator, as
a finalizer of its storage may: the engine can do nothing there, and the one backward formula of torch's that has a
public name is noticed by its slot. Code that does these things shows in the source
(``grader.submission.reading.meddling`` flags the signs, in any cell); nobody arrives there by accident. Behind this
stand the job's init and its ``traps``, where the engine itself begins.

The slots are found when the zygote imports this, and composite formulas are made to be seen; ``install`` only writes
pointers. It is for a process that ends with the check: nothing is ever put back.
"""

from __future__ import annotations

import _thread
import ctypes
import functools
import re
import sys
import types
from contextlib import suppress
from typing import Any

import torch
from torch.library import Library, fallthrough_kernel
from torch.utils import _python_dispatch
from torch.utils._python_dispatch import TorchDispatchMode

from grader.kernel.check.calm import Calm
from grader.kernel.protocol.messages import ENGINE, TAMPERING, THREAD

_graph_task = torch._C._current_graph_task_id
_stack_length = torch._C._len_torch_dispatch_stack
_stack_entry = torch._C._get_dispatch_stack_at
_push_mode = torch._C._push_on_torch_dispatch_stack
_no_dispatch = torch._C._disabled_torch_dispatch_impl
_getframe, _current_frames = sys._getframe, sys._current_frames
_exit_dual_level = torch._C._exit_dual_level

_len, _any, _id, _str = len, any, id, str  # by which is told what is seen

_pointer_at, _object_at = ctypes.c_void_p.from_address, ctypes.py_object.from_address
_Recorder = ctypes.PYFUNCTYPE(ctypes.py_object, *[ctypes.c_void_p] * 4)
_NodeRecorder = ctypes.PYFUNCTYPE(ctypes.py_object, *[ctypes.c_void_p] * 3)
#: Where a function object keeps the pointer to its ``PyMethodDef`` (``PyCFunctionObject``, ``PyMethodDescrObject``).
_OFFSETS: tuple[tuple[type, int], ...] = ((types.BuiltinFunctionType, 16), (types.MethodDescriptorType, 40))
#: Where a ``PyMethodDef`` keeps ``ml_meth``, a type ``tp_call``, and the wrapper ``__call__`` that pointer again.
_ML_METH, _TP_CALL, _D_WRAPPED = 8, 128, 48
#: Where a ``PyMethodDef`` says whether the function takes an array or a tuple, and where the elements of that begin.
_ML_FLAGS, _METH_FASTCALL, _OB_ITEM = 16, 0x80, 24
#: A slot, the pointer to write there, and the recorder behind it, which must stay alive.
_Entry = tuple[ctypes.c_void_p, int, Any]

_ENTRIES: tuple[tuple[str, str], ...] = (
    ("_ImperativeEngine.run_backward", "torch.autograd"),
    ("_functorch._grad_increment_nesting", "torch.func.grad"),
    ("_functorch._jvp_increment_nesting", "torch.func.jvp"),
    ("_functorch._vmap_increment_nesting", "torch.vmap"),
    ("_enter_dual_level", "torch.autograd.forward_ad"),
    ("_VariableFunctions._make_dual", "torch.autograd.forward_ad"),
)
#: The functions that take a mode away, or the dispatch key under which modes are called.
_DISABLERS = (
    "_pop_torch_dispatch_stack",
    "_unset_dispatch_mode",
    "_dispatch_tls_set_dispatch_key_excluded",
    "_dispatch_tls_set_dispatch_key_included",
)
#: Finds what the names of operators hold that are formulas of backward passes, or of forward mode.
_formula = re.compile("_backward|_jvp").search
#: Where torch takes a composite operator apart, among the kinds of tensors that it is called with here.
_TAKEN_APART = re.compile(r"^(Autograd(?:CPU|Meta|Other|NestedTensor)):.*\[math kernel\]$", re.MULTILINE)
#: The functions that start a thread; the first argument is what runs in it.
_STARTERS = ("start_new_thread", "start_new", "start_joinable_thread")


class Watch:
    """What was seen so far. One a process."""

    def __init__(self) -> None:
        self.first: str | None = None
        self.mode: _Mode | None = None
        self.calm = Calm()

    def record(self, name: str) -> None:
        """Note an entry point; the first one is the one reported."""
        if self.first is None:
            self.first = name

    def begin(self) -> None:
        """Watch operators from now on, in this thread and those that it starts."""
        if self.mode is None:
            self.mode = _Mode(self)
            _push_mode(self.mode)
            if _len(_current_frames()) > 1:
                self.record(THREAD)
            self.calm.begin()

    def __enter__(self) -> None:
        """During the call what waits for its moment may run."""
        self.calm.end()

    def __exit__(self, *about: object) -> None:
        """Look whether the watch was left in place."""
        self.calm.begin()
        if _stack_length() != 1 or _stack_entry(0) is not self.mode:
            self.record(TAMPERING)

    def seen(self) -> str | None:
        """The first entry point noticed since the last call of this, or None."""
        name, self.first = self.first, None
        return name

    def late(self) -> dict[str, str]:
        """What was noticed while results were read, as a result has it."""
        name = self.seen()
        return {} if name is None else {"autograd": name}


class _Mode(TorchDispatchMode):
    def __init__(self, watch: Watch) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.watch = watch

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # else torch imports its compiler at the first operator, which takes seconds

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        known = _operators.get(_id(func)) or _note_operator(func)
        if known[1]:
            self.watch.record(known[1])
        elif types and _any(kind.__torch_dispatch__ is not _no_dispatch for kind in types):
            self.watch.record("__torch_dispatch__")
        elif _graph_task() != -1:
            self.watch.record(ENGINE)
        return func(*args, **kwargs) if kwargs else func(*args)


#: By identity, since an operator's hash is a call of Python: the operator, and what is recorded where one runs it.
_operators: dict[int, tuple[Any, str]] = {}
#: Of this process: functions of C call the recorders, which cannot be handed one.
_watch = Watch()


def _note_operator(func: Any) -> tuple[Any, str]:
    name = _str(func.name()).partition(".")[0]
    noticed = _formula(name) or name == "aten::_make_dual"
    entry = _operators[_id(func)] = func, name.replace("::", ".") if noticed else ""
    return entry


def _caller() -> str | None:
    """Which public function of torch called the engine, by the frames above."""
    frame: types.FrameType | None = _getframe(2)
    found = None
    for _ in range(12):
        if frame is None:
            break
        file = frame.f_code.co_filename.replace("\\", "/")
        found = _PUBLIC.get((file.rpartition("site-packages/")[2], frame.f_code.co_name), found)
        frame = frame.f_back
    return found


_PUBLIC = {
    ("torch/_tensor.py", "backward"): "Tensor.backward",
    ("torch/autograd/__init__.py", "backward"): "torch.autograd.backward",
    ("torch/autograd/__init__.py", "grad"): "torch.autograd.grad",
    ("torch/_functorch/apis.py", "grad"): "torch.func.grad",
    ("torch/_functorch/apis.py", "vmap"): "torch.vmap",
}


def _recorder(name: str) -> Any:
    def record(_self: Any, _args: Any, _more: Any, _names: Any) -> None:
        _watch.record(_caller() or name)

    return _Recorder(record)


def _slot(function: Any) -> ctypes.c_void_p:
    """The ``ml_meth`` through which ``function`` is called."""
    offset = next(offset for kind, offset in _OFFSETS if isinstance(function, kind))
    return _pointer_at((_pointer_at(id(function) + offset).value or 0) + _ML_METH)


def _unbound(owner: Any, name: str) -> Any:
    """The function as ``owner`` (a module, or a class or one of its bases) holds it, unbound."""
    if not isinstance(owner, type):
        return getattr(owner, name, None)
    held = next((vars(cls)[name] for cls in owner.__mro__ if name in vars(cls)), None)
    return held.__func__ if isinstance(held, staticmethod) else held


def _found() -> list[_Entry]:
    """The entry points that this build of torch has."""
    entries = []
    backward = torch.ops.aten.convolution_backward  # of all of torch's backward formulas, the one with a public name
    functions = [(operator._op, "torch.nn.grad") for operator in (backward, backward.default)]
    for path, name in _ENTRIES:
        function: Any = torch._C
        for part in path.split("."):
            function = _unbound(function, part)
        functions.append((function, name))
    for function, name in functions:
        if isinstance(function, tuple(kind for kind, _ in _OFFSETS)):
            recorder = _recorder(name)
            entries.append((_slot(function), ctypes.cast(recorder, ctypes.c_void_p).value or 0, recorder))
    return entries


def _nodes() -> list[_Entry]:
    """The types of nodes that can be called."""
    recorder = _NodeRecorder(lambda _self, _args, _names: _watch.record("a node of autograd's graph"))
    pointer = ctypes.cast(recorder, ctypes.c_void_p).value or 0
    kinds = [kind for kind in vars(torch._C._functions).values() if isinstance(kind, type)]
    kinds += _nameless_kind()
    slots = [_pointer_at(id(kind) + _TP_CALL) for kind in kinds]
    slots += [_pointer_at(id(vars(kind)["__call__"]) + _D_WRAPPED) for kind in kinds if "__call__" in vars(kind)]
    return [(slot, pointer, recorder) for slot in slots if slot.value]


def _nameless_kind() -> list[type]:
    """The one type of all nodes that have none of their own, such as TorchScript's: made with the first of them."""
    with suppress(AttributeError, RuntimeError, NotImplementedError), torch.enable_grad():
        value = torch.ops.quantization._FloatToBfloat16Quantized(torch.zeros(1, 1, requires_grad=True))
        return [type(value.grad_fn)]
    return []


#: By which a function is called with a tuple, and one whose arguments are handed on as they came, in whatever form.
_Wrapper = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p, ctypes.py_object, ctypes.c_void_p)
_Untouched = _Recorder


def _wrapped(owner: Any, names: tuple[str, ...], wrapper: Any, kind: Any = _Untouched) -> list[_Entry]:
    """The same for functions that still do their work: ``wrapper`` gets the original, then what it was called with."""
    entries = []
    for function in (getattr(owner, name, None) for name in names):
        if isinstance(function, types.BuiltinFunctionType):
            slot = _slot(function)
            wrapped = kind(functools.partial(wrapper, kind(slot.value or 0)))
            entries.append((slot, ctypes.cast(wrapped, ctypes.c_void_p).value or 0, wrapped))
    return entries


def _disable(original: Any, *given: Any) -> Any:
    _watch.record(TAMPERING)
    return original(*given)


def _ask(first: int, original: Any, module: Any, arguments: int, *more: Any) -> Any:
    name = _str(_object_at(arguments + first).value)
    if _formula(name):
        # What torch's compiler brings along is asked as it is imported, and computes nothing.
        _watch.record(name.replace("::", ".") if name.startswith("aten::") else TAMPERING)
    return original(module, arguments, *more)


def _asked() -> list[_Entry]:
    """The function by which an operator asks whether it can take itself apart (``decompose``), unseen by any mode."""
    name = "_dispatch_has_kernel_for_dispatch_key"
    function = getattr(torch._C, name, None)
    if not isinstance(function, types.BuiltinFunctionType):
        return []
    method = _pointer_at(id(function) + _OFFSETS[0][1]).value or 0
    by_array = ctypes.c_int.from_address(method + _ML_FLAGS).value & _METH_FASTCALL
    return _wrapped(torch._C, (name,), functools.partial(_ask, 0 if by_array else _OB_ITEM))


def _start(original: Any, module: Any, arguments: tuple[Any, ...], names: Any) -> Any:
    return original(module, (functools.partial(_watched, arguments[0]), *arguments[1:]), names)


def _watched(function: Any, *arguments: Any, **named: Any) -> None:
    """A thread's function, under the watch."""
    if _watch.mode is not None:
        _push_mode(_watch.mode)
    function(*arguments, **named)


def _hand_on_whole() -> Library:
    """Have the dispatcher pass composite backward formulas on until a mode sees them; kept as long as this is held.

    Where there is no mode, as where autograd is allowed, they are taken apart one step later, into the same operators,
    each of which is recorded for autograd as before. A formula with a derivative of its own keeps that.
    """
    library = Library("aten", "IMPL")
    for name in torch._C._dispatch_get_registrations_for_dispatch_key("CompositeImplicitAutograd"):
        if name.startswith("aten::") and _formula(name):
            for key in _TAKEN_APART.findall(torch._C._dispatch_dump_table(name)):
                library.impl(name, fallthrough_kernel, key)
    return library


_composite = _hand_on_whole()
_node_entries = _nodes()
#: Where the machine code begins by which nodes of the graph are called.
NODE_CALLS = frozenset(slot.value or 0 for slot, _, _ in _node_entries)
_entries = [
    *_found(),
    *_wrapped(torch._C, _DISABLERS, _disable),
    *_asked(),
    *_wrapped(_thread, _STARTERS, _start, _Wrapper),
    *_node_entries,
]


class _ModesStay:
    """In place of the context in which torch prints a tensor without any mode."""

    def __enter__(self) -> list[Any]:
        return []

    def __exit__(self, *about: object) -> None:
        pass


def install() -> Watch:
    """Start watching this process, for good."""
    for slot, pointer, _ in _entries:
        slot.value = pointer
    vars(_python_dispatch)["_disable_current_modes"] = _ModesStay
    with suppress(RuntimeError):  # there is none, as a rule
        _exit_dual_level(level=0)
    _watch.begin()
    return _watch
