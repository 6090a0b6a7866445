"""What runs inside the student's process: the fork for a check, and the check in the fork.

All references it needs are taken when the zygote imports it, before any student code runs. It is not what a verdict
rests on: student code shares its process and could meddle with it, and would harm only itself.
"""

from __future__ import annotations

import contextlib
import gc
import os
import random
import socket
import threading
from typing import Any

import torch

from grader.kernel.check import autograd_watch, calm
from grader.kernel.check.program import Namespace, ProgramRun
from grader.kernel.check.studenterror import code_name
from grader.kernel.confinement import confine
from grader.kernel.guest.surroundings import Surroundings
from grader.kernel.protocol import exchange, memfiles, proof, wire

_fork, _exit, _pwrite, _close = os.fork, os._exit, os.pwrite, os.close
_gc_freeze, _random_seed, _untraced = gc.freeze, random.seed, calm.untraced
_thread_settrace, _thread_setprofile = threading.settrace, threading.setprofile
_set_num_threads = torch.set_num_threads
_set_default_dtype, _set_default_device = torch.set_default_dtype, torch.set_default_device
_set_grad_enabled = torch._C._set_grad_enabled
_socket = socket.socket
_send, _receive, _Closed = wire.send, wire.receive, wire.Closed
_Undisturbed = exchange.Undisturbed
_encode, _decode, _contents, _size = exchange.encode, exchange.decode, memfiles.contents, exchange.size
_fstat = os.fstat
_confine_check = confine.confine_check
_proof_of = proof.proof_of

#: Of the one kernel that this process is (``attach``); its main loop calls ``on_command`` without arguments.
_shell: Any = None
_command: socket.socket | None = None
_secret = ""
_children: list[int] = []


def attach(shell: Any, command: socket.socket) -> None:
    """Remember the kernel's shell, the socket over which the job's init gives orders, and the secret sent over it."""
    global _shell, _command, _secret
    _shell, _command, _secret = shell, command, _receive(command)[0]["secret"]


def on_command() -> None:
    """An order of the job's init, on the kernel's main loop while no cell runs."""
    command = _command
    assert command is not None
    try:
        message, fds, _ = _receive(command)
    except _Closed:
        _exit(1)
    _collect_children()
    if message.get("do") == "fork":
        with _socket(fileno=fds.pop()) as ours:
            _fork_check(command, ours)
    for fd in fds:
        _close(fd)


def _collect_children() -> None:
    """Collect those of the forks that have ended."""
    for child in list(_children):
        with contextlib.suppress(ChildProcessError):
            if os.waitpid(child, os.WNOHANG)[0]:
                _children.remove(child)


def _fork_check(command: socket.socket, ours: socket.socket) -> None:
    """Fork the process of a check, which speaks with the init over ``ours``."""
    try:
        child = _fork()
    except OSError:  # the system has no room: this student has as many as the init lets through
        _send(ours, {"event": "unable"})
        return
    if child == 0:
        try:
            _serve_checks(command, ours)
        finally:
            _exit(1)
    _children.append(child)


def _serve_checks(command: socket.socket, ours: socket.socket) -> None:
    """In the fork: report to the init, and do what comes over the socket ``ours`` until it closes."""
    command.close()
    _send(ours, {"event": "forked"})
    order, (source, result_file), _ = _receive(ours)  # and no thread before, which would be taken for the notebook's
    _start_apart()
    check = order["check"]
    if check["sandbox"] != "none":
        _confine_check()
    namespace = _namespace(check, source)
    surroundings = Surroundings(namespace.globals)
    watch = None if check["autograd"] else autograd_watch.install()
    while True:
        try:
            order, fds, _ = _receive(ours)
        except _Closed:
            _exit(0)
        if order["do"] == "check":  # another one, in the same fork
            with _Undisturbed():
                clean = surroundings.restore()
            check = order["check"]
            namespace = _namespace(check, fds[0])
            _send(ours, {"event": "clean" if clean else "dirty"})
        else:
            told, data = _run_program(namespace, watch, fds[0], result_file, order["at"])
            _send(ours, {**told, "proof": _proof_of(_secret, [check, order], data)})


def _start_apart() -> None:
    """Give up what the kernel's process has and a check's must not: threads, traces, its place in random streams."""
    _random_seed(0)
    _gc_freeze()  # a collection in this process would write to, and so copy, what the kernel has made
    _set_num_threads(1)
    _untraced()
    _thread_settrace(None)
    _thread_setprofile(None)


def _run_program(
    namespace: Namespace, watch: Any, program: int, result_file: int, at: int
) -> tuple[dict[str, Any], bytes]:
    """Run what the memory file ``program`` holds, write the result into ``result_file`` from ``at`` on.

    Returns what to report, and the result.
    """
    with _Undisturbed():
        tensors, about = _decode(_contents(program))
    _close(program)
    kept, outcome = ProgramRun(namespace, about, tensors, watch).run()
    capacity = _fstat(result_file).st_size
    with _Undisturbed():
        fits = at + _size(kept) <= capacity
        data = (_encode(kept, outcome, watch.late) if watch else _encode(kept, outcome)) if fits else b""
    if not fits or at + len(data) > capacity:
        return {"event": "too_large"}, b""
    left, place = memoryview(data), at
    while left:
        written = _pwrite(result_file, left, place)
        place += written
        left = left[written:]
    return {"event": "done", "at": at, "length": len(data)}, data


def _namespace(check: dict[str, Any], source: int) -> Namespace:
    """The notebook as ``check`` sees it, with torch's modes as a check may rely on them."""
    with _Undisturbed():
        _set_default_device(None)
        _set_default_dtype(torch.float32)
    _set_grad_enabled(True)
    text = _contents(source).decode()
    _close(source)
    private = check["sandbox"] == "bwrap"
    return Namespace(_shell, check["needs"], text, code_name, check["printed"], private=private)
