"""Code that a notebook runs and nobody can read in it: ``exec`` of a text that is made only then.

What may be read is a text as it is written, in whatever cell, and a module beside the notebook. Writing a module is as
good as running it.
"""

from __future__ import annotations

import ast
import itertools
import posixpath
import re
from collections.abc import Callable, Collection, Iterator, Sequence

from grader.cell_code import PYTHON_MAGICS, code_of, name_called, parsed
from grader.submission.reading.bindings import Bindings

_RUN = ("exec", "eval", "compile")
#: What else runs a text, of IPython, ``code`` and profilers: the first that it is given, or of a magic the last.
_RUNNERS, _MAGICS = ("run_cell", "run_code", "runcode", "runctx", "runsource"), ("run_cell_magic", "run_line_magic")
#: Methods that do so of some objects alone, told by what holds or makes them; and those that write a text to a file.
_SHELL = ("get_ipython", "instance")
_METHODS = {"ev": _SHELL, "ex": _SHELL, "run": ("cProfile", "Profile", "Pdb", "pdb")}
_WRITE = ("write", "write_bytes", "write_text")
#: A source without these runs no text, unless it writes a module.
_WORDS = re.compile(
    rf"\b(?:exec|eval|compile|{'|'.join((*_RUNNERS, *_MAGICS))}|cProfile|Profile|[Pp]db)\b|\.\s*e[vx]\b"
)
#: A file that IPython runs, and the endings of those that are code; to a name without one it adds that of a module.
_RUN_FILE, _CODE = re.compile(r"^[ \t]*%run[ \t]+(?:-\w+[ \t]+)*[\"']?([^\s\"']+)", re.M), ("", ".py", ".ipy", ".ipynb")
#: Methods and functions that leave a text as it was, but for what surrounds it, and those that give a function's.
_SURROUNDED, _SHOWN = ("strip", "lstrip", "rstrip", "expandtabs"), ("getsource",)
#: Calls that are looked at in one source; nobody runs as many texts.
_MOST = 100
#: Characters of a sign that are shown.
_LONGEST = 80


def runs_texts(source: str) -> bool:
    """Whether ``source`` may run a text, or write a module: a quick look."""
    return not source.isascii() or _WORDS.search(source) is not None or (".py" in source and "write" in source)


def hidden_code(source: str, bindings: Bindings) -> str | None:
    """The first call in ``source`` that runs a text which cannot be read, or such a file; None where there is none."""
    signs = (code_of(node) for node, texts in texts_run(source, bindings) if texts is None)
    files = (run[0] for run in _RUN_FILE.finditer(source) if posixpath.splitext(run[1])[1] not in _CODE)
    return next((" ".join(sign.split())[:_LONGEST] for sign in itertools.chain(signs, files)), None)


def texts_run(source: str, bindings: Bindings) -> Iterator[tuple[ast.AST, frozenset[str] | None]]:
    r"""Yield each call in ``source`` that runs a text, and those that it can be; None where they cannot be read.

    So it does each that writes a module. What is a file's, or a function's, is read where that is.

    >>> def found(source): return [(code_of(node), texts) for node, texts in texts_run(source, Bindings(source))]
    >>> found("exec(bytes.fromhex('783d31'))")
    [("exec(bytes.fromhex('783d31'))", None)]
    >>> found("exec(open('helper.py').read())\nname = 'w'\nprint(eval(name))\nmodel.eval()")
    [("exec(open('helper.py').read())", frozenset()), ('eval(name)', frozenset({'w'}))]
    """
    tree = parsed(source) if runs_texts(source) else None
    if tree is None:
        return
    own = {name for name in _RUN if not all(map(_is_pythons, bindings.values(name)))}
    reader = _Reader(bindings)
    called: set[int] = set()
    seen = 0
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called.add(id(node.func))
            text = _text_given(node, own, reader)
            if text is not None:
                seen += 1
                yield node, reader.read(text) if seen <= _MOST else None
        elif id(node) not in called and _is_pythons(node, but=own):
            yield node, None  # under another name


def _is_pythons(node: ast.AST | None, but: Collection[str] = ()) -> bool:
    """Whether Python's ``exec`` or ``eval`` is taken, or imported, by its name."""
    if isinstance(node, ast.ImportFrom):
        return node.module == "builtins" and any(alias.name in _RUN for alias in node.names)
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in {"exec", "eval"}.difference(but)


