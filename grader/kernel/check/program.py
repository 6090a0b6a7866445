"""One ``Program`` in the fork: bind its inputs, run its call in the notebook's namespace, read what it left.

The outcome is a dict that travels as JSON (keys as in ``model.CaseRun``) beside the tensors; ``protocol.results`` reads
it on the other side.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import re
import sys
import types
from collections.abc import Callable, Iterable
from typing import Any

import torch

from grader.kernel.check import capture, studenterror
from grader.kernel.check.extras import Extras
from grader.kernel.check.sink import OutputLimitExceeded, Sink
from grader.kernel.deaths import ending_at, limit_told
from grader.kernel.protocol import exchange

_apart = exchange.apart
_empty, _full = torch.empty, _apart(torch.full)
_contiguous, _permute, _copy = torch.Tensor.contiguous, torch.Tensor.permute, torch.Tensor.copy_
_is_contiguous = torch.Tensor.is_contiguous
_isnan, _all, _item = torch.isnan, torch.Tensor.all, torch.Tensor.item
_is_floating_point = torch.Tensor.is_floating_point
_shape_of = capture.shape_of
_dtype_of = capture.dtype_of
_Undisturbed = exchange.Undisturbed
_version_of = capture.version
_numpy = _apart(torch.Tensor.numpy)
_getframe, _compile, _exec, _eval = sys._getframe, compile, exec, eval
_float32 = torch.float32
_setattr = object.__setattr__


class Namespace:
    """The notebook as a check sees it: its shell and globals, the names that are needed, the cell's source.

    ``printed`` is what the call may print; ``private`` tells whether the disk that it writes to is the job's own.
    """

    def __init__(
        self,
        shell: Any,
        needs: list[str],
        source: str,
        code_name: Callable[[int], str],
        printed: int,
        *,
        private: bool = False,
    ) -> None:
        self.shell = shell
        self.globals: dict[str, Any] = shell.user_ns
        self.missing = [name for name in needs if name not in self.globals]
        self.source = source
        self.code_name = code_name
        self.printed = printed
        self.private = private


class ProgramRun:
    """One run of one program, described by ``about`` (see ``programs.encode``) on ``tensors``."""

    def __init__(self, namespace: Namespace, about: dict[str, Any], tensors: dict[str, Any], watch: Any | None) -> None:
        self.namespace = namespace
        self.about = about
        self.globals = namespace.globals
        self.values: dict[str, Any] = {}
        self.locals: dict[str, Any] = {}
        self.poison: dict[str, Any] = {}
        self.inputs: dict[str, Any] = {}
        self.watch = watch
        self.sink = Sink(namespace.printed)
        self.tensors = tensors
        self.kept: dict[str, Any] = {}

    def run(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The tensors to send back (``"c:…"`` captures, ``"i:…"`` inputs, ``"x:…"`` extras) and the outcome."""
        outcome: dict[str, Any] = {"ended": "not_defined", "missing": self.namespace.missing[:20]}
        if self.namespace.missing and not self.about["rerun"]:
            return {}, outcome
        with _Undisturbed():
            self._bind()
            extras = Extras(self.globals)
        stdout, stderr = sys.stdout, sys.stderr
        sys.stdout, sys.stderr = self.sink, Sink(self.namespace.printed)
        try:
            if self.watch is not None:
                with self.watch:
                    outcome = self._call()
            else:
                outcome = self._call()
            outcome["errors"] = self._raises() if outcome["ended"] in ("returned", "raised") else {}
        finally:
            sys.stdout, sys.stderr = stdout, stderr
        with _Undisturbed():
            self._read(outcome, extras)
        outcome["printed"] = "".join(self.sink.kept)
        outcome["autograd"] = self.watch.seen() if self.watch is not None else None
        return self.kept, outcome

    # ----------------------------------------------------------------------------------------- inputs

    def _bind(self) -> None:
        about = self.about
        for path, sent in self.tensors.items():
            tensor = _non_contiguous(sent, about["strided"][path]) if path in about["strided"] else sent
            self.inputs[path] = tensor
            owner, _, attribute = path.rpartition(".")
            if owner:
                _setattr(self._owner(owner), attribute, tensor)
            else:
                self.values[path] = _numpy(tensor) if about["numpy"] else tensor
        for name, text in about["constants"].items():
            self.values[name] = ast.literal_eval(text)
        for path in about["poison"]:
            owner, _, attribute = path.rpartition(".")
            held = self._owner(owner)
            dtype = _dtype_of(held) if _is_floating_point(held) else _float32
            self.poison[path] = _full(tuple(_shape_of(held)), float("nan"), dtype=dtype)
            _setattr(held, attribute, self.poison[path])
        if about["rerun"]:
            for text in about["reads"]:
                self.globals.pop(capture.parsed(text).name, None)
        for name in self.values if about["rerun"] else about["globals"]:
            self.globals[name] = self.values[name]

    def _owner(self, path: str) -> Any:
        """The tensor that the harness itself bound under ``path``."""
        return self.inputs[path] if path in self.inputs else self.poison[path]

    # ------------------------------------------------------------------------------------------- call

    def _call(self) -> dict[str, Any]:
        """Run the program's code; how it ended."""
        try:
            if self.about["rerun"]:
                self._rerun()
            else:
                self._call_as_function()
        except BaseException as error:
            return self._raised(error)
        return {"ended": "returned", "error": None}

    def _call_as_function(self) -> None:
        bound = self.about["parameters"]
        code = _function(self.about["call"], tuple(bound))
        made: dict[str, Any] = {}
        _exec(code, self.globals, made)
        try:
            made["__case__"](*(self.values[name] for name in bound), self._keep_locals)
        except BaseException as error:
            self._locals_of(error)
            raise

    def _keep_locals(self) -> None:
        self.locals = dict(_getframe(1).f_locals)

    def _locals_of(self, error: BaseException) -> None:
        """The call's locals at the moment it raised; deeper frames may be of a class that the call defines."""
        trace = error.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code.co_filename == _CASE_FILE:
                self.locals = dict(trace.tb_frame.f_locals)
                return
            trace = trace.tb_next

    def _rerun(self) -> None:
        source = self.namespace.shell.transform_cell(self.namespace.source)
        file = self.namespace.code_name(0)
        studenterror.remember(file, source)
        code = _compile(source, file, "exec")
        _exec(code, self.globals)

    def _raised(self, error: BaseException) -> dict[str, Any]:
        ended, told = "raised", studenterror.described(error)
        # No subclass, which could be a student's, with an errno of its own making.
        number = error.errno if isinstance(error, OSError) and type(error) in _OF_LIMITS else None
        if limit := limit_told(number, private=self.namespace.private):
            ended = ending_at(limit)
            told |= {"type": "LimitMet", "message": limit}
        elif isinstance(error, OutputLimitExceeded):
            ended = "output_exceeded"
        elif isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and _NO_MEMORY.search(_text(error))):
            ended = "memory_exceeded"
        return {"ended": ended, "error": told}

    def _raises(self) -> dict[str, Any]:
        """Each expression of ``raises`` → the exception that it raised, or None."""
        errors: dict[str, Any] = {}
        for expression in self.about["raises"]:
            errors[expression] = None
            try:
                _eval(_compile(expression.strip(), _CASE_FILE, "eval"), self.globals, dict(self.locals))
            except BaseException as error:
                errors[expression] = studenterror.described(error)
        return errors

    # ------------------------------------------------------------------------------------------- read

    def _read(self, outcome: dict[str, Any], extras: Extras) -> None:
        """Note each path asked for, the inputs as they are now, and what else was made."""
        captures: dict[str, Any] = {}
        for text in self.about["reads"]:
            value, registered = capture.parsed(text).read(self.locals, self.globals)
            poison = self.poison.get(text)
            # A tensor made full of NaN has version 0; adding to it in place leaves NaN, and another version.
            if poison is not None and value is poison and not _version_of(poison) and _is_poison(poison):
                captures[text] = ["", "untouched", ""]
                continue
            tensor, kind, detail = capture.captured(value)
            if tensor is None:
                captures[text] = ["", kind, detail]
            else:
                self.kept[f"c:{text}"] = tensor
                captures[text] = ["parameter" if registered else kind, "", ""]
        outcome["captures"] = captures
        for path, tensor in self.inputs.items():
            if capture.exact_tensor(tensor):
                self.kept[f"i:{path}"] = tensor
        given = {id(tensor) for tensor in (*self.inputs.values(), *self.poison.values())}
        read = {path for path, (_, absence, _) in captures.items() if not absence}
        for name, tensor in extras.found(self.locals, given, read).items():
            self.kept[f"x:{name}"] = tensor


