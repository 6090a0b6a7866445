"""Checks in the process that calls: a student's own notebook, ``grader validate``, a kernel without a zygote.

The harness is the one that graded submissions meet; sandbox, init and host are missing, so nothing here is safe from
what the code under check does on purpose. ``run_in_fork`` keeps its accidents away (a hang, a crash, an input modified
in place, a drawn random number); ``run_in_process`` undoes what it can and needs nothing of the system.
"""

from __future__ import annotations

import contextlib
import faulthandler
import io
import os
import random
import select
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator, MutableMapping
from typing import Any

import numpy
import torch

from grader.kernel.check import autograd_watch, calm
from grader.kernel.check.program import Namespace, ProgramRun
from grader.kernel.check.studenterror import code_name
from grader.kernel.clock import ALLOWANCE
from grader.kernel.confinement import confine
from grader.kernel.deaths import how_it_ended
from grader.kernel.protocol import exchange, programs, results
from grader.model import CaseRun, Check, Ending, Limits, Program

#: Whether checks may run in forks here. On macOS the system's own libraries do not survive a fork.
FORKS = hasattr(os, "fork") and sys.platform != "darwin"
#: In place of a result that is larger than it may be: the beginning of a larger one.
_TOO_LARGE = b"\xff" * 8
_LIMITS = Limits()


class PlainShell:
    """As much of IPython's shell as the harness uses: a namespace, and what turns a cell into Python.

    ``shell`` is the live one, if there is one; without it a cell is taken as it stands, magics and all.
    """

    def __init__(self, namespace: MutableMapping[str, Any], shell: Any = None) -> None:
        self.user_ns = namespace
        self.transform_cell: Callable[[str], str] = str if shell is None else shell.transform_cell


def run_in_fork(check: Check, namespace: dict[str, Any], *, shell: Any = None) -> tuple[CaseRun, ...]:
    """Run every program of ``check`` in forks of this process, where ``namespace`` is what the notebook defined.

    One fork runs all programs; one that dies (``crashed``) or runs out of the check's time (``timed_out``) costs the
    program it was at, and another goes on behind it. This process is left as it was: no random number drawn, no global
    changed, nothing printed.
    """
    seconds = check.time_limit or _LIMITS.check_s
    runs: list[CaseRun] = []
    deadline = time.monotonic() + seconds
    late = False
    while len(runs) < len(check.programs):
        with _Fork(check, check.programs[len(runs) :], namespace, shell, seconds) as fork:
            ended = fork.collect(runs, deadline)
        if ended is not None:
            how = fork.how if ended == "crashed" else ""
            runs.append(results.unfinished(check.programs[len(runs)], ended, how))
        if ended == "timed_out" and not late:
            late = True
            deadline = time.monotonic() + seconds * ALLOWANCE
    return tuple(runs)


def run_in_process(check: Check, namespace: dict[str, Any], *, shell: Any = None) -> tuple[CaseRun, ...]:
    """Run every program of ``check`` in this very process; nothing stops a hang or a crash, autograd goes unnoticed.

    Put back afterwards: random states, grad mode, default dtype and device, and the names of ``namespace``; not the
    objects behind them. Raises ``KeyboardInterrupt`` when the user interrupts.
    """
    with process_restored(namespace):
        reset_torch_modes()
        space = _space(check, namespace, shell)
        return tuple(_in_process(program, space, check) for program in check.programs)


def _in_process(program: Program, space: Namespace, check: Check) -> CaseRun:
    kept, outcome = _outcome(program, space, None)
    with torch._C.DisableTorchFunction():
        own = {name: tensor.detach().clone() for name, tensor in kept.items()}
    return not_interrupted(results.case_run(program, own, outcome, lambda _: check.cell)[0])


def not_interrupted(run: CaseRun) -> CaseRun:
    """``run``, of a program in this very process. Raises ``KeyboardInterrupt`` where the user's ended a part of it."""
    if any(error is not None and error.type == "KeyboardInterrupt" for error in (run.error, *run.errors.values())):
        raise KeyboardInterrupt
    return run


def _space(check: Check, namespace: dict[str, Any], shell: Any) -> Namespace:
    return Namespace(PlainShell(namespace, shell), list(check.needs), check.source or "", code_name, _LIMITS.printed)


