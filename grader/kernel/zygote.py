"""The zygote: one process a run that has imported everything a notebook needs and forks a job on request.

It runs inside the sandbox, never runs student code, and stays single-threaded: a fork of it costs milliseconds where a
cold kernel costs seconds. Started by ``grader.kernel.sandbox``; speaks ``grader.kernel.wire`` with the pool.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import socket
import sys
from typing import Any

from grader.kernel import confine, wire


def serve(fd: int) -> None:
    """Import, warm, report ready, then fork a job for each message until the pool closes its end."""
    sock = socket.socket(fileno=fd)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(OSError):
        confine.die_with_parent(signal.SIGKILL)
    warm()
    import torch

    wire.send(sock, {"event": "ready", "torch": torch.__version__, "python": sys.version.split()[0]})
    while True:
        try:
            message, fds, _ = wire.receive(sock)
        except wire.Closed:
            return
        if os.fork() == 0:
            sock.close()
            _become_job(message, fds)
        for received in fds:
            os.close(received)
        _reap()


def _reap() -> None:
    """Collect the jobs that have ended."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _become_job(message: dict[str, Any], fds: list[int]) -> None:
    """Turn a fresh fork into a job's init; never returns."""
    status = 1
    try:
        from grader.kernel import jobinit

        jobinit.run(socket.socket(fileno=fds[0]), message)
        status = 0
    finally:
        os._exit(status)


def warm() -> None:
    """Import what notebooks use and run once what is slow the first time; then freeze the heap for forking."""
    import numpy
    import torch

    torch.set_num_threads(1)
    with contextlib.suppress(RuntimeError):
        torch.set_num_interop_threads(1)
    _warm_torch(torch, numpy)
    from grader.kernel import checkrun, guest, harness, jobinit, landlock

    del checkrun, harness, jobinit, landlock
    guest.prepare(os.environ["HOME"])
    with contextlib.suppress(ImportError):
        pass
    gc.collect()
    gc.freeze()


def _warm_torch(torch: Any, numpy: Any) -> None:
    import torch.func
    import torch.nn.functional
    import torch.optim
    import torch.testing
    import torch.utils._python_dispatch

    layer = torch.nn.Linear(3, 2)
    for make in (torch.optim.SGD, torch.optim.Adam):
        optimizer = make(layer.parameters(), lr=0.1)
        loss = torch.nn.functional.cross_entropy(layer(torch.ones(3, 3)), torch.tensor([0, 1, 0]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    torch.testing.assert_close(torch.ones(2), torch.ones(2))
    torch.func.grad(lambda x: (x * x).sum())(torch.ones(2))
    repr(torch.from_numpy(numpy.ones(3)) @ torch.ones(3, dtype=torch.float64))
    torch.einsum("ij,jk->ik", torch.ones(2, 3), torch.ones(3, 2))
    torch.nn.functional.conv2d(torch.ones(1, 1, 5, 5), torch.ones(1, 1, 3, 3))
    torch.manual_seed(0)
    torch.Generator().manual_seed(0)


def main() -> None:
    """``python -I -c BOOT fd``: the last argument is the descriptor of the pool's socket."""
    serve(int(sys.argv[-1]))
    os._exit(0)  # the interpreter's own way out takes a second with torch in it