_CASE_FILE = "<check>"
#: What Python makes of the errors that tell of limits.
_OF_LIMITS = (OSError, BlockingIOError)
_NO_MEMORY = re.compile(r"can't allocate memory|not enough memory|Cannot allocate memory")


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return ""


def compile_ahead(texts: Iterable[Any]) -> None:
    """In the zygote: compile what checks will run and read (``programs.Text``), which takes each fork 3 ms.

    Of it nothing is a student's; a text that does not compile fails where it is run.
    """
    for call, parameters, reads in texts:
        with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):
            _function(call, tuple(parameters))
            for path in reads:
                capture.parsed(path)


@functools.lru_cache(maxsize=1024)
def _function(call: str, parameters: tuple[str, ...]) -> types.CodeType:
    """The code of a module that defines ``__case__(*parameters, __keep__)`` with ``call`` as its body."""
    body = ast.parse(call).body
    if body and isinstance(body[-1], ast.Expr):
        result = ast.Assign([ast.Name("result", ast.Store())], body[-1].value)
        body[-1] = ast.copy_location(result, body[-1])
    body.append(ast.Expr(ast.Call(ast.Name("__keep__", ast.Load()), [], [])))
    arguments = ast.arguments([], [ast.arg(name) for name in (*parameters, "__keep__")], None, [], [], None, [])
    function = ast.FunctionDef("__case__", arguments, body, [], None, None)
    if sys.version_info >= (3, 12):
        function.type_params = []
    module = ast.fix_missing_locations(ast.Module([function], []))
    return _compile(module, _CASE_FILE, "exec")


@_apart
def _is_poison(tensor: Any) -> bool:
    """Whether a tensor is still full of NaN."""
    return bool(_item(_all(_isnan(tensor))))


@_apart
def _non_contiguous(tensor: Any, order: list[int]) -> Any:
    """A tensor with the values of ``tensor`` whose memory is laid out with its axes in ``order``, not row-major."""
    inverse = sorted(range(len(order)), key=order.__getitem__)
    laid = _permute(_contiguous(_permute(tensor, order)), inverse)
    if not _is_contiguous(laid):
        return laid
    shape = list(_shape_of(tensor))
    wide = _empty([*shape[:-1], 2 * shape[-1]], dtype=_dtype_of(tensor))
    view = wide[..., ::2]
    return _copy(view, tensor)