def _text_given(call: ast.Call, own: Collection[str], reader: _Reader) -> ast.expr | None:
    """The text that a call runs, or writes to a module; None where it does not."""
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    function, name = call.func, name_called(call)
    if not given:
        return None
    if name in _MAGICS:
        kind = given[0].value if isinstance(given[0], ast.Constant) else None
        return None if isinstance(kind, str) and kind not in PYTHON_MAGICS else given[-1]
    if name in _RUNNERS or (isinstance(function, ast.Name) and name in _RUN and name not in own):
        return given[0]
    if not isinstance(function, ast.Attribute):
        return None
    of_python = isinstance(function.value, ast.Name) and function.value.id in ("builtins", "__builtins__")
    if (of_python and name in _RUN) or reader.comes_of(function.value, _METHODS.get(name, ())):
        return given[0]
    return given[0] if name in _WRITE and reader.is_module(function.value) else None


class _Reader:
    """Tells which texts can be read, where names stand for what ``bindings`` say."""

    def __init__(self, bindings: Bindings) -> None:
        self._bindings = bindings
        self._known: dict[tuple[str, str], bool] = {}

    def read(self, node: ast.expr) -> frozenset[str] | None:
        """The texts that ``node`` can be, as far as they are written whole; None where one cannot be read."""
        texts = self._bindings.texts(node)
        return frozenset() if texts is None and self._is_read(node) else texts

    def is_module(self, node: ast.expr) -> bool:
        """Whether ``node`` may be a file that is opened, or its path, whose name is a module's."""
        return any(map(self._is_module, self._perhaps(node)))

    def comes_of(self, node: ast.expr, names: Collection[str]) -> bool:
        """Whether ``node`` is called by one of ``names``, or may be what one of them gives."""
        return bool(names) and (
            getattr(node, "id", "") in names
            or any(isinstance(one, ast.Call) and name_called(one) in names for one in self._perhaps(node))
        )

    def _perhaps(self, node: ast.expr) -> Sequence[ast.expr | None]:
        """The expressions that ``node`` may stand for."""
        values = self._bindings.values(node.id) if isinstance(node, ast.Name) else (node,)
        return values if self._bindings.may_look_at(values) else ()

    def _is_read(self, node: ast.expr | None) -> bool:
        if self._bindings.texts(node) is not None:
            return True
        if isinstance(node, ast.JoinedStr):
            return all(self._is_number(part.value) for part in node.values if isinstance(part, ast.FormattedValue))
        if isinstance(node, ast.Name):
            return self._all_are(node.id, self._is_read)
        if not isinstance(node, ast.Call):
            return False
        name = name_called(node)
        if isinstance(node.func, ast.Attribute):
            if name in ("read", "read_text"):
                return self._is_module(node.func.value)
            if name in _SURROUNDED and not node.args:
                return self._is_read(node.func.value)
        return name in _SHOWN or (name in ("compile", "dedent") and bool(node.args) and self._is_read(node.args[0]))

    def _all_are(self, name: str, kind: Callable[[ast.expr | None], bool]) -> bool:
        key = name, kind.__name__
        if key not in self._known:
            self._known[key] = False  # while it is found out
            values = self._bindings.values(name) if len(self._known) < _MOST else ()
            seen = bool(values) and self._bindings.may_look_at(values)
            self._known[key] = seen and all(kind(value) for value in values)
        return self._known[key]

    def _is_number(self, node: ast.expr | None) -> bool:
        """A number, by which names are told apart (``f"w{i}"``); no text is spelled with it."""
        if isinstance(node, ast.Constant):
            return isinstance(node.value, int)
        if isinstance(node, ast.Starred):
            node = node.value
            return isinstance(node, ast.Call) and name_called(node) == "range"
        return isinstance(node, ast.Name) and self._all_are(node.id, self._is_number)

    def _is_module(self, node: ast.expr | None) -> bool:
        """A file that is opened, or its path, whose name is a module's."""
        if isinstance(node, ast.Name) and self._bindings.texts(node) is None:
            return self._all_are(node.id, self._is_module)
        if isinstance(node, ast.Call):
            if not node.args:  # of a path
                return isinstance(node.func, ast.Attribute) and self._is_module(node.func.value)
            return self._is_module(node.args[-1 if name_called(node) in ("Path", "join", "joinpath") else 0])
        if isinstance(node, ast.BinOp):
            return self._is_module(node.right)
        if isinstance(node, ast.JoinedStr):
            node = node.values[-1] if node.values else None
        texts = self._bindings.texts(node)
        return texts is not None and all(text.endswith(".py") for text in texts)
