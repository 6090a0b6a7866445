"""IPython's shell for graded notebooks: quick for plain Python, and without the output that nobody reads."""

from __future__ import annotations

import ast
import subprocess
import sys
from typing import Any

from ipykernel.compiler import XCachingCompiler
from ipykernel.zmqshell import ZMQInteractiveShell
from IPython.core.error import UsageError
from traitlets import Type, observe

from grader.kernel.check.studenterror import code_name
from grader.kernel.guest import outputs

_compile = compile
_ONLY_PARSE = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
#: Characters of an error's message that are told.
MOST_ERROR = 64 * 1024
#: Magics whose line is a student's own code: what that raises is the cell's.
_RUN_CODE = frozenset({"time", "timeit", "prun", "run", "memit", "mprun", "lprun"})


class Compiler(XCachingCompiler):  # type: ignore[misc]
    """Names the code of a cell after the request that ran it, so that a traceback leads back to the cell."""

    #: Execute requests so far.
    requests = 0
    #: A cell and what ``Shell.transform_cell`` parsed it to.
    parsed: tuple[str, ast.AST | None] = ("", None)

    def ast_parse(self, source: str, filename: str = "<unknown>", symbol: str = "exec") -> ast.AST:
        """What ``source`` is parsed to; a tree that is there already is handed out once, since it may be changed."""
        (text, tree), self.parsed = self.parsed, ("", None)
        if tree is not None and text == source and symbol == "exec":
            return tree
        parsed: ast.AST = super().ast_parse(source, filename, symbol)
        return parsed

    def get_code_name(self, raw_code: str, transformed_code: str, number: int) -> str:
        """``ipykernel_<n>.py`` where ``n`` counts execute requests from 1."""
        return code_name(Compiler.requests)


class Shell(ZMQInteractiveShell):  # type: ignore[misc]
    """IPython's shell, which leaves a cell that is plain Python as it is without taking it apart first."""

    display_pub_class = Type(outputs.Publisher)
    displayhook_class = Type(outputs.Result)

    transformed = ("", "")

    def showtraceback(self, exc_tuple: Any = None, *_args: Any, **_named: Any) -> None:
        """Tell the error's name and message, cut; nobody reads the traceback."""
        try:
            etype, value, _ = self._get_exc_info(exc_tuple)
        except ValueError:
            return
        self._showtraceback(etype, value, [])

    showsyntaxerror = showindentationerror = showtraceback

    def ask_exit(self) -> None:
        """``exit`` and ``quit`` end the cell, as ``sys.exit()`` does. IPython's way ends the kernel, 0.1 s later."""
        raise SystemExit("exit() ended the cell")

    @observe("exit_now")
    def _update_exit_now(self, change: Any) -> None:
        """A notebook does not end its kernel."""

    def _format_exception_for_storage(self, exception: BaseException, *_args: Any, **_named: Any) -> dict[str, Any]:
        """What IPython's history would keep of an exception, in colour."""
        return {"ename": type(exception).__name__, "evalue": "", "traceback": []}

    def _showtraceback(self, etype: Any, evalue: Any, stb: Any) -> None:
        super()._showtraceback(etype, str(evalue)[:MOST_ERROR], [])

    def transform_cell(self, raw_cell: str) -> str:
        """``raw_cell`` as Python. A magic, ``!command`` or ``help?`` is none, and goes IPython's slow way."""
        raw, transformed = self.transformed
        if raw != raw_cell:
            try:
                tree = _compile(raw_cell, "<cell>", "exec", _ONLY_PARSE)
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                return str(super().transform_cell(raw_cell))
            transformed = raw_cell if raw_cell.endswith("\n") else f"{raw_cell}\n"
            self.transformed = raw_cell, transformed
            self.compile.parsed = transformed, tree
        return transformed

    def run_line_magic(self, magic_name: str, line: str, _stack_depth: int = 1) -> Any:
        """Run ``%magic_name``. One that this machine does not have is left out, and the cell goes on.

        ``%matplotlib inline`` stands above the imports of many notebooks, and there may be no matplotlib here.
        """
        try:
            return super().run_line_magic(magic_name, line, _stack_depth + 1)
        except (ImportError, UsageError) as error:
            if magic_name in _RUN_CODE:
                raise
            sys.stderr.write(f"%{magic_name} was left out: {error}\n")
            return None

    def should_run_async(self, raw_cell: str, *, transformed_cell: str | None = None, **named: Any) -> bool:
        """Whether a cell awaits at its top level; one without ``await`` and ``async`` is not compiled to find out."""
        text = transformed_cell if transformed_cell is not None else raw_cell
        if "await" not in text and "async" not in text:
            return False
        return bool(super().should_run_async(raw_cell, transformed_cell=transformed_cell, **named))


def system(command: str) -> int:
    """``!command`` of a notebook: run by a shell without a terminal, its output printed as it comes."""
    with subprocess.Popen(
        command, shell=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            sys.stdout.write(line.decode("utf-8", "replace"))
    return process.returncode
