"""The kernel process of a submission: a real ipykernel in a fork of the zygote, confined, on two inherited sockets.

``prepare`` runs once in the zygote (imports, the shell, the kernel object, a first cell); ``run`` in each fork, where
every page that is written is a page to copy, so only connections and streams are left to make. What is left out of
ipykernel is what a graded notebook has no use for: history, debugger, heartbeat, control and stdin channels, and the
messages that say that a cell was received and begun.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
import logging
import os
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from typing import Any

import ipykernel.ipkernel
import ipykernel.kernelapp
import ipykernel.kernelbase
import ipykernel.zmqshell
from ipykernel.compiler import XCachingCompiler
from ipykernel.displayhook import ZMQShellDisplayHook
from ipykernel.iostream import BackgroundSocket, IOPubThread, OutStream
from ipykernel.ipkernel import IPythonKernel
from ipykernel.kernelapp import IPKernelApp
from ipykernel.zmqshell import ZMQDisplayPublisher, ZMQInteractiveShell
from traitlets import Any as AnyTrait
from traitlets import Float, Type, observe
from traitlets.config import Config

from grader.kernel import confine, harness, wire
from grader.kernel.channel import Channel
from grader.kernel.session import PlainSession
from grader.kernel.wire import OUTPUT_KEPT

_compile = compile
_ONLY_PARSE = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
#: Run in the zygote, so that no kernel is the first to do it.
_FIRST_CELL = "__import__('torch').manual_seed(0)"
#: Characters of an error's message that are told.
_ERROR = 64 * 1024


class OutputLimitExceeded(Exception):
    """A cell printed more than it may."""


class Stream(OutStream):  # type: ignore[misc]
    """stdout or stderr of a kernel, which stops a cell that prints more than ``limit`` characters.

    Of these only the first are sent: no more are kept.
    """

    limit = 1024**2
    budget = limit
    room = OUTPUT_KEPT
    _flush_pending = False
    _since = 0.0

    @classmethod
    def refill(cls) -> None:
        """A cell begins."""
        cls.budget, cls.room = cls.limit, OUTPUT_KEPT

    def write(self, string: Any) -> int | None:
        """Write ``string``, or raise ``OutputLimitExceeded`` when the cell's budget is spent."""
        cls = type(self)
        if not isinstance(string, str):
            return int(super().write(string))  # which refuses it
        told = string[: max(0, min(cls.room, cls.budget))]
        if not told.isascii():
            told = told.encode("utf-8", "replace").decode()  # half a surrogate pair is no text to send
        cls.budget -= len(string)
        cls.room -= len(told)
        if told:
            super().write(told)
        if cls.budget < 0:
            raise OutputLimitExceeded(f"more than {cls.limit} characters printed by one cell")
        return len(string)

    def flush(self) -> None:
        """Send what was written, if anything was."""
        if self._flush_pending or self._subprocess_flush_pending:
            super().flush()

    def _schedule_flush(self) -> None:
        """There is something to send: at the cell's end, or when more is written after a while, lest it die first."""
        now = time.monotonic()
        if not self._flush_pending:
            self._flush_pending = True
            self._since = now
        elif now - self._since > self.flush_interval:
            self.flush()


class _Sender(IOPubThread):  # type: ignore[misc]
    """Sends what is published, in the thread that publishes it: ipykernel's, not alive, leaves that to the caller.

    A thread with a loop for it costs each kernel 4 ms, and each print one or two switches between threads.
    """

    def __init__(self, session: PlainSession) -> None:
        self.socket: Channel | None = None
        self.session = session
        self.thread = threading.Thread()
        self.io_loop = None
        self.background_socket = BackgroundSocket(self)
        self._master_pid = os.getpid()
        self._pipe_flag = False


class _Publisher(ZMQDisplayPublisher):  # type: ignore[misc]
    """What ``display`` shows. Nobody looks at it, so it is not sent."""

    def publish(self, data: Any, *args: Any, **kwargs: Any) -> None:
        """Count ``data``, or raise ``OutputLimitExceeded`` when the cell's budget is spent."""
        _spend(data)


class _Result(ZMQShellDisplayHook):  # type: ignore[misc]
    """The value of a cell's last expression. Nobody looks at it, so it is not sent."""

    def write_format_data(self, format_dict: Any, md_dict: Any = None) -> None:
        """Count it, or raise ``OutputLimitExceeded`` when the cell's budget is spent."""
        _spend(format_dict)