def _outcome(program: Program, space: Namespace, watch: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """One program run on inputs of its own, as ``ProgramRun.run`` gives it."""
    with torch._C.DisableTorchFunction(), torch.no_grad():
        own = {
            name: tensor.detach().clone(memory_format=torch.contiguous_format)
            for name, tensor in program.tensors.items()
        }
    return ProgramRun(space, programs.described(program), own, watch).run()


def reset_torch_modes() -> None:
    """Set the modes of torch that a check may rely on (CPU, float32, gradients on), whatever the notebook has set."""
    with torch._C.DisableTorchFunction():
        if default_device().type != "cpu":
            torch.set_default_device(None)
        torch.set_default_dtype(torch.float32)
    torch._C._set_grad_enabled(True)


def default_device() -> torch.device:
    """Where tensors are made that are asked for nowhere in particular."""
    try:
        return torch.get_default_device()
    except AttributeError:  # torch 2.9, once ``set_default_device(None)`` was called
        return torch.device("cpu")


@contextlib.contextmanager
def names_restored(namespace: dict[str, Any]) -> Iterator[None]:
    """Put back afterwards what each name of a namespace stands for."""
    held = dict(namespace)
    try:
        yield
    finally:
        for name in [name for name in namespace if name not in held]:
            del namespace[name]
        namespace.update(held)


@contextlib.contextmanager
def process_restored(namespace: dict[str, Any]) -> Iterator[None]:
    """Put back afterwards what a check may change of this process: names, random states, torch's modes."""
    states = random.getstate(), numpy.random.get_state(), torch.get_rng_state()
    grad, dtype, device = torch.is_grad_enabled(), torch.get_default_dtype(), default_device()
    try:
        with names_restored(namespace):
            yield
    finally:
        random.setstate(states[0])
        numpy.random.set_state(states[1])
        torch.set_rng_state(states[2])
        torch._C._set_grad_enabled(grad)
        torch.set_default_dtype(dtype)
        if default_device() != device:
            torch.set_default_device(device)


# ---------------------------------------------------------------------------------------------------- fork


class _Fork:
    """A fork of this process that runs ``todo`` and sends each result over a pipe; killed when the block ends."""

    def __init__(
        self, check: Check, todo: tuple[Program, ...], namespace: dict[str, Any], shell: Any, seconds: float
    ) -> None:
        self.check = check
        self.todo = todo
        self.received = bytearray()
        self.how = ""
        self.fd, theirs = os.pipe()
        try:
            with warnings.catch_warnings():
                # Python 3.12 warns of a fork beside other threads; the child starts none and ends by os._exit.
                warnings.simplefilter("ignore", DeprecationWarning)
                self.pid = _fork()
            if self.pid == 0:
                try:
                    self._be_child(theirs, namespace, shell, seconds)
                finally:
                    os._exit(1)
        except OSError:
            os.close(self.fd)
            raise
        finally:
            os.close(theirs)

    def __enter__(self) -> _Fork:
        return self

    def __exit__(self, *about: object) -> None:
        os.close(self.fd)
        self._end()

    def collect(self, runs: list[CaseRun], deadline: float) -> Ending | None:
        """Add each result to ``runs`` as it comes; the ending of the first program that has none, or None."""
        for program in self.todo:
            data = self._frame(deadline)
            if isinstance(data, str):
                if data == "crashed":
                    self._end()
                return data
            runs.append(results.parsed(data, program, lambda _: self.check.cell)[0])
        return None

    def _frame(self, deadline: float) -> bytes | Ending:
        """The next result, or how its program ended without one."""
        while True:
            try:
                data = exchange.unframed(self.received, _LIMITS.result)
            except exchange.Malformed:
                return "output_exceeded"
            if data is not None:
                return data
            poll = select.poll()
            poll.register(self.fd, select.POLLIN)
            if not poll.poll(max(0.0, (deadline - time.monotonic()) * 1000)):
                return "timed_out"
            chunk = os.read(self.fd, 1024**2)
            if not chunk:
                return "crashed"
            self.received += chunk

    def _end(self) -> None:
        """Kill the child with all of its session, and note how it ended where it had already."""
        if not self.pid:
            return
        pid, self.pid = self.pid, 0
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if os.getpgid(pid) == pid:
                os.killpg(pid, signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            self.how = how_it_ended(os.waitpid(pid, 0)[1])

    # ------------------------------------------------------------------------------------ in the child

    def _be_child(self, pipe: int, namespace: dict[str, Any], shell: Any, seconds: float) -> None:
        """Run ``todo``, sending each result; the caller ends the process."""
        os.close(self.fd)  # else it would wait for itself to read, where the parent is dead
        _cut_off(seconds)
        reset_torch_modes()
        space = _space(self.check, namespace, shell)
        watch = None if self.check.autograd else autograd_watch.install()
        left = _LIMITS.result
        for program in self.todo:
            kept, outcome = _outcome(program, space, watch)
            with exchange.Undisturbed():
                data = exchange.encode(kept, outcome, watch.late) if watch else exchange.encode(kept, outcome)
            left -= len(data)
            if left < 0:
                _write(pipe, _TOO_LARGE)
                return
            _write(pipe, exchange.framed(data))


def _fork() -> int:
    """Fork as the system does: JupyterLab's debugger, once it was on, puts a fork of its own into ``os``.

    That one connects the child to the debugger, in threads, which only cost it its time.
    """
    import posix  # what ``os`` has its functions from, where there is any fork

    return posix.fork()


def _write(pipe: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(pipe, view) :]


def _cut_off(seconds: float) -> None:
    """In a fresh fork: let nothing that happens here reach the parent, its terminal or its event loop."""
    torch.set_num_threads(1)  # first of all: threads that the parent had are not here, and would be waited for
    os.setsid()
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    null = os.open(os.devnull, os.O_RDWR)
    for fd in range(3):
        os.dup2(null, fd)
    faulthandler.disable()  # its report goes to a descriptor of its own
    with contextlib.redirect_stderr(io.StringIO()):  # where JupyterLab's debugger complains of what it is told here
        calm.untraced()
    threading.settrace(None)
    threading.setprofile(None)
    import resource

    # Where the parent dies, nobody kills this process at its deadline: the system does, or stops what computes on.
    if sys.platform == "linux":
        confine.die_with_parent(signal.SIGKILL)
    most = int(seconds) + 5
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CPU, (most, most))
