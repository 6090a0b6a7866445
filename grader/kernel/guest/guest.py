"""The kernel process of a submission: a real ipykernel in a fork of the zygote, confined, on two inherited sockets.

``prepare`` runs once in the zygote (imports, the shell, the kernel object, a first cell); ``run`` in each fork, where
every page that is written is a page to copy, so only connections and streams are left to make. What is left out of
ipykernel is what a graded notebook has no use for: history, debugger, heartbeat, control and stdin channels, and the
messages that say that a cell was received and begun.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import os
import random
import selectors
import socket
import sys
import tempfile
import threading
import traceback
from typing import TYPE_CHECKING, Any

import ipykernel.ipkernel
import ipykernel.kernelapp
import ipykernel.kernelbase
import ipykernel.zmqshell
from ipykernel.ipkernel import IPythonKernel
from ipykernel.kernelapp import IPKernelApp
from traitlets import Any as AnyTrait
from traitlets import Float
from traitlets.config import Config

from grader.kernel.confinement import confine, seccomp
from grader.kernel.guest import harness
from grader.kernel.guest.channel import Channel
from grader.kernel.guest.outputs import Sender, Stream
from grader.kernel.guest.shell import MOST_ERROR, Compiler, Shell, system
from grader.kernel.protocol import wire
from grader.kernel.protocol.session import PlainSession

if TYPE_CHECKING:
    from grader.kernel.protocol.messages import JobSpec

#: Run in the zygote, so that no kernel is the first to do it.
_FIRST_CELL = "__import__('torch').manual_seed(0)"


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

    async def do_execute(self, code: str, silent: bool, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Run a cell."""
        Compiler.requests += 1
        Stream.refill()
        kernel = os.getpid()
        reply: dict[str, Any] = await super().do_execute(code, silent, *args, **kwargs)
        if os.getpid() != kernel:
            os._exit(0)  # a fork that the cell did not end: it shares the kernel's connections, and must not serve them
        for name in ("stdout", "stderr"):
            try:
                getattr(sys, name).flush()
            except Exception:  # of whatever a cell left there: the next one would hang
                setattr(sys, name, getattr(self, f"_{name}"))
        if "evalue" in reply:
            reply["evalue"] = str(reply["evalue"])[:MOST_ERROR]
        return reply

    def _publish_execute_input(self, code: str, parent: Any, execution_count: int) -> None:
        """Nobody listens for it."""

    def _publish_status(self, status: str, channel: str, parent: Any = None) -> None:
        if status != "busy":
            super()._publish_status(status, channel, parent)


class App(IPKernelApp):  # type: ignore[misc]
    """ipykernel's application, cut in two: what needs no connection, and what does."""

    def prepare(self) -> None:
        """Make the streams, and the kernel on the existing shell."""
        self.session = PlainSession()
        self.log.setLevel(logging.CRITICAL)  # else a record is made of each message, for nobody
        self.iopub_thread = Sender(self.session)
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
        self.kernel.shell_stream = Channel(shell_fd, "ROUTER")
        self.iopub_thread.socket = Channel(iopub_fd, "XPUB")
        self.iopub_thread.socket.receive()  # the grader's subscription
        sys.stdout, sys.stderr = self.streams
        sys.displayhook = self.displayhook
        self.kernel.start()


def prepare(folder: str) -> None:
    """Make the shell and run a first cell, in the zygote; ``folder`` takes IPython's profile."""
    selectors.DefaultSelector = selectors.PollSelector  # type: ignore[assignment,misc] # for asyncio: epoll is refused
    ipykernel.zmqshell.system = system  # IPython's own needs a pseudo-terminal, which a job has none of
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


def run(message: JobSpec, command: socket.socket, fds: list[int]) -> None:
    """Be the kernel: confine this process, put up ipykernel, report ready, serve until killed."""
    try:
        loop = _come_up(message, command, fds)
    except BaseException:
        wire.send(command, {"event": "failed", "text": traceback.format_exc()[-2000:]})
        raise
    wire.send(command, {"event": "ready"})
    loop.run_forever()


def _come_up(message: JobSpec, command: socket.socket, fds: list[int]) -> asyncio.AbstractEventLoop:
    os.setsid()
    os.chdir(message["folder"])
    os.environ.clear()
    os.environ.update(message["environment"], HOME=message["folder"], TMPDIR=message["temporary"])
    random.seed(0)  # Python has drawn a new seed in this fork; every submission starts alike
    tempfile.tempdir = None  # looked up in the zygote, whose own is out of reach here
    _close_standard_streams()
    Stream.limit = message["limits"]["printed"]
    Stream.refill()
    gate = _give_up(message)
    if gate is not None:
        wire.send(command, {"event": "gate"}, [gate])
        os.close(gate)
    if message["sandbox"] == "landlock":  # in bwrap the job's own file system counts what it holds
        seccomp.keep_descriptors()
    # Last: one user's descriptors in flight are counted together, against the limit of the process that sends one.
    confine.limit_resources(open_files=message["limits"]["open_files"])
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


def _give_up(message: JobSpec) -> int | None:
    """Give up what a submission must not have; ``sandbox`` none keeps all but the resource limits.

    Returns the gate of new processes, for the job's init.
    """
    limits = message["limits"]
    # The watchdog kills at the limit; this net above it catches what allocates faster than it looks.
    memory = message["mapped"] + limits["memory"] * 5 // 4 + 256 * 1024**2
    confine.limit_resources(file_size=limits["written"], memory=memory)
    if message["sandbox"] == "none":
        return None
    return confine.confine_kernel(message["sandbox"], message["read"], message["write"], message["hidden"])