def _spend(shown: Any) -> None:
    """Count ``shown`` (type → text) as printed: pictures are large, so a sixteenth of its characters."""
    values = shown.values() if isinstance(shown, dict) else (shown,)
    Stream.budget -= sum(len(value if isinstance(value, str | bytes) else repr(value)) for value in values) // 16
    if Stream.budget < 0:
        raise OutputLimitExceeded(f"one cell displayed more than {16 * Stream.limit} characters")


class Compiler(XCachingCompiler):  # type: ignore[misc]
    """Names the code of a cell after the request that ran it, so that a traceback leads back to the cell."""

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
        return harness.code_name(Kernel.requests)


class _NoShellThread:
    """In place of the thread that ipykernel gives the shell channel: there is none, but its parent is asked for."""

    def __bool__(self) -> bool:
        return False

    @property
    def parent_thread(self) -> threading.Thread:
        """The thread in which cells run; ipykernel compares it before it awaits a cell."""
        return threading.main_thread()


class Kernel(IPythonKernel):  # type: ignore[misc]
    """IPython's kernel, which counts its requests, gives each a fresh budget of output and tells only its end."""

    compiler_class = Compiler
    shell_stream = AnyTrait()
    shell_channel_thread = _NoShellThread()
    _supports_kernel_subshells = False
    _execute_sleep = Float(0.0)  # before each reply, so that a thread may send what was printed: nothing here waits
    requests = 0

    async def do_execute(self, code: str, silent: bool, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Run a cell."""
        Kernel.requests += 1
        Stream.refill()
        kernel = os.getpid()
        reply: dict[str, Any] = await super().do_execute(code, silent, *args, **kwargs)
        if os.getpid() != kernel:
            os._exit(0)  # a fork that the cell did not end: it shares the kernel's connections, and must not serve them
        if "evalue" in reply:
            reply["evalue"] = str(reply["evalue"])[:_ERROR]
        return reply

    def _publish_execute_input(self, code: str, parent: Any, execution_count: int) -> None:
        """Nobody listens for it."""

    def _publish_status(self, status: str, channel: str, parent: Any = None) -> None:
        if status != "busy":
            super()._publish_status(status, channel, parent)


class Shell(ZMQInteractiveShell):  # type: ignore[misc]
    """IPython's shell, which leaves a cell that is plain Python as it is without taking it apart first."""

    display_pub_class = Type(_Publisher)
    displayhook_class = Type(_Result)

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
        """``exit`` and ``quit``: the end of the cell, as ``sys.exit()`` is. IPython's way ends the kernel 0.1 s later."""
        raise SystemExit("exit() ended the cell")

    @observe("exit_now")
    def _update_exit_now(self, change: Any) -> None:
        """A notebook does not end its kernel."""

    def _format_exception_for_storage(self, exception: BaseException, *_args: Any, **_named: Any) -> dict[str, Any]:
        """What IPython's history would keep of an exception, in colour."""
        return {"ename": type(exception).__name__, "evalue": "", "traceback": []}

    def _showtraceback(self, etype: Any, evalue: Any, stb: Any) -> None:
        super()._showtraceback(etype, str(evalue)[:_ERROR], [])

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

    def should_run_async(self, raw_cell: str, *, transformed_cell: str | None = None, **named: Any) -> bool:
        """Whether a cell awaits at its top level; one that has neither word in it is not compiled to find out."""
        text = transformed_cell if transformed_cell is not None else raw_cell
        if "await" not in text and "async" not in text:
            return False
        return bool(super().should_run_async(raw_cell, transformed_cell=transformed_cell, **named))


class App(IPKernelApp):  # type: ignore[misc]
    """ipykernel's application, cut in two: what needs no connection, and what does."""

    def prepare(self) -> None:
        """Make the streams, and the kernel on the existing shell."""
        self.session = PlainSession()
        self.log.setLevel(logging.CRITICAL)  # else a record is made of each message, for nobody
        self.iopub_thread = _Sender(self.session)
        self.iopub_socket = self.iopub_thread.background_socket
        self.streams = [Stream(self.session, self.iopub_thread, name, watchfd=False) for name in ("stdout", "stderr")]
        self.patch_io()
        self.displayhook = ipykernel.kernelapp.import_item(str(self.displayhook_class))(self.session, self.iopub_socket)
        kernel = self.kernel = Kernel.instance(parent=self, session=self.session, log=self.log)
        kernel._stdout, kernel._stderr = self.streams
        kernel.iopub_thread, kernel.iopub_socket = self.iopub_thread, self.iopub_socket
        kernel.shell.kernel = kernel
        for publisher in (kernel.shell.displayhook, kernel.shell.display_pub):
            publisher.pub_socket = self.iopub_socket
        self.displayhook.get_execution_count = lambda: kernel.execution_count

    def start_on(self, shell_fd: int, iopub_fd: int) -> None:
        """Put up the connections and start the kernel on them."""
        senders: list[Any] = [self.iopub_thread, *self.streams]
        for sender in senders:
            sender._master_pid = os.getpid()
        self.session.pid = os.getpid()  # it sends nothing from a fork of the process that it was made in
        self.kernel.shell_stream = Channel(shell_fd, "ROUTER")
        self.iopub_thread.socket = Channel(iopub_fd, "XPUB")
        self.iopub_thread.socket.receive()  # the grader's subscription
        sys.stdout, sys.stderr = self.streams
        sys.displayhook = self.displayhook
        self.kernel.start()


def _system(command: str) -> int:
    """``!command`` of a notebook: run by a shell without a terminal, its output printed as it comes."""
    with subprocess.Popen(
        command, shell=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            sys.stdout.write(line.decode("utf-8", "replace"))
    return process.returncode


def prepare(folder: str) -> None:
    """Make the shell and run a first cell, in the zygote; ``folder`` takes IPython's profile."""
    ipykernel.zmqshell.system = _system  # IPython's own needs a pseudo-terminal, which a job has none of
    os.environ["IPYTHONDIR"] = os.path.join(folder, ".ipython")
    config = Config()
    config.InteractiveShell.xmode = "Minimal"  # nobody reads the traceback; that of an endless recursion takes 20 s
    config.HistoryManager.enabled = False
    config.HistoryManager.hist_file = ":memory:"
    stdout, stderr, hook = sys.stdout, sys.stderr, sys.displayhook
    shell = Shell.instance(config=config, compiler_class=Compiler)
    shell.run_cell(_FIRST_CELL, store_history=False, silent=True)
    asked: Any
    for asked in (Shell.run_cell_async, Kernel.do_execute):
        asked.__signature__ = inspect.signature(asked)  # ipykernel asks for it at each cell
    App.instance(log_level=50).prepare()
    sys.stdout, sys.stderr, sys.displayhook = stdout, stderr, hook


def run(message: dict[str, Any], command: socket.socket, fds: list[int]) -> None:
    """Be the kernel: confine this process, put up ipykernel, report ready, serve until killed."""
    try:
        loop = _come_up(message, command, fds)
    except BaseException:
        wire.send(command, {"event": "failed", "text": traceback.format_exc()[-2000:]})
        raise
    wire.send(command, {"event": "ready"})
    loop.run_forever()


def _come_up(message: dict[str, Any], command: socket.socket, fds: list[int]) -> asyncio.AbstractEventLoop:
    os.setsid()
    os.chdir(message["folder"])
    os.environ.clear()
    os.environ.update(message["environment"], HOME=message["folder"], TMPDIR=message["temporary"])
    random.seed(0)  # Python has drawn a new seed in this fork; every submission starts alike
    tempfile.tempdir = None  # looked up in the zygote, whose own is out of reach here
    _close_standard_streams()
    Stream.limit = message["limits"]["printed"]
    Stream.refill()
    gate = confine_kernel(message)
    if gate is not None:
        wire.send(command, {"event": "gate"}, [gate])
        os.close(gate)
    sys.path.insert(0, "")
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    harness.attach(App.instance().kernel.shell, command)
    loop.add_reader(command.fileno(), harness.on_command)
    App.instance().start_on(*fds)
    return loop


def _close_standard_streams() -> None:
    """Cut the kernel off the grader's descriptors 0 to 2."""
    null = os.open(os.devnull, os.O_RDWR)
    for fd in range(3):
        os.dup2(null, fd)
    os.close(null)


def confine_kernel(message: dict[str, Any]) -> int | None:
    """Give up what a submission must not have; ``sandbox`` none keeps all but the resource limits.

    Returns the gate of new processes, for the job's init.
    """
    limits = message["limits"]
    # The watchdog kills at the limit; this net above it catches what allocates faster than it looks.
    memory = message["mapped"] + limits["memory"] * 5 // 4 + 256 * 1024**2
    confine.limit_resources(open_files=limits["open_files"], file_size=limits["written"], memory=memory)
    if message["sandbox"] == "none":
        return None
    return confine.confine_kernel(message["sandbox"], message["read"], message["write"])
